using System.Buffers.Binary;

namespace EdgeGateway.Protocols.Modbus;

/// <summary>Read File Record (0x14): reads runs of records, one register each, such as a device's log. MODBUS V1.1b3, 6.14.</summary>
/// <remarks>
/// Request  PDU:  function | byte count | for each run: 06 | file hi lo | record hi lo | length hi lo
/// Response PDU:  function | byte count | for each run: bytes that follow | 06 | record 0 hi lo | record 1 hi lo | ...
/// A request may ask for several runs. Requests written here ask for one.
/// </remarks>
public static class ReadFileRecord
{
    /// <summary>The most records that one request may ask for in one run, so that the response has at most 0xF5 bytes.</summary>
    public const int MaxQuantity = 121;

    /// <summary>The least byte count of a request: one run.</summary>
    public const int MinByteCount = RunLength;

    /// <summary>The largest byte count of a request and of a response.</summary>
    public const int MaxByteCount = 0xF5;

    private const int RunLength = 7;

    /// <summary>Writes a request for one run and returns its length in bytes.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such place in a file, or the quantity is not 1 to 121.</exception>
    public static int WriteRequest(Span<byte> pdu, ushort file, ushort record, int quantity)
    {
        FileRecord.Check(file, record, quantity, MaxQuantity);
        pdu[0] = (byte)ModbusFunction.ReadFileRecord;
        pdu[1] = RunLength;
        pdu[2] = FileRecord.ReferenceType;
        BinaryPrimitives.WriteUInt16BigEndian(pdu[3..], file);
        BinaryPrimitives.WriteUInt16BigEndian(pdu[5..], record);
        BinaryPrimitives.WriteUInt16BigEndian(pdu[7..], (ushort)quantity);
        return 2 + RunLength;
    }

    /// <summary>Reads the start of a request; false when the bytes are not whole runs. References and places are not judged here.</summary>
    public static bool TryReadRequest(ReadOnlySpan<byte> pdu, out int runs)
    {
        var isRequest = pdu.Length >= 2 && pdu[0] == (byte)ModbusFunction.ReadFileRecord && pdu.Length == 2 + pdu[1] && pdu[1] % RunLength == 0;
        runs = isRequest ? pdu[1] / RunLength : 0;
        return isRequest;
    }

    /// <summary>One run of a request that <see cref="TryReadRequest"/> has taken; false when its reference type is not 6.</summary>
    public static bool TryReadRun(ReadOnlySpan<byte> pdu, int run, out FileRecord place)
    {
        var bytes = pdu.Slice(2 + (run * RunLength), RunLength);
        place = new(
            BinaryPrimitives.ReadUInt16BigEndian(bytes[1..]),
            BinaryPrimitives.ReadUInt16BigEndian(bytes[3..]),
            BinaryPrimitives.ReadUInt16BigEndian(bytes[5..]));
        return bytes[0] == FileRecord.ReferenceType;
    }

    /// <summary>Starts a response and returns its length in bytes so far.</summary>
    public static int StartResponse(Span<byte> pdu)
    {
        pdu[0] = (byte)ModbusFunction.ReadFileRecord;
        pdu[1] = 0;
        return 2;
    }

    /// <summary>Adds a run to a response of <paramref name="length"/> bytes; returns the new length.</summary>
    public static int AddRun(Span<byte> pdu, int length, ReadOnlySpan<ushort> values)
    {
        pdu[length] = (byte)(1 + (2 * values.Length));
        pdu[length + 1] = FileRecord.ReferenceType;
        Pdu.WriteWords(values, pdu.Slice(length + 2, 2 * values.Length));
        length += ResponseBytes(values.Length);
        pdu[1] = (byte)(length - 2);
        return length;
    }

    /// <summary>Reads a response to a request for one run into <paramref name="values"/>, whose length is the quantity; left alone unless Ok.</summary>
    public static ModbusOutcome ReadResponse(ReadOnlySpan<byte> pdu, Span<ushort> values)
    {
        var outcome = Check(pdu, values.Length);
        if (outcome.IsOk)
        {
            Pdu.ReadWords(pdu[4..], values);
        }

        return outcome;
    }

    /// <summary>Bytes that a run of this many records takes in a response.</summary>
    public static int ResponseBytes(int quantity) => 2 + (2 * quantity);

    internal static ModbusOutcome Check(ReadOnlySpan<byte> pdu, int quantity)
    {
        var outcome = Pdu.CheckRead(pdu, ModbusFunction.ReadFileRecord, ResponseBytes(quantity));
        return outcome.IsOk && (pdu[2] != 1 + (2 * quantity) || pdu[3] != FileRecord.ReferenceType) ? new(ModbusStatus.Malformed) : outcome;
    }
}
