using EdgeGateway.Protocols.Mqtt;
using EdgeGateway.Protocols.Mqtt.Packets;

namespace EdgeGateway.Tests.Protocols.Mqtt;

/// <summary>What the client does with servers that stall, hang up or flood (requirements M-3, M-5, M-6, M-9, M-10).</summary>
public sealed class FlowTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData(MqttQos.AtLeastOnce)]
    [InlineData(MqttQos.ExactlyOnce)]
    public async Task Nothing_is_sent_again_on_a_connection_that_lives(MqttQos qos)
    {
        await using var bench = new ClientBench();
        var peer = await bench.ConnectAsync();
        _ = bench.Client.PublishAsync("a", default, qos).AsTask();
        await peer.ExpectPublishAsync();
        for (var i = 0; i < 20; i++)
        {
            var ping = peer.ReadAsync();
            await bench.Time.AdvanceUntilAsync(ping, TimeSpan.FromSeconds(1));
            Assert.Equal(PacketType.PingReq, (await ping).Header.Type);
            await peer.SendAsync(new PingPacket(PacketType.PingResp));
        }

        Assert.Equal(0, bench.Client.Counters.Resends);
        Assert.True(bench.Elapsed > TimeSpan.FromMinutes(9));
    }

    [Fact]
    public async Task A_message_is_suspect_also_when_each_drop_takes_the_session_with_it_and_at_each_drop_after_that()
    {
        await using var bench = new ClientBench();
        var peer = await bench.ConnectAsync();
        for (var i = 0; i < 5; i++)
        {
            var outcome = bench.Client.PublishAsync(new() { Topic = "poison" }, key: 66).AsTask();
            _ = bench.Client.PublishAsync(new() { Topic = "good" }, key: 67).AsTask();
            Assert.Equal("poison", (await peer.ExpectPublishAsync()).Topic);
            await peer.CloseAsync();
            await bench.LostAsync();
            peer = await bench.NextPeerAsync();
            await peer.AcceptAsync(sessionPresent: false);
            Assert.Equal(i < 2 ? PublishStatus.SessionLost : PublishStatus.Suspect, (await outcome.WaitAsync(Patience)).Status);
        }
    }

    [Fact]
    public async Task Drops_at_different_messages_make_none_suspect()
    {
        await using var bench = new ClientBench();
        var peer = await bench.ConnectAsync();
        for (var i = 0; i < 5; i++)
        {
            var outcome = bench.Client.PublishAsync(new() { Topic = "a" }, key: i).AsTask();
            await peer.ExpectPublishAsync();
            await peer.CloseAsync();
            await bench.LostAsync();
            peer = await bench.NextPeerAsync();
            await peer.AcceptAsync(sessionPresent: false);
            Assert.Equal(PublishStatus.SessionLost, (await outcome.WaitAsync(Patience)).Status);
        }
    }

    [Fact]
    public async Task More_than_may_wait_is_given_back_at_once()
    {
        await using var bench = new ClientBench(change: options => options with { MaxWaiting = 3, MaxWaitingBytes = 100 });
        var waiting = Enumerable.Range(0, 3).Select(_ => bench.Client.PublishAsync("a", default).AsTask()).ToArray();
        var outcome = await bench.Client.PublishAsync("a", default).AsTask().WaitAsync(Patience);
        Assert.Equal((PublishStatus.Retry, MqttReasonCode.QuotaExceeded), (outcome.Status, outcome.Code));
        Assert.All(waiting, each => Assert.False(each.IsCompleted));
    }

    [Fact]
    public async Task Properties_that_cannot_be_sent_are_refused_at_the_call()
    {
        await using var bench = new ClientBench();
        foreach (var properties in new MqttMessageProperties[]
        {
            new() { ResponseTopic = "a/#" },
            new() { ContentType = new string('x', 65_536) },
            new() { CorrelationData = new byte[65_536] },
            new() { UserProperties = [new("name", "half \uD800")] },
            new() { UserProperties = [new("\0", "value")] },
        })
        {
            Assert.ThrowsAny<ArgumentException>(() => { _ = bench.Client.PublishAsync("a", default, properties: properties).AsTask(); });
        }
    }

    [Fact]
    public async Task More_bytes_than_may_wait_are_given_back_but_one_message_always_may()
    {
        await using var bench = new ClientBench(change: options => options with { MaxWaitingBytes = 100 });
        var large = bench.Client.PublishAsync("a", new byte[1000]).AsTask();
        Assert.Equal(PublishStatus.Retry, (await bench.Client.PublishAsync("a", new byte[1]).AsTask().WaitAsync(Patience)).Status);
        var peer = await bench.ConnectAsync();
        Assert.Equal(1000, (await peer.ExpectPublishAsync()).Payload.Length);
        Assert.False(large.IsCompleted);
    }

    [Fact]
    public async Task A_server_that_reads_nothing_holds_no_more_than_the_limits()
    {
        // The pipe takes 64 kB; all else must stay with us, and there is a limit to it.
        await using var bench = new ClientBench(change: options => options with
        {
            MaxInFlight = 1000,
            MaxInFlightBytes = 1024 * 1024,
            MaxWaitingBytes = 1024 * 1024,
            KeepAlive = TimeSpan.Zero,
        });
        await bench.ConnectAsync();
        var outcomes = Enumerable.Range(0, 1000)
            .Select(i => bench.Client.PublishAsync("a", new byte[10_000], i % 2 == 0 ? MqttQos.AtMostOnce : MqttQos.AtLeastOnce).AsTask()).ToArray();
        Assert.True(outcomes.Count(each => each.IsCompleted) >= 700, "most do not fit");
        Assert.All(outcomes.Where(each => each.IsCompleted), each => Assert.True(each.Result.Status is PublishStatus.Retry or PublishStatus.Delivered));
        Assert.InRange(outcomes.Count(each => !each.IsCompleted), 100, 330);
    }

    [Fact]
    public async Task A_message_of_qos_2_repeated_before_its_pubrec_is_handed_over_once()
    {
        await using var bench = new ClientBench();
        var calls = 0;
        var permit = new TaskCompletionSource();
        bench.Client.MessageReceived = async (_, cancel) =>
        {
            Interlocked.Increment(ref calls);
            await permit.Task.WaitAsync(cancel);
        };
        var peer = await bench.ConnectAsync();
        var publish = new PublishPacket { Topic = "once", Qos = MqttQos.ExactlyOnce, PacketId = 9 };
        await peer.SendAsync(publish);
        await peer.SendAsync(publish);
        permit.SetResult();
        await peer.ExpectAckAsync(PacketType.PubRec);
        await peer.AckAsync(9, type: PacketType.PubRel);
        await peer.ExpectAckAsync(PacketType.PubComp);
        Assert.Equal(1, calls);
    }

    [Fact]
    public async Task More_unacknowledged_messages_than_announced_are_a_breach()
    {
        await using var bench = new ClientBench(change: options => options with { ReceiveMaximum = 2 });
        bench.Client.MessageReceived = (_, cancel) => new(Task.Delay(Timeout.InfiniteTimeSpan, bench.Time, cancel));
        var peer = await bench.ConnectAsync();
        for (ushort id = 1; id <= 3; id++)
        {
            await peer.SendAsync(new PublishPacket { Topic = "a", Qos = MqttQos.AtLeastOnce, PacketId = id });
        }

        Assert.Equal(MqttReasonCode.ReceiveMaximumExceeded, (await peer.ExpectDisconnectAsync()).ReasonCode);
    }

    [Theory]
    [InlineData((byte)PacketType.Connect)]
    [InlineData((byte)PacketType.ConnAck)]
    [InlineData((byte)PacketType.Subscribe)]
    [InlineData((byte)PacketType.Unsubscribe)]
    [InlineData((byte)PacketType.PingReq)]
    public async Task A_packet_that_no_server_sends_ends_the_connection(byte number)
    {
        var type = (PacketType)number;
        await using var bench = new ClientBench();
        var peer = await bench.ConnectAsync();
        var flags = type is PacketType.Subscribe or PacketType.Unsubscribe ? 2 : 0;
        await peer.SendAsync([(byte)(((int)type << 4) | flags), 0]);
        Assert.Equal(MqttReasonCode.ProtocolError, (await peer.ExpectDisconnectAsync()).ReasonCode);
        Assert.Equal(MqttLossCause.ProtocolBreach, (await bench.LostAsync()).Cause);
        await (await bench.NextPeerAsync()).AcceptAsync();
    }

    [Theory]
    [InlineData((byte)PacketType.PubRec)]
    [InlineData((byte)PacketType.PubComp)]
    public async Task An_acknowledgement_of_the_wrong_kind_ends_the_connection_and_the_message_is_sent_again(byte number)
    {
        var type = (PacketType)number;
        await using var bench = new ClientBench();
        var peer = await bench.ConnectAsync();
        var outcome = bench.Client.PublishAsync("a", default).AsTask();
        var id = (await peer.ExpectPublishAsync()).PacketId;
        await peer.AckAsync(id, type: type);
        Assert.Equal(MqttReasonCode.ProtocolError, (await peer.ExpectDisconnectAsync()).ReasonCode);
        await peer.CloseAsync();
        peer = await bench.NextPeerAsync();
        await peer.AcceptAsync(sessionPresent: true);
        Assert.Equal(id, (await peer.ExpectPublishAsync()).PacketId);
        await peer.AckAsync(id);
        Assert.True((await outcome.WaitAsync(Patience)).IsDelivered);
    }

    [Fact]
    public async Task Pubrec_with_an_error_ends_the_message_and_frees_its_identifier()
    {
        await using var bench = new ClientBench();
        var peer = await bench.ConnectAsync();
        var outcome = bench.Client.PublishAsync("a", default, MqttQos.ExactlyOnce).AsTask();
        await peer.AckAsync((await peer.ExpectPublishAsync()).PacketId, MqttReasonCode.QuotaExceeded, PacketType.PubRec);
        Assert.Equal(PublishStatus.Retry, (await outcome.WaitAsync(Patience)).Status);
        Assert.Equal(0, bench.Client.InFlight);
    }

    [Theory]
    [InlineData(MqttProtocolVersion.V311)]
    [InlineData(MqttProtocolVersion.V500)]
    public async Task A_handler_may_publish_and_wait_however_much_the_server_sends_meanwhile(MqttProtocolVersion version)
    {
        await using var bench = new ClientBench(version, options => options with { ReceiveMaximum = 2 });
        bench.Client.MessageReceived = async (message, cancel) => await bench.Client.PublishAsync("answer", message.Payload, cancel: cancel);
        var peer = await bench.ConnectAsync();
        var count = (ushort)(version == MqttProtocolVersion.V311 ? 50 : 2);
        for (ushort id = 1; id <= count; id++)
        {
            await peer.SendAsync(new PublishPacket { Topic = "question", Qos = MqttQos.AtLeastOnce, PacketId = id, Payload = new byte[] { (byte)id } });
        }

        // Of QoS 0, too, more than may wait.
        for (var i = 0; i < 10; i++)
        {
            await peer.SendAsync(new PublishPacket { Topic = "noise" });
        }

        for (ushort id = 1; id <= count; id++)
        {
            var answer = await peer.ExpectPublishAsync();
            Assert.Equal(id, answer.Payload.Span[0]);
            await peer.AckAsync(answer.PacketId);
            Assert.Equal(id, (await peer.ExpectAckAsync(PacketType.PubAck)).PacketId);
        }

        Assert.InRange(bench.Client.Counters.MessagesDropped, 8, 10);
    }

    [Fact]
    public async Task A_slow_handler_is_no_silence_of_the_server()
    {
        await using var bench = new ClientBench(MqttProtocolVersion.V311, options => options with { ReceiveMaximum = 1 });
        bench.Client.MessageReceived = (_, cancel) => new(Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancel));
        var peer = await bench.ConnectAsync();
        for (ushort id = 1; id <= 10; id++)
        {
            await peer.SendAsync(new PublishPacket { Topic = "a", Qos = MqttQos.AtLeastOnce, PacketId = id });
        }

        for (var i = 0; i < 6; i++)
        {
            var ping = peer.ReadAsync();
            await bench.Time.AdvanceUntilAsync(ping, TimeSpan.FromSeconds(1));
            Assert.Equal(PacketType.PingReq, (await ping).Header.Type);
            await peer.SendAsync(new PingPacket(PacketType.PingResp));
        }

        Assert.True(bench.Elapsed > TimeSpan.FromMinutes(2));
        Assert.True(bench.Client.IsConnected);
    }

    [Fact]
    public async Task What_we_do_not_read_because_the_server_reads_nothing_is_no_silence_of_the_server()
    {
        await using var bench = new ClientBench(change: options => options with { MaxInFlight = 1000 });
        var peer = await bench.ConnectAsync();
        var outcomes = Enumerable.Range(0, 30).Select(_ => bench.Client.PublishAsync("a", new byte[100_000]).AsTask()).ToArray();
        await peer.SendAsync(new PublishPacket { Topic = "wake" });
        for (var second = 0; second < 120; second++)
        {
            bench.Time.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, CancellationToken.None);
        }

        // A link that carries three megabytes in two minutes is slow, and not dead.
        for (var read = 0; read < outcomes.Length;)
        {
            var frame = await peer.ReadAsync();
            Assert.False(frame.AtEnd, "the client has hung up");
            read += frame.Header.Type == PacketType.Publish ? 1 : 0;
        }

        Assert.True(bench.Client.IsConnected);
    }

    [Fact]
    public async Task More_than_may_wait_for_the_handler_is_left_to_the_server_and_fetched_by_a_new_connection()
    {
        await using var bench = new ClientBench(MqttProtocolVersion.V311, options => options with { ReceiveMaximum = 2, MaxInboxBytes = 3_000 });
        var permit = new TaskCompletionSource();
        var handled = new List<byte>();
        bench.Client.MessageReceived = async (message, cancel) =>
        {
            await permit.Task.WaitAsync(cancel);
            handled.Add(message.Payload.Span[0]);
        };
        var peer = await bench.ConnectAsync();
        for (ushort id = 1; id <= 9; id++)
        {
            await peer.SendAsync(Numbered(id));
        }

        // All of it was read, the connection stands, and the handler has not seen anything yet.
        var ours = bench.Client.PublishAsync("ours", default).AsTask();
        await peer.AckAsync((await peer.ExpectPublishAsync()).PacketId);
        Assert.True((await ours.WaitAsync(Patience)).IsDelivered);
        permit.SetResult();
        ushort last = 0;
        var frame = await peer.ReadAsync();
        for (; frame.Header.Type == PacketType.PubAck; frame = await peer.ReadAsync())
        {
            Assert.True(AckPacket.TryRead(PacketType.PubAck, frame.Body, MqttProtocolVersion.V311, out var ack, out _));
            Assert.Equal(++last, ack.PacketId);
        }

        Assert.Equal(PacketType.Disconnect, frame.Header.Type);
        Assert.InRange(last, 3, 4);
        await peer.CloseAsync();
        Assert.Equal(MqttLossCause.InboxFull, (await bench.LostAsync()).Cause);
        peer = await bench.NextPeerAsync();
        await peer.AcceptAsync(sessionPresent: true);
        for (ushort id = (ushort)(last + 1); id <= 9; id++)
        {
            await peer.SendAsync(Numbered(id));
            Assert.Equal(id, (await peer.ExpectAckAsync(PacketType.PubAck)).PacketId);
        }

        Assert.Equal(Enumerable.Range(1, 9).Select(i => (byte)i), handled);

        static PublishPacket Numbered(ushort id) =>
            new() { Topic = "a", Qos = MqttQos.AtLeastOnce, PacketId = id, Payload = Enumerable.Repeat((byte)id, 700).ToArray() };
    }

    [Fact]
    public async Task Drops_at_messages_of_one_key_that_arrive_in_between_make_none_suspect()
    {
        await using var bench = new ClientBench();
        var peer = await bench.ConnectAsync();
        for (var i = 0; i < 5; i++)
        {
            var outcome = bench.Client.PublishAsync(new() { Topic = "part" }, key: 7).AsTask();
            await peer.ExpectPublishAsync();
            await peer.CloseAsync();
            await bench.LostAsync();
            peer = await bench.NextPeerAsync();
            await peer.AcceptAsync(sessionPresent: true);
            await peer.AckAsync((await peer.ExpectPublishAsync()).PacketId);
            Assert.True((await outcome.WaitAsync(Patience)).IsDelivered);
        }
    }

    [Fact, Trait("requirement", "M-7")]
    public async Task However_long_a_server_is_away_the_next_attempt_is_at_most_a_minute_ahead()
    {
        var random = new Random(7);
        await using var bench = new ClientBench(change: options => options with { Jitter = random.NextDouble });
        bench.Server.Refuses = _ => true;
        bench.Start();
        for (var i = 0; i < 100; i++)
        {
            var lost = bench.LostAsync();
            await bench.Time.AdvanceUntilAsync(lost, TimeSpan.FromSeconds(5));
            Assert.InRange((await lost).RetryIn!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1));
        }

        // It is back: one wait later, and never more, there is a connection.
        bench.Server.Refuses = _ => false;
        var back = bench.Time.GetUtcNow();
        var next = bench.Server.NextAsync();
        while (!next.IsCompleted)
        {
            Assert.True(bench.Time.GetUtcNow() - back <= TimeSpan.FromMinutes(1), "a minute has passed without an attempt");
            bench.Time.Advance(TimeSpan.FromSeconds(5));
            await Task.WhenAny(next, Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, CancellationToken.None));
        }

        await (await next).AcceptAsync();
        await bench.ConnectedAsync();
    }
}
