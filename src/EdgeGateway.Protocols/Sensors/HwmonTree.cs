using System.Text.RegularExpressions;

namespace EdgeGateway.Protocols.Sensors;

/// <summary>Sensors of hardware monitoring (Documentation/hwmon/sysfs-interface).</summary>
internal static partial class HwmonTree
{
    /// <summary>Looks at an entry of <c>/sys/class/hwmon</c>.</summary>
    public static SensorDevice? Look(string folder)
    {
        if (!Path.GetFileName(folder).StartsWith("hwmon", StringComparison.Ordinal))
        {
            return null;
        }

        // Old drivers show the values at the hardware itself, one folder up.
        var values = ValueFolder(folder);
        var channels = SensorTree.Files(values).Select(file => Value().Match(file)).Where(match => match.Success).Select(match => match.Groups[1].Value).Distinct()
            .Where(id => SensorQuantities.Hwmon(id).Quantity != SensorQuantity.None)
            .OrderBy(id => id.Length).ThenBy(id => id, StringComparer.Ordinal)
            .Select(id => new SensorChannel(id, SensorTree.Text(values, $"{id}_label") ?? "", SensorQuantities.Hwmon(id).Quantity));
        return new(
            SensorInterface.Hwmon, folder, SensorTree.Text(folder, "name") ?? SensorTree.Text(values, "name") ?? "", SensorTree.Text(folder, "label") ?? "",
            SensorTree.Node(folder), SensorTree.Address(folder), [.. channels]);
    }

    /// <summary>The folder that holds the values of an entry.</summary>
    public static string ValueFolder(string folder)
    {
        var hardware = Path.Combine(folder, "device");
        return SensorTree.Files(folder).Any(file => Value().IsMatch(file)) || !Directory.Exists(hardware) ? folder : hardware;
    }

    /// <summary>Whether a file tells an alarm of a channel: its own, or that of one of its limits.</summary>
    public static bool IsAlarm(string file, string channel) =>
        file.StartsWith($"{channel}_", StringComparison.Ordinal) && file.EndsWith("_alarm", StringComparison.Ordinal);

    // Some power meters only show an average.
    [GeneratedRegex("^([a-z]+[0-9]+)_(input|average)$")]
    private static partial Regex Value();
}
