using System.Diagnostics;
using EdgeGateway.Core.Feed;
using EdgeGateway.Hosting;
using EdgeGateway.Integration.Mqtt;

namespace EdgeGateway.Integration.Gateway;

/// <summary>Requirement P-3: a configuration that is edited under a running gateway is taken over when it is good, and refused when it is not.</summary>
public sealed class ReloadTests
{
    [Fact]
    public async Task P_3_a_good_configuration_takes_over_without_losing_anything_and_a_bad_one_is_refused()
    {
        using var broker = await Mosquitto.RunAsync(new MosquittoSettings { Persistent = true });
        await using var receiver = await FeedReceiver.SubscribeAsync(broker);
        var two = Text(LoadSite.Device(0), LoadSite.Device(1));
        await using var site = await GatewaySite.ServeAsync(two, broker.Port, profiles: LoadSite.Profile);
        site.Configure(Text(LoadSite.Device(0)));
        await using var gateway = await GatewayProcess.RunAsync(site);
        var first = await gateway.StatusAsync();
        Assert.Single(first.Devices);
        await Until.HoldsAsync(() => receiver.Of(FeedStream.Sample).Count > 20, "samples arrive", () => gateway.Log);

        // Bad: what runs goes on, and both the log and the command say where it is wrong.
        site.Configure(two.Replace("devices:", "devicez:", StringComparison.Ordinal));
        await SignalAsync(gateway, "HUP");
        await Until.HoldsAsync(() => gateway.Log.Contains("Reload refused", StringComparison.Ordinal), "the refusal is logged", () => gateway.Log);
        Assert.Matches(@"Reload refused, .*gateway\.yaml:[0-9]+:[0-9]+: error", gateway.Log);
        var (code, _, errors) = await GatewayProcess.CommandAsync("reload", "--config", site.Configuration);
        Assert.Equal(2, code);
        Assert.Matches(@"gateway\.yaml:[0-9]+:[0-9]+: error: .*devicez", errors);
        var refused = await gateway.StatusAsync();
        Assert.Equal((first.Configuration, first.ProcessId), (refused.Configuration, refused.ProcessId));
        Assert.Equal(ReloadDocument.Refused, refused.Reload?.State);
        Assert.Equal(Text(LoadSite.Device(0)).Split('\n').Length, (await File.ReadAllTextAsync(GoodCopyOf(site))).Split('\n').Length);

        // Good, by the command.
        site.Configure(two);
        string words;
        (code, words, errors) = await GatewayProcess.CommandAsync("reload", "--config", site.Configuration);
        Assert.True(code == 0, $"{words}\n{errors}\n{gateway.Log}");
        await gateway.StatusHoldsAsync(s => s.Devices.Count == 2 && s.Configuration != first.Configuration && s.Reload?.State == ReloadDocument.InForce, "the new one is in force");
        Assert.Equal(first.ProcessId, (await gateway.StatusAsync()).ProcessId);
        await receiver.GetAsync(FeedStream.Sample, r => r.GetProperty("device").GetString() == "load001", "the new device is read", () => gateway.Log);
        Assert.Equal(await File.ReadAllTextAsync(site.Configuration), await File.ReadAllTextAsync(GoodCopyOf(site)));
        Assert.True(File.Exists(Path.Combine(site.Store, GoodCopy.DirectoryName, "device-profiles", Path.GetFileName(LoadSite.Profile.FileName))));

        // Good, by the signal.
        site.Configure(Text(LoadSite.Device(0)));
        await SignalAsync(gateway, "HUP");
        await gateway.StatusHoldsAsync(s => s.Devices.Count == 1 && s.Reload?.State == ReloadDocument.InForce, "the first one is in force again");

        await gateway.HistoryIsThroughAsync();
        Assert.True(await gateway.StopAsync() == 0, gateway.Log);
        await Until.HoldsAsync(() => receiver.Of(FeedStream.Health).Any(r => r.GetProperty("kind").GetString() == "stop"), "the stop is told", () => gateway.Log);

        // Two changes and two refusals; it started once and stopped once.
        string Texts(string kind) => string.Join('\n', receiver.Of(FeedStream.Health).Where(r => r.GetProperty("kind").GetString() == kind).Select(r => r.GetProperty("text").GetString()));
        Assert.Equal(2, Texts("configuration").Split("Another configuration is in force").Length - 1);
        Assert.Equal(2, Texts("configuration").Split("was refused at").Length - 1);
        foreach (var kind in new[] { "start", "stop" })
        {
            Assert.Single(receiver.Of(FeedStream.Health), r => r.GetProperty("kind").GetString() == kind);
        }

        receiver.IsComplete(() => gateway.Log);
    }

