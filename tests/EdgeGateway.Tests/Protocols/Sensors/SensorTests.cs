using EdgeGateway.Protocols.Sensors;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Tests.Protocols.Sensors;

/// <summary>Readings of channels, on a folder laid out like the kernel's.</summary>
public sealed class SensorTests : IDisposable
{
    private readonly SensorTreeDouble _tree = new();

    public void Dispose() => _tree.Dispose();

    // Units of Documentation/ABI/testing/sysfs-bus-iio.
    [Theory]
    [InlineData("in_temp", "21500", 21.5, "°C")]
    [InlineData("in_temp_object", "-3400.000000", -3.4, "°C")]
    [InlineData("in_humidityrelative", "45250", 45.25, "%")]
    [InlineData("in_pressure", "101.325000", 101.325, "kPa")]
    [InlineData("in_voltage2", "1250.5", 1.2505, "V")]
    [InlineData("in_current1", "12.25", 12.25, "mA")]
    [InlineData("in_power1", "3300", 3.3, "W")]
    [InlineData("in_energy", "7200", 2, "Wh")]
    [InlineData("in_concentration_co2", "0.0412", 412, "ppm")]
    [InlineData("in_distance", "1.75", 1.75, "m")]
    public void A_processed_value_of_IIO_is_given_in_its_usual_unit(string channel, string text, double value, string unit)
    {
        _tree.AddIio(0, "1-0048", "chip", ($"{channel}_input", text));
        using var sensor = new Sensor("chip", channel, _tree.Root);
        Assert.Equal(new SensorReading(value, SensorStatus.Good), sensor.Read());
        Assert.Equal(unit, sensor.Quantity.Unit());
        Assert.Equal(sensor.Quantity, SensorQuantities.Of(channel));
        Assert.Equal("", sensor.Problem);
    }

    // Units of Documentation/hwmon/sysfs-interface.
    [Theory]
    [InlineData("temp1", "21500", 21.5, "°C")]
    [InlineData("humidity1", "45250", 45.25, "%")]
    [InlineData("in0", "3312", 3.312, "V")]
    [InlineData("curr1", "12", 12, "mA")]
    [InlineData("power1", "3300000", 3.3, "W")]
    [InlineData("energy1", "7200000000", 2, "Wh")]
    [InlineData("fan2", "1450", 1450, "rpm")]
    public void A_value_of_hwmon_is_given_in_its_usual_unit(string channel, string text, double value, string unit)
    {
        _tree.AddHwmon(0, "1-0049", "chip", ($"{channel}_input", text));
        using var sensor = new Sensor("chip", channel, _tree.Root);
        Assert.Equal(new SensorReading(value, SensorStatus.Good), sensor.Read());
        Assert.Equal(unit, sensor.Quantity.Unit());
        Assert.Equal(sensor.Quantity, SensorQuantities.Of(channel));
    }

    [Theory]
    [InlineData("in_voltage0", "in_voltage0_scale")]
    [InlineData("in_voltage0", "in_voltage_scale")]
    [InlineData("in_voltage0-voltage1", "in_voltage0-voltage1_scale")]
    [InlineData("in_voltage0-voltage1", "in_voltage-voltage_scale")]
    [InlineData("in_voltage1_supply", "in_voltage_supply_scale")]
    [InlineData("in_voltage1_supply", "in_voltage_scale")]
    public void Raw_counts_take_the_scale_that_is_nearest_to_the_channel(string channel, string scale)
    {
        _tree.AddIio(0, "1-0048", "chip", ($"{channel}_raw", "16000"), (scale, "0.125000000"));
        using var sensor = new Sensor("chip", channel, _tree.Root);
        Assert.Equal(2, sensor.Read().Value);
    }

    [Fact]
    public void The_offset_is_added_before_the_scale_and_both_are_read_each_time()
    {
        var folder = _tree.AddIio(0, "1-0048", "chip", ("in_temp_raw", "-100"), ("in_temp_offset", "300"), ("in_temp_scale", "100"));
        using var sensor = new Sensor("chip", "in_temp", _tree.Root);
        Assert.Equal(20, sensor.Read().Value);
        SensorTreeDouble.Write(folder, "in_temp_raw", "-50");
        SensorTreeDouble.Write(folder, "in_temp_scale", "10");
        Assert.Equal(2.5, sensor.Read().Value);
    }

