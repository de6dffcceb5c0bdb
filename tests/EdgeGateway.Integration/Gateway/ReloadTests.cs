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
        await Until.HoldsAsync(() => receiver.Of(FeedStream.Health).Count(r => r.GetProperty("kind").GetString() == "stop") == 3, "the stops are told", () => gateway.Log);
        Assert.Equal(2, receiver.Of(FeedStream.Health).Count(r => r.GetProperty("kind").GetString() == "configuration"));
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
