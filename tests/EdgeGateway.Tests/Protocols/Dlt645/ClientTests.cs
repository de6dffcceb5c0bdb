using EdgeGateway.Protocols.Dlt645;
using EdgeGateway.Protocols.Serial;
using EdgeGateway.Tests.Protocols.Modbus;
using FsCheck;
using FsCheck.Fluent;

namespace EdgeGateway.Tests.Protocols.Dlt645;

/// <summary>Conversations with meters, byte for byte, in virtual time.</summary>
public sealed class ClientTests : IAsyncDisposable
{
    private const string Meter = "000000000161";
    private const string AskEnergy = "68 61 01 00 00 00 00 68 11 04 33 33 34 33 14 16";
    private const string Energy = "68 61 01 00 00 00 00 68 91 08 33 33 34 33 59 33 33 33 8A 16";

    private static readonly TimeSpan Timeout = TimeSpan.FromMilliseconds(800);
    private static readonly DataIdentifier ForwardEnergy = new(0x0001_0000);

    /// <summary>Bytes of frames, whole and cut, with others between.</summary>
    private static readonly Arbitrary<byte[]> Noise = Gen.OneOf(
        Gen.Choose(0, 255).Select(b => new[] { (byte)b }),
        Gen.Elements<byte>(0x68, 0x16, 0xFE, 0x91, 0x93, 0x11, 0x33).Select(b => new[] { b }),
        Gen.Choose(0, 20).Select(n => Hex(Energy)[..n]),
        Gen.Choose(0, 20).Select(n => Hex(Energy)[n..]),
        Gen.Choose(0, 255).Select(n => Frame("000000000162", (byte)n, new byte[n])),
        Gen.Choose(0, 19).Select(n => Hex(Energy).Select((b, i) => i == n ? (byte)(b ^ 0x20) : b).ToArray())).ArrayOf().Select(parts => parts.SelectMany(p => p).Take(600).ToArray()).ToArbitrary();

    private readonly ScriptedClock _clock = new();
    private readonly byte[] _data = new byte[1024];
    private ScriptedLine _line;
    private int _opened;

    public ClientTests() => _line = new(_clock);

    private Dlt645Client Client { get => field ??= Make(new() { WakeUp = 0 }); set; }

    public ValueTask DisposeAsync() => Client.DisposeAsync();

    private Dlt645Client Make(Dlt645Options options) => new(
        (_, _) =>
        {
            _opened++;
            return ValueTask.FromResult<IByteLine>(_line);
        },
        options,
        _clock);

    private static byte[] Hex(string text) => Convert.FromHexString(text.Replace(" ", "", StringComparison.Ordinal));

    private static MeterAddress Of(string digits) => MeterAddress.TryParse(digits, out var address) ? address : throw new ArgumentException(digits);

    private static byte[] Frame(string meter, byte control, params byte[] data)
    {
        var frame = new byte[Dlt645Frame.MinLength + data.Length];
        Dlt645Frame.Write(frame, Of(meter), new(control), data);
        return frame;
    }

    private void Answer(params byte[][] replies)
    {
        var queue = new Queue<byte[]>(replies);
        _line.OnWrite = _ => _line.Arrive(TimeSpan.FromMilliseconds(40), queue.Count > 0 ? queue.Dequeue() : []);
    }

    private async Task<Dlt645Outcome> Read(DataIdentifier? what = null) => await Client.ReadAsync(Of(Meter), what ?? ForwardEnergy, _data, Timeout);

    [Fact]
    public async Task Asks_and_reads_as_published()
    {
        Answer(Hex(Energy));
        Assert.Equal(new(Dlt645Status.Ok, 4), await Read());
        Assert.Equal(Hex(AskEnergy), _line.Written[0]);
        Assert.True(DataItems.Find(ForwardEnergy)!.TryValue(_data.AsSpan(0, 4), out var value));
        Assert.Equal(0.26m, value);
    }

    [Fact]
    public async Task Wakes_the_meter_up_with_four_bytes_unless_told_otherwise()
    {
        Client = Make(new());
        Answer(Hex("FE FE FE FE " + Energy));
        Assert.True((await Read()).IsOk);
        Assert.Equal(Hex("FE FE FE FE " + AskEnergy), _line.Written[0]);
    }

