using EdgeGateway.Protocols.Modbus;
using FsCheck;
using FsCheck.Fluent;

namespace EdgeGateway.Tests.Protocols.Modbus;

/// <summary>What a trace says of the bytes on a line.</summary>
public sealed class FrameTracerTests
{
    private readonly List<TracedFrame> _frames = [];

    [Fact]
    public void A_request_and_its_reply_are_told_with_addresses_values_and_latency() // MODBUS V1.1b3, 6.3, the example of the text
    {
        var rtu = Tracer(FrameFormat.Rtu);
        rtu.Sent(Ms(0), Rtu(17, 3, 0x00, 0x6B, 0x00, 0x03));
        rtu.Received(Ms(12), Rtu(17, 3, 6, 0x02, 0x2B, 0x00, 0x00, 0x00, 0x64));

        Assert.Equal("read 3 holding registers from 107 (0x006B)", _frames[0].Text);
        Assert.True(_frames[0].IsSent);
        Assert.Equal("3 registers: 022B 0000 0064", _frames[1].Text);
        Assert.Equal((17, CheckSum.Good, Ms(12), ""), (_frames[1].Unit!.Value, _frames[1].Check, _frames[1].Latency!.Value, _frames[1].Note));
        Assert.Equal((107, 3), (_frames[1].Address!.Value, _frames[1].Quantity!.Value));
    }

    [Fact]
    public void A_refusal_is_told_in_words() // MODBUS V1.1b3, 7
    {
        var tcp = Tracer(FrameFormat.Tcp);
        tcp.Sent(Ms(0), Tcp(1, 10, 1, 0x04, 0xA1, 0x00, 0x01));
        tcp.Received(Ms(5), Tcp(1, 10, 0x81, 0x02));
        Assert.Equal(TraceKind.Exception, _frames[1].Kind);
        Assert.Equal("refuses to read coils: exception 02 (illegal data address)", _frames[1].Text);
        Assert.Equal((Ms(5), 2), (_frames[1].Latency!.Value, _frames[1].ExceptionCode));
    }

    [Fact]
    public void A_reply_in_lumps_and_two_replies_in_one_lump_are_whole_frames()
    {
        var tcp = Tracer(FrameFormat.Tcp);
        tcp.Sent(Ms(0), Tcp(1, 1, 3, 0, 0, 0, 1));
        tcp.Sent(Ms(1), Tcp(2, 1, 3, 0, 9, 0, 1));
        byte[] both = [.. Tcp(1, 1, 3, 2, 0, 7), .. Tcp(2, 1, 3, 2, 0, 8)];
        foreach (var b in both)
        {
            tcp.Received(Ms(4), [b]);
        }

        Assert.Equal(["1 register: 0007", "1 register: 0008"], _frames.Skip(2).Select(f => f.Text));
        tcp.Received(Ms(5), both);
        Assert.Equal(["a second copy of the reply", "a second copy of the reply"], _frames.Skip(4).Select(f => f.Note));
    }

    [Fact]
    public void Our_own_request_heard_back_is_an_echo_and_the_reply_behind_it_counts()
    {
        var rtu = Tracer(FrameFormat.Rtu);
        var request = Rtu(2, 3, 0, 0, 0, 1);
        rtu.Sent(Ms(0), request);
        rtu.Received(Ms(9), [.. request, .. Rtu(2, 3, 2, 0, 5)]);
        Assert.Equal([TraceKind.Request, TraceKind.Echo, TraceKind.Reply], _frames.Select(f => f.Kind));
        Assert.StartsWith("echo of our own request", _frames[1].Note, StringComparison.Ordinal);
        Assert.Equal("", _frames[2].Note);
    }

    [Fact]
    public void The_reply_to_a_single_write_is_not_taken_for_an_echo_but_a_second_one_is_said() // MODBUS V1.1b3, 6.6: the response is an echo
    {
        var rtu = Tracer(FrameFormat.Rtu);
        var request = Rtu(2, 6, 0, 1, 0, 3);
        rtu.Sent(Ms(0), request);
        rtu.Received(Ms(9), request);
        rtu.Received(Ms(10), request);
        Assert.Equal([TraceKind.Request, TraceKind.Reply, TraceKind.Echo], _frames.Select(f => f.Kind));
        Assert.Equal("done: write holding register 1 (0x0001) = 3 (0x0003)", _frames[1].Text);
    }

