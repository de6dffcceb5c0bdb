using System.Collections.Immutable;
using EdgeGateway.Core;
using EdgeGateway.Core.Alarms;
using EdgeGateway.Core.Cems;
using EdgeGateway.Core.Detection;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Ledger;
using EdgeGateway.Core.State;
using EdgeGateway.Following;
using EdgeGateway.Lines;
using EdgeGateway.Storage;
using EdgeGateway.Telemetry;
using EdgeGateway.Uplinks;
using Microsoft.Extensions.Logging;

namespace EdgeGateway.Hosting;

/// <summary>
/// The one loop that makes records: once a commit window it takes the readings, feeds them to the <see cref="LocalPath"/>, and commits
/// inputs, records, sequence numbers and acknowledgements in one transaction.
/// </summary>
internal sealed class CommitLoop
{
    /// <summary>Held batches that one commit processes, so that no commit grows with the time in which they were held.</summary>
    private const int ReleaseGroup = 60;

    /// <summary>Most bytes of rows that are released at once and wait in memory for their commit.</summary>
    private const long MostBytesInHand = 4 << 20;

    /// <summary>At most so many bytes of what detectors learnt and stacks look back on go into checkpoints, before they are deflated: 173 MB a day.</summary>
    private const int LearntBytesPerSecond = 2_000;

    private static readonly TimeSpan LongestCheckpointInterval = TimeSpan.FromHours(1);

    private static readonly TimeSpan StepLimit = GatewayClock.StepLimit;

    /// <summary>Without readings the time is fed only so often: an idle gateway writes little.</summary>
    private static readonly TimeSpan IdleInterval = TimeSpan.FromSeconds(5);

    /// <summary>How often the feed states how far each stream has been numbered.</summary>
    private static readonly TimeSpan IssuedInterval = TimeSpan.FromHours(1);

    /// <summary>After time in which nobody told the pipeline the time, it is told in steps of this, each a commit of its own, so that no commit grows with the gap.</summary>
    private static readonly TimeSpan CatchUpStep = TimeSpan.FromMinutes(1);

    /// <summary>Pollers that waited longer than this for room in the queue have lost polls, and the feed says so.</summary>
    private static readonly TimeSpan FullLimit = TimeSpan.FromSeconds(5);

