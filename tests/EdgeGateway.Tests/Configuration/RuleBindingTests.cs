using EdgeGateway.Core;
using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Detection.Rules;
using EdgeGateway.Core.Site;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Tests.Configuration;

/// <summary>Rules of the trade find their points by the roles that profiles declare.</summary>
public class RuleBindingTests
{
    private static readonly string[] OfTheMeter =
        ["energy-power", "feeder-excess", "feeder-missing", "frequency-deviation", "gap", "line-dead", "voltage-sag", "voltage-swell", "voltage-unbalance"];

    [Fact]
    public void A_meter_gets_the_rules_that_its_points_allow_without_a_word_about_them()
    {
        var model = Load(Texts.Gateway);
        Assert.Equal(OfTheMeter, Rules(model, 0));
        var balance = Detector(model, "feeder-excess");
        Assert.Equal("fan.active_power_total", balance.Points["feeder1"]);
        var sag = Detector(model, "voltage-sag");
        Assert.Equal(["voltage_l1_n", "voltage_l2_n"], sag.Points.OrderBy(p => p.Key).Select(p => p.Value));
        Assert.Equal("voltage_l3_n", model.Points.First(p => p.Detectors.Contains(sag)).Id);
    }

    [Fact]
    public void A_consumer_with_a_rating_is_watched_for_overload_and_for_power_that_flows_back() =>
        Assert.Equal(
            ["energy-power", "frequency-deviation", "gap", "line-dead", "overload", "reverse-power", "voltage-sag", "voltage-swell", "voltage-twin", "voltage-unbalance"],
            Rules(Load(Texts.Gateway.With("parent: incomer }", "parent: incomer }, ratedPower: 20 kW")), 1));

    [Fact]
    public void One_point_of_a_device_speaks_for_its_silence()
    {
        var gaps = Load(Texts.Gateway).Points.Where(p => p.DeviceIndex == 0).Select(p => p.Detectors.Single(d => d.Name == "gap")).ToList();
        Assert.Single(gaps, g => g.Settings.GetValueOrDefault("wire") == 1);
        Assert.Equal(1, gaps[0].Settings["wire"]);
    }

    [Fact]
    public void The_site_goes_before_the_profile_and_the_profile_before_the_table()
    {
        var profile = Texts.Profile.With("selfTest:", "rules: { voltage-sag: { nominal: 230, warn: 15 }, voltage-swell: off }\nselfTest:");
        var model = Load(Texts.Gateway.With("unit: 1, metering: { role: incomer }", "unit: 1, metering: { role: incomer }, rules: { voltage-sag: { warn: 20 }, gap: off, line-dead: off }"), profile);
        Assert.Equal((230, 20), (Detector(model, "voltage-sag").Settings["nominal"], Detector(model, "voltage-sag").Settings["warn"]));
        Assert.Equal(["energy-power", "feeder-excess", "feeder-missing", "frequency-deviation", "voltage-sag", "voltage-unbalance"], Rules(model, 0));
        Assert.Equal(15, model.Points.Where(p => p.DeviceIndex == 1).SelectMany(p => p.Detectors).Single(d => d.Name == "voltage-sag").Settings["warn"]);
    }

    [Fact]
    public void A_relation_that_only_the_site_knows_is_named_there()
    {
        var model = Load(Texts.Gateway.With("parent: incomer }", "parent: incomer }, rules: { difference: { point: frequency, twin: incomer.frequency, warn: 0.1 } }"));
        var pair = Detector(model, "difference");
        Assert.Equal(("incomer.frequency", 0.1), (pair.Points["twin"], pair.Settings["warn"]));
        Assert.Equal("frequency", model.Points.First(p => p.Detectors.Contains(pair)).Id);
    }

    [Theory]
    [InlineData("rules: { voltage-sga: off }", "there is no rule 'voltage-sga'")]
    [InlineData("rules: { voltage-sag: { wran: 5 } }", "has no 'wran'")]
    [InlineData("rules: { voltage-sag: { warn: much } }", "is no number")]
    [InlineData("rules: { difference: { point: frequency, warn: 1 } }", "there is no point 'twin'")]
    [InlineData("rules: { difference: { point: frequency, twin: nobody.frequency } }", "there is no point 'twin'")]
    [InlineData("rules: { transformer-overload: { warn: 120 } }", "it needs 'rated'")]
    [InlineData("rules: { belt-jam: { alarm: 150 } }", "the device has no point for it")]
    public void What_cannot_be_is_said_before_anything_starts(string rules, string expected)
    {
        var (_, problems) = Texts.Load(Texts.Gateway.With("unit: 1, metering: { role: incomer }", $"unit: 1, metering: {{ role: incomer }}, {rules}"));
        Assert.Contains(problems, p => p.Severity == ProblemSeverity.Error && p.What.Contains(expected, StringComparison.Ordinal));
    }

    [Fact]
    public void The_devices_of_an_area_share_the_rules_of_its_conveyor()
    {
        var profiles = RepositoryFiles.Profiles.ToDictionary(f => Path.GetFileNameWithoutExtension(f), f => f);
        var (model, problems) = SiteLoader.Load(
            new SourceText("docs/examples/gateway.yaml", File.ReadAllText(RepositoryFiles.At("docs/examples/gateway.yaml"))),
            id => profiles.TryGetValue(id, out var file) ? new SourceText(Path.GetFileName(file), File.ReadAllText(file)) : null,
            knownProfiles: profiles.Keys);
        Assert.Empty(problems);
        var scale = model!.Devices.Single(d => d.Id == "belt-scale").Index;
        Assert.Contains("belt-jam", Rules(model, scale));
        Assert.Contains("belt-blockage", Rules(model, scale));
        Assert.Equal("belt-drive.output_current", Detector(model, "belt-jam").Points["current"]);
        var drive = model.Devices.Single(d => d.Id == "belt-drive").Index;
        Assert.Contains("current-load", Rules(model, drive));
        Assert.All(model.Points, p => Assert.All(p.Detectors, d => Assert.Null(Core.Detection.Detectors.FindFault(model, p, d))));
    }

    [Fact]
    public void Every_role_that_a_rule_looks_for_is_in_the_vocabulary() =>
        Assert.All(RuleTable.All.SelectMany(r => r.Inputs).SelectMany(i => i.Roles), role => Assert.NotNull(Core.Profiles.Roles.Find(role)));

    private static SiteModel Load(string gateway, string? profile = null)
    {
        var (model, problems) = Texts.Load(gateway, profile);
        Assert.DoesNotContain(problems, p => p.Severity == ProblemSeverity.Error);
        return model!;
    }

    private static IEnumerable<string> Rules(SiteModel model, int device) =>
        model.Points.Where(p => p.DeviceIndex == device).SelectMany(p => p.Detectors).Select(d => d.Name).Where(RuleTable.ByName.ContainsKey).Distinct().Order(StringComparer.Ordinal);

    private static DetectorModel Detector(SiteModel model, string name) => model.Points.SelectMany(p => p.Detectors).First(d => d.Name == name);
}
