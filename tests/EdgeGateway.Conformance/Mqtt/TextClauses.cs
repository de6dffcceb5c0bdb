using EdgeGateway.Protocols.Mqtt;
using static EdgeGateway.Protocols.Mqtt.MqttProtocolVersion;

namespace EdgeGateway.Conformance.Mqtt;

/// <summary>Strings, numbers, flags and topics: chapters 1, 2 and 4.7 of both standards.</summary>
public sealed class TextClauses
{
    private const string HalfAPair = "a\uD800";

    [Theory]
    [Trait("clause", "3.1.1 MQTT-1.5.3-1")]
    [Trait("clause", "3.1.1 MQTT-4.8.0-1")]
    [Trait("clause", "5.0 MQTT-1.5.4-1")]
    [InlineData(V311, "C0AF")] // an overlong /
    [InlineData(V311, "EDA080")] // U+D800
    [InlineData(V311, "F4908080")] // beyond U+10FFFF
    [InlineData(V500, "C0AF")]
    [InlineData(V500, "EDA080")]
    [InlineData(V500, "F4908080")]
    [InlineData(V500, "61C3")] // breaks off
    public async Task A_string_that_is_not_UTF_8_closes_the_connection(MqttProtocolVersion version, string topic)
    {
        await using var bench = new Bench(version);
        var wire = await bench.ConnectAsync();
        await wire.SendAsync(Hex.Packet("30", $"{topic.Length / 2:X4}", topic, Hex.Properties(version)));
        await ExpectMalformedAsync(bench, wire);
    }

    [Theory]
    [Trait("clause", "3.1.1 MQTT-1.5.3-2")]
    [Trait("clause", "5.0 MQTT-1.5.4-2")]
    [InlineData(V311)]
    [InlineData(V500)]
    public async Task A_string_with_a_null_character_closes_the_connection(MqttProtocolVersion version)
    {
        await using var bench = new Bench(version);
        var wire = await bench.ConnectAsync();
        await wire.SendAsync(Hex.Packet("30", "0003 61 00 62", Hex.Properties(version)));
        await ExpectMalformedAsync(bench, wire);
    }

    [Theory, Trait("clause", "5.0 MQTT-1.5.7-1")]
    [InlineData("26 0001 FF 0001 62")]
    [InlineData("26 0001 61 0001 FF")]
    [InlineData("26 0001 61 0001 00")]
    public async Task Both_strings_of_a_user_property_are_checked(string property)
    {
        await using var bench = new Bench();
        var wire = await bench.ConnectAsync();
        await wire.SendAsync(Hex.Packet("30", Hex.Text("a"), Hex.Properties(V500, property)));
        await ExpectMalformedAsync(bench, wire);
    }

    [Fact]
    [Trait("clause", "3.1.1 MQTT-1.5.3-1")]
    [Trait("clause", "3.1.1 MQTT-1.5.3-2")]
    [Trait("clause", "3.1.1 MQTT-4.7.3-2")]
    [Trait("clause", "5.0 MQTT-1.5.4-1")]
    [Trait("clause", "5.0 MQTT-1.5.4-2")]
    [Trait("clause", "5.0 MQTT-1.5.7-1")]
    [Trait("clause", "5.0 MQTT-3.3.2-13")]
    [Trait("clause", "5.0 MQTT-3.3.2-14")]
    [Trait("clause", "5.0 MQTT-3.3.2-19")]
    [Trait("clause", "5.0 MQTT-4.7.3-2")]
    public async Task A_message_that_no_packet_can_carry_is_refused_at_the_call()
    {
        await using var bench = new Bench();
        foreach (var text in new[] { HalfAPair, "a\0b", new string('x', 65_536) })
        {
            await RefusedAsync(text);
            await RefusedAsync("a", new() { ContentType = text });
            await RefusedAsync("a", new() { ResponseTopic = text });
            await RefusedAsync("a", new() { UserProperties = [new(text, "v")] });
            await RefusedAsync("a", new() { UserProperties = [new("n", text)] });
            await Assert.ThrowsAnyAsync<ArgumentException>(() => bench.Client.SubscribeAsync(text).AsTask().WaitAsync(Bench.Patience));
            await Assert.ThrowsAnyAsync<ArgumentException>(() => bench.Client.UnsubscribeAsync(text).AsTask().WaitAsync(Bench.Patience));
        }

        await RefusedAsync("a", new() { ResponseTopic = "answers/+" });
        await RefusedAsync("a", new() { ResponseTopic = "#" });
        await RefusedAsync("a", new() { ResponseTopic = "" });
        await RefusedAsync("a", new() { CorrelationData = new byte[65_536] });

        // None of them waits for the connection, where it could do harm.
        var wire = await bench.ConnectAsync();
        await bench.ExpectSilenceAsync(wire);

        Task RefusedAsync(string topic, MqttMessageProperties? properties = null) => Assert.ThrowsAnyAsync<ArgumentException>(
            () => bench.Client.PublishAsync(topic, default, MqttQos.AtMostOnce, properties: properties).AsTask().WaitAsync(Bench.Patience));
    }

