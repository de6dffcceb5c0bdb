using EdgeGateway.Core;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.State;

namespace EdgeGateway.Storage;

/// <summary>Where the gateway goes on after a start.</summary>
public sealed record StoreRecovery
{
    /// <summary>True when there was no store before.</summary>
    public required bool FirstStart { get; init; }

    /// <summary>The newest checkpoint that is whole, or null. The batches after it are replayed: <see cref="SqliteStore.ReadBatches"/>.</summary>
    public required Checkpoint? Checkpoint { get; init; }

    /// <summary>Set when a newer checkpoint was damaged and the one before it is used.</summary>
    public required bool CheckpointFellBack { get; init; }

    /// <summary>Number of the next input batch.</summary>
    public required long NextBatchNumber { get; init; }

    /// <summary>Epoch and next sequence number of every stream.</summary>
    public required IReadOnlyDictionary<FeedStream, StreamHead> Heads { get; init; }

    /// <summary>Persistent counters by name.</summary>
    public required IReadOnlyDictionary<string, long> Counters { get; init; }

    /// <summary>Losses of earlier commits whose publication was not committed.</summary>
    public required IReadOnlyList<RecordLoss> UnpublishedLosses { get; init; }

    /// <summary>Lines about losses that are not what was written: what they said is not told by them.</summary>
    public required int RottenLossLines { get; init; }

    /// <summary>The last damage, while its publication has not been committed; else null.</summary>
    public required RecoveryReport? Report { get; init; }
}

/// <summary>A batch of the sample log as it lies on disk.</summary>
/// <param name="Number">Its number.</param>
/// <param name="ConfigurationHash">Configuration in force when it was taken (<see cref="SqliteStore.LoadConfiguration"/>); null when none was saved.</param>
/// <param name="Frame">For <see cref="InputBatchCodec.TryDecode"/>.</param>
public readonly record struct StoredBatch(long Number, string? ConfigurationHash, ReadOnlyMemory<byte> Frame);

/// <summary>What was found damaged and what could be saved.</summary>
public sealed record RecoveryReport
{
    /// <summary>What was wrong, for a person.</summary>
    public required string Cause { get; init; }

    /// <summary>True when nothing was damaged: the store is a backup that took the place of another.</summary>
    public bool IsRestore => SetAside.Length == 0;

    public required Instant When { get; init; }

    /// <summary>Name of the set of files that was set aside in the store's directory.</summary>
    public required string SetAside { get; init; }

    /// <summary>Outbox rows that were saved and will be delivered under their old numbers.</summary>
    public required long RowsSaved { get; init; }

    /// <summary>Rows of these that only the raw scan found.</summary>
    public required long RowsFoundByScan { get; init; }

    /// <summary>Readable rows for which the new store has no room; they stay in the files set aside.</summary>
    public required long RowsNotKept { get; init; }

    /// <summary>Input batches saved: the ones that follow the saved checkpoint without a gap, or all of them without one.</summary>
    public required long BatchesSaved { get; init; }

    /// <summary>Readable input batches that do not connect to the saved state; they stay in the files set aside.</summary>
    public required long BatchesNotKept { get; init; }

    /// <summary>True when a checkpoint was saved.</summary>
    public required bool CheckpointSaved { get; init; }

    /// <summary>Epoch of all streams from now on.</summary>
    public required long Epoch { get; init; }

    /// <summary>Newest sequence number known of each stream in the epoch before, with that epoch; numbers after it may have existed.</summary>
    public required IReadOnlyList<StreamHead> HeadsBefore { get; init; }
}