    [Fact]
    public async Task Waits_for_a_silent_line_before_it_asks()
    {
        // A late answer to somebody else is still coming in.
        await using var client = Client;
        Answer(Hex(Energy));
        Assert.True((await Read()).IsOk);
        _line.Arrive(TimeSpan.FromMilliseconds(10), Hex(Energy)[..10]);
        _line.Arrive(TimeSpan.FromMilliseconds(35), Hex(Energy)[10..]);
        Answer(Hex(Energy));
        Assert.True((await Read()).IsOk);
        Assert.Equal(1, client.Counters.LateDiscarded);
    }

    [Fact]
    public async Task A_wrong_check_sum_is_told_and_the_next_question_is_answered()
    {
        var damaged = Hex(Energy);
        damaged[^2] ^= 1;
        Answer(damaged, Hex(Energy));
        Assert.Equal(Dlt645Status.CorruptFrame, (await Read()).Status);
        Assert.Equal(1, Client.Counters.CheckSumErrors);
        Assert.True((await Read()).IsOk);
    }

    [Fact]
    public async Task A_wrong_address_is_told_with_both()
    {
        Answer(Frame("000000000162", 0x91, 0, 0, 1, 0, 0x26, 0, 0, 0));
        var outcome = await Read();
        Assert.Equal((Dlt645Status.WrongAddress, $"asked {Meter}, answered 000000000162"), (outcome.Status, outcome.Detail));
    }

    [Fact]
    public async Task Half_a_frame_ends_with_the_pause_behind_it()
    {
        Answer(Hex(Energy)[..11]);
        var before = _clock.Now;
        Assert.Equal(Dlt645Status.ShortReply, (await Read()).Status);
        Assert.InRange((_clock.Now - before).TotalMilliseconds, 500, 700);
    }

    [Fact]
    public async Task A_frame_in_two_halves_is_one()
    {
        _line.OnWrite = _ =>
        {
            _line.Arrive(TimeSpan.FromMilliseconds(40), Hex(Energy)[..11]);
            _line.Arrive(TimeSpan.FromMilliseconds(400), Hex(Energy)[11..]);
        };
        Assert.True((await Read()).IsOk);
    }

