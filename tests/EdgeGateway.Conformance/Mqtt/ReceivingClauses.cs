using EdgeGateway.Protocols.Mqtt;
using static EdgeGateway.Protocols.Mqtt.MqttProtocolVersion;

namespace EdgeGateway.Conformance.Mqtt;

/// <summary>What the server publishes to the client: 3.3, 4.3, 4.5 and 4.6 as the receiver.</summary>
public sealed class ReceivingClauses
{
    [Theory]
    [Trait("clause", "3.1.1 MQTT-3.3.4-1")]
    [Trait("clause", "3.1.1 MQTT-4.3.2-2")]
    [Trait("clause", "3.1.1 MQTT-4.6.0-2")]
    [Trait("clause", "3.1.1 MQTT-4.6.0-3")]
    [Trait("clause", "5.0 MQTT-3.3.4-1")]
    [Trait("clause", "5.0 MQTT-3.4.2-1")]
    [Trait("clause", "5.0 MQTT-3.5.2-1")]
    [Trait("clause", "5.0 MQTT-4.3.2-4")]
    [Trait("clause", "5.0 MQTT-4.3.3-8")]
    [Trait("clause", "5.0 MQTT-4.6.0-2")]
    [Trait("clause", "5.0 MQTT-4.6.0-3")]
    [InlineData(V311)]
    [InlineData(V500)]
    public async Task Messages_are_delivered_and_acknowledged_in_the_order_they_came(MqttProtocolVersion version)
    {
        await using var bench = new Bench(version);
        var wire = await bench.ConnectAsync();
        await wire.SendAsync(
            Hex.Publish(version, "m/0", 0, first: "30"),
            Hex.Publish(version, "m/1", 700),
            Hex.Publish(version, "m/2", 3, first: "34"),
            Hex.Publish(version, "m/3", 65_535),
            Hex.Publish(version, "m/4", 1, first: "35"),
            Hex.Publish(version, "m/5", 2));
        await wire.ExpectAsync("40 02 02BC");
        await wire.ExpectAsync("50 02 0003");
        await wire.ExpectAsync("40 02 FFFF");
        await wire.ExpectAsync("50 02 0001");
        await wire.ExpectAsync("40 02 0002");
        for (var i = 0; i < 6; i++)
        {
            var message = await bench.MessageAsync();
            Assert.Equal(($"m/{i}", i == 4, false), (message.Topic, message.Retain, message.Duplicate));
            Assert.Equal("x"u8.ToArray(), message.Payload.ToArray());
        }
    }

    [Theory]
    [Trait("clause", "3.1.1 MQTT-4.3.2-2")]
    [Trait("clause", "5.0 MQTT-4.3.2-5")]
    [InlineData(V311)]
    [InlineData(V500)]
    public async Task After_PUBACK_the_same_identifier_is_a_new_message_whatever_DUP_says(MqttProtocolVersion version)
    {
        await using var bench = new Bench(version);
        var wire = await bench.ConnectAsync();
        foreach (var first in new[] { "32", "3A", "32" })
        {
            await wire.SendAsync(Hex.Publish(version, "a", 5, first: first));
            await wire.ExpectAsync("40 02 0005");
            Assert.Equal(first == "3A", (await bench.MessageAsync()).Duplicate);
        }
    }

    [Theory]
    [Trait("clause", "3.1.1 MQTT-4.3.3-2")]
    [Trait("clause", "5.0 MQTT-3.7.2-1")]
    [Trait("clause", "5.0 MQTT-4.3.3-10")]
    [Trait("clause", "5.0 MQTT-4.3.3-11")]
    [Trait("clause", "5.0 MQTT-4.3.3-12")]
    [InlineData(V311)]
    [InlineData(V500)]
    public async Task At_QoS_2_a_message_is_delivered_once_until_PUBREL_and_is_new_after_PUBCOMP(MqttProtocolVersion version)
    {
        await using var bench = new Bench(version);
        var wire = await bench.ConnectAsync();
        await wire.SendAsync(Hex.Publish(version, "first", 5, first: "34"));
        await wire.ExpectAsync("50 02 0005");
        await wire.SendAsync(Hex.Publish(version, "first", 5, first: "3C"));
        await wire.ExpectAsync("50 02 0005");

        // The connection in between changes nothing.
        wire = await bench.ReconnectAsync(wire, sessionPresent: true);
        await wire.SendAsync(Hex.Publish(version, "first", 5, first: "3C"));
        await wire.ExpectAsync("50 02 0005");
        await wire.SendAsync(Hex.Ack("62", 5));
        await wire.ExpectAsync("70 02 0005");
        Assert.Equal("first", (await bench.MessageAsync()).Topic);

        await wire.SendAsync(Hex.Publish(version, "second", 5, first: "3C"));
        await wire.ExpectAsync("50 02 0005");
        await wire.SendAsync(Hex.Ack("62", 5));
        await wire.ExpectAsync("70 02 0005");
        Assert.Equal("second", (await bench.MessageAsync()).Topic);
        Assert.Equal(0, bench.MessagesLeft);
    }

