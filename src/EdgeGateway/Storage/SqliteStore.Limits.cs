using EdgeGateway.Core.Outbox;

namespace EdgeGateway.Storage;

// The limits beside the bytes: records that wait (requirement E-1), age (E-3), and samples that go early while nothing is delivered (E-6). Each
// takes a few rows in each commit at most, so that a limit that was lowered is reached in many small steps.
public sealed partial class SqliteStore
{
    // From this share of the pages on samples go early.
    private const int EarlyPercent = 85;

    private static readonly TimeSpan AwayAfter = TimeSpan.FromMinutes(5);

    private AgeMarks? _sampleAge;
    private AgeMarks? _summaryAge;
    private long _openBefore;
    private long _opened;
    private long _lastDelivery;

    /// <summary>True when no destination has acknowledged anything for five minutes: what waits will wait for a while.</summary>
    public bool IsUndelivered => _time.GetElapsedTime(Interlocked.Read(ref _lastDelivery)) >= AwayAfter;

    private long RowsForOtherLimits => Math.Max(2, _limits.RowsToDeleteAtOnce / 8);

    private bool HasOtherLimits => _storage.MostRecords is not null || _storage.ThinEarly || _sampleAge is not null || _summaryAge is not null;

    // A deleted row touches its leaf, a sibling when they are merged, and the list of free pages.
    private long OtherLimitsLogBytes => HasOtherLimits ? RowsForOtherLimits * 3 * StoreLimits.FrameBytes : 0;

    private void NoteDelivery() => Interlocked.Exchange(ref _lastDelivery, _time.GetTimestamp());

    private void OpenLimits()
    {
        _opened = _time.GetTimestamp();
        _lastDelivery = _opened;
        _sampleAge = OpenAge(HeadName.SampleAge, Shorter(_storage.SampleAge, _storage.SummaryAge));
        _summaryAge = OpenAge(HeadName.SummaryAge, _storage.SummaryAge);
    }

    // Samples never outlive the summaries that stand for them.
    private static TimeSpan? Shorter(TimeSpan? a, TimeSpan? b) => a is null || b < a ? b : a;

    private AgeMarks? OpenAge(string name, TimeSpan? limit)
    {
        using var statement = _writer.Once("SELECT a, text FROM head WHERE name = ?1");
        statement.Bind(1, name);
        var found = statement.Step();
        _openBefore = found ? Math.Max(_openBefore, statement.Long(0)) : _openBefore;
        if (limit is not { } time)
        {
            return null;
        }

        var marks = new AgeMarks(name, time);
        marks.Load(found ? statement.Text(1) : null);
        return marks;
    }

    /// <summary>Milliseconds the store was open in all.</summary>
    private long OpenMilliseconds() => _openBefore + (long)_time.GetElapsedTime(_opened).TotalMilliseconds;

    private void KeepWithinOtherLimits(CommitBatch batch)
    {
        if (!HasOtherLimits)
        {
            return;
        }

        var most = RowsForOtherLimits;
        KeepWithinAge(ref most);
        if (_storage.MostRecords is { } limit)
        {
            var coming = 0L;
            foreach (var row in batch.Rows)
            {
                coming += row.Count;
            }

            // At least as many rows as come, or the limit would not hold.
            var mostForCount = most + batch.Rows.Count;
            for (var step = 0; step < RetentionOrder.Steps.Length && _work.Records > limit - coming; step++)
            {
                Evict(step, EvictionCause.Count, 0, Math.Max(0, limit - coming), long.MaxValue, ref mostForCount);
            }
        }

        if (_storage.ThinEarly && IsUndelivered)
        {
            Evict(0, EvictionCause.Early, _limits.Sqlite.MaxPages * (100 - EarlyPercent) / 100, long.MaxValue, long.MaxValue, ref most);
        }
    }

    private void KeepWithinAge(ref long most)
    {
        var now = OpenMilliseconds();
        if (_sampleAge?.Expired(now) is > 0 and var samples)
        {
            Evict(0, EvictionCause.Age, long.MaxValue, long.MaxValue, samples, ref most);
        }

        if (_summaryAge?.Expired(now) is > 0 and var summaries)
        {
            for (var step = 1; step < RetentionOrder.AfterSummaries && most > 0; step++)
            {
                Evict(step, EvictionCause.Age, long.MaxValue, long.MaxValue, summaries, ref most);
            }
        }
    }

    /// <summary>Writes how long the store was open, with each checkpoint, and a mark when one is due.</summary>
    private void SaveAges(bool withCheckpoint)
    {
        SaveAge(_sampleAge, withCheckpoint);
        SaveAge(_summaryAge, withCheckpoint);
    }

    private void SaveAge(AgeMarks? age, bool withCheckpoint)
    {
        if (age is null)
        {
            return;
        }

        var now = OpenMilliseconds();
        if (age.IsDue(now))
        {
            // The rows of the commit before: were this one rolled back, its ids would go to rows that come later.
            age.Mark(now, _live.LastRowId);
            withCheckpoint = true;
        }

        if (withCheckpoint)
        {
            SaveHead(age.HeadName, now, text: age.Format());
        }
    }
}
