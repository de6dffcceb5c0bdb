using EdgeGateway.Core.Site;
using EdgeGateway.Protocols.Sensors;
using EdgeGateway.Scanning;

namespace EdgeGateway.Tests.Scanning;

/// <summary>What <c>scan --sensors</c> and <c>check</c> say of the sensors of this computer.</summary>
public sealed class SensorsHereTests
{
    private static readonly SensorInventory Here = new(
    [
        new(SensorInterface.Iio, "/sys/bus/iio/devices/iio:device0", "ads1115", "loops", "/soc/i2c@7e804000/adc@48", "i2c 1-0048", [new("in_voltage0", "belt", SensorQuantity.Voltage), new("in_voltage1", "", SensorQuantity.None)]),
        new(SensorInterface.Hwmon, "/sys/class/hwmon/hwmon2", "lm75", "", "", "i2c 1-0049", [new("temp1", "", SensorQuantity.Temperature)]),
        new(SensorInterface.OneWire, "/sys/bus/w1/devices/28-0316a2794f5e", "ds18b20", "", "", "w1 28-0316a2794f5e", []),
    ]);

    [Fact]
    public void What_is_there_is_listed_with_what_to_paste() => Assert.Equal(
        """
        ads1115, called "loops" (iio, /soc/i2c@7e804000/adc@48)
          in_voltage0 "belt": voltage in V
          in_voltage1: no unit known, cannot be used
        lm75, called "i2c 1-0049" (hwmon)
          temp1: temperature in °C
        ds18b20, called "w1 28-0316a2794f5e" (onewire)
          it has none, as the driver w1_therm is not loaded (`sudo modprobe w1_therm`)

        For gateway.yaml; leave out what is not needed:

        buses:
          - id: sensors
            type: sensors
            inputs:
              - { unit: 1, device: loops, channel: in_voltage0, measures: voltage }
              - { unit: 2, device: i2c 1-0049, channel: temp1, measures: temperature }
        devices:
          - { id: sensor-1, profile: generic-sensor-voltage, bus: sensors, unit: 1 }   # a 4-20 mA loop: generic-sensor-4-20ma, and at its input measures: current, shunt: OHMS
          - { id: sensor-2, profile: generic-sensor-temperature, bus: sensors, unit: 2 }

        """,
        SensorsHere.List(Here));

    [Fact]
    public void Where_there_is_none_the_overlay_is_named() =>
        Assert.StartsWith("There is no sensor here. Is it wired and powered? A sensor needs a driver", SensorsHere.List(new([])), StringComparison.Ordinal);

    [Theory]
    [InlineData("loops", "in_voltage0", "current", true, null, false)]
    [InlineData("1-0049", "temp1", "temperature", false, null, false)]
    [InlineData("1-0050", "temp1", "temperature", false, "no sensor is called \"1-0050\": there is ads1115 \"loops\"", false)]
    [InlineData("1-0049", "temp2", "temperature", false, "lm75 (i2c 1-0049) has no channel \"temp2\": it has temp1", true)]
    [InlineData("1-0049", "temp1", "humidity", false, "temp1 of 1-0049 measures temperature and not humidity: write 'measures: temperature'", true)]
    [InlineData("loops", "in_voltage1", "voltage", false, "in_voltage1 of loops has no unit", true)]
    public void A_sensor_that_is_not_here_may_be_at_the_site_and_a_channel_that_is_not_is_an_error(string device, string channel, string measures, bool shunt, string? words, bool isError)
    {
        var refused = SensorsHere.Refuse(
            Here,
            new SensorInput { Unit = 1, Number = 1, Device = device, Channel = channel, Measure = SensorMeasure.All.First(m => m.Word == measures), ShuntOhms = shunt ? 100 : null });
        Assert.Equal(words is null, refused is null);
        Assert.Equal(isError, refused?.IsError ?? false);
        Assert.StartsWith(words ?? "", refused?.What ?? "", StringComparison.Ordinal);
    }
}
