using EdgeGateway.Protocols.Dlt645;
using EdgeGateway.Protocols.Modbus;
using FsCheck;
using FsCheck.Fluent;

namespace EdgeGateway.Tests.Protocols.Dlt645;

/// <summary>What a trace says of the bytes on a line with DL/T 645 meters.</summary>
public sealed class TracerTests
{
    private const string Meter = "000000000161";
    private const string AskEnergy = "68 61 01 00 00 00 00 68 11 04 33 33 34 33 14 16";
    private const string Energy = "68 61 01 00 00 00 00 68 91 08 33 33 34 33 59 33 33 33 8A 16";

    private readonly List<TracedFrame> _frames = [];

    private static byte[] Hex(string text) => Convert.FromHexString(text.Replace(" ", "", StringComparison.Ordinal));

    private static TimeSpan Ms(double milliseconds) => TimeSpan.FromMilliseconds(milliseconds);

    private Dlt645Tracer Tracer() => new(_frames.Add) { UnitOf = meter => meter.ToString() == Meter ? 1 : null };

    [Fact]
    public void A_question_and_its_answer_are_told_with_meter_quantity_value_and_latency()
    {
        var tracer = Tracer();
        tracer.Sent(Ms(0), Hex("FE FE FE FE " + AskEnergy));
        foreach (var b in Hex("FE FE FE FE " + Energy))
        {
            tracer.Received(Ms(120), [b]);
        }

        Assert.Equal(["read 00010000 (forward active energy, total) of meter 000000000161", "meter 000000000161, 00010000 (forward active energy, total): 0.26 kWh"], _frames.Select(f => f.Text));
        Assert.Equal((TraceKind.Request, true, 1, 0x11), (_frames[0].Kind, _frames[0].IsSent, _frames[0].Unit!.Value, _frames[0].Function));
        Assert.Equal((TraceKind.Reply, CheckSum.Good, Ms(120), ""), (_frames[1].Kind, _frames[1].Check, _frames[1].Latency!.Value, _frames[1].Note));
        Assert.Equal(Hex(Energy), _frames[1].Bytes);
    }

    [Fact]
    public void A_refusal_is_told_in_words()
    {
        var tracer = Tracer();
        tracer.Sent(Ms(0), Hex(AskEnergy));
        tracer.Received(Ms(50), Hex("68 61 01 00 00 00 00 68 D1 01 35 39 16"));
        Assert.Equal((TraceKind.Exception, 2), (_frames[1].Kind, _frames[1].ExceptionCode));
        Assert.Equal("meter 000000000161: the meter refused: it does not offer this quantity", _frames[1].Text);
    }

    [Fact]
    public void The_own_question_heard_back_is_an_echo_and_the_answer_behind_it_counts()
    {
        var tracer = Tracer();
        tracer.Sent(Ms(0), Hex(AskEnergy));
        tracer.Received(Ms(9), [.. Hex(AskEnergy), .. Hex(Energy)]);
        Assert.Equal([TraceKind.Request, TraceKind.Echo, TraceKind.Reply], _frames.Select(f => f.Kind));
        Assert.Equal("", _frames[2].Note);
    }

    [Fact]
    public void Another_meter_another_quantity_and_a_copy_are_said()
    {
        var tracer = Tracer();
        tracer.Sent(Ms(0), Hex(AskEnergy));
        tracer.Received(Ms(50), Answer("000000000162"));
        tracer.Sent(Ms(1000), Hex(AskEnergy));
        tracer.Received(Ms(1050), Hex("68 61 01 00 00 00 00 68 91 06 33 34 34 35 34 43 10 16"));
        tracer.Sent(Ms(2000), Hex(AskEnergy));
        tracer.Received(Ms(2050), [.. Hex(Energy), .. Hex(Energy)]);
        Assert.Equal(
            ["", "meter 000000000162 answers a question for meter 000000000161", "", "answers another question than the last one: late", "", "", "a second copy of the answer"],
            _frames.Select(f => f.Note));
        Assert.Equal("meter 000000000161, 02010100 (voltage A): 100.1 V", _frames[3].Text);
    }