    [Fact]
    public void A_reply_from_another_unit_is_said()
    {
        var rtu = Tracer(FrameFormat.Rtu);
        rtu.Sent(Ms(0), Rtu(2, 3, 0, 0, 0, 1));
        rtu.Received(Ms(9), Rtu(3, 3, 2, 0, 5));
        var tcp = Tracer(FrameFormat.Tcp);
        tcp.Sent(Ms(0), Tcp(7, 2, 3, 0, 0, 0, 1));
        tcp.Received(Ms(9), Tcp(7, 3, 3, 2, 0, 5));
        Assert.Equal("reply from unit 3 to a request for unit 2", _frames[1].Note);
        Assert.Equal("reply from unit 3 to a request for unit 2", _frames[3].Note);
        Assert.Equal((3, 2), (_frames[1].Unit!.Value, _frames[1].AskedUnit!.Value));
    }

    [Fact]
    public void A_late_reply_belongs_to_the_request_that_was_given_up()
    {
        var rtu = Tracer(FrameFormat.Rtu);
        rtu.Sent(Ms(0), Rtu(2, 3, 0, 0, 0, 1));
        rtu.Sent(Ms(500), Rtu(5, 3, 0, 0, 0, 2));
        rtu.Received(Ms(600), Rtu(2, 3, 2, 0, 5));
        Assert.Equal("late reply: its request was given up, 1 newer request followed within 600 ms", _frames[2].Note);
        Assert.Equal(Ms(600), _frames[2].Latency);

        var tcp = Tracer(FrameFormat.Tcp);
        tcp.Sent(Ms(0), Tcp(1, 2, 3, 0, 0, 0, 1));
        tcp.Sent(Ms(500), Tcp(2, 2, 3, 0, 0, 0, 1));
        tcp.Received(Ms(510), Tcp(1, 2, 3, 2, 0, 5));
        tcp.Received(Ms(520), Tcp(2, 2, 3, 2, 0, 5));
        Assert.StartsWith("late reply", _frames[5].Note, StringComparison.Ordinal);
        Assert.Equal("", _frames[6].Note);
    }

    [Fact]
    public void Replies_to_several_requests_under_way_are_not_late()
    {
        var tcp = new FrameTracer(FrameFormat.Tcp, _frames.Add) { InFlight = 4 };
        for (byte i = 1; i <= 4; i++)
        {
            tcp.Sent(Ms(i), Tcp(i, 1, 3, 0, i, 0, 1));
        }

        for (byte i = 1; i <= 4; i++)
        {
            tcp.Received(Ms(10 + i), Tcp(i, 1, 3, 2, 0, i));
        }

        Assert.All(_frames, f => Assert.Equal("", f.Note));
        Assert.Equal([1, 2, 3, 4], _frames.Skip(4).Select(f => f.Address!.Value));
    }

    [Fact]
    public void A_wrong_check_sum_a_broken_off_reply_and_noise_are_told_apart()
    {
        var rtu = Tracer(FrameFormat.Rtu);
        var reply = Rtu(2, 3, 4, 0, 5, 0, 6);
        reply[4] ^= 0x10;
        rtu.Sent(Ms(0), Rtu(2, 3, 0, 0, 0, 2));
        rtu.Received(Ms(10), reply);
        rtu.Sent(Ms(500), Rtu(2, 3, 0, 0, 0, 2));
        rtu.Received(Ms(510), Rtu(2, 3, 4, 0, 5, 0, 6).AsSpan(0, 5));
        rtu.Pass(Ms(1000));
        rtu.Received(Ms(1500), [0xFF, 0xFE, 0xFD]);
        rtu.Pass(Ms(2000));

        Assert.Equal((TraceKind.Damaged, CheckSum.Wrong), (_frames[1].Kind, _frames[1].Check));
        Assert.Contains("wrong check sum", _frames[1].Text, StringComparison.Ordinal);
        Assert.Equal("the beginning of a reply: 5 of 9 bytes", _frames[3].Text);
        Assert.Equal((TraceKind.Noise, "3 bytes that make no frame"), (_frames[4].Kind, _frames[4].Text));
    }

