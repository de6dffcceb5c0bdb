namespace EdgeGateway.Core.Feed;

/// <summary>Separately ordered ways of a stream to the centre: within a lane first deliveries are in order.</summary>
public enum FeedLane : byte
{
    /// <summary>Committed after the connection stood.</summary>
    Live,

    /// <summary>Committed before, and kept while there was no connection.</summary>
    History,
}
