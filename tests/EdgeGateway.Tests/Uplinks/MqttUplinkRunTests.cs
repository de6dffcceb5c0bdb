using System.Collections.Concurrent;
using System.Text;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Outbox;
using EdgeGateway.Core.Site;
using EdgeGateway.Protocols.Mqtt;
using EdgeGateway.Protocols.Mqtt.Packets;
using EdgeGateway.Tests.Protocols.Mqtt;
using EdgeGateway.Tests.Shared;
using EdgeGateway.Uplinks.Mqtt;
using Microsoft.Extensions.Logging;

namespace EdgeGateway.Tests.Uplinks;

/// <summary>The uplink with its client against a server that the test plays, on a clock that the test moves.</summary>
public sealed class MqttUplinkRunTests : ILogger, IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(100);
    private static readonly MqttUplinkModel Model = CentreUplink.Model with { IsBackfillUnpaced = true };

    private readonly ManualTime _time = new();
    private readonly MemoryOutbox _outbox = new();
    private readonly ScriptedServer _server = new(MqttProtocolVersion.V500);
    private readonly List<OutboxRow> _births = [];
    private readonly ConcurrentQueue<string> _log = new();
    private readonly CancellationTokenSource _stop = new();

    public void Dispose() => _stop.Dispose();

    [Theory]
    [InlineData(1, false)]
    [InlineData(1, true)]
    [InlineData(3, false)]
    public async Task A_row_that_a_forgetful_server_does_not_survive_is_set_aside_and_the_rest_flows(int records, bool inOrder)
    {
        for (var i = 0; i < 12; i++)
        {
            _outbox.Add(records: records);
        }

        var poison = $"\"n\":{(6 * records) + 1},";
        await RunAsync(Model with { InOrder = inOrder }, text => text.Contains(poison, StringComparison.Ordinal), () => Settled(12), default);
        Assert.Equal(7, Assert.Single(_outbox.Quarantined).Row);
        Assert.Contains("ended the connection 5 times", _outbox.Quarantined[0].Reason, StringComparison.Ordinal);
        Assert.Equal([1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12], _outbox.Acknowledged("centre").Order());
        Assert.Contains(_log, line => line.Contains("row 7", StringComparison.Ordinal) && line.Contains("set aside", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_row_that_travels_in_parts_is_set_aside_when_the_server_does_not_survive_one_of_them()
    {
        _outbox.Add();
        _outbox.Add(bytes: 100, records: 100);
        _outbox.Add();
        await RunAsync(Model, text => text.Contains("\"n\":60,", StringComparison.Ordinal), () => Settled(3), new() { MaximumPacketSize = 5_000 });
        Assert.Equal(2, Assert.Single(_outbox.Quarantined).Row);
        Assert.Equal([1, 3], _outbox.Acknowledged("centre").Order());
    }

    [Fact]
    public async Task A_birth_that_the_server_does_not_survive_is_not_announced_for_ever()
    {
        var other = new MemoryOutbox();
        _births.Add(other.Add(FeedStream.Birth, subtopic: "good", retain: true));
        _births.Add(other.Add(FeedStream.Birth, subtopic: "bad", retain: true));
        _outbox.Add();
        await RunAsync(Model, (topic, _) => topic.EndsWith("/bad", StringComparison.Ordinal), () => Settled(1), default);
        Assert.Empty(_outbox.Quarantined);
        Assert.Equal([1], _outbox.Acknowledged("centre"));
    }

    [Fact]
    public async Task A_status_that_the_server_does_not_survive_holds_up_no_row()
    {
        _outbox.Add();
        _outbox.Add();
        await RunAsync(Model, (topic, _) => topic.EndsWith("/status", StringComparison.Ordinal), () => Settled(2), default);
        Assert.Empty(_outbox.Quarantined);
        Assert.Equal([1, 2], _outbox.Acknowledged("centre").Order());
    }

    [Fact]
    public async Task A_server_that_hangs_up_at_everything_for_a_while_costs_no_row_no_birth_and_no_status()
    {
        _births.Add(new MemoryOutbox().Add(FeedStream.Birth, subtopic: "meter", retain: true));
        for (var i = 0; i < 5; i++)
        {
            _outbox.Add();
        }

        var (messages, announced, online) = (0, false, false);
        await RunAsync(
            Model,
            (topic, text) =>
            {
                if (++messages <= 20)
                {
                    return true;
                }

                announced |= topic.EndsWith("/birth/meter", StringComparison.Ordinal);
                online |= text == "online";
                return false;
            },
            () => Settled(5) && announced && online,
            default);
        Assert.Empty(_outbox.Quarantined);
        Assert.Equal([1, 2, 3, 4, 5], _outbox.Acknowledged("centre"));
        Assert.Contains(_log, line => line.Contains("ended the connection 3 times", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Rows_behind_one_at_which_a_server_hangs_up_do_not_overtake_it_although_the_server_keeps_the_session()
    {
        for (var i = 0; i < 8; i++)
        {
            _outbox.Add(bytes: 40_000);
        }

        // The first row is hung up at five times, more than it takes to be suspected, and is a good one.
        var (drops, arrived) = (0, new List<string>());
        await RunAsync(
            Model,
            (topic, text) =>
            {
                if (topic.EndsWith("/summary", StringComparison.Ordinal))
                {
                    if (text.Contains("\"n\":1,", StringComparison.Ordinal) && drops++ < 5)
                    {
                        return true;
                    }

                    arrived.Add(text[text.IndexOf("\"n\":", StringComparison.Ordinal)..][..6]);
                }

                return false;
            },
            () => Settled(8),
            default,
            keepsSession: true);
        Assert.Empty(_outbox.Quarantined);
        Assert.Equal(Enumerable.Range(1, 8).Select(i => $"\"n\":{i},"), arrived.Distinct());
    }

    [Fact]
    public async Task A_server_that_acknowledges_nothing_in_time_hides_the_culprit_for_a_while_only()
    {
        for (var i = 0; i < 6; i++)
        {
            _outbox.Add();
        }

        // What came in one burst with the culprit is never acknowledged: the first of the burst seems to be to blame.
        await RunAsync(
            Model with { InOrder = true }, text => text.Contains("\"n\":4,", StringComparison.Ordinal), () => Settled(6), default, isLazy: true);
        Assert.Equal(4, Assert.Single(_outbox.Quarantined).Row);
        Assert.Equal([1, 2, 3, 5, 6], _outbox.Acknowledged("centre").Order());
    }

    [Fact]
    public async Task A_server_that_acknowledges_now_this_and_now_that_hides_the_culprit_for_a_while_only()
    {
        _births.Add(new MemoryOutbox().Add(FeedStream.Birth, subtopic: "meter", retain: true));
        for (var i = 0; i < 30; i++)
        {
            _outbox.Add(FeedStream.State, subtopic: $"meter{i}");
        }

        // Of a burst in which the culprit comes it acknowledges the first, or nothing, by turns: the status and the birth seem to be to blame by turns.
        await RunAsync(
            Model,
            (topic, _) => topic.EndsWith("/meter11", StringComparison.Ordinal),
            () => Settled(30),
            default,
            isLazy: true,
            isFickle: true);
        Assert.Equal(12, Assert.Single(_outbox.Quarantined).Row);
        Assert.Equal(29, _outbox.Acknowledged("centre").Distinct().Count());
    }

    [Fact, Trait("requirement", "M-11")]
    public async Task A_stop_with_a_server_that_answers_nothing_says_goodbye_within_the_eight_seconds()
    {
        _outbox.Add();
        var running = Uplink(Model).RunAsync(_stop.Token);
        var peer = await _server.NextAsync();
        await peer.AcceptAsync();
        Assert.EndsWith("/status", (await peer.ExpectPublishAsync()).Topic, StringComparison.Ordinal);
        Assert.EndsWith("/summary", (await peer.ExpectPublishAsync()).Topic, StringComparison.Ordinal);
        await _stop.CancelAsync();
        var begin = _time.GetUtcNow();
        while (!running.IsCompleted)
        {
            // Real time is given to what the step has woken; a machine that needs longer makes the bound harder to meet, never easier.
            _time.Advance(TimeSpan.FromMilliseconds(250));
            await Task.WhenAny(running, Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, CancellationToken.None));
        }

        await running;
        Assert.InRange(_time.GetUtcNow() - begin, TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(8));
        Assert.Equal("offline", Encoding.ASCII.GetString((await peer.ExpectPublishAsync()).Payload.Span));
        Assert.Equal(MqttReasonCode.Success, (await peer.ExpectDisconnectAsync()).ReasonCode);
    }

    [Fact]
    public async Task A_change_to_a_better_server_is_told_as_one_and_not_as_an_outage()
    {
        _server.Refuses = server => server.Host == "first";
        var model = Model with { Servers = ["mqtt://first", "mqtt://second"], ReturnToPreferredAfter = TimeSpan.FromMinutes(5), Format = FeedFormat.Samples };
        var uplink = Uplink(model);
        var running = uplink.RunAsync(_stop.Token);
        var second = await _server.NextAsync();
        await second.AcceptAsync(properties: new() { ServerKeepAliveSeconds = 0 });
        _server.Refuses = _ => false;
        var next = _server.NextAsync();
        await _time.AdvanceUntilAsync(next, TimeSpan.FromSeconds(5));
        var first = await next;
        await first.AcceptAsync();
        await _time.AdvanceUntilAsync(UntilAsync(() => uplink.Status is { Connected: true, Server: "mqtt://first/" }), Step);
        Assert.Contains(_log, line => line.Contains("leaves mqtt://second", StringComparison.Ordinal));
        Assert.DoesNotContain(_log, line => line.Contains("no connection to mqtt://second", StringComparison.Ordinal));
        Assert.Null(uplink.Status.LastError);
        await _stop.CancelAsync();
        await _time.AdvanceUntilAsync(running, Step);
    }

    [Fact]
    public async Task Rows_leave_with_QoS_2_where_the_server_takes_it_and_are_settled_by_its_PUBCOMP()
    {
        _outbox.Add();
        var running = Uplink(Model with { IsExactlyOnce = true }).RunAsync(_stop.Token);
        var peer = await _server.NextAsync();
        await peer.AcceptAsync();
        await peer.AckAsync((await peer.ExpectPublishAsync()).PacketId);
        var row = await peer.ExpectPublishAsync();
        Assert.Equal(MqttQos.ExactlyOnce, row.Qos);
        await peer.AckAsync(row.PacketId, type: PacketType.PubRec);
        await peer.ExpectAckAsync(PacketType.PubRel);
        Assert.Empty(_outbox.Acknowledged("centre"));
        await peer.AckAsync(row.PacketId, type: PacketType.PubComp);
        await UntilAsync(() => _outbox.Acknowledged("centre").Count == 1).WaitAsync(Patience);
        await _stop.CancelAsync();
        await _time.AdvanceUntilAsync(running, Step);
    }

    [Fact]
    public async Task A_server_that_takes_QoS_1_at_most_gets_rows_with_it_and_none_is_set_aside()
    {
        _outbox.Add();
        var running = Uplink(Model with { IsExactlyOnce = true }).RunAsync(_stop.Token);
        var peer = await _server.NextAsync();
        await peer.AcceptAsync(properties: new() { MaximumQos = 1 });
        await peer.AckAsync((await peer.ExpectPublishAsync()).PacketId);
        var row = await peer.ExpectPublishAsync();
        Assert.Equal(MqttQos.AtLeastOnce, row.Qos);
        await peer.AckAsync(row.PacketId);
        await UntilAsync(() => _outbox.Acknowledged("centre").Count == 1).WaitAsync(Patience);
        Assert.Contains(_log, line => line.Contains("takes QoS 1 at most", StringComparison.Ordinal));
        await _stop.CancelAsync();
        await _time.AdvanceUntilAsync(running, Step);
    }

    IDisposable? ILogger.BeginScope<TState>(TState state) => null;

    bool ILogger.IsEnabled(LogLevel logLevel) => true;

    void ILogger.Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _log.Enqueue(formatter(state, exception));

    private static async Task UntilAsync(Func<bool> condition)
    {
        while (!condition())
        {
            await Task.Delay(TimeSpan.FromMilliseconds(2), TimeProvider.System, CancellationToken.None);
        }
    }

    private bool Settled(int rows) => _outbox.Quarantined.Count + _outbox.Acknowledged("centre").Distinct().Count() >= rows;

    private MqttUplink Uplink(MqttUplinkModel model) => new(model, CentreUplink.Context(_outbox, () => _births, _time, this))
    {
        Adjust = options => options with { Dial = _server.DialAsync, Jitter = () => 0 },
    };

    private Task RunAsync(MqttUplinkModel model, Func<string, bool> isPoison, Func<bool> isDone, MqttProperties? properties, bool isLazy = false) =>
        RunAsync(model, (_, text) => isPoison(text), isDone, properties, isLazy);

    /// <summary>Plays a server that hangs up at a message, until all is settled.</summary>
    /// <param name="model">The uplink.</param>
    /// <param name="isPoison">By topic and payload.</param>
    /// <param name="isDone">Whether all is settled.</param>
    /// <param name="properties">Those of CONNACK.</param>
    /// <param name="isLazy">Acknowledges only what no other message follows at once.</param>
    /// <param name="keepsSession">False: the session is forgotten with each connection.</param>
    /// <param name="isFickle">Acknowledges the first message of every second connection at once, however lazy it is.</param>
    private async Task RunAsync(
        MqttUplinkModel model,
        Func<string, string, bool> isPoison,
        Func<bool> isDone,
        MqttProperties? properties,
        bool isLazy = false,
        bool keepsSession = false,
        bool isFickle = false)
    {
        var running = Uplink(model).RunAsync(_stop.Token);
        var done = UntilAsync(isDone);
        for (var connections = 0; !done.IsCompleted; connections++)
        {
            Assert.True(connections < 40, $"40 connections and no end: {string.Join('\n', _log)}");
            var dialed = _server.NextAsync();
            await _time.AdvanceUntilAsync(Task.WhenAny(dialed, done), Step);
            if (!done.IsCompleted)
            {
                await ServeAsync(await dialed, isPoison, done, properties, isLazy, keepsSession, acknowledgesFirst: isFickle && connections % 2 == 1);
            }
        }

        await _stop.CancelAsync();
        await _time.AdvanceUntilAsync(running, Step);
    }

    private async Task ServeAsync(
        ScriptedPeer peer, Func<string, string, bool> isPoison, Task done, MqttProperties? properties, bool isLazy, bool keepsSession, bool acknowledgesFirst)
    {
        var connect = await peer.ExpectConnectAsync();
        await peer.SendAsync(new ConnAckPacket { SessionPresent = keepsSession && !connect.CleanStart, Properties = properties });
        var owed = new List<ushort>();
        var reading = peer.ReadAsync();
        while (!done.IsCompleted)
        {
            if (isLazy && owed.Count > 0)
            {
                await Task.WhenAny(reading, Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, CancellationToken.None));
                foreach (var id in reading.IsCompleted ? [] : owed)
                {
                    await peer.AckAsync(id);
                }

                owed = reading.IsCompleted ? owed : [];
            }

            await _time.AdvanceUntilAsync(Task.WhenAny(reading, done), Step);
            if (done.IsCompleted || (await reading).AtEnd)
            {
                return;
            }

            var frame = await reading;
            if (frame.Header.Type == PacketType.PingReq)
            {
                await peer.SendAsync(new PingPacket(PacketType.PingResp));
            }
            else if (frame.Header.Type == PacketType.Publish)
            {
                Assert.True(PublishPacket.TryRead(frame.Header.Flags, frame.Body.ToArray(), MqttProtocolVersion.V500, out var publish, out var breach), breach.Reason);
                if (isPoison(publish.Topic, Encoding.UTF8.GetString(publish.Payload.Span)))
                {
                    await peer.CloseAsync();
                    return;
                }

                if (isLazy && !acknowledgesFirst)
                {
                    owed.Add(publish.PacketId);
                }
                else
                {
                    await peer.AckAsync(publish.PacketId);
                    acknowledgesFirst = false;
                }
            }

            reading = peer.ReadAsync();
        }
    }
}
