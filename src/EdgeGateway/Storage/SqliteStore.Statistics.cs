using System.Globalization;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Outbox;
using EdgeGateway.Core.State;

namespace EdgeGateway.Storage;

/// <summary>What waits in the outbox for one stream.</summary>
public readonly record struct StreamStatistics(FeedStream Stream, long Epoch, long NextSequence, long Rows, long Bytes);

/// <summary>Progress of one destination.</summary>
/// <param name="Destination">Its name.</param>
/// <param name="Floor">All rows up to this id are done.</param>
/// <param name="RunsAbove">Number of runs acknowledged above the floor.</param>
public readonly record struct DestinationStatistics(string Destination, long Floor, int RunsAbove);

/// <summary>The state of the store, for <c>status</c> and <c>outbox</c>.</summary>
public sealed record StoreStatistics
{
    /// <summary>Rows that wait in the outbox.</summary>
    public required long Rows { get; init; }

    /// <summary>Records in them.</summary>
    public required long Records { get; init; }

    /// <summary>Their bytes on disk, without SQLite's own.</summary>
    public required long RowBytes { get; init; }

    public required long LastRowId { get; init; }

    /// <summary>Age of the oldest row by the wall clock, or null when the outbox is empty. Zero when the row lies in the future after a clock step.</summary>
    public required TimeSpan? OldestRowAge { get; init; }

    public required IReadOnlyList<StreamStatistics> Streams { get; init; }

    public required IReadOnlyList<DestinationStatistics> Destinations { get; init; }

    /// <summary>The newest losses, merged into runs.</summary>
    public required IReadOnlyList<RecordLoss> Losses { get; init; }

    /// <summary>Records that the retention rule took before they were delivered and for which nothing stands, since the store was made.</summary>
    public required long EvictedRecords { get; init; }

    /// <summary>Records that it took and for which summaries of wider windows stand.</summary>
    public required long ThinnedRecords { get; init; }

    /// <summary>Records refused by a destination or unreadable on disk.</summary>
    public required long QuarantinedRecords { get; init; }

    public required long OldestBatch { get; init; }

    public required long NextBatch { get; init; }

    /// <summary>Bytes of the sample log, estimated from whole pages.</summary>
    public required long SampleLogBytes { get; init; }

    /// <summary>Database, write-ahead log and shared memory, in bytes; never above <see cref="BudgetBytes"/>.</summary>
    public required long FileBytes { get; init; }

    public required long BudgetBytes { get; init; }

    /// <summary>Bytes this process caused to be written to storage, from <c>/proc/self/io</c>; null where the system does not say.</summary>
    public required long? ProcessBytesWritten { get; init; }

    /// <summary>Commits since the start.</summary>
    public required long Commits { get; init; }

    public required TimeSpan LastCommit { get; init; }

    public required TimeSpan LongestCommit { get; init; }

    /// <summary>Why the write-ahead log could not be moved to the main file last time, or null.</summary>
    public required string? CheckpointFailure { get; init; }

    /// <summary>Why the witness of the last commit or the ballast could not be written last time, or null.</summary>
    public required string? Problem { get; init; }

    /// <summary>Records lost since the store was made, by cause.</summary>
    public required IReadOnlyDictionary<string, long> Lost { get; init; }

    /// <summary>Sets of damaged files that lie beside the store.</summary>
    public required IReadOnlyList<string> DamagedSets { get; init; }
}

public sealed partial class SqliteStore
{
    private long _commits;
    private TimeSpan _lastCommit;
    private TimeSpan _longestCommit;

    private void NoteLatency(long started)
    {
        _lastCommit = _time.GetElapsedTime(started);
        _longestCommit = _lastCommit > _longestCommit ? _lastCommit : _longestCommit;
        _commits++;
    }

    /// <summary>A picture of the store; takes about as long as a commit.</summary>
    /// <param name="withLosses">False leaves <see cref="StoreStatistics.Losses"/> empty: after a long outage they are many.</param>
    public StoreStatistics Statistics(bool withLosses = true)
    {
        lock (_writing)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            var streams = new List<StreamStatistics>();
            foreach (var stream in AllStreams)
            {
                var tally = _live[stream];
                streams.Add(new StreamStatistics(stream, tally.Epoch, tally.Next, tally.Rows, tally.Bytes));
            }

            var losses = !withLosses ? [] : LoadLosses($"SELECT {LossLine.Columns}, at, 0 FROM loss ORDER BY stream, epoch, first");
            return new StoreStatistics
            {
                Rows = streams.Sum(s => s.Rows),
                Records = _live.Records,
                RowBytes = streams.Sum(s => s.Bytes),
                LastRowId = _live.LastRowId,
                OldestRowAge = OldestRowAge(),
                Streams = streams,
                Destinations = DestinationStatistics(),
                Losses = losses,
                EvictedRecords = _live.Lost[(int)RangeState.Evicted],
                ThinnedRecords = _live.Lost[(int)RangeState.Thinned],
                QuarantinedRecords = _live.Lost[(int)RangeState.Quarantined] + _live.Lost[(int)RangeState.Unreadable],
                Lost = CountLost(),
                OldestBatch = _live.FirstBatch,
                NextBatch = _live.NextBatch,
                SampleLogBytes = _live.LogBytes,
                FileBytes = _files.Bytes(),
                BudgetBytes = _budgetBytes,
                ProcessBytesWritten = ProcessBytesWritten(),
                Commits = _commits,
                LastCommit = _lastCommit,
                LongestCommit = _longestCommit,
                CheckpointFailure = _lastCheckpointFailure,
                Problem = _witnessProblem ?? BallastProblem,
                DamagedSets = Salvage.DamagedSets(_files),
            };
        }
    }

    private List<DestinationStatistics> DestinationStatistics()
    {
        lock (_acknowledging)
        {
            return [.. _destinations.Select(d => new DestinationStatistics(d.Name, d.Committed.Floor, d.Committed.Runs.Count))];
        }
    }

    private TimeSpan? OldestRowAge()
    {
        using var oldest = _writer.Once("SELECT body FROM outbox ORDER BY id LIMIT 1");
        if (!oldest.Step() || OutboxRowFrame.TryDecode(oldest.Bytes(0), out var row) != FrameStatus.Intact)
        {
            return null;
        }

        var age = Now(_time) - row!.Created;
        return age < TimeSpan.Zero ? TimeSpan.Zero : age;
    }

    /// <summary>Bytes this process caused to be written to storage since its start; null where the system does not say.</summary>
    internal static long? ProcessBytesWritten()
    {
        const string Accounting = "/proc/self/io";
        const string Key = "write_bytes: ";
        if (!File.Exists(Accounting))
        {
            return null;
        }

        foreach (var line in File.ReadLines(Accounting))
        {
            if (line.StartsWith(Key, StringComparison.Ordinal))
            {
                return long.Parse(line.AsSpan(Key.Length), CultureInfo.InvariantCulture);
            }
        }

        return null;
    }
}