    [Fact]
    public async Task P_3_a_good_configuration_that_cannot_be_started_gives_way_to_the_one_before()
    {
        await using var site = GatewaySite.Write(Text(LoadSite.Device(0)), ("bus", 1), ("broker", Mosquitto.FreePort()));
        site.Add(LoadSite.Profile);
        using var taken = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        taken.Start();
        var port = ((System.Net.IPEndPoint)taken.LocalEndpoint).Port;
        await using var gateway = await GatewayProcess.RunAsync(site);
        var first = await gateway.StatusAsync();
        site.Configure(Text(LoadSite.Device(0)).Replace("health: off", $"health: {{ listen: \"127.0.0.1:{port}\" }}", StringComparison.Ordinal));
        var (code, words, errors) = await GatewayProcess.CommandAsync("reload", "--config", site.Configuration);
        Assert.True(code == 1, $"{words}\n{errors}\n{gateway.Log}");
        Assert.Contains("could not be started", errors, StringComparison.Ordinal);
        await gateway.StatusHoldsAsync(s => s.Configuration == first.Configuration && s.Reload?.State == ReloadDocument.Failed, "the first one is in force again");
        Assert.True(await gateway.StopAsync() == 0, gateway.Log);
    }

    [Fact]
    public async Task P_3_a_broken_file_at_the_start_ends_the_program_with_file_line_and_reason_and_leaves_the_store_alone()
    {
        await using var site = GatewaySite.Write(Text(LoadSite.Device(0)), ("bus", 1), ("broker", Mosquitto.FreePort()));
        site.Add(LoadSite.Profile);
        await using (var gateway = await GatewayProcess.RunAsync(site))
        {
            await gateway.StatusHoldsAsync(s => s.Outbox.Rows > 2, "rows wait");
            Assert.True(await gateway.StopAsync() == 0, gateway.Log);
        }

        var before = Files(site);
        site.Configure(Text(LoadSite.Device(0)).Replace("unit: 1", "unit: one", StringComparison.Ordinal));
        await using var broken = GatewayProcess.Start(site);
        Assert.Equal(2, await broken.ExitAsync());
        await Until.HoldsAsync(() => System.Text.RegularExpressions.Regex.IsMatch(broken.Log, @"gateway\.yaml:[0-9]+:[0-9]+: error: .*one"), "it says where and why", () => broken.Log);
        Assert.Equal(before, Files(site));
    }

    [Fact]
    public async Task A_change_under_load_interrupts_no_poll_of_devices_that_it_does_not_concern()
    {
        const int load = 20;
        using var broker = await Mosquitto.RunAsync(new MosquittoSettings { Persistent = true });
        await using var receiver = await FeedReceiver.SubscribeAsync(broker);
        const string other = "  - { id: other, type: modbus-tcp, host: 127.0.0.1, port: {other}, timeout: 1s }\n";
        var (first, second) = (LoadSite.Device(load, "other"), LoadSite.Device(load + 1, "other"));
        var after = LoadSite.Configuration(load, other, first + second);
        await using var site = await GatewaySite.ServeAsync(after, broker.Port, profiles: LoadSite.Profile);

        // What a technician changes: a device more on another bus, and the name and the area of one on the bus that goes on.
        var before = LoadSite.Configuration(load, other, first);
        site.Configure(before);
        await using var gateway = await GatewayProcess.RunAsync(site);
        await gateway.StatusHoldsAsync(s => s.Devices.All(d => d.Requests > 8), "all are polled");
        var running = await gateway.StatusAsync();
        var begin = TimeProvider.System.GetElapsedTime(0);
        after = after.Replace("unit: 3,", "unit: 3, name: \"Pump 3\", area: east,", StringComparison.Ordinal);
        site.Configure(after);
        var (code, words, errors) = await GatewayProcess.CommandAsync("reload", "--config", site.Configuration);
        Assert.True(code == 0, $"{words}\n{errors}\n{gateway.Log}");
        await gateway.StatusHoldsAsync(s => s.Devices.Count == load + 2 && s.Devices.All(d => d.Requests > 2), "the new device is polled");
        var end = TimeProvider.System.GetElapsedTime(0);

        // The owner of the bus went on: the same connection, its counts not begun anew, and it missed nothing that it had not missed before.
        var now = await gateway.StatusAsync();
        Assert.Equal(1, now.Buses.Single(b => b.Id == "bus").Connects);
        Assert.Equal("Pump 3", now.Devices[2].Name);
        foreach (var (was, device) in running.Devices.Take(load).Zip(now.Devices))
        {
            Assert.Equal(was.Id, device.Id);
            Assert.True(device.Requests > was.Requests, $"{device}\n{was}\n{gateway.Log}");
        }

        // The simulator's own log: each period has its request, as in the time before the change. A machine that is busy with other things delays both.
        var requests = site.Requests.ToArray();
        TimeSpan Longest(TimeSpan from, TimeSpan to) => Enumerable.Range(1, load).Max(unit =>
        {
            TimeSpan[] times = [.. requests.Where(r => r.Unit == unit && r.At >= from && r.At <= to).Select(r => r.At)];
            return times.Zip(times.Skip(1)).Max(t => t.Second - t.First);
        });
        var usual = Longest(requests[0].At, begin);
        var changing = Longest(begin - TimeSpan.FromSeconds(2), end);
        Assert.True(changing < TimeSpan.FromSeconds(1.9) || changing <= usual * 1.2, $"usually {usual}, in the change {changing}\n{gateway.Log}");

        // And the feed: samples of before and after follow each other, nothing says that the gateway was away.
        await gateway.HistoryIsThroughAsync();
        Assert.True(await gateway.StopAsync() == 0, gateway.Log);
        receiver.IsComplete(() => gateway.Log);
        Assert.DoesNotContain(receiver.Of(FeedStream.Range), r => r.GetProperty("state").GetString() == "never-acquired");
        Assert.Single(receiver.Of(FeedStream.Health), r => r.GetProperty("kind").GetString() == "start");
    }

