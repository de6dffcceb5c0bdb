using EdgeGateway.Buses;
using EdgeGateway.Control;
using EdgeGateway.Core.Alarms;
using EdgeGateway.Core.Cems;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Site;
using EdgeGateway.Core.Writing;
using EdgeGateway.Following;
using EdgeGateway.Ledgers;
using EdgeGateway.Lines;
using EdgeGateway.Storage;
using EdgeGateway.Telemetry;
using EdgeGateway.Tracing;
using EdgeGateway.Uplinks;
using EdgeGateway.Writing;
using Microsoft.Extensions.Logging;

namespace EdgeGateway.Hosting;

/// <summary>
/// The gateway: one poller for each bus, one loop that turns readings into records and commits them, one task for each uplink. Two
/// queues in all: readings in memory, rows on disk.
/// </summary>
public sealed class GatewayRuntime : IAsyncDisposable
{
    /// <summary>Uplinks get 3 s for acknowledgements (requirement M-11), and this in all with their good-bye.</summary>
    private static readonly TimeSpan UplinkGrace = TimeSpan.FromSeconds(4.5);

    /// <summary>Writes under way and safe values get this long at a stop; what a dead device does not take waits for the next start.</summary>
    private static readonly TimeSpan WriteGrace = TimeSpan.FromSeconds(1.5);

    /// <summary>The full check of the store waits until the start is over.</summary>
    private static readonly TimeSpan FirstCheck = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan CheckInterval = TimeSpan.FromDays(7);

    /// <summary>How often it is looked whether a change of the factor set, which waited for the clock, has come into force.</summary>
    private static readonly TimeSpan RestatementInterval = TimeSpan.FromMinutes(1);

    private const string LogCategory = "EdgeGateway";

    /// <summary>Opening again salvages what can be read: without the newer checkpoint, without the older, without the batches. What is damaged even then is for a person.</summary>
    private const int Salvages = 3;

    private readonly ILogger _log;
    private readonly GatewayClock _clock;
    private readonly SqliteStore _store;
    private readonly ReadingQueue _queue;
    private readonly CommitLoop _loop;
    private readonly BusOwner[] _owners;
    private readonly BusPoller[] _pollers;
    private readonly PointNumbers _numbers;
    private readonly int _numbering;
    private readonly CarriedPolling? _carried;
    private readonly Dictionary<string, WireHub> _wires;
    private readonly IUplink[] _uplinks;
    private readonly Heartbeat[] _uplinkBeats;
    private readonly StatusReport _status;
    private readonly WriteJournal _journal;
    private readonly WriteDesk _desk;
    private readonly LoopWatch _watch;
    private readonly FaultCount _faults;
    private readonly LineShelf? _shelf;
    private readonly BoxGauges _box;
    private bool _hasAdopted;
    private volatile SiteModel? _next;
    private CancellationToken _withdrawn;
    private CarriedPolling? _given;

