using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Outbox;

namespace EdgeGateway.Uplinks.Mqtt;

/// <summary>A row under way: in flight, or waiting for another try.</summary>
/// <param name="row">The row.</param>
/// <param name="lane">The lane it leaves by.</param>
/// <param name="isOwed">True for rows that the outbox waits for; false for a birth that is announced again.</param>
internal sealed class Held(OutboxRow row, FeedLane lane, bool isOwed)
{
    public OutboxRow Row => row;

    public FeedLane Lane => lane;

    public bool IsOwed => isOwed;

    public int Retries { get; set; }

    public int Refusals { get; set; }

    /// <summary>The server closed the connection several times at this row: it goes once more, with nothing else in flight.</summary>
    public bool IsSuspect { get; set; }

    /// <summary>Monotonic time of the next try.</summary>
    public TimeSpan Due { get; set; }
}
