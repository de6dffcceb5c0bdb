using System.Text;
using EdgeGateway.Protocols.Mqtt;

namespace EdgeGateway.Integration.Mqtt;

/// <summary>A broker that runs for a class of tests, and in what it differs from the others.</summary>
public abstract class BrokerFixture : IAsyncLifetime
{
    /// <summary>Plain MQTT on loopback.</summary>
    public abstract int Port { get; }

    /// <summary>Versions that it speaks.</summary>
    public virtual IReadOnlyList<MqttProtocolVersion> Versions => [MqttProtocolVersion.V311];

    /// <summary>Highest quality of service that it takes.</summary>
    public virtual MqttQos MaximumQos => MqttQos.ExactlyOnce;

    /// <summary>Whether what was under way to a subscriber when the link broke comes again before what came later, as MQTT 3.1.1, 4.6 has it.</summary>
    public virtual bool RepeatsInOrder => true;

    /// <summary>Largest payload to try, in bytes.</summary>
    public virtual int LargePayload => 4 * 1024 * 1024;

    /// <summary>MQTT over WebSocket, where the broker has it.</summary>
    public virtual Uri? WebSocket => null;

    public Uri Uri => new($"mqtt://127.0.0.1:{Port}");

    public abstract Task InitializeAsync();

    public abstract Task DisposeAsync();
}

