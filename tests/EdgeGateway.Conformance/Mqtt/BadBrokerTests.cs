using EdgeGateway.Protocols.Mqtt;
using static EdgeGateway.Protocols.Mqtt.MqttProtocolVersion;

namespace EdgeGateway.Conformance.Mqtt;

/// <summary>Servers that are no good: what the client reports of each, and when it tries again.</summary>
public sealed class BadBrokerTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Slowly = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData(V311, "485454502F312E31203430302042616420526571756573740D0A")] // HTTP/1.1 400 Bad Request
    [InlineData(V311, "15030100020228")] // a TLS alert
    [InlineData(V311, "5353482D322E302D")] // SSH-2.0-
    [InlineData(V311, "00000000")]
    [InlineData(V311, "FFFFFFFFFFFF")]
    [InlineData(V311, "2002000000")] // CONNACK and one byte more, then nothing: the byte belongs to no packet
    [InlineData(V500, "485454502F312E31203430302042616420526571756573740D0A")]
    [InlineData(V500, "15030100020228")]
    [InlineData(V500, "5353482D322E302D")]
    [InlineData(V500, "00000000")]
    [InlineData(V500, "FFFFFFFFFFFF")]
    [InlineData(V500, "20020000")] // the CONNACK of a server that knows only 3.1.1 and thinks that all is well
    [InlineData(V500, "200300007F")] // properties that are not there
    [InlineData(V500, "20FFFFFF7F")] // a CONNACK of 256 MB
    public async Task Garbage_instead_of_CONNACK_is_told_and_the_client_tries_again_after_a_second(MqttProtocolVersion version, string garbage)
    {
        await using var bench = new Bench(version);
        bench.Start();
        var wire = await bench.Broker.NextAsync();
        await wire.ReadAsync();
        await wire.SendAsync(garbage);
        if (version == V311 && garbage.StartsWith("20020000", StringComparison.Ordinal))
        {
            await bench.ConnectedAsync();
        }

        await wire.ExpectClosedAsync();
        var loss = await bench.LostAsync();
        Assert.Equal((MqttLossCause.ProtocolBreach, Soon), (loss.Cause, loss.RetryIn));
        Assert.True(loss.Reason.Length > 30, loss.Reason);
        await bench.AcceptAsync(await bench.NextWireAsync(), sessionPresent: loss.WasConnected);
    }

    [Fact]
    public async Task A_server_that_knows_only_3_1_1_is_understood_when_it_refuses_5_0()
    {
        await using var bench = new Bench();
        bench.Start();
        var wire = await bench.Broker.NextAsync();
        await wire.ReadAsync();
        await wire.SendAsync("20 02 00 01");
        await wire.CloseAsync();
        var loss = await bench.LostAsync();
        Assert.Equal((MqttLossCause.Refused, MqttReasonCode.UnsupportedProtocolVersion), (loss.Cause, loss.Code));
        Assert.Contains("version", loss.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(V311, "20020000")]
    [InlineData(V500, "200B0000082100142700001000")]
    public async Task A_server_that_closes_at_any_byte_of_the_handshake_is_tried_again(MqttProtocolVersion version, string connack)
    {
        await using var bench = new Bench(version);
        bench.Start();
        var wire = await bench.Broker.NextAsync();

        // Before CONNECT is read, too.
        await wire.CloseAsync();
        Assert.Equal((false, MqttLossCause.ClosedByServer), Closed(await bench.LostAsync()));
        for (var bytes = 0; bytes < connack.Length; bytes += 2)
        {
            wire = await bench.NextWireAsync();
            await wire.ReadAsync();
            await wire.SendAsync(connack[..bytes]);
            await wire.CloseAsync();
            Assert.Equal((false, MqttLossCause.ClosedByServer), Closed(await bench.LostAsync()));
        }

        wire = await bench.NextWireAsync();
        await wire.ReadAsync();
        await wire.SendAsync(connack);
        await bench.ConnectedAsync();
        await wire.CloseAsync();
        Assert.Equal((true, MqttLossCause.ClosedByServer), Closed(await bench.LostAsync()));
    }

    [Theory]
    [InlineData(V311, true)]
    [InlineData(V311, false)]
    [InlineData(V500, true)]
    [InlineData(V500, false)]
    public async Task A_server_that_closes_at_any_point_of_a_flow_gets_every_message_and_of_QoS_2_each_once(MqttProtocolVersion version, bool keepsSession)
    {
        var points = 0;
        for (var cutAt = 1; ; cutAt++)
        {
            await using var bench = new Bench(version, options => options with { SuspectAfterDrops = 0 });
            var broker = new CuttingBroker(bench, cutAt, keepsSession);
            var sending = SendAllAsync(bench);
            bench.Start();
            await broker.ServeAsync(sending);
            var outcomes = await sending.WaitAsync(Bench.Patience);
            if (!broker.Cut)
            {
                break;
            }

            points++;
            for (var i = 0; i < outcomes.Length; i++)
            {
                // A session that was lost leaves the caller in doubt, and says so; one that was kept does not.
                var times = broker.Taken.Count(topic => topic == $"t/{i}");
                Assert.True(outcomes[i].IsDelivered || (!keepsSession && outcomes[i].Status == PublishStatus.SessionLost), $"cut {cutAt}: {outcomes[i]}");
                Assert.True(times >= 1 || !outcomes[i].IsDelivered, $"cut {cutAt}: t/{i} is delivered and nobody has it");
                Assert.True(times <= 1 || i % 2 == 0, $"cut {cutAt}: t/{i} came {times} times at QoS 2");
            }

            Assert.Equal(broker.Taken.Distinct().Order(StringComparer.Ordinal), broker.Taken.Distinct());
        }

        // CONNECT, four PUBLISH, two PUBREL: three points each.
        Assert.Equal(21, points);

        static Task<PublishOutcome[]> SendAllAsync(Bench bench) => Task.WhenAll(
            bench.PublishAsync("t/0"),
            bench.PublishAsync("t/1", MqttQos.ExactlyOnce),
            bench.PublishAsync("t/2"),
            bench.PublishAsync("t/3", MqttQos.ExactlyOnce));
    }

    [Theory]
    [InlineData(V311)]
    [InlineData(V500)]
    public async Task A_server_that_closes_inside_a_message_or_before_its_acknowledgement_sends_it_again_and_it_arrives_once_at_QoS_2(MqttProtocolVersion version)
    {
        var message = Hex.Publish(version, "in", 5, "6D6D6D", "34");
        await using var bench = new Bench(version);
        var wire = await bench.ConnectAsync();
        for (var bytes = 2; bytes < message.Length; bytes += 2)
        {
            await wire.SendAsync(message[..bytes]);
            wire = await bench.ReconnectAsync(wire, sessionPresent: true);
        }

        Assert.Equal(0, bench.MessagesLeft);
        await wire.SendAsync(message);
        await bench.MessageAsync();
        wire = await bench.ReconnectAsync(wire, sessionPresent: true);
        await wire.SendAsync("3C" + message[2..]);
        await wire.ExpectAsync("50 02 0005");
        wire = await bench.ReconnectAsync(wire, sessionPresent: true);
        await wire.SendAsync(Hex.Ack("62", 5)[..4]);
        wire = await bench.ReconnectAsync(wire, sessionPresent: true);
        await wire.SendAsync(Hex.Ack("62", 5));
        await wire.ExpectAsync("70 02 0005");
        Assert.Equal(0, bench.MessagesLeft);
    }

    [Fact]
    public async Task A_server_that_never_answers_CONNECT_is_left_after_ten_seconds()
    {
        await using var bench = new Bench();
        bench.Start();
        var wire = await bench.Broker.NextAsync();
        await wire.ReadAsync();
        var lost = bench.LostAsync();
        await bench.Time.AdvanceUntilAsync(lost, TimeSpan.FromMilliseconds(500));
        Assert.Equal((MqttLossCause.TimedOut, Soon), ((await lost).Cause, (await lost).RetryIn));
        await wire.ExpectClosedAsync();
        Assert.InRange(bench.Elapsed, TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(60));
    }

    [Theory]
    [InlineData(V311)]
    [InlineData(V500)]
    public async Task A_server_that_never_acknowledges_holds_one_window_and_nothing_is_repeated_or_lost(MqttProtocolVersion version)
    {
        await using var bench = new Bench(version, options => options with { MaxInFlight = 5 });
        var wire = await bench.ConnectAsync();
        var outcomes = Enumerable.Range(0, 8).Select(i => bench.PublishAsync($"t/{i}")).ToArray();
        for (var i = 0; i < 5; i++)
        {
            await wire.ExpectAsync(Hex.Publish(version, $"t/{i}", i + 1));
        }

        for (var ping = 0; ping < 20; ping++)
        {
            await bench.PingAsync(wire);
        }

        await bench.ExpectSilenceAsync(wire);
        Assert.Equal(5, bench.Client.InFlight);
        Assert.DoesNotContain(outcomes, outcome => outcome.IsCompleted);
        wire = await bench.ReconnectAsync(wire, sessionPresent: true);
        for (var i = 0; i < 5; i++)
        {
            await wire.ExpectAsync(Hex.Publish(version, $"t/{i}", i + 1, first: "3A"));
            await wire.SendAsync(Hex.Ack("40", i + 1));
        }

        for (var i = 5; i < 8; i++)
        {
            await wire.ExpectAsync(Hex.Publish(version, $"t/{i}", i + 1));
            await wire.SendAsync(Hex.Ack("40", i + 1));
        }

        Assert.All(await Task.WhenAll(outcomes).WaitAsync(Bench.Patience), outcome => Assert.True(outcome.IsDelivered));
    }

    [Theory]
    [InlineData("01", MqttReasonCode.UnsupportedProtocolVersion, MqttLossCause.Refused, 1)]
    [InlineData("02", MqttReasonCode.ClientIdentifierNotValid, MqttLossCause.Refused, 1)]
    [InlineData("03", MqttReasonCode.ServerUnavailable, MqttLossCause.Refused, 1)]
    [InlineData("04", MqttReasonCode.BadUserNameOrPassword, MqttLossCause.BadCredentials, 30)]
    [InlineData("05", MqttReasonCode.NotAuthorized, MqttLossCause.BadCredentials, 30)]
    [InlineData("06", MqttReasonCode.UnspecifiedError, MqttLossCause.Refused, 1)]
    [InlineData("FF", MqttReasonCode.UnspecifiedError, MqttLossCause.Refused, 1)]
    public async Task Each_return_code_of_3_1_1_is_told_with_the_wait_it_deserves(string code, MqttReasonCode expected, MqttLossCause cause, int wait)
    {
        await using var bench = new Bench(V311);
        bench.Start();
        var wire = await bench.Broker.NextAsync();
        await wire.ReadAsync();
        await wire.SendAsync("20 02 00", code);
        var loss = await bench.LostAsync();
        Assert.Equal((cause, (MqttReasonCode?)expected, (TimeSpan?)TimeSpan.FromSeconds(wait), false), (loss.Cause, loss.Code, loss.RetryIn, loss.WasConnected));
        Assert.Contains(expected.Describe(), loss.Reason, StringComparison.Ordinal);
        await wire.ExpectClosedAsync();
    }

    /// <summary>The reason codes of CONNACK. MQTT 5.0, table 3-1.</summary>
    public static TheoryData<byte, MqttLossCause> ConnAckCodes { get; } = new()
    {
        { 0x80, MqttLossCause.Refused },
        { 0x81, MqttLossCause.Refused },
        { 0x82, MqttLossCause.Refused },
        { 0x83, MqttLossCause.Refused },
        { 0x84, MqttLossCause.Refused },
        { 0x85, MqttLossCause.Refused },
        { 0x86, MqttLossCause.BadCredentials },
        { 0x87, MqttLossCause.BadCredentials },
        { 0x88, MqttLossCause.Refused },
        { 0x89, MqttLossCause.Refused },
        { 0x8A, MqttLossCause.BadCredentials },
        { 0x8C, MqttLossCause.BadCredentials },
        { 0x90, MqttLossCause.Refused },
        { 0x95, MqttLossCause.Refused },
        { 0x97, MqttLossCause.Refused },
        { 0x99, MqttLossCause.Refused },
        { 0x9A, MqttLossCause.Refused },
        { 0x9B, MqttLossCause.Refused },
        { 0x9C, MqttLossCause.Refused },
        { 0x9D, MqttLossCause.Refused },
        { 0x9F, MqttLossCause.Refused },
        { 0xEE, MqttLossCause.Refused }, // one that is not in the table
    };

    [Theory]
    [Trait("clause", "5.0 MQTT-3.2.2-7")]
    [Trait("clause", "5.0 MQTT-4.13.2-1")]
    [MemberData(nameof(ConnAckCodes))]
    public async Task Each_reason_code_of_CONNACK_is_told_with_the_wait_it_deserves(byte code, MqttLossCause cause)
    {
        await using var bench = new Bench();
        bench.Start();
        var wire = await bench.Broker.NextAsync();
        await wire.ReadAsync();
        await wire.SendAsync(Hex.ConnAck(V500, false, $"{code:X2}", "1F" + Hex.Text("ask Ann")));
        var loss = await bench.LostAsync();
        Assert.Equal((cause, (MqttReasonCode?)(MqttReasonCode)code, false), (loss.Cause, loss.Code, loss.WasConnected));
        Assert.Equal(cause == MqttLossCause.BadCredentials ? Slowly : Soon, loss.RetryIn);
        Assert.Contains(((MqttReasonCode)code).Describe(), loss.Reason, StringComparison.Ordinal);
        Assert.Contains("ask Ann", loss.Reason, StringComparison.Ordinal);
        await wire.ExpectClosedAsync();
        await bench.AcceptAsync(await bench.NextWireAsync(), sessionPresent: false);
    }

    /// <summary>The reason codes of DISCONNECT from a server. MQTT 5.0, table 3-10.</summary>
    public static TheoryData<byte, MqttLossCause> DisconnectCodes { get; } = new()
    {
        { 0x00, MqttLossCause.ClosedByServer },
        { 0x80, MqttLossCause.ClosedByServer },
        { 0x81, MqttLossCause.ClosedByServer },
        { 0x82, MqttLossCause.ClosedByServer },
        { 0x83, MqttLossCause.ClosedByServer },
        { 0x87, MqttLossCause.BadCredentials },
        { 0x89, MqttLossCause.ClosedByServer },
        { 0x8B, MqttLossCause.ClosedByServer },
        { 0x8D, MqttLossCause.ClosedByServer },
        { 0x8E, MqttLossCause.SessionTakenOver },
        { 0x8F, MqttLossCause.ClosedByServer },
        { 0x90, MqttLossCause.ClosedByServer },
        { 0x93, MqttLossCause.ClosedByServer },
        { 0x94, MqttLossCause.ClosedByServer },
        { 0x95, MqttLossCause.ClosedByServer },
        { 0x96, MqttLossCause.ClosedByServer },
        { 0x97, MqttLossCause.ClosedByServer },
        { 0x98, MqttLossCause.ClosedByServer },
        { 0x99, MqttLossCause.ClosedByServer },
        { 0x9A, MqttLossCause.ClosedByServer },
        { 0x9B, MqttLossCause.ClosedByServer },
        { 0x9C, MqttLossCause.ClosedByServer },
        { 0x9D, MqttLossCause.ClosedByServer },
        { 0x9E, MqttLossCause.ClosedByServer },
        { 0x9F, MqttLossCause.ClosedByServer },
        { 0xA0, MqttLossCause.ClosedByServer },
        { 0xA1, MqttLossCause.ClosedByServer },
        { 0xA2, MqttLossCause.ClosedByServer },
    };

    [Theory]
    [Trait("clause", "5.0 MQTT-3.14.4-2")]
    [Trait("clause", "5.0 MQTT-4.13.2-1")]
    [MemberData(nameof(DisconnectCodes))]
    public async Task Each_reason_code_of_DISCONNECT_is_told_with_the_wait_it_deserves(byte code, MqttLossCause cause)
    {
        await using var bench = new Bench();
        var wire = await bench.ConnectAsync();
        await wire.SendAsync(Hex.Packet("E0", $"{code:X2}", Hex.Properties(V500, "1F" + Hex.Text("ask Ann"))));
        var loss = await bench.LostAsync();
        Assert.Equal((cause, (MqttReasonCode?)(MqttReasonCode)code, true), (loss.Cause, loss.Code, loss.WasConnected));
        Assert.Equal(cause == MqttLossCause.ClosedByServer ? Soon : Slowly, loss.RetryIn);
        Assert.Contains(((MqttReasonCode)code).Describe(), loss.Reason, StringComparison.Ordinal);
        Assert.Contains("ask Ann", loss.Reason, StringComparison.Ordinal);
        await wire.ExpectClosedAsync();
        await bench.AcceptAsync(await bench.NextWireAsync(), sessionPresent: true);
    }

    /// <summary>The reason codes of PUBACK and PUBREC. MQTT 5.0, tables 3-4 and 3-5.</summary>
    public static TheoryData<byte, PublishStatus> PublishCodes { get; } = new()
    {
        { 0x10, PublishStatus.Delivered },
        { 0x80, PublishStatus.Retry },
        { 0x83, PublishStatus.Retry },
        { 0x87, PublishStatus.Refused },
        { 0x90, PublishStatus.Refused },
        { 0x91, PublishStatus.Retry },
        { 0x97, PublishStatus.Retry },
        { 0x99, PublishStatus.Refused },
    };

    [Theory]
    [Trait("clause", "5.0 MQTT-4.4.0-2")]
    [MemberData(nameof(PublishCodes))]
    public async Task Each_reason_code_of_PUBACK_and_PUBREC_says_what_to_do_with_the_message_and_the_rest_flows(byte code, PublishStatus status)
    {
        await using var bench = new Bench();
        var wire = await bench.ConnectAsync();
        var words = Hex.Properties(V500, "1F" + Hex.Text("ask Ann"));
        var once = bench.PublishAsync("poor/once");
        await wire.ExpectAsync(Hex.Publish(V500, "poor/once", 1));
        var exactly = bench.PublishAsync("poor/exactly", MqttQos.ExactlyOnce);
        await wire.ExpectAsync(Hex.Publish(V500, "poor/exactly", 2, first: "34"));
        await wire.SendAsync(Hex.Packet("40", "0001", $"{code:X2}", words), Hex.Packet("50", "0002", $"{code:X2}", words));
        if (status == PublishStatus.Delivered)
        {
            await wire.ExpectAsync("62 02 0002");
            await wire.SendAsync(Hex.Ack("70", 2));
        }

        foreach (var outcome in await Task.WhenAll(once, exactly).WaitAsync(Bench.Patience))
        {
            Assert.Equal(status, outcome.Status);
            if (status != PublishStatus.Delivered)
            {
                Assert.Equal((MqttReasonCode)code, outcome.Code);
                Assert.Contains("ask Ann", outcome.Reason, StringComparison.Ordinal);
            }
        }

        var next = bench.PublishAsync("good");
        await wire.ExpectAsync(Hex.Publish(V500, "good", 3));
        await wire.SendAsync(Hex.Ack("40", 3));
        Assert.True((await next.WaitAsync(Bench.Patience)).IsDelivered);
        Assert.True(bench.Client.IsConnected);
    }

    [Theory]
    [Trait("clause", "5.0 MQTT-3.8.4-7")]
    [InlineData(0x80)]
    [InlineData(0x83)]
    [InlineData(0x87)]
    [InlineData(0x8F)]
    [InlineData(0x91)]
    [InlineData(0x97)]
    [InlineData(0x9E)]
    [InlineData(0xA1)]
    [InlineData(0xA2)]
    public async Task Each_reason_code_of_SUBACK_is_told_to_the_caller_and_the_filter_is_not_asked_for_again(byte code)
    {
        await using var bench = new Bench();
        var wire = await bench.ConnectAsync();
        var answer = bench.Client.SubscribeAsync("a").AsTask();
        await wire.ReadAsync();
        await wire.SendAsync(Hex.SubAck(V500, 1, $"{code:X2}"));
        Assert.Equal((false, (MqttReasonCode)code), Granted(await answer.WaitAsync(Bench.Patience)));
        wire = await bench.ReconnectAsync(wire, sessionPresent: false);
        await bench.ExpectSilenceAsync(wire);
    }

    [Fact]
    [Trait("clause", "3.1.1 MQTT-3.8.4-5")]
    public async Task A_failure_in_a_SUBACK_of_3_1_1_is_told_to_the_caller()
    {
        await using var bench = new Bench(V311);
        var wire = await bench.ConnectAsync();
        var answer = bench.Client.SubscribeAsync("a").AsTask();
        await wire.ReadAsync();
        await wire.SendAsync(Hex.SubAck(V311, 1, "80"));
        Assert.Equal((false, MqttReasonCode.UnspecifiedError), Granted(await answer.WaitAsync(Bench.Patience)));
    }

    [Theory]
    [Trait("clause", "5.0 MQTT-3.11.3-2")]
    [InlineData(0x00)]
    [InlineData(0x11)]
    [InlineData(0x80)]
    [InlineData(0x83)]
    [InlineData(0x87)]
    [InlineData(0x8F)]
    [InlineData(0x91)]
    public async Task Each_reason_code_of_UNSUBACK_is_told_to_the_caller(byte code)
    {
        await using var bench = new Bench();
        var wire = await bench.ConnectAsync();
        var answer = bench.Client.UnsubscribeAsync("a").AsTask();
        await wire.ReadAsync();
        await wire.SendAsync(Hex.Packet("B0", "0001 00", $"{code:X2}"));
        Assert.Equal((MqttReasonCode)code, await answer.WaitAsync(Bench.Patience));
    }

    [Fact]
    public async Task A_message_over_the_server_s_limit_is_told_at_once_and_the_rest_flows()
    {
        await using var bench = new Bench();
        var wire = await bench.ConnectAsync("27 00000040");
        var large = bench.Client.PublishAsync("a", new byte[64]).AsTask();
        var small = bench.PublishAsync();
        Assert.Equal(PublishStatus.TooLarge, (await large.WaitAsync(Bench.Patience)).Status);
        Assert.Contains("64", (await large).Reason, StringComparison.Ordinal);
        var sent = await wire.ReadAsync();
        Assert.StartsWith("3207000161", sent, StringComparison.Ordinal);
        await wire.SendAsync("40 02", sent[10..14]);
        Assert.True((await small.WaitAsync(Bench.Patience)).IsDelivered);
    }

    [Theory]
    [InlineData(V311)]
    [InlineData(V500)]
    public async Task A_message_at_which_the_server_hangs_up_three_times_is_suspect_and_the_rest_is_given_back_to_flow_in_its_order(MqttProtocolVersion version)
    {
        await using var bench = new Bench(version);
        var wire = await bench.ConnectAsync();
        var poison = bench.PublishAsync("poison");
        var good = bench.PublishAsync("good");
        for (var drop = 0; drop < 3; drop++)
        {
            Assert.False(poison.IsCompleted);
            await wire.ExpectAsync(Hex.Publish(version, "poison", 1, first: drop == 0 ? "32" : "3A"));
            wire = await bench.ReconnectAsync(wire, sessionPresent: drop < 2);
        }

        Assert.Equal(PublishStatus.Suspect, (await poison.WaitAsync(Bench.Patience)).Status);
        Assert.Equal(PublishStatus.SessionLost, (await good.WaitAsync(Bench.Patience)).Status);
        var again = bench.PublishAsync("good");
        await wire.ExpectAsync(Hex.Publish(version, "good", 3));
        await wire.SendAsync(Hex.Ack("40", 3));
        Assert.True((await again.WaitAsync(Bench.Patience)).IsDelivered);
    }

    private static (bool WasConnected, MqttLossCause Cause) Closed(MqttDisconnected loss)
    {
        Assert.True(loss.Reason.Length > 20, loss.Reason);
        Assert.True(loss.RetryIn > TimeSpan.Zero);
        return (loss.WasConnected, loss.Cause);
    }

    private static (bool Granted, MqttReasonCode Code) Granted(SubscribeOutcome outcome) => (outcome.Granted, outcome.Code);
}
