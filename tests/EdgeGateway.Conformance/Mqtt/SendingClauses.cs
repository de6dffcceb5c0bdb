using EdgeGateway.Protocols.Mqtt;
using static EdgeGateway.Protocols.Mqtt.MqttProtocolVersion;

namespace EdgeGateway.Conformance.Mqtt;

/// <summary>What the client publishes: 3.3, 4.3, 4.4, 4.6 and 4.9 as the sender.</summary>
public sealed class SendingClauses
{
    [Theory]
    [Trait("clause", "3.1.1 MQTT-3.3.2-1")]
    [Trait("clause", "3.1.1 MQTT-4.3.2-1")]
    [Trait("clause", "5.0 MQTT-3.3.2-1")]
    [Trait("clause", "5.0 MQTT-4.3.2-1")]
    [Trait("clause", "5.0 MQTT-4.3.2-2")]
    [Trait("clause", "5.0 MQTT-4.3.2-3")]
    [InlineData(V311)]
    [InlineData(V500)]
    public async Task At_QoS_1_a_message_is_open_until_its_PUBACK(MqttProtocolVersion version)
    {
        await using var bench = new Bench(version);
        var wire = await bench.ConnectAsync();
        var outcome = bench.PublishAsync("Größe/温度");
        await wire.ExpectAsync(Hex.Publish(version, "Größe/温度", 1));
        Assert.Equal(1, bench.Client.InFlight);

        // An acknowledgement of something else does not count.
        await wire.SendAsync(Hex.Ack("40", 2));
        await bench.ExpectSilenceAsync(wire);
        Assert.False(outcome.IsCompleted);
        await wire.SendAsync(Hex.Ack("40", 1));
        Assert.True((await outcome.WaitAsync(Bench.Patience)).IsDelivered);
        Assert.Equal(0, bench.Client.InFlight);
    }

    [Theory]
    [Trait("clause", "3.1.1 MQTT-2.3.1-6")]
    [Trait("clause", "3.1.1 MQTT-4.3.3-1")]
    [Trait("clause", "5.0 MQTT-2.2.1-5")]
    [Trait("clause", "5.0 MQTT-3.6.2-1")]
    [Trait("clause", "5.0 MQTT-4.3.3-1")]
    [Trait("clause", "5.0 MQTT-4.3.3-2")]
    [Trait("clause", "5.0 MQTT-4.3.3-3")]
    [Trait("clause", "5.0 MQTT-4.3.3-4")]
    [Trait("clause", "5.0 MQTT-4.3.3-5")]
    [Trait("clause", "5.0 MQTT-4.3.3-6")]
    [InlineData(V311)]
    [InlineData(V500)]
    public async Task At_QoS_2_a_message_is_open_until_PUBREC_and_its_release_until_PUBCOMP(MqttProtocolVersion version)
    {
        await using var bench = new Bench(version);
        var wire = await bench.ConnectAsync();
        var outcome = bench.PublishAsync(qos: MqttQos.ExactlyOnce);
        await wire.ExpectAsync(Hex.Publish(version, "a", 1, first: "34"));

        // Lost before PUBREC: the message again.
        wire = await bench.ReconnectAsync(wire, sessionPresent: true);
        await wire.ExpectAsync(Hex.Publish(version, "a", 1, first: "3C"));
        await wire.SendAsync(Hex.Ack("50", 1));
        await wire.ExpectAsync("62 02 0001");

        // Lost before PUBCOMP: the release again, as often as it takes, and never the message.
        for (var i = 0; i < 5; i++)
        {
            wire = await bench.ReconnectAsync(wire, sessionPresent: true);
            await wire.ExpectAsync("62 02 0001");
            await bench.ExpectSilenceAsync(wire);
            Assert.False(outcome.IsCompleted);
        }

        // A server that says PUBREC once more gets its PUBREL once more.
        await wire.SendAsync(Hex.Ack("50", 1));
        await wire.ExpectAsync("62 02 0001");
        await wire.SendAsync(Hex.Ack("70", 1));
        Assert.True((await outcome.WaitAsync(Bench.Patience)).IsDelivered);
        Assert.Equal(0, bench.Client.InFlight);
    }

    [Fact]
    [Trait("clause", "5.0 MQTT-3.6.2-1")]
    public async Task A_PUBREC_for_nothing_is_released_with_92()
    {
        await using var bench = new Bench();
        var wire = await bench.ConnectAsync();
        await wire.SendAsync(Hex.Ack("50", 77));
        await wire.ExpectAsync("62 03 004D 92");
    }

