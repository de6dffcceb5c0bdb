using EdgeGateway.Protocols.Sensors;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Tests.Protocols.Sensors;

/// <summary>How sensors are found by names that stay, and what is said when they are not.</summary>
public sealed class SensorInventoryTests : IDisposable
{
    private const string Answer = "a3 01 4b 46 7f ff 0d 10 ce : crc=ce YES\na3 01 4b 46 7f ff 0d 10 ce t=26187";

    private readonly SensorTreeDouble _tree = new();

    public void Dispose() => _tree.Dispose();

    [Fact]
    public void All_that_the_kernel_shows_is_listed_with_quantity_and_place()
    {
        Site();
        var devices = SensorInventory.Read(_tree.Root).Devices;
        Assert.Equal(
            ["Iio ads1115 'loops' i2c 1-0048", "Iio bme280 '' i2c 1-0076", "Hwmon lm75 '' i2c 1-0049", "Hwmon lm75 '' i2c 1-004a", "OneWire ds18b20 '' w1 28-0316a2794f5e"],
            devices.Select(d => $"{d.Interface} {d.Name} '{d.Label}' {d.Address}"));
        Assert.Equal(
            ["in_voltage0 (belt) Voltage", "in_voltage1 () Voltage", "in_voltage0-voltage1 () Voltage"],
            devices[0].Channels.Select(c => $"{c.Id} ({c.Label}) {c.Quantity}"));
        Assert.Equal("/soc/i2c@7e804000/adc@48", devices[0].Node);
        Assert.Equal(["in_temp", "in_pressure", "in_humidityrelative"], devices[1].Channels.Select(c => c.Id));
    }

    [Theory]
    [InlineData("loops", "in_voltage0")]
    [InlineData("loops", "belt")]
    [InlineData("i2c 1-0048", "in_voltage0")]
    [InlineData("1-0048", "in_voltage0")]
    [InlineData("adc@48", "in_voltage0")]
    [InlineData("/soc/i2c@7e804000/adc@48", "in_voltage0")]
    [InlineData("ads1115", "in_voltage0")]
    public void A_channel_is_found_by_label_address_node_or_chip(string device, string channel)
    {
        Site();
        var place = SensorInventory.Read(_tree.Root).Find(device, channel);
        Assert.Equal(("ads1115", "in_voltage0"), (place.Device.Name, place.Channel.Id));
    }

    [Fact]
    public void The_same_name_finds_the_sensor_when_the_kernel_numbers_it_anew()
    {
        _tree.AddIio(0, "1-0048", "ads1115", ("in_voltage0_raw", "1"), ("in_voltage0_scale", "1"));
        _tree.AddIio(1, "1-0049", "ads1115", ("in_voltage0_raw", "2"), ("in_voltage0_scale", "1"));
        using var before = new Sensor("1-0049", "in_voltage0", _tree.Root);
        Assert.Equal(0.002, before.Read().Value);

        _tree.Remove("sys/bus/iio/devices/iio:device0");
        _tree.Remove("sys/bus/iio/devices/iio:device1");
        _tree.AddIio(0, "1-0049", "ads1115", ("in_voltage0_raw", "2"), ("in_voltage0_scale", "1"));
        _tree.AddIio(1, "1-0048", "ads1115", ("in_voltage0_raw", "1"), ("in_voltage0_scale", "1"));
        using var after = new Sensor("1-0049", "in_voltage0", _tree.Root);
        Assert.Equal(0.002, after.Read().Value);
    }

