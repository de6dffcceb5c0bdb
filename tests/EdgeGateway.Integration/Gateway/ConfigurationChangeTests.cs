using System.Text.Json;
using EdgeGateway.Core.Feed;
using EdgeGateway.Integration.Mqtt;

namespace EdgeGateway.Integration.Gateway;

/// <summary>The configuration is edited while the gateway lies dead: what it had read is finished under the old one, and everything goes on under the new one.</summary>
public sealed class ConfigurationChangeTests
{
    private const int Window = 5;

    [Fact]
    public async Task An_edit_after_a_crash_keeps_counters_and_numbers_and_replays_under_the_old_configuration()
    {
        using var broker = await Mosquitto.RunAsync(new MosquittoSettings { Persistent = true });
        await using var receiver = await FeedReceiver.SubscribeAsync(broker);

        // The new device comes first, so that every index in the model moves.
        var before = Text(LoadSite.Device(0), LoadSite.Device(1), LoadSite.Device(2));
        var after = Text(LoadSite.Device(8), LoadSite.Device(0, more: ", points: { v00006: { poll: 2s } }"), LoadSite.Device(1), LoadSite.Device(2));
        await using var site = await GatewaySite.ServeAsync(after, broker.Port, profiles: LoadSite.Profile);
        site.Configure(before);
        site.Time.Pause();
        var first = site.Shown();
        string[] old = ["load000", "load001", "load002"];

        await using (var gateway = await GatewayProcess.RunAsync(site))
        {
            foreach (var device in old)
            {
                await receiver.GetAsync(FeedStream.Sample, r => Is(r, device, "energy"), $"{device} is read", () => gateway.Log);
            }

            site.Time.Go();
            await receiver.GetAsync(FeedStream.Summary, r => Is(r, "load000", "energy") && r.GetProperty("delta") is { ValueKind: JsonValueKind.Number } d && d.GetDecimal() > 0, "energy is counted", () => gateway.Log);
            await gateway.KillAsync();
        }

        site.Configure(after);
        site.Time.Pause();
        var between = site.Shown();
        await using var next = await GatewayProcess.RunAsync(site);
        await receiver.GetAsync(FeedStream.Sample, r => Is(r, "load008", "energy"), "the new device is read", () => next.Log);
        site.Time.Go();
        await receiver.GetAsync(FeedStream.Health, r => r.GetProperty("kind").GetString() == "configuration", "the change is told", () => next.Log);
        await receiver.GetAsync(FeedStream.Birth, r => r.GetProperty("device").GetString() == "load008", "the new device is announced", () => next.Log);
        await receiver.GetAsync(FeedStream.Summary, r => Is(r, "load008", "energy") && r.GetProperty("delta") is { ValueKind: JsonValueKind.Number } d && d.GetDecimal() > 0, "the new device is counted", () => next.Log);
        site.Time.Pause();
        var end = site.Shown();
        var still = TimeProvider.System.GetUtcNow();
        foreach (var device in (string[])[.. old, "load008"])
        {
            await receiver.GetAsync(
                FeedStream.Summary,
                r => Is(r, device, "energy") && r.GetProperty("widthSeconds").GetInt32() == Window && r.GetProperty("start").GetDateTimeOffset() >= still && r.GetProperty("count").GetInt32() > 0,
                $"the last window of {device} arrives",
                () => next.Log);
        }

        await next.HistoryIsThroughAsync();
        Assert.True(await next.StopAsync() == 0, next.Log);
        Assert.Contains("batches of the sample log replayed", next.Log, StringComparison.Ordinal);
        Assert.DoesNotContain("is salvaged", next.Log, StringComparison.Ordinal);
        await receiver.GetAsync(FeedStream.Health, r => r.GetProperty("kind").GetString() == "stop", "the stop is told", () => next.Log);
        receiver.IsComplete(() => next.Log);
        Assert.All(old, device => Assert.Equal(end[(device, "energy")] - first[(device, "energy")], receiver.Growth(device, "energy", Window)));
        Assert.Equal(end[("load008", "energy")] - between[("load008", "energy")], receiver.Growth("load008", "energy", Window));

        // Windows that the edit cut off say so, and carry the names of the configuration they were made under.
        var cut = receiver.Of(FeedStream.Summary).Where(r => r.GetProperty("cut").GetString() == "configuration").ToArray();
        Assert.Equal(old, cut.Select(r => r.GetProperty("device").GetString()!).Distinct().Order());
        var births = receiver.Of(FeedStream.Birth, "load000");
        Assert.Equal(2, births.Select(b => b.GetProperty("configuration").GetString()).Distinct().Count());
    }

    private static string Text(params string[] devices) =>
        $"{LoadSite.Head}buses:\n  - {{ id: bus, type: modbus-tcp, host: 127.0.0.1, port: {{bus}}, timeout: 1s }}\ndevices:\n{string.Concat(devices)}{LoadSite.Uplink}";

    private static bool Is(JsonElement record, string device, string point) =>
        record.GetProperty("device").GetString() == device && record.GetProperty("point").GetString() == point;
}
