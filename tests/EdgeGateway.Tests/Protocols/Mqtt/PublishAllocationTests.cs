using EdgeGateway.Protocols.Mqtt;

namespace EdgeGateway.Tests.Protocols.Mqtt;

/// <summary>What a publish costs in memory: its own object and the task that the caller awaits.</summary>
public sealed class PublishAllocationTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData(0)]
    [InlineData(10)]
    public async Task A_publish_allocates_its_object_and_its_task_and_nothing_by_size(ushort topicAliases)
    {
        const int Window = 100;
        await using var bench = new ClientBench(change: options => options with { MaxInFlight = Window });
        var properties = new MqttMessageProperties { ContentType = "application/json", PayloadIsText = true };
        var payload = new byte[1000];
        var peer = await bench.ConnectAsync(new() { TopicAliasMaximum = topicAliases });
        var least = long.MaxValue;
        for (var round = 0; round < 20; round++)
        {
            var open = new Task<PublishOutcome>[Window];
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < Window; i++)
            {
                open[i] = bench.Client.PublishAsync("site/meter/power", payload, properties: properties).AsTask();
            }

            // Pools and buffers grow in the first rounds, and whenever another thread holds what was given back.
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
            for (var i = 0; i < Window; i++)
            {
                await peer.AckAsync((await peer.ExpectPublishAsync()).PacketId);
            }

            await Task.WhenAll(open).WaitAsync(Patience);
        }

        Assert.InRange(least / Window, 1, 400);
    }
}
