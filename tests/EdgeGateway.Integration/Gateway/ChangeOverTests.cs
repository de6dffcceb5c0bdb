using System.Text.Json;
using EdgeGateway.Commands;
using EdgeGateway.Core;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Outbox;
using EdgeGateway.Hosting;
using EdgeGateway.Integration.Mqtt;
using EdgeGateway.Storage;
using EdgeGateway.Tests.Shared;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeGateway.Integration.Gateway;

/// <summary>What goes wrong while a configuration is changed over: what is missing is said, a stop stays a stop, and what was asked for is done.</summary>
public sealed class ChangeOverTests : IAsyncLifetime
{
    // Log: the old gateway begins to end; the next one is about to be opened.
    private const int Stopping = 102;
    private const int Reloading = 109;

    private readonly ManualTime _time = new(new DateTimeOffset(2026, 3, 1, 8, 0, 0, TimeSpan.Zero));
    private GatewaySite _site = null!;

    public async Task InitializeAsync() => _site = await GatewaySite.ServeAsync(LoadSite.Configuration(2), Mosquitto.FreePort(), profiles: LoadSite.Profile);

    public async Task DisposeAsync() => await _site.DisposeAsync();

    [Theory]
    [InlineData(Stopping)]
    [InlineData(Reloading)]
    public async Task A_stop_in_the_middle_of_a_reload_is_told_as_a_stop(int moment)
    {
        using var stop = new CancellationTokenSource();
        await RunAsync(stop, moment, stop.Cancel);

        using var store = SqliteStore.Open(_site.Load().Model.Storage, ["centre"], TimeProvider.System);
        Assert.Equal("stop", Records(store, FeedStream.Health)[^1].GetProperty("kind").GetString());
        var found = store.Recover();
        Assert.Equal(found.NextBatchNumber - 1, found.Counters[Absences.StopCounter]);
    }

    [Fact]
    public async Task A_gateway_that_fails_while_it_gives_way_does_not_take_the_wish_with_it()
    {
        using var stop = new CancellationTokenSource();
        var reloader = await RunAsync(stop, Stopping, () => throw new InvalidOperationException("a fault of a test"));
        Assert.Equal(ReloadDocument.InForce, reloader.Last?.State);
    }

