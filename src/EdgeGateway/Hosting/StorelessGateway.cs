using EdgeGateway.Buses;
using EdgeGateway.Control;
using EdgeGateway.Core.Outbox;
using EdgeGateway.Core.Site;
using EdgeGateway.Lines;
using EdgeGateway.Storage;
using EdgeGateway.Telemetry;
using EdgeGateway.Uplinks;
using Microsoft.Extensions.Logging;

namespace EdgeGateway.Hosting;

/// <summary>What is read before the store can be opened: it goes into the store with the first commits.</summary>
internal sealed class StoreWait(SiteModel site, GatewayClock clock)
{
    /// <summary>The readings, up to the capacity of the queue.</summary>
    public ReadingQueue Queue { get; } = new(clock.Time);

    /// <summary>The clock by which they are stamped.</summary>
    public GatewayClock Clock { get; } = clock;

    /// <summary>The newest of them, for the uplinks.</summary>
    public UnstoredValues Values { get; } = new(site);

    /// <summary>Reading of <see cref="GatewayClock.Monotonic"/> at the first poll.</summary>
    public long Since { get; } = clock.Monotonic;

    /// <summary>Readings that found no place in the queue.</summary>
    public long NotStored { get; set; }

    /// <summary>The store is tried again so much later at first, and as long as its files cannot be written.</summary>
    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(5);

    /// <summary>And at the latest after this: each attempt opens every bus and uplink anew.</summary>
    private static readonly TimeSpan LongestRetry = TimeSpan.FromMinutes(5);

    private string? _told;

    /// <summary>Why the store could not be opened.</summary>
    public string Problem { get; private set; } = "";

    /// <summary>How long to wait before it is tried again; doubles with each attempt that fails although the files can be written.</summary>
    public TimeSpan Retry { get; private set; }

    /// <summary>Notes that the store could not be opened.</summary>
    /// <returns>True when that is another problem than the one that was told last.</returns>
    public bool Fails(string problem)
    {
        Retry = Retry == TimeSpan.Zero ? FirstRetry : Retry * 2 < LongestRetry ? Retry * 2 : LongestRetry;
        Problem = problem;
        var isNews = problem != _told;
        _told = problem;
        return isNews;
    }

    /// <summary>Notes that its files cannot be written: that alone is looked at, often, until they can.</summary>
    public void CannotWrite(string problem) => (Problem, Retry) = (problem, FirstRetry);
}

/// <summary>
/// The gateway while its store cannot be opened because the file system does not take a byte (requirement P-5): it polls, keeps the first
/// readings in memory, and hands the newest to the uplinks, unnumbered. Nothing is numbered, processed or accepted, because nobody knows the last number,
/// and no command is obeyed, because none could be recorded. Ends when the store may be tried again.
/// </summary>
internal sealed class StorelessGateway : IAsyncDisposable
{
    private static readonly TimeSpan TurnInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(4.5);

    private readonly SiteModel _site;
    private readonly StoreWait _wait;
    private readonly ILogger _log;
    private readonly IBus[] _buses;
    private readonly BusPoller[] _pollers;
    private readonly IUplink[] _uplinks;
    private readonly Heartbeat[] _uplinkBeats;
    private readonly LoopWatch _watch;
    private readonly Heartbeat _beat;
    private readonly DateTimeOffset _started;
    private readonly Reloader _reloader;

    public StorelessGateway(SiteModel site, StoreWait wait, ServiceManager? manager, Reloader reloader, ILogger log, LineShelf? shelf)
    {
        _site = site;
        _reloader = reloader;
        _wait = wait;
        _log = log;
        var clock = wait.Clock;
        _started = clock.Time.GetUtcNow();
        _watch = new LoopWatch(manager, clock.Time, log);
        _beat = _watch.Add("the wait for the store");
        _buses = [.. site.Buses.Select(bus => BusKinds.Create(bus, new BusContext { Time = clock.Time, Clock = clock, Log = log, Shelf = shelf }))];
        _pollers = [.. site.Buses.Select((bus, i) => new BusPoller(bus, site, _buses[i], wait.Queue, clock, log)
        {
            Beat = _watch.Add($"bus {bus.Id}", BusPoller.LongestTurn(site.Devices.Where(d => d.BusId == bus.Id)), () => wait.Queue.Count >= ReadingQueue.Capacity),
        })];
        _uplinkBeats = [.. site.Uplinks.Select(uplink => _watch.Add($"uplink {uplink.Id}"))];
        _uplinks = [.. site.Uplinks.Select((uplink, i) => UplinkTable.Create(uplink, new UplinkContext
        {
            SiteId = site.SiteId,
            GatewayId = site.GatewayId,
            PointNames = [.. site.Points.Select(p => (site.Devices[p.DeviceIndex].Id, p.Id))],
            Outbox = new NoOutbox(),
            Births = () => [],
            Volatile = wait.Values.Source,
            Time = clock.Time,
            Logger = log,
            Beat = _uplinkBeats[i],
            CertificateTime = () => clock.CertificateTime(null),
        }))];
    }

