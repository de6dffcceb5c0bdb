using System.Globalization;
using System.Text;
using EdgeGateway.Protocols.Mqtt;

namespace EdgeGateway.Integration.Mqtt;

/// <summary>Streams of QoS 1 and 2 while the broker dies or the link breaks at any byte: nothing is lost, nothing of QoS 2 is doubled, the order stays.</summary>
public sealed class BrokerFaultTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private static bool IsLong => Environment.GetEnvironmentVariable("EDGEGATEWAY_LONG") == "1";

    [Theory]
    [InlineData(MqttProtocolVersion.V311, MqttQos.AtLeastOnce)]
    [InlineData(MqttProtocolVersion.V311, MqttQos.ExactlyOnce)]
    [InlineData(MqttProtocolVersion.V500, MqttQos.AtLeastOnce)]
    [InlineData(MqttProtocolVersion.V500, MqttQos.ExactlyOnce)]
    public async Task A_link_that_breaks_at_any_byte_loses_nothing_and_doubles_nothing(MqttProtocolVersion version, MqttQos qos)
    {
        var random = new Random(20_261_122 + (int)qos);
        using var broker = await Mosquitto.RunAsync();
        await using var outwards = new TcpRelay(broker.Port);
        await using var inwards = new TcpRelay(broker.Port);
        await using var receiver = await MqttSite.ConnectAsync(Through(inwards), "receiver", version, change: Patient);
        Assert.True((await receiver.Client.SubscribeAsync("t/#", qos).AsTask().WaitAsync(Patience)).Granted);
        await using var sender = await MqttSite.ConnectAsync(Through(outwards), "sender", version, change: Patient);

        var cuts = IsLong ? 150 : 12;
        var outcomes = new List<Task<PublishOutcome>>();
        for (var cut = 0; cut < cuts; cut++)
        {
            // Each cut falls into some hundred messages of some thirty bytes, on one side or the other.
            (random.Next(2) == 0 ? outwards : inwards).CutAfter(random.Next(1, 6_000));
            for (var i = 0; i < 100; i++)
            {
                outcomes.Add(sender.Client.PublishAsync("t/x", Payload(outcomes.Count), qos).AsTask());
            }

            await Task.WhenAll(outcomes).WaitAsync(Patience);
        }

        Assert.All(outcomes, outcome => Assert.True(outcome.Result.IsDelivered, outcome.Result.Reason));
        await receiver.UntilReceivedAsync(outcomes.Count);
        AssertArrived(receiver, outcomes.Count, isOnce: qos == MqttQos.ExactlyOnce);
        Assert.True(outwards.Accepted + inwards.Accepted > cuts / 2, $"{outwards.Accepted} and {inwards.Accepted} connections for {cuts} cuts: too few fell into the stream");
    }

    [Theory]
    [InlineData(MqttProtocolVersion.V311, MqttQos.AtLeastOnce)]
    [InlineData(MqttProtocolVersion.V311, MqttQos.ExactlyOnce)]
    [InlineData(MqttProtocolVersion.V500, MqttQos.AtLeastOnce)]
    [InlineData(MqttProtocolVersion.V500, MqttQos.ExactlyOnce)]
    public async Task A_broker_that_keeps_its_sessions_is_restarted_in_the_stream_and_each_message_comes(MqttProtocolVersion version, MqttQos qos)
    {
        // Twice as many as are ever in flight: what is beyond the limit of 20 when mosquitto 2.0.11 ends, which can be on a resumed session, it takes up as
        // never sent, under new identifiers by which no receiver can know it again. With 0, for no limit, it does so with every message.
        using var broker = await Mosquitto.RunAsync(new() { Persistent = true, ExtraLines = ["max_inflight_messages 1000"] });

        // mosquitto 2.0.11 does not write a session of version 5 to its file while its connection is one that began with Clean Start 1, as each first one does.
        // So both come a second time.
        var (receiving, sending) = (new KeptSession(), new KeptSession());
        await using (var first = await MqttSite.ConnectAsync(broker.Uri, "receiver", version, change: o => Patient(o) with { SessionStore = receiving }))
        {
            Assert.True((await first.Client.SubscribeAsync("t/#", qos).AsTask().WaitAsync(Patience)).Granted);
            await using var other = await MqttSite.ConnectAsync(broker.Uri, "sender", version, change: o => Patient(o) with { SessionStore = sending });
        }

        await using var receiver = MqttSite.Start(broker.Uri, "receiver", version, change: o => Patient(o) with { SessionStore = receiving });
        Assert.True((await receiver.ConnectedAsync()).SessionPresent);
        await using var sender = MqttSite.Start(broker.Uri, "sender", version, change: o => Patient(o) with { SessionStore = sending });
        Assert.True((await sender.ConnectedAsync()).SessionPresent);
        var restarts = IsLong ? 20 : 2;
        var outcomes = new List<Task<PublishOutcome>>();
        for (var restart = 0; restart < restarts; restart++)
        {
            for (var i = 0; i < 500; i++)
            {
                outcomes.Add(sender.Client.PublishAsync("t/x", Payload(outcomes.Count), qos).AsTask());
            }

            await outcomes[^400].WaitAsync(Patience);
            await broker.RestartAsync();
            Assert.True((await receiver.ConnectedAsync()).SessionPresent);
            Assert.True((await sender.ConnectedAsync()).SessionPresent);
        }

        Assert.All(await Task.WhenAll(outcomes).WaitAsync(Patience), outcome => Assert.True(outcome.IsDelivered, outcome.Reason));
        await receiver.UntilReceivedAsync(outcomes.Count);
        AssertArrived(receiver, outcomes.Count, isOnce: qos == MqttQos.ExactlyOnce);
    }

    /// <summary>
    /// A broker that is killed forgets what it had acknowledged and not passed on, and with its sessions the identifiers of QoS 2: so the receiver's window is
    /// unlimited here, which makes mosquitto write a message to it before it acknowledges it, and a message that is published again may come again.
    /// </summary>
    [Theory]
    [InlineData(MqttProtocolVersion.V311, MqttQos.AtLeastOnce)]
    [InlineData(MqttProtocolVersion.V500, MqttQos.ExactlyOnce)]
    public async Task A_broker_that_forgets_everything_when_it_is_killed_gets_again_what_it_had_not_acknowledged(MqttProtocolVersion version, MqttQos qos)
    {
        using var broker = await Mosquitto.RunAsync(new() { ExtraLines = ["max_inflight_messages 0"] });
        await using var relay = new TcpRelay(broker.Port);
        await using var receiver = await MqttSite.ConnectAsync(broker.Uri, "receiver", version, change: o => Patient(o) with { ReceiveMaximum = 1000 });
        Assert.True((await receiver.Client.SubscribeAsync("t/#", qos).AsTask().WaitAsync(Patience)).Granted);
        await using var sender = await MqttSite.ConnectAsync(Through(relay), "sender", version, change: Patient);
        var kills = IsLong ? 20 : 2;
        for (var kill = 0; kill < kills; kill++)
        {
            var outcomes = Enumerable.Range(kill * 500, 500).Select(i => PublishUntilDeliveredAsync(sender.Client, i, qos)).ToArray();
            await outcomes[100].WaitAsync(Patience);
            await broker.KillAsync();

            // Nobody publishes before the subscription is in force again: the broker has forgotten it, too.
            await relay.RefuseAsync();
            await broker.StartAsync();
            Assert.False((await receiver.ConnectedAsync()).SessionPresent);
            Assert.True((await receiver.Client.SubscribeAsync("t/#", qos).AsTask().WaitAsync(Patience)).Granted);
            relay.Allow();
            await Task.WhenAll(outcomes).WaitAsync(Patience);
        }

        await receiver.UntilReceivedAsync(kills * 500);
        Assert.Equal(Enumerable.Range(0, kills * 500), receiver.Received.Select(Number).Distinct().Order());
    }

    /// <summary>As an outbox does: publishes again whatever did not end as delivered.</summary>
    private static async Task PublishUntilDeliveredAsync(MqttClient client, int number, MqttQos qos)
    {
        while (!(await client.PublishAsync("t/x", Payload(number), qos)).IsDelivered)
        {
        }
    }

    /// <summary>A session store in memory.</summary>
    private sealed class KeptSession : IMqttSessionStore
    {
        private MqttSessionState? _state;

        public MqttSessionState? Load() => _state;

        public ValueTask SaveAsync(MqttSessionState state, CancellationToken cancel)
        {
            _state = state;
            return ValueTask.CompletedTask;
        }
    }

    private static void AssertArrived(MqttSite receiver, int count, bool isOnce)
    {
        var numbers = receiver.Received.Select(Number).ToArray();
        Assert.Equal(Enumerable.Range(0, count), isOnce ? numbers : numbers.Distinct());
    }

    private static byte[] Payload(int number) => Encoding.ASCII.GetBytes(number.ToString("D20", CultureInfo.InvariantCulture));

    private static int Number(string payload) => int.Parse(payload, CultureInfo.InvariantCulture);

    private static Uri Through(TcpRelay relay) => new($"mqtt://127.0.0.1:{relay.Port}");

    /// <summary>Cuts in a row at the same message look like a poisonous message; here it is known to be the link. And no time is lost by waiting.</summary>
    private static MqttClientOptions Patient(MqttClientOptions options) => options with
    {
        SuspectAfterDrops = 0,
        ReconnectMin = TimeSpan.FromMilliseconds(10),
        ReconnectMax = TimeSpan.FromMilliseconds(50),
    };
}