    [Fact]
    public void Carbon_dioxide_takes_the_scale_of_all_concentrations()
    {
        // As the kernel's drivers of such sensors have it: counts of 1 ppm, a scale in percent.
        _tree.AddIio(0, "1-0062", "scd4x", ("in_concentration_co2_raw", "812"), ("in_concentration_scale", "0.0001"));
        using var sensor = new Sensor("scd4x", "in_concentration_co2", _tree.Root);
        Assert.Equal(812, sensor.Read().Value, 1e-9);
    }

    [Fact]
    public void A_fault_of_the_chip_takes_the_value_away_and_an_alarm_does_not()
    {
        var folder = _tree.AddHwmon(0, "1-004c", "max31865", ("temp1_input", "850000"), ("temp1_fault", "1"), ("temp1_max_alarm", "0"), ("temp1_crit_alarm", "1"), ("temp10_alarm", "1"));
        using var sensor = new Sensor("max31865", "temp1", _tree.Root);
        Assert.Equal(SensorReading.Missing(SensorStatus.Fault), sensor.Read());
        Assert.Contains("temp1 of max31865 (i2c 1-004c): the chip reports a fault", sensor.Problem, StringComparison.Ordinal);

        SensorTreeDouble.Write(folder, "temp1_fault", "0");
        SensorTreeDouble.Write(folder, "temp1_input", "99000");
        Assert.Equal(new SensorReading(99, SensorStatus.Alarm), sensor.Read());
        SensorTreeDouble.Write(folder, "temp1_crit_alarm", "0");
        Assert.Equal(new SensorReading(99, SensorStatus.Good), sensor.Read());
    }

    [Fact]
    public void A_power_meter_that_only_averages_is_read()
    {
        _tree.AddHwmon(0, "1-0040", "meter", ("power1_average", "1500000"));
        using var sensor = new Sensor("meter", "power1", _tree.Root);
        Assert.Equal(1.5, sensor.Read().Value);
    }

    [Fact]
    public void Values_that_an_old_driver_shows_at_the_hardware_are_read()
    {
        var folder = _tree.AddHwmon(0, "1-0049", "old");
        File.WriteAllText(Path.Combine(folder, "device", "temp1_input"), "30000\n");
        using var sensor = new Sensor("1-0049", "temp1", _tree.Root);
        Assert.Equal(30, sensor.Read().Value);
    }

    [Theory]
    [InlineData("", SensorStatus.NoAnswer, "does not answer: is it plugged in and powered")]
    [InlineData("twenty", SensorStatus.Unreadable, "shows no number")]
    [InlineData("nan", SensorStatus.Unreadable, "shows no number")]
    [InlineData("12 dB", SensorStatus.Unreadable, "shows no number")]
    public void A_text_that_is_no_number_is_no_value(string text, SensorStatus status, string words)
    {
        _tree.AddIio(0, "1-0048", "chip", ("in_temp_input", text));
        using var sensor = new Sensor("chip", "in_temp", _tree.Root);
        Assert.Equal(SensorReading.Missing(status), sensor.Read());
        Assert.Contains($"in_temp of chip (i2c 1-0048) {words}", sensor.Problem, StringComparison.Ordinal);
    }

    // The texts of w1_therm; the kernel judges the checksum (YES or NO), it is not computed again.
    [Theory]
    [InlineData("a3 01 4b 46 7f ff 0d 10 ce : crc=ce YES\na3 01 4b 46 7f ff 0d 10 ce t=26187", 26.187, SensorStatus.Good)]
    [InlineData("5e ff 4b 46 7f ff 02 10 aa : crc=aa YES\n5e ff 4b 46 7f ff 02 10 aa t=-10125", -10.125, SensorStatus.Good)]
    [InlineData("50 05 4b 46 7f ff 10 10 aa : crc=aa YES\n50 05 4b 46 7f ff 10 10 aa t=85000", 85, SensorStatus.Good)]
    [InlineData("50 05 4b 46 7f ff 0c 10 1c : crc=1c YES\n50 05 4b 46 7f ff 0c 10 1c t=85000", double.NaN, SensorStatus.PowerOn)]
    [InlineData("ff 07 4b 46 7f ff 0c 10 aa : crc=aa YES\nff 07 4b 46 7f ff 0c 10 aa t=127937", double.NaN, SensorStatus.PowerOn)]
    [InlineData("a3 01 4b 46 7f ff 0d 10 ff : crc=ce NO\na3 01 4b 46 7f ff 0d 10 ce t=26187", double.NaN, SensorStatus.Checksum)]
    [InlineData("00 00 00 00 00 00 00 00 00 : crc=00 YES\n00 00 00 00 00 00 00 00 00 t=0", double.NaN, SensorStatus.NoAnswer)]
    [InlineData("", double.NaN, SensorStatus.NoAnswer)]
    [InlineData("a3 01 4b", double.NaN, SensorStatus.Unreadable)]
    [InlineData("a3 01 4b 46 7f ff 0d 10 ce : crc=ce YES\n", double.NaN, SensorStatus.Unreadable)]
    [InlineData("zz 01 4b 46 7f ff 0d 10 ce : crc=ce YES\na3 t=1", double.NaN, SensorStatus.Unreadable)]
    public void An_answer_on_1_Wire_is_judged_before_it_is_believed(string answer, double value, SensorStatus status)
    {
        _tree.AddOneWire("28-0316a2794f5e", answer);
        using var sensor = new Sensor("28-0316a2794f5e", "temperature", _tree.Root);
        Assert.Equal(new SensorReading(value, status), sensor.Read());
        Assert.Equal(status == SensorStatus.Good, sensor.Problem.Length == 0);
    }