    [Theory]
    [Trait("clause", "3.1.1 MQTT-2.3.1-1")]
    [Trait("clause", "3.1.1 MQTT-2.3.1-2")]
    [Trait("clause", "5.0 MQTT-2.2.1-3")]
    [Trait("clause", "5.0 MQTT-4.3.2-1")]
    [Trait("clause", "5.0 MQTT-4.3.3-1")]
    [InlineData(V311)]
    [InlineData(V500)]
    public async Task A_packet_identifier_is_never_0_and_never_one_that_is_in_use(MqttProtocolVersion version)
    {
        await using var bench = new Bench(version, options => options with { MaxInFlight = 200 });
        var wire = await bench.ConnectAsync();

        // Identifiers 1 to 4 stay in use: a message of each kind and both requests.
        _ = bench.PublishAsync("held");
        await wire.ExpectAsync(Hex.Publish(version, "held", 1));
        _ = bench.PublishAsync("held", MqttQos.ExactlyOnce);
        await wire.ExpectAsync(Hex.Publish(version, "held", 2, first: "34"));
        _ = bench.Client.SubscribeAsync("s").AsTask();
        await wire.ExpectAsync(Hex.Subscribe(version, 3, "s"));
        _ = bench.Client.UnsubscribeAsync("u").AsTask();
        await wire.ExpectAsync(Hex.Packet("A2", "0004", Hex.Properties(version), Hex.Text("u")));

        var next = 5;
        for (var round = 0; round < 660; round++)
        {
            for (var i = 0; i < 100; i++)
            {
                _ = bench.PublishAsync();
            }

            var acks = new List<string>();
            for (var i = 0; i < 100; i++)
            {
                await wire.ExpectAsync(Hex.Publish(version, "a", next));
                acks.Add(Hex.Ack("40", next));
                next = next == 65_535 ? 5 : next + 1;
            }

            await wire.SendAsync([.. acks]);
        }

        Assert.True(next < 1000, "the identifiers never came round");
    }

    [Theory]
    [Trait("clause", "3.1.1 MQTT-2.3.1-3")]
    [Trait("clause", "3.1.1 MQTT-3.3.1-1")]
    [Trait("clause", "3.1.1 MQTT-4.4.0-1")]
    [Trait("clause", "3.1.1 MQTT-4.6.0-1")]
    [Trait("clause", "5.0 MQTT-3.3.1-1")]
    [Trait("clause", "5.0 MQTT-3.3.1-3")]
    [Trait("clause", "5.0 MQTT-4.4.0-1")]
    [Trait("clause", "5.0 MQTT-4.6.0-1")]
    [InlineData(V311)]
    [InlineData(V500)]
    public async Task A_resumed_session_sends_again_what_is_open_with_DUP_the_same_identifiers_and_in_order_before_anything_new(MqttProtocolVersion version)
    {
        await using var bench = new Bench(version);
        var wire = await bench.ConnectAsync();
        foreach (var (topic, id, qos) in new[] { ("a", 1, 1), ("b", 2, 2), ("c", 3, 1), ("d", 4, 2), ("e", 5, 2) })
        {
            _ = bench.PublishAsync(topic, (MqttQos)qos);
            await wire.ExpectAsync(Hex.Publish(version, topic, id, first: qos == 1 ? "32" : "34"));
        }

        await wire.SendAsync(Hex.Ack("40", 3), Hex.Ack("50", 2));
        await wire.ExpectAsync("62 02 0002");
        for (var i = 0; i < 2; i++)
        {
            await wire.CloseAsync();
            await bench.LostAsync();
            _ = bench.PublishAsync("new", MqttQos.AtMostOnce);
            wire = await bench.NextWireAsync();
            await bench.AcceptAsync(wire, sessionPresent: true);
            await wire.ExpectAsync(Hex.Publish(version, "a", 1, first: "3A"));
            await wire.ExpectAsync("62 02 0002");
            await wire.ExpectAsync(Hex.Publish(version, "d", 4, first: "3C"));
            await wire.ExpectAsync(Hex.Publish(version, "e", 5, first: "3C"));
            await wire.ExpectAsync(Hex.Publish(version, "new", 0, first: "30"));
        }

        // The identifier is free after the acknowledgement, and a new message that gets it has no DUP.
        await wire.SendAsync(Hex.Ack("40", 1));
        _ = bench.PublishAsync("f");
        await wire.ExpectAsync(Hex.Publish(version, "f", 6));
    }

