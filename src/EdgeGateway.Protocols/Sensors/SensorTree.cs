using System.Collections.Frozen;

namespace EdgeGateway.Protocols.Sensors;

/// <summary>What all interfaces have in common: where a sensor is on its bus, and short texts.</summary>
internal static class SensorTree
{
    // Buses on which a device has a name that comes from where it is. Others count their devices (thermal_zone0), and the count changes.
    private static readonly FrozenSet<string> Placed = FrozenSet.Create("i2c", "spi", "w1", "platform", "usb", "pci", "amba");

    /// <summary>The text of a file of sysfs; null when there is none or it is not shown: not every sensor has every file, and a name is all that is lost.</summary>
    public static string? Text(string folder, string file) => KernelText.Read(Path.Combine(folder, file));

    /// <summary>The names of the files in a folder; none when it went meanwhile.</summary>
    public static IReadOnlyList<string> Files(string folder)
    {
        try
        {
            return [.. Directory.EnumerateFiles(folder).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>Bus and place of the hardware behind a folder of a class or bus, such as <c>i2c 1-0048</c>; empty when there is none.</summary>
    /// <param name="folder">The folder or the link to it.</param>
    public static string Address(string folder)
    {
        var bus = Hardware(folder) is { } hardware ? Path.GetFileName(Resolve(Path.Combine(hardware, "subsystem"))) : "";
        return Placed.Contains(bus) ? $"{bus} {Path.GetFileName(Hardware(folder))}" : "";
    }

    /// <summary>The node of the device tree, as its path; empty when there is none.</summary>
    public static string Node(string folder)
    {
        foreach (var at in new[] { folder, Hardware(folder) })
        {
            if (at is not null && Directory.Exists(Path.Combine(at, "of_node")))
            {
                const string Base = "/devicetree/base";
                var node = Resolve(Path.Combine(at, "of_node"));
                var start = node.IndexOf(Base, StringComparison.Ordinal);
                return start < 0 ? node : node[(start + Base.Length)..];
            }
        }

        return "";
    }

    /// <summary>The folder of the hardware itself; null when there is none, as for a device of software.</summary>
    private static string? Hardware(string folder)
    {
        // What classes add hangs below the hardware, hwmon with a folder of its own between them. Hardware is on a bus.
        for (var at = Path.GetDirectoryName(Resolve(folder)); at is { Length: > 1 }; at = Path.GetDirectoryName(at))
        {
            if (Directory.Exists(Path.Combine(at, "subsystem")))
            {
                return at;
            }

            if (Path.GetFileName(at) != "hwmon")
            {
                return null;
            }
        }

        return null;
    }

    private static string Resolve(string path)
    {
        try
        {
            return Directory.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? Path.GetFullPath(path);
        }
        catch (IOException)
        {
            // It went at this moment: what hangs on it is gone as well.
            return Path.GetFullPath(path);
        }
    }
}
