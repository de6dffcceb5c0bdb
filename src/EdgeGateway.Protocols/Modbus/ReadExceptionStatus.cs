namespace EdgeGateway.Protocols.Modbus;

/// <summary>Read Exception Status (0x07): eight bits whose meaning is the device's own. MODBUS V1.1b3, 6.7.</summary>
/// <remarks>
/// Request  PDU:  function
/// Response PDU:  function | status
/// </remarks>
public static class ReadExceptionStatus
{
    /// <summary>Writes a request and returns its length in bytes.</summary>
    public static int WriteRequest(Span<byte> pdu)
    {
        pdu[0] = (byte)ModbusFunction.ReadExceptionStatus;
        return 1;
    }

    /// <summary>Writes a response and returns its length in bytes.</summary>
    public static int WriteResponse(Span<byte> pdu, byte status)
    {
        pdu[0] = (byte)ModbusFunction.ReadExceptionStatus;
        pdu[1] = status;
        return 2;
    }

    /// <summary>Reads a response; the status is 0 unless Ok.</summary>
    public static ModbusOutcome ReadResponse(ReadOnlySpan<byte> pdu, out byte status)
    {
        var outcome = Pdu.CheckLength(pdu, ModbusFunction.ReadExceptionStatus, 2);
        status = outcome.IsOk ? pdu[1] : (byte)0;
        return outcome;
    }
}
