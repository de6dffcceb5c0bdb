namespace EdgeGateway.Protocols.Modbus;

/// <summary>How a request ended.</summary>
public enum ModbusStatus : byte
{
    /// <summary>The device answered this request, and the answer is whole.</summary>
    Ok,

    /// <summary>The device refused; see <see cref="ModbusOutcome.ExceptionCode"/>.</summary>
    Exception,

    /// <summary>No answer within the time allowed.</summary>
    Timeout,

    /// <summary>There is no connection, or no port, to send the request through.</summary>
    NotConnected,

    /// <summary>Bytes came that make no valid frame: wrong CRC, noise, or a broken MBAP header.</summary>
    CorruptFrame,

    /// <summary>The answer ended before all that was asked for had come.</summary>
    ShortReply,

    /// <summary>Another unit answered.</summary>
    WrongUnit,

    /// <summary>The answer carries another function code.</summary>
    WrongFunction,

    /// <summary>A valid frame that does not answer what was asked.</summary>
    Malformed,
}
