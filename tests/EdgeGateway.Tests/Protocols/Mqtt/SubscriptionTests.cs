using System.Collections.Concurrent;
using EdgeGateway.Protocols.Mqtt;
using EdgeGateway.Protocols.Mqtt.Packets;

namespace EdgeGateway.Tests.Protocols.Mqtt;

/// <summary>Subscriptions with their options, several at a time, and their end.</summary>
public sealed class SubscriptionTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact, Trait("clause", "MQTT5 3.8.3.1")]
    public async Task Options_and_identifier_are_sent_and_each_filter_has_its_own_answer()
    {
        await using var bench = new ClientBench();
        var peer = await bench.ConnectAsync();
        var answers = bench.Client.SubscribeAsync(
        [
            new() { Filter = "a/#", Qos = MqttQos.ExactlyOnce, NoLocal = true, Identifier = 7 },
            new() { Filter = "b/+", RetainAsPublished = true, RetainHandling = MqttRetainHandling.DoNotSend, Identifier = 7 },
            new() { Filter = "$share/g/c", Qos = MqttQos.AtMostOnce, RetainHandling = MqttRetainHandling.SendIfNew },
        ]).AsTask();
        var first = await peer.ExpectSubscribeAsync();
        Assert.Equal([new("a/#", 0x06), new("b/+", 0x29)], first.Filters);
        Assert.Equal([7], first.Properties!.SubscriptionIdentifiers!);
        var second = await peer.ExpectSubscribeAsync();
        Assert.Equal([new("$share/g/c", 0x10)], second.Filters);
        Assert.Null(second.Properties);
        await peer.SendAsync(SubAck(second.PacketId, 0));
        await peer.SendAsync(SubAck(first.PacketId, 2, 0x87));
        Assert.Equal(
            [
                new(true, MqttQos.ExactlyOnce, MqttReasonCode.GrantedQos2),
                new(false, MqttQos.AtMostOnce, MqttReasonCode.NotAuthorized),
                new(true, MqttQos.AtMostOnce, MqttReasonCode.Success),
            ],
            await answers.WaitAsync(Patience));

        // What was refused is not asked for again.
        await peer.CloseAsync();
        await bench.LostAsync();
        peer = await bench.NextPeerAsync();
        await peer.AcceptAsync();
        Assert.Equal([new("a/#", 0x06)], (await peer.ExpectSubscribeAsync()).Filters);
    }

    [Fact]
    public async Task In_3_1_1_the_options_of_5_0_stay_out()
    {
        await using var bench = new ClientBench(MqttProtocolVersion.V311);
        _ = bench.Client.SubscribeAsync([new() { Filter = "a", NoLocal = true, RetainHandling = MqttRetainHandling.DoNotSend, Identifier = 1 }]).AsTask();
        var peer = await bench.ConnectAsync();
        var subscribe = await peer.ExpectSubscribeAsync();
        Assert.Equal([new("a", 1)], subscribe.Filters);
        Assert.Null(subscribe.Properties);
    }

    [Fact]
    public async Task Many_filters_are_divided_by_the_servers_packet_limit()
    {
        await using var bench = new ClientBench();
        var peer = await bench.ConnectAsync(new() { MaximumPacketSize = 64 });
        var answers = bench.Client.SubscribeAsync([.. Enumerable.Range(0, 10).Select(i => new MqttSubscription { Filter = $"{i}/{new string('x', 20)}" })]).AsTask();
        var seen = new List<string>();
        while (seen.Count < 10)
        {
            var subscribe = await peer.ExpectSubscribeAsync();
            Assert.InRange(PacketEncoder.Measure(subscribe, MqttProtocolVersion.V500), 1, 64);
            seen.AddRange(subscribe.Filters.Select(each => each.Filter[..1]));
            await peer.SendAsync(SubAck(subscribe.PacketId, [.. subscribe.Filters.Select(_ => (byte)1)]));
        }

        Assert.Equal(Enumerable.Range(0, 10).Select(i => $"{i}"), seen);
        Assert.All(await answers.WaitAsync(Patience), answer => Assert.True(answer.Granted));
    }

    [Fact]
    public async Task A_filter_that_does_not_fit_at_all_is_refused_and_many_are_unsubscribed_in_parts()
    {
        await using var bench = new ClientBench();
        var peer = await bench.ConnectAsync(new() { MaximumPacketSize = 64 });
        Assert.Equal(MqttReasonCode.PacketTooLarge, (await bench.Client.SubscribeAsync(new string('x', 60)).AsTask().WaitAsync(Patience)).Code);
        var answers = bench.Client.UnsubscribeAsync([.. Enumerable.Range(0, 4).Select(i => $"{i}{new string('x', 20)}"), new string('y', 60)]).AsTask();
        var seen = 0;
        while (seen < 4)
        {
            var unsubscribe = await peer.ExpectUnsubscribeAsync();
            seen += unsubscribe.Filters.Count;
            await peer.SendAsync(new SubAckPacket
            {
                Type = PacketType.UnsubAck,
                PacketId = unsubscribe.PacketId,
                ReasonCodes = unsubscribe.Filters.Select(each => (byte)(each[0] == '2' ? 0x11 : 0)).ToArray(),
            });
        }

        Assert.Equal(
            [MqttReasonCode.Success, MqttReasonCode.Success, MqttReasonCode.NoSubscriptionExisted, MqttReasonCode.Success, MqttReasonCode.PacketTooLarge],
            await answers.WaitAsync(Patience));
    }

    [Fact]
    public async Task What_the_server_does_not_take_is_refused_without_asking()
    {
        await using var bench = new ClientBench();
        var refused = new ConcurrentQueue<(string, MqttReasonCode)>();
        bench.Client.SubscriptionRefused = (filter, code) => refused.Enqueue((filter, code));
        var peer = await bench.ConnectAsync(new()
        {
            WildcardSubscriptionAvailable = false,
            SharedSubscriptionAvailable = false,
            SubscriptionIdentifiersAvailable = false,
        });
        var answers = await bench.Client.SubscribeAsync(
            [new() { Filter = "a/+" }, new() { Filter = "$share/g/a" }, new() { Filter = "a", Identifier = 1 }]).AsTask().WaitAsync(Patience);
        Assert.Equal(
            [
                MqttReasonCode.WildcardSubscriptionsNotSupported,
                MqttReasonCode.SharedSubscriptionsNotSupported,
                MqttReasonCode.SubscriptionIdentifiersNotSupported,
            ],
            answers.Select(each => each.Code));
        Assert.Empty(refused);
        _ = bench.Client.SubscribeAsync("plain").AsTask();
        Assert.Equal([new("plain", 1)], (await peer.ExpectSubscribeAsync()).Filters);
    }

    [Fact]
    public async Task A_refused_renewal_is_told()
    {
        await using var bench = new ClientBench();
        var refused = new TaskCompletionSource<(string, MqttReasonCode)>();
        bench.Client.SubscriptionRefused = (filter, code) => refused.TrySetResult((filter, code));
        var peer = await bench.ConnectAsync();
        var granted = bench.Client.SubscribeAsync("a").AsTask();
        await peer.SendAsync(SubAck((await peer.ExpectSubscribeAsync()).PacketId, 1));
        await granted.WaitAsync(Patience);
        await peer.CloseAsync();
        peer = await bench.NextPeerAsync();
        await peer.AcceptAsync();
        await peer.SendAsync(SubAck((await peer.ExpectSubscribeAsync()).PacketId, 0x97));
        Assert.Equal(("a", MqttReasonCode.QuotaExceeded), await refused.Task.WaitAsync(Patience));
    }

    [Fact]
    public async Task Several_filters_are_unsubscribed_in_one_packet()
    {
        await using var bench = new ClientBench();
        var peer = await bench.ConnectAsync();
        var answers = bench.Client.UnsubscribeAsync(["a", "b/#"]).AsTask();
        var unsubscribe = await peer.ExpectUnsubscribeAsync();
        Assert.Equal(["a", "b/#"], unsubscribe.Filters);
        await peer.SendAsync(new SubAckPacket { Type = PacketType.UnsubAck, PacketId = unsubscribe.PacketId, ReasonCodes = new byte[] { 0, 0x11 } });
        Assert.Equal([MqttReasonCode.Success, MqttReasonCode.NoSubscriptionExisted], await answers.WaitAsync(Patience));
    }

    [Fact]
    public async Task What_was_unsubscribed_without_a_connection_is_ended_on_the_resumed_session()
    {
        await using var bench = new ClientBench();
        var peer = await bench.ConnectAsync();
        var granted = bench.Client.SubscribeAsync("a").AsTask();
        await peer.SendAsync(SubAck((await peer.ExpectSubscribeAsync()).PacketId, 1));
        await granted.WaitAsync(Patience);
        await peer.CloseAsync();
        await bench.LostAsync();
        Assert.Equal(MqttReasonCode.Success, await bench.Client.UnsubscribeAsync("a").AsTask().WaitAsync(Patience));

        // The answer does not come before the connection is lost again, so it is asked once more.
        for (var i = 0; i < 2; i++)
        {
            peer = await bench.NextPeerAsync();
            await peer.AcceptAsync(sessionPresent: true);
            Assert.Equal(["a"], (await peer.ExpectUnsubscribeAsync()).Filters);
            await peer.CloseAsync();
            await bench.LostAsync();
        }
    }

    [Fact]
    public async Task A_subscription_that_is_replaced_before_its_answer_is_not_left_waiting()
    {
        await using var bench = new ClientBench();
        var first = bench.Client.SubscribeAsync("a", MqttQos.AtMostOnce).AsTask();
        var second = bench.Client.SubscribeAsync("a").AsTask();
        Assert.False((await first.WaitAsync(Patience)).Granted);
        var peer = await bench.ConnectAsync();
        var subscribe = await peer.ExpectSubscribeAsync();
        Assert.Equal([new("a", 1)], subscribe.Filters);
        await peer.SendAsync(SubAck(subscribe.PacketId, 1));
        Assert.True((await second.WaitAsync(Patience)).Granted);
    }

    [Fact]
    public async Task An_answer_with_too_few_codes_is_a_breach()
    {
        await using var bench = new ClientBench();
        var peer = await bench.ConnectAsync();
        _ = bench.Client.SubscribeAsync([new() { Filter = "a" }, new() { Filter = "b" }]).AsTask();
        await peer.SendAsync(SubAck((await peer.ExpectSubscribeAsync()).PacketId, 1));
        Assert.Equal(MqttReasonCode.ProtocolError, (await peer.ExpectDisconnectAsync()).ReasonCode);
    }

    [Fact]
    public async Task A_message_names_the_subscriptions_that_it_matches()
    {
        await using var bench = new ClientBench();
        var received = new TaskCompletionSource<MqttMessage>();
        bench.Client.MessageReceived = (message, _) => { received.TrySetResult(message); return ValueTask.CompletedTask; };
        var peer = await bench.ConnectAsync();
        await peer.SendAsync(new PublishPacket { Topic = "a", Properties = new() { SubscriptionIdentifiers = [3, 200_000_000] } });
        Assert.Equal([3, 200_000_000], (await received.Task.WaitAsync(Patience)).SubscriptionIdentifiers);
    }

    [Theory]
    [InlineData("a/#/b", false, null)]
    [InlineData("$share/g/a", true, null)]
    [InlineData("a", false, 0)]
    [InlineData("a", false, 268_435_456)]
    public async Task A_subscription_that_cannot_be_is_refused_at_the_call(string filter, bool noLocal, int? identifier)
    {
        await using var bench = new ClientBench();
        await Assert.ThrowsAnyAsync<ArgumentException>(
            () => bench.Client.SubscribeAsync([new() { Filter = filter, NoLocal = noLocal, Identifier = identifier }]).AsTask());
    }

    private static SubAckPacket SubAck(ushort id, params byte[] codes) => new() { Type = PacketType.SubAck, PacketId = id, ReasonCodes = codes };
}