    /// <summary>The loop turns at least so often.</summary>
    private static readonly TimeSpan LongestRest = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);

    private readonly LoadedSite _site;
    private readonly SqliteStore _store;
    private readonly ReadingQueue _queue;
    private readonly GatewayClock _clock;
    private readonly RetainedBirths _births;
    private readonly ILogger _log;
    private readonly Guid _bootId;
    private readonly ClockNotes _clockNotes;
    private readonly ClockHold _hold;
    private readonly Absences _absences;
    private readonly StoreTeller _teller;
    private readonly UnstoredValues _unstored;
    private readonly PostedRecords _posted = new();
    private readonly List<StoreNote> _commitNotes = [];
    private readonly StateWriter _state = new();
    private readonly CommitBatch _commit;
    private readonly ReadingIntake _intake;
    private readonly DetectorWindow _detectors;
    private readonly LedgerKeeper _ledger;
    private readonly bool _isRestored;

    // Buses have gone on polling since the configuration before.
    private readonly bool _isGoingOn;

    private readonly Lock _ending = new();
    private LocalPath _path;
    private volatile bool _saysStop;
    private volatile bool _isChange;
    private bool _isLast;
    private long _nextCheckpoint;
    private long _lastFed;
    private bool _checkpointWanted;
    private bool _transition;
    private bool _afterLoss;
    private bool _mayKnowLess;
    private bool _isReleaseTold;
    private long _nextIssued;
    private bool _wasFailing;
    private volatile string? _failing;
    private long _held;

    public CommitLoop(LoadedSite site, SqliteStore store, ReadingQueue queue, GatewayClock clock, RetainedBirths births, ILogger log, Guid? boot = null, StoreWait? wait = null, ChangeOver? change = null)
    {
        _site = site;
        _isGoingOn = change?.Numbers is not null;
        _store = store;
        _queue = queue;
        _clock = clock;
        _births = births;
        _log = log;
        _intake = new ReadingIntake(queue, site.Model, change?.Numbers, clock, Post);
        _detectors = new DetectorWindow(site.Model.ConfigurationHash, clock, Post, log);
        _bootId = boot ?? BootId.Current();
        var recovered = new StateRecovery(site, store, log).Run();
        _path = recovered.Path;
        var notes = store.Notes();
        _clockNotes = new ClockNotes(notes, _bootId);
        _absences = new Absences(notes);
        _commit = new CommitBatch { ValueOf = StateRecovery.ValueOf(_path.Site) };
        _unstored = new UnstoredValues(site.Model, change?.Numbers);

        // Whoever used the queue before may have ended while the store could not be written.
        queue.Note(null);
        Wear = new FlashWear(recovered.Store.Counters, () => Taken, clock.Time);
        _transition = _path.Site.ConfigurationHash != site.Model.ConfigurationHash || recovered.CannotContinue is not null;
        _afterLoss = recovered.Store.Report is not null;
        _isRestored = recovered.Store.Report?.IsRestore == true;
        _ledger = new LedgerKeeper(store, site.Model, _path, recovered.Store.Report) { IsUnsettled = recovered.Upgraded is not null };
        _mayKnowLess = _afterLoss || recovered.CannotContinue is not null;
        _checkpointWanted = recovered.Upgraded is not null;
        if (!_transition)
        {
            _ledger.Announce(_path);
        }

        new RecoveryTeller(site.Model.ConfigurationHash, Post, log).Tell(recovered, _transition, _commit);
        _detectors.Show(_path);
        _teller = new StoreTeller(store, recovered.Store, clock, Post, log);

        // What was committed last was dated by a clock that was right, or the note says when one was.
        clock.Begin(_path.IsUnset || _path.HasHeld ? _clockNotes.LastGood : _path.Seen ?? _clockNotes.LastGood, _clockNotes.OffsetOfBoot);
        _hold = new ClockHold(clock, _clockNotes, site.Model.ClockHold, Post, log);

        // A clock that was set back while the gateway was off is a step like any other; so is one that was set at all since dates were provisional.
        var now = clock.At(clock.Monotonic);
        if (_path.Seen is { } before && (before - now > StepLimit || (_path.IsUnset && !_path.HasHeld && clock.Quality != TimeQuality.Unset && now - before > StepLimit)))
        {
            _hold.Step(now - before, "While the gateway was off the wall clock was set", MustHold);
        }

        var stop = recovered.Store.Counters.GetValueOrDefault(Absences.StopCounter);
        if (change is not null)
        {
            TellChange(change);
        }
        else
        {
            NoteAbsence(stop > 0 && stop == _path.Batch ? Absences.Stopped : Absences.NotStopped, wait?.Since ?? clock.Monotonic);
        }

        if (stop > 0)
        {
            ForgetStop();
        }

        if (wait is not null)
        {
            _teller.TellDegraded(wait.Problem, clock.At(wait.Since));
            Back(wait.NotStored, clock.At(wait.Since));
        }
    }

    /// <summary>Readings processed since the process started.</summary>
    public long Taken => _intake.Taken;

    /// <summary>Readings that wait to be taken.</summary>
    public int Queued => _queue.Count;

    /// <summary>What it has counted since the process started, for metrics.</summary>
    public PipelineCounts Counts
    {
        get
        {
            var bad = _intake.TakenBad;
            return new(Math.Max(0, Taken - bad), bad, _detectors.RuleFaults, _ledger.Progress.Last, _ledger.RestatementFrom is not null);
        }
    }

    /// <summary>What text points read last, by point index; null before the first reading.</summary>
    public string?[] Texts => _intake.Texts;

    /// <summary>Readings that are kept back until the clock is known.</summary>
    public long Held => Interlocked.Read(ref _held);

    /// <summary>The last time of which it is known that it was right: nothing that is valid now began later (requirement T-4).</summary>
    public Instant? LastGood => _clockNotes.LastGood;

    /// <summary>Why the store cannot be written now, or null.</summary>
    public string? Failing => _failing;

    /// <summary>Newest values while the store cannot be written, for the uplinks.</summary>
    public IVolatileSource Volatile => _unstored.Source;

    /// <summary>What the gateway writes to storage.</summary>
    public FlashWear Wear { get; }

    /// <summary>The mark of the budget that is in force, in percent of the store in use; 0 below all of them.</summary>
    public int Watermark => _teller.Watermark;

    /// <summary>The alarms as they were committed last, the most urgent first.</summary>
    public ImmutableArray<AlarmEntry> Alarms => _detectors.Alarms;

    /// <summary>How far the detector for any gauge was on its points a minute ago at most.</summary>
    public IReadOnlyList<NoveltyProgress> Learners => _detectors.Learners;

    /// <summary>Asked whether somebody follows a sample.</summary>
    public Follower Follower { get; } = new();

    /// <summary>Buses with totals of their own.</summary>
    public IReadOnlyList<IStateKeeper> Keepers { get; set; } = [];

    /// <summary>Called at each turn with the time that the loop is going to rest: its sign of life.</summary>
    public Action<TimeSpan>? Turned { get; set; }

    /// <summary>Asks for a record that the program itself makes, with the next commit.</summary>
    public void Post(Action<FeedEncoder, Instant> record) => _posted.Post(record);

    /// <summary>Asks for a record and for notes beside it, and completes once both are on the disk: what must not happen unrecorded waits for this.</summary>
    /// <remarks>Not to be called after <see cref="RunAsync"/> has been told to stop.</remarks>
    /// <exception cref="StoreException">The loop ended before they were written.</exception>
    public Task RecordAsync(Action<FeedEncoder, Instant> record, params StoreNote[] notes)
    {
        var done = _posted.PostAsync(record, notes);
        _queue.Wake();
        return done;
    }

    /// <summary>Hash of the factor set by which the history in the ledger is stated, when another one is in force; null when nothing is to be stated again.</summary>
    public string? RestatementFrom => _ledger.RestatementFrom;

    /// <summary>How the ledger stands, as committed.</summary>
    public LedgerProgress Ledger => _ledger.Progress;

    /// <summary>Publishes a restatement and enters it into the ledger; completes once it is on the disk. Afterwards it is not due any more.</summary>
    /// <exception cref="StoreException">The loop ended before it was written.</exception>
    public Task RestateAsync(Restatement restatement) => RecordAsync((encoder, now) =>
    {
        restatement.Publish(_path.Ledger, encoder, now);
        _ledger.Restated(restatement.To.Hash);
    });

    /// <summary>Does what a person asks for with alarms, and completes once it is on the disk.</summary>
    /// <remarks>It is no input of the sample log: the checkpoint of the same commit makes sure that it is never replayed, which is why it waits for held readings.</remarks>
    /// <returns>Why it is refused, for that person; null when it is done.</returns>
    /// <exception cref="StoreException">The store cannot be written, or the loop ended before it was.</exception>
    public Task<string?> OrderAsync(AlarmOrder order) => OrderAsync("alarms", (pipeline, now) => pipeline.Alarms.Apply(order, now), null);

    /// <summary>Enters a calibration check that a person has made, and completes once it is on the disk; as an order about alarms, it is no input of the sample log.</summary>
    /// <returns>Why it is refused, for that person; null when it is done.</returns>
    /// <exception cref="StoreException">The store cannot be written, or the loop ended before it was.</exception>
    public Task<string?> EnterAsync(CalibrationOrder order) => OrderAsync("stacks", (pipeline, now) => pipeline.Cems.Enter(order, now), null);

    /// <summary>Enters a linearity check or a RATA that a person has made, in the same way.</summary>
    /// <returns>Why it is refused, for that person; null when it is done.</returns>
    /// <exception cref="StoreException">The store cannot be written, or the loop ended before it was.</exception>
    public Task<string?> EnterAsync(AuditOrder order) => OrderAsync("stacks", (pipeline, now) => pipeline.Cems.EnterAudit(order, now), null);

    /// <summary>Does what a person asks for with the accounts, in the same way, and records it.</summary>
    /// <param name="order">Does it; says why not, or null.</param>
    /// <param name="record">What the feed is told when it is done.</param>
    /// <param name="entry">What the ledger is told then; null for nothing.</param>
    /// <returns>Why it is refused, for that person; null when it is done.</returns>
    /// <exception cref="StoreException">The store cannot be written, or the loop ended before it was.</exception>
    public Task<string?> OrderAsync(Func<Pipeline, string?> order, Func<Instant, HealthRecord> record, Func<Pipeline, Instant, LedgerContent?> entry) => OrderAsync("accounts", (pipeline, now) =>
    {
        var refusal = order(pipeline);
        if (refusal is null && entry(pipeline, now) is { } content)
        {
            _path.Ledger.Enter(content);
        }

        return refusal;
    }, record);

    /// <summary>Asks the pipeline something, between two batches.</summary>
    /// <exception cref="StoreException">The store cannot be written, or the loop ended before it was.</exception>
    public async Task<T> AskAsync<T>(Func<Pipeline, T> question)
    {
        ThrowIfFailing("the accounts could not be asked");
        T? answer = default;
        await RecordAsync((_, _) => answer = question(_path.Pipeline)).ConfigureAwait(false);
        return answer!;
    }

    private async Task<string?> OrderAsync(string what, Func<Pipeline, Instant, string?> order, Func<Instant, HealthRecord>? record)
    {
        ThrowIfFailing($"what is done with {what} could not be recorded, so nothing was done");
        string? refusal = null;
        await RecordAsync((encoder, now) =>
        {
            if (_path.HasHeld || MustHold)
            {
                refusal = $"Readings wait until the clock is known, and {what} with them; try again when 'edgegateway status' shows the clock.";
                return;
            }

            refusal = order(_path.Pipeline, now);
            _checkpointWanted |= refusal is null;
            if (refusal is null && record is not null)
            {
                encoder.Health(record(now));
            }
        }).ConfigureAwait(false);
        return refusal;
    }

    private void ThrowIfFailing(string then)
    {
        if (_failing is { } why)
        {
            throw new StoreException(StoreFailure.Io, $"The store cannot be written ({why}): {then}.");
        }
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

            if (_isGoingOn)
            {
                // It never stopped.
                return;
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
        _hold.TellQuality();
    }

    /// <summary>The last commit of <see cref="RunAsync"/> says that the gateway stops, and how far each stream was numbered: nothing is numbered after that.</summary>
    /// <param name="isChange">True when another configuration follows at once and buses go on polling: then it does not stop.</param>
    public void End(bool isChange = false) => (_isChange, _saysStop) = (isChange, !isChange);

    /// <summary>Whether another configuration follows.</summary>
    public bool IsChange => _isChange;

    /// <summary>Goes back on <see cref="End"/>: no other configuration follows, and the gateway stops. Without effect once the last commit has begun.</summary>
    public void Withdraw()
    {
        lock (_ending)
        {
            if (!_isLast)
            {
                End();
            }
        }
    }

    /// <summary>What remains unsaid when the last commit failed. Call once <see cref="RunAsync"/> has ended.</summary>
    /// <param name="problem">Why it failed.</param>
    public Shortfall GiveUp(string problem)
    {
        var isNew = _failing is null;
        return new(
            _failing ?? problem, isNew ? _clock.At(_clock.Monotonic) : _unstored.Since, isNew ? 0 : _unstored.End(_queue),
            [.. _commit.Notes.Where(n => n.Key.StartsWith(LineWatch.KeyPrefix, StringComparison.Ordinal))]);
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
            lock (_ending)
            {
                _isLast = true;
            }

            await CommitAsync(stop).ConfigureAwait(false);
        }
        finally
        {
            _posted.End();
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
        while (window > TimeSpan.Zero && !_queue.IsWorthACommit && _posted.IsEmpty && !stop.IsCancellationRequested);
    }

    /// <summary>Commits what the uplinks acknowledged after the last records; call once <see cref="RunAsync"/> and the uplinks have ended.</summary>
    /// <exception cref="StoreException">It could not be written: these rows will be delivered again.</exception>
    public void Settle() => _store.Commit(_commit);

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
        InputBatch? inHand = null;
        while (true)
        {
            try
            {
                Committed(_store.Commit(_commit));
                if (inHand is not { } batch)
                {
                    return;
                }

                inHand = null;
                Feed(batch with { Number = _store.NextBatchNumber });
                Pack(_clock.Monotonic);
                continue;
            }
            catch (StoreException e) when ((e.CanRetry || e.Failure == StoreFailure.BudgetExhausted) && !stop.IsCancellationRequested)
            {
                if (e.Failure == StoreFailure.BudgetExhausted && GiveWay(ref inHand))
                {
                    continue;
                }

                if (_failing is null)
                {
                    BeginFailing(e.Message);
                }

                _failing = e.Message;
            }

            _unstored.Offer(_clock);
            Turned?.Invoke(RetryDelay);

            // Not cancelled by the stop: the readings in hand are accepted only once they are on disk.
            await Task.Delay(RetryDelay, _clock.Time, CancellationToken.None).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// The commit does not fit whatever the store evicts. What gives way, in this order: the wait for the clock, because readings that are held keep the whole
    /// sample log; the way back to before this commit, because a checkpoint frees the log; the oldest rows of the commit itself, counted and stated like
    /// all that is evicted.
    /// </summary>
    /// <param name="inHand">Receives what was to be held and is to be processed with the next commit.</param>
    /// <returns>False when nothing is left to give way: only a larger budget helps.</returns>
    private bool GiveWay(ref InputBatch? inHand)
    {
        if (_path.HasHeld)
        {
            inHand = ReleaseAll();
            return true;
        }

        if (_commit.Checkpoint is null && _commit.Input is not null)
        {
            Checkpoint(_path.Now!.Value);
            return true;
        }

        return _commit.GiveUp(_commit.RowBytes / 2);
    }

    /// <summary>Processes all that is held with the commit in hand, and its checkpoint with it: after that nothing needs the sample log before it.</summary>
    /// <returns>The batch in hand, when it was to be held as well: it comes after those before it.</returns>
    private InputBatch? ReleaseAll()
    {
        var monotonic = _clock.Monotonic;
        if (MustHold)
        {
            _commitNotes.Add(_hold.End("the store has no room for more of them"));
        }

        InputBatch? inHand = null;
        var batch = _commit.Input ?? new InputBatch(_store.NextBatchNumber, _clock.At(monotonic), _bootId, _clock.SinceBoot(monotonic), null, default) { Quality = _clock.Quality };
        if (batch.Held)
        {
            _path.TakeBack(batch);
            inHand = batch with { Held = false };
            batch = batch with { Held = false, Samples = default };
        }

        var last = _path.LastHeld;
        if (!_path.HasHeld)
        {
            // Not even the first of them fits.
            Feed(inHand!.Value);
            inHand = null;
        }
        else
        {
            var release = batch.Release ?? new HeldRelease(last, _clock.Quality == TimeQuality.Unset ? null : _clock.OffsetOfBoot);
            if (batch.Release is null)
            {
                _hold.TellRelease(_path.HeldSamples, release.Offset is not null && _path.HeldBoot == _bootId);
            }

            var wasUnset = _path.HeldBoot != _bootId;
            while (_path.HasHeld)
            {
                // In groups, so that not all their records are in memory at once.
                Feed(batch with { Release = release with { Through = Math.Min(_path.FirstHeld + ReleaseGroup - 1, last) } });
                _commit.Rows.AddRange(_path.Encoder.Flush(_path.Now ?? _clock.At(monotonic)));
                _commit.GiveUp(MostBytesInHand);
            }

            _commit.Input = batch with { Release = release with { Through = last } };
            if (_transition)
            {
                // The replay changes over with the batch that releases the last.
                Begin(_clock.At(monotonic));
            }

            StepAfterRelease(wasUnset, monotonic);
        }

        _checkpointWanted = true;
        _commit.Heads.Clear();
        Pack(monotonic);
        return inHand;
    }

    private void BeginFailing(string problem)
    {
        Log.StoreFailing(_log, problem);
        Follower.Current?.StoreFails(problem);
        _unstored.Begin(_queue, _clock.At(_clock.Monotonic));
        _teller.TellDegraded(problem, _unstored.Since);
    }

    private void EndFailing()
    {
        _failing = null;
        Back(_unstored.End(_queue), _unstored.Since);
    }

    private void Back(long notStored, Instant since)
    {
        _wasFailing = true;
        _teller.TellBack(_commit, notStored, since);
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

        Follower.Current?.Committed(_commit.Rows, result.FirstRowId);
        _checkpointWanted |= result.CheckpointWanted;
        if (result.LogIsFull && _path.HasHeld && MustHold)
        {
            _commitNotes.Add(_hold.End("the sample log has no more room"));
        }

        _commit.Clear();
        _detectors.Show(_path);
        if (wasFailing)
        {
            EndFailing();
        }

        _ledger.Committed();
        _posted.Committed();
        _teller.Committed(result, _commit);
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
        if (_transition || _afterLoss || _path.HasHeld || MustHold || _hold.HasStep || gap <= 2 * CatchUpStep || gap > Pipeline.LongSilence)
        {
            return false;
        }

        Feed(new InputBatch(_store.NextBatchNumber, _path.Now!.Value + CatchUpStep, _bootId, _clock.SinceBoot(monotonic), null, default) { Quality = _clock.Quality });
        Pack(monotonic);
        return true;
    }

    /// <summary>Whether readings are kept back now: the clock was never set, and may be soon. After a salvage there is no waiting: what was saved must be told.</summary>
    private bool MustHold => _hold.IsOn && !_afterLoss;

    /// <summary>Fills a commit with nothing but held batches that have got their dates, or that get none; a few at a time.</summary>
    private bool PrepareRelease()
    {
        if (MustHold && _hold.IsExpired)
        {
            _commitNotes.Add(_hold.End($"it was waited for {_site.Model.ClockHold.TotalMinutes:G3} minutes"));
        }

        // Those of another boot can get no dates any more. A change of configuration ends the wait as well: they belong to the one before.
        var isLate = _path.HasHeld && (_path.HeldBoot != _bootId || _transition);
        if (!_path.HasHeld || (MustHold && !isLate))
        {
            return false;
        }

        var monotonic = _clock.Monotonic;
        var isKnown = _clock.Quality != TimeQuality.Unset;
        var release = new HeldRelease(Math.Min(_path.FirstHeld + ReleaseGroup - 1, _path.LastHeld), isKnown ? _clock.OffsetOfBoot : null);
        if (_hold.HasCorrection || (!isKnown && !_isReleaseTold))
        {
            _hold.TellRelease(_path.HeldSamples, isKnown && _path.HeldBoot == _bootId);
        }

        _isReleaseTold = release.Through < _path.LastHeld;
        var wasUnset = _path.HeldBoot != _bootId;
        if (!_transition || release.Through == _path.LastHeld)
        {
            // What is held belongs to the configuration before; the last of it goes with the change.
            Begin(_clock.At(monotonic), release);
        }

        Feed(new InputBatch(_store.NextBatchNumber, _clock.At(monotonic), _bootId, _clock.SinceBoot(monotonic), null, default) { Quality = _clock.Quality, Release = release });
        StepAfterRelease(wasUnset, monotonic);
        Pack(monotonic);
        return true;
    }

    /// <summary>After provisional dates of another boot what follows is dated by another clock.</summary>
    private void StepAfterRelease(bool wasUnset, long monotonic)
    {
        if (wasUnset && !_path.HasHeld && _path.Now is { } before && (_clock.At(monotonic) - before).Duration() > StepLimit)
        {
            _hold.Step(_clock.At(monotonic) - before, "Since readings were held the wall clock was set", MustHold);
        }
    }

    /// <summary>Takes the readings, runs the local path, and fills the commit.</summary>
    private void Prepare(bool ending)
    {
        var monotonic = _clock.Monotonic;
        var now = _clock.At(monotonic);
        var samples = _intake.Take(out var taken);
        Follower.Current?.Taken(samples.Span, _clock.At);

        // Only now: a total that is committed is never behind a sample that is.
        foreach (var keeper in Keepers)
        {
            keeper.AddNews(_commit.Notes);
        }

        if (taken == ReadingQueue.Capacity && samples.Length > 0)
        {
            // More wait: the time is told only as far as it has been read.
            now = samples.Span[^1].Time;
        }

        TellFull();
        TellAbsences();
        var losses = _teller.IsDue(monotonic, ending);
        var isFarewell = _isLast && _saysStop;
        if (samples.Length > 0 || losses || _transition || _hold.HasStep || !_posted.IsEmpty || isFarewell || monotonic - _lastFed >= (long)IdleInterval.TotalMilliseconds)
        {
            // Before the seam after a salvage is told, which must not be held: the checkpoint of its own commit goes with it.
            var held = MustHold;
            Begin(now);
            Feed(new InputBatch(_store.NextBatchNumber, now, _bootId, _clock.SinceBoot(monotonic), _hold.TakeStep(), samples)
            {
                Quality = _clock.Quality,
                Held = held,
            });
            if (_hold.NoteGoodTime(now, monotonic, ending) is { } good)
            {
                _commit.Notes.Add(good);
            }

            _posted.TakeInto(_path.Encoder, now, _commit);
            if (monotonic >= _nextIssued)
            {
                // So that a receiver also notices a lost tail; at the stop it is said once more.
                if (_nextIssued > 0)
                {
                    _path.Encoder.StateIssued(now, "hourly");
                    _teller.RepeatIfDue(_path.Encoder, now);
                }

                _nextIssued = monotonic + (long)IssuedInterval.TotalMilliseconds;
            }

            _teller.NoteRepeats(_commit);

            if (ending && !_isChange)
            {
                _commit.Counters.Add((Absences.StopCounter, _path.Batch));
            }

            if (losses)
            {
                _teller.Publish(_commit, _path.Encoder, now, monotonic);
            }

            if (isFarewell)
            {
                _path.Encoder.Health(new HealthRecord { Time = now, Kind = HealthKind.Stop, Text = "The gateway was stopped." });
                _path.Encoder.StateIssued(now, "the gateway stops");
            }

            Pack(monotonic);
        }

        // Only now: readings taken so far were stamped with the offset that was in force. Acknowledgements go with the commit in any case.
        var wasHeld = MustHold;
        _hold.Renew(wasHeld);
    }

    /// <summary>
    /// Buses have gone on, so that there is nothing missing but what the last commit under the configuration before could not store, what damage took, and what buses that could not go on
    /// would have read.
    /// </summary>
    private void TellChange(ChangeOver change)
    {
        if (_afterLoss || change.Shortfall is not null)
        {
            // What waits in the queue was read after what is missing.
            NoteAbsence(Absences.StoreNotWritten, _queue.TryPeek(out var oldest) ? oldest.Monotonic : _clock.Monotonic);
        }
        else if (change.HasNone)
        {
            NoteAbsence(Absences.Changed, _clock.Monotonic);
        }

        if (!change.HasNone && change.Interrupted.Count > 0)
        {
            var since = _path.IsUnset ? "the last commit before" : $"{_path.Now}";
            var buses = string.Join(", ", change.Interrupted);
            Post((encoder, now) => encoder.Health(new HealthRecord
            {
                Time = now,
                Kind = HealthKind.Configuration,
                Text = $"{buses} changed with the configuration, and could not go on like the other buses: what is on {(change.Interrupted.Count == 1 ? "it" : "them")} was not read from {since} until now.",
            }));
        }

        if (change.Shortfall is { } shortfall)
        {
            // Before what the keepers of these totals tell next.
            _commit.Notes.AddRange(shortfall.Notes);
            _teller.TellDegraded(shortfall.Problem, shortfall.Since);
            Back(shortfall.NotStored, shortfall.Since);
        }
    }

    /// <summary>Notes that nothing was acquired from the last commit until this process polled; it is told when what lies on both sides of it has its dates.</summary>
    private void NoteAbsence(string reason, long until)
    {
        if (_path.Seen is null)
        {
            // A first start was never away.
            return;
        }

        // What was held, or processed under a clock that was not set, has no date that means anything. After damage nobody knows what the last commit was.
        var isUnset = _path.HasHeld || _path.IsUnset;
        var from = _afterLoss ? default : isUnset ? new SpanEnd(null, _path.SeenBoot, _path.SeenSinceBoot) : new SpanEnd(_path.Now, Guid.Empty, 0);
        if (_absences.Newest is { } before && before.From == from && from != default)
        {
            // The start before this one was cut off before it committed a reading, and has noted how long the gateway was off until then.
            from = before.To;
        }

        _absences.Add(new Absence(from, new SpanEnd(null, _bootId, _clock.SinceBoot(until)), _afterLoss ? _isRestored ? Absences.StoreRestored : Absences.StoreDamaged : reason));
        if (!CanTellAbsences)
        {
            _commitNotes.Add(_absences.Note());
        }
    }

    /// <summary>
    /// Takes the record of the orderly stop away before the first reading is taken, and notes what it explains: should this start be cut off before its first commit, what
    /// follows was not stopped by anybody.
    /// </summary>
    private void ForgetStop()
    {
        _commit.Counters.Add((Absences.StopCounter, 0));
        _commit.Notes.AddRange(_commitNotes);
        _commitNotes.Clear();
        if (_absences.Any)
        {
            _commit.Notes.Add(_absences.Note());
        }

        try
        {
            Committed(_store.Commit(_commit));
        }
        catch (StoreException e) when (e.CanRetry || e.Failure == StoreFailure.BudgetExhausted)
        {
            // It goes with the first commit, which tells what is wrong if that lasts.
            Log.StoreFailing(_log, e.Message);
        }
    }

    // While readings are held, the time before them has no end yet; and the statement would have no date.
    private bool CanTellAbsences => !MustHold && !_path.HasHeld;

    private void TellAbsences()
    {
        if (!_absences.Any || !CanTellAbsences)
        {
            return;
        }

        var told = _absences.Take(_clock.At(_clock.Monotonic), _bootId, _clock.Quality == TimeQuality.Unset ? null : _clock.OffsetOfBoot, out var done);
        if (done is { } note)
        {
            _commitNotes.Add(note);
        }

        foreach (var absence in told)
        {
            Post((encoder, _) => encoder.Range(absence with { Epoch = encoder.Heads.Epoch }));
        }
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
            _ledger.Announce(_path);
            LedgerKeeper.TellForgotten(_path, now);
            _transition = false;
            _checkpointWanted = true;
        }

        if (_mayKnowLess && !_path.HasHeld)
        {
            // As below, no input of the log.
            if (_path.Pipeline.EntersOnce)
            {
                _path.Pipeline.Continue(_ledger.ReadEntered());
            }

            _mayKnowLess = false;
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
        var followed = Follower.Current is { IsTaken: true } follow ? follow : null;
        if (followed is not null && input.Held)
        {
            followed.Held();
            followed = null;
        }

        if (followed is not null)
        {
            _path.Pipeline.Watch(followed.Point, followed.Judged);
        }

        try
        {
            _path.Feed(input);
        }
        catch (InvalidDataException e)
        {
            _store.MarkDamaged(e.Message);
            throw new StoreException(StoreFailure.Damaged, $"The store is damaged: {e.Message}", e);
        }
        finally
        {
            if (followed is not null)
            {
                _path.Pipeline.Watch(followed.Point, null);
            }
        }

        _detectors.TellFaults(_path.Pipeline);
        _commit.Input = input;
        _lastFed = _clock.Monotonic;
        Interlocked.Exchange(ref _held, _path.HeldSamples);
    }

    private void Pack(long monotonic)
    {
        // While the clock is not set the path knows no time yet, and the records of the program are dated by the clock as it is.
        var now = _path.Now ?? _clock.At(monotonic);
        _commit.Notes.AddRange(_commitNotes);
        _commitNotes.Clear();
        _commit.Rows.AddRange(_path.Encoder.Flush(now));
        Follower.Current?.Packed(_commit.Rows);
        var heads = _path.Encoder.Heads;
        foreach (var stream in FeedHeads.Streams)
        {
            _commit.Heads.Add(new StreamHead(stream, heads.Epoch, heads[stream]));
        }

        // Held batches are read again from the sample log: it must reach back to the first of them.
        if (!_path.HasHeld && (_checkpointWanted || monotonic >= _nextCheckpoint))
        {
            Checkpoint(now);
            _nextCheckpoint = monotonic + (long)CheckpointInterval.TotalMilliseconds;
            _checkpointWanted = false;
        }

        // Until then what the version before committed is read again by this one, and the ledger must not say that it was this one's.
        _ledger.IsUnsettled &= _commit.Checkpoint is null;
        _ledger.Pack(_path, now, _commit);
    }

    /// <summary>What detectors learnt and stacks look back on is much and hardly deflates: it may be written only at its pace. A restart evaluates more of the sample log instead, and nothing is lost.</summary>
    private TimeSpan CheckpointInterval
    {
        get
        {
            var asked = _site.Model.Storage.CheckpointInterval;
            var pace = TimeSpan.FromSeconds(_path.Pipeline.LearntBytes / LearntBytesPerSecond);
            return asked > pace ? asked : pace < LongestCheckpointInterval ? pace : LongestCheckpointInterval;
        }
    }

    private void Checkpoint(Instant now)
    {
        _state.Clear();
        _path.Save(_state);
        _commit.Checkpoint = new Checkpoint(_path.Batch, _path.Site.ConfigurationHash, now, _state.Written);
        _commit.Counters.AddRange(Wear.Counters());
    }
}
