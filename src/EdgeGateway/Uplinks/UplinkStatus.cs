namespace EdgeGateway.Uplinks;

/// <summary>How an uplink is doing.</summary>
public sealed record UplinkStatus
{
    public required string Id { get; init; }

    /// <summary>True while a server has accepted the connection.</summary>
    public bool Connected { get; init; }

    /// <summary>Since when it is connected or not; null before the first attempt has ended.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>Server it is connected to, or that was tried last.</summary>
    public string? Server { get; init; }

    /// <summary>The newest problem in words, with its cure; null when there was none since the connection stands.</summary>
    public string? LastError { get; init; }

    public DateTimeOffset? LastErrorAt { get; init; }

    /// <summary>Messages handed to the network since the start, repetitions included; a row too large for the server takes several.</summary>
    public long Sent { get; init; }

    /// <summary>Rows acknowledged since the start.</summary>
    public long Acknowledged { get; init; }

    /// <summary>Rows set aside since the start, because the destination refuses them.</summary>
    public long Quarantined { get; init; }

    /// <summary>Rows sent and not settled.</summary>
    public int InFlight { get; init; }

    /// <summary>Rows not acknowledged, those in flight included; at most this many, because evicted rows are noticed only when they are reached.</summary>
    public long BacklogRows { get; init; }

    /// <summary>When the oldest row that is not acknowledged was made; null when there is none.</summary>
    public DateTimeOffset? OldestWaiting { get; init; }

    /// <summary>Pace allowed for history in bytes per second, or what is measured when there is no pace; 0 when there is no history to send.</summary>
    public double BackfillBytesPerSecond { get; init; }

    /// <summary>When the history will be through at this pace; null when there is none or no connection.</summary>
    public DateTimeOffset? ExpectedEnd { get; init; }
}
