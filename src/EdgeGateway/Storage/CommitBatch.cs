using EdgeGateway.Core;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Ledger;
using EdgeGateway.Core.Outbox;
using EdgeGateway.Core.State;

namespace EdgeGateway.Storage;

/// <summary>The next record of a stream.</summary>
/// <param name="Stream">The stream.</param>
/// <param name="Epoch">Its epoch: seconds since 1970 at which the store was made, or one more than the last, whichever is larger.</param>
/// <param name="Next">Sequence number of the next record, from 1.</param>
public readonly record struct StreamHead(FeedStream Stream, long Epoch, long Next);

/// <summary>The state of the pipeline after the batch <paramref name="LogNumber"/>.</summary>
/// <param name="LogNumber">Number of the last input batch that the state contains; 0 for none.</param>
/// <param name="ConfigurationHash">Configuration under which the state was made.</param>
/// <param name="Taken">When it was taken.</param>
/// <param name="State">What <see cref="StateWriter"/> wrote.</param>
public sealed record Checkpoint(long LogNumber, string ConfigurationHash, Instant Taken, ReadOnlyMemory<byte> State);

/// <summary>Records of a stream that will never reach a destination.</summary>
/// <param name="Id">Number of the notice, growing; 0 in statistics.</param>
/// <param name="Stream">The stream.</param>
/// <param name="Epoch">Epoch of the numbers.</param>
/// <param name="First">First lost sequence number.</param>
/// <param name="Last">Last lost sequence number, inclusive.</param>
/// <param name="Reason">See <see cref="LossReason"/>.</param>
/// <param name="Destination">The destination that refused them; empty when they are lost to every destination that had not got them yet.</param>
/// <param name="When">When the loss was noticed.</param>
public sealed record RecordLoss(long Id, FeedStream Stream, long Epoch, long First, long Last, string Reason, string Destination, Instant When);

/// <summary>A small text that must survive beside the pipeline's state: a command that is under way, a value that must expire.</summary>
/// <param name="Key">Name, at most a few hundred characters.</param>
/// <param name="Text">The text; null takes the note away.</param>
public readonly record struct StoreNote(string Key, string? Text)
{
    /// <summary>Key of the note that a salvage leaves when it could not read all notes.</summary>
    public const string LostTable = "notes-lost";
}

/// <summary>Everything that one commit makes durable together; filled, committed and cleared again and again by the pipeline.</summary>
public sealed class CommitBatch
{
    /// <summary>What the pipeline was fed, or null. Its number must be <see cref="SqliteStore.NextBatchNumber"/>.</summary>
    public InputBatch? Input { get; set; }

    /// <summary>Value of a point for a raw register, under the configuration in force; only used with <see cref="Input"/>. Must not throw.</summary>
    public required Func<int, ulong, double> ValueOf { get; set; }

    /// <summary>Rows that were made from it, in delivery order, without ids.</summary>
    public List<OutboxRow> Rows { get; } = [];

    /// <summary>Heads of the streams that moved.</summary>
    public List<StreamHead> Heads { get; } = [];

    /// <summary>Persistent counters that changed: name and new value.</summary>
    public List<(string Name, long Value)> Counters { get; } = [];

    /// <summary>Notes that changed; a later one of the same key wins.</summary>
    public List<StoreNote> Notes { get; } = [];

    /// <summary>Records of the ledger, in rows: in the same transaction as the entries that they hold.</summary>
    public List<LedgerRow> LedgerRows { get; } = [];

    /// <summary>Where the ledger stands after <see cref="LedgerRows"/>; null when nothing of it changed.</summary>
    public LedgerState? LedgerState { get; set; }

    /// <summary>Records of the ledger up to this number are removed: a closing in <see cref="LedgerRows"/> says so. 0 for none.</summary>
    public long LedgerRemovedThrough { get; set; }

    /// <summary>Rows of the ledger, by the number of their first record, that are not what was written: a gap in <see cref="LedgerRows"/> says so.</summary>
    public List<long> LedgerRotten { get; } = [];

    /// <summary>A new checkpoint, or null. It replaces the older of the two that are kept.</summary>
    public Checkpoint? Checkpoint { get; set; }

    /// <summary>Loss notices up to this id are told in <see cref="Rows"/> and will not be reported again.</summary>
    public long LossesPublishedThrough { get; set; }

    /// <summary>The recovery report is told in <see cref="Rows"/> and will not be reported again.</summary>
    public bool RecoveryReportPublished { get; set; }

    /// <summary>Readings that could not be kept while the store could not be written; counted as <see cref="SqliteStore.NotStored"/>.</summary>
    public long ReadingsNotStored { get; set; }

