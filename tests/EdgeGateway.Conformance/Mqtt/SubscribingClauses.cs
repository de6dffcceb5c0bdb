using EdgeGateway.Protocols.Mqtt;
using static EdgeGateway.Protocols.Mqtt.MqttProtocolVersion;

namespace EdgeGateway.Conformance.Mqtt;

/// <summary>SUBSCRIBE, SUBACK, UNSUBSCRIBE and UNSUBACK: 3.8 to 3.11 of both standards.</summary>
public sealed class SubscribingClauses
{
    [Theory]
    [Trait("clause", "3.1.1 MQTT-3.8.3-1")]
    [Trait("clause", "3.1.1 MQTT-3.8.3-3")]
    [Trait("clause", "3.1.1 MQTT-3-8.3-4")]
    [Trait("clause", "5.0 MQTT-3.8.3-1")]
    [Trait("clause", "5.0 MQTT-3.8.3-2")]
    [Trait("clause", "5.0 MQTT-3.8.3-5")]
    [InlineData(V311, MqttQos.AtMostOnce, "00")]
    [InlineData(V311, MqttQos.AtLeastOnce, "01")]
    [InlineData(V311, MqttQos.ExactlyOnce, "02")]
    [InlineData(V500, MqttQos.AtMostOnce, "00")]
    [InlineData(V500, MqttQos.AtLeastOnce, "01")]
    [InlineData(V500, MqttQos.ExactlyOnce, "02")]
    public async Task SUBSCRIBE_has_a_filter_and_a_QoS_and_no_reserved_bit(MqttProtocolVersion version, MqttQos qos, string options)
    {
        await using var bench = new Bench(version);
        var wire = await bench.ConnectAsync();
        var answer = bench.Client.SubscribeAsync("Maß/+", qos).AsTask();
        await wire.ExpectAsync(Hex.Subscribe(version, 1, "Maß/+", options));
        await wire.SendAsync(Hex.SubAck(version, 1, options));
        Assert.Equal(new(true, qos, (MqttReasonCode)(byte)qos), await answer.WaitAsync(Bench.Patience));
    }

    [Theory]
    [Trait("clause", "3.1.1 MQTT-2.3.1-7")]
    [Trait("clause", "3.1.1 MQTT-3.8.4-2")]
    [Trait("clause", "3.1.1 MQTT-3.10.4-4")]
    [Trait("clause", "5.0 MQTT-2.2.1-6")]
    [Trait("clause", "5.0 MQTT-3.8.4-2")]
    [Trait("clause", "5.0 MQTT-3.10.4-5")]
    [InlineData(V311)]
    [InlineData(V500)]
    public async Task Answers_are_matched_by_their_identifier_in_whatever_order_they_come(MqttProtocolVersion version)
    {
        await using var bench = new Bench(version);
        var wire = await bench.ConnectAsync();
        var first = bench.Client.SubscribeAsync("a").AsTask();
        await wire.ExpectAsync(Hex.Subscribe(version, 1, "a"));
        var second = bench.Client.SubscribeAsync("b").AsTask();
        await wire.ExpectAsync(Hex.Subscribe(version, 2, "b"));
        var third = bench.Client.UnsubscribeAsync("c").AsTask();
        await wire.ExpectAsync(Hex.Packet("A2", "0003", Hex.Properties(version), Hex.Text("c")));

        // An answer to nothing does no harm.
        await wire.SendAsync(Hex.SubAck(version, 9, "80"), Hex.Ack("B0", 8, version == V500 ? "00 80" : ""));
        await wire.SendAsync(Hex.Ack("B0", 3, version == V500 ? "00 11" : ""));
        Assert.Equal(version == V500 ? MqttReasonCode.NoSubscriptionExisted : MqttReasonCode.Success, await third.WaitAsync(Bench.Patience));
        await wire.SendAsync(Hex.SubAck(version, 2, "00"));
        Assert.Equal(MqttQos.AtMostOnce, (await second.WaitAsync(Bench.Patience)).Qos);
        Assert.False(first.IsCompleted);
        await wire.SendAsync(Hex.SubAck(version, 1, "01"));
        Assert.Equal(MqttQos.AtLeastOnce, (await first.WaitAsync(Bench.Patience)).Qos);
    }

    [Theory]
    [Trait("clause", "3.1.1 MQTT-3.8.4-5")]
    [Trait("clause", "3.1.1 MQTT-3.9.3-1")]
    [Trait("clause", "5.0 MQTT-3.8.4-6")]
    [Trait("clause", "5.0 MQTT-3.9.3-1")]
    [InlineData(V311)]
    [InlineData(V500)]
    public async Task An_answer_with_too_many_reason_codes_ends_the_connection(MqttProtocolVersion version)
    {
        await using var bench = new Bench(version);
        var wire = await bench.ConnectAsync();
        _ = bench.Client.SubscribeAsync("a").AsTask();
        await wire.ReadAsync();
        await wire.SendAsync(Hex.SubAck(version, 1, "01 01"));
        if (version == V500)
        {
            await wire.ExpectAsync("E0 01 82");
        }

        await wire.ExpectClosedAsync();
        Assert.Equal(MqttLossCause.ProtocolBreach, (await bench.LostAsync()).Cause);
    }

