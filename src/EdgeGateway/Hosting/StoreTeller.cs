using EdgeGateway.Core;
using EdgeGateway.Core.Feed;
using EdgeGateway.Storage;
using Microsoft.Extensions.Logging;

namespace EdgeGateway.Hosting;

/// <summary>Tells log and feed how it is with the store: how full it is, whether it can be written, and what was lost (requirements E-5, P-5 and R-5).</summary>
/// <remarks>Used by the commit loop only; its records go with the next commit.</remarks>
internal sealed class StoreTeller
{
    /// <summary>Counter in the store: the mark of the budget that was told last, in percent.</summary>
    private const string WatermarkCounter = "storage-watermark";

    /// <summary>Milliseconds more while nothing is delivered: nobody would read the statements, and they are kept longest of all.</summary>
    private const long UndeliveredLossDelay = 59 * 60_000;

    /// <summary>Losses are published at most so often, and pressure is logged once in ten of these.</summary>
    private static readonly TimeSpan LossInterval = TimeSpan.FromMinutes(1);

    private readonly SqliteStore _store;
    private readonly GatewayClock _clock;
    private readonly ILogger _log;
    private readonly Action<Action<FeedEncoder, Instant>> _post;
    private readonly LossNotices _losses = new();
    private readonly RangeRepeats _repeats;

    private string? _diskFullTold;
    private int _watermark;
    private bool _lossesChanged;
    private long _nextLossNotice;
    private long _lossLogged;

    /// <param name="store">The store.</param>
    /// <param name="found">What was found at its opening.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="post">Takes records for the next commit.</param>
    /// <param name="log">The log.</param>
    public StoreTeller(SqliteStore store, StoreRecovery found, GatewayClock clock, Action<Action<FeedEncoder, Instant>> post, ILogger log)
    {
        _store = store;
        _clock = clock;
        _post = post;
        _log = log;
        _watermark = (int)found.Counters.GetValueOrDefault(WatermarkCounter);
        _repeats = new RangeRepeats(found.Counters.GetValueOrDefault(RangeRepeats.Counter) != 0);
        TellRotten(found.RottenLossLines);
        _losses.Add(found.UnpublishedLosses);
        _repeats.Note(found.UnpublishedLosses);

        // Again at each start: a broker may have lost what it retained.
        _lossesChanged = store.LostRecords().Count > 0;
    }

    /// <summary>The mark of the budget that is in force, in percent of the store in use; 0 below all of them. From any thread.</summary>
    public int Watermark => Volatile.Read(ref _watermark);

    /// <summary>Tells that nothing can be stored.</summary>
    public void TellDegraded(string problem, Instant since) =>
        _post((encoder, _) => encoder.Health(new HealthRecord { Time = since, Kind = HealthKind.StorageDegraded, Text = problem }));

    /// <summary>Tells that the store can be written again.</summary>
    /// <param name="commit">The next commit, which counts the readings.</param>
    /// <param name="notStored">Readings that found no place in memory.</param>
    /// <param name="since">Since when nothing could be stored.</param>
    public void TellBack(CommitBatch commit, long notStored, Instant since)
    {
        commit.ReadingsNotStored = notStored;
        _lossesChanged |= notStored > 0;
        Log.StoreBack(_log, notStored);
        _post((encoder, now) => encoder.Health(new HealthRecord
        {
            Time = now,
            Kind = HealthKind.StorageRecovered,
            Text = "The store can be written again.",
            Fields = [new HealthField("failedSeconds", (long)(now - since).TotalSeconds), new HealthField("readingsNotStored", notStored)],
        }));
    }

    /// <summary>Tells what a commit changed.</summary>
    /// <param name="result">What it did.</param>
    /// <param name="next">The next commit.</param>
    public void Committed(in CommitResult result, CommitBatch next)
    {
        TellDiskFull();
        TellWatermark(next);
        _losses.Add(result.Losses);
        _lossesChanged |= result.Losses.Count > 0;
        _repeats.Note(result.Losses);
        LogLosses(result.Losses);
    }

    /// <summary>True when losses or their totals are to be published now.</summary>
    /// <param name="monotonic">Now.</param>
    /// <param name="ending">True with the last commit.</param>
    public bool IsDue(long monotonic, bool ending) =>
        (_losses.Any || _lossesChanged) && (ending || monotonic >= _nextLossNotice + (_store.IsUndelivered ? UndeliveredLossDelay : 0));

