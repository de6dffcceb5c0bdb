using EdgeGateway.Core.Feed;
using EdgeGateway.Integration.Mqtt;

namespace EdgeGateway.Integration.Gateway;

/// <summary>A message that the broker does not survive, at a broker that forgets the session with each connection (requirement M-5).</summary>
public sealed class PoisonTests
{
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
        await using var site = await GatewaySite.ServeAsync(LoadSite.Configuration(2), tap.Port, profiles: LoadSite.Profile);
        await using var gateway = await GatewayProcess.RunAsync(site);
        var statement = await receiver.GetAsync(
            FeedStream.Range, r => r.GetProperty("state").GetString() == "quarantined", "the loss is told", () => gateway.Log);
        Assert.Equal("health", statement.GetProperty("stream").GetString());
        Assert.Equal("refused by centre", statement.GetProperty("reason").GetString());
        await gateway.HistoryIsThroughAsync();
        var samples = receiver.Of(FeedStream.Sample).Count;
        await Until.HoldsAsync(() => receiver.Of(FeedStream.Sample).Count > samples + 10, "samples flow on", () => gateway.Log);
        Assert.Matches("set aside: the server ended the connection 3 times", gateway.Log);
        Assert.InRange(tap.Connections, 4, 12);
        Assert.True(await gateway.StopAsync() == 0, gateway.Log);
        await Until.HoldsAsync(
            () => receiver.Report() is { Missing: 0 } report && report.Explained == statement.GetProperty("last").GetInt64() - statement.GetProperty("first").GetInt64() + 1,
            "nothing is missing but what was told",
            () => $"{receiver.Report()}\n{gateway.Log}");
    }
}
