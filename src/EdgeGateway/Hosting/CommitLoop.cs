using System.Collections.Concurrent;
using EdgeGateway.Core;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Site;
using EdgeGateway.Core.State;
using EdgeGateway.Storage;
using EdgeGateway.Uplinks;
using Microsoft.Extensions.Logging;

namespace EdgeGateway.Hosting;

/// <summary>
/// The one loop that makes records: once a commit window it takes the readings, feeds them to the <see cref="LocalPath"/>, and commits
/// inputs, records, sequence numbers and acknowledgements in one transaction.
/// </summary>
internal sealed class CommitLoop
{
    private static readonly TimeSpan StepLimit = GatewayClock.StepLimit;

    /// <summary>How often the last time that was right is noted (requirement T-4).</summary>
    private static readonly TimeSpan GoodTimeInterval = TimeSpan.FromHours(1);

    /// <summary>Held batches that one commit processes, so that no commit grows with the time in which they were held.</summary>
    private const int ReleaseGroup = 60;

    /// <summary>Without readings the time is fed only so often: an idle gateway writes little.</summary>
    private static readonly TimeSpan IdleInterval = TimeSpan.FromSeconds(5);

    /// <summary>How often the feed states how far each stream has been numbered.</summary>
    private static readonly TimeSpan IssuedInterval = TimeSpan.FromHours(1);

    /// <summary>Losses are published at most so often, and pressure is logged once in ten of these.</summary>
    private static readonly TimeSpan LossInterval = TimeSpan.FromMinutes(1);

    /// <summary>Milliseconds more while nothing is delivered: nobody would read the statements, and they are kept longest of all.</summary>
    private const long UndeliveredLossDelay = 59 * 60_000;

    /// <summary>After time in which nobody told the pipeline the time, it is told in steps of this, each a commit of its own, so that no commit grows with the gap.</summary>
    private static readonly TimeSpan CatchUpStep = TimeSpan.FromMinutes(1);

    /// <summary>Pollers that waited longer than this for room in the queue have lost polls, and the feed says so.</summary>
    private static readonly TimeSpan FullLimit = TimeSpan.FromSeconds(5);