/// <summary>What the client does with any broker. A broker is a fixture and an empty subclass.</summary>
public abstract class BrokerContract(BrokerFixture broker)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static int _names;

    private IEnumerable<MqttQos> QualitiesOfService => Enum.GetValues<MqttQos>().Where(qos => qos <= broker.MaximumQos);

    [Fact]
    public Task Messages_of_each_quality_of_service_arrive_in_order_and_none_twice() => WithEachVersion(async version =>
    {
        foreach (var qos in QualitiesOfService)
        {
            var name = Name();
            await using var receiver = await MqttSite.ConnectAsync(broker.Uri, $"{name}-in", version);
            Assert.Equal(qos, (await receiver.Client.SubscribeAsync($"{name}/#", qos).AsTask().WaitAsync(Patience)).Qos);
            await using var sender = await MqttSite.ConnectAsync(broker.Uri, $"{name}-out", version);

            // At QoS 0 nobody waits for anybody, and what does not fit is dropped, here as at the broker: so only a few at a time.
            const int Messages = 300;
            var atOnce = qos == MqttQos.AtMostOnce ? 20 : Messages;
            for (var first = 0; first < Messages; first += atOnce)
            {
                var outcomes = Enumerable.Range(first, atOnce).Select(i => sender.Client.PublishAsync($"{name}/x", Encoding.UTF8.GetBytes($"{i}"), qos).AsTask()).ToArray();
                Assert.All(await Task.WhenAll(outcomes).WaitAsync(Patience), outcome => Assert.True(outcome.IsDelivered, outcome.Reason));
                await receiver.UntilReceivedAsync(first + atOnce);
            }

            Assert.Equal(Enumerable.Range(0, 300).Select(i => $"{i}"), receiver.Received);
            Assert.All(receiver.Messages, message => Assert.Equal((qos, false, $"{name}/x"), (message.Qos, message.Retain, message.Topic)));
        }
    });

    [Fact]
    public Task A_kept_message_comes_to_who_subscribes_later_and_is_cleared_by_an_empty_one() => WithEachVersion(async version =>
    {
        var name = Name();
        await using var sender = await MqttSite.ConnectAsync(broker.Uri, $"{name}-out", version);
        Assert.True((await sender.Client.PublishAsync($"{name}/kept", "old"u8.ToArray(), retain: true).AsTask().WaitAsync(Patience)).IsDelivered);
        Assert.True((await sender.Client.PublishAsync($"{name}/kept", "new"u8.ToArray(), retain: true).AsTask().WaitAsync(Patience)).IsDelivered);
        await using (var late = await MqttSite.ConnectAsync(broker.Uri, $"{name}-late", version, subscribe: $"{name}/kept"))
        {
            await late.UntilReceivedAsync(1);
            var kept = Assert.Single(late.Messages);
            Assert.True(kept.Retain);
            Assert.Equal("new", Encoding.UTF8.GetString(kept.Payload.Span));
        }

        Assert.True((await sender.Client.PublishAsync($"{name}/kept", default, retain: true).AsTask().WaitAsync(Patience)).IsDelivered);
        await using var later = await MqttSite.ConnectAsync(broker.Uri, $"{name}-later", version, subscribe: $"{name}/+");
        Assert.True((await sender.Client.PublishAsync($"{name}/end", "end"u8.ToArray()).AsTask().WaitAsync(Patience)).IsDelivered);
        await later.UntilReceivedAsync(1);
        Assert.Equal([$"{name}/end"], later.Topics);
    });

    [Fact]
    public Task The_will_is_published_when_the_link_breaks_and_not_after_a_clean_stop() => WithEachVersion(async version =>
    {
        var name = Name();
        await using var relay = new TcpRelay(broker.Port);
        await using var receiver = await MqttSite.ConnectAsync(broker.Uri, $"{name}-in", version, subscribe: $"{name}/#");
        MqttWill Will(string topic) => new() { Topic = $"{name}/{topic}", Payload = "offline"u8.ToArray() };
        await using (var clean = await MqttSite.ConnectAsync(broker.Uri, $"{name}-clean", version, change: o => o with { Will = Will("clean") }))
        {
            await clean.Client.DisconnectAsync().WaitAsync(Patience);
        }

        await using var gone = await MqttSite.ConnectAsync(new($"mqtt://127.0.0.1:{relay.Port}"), $"{name}-gone", version, change: o => o with { Will = Will("gone") });
        await relay.RefuseAsync();
        await receiver.UntilReceivedAsync(1);
        Assert.Equal([$"{name}/gone"], receiver.Topics);
    });

    [Fact]
    public Task What_comes_while_the_link_is_cut_waits_in_the_session() => WithEachVersion(async version =>
    {
        var name = Name();
        await using var relay = new TcpRelay(broker.Port);
        await using var receiver = await MqttSite.ConnectAsync(new($"mqtt://127.0.0.1:{relay.Port}"), $"{name}-in", version, subscribe: $"{name}/#");
        await using var sender = await MqttSite.ConnectAsync(broker.Uri, $"{name}-out", version);
        await relay.RefuseAsync();
        await receiver.LostAsync();
        for (var i = 0; i < 20; i++)
        {
            Assert.True((await sender.Client.PublishAsync($"{name}/x", Encoding.UTF8.GetBytes($"{i}")).AsTask().WaitAsync(Patience)).IsDelivered);
        }

        relay.Allow();
        Assert.True((await receiver.ConnectedAsync()).SessionPresent);
        await receiver.UntilReceivedAsync(20);
        var arrived = receiver.Received.Distinct();
        Assert.Equal(Enumerable.Range(0, 20), (broker.RepeatsInOrder ? arrived : arrived.OrderBy(int.Parse)).Select(int.Parse));
    });

    [Fact]
    public Task What_was_in_flight_when_the_link_broke_is_resent_in_the_session() => WithEachVersion(async version =>
    {
        foreach (var qos in QualitiesOfService.Where(q => q > MqttQos.AtMostOnce))
        {
            var name = Name();
            await using var relay = new TcpRelay(broker.Port);
            await using var receiver = await MqttSite.ConnectAsync(broker.Uri, $"{name}-in", version);
            Assert.True((await receiver.Client.SubscribeAsync($"{name}/#", qos).AsTask().WaitAsync(Patience)).Granted);
            await using var sender = await MqttSite.ConnectAsync(
                new($"mqtt://127.0.0.1:{relay.Port}"), $"{name}-out", version, change: o => o with { SuspectAfterDrops = 0 });

            // RabbitMQ and Aedes keep a session only for who has subscribed to something.
            Assert.True((await sender.Client.SubscribeAsync($"{name}-nothing").AsTask().WaitAsync(Patience)).Granted);
            var outcomes = new List<Task<PublishOutcome>>();
            for (var round = 0; round < 3; round++)
            {
                relay.Stall();
                for (var i = 0; i < 50; i++)
                {
                    outcomes.Add(sender.Client.PublishAsync($"{name}/x", Encoding.UTF8.GetBytes($"{outcomes.Count}"), qos).AsTask());
                }

                relay.Cut();
                relay.Resume();
                await sender.LostAsync();
                Assert.True((await sender.ConnectedAsync()).SessionPresent);
            }

            Assert.All(await Task.WhenAll(outcomes).WaitAsync(Patience), outcome => Assert.True(outcome.IsDelivered, outcome.Reason));
            await receiver.UntilReceivedAsync(150);
            var expected = Enumerable.Range(0, 150).Select(i => $"{i}");
            Assert.Equal(expected, qos == MqttQos.ExactlyOnce ? receiver.Received : receiver.Received.Distinct());
            Assert.True(sender.Client.Counters.Resends > 0, "nothing was in flight: the test shows nothing");
        }
    });

    [Fact]
    public Task A_large_message_arrives_whole() => WithEachVersion(async version =>
    {
        var name = Name();
        var payload = new byte[broker.LargePayload];
        new Random(20_261_122).NextBytes(payload);
        MqttClientOptions Large(MqttClientOptions o) => o with { MaxIncomingPacketSize = payload.Length + 1024, MaxOutgoingPacketSize = payload.Length + 1024 };
        await using var receiver = await MqttSite.ConnectAsync(broker.Uri, $"{name}-in", version, subscribe: $"{name}/#", change: Large);
        await using var sender = await MqttSite.ConnectAsync(broker.Uri, $"{name}-out", version, change: Large);
        Assert.True((await sender.Client.PublishAsync($"{name}/large", payload).AsTask().WaitAsync(Patience)).IsDelivered);
        await receiver.UntilReceivedAsync(1);
        Assert.True(Assert.Single(receiver.Messages).Payload.Span.SequenceEqual(payload));
    });

    [Fact]
    public Task Only_what_is_subscribed_comes_and_nothing_after_the_end_of_the_subscription() => WithEachVersion(async version =>
    {
        var name = Name();
        await using var receiver = await MqttSite.ConnectAsync(broker.Uri, $"{name}-in", version, subscribe: $"{name}/+/level");
        Assert.True((await receiver.Client.SubscribeAsync($"{name}/deep/#").AsTask().WaitAsync(Patience)).Granted);
        await using var sender = await MqttSite.ConnectAsync(broker.Uri, $"{name}-out", version);
        async Task PublishAsync(params string[] topics)
        {
            foreach (var topic in topics)
            {
                Assert.True((await sender.Client.PublishAsync($"{name}/{topic}", Encoding.UTF8.GetBytes(topic)).AsTask().WaitAsync(Patience)).IsDelivered);
            }
        }

        await PublishAsync("a/level", "a/b/level", "level", "deep/a/b", "b/level");
        await receiver.UntilReceivedAsync(3);
        Assert.Equal(["a/level", "deep/a/b", "b/level"], receiver.Received);
        var ended = await receiver.Client.UnsubscribeAsync($"{name}/+/level").AsTask().WaitAsync(Patience);
        Assert.True(ended.IsSuccess(), ended.ToString());
        await PublishAsync("c/level", "deep/end");
        await receiver.UntilReceivedAsync(4);
        Assert.Equal("deep/end", receiver.Received.Last());
        Assert.Equal(4, receiver.Received.Count);
    });

    /// <summary>The same messages by WebSocket on one side and by TCP on the other. MQTT 3.1.1, 6.0. (mosquitto 2.0.11 of Debian opens no listener for it.)</summary>
    protected async Task OverWebSocketAsync()
    {
        var name = Name();
        await using var receiver = await MqttSite.ConnectAsync(broker.WebSocket!, $"{name}-in", MqttProtocolVersion.V311, subscribe: $"{name}/#");
        await using var sender = await MqttSite.ConnectAsync(broker.Uri, $"{name}-out", MqttProtocolVersion.V311);
        await using var other = await MqttSite.ConnectAsync(broker.WebSocket!, $"{name}-other", MqttProtocolVersion.V311);
        string[] texts = ["small", new('x', 60_000), "", "last"];
        foreach (var (i, text) in texts.Index())
        {
            var client = i % 2 == 0 ? sender.Client : other.Client;
            Assert.True((await client.PublishAsync($"{name}/x", Encoding.ASCII.GetBytes(text)).AsTask().WaitAsync(Patience)).IsDelivered);
            await receiver.UntilReceivedAsync(i + 1);
        }

        Assert.Equal(texts, receiver.Received);
    }

    private static string Name() => $"t{Interlocked.Increment(ref _names)}-{Environment.ProcessId}";

    private async Task WithEachVersion(Func<MqttProtocolVersion, Task> test)
    {
        foreach (var version in broker.Versions)
        {
            await test(version);
        }
    }
}
