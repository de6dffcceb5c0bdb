using System.Text;
using System.Text.Json;
using EdgeGateway.Buses;
using EdgeGateway.Control;
using EdgeGateway.Core;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Polling;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using EdgeGateway.Core.Writing;
using EdgeGateway.Hosting;
using EdgeGateway.Storage;
using EdgeGateway.Tests.Shared;
using EdgeGateway.Writing;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeGateway.Tests.Writing;

/// <summary>A bus with registers that keep what is written, and that does as the test says.</summary>
internal sealed class WritableBus(List<string> events) : IBus
{
    private readonly Dictionary<(byte Unit, RegisterTable Table, int Address), ushort> _words = [];

    /// <summary>What happens to a write; by default it is done.</summary>
    public Func<BusReply> OnWrite { get; set; } = () => BusReply.Good;

    /// <summary>How long the bus is at work on a write before anything comes of it.</summary>
    public Func<Task> Holding { get; set; } = () => Task.CompletedTask;

    /// <summary>Whether a write takes effect.</summary>
    public Func<bool> TakesEffect { get; set; } = () => true;

    /// <summary>What happens to a read of a device's writable places.</summary>
    public BusReply OnRead { get; set; }

    public int MaxInFlight => 1;

    public string LastProblem => "";

    public List<ushort[]> Writes { get; } = [];

    /// <summary>Another register that follows the one written, from its address.</summary>
    public Dictionary<int, int> Follows { get; } = [];

    public ushort this[RegisterTable table, int address]
    {
        get => _words.GetValueOrDefault(((byte)1, table, address));
        set => _words[(1, table, address)] = value;
    }

    public ValueTask<BusReply> ReadAsync(byte unit, ReadRequest request, Memory<ushort> registers, TimeSpan timeout, CancellationToken cancel)
    {
        for (var i = 0; i < request.Quantity; i++)
        {
            registers.Span[i] = _words.GetValueOrDefault((unit, request.Table, request.Address + i));
        }

        lock (events)
        {
            events.Add($"read {request.Table} {request.Address}");
        }

        return ValueTask.FromResult(OnRead);
    }

    public async ValueTask<BusReply> WriteAsync(
        byte unit, RegisterTable table, ushort address, ReadOnlyMemory<ushort> words, bool single, TimeSpan timeout, CancellationToken cancel)
    {
        lock (events)
        {
            events.Add($"write {(single ? "single" : "multiple")} {table} {address}: {string.Join(' ', words.ToArray())}");
        }

        Writes.Add(words.ToArray());
        await Holding();
        if (TakesEffect())
        {
            for (var i = 0; i < words.Length; i++)
            {
                _words[(unit, table, address + i)] = words.Span[i];
                if (Follows.TryGetValue(address + i, out var follower))
                {
                    _words[(unit, table, follower)] = words.Span[i];
                }
            }
        }

        return OnWrite();
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}

/// <summary>A desk over a scripted bus, a store in memory, and a clock that the test moves. It can die and start again on the same store.</summary>
internal sealed class WriteRig : IAsyncDisposable
{
    private static readonly Guid Boot = new("0f8fad5b-d9cb-469f-a165-70867728950e");

    private readonly FeedEncoder _encoder;
    private readonly SortedDictionary<string, string> _notes = new(StringComparer.Ordinal);
    private readonly ReadingQueue _queue;
    private CancellationTokenSource _stop = new();
    private BusPoller _poller = null!;
    private Task _running = Task.CompletedTask;
    private Task _last = Task.CompletedTask;

    public WriteRig(string? gateway = null, bool start = true, string? profile = null)
    {
        // Polled once an hour at most, so that the events are those of the writes.
        Site = WriteTexts.Site(gateway, (profile ?? WriteTexts.Profile).Replace("identify:", "poll: { normal: 1h }\nidentify:", StringComparison.Ordinal));
        Bus = new WritableBus(Events);
        _queue = new ReadingQueue(Time);
        _encoder = new FeedEncoder(Site, FeedHeads.Start(1), "1");
        if (start)
        {
            Start();
        }
    }

    public ManualTime Time { get; } = new();

    public SiteModel Site { get; }

    public WritableBus Bus { get; }

    public WriteDesk Desk { get; private set; } = null!;

    public WriteJournal Journal { get; private set; } = null!;

    /// <summary>What happened, in order: records and what was on the wire.</summary>
    public List<string> Events { get; } = [];

    /// <summary>Records of the feed.</summary>
    public List<JsonElement> Records { get; } = [];

    /// <summary>Completes, or fails, every record; by default at once.</summary>
    public Func<Task> Recorded { get; set; } = () => Task.CompletedTask;

    public string? Failing { get; set; }

    /// <summary>Notes that the store finds damaged at the next start.</summary>
    public StoreNote[] Damaged { get; set; } = [];

