using System.Collections.Concurrent;
using EdgeGateway.Protocols.Mqtt;
using EdgeGateway.Protocols.Mqtt.Packets;

namespace EdgeGateway.Tests.Protocols.Mqtt;

/// <summary>
/// A session that outlives its process. Each "crash" is a second client that knows only what the store held at that moment; the first one is left alone.
/// </summary>
public sealed class SessionStoreTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly Uri Server = new("mqtt://server");

    [Fact]
    public async Task A_message_of_qos_2_leaves_only_after_its_identifier_is_durable()
    {
        var store = new MemorySessionStore();
        await using var bench = With(store);
        var peer = await bench.ConnectAsync();
        await SettledAsync(store);
        store.Hold();
        _ = PublishAsync(bench, 7, MqttQos.ExactlyOnce);
        await store.BegunAsync();

        // A ping overtakes what is held: had PUBLISH left, it would be before it.
        await NothingButPingAsync(bench, peer);
        Assert.Empty(store.State!.Outgoing);
        store.Release();
        var publish = await peer.ExpectPublishAsync();
        Assert.Equal(("t/7", false), (publish.Topic, publish.Duplicate));
        Assert.Equal([new(publish.PacketId, 7, MqttQos.ExactlyOnce, Released: false)], store.State!.Outgoing);
    }

    [Fact]
    public async Task Pubrel_leaves_only_after_pubrec_is_durable()
    {
        var store = new MemorySessionStore();
        await using var bench = With(store);
        var peer = await bench.ConnectAsync();
        var outcome = PublishAsync(bench, 7, MqttQos.ExactlyOnce);
        var id = (await peer.ExpectPublishAsync()).PacketId;
        store.Hold();
        await peer.AckAsync(id, type: PacketType.PubRec);
        await NothingButPingAsync(bench, peer);
        Assert.False(store.State!.Outgoing[0].Released);
        store.Release();
        Assert.Equal(id, (await peer.ExpectAckAsync(PacketType.PubRel)).PacketId);
        Assert.Equal([new(id, 7, MqttQos.ExactlyOnce, Released: true)], store.State!.Outgoing);
        await peer.AckAsync(id, type: PacketType.PubComp);
        Assert.True((await outcome.WaitAsync(Patience)).IsDelivered);
    }

    [Fact]
    public async Task One_save_serves_all_that_waits()
    {
        var store = new MemorySessionStore();
        await using var bench = With(store, options => options with { MaxInFlight = 50 });
        var peer = await bench.ConnectAsync();
        await SettledAsync(store);
        var before = store.Saves;
        store.Hold();
        for (var i = 0; i < 50; i++)
        {
            _ = PublishAsync(bench, i, MqttQos.ExactlyOnce);
        }

        store.Release();
        for (var i = 0; i < 50; i++)
        {
            Assert.Equal($"t/{i}", (await peer.ExpectPublishAsync()).Topic);
        }

        // The first message may have begun a save of its own before the others came.
        Assert.InRange(store.Saves - before, 1, 2);
    }

    [Fact]
    public async Task Messages_of_qos_1_need_no_save_and_do_not_overtake_those_that_do()
    {
        var store = new MemorySessionStore();
        await using var bench = With(store);
        var peer = await bench.ConnectAsync();
        await SettledAsync(store);
        var before = store.Saves;
        for (var i = 0; i < 5; i++)
        {
            _ = PublishAsync(bench, i, MqttQos.AtLeastOnce);
            await peer.AckAsync((await peer.ExpectPublishAsync()).PacketId);
        }

        Assert.Equal(before, store.Saves);
        store.Hold();
        _ = PublishAsync(bench, 10, MqttQos.ExactlyOnce);
        _ = PublishAsync(bench, 11, MqttQos.AtLeastOnce);
        _ = PublishAsync(bench, 12, MqttQos.AtMostOnce);
        await NothingButPingAsync(bench, peer);
        store.Release();
        Assert.Equal("t/10", (await peer.ExpectPublishAsync()).Topic);
        Assert.Equal("t/11", (await peer.ExpectPublishAsync()).Topic);
        Assert.Equal("t/12", (await peer.ExpectPublishAsync()).Topic);
    }

    [Fact]
    public async Task On_request_identifiers_of_qos_1_are_durable_first_too()
    {
        var store = new MemorySessionStore();
        await using var bench = With(store, options => options with { SaveBeforeSending = MqttQos.AtLeastOnce });
        var peer = await bench.ConnectAsync();
        _ = PublishAsync(bench, 7, MqttQos.AtLeastOnce);
        var publish = await peer.ExpectPublishAsync();
        Assert.Equal([new(publish.PacketId, 7, MqttQos.AtLeastOnce, Released: false)], store.State!.Outgoing);
    }

    [Theory]
    [InlineData(MqttProtocolVersion.V311)]
    [InlineData(MqttProtocolVersion.V500)]
    public async Task The_next_process_resends_under_the_old_identifiers_in_the_old_order_before_anything_new(MqttProtocolVersion version)
    {
        var store = new MemorySessionStore();
        var sent = new List<ushort>();
        await using (var bench = With(store, version: version))
        {
            var peer = await bench.ConnectAsync();
            for (var i = 0; i < 4; i++)
            {
                _ = PublishAsync(bench, i, i == 3 ? MqttQos.AtLeastOnce : MqttQos.ExactlyOnce);
                sent.Add((await peer.ExpectPublishAsync()).PacketId);
            }

            // The second is at PUBREL; the last save names the fourth too.
            await peer.AckAsync(sent[1], type: PacketType.PubRec);
            await peer.ExpectAckAsync(PacketType.PubRel);
            store = store.Crashed();
        }

        var asked = new List<long>();
        await using var next = With(store, options => options with { Recall = key => { asked.Add(key); return Message(key); } }, version);
        Assert.Equal([0, 1, 2, 3], next.Client.Resumed.Select(each => each.Key!.Value));
        Assert.Equal([false, true, false, false], next.Client.Resumed.Select(each => each.Released));
        var fresh = PublishAsync(next, 9, MqttQos.AtLeastOnce);
        next.Start();
        var again = await next.Server.NextAsync();
        Assert.False((await again.AcceptAsync(sessionPresent: true)).CleanStart);
        var first = await again.ExpectPublishAsync();
        Assert.Equal(("t/0", sent[0], true, MqttQos.ExactlyOnce), (first.Topic, first.PacketId, first.Duplicate, first.Qos));
        Assert.Equal(sent[1], (await again.ExpectAckAsync(PacketType.PubRel)).PacketId);
        var third = await again.ExpectPublishAsync();
        Assert.Equal(("t/2", sent[2], true), (third.Topic, third.PacketId, third.Duplicate));
        var fourth = await again.ExpectPublishAsync();
        Assert.Equal(("t/3", sent[3], true, MqttQos.AtLeastOnce), (fourth.Topic, fourth.PacketId, fourth.Duplicate, fourth.Qos));
        var last = await again.ExpectPublishAsync();
        Assert.Equal(("t/9", false), (last.Topic, last.Duplicate));
        Assert.DoesNotContain(last.PacketId, sent);
        Assert.Equal([0, 2, 3], asked);

        await again.AckAsync(sent[0], type: PacketType.PubRec);
        Assert.Equal(sent[0], (await again.ExpectAckAsync(PacketType.PubRel)).PacketId);
        await again.AckAsync(sent[0], type: PacketType.PubComp);
        await again.AckAsync(sent[1], type: PacketType.PubComp);
        await again.AckAsync(sent[2], type: PacketType.PubRec);
        Assert.Equal(sent[2], (await again.ExpectAckAsync(PacketType.PubRel)).PacketId);
        await again.AckAsync(sent[2], type: PacketType.PubComp);
        await again.AckAsync(sent[3]);
        await again.AckAsync(last.PacketId);
        Assert.All(await Task.WhenAll(next.Client.Resumed.Select(each => each.Outcome)).WaitAsync(Patience), outcome => Assert.True(outcome.IsDelivered));
        Assert.True((await fresh.WaitAsync(Patience)).IsDelivered);
    }

    [Theory]
    [InlineData(MqttProtocolVersion.V311)]
    [InlineData(MqttProtocolVersion.V500)]
    public async Task A_server_that_has_lost_the_session_gives_all_back_and_the_store_forgets_it_before_anything_is_sent(MqttProtocolVersion version)
    {
        var store = new MemorySessionStore(new()
        {
            ClientId = "gw",
            Server = Server,
            Outgoing = [new(5, 50, MqttQos.ExactlyOnce, Released: false), new(6, 60, MqttQos.ExactlyOnce, Released: true)],
            Received = [9],
        });
        await using var bench = With(store, version: version);
        store.Hold();
        _ = PublishAsync(bench, 70, MqttQos.AtLeastOnce);
        bench.Start();
        var peer = await bench.Server.NextAsync();
        Assert.False((await peer.AcceptAsync(sessionPresent: false)).CleanStart);
        var outcomes = await Task.WhenAll(bench.Client.Resumed.Select(each => each.Outcome)).WaitAsync(Patience);
        Assert.All(outcomes, outcome => Assert.Equal(PublishStatus.SessionLost, outcome.Status));
        await store.BegunAsync();
        var first = peer.ReadAsync();
        for (var i = 0; i < 20; i++)
        {
            // Not even a ping: nothing at all may leave while the old identifiers are in the store.
            bench.Time.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, CancellationToken.None);
        }

        Assert.False(first.IsCompleted);
        store.Release();
        Assert.Equal(PacketType.Publish, (await first).Header.Type);
        Assert.Empty(store.State!.Received);
        Assert.DoesNotContain(store.State.Outgoing, each => each.Key is 50 or 60);
    }

    [Fact]
    public async Task Without_stored_state_a_session_present_is_a_breach()
    {
        await using var bench = With(new());
        bench.Start();
        var peer = await bench.Server.NextAsync();
        Assert.True((await peer.AcceptAsync(sessionPresent: true)).CleanStart);
        Assert.Equal(MqttLossCause.ProtocolBreach, (await bench.LostAsync()).Cause);
    }

    [Fact]
    public async Task State_of_another_client_id_is_not_taken_up()
    {
        var store = new MemorySessionStore(new() { ClientId = "other", Server = Server, Outgoing = [new(5, 50, MqttQos.AtLeastOnce, Released: false)] });
        await using var bench = With(store);
        Assert.Empty(bench.Client.Resumed);
        bench.Start();
        Assert.True((await (await bench.Server.NextAsync()).AcceptAsync()).CleanStart);
    }

    [Fact]
    public async Task State_of_another_server_is_given_back_there()
    {
        var store = new MemorySessionStore(new()
        {
            ClientId = "gw",
            Server = new("mqtt://elsewhere"),
            Outgoing = [new(5, 50, MqttQos.AtLeastOnce, Released: false)],
        });
        await using var bench = With(store);
        bench.Start();
        Assert.True((await (await bench.Server.NextAsync()).AcceptAsync()).CleanStart);
        Assert.Equal(PublishStatus.SessionLost, (await bench.Client.Resumed[0].Outcome.WaitAsync(Patience)).Status);
    }

    [Fact]
    public async Task What_the_caller_no_longer_has_is_forgotten_at_qos_1_and_ended_at_qos_2()
    {
        var store = new MemorySessionStore(new()
        {
            ClientId = "gw",
            Server = Server,
            Outgoing =
            [
                new(5, 50, MqttQos.AtLeastOnce, Released: false),
                new(6, 60, MqttQos.ExactlyOnce, Released: false),
                new(7, null, MqttQos.ExactlyOnce, Released: false),
            ],
        });
        await using var bench = With(store, options => options with { Recall = _ => null });
        var peer = await bench.ConnectAsync(sessionPresent: true);
        Assert.Equal(6, (await peer.ExpectAckAsync(PacketType.PubRel)).PacketId);
        Assert.Equal(7, (await peer.ExpectAckAsync(PacketType.PubRel)).PacketId);
        await peer.SendAsync(new AckPacket { Type = PacketType.PubComp, PacketId = 6, ReasonCode = MqttReasonCode.PacketIdentifierNotFound });
        await peer.AckAsync(7, type: PacketType.PubComp);
        var outcomes = await Task.WhenAll(bench.Client.Resumed.Select(each => each.Outcome)).WaitAsync(Patience);
        Assert.Equal([PublishStatus.SessionLost, PublishStatus.Delivered, PublishStatus.Delivered], outcomes.Select(each => each.Status));
    }

    [Fact]
    public async Task The_caller_has_a_settled_message_durably_before_the_session_forgets_it()
    {
        var store = new MemorySessionStore();
        var told = new ConcurrentQueue<(long Key, bool IsStillStored)>();
        await using var bench = With(store, options => options with
        {
            Settling = (settled, _) =>
            {
                foreach (var each in settled)
                {
                    Assert.True(each.Outcome.IsDelivered);
                    told.Enqueue((each.Key, store.State!.Outgoing.Any(kept => kept.Key == each.Key)));
                }

                return ValueTask.CompletedTask;
            },
        });
        var peer = await bench.ConnectAsync();
        await DeliverExactlyOnceAsync(bench, peer, 1);
        await DeliverExactlyOnceAsync(bench, peer, 2);
        Assert.Equal([(1, true)], told);
        Assert.DoesNotContain(store.State!.Outgoing, each => each.Key == 1);
    }

    [Fact]
    public async Task A_crash_after_pubcomp_ends_in_pubrel_and_not_in_a_second_publish()
    {
        var store = new MemorySessionStore();
        await using (var bench = With(store))
        {
            await DeliverExactlyOnceAsync(bench, await bench.ConnectAsync(), 1);
            store = store.Crashed();
        }

        await using var next = With(store);
        var peer = await next.ConnectAsync(sessionPresent: true);
        var id = (await peer.ExpectAckAsync(PacketType.PubRel)).PacketId;
        await peer.SendAsync(new AckPacket { Type = PacketType.PubComp, PacketId = id, ReasonCode = MqttReasonCode.PacketIdentifierNotFound });
        Assert.True((await next.Client.Resumed[0].Outcome.WaitAsync(Patience)).IsDelivered);
    }

    [Fact]
    public async Task A_received_message_of_qos_2_is_durable_before_pubrec_and_its_end_before_pubcomp()
    {
        var store = new MemorySessionStore();
        await using var bench = With(store);
        var peer = await bench.ConnectAsync();
        await SettledAsync(store);
        store.Hold();
        await peer.SendAsync(new PublishPacket { Topic = "once", Qos = MqttQos.ExactlyOnce, PacketId = 9 });
        await NothingButPingAsync(bench, peer);
        Assert.Empty(store.State!.Received);
        store.Release();
        await peer.ExpectAckAsync(PacketType.PubRec);
        Assert.Equal([9], store.State!.Received);
        store.Hold();
        await peer.AckAsync(9, type: PacketType.PubRel);
        await NothingButPingAsync(bench, peer);
        Assert.Equal([9], store.State!.Received);
        store.Release();
        await peer.ExpectAckAsync(PacketType.PubComp);
        Assert.Empty(store.State!.Received);
    }

    [Fact]
    public async Task A_message_of_qos_2_that_came_before_the_crash_is_not_delivered_again()
    {
        var store = new MemorySessionStore(new() { ClientId = "gw", Server = Server, Received = [9] });
        await using var bench = With(store);
        var topics = new ConcurrentQueue<string>();
        bench.Client.MessageReceived = (message, _) => { topics.Enqueue(message.Topic); return ValueTask.CompletedTask; };
        var peer = await bench.ConnectAsync(sessionPresent: true);
        await peer.SendAsync(new PublishPacket { Topic = "old", Qos = MqttQos.ExactlyOnce, PacketId = 9, Duplicate = true });
        Assert.Equal(9, (await peer.ExpectAckAsync(PacketType.PubRec)).PacketId);
        await peer.AckAsync(9, type: PacketType.PubRel);
        Assert.Equal(MqttReasonCode.Success, (await peer.ExpectAckAsync(PacketType.PubComp)).ReasonCode);
        await peer.SendAsync(new PublishPacket { Topic = "new", Qos = MqttQos.ExactlyOnce, PacketId = 9 });
        await peer.ExpectAckAsync(PacketType.PubRec);
        Assert.Equal(["new"], topics);
    }

    [Fact]
    public async Task A_clean_stop_saves_what_is_in_flight_and_the_same_client_takes_it_up()
    {
        var store = new MemorySessionStore();
        await using var bench = With(store);
        var peer = await bench.ConnectAsync();
        var outcome = PublishAsync(bench, 4, MqttQos.AtLeastOnce);
        var id = (await peer.ExpectPublishAsync()).PacketId;
        var stop = bench.Client.DisconnectAsync();
        await peer.ExpectDisconnectAsync();
        await peer.CloseAsync();
        await stop.WaitAsync(Patience);
        Assert.Equal(PublishStatus.Kept, (await outcome.WaitAsync(Patience)).Status);
        Assert.Equal([new(id, 4, MqttQos.AtLeastOnce, Released: false)], store.State!.Outgoing);
        var resumed = Assert.Single(bench.Client.Resumed);
        peer = await bench.ConnectAsync(sessionPresent: true);
        var again = await peer.ExpectPublishAsync();
        Assert.Equal(("t/4", id, true), (again.Topic, again.PacketId, again.Duplicate));
        await peer.AckAsync(id);
        Assert.True((await resumed.Outcome.WaitAsync(Patience)).IsDelivered);
    }

    [Fact]
    public async Task What_was_held_for_a_save_when_the_connection_broke_is_sent_once_and_not_as_a_duplicate()
    {
        var store = new MemorySessionStore();
        await using var bench = With(store);
        var peer = await bench.ConnectAsync();
        await SettledAsync(store);
        store.Hold();
        _ = PublishAsync(bench, 1, MqttQos.ExactlyOnce);
        var lostWithIt = PublishAsync(bench, 2, MqttQos.AtMostOnce);
        await store.BegunAsync();
        await peer.CloseAsync();
        await bench.LostAsync();
        Assert.Equal(PublishStatus.Retry, (await lostWithIt.WaitAsync(Patience)).Status);
        store.Release();
        peer = await bench.NextPeerAsync();
        await peer.AcceptAsync(sessionPresent: true);
        var publish = await peer.ExpectPublishAsync();
        Assert.Equal(("t/1", false), (publish.Topic, publish.Duplicate));
    }

    [Fact]
    public async Task A_store_that_fails_is_told_and_tried_again_while_messages_that_need_it_not_flow_on()
    {
        var store = new MemorySessionStore();
        await using var bench = With(store);
        var failures = new ConcurrentQueue<string>();
        bench.Client.SessionStoreFailed = failure => failures.Enqueue(failure.Message);
        var peer = await bench.ConnectAsync();
        await SettledAsync(store);
        store.Failure = new IOException("no space left");
        _ = PublishAsync(bench, 1, MqttQos.AtLeastOnce);
        Assert.Equal("t/1", (await peer.ExpectPublishAsync()).Topic);
        _ = PublishAsync(bench, 2, MqttQos.ExactlyOnce);
        await UntilAsync(() => !failures.IsEmpty);
        store.Failure = null;
        var publish = peer.ExpectPublishAsync();
        await bench.Time.AdvanceUntilAsync(publish, TimeSpan.FromMilliseconds(200));
        Assert.Equal("t/2", (await publish).Topic);
        Assert.Equal(["no space left"], failures);
    }

    [Fact]
    public async Task A_new_session_is_not_used_while_it_cannot_be_saved()
    {
        var store = new MemorySessionStore(new() { ClientId = "gw", Server = Server, Received = [9] }) { Failure = new IOException("no space left") };
        await using var bench = With(store);
        bench.Start();
        await (await bench.Server.NextAsync()).AcceptAsync();
        var lost = await bench.LostAsync();
        Assert.Equal((MqttLossCause.SessionStore, true), (lost.Cause, lost.WasConnected));
        Assert.Contains("no space left", lost.Reason, StringComparison.Ordinal);
        store.Failure = null;
        await (await bench.NextPeerAsync()).AcceptAsync();
        await bench.ConnectedAsync();
        await bench.ConnectedAsync();
    }

    [Fact]
    public async Task Granted_subscriptions_are_known_to_the_next_process_and_renewed_only_in_a_new_session()
    {
        var store = new MemorySessionStore();
        var wanted = new MqttSubscription { Filter = "cmd/#", NoLocal = true, Identifier = 3 };
        await using (var bench = With(store))
        {
            var peer = await bench.ConnectAsync();
            var granted = bench.Client.SubscribeAsync([wanted]).AsTask();
            await peer.SendAsync(new SubAckPacket { Type = PacketType.SubAck, PacketId = (await peer.ExpectSubscribeAsync()).PacketId, ReasonCodes = new byte[] { 1 } });
            await granted.WaitAsync(Patience);
            await UntilAsync(() => store.State?.Subscriptions.Count == 1);
            store = store.Crashed();
        }

        Assert.Equal([wanted], store.State!.Subscriptions);
        await using var next = With(store);
        var resumed = await next.ConnectAsync(sessionPresent: true);
        await NothingButPingAsync(next, resumed);
        await resumed.CloseAsync();
        await next.LostAsync();
        var renewed = await next.NextPeerAsync();
        await renewed.AcceptAsync(sessionPresent: false);
        var subscribe = await renewed.ExpectSubscribeAsync();
        Assert.Equal([new("cmd/#", 5)], subscribe.Filters);
        Assert.Equal([3], subscribe.Properties!.SubscriptionIdentifiers!);
    }

    [Theory]
    [InlineData((ushort)0, MqttQos.AtLeastOnce)]
    [InlineData((ushort)5, MqttQos.AtMostOnce)]
    public void A_saved_session_that_cannot_be_one_is_refused_in_words(ushort id, MqttQos qos)
    {
        var store = new MemorySessionStore(new() { ClientId = "gw", Server = Server, Outgoing = [new(id, 1, qos, Released: false)] });
        Assert.Contains("remove the saved session", Assert.Throws<ArgumentException>(() => With(store)).Message, StringComparison.Ordinal);
    }

    private static ClientBench With(
        MemorySessionStore store, Func<MqttClientOptions, MqttClientOptions>? change = null, MqttProtocolVersion version = MqttProtocolVersion.V500) =>
        new(version, options =>
        {
            options = options with { SessionStore = store, Recall = key => Message(key) };
            return change?.Invoke(options) ?? options;
        });

    private static MqttPublication Message(long key) => new() { Topic = $"t/{key}", Payload = BitConverter.GetBytes(key) };

    private static Task<PublishOutcome> PublishAsync(ClientBench bench, long key, MqttQos qos) =>
        bench.Client.PublishAsync(Message(key) with { Qos = qos }, key).AsTask();

    private static async Task DeliverExactlyOnceAsync(ClientBench bench, ScriptedPeer peer, long key)
    {
        var outcome = PublishAsync(bench, key, MqttQos.ExactlyOnce);
        var id = (await peer.ExpectPublishAsync()).PacketId;
        await peer.AckAsync(id, type: PacketType.PubRec);
        await peer.ExpectAckAsync(PacketType.PubRel);
        await peer.AckAsync(id, type: PacketType.PubComp);
        Assert.True((await outcome.WaitAsync(Patience)).IsDelivered);
    }

    /// <summary>Waits for the save that a new session begins with.</summary>
    private static async Task SettledAsync(MemorySessionStore store)
    {
        await store.BegunAsync();
        await UntilAsync(() => store.Saves > 0);
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        for (var i = 0; !condition(); i++)
        {
            Assert.True(i < 20_000, "it did not come to pass");
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, CancellationToken.None);
        }
    }

    private static async Task NothingButPingAsync(ClientBench bench, ScriptedPeer peer)
    {
        var ping = peer.ReadAsync();
        await bench.Time.AdvanceUntilAsync(ping, TimeSpan.FromSeconds(1));
        Assert.Equal(PacketType.PingReq, (await ping).Header.Type);
        await peer.SendAsync(new PingPacket(PacketType.PingResp));
    }
}