    [Theory]
    [Trait("clause", "5.0 MQTT-4.4.0-1")]
    [Trait("clause", "3.1.1 MQTT-4.3.2-1")]
    [InlineData(V311)]
    [InlineData(V500)]
    public async Task Nothing_is_sent_twice_on_a_connection_that_lives(MqttProtocolVersion version)
    {
        await using var bench = new Bench(version);
        var wire = await bench.ConnectAsync();
        _ = bench.PublishAsync("a");
        await wire.ExpectAsync(Hex.Publish(version, "a", 1));
        _ = bench.PublishAsync("b", MqttQos.ExactlyOnce);
        await wire.ExpectAsync(Hex.Publish(version, "b", 2, first: "34"));
        await wire.SendAsync(Hex.Ack("50", 2));
        await wire.ExpectAsync("62 02 0002");
        for (var ping = 0; ping < 50; ping++)
        {
            await bench.PingAsync(wire);
        }
    }

    [Theory]
    [Trait("clause", "5.0 MQTT-4.4.0-2")]
    [InlineData("40", MqttQos.AtLeastOnce)]
    [InlineData("50", MqttQos.ExactlyOnce)]
    public async Task A_message_that_was_refused_is_not_sent_again(string ack, MqttQos qos)
    {
        await using var bench = new Bench();
        var wire = await bench.ConnectAsync();
        var outcome = bench.PublishAsync(qos: qos);
        await wire.ExpectAsync(Hex.Publish(V500, "a", 1, first: qos == MqttQos.AtLeastOnce ? "32" : "34"));
        await wire.SendAsync(Hex.Ack(ack, 1, "97"));
        Assert.Equal(MqttReasonCode.QuotaExceeded, (await outcome.WaitAsync(Bench.Patience)).Code);
        await bench.ExpectSilenceAsync(wire);
        wire = await bench.ReconnectAsync(wire, sessionPresent: true);
        await bench.ExpectSilenceAsync(wire);
    }

    [Theory]
    [Trait("clause", "3.1.1 MQTT-4.6.0-4")]
    [Trait("clause", "5.0 MQTT-4.6.0-4")]
    [InlineData(V311)]
    [InlineData(V500)]
    public async Task PUBRELs_leave_in_the_order_of_the_PUBRECs(MqttProtocolVersion version)
    {
        await using var bench = new Bench(version);
        var wire = await bench.ConnectAsync();
        for (var id = 1; id <= 4; id++)
        {
            _ = bench.PublishAsync(qos: MqttQos.ExactlyOnce);
            await wire.ExpectAsync(Hex.Publish(version, "a", id, first: "34"));
        }

        await wire.SendAsync(Hex.Ack("50", 3), Hex.Ack("50", 1), Hex.Ack("50", 4), Hex.Ack("50", 2));
        foreach (var id in new[] { 3, 1, 4, 2 })
        {
            await wire.ExpectAsync(Hex.Ack("62", id));
        }
    }

    [Theory]
    [Trait("clause", "5.0 MQTT-3.3.4-7")]
    [Trait("clause", "5.0 MQTT-4.9.0-1")]
    [Trait("clause", "5.0 MQTT-4.9.0-2")]
    [InlineData("40", MqttQos.AtLeastOnce, "")]
    [InlineData("40", MqttQos.AtLeastOnce, "80")]
    [InlineData("50", MqttQos.ExactlyOnce, "80")]
    [InlineData("70", MqttQos.ExactlyOnce, "")]
    public async Task No_more_is_open_than_the_Receive_Maximum(string ending, MqttQos qos, string code)
    {
        await using var bench = new Bench();
        var wire = await bench.ConnectAsync("21 0003");
        for (var i = 0; i < 6; i++)
        {
            _ = bench.PublishAsync(qos: qos);
        }

        var first = qos == MqttQos.AtLeastOnce ? "32" : "34";
        for (var id = 1; id <= 3; id++)
        {
            await wire.ExpectAsync(Hex.Publish(V500, "a", id, first: first));
        }

        await bench.ExpectSilenceAsync(wire);
        if (ending == "70")
        {
            // PUBREC makes no room.
            await wire.SendAsync(Hex.Ack("50", 1));
            await wire.ExpectAsync("62 02 0001");
            await bench.ExpectSilenceAsync(wire);
        }

        await wire.SendAsync(Hex.Ack(ending, 1, code));
        await wire.ExpectAsync(Hex.Publish(V500, "a", 4, first: first));
        await bench.ExpectSilenceAsync(wire);
    }

