using EdgeGateway.Core.Feed;
using EdgeGateway.Integration.Mqtt;

namespace EdgeGateway.Integration.Gateway;

/// <summary>A message that the broker does not survive, at a broker that forgets the session with each connection (requirement M-5).</summary>
public sealed class PoisonTests
{
    // Each suspicion costs a connection, and so a wait; how long it is changes nothing here.
    private static readonly string Configuration = LoadSite.Configuration(2).Replace("type: mqtt,", "type: mqtt, reconnectMax: 1s,", StringComparison.Ordinal);

    [Fact]
    public async Task It_is_set_aside_and_told_to_the_centre_by_its_numbers_and_the_rest_flows()
    {
        using var broker = await Mosquitto.RunAsync();
        await using var receiver = await FeedReceiver.SubscribeAsync(broker);
        await using var tap = new WireTap(broker.Port, "5")
        {
            ForgetsSessions = true,
            HangsUpAt = p => p.Payload.Contains("\"kind\":\"start\"", StringComparison.Ordinal),
        };
        await using var site = await GatewaySite.ServeAsync(Configuration, tap.Port, profiles: LoadSite.Profile);
        await using var gateway = await GatewayProcess.RunAsync(site);
        var statement = await receiver.GetAsync(
            FeedStream.Range, r => r.GetProperty("state").GetString() == "quarantined", "the loss is told", () => gateway.Log);
        Assert.Equal("health", statement.GetProperty("stream").GetString());
        Assert.Equal("refused by centre", statement.GetProperty("reason").GetString());
        await gateway.HistoryIsThroughAsync();
        var samples = receiver.Of(FeedStream.Sample).Count;
        await Until.HoldsAsync(() => receiver.Of(FeedStream.Sample).Count > samples + 10, "samples flow on", () => gateway.Log);
        Assert.Matches("set aside: the server ended the connection \\d+ times with this message first in flight, and takes others", gateway.Log);

        // Three until what was under way each time goes alone, three until the message is suspected, three that prove it, and a few more when it travelled joined with
        // others. Without the first step it is chance when one message is first in flight three times running.
        Assert.InRange(tap.Connections, 6, 20);
        Assert.True(await gateway.StopAsync() == 0, gateway.Log);
        await Until.HoldsAsync(
            () => receiver.Report() is { Missing: 0 } report && report.Explained == statement.GetProperty("last").GetInt64() - statement.GetProperty("first").GetInt64() + 1,
            "nothing is missing but what was told",
            () => $"{receiver.Report()}\n{gateway.Log}");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_broker_that_hangs_up_at_everything_for_a_while_has_no_record_set_aside_and_none_out_of_order(bool forgetsSessions)
    {
        using var broker = await Mosquitto.RunAsync();
        await using var receiver = await FeedReceiver.SubscribeAsync(broker);
        await using var tap = new WireTap(broker.Port, "5") { ForgetsSessions = forgetsSessions, HangsUpAt = p => p.Connection <= 12 };
        await using var site = await GatewaySite.ServeAsync(Configuration, tap.Port, profiles: LoadSite.Profile);
        await using var gateway = await GatewayProcess.RunAsync(site);
        await Until.HoldsAsync(() => tap.Connections > 12 && receiver.Status == "online", "the broker is well, and the gateway says so", () => gateway.Log);
        await gateway.HistoryIsThroughAsync();
        Assert.True(await gateway.StopAsync() == 0, gateway.Log);
        await receiver.GetAsync(FeedStream.Health, r => r.GetProperty("kind").GetString() == "stop", "the stop is told", () => gateway.Log);
        receiver.IsComplete(() => gateway.Log);
        Assert.All(receiver.Report().Streams.Where(s => s.Key.Stream != FeedStream.Birth), s => Assert.Equal(0, s.OutOfOrder));
        Assert.DoesNotContain("set aside", gateway.Log, StringComparison.Ordinal);
        Assert.Matches("was not taken: the server ended the connection \\d+ times", gateway.Log);
    }
}
