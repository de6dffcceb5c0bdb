using EdgeGateway.Core;
using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Site;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Tests.Configuration;

/// <summary>A sensors bus in gateway.yaml, with the profiles that are shipped for it.</summary>
public sealed class SensorInputTests
{
    private const string Gateway = """
        schema: edgegateway/gateway/1
        site: { id: shaft-3, name: Shaft 3, timezone: Asia/Shanghai, region: CN-SX }
        gateway: { id: gw-01 }
        buses:
          - id: sensors
            type: sensors
            inputs:
              - { unit: 1, device: i2c 1-0048, channel: in_voltage0, measures: current, shunt: 100 }
              - { unit: 2, device: w1 28-0316a2794f5e, channel: temperature, measures: temperature }
              - { unit: 3, device: scd4x, channel: in_concentration_co2, measures: concentration }
              - { unit: 4, device: 1-0048, channel: in_voltage1, measures: current, shunt: 100 }
        devices:
          - { id: belt-loop, profile: generic-sensor-4-20ma, bus: sensors, unit: 1 }
          - { id: bearing, profile: generic-sensor-1-wire, bus: sensors, unit: 2 }
          - { id: air, profile: generic-sensor-co2, bus: sensors, unit: 3 }
          - { id: methane, profile: generic-sensor-methane-0-4, bus: sensors, unit: 4 }
        uplinks:
          - { id: centre, type: mqtt, servers: ["mqtt://127.0.0.1:1883"] }
        """;

    [Fact]
    public void Inputs_are_resolved_with_their_devices()
    {
        var (model, problems) = Load(Gateway);
        Assert.Empty(problems);
        var bus = Assert.IsType<SensorsBus>(Assert.Single(model!.Buses));
        var loop = Assert.IsType<SensorInput>(bus.Inputs[0]);
        Assert.Equal(("i2c 1-0048", "in_voltage0", "current", 100.0), (loop.Device, loop.Channel, loop.Measure.Word, loop.ShuntOhms));
        Assert.Equal(TimeSpan.FromSeconds(3), model.Devices[1].Timeout);
        Assert.Equal("%{vol}", model.Points.First(p => p.Id == "concentration_ch4").Unit);
    }

    [Fact]
    public void A_channel_may_be_captured()
    {
        var (model, problems) = Load(Gateway.With("channel: in_voltage0, measures: current, shunt: 100", "channel: in_voltage0, measures: current, shunt: 100, capture: { trigger: loop, mains: 60Hz }"));
        Assert.Empty(problems);
        var loop = Assert.IsType<SensorInput>(Assert.IsType<SensorsBus>(Assert.Single(model!.Buses)).Inputs[0]);
        Assert.Equal(("loop", 60.0), (loop.Trigger, loop.MainsHertz));
    }

    // passage, what it becomes, line of the problem, what is said, how to mend it
    [Theory]
    [InlineData("shunt: 100 }\n      - { unit: 2", "ohm: 100 }\n      - { unit: 2", 8, "unknown key 'ohm' in an input of a sensors bus", "shunt")]
    [InlineData("{ unit: 3, device: scd4x", "{ unit: 2, device: scd4x", 10, "input 1 of unit 2 is there twice (first in line 9)", "Give it another 'input'")]
    [InlineData("device: scd4x, channel: in_concentration_co2, measures: concentration", "device: i2c 1-0048, channel: in_voltage0, measures: voltage", 10, "in_voltage0 of i2c 1-0048 is input 1 of unit 1 already", "Name each channel once")]
    [InlineData("device: i2c 1-0048", "device: iio:device0", 8, "'iio:device0' is a number that the kernel gives anew at each start", "scan --sensors")]
    [InlineData("device: scd4x", "device: hwmon2", 10, "'hwmon2' is a number that the kernel gives anew at each start", "scan --sensors")]
    [InlineData("measures: concentration", "measures: co2", 10, "'measures' is 'co2'", "concentration")]
    [InlineData("measures: temperature", "measures: temperature, shunt: 100", 9, "a shunt makes a current of a voltage, and the input shows temperature", "Write 'measures: current'")]
    [InlineData("in_voltage1, measures: current, shunt: 100", "in_voltage1, measures: current, shunt: 0.1", 11, "a shunt of 0.1 ohms is not possible", "1 to 10000")]
    [InlineData("measures: concentration", "measures: pressure", 15, "the profile generic-sensor-co2 does not fit the inputs of unit 3 on the bus 'sensors': 'concentration_co2' at 0: a sensor of pressure is shown in kPa, and the point is in [ppm]", "The unit has as input 1 a sensor of pressure (in_concentration_co2 of scd4x)")]
    [InlineData("measures: current, shunt: 100 }\n      - { unit: 2", "measures: voltage }\n      - { unit: 2", 13, "'current' at 0: a sensor of voltage is shown in V, and the point is in mA", "take a profile for that")]
    [InlineData("profile: generic-sensor-1-wire, bus: sensors, unit: 2", "profile: generic-sensor-1-wire, bus: sensors, unit: 9", 14, "no input of the bus 'sensors' belongs to the unit 9", "1, 2, 3, 4")]
    [InlineData("shunt: 100 }\n      - { unit: 2, device: w1 28-0316a2794f5e, channel: temperature, measures: temperature }", "shunt: 100, capture: { trigger: loop } }\n      - { unit: 2, device: i2c 1-0048, channel: in_temp, measures: temperature }", 9, "a channel of i2c 1-0048 is captured, and the kernel refuses to read the others meanwhile", "a converter of its own")]
    [InlineData("measures: concentration", "measures: concentration, capture: { mains: 50Hz }", 10, "'trigger' is missing in a capture", "Add 'trigger:'")]
    [InlineData("device: w1 28-0316a2794f5e, ", "", 9, "'device' is missing in an input of a sensors bus", "Add 'device:'")]
    public void A_mistake_is_said_with_its_place_and_its_cure(string passage, string becomes, int line, string what, string cure)
    {
        var problems = Load(Gateway.With(passage, becomes)).Problems;
        var problem = problems.FirstOrDefault(p => p.What.Contains(what, StringComparison.Ordinal));
        Assert.True(problem is not null, string.Join("\n", problems));
        Assert.Equal(line, problem.Line);
        Assert.Contains(cure, problem.Cure, StringComparison.Ordinal);
    }

    private static (SiteModel? Model, IReadOnlyList<Problem> Problems) Load(string gateway) => SiteLoader.Load(
        new("gateway.yaml", gateway),
        id => Directory.GetFiles(RepositoryFiles.At("device-profiles"), $"{id}.yaml", SearchOption.AllDirectories) is [var path] ? new SourceText(path, File.ReadAllText(path)) : null);
}
