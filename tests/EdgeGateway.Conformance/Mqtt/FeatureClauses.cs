using EdgeGateway.Protocols.Mqtt;
using static EdgeGateway.Protocols.Mqtt.MqttProtocolVersion;

namespace EdgeGateway.Conformance.Mqtt;

/// <summary>What 5.0 added: topic aliases, subscription options, server reference and enhanced authentication.</summary>
public sealed class FeatureClauses
{
    private const string Topic = "site/gateway/summary";

    [Fact]
    [Trait("clause", "5.0 MQTT-3.2.2-17")]
    [Trait("clause", "5.0 MQTT-3.3.2-8")]
    [Trait("clause", "5.0 MQTT-3.3.2-9")]
    public async Task Topic_aliases_run_from_1_to_the_server_s_maximum_and_are_told_before_they_are_used()
    {
        await using var bench = new Bench();
        var wire = await bench.ConnectAsync("22 0003");
        var topics = Enumerable.Range(0, 8).Select(i => $"{Topic}/{i}").ToArray();
        var told = new Dictionary<string, string>();
        var used = 0;
        for (var i = 0; i < 300; i++)
        {
            var topic = topics[i % 3 == 0 ? i % 8 : i % 2];
            _ = bench.PublishAsync(topic, MqttQos.AtMostOnce);
            var packet = await wire.ReadAsync();
            var (name, alias) = Split(packet);
            if (alias.Length > 0)
            {
                Assert.Contains(alias, new[] { "0001", "0002", "0003" });
                used += name.Length == 0 ? 1 : 0;
                Assert.Equal(topic, name.Length == 0 ? told[alias] : name);
                told[alias] = topic;
            }
            else
            {
                Assert.Equal(topic, name);
            }
        }

        Assert.True(used > 100, $"only {used} of 300 messages were shorter");
    }

    [Fact]
    [Trait("clause", "5.0 MQTT-3.3.2-7")]
    public async Task Topic_aliases_end_with_the_connection_and_are_never_in_a_resend()
    {
        await using var bench = new Bench();
        var wire = await bench.ConnectAsync("22 000A");
        for (var id = 1; id <= 3; id++)
        {
            _ = bench.PublishAsync(Topic);
            Assert.Equal((id == 1 ? Topic : "", "0001"), Split(await wire.ReadAsync()));
        }

        wire = await bench.ReconnectAsync(wire, sessionPresent: true, "22 000A");
        for (var id = 1; id <= 3; id++)
        {
            await wire.ExpectAsync(Hex.Publish(V500, Topic, id, first: "3A"));
        }

        // A new message tells the name again.
        _ = bench.PublishAsync(Topic);
        Assert.Equal((Topic, "0001"), Split(await wire.ReadAsync()));
    }

    [Fact]
    [Trait("clause", "5.0 MQTT-3.3.2-7")]
    [Trait("clause", "5.0 MQTT-3.3.2-10")]
    public async Task Aliases_from_1_to_the_maximum_that_was_offered_are_taken_until_the_connection_ends()
    {
        await using var bench = new Bench(V500, options => options with { TopicAliasMaximum = 5 });
        bench.Start();
        var wire = await bench.Broker.NextAsync();
        Assert.Contains("220005", await bench.AcceptAsync(wire, sessionPresent: false), StringComparison.Ordinal);
        for (var alias = 1; alias <= 5; alias++)
        {
            await wire.SendAsync(Aliased($"t/{alias}", alias), Aliased("", alias));
            Assert.Equal($"t/{alias}", (await bench.MessageAsync()).Topic);
            Assert.Equal($"t/{alias}", (await bench.MessageAsync()).Topic);
        }

        // An alias can be given anew.
        await wire.SendAsync(Aliased("other", 3), Aliased("", 3));
        Assert.Equal("other", (await bench.MessageAsync()).Topic);
        Assert.Equal("other", (await bench.MessageAsync()).Topic);

        wire = await bench.ReconnectAsync(wire, sessionPresent: true);
        await wire.SendAsync(Aliased("", 3));
        Assert.StartsWith("E0", await wire.ReadAsync(), StringComparison.Ordinal);
        await wire.ExpectClosedAsync();
        Assert.Equal(MqttLossCause.ProtocolBreach, (await bench.LostAsync()).Cause);
    }