    [Theory]
    [Trait("clause", "3.1.1 MQTT-3.1.3-4")]
    [Trait("clause", "3.1.1 MQTT-3.1.3-10")]
    [Trait("clause", "3.1.1 MQTT-3.1.3-11")]
    [Trait("clause", "5.0 MQTT-3.1.3-4")]
    [Trait("clause", "5.0 MQTT-3.1.3-11")]
    [Trait("clause", "5.0 MQTT-3.1.3-12")]
    [InlineData(V311)]
    [InlineData(V500)]
    public void Options_that_no_CONNECT_can_carry_are_refused_before_anything_is_sent(MqttProtocolVersion version)
    {
        foreach (var text in new[] { HalfAPair, "a\0b", new string('x', 65_536) })
        {
            Refused(options => options with { ClientId = text });
            Refused(options => options with { UserName = text });
            Refused(options => options with { Will = new() { Topic = text, Payload = default } });
            Refused(options => options with { Will = new() { Topic = "w", Payload = default, Properties = new() { ContentType = text } } });
        }

        Refused(options => options with { UserName = "u", Password = new string('x', 65_536) });
        Refused(options => options with { Will = new() { Topic = "w/+", Payload = default } });
        Refused(options => options with { Will = new() { Topic = "w", Payload = new byte[65_536] } });

        void Refused(Func<MqttClientOptions, MqttClientOptions> change) => Assert.ThrowsAny<ArgumentException>(() => new Bench(version, change));
    }

    [Theory]
    [Trait("clause", "3.1.1 MQTT-1.5.3-3")]
    [Trait("clause", "5.0 MQTT-1.5.4-3")]
    [InlineData(V311)]
    [InlineData(V500)]
    public async Task A_byte_order_mark_stays_where_it_is(MqttProtocolVersion version)
    {
        await using var bench = new Bench(version);
        var wire = await bench.ConnectAsync();
        await wire.SendAsync(Hex.Packet("30", "0008 EFBBBF 61 EFBBBF 62", Hex.Properties(version)));
        Assert.Equal("\uFEFFa\uFEFFb", (await bench.MessageAsync()).Topic);
        _ = bench.PublishAsync("\uFEFFa", MqttQos.AtMostOnce);
        await wire.ExpectAsync(Hex.Packet("30", "0004 EFBBBF 61", Hex.Properties(version), "78"));
    }

    [Theory, Trait("clause", "5.0 MQTT-1.5.5-1")]
    [InlineData("30 85 00 0001 61 00 78")] // remaining length 5 in two bytes
    [InlineData("30 06 0001 61 80 00 78")] // property length 0 in two bytes
    [InlineData("30 08 0001 61 04 8B 00 01 78")] // property identifier 11 in two bytes
    [InlineData("30 08 0001 61 03 0B 81 00 78")] // subscription identifier 1 in two bytes
    [InlineData("30 FF FF FF FF 01")] // five bytes
    public async Task A_number_that_is_longer_than_needed_closes_the_connection(string packet)
    {
        await using var bench = new Bench();
        var wire = await bench.ConnectAsync();
        await wire.SendAsync(packet);
        await ExpectMalformedAsync(bench, wire);
    }

