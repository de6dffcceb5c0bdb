using EdgeGateway.Protocols.Mqtt;
using EdgeGateway.Protocols.Mqtt.Packets;

namespace EdgeGateway.Tests.Protocols.Mqtt;

/// <summary>Where the client goes: server references (M-8) and the way back to a better server (M-12).</summary>
public sealed class ServerRouteTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Step = TimeSpan.FromSeconds(1);

    [Theory]
    [InlineData("other", "other", "mqtt://other/")]
    [InlineData("other:1999", "other", "mqtt://other:1999/")]
    [InlineData("other:1999", "other:1999", "mqtt://other:1999/")]
    [InlineData("other:1998", "other:1999", null)]
    [InlineData("OTHER.example", "other.EXAMPLE", "mqtt://other.example/")]
    [InlineData("[2001:db8::1]:1884", "[2001:db8::1]", "mqtt://[2001:db8::1]:1884/")]
    [InlineData("strange other", "other", "mqtt://other/")]
    [InlineData("strange", "other", null)]
    [InlineData("other", null, null)]
    [InlineData("other@evil", "other", null)]
    [InlineData("other/../evil", "evil", null)]
    [InlineData("", "other", null)]
    [InlineData(":::", "other", null)]
    public void A_reference_is_followed_only_to_an_allowed_host(string reference, string? allowed, string? expected)
    {
        var route = new ServerRoute(new() { Servers = [new("mqtt://first")], ClientId = "gw", AllowedServerReferences = allowed is null ? [] : [allowed] });
        var loss = ConnectionLoss.FromConnAck(MqttReasonCode.UseAnotherServer, null, reference);
        var target = route.Follow(0, new("mqtt://first"), ref loss);
        Assert.Equal(expected is null ? null : new Uri(expected), target);
        Assert.Equal(expected is null, loss.Reason.Contains("not followed", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_server_that_refuses_with_an_allowed_reference_is_left_for_the_other_at_once()
    {
        await using var bench = new ClientBench(change: options => options with { AllowedServerReferences = ["other"] });
        bench.Start();
        var peer = await bench.Server.NextAsync();
        await peer.ExpectConnectAsync();
        await peer.SendAsync(new ConnAckPacket { ReasonCode = MqttReasonCode.UseAnotherServer, Properties = new() { ServerReference = "other:1999" } });
        var loss = await bench.LostAsync();
        Assert.Equal((TimeSpan.Zero, "other:1999"), (loss.RetryIn!.Value, loss.ServerReference));
        await (await bench.Server.NextAsync()).AcceptAsync();
        Assert.Equal(new("mqtt://other:1999"), (await bench.ConnectedAsync()).Server);
    }

    [Fact]
    public async Task A_server_that_moved_is_replaced_for_good_and_what_was_in_flight_is_given_back()
    {
        await using var bench = new ClientBench(change: options => options with { AllowedServerReferences = ["other"] });
        var peer = await bench.ConnectAsync();
        var outcome = bench.Client.PublishAsync("a", default).AsTask();
        await peer.ExpectPublishAsync();
        await peer.SendAsync(new DisconnectPacket { ReasonCode = MqttReasonCode.ServerMoved, Properties = new() { ServerReference = "other" } });
        peer = await bench.Server.NextAsync();
        Assert.True((await peer.AcceptAsync()).CleanStart);
        Assert.Equal(PublishStatus.SessionLost, (await outcome.WaitAsync(Patience)).Status);
        await peer.CloseAsync();
        peer = await bench.NextPeerAsync();
        Assert.False((await peer.AcceptAsync(sessionPresent: true)).CleanStart);
        Assert.Equal(["server", "other", "other"], bench.Server.Dialed);
    }

    [Fact]
    public async Task A_reference_that_is_not_allowed_is_told_and_not_followed()
    {
        await using var bench = new ClientBench();
        var peer = await bench.ConnectAsync();
        await peer.SendAsync(new DisconnectPacket { ReasonCode = MqttReasonCode.ServerMoved, Properties = new() { ServerReference = "evil" } });
        var loss = await bench.LostAsync();
        Assert.Contains("'evil', which is not among the allowed", loss.Reason, StringComparison.Ordinal);
        await (await bench.NextPeerAsync()).AcceptAsync();
        Assert.Equal(["server", "server"], bench.Server.Dialed);
    }

    [Fact]
    public async Task Servers_that_send_us_in_a_circle_are_left_with_the_usual_wait()
    {
        await using var bench = new ClientBench(change: options => options with { AllowedServerReferences = ["other", "server"] });
        bench.Start();
        for (var i = 0; i < 6; i++)
        {
            var peer = await bench.Server.NextAsync();
            await peer.AcceptAsync();
            await peer.SendAsync(new DisconnectPacket
            {
                ReasonCode = MqttReasonCode.UseAnotherServer,
                Properties = new() { ServerReference = i % 2 == 0 ? "other" : "server" },
            });
            var loss = await bench.LostAsync();
            Assert.Equal(i < 5 ? TimeSpan.Zero : TimeSpan.FromSeconds(1), loss.RetryIn);
        }
    }

    [Fact]
    public async Task After_a_while_on_a_worse_server_the_better_one_is_taken_again_when_it_has_accepted_us_and_all_is_settled()
    {
        await using var bench = TwoServers();
        var second = await OnTheSecondAsync(bench);
        await bench.LostAsync();

        // The first look finds it still away, which nobody is told.
        await UntilDialedAsync(bench, 3);
        Assert.InRange(bench.Elapsed, TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(6));
        Assert.True(bench.Client.IsConnected);
        bench.Server.Refuses = _ => false;
        var before = bench.Client.PublishAsync("before", default).AsTask();
        var sent = await second.ExpectPublishAsync();
        var first = await bench.NextPeerAsync();
        Assert.True((await first.AcceptAsync()).CleanStart);

        // Still on the second: its answer is waited for, and what comes now is for the first.
        var goodbye = second.ExpectDisconnectAsync();
        await bench.Time.AdvanceUntilAsync(Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, CancellationToken.None), TimeSpan.FromMilliseconds(10));
        var during = bench.Client.PublishAsync("during", default).AsTask();
        Assert.False(goodbye.IsCompleted);
        await second.AckAsync(sent.PacketId);
        await bench.Time.AdvanceUntilAsync(goodbye, TimeSpan.FromMilliseconds(10));
        Assert.Equal((MqttReasonCode.Success, 0u), ((await goodbye).ReasonCode, (await goodbye).Properties!.SessionExpirySeconds));
        await second.CloseAsync();
        Assert.True((await before.WaitAsync(Patience)).IsDelivered);
        var loss = await bench.LostAsync();
        Assert.Equal((MqttLossCause.BetterServer, TimeSpan.Zero), (loss.Cause, loss.RetryIn));
        Assert.Equal("first", (await bench.ConnectedAsync()).Server.Host);
        var publish = await first.ExpectPublishAsync();
        Assert.Equal(("during", false), (publish.Topic, publish.Duplicate));
        await first.AckAsync(publish.PacketId);
        Assert.True((await during.WaitAsync(Patience)).IsDelivered);
    }

    [Theory]
    [InlineData(MqttProtocolVersion.V311)]
    [InlineData(MqttProtocolVersion.V500)]
    public async Task The_worse_server_is_left_so_that_it_publishes_the_will(MqttProtocolVersion version)
    {
        await using var bench = TwoServers(version, new() { Topic = "status", Payload = "offline"u8.ToArray(), Retain = true });
        var second = await OnTheSecondAsync(bench);
        bench.Server.Refuses = _ => false;
        var next = bench.NextPeerAsync();
        var end = second.ReadAsync();
        var first = await next;
        await first.AcceptAsync();
        await bench.Time.AdvanceUntilAsync(end, TimeSpan.FromMilliseconds(10));
        var frame = await end;
        Assert.Equal(version == MqttProtocolVersion.V311, frame.AtEnd);
        if (version == MqttProtocolVersion.V500)
        {
            Assert.True(DisconnectPacket.TryRead(PacketType.Disconnect, frame.Body, version, out var farewell, out var breach), breach.Reason);
            Assert.Equal((MqttReasonCode.DisconnectWithWill, 0u), (farewell.ReasonCode, farewell.Properties!.SessionExpirySeconds));
            await second.CloseAsync();
        }

        Assert.Equal("first", (await bench.ConnectedAsync()).Server.Host);

        // A stop is another matter: nobody is left to speak for us, and the caller has said what there was to say.
        var stop = bench.Client.DisconnectAsync();
        Assert.Equal(MqttReasonCode.Success, (await first.ExpectDisconnectAsync()).ReasonCode);
        await first.CloseAsync();
        await stop.WaitAsync(Patience);
    }

    [Fact]
    public async Task What_the_worse_server_does_not_settle_in_time_is_given_back_to_be_published_at_the_better_one()
    {
        await using var bench = TwoServers();
        var second = await OnTheSecondAsync(bench);
        bench.Server.Refuses = _ => false;
        var outcome = bench.Client.PublishAsync("a", default).AsTask();
        await second.ExpectPublishAsync();
        var first = await bench.NextPeerAsync();
        await first.AcceptAsync();
        await bench.Time.AdvanceUntilAsync(outcome, TimeSpan.FromMilliseconds(100));
        Assert.Equal(PublishStatus.SessionLost, (await outcome).Status);
        Assert.Equal("first", (await bench.ConnectedAsync()).Server.Host);
    }

    [Fact]
    public async Task A_cluster_that_takes_the_session_over_while_the_better_server_accepts_costs_no_wait()
    {
        await using var bench = TwoServers();
        var second = await OnTheSecondAsync(bench);
        bench.Server.Refuses = _ => false;
        var first = await bench.NextPeerAsync();
        await first.ExpectConnectAsync();
        await second.SendAsync(new DisconnectPacket { ReasonCode = MqttReasonCode.SessionTakenOver });
        await second.CloseAsync();
        await first.SendAsync(new ConnAckPacket());
        Assert.Equal("first", (await bench.ConnectedAsync()).Server.Host);
        Assert.Equal(["first", "second", "first"], bench.Server.Dialed);
    }

    [Fact]
    public async Task A_stop_while_the_better_server_is_tried_ends_both()
    {
        await using var bench = TwoServers();
        var second = await OnTheSecondAsync(bench);
        bench.Server.Refuses = _ => false;
        var first = await bench.NextPeerAsync();
        await first.ExpectConnectAsync();
        var stop = bench.Client.DisconnectAsync();
        await second.ExpectDisconnectAsync();
        await second.CloseAsync();
        await stop.WaitAsync(Patience);
        await first.ExpectEndAsync();
    }

    private static ClientBench TwoServers(MqttProtocolVersion version = MqttProtocolVersion.V500, MqttWill? will = null) => new(version, options => options with
    {
        Will = will,
        Servers = [new("mqtt://first"), new("mqtt://second")],
        ReturnToPreferredAfter = TimeSpan.FromMinutes(5),
        KeepAlive = TimeSpan.Zero,
    });

    /// <summary>The first server is away until the test says otherwise, and the second has accepted us.</summary>
    private static async Task<ScriptedPeer> OnTheSecondAsync(ClientBench bench)
    {
        bench.Server.Refuses = server => server.Host == "first";
        bench.Start();
        var second = await bench.Server.NextAsync();
        await second.AcceptAsync();
        await bench.ConnectedAsync();
        return second;
    }

    private static async Task UntilDialedAsync(ClientBench bench, int count)
    {
        for (var i = 0; bench.Server.Dialed.Count < count; i++)
        {
            Assert.True(i < 10_000, $"dialed {bench.Server.Dialed.Count} times");
            bench.Time.Advance(Step);
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, CancellationToken.None);
        }
    }
}
