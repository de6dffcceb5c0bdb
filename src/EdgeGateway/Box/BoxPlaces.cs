using EdgeGateway.Protocols;

namespace EdgeGateway.Box;

/// <summary>Where a computer shows its health; the places differ from board to board. Looking allocates, and is done seldom.</summary>
/// <param name="root">Where its files begin.</param>
internal sealed class BoxPlaces(string root)
{
    // In this order: what the makers of boards call the sensor in the processor.
    private static readonly string[] Zones = ["cpu-thermal", "cpu_thermal", "x86_pkg_temp", "soc-thermal", "soc_thermal", "cpu0-thermal"];
    private static readonly string[] Chips = ["coretemp", "k10temp", "zenpower", "cpu_thermal"];

    /// <summary>The file with the temperature of the processor in thousandths of a degree; null when none is shown.</summary>
    /// <param name="sensor">The sensor by name, or null to find it.</param>
    public string? Temperature(string? sensor)
    {
        string[] zones = sensor is null ? Zones : [sensor];
        string[] chips = sensor is null ? Chips : [sensor];
        return zones.Select(type => Folder("sys/class/thermal", "type", type)).FirstOrDefault(f => f is not null) is { } zone ? Path.Combine(zone, "temp")
            : chips.Select(name => Folder("sys/class/hwmon", "name", name)).FirstOrDefault(f => f is not null) is { } chip ? Path.Combine(chip, "temp1_input")
            : null;
    }

    /// <summary>The sensors of temperature that there are, by the names that <see cref="Temperature"/> takes.</summary>
    public IReadOnlyList<string> Temperatures() =>
    [
        .. Folders("sys/class/thermal").Where(f => File.Exists(Path.Combine(f, "temp"))).Select(f => KernelText.Read(Path.Combine(f, "type")))
            .Concat(Folders("sys/class/hwmon").Where(f => File.Exists(Path.Combine(f, "temp1_input"))).Select(f => KernelText.Read(Path.Combine(f, "name"))))
            .OfType<string>().Distinct(),
    ];

    /// <summary>The status word of a Raspberry Pi's firmware.</summary>
    public string Throttled => At("sys/devices/platform/soc/soc:firmware/get_throttled");

    /// <summary>The alarm of a Raspberry Pi's supply; null when its driver (raspberrypi-hwmon) is not there.</summary>
    public string? UnderVoltage() => Folder("sys/class/hwmon", "name", "rpi_volt") is { } chip ? Path.Combine(chip, "in0_lcrit_alarm") : null;

    /// <summary>What the watchdogs say of the last start.</summary>
    public IReadOnlyList<string> BootStatus() => [.. Folders("sys/class/watchdog").Select(w => Path.Combine(w, "bootstatus")).Where(File.Exists)];

    /// <summary>A file of the kernel.</summary>
    public string At(string path) => Path.Combine(root, path);

    /// <summary>The folder of the disk that a directory is on, with its files <c>stat</c> and <c>device</c>; null when it is on none (a network, memory).</summary>
    /// <remarks>By the mount point (proc_pid_mountinfo(5)): a file system that is spread over several disks names one of them.</remarks>
    public string? DiskOf(string directory)
    {
        if (MountOf(directory) is not { } mount)
        {
            return null;
        }

        var device = Resolved(At($"sys/dev/block/{mount.Number}")) ?? (mount.Source.StartsWith("/dev/", StringComparison.Ordinal) ? Resolved(At($"sys/class/block/{Path.GetFileName(mount.Source)}")) : null);
        return device is not null && File.Exists(Path.Combine(device, "partition")) ? Path.GetDirectoryName(device) : device;
    }

    /// <summary>The mount that a directory is on; null when the kernel shows none.</summary>
    public BoxMount? MountOf(string directory)
    {
        var table = KernelText.Read(At("proc/self/mountinfo"));
        string[]? mount = null;
        foreach (var fields in table?.Split('\n').Select(line => line.Split(' ')) ?? [])
        {
            // Later mounts hide earlier ones at the same place. A space in a path is written \040.
            if (fields.Length > 6 && IsIn(directory, Plain(fields[4])) && fields[4].Length >= (mount?[4].Length ?? 0))
            {
                mount = fields;
            }
        }

        // Behind the dash: the kind of file system, the source, and the options of the file system beside those of the mount.
        return mount is null ? null
            : mount.SkipWhile(field => field != "-").ToArray() is [_, var kind, var source, ..] rest
                ? new BoxMount(Plain(mount[4]), mount[2], kind, source, IsReadOnly(mount[5]) || (rest.Length > 3 && IsReadOnly(rest[3])))
                : new BoxMount(Plain(mount[4]), mount[2], "", "", IsReadOnly(mount[5]));
    }

    private static bool IsReadOnly(string options) => options.Split(',').Contains("ro");

    private static string Plain(string place) => place.Replace("\\040", " ", StringComparison.Ordinal);

    private static bool IsIn(string directory, string mount) => mount == "/" || directory == mount || directory.StartsWith($"{mount}/", StringComparison.Ordinal);

    private static string? Resolved(string path) => Directory.Exists(path) ? Directory.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path : null;

    private string? Folder(string place, string file, string content) => Folders(place).FirstOrDefault(f => KernelText.Read(Path.Combine(f, file)) == content);

    private IEnumerable<string> Folders(string place)
    {
        try
        {
            // By their numbers: thermal_zone2 before thermal_zone10.
            return Directory.Exists(At(place)) ? [.. Directory.EnumerateDirectories(At(place)).OrderBy(f => f.Length).ThenBy(f => f, StringComparer.Ordinal)] : [];
        }
        catch (IOException)
        {
            // A device went while its folder was listed: looked at again later.
            return [];
        }
    }
}

/// <summary>A mounted file system (proc_pid_mountinfo(5)).</summary>
/// <param name="Point">Where it is mounted.</param>
/// <param name="Number">Major and minor number of its device.</param>
/// <param name="FileSystem">Its kind, such as <c>ext4</c>; empty when the line does not say.</param>
/// <param name="Source">What is mounted, such as <c>/dev/mmcblk0p2</c>.</param>
/// <param name="IsReadOnly">Whether it can only be read.</param>
internal sealed record BoxMount(string Point, string Number, string FileSystem, string Source, bool IsReadOnly);
