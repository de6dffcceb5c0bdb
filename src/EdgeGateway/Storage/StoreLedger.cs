using EdgeGateway.Core.Feed;

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

    /// <summary>For each class: no row of it has an id below. Only a hint for the search, not stored.</summary>
    public readonly long[] EvictFrom = new long[3];

    /// <summary>Numbers of the checkpoints in the two slots; -1 where there is none that is whole.</summary>
    public readonly long[] CheckpointAt = [-1, -1];

    public long LastRowId;
    public long FirstBatch = 1;
    public long NextBatch = 1;

    /// <summary>Bytes of the pages that the sample log takes, estimated.</summary>
    public long LogBytes;

    /// <summary>Records lost since the store was made, by cause (requirement R-5).</summary>
    public readonly Dictionary<string, long> Lost = new(StringComparer.Ordinal);

    public ref StreamTally this[FeedStream stream] => ref Tallies[(byte)stream];

    /// <summary>Adds to what was lost by a cause.</summary>
    public void Count(string reason, long records) => Lost[reason] = Lost.GetValueOrDefault(reason) + records;

    public void CopyFrom(StoreLedger other)
    {
        foreach (var (reason, _) in Lost)
        {
            if (!other.Lost.ContainsKey(reason))
            {
                Lost.Remove(reason);
            }
        }

        foreach (var (reason, records) in other.Lost)
        {
            Lost[reason] = records;
        }

        other.Tallies.CopyTo(Tallies, 0);
        other.EvictFrom.CopyTo(EvictFrom, 0);
        other.CheckpointAt.CopyTo(CheckpointAt, 0);
        LastRowId = other.LastRowId;
        FirstBatch = other.FirstBatch;
        NextBatch = other.NextBatch;
        LogBytes = other.LogBytes;
    }
}
