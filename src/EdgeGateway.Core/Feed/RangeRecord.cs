namespace EdgeGateway.Core.Feed;

/// <summary>What became of a run of records.</summary>
public enum RangeState : byte
{
    /// <summary>Left the store by the retention rule before it was delivered.</summary>
    Evicted,

    /// <summary>Left the store by the retention rule before it was delivered; summaries of wider windows over the same time stand for it.</summary>
    Thinned,

    /// <summary>Refused by the destination for good, kept aside on the gateway.</summary>
    Quarantined,

    /// <summary>Was never read: no sequence numbers belong to it, only a time span.</summary>
    NeverAcquired,

    /// <summary>Was given these numbers: the receiver holds the stream to it, so that a lost tail shows too.</summary>
    Issued,

    /// <summary>Was stored and cannot be read any more: the file was damaged.</summary>
    Unreadable,
}

/// <summary>A statement about a run of records of one stream.</summary>
public sealed record RangeRecord
{
    /// <summary>When the statement was made.</summary>
    public required Instant Time { get; init; }

    /// <summary>The stream that is spoken about.</summary>
    public required FeedStream Stream { get; init; }

    public required long Epoch { get; init; }

    /// <summary>First sequence number, inclusive; 0 when the statement is about a time span only.</summary>
    public required long First { get; init; }

    /// <summary>Last sequence number, inclusive.</summary>
    public required long Last { get; init; }

    public required RangeState State { get; init; }

    /// <summary>Why, one sentence.</summary>
    public required string Reason { get; init; }

    /// <summary>For <see cref="RangeState.Thinned"/>: width of the windows whose summaries stand for the records.</summary>
    public TimeSpan? StandIn { get; init; }

    /// <summary>Start of the time span, where it is known.</summary>
    public Instant? From { get; init; }

    /// <summary>End of the time span, exclusive, where it is known.</summary>
    public Instant? To { get; init; }
}