    [Fact]
    public async Task What_a_running_gateway_refused_is_not_started_by_a_restart_either_until_it_is_mended()
    {
        await using var site = GatewaySite.Write(Text(LoadSite.Device(0)), ("bus", 1), ("broker", Mosquitto.FreePort()));
        site.Add(LoadSite.Profile);
        string first;
        await using (var gateway = await GatewayProcess.RunAsync(site))
        {
            first = (await gateway.StatusAsync()).Configuration;
            site.Configure(Text(LoadSite.Device(0)).Replace("unit: 1", "unit: one", StringComparison.Ordinal));
            var (code, _, _) = await GatewayProcess.CommandAsync("reload", "--config", site.Configuration);
            Assert.Equal(2, code);
            await gateway.StatusHoldsAsync(s => s.Problems.Any(p => p.Contains("was refused", StringComparison.Ordinal)), "the status tells it");
            await gateway.KillAsync();
        }

        await using (var again = await GatewayProcess.RunAsync(site))
        {
            await again.StatusHoldsAsync(s => s.Configuration == first && s.Problems.Any(p => p.Contains("was refused", StringComparison.Ordinal)), "the last good one runs");

            // Mended.
            site.Configure(Text(LoadSite.Device(0), LoadSite.Device(1)));
            await SignalAsync(again, "HUP");
            await again.StatusHoldsAsync(s => s.Devices.Count == 2 && !s.Problems.Any(p => p.Contains("was refused", StringComparison.Ordinal)), "the mended one is in force");
            Assert.True(await again.StopAsync() == 0, again.Log);
        }

        Assert.False(File.Exists(Path.Combine(site.Store, GoodCopy.DirectoryName, "refused.txt")));
    }

    [Fact]
    public async Task A_configuration_that_does_not_start_gives_way_to_the_last_good_one_at_the_start_of_the_program_too()
    {
        await using var site = GatewaySite.Write(Text(LoadSite.Device(0)), ("bus", 1), ("broker", Mosquitto.FreePort()));
        site.Add(LoadSite.Profile);
        string first;
        await using (var gateway = await GatewayProcess.RunAsync(site))
        {
            first = (await gateway.StatusAsync()).Configuration;
            Assert.True(await gateway.StopAsync() == 0, gateway.Log);
        }

        using var taken = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        taken.Start();
        var port = ((System.Net.IPEndPoint)taken.LocalEndpoint).Port;
        site.Configure(Text(LoadSite.Device(0)).Replace("health: off", $"health: {{ listen: \"127.0.0.1:{port}\" }}", StringComparison.Ordinal));
        for (var start = 1; start <= 2; start++)
        {
            await using var gateway = await GatewayProcess.RunAsync(site);
            await gateway.StatusHoldsAsync(s => s.Configuration == first && s.Problems.Any(p => p.Contains("does not start", StringComparison.Ordinal)), "the last good one runs");
            Assert.True(await gateway.StopAsync() == 0, gateway.Log);
        }
    }

    private static string Text(params string[] devices) =>
        $"{LoadSite.Head}buses:\n  - {{ id: bus, type: modbus-tcp, host: 127.0.0.1, port: {{bus}}, timeout: 1s }}\ndevices:\n{string.Concat(devices)}{LoadSite.Uplink}";

    private static string GoodCopyOf(GatewaySite site) => Path.Combine(site.Store, GoodCopy.DirectoryName, "gateway.yaml");

    private static (string, string)[] Files(GatewaySite site) =>
        [.. Directory.EnumerateFiles(site.Store, "*", SearchOption.AllDirectories).Where(f => !f.EndsWith(".sock", StringComparison.Ordinal)).Order()
            .Select(f => (f, Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(f)))))];

    private static async Task SignalAsync(GatewayProcess gateway, string signal)
    {
        using var kill = Process.Start("/bin/kill", [$"-{signal}", $"{gateway.Id}"]);
        await kill.WaitForExitAsync();
    }
}
