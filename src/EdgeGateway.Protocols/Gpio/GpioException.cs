namespace EdgeGateway.Protocols.Gpio;

/// <summary>What stands in the way of a GPIO line.</summary>
public enum GpioFault
{
    /// <summary>The kernel refused for a reason that has no word of its own here.</summary>
    Other,

    /// <summary>There is no such chip: another board, or a device-tree overlay is missing.</summary>
    NoChip,

    /// <summary>No chip has a line of that name or number.</summary>
    NoLine,

    /// <summary>Several lines or chips have that name.</summary>
    Ambiguous,

    /// <summary>Somebody else has the line.</summary>
    Busy,

    /// <summary>This user may not open the chip.</summary>
    NotAllowed,

    /// <summary>The chip was removed while its lines were in use.</summary>
    Gone,

    /// <summary>The kernel or the chip cannot do what was asked for.</summary>
    Unsupported,

    /// <summary>A descriptor that was handed over holds other lines, or the lines have other settings, than was expected.</summary>
    Mismatch,
}

/// <summary>A GPIO chip or line could not be used; the message names it, says why, and how to mend it.</summary>
public sealed class GpioException : IOException
{
    public GpioException()
    {
    }

    public GpioException(string message)
        : base(message)
    {
    }

    public GpioException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    public GpioException(GpioFault fault, string message)
        : base(message) => Fault = fault;

    /// <summary>What stands in the way.</summary>
    public GpioFault Fault { get; }
}
