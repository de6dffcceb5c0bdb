using EdgeGateway.Core.Feed;
using EdgeGateway.Integration.Gateway;
using EdgeGateway.Integration.Mqtt;

namespace EdgeGateway.Integration.Faults;

/// <summary>
/// A simulated site, the real program, a bad link and a real broker. The first readings are known, the machines stand still at the end, and in between anything may happen.
/// </summary>
internal sealed class FaultScene : IAsyncDisposable
{
    private const int Window = 5;
    private const int Devices = 4;
    private IReadOnlyDictionary<(string Device, string Point), decimal>? _first;

    private FaultScene(Mosquitto broker, int seed)
    {
        Broker = broker;
        Wire = new RoughRelay(broker.Port, Judge, seed);
        Link = new TcpRelay(Wire.Port);
    }

    /// <summary>True for the long repetitions.</summary>
    public static bool IsLong => Environment.GetEnvironmentVariable("EDGEGATEWAY_LONG") == "1";

    public FeedJudge Judge { get; } = new();

    public Mosquitto Broker { get; }

    /// <summary>Before the broker: rough, and what passes it acknowledged is judged.</summary>
    public RoughRelay Wire { get; }

    /// <summary>Before the gateway: cuts, stalls, refuses.</summary>
    public TcpRelay Link { get; }

    public GatewaySite Site { get; private set; } = null!;

    /// <param name="persistent">True: the broker keeps its sessions on disk.</param>
    /// <param name="seed">Of the roughness.</param>
    public static async Task<FaultScene> BeginAsync(bool persistent, int seed)
    {
        var scene = new FaultScene(await Mosquitto.RunAsync(new MosquittoSettings { Persistent = persistent }), seed);
        try
        {
            // A link that is silent is noticed within seconds, so that a test needs no minutes.
            scene.Site = await GatewaySite.ServeAsync(
                LoadSite.Configuration(Devices).Replace("type: mqtt,", "type: mqtt, keepAlive: 2s,", StringComparison.Ordinal), scene.Link.Port, profiles: LoadSite.Profile);
            scene.Site.Time.Pause();
            return scene;
        }
        catch
        {
            await scene.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts the gateway and lets the machines go once every counter has been read and delivered.</summary>
    public async Task<GatewayProcess> FirstAsync(IReadOnlyDictionary<string, string>? environment = null)
    {
        _first = Site.Shown();
        var gateway = await GatewayProcess.RunAsync(Site, environment);
        try
        {
            for (var i = 0; i < Devices; i++)
            {
                var device = $"load{i:000}";
                await Judge.HasAsync(
                    FeedStream.Sample, r => r.GetProperty("device").GetString() == device && r.GetProperty("point").GetString() == "energy", $"{device} is read", () => gateway.Log);
            }

            Site.Time.Go();
            return gateway;
        }
        catch
        {
            await gateway.DisposeAsync();
            throw;
        }
    }

    /// <summary>Waits for more records than there are.</summary>
    public Task MoreArrivesAsync(int records, GatewayProcess gateway)
    {
        var before = Judge.Count;
        return Until.HoldsAsync(() => Judge.Count >= before + records, $"{records} more records arrive", () => $"{Judge.Verdict().Ledger}\n{gateway.Log}");
    }

    /// <summary>Lets the machines stand still, waits until all is told, stops the gateway, and asks the judge.</summary>
    public async Task FinishAsync(GatewayProcess gateway, bool damaged = false)
    {
        Wire.Rough = null;
        Link.Resume();
        Site.Time.Pause();
        var end = Site.Shown();
        var stoodFrom = TimeProvider.System.GetUtcNow();
        foreach (var device in Enumerable.Range(0, Devices).Select(i => $"load{i:000}"))
        {
            await Judge.HasAsync(
                FeedStream.Summary,
                r => r.GetProperty("device").GetString() == device && r.GetProperty("point").GetString() == "energy" && r.GetProperty("widthSeconds").GetInt32() == Window
                    && r.GetProperty("start").GetDateTimeOffset() >= stoodFrom && r.GetProperty("count").GetInt32() > 0 && r.GetProperty("endReading").GetDecimal() == end[(device, "energy")],
                $"a window of {device} after {stoodFrom:O} arrives",
                () => gateway.Log);
        }

        await gateway.HistoryIsThroughAsync();
        Assert.True(await gateway.StopAsync() == 0, gateway.Log);
        await Judge.HasAsync(FeedStream.Health, r => r.GetProperty("kind").GetString() == "stop", "the stop is told", () => gateway.Log);
        await Judge.ProvesAsync(() => gateway.Log, damaged);
        if (damaged)
        {
            // Windows that were lost are named in the feed; their energy is with them.
            return;
        }

        foreach (var device in Enumerable.Range(0, Devices).Select(i => $"load{i:000}"))
        {
            var growth = end[(device, "energy")] - _first![(device, "energy")];
            Assert.True(growth > 0, $"{device} did not count: nothing was proved");
            Assert.True(growth == Judge.Growth(device, "energy", Window), $"{device} grew by {growth}, the windows say {Judge.Growth(device, "energy", Window)}\n{gateway.Log}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Site is not null)
        {
            await Site.DisposeAsync();
        }

        await Link.DisposeAsync();
        await Wire.DisposeAsync();
        Broker.Dispose();
    }
}