    /// <summary>Publishes losses and totals with a commit.</summary>
    public void Publish(CommitBatch commit, FeedEncoder encoder, Instant now, long monotonic)
    {
        commit.LossesPublishedThrough = _losses.Publish(encoder, now);
        PublishTotals(encoder, now);
        _nextLossNotice = monotonic + (long)LossInterval.TotalMilliseconds;
    }

    /// <summary>Once an hour: says everything again when statements were lost.</summary>
    public void RepeatIfDue(FeedEncoder encoder, Instant now)
    {
        if (_repeats.IsTime())
        {
            _repeats.Repeat(encoder, _store.Statistics().Losses, now);
        }
    }

    /// <summary>Notes in a commit whether statements wait to be said again; before <see cref="Publish"/>.</summary>
    public void NoteRepeats(CommitBatch commit)
    {
        if (_repeats.Change() is { } repeat)
        {
            commit.Counters.Add((RangeRepeats.Counter, repeat));
        }
    }

    /// <summary>Tells that lines about losses were not what was written; what the others say is said again.</summary>
    private void TellRotten(int lines)
    {
        if (lines == 0)
        {
            return;
        }

        _repeats.Want();
        var text = $"{lines} lines of the account of lost records are not what was written and are taken out; the others are told again.";
        Log.LossLinesRotten(_log, text);
        _post((encoder, now) => encoder.Health(new HealthRecord { Time = now, Kind = HealthKind.StorageDegraded, Text = text }));
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
                _post((encoder, now) => encoder.Health(new HealthRecord { Time = now, Kind = HealthKind.StorageDegraded, Text = problem }));
            }

            return;
        }

        Log.DiskHasSpace(_log);
        _post((encoder, now) => encoder.Health(new HealthRecord { Time = now, Kind = HealthKind.StorageRecovered, Text = "The file system has space again; the store is back to its budget." }));
    }

    /// <summary>Tells when a mark of the budget is passed, up or down.</summary>
    private void TellWatermark(CommitBatch next)
    {
        var inUse = _store.InUse;
        var mark = Watermarks.Next(inUse, _watermark);
        if (mark == _watermark)
        {
            return;
        }

        var raised = mark > _watermark;
        var percent = (int)(inUse * 100);
        Volatile.Write(ref _watermark, mark);
        next.Counters.Add((WatermarkCounter, mark));
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

        _post((encoder, now) => encoder.Health(new HealthRecord
        {
            Time = now,
            Kind = HealthKind.StorageWatermark,
            Text = text,
            Fields = [new HealthField("watermarkPercent", mark), new HealthField("inUsePercent", percent), new HealthField("change", raised ? "raised" : "cleared")],
        }));
    }

    private void LogLosses(IReadOnlyList<RecordLoss> losses)
    {
        var now = _clock.Monotonic;
        if (losses.Count == 0 || (_lossLogged > 0 && now - _lossLogged < 10 * (long)LossInterval.TotalMilliseconds))
        {
            return;
        }

        _lossLogged = now;
        var loss = losses[0];
        Log.RecordsLost(_log, loss.Last - loss.First + 1, loss.Stream.Word(), loss.Reason);
        _post((encoder, at) => encoder.Health(new HealthRecord
        {
            Time = at,
            Kind = LossReason.StateOf(loss.Reason) is RangeState.Evicted or RangeState.Thinned ? HealthKind.Eviction : HealthKind.Quarantine,
            Text = LossReason.StateOf(loss.Reason) is RangeState.Evicted or RangeState.Thinned
                ? "The store is at a limit: the oldest records of the least class go; range statements say which, and what stands for them. Bring the link back, or raise the limits in storage."
                : "Records were set aside because they were refused or are unreadable; range statements say which.",
        }));
    }

    /// <summary>Publishes what was lost since the store was made, by cause, when that has changed (requirement R-5); with range statements, so at most once a minute.</summary>
    private void PublishTotals(FeedEncoder encoder, Instant now)
    {
        if (!_lossesChanged)
        {
            return;
        }

        _lossesChanged = false;
        var lost = _store.LostRecords().OrderBy(l => l.Key, StringComparer.Ordinal).ToArray();
        encoder.Health(new HealthRecord
        {
            Time = now,
            Kind = HealthKind.Totals,
            Text = "Records that did not or will not arrive, by cause, since the store was made. Range statements say which.",
            Fields = [.. lost.Select(l => new HealthField(FieldOf(l.Key), l.Value))],
        });
    }

    // Causes are words of the feed, and "not stored": the only one of two words.
    private static string FieldOf(string cause) => cause == SqliteStore.NotStored ? "notStored" : cause;
}
