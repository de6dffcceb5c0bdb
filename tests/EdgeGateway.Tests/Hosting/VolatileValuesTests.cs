using System.Text;
using EdgeGateway.Core.Feed;
using EdgeGateway.Hosting;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Tests.Hosting;

/// <summary>Values that cannot be stored (requirements P-5 and O-11, decision 0006).</summary>
public sealed class VolatileValuesTests
{
    private static ReadOnlyMemory<byte>[] Message(byte value) => [new byte[] { value }];

    [Fact]
    public async Task An_uplink_gets_the_newest_and_what_it_missed_is_gone()
    {
        var values = new VolatileValues();
        var waiting = values.NextAsync(0, default).AsTask();
        Assert.False(waiting.IsCompleted);
        values.Offer(Message(1));
        Assert.Equal((1L, (byte)1), ((await waiting).Version, (await waiting).Payloads[0].Span[0]));
        values.Offer(Message(2));
        values.Offer(Message(3));
        var next = await values.NextAsync(1, default);
        Assert.Equal((3L, (byte)3), (next.Version, next.Payloads[0].Span[0]));

        // Two uplinks both get it; once seen it does not come again; and when the store is back nothing old is handed out.
        Assert.Equal(3, (await values.NextAsync(0, default)).Version);
        Assert.False(values.NextAsync(3, default).AsTask().IsCompleted);
        values.Clear();
        Assert.False(values.NextAsync(0, default).AsTask().IsCompleted);
    }

    [Fact]
    public async Task The_wait_can_be_ended()
    {
        using var cancel = new CancellationTokenSource();
        var waiting = new VolatileValues().NextAsync(0, cancel.Token).AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }

    [Fact]
    public void The_message_carries_no_number_and_says_since_when()
    {
        var text = Encoding.UTF8.GetString(Assert.Single(new VolatileEncoder(ExampleFeed.Site).Write([ExampleFeed.GoodSample], ExampleFeed.Noon)).Span);
        var record = Encoding.UTF8.GetString(Row().Body.Span);
        Assert.Equal(
            $$"""{"v":1,"site":"mine-7","gateway":"gw-1","stream":"volatile","lane":"volatile","since":"2026-03-01T12:00:00.000Z","records":{{record}}}""", text);

        static EdgeGateway.Core.Outbox.OutboxRow Row()
        {
            var feed = ExampleFeed.Encoder();
            feed.Sample(ExampleFeed.GoodSample);
            return feed.Flush(ExampleFeed.Noon)[0];
        }
    }

    [Fact]
    public void Many_points_take_several_messages()
    {
        var messages = new VolatileEncoder(ExampleFeed.Site).Write([.. Enumerable.Repeat(ExampleFeed.GoodSample, 1201)], ExampleFeed.Noon);
        Assert.Equal(3, messages.Count);
        Assert.All(messages, m => Assert.InRange(m.Length, 1, 128 * 1024));
    }
}
