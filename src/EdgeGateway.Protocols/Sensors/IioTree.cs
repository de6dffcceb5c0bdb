using System.Text.RegularExpressions;

namespace EdgeGateway.Protocols.Sensors;

/// <summary>Sensors of Industrial I/O (Documentation/ABI/testing/sysfs-bus-iio).</summary>
internal static partial class IioTree
{
    /// <summary>Looks at an entry of <c>/sys/bus/iio/devices</c>; null when it is a trigger.</summary>
    public static SensorDevice? Look(string folder)
    {
        if (!Path.GetFileName(folder).StartsWith("iio:device", StringComparison.Ordinal))
        {
            return null;
        }

        var files = SensorTree.Files(folder).ToHashSet();
        var channels = files.Select(file => Value().Match(file)).Where(match => match.Success).Select(match => match.Groups[1].Value).Distinct()
            .OrderBy(id => id.Length).ThenBy(id => id, StringComparer.Ordinal)
            .Select(id => new SensorChannel(
                id,
                SensorTree.Text(folder, $"{id}_label") ?? "",
                files.Contains($"{id}_input") || Shared(files, id, "scale") is not null ? SensorQuantities.Iio(id).Quantity : SensorQuantity.None));
        return new(
            SensorInterface.Iio, folder, SensorTree.Text(folder, "name") ?? "", SensorTree.Text(folder, "label") ?? "",
            SensorTree.Node(folder), SensorTree.Address(folder), [.. channels]);
    }

    /// <summary>The file that holds scale or offset of a channel: its own, or one that it shares with others of its type; null when there is none.</summary>
    public static string? Shared(IReadOnlySet<string> files, string channel, string what)
    {
        // in_voltage0-voltage1 shares in_voltage-voltage_scale; in_concentration1_co2 shares in_concentration_co2_scale and in_concentration_scale.
        var match = Parts().Match(channel);
        var plain = match.Success ? $"in_{match.Groups["type"].Value}{match.Groups["minus"].Value}" : channel;
        string[] names = [$"{channel}_{what}", $"{plain}{match.Groups["rest"].Value}_{what}", $"{plain}_{what}", $"in_{what}"];
        return Array.Find(names, files.Contains);
    }

    [GeneratedRegex("^(in_.+)_(raw|input)$")]
    private static partial Regex Value();

    [GeneratedRegex(@"^in_(?<type>[a-z]+)\d*(?:(?<minus>-[a-z]+)\d*)?(?<rest>_.+)?$")]
    private static partial Regex Parts();
}