    [Theory]
    [Trait("clause", "5.0 MQTT-3.1.2-26")]
    [InlineData(0)]
    [InlineData(6)]
    public async Task An_alias_outside_of_what_was_offered_ends_the_connection_with_94(int alias)
    {
        await using var bench = new Bench(V500, options => options with { TopicAliasMaximum = 5 });
        var wire = await bench.ConnectAsync();
        await wire.SendAsync(Aliased("a", alias));
        await wire.ExpectAsync("E0 01 94");
        await wire.ExpectClosedAsync();
    }

    [Fact]
    [Trait("clause", "5.0 MQTT-3.8.3-2")]
    [Trait("clause", "5.0 MQTT-3.8.3-5")]
    [Trait("clause", "5.0 MQTT-3.8.4-6")]
    [Trait("clause", "5.0 MQTT-3.9.3-1")]
    public async Task Several_filters_go_with_their_options_and_get_their_answers_in_order()
    {
        await using var bench = new Bench();
        var wire = await bench.ConnectAsync();
        var answers = bench.Client.SubscribeAsync([
            new() { Filter = "a", Qos = MqttQos.AtMostOnce, NoLocal = true, Identifier = 300 },
            new() { Filter = "b", Qos = MqttQos.ExactlyOnce, RetainAsPublished = true, RetainHandling = MqttRetainHandling.DoNotSend, Identifier = 300 },
            new() { Filter = "c", RetainHandling = MqttRetainHandling.SendIfNew, Identifier = 300 },
        ]).AsTask();
        await wire.ExpectAsync(Hex.Packet("82", "0001", "03 0B AC02", Hex.Text("a"), "04", Hex.Text("b"), "2A", Hex.Text("c"), "11"));
        await wire.SendAsync(Hex.SubAck(V500, 1, "00 01 87"));
        Assert.Equal(
            [
                new(true, MqttQos.AtMostOnce, MqttReasonCode.Success),
                new(true, MqttQos.AtLeastOnce, MqttReasonCode.GrantedQos1),
                new(false, MqttQos.AtMostOnce, MqttReasonCode.NotAuthorized),
            ],
            await answers.WaitAsync(Bench.Patience));
        await wire.SendAsync(Hex.Packet("30", Hex.Text("a"), "03 0B AC02", "78"));
        Assert.Equal([300], (await bench.MessageAsync()).SubscriptionIdentifiers);
    }

    [Theory]
    [Trait("clause", "3.1.1 MQTT-3.8.4-5")]
    [Trait("clause", "5.0 MQTT-3.8.4-6")]
    [Trait("clause", "5.0 MQTT-3.11.3-1")]
    [InlineData(V311)]
    [InlineData(V500)]
    public async Task Fewer_answers_than_filters_end_the_connection(MqttProtocolVersion version)
    {
        await using var bench = new Bench(version);
        var wire = await bench.ConnectAsync();
        _ = bench.Client.SubscribeAsync([new() { Filter = "a" }, new() { Filter = "b" }]).AsTask();
        await wire.ReadAsync();
        await wire.SendAsync(Hex.SubAck(version, 1, "01"));
        await ExpectBreachAsync(bench, wire);
        if (version == V500)
        {
            wire = await bench.NextWireAsync();
            await bench.AcceptAsync(wire, sessionPresent: true);
            await wire.ReadAsync();
            _ = bench.Client.UnsubscribeAsync(["a", "b"]).AsTask();
            var unsubscribe = await wire.ReadAsync();
            await wire.SendAsync("B0 04", unsubscribe[4..8], "00 00");
            await ExpectBreachAsync(bench, wire);
        }
    }

    [Fact]
    [Trait("clause", "5.0 MQTT-3.8.3-4")]
    public async Task A_shared_subscription_never_asks_for_no_local_messages()
    {
        await using var bench = new Bench();
        var wire = await bench.ConnectAsync();
        await Assert.ThrowsAnyAsync<ArgumentException>(() => bench.Client.SubscribeAsync([new() { Filter = "$share/g/a", NoLocal = true }]).AsTask());
        await bench.ExpectSilenceAsync(wire);
    }

    [Theory]
    [Trait("clause", "5.0 MQTT-3.8.3-2")]
    [Trait("clause", "3.1.1 MQTT-3.8.3-3")]
    [Trait("clause", "5.0 MQTT-3.10.3-2")]
    [Trait("clause", "3.1.1 MQTT-3.10.3-2")]
    [InlineData(V311)]
    [InlineData(V500)]
    public async Task A_request_without_a_filter_is_never_sent(MqttProtocolVersion version)
    {
        await using var bench = new Bench(version);
        var wire = await bench.ConnectAsync();
        await Assert.ThrowsAnyAsync<ArgumentException>(() => bench.Client.SubscribeAsync([]).AsTask());
        await Assert.ThrowsAnyAsync<ArgumentException>(() => bench.Client.UnsubscribeAsync([]).AsTask());
        await bench.ExpectSilenceAsync(wire);
    }