    [Fact]
    public void A_frame_behind_noise_is_found()
    {
        var rtu = Tracer(FrameFormat.Rtu);
        rtu.Sent(Ms(0), Rtu(2, 3, 0, 0, 0, 1));
        rtu.Received(Ms(10), [0x00, 0xFF, .. Rtu(2, 3, 2, 0, 5)]);
        rtu.Pass(Ms(500));
        Assert.Equal([TraceKind.Request, TraceKind.Noise, TraceKind.Reply], _frames.Select(f => f.Kind));
        Assert.Equal(Ms(10), _frames[2].Latency);
    }

    [Fact]
    public void Other_clients_and_their_devices_can_be_listened_to()
    {
        var rtu = Tracer(FrameFormat.Rtu);
        rtu.Received(Ms(0), Rtu(4, 1, 0, 0x13, 0, 0x13));
        rtu.Received(Ms(20), Rtu(4, 1, 3, 0xCD, 0x6B, 0x05)); // MODBUS V1.1b3, 6.1: as long as a request
        rtu.Received(Ms(40), Rtu(4, 16, 0, 1, 0, 2, 4, 0, 10, 1, 2));
        rtu.Received(Ms(60), Rtu(4, 16, 0, 1, 0, 2));
        rtu.Received(Ms(80), Rtu(4, 6, 0, 1, 0, 3));
        rtu.Received(Ms(95), Rtu(4, 6, 0, 1, 0, 3));
        Assert.Equal(
            ["Request read 19 coils from 19 (0x0013)", "Reply 24 bits: 10110011 11010110 10100000", "Request write 2 holding registers from 1 (0x0001): 000A 0102",
             "Reply done: write 2 holding registers from 1 (0x0001)", "Request write holding register 1 (0x0001) = 3 (0x0003)", "Reply done: write holding register 1 (0x0001) = 3 (0x0003)"],
            _frames.Select(f => $"{f.Kind} {f.Text}"));
        Assert.Equal(Ms(15), _frames[5].Latency);
    }

    [Fact]
    public void A_request_of_another_client_between_ours_is_said()
    {
        var rtu = Tracer(FrameFormat.Rtu);
        rtu.Sent(Ms(0), Rtu(2, 3, 0, 0, 0, 1));
        rtu.Received(Ms(5), Rtu(9, 4, 0, 0x30, 0, 2));
        Assert.Equal((TraceKind.Request, "a request of another client: a line has room for one"), (_frames[1].Kind, _frames[1].Note));
    }

    [Fact]
    public void Device_identification_is_shown_as_text() // MODBUS V1.1b3, 6.21
    {
        var rtu = Tracer(FrameFormat.Rtu);
        rtu.Sent(Ms(0), Rtu(1, 0x2B, 0x0E, 1, 0));
        rtu.Received(Ms(30), Rtu([1, 0x2B, 0x0E, 1, 1, 0, 0, 2, 0, 4, .. "ACME"u8, 1, 2, .. "M1"u8]));
        Assert.Equal("read device identification, level 1 from object 0", _frames[0].Text);
        Assert.Equal("device identification: \"ACME\", \"M1\"", _frames[1].Text);
    }

    [Fact]
    public void Ascii_frames_are_read_and_their_check_sum_is_judged() // V1.02, 2.5.2
    {
        var ascii = Tracer(FrameFormat.Ascii);
        ascii.Sent(Ms(0), ":010300000001FB\r\n"u8);
        ascii.Received(Ms(10), ":01030200"u8);
        ascii.Received(Ms(11), "07F3\r\n"u8);
        ascii.Received(Ms(12), ":0103020007F4\r\n"u8);
        Assert.Equal("read 1 holding register from 0 (0x0000)", _frames[0].Text);
        Assert.Equal(("1 register: 0007", CheckSum.Good), (_frames[1].Text, _frames[1].Check));
        Assert.Equal((TraceKind.Damaged, CheckSum.Wrong), (_frames[2].Kind, _frames[2].Check));
    }

