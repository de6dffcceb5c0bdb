using EdgeGateway.Commands;
using EdgeGateway.Core.Site;

namespace EdgeGateway.Tests.Configuration;

/// <summary>Which points the detector for any gauge watches, and with which budget.</summary>
public class NoveltyTests
{
    private static SiteModel Load(string gateway, string? profile = null)
    {
        var (model, problems) = Texts.Load(gateway, profile);
        Assert.Equal("", string.Join("\n", problems));
        return model!;
    }

    private static string[] Watched(SiteModel model) =>
        [.. model.Points.Where(p => p.Detectors.Any(d => d.Name == "novelty")).Select(p => $"{model.Devices[p.DeviceIndex].Id}.{p.Id}")];

    private static DetectorModel Novelty(SiteModel model, string point) => model.Points.First(p => p.Id == point).Detectors.Single(d => d.Name == "novelty");

    private static string At(string gateway, string novelty) => gateway.With("buses:", $"novelty: {novelty}\nbuses:");

    private static string Fan(string settings) => Texts.Gateway.With("parent: incomer }", $"parent: incomer }}, {settings}");

    [Fact]
    public void Loads_are_watched_by_themselves_and_voltages_counters_and_states_are_not()
    {
        var model = Load(Texts.Gateway);
        Assert.Equal(["incomer.active_power_total", "fan.active_power_total"], Watched(model));
        Assert.Empty(Novelty(model, "active_power_total").Settings);
        Assert.All(model.Devices, d => Assert.Equal(0.1, d.FalseAlarmsPerDay));
        Assert.Equal("novelty: 2 points are watched, 0.0 MB of memory", CheckCommand.Novelty(model));
    }

    [Fact]
    public void Site_device_and_point_say_what_is_watched()
    {
        Assert.Empty(Watched(Load(At(Texts.Gateway, "off"))));
        Assert.Null(CheckCommand.Novelty(Load(At(Texts.Gateway, "off"))));
        Assert.Equal(["incomer.active_power_total"], Watched(Load(Fan("novelty: off"))));
        Assert.Equal(["incomer.active_power_total", "fan.voltage_l1_n"], Watched(Load(Fan("points: { active_power_total: { novelty: off }, voltage_l1_n: { novelty: on } }"))));
        Assert.Equal(["fan.active_power_total"], Watched(Load(At(Fan("novelty: { falseAlarmsPerDay: 0.5 }"), "off"))));
    }

    [Fact]
    public void The_budget_is_the_devices_then_the_sites()
    {
        var model = Load(At(Fan("novelty: { falseAlarmsPerDay: 0.5 }"), "{ falseAlarmsPerDay: 0.02 }"));
        Assert.Equal([0.02, 0.5], model.Devices.Select(d => d.FalseAlarmsPerDay));
    }

    [Fact]
    public void A_profile_says_that_a_point_is_watched_and_with_which_budget()
    {
        var model = Load(Fan("pt: 10"), Texts.Profile.With("role: electricity.frequency", "role: electricity.frequency, anomaly: { novelty: on, falseAlarmsPerDay: 0.01 }"));
        Assert.Equal(new Dictionary<string, double> { ["falseAlarmsPerDay"] = 0.01 }, Novelty(model, "frequency").Settings);
    }

    [Fact]
    public void What_cannot_be_is_refused()
    {
        Assert.Contains(Texts.Load(At(Texts.Gateway, "{ falseAlarmsPerDay: 0 }")).Problems, p => p.What.Contains("0 false alarms a day cannot be asked for", StringComparison.Ordinal));
        Assert.Contains(
            Texts.Load(Fan("points: { active_energy_import_total: { novelty: on } }")).Problems,
            p => p.What.Contains("'novelty' watches gauges that are read again and again, 'active_energy_import_total' is none", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(500, null, 500, 0, "novelty: 500 points are watched, 4.1 MB of memory")]
    [InlineData(501, null, 501, 501, "novelty: 501 points are watched in the lean setting, 1.3 MB of memory")]
    [InlineData(501, "full", 501, 0, "novelty: 501 points are watched, 4.1 MB of memory")]
    [InlineData(2001, null, 0, 0, "novelty: 0 points are watched, 0.0 MB of memory. 2001 more would be, which is too many to begin by itself: write 'novelty: { memory: lean }' (5.1 MB), or 'novelty: on' at the points that matter")]
    [InlineData(2001, "lean", 2001, 2001, "novelty: 2001 points are watched in the lean setting, 5.1 MB of memory")]
    public void What_it_may_cost_is_bounded_unless_the_site_asks_for_more(int meters, string? memory, int watched, int lean, string says)
    {
        var devices = string.Concat(Enumerable.Range(0, meters - 1).Select(i => $"  - {{ id: m{i}, profile: test-meter, bus: b{i / 200}, unit: {1 + (i % 200)} }}\n"));
        var buses = string.Concat(Enumerable.Range(0, 1 + (meters / 200)).Select(i => $"  - {{ id: b{i}, type: modbus-tcp, host: 10.1.0.{i + 1} }}\n"));
        var gateway = Texts.Gateway.With("devices:\n", $"{buses}devices:\n{devices}").With("  - { id: fan, profile: test-meter, bus: line-1, unit: 1, metering: { role: submeter, parent: incomer } }\n", "");
        var profile = Texts.Profile.With("fast: 1s, normal: 10s", "fast: 60s, normal: 60s");
        var model = Load(memory is null ? gateway : At(gateway, $"{{ memory: {memory} }}"), profile);
        Assert.Equal(watched, Watched(model).Length);
        Assert.Equal(lean, model.Points.SelectMany(p => p.Detectors).Count(d => d.Settings.ContainsKey("lean")));
        Assert.Equal(says, CheckCommand.Novelty(model));
    }
}
