using System.Text.Json;
using EdgeGateway.Core.Feed;
using EdgeGateway.Integration.Mqtt;

namespace EdgeGateway.Integration.Gateway;

/// <summary>The gateway dies at any moment, the broker and the link go and come: nothing is lost, nothing is doubled, energy stays exact.</summary>
public sealed class KillTests
{
    private const int Window = 5;
    private const int LoadDevices = 10;

    /// <summary>What the log says when the replay of the samples did not lead to the numbers that were stored.</summary>
    private const string ReplayWentAstray = "is salvaged";

    private const string Site = """
          - { id: sdm, profile: eastron-sdm630, bus: meters, unit: 1, ratedPower: 400kW, metering: { role: incomer }, points: { active_energy_import_total: { poll: 1s, samples: true } } }
          - { id: abb, profile: abb-b23-b24, bus: meters, unit: 2, ratedPower: 40kW, metering: { role: submeter, parent: sdm }, points: { active_energy_import_total: { poll: 1s, samples: true } } }

        """;

    private static readonly (string Device, string Point)[] Counters =
    [
        .. Enumerable.Range(0, LoadDevices).Select(i => ($"load{i:000}", "energy")),
        ("sdm", "active_energy_import_total"),
        ("abb", "active_energy_import_total"),
    ];

    private static int Kills => Environment.GetEnvironmentVariable("EDGEGATEWAY_LONG") == "1" ? 100 : 20;

    [Fact]
    public async Task Killed_at_random_moments_it_loses_nothing_doubles_nothing_and_counts_every_watt_hour()
    {
        var random = new Random(20_260_702);
        using var broker = await Mosquitto.RunAsync(new MosquittoSettings { Persistent = true });
        await using var link = new TcpRelay(broker.Port);
        await using var receiver = await FeedReceiver.SubscribeAsync(broker);
        var configuration = LoadSite.Configuration(LoadDevices, "  - { id: meters, type: modbus-tcp, host: 127.0.0.1, port: {meters}, timeout: 1s }\n", Site);
        await using var site = await GatewaySite.ServeAsync(configuration, link.Port, profiles: LoadSite.Profile);

        // The machines stand still until every counter has been read and delivered once: so the first reading is known. (A first poll on a busy computer may time out.)
        site.Time.Pause();
        var first = site.Shown();
        await using (var gateway = await GatewayProcess.RunAsync(site))
        {
            foreach (var (device, point) in Counters)
            {
                var sample = await receiver.GetAsync(FeedStream.Sample, r => Is(r, device, point) && r.GetProperty("value").ValueKind == JsonValueKind.Number, $"{device}.{point} arrives", () => gateway.Log);
                Assert.Equal((double)first[(device, point)], sample.GetProperty("value").GetDouble());
            }

            site.Time.Go();
            await gateway.KillAsync();
        }

        for (var kill = 2; kill <= Kills; kill++)
        {
            await LiveAndDieAsync(kill, random, site, broker, link);
        }

        await using var still = await GatewayProcess.RunAsync(site);
        site.Time.Pause();
        var end = site.Shown();
        var stoodFrom = TimeProvider.System.GetUtcNow();

        // A window that began after the machines stopped tells that everything before has been told.
        foreach (var (device, point) in Counters)
        {
            var window = await receiver.GetAsync(
                FeedStream.Summary,
                r => Is(r, device, point) && r.GetProperty("widthSeconds").GetInt32() == Window && r.GetProperty("start").GetDateTimeOffset() >= stoodFrom && r.GetProperty("count").GetInt32() > 0,
                $"a window of {device}.{point} after {stoodFrom:O} arrives",
                () => still.Log);
            Assert.Equal(end[(device, point)], window.GetProperty("endReading").GetDecimal());
        }

        // The quarter of an hour is not over: a change of the configuration, after one more kill, closes the open entries of the carbon account.
        await still.KillAsync();
        site.Configure(configuration.Replace("id: test,", "id: test, name: Renamed,", StringComparison.Ordinal));
        await using var last = await GatewayProcess.RunAsync(site);
        await receiver.GetAsync(FeedStream.Emission, r => r.GetProperty("cut").GetString() == "configuration", "the open entries are closed", () => last.Log);
        await last.HistoryIsThroughAsync();
        Assert.True(await last.StopAsync() == 0, last.Log);
        await IssuedArrivesAsync(receiver, last);

        receiver.IsComplete(() => last.Log);
        foreach (var (device, point) in Counters)
        {
            Assert.True(end[(device, point)] >= first[(device, point)]);
            Assert.Equal(end[(device, point)] - first[(device, point)], receiver.Growth(device, point, Window));
        }

        EntriesAreExact(receiver, counter => end[counter] - first[counter]);
        Assert.True(Counters.Count(c => end[c] > first[c]) >= LoadDevices, "the counters did not count: nothing was proved");
        Assert.True(Enumerable.Range(0, LoadDevices).Sum(i => Replies.Of(receiver, $"load{i:000}").Count) > 100, "too few replies were delivered");
        Assert.True(receiver.Of(FeedStream.Health).Count(r => r.GetProperty("kind").GetString() == "start") > Kills / 2, "most starts reached a commit");
        Assert.DoesNotContain(ReplayWentAstray, last.Log, StringComparison.Ordinal);
    }

