using System.Globalization;
using System.Text.Json;
using Xunit.Abstractions;

namespace EdgeGateway.Integration.Sensors;

/// <summary>Sensors on the kernel's own interfaces: an lm75 behind hwmon and an ads1115 behind IIO, the kernel's drivers on a simulated I2C bus.</summary>
public sealed class SensorKernelTests(SensorMachine machine, ITestOutputHelper output) : IClassFixture<SensorMachine>
{
    [MachineFact]
    public async Task Sensors_are_found_by_their_address()
    {
        var facts = await FactsAsync("inventory");
        var bus = facts["bus"];
        Assert.Contains($"Iio/ads1015/i2c {bus}-0049", facts["devices"], StringComparison.Ordinal);
        Assert.Contains($"Hwmon/lm75/i2c {bus}-0048", facts["devices"], StringComparison.Ordinal);
        Assert.StartsWith("in_voltage0:Voltage,in_voltage1:Voltage,in_voltage2:Voltage,in_voltage3:Voltage,in_voltage0-voltage1:Voltage", facts["channels"], StringComparison.Ordinal);
        Assert.Equal($"NoDevice: \"hwmon0\" is a number of the kernel, which changes from boot to boot; now it is lm75 (i2c {bus}-0048). Write \"i2c {bus}-0048\"", facts["numbered"]);
    }

    [MachineFact]
    public async Task A_sensor_is_read_through_hwmon_and_one_through_IIO_without_allocation()
    {
        var facts = await FactsAsync("read");
        Assert.Equal(("21.5", "Good"), (facts["degrees"], facts["degrees-status"]));
        Assert.Equal(("0.4", "Good"), (facts["volts"], facts["volts-status"]));

        // Of two hundred readings. The odd object of the runtime's own is not one for each.
        Assert.InRange(int.Parse(facts["bytes"], CultureInfo.InvariantCulture), 0, 1000);
    }

    [MachineFact]
    public async Task A_sensor_that_does_not_answer_is_said_and_read_again()
    {
        var facts = await FactsAsync("no-answer");
        Assert.Equal(("Good", "NoAnswer"), (facts["before"], facts["refused"]));
        Assert.EndsWith("does not answer (No such device or address, errno 6): is it plugged in and powered, and is the wiring sound?", facts["words"], StringComparison.Ordinal);
        Assert.Equal(("21.5", ""), (facts["after"], facts["problem"]));
    }

    [MachineFact]
    public async Task A_sensor_unplugged_in_mid_read_is_said_and_found_again_under_another_number()
    {
        var facts = await FactsAsync("unplugged");
        Assert.Equal("Good,Gone,NotFound", facts["statuses"]);
        Assert.Contains("was removed (No such device, errno 19): unplugged, or its driver unloaded", facts["gone"], StringComparison.Ordinal);
        Assert.StartsWith("no sensor is called \"", facts["not-found"], StringComparison.Ordinal);
        Assert.Equal("21.5", facts["back"]);
        Assert.Equal($"hwmon{int.Parse(facts["left"], CultureInfo.InvariantCulture) + 1}", facts["folder"]);
    }

    [MachineFact]
    public async Task Samples_that_the_kernel_takes_by_a_timer_have_values_and_times()
    {
        var facts = await FactsAsync("capture");
        Assert.InRange(int.Parse(facts["count"], CultureInfo.InvariantCulture), 20, 64);
        Assert.Equal(("0.4", "0.4", "True", "0.4"), (facts["least"], facts["most"], facts["rising"], facts["mean"]));
        Assert.Equal(("Busy", "Good"), (facts["meanwhile"], facts["after"]));

        // The same as a sensor that is read.
        Assert.Equal(("0.4", "0.4", ""), (facts["captured"], facts["next"], facts["problem"]));
    }

    // The dummy's values are -33 of 12 bits and 7 of 13, its scales and offset those of its files: in_voltage-voltage_scale 0.000001344, in_voltage0 (7 + 7) x 0.001333 mV.
    [MachineFact]
    public async Task Values_of_several_sizes_are_taken_apart_scan_by_scan()
    {
        var facts = await FactsAsync("capture-several");
        Assert.Equal("3", facts["count"]);
        Assert.Equal("True", facts["rising"]);
        Assert.EndsWith("1.8662E-05", facts["values"], StringComparison.Ordinal);
        Assert.StartsWith("Busy: /dev/iio:device", facts["busy"], StringComparison.Ordinal);
        Assert.StartsWith("Unsupported: ", facts["refused"], StringComparison.Ordinal);
        Assert.Contains("nobody", facts["refused"], StringComparison.Ordinal);
    }

    [MachineFact]
    public async Task The_gateway_reads_a_loop_of_3_6_mA_and_does_not_believe_it()
    {
        var facts = await FactsAsync("gateway");
        Assert.Equal((3.6, "uncertain", "out of the plausible range"), Value(facts["loop"], "current"));
        Assert.Equal((0.0, "good", ""), Value(facts["loop"], "status"));
    }

    private static (double Value, string Quality, string Reason) Value(string json, string point)
    {
        using var document = JsonDocument.Parse(json);
        var found = document.RootElement.GetProperty("points").EnumerateArray().First(p => p.GetProperty("point").GetString() == point);
        return (found.GetProperty("value").GetDouble(), found.GetProperty("quality").GetString()!, found.GetProperty("reason").GetString() ?? "");
    }

    private async Task<IReadOnlyDictionary<string, string>> FactsAsync(string trial)
    {
        var facts = await machine.FactsAsync($"sensor-{trial}");
        output.WriteLine(string.Join("\n", facts.Select(fact => $"{fact.Key}: {fact.Value}")));
        return facts;
    }
}