    [Fact]
    public async Task What_the_last_commit_before_a_change_could_not_store_is_said_to_be_missing()
    {
        using var before = new Stage(_site.Load(), _time);
        var last = await before.ReadAsync(1);
        _time.Advance(TimeSpan.FromSeconds(7));
        before.Store.Dispose();

        // Read when the commit had failed: it waits, and what is missing ends with it.
        var waits = await before.WriteAsync(2);
        _time.Advance(TimeSpan.FromSeconds(5));
        using var after = new Stage(_site.Load(), _time, before, new Shortfall("the disk is full", waits, 3, []));
        await after.ReadAsync(3);

        var told = Assert.Single(Records(after.Store, FeedStream.Range), r => r.GetProperty("state").GetString() == "never-acquired");
        Assert.Equal(Absences.StoreNotWritten, told.GetProperty("reason").GetString());
        Assert.Equal(($"{last}", $"{waits}"), (told.GetProperty("from").GetString(), told.GetProperty("to").GetString()));
        Assert.Equal(["storage-degraded", "storage-recovered"], Records(after.Store, FeedStream.Health).Select(r => r.GetProperty("kind").GetString()).Where(k => k!.StartsWith("storage", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_store_that_is_salvaged_at_a_change_is_told_as_a_time_in_which_nothing_is_known()
    {
        using var before = new Stage(_site.Load(), _time);
        await before.ReadAsync(1);
        before.Store.MarkDamaged("by a test");
        before.Store.Dispose();
        _time.Advance(TimeSpan.FromSeconds(5));
        using var after = new Stage(_site.Load(), _time, before);
        await after.ReadAsync(2);

        var told = Assert.Single(Records(after.Store, FeedStream.Range), r => r.GetProperty("state").GetString() == "never-acquired");
        Assert.Equal(Absences.StoreDamaged, told.GetProperty("reason").GetString());
        Assert.False(told.TryGetProperty("from", out _));
    }

    [Theory]
    [InlineData(true, 1)]
    [InlineData(false, 0)]
    public async Task A_bus_that_could_not_go_on_is_named_and_when_none_could_the_gateway_read_nothing(bool hasNone, int ranges)
    {
        using var before = new Stage(_site.Load(), _time);
        var last = await before.ReadAsync(1);
        before.Store.Dispose();
        _time.Advance(TimeSpan.FromSeconds(5));
        using var after = new Stage(_site.Load(), _time, before, hasNone: hasNone, interrupted: ["gpio"]);
        await after.ReadAsync(2);

        Assert.Equal(ranges, Records(after.Store, FeedStream.Range).Count(r => r.GetProperty("state").GetString() == "never-acquired"));
        Assert.Equal(!hasNone, Records(after.Store, FeedStream.Health).Any(r => r.GetProperty("text").GetString()!.Contains($"gpio changed with the configuration, and could not go on like the other buses: what is on it was not read from {last}", StringComparison.Ordinal)));
    }

    [Fact]
    public void Only_what_was_read_and_has_no_owner_any_more_was_interrupted()
    {
        var site = _site.Load().Model;
        Assert.Equal(["bus"], new CarriedPolling([], null!, null!, 0, site).Interrupted(site));
        Assert.Empty(new CarriedPolling([], null!, null!, 0, site with { Devices = [] }).Interrupted(site));
    }

    /// <summary>Runs the service, has another configuration taken over, and does something at a line of the log.</summary>
    private async Task<Reloader> RunAsync(CancellationTokenSource stop, int moment, Action then)
    {
        var first = _site.Load();
        _site.Configure(LoadSite.Configuration(1));
        var next = _site.Load();
        using var log = new Trigger(moment, then);
        var reloader = new Reloader(() => (next, []), TimeProvider.System);
        var service = new GatewayService(TimeProvider.System, log, null, reloader, () => next.Model.ConfigurationHash);
        var running = service.RunAsync(first, null, stop.Token);
        await Until.HoldsAsync(() => log.Count(Trigger.Started) == 1, "the first one runs", () => $"{running.Exception}");
        log.IsArmed = true;
        service.Ask();
        await Until.HoldsAsync(() => running.IsCompleted || (!stop.IsCancellationRequested && reloader.Last?.State == ReloadDocument.InForce), "the change is over", () => $"{reloader.Last}");
        await stop.CancelAsync();
        await running.WaitAsync(Until.Limit);
        return reloader;
    }

    private static List<JsonElement> Records(SqliteStore store, FeedStream stream)
    {
        var rows = new List<OutboxRow>();
        for (var from = 1L; store.Read(from, store.LastRowId, 500, 1 << 24, rows) > 0; from = rows[^1].Id + 1)
        {
            if (rows[^1].Id >= store.LastRowId)
            {
                break;
            }
        }

        return [.. rows.Where(r => r.Stream == stream).SelectMany(r => JsonDocument.Parse(r.Body).RootElement.EnumerateArray())];
    }

    /// <summary>The commit loop of one configuration over a real store; the queue and the clock go on from the one before.</summary>
    private sealed class Stage : IDisposable
    {
        private readonly LoadedSite _loaded;
        private readonly ReadingQueue _queue;
        private readonly GatewayClock _clock;
        private readonly CommitLoop _loop;
        private readonly bool _isFirst;

        public Stage(LoadedSite site, ManualTime time, Stage? before = null, Shortfall? shortfall = null, bool hasNone = false, IReadOnlyList<string>? interrupted = null)
        {
            (_loaded, _isFirst) = (site, before is null);
            Store = SqliteStore.Open(site.Model.Storage, ["centre"], time);
            _queue = before?._queue ?? new ReadingQueue(time);
            _clock = before?._clock ?? new GatewayClock(time);
            var change = before is null ? null : new ChangeOver(new PointNumbers(site.Model, 0, []), hasNone, interrupted ?? [], shortfall);
            _loop = new CommitLoop(site, Store, _queue, _clock, new RetainedBirths(), NullLogger.Instance, change: change);
            _loop.Begin();
        }

        public SqliteStore Store { get; }

        /// <summary>A reading that waits in the queue.</summary>
        /// <returns>Its time.</returns>
        public async Task<Instant> WriteAsync(double value)
        {
            var point = _loaded.Model.Points.First(p => p.PublishSamples);
            await _queue.WriteAsync(new Reading(point.Index, _clock.Monotonic, value, (ulong)value, Quality.Good), CancellationToken.None);
            return _clock.At(_clock.Monotonic);
        }

        /// <summary>A reading that is committed, with a change of configuration to come.</summary>
        public async Task<Instant> ReadAsync(double value)
        {
            var at = await WriteAsync(value);
            _loop.End(isChange: true);
            await _loop.RunAsync(new CancellationToken(canceled: true));
            return at;
        }

        public void Dispose()
        {
            Store.Dispose();
            if (_isFirst)
            {
                _queue.Dispose();
            }
        }
    }

    /// <summary>A log that does something when a line comes, once.</summary>
    private sealed class Trigger(int moment, Action then) : ILoggerFactory, ILogger
    {
        public const int Started = 101;

        private readonly System.Collections.Concurrent.ConcurrentDictionary<int, int> _lines = [];
        private int _isDone;

        public bool IsArmed { get; set; }

        public int Count(int id) => _lines.GetValueOrDefault(id);

        public ILogger CreateLogger(string categoryName) => this;

        public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            _lines.AddOrUpdate(eventId.Id, 1, static (_, n) => n + 1);
            if (IsArmed && eventId.Id == moment && Interlocked.Exchange(ref _isDone, 1) == 0)
            {
                then();
            }
        }

        public void Dispose()
        {
            // Nothing is kept.
        }
    }
}