    [Theory]
    [Trait("clause", "3.1.1 MQTT-4.3.3-2")]
    [Trait("clause", "5.0 MQTT-4.3.3-10")]
    [InlineData(V311)]
    [InlineData(V500)]
    public async Task At_QoS_2_a_repetition_that_comes_while_the_handler_works_is_not_delivered(MqttProtocolVersion version)
    {
        await using var bench = new Bench(version);
        var working = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var finish = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var delivered = 0;
        bench.Client.MessageReceived = async (_, _) =>
        {
            Interlocked.Increment(ref delivered);
            working.TrySetResult();
            await finish.Task;
        };
        var wire = await bench.ConnectAsync();
        await wire.SendAsync(Hex.Publish(version, "a", 5, first: "34"));
        await working.Task.WaitAsync(Bench.Patience);
        await wire.SendAsync(Hex.Publish(version, "a", 5, first: "3C"), Hex.Publish(version, "a", 5, first: "3C"), Hex.Publish(version, "b", 6));
        finish.SetResult();
        string packet;
        do
        {
            packet = await wire.ReadAsync();
            Assert.True(packet is "50020005" or "40020006", packet);
        }
        while (packet != "40020006");

        Assert.Equal(2, Volatile.Read(ref delivered));
    }

    [Fact]
    [Trait("clause", "3.1.1 MQTT-4.3.3-2")]
    public async Task A_PUBREL_of_3_1_1_for_nothing_is_completed()
    {
        await using var bench = new Bench(V311);
        var wire = await bench.ConnectAsync();
        await wire.SendAsync(Hex.Ack("62", 8));
        await wire.ExpectAsync("70 02 0008");
    }

    [Fact]
    [Trait("clause", "5.0 MQTT-3.7.2-1")]
    public async Task A_PUBREL_for_nothing_is_completed_with_92()
    {
        await using var bench = new Bench();
        var wire = await bench.ConnectAsync();
        await wire.SendAsync(Hex.Ack("62", 8));
        await wire.ExpectAsync("70 03 0008 92");
    }

    [Theory]
    [Trait("clause", "3.1.1 MQTT-4.5.0-2")]
    [Trait("clause", "5.0 MQTT-4.5.0-2")]
    [InlineData(V311, true)]
    [InlineData(V311, false)]
    [InlineData(V500, true)]
    [InlineData(V500, false)]
    public async Task A_message_that_nobody_wants_or_that_the_handler_cannot_take_is_acknowledged(MqttProtocolVersion version, bool fails)
    {
        await using var bench = new Bench(version);
        bench.Client.MessageReceived = fails ? (_, _) => throw new InvalidOperationException("no") : null;
        var wire = await bench.ConnectAsync();
        await wire.SendAsync(Hex.Publish(version, "never/asked/for", 1), Hex.Publish(version, "never/asked/for", 2, first: "34"));
        await wire.ExpectAsync("40 02 0001");
        await wire.ExpectAsync("50 02 0002");
        Assert.Equal(fails ? 2 : 0, bench.Client.Counters.HandlerFailures);
    }

    [Fact]
    [Trait("clause", "5.0 MQTT-4.3.3-13")]
    public async Task An_expired_message_completes_its_four_steps()
    {
        await using var bench = new Bench();
        var wire = await bench.ConnectAsync();
        await wire.SendAsync(Hex.Packet("34", Hex.Text("a"), "0005", "05 02 00000001", "78"));
        await wire.ExpectAsync("50 02 0005");
        bench.Time.Advance(TimeSpan.FromSeconds(20));
        await wire.SendAsync(Hex.Ack("62", 5));
        await wire.ExpectAsync("70 02 0005");
    }

    [Fact]
    [Trait("clause", "5.0 MQTT-3.3.4-9")]
    public async Task More_open_messages_than_our_Receive_Maximum_end_the_connection_with_93()
    {
        await using var bench = new Bench(V500, options => options with { ReceiveMaximum = 3 });
        var hold = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        bench.Client.MessageReceived = async (_, cancel) => await hold.Task.WaitAsync(cancel);
        var wire = await bench.ConnectAsync();
        for (var id = 1; id <= 4; id++)
        {
            await wire.SendAsync(Hex.Publish(V500, "a", id));
        }

        await wire.ExpectAsync("E0 01 93");
        await wire.ExpectClosedAsync();
        Assert.Equal((MqttLossCause.ProtocolBreach, MqttReasonCode.ReceiveMaximumExceeded), CauseAndCode(await bench.LostAsync()));
    }