    [Fact]
    public void A_wrong_check_sum_half_a_frame_and_noise_are_told_and_what_follows_is_read()
    {
        var damaged = Hex(Energy);
        damaged[^2] ^= 1;
        var tracer = Tracer();
        tracer.Sent(Ms(0), Hex(AskEnergy));
        tracer.Received(Ms(50), [.. damaged, .. Hex(Energy)]);
        tracer.Sent(Ms(1000), Hex(AskEnergy));
        tracer.Received(Ms(1050), Hex(Energy).AsSpan(0, 11));
        tracer.Pass(Ms(1400));
        Assert.Equal(4, _frames.Count);
        tracer.Pass(Ms(1600));
        tracer.Received(Ms(1700), [1, 2, 3]);
        tracer.Flush();
        Assert.Equal([TraceKind.Request, TraceKind.Damaged, TraceKind.Reply, TraceKind.Request, TraceKind.Damaged, TraceKind.Noise], _frames.Select(f => f.Kind));
        Assert.Equal((CheckSum.Wrong, 1), (_frames[1].Check, _frames[1].Unit!.Value));
        Assert.Equal("the beginning of a frame: 11 of 20 bytes", _frames[4].Text);
        Assert.Equal("3 bytes that make no frame", _frames[5].Text);
    }

    [Fact]
    public void Several_meters_that_say_their_address_are_told()
    {
        var tracer = Tracer();
        tracer.Sent(Ms(0), Hex("68 AA AA AA AA AA AA 68 13 00 DF 16"));
        tracer.Received(Ms(50), Hex("68 61 01 00 00 00 00 68 93 06 94 34 33 33 33 33 5F 16"));
        tracer.Received(Ms(90), Answer("000000000162", 0x93, 0x62, 1, 0, 0, 0, 0));
        Assert.Equal(["ask whoever hears it for the address", "meter 000000000161 says its address", "meter 000000000162 says its address"], _frames.Select(f => f.Text));
        Assert.StartsWith("another answer to a question that only one meter may answer", _frames[2].Note, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_client_and_its_meters_are_understood_without_sending()
    {
        var tracer = Tracer();
        tracer.Received(Ms(0), Hex("FE FE " + AskEnergy));
        tracer.Received(Ms(80), Hex(Energy));
        Assert.Equal([TraceKind.Request, TraceKind.Reply], _frames.Select(f => f.Kind));
        Assert.All(_frames, f => Assert.Equal((false, ""), (f.IsSent, f.Note)));
        Assert.Equal(Ms(80), _frames[1].Latency);
    }

    [Fact]
    public void What_a_frame_deviates_in_is_said()
    {
        var wrongEnd = Hex(Energy);
        wrongEnd[^1] = 0;
        var tracer = Tracer();
        tracer.Sent(Ms(0), Hex(AskEnergy));
        tracer.Received(Ms(50), wrongEnd);
        Assert.Equal("does not end with 16: refused, unless the bus is lenient", _frames[1].Note);
    }

    [Fact]
    public void Whatever_bytes_come_each_is_reported_once_and_no_more_is_held_than_one_frame()
    {
        var pieces = Gen.OneOf(
            Gen.Choose(0, 255).Select(b => new[] { (byte)b }),
            Gen.Elements<byte>(0x68, 0x16, 0xFE, 0x91).Select(b => new[] { b }),
            Gen.Choose(0, 20).Select(n => Hex(Energy)[..n]),
            Gen.Choose(0, 20).Select(n => Hex(Energy)[n..])).ArrayOf();
        Prop.ForAll(pieces.ToArbitrary(), lumps =>
        {
            _frames.Clear();
            var tracer = Tracer();
            var at = 0;
            foreach (var lump in lumps)
            {
                tracer.Received(Ms(at), lump);
                at += lump.Length % 3 == 0 ? 700 : 5;
            }

            tracer.Flush();

            // Wake-up bytes belong to no frame and are left out, wherever they stand between two.
            var all = lumps.SelectMany(l => l).ToArray();
            var told = _frames.SelectMany(f => f.Bytes).ToArray();
            Assert.Equal(all.Where(b => b != 0xFE), told.Where(b => b != 0xFE));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(2000));
    }

    private static byte[] Answer(string meter, byte control = 0x91, params byte[] data)
    {
        Assert.True(MeterAddress.TryParse(meter, out var address));
        data = data.Length > 0 ? data : [0, 0, 1, 0, 0x26, 0, 0, 0];
        var frame = new byte[Dlt645Frame.MinLength + data.Length];
        Dlt645Frame.Write(frame, address, new(control), data);
        return frame;
    }
}