    /// <summary>Runs until the files of the store can be written and <see cref="StoreWait.Retry"/> is over, or until <paramref name="stop"/>.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        var time = _wait.Clock.Time;
        using var end = new CancellationTokenSource();
        _wait.Values.Begin(_wait.Queue, _wait.Clock.At(_wait.Since));
        Task[] parts =
        [
            .. _uplinks.Select((uplink, i) => Task.Run(() => Supervisor.KeepAsync($"uplink {uplink.Id}", uplink.RunAsync, time, _log, end.Token, beat: _uplinkBeats[i]), CancellationToken.None)),
            .. _pollers.Select(poller => Task.Run(() => Supervisor.KeepAsync($"bus {poller.Model.Id}", poller.RunAsync, time, _log, end.Token, beat: poller.Beat), CancellationToken.None)),
        ];
        _watch.Start(() => $"Degraded: the store cannot be opened: {_wait.Problem}");
        for (var tried = time.GetTimestamp(); !stop.IsCancellationRequested;)
        {
            _beat.Beat(TurnInterval);
            _watch.Feed();
            await Task.Delay(TurnInterval, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _wait.Clock.Renew();
            _wait.Values.Offer(_wait.Clock);
            if (time.GetElapsedTime(tried) >= _wait.Retry)
            {
                tried = time.GetTimestamp();
                if (CanWrite())
                {
                    break;
                }
            }
        }

        _watch.Stop();
        await end.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(parts).WaitAsync(Grace, time, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _wait.NotStored += _wait.Values.End(_wait.Queue);
    }

    /// <summary>What is wrong.</summary>
    public StatusDocument Status()
    {
        var clock = _wait.Clock;
        var now = clock.Time.GetUtcNow();
        var links = _pollers.SelectMany(p => p.Links.Select(link => (p.Model, link))).ToArray();
        var states = _uplinks.Select(u => u.Status).ToArray();
        return new StatusDocument
        {
            State = "degraded",
            Version = ProgramVersion.Text,
            Site = _site.SiteId,
            Gateway = _site.GatewayId,
            Configuration = _site.ConfigurationHash,
            ProcessId = Environment.ProcessId,
            UptimeSeconds = clock.Monotonic / 1000.0,
            Problems =
            [
                $"The store cannot be opened: {_wait.Problem} The newest values leave unnumbered; {ReadingQueue.Capacity} readings wait in memory at most",
                .. StatusReport.DeviceProblems(links), .. StatusReport.UplinkProblems(states),
            ],
            Depth = 0,
            Dropped = 0,
            Degraded = true,
            Delivered = 0,
            Samples = 0,
            Outbox = new OutboxDocument
            {
                Rows = 0, Records = 0, FileBytes = 0, BudgetBytes = _site.Storage.BudgetBytes, Oldest = null, OldestAgeSeconds = 0,
                Streams = new Dictionary<string, long>(), Evicted = 0, Thinned = 0, Quarantined = 0,
            },
            Storage = new StorageDocument
            {
                State = "failing", InUsePercent = 0, WatermarkPercent = 0, Lost = new Dictionary<string, long>(), WrittenBytes = null, WrittenBytesPerDay = null,
                WrittenBytesPerSample = null, Integrity = "not-yet", IntegrityCheckedAt = null, IntegrityFinding = "", DamagedSets = [],
            },
            Clock = StatusReport.Clock(clock, now, held: 0),
            Buses = [.. _pollers.Select(p => StatusReport.Bus(p, predicted: 0))],
            Devices = [.. links.Select(l => StatusReport.Device(l.Model, l.link, new Dictionary<string, string>()))],
            Uplinks = [.. states.Select(s => StatusReport.Uplink(s, now))],
            Process = StatusReport.Process(_started, writtenBytes: null, unobservedFaults: 0),
            Reload = _reloader.Last,
        };
    }

    /// <summary>All that metrics are read from, but for the computer.</summary>
    public Measurement Measure() => new() { Status = Status(), Uplinks = [.. _uplinks.Select(u => u.Status)], Queued = _wait.Queue.Count };

    /// <summary>True when a file can be made in the directory of the store, and those that are there can be written.</summary>
    private bool CanWrite()
    {
        var files = new StoreFiles(Path.GetFullPath(_site.Storage.Directory));
        try
        {
            var probe = Path.Combine(files.Directory, "gateway.probe");
            File.WriteAllBytes(probe, [0]);
            File.Delete(probe);
            foreach (var file in new[] { files.Database, files.Log, files.SharedMemory }.Where(File.Exists))
            {
                // No connection is open in this process whose locks the end of this handle could take away.
                File.OpenHandle(file, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite).Dispose();
            }

            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _wait.CannotWrite(e.Message);
            return false;
        }
    }

    public async ValueTask DisposeAsync()
    {
        _watch.Dispose();
        foreach (var poller in _pollers)
        {
            poller.Dispose();
        }

        foreach (var bus in _buses)
        {
            await bus.DisposeAsync().AsTask().WaitAsync(Grace, _wait.Clock.Time, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Nothing waits, and nothing comes.</summary>
    private sealed class NoOutbox : IOutbox
    {
        public long LastRowId => 0;

        public async ValueTask WaitForRowAfterAsync(long rowId, CancellationToken cancel) =>
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancel).ConfigureAwait(false);

        public int Read(long first, long last, int maxRows, int maxBytes, IList<OutboxRow> rows) => 0;

        public DeliveryCursor OpenCursor(string destination) => new();

        public void Acknowledge(string destination, long rowId) => throw new InvalidOperationException("There is no row that could be acknowledged.");

        public void Quarantine(string destination, long rowId, string reason) => throw new InvalidOperationException("There is no row that could be refused.");
    }
}
