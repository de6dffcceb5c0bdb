using EdgeGateway.Core.Profiles;

namespace EdgeGateway.Core.Site;

/// <summary>Sensors behind drivers of the kernel: converters, chips on I2C and SPI, thermometers on 1-Wire.</summary>
public sealed record SensorsBus : LocalBus;

/// <summary>One channel of a sensor.</summary>
public sealed record SensorInput : LocalInput
{
    /// <summary>What the sensor is called: label, address on its bus, node of the device tree, or chip; never the kernel's number.</summary>
    public required string Device { get; init; }

    /// <summary>The kernel's name of the channel, or its label.</summary>
    public required string Channel { get; init; }

    /// <summary>What is shown.</summary>
    public required SensorMeasure Measure { get; init; }

    /// <summary>Ohms of the resistor across which the channel measures a voltage, where a current is shown; null when the channel shows what it measures.</summary>
    public double? ShuntOhms { get; init; }

    /// <summary>Name of the trigger by which the kernel captures the channel; null when it is read at each poll.</summary>
    public string? Trigger { get; init; }

    /// <summary>Frequency of the mains, in hertz, over whose whole periods what was captured is averaged.</summary>
    public double MainsHertz { get; init; } = 50;

    /// <inheritdoc/>
    public override ImageLayout Layout => Measure.Layout;

    /// <inheritdoc/>
    public override string Title => $"{Channel} of {Device}";

    /// <inheritdoc/>
    internal override string? Refuse(PointModel point)
    {
        var (scale, offset) = (point.Encoding.Scale, point.Encoding.Offset);
        if (point.Encoding.Address != Address || Units.Find(point.Unit) is not { } unit || Units.Find(Measure.Unit) is not { } shown)
        {
            return null;
        }

        // A transmitter's current or voltage means whatever its range says; anything else keeps its dimension, and its unit up to a correction.
        if (Measure.IsSignal && (scale != 1 || offset != 0))
        {
            return null;
        }

        if (unit.Dimension != shown.Dimension)
        {
            return $"{Layout.What} is shown in {shown.Code}, and the point is in {unit.Code}";
        }

        var factor = shown.Factor / unit.Factor;
        return Math.Abs(scale - factor) > LargestCorrection * factor ? $"{Layout.What} is shown in {shown.Code}, which in {unit.Code} takes a scale of {factor:0.######}" : null;
    }

    private const decimal LargestCorrection = 0.1m;
}

/// <summary>What an input of a sensors bus can show.</summary>
/// <param name="Word">The word of <c>measures</c>.</param>
/// <param name="Unit">UCUM code of the unit in which it is shown.</param>
public sealed record SensorMeasure(string Word, string Unit)
{
    /// <summary>Name of the measured value in the layout.</summary>
    public const string Value = "value";

    /// <summary>Name of the status word in the layout.</summary>
    public const string Status = "status";

    /// <summary>Everything that can be shown.</summary>
    public static readonly IReadOnlyList<SensorMeasure> All =
    [
        new("temperature", "Cel"),
        new("humidity", "%"),
        new("pressure", "kPa"),
        new("voltage", "V"),
        new("current", "mA"),
        new("power", "W"),
        new("energy", "W.h"),
        new("concentration", "[ppm]"),
        new("speed", "/min"),
        new("distance", "m"),
    ];

    /// <summary>The block of an input: the value, and bits that say what is wrong with it.</summary>
    public ImageLayout Layout { get; } = new(
        $"a sensor of {Word}", RegisterTable.InputRegister, new ImageField(0, RegisterType.Float64, Value), new ImageField(4, RegisterType.UInt16, Status));

    /// <summary>Whether a transmitter speaks by it of something else.</summary>
    public bool IsSignal => Word is "current" or "voltage";
}