    [Theory, Trait("clause", "5.0 MQTT-1.5.5-1")]
    [InlineData(121, "7F")]
    [InlineData(122, "8001")]
    [InlineData(16_377, "FF7F")]
    [InlineData(16_378, "808001")]
    [InlineData(2_097_145, "FFFF7F")]
    [InlineData(2_097_146, "80808001")]
    public async Task A_length_is_sent_in_as_few_bytes_as_possible(int payload, string length)
    {
        await using var bench = new Bench(V500, options => options with { MaxOutgoingPacketSize = 1 << 22 });
        var wire = await bench.ConnectAsync();
        _ = bench.Client.PublishAsync("abc", new byte[payload], MqttQos.AtMostOnce).AsTask();
        Assert.StartsWith("30" + length + "0003616263" + "00", await wire.ReadAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [Trait("clause", "3.1.1 MQTT-2.2.2-2")]
    [Trait("clause", "3.1.1 MQTT-3.3.1-4")]
    [Trait("clause", "5.0 MQTT-2.1.3-1")]
    [Trait("clause", "5.0 MQTT-3.3.1-4")]
    [Trait("clause", "5.0 MQTT-3.6.1-1")]
    [Trait("clause", "5.0 MQTT-3.14.1-1")]
    [Trait("clause", "5.0 MQTT-3.15.1-1")]
    [InlineData(V311, "41 02 0001")]
    [InlineData(V311, "52 02 0001")]
    [InlineData(V311, "60 02 0001")]
    [InlineData(V311, "6A 02 0001")]
    [InlineData(V311, "78 02 0001")]
    [InlineData(V311, "91 03 0001 00")]
    [InlineData(V311, "B2 02 0001")]
    [InlineData(V311, "D1 00")]
    [InlineData(V311, "36 05 0001 61 0001")] // QoS 3
    [InlineData(V311, "38 03 0001 61")] // QoS 0 and DUP
    [InlineData(V311, "00 00")] // type 0
    [InlineData(V311, "F0 00")] // type 15
    [InlineData(V500, "41 02 0001")]
    [InlineData(V500, "52 02 0001")]
    [InlineData(V500, "60 02 0001")]
    [InlineData(V500, "78 02 0001")]
    [InlineData(V500, "91 04 0001 00 00")]
    [InlineData(V500, "B2 04 0001 00 00")]
    [InlineData(V500, "D1 00")]
    [InlineData(V500, "E1 00")]
    [InlineData(V500, "F1 00")]
    [InlineData(V500, "36 06 0001 61 0001 00")]
    [InlineData(V500, "38 04 0001 61 00")]
    [InlineData(V500, "00 00")]
    public async Task Flags_other_than_the_standard_s_close_the_connection(MqttProtocolVersion version, string packet)
    {
        await using var bench = new Bench(version);
        var wire = await bench.ConnectAsync();
        await wire.SendAsync(packet);
        await ExpectMalformedAsync(bench, wire);
    }

    [Theory]
    [Trait("clause", "3.1.1 MQTT-2.2.2-1")]
    [Trait("clause", "3.1.1 MQTT-2.3.1-5")]
    [Trait("clause", "3.1.1 MQTT-3.3.1-2")]
    [Trait("clause", "3.1.1 MQTT-3.6.1-1")]
    [Trait("clause", "3.1.1 MQTT-3.8.1-1")]
    [Trait("clause", "3.1.1 MQTT-3.10.1-1")]
    [Trait("clause", "3.1.1 MQTT-3.14.1-1")]
    [Trait("clause", "3.1.1 MQTT-4.3.1-1")]
    [Trait("clause", "5.0 MQTT-2.1.3-1")]
    [Trait("clause", "5.0 MQTT-2.2.1-2")]
    [Trait("clause", "5.0 MQTT-2.2.2-1")]
    [Trait("clause", "5.0 MQTT-3.3.1-2")]
    [Trait("clause", "5.0 MQTT-3.6.1-1")]
    [Trait("clause", "5.0 MQTT-3.8.1-1")]
    [Trait("clause", "5.0 MQTT-3.10.1-1")]
    [Trait("clause", "5.0 MQTT-4.3.1-1")]
    [InlineData(V311)]
    [InlineData(V500)]
    public async Task Every_packet_leaves_with_the_flags_of_the_standard(MqttProtocolVersion version)
    {
        await using var bench = new Bench(version);
        var none = Hex.Properties(version);
        var wire = await bench.ConnectAsync();

        _ = bench.PublishAsync("a", MqttQos.AtMostOnce);
        await wire.ExpectAsync(Hex.Packet("30", "0001 61", none, "78"));
        _ = bench.PublishAsync("a", MqttQos.AtLeastOnce, retain: true);
        await wire.ExpectAsync(Hex.Packet("33", "0001 61", "0001", none, "78"));
        _ = bench.PublishAsync("a", MqttQos.ExactlyOnce);
        await wire.ExpectAsync(Hex.Packet("34", "0001 61", "0002", none, "78"));
        await wire.SendAsync(Hex.Ack("50", 2));
        await wire.ExpectAsync("62 02 0002");

        _ = bench.Client.SubscribeAsync("a/+").AsTask();
        await wire.ExpectAsync(Hex.Packet("82", "0003", none, "0003 612F2B", "01"));
        _ = bench.Client.UnsubscribeAsync("a/+").AsTask();
        await wire.ExpectAsync(Hex.Packet("A2", "0004", none, "0003 612F2B"));

        await wire.SendAsync(Hex.Publish(version, "b", 9), Hex.Publish(version, "b", 10, first: "34"));
        await wire.ExpectAsync("40 02 0009");
        await wire.ExpectAsync("50 02 000A");
        await wire.SendAsync(Hex.Ack("62", 10));
        await wire.ExpectAsync("70 02 000A");

        Assert.Equal("C000", await bench.ReadInTimeAsync(wire, TimeSpan.FromSeconds(1)));
        _ = bench.Client.DisconnectAsync();
        await wire.ExpectAsync("E0 00");
    }

    [Theory]
    [Trait("clause", "3.1.1 MQTT-3.3.2-2")]
    [Trait("clause", "3.1.1 MQTT-4.7.1-1")]
    [Trait("clause", "3.1.1 MQTT-4.7.3-1")]
    [Trait("clause", "5.0 MQTT-3.3.2-2")]
    [Trait("clause", "5.0 MQTT-4.7.0-1")]
    [Trait("clause", "5.0 MQTT-4.7.3-1")]
    [InlineData("")]
    [InlineData("#")]
    [InlineData("a/+/b")]
    [InlineData("a#")]
    public async Task A_topic_name_without_a_character_or_with_a_wildcard_is_never_sent(string topic)
    {
        await using var bench = new Bench();
        var wire = await bench.ConnectAsync();
        await Assert.ThrowsAnyAsync<ArgumentException>(() => bench.PublishAsync(topic).WaitAsync(Bench.Patience));
        await bench.ExpectSilenceAsync(wire);
    }

    [Theory]
    [Trait("clause", "3.1.1 MQTT-4.7.3-3")]
    [Trait("clause", "5.0 MQTT-4.7.3-3")]
    [InlineData(65_535, true)]
    [InlineData(65_536, false)]
    public async Task A_topic_of_65535_bytes_is_sent_and_a_longer_one_is_not(int bytes, bool goes)
    {
        await using var bench = new Bench();
        var wire = await bench.ConnectAsync();
        var topic = "é" + new string('x', bytes - 2);
        if (goes)
        {
            _ = bench.PublishAsync(topic, MqttQos.AtMostOnce);
            await wire.ExpectAsync(Hex.Packet("30", Hex.Text(topic), "00", "78"));
        }
        else
        {
            await Assert.ThrowsAnyAsync<ArgumentException>(() => bench.PublishAsync(topic).WaitAsync(Bench.Patience));
        }
    }

    [Theory]
    [Trait("clause", "3.1.1 MQTT-3.8.3-1")]
    [Trait("clause", "3.1.1 MQTT-3.10.3-1")]
    [Trait("clause", "3.1.1 MQTT-4.7.1-2")]
    [Trait("clause", "3.1.1 MQTT-4.7.1-3")]
    [Trait("clause", "3.1.1 MQTT-4.7.3-1")]
    [Trait("clause", "5.0 MQTT-3.8.3-1")]
    [Trait("clause", "5.0 MQTT-3.10.3-1")]
    [Trait("clause", "5.0 MQTT-4.7.1-1")]
    [Trait("clause", "5.0 MQTT-4.7.1-2")]
    [Trait("clause", "5.0 MQTT-4.7.3-1")]
    [InlineData("")]
    [InlineData("a#")]
    [InlineData("#/a")]
    [InlineData("a/#/b")]
    [InlineData("a+")]
    [InlineData("+a/b")]
    [InlineData("a/b+/c")]
    public async Task A_topic_filter_that_is_not_valid_is_never_sent(string filter)
    {
        await using var bench = new Bench();
        var wire = await bench.ConnectAsync();
        await Assert.ThrowsAnyAsync<ArgumentException>(() => bench.Client.SubscribeAsync(filter).AsTask().WaitAsync(Bench.Patience));
        await Assert.ThrowsAnyAsync<ArgumentException>(() => bench.Client.UnsubscribeAsync(filter).AsTask().WaitAsync(Bench.Patience));
        await bench.ExpectSilenceAsync(wire);
    }

    [Theory]
    [Trait("clause", "3.1.1 MQTT-4.7.1-2")]
    [Trait("clause", "3.1.1 MQTT-4.7.1-3")]
    [Trait("clause", "5.0 MQTT-4.7.1-1")]
    [Trait("clause", "5.0 MQTT-4.7.1-2")]
    [InlineData("#")]
    [InlineData("+")]
    [InlineData("/+")]
    [InlineData("+/b/#")]
    [InlineData("Maß/温度/+")]
    public async Task Wildcards_that_are_whole_levels_are_sent_as_they_are(string filter)
    {
        await using var bench = new Bench();
        var wire = await bench.ConnectAsync();
        _ = bench.Client.SubscribeAsync(filter).AsTask();
        await wire.ExpectAsync(Hex.Subscribe(V500, 1, filter));
        _ = bench.Client.UnsubscribeAsync(filter).AsTask();
        await wire.ExpectAsync(Hex.Packet("A2", "0002", "00", Hex.Text(filter)));
    }

    [Theory]
    [Trait("clause", "5.0 MQTT-4.8.2-1")]
    [Trait("clause", "5.0 MQTT-4.8.2-2")]
    [InlineData("$share/a/b", true)]
    [InlineData("$share/a/+/#", true)]
    [InlineData("$share//b", false)]
    [InlineData("$share/a", false)]
    [InlineData("$share/a/", false)]
    [InlineData("$share/+/b", false)]
    [InlineData("$share/a#/b", false)]
    public async Task A_shared_subscription_has_a_name_and_a_filter(string filter, bool goes)
    {
        await using var bench = new Bench();
        var wire = await bench.ConnectAsync();
        if (goes)
        {
            _ = bench.Client.SubscribeAsync(filter).AsTask();
            await wire.ExpectAsync(Hex.Subscribe(V500, 1, filter));
        }
        else
        {
            await Assert.ThrowsAnyAsync<ArgumentException>(() => bench.Client.SubscribeAsync(filter).AsTask().WaitAsync(Bench.Patience));
        }
    }

    /// <summary>5.0 says why before it closes; 3.1.1 has no words for it. Either way the client reports it and comes back.</summary>
    private static async Task ExpectMalformedAsync(Bench bench, Wire wire)
    {
        if (bench.Version == V500)
        {
            await wire.ExpectAsync("E0 01 81");
        }

        await wire.ExpectClosedAsync();
        var loss = await bench.LostAsync();
        Assert.Equal((MqttLossCause.ProtocolBreach, true), (loss.Cause, loss.WasConnected));
        Assert.True(loss.RetryIn > TimeSpan.Zero);
        await bench.AcceptAsync(await bench.NextWireAsync(), sessionPresent: true);
    }
}
