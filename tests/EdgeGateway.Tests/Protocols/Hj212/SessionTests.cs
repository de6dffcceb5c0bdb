using System.Text;
using EdgeGateway.Protocols.Hj212;
using EdgeGateway.Tests.Protocols.Modbus;
using FsCheck;
using FsCheck.Fluent;

namespace EdgeGateway.Tests.Protocols.Hj212;

/// <summary>Conversations between a logger and a platform, byte for byte, in virtual time.</summary>
public sealed class SessionTests : IAsyncDisposable
{
    private const string Mn = "010000A8900016F000169DC0";

    private readonly ScriptedClock _clock = new();
    private readonly ScriptedLine _line;
    private readonly Hj212Session _session;
    private readonly List<Hj212Packet> _received = [];
    private Func<Hj212Packet, IReadOnlyList<Hj212Packet>> _reply = static _ => [];

    public SessionTests()
    {
        _line = new(_clock);
        _session = new(
            new(_line, isStrict: false, _clock),
            packet =>
            {
                _received.Add(packet);
                return _reply(packet);
            },
            _clock);
    }

    public ValueTask DisposeAsync() => _session.DisposeAsync();

    private static Hj212Packet Data(string number = "20250301120000123", bool wantsAnswer = true) =>
        Hj212Packet.Make(number, "31", Hj212Command.RealTime, "123456", Mn, Hj212Flag.Of(wantsAnswer), [[new("DataTime", "20250301120000")], [new("a05001-Rtd", "236412.5"), new("a05001-Flag", "N")]]);

    private static byte[] Ack(Hj212Packet packet) => Hj212Frame.Write(Hj212Packet.Answer(packet, Hj212Command.DataAck));

    private void Arrive(double seconds, params byte[] bytes) => _line.Arrive(TimeSpan.FromSeconds(seconds), bytes);

    [Fact]
    public async Task Data_are_sent_and_acknowledged_by_their_number()
    {
        _line.OnWrite = _ => Arrive(0.2, Ack(Data()));
        Assert.Equal(Hj212Delivery.Done, (await _session.SendAsync(Data())).Delivery);
        Assert.Equal(
            "##0144QN=20250301120000123;ST=31;CN=2011;PW=123456;MN=010000A8900016F000169DC0;Flag=5;CP=&&DataTime=20250301120000;a05001-Rtd=236412.5,a05001-Flag=N&&",
            Encoding.ASCII.GetString(_line.Written[0])[..^6]);
    }

    [Fact]
    public async Task A_lost_answer_is_repeated_three_times_in_all_with_the_same_bytes()
    {
        var before = _clock.Now;
        Assert.Equal(Hj212Delivery.Unanswered, (await _session.SendAsync(Data())).Delivery);
        Assert.Equal((3, 2L), (_line.Written.Count, _session.Repeated));
        Assert.All(_line.Written, w => Assert.Equal(_line.Written[0], w));
        Assert.Equal(30, (_clock.Now - before).TotalSeconds, 3);
    }

    [Fact]
    public async Task An_answer_to_a_repetition_counts_and_its_copy_is_a_stray_one()
    {
        _line.OnWrite = _ =>
        {
            if (_line.Written.Count == 2)
            {
                Arrive(0.1, Ack(Data()));
                Arrive(0.2, Ack(Data()));
            }
        };
        Assert.Equal(Hj212Delivery.Done, (await _session.SendAsync(Data())).Delivery);
        Assert.True(await _session.ListenAsync(TimeSpan.FromSeconds(1)));
        Assert.Equal(1, _session.StrayAnswers);
        Assert.Empty(_received);
    }

    [Fact]
    public async Task An_answer_to_another_number_is_none()
    {
        _line.OnWrite = _ => Arrive(0.1, Ack(Data("20250301120000999")));
        Assert.Equal(Hj212Delivery.Unanswered, (await _session.SendAsync(Data())).Delivery);
        Assert.Equal(3, _session.StrayAnswers);
    }

    [Fact]
    public async Task A_damaged_answer_is_none_and_is_counted()
    {
        var damaged = Ack(Data());
        damaged[^3] ^= 1;
        _line.OnWrite = _ => Arrive(0.1, _line.Written.Count == 1 ? damaged : Ack(Data()));
        Assert.Equal(Hj212Delivery.Done, (await _session.SendAsync(Data())).Delivery);
        Assert.Equal((1, 1), (_session.Link.Counters.WrongCrcs, _session.Repeated));
    }

