namespace EdgeGateway.Protocols.Modbus;

/// <summary>Write Multiple Registers (0x10). MODBUS V1.1b3, 6.12.</summary>
/// <remarks>
/// Request  PDU:  function | address hi lo | quantity hi lo | byte count | register 0 hi lo | register 1 hi lo | ...
/// Response PDU:  function | address hi lo | quantity hi lo
/// </remarks>
public static class WriteMultipleRegisters
{
    /// <summary>The most registers one request may write.</summary>
    public const int MaxQuantity = 123;

    /// <summary>Writes a request and returns its length in bytes.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There are not 1 to 123 values, or the range passes address 65535.</exception>
    public static int WriteRequest(Span<byte> pdu, ushort address, ReadOnlySpan<ushort> values)
    {
        Pdu.CheckQuantity(values.Length, MaxQuantity, address);
        var byteCount = ByteCount(values.Length);
        Pdu.WriteStart(pdu, ModbusFunction.WriteMultipleRegisters, address, (ushort)values.Length);
        pdu[5] = (byte)byteCount;
        Pdu.WriteWords(values, pdu.Slice(6, byteCount));
        return 6 + byteCount;
    }

    /// <summary>Reads the start of a request; false when the bytes are not a whole one. Quantity and byte count are not judged here.</summary>
    public static bool TryReadRequest(ReadOnlySpan<byte> pdu, out ushort address, out ushort quantity, out ReadOnlySpan<byte> data)
    {
        if (Pdu.TryReadStart(pdu, ModbusFunction.WriteMultipleRegisters, out address, out quantity) && pdu.Length >= 6 && pdu.Length == 6 + pdu[5])
        {
            data = pdu[6..];
            return true;
        }

        data = default;
        return false;
    }

    /// <summary>Reads the values of a request into <paramref name="values"/>, whose length is the quantity.</summary>
    public static void ReadValues(ReadOnlySpan<byte> data, Span<ushort> values) => Pdu.ReadWords(data, values);

    /// <summary>Writes a response and returns its length in bytes.</summary>
    public static int WriteResponse(Span<byte> pdu, ushort address, ushort quantity) =>
        Pdu.WriteStart(pdu, ModbusFunction.WriteMultipleRegisters, address, quantity);

    /// <summary>Reads a response: Ok only when it repeats address and quantity of the request.</summary>
    public static ModbusOutcome ReadResponse(ReadOnlySpan<byte> pdu, ushort address, ushort quantity) =>
        Pdu.CheckWrite(pdu, ModbusFunction.WriteMultipleRegisters, address, quantity);

    /// <summary>The byte count of a request that writes this many.</summary>
    public static int ByteCount(int quantity) => 2 * quantity;
}
