using System.Buffers;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Outbox;

namespace EdgeGateway.Tests.Shared;

/// <summary>From rows to messages and back, as a publisher and a receiver do it.</summary>
internal static class FeedMessages
{
    public static byte[] Wire(OutboxRow row, FeedLane lane = FeedLane.Live)
    {
        var buffer = new ArrayBufferWriter<byte>();
        new FeedEnvelope(ExampleFeed.Site.SiteId, ExampleFeed.Site.GatewayId).Write(buffer, row, lane);
        return buffer.WrittenSpan.ToArray();
    }

    public static FeedMessage Read(OutboxRow row, FeedLane lane = FeedLane.Live)
    {
        Assert.True(FeedMessage.TryParse(Wire(row, lane), out var message, out var problem), problem);
        return message;
    }

    /// <summary>A message with records that are only numbered.</summary>
    public static FeedMessage Numbered(FeedStream stream, long epoch, long first, long last, FeedLane lane = FeedLane.Live) => Read(
        new OutboxRow
        {
            Stream = stream,
            Epoch = epoch,
            FirstSequence = first,
            Count = (int)(last - first + 1),
            Class = RowClass.Summary,
            Created = ExampleFeed.Noon,
            Body = System.Text.Encoding.UTF8.GetBytes($"[{string.Join(',', Enumerable.Repeat("{}", (int)(last - first + 1)))}]"),
        },
        lane);
}
