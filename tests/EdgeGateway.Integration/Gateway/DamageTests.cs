using EdgeGateway.Core.Feed;
using EdgeGateway.Integration.Mqtt;
using EdgeGateway.Integration.Storage;

namespace EdgeGateway.Integration.Gateway;

/// <summary>State that rots on disk: the gateway salvages what can be read, says so, begins a new epoch, and goes on. It never needs a person.</summary>
public sealed class DamageTests : IAsyncLifetime, IDisposable
{
    private readonly Mosquitto _broker = new(new MosquittoSettings { Persistent = true });
    private FeedReceiver _receiver = null!;
    private GatewaySite _site = null!;

    public async Task InitializeAsync()
    {
        await _broker.StartAsync();
        _receiver = await FeedReceiver.SubscribeAsync(_broker);
        _site = await GatewaySite.ServeAsync(Configuration(2), _broker.Port, profiles: LoadSite.Profile);
    }

    public async Task DisposeAsync()
    {
        await _site.DisposeAsync();
        await _receiver.DisposeAsync();
    }

    public void Dispose() => _broker.Dispose();

    // Checkpoints are far apart, so that the damage lies in what is replayed.
    private static string Configuration(int devices) => LoadSite.Configuration(devices).Replace("checkpoint: 2s", "checkpoint: 60s", StringComparison.Ordinal);

    [Theory]
    [InlineData("UPDATE log SET body = CAST(substr(body, 1, length(body) - 1) || x'5A' AS BLOB) WHERE number = (SELECT max(number) - 2 FROM log)", "a batch that cannot be read")]
    [InlineData("DELETE FROM log WHERE number = (SELECT max(number) - 2 FROM log)", "a batch that is gone")]
    [InlineData("DELETE FROM configuration", "the texts of the configuration before are gone")]
    public async Task Damage_that_only_replay_finds_is_salvaged_and_told(string damage, string what)
    {
        await using (var gateway = await GatewayProcess.RunAsync(_site))
        {
            await Until.HoldsAsync(() => _receiver.Of(FeedStream.Sample).Count > 150, "samples arrive", () => gateway.Log);
            await gateway.KillAsync();
        }

        Sql.Execute(Path.Combine(_site.Store, "gateway.db"), damage);

        // Another configuration, so that the old one has to be looked up.
        _site.Configure(Configuration(3));
        await using var next = await GatewayProcess.RunAsync(_site);
        var health = await _receiver.GetAsync(FeedStream.Health, r => r.GetProperty("kind").GetString() == "new-epoch", $"after {what} a new epoch is told", () => next.Log);
        Assert.Contains("damaged", health.GetProperty("text").GetString(), StringComparison.Ordinal);

        var before = _receiver.Of(FeedStream.Sample).Count;
        await Until.HoldsAsync(() => _receiver.Of(FeedStream.Sample).Count > before + 50, "samples go on", () => next.Log);
        Assert.True(await next.StopAsync() == 0, next.Log);
        Assert.Equal(2, _receiver.Report().Streams.Select(s => s.Key.Epoch).Distinct().Count());

        // And the salvage is over: the start after it is an ordinary one.
        await using var third = await GatewayProcess.RunAsync(_site);
        Assert.DoesNotContain("salvaged", third.Log, StringComparison.Ordinal);
        Assert.True(await third.StopAsync() == 0, third.Log);
    }
}
