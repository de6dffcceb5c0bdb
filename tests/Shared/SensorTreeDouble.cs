namespace EdgeGateway.Tests.Shared;

/// <summary>
/// A folder laid out like the kernel's sysfs, as a double of sensors: what is a file there is an ordinary file here. It cannot refuse a reading as the kernel does (a sensor
/// unplugged, no answer); the tests in the virtual machine show that.
/// </summary>
public sealed class SensorTreeDouble : IDisposable
{
    private const string I2c = "sys/devices/platform/soc/fe804000.i2c/i2c-1";

    /// <summary>The folder in which <c>sys</c> is.</summary>
    public string Root { get; } = Directory.CreateTempSubdirectory("edgegateway-sensors-").FullName;

    /// <summary>Adds a sensor of Industrial I/O on I2C.</summary>
    /// <param name="number">The kernel's number.</param>
    /// <param name="address">Its address: <c>1-0048</c>; null for a device of software.</param>
    /// <param name="name">The chip.</param>
    /// <param name="files">Its files and their texts.</param>
    /// <returns>Its folder.</returns>
    public string AddIio(int number, string? address, string name, params (string File, string Text)[] files)
    {
        var folder = address is null ? Make($"sys/devices/iio:device{number}") : Make($"{Hardware(address)}/iio:device{number}");
        Link($"sys/bus/iio/devices/iio:device{number}", folder);
        return Fill(folder, name, files);
    }

    /// <summary>Adds a sensor of hardware monitoring on I2C.</summary>
    public string AddHwmon(int number, string address, string name, params (string File, string Text)[] files)
    {
        var hardware = Hardware(address);
        var folder = Make($"{hardware}/hwmon/hwmon{number}");
        Link($"{hardware}/hwmon/hwmon{number}/device", Path.Combine(Root, hardware));
        Link($"sys/class/hwmon/hwmon{number}", folder);
        return Fill(folder, name, files);
    }

    /// <summary>Adds a thermometer on 1-Wire, with the hwmon device that the kernel adds to it.</summary>
    /// <param name="id">Family and serial number: <c>28-0316a2794f5e</c>.</param>
    /// <param name="answer">The text of <c>w1_slave</c>; null when the driver is not loaded.</param>
    /// <param name="hwmon">The number of the hwmon device.</param>
    public string AddOneWire(string id, string? answer, int hwmon = 90)
    {
        var folder = Make($"sys/devices/w1_bus_master1/{id}");
        Link($"sys/devices/w1_bus_master1/{id}/subsystem", Make("sys/bus/w1"));
        Link($"sys/bus/w1/devices/{id}", folder);
        if (answer is not null)
        {
            Write(folder, "w1_slave", answer);
            var twin = Make($"sys/devices/w1_bus_master1/{id}/hwmon/hwmon{hwmon}");
            Link($"sys/class/hwmon/hwmon{hwmon}", twin);
            Fill(twin, "w1_slave_temp", [("temp1_input", "21500")]);
        }

        return folder;
    }

    /// <summary>Gives the hardware at an address a node of the device tree.</summary>
    public void AddNode(string address, string node) => Link($"{I2c}/{address}/of_node", Make($"sys/firmware/devicetree/base{node}"));

    /// <summary>Changes a text, as the kernel shows another one at another moment.</summary>
    public static void Write(string folder, string file, string text) => File.WriteAllText(Path.Combine(folder, file), text.Length == 0 ? "" : $"{text}\n");

    /// <summary>Takes a sensor away, as its driver is unloaded.</summary>
    public void Remove(string link)
    {
        var entry = Path.Combine(Root, link);
        Directory.Delete(Directory.ResolveLinkTarget(entry, returnFinalTarget: true)!.FullName, recursive: true);
        File.Delete(entry);
    }

    public void Dispose() => Directory.Delete(Root, recursive: true);

    private static string Fill(string folder, string name, (string File, string Text)[] files)
    {
        Write(folder, "name", name);
        foreach (var (file, text) in files)
        {
            Write(folder, file, text);
        }

        return folder;
    }

    private string Hardware(string address)
    {
        Make($"{I2c}/{address}");
        Link($"{I2c}/{address}/subsystem", Make("sys/bus/i2c"));
        return $"{I2c}/{address}";
    }

    private string Make(string folder) => Directory.CreateDirectory(Path.Combine(Root, folder)).FullName;

    private void Link(string at, string target)
    {
        var path = Path.Combine(Root, at);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        if (!Path.Exists(path))
        {
            Directory.CreateSymbolicLink(path, target);
        }
    }
}