    [Fact]
    [Trait("clause", "5.0 MQTT-4.9.0-1")]
    public async Task A_Receive_Maximum_of_0_is_a_breach()
    {
        await using var bench = new Bench();
        bench.Start();
        var wire = await bench.Broker.NextAsync();
        await wire.ReadAsync();
        await wire.SendAsync("20 06 00 00 03 21 0000");
        await wire.ExpectClosedAsync();
        Assert.Equal(MqttLossCause.ProtocolBreach, (await bench.LostAsync()).Cause);
    }

    [Fact]
    [Trait("clause", "5.0 MQTT-3.3.4-8")]
    [Trait("clause", "5.0 MQTT-4.9.0-3")]
    public async Task A_full_window_delays_no_other_packet()
    {
        await using var bench = new Bench();
        var wire = await bench.ConnectAsync("21 0001");
        _ = bench.PublishAsync(qos: MqttQos.ExactlyOnce);
        _ = bench.PublishAsync("waits");
        await wire.ExpectAsync(Hex.Publish(V500, "a", 1, first: "34"));
        var granted = bench.Client.SubscribeAsync("s").AsTask();
        await wire.ExpectAsync(Hex.Subscribe(V500, 2, "s"));
        await wire.SendAsync(Hex.SubAck(V500, 2));
        Assert.True((await granted.WaitAsync(Bench.Patience)).Granted);
        await wire.SendAsync(Hex.Publish(V500, "in", 9), Hex.Publish(V500, "in", 10, first: "34"));
        await wire.ExpectAsync("40 02 0009");
        await wire.ExpectAsync("50 02 000A");
        await wire.SendAsync(Hex.Ack("62", 10));
        await wire.ExpectAsync("70 02 000A");
        await bench.PingAsync(wire);
        await wire.SendAsync(Hex.Ack("50", 1));
        await wire.ExpectAsync("62 02 0001");
    }

    [Fact]
    [Trait("clause", "5.0 MQTT-3.2.2-11")]
    public async Task A_QoS_above_the_server_s_maximum_is_never_sent()
    {
        await using var bench = new Bench();
        var wire = await bench.ConnectAsync();
        var open = bench.PublishAsync(qos: MqttQos.ExactlyOnce);
        await wire.ExpectAsync(Hex.Publish(V500, "a", 1, first: "34"));

        // Also when the server changed its mind while a message was open.
        wire = await bench.ReconnectAsync(wire, sessionPresent: true, "24 01");
        Assert.Equal((PublishStatus.Refused, MqttReasonCode.QosNotSupported), Short(await open.WaitAsync(Bench.Patience)));
        Assert.Equal(
            (PublishStatus.Refused, MqttReasonCode.QosNotSupported),
            Short(await bench.PublishAsync(qos: MqttQos.ExactlyOnce).WaitAsync(Bench.Patience)));
        await bench.ExpectSilenceAsync(wire);
        _ = bench.PublishAsync("fits");
        Assert.StartsWith("32", await wire.ReadAsync(), StringComparison.Ordinal);
    }

    [Fact]
    [Trait("clause", "5.0 MQTT-3.2.2-14")]
    public async Task A_retained_message_is_never_sent_to_a_server_that_keeps_none()
    {
        await using var bench = new Bench();
        var wire = await bench.ConnectAsync();
        var open = bench.PublishAsync(retain: true);
        await wire.ExpectAsync(Hex.Publish(V500, "a", 1, first: "33"));
        wire = await bench.ReconnectAsync(wire, sessionPresent: true, "25 00");
        Assert.Equal((PublishStatus.Refused, MqttReasonCode.RetainNotSupported), Short(await open.WaitAsync(Bench.Patience)));
        Assert.Equal(
            (PublishStatus.Refused, MqttReasonCode.RetainNotSupported),
            Short(await bench.PublishAsync(qos: MqttQos.AtMostOnce, retain: true).WaitAsync(Bench.Patience)));
        await bench.ExpectSilenceAsync(wire);
    }