    [Fact]
    public async Task Half_packets_glued_packets_and_noise_between_them_are_told_apart()
    {
        byte[] stream = [.. "##00"u8, .. Ack(Data("20250301120000001")), .. "noise#"u8, .. Ack(Data())];
        _line.OnWrite = _ =>
        {
            for (var i = 0; i < stream.Length; i += 7)
            {
                Arrive(0.01 * (i + 1), stream[i..Math.Min(i + 7, stream.Length)]);
            }
        };
        Assert.Equal(Hj212Delivery.Done, (await _session.SendAsync(Data())).Delivery);
        Assert.Equal(2, _session.Link.Counters.Packets);
        Assert.True(_session.Link.Counters.WrongLengths > 0);
    }

    [Fact]
    public async Task An_oversize_packet_is_passed_over_and_what_follows_is_read()
    {
        _line.OnWrite = _ =>
        {
            Arrive(0.1, [.. "##1025"u8, .. Enumerable.Repeat((byte)'x', 1025), .. "0000\r\n"u8]);
            Arrive(0.2, Ack(Data()));
        };
        Assert.Equal(Hj212Delivery.Done, (await _session.SendAsync(Data())).Delivery);
        Assert.Equal(1, _session.Link.Counters.WrongLengths);
    }

    [Fact]
    public async Task A_refusal_is_told_with_its_code()
    {
        _line.OnWrite = _ => Arrive(0.1, Hj212Frame.Write(Hj212Packet.Answer(Data(), Hj212Command.RequestAnswer, new Hj212Field("QnRtn", "3"))));
        var (delivery, answer) = await _session.SendAsync(Data());
        Assert.Equal((Hj212Delivery.Refused, "3"), (delivery, answer!.Value("QnRtn")));
    }

    [Fact]
    public async Task Data_that_were_understood_or_carried_out_are_not_acknowledged_by_that()
    {
        _line.OnWrite = _ =>
        {
            Arrive(0.1, Hj212Frame.Write(Hj212Packet.Answer(Data(), Hj212Command.RequestAnswer, new Hj212Field("QnRtn", "1"))));
            Arrive(0.2, Hj212Frame.Write(Hj212Packet.Answer(Data(), Hj212Command.Result, new Hj212Field("ExeRtn", "2"))));
        };
        Assert.Equal(Hj212Delivery.Unanswered, (await _session.SendAsync(Data())).Delivery);
        Assert.Equal(3, _line.Written.Count);
    }

    [Fact]
    public async Task Noise_and_packets_without_end_do_not_hold_an_answer_up_for_ever()
    {
        for (var i = 0; i < 200; i++)
        {
            Arrive(0.5 * i, "noise"u8.ToArray());
            Arrive((0.5 * i) + 0.25, Ack(Data("20250301120000999")));
        }

        Assert.Equal(Hj212Delivery.Unanswered, (await _session.SendAsync(Data())).Delivery);
        Assert.InRange(_line.Written.Count, 3, 3);
    }

    [Fact]
    public async Task What_the_other_side_asks_meanwhile_is_answered()
    {
        var request = Hj212Packet.Make("20250301120000500", "31", Hj212Command.ReadTime, "123456", Mn, Hj212Flag.Of(wantsAnswer: true), []);
        _reply = packet => [Hj212Packet.Answer(packet, Hj212Command.RequestAnswer, new Hj212Field("QnRtn", "1")), Hj212Packet.Answer(packet, Hj212Command.Result, new Hj212Field("ExeRtn", "1"))];
        _line.OnWrite = _ =>
        {
            if (_line.Written.Count == 1)
            {
                Arrive(0.1, Hj212Frame.Write(request));
                Arrive(0.3, Ack(Data()));
            }
        };
        Assert.Equal(Hj212Delivery.Done, (await _session.SendAsync(Data())).Delivery);
        Assert.Equal(["2011", "9011", "9012"], _line.Written.Select(w => Hj212Packet.Parse(Hj212Frame.SegmentOf(w), out _).Command));
    }

    [Fact]
    public async Task A_request_ends_with_its_result_and_data_between_are_given_on()
    {
        var request = Hj212Packet.Make("20250301120000500", "31", Hj212Command.RealTime, "123456", Mn, Hj212Flag.Of(wantsAnswer: true), []);
        _line.OnWrite = _ =>
        {
            if (_line.Written.Count == 1)
            {
                Arrive(0.1, Hj212Frame.Write(Hj212Packet.Answer(request, Hj212Command.RequestAnswer, new Hj212Field("QnRtn", "1"))));
                Arrive(0.2, Hj212Frame.Write(Data(wantsAnswer: false)));
                Arrive(0.3, Hj212Frame.Write(Hj212Packet.Answer(request, Hj212Command.Result, new Hj212Field("ExeRtn", "1"))));
            }
        };
        var (delivery, _, result) = await _session.RequestAsync(request, TimeSpan.FromSeconds(5));
        Assert.Equal((Hj212Delivery.Done, 1), (delivery, result));
        Assert.Equal("236412.5", Assert.Single(_received).Value("a05001-Rtd"));
    }

