using System.Buffers;
using EdgeGateway.Core.Outbox;

namespace EdgeGateway.Core.Feed;

/// <summary>The shape in which an uplink sends stored rows. It is made when a row is published: the rows stay as they are.</summary>
public interface IFeedFormat
{
    /// <summary>Whether messages of the stream are sent at all; rows of others count as delivered when the uplink reaches them.</summary>
    bool Carries(FeedStream stream);

    /// <summary>Writes the message of a row.</summary>
    void Write(IBufferWriter<byte> output, OutboxRow row, FeedLane lane);
}

/// <summary>The formats there are; each is a class, a line in <see cref="FeedFormats"/> and a word in the configuration.</summary>
public enum FeedFormat
{
    /// <summary>Every stream, in the numbered envelope: see <see cref="FeedEnvelope"/>.</summary>
    Feed,

    /// <summary>Samples only, as lists of one object for each poll: see <see cref="SampleLists"/>.</summary>
    Samples,
}

/// <summary>The table of formats.</summary>
public static class FeedFormats
{
    /// <summary>The words of the configuration.</summary>
    public static readonly IReadOnlyList<string> Words = ["feed", "samples"];

    /// <summary>The format of a word; null when there is none.</summary>
    public static FeedFormat? Parse(string? word) => word switch
    {
        "feed" => FeedFormat.Feed,
        "samples" => FeedFormat.Samples,
        _ => null,
    };

    /// <summary>Makes the format for the messages of a gateway.</summary>
    public static IFeedFormat Create(FeedFormat format, string site, string gateway) =>
        format == FeedFormat.Samples ? new SampleLists() : new FeedEnvelope(site, gateway);
}
