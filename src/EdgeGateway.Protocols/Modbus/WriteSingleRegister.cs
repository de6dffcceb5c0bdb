namespace EdgeGateway.Protocols.Modbus;

/// <summary>Write Single Register (0x06). MODBUS V1.1b3, 6.6.</summary>
/// <remarks>
/// Request  PDU:  function | address hi lo | value hi lo
/// Response PDU:  the same bytes
/// </remarks>
public static class WriteSingleRegister
{
    /// <summary>Writes a request, or the equal response, and returns its length in bytes.</summary>
    public static int WriteRequest(Span<byte> pdu, ushort address, ushort value) =>
        Pdu.WriteStart(pdu, ModbusFunction.WriteSingleRegister, address, value);

    /// <summary>Reads a request; false when the bytes are not one.</summary>
    public static bool TryReadRequest(ReadOnlySpan<byte> pdu, out ushort address, out ushort value) =>
        Pdu.TryReadStart(pdu, ModbusFunction.WriteSingleRegister, out address, out value) && pdu.Length == 5;

    /// <summary>Reads a response: Ok only when it repeats the request.</summary>
    public static ModbusOutcome ReadResponse(ReadOnlySpan<byte> pdu, ushort address, ushort value) =>
        Pdu.CheckWrite(pdu, ModbusFunction.WriteSingleRegister, address, value);
}
