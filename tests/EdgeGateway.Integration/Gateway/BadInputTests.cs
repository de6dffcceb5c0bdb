using EdgeGateway.Integration.Mqtt;
using EdgeGateway.Integration.Storage;
using EdgeGateway.Storage;

namespace EdgeGateway.Integration.Gateway;

/// <summary>A configuration that cannot be right is refused by the program, with file, line and cure, before anything is started.</summary>
public sealed class BadInputTests
{
    // passage, what it becomes, line, what is said, how to mend it
    public static TheoryData<string, string, int, string, string> Mistakes => new()
    {
        { "gateway: { id: gw-1 }", "gateway: { id: gw-1", 3, "the YAML is broken here", "brackets" },
        { "health: off", "helth: off", 6, "unknown key 'helth'", "Did you mean 'health'?" },
        { "unit: 2", "unit: 300", 11, "'unit' is '300'", "from 0 to 255" },
        { "unit: 2", "unit: 1", 11, "the unit id 1 on the bus 'bus' belongs to the device 'load000' already", "answer at the same time" },
        { "region: CN }", "region: CN-XX }", 2, "there are no emission factors for the region 'CN-XX'", "Known regions: " },
        { "ratedPower: 40kW }", "ratedPower: 40kW, carbon: [{ method: sf6-balance, year: 2025, begin: -1, end: 0, gwp: AR6 }] }", 11, "'begin' is -1", "" },
        { "ratedPower: 40kW }", "ratedPower: 40kW, carbon: [{ method: sf6-balance, year: 2025, begin: 1, end: 0, gwp: AR6 }, { method: sf6-balance, year: 2024, begin: 1, end: 0, gwp: AR5 }] }", 11, "the site's total cannot add them", "" },
        { "ratedPower: 40kW", "ratedPower: 40kg", 11, "'ratedPower' is '40kg'", "400 kW" },
    };

    [Theory, MemberData(nameof(Mistakes))]
    public async Task A_mistake_is_refused_before_anything_is_started(string passage, string becomes, int line, string what, string cure)
    {
        var good = LoadSite.Configuration(1, moreDevices: LoadSite.Device(1, more: ", ratedPower: 40kW"));
        Assert.Contains(passage, good, StringComparison.Ordinal);
        await using var site = GatewaySite.Write(good.Replace(passage, becomes, StringComparison.Ordinal), ("bus", 1502), ("broker", 1883));
        site.Add(LoadSite.Profile);

        foreach (var command in (string[][])[["run", "--config", site.Configuration], ["check", site.Configuration]])
        {
            var (code, _, errors) = await GatewayProcess.CommandAsync(command);
            Assert.True(code == 2, errors);
            Assert.Contains($"gateway.yaml:{line}:", errors, StringComparison.Ordinal);
            Assert.Contains(what, errors, StringComparison.Ordinal);
            Assert.Contains(cure, errors, StringComparison.Ordinal);
        }

        Assert.False(Directory.Exists(site.Store), "a store was made");
    }

    [Fact]
    public async Task A_wrong_unit_of_measure_in_a_profile_is_refused_with_its_place_in_the_profile()
    {
        await using var site = GatewaySite.Write(LoadSite.Configuration(1), ("bus", 1502), ("broker", 1883));
        site.Add(LoadSite.Profile with { Text = LoadSite.Profile.Text.Replace("unit: W.h", "unit: Wh", StringComparison.Ordinal) });

        var (code, output, errors) = await GatewayProcess.CommandAsync("run", "--config", site.Configuration);
        Assert.True(code == 2, errors);
        Assert.Empty(output);
        Assert.Contains($"{LoadSite.Profile.FileName}:18:46: error: the unit 'Wh' is not in the table. Did you mean 'W.h'?", errors, StringComparison.Ordinal);
        Assert.Contains("1 error. Nothing was started.", errors, StringComparison.Ordinal);
        Assert.False(Directory.Exists(site.Store), "a store was made");
    }

