using EdgeGateway.Buses;
using EdgeGateway.Core;
using EdgeGateway.Core.Polling;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using EdgeGateway.Lines;
using EdgeGateway.Storage;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Tests.Lines;

/// <summary>GPIO lines as a bus: what is counted between polls, what is committed, and what comes of it at the next start. The lines are scripted.</summary>
public sealed class LineBusTests : IAsyncDisposable
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly ScriptedLines _lines = new();
    private readonly ManualTime _time = new(DateTimeOffset.UnixEpoch);
    private readonly Dictionary<string, string> _committed = [];
    private readonly Guid _boot = Guid.NewGuid();
    private readonly List<LineBus> _buses = [];

    [Fact]
    public async Task Pulses_are_counted_with_their_rate_and_nothing_else_stands_in_the_block()
    {
        var bus = Start(Counter);
        await ReadAsync(bus);
        _lines.Of("pulse").Pulse(10, TimeSpan.FromMilliseconds(100));

        var words = await ReadAsync(bus);

        Assert.Equal(10, Value(GpioInput.Counter, "pulses", words));
        Assert.Equal(10, Value(GpioInput.Counter, "pulses a second", words), 3);
        Assert.Equal(0, Value(GpioInput.Counter, "conditions", words));
        Assert.Equal(0, Value(GpioInput.Counter, "breaks", words));
    }

    [Fact]
    public async Task Bounce_is_counted_apart_and_is_a_condition_for_a_minute()
    {
        var bus = Start(Counter);
        await ReadAsync(bus);
        _lines.Of("pulse").Pulse(1, Second);
        _lines.Of("pulse").Pulse(3, TimeSpan.FromMilliseconds(1));

        var words = await ReadAsync(bus);
        Assert.Equal(1, Value(GpioInput.Counter, "pulses", words));
        Assert.Equal(3, Value(GpioInput.Counter, "edges too fast", words));
        Assert.Equal((double)LineConditions.Bounce, Value(GpioInput.Counter, "conditions", words));

        _lines.NowNs += 61_000_000_000;
        Assert.Equal(0, Value(GpioInput.Counter, "conditions", await ReadAsync(bus)));
    }

    [Fact]
    public async Task More_pulses_than_there_can_be_are_a_condition()
    {
        var bus = Start(Counter with { MinimumInterval = TimeSpan.Zero });
        await ReadAsync(bus);
        _lines.Of("pulse").Pulse(100, TimeSpan.FromMilliseconds(20));

        Assert.Equal((double)LineConditions.TooFast, Value(GpioInput.Counter, "conditions", await ReadAsync(bus)));
    }

    [Fact]
    public async Task An_overflow_is_counted_and_said()
    {
        _lines.Of("pulse").Buffer = 16;
        var bus = Start(Counter);
        await ReadAsync(bus);
        _lines.Of("pulse").Pulse(100, TimeSpan.FromMilliseconds(100));

        var words = await ReadAsync(bus);

        Assert.Equal(100, Value(GpioInput.Counter, "pulses", words));
        Assert.Equal(84, Value(GpioInput.Counter, "edges without time", words));
        Assert.Equal((double)LineConditions.Overflow, Value(GpioInput.Counter, "conditions", words));
    }

    [Fact]
    public async Task What_is_committed_is_never_behind_what_was_shown()
    {
        var bus = Start(Counter);
        await ReadAsync(bus);
        _lines.Of("pulse").Pulse(5, Second);
        var shown = Value(GpioInput.Counter, "pulses", await ReadAsync(bus));
        _lines.Of("pulse").Pulse(2, Second);
        Commit(bus);
        await bus.DisposeAsync();

        Assert.InRange(Value(GpioInput.Counter, "pulses", await ReadAsync(Start(Counter))), shown, 7);
    }

    [Fact]
    public async Task Nothing_is_committed_anew_when_nothing_came()
    {
        var bus = Start(Counter);
        await ReadAsync(bus);
        _lines.Of("pulse").Pulse(5, Second);
        Assert.Equal(1, Commit(bus));
        Assert.Equal(0, Commit(bus));
        await ReadAsync(bus);
        Assert.Equal(0, Commit(bus));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task After_a_stop_the_total_goes_on_exactly_while_somebody_keeps_the_line(bool isKept)
    {
        _lines.OutlivesProcess = isKept;
        var bus = Start(Counter);
        await ReadAsync(bus);
        _lines.Of("pulse").Pulse(10, Second);
        Commit(bus);

        // Read and not committed, then nobody reads.
        _lines.Of("pulse").Pulse(3, Second);
        await ReadAsync(bus);
        await bus.DisposeAsync();
        _lines.Of("pulse").Pulse(4, Second);
        bus = Start(Counter);
        await ReadAsync(bus);
        _lines.Of("pulse").Pulse(1, Second);

        var words = await ReadAsync(bus);
        Assert.Equal(isKept ? 18 : 11, Value(GpioInput.Counter, "pulses", words));
        Assert.Equal(isKept ? 3 : 0, Value(GpioInput.Counter, "edges recovered", words));
        Assert.Equal(isKept ? 0 : 1, Value(GpioInput.Counter, "breaks", words));
        Assert.Equal(isKept ? 0 : (double)LineConditions.Break, Value(GpioInput.Counter, "conditions", words));
    }

    [Fact]
    public async Task A_line_that_was_kept_without_a_commit_is_counted_from_its_first_pulse()
    {
        _lines.OutlivesProcess = true;
        var bus = Start(Counter);
        await ReadAsync(bus);
        _lines.Of("pulse").Pulse(6, Second);
        await ReadAsync(bus);
        await bus.DisposeAsync();

        bus = Start(Counter);
        await ReadAsync(bus);
        _lines.Of("pulse").Pulse(1, Second);
        Assert.Equal(7, Value(GpioInput.Counter, "pulses", await ReadAsync(bus)));
    }

    [Fact]
    public async Task A_line_that_was_kept_is_counted_to_the_end_although_the_commit_is_of_a_request_before_it()
    {
        _lines.OutlivesProcess = true;
        var bus = Start(Counter);
        await ReadAsync(bus);
        _lines.Of("pulse").Pulse(600, Second);
        Commit(bus);
        _lines.Of("pulse").Remove();
        await ReadUntilMissingAsync(bus);
        await bus.DisposeAsync();

        // Requested anew, and killed before it committed.
        bus = Start(Counter);
        await ReadAsync(bus);
        _lines.Of("pulse").Pulse(5, Second);
        await ReadAsync(bus);
        await bus.DisposeAsync();
        bus = Start(Counter);
        await ReadAsync(bus);
        _lines.Of("pulse").Pulse(1, Second);

        var words = await ReadAsync(bus);
        Assert.Equal(606, Value(GpioInput.Counter, "pulses", words));
        Assert.Equal(1, Value(GpioInput.Counter, "breaks", words));
    }

    [Fact]
    public async Task Without_the_totals_of_the_store_nothing_is_counted_and_nothing_is_lost()
    {
        _lines.OutlivesProcess = true;
        var bus = Start(Counter, hasStore: false);
        var words = await ReadAsync(bus);
        Assert.Equal(GpioInput.Counter.Fields[0].Absent, Raw(GpioInput.Counter, "pulses", words));
        Assert.Equal(0, Value(GpioInput.Counter, "state", words));
        _lines.Of("pulse").Pulse(9, Second);
        await ReadAsync(bus);
        await bus.DisposeAsync();

        bus = Start(Counter);
        Assert.Equal(9, Value(GpioInput.Counter, "pulses", await ReadAsync(bus)));
    }

    [Fact]
    public async Task A_line_that_cannot_be_had_is_missing_with_its_reason_and_is_asked_for_again()
    {
        _lines.Refusal = "line pulse is in use by \"other\"";
        var bus = Start(Counter);
        Assert.Equal(QualityReason.NotConnected, (await TryReadAsync(bus)).Reply.Reason);
        Assert.Equal("Bus gpio, line pulse: line pulse is in use by \"other\"", Assert.Single(bus.Problems));

        _lines.Refusal = null;
        await Until(async () =>
        {
            _time.Advance(Second);
            return (await TryReadAsync(bus)).Reply.IsGood;
        });
        Assert.Empty(bus.Problems);
    }

    [Fact]
    public async Task A_chip_that_goes_is_said_and_counts_on_when_it_is_back()
    {
        var bus = Start(Counter);
        await ReadAsync(bus);
        _lines.Of("pulse").Pulse(4, Second);
        await ReadAsync(bus);
        _lines.Of("pulse").Remove();
        await ReadUntilMissingAsync(bus);
        Assert.Equal("Bus gpio, line pulse: the chip was removed", Assert.Single(bus.Problems));

        await Until(async () =>
        {
            _time.Advance(Second);
            return (await TryReadAsync(bus)).Reply.IsGood;
        });
        _lines.Of("pulse").Pulse(2, Second);
        var words = await ReadAsync(bus);
        Assert.Equal(6, Value(GpioInput.Counter, "pulses", words));
        Assert.Equal(1, Value(GpioInput.Counter, "breaks", words));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_contact_shows_how_long_it_was_closed_and_invents_no_time(bool isKept)
    {
        _lines.OutlivesProcess = isKept;
        var contact = new GpioInput { Unit = 1, Number = 1, Use = LineUse.Contact, Line = new("pulse", null, null) };
        var bus = Start(contact);
        await ReadAsync(bus);
        _lines.Of("pulse").Pulse(1, Second);
        _lines.Of("pulse").Level = 1;
        _lines.NowNs += 5_000_000_000;
        var words = await ReadAsync(bus);
        Assert.Equal(5000, Value(GpioInput.Contact, "milliseconds on", words));
        Assert.Equal(1, Value(GpioInput.Contact, "starts", words));
        Assert.Equal(1, Value(GpioInput.Contact, "state", words));
        Commit(bus);
        await bus.DisposeAsync();
        _lines.NowNs += 10_000_000_000;

        bus = Start(contact);
        words = await ReadAsync(bus);
        Assert.Equal(isKept ? 15_000 : 5000, Value(GpioInput.Contact, "milliseconds on", words));
        Assert.Equal(isKept ? 0 : 10_000, Value(GpioInput.Contact, "milliseconds unknown", words));
    }

    [Fact]
    public async Task Totals_survive_a_boot_and_times_of_another_boot_mean_nothing()
    {
        var bus = Start(Counter);
        await ReadAsync(bus);
        _lines.Of("pulse").Pulse(8, Second);
        Commit(bus);
        await bus.DisposeAsync();
        _lines.NowNs = 5_000_000_000;

        bus = Start(Counter, boot: Guid.NewGuid());
        await ReadAsync(bus);
        _lines.Of("pulse").Pulse(1, TimeSpan.FromMilliseconds(1));
        Assert.Equal(9, Value(GpioInput.Counter, "pulses", await ReadAsync(bus)));
    }

    [Fact]
    public async Task An_output_begins_safe_takes_what_is_written_and_ends_safe()
    {
        var output = new GpioInput { Unit = 1, Number = 1, Use = LineUse.Output, Line = new("pulse", null, null), IsSafeActive = true };
        var bus = Start(output);
        var line = _lines.Of("pulse");
        Assert.Equal(1, (await ReadAsync(bus))[0]);

        Assert.True((await WriteAsync(bus, 0)).IsGood);
        Assert.Equal(0UL, line.Level);
        Assert.Equal(0, (await ReadAsync(bus))[0]);
        Assert.Equal(new BusReply(QualityReason.DeviceException, 3), await WriteAsync(bus, 2));
        Assert.Equal(new BusReply(QualityReason.DeviceException, 2), await bus.WriteAsync(1, RegisterTable.HoldingRegister, 5, new ushort[] { 1 }, true, Second, default));

        await bus.DisposeAsync();
        Assert.Equal(1UL, line.Level);
    }

    [Theory]
    [InlineData(LineUse.Counter)]
    [InlineData(LineUse.Contact)]
    [InlineData(LineUse.Quadrature)]
    public async Task Without_a_store_nothing_is_counted_and_only_a_level_is_shown(LineUse use)
    {
        var input = new GpioInput { Unit = 1, Number = 1, Use = use, Line = new("pulse", null, null), LineB = use == LineUse.Quadrature ? new("pulse", null, null) : null };
        var bus = Start(input, hasStore: false);
        await ReadAsync(bus);
        _lines.Of("pulse").Pulse(5, Second);
        _lines.Of("pulse").Level = 1;

        var words = await ReadAsync(bus);

        var shown = input.Layout.Fields.Where(f => Raw(input.Layout, f.Name, words) != f.Absent);
        Assert.Equal(use == LineUse.Quadrature ? [] : ["state"], shown.Select(f => f.Name));
        Assert.Equal(0, Commit(bus));
    }

    [Fact]
    public async Task A_position_is_committed_anew_when_its_lines_were_requested_anew()
    {
        var bus = Start(new() { Unit = 1, Number = 1, Use = LineUse.Quadrature, Line = new("pulse", null, null), LineB = new("pulse", null, null) });
        await ReadAsync(bus);
        Assert.Equal(1, Commit(bus));
        Assert.Equal(0, Commit(bus));
        _lines.Of("pulse").Remove();
        await ReadUntilMissingAsync(bus);
        await Until(async () =>
        {
            _time.Advance(Second);
            return (await TryReadAsync(bus)).Reply.IsGood;
        });
        Assert.Equal(1, Commit(bus));
    }

    [Fact]
    public async Task An_input_cannot_be_written()
    {
        var bus = Start(Counter);
        Assert.Equal(new BusReply(QualityReason.DeviceException, 2), await WriteAsync(bus, 1));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var bus in _buses)
        {
            await bus.DisposeAsync();
        }
    }

    private static GpioInput Counter => new()
    {
        Unit = 1,
        Number = 1,
        Use = LineUse.Counter,
        Line = new("pulse", null, null),
        MinimumPulse = TimeSpan.FromMilliseconds(30),
        MinimumInterval = TimeSpan.FromMilliseconds(30),
        Fastest = 1 / 0.06,
    };

    private LineBus Start(GpioInput input, bool hasStore = true, Guid? boot = null)
    {
        var model = new GpioBus { Id = "gpio", Timeout = Second, Inputs = [input] };
        var bus = new LineBus(model, new BusContext { Time = _time, Notes = hasStore ? new Dictionary<string, string>(_committed) : null, Boot = boot ?? _boot }, _lines);
        _buses.Add(bus);
        return bus;
    }

    private int Commit(LineBus bus)
    {
        var notes = new List<StoreNote>();
        bus.AddNews(notes);
        foreach (var note in notes)
        {
            _committed[note.Key] = note.Text!;
        }

        return notes.Count;
    }

    private static async Task<(BusReply Reply, ushort[] Words)> TryReadAsync(LineBus bus)
    {
        var words = new ushort[LocalInput.BlockLength];
        var table = bus.Model.Inputs[0].Layout.Table;
        return (await bus.ReadAsync(1, new ReadRequest(table, 0, LocalInput.BlockLength), words, TimeSpan.FromSeconds(30), default), words);
    }

    private static async Task<ushort[]> ReadAsync(LineBus bus)
    {
        var (reply, words) = await TryReadAsync(bus);
        Assert.True(reply.IsGood, bus.LastProblem);
        return words;
    }

    private static Task ReadUntilMissingAsync(LineBus bus) => Until(async () => !(await TryReadAsync(bus)).Reply.IsGood);

    private static async Task Until(Func<Task<bool>> isReached)
    {
        for (var tries = 0; !await isReached(); tries++)
        {
            Assert.True(tries < 2000, "it did not come to that");
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System);
        }
    }

    private static ValueTask<BusReply> WriteAsync(LineBus bus, ushort value) =>
        bus.WriteAsync(1, RegisterTable.HoldingRegister, 0, new[] { value }, true, Second, default);

    private static ulong Raw(ImageLayout layout, string field, ushort[] words)
    {
        var place = layout.Fields.First(f => f.Name == field);
        RegisterCodec.Decode(place.Encoding, words.AsSpan(place.Offset), out _, out var raw);
        return raw;
    }

    private static double Value(ImageLayout layout, string field, ushort[] words)
    {
        var place = layout.Fields.First(f => f.Name == field);
        Assert.Equal(DecodeStatus.Ok, RegisterCodec.Decode(place.Encoding with { Invalid = [place.Absent] }, words.AsSpan(place.Offset), out var value, out _));
        return value;
    }
}
