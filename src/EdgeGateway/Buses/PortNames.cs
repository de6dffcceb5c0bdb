using System.Text.RegularExpressions;

namespace EdgeGateway.Buses;

/// <summary>Names of serial ports: which of them may belong to another adapter after the next start, and what to write instead.</summary>
internal static partial class PortNames
{
    // By the adapter's serial number, and by the socket it is plugged into: udev makes both.
    private static readonly string[] StableFolders = ["/dev/serial/by-id", "/dev/serial/by-path"];

    /// <summary>What is wrong with the name of a port and the cure; null when it is a stable one.</summary>
    /// <param name="path">The path as configured.</param>
    /// <param name="folders">Where stable names are; null for those of udev.</param>
    public static string? Advise(string path, IReadOnlyList<string>? folders = null)
    {
        if (!CountedName().IsMatch(path))
        {
            return null;
        }

        var stable = (folders ?? StableFolders).Select(folder => NameIn(folder, path)).FirstOrDefault(name => name is not null);
        return $"{path} is numbered in the order in which adapters are found: after a restart or another socket it may be another adapter. "
            + (stable is null
                ? "Write its name below /dev/serial/by-id, or by-path for adapters without a serial number (`ls -l /dev/serial/by-id /dev/serial/by-path`)"
                : $"Write {stable}");
    }

    /// <summary>Serial ports that are there, each by its stable name where it has one; ports without hardware behind them are left out.</summary>
    public static IReadOnlyList<string> Present()
    {
        const string classes = "/sys/class/tty";
        return Directory.Exists(classes)
            ? [.. Directory.EnumerateDirectories(classes).Where(IsHardware).Select(d => $"/dev/{Path.GetFileName(d)}").Where(File.Exists)
                .Select(path => StableFolders.Select(folder => NameIn(folder, path)).FirstOrDefault(name => name is not null) ?? path).Order(StringComparer.Ordinal)]
            : [];
    }

    // Consoles and pseudo terminals have no device; the places that the driver of the PC's serial ports keeps free have type 0 (PORT_UNKNOWN).
    private static bool IsHardware(string folder)
    {
        var type = Path.Combine(folder, "type");
        return Directory.Exists(Path.Combine(folder, "device")) && (!File.Exists(type) || File.ReadAllText(type).Trim() != "0");
    }

    private static string? NameIn(string folder, string path)
    {
        if (!Directory.Exists(folder))
        {
            return null;
        }

        try
        {
            return Directory.EnumerateFileSystemEntries(folder).Order(StringComparer.Ordinal)
                .FirstOrDefault(link => File.ResolveLinkTarget(link, returnFinalTarget: true)?.FullName == path);
        }
        catch (IOException)
        {
            // The adapter was pulled while its names were read: then there is none to propose.
            return null;
        }
    }

    [GeneratedRegex("^/dev/tty(USB|ACM)[0-9]+$", RegexOptions.CultureInvariant)]
    private static partial Regex CountedName();
}