    [Theory]
    [InlineData(SensorFault.NoDevice, "iio:device0", "in_voltage0", "\"iio:device0\" is a number of the kernel, which changes from boot to boot; now it is ads1115 (loops). Write \"loops\"")]
    [InlineData(SensorFault.NoDevice, "ads1015", "in_voltage0", "no sensor is called \"ads1015\": there is ads1115 \"loops\", bme280 \"i2c 1-0076\", lm75 \"i2c 1-0049\", lm75 \"i2c 1-004a\", ds18b20 \"w1 28-0316a2794f5e\". Is it wired and powered? A sensor needs a driver: on a Raspberry Pi a line such as `dtoverlay=")]
    [InlineData(SensorFault.NoChannel, "loops", "in_voltage7", "ads1115 (loops) has no channel \"in_voltage7\": it has in_voltage0 (belt), in_voltage1, in_voltage0-voltage1")]
    [InlineData(SensorFault.Ambiguous, "lm75", "temp1", "2 channels are called \"temp1\" of \"lm75\": temp1 of i2c 1-0049, temp1 of i2c 1-004a. Name the sensor by one of these")]
    public void A_name_that_does_not_do_is_refused_with_what_there_is(SensorFault fault, string device, string channel, string words)
    {
        Site();
        var refused = Assert.Throws<SensorException>(() => SensorInventory.Read(_tree.Root).Find(device, channel));
        Assert.Equal(fault, refused.Fault);
        Assert.StartsWith(words, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Where_there_is_no_sensor_at_all_the_overlay_is_named()
    {
        var refused = Assert.Throws<SensorException>(() => SensorInventory.Read(_tree.Root).Find("bme280", "in_temp"));
        Assert.Equal(SensorFault.NoDevice, refused.Fault);
        Assert.Contains("there is none at all. Is it wired and powered?", refused.Message, StringComparison.Ordinal);
        Assert.Contains("dtoverlay=i2c-sensor,bme280", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_thermometer_without_its_driver_is_listed_and_the_module_is_named()
    {
        _tree.AddOneWire("28-0316a2794f5e", null);
        var refused = Assert.Throws<SensorException>(() => SensorInventory.Read(_tree.Root).Find("28-0316a2794f5e", "temperature"));
        Assert.Equal(SensorFault.NoChannel, refused.Fault);
        Assert.Contains("modprobe w1_therm", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_name_that_counts_devices_of_its_bus_is_no_address()
    {
        var zone = Directory.CreateDirectory(Path.Combine(_tree.Root, "sys/devices/virtual/thermal/thermal_zone0/hwmon0")).FullName;
        Directory.CreateDirectory(Path.Combine(_tree.Root, "sys/class/thermal"));
        Directory.CreateDirectory(Path.Combine(_tree.Root, "sys/class/hwmon"));
        Directory.CreateSymbolicLink(Path.Combine(zone, "../subsystem"), Path.Combine(_tree.Root, "sys/class/thermal"));
        Directory.CreateSymbolicLink(Path.Combine(_tree.Root, "sys/class/hwmon/hwmon0"), zone);
        SensorTreeDouble.Write(zone, "name", "cpu_thermal");
        SensorTreeDouble.Write(zone, "temp1_input", "48300");
        var inventory = SensorInventory.Read(_tree.Root);
        Assert.Equal("", inventory.Devices[0].Address);
        Assert.Equal("cpu_thermal", inventory.NameOf(inventory.Devices[0]));
    }

    [Fact]
    public void A_converter_without_a_scale_has_no_quantity()
    {
        _tree.AddIio(0, "1-0048", "adc", ("in_voltage0_raw", "7"), ("in_illuminance_input", "3"));
        Assert.Equal(
            ["in_voltage0 None", "in_illuminance None"], SensorInventory.Read(_tree.Root).Devices[0].Channels.Select(c => $"{c.Id} {c.Quantity}"));
    }

    private void Site()
    {
        _tree.AddIio(
            0, "1-0048", "ads1115", ("label", "loops"), ("in_voltage0_raw", "1"), ("in_voltage0_label", "belt"), ("in_voltage1_raw", "2"), ("in_voltage_scale", "0.125"),
            ("in_voltage0-voltage1_raw", "3"), ("in_voltage-voltage_scale", "0.125"), ("in_timestamp_index", "4"));
        _tree.AddNode("1-0048", "/soc/i2c@7e804000/adc@48");
        _tree.AddIio(3, "1-0076", "bme280", ("in_temp_input", "21500"), ("in_pressure_input", "101.325"), ("in_humidityrelative_input", "45250"));
        _tree.AddHwmon(2, "1-0049", "lm75", ("temp1_input", "21500"), ("temp1_max", "80000"));
        _tree.AddHwmon(5, "1-004a", "lm75", ("temp1_input", "22500"));
        _tree.AddOneWire("28-0316a2794f5e", Answer);
    }
}
