using System.Globalization;

namespace EdgeGateway.Protocols.Serial;

/// <summary>The serial ports of this computer, as the kernel and udev show them. Nothing is opened: no level changes on any line.</summary>
/// <param name="root">Where the computer's files begin; another folder in tests.</param>
public sealed class SerialInventory(string root = "/")
{
    private const int MostSteps = 4;

    // By the adapter's serial number, and by the socket it is plugged into: udev makes both.
    private static readonly string[] StableFolders = ["dev/serial/by-id", "dev/serial/by-path"];

    // Makers of the chips in nearly all USB adapters, by the number that the USB forum gave them.
    private static readonly string[] AdapterMakers = ["0403", "1a86", "10c4", "067b"];

    /// <summary>Ports that are there, each by its stable name where it has one; ports without hardware behind them are left out.</summary>
    public IReadOnlyList<string> Present()
    {
        var classes = At("sys/class/tty");
        return Directory.Exists(classes)
            ? [.. Directory.EnumerateDirectories(classes).Where(IsHardware).Select(d => $"/dev/{Path.GetFileName(d)}").Where(path => File.Exists(At(path)))
                .Select(path => StableName(path) ?? path).Order(StringComparer.Ordinal)]
            : [];
    }

    /// <summary>The name of a port that stays the same over restarts, by serial number or else by socket; null when udev made none.</summary>
    public string? StableName(string path)
    {
        var target = Path.GetFileName(path);
        foreach (var folder in StableFolders)
        {
            if (Links(folder).FirstOrDefault(link => Path.GetFileName(Target(link)) == target) is { } link)
            {
                return $"/{folder}/{Path.GetFileName(link)}";
            }
        }

        return null;
    }

    /// <summary>The kernel's name of a port, such as <c>ttyUSB0</c>, whatever link it is called by; null when it is not there.</summary>
    public string? KernelName(string path) => File.Exists(At(path)) ? Path.GetFileName(Target(At(path))) : null;

    /// <summary>The driver of a port, such as <c>ftdi_sio</c> or <c>uart-pl011</c>; null when the kernel does not name one.</summary>
    public string? Driver(string path)
    {
        if (KernelName(path) is not { } name || Device(name) is not { } device)
        {
            return null;
        }

        // Newer kernels put a port and a controller of their own between the terminal and the hardware.
        for (var step = 0; step < MostSteps && device.Length > 1; step++, device = Path.GetDirectoryName(device)!)
        {
            // A device that no driver has taken has no such link.
            var link = Path.Combine(device, "driver");
            if (Directory.Exists(link) && Path.GetFileName(Directory.ResolveLinkTarget(link, returnFinalTarget: true)?.FullName) is { Length: > 0 } driver and not ("port" or "ctrl"))
            {
                return driver;
            }
        }

        return null;
    }

    /// <summary>Milliseconds for which the adapter may hold back received bytes; null where the driver has no such setting.</summary>
    public int? LatencyTimer(string path) =>
        KernelName(path) is { } name && int.TryParse(Word($"sys/bus/usb-serial/devices/{name}/latency_timer"), NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds) ? milliseconds : null;

    /// <summary>Whether the kernel writes its messages to a port, and a login may wait there.</summary>
    public bool IsConsole(string path) =>
        KernelName(path) is { } name && Word("sys/class/tty/console/active") is { } active && active.Split(' ').Contains(name);

    /// <summary>USB adapters for serial lines that are plugged in and have no port, as <c>1a86:7523 (USB Serial)</c>: no driver has them, or somebody took them from it.</summary>
    public IReadOnlyList<string> WithoutPort()
    {
        var devices = At("sys/bus/usb/devices");
        if (!Directory.Exists(devices))
        {
            return [];
        }

        List<string> found = [];
        foreach (var device in Directory.EnumerateDirectories(devices).Order(StringComparer.Ordinal))
        {
            var place = Path.GetRelativePath(root, device);
            if (Word(Path.Combine(place, "idVendor")) is { } vendor && AdapterMakers.Contains(vendor) && !HasPort(device))
            {
                var product = Word(Path.Combine(place, "product"));
                found.Add($"{vendor}:{Word(Path.Combine(place, "idProduct"))}{(product is null ? "" : $" ({product})")}");
            }
        }

        return found;
    }

    /// <summary>Whether a program of this name runs.</summary>
    internal bool Runs(string program)
    {
        try
        {
            return Directory.EnumerateDirectories(At("proc"), "*").Any(process => char.IsAsciiDigit(Path.GetFileName(process)[0]) && Word($"proc/{Path.GetFileName(process)}/comm") == program);
        }
        catch (IOException)
        {
            // Without /proc nobody can tell.
            return false;
        }
    }

    /// <summary>The name of a group; null when <c>/etc/group</c> has none for the number.</summary>
    internal string? GroupName(uint number) => Group(number) is [var name, ..] ? name : null;

    /// <summary>Who is in a group besides those whose first group it is.</summary>
    internal IReadOnlyList<string> GroupMembers(uint number) => Group(number) is [_, _, _, var members] ? members.Split(',') : [];

    /// <summary>A file's place below the root.</summary>
    internal string At(string path) => Path.Combine(root, path.TrimStart('/'));

    /// <summary>The text of a small file without what surrounds it; null when it is not there or must not be read.</summary>
    internal string? Word(string path) => KernelText.Read(At(path));

    // group(5): name, password, number, members.
    private string[] Group(uint number) =>
        Word("etc/group")?.Split('\n').Select(line => line.Split(':')).FirstOrDefault(fields => fields is [_, _, var id, ..] && id == number.ToString(CultureInfo.InvariantCulture)) ?? [];

    // Consoles and pseudo terminals have no device; the places that the driver of the PC's serial ports keeps free have type 0 (PORT_UNKNOWN).
    private bool IsHardware(string folder)
    {
        var name = Path.GetFileName(folder);
        return Directory.Exists(Path.Combine(folder, "device")) && Word($"sys/class/tty/{name}/type") != "0";
    }

    // An adapter's port stands below one of its interfaces: 1-1.2/1-1.2:1.0/ttyUSB0, or .../tty/ttyACM0.
    private static bool HasPort(string device)
    {
        try
        {
            return Directory.EnumerateDirectories(device, $"{Path.GetFileName(device)}:*").Any(i => Directory.EnumerateDirectories(i, "tty*").Any());
        }
        catch (IOException)
        {
            // It was pulled while it was looked at: then it is none that lacks a port.
            return true;
        }
    }

    private string? Device(string name)
    {
        var folder = At($"sys/class/tty/{name}");
        if (!Directory.Exists(folder))
        {
            return null;
        }

        // The entry is a link into the tree of devices, and so is its "device".
        var entry = Directory.ResolveLinkTarget(folder, returnFinalTarget: true)?.FullName ?? folder;
        var device = Path.Combine(entry, "device");
        return Directory.Exists(device) ? Directory.ResolveLinkTarget(device, returnFinalTarget: true)?.FullName ?? device : null;
    }

    private IEnumerable<string> Links(string folder)
    {
        try
        {
            return Directory.Exists(At(folder)) ? [.. Directory.EnumerateFileSystemEntries(At(folder)).Order(StringComparer.Ordinal)] : [];
        }
        catch (IOException)
        {
            // The last adapter was pulled while the names were read: then there is none to propose.
            return [];
        }
    }

    private static string Target(string path)
    {
        try
        {
            return File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path;
        }
        catch (IOException)
        {
            // As above.
            return path;
        }
    }
}
