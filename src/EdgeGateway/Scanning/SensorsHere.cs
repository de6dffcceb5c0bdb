using System.Globalization;
using System.Text;
using EdgeGateway.Buses;
using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Site;
using EdgeGateway.Protocols.Sensors;

namespace EdgeGateway.Scanning;

/// <summary>The sensors of this computer beside what <c>gateway.yaml</c> says of them.</summary>
internal static class SensorsHere
{
    /// <summary>What is wrong with an input on this computer.</summary>
    /// <param name="What">What, and how to mend it.</param>
    /// <param name="IsError">Whether it stays wrong on the computer of the site; one that is not here may be there.</param>
    public readonly record struct Refusal(string What, bool IsError);

    /// <summary>Why an input cannot be read on this computer; null when it can.</summary>
    public static Refusal? Refuse(SensorInventory inventory, SensorInput input)
    {
        try
        {
            var (_, channel) = inventory.Find(input.Device, input.Channel);
            var expected = input.ShuntOhms is null ? input.Measure.Word : "voltage";
            return SensorImageBus.Word(channel.Quantity) == expected ? null : new(SensorImageBus.Mismatch(input, channel.Quantity), IsError: true);
        }
        catch (SensorException refused)
        {
            return new(refused.Message, refused.Fault != SensorFault.NoDevice);
        }
    }

    /// <summary>All that is there, for people, with what to write into <c>gateway.yaml</c>.</summary>
    public static string List(SensorInventory inventory)
    {
        if (inventory.Devices.Count == 0)
        {
            return $"There is no sensor here. {SensorInventory.Cure}\n";
        }

        var text = new StringBuilder();
        var inputs = new StringBuilder();
        var devices = new StringBuilder();
        var unit = 0;
        foreach (var device in inventory.Devices)
        {
            var name = inventory.NameOf(device);
            text.Append(CultureInfo.InvariantCulture, $"{device.Name}, called \"{name}\" ({device.Interface.ToString().ToLowerInvariant()}{(device.Node.Length > 0 ? $", {device.Node}" : "")})\n");
            foreach (var channel in device.Channels)
            {
                var label = channel.Label.Length > 0 ? $" \"{channel.Label}\"" : "";
                text.Append(CultureInfo.InvariantCulture, $"  {channel.Id}{label}: {(channel.Quantity == SensorQuantity.None ? "no unit known, cannot be used" : $"{SensorImageBus.Word(channel.Quantity)} in {channel.Quantity.Unit()}")}\n");
                if (channel.Quantity != SensorQuantity.None && unit < byte.MaxValue)
                {
                    unit++;
                    inputs.Append(CultureInfo.InvariantCulture, $"      - {{ unit: {unit}, device: {YamlText.Write(name)}, channel: {YamlText.Write(channel.Id)}, measures: {SensorImageBus.Word(channel.Quantity)} }}\n");
                    devices.Append(Entry(device, channel, unit));
                }
            }

            if (device.Channels.Count == 0)
            {
                text.Append(CultureInfo.InvariantCulture, $"  {SensorInventory.ChannelsOf(device)}\n");
            }
        }

        return inputs.Length == 0
            ? text.ToString()
            : $"{text}\nFor gateway.yaml; leave out what is not needed:\n\nbuses:\n  - id: sensors\n    type: sensors\n    inputs:\n{inputs}devices:\n{devices}";
    }

    private static string Entry(SensorDevice device, SensorChannel channel, int unit)
    {
        var profile = device.Interface == SensorInterface.OneWire ? "generic-sensor-1-wire" : channel.Quantity switch
        {
            SensorQuantity.Temperature => "generic-sensor-temperature",
            SensorQuantity.Humidity => "generic-sensor-humidity",
            SensorQuantity.Pressure => "generic-sensor-pressure",
            SensorQuantity.Current => "generic-sensor-current",
            SensorQuantity.Concentration when channel.Id.EndsWith("co2", StringComparison.Ordinal) => "generic-sensor-co2",
            SensorQuantity.Voltage => "generic-sensor-voltage",
            _ => "",
        };
        return profile.Length > 0
            ? ScanYaml.Device($"sensor-{unit}", profile, "sensors", unit, "", channel.Quantity == SensorQuantity.Voltage && device.Interface == SensorInterface.Iio ? "a 4-20 mA loop: generic-sensor-4-20ma, and at its input measures: current, shunt: OHMS" : "")
            : $"  # unit {unit}: write a profile for its {SensorImageBus.Word(channel.Quantity)}, see docs/sensors.md\n";
    }
}
