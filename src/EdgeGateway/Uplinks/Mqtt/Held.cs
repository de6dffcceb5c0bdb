using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Outbox;

namespace EdgeGateway.Uplinks.Mqtt;

/// <summary>A message under way: in flight, or waiting for another try.</summary>
/// <param name="row">The row, the part of it that this message carries, or several rows joined.</param>
/// <param name="lane">The lane it leaves by.</param>
/// <param name="wholes">What the outbox waits for, in order; empty for a birth that is announced again, and for a probe.</param>
internal sealed class Held(OutboxRow row, FeedLane lane, IReadOnlyList<HeldRow> wholes)
{
    /// <summary>The key of whatever is sent as a probe; rows, births and the status have others.</summary>
    private const long ProbeKey = long.MinValue + 1;

    public OutboxRow Row => row;

    public FeedLane Lane => lane;

    public IReadOnlyList<HeldRow> Wholes => wholes;

    public int Retries { get; set; }

    public int Refusals { get; set; }

    /// <summary>What a suspicion knows it by, also in the next session: the id of the row, the same for all its parts; negative for a birth that is announced again.</summary>
    public long Key => IsProbe ? ProbeKey : wholes.Count > 0 ? row.Id : -row.FirstSequence;

    /// <summary>What the client knows it by, also in the next session; another one for each part of a row, of which there are fewer than 65,536.</summary>
    public long MessageKey => IsProbe ? ProbeKey : wholes.Count > 0 ? (row.Id << 16) + (row.FirstSequence - wholes[0].Row.FirstSequence) : -row.FirstSequence;

    /// <summary>It was acknowledged before, and is sent once more to see whether the server takes it still: nothing waits for it.</summary>
    public bool IsProbe { get; init; }

    /// <summary>It was handed over with nothing else under way: if the server closes the connection at it again and again, nothing else can be blamed.</summary>
    public bool IsAlone { get; set; }

    /// <summary>The server said that it keeps no messages, after the connection had promised otherwise: it goes without.</summary>
    public bool IsUnretained { get; set; }

    /// <summary>A suspect that would tell nothing now: it goes when something else was acknowledged, at <see cref="Due"/> in any case.</summary>
    public bool AwaitsWitness { get; set; }

    /// <summary>Monotonic time of the next try.</summary>
    public TimeSpan Due { get; set; }

    /// <summary>Monotonic time at which it was handed over; null when the connection broke since: its round trip means nothing then.</summary>
    public TimeSpan? Handed { get; set; }

    /// <summary>Size of the message in bytes as it was handed over.</summary>
    public int Bytes { get; set; }
}

/// <summary>A row that the outbox waits for; it travels in one message, in several, or joined with others, and is settled when all of them are.</summary>
internal sealed class HeldRow(OutboxRow row)
{
    public OutboxRow Row => row;

    /// <summary>Messages of the row that are not settled; 0 when the row is.</summary>
    public int Open { get; set; } = 1;

    /// <summary>Why a part is refused for good; null while none is.</summary>
    public string? Problem { get; set; }
}
