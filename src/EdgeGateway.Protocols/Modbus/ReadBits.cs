namespace EdgeGateway.Protocols.Modbus;

/// <summary>Read Coils (0x01) and Read Discrete Inputs (0x02). MODBUS V1.1b3, 6.1 and 6.2.</summary>
/// <remarks>
/// Request  PDU:  function | address hi lo | quantity hi lo
/// Response PDU:  function | byte count    | bits 7..0, the first in the lowest bit | bits 15..8 | ...
/// </remarks>
public static class ReadBits
{
    /// <summary>The most bits one request may ask for.</summary>
    public const int MaxQuantity = 2000;

    /// <summary>Writes a request and returns its length in bytes.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The quantity is not 1 to 2000, the range passes address 65535, or the table does not hold bits.</exception>
    public static int WriteRequest(Span<byte> pdu, RegisterTable table, ushort address, int quantity)
    {
        Pdu.CheckQuantity(quantity, MaxQuantity, address);
        return Pdu.WriteStart(pdu, FunctionFor(table), address, (ushort)quantity);
    }

    /// <summary>Reads a request; false when the bytes are not one. The quantity is not judged here.</summary>
    public static bool TryReadRequest(ReadOnlySpan<byte> pdu, RegisterTable table, out ushort address, out ushort quantity) =>
        Pdu.TryReadStart(pdu, FunctionFor(table), out address, out quantity) && pdu.Length == 5;

    /// <summary>Writes a response and returns its length in bytes.</summary>
    public static int WriteResponse(Span<byte> pdu, RegisterTable table, ReadOnlySpan<ushort> values)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(values.Length, MaxQuantity);
        var byteCount = ByteCount(values.Length);
        pdu[0] = (byte)FunctionFor(table);
        pdu[1] = (byte)byteCount;
        Pdu.PackBits(values, pdu.Slice(2, byteCount));
        return 2 + byteCount;
    }

    /// <summary>Reads a response into <paramref name="values"/>, whose length is the quantity asked for; left alone unless Ok.</summary>
    public static ModbusOutcome ReadResponse(ReadOnlySpan<byte> pdu, RegisterTable table, Span<ushort> values)
    {
        var outcome = Pdu.CheckRead(pdu, FunctionFor(table), ByteCount(values.Length));
        if (outcome.IsOk)
        {
            Pdu.UnpackBits(pdu[2..], values);
        }

        return outcome;
    }

    /// <summary>The byte count of a response to a request for this many.</summary>
    public static int ByteCount(int quantity) => Pdu.BytesForBits(quantity);

    private static ModbusFunction FunctionFor(RegisterTable table) => table.IsBits()
        ? (ModbusFunction)table
        : throw new ArgumentOutOfRangeException(nameof(table), table, "this table does not hold bits");
}
