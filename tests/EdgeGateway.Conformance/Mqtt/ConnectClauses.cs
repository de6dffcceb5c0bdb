using EdgeGateway.Protocols.Mqtt;
using static EdgeGateway.Protocols.Mqtt.MqttProtocolVersion;

namespace EdgeGateway.Conformance.Mqtt;

/// <summary>CONNECT, CONNACK, sessions, keep alive and DISCONNECT: 3.1, 3.2, 3.12, 3.14 and 4.1 of both standards.</summary>
public sealed class ConnectClauses
{
    /// <summary>Session Expiry Interval 3600, Receive Maximum 100, Maximum Packet Size 256 KiB.</summary>
    private const string DefaultProperties = "0D 11 00000E10 21 0064 27 00040000";

    /// <summary>The client does not wake for less than 10 ms.</summary>
    private static readonly TimeSpan TimerGrain = TimeSpan.FromMilliseconds(20);

    [Theory]
    [Trait("clause", "3.1.1 MQTT-3.1.0-1")]
    [Trait("clause", "3.1.1 MQTT-3.1.2-1")]
    [Trait("clause", "3.1.1 MQTT-3.1.2-2")]
    [Trait("clause", "3.1.1 MQTT-3.1.2-3")]
    [Trait("clause", "3.1.1 MQTT-3.1.2-11")]
    [Trait("clause", "3.1.1 MQTT-3.1.2-13")]
    [Trait("clause", "3.1.1 MQTT-3.1.2-15")]
    [Trait("clause", "3.1.1 MQTT-3.1.2-18")]
    [Trait("clause", "3.1.1 MQTT-3.1.2-20")]
    [Trait("clause", "3.1.1 MQTT-3.1.3-3")]
    [Trait("clause", "3.1.1 MQTT-3.1.3-4")]
    [Trait("clause", "5.0 MQTT-3.1.0-1")]
    [Trait("clause", "5.0 MQTT-3.1.2-1")]
    [Trait("clause", "5.0 MQTT-3.1.2-2")]
    [Trait("clause", "5.0 MQTT-3.1.2-3")]
    [Trait("clause", "5.0 MQTT-3.1.2-11")]
    [Trait("clause", "5.0 MQTT-3.1.2-13")]
    [Trait("clause", "5.0 MQTT-3.1.2-16")]
    [Trait("clause", "5.0 MQTT-3.1.2-18")]
    [Trait("clause", "5.0 MQTT-3.1.3-3")]
    [Trait("clause", "5.0 MQTT-3.1.3-4")]
    [InlineData(V311, "10 10  0004 4D515454  04 00 001E  0004 C3A9 7877")]
    [InlineData(V500, "10 1E  0004 4D515454  05 02 001E " + DefaultProperties + " 0004 C3A9 7877")]
    public async Task The_first_packet_is_CONNECT_with_nothing_that_was_not_asked_for(MqttProtocolVersion version, string connect)
    {
        await using var bench = new Bench(version, options => options with { ClientId = "éxw" });
        _ = bench.PublishAsync();
        bench.Start();
        var wire = await bench.Broker.NextAsync();
        await wire.ExpectAsync(connect);
        await wire.SendAsync(Hex.ConnAck(version));
        await wire.ExpectAsync(Hex.Publish(version, "a", 1));
    }