    [Fact]
    [Trait("clause", "5.0 MQTT-3.1.2-30")]
    [Trait("clause", "5.0 MQTT-3.15.2-1")]
    [Trait("clause", "5.0 MQTT-4.12.0-2")]
    [Trait("clause", "5.0 MQTT-4.12.0-3")]
    [Trait("clause", "5.0 MQTT-4.12.0-5")]
    public async Task Authentication_goes_on_with_18_under_the_same_method_until_CONNACK_and_nothing_else_is_sent_before()
    {
        await using var bench = new Bench(V500, Authenticating());
        _ = bench.PublishAsync();
        _ = bench.Client.SubscribeAsync("s").AsTask();
        bench.Start();
        var wire = await bench.Broker.NextAsync();
        Assert.Contains(Method + "160007" + Hex.Of("Start()"u8), await wire.ReadAsync(), StringComparison.Ordinal);
        for (var i = 1; i <= 3; i++)
        {
            await wire.SendAsync(Auth("18", "16 0001 3" + i));
            await wire.ExpectAsync(Auth("18", "16 000B" + Hex.Of("Continue("u8) + "3" + i + "29"));
        }

        await wire.SendAsync(Hex.ConnAck(V500, false, "00", Method));
        await bench.ConnectedAsync();
        var rest = new[] { await wire.ReadAsync(), await wire.ReadAsync() };
        Assert.Equal(["32", "82"], rest.Select(packet => packet[..2]).Order(StringComparer.Ordinal));
    }

    [Theory]
    [Trait("clause", "5.0 MQTT-3.15.2-1")]
    [Trait("clause", "5.0 MQTT-4.12.0-5")]
    [InlineData("F0 07 18 05 15 0002 4D58")] // another method
    [InlineData("F0 02 18 00")] // none
    [InlineData("F0 06 00 04 15 0001 4D")] // a success that belongs into CONNACK
    [InlineData("F0 06 19 04 15 0001 4D")] // begun again before it has ended
    [InlineData("F1 06 18 04 15 0001 4D")] // reserved flags
    [InlineData("20 07 00 00 04 15 0001 58")] // accepted under another method
    public async Task A_server_that_breaks_the_rules_of_authentication_is_left(string packet)
    {
        await using var bench = new Bench(V500, Authenticating());
        bench.Start();
        var wire = await bench.Broker.NextAsync();
        await wire.ReadAsync();
        await wire.SendAsync(packet);
        await wire.ExpectClosedAsync();
        var loss = await bench.LostAsync();
        Assert.Equal((MqttLossCause.ProtocolBreach, false), (loss.Cause, loss.WasConnected));
    }

    [Theory]
    [Trait("clause", "5.0 MQTT-4.12.0-4")]
    [InlineData("87", 0)]
    [InlineData("8C", 0)]
    [InlineData("87", 2)]
    public async Task A_server_can_refuse_at_any_point_of_the_authentication(string code, int steps)
    {
        await using var bench = new Bench(V500, Authenticating());
        bench.Start();
        var wire = await bench.Broker.NextAsync();
        await wire.ReadAsync();
        for (var i = 0; i < steps; i++)
        {
            await wire.SendAsync(Auth("18"));
            Assert.StartsWith("F0", await wire.ReadAsync(), StringComparison.Ordinal);
        }

        await wire.SendAsync(Hex.ConnAck(V500, false, code));
        var loss = await bench.LostAsync();
        Assert.Equal((MqttLossCause.BadCredentials, TimeSpan.FromSeconds(30)), (loss.Cause, loss.RetryIn));
        await wire.ExpectClosedAsync();
    }

    [Fact]
    [Trait("clause", "5.0 MQTT-4.12.0-6")]
    [Trait("clause", "5.0 MQTT-4.12.0-7")]
    public async Task Without_a_method_no_AUTH_is_sent_or_taken()
    {
        await using var bench = new Bench();
        var wire = await bench.ConnectAsync();
        await Assert.ThrowsAsync<InvalidOperationException>(() => bench.Client.ReauthenticateAsync());
        await bench.ExpectSilenceAsync(wire);
        await wire.SendAsync(Auth("18"));
        await ExpectBreachAsync(bench, wire);
    }

