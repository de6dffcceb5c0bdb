using System.Text.RegularExpressions;

namespace EdgeGateway.Protocols.Sensors;

/// <summary>Thermometers on 1-Wire (Documentation/w1/slaves/w1_therm).</summary>
internal static partial class OneWireTree
{
    /// <summary>The file with the whole answer of the thermometer.</summary>
    public const string Answer = "w1_slave";

    /// <summary>The file with nothing but the number.</summary>
    public const string Number = "temperature";

    /// <summary>Looks at an entry of <c>/sys/bus/w1/devices</c>; null when it is no thermometer.</summary>
    public static SensorDevice? Look(string folder)
    {
        var id = Path.GetFileName(folder);
        if (!Thermometer().IsMatch(id))
        {
            return null;
        }

        // Without the driver there is an entry all the same: something on the line has told its number.
        var hasDriver = File.Exists(Path.Combine(folder, Answer)) || File.Exists(Path.Combine(folder, Number));
        return new(
            SensorInterface.OneWire, folder, Chip(id), "", SensorTree.Node(folder), $"w1 {id}",
            hasDriver ? [new(SensorQuantities.OneWireChannel, "", SensorQuantity.Temperature)] : []);
    }

    private static string Chip(string id) => id[..2] switch
    {
        "10" => "ds18s20",
        "22" => "ds1822",
        "3b" => "ds1825",
        "42" => "ds28ea00",
        _ => "ds18b20",
    };

    // The family codes that w1_therm takes.
    [GeneratedRegex("^(10|22|28|3b|42)-[0-9a-f]{12}$")]
    private static partial Regex Thermometer();
}
