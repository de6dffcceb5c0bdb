using EdgeGateway.Core;
using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Site;

namespace EdgeGateway.Tests.Box;

/// <summary>The health of the computer in a configuration.</summary>
public sealed class BoxSiteTests
{
    private const string Gateway = """
        schema: edgegateway/gateway/1
        site: { id: shaft-3, timezone: UTC, region: CN-SX }
        gateway: { id: gw-01 }
        buses:
          - { id: computer, type: box }
        devices:
          - { id: host, profile: raspberry-pi, bus: computer, unit: 1 }
        """;

    [Fact]
    public void A_bus_and_a_device_are_all_that_it_takes()
    {
        var (model, problems) = Load(Gateway);

        Assert.Equal("", string.Join('\n', problems));
        var box = Assert.IsType<BoxBus>(Assert.Single(model!.Buses));
        Assert.Equal((null, null, "/", 7), (box.TemperatureSensor, box.Disk, box.Root, box.Inputs.Count));
        Assert.Equal(["limit", "range", "gap"], Detectors(model, "cpu_temperature"));
        Assert.Equal(["flag", "flag", "flag", "flag"], Detectors(model, "throttled"));
        Assert.Equal(["flag"], Detectors(model, "clock_synchronised"));
        Assert.Equal(["flag", "flag"], Detectors(model, "storage_reserve"));
    }

    [Fact]
    public void Sensor_disk_and_root_can_be_named()
    {
        var (model, _) = Load(Gateway.Replace("type: box", "type: box, temperature: lm75, disk: /var, root: /host", StringComparison.Ordinal));
        var box = Assert.IsType<BoxBus>(model!.Buses[0]);
        Assert.Equal(("lm75", "/var", "/host"), (box.TemperatureSensor, box.Disk, box.Root));
    }

    [Theory]
    [InlineData("unit: 1", "unit: 2", "no input of the bus 'computer' belongs to the unit 2")]
    [InlineData("  - { id: computer, type: box }", "  - { id: computer, type: box }\n  - { id: second, type: box }", "the bus 'computer' tells of this computer already")]
    [InlineData("type: box", "type: box, sensor: lm75", "sensor")]
    public void What_cannot_be_is_refused(string passage, string replacement, string words)
    {
        var (model, problems) = Load(Gateway.Replace(passage, replacement, StringComparison.Ordinal));
        Assert.Null(model);
        Assert.Contains(problems, p => p.Severity == ProblemSeverity.Error && p.What.Contains(words, StringComparison.Ordinal));
    }

    private static IEnumerable<string> Detectors(SiteModel model, string point) => model.Points.Single(p => p.Id == point).Detectors.Select(d => d.Name);

    private static (SiteModel? Model, IReadOnlyList<Problem> Problems) Load(string text) => SiteLoader.Load(
        new SourceText("gateway.yaml", text),
        id => id switch { "raspberry-pi" => BoxProfiles.RaspberryPiText, "generic-linux-computer" => BoxProfiles.LinuxText, _ => null },
        knownProfiles: ["raspberry-pi", "generic-linux-computer"]);
}
