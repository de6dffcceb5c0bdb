namespace EdgeGateway.Protocols.Sensors;

/// <summary>How a reading ended. The numbers do not change: they are handed on as they are.</summary>
public enum SensorStatus : ushort
{
    /// <summary>There is a value.</summary>
    Good = 0,

    /// <summary>There is a value, and the chip reports an alarm on its channel.</summary>
    Alarm = 1,

    /// <summary>The chip says that the channel is not to be trusted: an open or shorted sensor.</summary>
    Fault = 2,

    /// <summary>The channel is switched off in the kernel.</summary>
    Disabled = 3,

    /// <summary>A 1-Wire thermometer shows what it holds at power-on (85 °C) or without enough power, and not what it measured.</summary>
    PowerOn = 4,

    /// <summary>The checksum of a 1-Wire thermometer's answer is wrong.</summary>
    Checksum = 5,

    /// <summary>The sensor does not answer on its bus.</summary>
    NoAnswer = 6,

    /// <summary>The sensor was taken out of the kernel while it was in use.</summary>
    Gone = 7,

    /// <summary>There is no such sensor or channel, or there are several.</summary>
    NotFound = 8,

    /// <summary>This user may not read it.</summary>
    NotAllowed = 9,

    /// <summary>Somebody else uses the sensor in a way that excludes reading it.</summary>
    Busy = 10,

    /// <summary>What the kernel showed is no number, or it refused for a reason without a word of its own here.</summary>
    Unreadable = 11,

    /// <summary>The reading took longer than it may.</summary>
    Late = 12,
}

/// <summary>One reading of a channel.</summary>
/// <param name="Value">In the unit of the channel's quantity; NaN when there is none.</param>
/// <param name="Status">Why there is none, or what there is to know of it.</param>
public readonly record struct SensorReading(double Value, SensorStatus Status)
{
    /// <summary>Whether there is a value.</summary>
    public bool HasValue => Status <= SensorStatus.Alarm;

    /// <summary>A reading without a value.</summary>
    public static SensorReading Missing(SensorStatus status) => new(double.NaN, status);
}