    [Theory]
    [Trait("clause", "5.0 MQTT-3.1.2-24")]
    [InlineData("30 8E 08", true)] // 1 + 2 + 1038 is one byte more than 1040
    [InlineData("30 FF FF FF 7F", true)]
    [InlineData("30 8D 08", false)]
    public async Task A_packet_above_our_Maximum_Packet_Size_ends_the_connection_with_95_before_it_is_read(string header, bool ends)
    {
        await using var bench = new Bench(V500, options => options with { MaxIncomingPacketSize = 1040 });
        var wire = await bench.ConnectAsync();
        await wire.SendAsync(header);
        if (ends)
        {
            await wire.ExpectAsync("E0 01 95");
            await wire.ExpectClosedAsync();
            Assert.Equal((MqttLossCause.ProtocolBreach, MqttReasonCode.PacketTooLarge), CauseAndCode(await bench.LostAsync()));
        }
        else
        {
            await wire.SendAsync(Hex.Text("a"), "00", new string('0', 2 * 1033));
            Assert.Equal(1033, (await bench.MessageAsync()).Payload.Length);
        }
    }

    [Theory]
    [Trait("clause", "5.0 MQTT-3.1.2-26")]
    [Trait("clause", "5.0 MQTT-3.1.2-27")]
    [Trait("clause", "5.0 MQTT-3.3.2-11")]
    [InlineData("0001")]
    [InlineData("0000")]
    [InlineData("FFFF")]
    public async Task A_topic_alias_that_was_not_offered_ends_the_connection_with_94(string alias)
    {
        await using var bench = new Bench();
        var wire = await bench.ConnectAsync();
        await wire.SendAsync(Hex.Packet("30", Hex.Text("a"), "03 23", alias, "78"));
        await wire.ExpectAsync("E0 01 94");
        await wire.ExpectClosedAsync();
        Assert.Equal((MqttLossCause.ProtocolBreach, MqttReasonCode.TopicAliasInvalid), CauseAndCode(await bench.LostAsync()));
    }

    [Theory]
    [Trait("clause", "3.1.1 MQTT-3.3.2-2")]
    [Trait("clause", "5.0 MQTT-3.3.2-2")]
    [InlineData(V311, "a/+")]
    [InlineData(V311, "#")]
    [InlineData(V500, "a/+")]
    [InlineData(V500, "#")]
    public async Task A_message_whose_topic_has_a_wildcard_ends_the_connection(MqttProtocolVersion version, string topic)
    {
        await using var bench = new Bench(version);
        var wire = await bench.ConnectAsync();
        await wire.SendAsync(Hex.Publish(version, topic, 0, first: "30"));
        if (version == V500)
        {
            await wire.ExpectAsync("E0 01 90");
        }

        await wire.ExpectClosedAsync();
        Assert.Equal(MqttLossCause.ProtocolBreach, (await bench.LostAsync()).Cause);
    }

    [Fact]
    [Trait("clause", "5.0 MQTT-3.3.2-15")]
    [Trait("clause", "5.0 MQTT-3.3.2-17")]
    public async Task What_a_message_carries_reaches_the_application_in_order()
    {
        await using var bench = new Bench();
        var wire = await bench.ConnectAsync();
        await wire.SendAsync(Hex.Packet("30", Hex.Text("a"), Hex.Properties(
            V500,
            "26" + Hex.Text("b") + Hex.Text("1"),
            "09 0002 0102",
            "01 01",
            "26" + Hex.Text("a") + Hex.Text(""),
            "02 0000003C",
            "08" + Hex.Text("r/1"),
            "03" + Hex.Text("json"),
            "26" + Hex.Text("b") + Hex.Text("3")), "78"));
        var properties = (await bench.MessageAsync()).Properties!;
        Assert.Equal((true, 60u, "json", "r/1"), (properties.PayloadIsText, properties.MessageExpirySeconds, properties.ContentType, properties.ResponseTopic));
        Assert.Equal([1, 2], properties.CorrelationData!.Value.ToArray());
        Assert.Equal([new("b", "1"), new("a", ""), new("b", "3")], properties.UserProperties);
    }

