using System.Buffers.Binary;

namespace EdgeGateway.Protocols.Modbus;

/// <summary>Read/Write Multiple Registers (0x17): writes holding registers, then reads some. MODBUS V1.1b3, 6.17.</summary>
/// <remarks>
/// Request  PDU:  function | read address hi lo | read quantity hi lo | write address hi lo | write quantity hi lo | byte count | registers to write
/// Response PDU:  function | byte count | registers read
/// </remarks>
public static class ReadWriteMultipleRegisters
{
    /// <summary>The most registers one request may read.</summary>
    public const int MaxReadQuantity = 125;

    /// <summary>The most registers one request may write.</summary>
    public const int MaxWriteQuantity = 121;

    private const int HeadLength = 10;

    /// <summary>Writes a request and returns its length in bytes.</summary>
    /// <exception cref="ArgumentOutOfRangeException">More than 125 registers to read or 121 to write, none at all, or a range passes address 65535.</exception>
    public static int WriteRequest(Span<byte> pdu, ushort readAddress, int readQuantity, ushort writeAddress, ReadOnlySpan<ushort> values)
    {
        Pdu.CheckQuantity(readQuantity, MaxReadQuantity, readAddress);
        Pdu.CheckQuantity(values.Length, MaxWriteQuantity, writeAddress);
        Pdu.WriteStart(pdu, ModbusFunction.ReadWriteMultipleRegisters, readAddress, (ushort)readQuantity);
        BinaryPrimitives.WriteUInt16BigEndian(pdu[5..], writeAddress);
        BinaryPrimitives.WriteUInt16BigEndian(pdu[7..], (ushort)values.Length);
        pdu[9] = (byte)(2 * values.Length);
        Pdu.WriteWords(values, pdu.Slice(HeadLength, 2 * values.Length));
        return HeadLength + (2 * values.Length);
    }

    /// <summary>Reads the start of a request; false when the bytes are not a whole one. Quantities and byte count are not judged here.</summary>
    public static bool TryReadRequest(
        ReadOnlySpan<byte> pdu, out ushort readAddress, out ushort readQuantity, out ushort writeAddress, out ushort writeQuantity, out ReadOnlySpan<byte> data)
    {
        writeAddress = 0;
        writeQuantity = 0;
        data = default;
        if (!Pdu.TryReadStart(pdu, ModbusFunction.ReadWriteMultipleRegisters, out readAddress, out readQuantity)
            || pdu.Length < HeadLength
            || pdu.Length != HeadLength + pdu[9])
        {
            return false;
        }

        writeAddress = BinaryPrimitives.ReadUInt16BigEndian(pdu[5..]);
        writeQuantity = BinaryPrimitives.ReadUInt16BigEndian(pdu[7..]);
        data = pdu[HeadLength..];
        return true;
    }

    /// <summary>Reads the values of a request into <paramref name="values"/>, whose length is the quantity to write.</summary>
    public static void ReadValues(ReadOnlySpan<byte> data, Span<ushort> values) => Pdu.ReadWords(data, values);

    /// <summary>Writes a response and returns its length in bytes.</summary>
    public static int WriteResponse(Span<byte> pdu, ReadOnlySpan<ushort> values)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(values.Length, MaxReadQuantity);
        pdu[0] = (byte)ModbusFunction.ReadWriteMultipleRegisters;
        pdu[1] = (byte)(2 * values.Length);
        Pdu.WriteWords(values, pdu.Slice(2, 2 * values.Length));
        return 2 + (2 * values.Length);
    }

    /// <summary>Reads a response into <paramref name="values"/>, whose length is the quantity asked for; left alone unless Ok.</summary>
    public static ModbusOutcome ReadResponse(ReadOnlySpan<byte> pdu, Span<ushort> values)
    {
        var outcome = Pdu.CheckRead(pdu, ModbusFunction.ReadWriteMultipleRegisters, 2 * values.Length);
        if (outcome.IsOk)
        {
            Pdu.ReadWords(pdu[2..], values);
        }

        return outcome;
    }
}