    [Fact]
    [Trait("clause", "5.0 MQTT-4.12.1-1")]
    public async Task Authenticating_again_uses_the_same_method_and_disturbs_nothing()
    {
        await using var bench = new Bench(V500, Authenticating());
        var wire = await bench.ConnectAsync(Method);
        var again = bench.Client.ReauthenticateAsync();
        await wire.ExpectAsync(Auth("19", "160007" + Hex.Of("Start()"u8)));
        _ = bench.PublishAsync();
        await wire.ExpectAsync(Hex.Publish(V500, "a", 1));
        await wire.SendAsync(Auth("18"));
        await wire.ExpectAsync(Auth("18", "16000A" + Hex.Of("Continue()"u8)));
        await wire.SendAsync(Auth("00"));
        Assert.Equal(MqttReasonCode.Success, await again.WaitAsync(Bench.Patience));
        Assert.True(bench.Client.IsConnected);
    }

    [Theory]
    [Trait("clause", "5.0 MQTT-4.12.1-2")]
    [InlineData("E0 01 87", true)]
    [InlineData("F0 07 18 05 15 0002 4D58", false)]
    public async Task When_authenticating_again_fails_the_connection_is_closed(string packet, bool byServer)
    {
        await using var bench = new Bench(V500, Authenticating());
        var wire = await bench.ConnectAsync(Method);
        var again = bench.Client.ReauthenticateAsync();
        Assert.StartsWith("F0", await wire.ReadAsync(), StringComparison.Ordinal);
        await wire.SendAsync(packet);
        if (!byServer)
        {
            await wire.ExpectAsync("E0 01 82");
        }

        await wire.ExpectClosedAsync();
        Assert.False((await again.WaitAsync(Bench.Patience)).IsSuccess());
        Assert.True((await bench.LostAsync()).RetryIn > TimeSpan.Zero);
    }

    [Theory]
    [InlineData("9C", "other:1884", true)]
    [InlineData("9D", "other:1884", true)]
    [InlineData("9C", "stranger:1884", false)]
    [InlineData("9D", "", false)]
    public async Task A_server_reference_is_followed_only_to_a_host_that_is_allowed(string code, string reference, bool followed)
    {
        var dialed = new System.Collections.Concurrent.ConcurrentQueue<string>();
        await using var bench = new Bench(V500, options => options with
        {
            AllowedServerReferences = ["other"],
            Dial = (server, cancel) =>
            {
                dialed.Enqueue(server.Host);
                return options.Dial!(server, cancel);
            },
        });
        bench.Start();
        var wire = await bench.Broker.NextAsync();
        await wire.ReadAsync();
        await wire.SendAsync(Hex.ConnAck(V500, false, code, reference.Length == 0 ? "" : "1C" + Hex.Text(reference)));
        await bench.LostAsync();
        await bench.AcceptAsync(await bench.NextWireAsync(), sessionPresent: false);
        Assert.Equal(["server", followed ? "other" : "server"], dialed);
    }

    private static string Method => Hex.Of(Hex.Bytes("15 0001 4D"));

    private static string Auth(string code, string data = "") => Hex.Packet("F0", code, Hex.Properties(V500, Method, data));

    private static string Aliased(string topic, int alias) => Hex.Packet("30", Hex.Text(topic), "03 23", $"{alias:X4}", "78");

    /// <summary>Method M, whose data say what it was asked for.</summary>
    private static Func<MqttClientOptions, MqttClientOptions> Authenticating() => options => options with
    {
        Authentication = new()
        {
            Method = "M",
            Respond = (step, _) => new(System.Text.Encoding.UTF8.GetBytes($"{step.Stage}({System.Text.Encoding.UTF8.GetString(step.Data.Span)})")),
        },
    };

    private static async Task ExpectBreachAsync(Bench bench, Wire wire)
    {
        if (bench.Version == V500)
        {
            await wire.ExpectAsync("E0 01 82");
        }

        await wire.ExpectClosedAsync();
        Assert.Equal(MqttLossCause.ProtocolBreach, (await bench.LostAsync()).Cause);
    }

    /// <summary>Topic and alias of a PUBLISH; the alias is empty when there is none.</summary>
    private static (string Topic, string Alias) Split(string packet)
    {
        var bytes = Hex.Bytes(packet);
        var length = (bytes[2] << 8) | bytes[3];
        var properties = 4 + length + ((bytes[0] & 0x06) == 0 ? 0 : 2);
        return (
            System.Text.Encoding.UTF8.GetString(bytes, 4, length),
            bytes[properties] == 3 && bytes[properties + 1] == 0x23 ? Hex.Of(bytes.AsSpan(properties + 2, 2)) : "");
    }
}