    [Theory]
    [Trait("clause", "3.1.1 MQTT-3.9.3-2")]
    [Trait("clause", "5.0 MQTT-3.9.3-2")]
    [InlineData(V311, "03")]
    [InlineData(V311, "7F")]
    [InlineData(V311, "87")]
    [InlineData(V500, "03")]
    [InlineData(V500, "10")]
    public async Task A_reason_code_that_SUBACK_does_not_have_ends_the_connection(MqttProtocolVersion version, string code)
    {
        await using var bench = new Bench(version);
        var wire = await bench.ConnectAsync();
        _ = bench.Client.SubscribeAsync("a").AsTask();
        await wire.ReadAsync();
        await wire.SendAsync(Hex.SubAck(version, 1, code));
        if (version == V500)
        {
            await wire.ExpectAsync("E0 01 82");
        }

        await wire.ExpectClosedAsync();
        Assert.Equal(MqttLossCause.ProtocolBreach, (await bench.LostAsync()).Cause);
    }

    [Theory]
    [Trait("clause", "3.1.1 MQTT-3.8.4-5")]
    [Trait("clause", "5.0 MQTT-3.8.4-7")]
    [InlineData(V311)]
    [InlineData(V500)]
    public async Task Subscriptions_are_made_again_exactly_when_the_server_has_lost_them(MqttProtocolVersion version)
    {
        await using var bench = new Bench(version);
        var wire = await bench.ConnectAsync();
        var granted = bench.Client.SubscribeAsync("a", MqttQos.ExactlyOnce).AsTask();
        await wire.ExpectAsync(Hex.Subscribe(version, 1, "a", "02"));
        await wire.SendAsync(Hex.SubAck(version, 1, "01"));
        Assert.Equal(MqttQos.AtLeastOnce, (await granted.WaitAsync(Bench.Patience)).Qos);

        // Asked and not answered: asked again, because nobody knows.
        var open = bench.Client.SubscribeAsync("b").AsTask();
        await wire.ExpectAsync(Hex.Subscribe(version, 2, "b"));
        wire = await bench.ReconnectAsync(wire, sessionPresent: true);
        await wire.ExpectAsync(Hex.Subscribe(version, 3, "b"));
        await wire.SendAsync(Hex.SubAck(version, 3, "01"));
        Assert.True((await open.WaitAsync(Bench.Patience)).Granted);
        await bench.ExpectSilenceAsync(wire);

        wire = await bench.ReconnectAsync(wire, sessionPresent: false);
        await wire.ExpectAsync(Hex.Packet("82", "0004", Hex.Properties(version), Hex.Text("a"), "02", Hex.Text("b"), "01"));
    }

    [Theory]
    [Trait("clause", "3.1.1 MQTT-3.10.3-2")]
    [Trait("clause", "5.0 MQTT-3.10.3-2")]
    [InlineData(V311)]
    [InlineData(V500)]
    public async Task UNSUBSCRIBE_names_its_filter_and_what_was_unsubscribed_is_not_renewed(MqttProtocolVersion version)
    {
        await using var bench = new Bench(version);
        var wire = await bench.ConnectAsync();
        _ = bench.Client.SubscribeAsync("a").AsTask();
        await wire.ReadAsync();
        await wire.SendAsync(Hex.SubAck(version, 1));
        var gone = bench.Client.UnsubscribeAsync("a").AsTask();
        await wire.ExpectAsync(Hex.Packet("A2", "0002", Hex.Properties(version), Hex.Text("a")));
        await wire.SendAsync(Hex.Ack("B0", 2, version == V500 ? "00 00" : ""));
        Assert.Equal(MqttReasonCode.Success, await gone.WaitAsync(Bench.Patience));
        wire = await bench.ReconnectAsync(wire, sessionPresent: false);
        await bench.ExpectSilenceAsync(wire);
    }

    [Theory]
    [Trait("clause", "3.1.1 MQTT-3.10.4-1")]
    [Trait("clause", "5.0 MQTT-3.10.4-1")]
    [InlineData(V311)]
    [InlineData(V500)]
    public async Task What_is_unsubscribed_while_the_server_is_away_is_unsubscribed_when_it_resumes_the_session(MqttProtocolVersion version)
    {
        await using var bench = new Bench(version);
        var wire = await bench.ConnectAsync();
        _ = bench.Client.SubscribeAsync("a").AsTask();
        await wire.ReadAsync();
        await wire.SendAsync(Hex.SubAck(version, 1));
        await bench.ExpectSilenceAsync(wire);
        await wire.CloseAsync();
        await bench.LostAsync();
        _ = bench.Client.UnsubscribeAsync("a").AsTask();
        wire = await bench.NextWireAsync();
        await bench.AcceptAsync(wire, sessionPresent: true);
        Assert.EndsWith(Hex.Properties(version) + Hex.Text("a"), (await wire.ReadAsync())[2..], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(V311)]
    [InlineData(V500)]
    public async Task No_caller_waits_for_ever_for_a_subscription_that_was_replaced_or_dropped(MqttProtocolVersion version)
    {
        await using var bench = new Bench(version);
        var replaced = bench.Client.SubscribeAsync("a", MqttQos.AtMostOnce).AsTask();
        var dropped = bench.Client.SubscribeAsync("b").AsTask();
        var kept = bench.Client.SubscribeAsync("a", MqttQos.AtLeastOnce).AsTask();
        await bench.Client.UnsubscribeAsync("b").AsTask().WaitAsync(Bench.Patience);
        var wire = await bench.ConnectAsync();
        await wire.ExpectAsync(Hex.Subscribe(version, 1, "a"));
        await wire.SendAsync(Hex.SubAck(version, 1));
        Assert.True((await kept.WaitAsync(Bench.Patience)).Granted);
        await replaced.WaitAsync(Bench.Patience);
        Assert.False((await dropped.WaitAsync(Bench.Patience)).Granted);
    }
}
