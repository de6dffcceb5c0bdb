using System.Text.RegularExpressions;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Integration.Gateway;
using EdgeGateway.Simulator;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Integration.Diagnosis;

/// <summary>
/// <c>edgegateway profile test</c> as a technician runs it: a profile with a slip in it, against a served meter whose registers are right. The slips stand in variants, whose checks
/// pass: only the device can tell.
/// </summary>
public sealed class PlantedFaultTests(PlantedFaultTests.Meters meters) : IClassFixture<PlantedFaultTests.Meters>
{
    private static readonly string[] Units = ["eastron-sdm630", "abb-b23-b24", "sunspec-203", "carlo-gavazzi-em340"];

    [Theory]
    [InlineData("eastron-sdm630")]
    [InlineData("abb-b23-b24")]
    [InlineData("sunspec-203")]
    [InlineData("carlo-gavazzi-em340")]
    public async Task A_profile_that_is_right_passes(string meter)
    {
        var (exit, output, errors) = await TestAsync(await WriteAsync(meter, "points: []"), meter);
        Assert.True(exit == 0, $"{output}\n{errors}");
        Assert.Contains("Nothing contradicts itself", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("wrong word order of floats", "eastron-sdm630", "points: [{ id: voltage, perPhase: [l1_n, l2_n, l3_n], wordOrder: low-first }]", "voltage_l1_n: the word order is the other one: write 'wordOrder: high-first'")]
    [InlineData("wrong word order of integers", "carlo-gavazzi-em340", "points: [{ id: active_power_total, wordOrder: high-first }]", "active_power_total: the word order is the other one: write 'wordOrder: low-first'")]
    [InlineData("shifted address", "abb-b23-b24", "points: [{ id: frequency, at: 0x5B2D }]", "frequency: the address is wrong by one: write 'at: 23340'")]
    [InlineData("shifted address of a SunSpec model", "sunspec-203", "points: [{ id: active_power_total, at: 17 }]", "active_power_total: the address is wrong by one: write 'at: 18'", "frequency")]
    [InlineData("wrong scale", "abb-b23-b24", "points: [{ id: active_power_total, scale: 0.1 }]", "active_power_total: the value is 10 times too large: write 'scale: 0.01'")]
    [InlineData("kW for W", "eastron-sdm630", "points: [{ id: active_power_total, unit: kW, plausible: null }]", "active_power_total: the value is 1000 times too large: write 'scale: 0.001' or 'unit: W'")]
    [InlineData("wrong sign", "abb-b23-b24", "points: [{ id: active_power_total, sign: export-positive }]", "active_power_total: the sign is turned round")]
    [InlineData("wrong sign behind a scale register", "sunspec-203", "points: [{ id: active_power_total, sign: export-positive }]", "active_power_total: the sign is turned round")]
    [InlineData("exchanged phases", "eastron-sdm630", "points: [{ id: active_power, perPhase: [l2, l1, l3] }]", "the phases of active_power_l1, active_power_l2 are exchanged: exchange their addresses")]
    public async Task A_planted_fault_is_found_and_named(string what, string meter, string slip, string said, string? without = null)
    {
        var file = await WriteAsync(meter, slip, what, without);
        var (checkedExit, problems, wrong) = await GatewayProcess.CommandAsync("profile", "check", file);
        Assert.True(checkedExit == 0, $"{problems}\n{wrong}");

        var (exit, output, errors) = await TestAsync(file, meter);
        Assert.True(exit == 1, $"{exit}\n{output}\n{errors}");
        Assert.Contains(said, output, StringComparison.Ordinal);
    }

    // Energies are left out: those of a meter whose time stands still contradict its powers the sooner the slower the test runs.
    private async Task<string> WriteAsync(string meter, string slip, string what = "right", string? without = null)
    {
        var text = await File.ReadAllTextAsync(RepositoryFiles.Profiles.Single(f => Path.GetFileNameWithoutExtension(f) == meter));
        var energies = Regex.Matches(text, @"(?<=\bid: )\w*energy\w*").Select(m => m.Value).Distinct().ToList();
        Assert.NotEmpty(energies);
        var removed = string.Join(", ", without is null ? energies : [.. energies, without]);
        var file = Path.Combine(meters.Folder, $"planted-{Guid.NewGuid():N}.yaml");
        await File.WriteAllTextAsync(
            file, $"schema: edgegateway/device-profile/1\nid: planted\nextends: {meter}\nmodels: [planted]\nrevision: 1\ntitle: {{ en: {what} }}\nremove: [{removed}]\n{slip}\n");
        return file;
    }

    private Task<(int ExitCode, string Out, string Errors)> TestAsync(string profile, string meter) => GatewayProcess.CommandAsync(
        "profile", "test", profile, "--tcp", $"127.0.0.1:{meters.Port}", "--unit", $"{Array.IndexOf(Units, meter) + 1}", "--for", "0s", "--timeout", "30s");

    /// <summary>Four meters behind one endpoint, at one moment of one day at which two phases differ enough to be told apart.</summary>
    public sealed class Meters : IAsyncLifetime
    {
        private GatewaySite? _site;
        private SiteServer? _server;

        internal int Port => _server!.EndPoints["tcp"].Port;

        internal string Folder => Path.GetDirectoryName(_site!.Configuration)!;

        public async Task InitializeAsync()
        {
            var devices = Units.Select((profile, i) => $"  - {{ id: meter-{i}, profile: {profile}, bus: tcp, unit: {i + 1}, ratedPower: 30 kW, metering: {{ role: incomer }} }}\n");
            _site = GatewaySite.Write($"{LoadSite.Head}buses:\n  - {{ id: tcp, type: modbus-tcp, host: 127.0.0.1, port: {{tcp}} }}\ndevices:\n{string.Concat(devices)}");
            var moment = new SimulatedSite(_site.Load().Model, seed: 7, new ManualTime());
            for (var minutes = 10; !PhasesDiffer(moment) && minutes < 1440; minutes++)
            {
                moment.Step(moment.Begin + TimeSpan.FromMinutes(minutes));
            }

            _server = await SiteServer.StartAsync(moment, new SiteServerOptions { FreePorts = true });
        }

        // The powers of L1 and L2 of the first meter, two floats from input register 12, are 2 % apart.
        private static bool PhasesDiffer(SimulatedSite moment)
        {
            var words = new ushort[4];
            Assert.True(moment.TryRead(0, RegisterTable.InputRegister, 12, words));
            var (first, second) = (BitConverter.Int32BitsToSingle((words[0] << 16) | words[1]), BitConverter.Int32BitsToSingle((words[2] << 16) | words[3]));
            return Math.Abs(first - second) > 0.02 * Math.Abs(first);
        }

        public async Task DisposeAsync()
        {
            if (_server is not null)
            {
                await _server.DisposeAsync();
            }

            if (_site is not null)
            {
                await _site.DisposeAsync();
            }
        }
    }
}
