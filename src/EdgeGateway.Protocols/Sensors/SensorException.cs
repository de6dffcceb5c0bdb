namespace EdgeGateway.Protocols.Sensors;

/// <summary>What stands in the way of a sensor.</summary>
public enum SensorFault
{
    /// <summary>The kernel refused for a reason that has no word of its own here.</summary>
    Other,

    /// <summary>There is no such sensor: not connected, its driver not loaded, or its device-tree overlay missing.</summary>
    NoDevice,

    /// <summary>The sensor has no such channel.</summary>
    NoChannel,

    /// <summary>Several sensors or channels are called so.</summary>
    Ambiguous,

    /// <summary>This user may not read or set it.</summary>
    NotAllowed,

    /// <summary>It was removed while in use.</summary>
    Gone,

    /// <summary>It does not answer on its bus.</summary>
    NoAnswer,

    /// <summary>Somebody else uses it.</summary>
    Busy,

    /// <summary>The driver cannot do what was asked for.</summary>
    Unsupported,
}

/// <summary>A sensor could not be used; the message names it, says why, and how to mend it.</summary>
public sealed class SensorException : IOException
{
    public SensorException()
    {
    }

    public SensorException(string message)
        : base(message)
    {
    }

    public SensorException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    public SensorException(SensorFault fault, string message)
        : base(message) => Fault = fault;

    /// <summary>What stands in the way.</summary>
    public SensorFault Fault { get; }
}