    [Fact]
    public void Without_the_whole_answer_the_number_of_power_on_is_not_believed()
    {
        var folder = _tree.AddOneWire("28-0316a2794f5e", null);
        SensorTreeDouble.Write(folder, "temperature", "85000");
        using var sensor = new Sensor("w1 28-0316a2794f5e", "temperature", _tree.Root);
        Assert.Equal(SensorReading.Missing(SensorStatus.PowerOn), sensor.Read());
        SensorTreeDouble.Write(folder, "temperature", "84937");
        Assert.Equal(84.937, sensor.Read().Value);
    }

    [Fact]
    public void A_sensor_that_is_not_there_is_read_once_it_is()
    {
        using var sensor = new Sensor("1-0048", "in_temp", _tree.Root);
        Assert.Equal(SensorReading.Missing(SensorStatus.NotFound), sensor.Read());
        Assert.StartsWith("no sensor is called \"1-0048\"", sensor.Problem, StringComparison.Ordinal);
        _tree.AddIio(0, "1-0048", "chip", ("in_temp_input", "1000"));
        Assert.Equal(new SensorReading(1, SensorStatus.Good), sensor.Read());
        Assert.Equal("", sensor.Problem);
    }

    // errno of include/uapi/asm-generic/errno.h.
    [Theory]
    [InlineData(19, SensorStatus.Gone, "was removed (No such device, errno 19): unplugged, or its driver unloaded")]
    [InlineData(6, SensorStatus.NoAnswer, "does not answer (No such device or address, errno 6)")]
    [InlineData(5, SensorStatus.NoAnswer, "does not answer (")]
    [InlineData(121, SensorStatus.NoAnswer, "does not answer (Remote I/O error, errno 121)")]
    [InlineData(110, SensorStatus.NoAnswer, "does not answer (Connection timed out, errno 110)")]
    [InlineData(13, SensorStatus.NotAllowed, "may not be read by this user (Permission denied, errno 13)")]
    [InlineData(61, SensorStatus.Disabled, "is switched off in the kernel (No data available, errno 61)")]
    [InlineData(16, SensorStatus.Busy, "is in use by another program (Device or resource busy, errno 16)")]
    [InlineData(22, SensorStatus.Unreadable, "cannot be read (Invalid argument, errno 22)")]
    public void Every_refusal_of_the_kernel_has_words(int error, SensorStatus status, string words)
    {
        Assert.Equal(status, SensorErrors.StatusOf(error));
        Assert.StartsWith($"temp1 {words}", SensorErrors.Describe("temp1", status, error), StringComparison.Ordinal);
    }

    [Fact]
    public void Reading_allocates_nothing()
    {
        _tree.AddIio(0, "1-0048", "chip", ("in_voltage0_raw", "16000"), ("in_voltage_offset", "-3"), ("in_voltage_scale", "0.125"));
        _tree.AddHwmon(0, "1-0049", "lm75", ("temp1_input", "21500"), ("temp1_fault", "0"), ("temp1_max_alarm", "1"));
        _tree.AddOneWire("28-0316a2794f5e", "a3 01 4b 46 7f ff 0d 10 ce : crc=ce YES\na3 01 4b 46 7f ff 0d 10 ce t=26187");
        Sensor[] sensors = [new("chip", "in_voltage0", _tree.Root), new("lm75", "temp1", _tree.Root), new("28-0316a2794f5e", "temperature", _tree.Root)];
        Assert.All(sensors, sensor => Assert.True(sensor.Read().HasValue));
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
        {
            foreach (var sensor in sensors)
            {
                sensor.Read();
            }
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Array.ForEach(sensors, sensor => sensor.Dispose());
    }
}
