namespace EdgeGateway.Protocols.Sensors;

/// <summary>What a channel measures. Each has one unit, whatever the kernel's interface counts in.</summary>
public enum SensorQuantity
{
    /// <summary>Not known: a channel of a kind that has no unit here, or counts of a converter without a scale.</summary>
    None = 0,

    /// <summary>Temperature in degrees Celsius.</summary>
    Temperature = 1,

    /// <summary>Relative humidity in percent.</summary>
    Humidity = 2,

    /// <summary>Pressure in kilopascals.</summary>
    Pressure = 3,

    /// <summary>Voltage in volts.</summary>
    Voltage = 4,

    /// <summary>Current in milliamperes.</summary>
    Current = 5,

    /// <summary>Power in watts.</summary>
    Power = 6,

    /// <summary>Energy in watt hours.</summary>
    Energy = 7,

    /// <summary>Share of a gas in parts per million by volume.</summary>
    Concentration = 8,

    /// <summary>Speed of a fan in revolutions a minute.</summary>
    Speed = 9,

    /// <summary>Distance in metres.</summary>
    Distance = 10,
}

/// <summary>The kernel's words and units of quantities.</summary>
public static class SensorQuantities
{
    // Documentation/ABI/testing/sysfs-bus-iio: the type in the file's name, and how many of the kernel's units, after offset and scale, are one of ours.
    private static readonly (string Type, SensorQuantity Quantity, KernelUnit Unit)[] s_iio =
    [
        ("temp", SensorQuantity.Temperature, new(1000)),
        ("humidityrelative", SensorQuantity.Humidity, new(1000)),
        ("pressure", SensorQuantity.Pressure, new(1)),
        ("voltage", SensorQuantity.Voltage, new(1000)),
        ("current", SensorQuantity.Current, new(1)),
        ("power", SensorQuantity.Power, new(1000)),
        ("energy", SensorQuantity.Energy, new(3600)),
        ("concentration", SensorQuantity.Concentration, new(1, 10_000)),
        ("distance", SensorQuantity.Distance, new(1)),
    ];

    // Documentation/hwmon/sysfs-interface.
    private static readonly (string Type, SensorQuantity Quantity, KernelUnit Unit)[] s_hwmon =
    [
        ("temp", SensorQuantity.Temperature, new(1000)),
        ("humidity", SensorQuantity.Humidity, new(1000)),
        ("in", SensorQuantity.Voltage, new(1000)),
        ("curr", SensorQuantity.Current, new(1)),
        ("power", SensorQuantity.Power, new(1_000_000)),
        ("energy", SensorQuantity.Energy, new(3_600_000_000)),
        ("fan", SensorQuantity.Speed, new(1)),
    ];

    /// <summary>The unit in which channels of a quantity are given; empty when there is none.</summary>
    public static string Unit(this SensorQuantity quantity) => quantity switch
    {
        SensorQuantity.Temperature => "°C",
        SensorQuantity.Humidity => "%",
        SensorQuantity.Pressure => "kPa",
        SensorQuantity.Voltage => "V",
        SensorQuantity.Current => "mA",
        SensorQuantity.Power => "W",
        SensorQuantity.Energy => "Wh",
        SensorQuantity.Concentration => "ppm",
        SensorQuantity.Speed => "rpm",
        SensorQuantity.Distance => "m",
        _ => "",
    };

    /// <summary>What a channel measures, as its name says; the interface follows from the name as well.</summary>
    /// <param name="channel">The channel as the kernel calls it: <c>in_voltage0</c>, <c>temp1</c>, <c>temperature</c>.</param>
    public static SensorQuantity Of(string channel)
    {
        ArgumentNullException.ThrowIfNull(channel);
        return channel == OneWireChannel ? SensorQuantity.Temperature
            : channel.StartsWith("in_", StringComparison.Ordinal) ? Iio(channel).Quantity
            : Hwmon(channel).Quantity;
    }

    /// <summary>The one channel of a thermometer on 1-Wire.</summary>
    public const string OneWireChannel = "temperature";

    /// <summary>Quantity of an IIO channel, and the kernel's unit of it.</summary>
    internal static (SensorQuantity Quantity, KernelUnit Unit) Iio(string channel) => Find(s_iio, TypeOf(channel.AsSpan(3)));

    /// <summary>Quantity of a hwmon channel, and the kernel's unit of it.</summary>
    internal static (SensorQuantity Quantity, KernelUnit Unit) Hwmon(string channel) => Find(s_hwmon, TypeOf(channel));

    private static ReadOnlySpan<char> TypeOf(ReadOnlySpan<char> name)
    {
        var end = name.IndexOfAnyExceptInRange('a', 'z');
        return end < 0 ? name : name[..end];
    }

    private static (SensorQuantity Quantity, KernelUnit Unit) Find((string Type, SensorQuantity Quantity, KernelUnit Unit)[] table, ReadOnlySpan<char> type)
    {
        foreach (var row in table)
        {
            if (type.SequenceEqual(row.Type))
            {
                return (row.Quantity, row.Unit);
            }
        }

        return (SensorQuantity.None, new(1));
    }

    /// <summary>What the kernel counts in. As two whole numbers, so that 21500 thousandths are 21.5 exactly.</summary>
    /// <param name="Per">How many are one unit of the quantity.</param>
    /// <param name="Times">How many units of the quantity one is.</param>
    internal readonly record struct KernelUnit(double Per, double Times = 1)
    {
        public double Convert(double value) => value * Times / Per;
    }
}
