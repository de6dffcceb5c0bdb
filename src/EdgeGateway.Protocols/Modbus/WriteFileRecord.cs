using System.Buffers.Binary;

namespace EdgeGateway.Protocols.Modbus;

/// <summary>Write File Record (0x15). MODBUS V1.1b3, 6.15.</summary>
/// <remarks>
/// Request  PDU:  function | byte count | for each run: 06 | file hi lo | record hi lo | length hi lo | record 0 hi lo | record 1 hi lo | ...
/// Response PDU:  the same bytes
/// A request may write several runs. Requests written here write one.
/// </remarks>
public static class WriteFileRecord
{
    /// <summary>The most records that one request may write in one run, so that it has at most 0xFB bytes.</summary>
    public const int MaxQuantity = 122;

    /// <summary>The least byte count: one run of one record.</summary>
    public const int MinByteCount = 9;

    /// <summary>The largest byte count.</summary>
    public const int MaxByteCount = 0xFB;

    private const int HeadLength = 7;

    /// <summary>Writes a request of one run, or the equal response, and returns its length in bytes.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such place in a file, or there are not 1 to 122 values.</exception>
    public static int WriteRequest(Span<byte> pdu, ushort file, ushort record, ReadOnlySpan<ushort> values)
    {
        FileRecord.Check(file, record, values.Length, MaxQuantity);
        pdu[0] = (byte)ModbusFunction.WriteFileRecord;
        pdu[1] = (byte)(HeadLength + (2 * values.Length));
        pdu[2] = FileRecord.ReferenceType;
        BinaryPrimitives.WriteUInt16BigEndian(pdu[3..], file);
        BinaryPrimitives.WriteUInt16BigEndian(pdu[5..], record);
        BinaryPrimitives.WriteUInt16BigEndian(pdu[7..], (ushort)values.Length);
        Pdu.WriteWords(values, pdu.Slice(2 + HeadLength, 2 * values.Length));
        return 2 + HeadLength + (2 * values.Length);
    }

    /// <summary>Reads the runs of a request; false when the bytes are not whole runs. References and places are not judged here.</summary>
    public static bool TryReadRequest(ReadOnlySpan<byte> pdu, out ReadOnlySpan<byte> runs)
    {
        runs = default;
        if (pdu.Length < 2 || pdu[0] != (byte)ModbusFunction.WriteFileRecord || pdu.Length != 2 + pdu[1])
        {
            return false;
        }

        var all = pdu[2..];
        for (var rest = all; !rest.IsEmpty;)
        {
            if (rest.Length < HeadLength || rest.Length < RunLength(rest))
            {
                return false;
            }

            rest = rest[RunLength(rest)..];
        }

        runs = all;
        return true;
    }

    /// <summary>Takes the first of the runs that <see cref="TryReadRequest"/> gave; false when its reference type is not 6.</summary>
    public static bool TakeRun(ref ReadOnlySpan<byte> runs, out FileRecord place, out ReadOnlySpan<byte> data)
    {
        var isKnown = runs[0] == FileRecord.ReferenceType;
        place = new(
            BinaryPrimitives.ReadUInt16BigEndian(runs[1..]),
            BinaryPrimitives.ReadUInt16BigEndian(runs[3..]),
            BinaryPrimitives.ReadUInt16BigEndian(runs[5..]));
        data = runs[HeadLength..RunLength(runs)];
        runs = runs[RunLength(runs)..];
        return isKnown;
    }

    /// <summary>Reads the values of a run into <paramref name="values"/>, whose length is that of the run.</summary>
    public static void ReadValues(ReadOnlySpan<byte> data, Span<ushort> values) => Pdu.ReadWords(data, values);

    /// <summary>Reads a response: Ok only when it repeats the place and the length of the request.</summary>
    public static ModbusOutcome ReadResponse(ReadOnlySpan<byte> pdu, FileRecord place)
    {
        var outcome = Pdu.CheckRead(pdu, ModbusFunction.WriteFileRecord, HeadLength + (2 * place.Length));
        if (!outcome.IsOk)
        {
            return outcome;
        }

        return TryReadRequest(pdu, out var runs) && TakeRun(ref runs, out var answered, out _) && answered == place
            ? outcome
            : new(ModbusStatus.Malformed);
    }

    private static int RunLength(ReadOnlySpan<byte> run) => HeadLength + (2 * BinaryPrimitives.ReadUInt16BigEndian(run[5..]));
}