    [Fact]
    public void Another_protocol_on_a_tcp_connection_is_named()
    {
        var tcp = Tracer(FrameFormat.Tcp);
        tcp.Sent(Ms(0), Tcp(1, 2, 3, 0, 0, 0, 1));
        tcp.Received(Ms(10), Rtu(2, 3, 2, 0x12, 0x34));
        tcp.Pass(Ms(1000));
        Assert.Equal(TraceKind.Noise, _frames[1].Kind);
        Assert.Contains("RTU over TCP", _frames[1].Note, StringComparison.Ordinal);
    }

    [Theory, InlineData(FrameFormat.Rtu), InlineData(FrameFormat.Ascii), InlineData(FrameFormat.Tcp)]
    public void No_byte_sequence_makes_it_throw_and_every_byte_is_accounted_for(FrameFormat format) =>
        Prop.ForAll(Gen.OneOf(Any, Frames).ListOf().ToArbitrary(), lumps =>
        {
            List<TracedFrame> frames = [];
            var tracer = new FrameTracer(format, frames.Add);
            var (at, sent, received) = (0, 0, 0);
            foreach (var lump in lumps)
            {
                at += lump.Length % 7 == 0 ? 200 : 1;
                if (lump.Length % 5 == 0)
                {
                    tracer.Sent(Ms(at), lump);
                    sent += lump.Length;
                }
                else
                {
                    tracer.Received(Ms(at), lump);
                    received += lump.Length;
                }
            }

            tracer.Pass(Ms(at + 1000));
            Assert.Equal(sent, frames.Where(f => f.IsSent).Sum(f => f.Bytes.Count));
            Assert.Equal(received, frames.Where(f => !f.IsSent).Sum(f => f.Bytes.Count));
            Assert.All(frames, f => Assert.True(f.Text.Length is > 0 and < 2000 && (f.IsSent || f.Bytes.Count <= 1024)));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(300));

    [Fact]
    public void Whole_frames_are_found_however_they_are_cut() =>
        Prop.ForAll(Gen.Choose(1, 40).ListOf().ToArbitrary(), cuts =>
        {
            List<TracedFrame> frames = [];
            var tracer = new FrameTracer(FrameFormat.Rtu, frames.Add);
            tracer.Sent(Ms(0), Rtu(1, 3, 0, 0, 0, 30));
            var reply = Rtu([1, 3, 60, .. Enumerable.Range(0, 60).Select(i => (byte)(i * (cuts.Count + 1) % 256))]);
            var at = 0;
            foreach (var cut in cuts)
            {
                var next = Math.Min(reply.Length, at + cut);
                tracer.Received(Ms(5), reply.AsSpan(at, next - at));
                at = next;
            }

            tracer.Received(Ms(5), reply.AsSpan(at));
            Assert.Equal([TraceKind.Request, TraceKind.Reply], frames.Select(f => f.Kind));
            Assert.Equal("", frames[1].Note);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(200));

    private static Gen<byte[]> Any => Gen.Choose(0, 255).Select(i => (byte)i).ArrayOf();

    private static Gen<byte[]> Frames =>
        from unit in Gen.Choose(0, 3)
        from function in Gen.Elements(1, 2, 3, 4, 5, 6, 15, 16, 17, 22, 23, 43, 0x83)
        from rest in Any
        from cut in Gen.Choose(0, 3)
        from isTcp in Gen.Elements(true, false)
        let pdu = (byte[])[(byte)function, .. rest.Take(200)]
        let frame = isTcp ? Tcp(1, (byte)unit, pdu) : Rtu([(byte)unit, .. pdu])
        select frame[..^cut];

    private static TimeSpan Ms(double ms) => TimeSpan.FromMilliseconds(ms);

    private static byte[] Rtu(params byte[] body)
    {
        var frame = new byte[body.Length + 2];
        body.CopyTo(frame, 0);
        RtuFrame.Finish(frame, body[0], body.Length - 1);
        return frame;
    }

    private static byte[] Tcp(ushort transaction, byte unit, params byte[] pdu)
    {
        var frame = new byte[MbapHeader.Size + pdu.Length];
        new MbapHeader(transaction, unit, pdu.Length).Write(frame);
        pdu.CopyTo(frame, MbapHeader.Size);
        return frame;
    }

    private FrameTracer Tracer(FrameFormat format) => new(format, _frames.Add);
}
