using System.Collections.Concurrent;
using EdgeGateway.Protocols.Mqtt;
using EdgeGateway.Protocols.Mqtt.Packets;

namespace EdgeGateway.Tests.Protocols.Mqtt;

/// <summary>The client against a server played by the test, on a clock moved by the test.</summary>
public sealed class MqttClientTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(500);

    [Theory]
    [InlineData(MqttProtocolVersion.V311)]
    [InlineData(MqttProtocolVersion.V500)]
    public async Task A_publish_completes_when_the_server_acknowledges_it(MqttProtocolVersion version)
    {
        await using var bench = new ClientBench(version);
        var peer = await bench.ConnectAsync();
        var outcome = bench.Client.PublishAsync("a/b", "x"u8.ToArray());
        var publish = await peer.ExpectPublishAsync();
        Assert.Equal(("a/b", MqttQos.AtLeastOnce, false), (publish.Topic, publish.Qos, publish.Duplicate));
        Assert.False(outcome.IsCompleted);
        await peer.AckAsync(publish.PacketId);
        Assert.True((await outcome.AsTask().WaitAsync(Patience)).IsDelivered);
    }

    [Theory]
    [InlineData(MqttReasonCode.NoMatchingSubscribers, PublishStatus.Delivered)]
    [InlineData(MqttReasonCode.QuotaExceeded, PublishStatus.Retry)]
    [InlineData(MqttReasonCode.ImplementationSpecificError, PublishStatus.Retry)]
    [InlineData(MqttReasonCode.UnspecifiedError, PublishStatus.Retry)]
    [InlineData(MqttReasonCode.NotAuthorized, PublishStatus.Refused)]
    [InlineData(MqttReasonCode.TopicNameInvalid, PublishStatus.Refused)]
    [InlineData(MqttReasonCode.PayloadFormatInvalid, PublishStatus.Refused)]
    [InlineData(MqttReasonCode.PacketTooLarge, PublishStatus.TooLarge)]
    public async Task Reason_codes_say_whether_to_try_again(MqttReasonCode code, PublishStatus expected)
    {
        await using var bench = new ClientBench();
        var peer = await bench.ConnectAsync();
        var outcome = bench.Client.PublishAsync("a", default);
        await peer.AckAsync((await peer.ExpectPublishAsync()).PacketId, code);
        var result = await outcome.AsTask().WaitAsync(Patience);
        Assert.Equal((expected, code), (result.Status, result.Code));
    }

    [Fact]
    public async Task Publishes_wait_for_the_first_connection_and_leave_in_order()
    {
        await using var bench = new ClientBench();
        var outcomes = Enumerable.Range(0, 5).Select(i => bench.Client.PublishAsync($"t/{i}", default).AsTask()).ToArray();
        var peer = await bench.ConnectAsync();
        for (var i = 0; i < 5; i++)
        {
            var publish = await peer.ExpectPublishAsync();
            Assert.Equal($"t/{i}", publish.Topic);
            await peer.AckAsync(publish.PacketId);
        }

        Assert.All(await Task.WhenAll(outcomes).WaitAsync(Patience), outcome => Assert.True(outcome.IsDelivered));
    }

    [Fact]
    public async Task A_waiting_publish_can_be_cancelled_and_is_never_sent()
    {
        await using var bench = new ClientBench();
        using var cancel = new CancellationTokenSource();
        var first = bench.Client.PublishAsync("cancelled", default, cancel: cancel.Token).AsTask();
        var second = bench.Client.PublishAsync("kept", default);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        var peer = await bench.ConnectAsync();
        Assert.Equal("kept", (await peer.ExpectPublishAsync()).Topic);
        Assert.False(second.IsCompleted);
    }

    [Theory]
    [InlineData(20, 3)]
    [InlineData(2, 100)]
    public async Task No_more_is_in_flight_than_both_sides_allow(int maxInFlight, ushort receiveMaximum)
    {
        await using var bench = new ClientBench(MqttProtocolVersion.V500, options => options with { MaxInFlight = maxInFlight });
        var window = Math.Min(maxInFlight, receiveMaximum);
        var peer = await bench.ConnectAsync(properties: new() { ReceiveMaximum = receiveMaximum });
        for (var i = 0; i < window + 2; i++)
        {
            _ = bench.Client.PublishAsync($"t/{i}", default).AsTask();
        }

        var ids = new List<ushort>();
        for (var i = 0; i < window; i++)
        {
            ids.Add((await peer.ExpectPublishAsync()).PacketId);
        }

        Assert.Equal(window, ids.Distinct().Count());
        Assert.Equal(window, bench.Client.InFlight);
        await peer.AckAsync(ids[0]);
        Assert.Equal($"t/{window}", (await peer.ExpectPublishAsync()).Topic);
        Assert.Equal(window, bench.Client.InFlight);
    }

    [Fact]
    public async Task A_resumed_session_sends_again_with_the_same_identifiers_in_order_before_anything_new()
    {
        await using var bench = new ClientBench();
        var peer = await bench.ConnectAsync();
        var outcomes = Enumerable.Range(0, 3).Select(i => bench.Client.PublishAsync($"t/{i}", default).AsTask()).ToArray();
        var sent = new[] { await peer.ExpectPublishAsync(), await peer.ExpectPublishAsync(), await peer.ExpectPublishAsync() };
        await peer.AckAsync(sent[1].PacketId);
        await outcomes[1].WaitAsync(Patience);
        await peer.CloseAsync();
        await bench.LostAsync();
        var late = bench.Client.PublishAsync("new", default).AsTask();

        peer = await bench.NextPeerAsync();
        Assert.False((await peer.AcceptAsync(sessionPresent: true)).CleanStart);
        foreach (var expected in new[] { sent[0], sent[2] })
        {
            var again = await peer.ExpectPublishAsync();
            Assert.Equal((expected.Topic, expected.PacketId, true), (again.Topic, again.PacketId, again.Duplicate));
            await peer.AckAsync(again.PacketId);
        }

        var fresh = await peer.ExpectPublishAsync();
        Assert.Equal(("new", false), (fresh.Topic, fresh.Duplicate));
        await peer.AckAsync(fresh.PacketId);
        Assert.All(await Task.WhenAll([.. outcomes, late]).WaitAsync(Patience), outcome => Assert.True(outcome.IsDelivered));
        Assert.Equal(2, bench.Client.Counters.Resends);
        Assert.Equal(4, bench.Client.Counters.Acks);
    }

    [Fact]
    public async Task A_smaller_receive_maximum_after_a_reconnect_is_respected()
    {
        await using var bench = new ClientBench();
        var peer = await bench.ConnectAsync();
        for (var i = 0; i < 3; i++)
        {
            _ = bench.Client.PublishAsync($"t/{i}", default).AsTask();
            await peer.ExpectPublishAsync();
        }

        await peer.CloseAsync();
        await bench.LostAsync();
        peer = await bench.NextPeerAsync();
        await peer.AcceptAsync(sessionPresent: true, new() { ReceiveMaximum = 1 });
        for (var i = 0; i < 3; i++)
        {
            var again = await peer.ExpectPublishAsync();
            Assert.Equal($"t/{i}", again.Topic);

            // A ping in between proves that nothing else was sent.
            var ping = peer.ReadAsync();
            await bench.Time.AdvanceUntilAsync(ping, TimeSpan.FromSeconds(1));
            Assert.Equal(PacketType.PingReq, (await ping).Header.Type);
            await peer.SendAsync(new PingPacket(PacketType.PingResp));
            await peer.AckAsync(again.PacketId);
        }
    }

    [Fact]
    public async Task A_lost_session_gives_the_messages_in_flight_back_to_the_caller()
    {
        await using var bench = new ClientBench();
        var peer = await bench.ConnectAsync();
        var outcome = bench.Client.PublishAsync("a", default).AsTask();
        await peer.ExpectPublishAsync();
        await peer.CloseAsync();
        await bench.LostAsync();
        Assert.False(outcome.IsCompleted);
        peer = await bench.NextPeerAsync();
        await peer.AcceptAsync(sessionPresent: false);
        Assert.Equal(PublishStatus.SessionLost, (await outcome.WaitAsync(Patience)).Status);
        var again = bench.Client.PublishAsync("a", default).AsTask();
        var publish = await peer.ExpectPublishAsync();
        Assert.False(publish.Duplicate);
        await peer.AckAsync(publish.PacketId);
        Assert.True((await again.WaitAsync(Patience)).IsDelivered);
    }

    [Fact]
    public async Task The_first_connection_starts_clean_and_a_session_present_then_is_a_breach()
    {
        await using var bench = new ClientBench();
        bench.Start();
        var peer = await bench.Server.NextAsync();
        Assert.True((await peer.AcceptAsync(sessionPresent: true)).CleanStart);
        await peer.ExpectEndAsync();
        var loss = await bench.LostAsync();
        Assert.Equal((MqttLossCause.ProtocolBreach, false), (loss.Cause, loss.WasConnected));
    }

    [Fact]
    public async Task A_session_left_by_an_earlier_process_is_removed_in_3_1_1()
    {
        await using var bench = new ClientBench(MqttProtocolVersion.V311);
        bench.Start();
        var peer = await bench.Server.NextAsync();
        Assert.False((await peer.AcceptAsync(sessionPresent: true)).CleanStart);
        await peer.ExpectDisconnectAsync();
        await peer.CloseAsync();
        peer = await bench.Server.NextAsync();
        Assert.True((await peer.AcceptAsync()).CleanStart);
        await peer.ExpectDisconnectAsync();
        await peer.CloseAsync();
        peer = await bench.Server.NextAsync();
        Assert.False((await peer.AcceptAsync()).CleanStart);
        await bench.ConnectedAsync();
    }

    [Fact]
    public async Task What_is_too_large_for_the_server_is_not_sent()
    {
        await using var bench = new ClientBench();
        var peer = await bench.ConnectAsync(properties: new() { MaximumPacketSize = 100 });
        var outcome = await bench.Client.PublishAsync("a", new byte[200]).AsTask().WaitAsync(Patience);
        Assert.Equal(PublishStatus.TooLarge, outcome.Status);
        _ = bench.Client.PublishAsync("small", default).AsTask();
        Assert.Equal("small", (await peer.ExpectPublishAsync()).Topic);
    }

    [Fact]
    public async Task What_the_server_does_not_support_is_refused_without_asking()
    {
        await using var bench = new ClientBench();
        await bench.ConnectAsync(properties: new() { MaximumQos = 0, RetainAvailable = false });
        var qos = await bench.Client.PublishAsync("a", default).AsTask().WaitAsync(Patience);
        Assert.Equal((PublishStatus.Refused, MqttReasonCode.QosNotSupported), (qos.Status, qos.Code));
        var retain = await bench.Client.PublishAsync("a", default, MqttQos.AtMostOnce, retain: true).AsTask().WaitAsync(Patience);
        Assert.Equal((PublishStatus.Refused, MqttReasonCode.RetainNotSupported), (retain.Status, retain.Code));
    }

    [Fact]
    public async Task A_message_at_which_the_server_hangs_up_three_times_is_suspect()
    {
        await using var bench = new ClientBench();
        var peer = await bench.ConnectAsync();
        var poison = bench.Client.PublishAsync("poison", default).AsTask();
        var behind = bench.Client.PublishAsync("behind", default, MqttQos.ExactlyOnce).AsTask();
        for (var i = 1; i <= 3; i++)
        {
            Assert.False(poison.IsCompleted);
            Assert.Equal("poison", (await peer.ExpectPublishAsync()).Topic);
            await peer.CloseAsync();
            await bench.LostAsync();
            peer = await bench.NextPeerAsync();
            Assert.Equal(i == 3, (await peer.AcceptAsync(sessionPresent: i < 3)).CleanStart);
        }

        // What was in flight behind it must not arrive before the caller has decided what becomes of it.
        Assert.Equal(PublishStatus.Suspect, (await poison.WaitAsync(Patience)).Status);
        Assert.Equal(PublishStatus.SessionLost, (await behind.WaitAsync(Patience)).Status);
        _ = bench.Client.PublishAsync("good", default).AsTask();
        var next = await peer.ExpectPublishAsync();
        Assert.Equal(("good", false), (next.Topic, next.Duplicate));
    }

    [Fact]
    public async Task Quality_of_service_2_is_handed_over_in_four_steps_and_resumed_at_the_right_one()
    {
        await using var bench = new ClientBench();
        var peer = await bench.ConnectAsync();
        var outcome = bench.Client.PublishAsync("a", default, MqttQos.ExactlyOnce).AsTask();
        var id = (await peer.ExpectPublishAsync()).PacketId;
        await peer.AckAsync(id, type: PacketType.PubRec);
        Assert.Equal(id, (await peer.ExpectAckAsync(PacketType.PubRel)).PacketId);
        await peer.CloseAsync();
        await bench.LostAsync();
        peer = await bench.NextPeerAsync();
        await peer.AcceptAsync(sessionPresent: true);
        Assert.Equal(id, (await peer.ExpectAckAsync(PacketType.PubRel)).PacketId);
        await peer.AckAsync(id, type: PacketType.PubComp);
        Assert.True((await outcome.WaitAsync(Patience)).IsDelivered);
    }

    [Fact]
    public async Task Quality_of_service_2_is_received_once()
    {
        await using var bench = new ClientBench();
        var messages = new ConcurrentQueue<string>();
        bench.Client.MessageReceived = (message, _) =>
        {
            messages.Enqueue(message.Topic);
            return ValueTask.CompletedTask;
        };
        var peer = await bench.ConnectAsync();
        var publish = new PublishPacket { Topic = "once", Qos = MqttQos.ExactlyOnce, PacketId = 9 };
        await peer.SendAsync(publish);
        await peer.ExpectAckAsync(PacketType.PubRec);
        await peer.SendAsync(publish);
        await peer.ExpectAckAsync(PacketType.PubRec);
        await peer.AckAsync(9, type: PacketType.PubRel);
        Assert.Equal(MqttReasonCode.Success, (await peer.ExpectAckAsync(PacketType.PubComp)).ReasonCode);
        Assert.Equal(["once"], messages);
    }

    [Fact]
    public async Task A_message_is_acknowledged_after_its_handler_even_when_the_handler_fails_or_publishes()
    {
        await using var bench = new ClientBench();
        var failures = new ConcurrentQueue<string>();
        bench.Client.HandlerFailed = failure => failures.Enqueue(failure.Message);
        bench.Client.MessageReceived = async (message, cancel) =>
        {
            await bench.Client.PublishAsync("answer", default, cancel: cancel);
            throw new InvalidOperationException("no such command");
        };
        var peer = await bench.ConnectAsync();
        await peer.SendAsync(new PublishPacket { Topic = "ask", Qos = MqttQos.AtLeastOnce, PacketId = 3 });
        var answer = await peer.ExpectPublishAsync();
        await peer.AckAsync(answer.PacketId);
        Assert.Equal(3, (await peer.ExpectAckAsync(PacketType.PubAck)).PacketId);
        Assert.Equal(["no such command"], failures);
    }

    [Fact]
    public async Task Subscriptions_are_made_again_only_when_the_session_was_lost()
    {
        await using var bench = new ClientBench();
        var granted = bench.Client.SubscribeAsync("cmd/#").AsTask();
        var peer = await bench.ConnectAsync();
        var subscribe = await peer.ExpectSubscribeAsync();
        Assert.Equal([new("cmd/#", 1)], subscribe.Filters);
        await peer.SendAsync(SubAck(subscribe.PacketId, 1));
        Assert.Equal(new(true, MqttQos.AtLeastOnce, MqttReasonCode.GrantedQos1), await granted.WaitAsync(Patience));

        await peer.CloseAsync();
        await bench.LostAsync();
        peer = await bench.NextPeerAsync();
        await peer.AcceptAsync(sessionPresent: true);
        _ = bench.Client.PublishAsync("a", default).AsTask();
        await peer.ExpectPublishAsync();

        await peer.CloseAsync();
        await bench.LostAsync();
        peer = await bench.NextPeerAsync();
        await peer.AcceptAsync(sessionPresent: false);
        Assert.Equal([new("cmd/#", 1)], (await peer.ExpectSubscribeAsync()).Filters);
    }

    [Fact]
    public async Task A_refused_subscription_says_so()
    {
        await using var bench = new ClientBench();
        var answer = bench.Client.SubscribeAsync("secret").AsTask();
        var peer = await bench.ConnectAsync();
        await peer.SendAsync(SubAck((await peer.ExpectSubscribeAsync()).PacketId, 0x87));
        Assert.Equal(new(false, MqttQos.AtMostOnce, MqttReasonCode.NotAuthorized), await answer.WaitAsync(Patience));
    }

    [Fact]
    public async Task Silence_is_answered_with_a_ping_and_then_with_a_new_connection()
    {
        await using var bench = new ClientBench();
        var peer = await bench.ConnectAsync();
        var ping = peer.ReadAsync();
        await bench.Time.AdvanceUntilAsync(ping, TimeSpan.FromSeconds(1));
        Assert.Equal(PacketType.PingReq, (await ping).Header.Type);
        Assert.InRange(bench.Elapsed, TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(44));
        var lost = bench.LostAsync();
        await bench.Time.AdvanceUntilAsync(lost, TimeSpan.FromSeconds(1));
        Assert.Equal(MqttLossCause.KeepAlive, (await lost).Cause);
        Assert.Contains("nothing was heard", (await lost).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_servers_keep_alive_replaces_ours()
    {
        await using var bench = new ClientBench();
        var peer = await bench.ConnectAsync(properties: new() { ServerKeepAliveSeconds = 5 });
        var ping = peer.ReadAsync();
        await bench.Time.AdvanceUntilAsync(ping, TimeSpan.FromMilliseconds(100));
        Assert.Equal(PacketType.PingReq, (await ping).Header.Type);
        Assert.InRange(bench.Elapsed, TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(7.4));
    }

    [Fact]
    public async Task A_clean_stop_says_goodbye_and_ends_the_run()
    {
        await using var bench = new ClientBench();
        var peer = await bench.ConnectAsync();
        var stop = bench.Client.DisconnectAsync();
        Assert.Equal(MqttReasonCode.Success, (await peer.ExpectDisconnectAsync()).ReasonCode);
        await peer.CloseAsync();
        await stop.WaitAsync(Patience);
        await bench.Running.WaitAsync(Patience);
        Assert.Equal(MqttLossCause.Stopped, (await bench.LostAsync()).Cause);
    }

    [Fact]
    public async Task Cancellation_cuts_the_connection_without_a_goodbye()
    {
        await using var bench = new ClientBench();
        var peer = await bench.ConnectAsync();
        await bench.Cancel.CancelAsync();
        await peer.ExpectEndAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => bench.Running.WaitAsync(Patience));
    }

    [Fact]
    public async Task A_breach_is_answered_with_its_code_and_a_new_connection()
    {
        await using var bench = new ClientBench();
        var peer = await bench.ConnectAsync();
        await peer.SendAsync([0x40, 0x02, 0x00, 0x00]);
        Assert.Equal(MqttReasonCode.ProtocolError, (await peer.ExpectDisconnectAsync()).ReasonCode);
        var loss = await bench.LostAsync();
        Assert.Equal((MqttLossCause.ProtocolBreach, true), (loss.Cause, loss.WasConnected));
        Assert.Contains("packet identifier is 0", loss.Reason, StringComparison.Ordinal);
        await (await bench.NextPeerAsync()).AcceptAsync();
    }

    [Fact]
    public async Task A_packet_larger_than_our_limit_is_refused_before_it_is_read()
    {
        await using var bench = new ClientBench(MqttProtocolVersion.V500, options => options with { MaxIncomingPacketSize = 1000 });
        var peer = await bench.ConnectAsync();
        await peer.SendAsync([0x30, 0xFF, 0xFF, 0xFF, 0x7F]);
        Assert.Equal(MqttReasonCode.PacketTooLarge, (await peer.ExpectDisconnectAsync()).ReasonCode);
        Assert.Equal(MqttLossCause.ProtocolBreach, (await bench.LostAsync()).Cause);
    }

    [Fact]
    public async Task A_topic_alias_that_was_not_offered_is_a_breach()
    {
        await using var bench = new ClientBench();
        var peer = await bench.ConnectAsync();
        await peer.SendAsync(new PublishPacket { Topic = "a", Properties = new() { TopicAlias = 1 } });
        Assert.Equal(MqttReasonCode.TopicAliasInvalid, (await peer.ExpectDisconnectAsync()).ReasonCode);
    }

    [Theory]
    [InlineData("485454502F312E3120343030", MqttLossCause.ProtocolBreach)] // HTTP/1.1 400
    [InlineData("FFFFFFFFFFFF", MqttLossCause.ProtocolBreach)]
    [InlineData("D000", MqttLossCause.ProtocolBreach)]
    [InlineData("2003000086", MqttLossCause.ProtocolBreach)]
    [InlineData("2003008600", MqttLossCause.BadCredentials)]
    [InlineData("2003008900", MqttLossCause.Refused)]
    [InlineData("20", MqttLossCause.ClosedByServer)]
    [InlineData("2003", MqttLossCause.ClosedByServer)]
    [InlineData("", MqttLossCause.ClosedByServer)]
    public async Task A_bad_answer_to_connect_has_a_clear_reason_and_is_followed_by_another_try(string hex, MqttLossCause expected)
    {
        await using var bench = new ClientBench();
        bench.Start();
        var peer = await bench.Server.NextAsync();
        await peer.ExpectConnectAsync();
        await peer.SendAsync(Convert.FromHexString(hex));
        await peer.CloseAsync();
        var loss = await bench.LostAsync();
        Assert.Equal(expected, loss.Cause);
        Assert.False(loss.WasConnected);
        Assert.True(loss.Reason.Length > 20, loss.Reason);
        await (await bench.NextPeerAsync()).AcceptAsync();
        await bench.ConnectedAsync();
        Assert.Equal(1, bench.Client.Counters.ConnectFailures);
    }

    [Fact]
    public async Task A_server_that_never_answers_connect_is_left_after_the_time_limit()
    {
        await using var bench = new ClientBench();
        bench.Start();
        var peer = await bench.Server.NextAsync();
        await peer.ExpectConnectAsync();
        var lost = bench.LostAsync();
        await bench.Time.AdvanceUntilAsync(lost, Step);
        Assert.Equal(MqttLossCause.TimedOut, (await lost).Cause);
        Assert.InRange(bench.Elapsed, TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(11));
    }

    [Fact]
    public async Task The_next_server_is_tried_at_once_and_the_preferred_one_first_again_later()
    {
        await using var bench = new ClientBench(MqttProtocolVersion.V500, options => options with { Servers = [new("mqtt://first"), new("mqtt://second")] });
        bench.Server.Refuses = server => server.Host == "first";
        bench.Start();
        var peer = await bench.Server.NextAsync();
        await peer.AcceptAsync();
        Assert.Equal(TimeSpan.Zero, (await bench.LostAsync()).RetryIn);
        await bench.ConnectedAsync();
        bench.Server.Refuses = _ => false;
        await peer.CloseAsync();
        await bench.LostAsync();

        // Another server knows nothing of the session.
        Assert.True((await (await bench.NextPeerAsync()).AcceptAsync()).CleanStart);
        Assert.Equal(["first", "second", "first"], bench.Server.Dialed);
    }

    [Fact]
    public async Task Waits_between_attempts_double_up_to_the_limit()
    {
        await using var bench = new ClientBench(MqttProtocolVersion.V500, options => options with { Jitter = () => 1 });
        bench.Server.Refuses = _ => true;
        bench.Start();
        var waits = new List<double>();
        for (var i = 0; i < 7; i++)
        {
            var lost = bench.LostAsync();
            await bench.Time.AdvanceUntilAsync(lost, Step);
            waits.Add((await lost).RetryIn!.Value.TotalSeconds);
        }

        Assert.Equal([2, 4, 8, 16, 32, 60, 60], waits);
    }

    [Fact]
    public async Task Refused_credentials_wait_longer()
    {
        await using var bench = new ClientBench(MqttProtocolVersion.V500, options => options with { Jitter = () => 0 });
        bench.Start();
        var peer = await bench.Server.NextAsync();
        await peer.ExpectConnectAsync();
        await peer.SendAsync(new ConnAckPacket { ReasonCode = MqttReasonCode.BadUserNameOrPassword });
        var loss = await bench.LostAsync();
        Assert.Equal(TimeSpan.FromSeconds(30), loss.RetryIn);
        Assert.Contains("bad user name or password", loss.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_session_taken_over_waits_longer_and_says_why()
    {
        await using var bench = new ClientBench();
        var peer = await bench.ConnectAsync();
        await peer.SendAsync(new DisconnectPacket { ReasonCode = MqttReasonCode.SessionTakenOver });
        var loss = await bench.LostAsync();
        Assert.Equal((MqttLossCause.SessionTakenOver, TimeSpan.FromSeconds(30)), (loss.Cause, loss.RetryIn));
        Assert.Contains("same client id", loss.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_stable_connection_resets_the_wait()
    {
        var backoff = new ReconnectBackoff(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(30), () => 1);
        for (var i = 0; i < 100; i++)
        {
            Assert.InRange(backoff.Next(MqttLossCause.Unreachable), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(60));
        }

        backoff.Reset();
        Assert.Equal(TimeSpan.FromSeconds(2), backoff.Next(MqttLossCause.Unreachable));
    }

    [Fact]
    public async Task Connect_carries_what_was_configured()
    {
        await using var bench = new ClientBench(MqttProtocolVersion.V500, options => options with
        {
            UserName = "u",
            Password = "p",
            SessionExpiry = TimeSpan.FromMinutes(5),
            ReceiveMaximum = 7,
            MaxIncomingPacketSize = 5000,
            Will = new() { Topic = "w", Payload = "gone"u8.ToArray(), Retain = true, Delay = TimeSpan.FromSeconds(9) },
        });
        bench.Start();
        var connect = await (await bench.Server.NextAsync()).ExpectConnectAsync();
        Assert.Equal(("gw", "u", (ushort)30), (connect.ClientId, connect.UserName, connect.KeepAliveSeconds));
        Assert.Equal("p"u8.ToArray(), connect.Password);
        Assert.Equal((300u, (ushort?)7, 5000u), (connect.Properties!.SessionExpirySeconds, connect.Properties.ReceiveMaximum, connect.Properties.MaximumPacketSize));
        Assert.Equal(("w", true, MqttQos.AtLeastOnce, 9u), (connect.Will!.Topic, connect.Will.Retain, connect.Will.Qos, connect.Will.Properties!.WillDelaySeconds));
    }

    [Fact, Trait("clause", "MQTT5 3.2.2.3.5")]
    public async Task A_will_that_the_server_cannot_keep_is_offered_again_at_once_as_one_that_is_not_kept()
    {
        await using var bench = new ClientBench(change: options => options with { Will = new() { Topic = "w", Payload = "gone"u8.ToArray(), Retain = true } });
        bench.Start();
        for (var connection = 0; connection < 2; connection++)
        {
            if (connection == 0)
            {
                var refusing = await bench.Server.NextAsync();
                Assert.True((await refusing.ExpectConnectAsync()).Will!.Retain);
                await refusing.SendAsync(new ConnAckPacket { ReasonCode = MqttReasonCode.RetainNotSupported });
            }

            var peer = connection == 0 ? await bench.Server.NextAsync() : await bench.NextPeerAsync();
            var connect = await peer.AcceptAsync(properties: new() { RetainAvailable = false });
            Assert.Equal(("w", false), (connect.Will!.Topic, connect.Will.Retain));
            Assert.False((await bench.ConnectedAsync()).Limits.RetainAvailable);
            await peer.CloseAsync();
        }
    }

    [Fact]
    public async Task A_retained_message_in_flight_is_given_back_by_a_server_that_no_longer_keeps_messages()
    {
        await using var bench = new ClientBench();
        var peer = await bench.ConnectAsync();
        var outcome = bench.Client.PublishAsync("a", default, retain: true);
        await peer.ExpectPublishAsync();
        await peer.CloseAsync();
        var next = await bench.NextPeerAsync();
        await next.AcceptAsync(sessionPresent: true, properties: new() { RetainAvailable = false });
        var result = await outcome.AsTask().WaitAsync(Patience);
        Assert.Equal((PublishStatus.Refused, MqttReasonCode.RetainNotSupported), (result.Status, result.Code));
    }

    private static SubAckPacket SubAck(ushort id, byte code) =>
        new() { Type = PacketType.SubAck, PacketId = id, ReasonCodes = new[] { code } };
}