    private GatewayRuntime(LoadedSite site, GatewayClock clock, SqliteStore store, ILoggerFactory logs, RuntimeSeams seams)
    {
        Site = site.Model;
        _clock = clock;
        _store = store;
        _log = logs.CreateLogger(LogCategory);
        _carried = seams.Carried;
        _queue = seams.Wait?.Queue ?? _carried?.Queue ?? new ReadingQueue(clock.Time);
        _numbering = _carried is null ? 0 : _carried.Numbering + 1;
        _numbers = new PointNumbers(Site, _numbering, _carried?.Owners.Select(o => (o.Numbering, o.Site)) ?? []);
        var births = new RetainedBirths();
        _loop = new CommitLoop(site, store, _queue, clock, births, _log, wait: seams.Wait, change: _carried is null ? null : new ChangeOver(_numbers, _carried.Owners.Count == 0 && _carried.Site.Buses.Count > 0, _carried.Interrupted(Site), _carried.Shortfall));
        _watch = new LoopWatch(seams.Manager, clock.Time, _log);
        _faults = new FaultCount(_log);
        _loop.Turned = TurnOf(_watch.Add("the commit loop"));
        var damaged = new List<StoreNote>();
        var notes = store.Notes(damaged);
        foreach (var total in damaged.Where(n => n.Key.StartsWith(LineWatch.KeyPrefix, StringComparison.Ordinal)))
        {
            Log.TotalDamaged(_log, total.Key);
        }

        _shelf = seams.Shelf;
        _box = new BoxGauges(Site, clock.Time);
        var context = new BusContext { Time = clock.Time, Clock = clock, Log = _log, Notes = notes.ToDictionary(n => n.Key, n => n.Text!, StringComparer.Ordinal), Shelf = _shelf };
        _owners = [.. Site.Buses.Select(bus => Kept(bus) ?? Own(bus, seams.Bus?.Invoke(bus) ?? BusKinds.Create(bus, context)))];
        IBus[] buses = [.. _owners.Select(o => o.Bus)];
        _pollers = [.. _owners.Select(o => o.Poller)];
        _loop.Keepers = [.. buses.OfType<IStateKeeper>()];
        _wires = Site.Buses.Zip(buses).Where(b => b.Second is IWatchedBus).ToDictionary(b => b.First.Id, b => new WireHub((IWatchedBus)b.Second, clock.Time));
        _uplinkBeats = [.. Site.Uplinks.Select(uplink => _watch.Add($"uplink {uplink.Id}"))];
        _uplinks = [.. Site.Uplinks.Select((uplink, i) => UplinkTable.Create(uplink, new UplinkContext
        {
            SiteId = Site.SiteId,
            GatewayId = Site.GatewayId,
            PointNames = [.. Site.Points.Select(p => (Site.Devices[p.DeviceIndex].Id, p.Id))],
            Outbox = store,
            Births = () => births.Current,
            Volatile = _loop.Volatile,
            Time = clock.Time,
            Logger = _log,
            Beat = _uplinkBeats[i],
            Follower = _loop.Follower,
            CertificateTime = () => clock.CertificateTime(_loop.LastGood),
        }))];
        _journal = new WriteJournal(notes, _loop.RecordAsync, damaged);
        _desk = new WriteDesk(Site, _pollers, _journal, () => _loop.Failing, BootClock.System(clock.Time), clock.Time, _log);
        _status = new StatusReport(Site, clock, store, _loop, _pollers, _uplinks, buses, _watch, _faults, seams.Reloader);
    }

    /// <summary>The owner of a bus that goes on, because nothing changed for it; null when there is none.</summary>
    private BusOwner? Kept(BusModel bus)
    {
        var owner = _carried?.Owners.FirstOrDefault(o => o.Model.Id == bus.Id);
        if (owner is null || !PolledAlike.Bus(owner.Site, owner.Model, Site))
        {
            return null;
        }

        if (owner.Poller.Beat is { } beat)
        {
            _watch.Adopt(beat, IsQueueFull);
        }

        owner.Poller.Follower = HasItsNumbers(owner.Site, bus) ? _loop.Follower : null;
        return owner;
    }

    /// <summary>Whether the points of a bus have the same numbers under the configuration with which its owner began.</summary>
    private bool HasItsNumbers(SiteModel before, BusModel bus) =>
        Site.Devices.Where(d => d.BusId == bus.Id).SelectMany(d => d.Points).SequenceEqual(before.Devices.Where(d => d.BusId == bus.Id).SelectMany(d => d.Points));

    private BusOwner Own(BusModel bus, IBus made)
    {
        var beat = _watch.Add($"bus {bus.Id}", BusPoller.LongestTurn(Site.Devices.Where(d => d.BusId == bus.Id)), IsQueueFull);
        return new BusOwner(bus, Site, _numbering, made, new BusPoller(bus, Site, made, _queue, _clock, _log, _numbering) { Beat = beat, Follower = _loop.Follower });
    }

    // While the disk cannot be written the queue is full and the owners wait.
    private bool IsQueueFull() => _queue.Count >= ReadingQueue.Capacity;

    private Action<TimeSpan> TurnOf(Heartbeat beat) => rest =>
    {
        beat.Beat(rest);
        _watch.Feed();
    };

    /// <summary>The site in force.</summary>
    public SiteModel Site { get; }

    /// <summary>Opens the store and recovers the state; touches no wire.</summary>
    /// <exception cref="StoreException">The store cannot be used; the message says why and what to do.</exception>
    public static GatewayRuntime Open(LoadedSite site, TimeProvider time, ILoggerFactory logs) => Open(site, time, logs, new RuntimeSeams());