    [Theory]
    [Trait("clause", "3.1.1 MQTT-3.1.2-9")]
    [Trait("clause", "3.1.1 MQTT-3.1.2-14")]
    [Trait("clause", "3.1.1 MQTT-3.1.2-19")]
    [Trait("clause", "3.1.1 MQTT-3.1.2-21")]
    [Trait("clause", "3.1.1 MQTT-3.1.3-1")]
    [Trait("clause", "3.1.1 MQTT-3.1.3-10")]
    [Trait("clause", "3.1.1 MQTT-3.1.3-11")]
    [Trait("clause", "5.0 MQTT-3.1.2-9")]
    [Trait("clause", "5.0 MQTT-3.1.2-12")]
    [Trait("clause", "5.0 MQTT-3.1.2-17")]
    [Trait("clause", "5.0 MQTT-3.1.2-19")]
    [Trait("clause", "5.0 MQTT-3.1.3-1")]
    [Trait("clause", "5.0 MQTT-3.1.3-11")]
    [Trait("clause", "5.0 MQTT-3.1.3-12")]
    [InlineData(V311, MqttQos.AtMostOnce, false, "C4")]
    [InlineData(V311, MqttQos.AtLeastOnce, true, "EC")]
    [InlineData(V311, MqttQos.ExactlyOnce, false, "D4")]
    [InlineData(V500, MqttQos.AtMostOnce, false, "C6")]
    [InlineData(V500, MqttQos.AtLeastOnce, true, "EE")]
    [InlineData(V500, MqttQos.ExactlyOnce, false, "D6")]
    public async Task Will_user_name_and_password_stand_in_flags_and_payload_in_order(MqttProtocolVersion version, MqttQos qos, bool retain, string flags)
    {
        await using var bench = new Bench(version, options => options with
        {
            UserName = "ü",
            Password = "p",
            Will = new()
            {
                Topic = "w",
                Payload = "gone"u8.ToArray(),
                Qos = qos,
                Retain = retain,
                Delay = TimeSpan.FromSeconds(9),
                Properties = new() { ContentType = "t" },
            },
        });
        bench.Start();
        await (await bench.Broker.NextAsync()).ExpectAsync(Hex.Packet(
            "10",
            "0004 4D515454",
            version == V311 ? "04" : "05",
            flags,
            "001E",
            version == V311 ? "" : DefaultProperties,
            Hex.Text("gw"),
            Hex.Properties(version, "03 0001 74", "18 00000009"),
            Hex.Text("w"),
            Hex.Text("gone"),
            Hex.Text("ü"),
            Hex.Text("p")));
    }

    [Fact]
    [Trait("clause", "3.1.1 MQTT-3.1.2-22")]
    [Trait("clause", "5.0 MQTT-3.1.2-19")]
    public async Task A_password_without_a_user_name_is_possible_in_5_0_only()
    {
        Assert.Throws<ArgumentException>(() => new Bench(V311, options => options with { Password = "p" }));
        await using var bench = new Bench(V500, options => options with { Password = "p" });
        bench.Start();
        await (await bench.Broker.NextAsync()).ExpectAsync(
            Hex.Packet("10", "0004 4D515454 05 42 001E", DefaultProperties, Hex.Text("gw"), Hex.Text("p")));
    }

    [Fact]
    [Trait("clause", "3.1.1 MQTT-3.1.3-7")]
    public async Task In_3_1_1_an_empty_client_id_goes_with_a_clean_session()
    {
        Assert.Throws<ArgumentException>(() => new Bench(V311, options => options with { ClientId = "" }));
        await using var bench = new Bench(V311, options => options with { ClientId = "", CleanStart = true });
        bench.Start();
        await (await bench.Broker.NextAsync()).ExpectAsync("10 0C 0004 4D515454 04 02 001E 0000");
    }

    [Theory]
    [Trait("clause", "3.1.1 MQTT-3.1.3-2")]
    [Trait("clause", "5.0 MQTT-3.1.3-2")]
    [InlineData(V311)]
    [InlineData(V500)]
    public async Task The_client_id_of_a_session_never_changes(MqttProtocolVersion version)
    {
        await using var bench = new Bench(version);
        var wire = await bench.ConnectAsync();
        for (var i = 0; i < 3; i++)
        {
            await wire.CloseAsync();
            await bench.LostAsync();
            wire = await bench.NextWireAsync();
            Assert.EndsWith("00026777", await bench.AcceptAsync(wire, sessionPresent: i == 1), StringComparison.Ordinal);
        }
    }

    [Fact]
    [Trait("clause", "5.0 MQTT-3.1.3-2")]
    [Trait("clause", "5.0 MQTT-3.2.2-16")]
    public async Task An_assigned_client_id_is_used_from_then_on()
    {
        await using var bench = new Bench(V500, options => options with { ClientId = "" });
        bench.Start();
        var wire = await bench.Broker.NextAsync();
        Assert.EndsWith("0000", await wire.ReadAsync(), StringComparison.Ordinal);
        await wire.SendAsync(Hex.ConnAck(V500, false, "00", "12" + Hex.Text("auto-7")));
        Assert.Equal("auto-7", (await bench.ConnectedAsync()).ClientId);
        await wire.CloseAsync();
        await bench.LostAsync();
        Assert.EndsWith(Hex.Text("auto-7"), await bench.AcceptAsync(await bench.NextWireAsync(), sessionPresent: true), StringComparison.Ordinal);
    }