    // More runs than this are told without what stands for them: a batch may wait for days, and what it gave up must not fill the memory.
    private const int MostGivenUpRuns = 4096;

    private readonly Dictionary<(FeedStream Stream, long Epoch, string Reason), SequenceSet> _givenUp = [];

    /// <summary>Records that <see cref="GiveUp"/> took out, by the reason that is told: counted as lost when the rest is committed. Of their rows nothing is kept.</summary>
    internal IReadOnlyDictionary<(FeedStream Stream, long Epoch, string Reason), SequenceSet> GivenUp => _givenUp;

    /// <summary>
    /// Takes rows out until the others take at most so many bytes, in the order in which the store evicts: for a commit that does not fit whatever goes
    /// from the store. Their numbers are given; the store states them as evicted or thinned.
    /// </summary>
    /// <returns>False when nothing was taken out.</returns>
    public bool GiveUp(long keepBytes)
    {
        var bytes = RowBytes;
        if (bytes <= keepBytes)
        {
            return false;
        }

        var gone = new HashSet<OutboxRow>(ReferenceEqualityComparer.Instance);

        // OrderBy keeps the order of equals: the oldest first.
        foreach (var row in Rows.OrderBy(r => RetentionOrder.StepOf(r.Class, r.Level)))
        {
            if (bytes <= keepBytes)
            {
                break;
            }

            bytes -= OutboxRowFrame.MaxLength(row);
            gone.Add(row);
        }

        foreach (var row in gone)
        {
            NoteGivenUp(row.Stream, row.Epoch, LossReason.Of(row.StandInSeconds, EvictionCause.Budget), row.FirstSequence, row.FirstSequence + row.Count - 1);
        }

        if (_givenUp.Values.Sum(s => s.Runs.Count) > MostGivenUpRuns)
        {
            ForgetStandIns();
        }

        Rows.RemoveAll(gone.Contains);
        return true;
    }

    private void NoteGivenUp(FeedStream stream, long epoch, string reason, long first, long last)
    {
        if (!_givenUp.TryGetValue((stream, epoch, reason), out var numbers))
        {
            _givenUp[(stream, epoch, reason)] = numbers = new SequenceSet();
        }

        numbers.Add(first, last);
    }

    /// <summary>Makes runs of different reasons one: after that only rows that stay lie between them, and of those there are few.</summary>
    private void ForgetStandIns()
    {
        foreach (var (key, numbers) in _givenUp.Where(g => g.Key.Reason != LossReason.Evicted).ToArray())
        {
            _givenUp.Remove(key);
            foreach (var (first, last) in numbers.Runs)
            {
                NoteGivenUp(key.Stream, key.Epoch, LossReason.Evicted, first, last);
            }
        }
    }

    /// <summary>Bytes of the rows before they are deflated.</summary>
    public long RowBytes
    {
        get
        {
            long bytes = 0;
            foreach (var row in Rows)
            {
                bytes += OutboxRowFrame.MaxLength(row);
            }

            return bytes;
        }
    }

    internal bool IsEmpty =>
        _givenUp.Count == 0 && ReadingsNotStored == 0 && Input is null && Rows.Count == 0 && Heads.Count == 0 && Counters.Count == 0 && Notes.Count == 0 && LedgerState is null && Checkpoint is null && LossesPublishedThrough == 0 && !RecoveryReportPublished;

    /// <summary>Empties the batch for the next commit; the buffers stay.</summary>
    public void Clear()
    {
        Input = null;
        Rows.Clear();
        _givenUp.Clear();
        Heads.Clear();
        Counters.Clear();
        Notes.Clear();
        LedgerRows.Clear();
        LedgerState = null;
        LedgerRemovedThrough = 0;
        LedgerRotten.Clear();
        Checkpoint = null;
        LossesPublishedThrough = 0;
        RecoveryReportPublished = false;
        ReadingsNotStored = 0;
    }
}

/// <summary>What a commit did.</summary>
/// <param name="Written">False when nothing had changed and nothing was written.</param>
/// <param name="FirstRowId">Id of the first row of the batch; the others follow without gaps. 0 without rows.</param>
/// <param name="Losses">Losses that this commit, or making room for it or for an earlier one that failed, caused or noticed; publish them and say so in <see cref="CommitBatch.LossesPublishedThrough"/>.</param>
/// <param name="CheckpointWanted">True when a new checkpoint should be made with the next commit: <paramref name="LogIsFull"/>, or the full check found that a restart must not need what it found.</param>
/// <param name="LogIsFull">True when the sample log is over its share and only a new checkpoint lets it shrink.</param>
public readonly record struct CommitResult(bool Written, long FirstRowId, IReadOnlyList<RecordLoss> Losses, bool CheckpointWanted, bool LogIsFull);
