using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Outbox;

namespace EdgeGateway.Uplinks.Mqtt;

/// <summary>A message under way: in flight, or waiting for another try.</summary>
/// <param name="row">The row, or the part of it that this message carries.</param>
/// <param name="lane">The lane it leaves by.</param>
/// <param name="whole">What the outbox waits for; null for a birth that is announced again.</param>
internal sealed class Held(OutboxRow row, FeedLane lane, HeldRow? whole)
{
    public OutboxRow Row => row;

    public FeedLane Lane => lane;

    public HeldRow? Whole => whole;

    public int Retries { get; set; }

    public int Refusals { get; set; }

    /// <summary>The server closed the connection several times at this row: it goes once more, with nothing else in flight.</summary>
    public bool IsSuspect { get; set; }

    /// <summary>The server said that it keeps no messages, after the connection had promised otherwise: it goes without.</summary>
    public bool IsUnretained { get; set; }

    /// <summary>Monotonic time of the next try.</summary>
    public TimeSpan Due { get; set; }
}

/// <summary>A row that the outbox waits for; it travels in one message or in several, and is settled when all of them are.</summary>
internal sealed class HeldRow(long id)
{
    public long Id => id;

    /// <summary>Messages of the row that are not settled.</summary>
    public int Open { get; set; } = 1;

    /// <summary>Why a part is refused for good; null while none is.</summary>
    public string? Problem { get; set; }
}