    [Theory]
    [Trait("clause", "3.1.1 MQTT-3.1.0-2")]
    [Trait("clause", "5.0 MQTT-3.1.0-2")]
    [InlineData(V311)]
    [InlineData(V500)]
    public async Task CONNECT_is_sent_once_on_a_connection(MqttProtocolVersion version)
    {
        await using var bench = new Bench(version);
        var wire = await bench.ConnectAsync();
        for (var i = 1; i <= 50; i++)
        {
            _ = bench.PublishAsync();
            await wire.ExpectAsync(Hex.Publish(version, "a", i));
            await wire.SendAsync(Hex.Ack("40", i));
        }

        await bench.ExpectSilenceAsync(wire);
        Assert.Equal(1, bench.Broker.Dials);
    }

    [Fact]
    [Trait("clause", "3.1.1 MQTT-3.1.2-4")]
    [Trait("clause", "3.1.1 MQTT-4.1.0-1")]
    [Trait("clause", "3.1.1 MQTT-4.1.0-2")]
    public async Task In_3_1_1_a_session_is_kept_over_connections_and_resumed()
    {
        await using var bench = new Bench(V311);
        var wire = await bench.ConnectAsync();
        var outcome = bench.PublishAsync();
        await wire.ExpectAsync(Hex.Publish(V311, "a", 1));
        await wire.CloseAsync();
        await bench.LostAsync();
        wire = await bench.NextWireAsync();
        Assert.StartsWith("100E00044D5154540400", await bench.AcceptAsync(wire, sessionPresent: true), StringComparison.Ordinal);
        await wire.ExpectAsync(Hex.Publish(V311, "a", 1, first: "3A"));
        await wire.SendAsync(Hex.Ack("40", 1));
        Assert.True((await outcome.WaitAsync(Bench.Patience)).IsDelivered);
    }

    [Theory]
    [Trait("clause", "3.1.1 MQTT-3.1.2-6")]
    [Trait("clause", "5.0 MQTT-3.1.2-4")]
    [InlineData(V311, "04 02")]
    [InlineData(V500, "05 02")]
    public async Task A_clean_session_reuses_nothing_of_the_one_before(MqttProtocolVersion version, string levelAndFlags)
    {
        await using var bench = new Bench(version, options => options with { CleanStart = true });
        bench.Start();
        var wire = await bench.Broker.NextAsync();
        Assert.Contains(Hex.Of(Hex.Bytes("4D515454" + levelAndFlags)), await bench.AcceptAsync(wire, sessionPresent: false), StringComparison.Ordinal);
        var sending = bench.PublishAsync();
        await wire.ExpectAsync(Hex.Publish(version, "a", 1));
        await wire.SendAsync(Hex.Publish(version, "in", 9, first: "34"));
        await wire.ExpectAsync("50 02 0009");
        await wire.CloseAsync();
        Assert.Equal(PublishStatus.SessionLost, (await sending.WaitAsync(Bench.Patience)).Status);

        wire = await bench.NextWireAsync();
        Assert.Contains(Hex.Of(Hex.Bytes("4D515454" + levelAndFlags)), await bench.AcceptAsync(wire, sessionPresent: false), StringComparison.Ordinal);

        // Nothing is sent again, and 9 is a new message.
        await bench.ExpectSilenceAsync(wire);
        await wire.SendAsync(Hex.Publish(version, "in", 9, first: "34"));
        await wire.ExpectAsync("50 02 0009");
        await bench.MessageAsync();
        await bench.MessageAsync();
    }