    [Fact]
    public async Task Two_meters_with_one_address_damage_one_another()
    {
        var (one, two) = (Frame(Meter, 0x91, 0, 0, 1, 0, 0x26, 0, 0, 0), Frame(Meter, 0x91, 0, 0, 1, 0, 0x99, 0x12, 0, 0));
        Answer([.. one.Select((b, i) => (byte)(b & two[i]))]);
        var outcome = await Read();
        Assert.Equal(Dlt645Status.CorruptFrame, outcome.Status);
        Assert.Contains("no two meters have one address", outcome.Describe(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_lost_answer_is_a_timeout_and_a_late_one_to_another_question_is_not_taken()
    {
        Answer();
        Assert.Equal(Dlt645Status.Timeout, (await Read(new(0x0201_0100))).Status);
        _line.OnWrite = _ =>
        {
            // The answer to the first question, then that to the second.
            _line.Arrive(TimeSpan.FromMilliseconds(20), Hex("68 61 01 00 00 00 00 68 91 06 33 34 34 35 34 43 10 16"));
            _line.Arrive(TimeSpan.FromMilliseconds(60), Hex(Energy));
        };
        Assert.Equal(new(Dlt645Status.Ok, 4), await Read());
        Assert.Equal(1, Client.Counters.LateDiscarded);
    }

    [Fact]
    public async Task The_own_question_heard_back_is_no_answer()
    {
        _line.OnWrite = sent =>
        {
            _line.Arrive(TimeSpan.Zero, sent);
            _line.Arrive(TimeSpan.FromMilliseconds(40), Hex(Energy));
        };
        Assert.True((await Read()).IsOk);
        Assert.Equal(1, Client.Counters.Echoes);
    }

    [Fact]
    public async Task A_refusal_says_why()
    {
        Answer(Hex("68 61 01 00 00 00 00 68 D1 01 35 39 16"));
        var outcome = await Read();
        Assert.Equal((Dlt645Status.Refused, Dlt645Refusals.NoSuchData), (outcome.Status, outcome.Refusals));
        Assert.Contains("does not offer", outcome.Describe(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_answer_without_data_is_no_value()
    {
        Answer(Frame(Meter, 0x91, 0, 0, 1, 0));
        Assert.Equal(Dlt645Status.NoValue, (await Read()).Status);
    }

    [Fact]
    public async Task Further_frames_are_asked_for_by_their_number_and_joined()
    {
        Answer(Frame(Meter, 0xB1, 0, 0, 1, 0, 1, 2, 3), Frame(Meter, 0xB2, 0, 0, 1, 0, 4, 5, 1), Frame(Meter, 0x92, 0, 0, 1, 0, 6, 2));
        Assert.Equal(new(Dlt645Status.Ok, 6), await Read());
        Assert.Equal([1, 2, 3, 4, 5, 6], _data[..6]);
        Assert.Equal(Frame(Meter, 0x12, 0, 0, 1, 0, 1), _line.Written[1]);
        Assert.Equal(Frame(Meter, 0x12, 0, 0, 1, 0, 2), _line.Written[2]);
    }

    [Fact]
    public async Task A_further_frame_with_another_number_is_not_taken()
    {
        Answer(Frame(Meter, 0xB1, 0, 0, 1, 0, 1, 2, 3), Frame(Meter, 0x92, 0, 0, 1, 0, 4, 5, 9));
        Assert.Equal(Dlt645Status.Timeout, (await Read()).Status);
    }

    [Fact]
    public async Task A_meter_that_always_has_more_comes_to_an_end()
    {
        var number = 0;
        _line.OnWrite = _ =>
        {
            _line.Arrive(TimeSpan.FromMilliseconds(20), number == 0 ? Frame(Meter, 0xB1, 0, 0, 1, 0, 7) : Frame(Meter, 0xB2, 0, 0, 1, 0, 7, (byte)number));
            number++;
        };
        var outcome = await Client.ReadAsync(Of(Meter), ForwardEnergy, new byte[100], Timeout);
        Assert.Equal(Dlt645Status.Malformed, outcome.Status);
        Assert.InRange(number, 100, 102);
    }

    [Fact]
    public async Task A_line_that_was_lost_is_opened_anew_for_the_next_question()
    {
        Answer(Hex(Energy));
        Assert.True((await Read()).IsOk);
        _line.IsClosed = true;
        var old = _line;
        _line = new(_clock);
        Answer(Hex(Energy));
        Assert.True((await Read()).IsOk);
        Assert.Equal((2, true), (_opened, old.IsDisposed));
    }

    [Fact]
    public async Task Without_a_line_the_outcome_says_why()
    {
        Client = new((_, _) => throw new IOException("no such port"), new(), _clock);
        var outcome = await Read();
        Assert.Equal((Dlt645Status.NotConnected, "no such port"), (outcome.Status, outcome.Detail));
    }

    [Fact]
    public async Task A_line_that_chatters_without_end_does_not_hold_the_client()
    {
        _line.OnWrite = _ => { };
        for (var i = 0; i < 400; i++)
        {
            _line.Arrive(TimeSpan.FromMilliseconds(10 * i), [.. Enumerable.Repeat((byte)0x68, 40)]);
        }

        var before = _clock.Now;
        Assert.False((await Read()).IsOk);
        Assert.InRange((_clock.Now - before).TotalSeconds, 0, 5);
    }

    [Fact]
    public async Task One_meter_says_its_address()
    {
        Answer(Hex("68 61 01 00 00 00 00 68 93 06 94 34 33 33 33 33 5F 16"));
        var (outcome, meters) = await Client.IdentifyAsync(Timeout);
        Assert.True(outcome.IsOk);
        Assert.Equal([Of(Meter)], meters);
        Assert.Equal(Hex("68 AA AA AA AA AA AA 68 13 00 DF 16"), _line.Written[0]);
    }

    [Fact]
    public async Task An_address_that_does_not_end_with_16_is_told_as_that_and_as_no_collision()
    {
        var wrongEnd = Hex("68 61 01 00 00 00 00 68 93 06 94 34 33 33 33 33 5F 16");
        wrongEnd[^1] = 0;
        Answer(wrongEnd);
        var (outcome, meters) = await Client.IdentifyAsync(Timeout);
        Assert.Equal(Dlt645Status.Malformed, outcome.Status);
        Assert.Contains("does not end with 16", outcome.Describe(), StringComparison.Ordinal);
        Assert.Empty(meters);
    }

    [Fact]
    public async Task Two_meters_that_answer_one_after_the_other_are_both_told()
    {
        _line.OnWrite = _ =>
        {
            _line.Arrive(TimeSpan.FromMilliseconds(30), Frame(Meter, 0x93, 0x61, 1, 0, 0, 0, 0));
            _line.Arrive(TimeSpan.FromMilliseconds(300), Frame("000000000162", 0x93, 0x62, 1, 0, 0, 0, 0));
        };
        var (outcome, meters) = await Client.IdentifyAsync(Timeout);
        Assert.Equal(Dlt645Status.Collision, outcome.Status);
        Assert.Equal([Of(Meter), Of("000000000162")], meters);
    }

    [Fact]
    public async Task Two_meters_that_answer_at_once_are_a_collision()
    {
        var (one, two) = (Frame(Meter, 0x93, 0x61, 1, 0, 0, 0, 0), Frame("000000000562", 0x93, 0x62, 5, 0, 0, 0, 0));
        Answer([.. one.Select((b, i) => (byte)(b & two[i]))]);
        var (outcome, meters) = await Client.IdentifyAsync(Timeout);
        Assert.Equal(Dlt645Status.Collision, outcome.Status);
        Assert.Empty(meters);
    }

    [Fact]
    public async Task Nobody_answers_a_broadcast_and_none_is_read() =>
        await Assert.ThrowsAnyAsync<ArgumentException>(async () => await Client.ReadAsync(MeterAddress.Broadcast, ForwardEnergy, _data, Timeout));

    [Theory]
    [InlineData(Dlt645Strictness.Lenient, true)]
    [InlineData(Dlt645Strictness.Usual, false)]
    [InlineData(Dlt645Strictness.Strict, false)]
    public async Task An_answer_that_does_not_end_with_16_is_counted_and_taken_by_a_lenient_client_only(Dlt645Strictness strictness, bool isTaken)
    {
        Client = Make(new() { WakeUp = 0, Strictness = strictness });
        var wrongEnd = Hex(Energy);
        wrongEnd[^1] = 0x17;
        Answer(wrongEnd, Hex(Energy));
        var outcome = await Read();
        Assert.Equal(isTaken ? Dlt645Status.Ok : Dlt645Status.Malformed, outcome.Status);
        Assert.Equal((1, isTaken ? 0 : 1), (Client.Counters.WrongEnds, Client.Counters.Refused));
        Assert.Equal(!isTaken, outcome.Describe().Contains("does not end with 16", StringComparison.Ordinal));

        // The next question is answered all the same.
        Assert.True((await Read()).IsOk);
    }

    [Fact]
    public async Task A_good_answer_behind_one_without_its_end_is_taken()
    {
        var wrongEnd = Hex(Energy);
        wrongEnd[^1] = 0x00;
        Answer([.. wrongEnd, .. Hex(Energy)]);
        Assert.True((await Read()).IsOk);
    }

    [Theory]
    [InlineData(Dlt645Strictness.Usual, 6, 20, true)]
    [InlineData(Dlt645Strictness.Strict, 6, 20, false)]
    [InlineData(Dlt645Strictness.Usual, 0, 251, true)]
    [InlineData(Dlt645Strictness.Strict, 0, 251, false)]
    [InlineData(Dlt645Strictness.Strict, 4, 196, true)]
    public async Task Long_wake_ups_and_oversize_frames_are_counted_and_refused_by_a_strict_client_only(Dlt645Strictness strictness, int wakeUp, int bytes, bool isTaken)
    {
        Client = Make(new() { WakeUp = 0, Strictness = strictness });
        Answer([.. Enumerable.Repeat((byte)0xFE, wakeUp), .. Frame(Meter, 0x91, [0, 0, 1, 0, .. Enumerable.Repeat((byte)0x11, bytes)])]);
        var outcome = await Read();
        Assert.Equal(isTaken ? Dlt645Status.Ok : Dlt645Status.Malformed, outcome.Status);
        Assert.Equal(isTaken ? bytes : 0, outcome.Length);
        Assert.Equal((wakeUp > 4 ? 1 : 0, bytes > 196 ? 1 : 0), (Client.Counters.LongWakeUps, Client.Counters.LongData));
    }

    [Fact]
    public async Task More_data_than_there_is_room_for_is_said_and_nothing_is_written_beyond()
    {
        Answer(Frame(Meter, 0x91, [0, 0, 1, 0, .. Enumerable.Repeat((byte)0x11, 60)]));
        var room = new byte[10];
        var outcome = await Client.ReadAsync(Of(Meter), ForwardEnergy, room, Timeout);
        Assert.Equal((Dlt645Status.Malformed, $"more than 10 bytes of data for {ForwardEnergy}"), (outcome.Status, outcome.Detail));
        Assert.All(room, b => Assert.Equal(0, b));
    }

    [Fact]
    public async Task A_length_that_announces_more_than_comes_ends_with_the_pause_and_the_next_question_is_answered()
    {
        var announced = Hex(Energy);
        announced[9] = 0xFF;
        Answer(announced, Hex(Energy));
        Assert.Equal(Dlt645Status.ShortReply, (await Read()).Status);
        Assert.True((await Read()).IsOk);
    }

    [Fact]
    public async Task Of_three_lost_answers_each_is_a_timeout_and_the_fourth_is_taken()
    {
        Answer([], [], [], Hex(Energy));
        for (var i = 0; i < 3; i++)
        {
            var before = _clock.Now;
            Assert.Equal(Dlt645Status.Timeout, (await Read()).Status);
            Assert.InRange((_clock.Now - before).TotalMilliseconds, 800, 1000);
        }

        Assert.True((await Read()).IsOk);
        Assert.Equal((4, 1), (Client.Counters.Requests, Client.Counters.Replies));
    }

    [Fact]
    public void Whatever_bytes_come_a_question_ends_in_time_and_the_next_one_is_answered() =>
        Prop.ForAll(Noise, noise =>
        {
            foreach (var strictness in Enum.GetValues<Dlt645Strictness>())
            {
                var clock = new ScriptedClock();
                var line = new ScriptedLine(clock);
                var client = new Dlt645Client((_, _) => ValueTask.FromResult<IByteLine>(line), new() { Strictness = strictness }, clock);
                line.OnWrite = _ =>
                {
                    // In lumps, as a line gives them.
                    for (var at = 0; at < noise.Length; at += 7)
                    {
                        line.Arrive(TimeSpan.FromMilliseconds(20 + at), noise[at..Math.Min(at + 7, noise.Length)]);
                    }
                };
                var before = clock.Now;
                Run(client.ReadAsync(Of(Meter), ForwardEnergy, new byte[256], Timeout).AsTask());
                Run(client.IdentifyAsync(Timeout).AsTask());
                Assert.InRange((clock.Now - before).TotalSeconds, 0, 10);

                clock.MoveTo(clock.Now + TimeSpan.FromMinutes(1));
                line.OnWrite = _ => line.Arrive(TimeSpan.FromMilliseconds(700), Hex(Energy));
                Assert.True(Run(client.ReadAsync(Of(Meter), ForwardEnergy, new byte[256], Timeout).AsTask()).IsOk);
                Run(client.DisposeAsync().AsTask());
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(300));

    private static void Run(Task task) => Assert.True(task.IsCompleted && task.IsCompletedSuccessfully, "in virtual time nothing is waited for");

    private static T Run<T>(Task<T> task)
    {
        Run((Task)task);
        return task.GetAwaiter().GetResult();
    }
}
