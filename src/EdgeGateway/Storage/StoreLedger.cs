using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Outbox;

namespace EdgeGateway.Storage;

/// <summary>What the store knows about a stream.</summary>
internal struct StreamTally
{
    public long Epoch;
    public long Next;
    public long Rows;
    public long Bytes;
}

/// <summary>The numbers that change with each commit. A commit works on a copy, which becomes the truth when SQLite has said yes.</summary>
internal sealed class StoreLedger
{
    public const int Streams = 32;

    public readonly StreamTally[] Tallies = new StreamTally[Streams];

    /// <summary>For each of <see cref="RetentionOrder.Steps"/>: no row of it has an id below; 0 when there never was one. So that an eviction reads no row twice.</summary>
    public readonly long[] EvictFrom = new long[RetentionOrder.Steps.Length];

    /// <summary>Numbers of the checkpoints in the two slots; -1 where there is none that is whole.</summary>
    public readonly long[] CheckpointAt = [-1, -1];

    /// <summary>Records that will not arrive, by <see cref="RangeState"/>, since the store was made.</summary>
    public readonly long[] Lost = new long[(int)RangeState.Unreadable + 1];

    /// <summary>Records that wait in the outbox.</summary>
    public long Records;

    public long LastRowId;
    public long FirstBatch = 1;
    public long NextBatch = 1;

    /// <summary>Bytes of the pages that the sample log takes, estimated.</summary>
    public long LogBytes;

    /// <summary>Readings that were never accepted, since the store was made.</summary>
    public long NotStored;

    public ref StreamTally this[FeedStream stream] => ref Tallies[(byte)stream];

    public void CopyFrom(StoreLedger other)
    {
        other.Tallies.CopyTo(Tallies, 0);
        other.EvictFrom.CopyTo(EvictFrom, 0);
        other.CheckpointAt.CopyTo(CheckpointAt, 0);
        other.Lost.CopyTo(Lost, 0);
        NotStored = other.NotStored;
        Records = other.Records;
        LastRowId = other.LastRowId;
        FirstBatch = other.FirstBatch;
        NextBatch = other.NextBatch;
        LogBytes = other.LogBytes;
    }
}