    [Fact]
    [Trait("clause", "5.0 MQTT-3.2.2-15")]
    public async Task Nothing_is_sent_that_is_larger_than_the_server_s_Maximum_Packet_Size()
    {
        await using var bench = new Bench();
        var wire = await bench.ConnectAsync();
        var open = bench.PublishAsync("a/topic/of/some/length");
        await wire.ExpectAsync(Hex.Publish(V500, "a/topic/of/some/length", 1));
        wire = await bench.ReconnectAsync(wire, sessionPresent: true, "27 00000014");
        Assert.Equal(PublishStatus.TooLarge, (await open.WaitAsync(Bench.Patience)).Status);

        // 1 + 1 + 2 + 13 + 2 + 1 is 20 bytes, one more is too many.
        var fits = bench.Client.PublishAsync(new string('t', 13), default).AsTask();
        await wire.ExpectAsync(Hex.Publish(V500, new string('t', 13), 2, ""));
        Assert.Equal(PublishStatus.TooLarge, (await bench.PublishAsync(new string('t', 13)).WaitAsync(Bench.Patience)).Status);
        Assert.False(fits.IsCompleted);

        // The same holds for requests.
        var refused = await bench.Client.SubscribeAsync(new string('f', 14)).AsTask().WaitAsync(Bench.Patience);
        Assert.Equal((false, MqttReasonCode.PacketTooLarge), (refused.Granted, refused.Code));
        await bench.ExpectSilenceAsync(wire);
    }

    [Fact]
    [Trait("clause", "5.0 MQTT-3.3.4-6")]
    [Trait("clause", "5.0 MQTT-3.3.2-13")]
    [Trait("clause", "5.0 MQTT-3.3.2-19")]
    public async Task A_message_carries_the_properties_it_was_given_and_no_others()
    {
        await using var bench = new Bench();
        var wire = await bench.ConnectAsync();
        _ = bench.PublishAsync(qos: MqttQos.AtMostOnce, properties: new()
        {
            PayloadIsText = true,
            MessageExpirySeconds = 60,
            ContentType = "json",
            ResponseTopic = "r",
            CorrelationData = new byte[] { 1, 2 },
            UserProperties = [new("b", "1"), new("a", "2"), new("b", "3")],
        });
        await wire.ExpectAsync(Hex.Packet("30", Hex.Text("a"), Hex.Properties(
            V500,
            "01 01",
            "02 0000003C",
            "03" + Hex.Text("json"),
            "08" + Hex.Text("r"),
            "09 0002 0102",
            "26" + Hex.Text("b") + Hex.Text("1"),
            "26" + Hex.Text("a") + Hex.Text("2"),
            "26" + Hex.Text("b") + Hex.Text("3")), "78"));
    }

    [Fact]
    [Trait("clause", "5.0 MQTT-4.3.3-7")]
    public async Task A_message_that_was_sent_does_not_expire()
    {
        await using var bench = new Bench();
        var wire = await bench.ConnectAsync();
        var properties = new MqttMessageProperties { MessageExpirySeconds = 5 };
        var once = Hex.Packet("32", Hex.Text("a"), "0001", "05 02 00000005", "78");
        var exactly = Hex.Packet("34", Hex.Text("a"), "0002", "05 02 00000005", "78");
        _ = bench.PublishAsync(properties: properties);
        await wire.ExpectAsync(once);
        _ = bench.PublishAsync(qos: MqttQos.ExactlyOnce, properties: properties);
        await wire.ExpectAsync(exactly);
        bench.Time.Advance(TimeSpan.FromSeconds(10));
        wire = await bench.ReconnectAsync(wire, sessionPresent: true);
        await wire.ExpectAsync("3A" + once[2..]);
        await wire.ExpectAsync("3C" + exactly[2..]);
    }

    [Fact]
    [Trait("clause", "5.0 MQTT-3.2.2-18")]
    [Trait("clause", "5.0 MQTT-3.3.2-8")]
    public async Task Without_a_Topic_Alias_Maximum_no_alias_is_sent()
    {
        await using var bench = new Bench();
        var wire = await bench.ConnectAsync();
        for (var id = 1; id <= 50; id++)
        {
            _ = bench.PublishAsync("a/topic/that/comes/often");
            await wire.ExpectAsync(Hex.Publish(V500, "a/topic/that/comes/often", id));
            await wire.SendAsync(Hex.Ack("40", id));
        }
    }

    private static (PublishStatus Status, MqttReasonCode Code) Short(PublishOutcome outcome) => (outcome.Status, outcome.Code);
}
