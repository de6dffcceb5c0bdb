namespace EdgeGateway.Protocols.Sensors;

/// <summary>The kernel's interface that shows a sensor.</summary>
public enum SensorInterface
{
    /// <summary>Industrial I/O: converters, and sensors of most kinds.</summary>
    Iio,

    /// <summary>Hardware monitoring: temperatures, supplies and fans.</summary>
    Hwmon,

    /// <summary>Thermometers on 1-Wire.</summary>
    OneWire,
}

/// <summary>A channel of a sensor.</summary>
/// <param name="Id">What the kernel calls it: <c>in_voltage0</c>, <c>temp1</c>, <c>temperature</c>.</param>
/// <param name="Label">What the board or driver calls it; empty when nobody gave it a name.</param>
/// <param name="Quantity">What it measures.</param>
public sealed record SensorChannel(string Id, string Label, SensorQuantity Quantity);

/// <summary>A sensor that is there.</summary>
/// <param name="Interface">The kernel's interface.</param>
/// <param name="Folder">Its folder in sysfs. The number in it can change from boot to boot.</param>
/// <param name="Name">The chip, as its driver calls it: <c>ads1115</c>.</param>
/// <param name="Label">The name that the device tree gives it; empty when there is none.</param>
/// <param name="Node">Its node of the device tree, as a path: <c>/soc/i2c@7e804000/adc@48</c>; empty when there is none.</param>
/// <param name="Address">Kernel's name of its bus, and where it is there: <c>i2c 1-0048</c>, <c>w1 28-0316a2794f5e</c>; empty when there is none.</param>
/// <param name="Channels">What can be read of it.</param>
public sealed record SensorDevice(
    SensorInterface Interface, string Folder, string Name, string Label, string Node, string Address, IReadOnlyList<SensorChannel> Channels)
{
    /// <summary>The kernel's number, such as <c>iio:device0</c>: no name, it changes.</summary>
    public string Number => Path.GetFileName(Folder);

    /// <summary>What stays the same when the machine boots again and tells it from others of its kind, as far as it goes.</summary>
    public string Identity => Label.Length > 0 ? Label : Address.Length > 0 ? Address : Node.Length > 0 ? Node : Name;

    /// <summary>The sensor as people name it.</summary>
    public string Title => Identity == Name ? Name : $"{Name} ({Identity})";

    /// <summary>Whether it is called so: by label, address (with or without the bus), node (its path or the last part of it) or chip.</summary>
    public bool IsCalled(string name) =>
        name.Length > 0
        && (name == Label || name == Name || name == Address || name == Node || name == After(Address, ' ') || name == After(Node, '/'));

    private static string After(string whole, char divider) => whole[(whole.LastIndexOf(divider) + 1)..];
}