    /// <summary>Entries of each device, of the remainder behind the incomer, and of the site add up to what the counters grew by, whatever interrupted them.</summary>
    private static void EntriesAreExact(FeedReceiver receiver, Func<(string Device, string Point), decimal> growth)
    {
        var entries = receiver.Of(FeedStream.Emission).Where(r => r.GetProperty("scope").GetInt32() == 2).ToArray();
        decimal Energy(string account, string? device) => entries
            .Where(r => r.GetProperty("account").GetString() == account && r.GetProperty("device").GetString() == device)
            .Sum(r => r.GetProperty("activityKWh").GetDecimal());
        decimal KWh((string Device, string Point) counter) => growth(counter) * (counter.Point == "energy" ? 0.001m : 1m);

        Assert.All(Counters, counter => Assert.Equal(KWh(counter), Energy("device", counter.Device)));
        var incomer = Counters.Single(c => c.Device == "sdm");
        var behind = Counters.Single(c => c.Device == "abb");
        Assert.Equal(KWh(incomer) - KWh(behind), Energy("remainder", "sdm"));
        Assert.Equal(Counters.Where(c => c != behind).Sum(KWh), Energy("site", null));

        // What is below a milligram is carried into the next entry, so that the masses of a device miss its total by less than one.
        foreach (var device in entries.Where(r => r.GetProperty("account").GetString() == "device").GroupBy(r => r.GetProperty("device").GetString()))
        {
            var milligrams = device.Sum(r => r.GetProperty("activityKWh").GetDecimal() * r.GetProperty("factorKgPerKWh").GetDecimal() * 1_000_000m);
            Assert.InRange(milligrams - device.Sum(r => r.GetProperty("milligramsCO2e").GetDecimal()), 0m, 0.999_999_999m);
        }
    }

    private static async Task LiveAndDieAsync(int kill, Random random, GatewaySite site, Mosquitto broker, TcpRelay link)
    {
        await using var gateway = GatewayProcess.Start(site);

        // Every fifth dies wherever its start has got to, recovery included; the others under load.
        if (kill % 5 != 0)
        {
            await gateway.ReadyAsync();
        }

        var life = TimeSpan.FromSeconds(0.3 + (random.NextDouble() * 2.7));
        var disturbance = (kill % 10) switch
        {
            3 => broker.RestartAsync(),
            6 => link.RefuseAsync(),
            _ => Task.CompletedTask,
        };
        if (kill % 10 == 7)
        {
            link.Allow();
        }

        await Task.Delay(life / 2, TimeProvider.System);
        if (kill % 4 == 1 && kill % 10 != 6)
        {
            link.Cut();
        }

        await Task.Delay(life / 2, TimeProvider.System);
        Assert.False(gateway.HasExited, $"it ended by itself:\n{gateway.Log}");
        await gateway.KillAsync();
        await disturbance;
        Assert.DoesNotContain(ReplayWentAstray, gateway.Log, StringComparison.Ordinal);
    }

    /// <summary>The statements made at the stop say how far each stream was numbered: exactly as far as it arrived.</summary>
    private static async Task IssuedArrivesAsync(FeedReceiver receiver, GatewayProcess gateway)
    {
        foreach (var stream in (FeedStream[])[FeedStream.Birth, FeedStream.Summary, FeedStream.Health, FeedStream.Sample])
        {
            var word = stream.Word();
            await receiver.GetAsync(
                FeedStream.Range,
                r => r.GetProperty("stream").GetString() == word && r.GetProperty("state").GetString() == "issued" && r.GetProperty("last").GetInt64() == receiver.Last()[stream],
                $"the stop says how many records of {word} there are",
                () => gateway.Log);
        }
    }

    private static bool Is(JsonElement record, string device, string point) =>
        record.GetProperty("device").GetString() == device && record.GetProperty("point").GetString() == point;
}
