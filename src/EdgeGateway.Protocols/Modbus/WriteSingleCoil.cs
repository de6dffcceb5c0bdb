namespace EdgeGateway.Protocols.Modbus;

/// <summary>Write Single Coil (0x05). MODBUS V1.1b3, 6.5.</summary>
/// <remarks>
/// Request  PDU:  function | address hi lo | FF 00 for on, 00 00 for off
/// Response PDU:  the same bytes
/// </remarks>
public static class WriteSingleCoil
{
    private const ushort On = 0xFF00;

    /// <summary>Writes a request, or the equal response, and returns its length in bytes.</summary>
    public static int WriteRequest(Span<byte> pdu, ushort address, bool on) =>
        Pdu.WriteStart(pdu, ModbusFunction.WriteSingleCoil, address, on ? On : (ushort)0);

    /// <summary>Reads a request; false when the bytes are not one.</summary>
    /// <param name="pdu">The bytes.</param>
    /// <param name="address">The coil.</param>
    /// <param name="on">The state asked for; null for a value that the standard does not allow.</param>
    public static bool TryReadRequest(ReadOnlySpan<byte> pdu, out ushort address, out bool? on)
    {
        var read = Pdu.TryReadStart(pdu, ModbusFunction.WriteSingleCoil, out address, out var value) && pdu.Length == 5;
        on = value switch { On => true, 0 => false, _ => null };
        return read;
    }

    /// <summary>Reads a response: Ok only when it repeats the request.</summary>
    public static ModbusOutcome ReadResponse(ReadOnlySpan<byte> pdu, ushort address, bool on) =>
        Pdu.CheckWrite(pdu, ModbusFunction.WriteSingleCoil, address, on ? On : (ushort)0);
}
