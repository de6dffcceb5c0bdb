using EdgeGateway.Core.Site;
using EdgeGateway.Integration.Gateway;
using EdgeGateway.Integration.Modbus;
using EdgeGateway.Integration.Mqtt;

namespace EdgeGateway.Integration.Diagnosis;

/// <summary><c>edgegateway setup</c> on simulated sites: what stands there is found and named, and what is written runs.</summary>
public sealed class SetupTests
{
    private const string Meters = """
          - { id: a, profile: eastron-sdm630, bus: line, unit: 2, metering: { role: incomer } }
          - { id: b, profile: abb-b23-b24, bus: line, unit: 5, metering: { role: submeter, parent: a } }
          - { id: c, profile: eastron-sdm120, bus: line, unit: 9, metering: { role: submeter, parent: a } }
          - { id: d, profile: carlo-gavazzi-em340, bus: line, unit: 12, metering: { role: submeter, parent: a } }
          - { id: e, profile: schneider-iem3155-iem3255, bus: line, unit: 31, metering: { role: submeter, parent: a } }

        """;

    private const string Network = """
          - { id: f, profile: siemens-pac3200, bus: one, unit: 1 }
          - { id: g, profile: sdl-scs-900uv, bus: two, unit: 1 }
          - { id: h, profile: schneider-pm5100, bus: three, unit: 1 }

        """;

    private static readonly string[] Site = ["--site", "mine-3", "--timezone", "Asia/Shanghai", "--region", "CN-SX", "--gateway", "gw-01"];

    [Fact]
    public async Task Five_meters_on_a_line_and_three_endpoints_become_a_configuration_that_runs()
    {
        await using var pair = await PtyPair.CreateAsync();
        using var broker = await Mosquitto.RunAsync();
        await using var plant = await GatewaySite.ServeAsync(
            $$"""
            {{LoadSite.Head}}buses:
              - { id: line, type: modbus-rtu, port: {{pair.Ours}}, baud: 19200, parity: none }
              - { id: one, type: modbus-tcp, host: 127.0.0.1, port: {one} }
              - { id: two, type: modbus-tcp, host: 127.0.0.1, port: {two} }
              - { id: three, type: modbus-tcp, host: 127.0.0.1, port: {three} }
            devices:
            {{Meters}}{{Network}}{{LoadSite.Uplink}}
            """,
            broker.Port,
            new Dictionary<string, string> { ["line"] = pair.Theirs });
        await using var fresh = GatewaySite.Write("");
        var file = fresh.Configuration;
        File.Delete(file);
        var hosts = plant.Server.EndPoints.Where(e => e.Key != "line").OrderBy(e => e.Key, StringComparer.Ordinal).SelectMany(e => new[] { "--tcp", $"127.0.0.1:{e.Value.Port}" });
        var (exit, output, errors) = await GatewayProcess.CommandAsync(
        [
            "setup", "--yes", "--output", file, "--port", pair.Ours, "--baud", "9600,19200", "--parity", "none", "--units", "1-13,31,33", "--timeout", "300ms", .. hosts, .. Site,
            "--device", "2=incomer", "--incomer", "incomer", "--device", "40=nowhere", "--server", $"mqtt://127.0.0.1:{broker.Port}",
        ]);
        Assert.True(exit == 0, $"{output}\n{errors}");

        var site = EdgeGateway.Hosting.SiteFiles.Find(file, null).Load(file, out _)!.Model;
        Assert.Equal(
            [
                ("eastron-sdm630", 2), ("abb-b23-b24", 5), ("eastron-sdm120", 9), ("carlo-gavazzi-em340", 12), ("schneider-iem3155-iem3255", 31),
                ("schneider-pm5100", 1), ("sdl-scs-900uv", 1), ("siemens-pac3200", 1),
            ],
            site.Devices.Where(d => d.Profile.Kind != "computer").Select(d => (d.Profile.Id, (int)d.Unit)).OrderBy(d => d.Item2 == 1).ThenBy(d => d.Item2).ThenBy(d => d.Id, StringComparer.Ordinal));
        Assert.Equal("incomer", site.Devices.Single(d => d.Unit == 2).Id);

        // Live values were shown, what was said to be there and is not is named with what to check, and nothing but reading happened.
        Assert.Contains("voltage_l1_n", output, StringComparison.Ordinal);
        Assert.Contains("unit 33 does not answer", output, StringComparison.Ordinal);
        Assert.Contains("check its power, its unit id (is it 33?)", output, StringComparison.Ordinal);
        Assert.Contains("nowhere (unit 40) was not found", output, StringComparison.Ordinal);
        Assert.Subset(new HashSet<int> { 1, 2, 3, 4, 17, 43 }, plant.Functions.Keys.ToHashSet());

        var (checkedExit, said, wrong) = await GatewayProcess.CommandAsync("check", file);
        Assert.True(checkedExit == 0, $"{said}\n{wrong}");
        await using var gateway = await GatewayProcess.RunAsync(fresh);
        await Until.HoldsAsync(async () => (await GatewayProcess.CommandAsync("read", "incomer", "--config", file)).ExitCode == 0, "the gateway that was set up reads its meters");
    }