    [Theory]
    [Trait("clause", "5.0 MQTT-4.13.1-1")]
    [InlineData("32 06 0001 61 0000 00", "82")] // identifier 0
    [InlineData("30 03 0000 00", "82")] // no topic and no alias
    [InlineData("30 06 0001 61 02 01 02", "82")] // Payload Format Indicator 2
    [InlineData("30 08 0001 61 04 01 00 01 00", "82")] // twice
    [InlineData("30 06 0001 61 02 0B 00", "82")] // Subscription Identifier 0
    [InlineData("30 06 0001 61 02 24 01", "82")] // Maximum QoS belongs to CONNACK
    [InlineData("30 06 0001 61 02 7F 00", "81")] // no such property
    [InlineData("30 05 0001 61 05 01", "81")] // properties longer than the packet
    [InlineData("30 06 0001 61 02 02 00", "81")] // a property that breaks off
    [InlineData("30 03 0005 61", "81")] // a topic longer than the packet
    [InlineData("40 01 00", "81")]
    [InlineData("40 02 0000", "82")]
    [InlineData("40 05 0001 00 00 00", "81")] // longer than its fields
    [InlineData("40 06 0001 00 02 01 00", "82")] // a property that PUBACK cannot have
    [InlineData("90 03 0001 00", "81")] // no reason code
    [InlineData("B0 03 0001 00", "81")]
    [InlineData("D0 01 00", "81")]
    [InlineData("E0 03 00 02 11", "81")] // DISCONNECT that breaks off
    [InlineData("70 02 0001", null)] // of something that is not there: nothing is wrong
    [InlineData("90 04 0001 00 00", null)]
    public async Task Malformed_packets_and_protocol_errors_are_told_apart_and_end_the_connection(string packet, string? code)
    {
        await using var bench = new Bench();
        var wire = await bench.ConnectAsync();
        await wire.SendAsync(packet);
        if (code is null)
        {
            await bench.ExpectSilenceAsync(wire);
            return;
        }

        await wire.ExpectAsync("E0 01 " + code);
        await wire.ExpectClosedAsync();
        Assert.Equal((MqttLossCause.ProtocolBreach, (MqttReasonCode)Hex.Bytes(code)[0]), CauseAndCode(await bench.LostAsync()));
    }

    [Theory]
    [Trait("clause", "3.1.1 MQTT-4.8.0-1")]
    [Trait("clause", "5.0 MQTT-4.13.1-1")]
    [InlineData(V311, "40", MqttQos.ExactlyOnce)]
    [InlineData(V311, "50", MqttQos.AtLeastOnce)]
    [InlineData(V311, "70", MqttQos.AtLeastOnce)]
    [InlineData(V311, "70", MqttQos.ExactlyOnce)]
    [InlineData(V500, "40", MqttQos.ExactlyOnce)]
    [InlineData(V500, "50", MqttQos.AtLeastOnce)]
    [InlineData(V500, "70", MqttQos.AtLeastOnce)]
    [InlineData(V500, "70", MqttQos.ExactlyOnce)]
    public async Task An_acknowledgement_of_the_wrong_kind_ends_the_connection_and_settles_nothing(MqttProtocolVersion version, string ack, MqttQos qos)
    {
        await using var bench = new Bench(version);
        var wire = await bench.ConnectAsync();
        var outcome = bench.PublishAsync(qos: qos);
        await wire.ReadAsync();
        await wire.SendAsync(Hex.Ack(ack, 1));
        if (version == V500)
        {
            await wire.ExpectAsync("E0 01 82");
        }

        await wire.ExpectClosedAsync();
        Assert.Equal(MqttLossCause.ProtocolBreach, (await bench.LostAsync()).Cause);
        Assert.False(outcome.IsCompleted);
        wire = await bench.NextWireAsync();
        await bench.AcceptAsync(wire, sessionPresent: true);
        await wire.ExpectAsync(Hex.Publish(version, "a", 1, first: qos == MqttQos.AtLeastOnce ? "3A" : "3C"));
    }

    [Theory]
    [Trait("clause", "3.1.1 MQTT-4.8.0-2")]
    [InlineData(V311)]
    [InlineData(V500)]
    public async Task A_handler_that_is_interrupted_by_the_loss_of_the_connection_gets_its_message_again(MqttProtocolVersion version)
    {
        await using var bench = new Bench(version);
        var calls = 0;
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        bench.Client.MessageReceived = async (_, cancel) =>
        {
            if (Interlocked.Increment(ref calls) == 1)
            {
                started.SetResult();
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancel);
            }
        };
        var wire = await bench.ConnectAsync();
        await wire.SendAsync(Hex.Publish(version, "a", 5, first: "34"));
        await started.Task.WaitAsync(Bench.Patience);
        wire = await bench.ReconnectAsync(wire, sessionPresent: true);
        await wire.SendAsync(Hex.Publish(version, "a", 5, first: "3C"));
        await wire.ExpectAsync("50 02 0005");
        Assert.Equal(2, calls);
    }

    private static (MqttLossCause Cause, MqttReasonCode? Code) CauseAndCode(MqttDisconnected loss) => (loss.Cause, loss.Code);
}