    /// <summary>What the desk takes over at the next start.</summary>
    public Func<ClockReading, Task>? TakeOver { get; set; }

    /// <summary>Puts a note into the store.</summary>
    public void Keep(string key, string text) => _notes[key] = text;

    public Guid CurrentBoot { get; set; } = Boot;

    public bool WallIsTrusted { get; set; } = true;

    public void Start()
    {
        _stop = new CancellationTokenSource();
        _last = Task.CompletedTask;
        Journal = new WriteJournal(_notes.Select(n => new StoreNote(n.Key, n.Value)), RecordAsync, Damaged);
        var clock = new GatewayClock(Time);
        _poller = new BusPoller(Site.Buses[0], Site, Bus, _queue, clock, NullLogger.Instance);
        Desk = new WriteDesk(Site, [_poller], Journal, () => Failing, new BootClock(Time, CurrentBoot, () => WallIsTrusted), Time, NullLogger.Instance);
        _running = Task.WhenAll(Task.Run(() => Supervisor.KeepAsync("bus", _poller.RunAsync, Time, NullLogger.Instance, _stop.Token)), Task.Run(() => Desk.RunAsync(_stop.Token, TakeOver)));
    }

    /// <summary>Dies without a word, as with SIGKILL: what is on the disk stays.</summary>
    public async Task DieAsync()
    {
        await _stop.CancelAsync();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _poller.Dispose();
        Desk.Dispose();
        _stop.Dispose();
    }

    public async Task<WriteDocument> WriteAsync(string point, string value, TimeSpan? hold = null)
    {
        var (write, refusal) = await TryWriteAsync(point, value, hold);
        Assert.True(write is not null, refusal?.Text);
        return write;
    }

    public async Task<(WriteDocument? Write, WriteRefusal? Refusal)> TryWriteAsync(string point, string value, TimeSpan? hold = null, string device = "d1")
    {
        var writing = Desk.WriteAsync(WriteTexts.Ask(point, value, hold, device));
        await Time.AdvanceUntilAsync(writing, TimeSpan.FromMilliseconds(100));
        return await writing;
    }

    /// <summary>Moves the clock on in at most some sixty steps, letting everybody run, until something is so.</summary>
    public async Task UntilAsync(Func<bool> condition, TimeSpan limit)
    {
        var step = TimeSpan.FromSeconds(Math.Max(1, Math.Floor(limit.TotalSeconds / 60)));
        var patience = 5_000;
        for (var passed = TimeSpan.Zero; !condition(); passed += step)
        {
            // On a busy machine the others may not have run yet: the clock stands still for them.
            while (passed > limit && !condition())
            {
                Assert.True(patience-- > 0, $"waited in vain:\n{string.Join('\n', Snapshot())}");
                await Task.Delay(TimeSpan.FromMilliseconds(2), TimeProvider.System);
            }

            for (var i = 0; i < 20 && !condition(); i++)
            {
                await Task.Yield();
            }

            if (!condition())
            {
                await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System);
                Time.Advance(step);
            }
        }
    }

    /// <summary>Lets everybody run for a while of the clock.</summary>
    public async Task PassAsync(TimeSpan span)
    {
        var end = Time.GetElapsedTime(0) + span;
        await UntilAsync(() => Time.GetElapsedTime(0) >= end, span + TimeSpan.FromSeconds(1));
    }

    public string[] Snapshot() { lock (Events) { return [.. Events]; } }

    /// <summary>What was written to the wire, in order.</summary>
    public string[] OnTheWire() => [.. Snapshot().Where(e => e.StartsWith("write ", StringComparison.Ordinal))];

    public async ValueTask DisposeAsync()
    {
        await DieAsync();
        _queue.Dispose();
    }

    // One after the other, as the commit loop does.
    private Task RecordAsync(Action<FeedEncoder, Instant> record, StoreNote[] notes)
    {
        lock (_notes)
        {
            return _last = CommitAsync(_last, Recorded(), record, notes);
        }
    }

    private async Task CommitAsync(Task before, Task recorded, Action<FeedEncoder, Instant> record, StoreNote[] notes)
    {
        await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await recorded;
        lock (Events)
        {
            record(_encoder, Instant.From(Time.GetUtcNow()));
            foreach (var row in _encoder.Flush(default))
            {
                foreach (var element in JsonDocument.Parse(Encoding.UTF8.GetString(row.Body.Span)).RootElement.EnumerateArray())
                {
                    Records.Add(element);
                    Events.Add($"record {element.GetProperty("kind").GetString()}");
                }
            }

            foreach (var note in notes)
            {
                if (note.Text is null)
                {
                    _notes.Remove(note.Key);
                }
                else
                {
                    _notes[note.Key] = note.Text;
                }
            }
        }
    }
}
