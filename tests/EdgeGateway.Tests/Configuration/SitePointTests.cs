using EdgeGateway.Core.Site;

namespace EdgeGateway.Tests.Configuration;

/// <summary>How the settings of a site change what a profile states.</summary>
public class SitePointTests
{
    [Fact]
    public void Transformer_ratios_multiply_what_the_profile_states_in_the_unit()
    {
        var model = Load("unit: 1, metering: { role: incomer }", "unit: 1, ct: 200/5, pt: 10000/100, metering: { role: incomer }");
        var voltage = Point(model, "voltage_l1_n");
        Assert.Equal(10m, voltage.Encoding.Scale);
        Assert.Equal((0, 50_000), (voltage.PlausibleMin!.Value, voltage.PlausibleMax!.Value));
        Assert.Equal((20_700, 25_300, 10), (voltage.Detectors[0].Settings["low"], voltage.Detectors[0].Settings["high"], voltage.Detectors[0].Settings["holdSeconds"]));

        var energy = Point(model, "active_energy_import_total");
        Assert.Equal(40m, energy.Encoding.Scale);
        Assert.Equal(4_294_967_296m * 40, energy.Counter!.RolloverAt);
        Assert.Equal(50m * 4000 / 3600, energy.Counter.MaxRatePerSecond!.Value, 20);

        Assert.Equal(0.01m, Point(model, "frequency").Encoding.Scale);
    }

    [Fact]
    public void A_text_is_read_once_and_takes_no_limits_and_no_samples()
    {
        var profile = Texts.Profile.With("selfTest:", "  - { id: serial, at: 40, type: text, length: 4, role: device.serial_number, source: [manual] }\nselfTest:");
        var (model, none) = Texts.Load(Texts.Gateway.With("unit: 1, metering: { role: incomer }", "unit: 1, samples: all, metering: { role: incomer }"), profile);
        Assert.Empty(none);
        Assert.Equal((PointKind.Text, TimeSpan.Zero, false), (Point(model!, "serial").Kind, Point(model!, "serial").Period, Point(model!, "serial").PublishSamples));

        var (_, problems) = Texts.Load(Texts.Gateway.With("unit: 1, metering: { role: incomer }", "unit: 1, metering: { role: incomer }, points: { serial: { poll: 1s, limits: { high: 5 } } }"), profile);
        Assert.Contains(problems, p => p.What.Contains("'serial' is a text, and texts are read once", StringComparison.Ordinal));
        Assert.Contains(problems, p => p.What.Contains("'serial' is a text, which has no 'limits'", StringComparison.Ordinal));
    }

    [Fact]
    public void Rated_power_bounds_the_growth_of_energy_with_a_margin_of_20_percent()
    {
        var model = Load("unit: 1, metering: { role: incomer }", "unit: 1, ratedPower: 400 kW, metering: { role: incomer }");
        Assert.Equal(400m * 1.2m / 3600, Point(model, "active_energy_import_total").Counter!.MaxRatePerSecond);
        Assert.Equal(400_000, model.Devices[0].RatedPowerWatts);
    }

    [Fact]
    public void Site_settings_of_a_point_go_before_the_profile()
    {
        var model = Load(
            "parent: incomer }",
            "parent: incomer }, samples: all, points: { voltage_l1_n: { poll: 2s, samples: false, plausible: { max: 300 }, limits: { high: 245, hysteresis: 2 } }, voltage_l2_n: { limits: off }, voltage_l3_n: { poll: off }, active_power_total: { stuck: off, spike: { sensitivity: high, quietFor: 5m } } }");
        var fan = model.Devices[1];
        Assert.Equal(5, fan.Points.Count);
        var voltage = Point(model, "voltage_l1_n", 1);
        Assert.Equal((TimeSpan.FromSeconds(2), false, 0, 300), (voltage.Period, voltage.PublishSamples, voltage.PlausibleMin!.Value, voltage.PlausibleMax!.Value));
        Assert.Equal((207, 245, 2), (voltage.Detectors[0].Settings["low"], voltage.Detectors[0].Settings["high"], voltage.Detectors[0].Settings["hysteresis"]));
        Assert.DoesNotContain(Point(model, "voltage_l2_n", 1).Detectors, d => d.Name == "limit");
        Assert.True(Point(model, "voltage_l2_n", 1).PublishSamples);
        var power = Point(model, "active_power_total", 1);
        Assert.Equal("spike", power.Detectors[0].Name);
        Assert.DoesNotContain(power.Detectors, d => d.Name == "stuck");
        Assert.Contains(power.Detectors, d => d.Name == "novelty");
        Assert.Equal((3, 300), (power.Detectors[0].Settings["factor"], power.Detectors[0].Settings["quietSeconds"]));
    }

    [Fact]
    public void A_timeout_comes_from_the_device_then_the_profile_then_the_bus()
    {
        var bus = Texts.Gateway.With("port: 1502", "port: 1502, timeout: 700ms");
        var profile = Texts.Profile.With("maxRegistersPerRead: 64", "maxRegistersPerRead: 64, timeoutMs: 800");
        Assert.Equal(700, Texts.Load(bus).Model!.Devices[0].Timeout.TotalMilliseconds);
        Assert.Equal(800, Texts.Load(bus, profile).Model!.Devices[0].Timeout.TotalMilliseconds);
        Assert.Equal(900, Texts.Load(bus.With("unit: 1, metering: { role: incomer }", "unit: 1, timeout: 900ms, metering: { role: incomer }"), profile).Model!.Devices[0].Timeout.TotalMilliseconds);
    }

    [Fact]
    public void Limits_of_two_stages_and_stuck_settings_reach_the_detectors()
    {
        var model = Load(
            "parent: incomer }",
            "parent: incomer }, pt: 10, points: { voltage_l1_n: { limits: { highAlarm: 2700 }, stuck: { after: 5m, tolerance: 0.2, idle: 1 } } }");
        var voltage = Point(model, "voltage_l1_n", 1);
        Assert.Equal(new Dictionary<string, double> { ["low"] = 2070, ["high"] = 2530, ["highAlarm"] = 2700, ["holdSeconds"] = 10 }, voltage.Detectors.Single(d => d.Name == "limit").Settings);
        Assert.Equal(new Dictionary<string, double> { ["windowSeconds"] = 300, ["tolerance"] = 0.2, ["idle"] = 1 }, voltage.Detectors.Single(d => d.Name == "stuck").Settings);
    }

    private static SiteModel Load(string passage, string becomes)
    {
        var (model, problems) = Texts.Load(Texts.Gateway.With(passage, becomes));
        Assert.Equal("", string.Join("\n", problems));
        return model!;
    }

    private static PointModel Point(SiteModel model, string id, int device = 0) =>
        model.Devices[device].Points.Select(i => model.Points[i]).Single(p => p.Id == id);
}