    /// <summary>The loop turns at least so often.</summary>
    private static readonly TimeSpan LongestRest = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);

    /// <summary>Counter in the store: the mark of the budget that was told last, in percent.</summary>
    private const string WatermarkCounter = "storage-watermark";

    private readonly LoadedSite _site;
    private readonly SqliteStore _store;
    private readonly ReadingQueue _queue;
    private readonly GatewayClock _clock;
    private readonly RetainedBirths _births;
    private readonly ILogger _log;
    private readonly Guid _bootId;
    private readonly ConcurrentQueue<Posted> _posted = new();
    private readonly List<TaskCompletionSource> _awaited = [];
    private readonly List<StoreNote> _commitNotes = [];
    private readonly StateWriter _state = new();
    private readonly CommitBatch _commit;
    private readonly LossNotices _losses = new();
    private readonly RangeRepeats _repeats;
    private readonly HashSet<int> _announce = [];
    private LocalPath _path;
    private Sample[] _samples = new Sample[4096];
    private long _nextCheckpoint;
    private long _lastFed;
    private TimeSpan? _step;
    private bool _checkpointWanted;
    private bool _transition;
    private bool _afterLoss;
    private long _nextLossNotice;
    private long _nextIssued;
    private long _evictedLogged;
    private readonly VolatileValues _volatile = new();
    private readonly VolatileEncoder _volatileEncoder;
    private readonly List<Reading> _newestReadings = [];
    private NewestReadings? _newest;
    private Instant _failingSince;
    private string? _diskFullTold;
    private int _watermark;
    private bool _lossesChanged;
    private bool _wasFailing;
    private volatile string? _failing;
    private volatile bool _ended;
    private long _taken;
    private long _held;
    private readonly ClockNotes _clockNotes;
    private readonly long _holdUntil;
    private TimeQuality _toldQuality;
    private TimeSpan _correction;
    private bool _isHoldOver;
    private long _ruleFaultsTold;
    private long _nextRuleFault;
    private bool _isRefusalTold;
    private long _nextGoodTime;

    public CommitLoop(LoadedSite site, SqliteStore store, ReadingQueue queue, GatewayClock clock, RetainedBirths births, ILogger log, Guid? boot = null)
    {
        _site = site;
        Texts = new string?[site.Model.Points.Count];
        _store = store;
        _queue = queue;
        _clock = clock;
        _births = births;
        _log = log;
        _bootId = boot ?? BootId.Current();
        var recovered = new StateRecovery(site, store, log).Run();
        _path = recovered.Path;
        _clockNotes = new ClockNotes(store.Notes(), _bootId);
        _commit = new CommitBatch { ValueOf = StateRecovery.ValueOf(_path.Site) };
        _volatileEncoder = new VolatileEncoder(site.Model);
        Wear = new FlashWear(recovered.Store.Counters, () => Taken, clock.Time);
        _watermark = (int)recovered.Store.Counters.GetValueOrDefault(WatermarkCounter);
        _transition = _path.Site.ConfigurationHash != site.Model.ConfigurationHash || recovered.CannotContinue is not null;
        _afterLoss = recovered.Store.Report is not null;
        _repeats = new RangeRepeats(recovered.Store.Counters.GetValueOrDefault(RangeRepeats.Counter) != 0);
        Tell(recovered);

        // What was committed last was dated by a clock that was right, or the note says when one was.
        clock.Begin(_path.IsUnset || _path.HasHeld ? _clockNotes.LastGood : _path.Seen ?? _clockNotes.LastGood, _clockNotes.OffsetOfBoot);
        _isHoldOver = _clockNotes.IsHoldOver;
        _holdUntil = clock.Monotonic + (long)site.Model.ClockHold.TotalMilliseconds;

        // A clock that was set back while the gateway was off is a step like any other; so is one that was set at all since dates were provisional.
        var now = clock.At(clock.Monotonic);
        if (_path.Seen is { } before && (before - now > StepLimit || (_path.IsUnset && !_path.HasHeld && clock.Quality != TimeQuality.Unset && now - before > StepLimit)))
        {
            Step(now - before, "While the gateway was off the wall clock was set");
        }

        var stopped = _path.Batch > 0 && recovered.Store.Counters.GetValueOrDefault(Absences.StopCounter) == _path.Batch;
        if (Absences.BetweenRuns(_path.Now, now, stopped, _afterLoss) is { } absence)
        {
            Post((encoder, _) => encoder.Range(absence with { Epoch = encoder.Heads.Epoch }));
        }
    }

    /// <summary>Readings processed since the process started.</summary>
    public long Taken => Interlocked.Read(ref _taken);

    /// <summary>What text points read last, by point index; null before the first reading.</summary>
    public string?[] Texts { get; }

    /// <summary>Readings that are kept back until the clock is known.</summary>
    public long Held => Interlocked.Read(ref _held);

    /// <summary>The last time of which it is known that it was right: nothing that is valid now began later (requirement T-4).</summary>
    public Instant? LastGood => _clockNotes.LastGood;

    /// <summary>Why the store cannot be written now, or null.</summary>
    public string? Failing => _failing;

    /// <summary>Newest values while the store cannot be written, for the uplinks.</summary>
    public IVolatileSource Volatile => _volatile;

    /// <summary>What the gateway writes to storage.</summary>
    public FlashWear Wear { get; }

    /// <summary>The mark of the budget that is in force, in percent of the store in use; 0 below all of them.</summary>
    public int Watermark => System.Threading.Volatile.Read(ref _watermark);

    /// <summary>Called at each turn with the time that the loop is going to rest: its sign of life.</summary>
    public Action<TimeSpan>? Turned { get; set; }

    /// <summary>Asks for a record that the program itself makes, with the next commit.</summary>
    public void Post(Action<FeedEncoder, Instant> record) => _posted.Enqueue(new Posted(record, [], null));

    /// <summary>Asks for a record and for notes beside it, and completes once both are on the disk: what must not happen unrecorded waits for this.</summary>
    /// <remarks>Not to be called after <see cref="RunAsync"/> has been told to stop.</remarks>
    /// <exception cref="StoreException">The loop ended before they were written.</exception>
    public Task RecordAsync(Action<FeedEncoder, Instant> record, params StoreNote[] notes)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _posted.Enqueue(new Posted(record, notes, done));
        if (_ended)
        {
            Abandon();
        }

        _queue.Wake();
        return done.Task;
    }

    /// <summary>Tells the feed that a part of the gateway ended by a fault and is started again.</summary>
    public void PartFailed(string part, Exception fault)
    {
        var at = _clock.At(_clock.Monotonic);
        Post((encoder, _) => encoder.Health(new HealthRecord { Time = at, Kind = HealthKind.TaskFailed, Text = $"{part} ended by a fault and is started again: {fault.Message}" }));
    }

    /// <summary>Announces the devices and the start.</summary>
    public void Begin()
    {
        var site = _site.Model;
        Post((encoder, now) =>
        {
            for (var device = 0; device < site.Devices.Count; device++)
            {
                encoder.Birth(device, now, Texts);
            }

            encoder.Health(new HealthRecord
            {
                Time = now,
                Kind = HealthKind.Start,
                Text = "The gateway started.",
                Fields =
                [
                    new HealthField("configuration", site.ConfigurationHash), new HealthField("bootId", _bootId.ToString()),
                    new HealthField("timeQuality", _clock.Quality.Word()),
                ],
            });
        });
        TellQuality();
    }

    /// <summary>Says that the gateway stops; goes with the last commit of <see cref="RunAsync"/>.</summary>
    public void End()
    {
        Post((encoder, now) =>
        {
            encoder.Health(new HealthRecord { Time = now, Kind = HealthKind.Stop, Text = "The gateway was stopped." });
            encoder.StateIssued(now, "the gateway stops");
        });
    }

    /// <summary>Commits once a window until cancelled, then once more.</summary>
    /// <exception cref="StoreException">The store is damaged beyond going on; a restart salvages it.</exception>
    public async Task RunAsync(CancellationToken stop)
    {
        try
        {
            while (!stop.IsCancellationRequested)
            {
                await WaitAsync(_site.Model.Storage.CommitWindow, stop).ConfigureAwait(false);
                await CommitAsync(stop).ConfigureAwait(false);
            }

            _checkpointWanted = true;
            await CommitAsync(stop).ConfigureAwait(false);
        }
        finally
        {
            _ended = true;
            Abandon();
            foreach (var done in _awaited)
            {
                done.TrySetException(Ended());
            }

            _awaited.Clear();
        }
    }

    // A long window is waited for in parts, so that the watchdog sees a sign of life in between.
    private async ValueTask WaitAsync(TimeSpan window, CancellationToken stop)
    {
        do
        {
            var part = window < LongestRest ? window : LongestRest;
            window -= part;
            Turned?.Invoke(part);
            await _queue.WaitAsync(part).ConfigureAwait(false);
        }
        while (window > TimeSpan.Zero && _queue.Count < ReadingQueue.GroupSize && _posted.IsEmpty && !stop.IsCancellationRequested);
    }

    /// <summary>Commits what the uplinks acknowledged after the last records; call once <see cref="RunAsync"/> and the uplinks have ended.</summary>
    /// <exception cref="StoreException">It could not be written: these rows will be delivered again.</exception>
    public void Settle() => _store.Commit(_commit);

    /// <summary>Publishes what the store found at its opening.</summary>
    private void Tell(StateRecovery.Recovered recovered)
    {
        if (_transition)
        {
            Post((encoder, now) => encoder.Health(new HealthRecord
            {
                Time = now,
                Kind = HealthKind.Configuration,
                Text = recovered.CannotContinue is { } why
                    ? $"Another configuration is in force. {why}: open windows were lost and counters start from their next reading."
                    : "Another configuration is in force.",
                Fields = [new HealthField("configuration", _site.Model.ConfigurationHash)],
            }));
        }

        if (recovered.CannotContinue is { } reason)
        {
            Log.StateNotTakenOver(_log, reason);
        }

        if (recovered.Store.Report is { } report)
        {
            Log.StoreSalvaged(_log, report.Cause, report.RowsSaved, report.BatchesSaved, report.SetAside, report.Epoch);
            Post((encoder, now) =>
            {
                encoder.Health(new HealthRecord
                {
                    Time = now,
                    Kind = HealthKind.NewEpoch,
                    Text = $"The store was damaged ({report.Cause}). Readable rows were saved and numbering starts again in a new epoch.",
                    Fields =
                    [
                        new HealthField("rowsSaved", report.RowsSaved), new HealthField("batchesSaved", report.BatchesSaved),
                        new HealthField("rowsNotKept", report.RowsNotKept), new HealthField("setAside", report.SetAside),
                    ],
                });

                // What was numbered before, so that the receiver knows what it misses of the old epoch.
                foreach (var head in report.HeadsBefore.Where(h => h.Next > 1 && FeedHeads.IsSpokenAbout(h.Stream)))
                {
                    encoder.Range(new RangeRecord
                    {
                        Time = now,
                        Stream = head.Stream,
                        Epoch = head.Epoch,
                        First = 1,
                        Last = head.Next - 1,
                        State = RangeState.Issued,
                        Reason = "the store was damaged; numbers after this may have existed",
                    });
                }

                // Of range statements that are gone nothing else tells before hours have passed.
                foreach (var loss in recovered.Store.UnpublishedLosses.Where(l => l.Reason == LossReason.Unreadable && l.Epoch < report.Epoch && !FeedHeads.IsSpokenAbout(l.Stream)))
                {
                    encoder.Range(LossNotices.Statement(loss, now));
                }

                _commit.RecoveryReportPublished = true;
            });
        }

        _losses.Add(recovered.Store.UnpublishedLosses);
        _repeats.Note(recovered.Store.UnpublishedLosses);

        // Again at each start: a broker may have lost what it retained.
        _lossesChanged = _store.LostRecords().Count > 0;
    }

    /// <summary>One turn: commits what there is. For tests; <see cref="RunAsync"/> calls it once a window.</summary>
    internal async ValueTask CommitAsync(CancellationToken stop)
    {
        while (PrepareRelease())
        {
            Turned?.Invoke(TimeSpan.Zero);
            await StoreAsync(stop).ConfigureAwait(false);
        }

        while (PrepareCatchUp())
        {
            Turned?.Invoke(TimeSpan.Zero);
            await StoreAsync(stop).ConfigureAwait(false);
        }

        Prepare(ending: stop.IsCancellationRequested);
        await StoreAsync(stop).ConfigureAwait(false);
    }

    private async ValueTask StoreAsync(CancellationToken stop)
    {
        while (true)
        {
            try
            {
                Committed(_store.Commit(_commit));
                return;
            }
            catch (StoreException e) when ((e.CanRetry || e.Failure == StoreFailure.BudgetExhausted) && !stop.IsCancellationRequested)
            {
                if (e.Failure == StoreFailure.BudgetExhausted && _commit.Checkpoint is null && _commit.Input is not null && !_path.HasHeld)
                {
                    // A checkpoint frees the sample log before it; after that only deliveries, or a larger budget, make room.
                    Checkpoint(_path.Now!.Value);
                    continue;
                }

                if (_failing is null)
                {
                    BeginFailing(e.Message);
                }

                _failing = e.Message;
            }

            OfferNewest();
            Turned?.Invoke(RetryDelay);

            // Not cancelled by the stop: the readings in hand are accepted only once they are on disk.
            await Task.Delay(RetryDelay, _clock.Time, CancellationToken.None).ConfigureAwait(false);
        }
    }

    private void BeginFailing(string problem)
    {
        Log.StoreFailing(_log, problem);
        var since = _clock.At(_clock.Monotonic);
        _failingSince = since;
        _newest = new NewestReadings(_site.Model.Points.Count);
        _queue.Note(_newest);
        Post((encoder, _) => encoder.Health(new HealthRecord { Time = since, Kind = HealthKind.StorageDegraded, Text = problem }));
    }

    /// <summary>Hands what was read since the last time to the uplinks, unnumbered: nothing of it is accepted (decision 0006).</summary>
    private void OfferNewest()
    {
        _newestReadings.Clear();
        _newest?.Take(_newestReadings);
        List<Sample> samples = [.. _newestReadings
            .Where(r => _site.Model.Points[r.Point].Kind != PointKind.Text)
            .Select(r => new Sample(r.Point, _clock.At(r.Monotonic), r.Value, r.Raw, r.Quality))];
        if (samples.Count > 0)
        {
            _volatile.Offer(_volatileEncoder.Write(samples, _failingSince));
        }
    }

    private void EndFailing()
    {
        _queue.Note(null);
        _volatile.Clear();
        var notStored = _newest?.NotKept ?? 0;
        _newest = null;
        _failing = null;
        _wasFailing = true;
        _commit.ReadingsNotStored = notStored;
        _lossesChanged |= notStored > 0;
        Log.StoreBack(_log, notStored);
        var since = _failingSince;
        Post((encoder, now) => encoder.Health(new HealthRecord
        {
            Time = now,
            Kind = HealthKind.StorageRecovered,
            Text = "The store can be written again.",
            Fields = [new HealthField("failedSeconds", (long)(now - since).TotalSeconds), new HealthField("readingsNotStored", notStored)],
        }));
    }

    /// <summary>Tells when others have filled the file system, and when there is space again; meanwhile records are stored and numbered as ever.</summary>
    private void TellDiskFull()
    {
        if (_store.DiskFull == _diskFullTold)
        {
            return;
        }

        var isNew = _diskFullTold is null;
        _diskFullTold = _store.DiskFull;
        if (_diskFullTold is { } problem)
        {
            if (isNew)
            {
                Log.DiskFull(_log, problem);
                Post((encoder, now) => encoder.Health(new HealthRecord { Time = now, Kind = HealthKind.StorageDegraded, Text = problem }));
            }

            return;
        }

        Log.DiskHasSpace(_log);
        Post((encoder, now) => encoder.Health(new HealthRecord { Time = now, Kind = HealthKind.StorageRecovered, Text = "The file system has space again; the store is back to its budget." }));
    }

    /// <summary>Tells when a mark of the budget is passed, up or down.</summary>
    private void TellWatermark()
    {
        var inUse = _store.InUse;
        var mark = Watermarks.Next(inUse, _watermark);
        if (mark == _watermark)
        {
            return;
        }

        var raised = mark > _watermark;
        var percent = (int)(inUse * 100);
        System.Threading.Volatile.Write(ref _watermark, mark);
        _commit.Counters.Add((WatermarkCounter, mark));
        var text = raised
            ? $"{percent} % of the store is in use (mark {mark} %). At 100 % the oldest records of the least class are evicted. Bring the link back, or raise storage.budget."
            : $"{percent} % of the store is in use: {(mark == 0 ? "below all marks" : $"mark {mark} % is still in force")}.";
        if (raised)
        {
            Log.StoreFilling(_log, percent, mark);
        }
        else
        {
            Log.StoreDraining(_log, percent, mark);
        }

        Post((encoder, now) => encoder.Health(new HealthRecord
        {
            Time = now,
            Kind = HealthKind.StorageWatermark,
            Text = text,
            Fields = [new HealthField("watermarkPercent", mark), new HealthField("inUsePercent", percent), new HealthField("change", raised ? "raised" : "cleared")],
        }));
    }

    private void Committed(CommitResult result)
    {
        var wasFailing = _failing is not null;

        for (var i = 0; i < _commit.Rows.Count; i++)
        {
            if (_commit.Rows[i].Stream == FeedStream.Birth)
            {
                _births.Committed([_commit.Rows[i] with { Id = result.FirstRowId + i }]);
            }
        }

        _checkpointWanted |= result.CheckpointWanted;
        if (result.CheckpointWanted && _path.HasHeld && !_isHoldOver)
        {
            EndHold("the sample log has no more room");
        }

        _commit.Clear();
        if (wasFailing)
        {
            EndFailing();
        }

        TellDiskFull();
        TellWatermark();
        foreach (var done in _awaited)
        {
            done.TrySetResult();
        }

        _awaited.Clear();
        _losses.Add(result.Losses);
        _lossesChanged |= result.Losses.Count > 0;
        _repeats.Note(result.Losses);
        LogLosses(result.Losses);
    }

    private void LogLosses(IReadOnlyList<RecordLoss> losses)
    {
        var now = _clock.Monotonic;
        if (losses.Count == 0 || (_evictedLogged > 0 && now - _evictedLogged < 10 * (long)LossInterval.TotalMilliseconds))
        {
            return;
        }

        _evictedLogged = now;
        var loss = losses[0];
        Log.RecordsLost(_log, loss.Last - loss.First + 1, loss.Stream.Word(), loss.Reason);
        Post((encoder, at) => encoder.Health(new HealthRecord
        {
            Time = at,
            Kind = LossReason.StateOf(loss.Reason) is RangeState.Evicted or RangeState.Thinned ? HealthKind.Eviction : HealthKind.Quarantine,
            Text = LossReason.StateOf(loss.Reason) is RangeState.Evicted or RangeState.Thinned
                ? "The store is at a limit: the oldest records of the least class go; range statements say which, and what stands for them. Bring the link back, or raise the limits in storage."
                : "Records were set aside because they were refused or are unreadable; range statements say which.",
        }));
    }

    /// <summary>
    /// Fills a commit with nothing but time when the gateway was away for more than a step: the windows of that time are closed a few
    /// at a time. Longer silences are told as a whole by the pipeline itself. Never beyond a reading that waits: while the store could not be
    /// written, readings were taken, and they count at their own time.
    /// </summary>
    private bool PrepareCatchUp()
    {
        var monotonic = _clock.Monotonic;
        var until = _queue.TryPeek(out var oldest) ? _clock.At(oldest.Monotonic) : _clock.At(monotonic);
        var gap = _path.Now is { } last ? until - last : TimeSpan.Zero;
        if (_transition || _afterLoss || _path.HasHeld || MustHold || _step is not null || gap <= 2 * CatchUpStep || gap > Pipeline.LongSilence)
        {
            return false;
        }

        Feed(new InputBatch(_store.NextBatchNumber, _path.Now!.Value + CatchUpStep, _bootId, _clock.SinceBoot(monotonic), null, default) { Quality = _clock.Quality });
        Pack(monotonic);
        return true;
    }

    /// <summary>Whether readings are kept back now: the clock was never set, and may be soon. After a salvage there is no waiting: what was saved must be told.</summary>
    private bool MustHold => _clock.Quality == TimeQuality.Unset && !_isHoldOver && !_afterLoss;

    /// <summary>Fills a commit with nothing but held batches that have got their dates, or that get none; a few at a time.</summary>
    private bool PrepareRelease()
    {
        if (MustHold && _clock.Monotonic >= _holdUntil)
        {
            EndHold($"it was waited for {_site.Model.ClockHold.TotalMinutes:G3} minutes");
        }

        // Those of another boot can get no dates any more. A change of configuration ends the wait as well: they belong to the one before.
        var isLate = _path.HasHeld && (_path.HeldBoot != _bootId || _transition);
        if (!_path.HasHeld || (MustHold && !isLate))
        {
            return false;
        }

        var monotonic = _clock.Monotonic;
        var isKnown = _clock.Quality != TimeQuality.Unset;
        var release = new HeldRelease(_transition ? _path.LastHeld : Math.Min(_path.FirstHeld + ReleaseGroup - 1, _path.LastHeld), isKnown ? _clock.OffsetOfBoot : null);
        if (_correction != TimeSpan.Zero || !isKnown)
        {
            TellRelease(isKnown && _path.HeldBoot == _bootId);
        }

        var wasUnset = _path.HeldBoot != _bootId;
        Begin(_clock.At(monotonic), release);
        Feed(new InputBatch(_store.NextBatchNumber, _clock.At(monotonic), _bootId, _clock.SinceBoot(monotonic), null, default) { Quality = _clock.Quality, Release = release });
        if (wasUnset && !_path.HasHeld && _path.Now is { } before && (_clock.At(monotonic) - before).Duration() > StepLimit)
        {
            // Provisional dates of another boot: what follows is dated by another clock.
            Step(_clock.At(monotonic) - before, "Since readings were held the wall clock was set");
        }

        Pack(monotonic);
        return true;
    }

    private void EndHold(string why)
    {
        _isHoldOver = true;
        _commitNotes.Add(_clockNotes.HoldOver());
        Log.TimeQualityChanged(_log, _clock.Quality.Word(), $"Readings are no longer held: {why}. Their dates are provisional");
    }

    private void TellRelease(bool isDated)
    {
        var (held, correction) = (_path.HeldSamples, _correction);
        _correction = TimeSpan.Zero;
        Post((encoder, now) => encoder.Health(new HealthRecord
        {
            Time = now,
            Kind = HealthKind.TimeQuality,
            Text = isDated
                ? $"The clock became known: {held} readings that were held were dated anew, by {correction.TotalSeconds:F1} s."
                : $"The clock did not become known: {held} readings that were held keep provisional dates. Connect a time source (NTP), or set the clock.",
            Fields =
            [
                new HealthField("quality", isDated ? _clock.Quality.Word() : TimeQuality.Unset.Word()), new HealthField("heldReadings", held),
                new HealthField("correctionMilliseconds", (long)correction.TotalMilliseconds),
            ],
        }));
    }

    /// <summary>Tells when something else is known of the clock than before.</summary>
    private void TellQuality()
    {
        var quality = _clock.Quality;
        if (quality == _toldQuality)
        {
            return;
        }

        var text = _clock.Text;
        _nextGoodTime = 0;
        Log.TimeQualityChanged(_log, quality.Word(), text);
        if (_toldQuality != TimeQuality.Unknown || quality == TimeQuality.Unset)
        {
            Post((encoder, now) => encoder.Health(new HealthRecord
            {
                Time = now,
                Kind = HealthKind.TimeQuality,
                Text = $"The clock is {quality.Word()}. {text}.",
                Fields = [new HealthField("quality", quality.Word())],
            }));
        }

        _toldQuality = quality;
    }

    /// <summary>Takes the readings, runs the local path, and fills the commit.</summary>
    private void Prepare(bool ending)
    {
        var monotonic = _clock.Monotonic;
        var now = _clock.At(monotonic);
        var count = Drain(out var taken);
        if (taken == ReadingQueue.Capacity && count > 0)
        {
            // More wait: the time is told only as far as it has been read.
            now = _samples[count - 1].Time;
        }

        TellFull();
        var losses = (_losses.Any || _lossesChanged) && (ending || monotonic >= _nextLossNotice + (_store.IsUndelivered ? UndeliveredLossDelay : 0));
        if (count > 0 || losses || _transition || _step is not null || !_posted.IsEmpty || monotonic - _lastFed >= (long)IdleInterval.TotalMilliseconds)
        {
            // Before the seam after a salvage is told, which must not be held: the checkpoint of its own commit goes with it.
            var held = MustHold;
            Begin(now);
            Feed(new InputBatch(_store.NextBatchNumber, now, _bootId, _clock.SinceBoot(monotonic), _step, _samples.AsMemory(0, count))
            {
                Quality = _clock.Quality,
                Held = held,
            });
            _step = null;
            if (monotonic >= _nextGoodTime || ending)
            {
                _nextGoodTime = monotonic + (long)GoodTimeInterval.TotalMilliseconds;
                if (_clock.Quality != TimeQuality.Unset)
                {
                    _commit.Notes.Add(_clockNotes.Good(now, _clock.OffsetOfBoot));
                }
            }

            while (_posted.TryDequeue(out var posted))
            {
                posted.Record(_path.Encoder, now);
                _commit.Notes.AddRange(posted.Notes);
                if (posted.Done is { } done)
                {
                    _awaited.Add(done);
                }
            }

            if (monotonic >= _nextIssued)
            {
                // So that a receiver also notices a lost tail; at the stop it is said once more.
                if (_nextIssued > 0)
                {
                    _path.Encoder.StateIssued(now, "hourly");
                    if (_repeats.IsTime())
                    {
                        _repeats.Repeat(_path.Encoder, _store.Statistics().Losses, now);
                    }
                }

                _nextIssued = monotonic + (long)IssuedInterval.TotalMilliseconds;
            }

            if (_repeats.Change() is { } repeat)
            {
                _commit.Counters.Add((RangeRepeats.Counter, repeat));
            }

            if (ending)
            {
                _commit.Counters.Add((Absences.StopCounter, _path.Batch));
            }

            if (losses)
            {
                _commit.LossesPublishedThrough = _losses.Publish(_path.Encoder, now);
                PublishTotals(now);
                _nextLossNotice = monotonic + (long)LossInterval.TotalMilliseconds;
            }

            Pack(monotonic);
        }

        // Only now: readings taken so far were stamped with the offset that was in force. Acknowledgements go with the commit in any case.
        var wasHeld = MustHold;
        var moved = _clock.Renew();
        if (moved.Duration() > StepLimit)
        {
            if (wasHeld && _clock.Quality != TimeQuality.Unset)
            {
                // What was held gets its dates by this: no window was open by the clock before.
                _correction += moved;
                _step = null;
                Log.ClockSet(_log, moved);
            }
            else
            {
                Step(moved, "The wall clock stepped");
            }
        }

        if (_clock.Refused != TimeSpan.Zero && !_isRefusalTold)
        {
            // A step is an event also where it is not followed (requirement T-3).
            var by = _clock.Refused;
            Log.ClockRefused(_log, by);
            Post((encoder, at) => encoder.Health(new HealthRecord
            {
                Time = at,
                Kind = HealthKind.ClockStep,
                Text = $"The computer's clock was set back by {by.Duration().TotalSeconds:F1} s to a time that cannot be. The gateway does not follow it and goes on by its monotonic clock; no window is cut. Set the clock.",
                Fields = [new HealthField("stepMilliseconds", 0L), new HealthField("refusedMilliseconds", (long)by.TotalMilliseconds)],
            }));
        }

        _isRefusalTold = _clock.Refused != TimeSpan.Zero;
        TellQuality();
    }

    /// <summary>Publishes what was lost since the store was made, by cause, when that has changed (requirement R-5); with range statements, so at most once a minute.</summary>
    private void PublishTotals(Instant now)
    {
        if (!_lossesChanged)
        {
            return;
        }

        _lossesChanged = false;
        var lost = _store.LostRecords().OrderBy(l => l.Key, StringComparer.Ordinal).ToArray();
        _path.Encoder.Health(new HealthRecord
        {
            Time = now,
            Kind = HealthKind.Totals,
            Text = "Records that did not or will not arrive, by cause, since the store was made. Range statements say which.",
            Fields = [.. lost.Select(l => new HealthField(CamelCase(l.Key), l.Value))],
        });
    }

    // "refused, not kept" is refusedNotKept.
    private static string CamelCase(string reason)
    {
        var words = reason.Split([' ', ','], StringSplitOptions.RemoveEmptyEntries);
        return string.Concat(words.Select((w, i) => i == 0 ? w : char.ToUpperInvariant(w[0]) + w[1..]));
    }

    /// <summary>Says that polls were lost while no reading could be taken.</summary>
    private void TellFull()
    {
        if (_queue.TryTakeFull(FullLimit, out var since, out var until))
        {
            var now = _clock.At(_clock.Monotonic);
            var absence = Absences.Statement(now, now - since, now - until, _wasFailing ? Absences.StoreNotWritten : Absences.QueueFull);
            _wasFailing = false;
            Post((encoder, _) => encoder.Range(absence with { Epoch = encoder.Heads.Epoch }));
        }
    }

    /// <summary>What is due before the first batch after a start: another configuration, or the seam after a salvage.</summary>
    private void Begin(Instant now, HeldRelease? release = null)
    {
        if (_transition)
        {
            _path = StateRecovery.Transition(_path, _site.Model, now, _commit.Rows, _bootId, release);
            _commit.ValueOf = StateRecovery.ValueOf(_path.Site);
            _transition = false;
            _checkpointWanted = true;
        }

        if (_afterLoss && !_path.HasHeld)
        {
            // Not an input of the log: the checkpoint of the same commit makes sure that it is never replayed.
            _path.Pipeline.ResumeAfterLoss(now);
            _afterLoss = false;
            _checkpointWanted = true;
        }
    }

    private void Feed(in InputBatch input)
    {
        try
        {
            _path.Feed(input);
        }
        catch (InvalidDataException e)
        {
            _store.MarkDamaged(e.Message);
            throw new StoreException(StoreFailure.Damaged, $"The store is damaged: {e.Message}", e);
        }

        TellRuleFaults();
        _commit.Input = input;
        _lastFed = _clock.Monotonic;
        Interlocked.Exchange(ref _held, _path.HeldSamples);
    }

    // Rarely: a rule that throws may do so at every sample.
    private void TellRuleFaults()
    {
        var faults = _path.Pipeline.RuleFaults;
        if (faults.Last is not { } last || faults.Count == _ruleFaultsTold || (_ruleFaultsTold > 0 && _clock.Monotonic < _nextRuleFault))
        {
            return;
        }

        (_ruleFaultsTold, _nextRuleFault) = (faults.Count, _clock.Monotonic + (long)IssuedInterval.TotalMilliseconds);
        Log.RuleFailed(_log, last.Rule, faults.Count, last.Fault);
        var at = _clock.At(_clock.Monotonic);
        Post((encoder, _) => encoder.Health(new HealthRecord
        {
            Time = at,
            Kind = HealthKind.TaskFailed,
            Text = $"The rule {last.Rule} failed and found nothing in that sample: {last.Fault.Message}",
            Fields = [new HealthField("failures", faults.Count)],
        }));
    }

    private void Pack(long monotonic)
    {
        // While the clock is not set the path knows no time yet, and the records of the program are dated by the clock as it is.
        var now = _path.Now ?? _clock.At(monotonic);
        _commit.Notes.AddRange(_commitNotes);
        _commitNotes.Clear();
        _commit.Rows.AddRange(_path.Encoder.Flush(now));
        var heads = _path.Encoder.Heads;
        foreach (var stream in FeedHeads.Streams)
        {
            _commit.Heads.Add(new StreamHead(stream, heads.Epoch, heads[stream]));
        }

        // Held batches are read again from the sample log: it must reach back to the first of them.
        if (!_path.HasHeld && (_checkpointWanted || monotonic >= _nextCheckpoint))
        {
            Checkpoint(now);
            _nextCheckpoint = monotonic + (long)_site.Model.Storage.CheckpointInterval.TotalMilliseconds;
            _checkpointWanted = false;
        }
    }

    private void Checkpoint(Instant now)
    {
        _state.Clear();
        _path.Save(_state);
        _commit.Checkpoint = new Checkpoint(_path.Batch, _path.Site.ConfigurationHash, now, _state.Written);
        _commit.Counters.AddRange(Wear.Counters());
    }

    /// <summary>Notes a step of the wall clock for the next batch, and tells it.</summary>
    private void Step(TimeSpan by, string what)
    {
        _step = (_step ?? TimeSpan.Zero) + by;
        Log.ClockStepped(_log, by);
        var effect = MustHold
            ? "No date was given by it: readings are held until the clock is known."
            : "Open windows were closed early and a new clock era began.";
        Post((encoder, at) => encoder.Health(new HealthRecord
        {
            Time = at,
            Kind = HealthKind.ClockStep,
            Text = $"{what} {(by < TimeSpan.Zero ? "back" : "forward")} by {by.Duration().TotalSeconds:F1} s. {effect}",
            Fields = [new HealthField("stepMilliseconds", (long)by.TotalMilliseconds)],
        }));
    }

    /// <summary>Tells those whose record was not taken into a commit that it will not be.</summary>
    private void Abandon()
    {
        while (_posted.TryDequeue(out var posted))
        {
            posted.Done?.TrySetException(Ended());
        }
    }

    private static StoreException Ended() => new(StoreFailure.Io, "The gateway stops: nothing more is recorded.");

    /// <summary>
    /// A text is no measurement: it makes no sample. It stands in the birth of its device, which is announced anew when it has changed. Births are the
    /// program's own records, so that the sample log and its replay know nothing of texts.
    /// </summary>
    private void TakeText(int point, string? text)
    {
        // Where nothing was read, the last text stands; the device's state says that it does not answer.
        if (text is null || Texts[point] == text)
        {
            return;
        }

        Texts[point] = text;
        var device = _site.Model.Points[point].DeviceIndex;
        if (_announce.Add(device))
        {
            Post((encoder, now) =>
            {
                _announce.Remove(device);
                encoder.Birth(device, now, Texts);
            });
        }
    }

    /// <summary>Takes what waits.</summary>
    /// <param name="taken">Readings taken, texts included.</param>
    /// <returns>Samples among them.</returns>
    private int Drain(out int taken)
    {
        var count = 0;
        taken = 0;
        for (var waiting = _queue.CountOfWholeGroups; waiting > 0 && _queue.TryRead(out var reading); waiting--)
        {
            taken++;
            if (_site.Model.Points[reading.Point].Kind == PointKind.Text)
            {
                TakeText(reading.Point, reading.Text);
                continue;
            }

            if (count == _samples.Length)
            {
                Array.Resize(ref _samples, count * 2);
            }

            _samples[count++] = new Sample(reading.Point, _clock.At(reading.Monotonic), reading.Value, reading.Raw, reading.Quality);
        }

        Interlocked.Add(ref _taken, count);
        return count;
    }

    /// <summary>A record that the program makes, the notes that belong to it, and who waits for them.</summary>
    private readonly record struct Posted(Action<FeedEncoder, Instant> Record, StoreNote[] Notes, TaskCompletionSource? Done);
}