    [Fact]
    public async Task A_missing_file_is_said_and_a_good_one_is_usable()
    {
        await using var site = GatewaySite.Write(LoadSite.Configuration(2), ("bus", 1502), ("broker", 1883));
        site.Add(LoadSite.Profile);

        var (code, output, _) = await GatewayProcess.CommandAsync("check", site.Configuration);
        Assert.Equal(0, code);
        Assert.Contains("2 devices, 18 points: usable", output, StringComparison.Ordinal);
        Assert.Contains("bus bus (127.0.0.1:1502): 2 devices, 2.00 requests per second", output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(site.Store), "a check makes nothing");

        var (missing, _, errors) = await GatewayProcess.CommandAsync("run", "--config", site.Configuration + "x");
        Assert.Equal(2, missing);
        Assert.Contains("There is no such file", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_credential_that_is_missing_is_named_before_anything_is_started()
    {
        await using var site = GatewaySite.Write(
            LoadSite.Configuration(1).Replace("servers: [", "username: gw, passwordFile: secrets/broker, servers: [", StringComparison.Ordinal), ("bus", 1502), ("broker", 1883));
        site.Add(LoadSite.Profile);
        var (code, _, errors) = await GatewayProcess.CommandAsync("run", "--config", site.Configuration);
        Assert.True(code == 2, errors);
        Assert.Contains($"the passwordFile of uplink 'centre' does not exist: {Path.Combine(Path.GetDirectoryName(site.Configuration)!, "secrets", "broker")}", errors, StringComparison.Ordinal);
        Assert.False(Directory.Exists(site.Store), "a store was made");
    }

    [Fact]
    public async Task A_store_of_a_newer_program_ends_the_start_with_the_version_that_is_needed_and_no_byte_of_it_is_changed()
    {
        await using var site = GatewaySite.Write(LoadSite.Configuration(1), ("bus", 1502), ("broker", 1883));
        site.Add(LoadSite.Profile);
        SqliteStore.Open(site.Load().Model.Storage, ["centre"], TimeProvider.System).Dispose();
        var database = Path.Combine(site.Store, "gateway.db");
        Sql.Execute(database, "UPDATE schema SET version = 99, oldest_reader = 99; PRAGMA user_version = 99");
        var before = await File.ReadAllBytesAsync(database);
        var (code, _, errors) = await GatewayProcess.CommandAsync("run", "--config", site.Configuration);
        Assert.True(code == 1, errors);
        Assert.Contains("needs schema 99", errors, StringComparison.Ordinal);
        Assert.Equal(before, await File.ReadAllBytesAsync(database));
    }

    [RootFact]
    [System.Runtime.Versioning.SupportedOSPlatform("linux")]
    public async Task A_store_that_may_not_be_read_is_not_taken_for_a_damaged_one_and_goes_on_when_its_owner_is_mended()
    {
        await using var site = GatewaySite.Write(LoadSite.Configuration(1), ("bus", 1502), ("broker", 1883));
        site.Add(LoadSite.Profile);
        SqliteStore.Open(site.Load().Model.Storage, ["centre"], TimeProvider.System).Dispose();
        var folder = Path.GetDirectoryName(site.Configuration)!;
        var database = Path.Combine(site.Store, "gateway.db");
        var marker = await File.ReadAllTextAsync(new StoreFiles(site.Store).Marker);

        // A person who worked on it as root left it to root.
        const string GiveAway = "chmod -R a+rX \"$1\" && chown -R 65534:65533 \"$2\" && chown 0:0 \"$2/gateway.db\" && chmod 600 \"$2/gateway.db\"";
        Assert.Equal(0, (await Package.PackageTests.RunAsync("sh", ["-c", GiveAway, "sh", folder, site.Store])).ExitCode);
        var before = await File.ReadAllBytesAsync(database);
        await using var gateway = GatewayProcess.StartAs(site, 65534, 65533);
        await Until.HoldsAsync(() => gateway.Log.Contains($"'{database}' is denied. Check the owner and the mode of its files", StringComparison.Ordinal), "the cure is told", () => gateway.Log);
        Assert.Equal(before, await File.ReadAllBytesAsync(database));
        Assert.Equal(marker, await File.ReadAllTextAsync(new StoreFiles(site.Store).Marker));
        Assert.Empty(Directory.EnumerateFileSystemEntries(site.Store, "*damaged*"));

        Assert.Equal(0, (await Package.PackageTests.RunAsync("chown", ["65534:65533", database])).ExitCode);
        await gateway.StatusHoldsAsync(s => s.Storage is { State: "ok", DamagedSets.Count: 0 } && s.Outbox.Rows > 0, "it goes on by itself");
    }

    [Fact]
    public async Task Commands_without_a_gateway_say_that_none_runs()
    {
        await using var site = await GatewaySite.ServeAsync(LoadSite.Configuration(1), Mosquitto.FreePort(), profiles: LoadSite.Profile);
        foreach (var command in (string[])["status", "outbox"])
        {
            var (code, _, errors) = await GatewayProcess.CommandAsync(command, "--config", site.Configuration);
            Assert.Equal(1, code);
            Assert.Contains($"No gateway is running with its store in {site.Store}", errors, StringComparison.Ordinal);
        }

        // Nobody owns the bus: reading opens it.
        var (read, text, problem) = await GatewayProcess.CommandAsync("read", "load000", "--config", site.Configuration);
        Assert.True(read == 0, problem);
        Assert.Contains("energy", text, StringComparison.Ordinal);
        Assert.Contains("W.h", text, StringComparison.Ordinal);
        Assert.Equal(1, site.Server.Requests(0));

        var (unknown, _, said) = await GatewayProcess.CommandAsync("read", "load999", "--config", site.Configuration);
        Assert.Equal(2, unknown);
        Assert.Contains("There is no device 'load999'. Devices: load000.", said, StringComparison.Ordinal);

        await site.Server.DisposeAsync();
        var (refused, _, why) = await GatewayProcess.CommandAsync("read", "load000", "--config", site.Configuration);
        Assert.Equal(1, refused);
        Assert.Contains("load000 on 127.0.0.1:", why, StringComparison.Ordinal);
    }
}