    [Fact]
    public async Task An_existing_configuration_is_left_alone_unless_told_otherwise_and_then_kept()
    {
        await using var plant = await GatewaySite.ServeAsync(
            $"{LoadSite.Head}buses:\n  - {{ id: one, type: modbus-tcp, host: 127.0.0.1, port: {{one}} }}\ndevices:\n  - {{ id: f, profile: siemens-pac3200, bus: one, unit: 1 }}\n", 1883);
        var before = await File.ReadAllTextAsync(plant.Configuration);
        string[] command = ["setup", "--yes", "--output", plant.Configuration, "--tcp", $"127.0.0.1:{plant.Server.EndPoints["one"].Port}", .. Site];

        var (exit, _, errors) = await GatewayProcess.CommandAsync(command);
        Assert.Equal(2, exit);
        Assert.Contains("--force", errors, StringComparison.Ordinal);
        Assert.Equal(before, await File.ReadAllTextAsync(plant.Configuration));

        var (again, output, wrong) = await GatewayProcess.CommandAsync([.. command, "--force"]);
        Assert.True(again == 0, $"{output}\n{wrong}");
        Assert.Equal(before, await File.ReadAllTextAsync($"{plant.Configuration}.old"));
        var first = await File.ReadAllTextAsync(plant.Configuration);
        Assert.Contains("mine-3", first, StringComparison.Ordinal);

        // Nothing that was kept is lost by another one.
        (again, output, wrong) = await GatewayProcess.CommandAsync([.. command, "--force", "--site-name", "Second"]);
        Assert.True(again == 0, $"{output}\n{wrong}");
        Assert.Equal(before, await File.ReadAllTextAsync($"{plant.Configuration}.old"));
        Assert.Equal(first, await File.ReadAllTextAsync($"{plant.Configuration}.old-2"));
        Assert.Contains("Second", await File.ReadAllTextAsync(plant.Configuration), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nothing there", "No device with a profile was found", "--tcp", "127.0.0.1:1", "--site", "x", "--timezone", "UTC", "--region", "CN")]
    [InlineData("no site", "say it with --site", "--tcp", "{device}")]
    [InlineData("no time zone", "no time zone", "--tcp", "{device}", "--site", "x", "--timezone", "Mars/Olympus", "--region", "CN")]
    [InlineData("region", "There are no emission factors for 'XX'", "--tcp", "{device}", "--site", "x", "--timezone", "UTC", "--region", "XX")]
    [InlineData("nowhere", "nowhere to look")]
    [InlineData("no port", "/dev/nosuch does not exist", "--port", "/dev/nosuch")]
    [InlineData("device", "states no device", "--tcp", "{device}", "--device", "main-fan")]
    [InlineData("profile", "There is no profile 'siemens-pac320'", "--tcp", "{device}", "--device", "1=x:siemens-pac320")]
    [InlineData("incomer", "no meter of this id was found", "--tcp", "{device}", "--site", "x", "--timezone", "UTC", "--region", "CN", "--incomer", "nobody")]
    public async Task A_wrong_or_missing_answer_is_named_and_nothing_is_written(string what, string said, params string[] options)
    {
        await using var plant = await GatewaySite.ServeAsync(
            $"{LoadSite.Head}buses:\n  - {{ id: one, type: modbus-tcp, host: 127.0.0.1, port: {{one}} }}\ndevices:\n  - {{ id: f, profile: siemens-pac3200, bus: one, unit: 1 }}\n", 1883);
        var file = Path.Combine(Path.GetTempPath(), $"edgegateway-setup-{Guid.NewGuid():N}.yaml");
        var (exit, output, errors) = await GatewayProcess.CommandAsync(
            ["setup", "--yes", "--output", file, .. options.Select(o => o.Replace("{device}", $"127.0.0.1:{plant.Server.EndPoints["one"].Port}", StringComparison.Ordinal))]);
        Assert.True(exit == 2, $"{what}: {exit}\n{output}\n{errors}");
        Assert.Contains(said, errors, StringComparison.Ordinal);
        Assert.False(File.Exists(file));
    }

    [Fact]
    public async Task A_person_at_a_terminal_is_asked_what_cannot_be_found_out()
    {
        await using var plant = await GatewaySite.ServeAsync(
            $"{LoadSite.Head}buses:\n  - {{ id: one, type: modbus-tcp, host: 127.0.0.1, port: {{one}} }}\ndevices:\n  - {{ id: f, profile: schneider-pm5100, bus: one, unit: 1 }}\n", 1883);
        await using var fresh = GatewaySite.Write("");
        File.Delete(fresh.Configuration);
        var (exit, read, errors) = await GatewayProcess.AtTerminalAsync(
            [
                ("Where are the devices?", "\e[A \r"), ("Addresses", $"127.0.0.1:{plant.Server.EndPoints["one"].Port}\r"), ("What is it?", "\r"), ("Its id:", "bad id!\r"), ("is no id", "incomer\r"),
                ("Id of the site", "mine-3\r"), ("for people", "Mine \"3\"\r"), ("Time zone", "Mars\r"), ("is no time zone", "Asia/Shanghai\r"), ("Grid region", "CN-SX\r"), ("this gateway", "gw-01\r"),
                ("What does incomer measure?", "\e[B\r"), ("MQTT server", "\r"),
            ],
            "setup", "--output", fresh.Configuration);
        Assert.True(exit == 0, $"{read}\n{errors}");
        var model = fresh.Load().Model;
        Assert.Equal([("incomer", "schneider-pm5100", MeterRole.Incomer)], model.Devices.Where(d => d.Profile.Kind != "computer").Select(d => (d.Id, d.Profile.Id, d.Metering!.Role)));
        Assert.Equal("Mine \"3\"", model.SiteName);

        // What nobody asks for: the health of the computer itself.
        Assert.Single(model.Devices, d => d.Profile.Kind == "computer");
        Assert.Matches("([0-9]+) of \\1 points have a value", read);
    }

    [Fact]
    public async Task Without_a_terminal_it_says_how_a_script_runs_it()
    {
        var (exit, _, errors) = await GatewayProcess.CommandAsync("setup");
        Assert.Equal(2, exit);
        Assert.Contains("--yes", errors, StringComparison.Ordinal);
    }
}
