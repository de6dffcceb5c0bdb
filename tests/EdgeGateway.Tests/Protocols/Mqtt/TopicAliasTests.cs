using System.Collections.Concurrent;
using EdgeGateway.Protocols.Mqtt;
using EdgeGateway.Protocols.Mqtt.Packets;

namespace EdgeGateway.Tests.Protocols.Mqtt;

/// <summary>Topic aliases both ways. MQTT 5.0, 3.3.2.3.4.</summary>
public sealed class TopicAliasTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task A_topic_is_named_once_and_then_by_its_alias_and_anew_on_each_connection()
    {
        await using var bench = new ClientBench();
        var properties = new MqttMessageProperties { ContentType = "text/plain" };
        var peer = await bench.ConnectAsync(new() { TopicAliasMaximum = 5 });
        for (var i = 0; i < 3; i++)
        {
            var outcome = bench.Client.PublishAsync("site/meter", BitConverter.GetBytes(i), properties: properties).AsTask();
            var publish = await peer.ExpectPublishAsync();
            Assert.Equal((i == 0 ? "site/meter" : "", (ushort?)1, "text/plain"), (publish.Topic, publish.Properties!.TopicAlias, publish.Properties.ContentType));
            Assert.Equal(BitConverter.GetBytes(i), publish.Payload.ToArray());
            await peer.AckAsync(publish.PacketId);
            await outcome.WaitAsync(Patience);
        }

        await peer.CloseAsync();
        await bench.LostAsync();
        peer = await bench.NextPeerAsync();
        await peer.AcceptAsync(sessionPresent: true, new() { TopicAliasMaximum = 5 });
        _ = bench.Client.PublishAsync("site/meter", default, MqttQos.AtMostOnce).AsTask();
        Assert.Equal("site/meter", (await peer.ExpectPublishAsync()).Topic);
        await peer.CloseAsync();
        await bench.LostAsync();
        peer = await bench.NextPeerAsync();
        await peer.AcceptAsync(sessionPresent: true);
        _ = bench.Client.PublishAsync("site/meter", default, MqttQos.AtMostOnce).AsTask();
        Assert.Null((await peer.ExpectPublishAsync()).Properties);
    }

    [Fact]
    public async Task A_resend_has_the_whole_topic_and_no_alias()
    {
        await using var bench = new ClientBench();
        var peer = await bench.ConnectAsync(new() { TopicAliasMaximum = 5 });
        _ = bench.Client.PublishAsync("site/meter", default).AsTask();
        _ = bench.Client.PublishAsync("site/meter", default).AsTask();
        await peer.ExpectPublishAsync();
        Assert.Equal("", (await peer.ExpectPublishAsync()).Topic);
        await peer.CloseAsync();
        await bench.LostAsync();
        peer = await bench.NextPeerAsync();
        await peer.AcceptAsync(sessionPresent: true, new() { TopicAliasMaximum = 5 });
        for (var i = 0; i < 2; i++)
        {
            var again = await peer.ExpectPublishAsync();
            Assert.Equal(("site/meter", true, null), (again.Topic, again.Duplicate, again.Properties));
        }
    }

    [Fact]
    public async Task An_alias_that_would_make_the_packet_too_large_is_left_out()
    {
        await using var bench = new ClientBench();
        var peer = await bench.ConnectAsync(new() { TopicAliasMaximum = 5, MaximumPacketSize = 50 });
        _ = bench.Client.PublishAsync("site", new byte[50 - 2 - 6 - 2 - 1]).AsTask();
        var publish = await peer.ExpectPublishAsync();
        Assert.Equal(50, PacketEncoder.Measure(publish, MqttProtocolVersion.V500));
        Assert.Null(publish.Properties);
    }

    [Fact]
    public void The_most_used_topics_keep_their_aliases()
    {
        var aliases = new OutgoingTopicAliases(2);
        for (var i = 0; i < 20; i++)
        {
            Assert.Equal(1, aliases.For("often", out _));
        }

        Assert.Equal(2, aliases.For("seldom", out var known));
        Assert.False(known);
        var given = new List<(string, ushort)>();
        for (var i = 0; i < 8; i++)
        {
            var topic = $"once/{i}";
            if (aliases.For(topic, out known) is > 0 and var alias)
            {
                Assert.False(known);
                given.Add((topic, alias));
            }

            Assert.Equal(1, aliases.For("often", out known));
            Assert.True(known);
        }

        Assert.NotEmpty(given);
        Assert.All(given, each => Assert.Equal(2, each.Item2));
    }

    [Fact]
    public async Task Aliases_of_the_server_are_understood_as_far_as_they_were_offered()
    {
        await using var bench = new ClientBench(change: options => options with { TopicAliasMaximum = 2 });
        var topics = new ConcurrentQueue<string>();
        using var arrived = new SemaphoreSlim(0);
        bench.Client.MessageReceived = (message, _) => { topics.Enqueue(message.Topic); arrived.Release(); return ValueTask.CompletedTask; };
        bench.Start();
        var peer = await bench.Server.NextAsync();
        Assert.Equal((ushort?)2, (await peer.AcceptAsync()).Properties!.TopicAliasMaximum);
        foreach (var (topic, alias) in new[] { ("a", 1), ("b", 2), ("", 1), ("", 2), ("c", 1), ("", 1) })
        {
            await peer.SendAsync(new PublishPacket { Topic = topic, Properties = new() { TopicAlias = (ushort)alias } });
            Assert.True(await arrived.WaitAsync(Patience));
        }

        Assert.Equal(["a", "b", "a", "b", "c", "c"], topics);
        await peer.SendAsync(new PublishPacket { Topic = "d", Properties = new() { TopicAlias = 3 } });
        Assert.Equal(MqttReasonCode.TopicAliasInvalid, (await peer.ExpectDisconnectAsync()).ReasonCode);
        await peer.CloseAsync();

        // An alias of the connection before means nothing.
        peer = await bench.NextPeerAsync();
        await peer.AcceptAsync(sessionPresent: true);
        await peer.SendAsync(new PublishPacket { Topic = "", Properties = new() { TopicAlias = 1 } });
        Assert.Equal(MqttReasonCode.ProtocolError, (await peer.ExpectDisconnectAsync()).ReasonCode);
    }
}