    [Fact]
    [Trait("clause", "5.0 MQTT-3.1.2-23")]
    [Trait("clause", "5.0 MQTT-4.1.0-1")]
    public async Task The_session_outlives_the_connection_as_long_as_it_was_agreed()
    {
        await using var bench = new Bench(V500, options => options with { SuspectAfterDrops = 0 });
        var wire = await bench.ConnectAsync();
        var outcome = bench.PublishAsync();
        await wire.ExpectAsync(Hex.Publish(V500, "a", 1));
        await wire.SendAsync(Hex.Publish(V500, "in", 9, first: "34"));
        await wire.ExpectAsync("50 02 0009");
        wire = await bench.ReconnectAsync(wire, sessionPresent: true);
        await wire.ExpectAsync(Hex.Publish(V500, "a", 1, first: "3A"));
        await wire.SendAsync(Hex.Publish(V500, "in", 9, first: "3C"));
        await wire.ExpectAsync("50 02 0009");
        Assert.False(outcome.IsCompleted);

        // A server that keeps nothing ends the session with the connection.
        wire = await bench.ReconnectAsync(wire, sessionPresent: true, "11 00000000");
        await wire.ExpectAsync(Hex.Publish(V500, "a", 1, first: "3A"));
        await wire.CloseAsync();
        Assert.Equal(PublishStatus.SessionLost, (await outcome.WaitAsync(Bench.Patience)).Status);
        await bench.LostAsync();
        Assert.StartsWith("101C00044D5154540502", await bench.AcceptAsync(await bench.NextWireAsync(), sessionPresent: false), StringComparison.Ordinal);
    }