    /// <inheritdoc cref="Open(LoadedSite, TimeProvider, ILoggerFactory)"/>
    internal static GatewayRuntime Open(LoadedSite site, TimeProvider time, ILoggerFactory logs, RuntimeSeams seams)
    {
        ArgumentNullException.ThrowIfNull(site);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return OpenStore(site, time, logs, seams);
            }
            catch (StoreException e) when (e.Failure == StoreFailure.Damaged && attempt <= Salvages)
            {
                Log.StateDamaged(logs.CreateLogger(LogCategory), e.Message);
            }
        }
    }

    private static GatewayRuntime OpenStore(LoadedSite site, TimeProvider time, ILoggerFactory logs, RuntimeSeams seams)
    {
        var store = SqliteStore.Open(site.Model.Storage, [.. site.Model.Uplinks.Select(u => u.Id)], time);
        try
        {
            return new GatewayRuntime(site, seams.Wait?.Clock ?? seams.Carried?.Clock ?? MakeClock(time, seams.Clock), store, logs, seams);
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }

    /// <summary>The clocks of a gateway; the kernel is asked about the wall clock when nobody else is given.</summary>
    internal static GatewayClock MakeClock(TimeProvider time, IClockSource? source) =>

        // Other providers are those of tests and simulations: nobody can be asked about their clocks.
        new(time, source ?? (time == TimeProvider.System || time is ShiftedTime ? new KernelClock() : null));

    /// <summary>Runs until <paramref name="stop"/>, then finishes the last commit, gives the uplinks 3 s, and returns: within 8 s whatever is broken (requirement M-11).</summary>
    /// <exception cref="StoreException">The store is damaged beyond going on; opening again salvages it.</exception>
    public async Task RunAsync(CancellationToken stop)
    {
        Log.Started(_log, Site.GatewayId, Site.SiteId, Site.Devices.Count, Site.Points.Count, Site.Buses.Count, Site.ConfigurationHash[..12]);
        using var stopPolling = new CancellationTokenSource();
        using var stopUplinks = new CancellationTokenSource();
        using var stopLoop = new CancellationTokenSource();

        // Lines of the configuration before that this one does not use belong to whoever wants them.
        _shelf?.KeepOnly(Site);
        await AdoptAsync().ConfigureAwait(false);
        _loop.Begin();
        var loop = Task.Run(() => _loop.RunAsync(stopLoop.Token), CancellationToken.None);
        var uplinks = _uplinks.Select((uplink, i) => Task.Run(
            () => Supervisor.KeepAsync($"uplink {uplink.Id}", uplink.RunAsync, _clock.Time, _log, stopUplinks.Token, _loop.PartFailed, _uplinkBeats[i]), CancellationToken.None)).ToArray();
        foreach (var owner in _owners)
        {
            owner.Failed = _loop.PartFailed;
            owner.Start(_clock.Time, _log);
        }

        var check = Task.Run(() => Supervisor.KeepAsync("store check", CheckStoreAsync, _clock.Time, _log, stopPolling.Token, _loop.PartFailed), CancellationToken.None);
        var restatement = Task.Run(() => Supervisor.KeepAsync("restatement", RestateAsync, _clock.Time, _log, stopPolling.Token, _loop.PartFailed), CancellationToken.None);
        var writes = Task.Run(() => Supervisor.KeepAsync("writes", RunWritesAsync, _clock.Time, _log, stopPolling.Token, _loop.PartFailed), CancellationToken.None);

        _watch.Start(_status.Word);

        // The loop ends early only by a fault that cannot be mended while running, such as a damaged store.
        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using (stop.Register(static s => ((TaskCompletionSource)s!).TrySetResult(), stopped))
        {
            await Task.WhenAny(stopped.Task, loop).ConfigureAwait(false);
        }

        _watch.Stop();
        var carried = IsChange(stop) && _next is { } next ? _owners.Where(o => MayGoOn(o, next)).ToArray() : [];
        Log.Stopping(_log);
        await _desk.CloseAsync(WriteGrace).ConfigureAwait(false);
        await stopPolling.CancelAsync().ConfigureAwait(false);
        await EndAsync("A bus", [.. _owners.Except(carried).Select(o => o.EndAsync()), writes, check, restatement], BusOwner.Grace).ConfigureAwait(false);
        foreach (var wire in _wires.Values)
        {
            wire.End();
        }

        _loop.Follower.Current?.Stop("the gateway stops");

        // Until its last commit begins the loop can go back on it.
        _loop.End(isChange: IsChange(stop));
        await using var withdrawal = _withdrawn.Register(static loop => ((CommitLoop)loop!).Withdraw(), _loop);
        await stopLoop.CancelAsync().ConfigureAwait(false);
        _queue.Wake();
        Shortfall? shortfall = null;
        try
        {
            await loop.ConfigureAwait(false);
        }
        catch (StoreException e) when (stop.IsCancellationRequested && (e.CanRetry || e.Failure == StoreFailure.BudgetExhausted))
        {
            // A full disk is no reason to stop differently. These readings were never accepted.
            Log.LastCommitFailed(_log, e.Message);
            shortfall = _loop.GiveUp(e.Message);
        }
        finally
        {
            // Only now: an uplink ends as soon as nothing live waits, and the last records wait only once they are committed.
            await stopUplinks.CancelAsync().ConfigureAwait(false);
            await EndAsync("An uplink", uplinks, UplinkGrace).ConfigureAwait(false);
        }

        try
        {
            _loop.Settle();
        }
        catch (StoreException e) when (stop.IsCancellationRequested && (e.CanRetry || e.Failure == StoreFailure.BudgetExhausted))
        {
            // What these rows' acknowledgements would have taken away is delivered again, under the same numbers.
            Log.LastCommitFailed(_log, e.Message);
        }

        if (stop.IsCancellationRequested && _loop.IsChange)
        {
            _given = new CarriedPolling(carried, _queue, _clock, _numbering, Site) { Shortfall = shortfall };
        }
        else
        {
            // The change was withdrawn: nobody takes them over.
            await EndAsync("A bus", [.. carried.Select(o => o.EndAsync())], BusOwner.Grace).ConfigureAwait(false);
        }

        Log.Stopped(_log, _store.Statistics(withLosses: false).Rows);
    }

    /// <summary>Says, before the stop, that another configuration follows: buses that it has too go on polling.</summary>
    /// <param name="next">That configuration.</param>
    /// <param name="withdrawn">Says that none follows any more: the program is to stop.</param>
    public void ChangeTo(SiteModel next, CancellationToken withdrawn) => (_withdrawn, _next) = (withdrawn, next);

    private bool IsChange(CancellationToken stop) => stop.IsCancellationRequested && _next is not null && !_withdrawn.IsCancellationRequested;

    /// <summary>The buses that go on polling, after <see cref="RunAsync"/>; null when it was not asked to leave any. They are the caller's now.</summary>
    internal CarriedPolling? GiveUpPolling() => _given;

    // A bus that keeps totals of its own and does not stay as it is must have committed them before the next one reads them.
    private static bool MayGoOn(BusOwner owner, SiteModel next) => PolledAlike.Bus(owner.Site, owner.Model, next) || (owner.Bus is not IStateKeeper && next.Buses.Any(b => b.Id == owner.Model.Id));

    /// <summary>Takes over the buses of the configuration before that go on, and ends those that do not: these were polled until now.</summary>
    private async Task AdoptAsync()
    {
        _hasAdopted = true;
        if (_carried is null)
        {
            return;
        }

        // Closed before the new ones open: a serial port, and many a device, takes one client only.
        var closed = await Task.WhenAll(_carried.Owners.Except(_owners).Select(o => o.CloseAsync(_clock.Time))).ConfigureAwait(false);
        if (closed.Contains(false))
        {
            Log.PartLeftBehind(_log, "A bus");
        }
    }

    private async Task EndAsync(string part, Task[] tasks, TimeSpan grace)
    {
        var all = Task.WhenAll(tasks);
        await all.WaitAsync(grace, _clock.Time, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!all.IsCompleted)
        {
            Log.PartLeftBehind(_log, part);
        }
    }

    /// <summary>Reads one device now through the owner of its bus.</summary>
    public Task<IReadOnlyList<Reading>> ReadNowAsync(DeviceModel device, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(device);
        var owner = _owners.First(o => o.Model.Id == device.BusId);
        return ReadAsync(owner, device, cancel);
    }

    private async Task<IReadOnlyList<Reading>> ReadAsync(BusOwner owner, DeviceModel device, CancellationToken cancel)
    {
        var readings = await owner.Poller.ReadNowAsync(device, cancel).ConfigureAwait(false);
        return [.. readings.Select(r => r with { Point = _numbers.Of(r with { Numbering = owner.Numbering }) })];
    }

    /// <summary>The clock of the gateway.</summary>
    internal TimeProvider Time => _clock.Time;

    /// <summary>Whether somebody follows a sample.</summary>
    internal Follower Follower => _loop.Follower;

    /// <summary>Follows the next sample of a point; it has to be begun with <see cref="Follower"/>.</summary>
    internal SampleFollow Follow(PointModel point) => new(Site, point, [.. Site.Uplinks.Select(u => (u.Id, UplinkTable.CarriedBy(u, Site)))], _clock);

    /// <summary>The owner of a bus; null when there is no such bus.</summary>
    internal BusPoller? PollerOf(string bus) => _pollers.FirstOrDefault(p => p.Model.Id == bus);

    /// <summary>The wire of a bus, to watch it; null when there is no such bus or its kind has no frames.</summary>
    internal WireHub? WireOf(string bus) => _wires.GetValueOrDefault(bus);

    /// <summary>Says what a write would do.</summary>
    public Task<(WriteCheckDocument? Check, WriteRefusal? Refusal)> CheckWriteAsync(WriteRequest request) => _desk.CheckAsync(request);

    /// <summary>Writes to a device, when every rule allows it.</summary>
    public Task<(WriteDocument? Write, WriteRefusal? Refusal)> WriteAsync(WriteRequest request) => _desk.WriteAsync(request);

    /// <summary>Values that give way, and the last writes.</summary>
    public WritesDocument Writes() => _desk.List();

    /// <summary>The alarms that are not normal, explained in a language.</summary>
    internal AlarmsDocument Alarms(AlarmMessages messages) => AlarmDocuments.Make(_loop.Alarms, messages);

    /// <summary>Does what a person asks for with alarms; the result says why it is refused, null when it is done.</summary>
    internal Task<string?> OrderAsync(AlarmOrder order) => _loop.OrderAsync(order);

    /// <summary>Changes of meters that wait for their readings, and factors that follow a stack.</summary>
    internal Task<AccountsDocument> AccountsAsync() => _loop.AskAsync(pipeline => AccountDocuments.Make(pipeline.Exchanges, pipeline.AdaptedFactors, pipeline.FactorPairs));

    /// <summary>Does what a person asks for with the accounts; the result says why it is refused, null when it is done.</summary>
    internal Task<string?> OrderAsync(AccountOrderDocument order, string who) =>
        _loop.OrderAsync(pipeline => AccountDocuments.Apply(pipeline, order, who), now => AccountDocuments.Record(order, who, now), (pipeline, now) => AccountDocuments.Entry(pipeline, order, who, now));

    /// <summary>Enters a calibration check that a person has made; the result says why it is refused, null when it is done.</summary>
    internal Task<string?> EnterAsync(CalibrationOrder order) => _loop.EnterAsync(order);

    /// <summary>Enters a linearity check or a RATA that a person has made; the result says why it is refused, null when it is done.</summary>
    internal Task<string?> EnterAsync(AuditOrder order) => _loop.EnterAsync(order);

    /// <summary>Tells the feed that the last good configuration stays in force, and why.</summary>
    internal void TellRefused(ConfigurationRefusal refusal) => _loop.Post((encoder, now) => encoder.Health(new HealthRecord
    {
        Time = now,
        Kind = HealthKind.Configuration,
        Text = refusal.Text,
        Fields = [new HealthField("configuration", Site.ConfigurationHash)],
    }));

    /// <summary>Copies the store while it is in use.</summary>
    /// <returns>The copy, beside the store; the caller takes it away.</returns>
    /// <exception cref="StoreException">There is no room for it, or it cannot be read or written.</exception>
    internal async Task<string> CopyStoreAsync(CancellationToken cancel)
    {
        // Of its own: who asked for the last one may still be packing it.
        var path = $"{new StoreFiles(Site.Storage.Directory).Copy}-{Guid.NewGuid():N}";
        await _store.CopyAsync(path, cancel).ConfigureAwait(false);
        return path;
    }

    /// <summary>What the gateway does and what is wrong, now.</summary>
    public StatusDocument Status() => _status.Make();

    /// <summary>All that metrics are read from, now; from any thread.</summary>
    internal Measurement Measure() => _status.Measure() with { Box = _box.Read() };

    /// <summary>Checks the whole store some minutes after the start and then weekly, by the monotonic clock (requirement O-8).</summary>
    private async Task CheckStoreAsync(CancellationToken cancel)
    {
        for (var wait = FirstCheck; ; wait = CheckInterval)
        {
            await Task.Delay(wait, _clock.Time, cancel).ConfigureAwait(false);
            var report = await _store.CheckIntegrityAsync(cancel).ConfigureAwait(false);
            if (report.State != IntegrityState.Sound)
            {
                Log.StoreChecked(_log, report.Finding);
                _loop.Post((encoder, now) => encoder.Health(new HealthRecord { Time = now, Kind = HealthKind.StorageDegraded, Text = $"The full check of the store found: {report.Finding}." }));
            }
        }
    }

    /// <summary>States the history in the ledger again when another factor set has come into force; beside all else, and from its beginning after a restart.</summary>
    private async Task RestateAsync(CancellationToken cancel)
    {
        while (true)
        {
            // What the configuration before left open is entered with the change itself, and belongs to the history; readings that wait for the clock put the change off.
            await _loop.RecordAsync(static (_, _) => { }).WaitAsync(cancel).ConfigureAwait(false);
            if (_loop.RestatementFrom is { } from)
            {
                var ledger = new StoredLedger { Path = new StoreFiles(Site.Storage.Directory).Database };
                Restatement restatement;
                try
                {
                    restatement = Restatement.Compute(() => ledger.Lines().TakeWhile(_ => !cancel.IsCancellationRequested), from, Site.FactorsInForce);
                }
                catch (InvalidDataException e)
                {
                    // It would fail again and again: it is said once, and the next start tries again.
                    _loop.Post((encoder, now) => encoder.Health(new HealthRecord { Time = now, Kind = HealthKind.StorageDegraded, Text = $"The history cannot be stated by the new factor set, because the ledger cannot be read: {e.Message}." }));
                    await Task.Delay(Timeout.InfiniteTimeSpan, _clock.Time, cancel).ConfigureAwait(false);
                    return;
                }

                cancel.ThrowIfCancellationRequested();
                await _loop.RestateAsync(restatement).WaitAsync(cancel).ConfigureAwait(false);
                Log.HistoryRestated(_log, restatement.From.ToString(), restatement.To.ToString(), restatement.Changes.Count);
            }

            do
            {
                await Task.Delay(RestatementInterval, _clock.Time, cancel).ConfigureAwait(false);
            }
            while (_loop.RestatementFrom is null);
        }
    }

    private Task RunWritesAsync(CancellationToken cancel) =>
        _desk.RunAsync(cancel, now => OfflineWrites.TakeOverAsync(Site.Storage.Directory, _journal, now, _log));

    public async ValueTask DisposeAsync()
    {
        _watch.Dispose();
        _faults.Dispose();
        _desk.Dispose();

        // What it did not take over, or has given up, is somebody else's.
        var others = (_given ?? (_hasAdopted ? null : _carried))?.Owners ?? [];
        await EndAsync("A bus", [.. _owners.Except(others).Select(o => o.DisposeAsync().AsTask())], 2 * BusOwner.Grace).ConfigureAwait(false);
        if (_given is null && (_carried is null || _hasAdopted))
        {
            _queue.Dispose();
        }

        await _box.DisposeAsync().ConfigureAwait(false);
        _store.Dispose();
    }
}

/// <summary>What a program, or a test, puts into a gateway beside its site.</summary>
internal sealed record RuntimeSeams
{
    /// <summary>Who started the program and watches it; null when nobody does.</summary>
    public ServiceManager? Manager { get; init; }

    /// <summary>Keeps GPIO lines while a configuration is changed over and while the program is down; null when nobody does.</summary>
    public LineShelf? Shelf { get; init; }

    /// <summary>Where reloads are asked for; null when the configuration cannot be read again.</summary>
    public Reloader? Reloader { get; init; }

    /// <summary>Buses that go on from the configuration before; null when none do.</summary>
    public CarriedPolling? Carried { get; init; }

    /// <summary>Makes the bus of a model in place of the usual one; null or a null result: the usual one.</summary>
    public Func<BusModel, IBus?>? Bus { get; init; }

    /// <summary>What was read before the store could be opened; null when it could at once.</summary>
    public StoreWait? Wait { get; init; }

    /// <summary>What is known of the wall clock; null asks the kernel.</summary>
    public IClockSource? Clock { get; init; }
}
