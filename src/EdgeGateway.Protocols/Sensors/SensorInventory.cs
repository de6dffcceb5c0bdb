namespace EdgeGateway.Protocols.Sensors;

/// <summary>A channel of a sensor that is there.</summary>
/// <param name="Device">The sensor.</param>
/// <param name="Channel">Its channel.</param>
public readonly record struct SensorPlace(SensorDevice Device, SensorChannel Channel);

/// <summary>The sensors that the kernel shows, as they were when looked at.</summary>
/// <param name="devices">The sensors.</param>
public sealed class SensorInventory(IReadOnlyList<SensorDevice> devices)
{
    private const int MostListed = 20;

    /// <summary>What to do where a sensor is missing.</summary>
    public const string Cure =
        "Is it wired and powered? A sensor needs a driver: on a Raspberry Pi a line such as `dtoverlay=i2c-sensor,bme280`, `dtoverlay=ads1115` or `dtoverlay=w1-gpio` in /boot/firmware/config.txt and a restart; to try one by hand `echo ads1115 0x48 | sudo tee /sys/bus/i2c/devices/i2c-1/new_device`";

    /// <summary>The sensors in the order of interface and address.</summary>
    public IReadOnlyList<SensorDevice> Devices { get; } = devices;

    /// <summary>Looks at all sensors. Nothing is measured.</summary>
    /// <param name="root">The folder in which <c>sys</c> is.</param>
    /// <exception cref="PlatformNotSupportedException">This is not Linux.</exception>
    public static SensorInventory Read(string root = "/")
    {
        RequireLinux();
        var found = new List<SensorDevice>();
        found.AddRange(Folders(root, "sys/bus/w1/devices").Select(OneWireTree.Look).OfType<SensorDevice>());
        found.AddRange(Folders(root, "sys/bus/iio/devices").Select(IioTree.Look).OfType<SensorDevice>());

        // A thermometer on 1-Wire is shown as hwmon as well; its own interface tells more.
        found.AddRange(Folders(root, "sys/class/hwmon").Select(HwmonTree.Look).OfType<SensorDevice>()
            .Where(d => !found.Exists(w => w.Interface == SensorInterface.OneWire && w.Address == d.Address)));
        return new([.. found.OrderBy(d => d.Interface).ThenBy(d => d.Address, StringComparer.Ordinal).ThenBy(d => d.Name, StringComparer.Ordinal)]);
    }

    /// <summary>Finds the one channel.</summary>
    /// <param name="device">Label, address, node or chip: see <see cref="SensorDevice.IsCalled"/>. Never the kernel's number.</param>
    /// <param name="channel">The kernel's name of the channel, or its label.</param>
    /// <exception cref="SensorException">There is none, or more than one; the message says what there is.</exception>
    public SensorPlace Find(string device, string channel)
    {
        ArgumentException.ThrowIfNullOrEmpty(device);
        ArgumentException.ThrowIfNullOrEmpty(channel);
        var named = Devices.Where(d => d.IsCalled(device)).ToList();
        var found = named.SelectMany(d => d.Channels.Where(c => c.Id == channel || c.Label == channel).Select(c => new SensorPlace(d, c))).ToList();
        if (found.Count == 1)
        {
            return found[0];
        }

        if (found.Count > 1)
        {
            throw new SensorException(
                SensorFault.Ambiguous,
                $"{found.Count} channels are called \"{channel}\" of \"{device}\": {string.Join(", ", found.Select(f => $"{f.Channel.Id} of {NameOf(f.Device)}"))}. Name the sensor by one of these");
        }

        if (named.Count > 0)
        {
            throw new SensorException(SensorFault.NoChannel, $"{string.Join("; ", named.Select(d => $"{d.Title} has no channel \"{channel}\": {ChannelsOf(d)}"))}");
        }

        if (Devices.FirstOrDefault(d => d.Number == device) is { } numbered)
        {
            throw new SensorException(
                SensorFault.NoDevice, $"\"{device}\" is a number of the kernel, which changes from boot to boot; now it is {numbered.Title}. Write \"{NameOf(numbered)}\"");
        }

        throw new SensorException(SensorFault.NoDevice, $"no sensor is called \"{device}\": {WhatThereIs()}");
    }

    /// <summary>The name by which <see cref="Find"/> finds this sensor and no other, if it has one.</summary>
    public string NameOf(SensorDevice device)
    {
        ArgumentNullException.ThrowIfNull(device);
        string[] names = [device.Label, device.Address, device.Node, device.Name];
        return Array.Find(names, name => name.Length > 0 && Devices.Count(d => d.IsCalled(name)) == 1) ?? device.Identity;
    }

    private string WhatThereIs() => Devices.Count == 0
        ? $"there is none at all. {Cure}"
        : $"there is {string.Join(", ", Devices.Take(MostListed).Select(d => $"{d.Name} \"{NameOf(d)}\""))}{(Devices.Count > MostListed ? $" and {Devices.Count - MostListed} more" : "")}. {Cure}";

    /// <summary>The channels of a sensor, as messages say them.</summary>
    public static string ChannelsOf(SensorDevice device) => device.Channels.Count > 0
        ? $"it has {string.Join(", ", device.Channels.Select(c => c.Label.Length > 0 ? $"{c.Id} ({c.Label})" : c.Id))}"
        : device.Interface == SensorInterface.OneWire ? "it has none, as the driver w1_therm is not loaded (`sudo modprobe w1_therm`)" : "it has none that can be read";

    internal static void RequireLinux()
    {
        if (!OperatingSystem.IsLinux())
        {
            throw new PlatformNotSupportedException("sensors of the kernel are only supported on Linux");
        }
    }

    private static IEnumerable<string> Folders(string root, string bus)
    {
        var folder = Path.Combine(root, bus);
        return Directory.Exists(folder) ? Directory.EnumerateFileSystemEntries(folder).Order(StringComparer.Ordinal) : [];
    }
}
