using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Outbox;
using EdgeGateway.Storage;
using EdgeGateway.Uplinks;

namespace EdgeGateway.Integration.Uplinks;

/// <summary>A real centre for the contract test: something to deliver to, a link to it that can fail, and what has arrived there.</summary>
public abstract class UplinkCentre : IAsyncDisposable
{
    /// <summary>Messages in the order of their arrival, repetitions included.</summary>
    public abstract IReadOnlyList<FeedMessage> Received { get; }

    /// <summary>What is the matter with payloads that could not be read; empty in a good test.</summary>
    public abstract IReadOnlyList<string> Problems { get; }

    /// <summary>An uplink named <c>centre</c> to here, not running yet.</summary>
    public abstract IUplink Uplink(IOutbox outbox, UplinkWishes? wishes = null);

    /// <summary>What is sent arrives, the answers do not, until the next cut.</summary>
    public abstract void HoldAnswers();

    /// <summary>Breaks the connection; the next one is whole.</summary>
    public abstract void Cut();

    /// <summary>Breaks the connection and lets none stand.</summary>
    public abstract void Refuse();

    public abstract void Allow();

    /// <summary>The server goes away and comes back.</summary>
    public abstract Task RestartAsync();

    public abstract ValueTask DisposeAsync();
}

/// <summary>How an uplink of the contract test shall behave.</summary>
public sealed record UplinkWishes
{
    public bool InOrder { get; init; }

    public long? BackfillBytesPerSecond { get; init; } = 10_000_000;

    public FeedCompression Compression { get; init; }

    /// <summary>Rows leave with QoS 2.</summary>
    public bool ExactlyOnce { get; init; }

    public IReadOnlyList<OutboxRow> Births { get; init; } = [];

    /// <summary>Its clock; null is the system's.</summary>
    public TimeProvider? Time { get; init; }
}
