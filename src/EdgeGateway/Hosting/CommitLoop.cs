using System.Collections.Concurrent;
using EdgeGateway.Core;
using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Outbox;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using EdgeGateway.Core.State;
using EdgeGateway.Storage;
using Microsoft.Extensions.Logging;

namespace EdgeGateway.Hosting;

/// <summary>
/// The one loop that makes records: once a commit window it takes the readings, feeds them to the <see cref="LocalPath"/>, and commits
/// inputs, records, sequence numbers and acknowledgements in one transaction.
/// </summary>
internal sealed class CommitLoop
{
    /// <summary>A change of the wall clock against the monotonic one that counts as a step (requirement T-3).</summary>
    private static readonly TimeSpan StepLimit = TimeSpan.FromSeconds(2);

    /// <summary>Without readings the time is fed only so often: an idle gateway writes little.</summary>
    private static readonly TimeSpan IdleInterval = TimeSpan.FromSeconds(5);

    private const string GatewayText = "gateway.yaml";

    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);

    private readonly LoadedSite _site;
    private readonly SqliteStore _store;
    private readonly ReadingQueue _queue;
    private readonly GatewayClock _clock;
    private readonly RetainedBirths _births;
    private readonly ILogger _log;
    private readonly Guid _bootId;
    private readonly ConcurrentQueue<Action<FeedEncoder, Instant>> _posted = new();
    private readonly StateWriter _state = new();
    private readonly CommitBatch _commit;
    private LocalPath _path;
    private Sample[] _samples = new Sample[4096];
    private long _nextCheckpoint;
    private long _lastFed;
    private TimeSpan? _step;
    private bool _checkpointWanted;
    private bool _transition;
    private long _lossesThrough;
    private volatile string? _failing;
    private long _taken;

    public CommitLoop(LoadedSite site, SqliteStore store, ReadingQueue queue, GatewayClock clock, RetainedBirths births, ILogger log)
    {
        _site = site;
        _store = store;
        _queue = queue;
        _clock = clock;
        _births = births;
        _log = log;
        _bootId = BootId.Current();
        _path = Recover();
        _commit = new CommitBatch { ValueOf = ValueOf(_path.Site) };
    }

    /// <summary>Readings processed since the process started.</summary>
    public long Taken => Interlocked.Read(ref _taken);

    /// <summary>Why the store cannot be written now, or null.</summary>
    public string? Failing => _failing;

    /// <summary>Asks for a record that the program itself makes, with the next commit.</summary>
    public void Post(Action<FeedEncoder, Instant> record) => _posted.Enqueue(record);

    /// <summary>Announces the devices and the start.</summary>
    public void Begin()
    {
        var site = _site.Model;
        Post((encoder, now) =>
        {
            for (var device = 0; device < site.Devices.Count; device++)
            {
                encoder.Birth(device, now);
            }

            encoder.Health(new HealthRecord
            {
                Time = now,
                Kind = HealthKind.Start,
                Text = "The gateway started.",
                Fields = [new HealthField("configuration", site.ConfigurationHash), new HealthField("bootId", _bootId.ToString())],
            });
        });
    }

    /// <summary>Says that the gateway stops, and asks for a last commit with a checkpoint.</summary>
    public void End()
    {
        Post((encoder, now) =>
        {
            encoder.Health(new HealthRecord { Time = now, Kind = HealthKind.Stop, Text = "The gateway was stopped." });
            encoder.StateIssued(now, "the gateway stops");
        });
        _checkpointWanted = true;
        _queue.Wake();
    }

    /// <summary>Commits once a window until cancelled, then once more.</summary>
    /// <exception cref="StoreException">The store is damaged beyond going on; a restart salvages it.</exception>
    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            await _queue.WaitAsync(_site.Model.Storage.CommitWindow).ConfigureAwait(false);
            await CommitAsync(stop).ConfigureAwait(false);
        }

        _checkpointWanted = true;
        await CommitAsync(stop).ConfigureAwait(false);
    }

    /// <summary>Commits what the uplinks acknowledged after the last records; call once <see cref="RunAsync"/> and the uplinks have ended.</summary>
    /// <exception cref="StoreException">It could not be written: these rows will be delivered again.</exception>
    public void Settle() => _store.Commit(_commit);

    /// <summary>Value of a raw register under a configuration; what the sample log leaves out.</summary>
    private static Func<int, ulong, double> ValueOf(SiteModel site)
    {
        var encodings = site.Points.Select(p => p.Encoding).ToArray();
        return (point, raw) => (uint)point < (uint)encodings.Length && RegisterCodec.DecodeRaw(encodings[point], raw, out var value) == DecodeStatus.Ok
            ? value
            : double.NaN;
    }

    private LocalPath Recover()
    {
        var recovery = _store.Recover();
        var stored = Heads(recovery.Heads);
        var current = _site.Model;
        LocalPath path;
        if (recovery.Checkpoint is { } checkpoint)
        {
            path = new LocalPath(SiteOf(checkpoint.ConfigurationHash), stored);
            path.Load(checkpoint.State.Span);
        }
        else
        {
            var first = _store.ReadBatches(0).FirstOrDefault();
            path = new LocalPath(first.ConfigurationHash is { } hash ? SiteOf(hash) : current, FeedHeads.Start(stored.Epoch));
        }

        path = Replay(path, recovery, stored);
        _store.SaveConfiguration(current.ConfigurationHash, Texts());
        _transition = path.Site.ConfigurationHash != current.ConfigurationHash;
        if (_transition)
        {
            Post((encoder, now) => encoder.Health(new HealthRecord
            {
                Time = now,
                Kind = HealthKind.Configuration,
                Text = "Another configuration is in force.",
                Fields = [new HealthField("configuration", current.ConfigurationHash)],
            }));
        }

        Tell(recovery);

        // A clock that was set back while the gateway was off is a step like any other.
        var now = _clock.At(_clock.Monotonic);
        if (path.Now is { } before && before - now > StepLimit)
        {
            Step(now - before, "While the gateway was off the wall clock was set");
        }

        return path;
    }

    private LocalPath Replay(LocalPath path, StoreRecovery recovery, FeedHeads stored)
    {
        path.Encoder.Replay = true;
        var samples = new Sample[4096];
        long replayed = 0;
        var valueOf = ValueOf(path.Site);
        foreach (var batch in _store.ReadBatches(path.Batch))
        {
            var changed = batch.ConfigurationHash is { } hash && hash != path.Site.ConfigurationHash ? SiteOf(hash) : null;
            if (changed is not null)
            {
                valueOf = ValueOf(changed);
            }

            var status = InputBatchCodec.TryDecode(batch.Frame.Span, valueOf, ref samples, out var input);
            if (status != FrameStatus.Intact || batch.Number != path.Batch + 1)
            {
                throw new StoreException(StoreFailure.Damaged, $"Batch {batch.Number} of the sample log cannot be read or does not follow on batch {path.Batch} ({status}). Start again: opening the store salvages what can be read.");
            }

            if (changed is not null)
            {
                path = Transition(path, changed, input.Now, []);
            }

            path.Feed(input);
            replayed++;
        }

        if (path.Encoder.Heads.DifferenceAfterReplay(stored) is { } difference)
        {
            Log.ReplayDiffers(_log, difference);
        }

        path.Encoder.Heads = stored;
        path.Encoder.Replay = false;
        if (!recovery.FirstStart)
        {
            Log.Resumed(_log, recovery.Checkpoint?.LogNumber ?? 0, replayed);
        }

        return path;
    }

    /// <summary>Publishes what the store found at its opening, and losses that were never told.</summary>
    private void Tell(StoreRecovery recovery)
    {
        if (recovery.Report is { } report)
        {
            Log.StoreRecovered(_log, $"The store was damaged ({report.Cause}); {report.RowsSaved} rows and {report.BatchesSaved} batches were saved, the files were set aside as {report.SetAside}, and a new epoch {report.Epoch} begins");
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
                _commit.RecoveryReportPublished = true;
            });
        }

        Publish(recovery.UnpublishedLosses);
    }

    private void Publish(IReadOnlyList<RecordLoss> losses)
    {
        foreach (var loss in losses)
        {
            _lossesThrough = Math.Max(_lossesThrough, loss.Id);
            if (loss.Reason == LossReason.Evicted)
            {
                Log.Evicted(_log, loss.Last - loss.First + 1, loss.Stream.Word());
            }

            var through = _lossesThrough;
            Post((encoder, now) =>
            {
                encoder.Range(new RangeRecord
                {
                    Time = now,
                    Stream = loss.Stream,
                    Epoch = loss.Epoch,
                    First = loss.First,
                    Last = loss.Last,
                    State = loss.Reason switch
                    {
                        LossReason.Evicted => RangeState.Evicted,
                        LossReason.Unreadable => RangeState.Unreadable,
                        _ => RangeState.Quarantined,
                    },
                    Reason = loss.Reason,
                });
                _commit.LossesPublishedThrough = Math.Max(_commit.LossesPublishedThrough, through);
            });
        }
    }

    private async ValueTask CommitAsync(CancellationToken stop)
    {
        Prepare();
        while (true)
        {
            try
            {
                var result = _store.Commit(_commit);
                Committed(result);
                return;
            }
            catch (StoreException e) when (e.CanRetry)
            {
                if (_failing is null)
                {
                    Log.StoreFailing(_log, e.Message);
                    Post((encoder, now) => encoder.Health(new HealthRecord { Time = now, Kind = HealthKind.StorageDegraded, Text = e.Message }));
                }

                _failing = e.Message;
                if (stop.IsCancellationRequested)
                {
                    throw;
                }
            }

            // Not cancelled by the stop: the readings in hand are accepted only once they are on disk.
            await Task.Delay(RetryDelay, _clock.Time, CancellationToken.None).ConfigureAwait(false);
        }
    }

    private void Committed(CommitResult result)
    {
        if (_failing is not null)
        {
            _failing = null;
            Log.StoreBack(_log);
            Post((encoder, now) => encoder.Health(new HealthRecord { Time = now, Kind = HealthKind.StorageRecovered, Text = "The store can be written again." }));
        }

        if (result.Written && _commit.Rows.Count > 0)
        {
            _births.Committed([.. _commit.Rows.Select((row, i) => row with { Id = result.FirstRowId + i })]);
        }

        _checkpointWanted |= result.CheckpointWanted;
        _commit.Clear();
        Publish(result.Losses);
    }

    /// <summary>Takes the readings, runs the local path, and fills the commit.</summary>
    private void Prepare()
    {
        var monotonic = _clock.Monotonic;
        var now = _clock.At(monotonic);
        var count = Drain();
        var feed = count > 0 || _transition || _step is not null || !_posted.IsEmpty || monotonic - _lastFed >= (long)IdleInterval.TotalMilliseconds;
        if (feed)
        {
            if (_transition)
            {
                _path = Transition(_path, _site.Model, now, _commit.Rows);
                _commit.ValueOf = ValueOf(_path.Site);
                _transition = false;
                _checkpointWanted = true;
            }

            var input = new InputBatch(_store.NextBatchNumber, now, _bootId, monotonic, _step, _samples.AsMemory(0, count));
            _step = null;
            _path.Feed(input);
            _commit.Input = input;
            _lastFed = monotonic;
            while (_posted.TryDequeue(out var record))
            {
                record(_path.Encoder, now);
            }
        }

        // Only now: readings taken so far were stamped with the offset that was in force.
        var moved = _clock.Renew();
        if (moved.Duration() > StepLimit)
        {
            Step(moved, "The wall clock stepped");
        }

        if (!feed)
        {
            // Acknowledgements may still wait for a commit; the store knows.
            return;
        }

        _commit.Rows.AddRange(_path.Encoder.Flush(now));
        Heads(_commit.Heads, _path.Encoder.Heads);
        if (_checkpointWanted || monotonic >= _nextCheckpoint)
        {
            _state.Clear();
            _path.Save(_state);
            _commit.Checkpoint = new Checkpoint(_path.Batch, _path.Site.ConfigurationHash, now, _state.Written);
            _nextCheckpoint = monotonic + (long)_site.Model.Storage.CheckpointInterval.TotalMilliseconds;
            _checkpointWanted = false;
        }
    }

    /// <summary>Notes a step of the wall clock for the next batch, and tells it.</summary>
    private void Step(TimeSpan by, string what)
    {
        _step = by;
        Log.ClockStepped(_log, by);
        Post((encoder, at) => encoder.Health(new HealthRecord
        {
            Time = at,
            Kind = HealthKind.ClockStep,
            Text = $"{what} {(by < TimeSpan.Zero ? "back" : "forward")} by {by.Duration().TotalSeconds:F1} s; open windows were closed early and a new clock era began.",
            Fields = [new HealthField("stepMilliseconds", (long)by.TotalMilliseconds)],
        }));
    }

    private int Drain()
    {
        var count = 0;
        while (count < ReadingQueue.Capacity && _queue.TryRead(out var reading))
        {
            if (count == _samples.Length)
            {
                Array.Resize(ref _samples, count * 2);
            }

            _samples[count++] = new Sample(reading.Point, _clock.At(reading.Monotonic), reading.Value, reading.Raw, reading.Quality);
        }

        Interlocked.Add(ref _taken, count);
        return count;
    }

    /// <summary>
    /// Ends the path of one configuration and goes on with another: open windows are closed, counters and remainders continue by
    /// device and point id. Live and in replay the same code, so that the numbers of the records agree.
    /// </summary>
    /// <param name="from">The path that ends.</param>
    /// <param name="to">The configuration that comes into force.</param>
    /// <param name="now">When: the time of the first batch under the new configuration.</param>
    /// <param name="rows">Receives the rows of the windows that were closed; empty in replay.</param>
    private static LocalPath Transition(LocalPath from, SiteModel to, Instant now, List<OutboxRow> rows)
    {
        // A clock that was set back while the gateway was off must not end a window before its last sample.
        var end = from.Now is { } last && last > now ? last : now;
        from.Pipeline.Close(end);
        rows.AddRange(from.Encoder.Flush(end));
        var path = new LocalPath(to, from.Encoder.Heads);
        path.Encoder.Replay = from.Encoder.Replay;
        path.Continue(from);
        return path;
    }

    /// <summary>The texts that the store keeps beside the sample log.</summary>
    private Dictionary<string, string> Texts()
    {
        var texts = _site.Profiles.ToDictionary(p => p.Key, p => p.Value.Text, StringComparer.Ordinal);
        texts.Add(GatewayText, _site.Gateway.Text);
        return texts;
    }

    /// <summary>A configuration of the past, from the texts that the store keeps.</summary>
    private SiteModel SiteOf(string hash)
    {
        if (hash == _site.Model.ConfigurationHash)
        {
            return _site.Model;
        }

        var texts = _store.LoadConfiguration(hash)
            ?? throw new StoreException(StoreFailure.Damaged, $"The store does not hold configuration {hash}, under which its state was made.");
        var site = SiteFiles.Load(
            new SourceText(GatewayText, texts[GatewayText]),
            id => texts.TryGetValue(id, out var text) ? new SourceText(id, text) : null,
            [],
            out _,
            out var problems);
        return site ?? throw new StoreException(
            StoreFailure.TooNew,
            $"The configuration under which the store was left is not understood by this program ({(problems.Count > 0 ? problems[0] : null)}). Run the version that wrote it once, and stop it, before changing program and configuration together.");
    }

    private static FeedHeads Heads(IReadOnlyDictionary<FeedStream, StreamHead> heads) =>
        FeedHeads.From(heads.Values.Max(h => h.Epoch), stream => heads.TryGetValue(stream, out var head) ? head.Next : 1);

    private static void Heads(List<StreamHead> into, FeedHeads heads)
    {
        foreach (var stream in FeedHeads.Streams)
        {
            into.Add(new StreamHead(stream, heads.Epoch, heads[stream]));
        }
    }
}