    [Fact]
    public async Task A_link_that_closes_is_told_at_once()
    {
        _line.OnWrite = _ => _line.IsClosed = true;
        Assert.Equal(Hj212Delivery.Closed, (await _session.SendAsync(Data())).Delivery);
        Assert.Single(_line.Written);
        Assert.Equal(Hj212Delivery.Closed, (await _session.SendAsync(Data())).Delivery);
        Assert.False(await _session.ListenAsync(TimeSpan.FromSeconds(1)));
    }

    [Fact]
    public async Task Data_that_want_no_answer_are_not_waited_for()
    {
        var before = _clock.Now;
        Assert.Equal(Hj212Delivery.Done, (await _session.SendAsync(Data(wantsAnswer: false))).Delivery);
        Assert.Equal(before, _clock.Now);
    }

    [Fact]
    public async Task A_strict_link_refuses_what_a_lenient_one_counts()
    {
        var old = Hj212Frame.Write("ST=31;CN=2011;PW=123456;MN=88888;CP=&&B02-Rtd=3&&"u8);
        Arrive(0.1, old);
        Assert.True(await _session.ListenAsync(TimeSpan.FromSeconds(1)));
        Assert.Single(_received);
        Assert.Equal((1, 1, 1), (_session.Link.Counters.Deviating(Hj212Deviations.Device), _session.Link.Counters.Deviating(Hj212Deviations.Flag), _session.Link.Counters.Deviating(Hj212Deviations.Number)));
        var line = new ScriptedLine(_clock);
        await using var strict = new Hj212Link(line, isStrict: true, _clock);
        line.Arrive(TimeSpan.Zero, old);
        Assert.Equal(Hj212Event.Silence, (await strict.ReceiveAsync(TimeSpan.FromSeconds(1))).Event);
        Assert.Equal(1, strict.Counters.Refused);
    }

    [Fact]
    public async Task A_packet_whose_rest_never_comes_does_not_hide_the_one_behind_it()
    {
        // 300 bytes are promised and 40 come; the packet behind them is found when the claimed length has no end where it should.
        Arrive(0.1, [.. "##0300"u8, .. Enumerable.Repeat((byte)'x', 40)]);
        Arrive(0.2, Hj212Frame.Write(Data("20250301120000001", wantsAnswer: false)));
        Arrive(0.3, Hj212Frame.Write(Data("20250301120000002", wantsAnswer: false)));
        Arrive(0.4, Hj212Frame.Write(Data("20250301120000003", wantsAnswer: false)));
        Assert.True(await _session.ListenAsync(TimeSpan.FromSeconds(1)));
        Assert.Equal(["20250301120000001", "20250301120000002", "20250301120000003"], _received.Select(p => p.Number));
        Assert.Equal(1, _session.Link.Counters.WrongEnds);
    }

    [Fact]
    public void No_byte_sequence_makes_a_link_throw_or_hang()
    {
        var piece = Gen.OneOf(
            Gen.Choose(0, 255).Select(b => new[] { (byte)b }),
            Gen.Elements("##", "##0012", "##9999", "##1024", "##00", "QN=1;CP=&&&&6900\r\n", "##0012QN=1;CP=&&&&6900\r\n", "CP=&&", "\r\n", "#").Select(text => Encoding.ASCII.GetBytes(text)));
        Prop.ForAll(piece.ArrayOf().ToArbitrary(), pieces =>
        {
            var clock = new ScriptedClock();
            var line = new ScriptedLine(clock);
            var link = new Hj212Link(line, isStrict: false, clock);
            foreach (var bytes in pieces)
            {
                line.Arrive(TimeSpan.FromMilliseconds(1), bytes);
            }

            var turns = 0;
            while (link.ReceiveAsync(TimeSpan.FromSeconds(1)).AsTask().GetAwaiter().GetResult().Event == Hj212Event.Packet)
            {
                Assert.True(++turns <= pieces.Length, "more packets than pieces");
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(1000));
    }

    [Fact]
    public void No_packets_make_an_assembly_throw()
    {
        var number = Gen.Elements("", "0", "1", "2", "3", "64", "65", "-1", "99999999999", "x");
        var packets = from parts in number from part in number from time in Gen.Elements("1", "2") select $"QN=1;CN=2061;MN=x;Flag=7;PNUM={parts};PNO={part};CP=&&DataTime={time};a=1&&";
        Prop.ForAll(packets.ArrayOf().ToArbitrary(), segments =>
        {
            var assembly = new Hj212Assembly(new ScriptedClock());
            foreach (var segment in segments)
            {
                _ = assembly.Take(Hj212Packet.Parse(Encoding.ASCII.GetBytes(segment), out _));
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(1000));
    }
}