    [Fact]
    [Trait("clause", "5.0 MQTT-3.2.2-4")]
    public async Task A_session_that_we_do_not_have_closes_the_connection()
    {
        await using var bench = new Bench();
        bench.Start();
        var wire = await bench.Broker.NextAsync();
        await wire.ReadAsync();
        await wire.SendAsync("20 03 01 00 00");
        await wire.ExpectClosedAsync();
        var loss = await bench.LostAsync();
        Assert.Equal((MqttLossCause.ProtocolBreach, false), (loss.Cause, loss.WasConnected));
        Assert.Contains("session", loss.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [Trait("clause", "3.1.1 MQTT-3.1.2-4")]
    [Trait("clause", "5.0 MQTT-3.2.2-5")]
    [InlineData(V311)]
    [InlineData(V500)]
    public async Task A_session_that_the_server_lost_is_discarded(MqttProtocolVersion version)
    {
        await using var bench = new Bench(version);
        var wire = await bench.ConnectAsync();
        var once = bench.PublishAsync();
        await wire.ExpectAsync(Hex.Publish(version, "a", 1));
        var exactly = bench.PublishAsync(qos: MqttQos.ExactlyOnce);
        await wire.ExpectAsync(Hex.Publish(version, "a", 2, first: "34"));
        await wire.SendAsync(Hex.Ack("50", 2));
        await wire.ExpectAsync("62 02 0002");
        await wire.SendAsync(Hex.Publish(version, "in", 9, first: "34"));
        await wire.ExpectAsync("50 02 0009");
        await bench.MessageAsync();

        wire = await bench.ReconnectAsync(wire, sessionPresent: false);
        Assert.Equal(PublishStatus.SessionLost, (await once.WaitAsync(Bench.Patience)).Status);
        Assert.Equal(PublishStatus.SessionLost, (await exactly.WaitAsync(Bench.Patience)).Status);
        await bench.ExpectSilenceAsync(wire);
        await wire.SendAsync(Hex.Publish(version, "in", 9, first: "34"));
        await wire.ExpectAsync("50 02 0009");
        await bench.MessageAsync();
    }

    [Theory]
    [Trait("clause", "3.1.1 MQTT-3.2.2-4")]
    [Trait("clause", "5.0 MQTT-3.2.2-1")]
    [Trait("clause", "5.0 MQTT-3.2.2-6")]
    [InlineData(V311, "20 02 01 05")]
    [InlineData(V311, "20 02 02 00")]
    [InlineData(V311, "20 03 00 00 00")]
    [InlineData(V500, "20 03 01 87 00")]
    [InlineData(V500, "20 03 80 00 00")]
    [InlineData(V500, "20 02 00 00")]
    [InlineData(V500, "20 04 00 00 00 00")]
    public async Task A_CONNACK_that_breaks_the_rules_closes_the_connection(MqttProtocolVersion version, string connack)
    {
        await using var bench = new Bench(version);
        bench.Start();
        var wire = await bench.Broker.NextAsync();
        await wire.ReadAsync();
        await wire.SendAsync(connack);
        await wire.ExpectClosedAsync();
        Assert.Equal((MqttLossCause.ProtocolBreach, false), await CauseAsync(bench));
    }

    [Theory]
    [Trait("clause", "3.1.1 MQTT-3.2.0-1")]
    [Trait("clause", "5.0 MQTT-3.2.0-1")]
    [Trait("clause", "5.0 MQTT-3.14.0-1")]
    [InlineData(V311, "D0 00")]
    [InlineData(V311, "30 04 0001 61 78")]
    [InlineData(V500, "D0 00")]
    [InlineData(V500, "30 05 0001 61 00 78")]
    [InlineData(V500, "E0 01 8B")]
    [InlineData(V500, "F0 00")]
    public async Task A_server_that_begins_with_anything_but_CONNACK_is_left(MqttProtocolVersion version, string packet)
    {
        await using var bench = new Bench(version);
        bench.Start();
        var wire = await bench.Broker.NextAsync();
        await wire.ReadAsync();
        await wire.SendAsync(packet);
        await wire.ExpectClosedAsync();
        Assert.Equal((MqttLossCause.ProtocolBreach, false), await CauseAsync(bench));
        Assert.Equal(0, bench.MessagesLeft);
    }

    [Theory]
    [Trait("clause", "3.1.1 MQTT-4.8.0-1")]
    [Trait("clause", "5.0 MQTT-3.2.0-2")]
    [Trait("clause", "5.0 MQTT-4.13.2-1")]
    [InlineData(V311, "20 02 00 00")] // a second CONNACK
    [InlineData(V311, "10 0C 0004 4D515454 04 02 001E 0000")] // packets that only clients send
    [InlineData(V311, "82 06 0001 0001 61 00")]
    [InlineData(V311, "C0 00")]
    [InlineData(V311, "E0 00")]
    [InlineData(V500, "20 03 00 00 00")]
    [InlineData(V500, "10 0D 0004 4D515454 05 02 001E 00 0000")]
    [InlineData(V500, "82 07 0001 00 0001 61 00")]
    [InlineData(V500, "A2 06 0001 00 0001 61")]
    [InlineData(V500, "C0 00")]
    public async Task A_packet_that_no_server_may_send_ends_the_connection_with_82(MqttProtocolVersion version, string packet)
    {
        await using var bench = new Bench(version);
        var wire = await bench.ConnectAsync();
        await wire.SendAsync(packet);
        if (version == V500)
        {
            await wire.ExpectAsync("E0 01 82");
        }

        await wire.ExpectClosedAsync();
        Assert.Equal((MqttLossCause.ProtocolBreach, true), await CauseAsync(bench));
    }

    [Theory]
    [Trait("clause", "3.1.1 MQTT-3.1.2-23")]
    [Trait("clause", "5.0 MQTT-3.1.2-20")]
    [InlineData(V311, false)]
    [InlineData(V311, true)]
    [InlineData(V500, false)]
    [InlineData(V500, true)]
    public async Task A_client_with_nothing_to_send_pings_before_the_keep_alive_runs_out(MqttProtocolVersion version, bool serverTalks)
    {
        await using var bench = new Bench(version);
        var wire = await bench.ConnectAsync();
        for (var ping = 0; ping < 5; ping++)
        {
            if (serverTalks)
            {
                // What the server sends does not count: it is our own silence that its clock measures.
                bench.Time.Advance(TimeSpan.FromSeconds(15));
                await wire.SendAsync(Hex.Publish(version, "in", 0, first: "30"));
                await bench.MessageAsync();
            }

            await bench.PingAsync(wire, serverTalks ? 15 : 30);
        }
    }

    [Fact]
    [Trait("clause", "5.0 MQTT-3.1.2-21")]
    [Trait("clause", "5.0 MQTT-3.2.2-21")]
    public async Task The_server_s_keep_alive_counts_and_not_ours()
    {
        await using var bench = new Bench();
        var wire = await bench.ConnectAsync("13 0005");
        await bench.PingAsync(wire, 5);
    }

    [Fact]
    [Trait("clause", "5.0 MQTT-3.1.2-21")]
    public async Task A_server_keep_alive_of_0_switches_pings_off()
    {
        await using var bench = new Bench();
        var wire = await bench.ConnectAsync("13 0000");
        bench.Time.Advance(TimeSpan.FromHours(24));
        await bench.ExpectSilenceAsync(wire);
    }

    [Theory]
    [Trait("clause", "3.1.1 MQTT-3.12.4-1")]
    [Trait("clause", "5.0 MQTT-3.12.4-1")]
    [InlineData(V311)]
    [InlineData(V500)]
    public async Task A_server_that_does_not_answer_a_ping_is_left(MqttProtocolVersion version)
    {
        await using var bench = new Bench(version);
        var wire = await bench.ConnectAsync();
        bench.Time.Advance(TimeSpan.FromSeconds(30) + TimerGrain);
        await wire.ExpectAsync("C0 00");
        bench.Time.Advance(TimeSpan.FromSeconds(15) + TimerGrain);
        await wire.ExpectClosedAsync();
        Assert.Equal(MqttLossCause.KeepAlive, (await bench.LostAsync()).Cause);
        await bench.AcceptAsync(await bench.NextWireAsync(), sessionPresent: true);
    }

    [Theory]
    [Trait("clause", "3.1.1 MQTT-3.14.4-1")]
    [Trait("clause", "3.1.1 MQTT-3.14.4-2")]
    [Trait("clause", "5.0 MQTT-3.14.2-1")]
    [Trait("clause", "5.0 MQTT-3.14.4-1")]
    [Trait("clause", "5.0 MQTT-3.14.4-2")]
    [InlineData(V311)]
    [InlineData(V500)]
    public async Task After_DISCONNECT_nothing_is_sent_and_the_connection_is_closed(MqttProtocolVersion version)
    {
        await using var bench = new Bench(version);
        var wire = await bench.ConnectAsync();

        // Nobody reads, so this fills the pipe, and DISCONNECT waits behind it in the client's own buffer.
        _ = bench.Client.PublishAsync("a", new byte[500_000], MqttQos.AtMostOnce).AsTask();
        var stop = bench.Client.DisconnectAsync();
        while (bench.Client.IsConnected)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System);
        }

        // What comes now would be acknowledged behind DISCONNECT.
        for (var id = 1; id <= 20; id++)
        {
            await wire.SendAsync(Hex.Publish(version, "in", id), Hex.Ack("62", id));
        }

        await bench.MessageAsync();
        Assert.StartsWith("30", await wire.ReadAsync(), StringComparison.Ordinal);
        string packet;
        do
        {
            packet = await wire.ReadAsync();
        }
        while (packet[..2] is "40" or "70");

        Assert.Equal("E000", packet);
        var end = wire.ReadAsync();
        await bench.Time.AdvanceUntilAsync(end, TimeSpan.FromSeconds(1));
        Assert.Equal("", await end);
        await stop.WaitAsync(Bench.Patience);
        Assert.Null((await bench.LostAsync()).RetryIn);
        Assert.Equal(1, bench.Broker.Dials);
    }

    [Theory]
    [Trait("clause", "3.1.1 MQTT-3.14.4-3")]
    [Trait("clause", "5.0 MQTT-3.14.4-3")]
    [InlineData(V311)]
    [InlineData(V500)]
    public async Task Only_a_clean_stop_says_DISCONNECT_so_the_will_of_a_client_that_was_cut_is_published(MqttProtocolVersion version)
    {
        await using var bench = new Bench(version);
        var wire = await bench.ConnectAsync();
        await bench.Cancel.CancelAsync();
        await wire.ExpectClosedAsync();
    }

    private static async Task<(MqttLossCause Cause, bool WasConnected)> CauseAsync(Bench bench)
    {
        var loss = await bench.LostAsync();
        Assert.True(loss.RetryIn > TimeSpan.Zero);
        return (loss.Cause, loss.WasConnected);
    }
}
