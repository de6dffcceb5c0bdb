using System.Buffers.Binary;

namespace EdgeGateway.Protocols.Modbus;

/// <summary>Read FIFO Queue (0x18): reads a queue of registers without emptying it. MODBUS V1.1b3, 6.18.</summary>
/// <remarks>
/// Request  PDU:  function | pointer address hi lo
/// Response PDU:  function | byte count hi lo | registers in the queue hi lo | register 0 hi lo | register 1 hi lo | ...
/// </remarks>
public static class ReadFifoQueue
{
    /// <summary>The most registers in a queue.</summary>
    public const int MaxCount = 31;

    /// <summary>Writes a request and returns its length in bytes.</summary>
    public static int WriteRequest(Span<byte> pdu, ushort pointer)
    {
        pdu[0] = (byte)ModbusFunction.ReadFifoQueue;
        BinaryPrimitives.WriteUInt16BigEndian(pdu[1..], pointer);
        return 3;
    }

    /// <summary>Reads a request; false when the bytes are not one.</summary>
    public static bool TryReadRequest(ReadOnlySpan<byte> pdu, out ushort pointer)
    {
        var isRequest = pdu.Length == 3 && pdu[0] == (byte)ModbusFunction.ReadFifoQueue;
        pointer = isRequest ? BinaryPrimitives.ReadUInt16BigEndian(pdu[1..]) : (ushort)0;
        return isRequest;
    }

    /// <summary>Writes a response and returns its length in bytes.</summary>
    public static int WriteResponse(Span<byte> pdu, ReadOnlySpan<ushort> values)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(values.Length, MaxCount);
        pdu[0] = (byte)ModbusFunction.ReadFifoQueue;
        BinaryPrimitives.WriteUInt16BigEndian(pdu[1..], (ushort)(2 + (2 * values.Length)));
        BinaryPrimitives.WriteUInt16BigEndian(pdu[3..], (ushort)values.Length);
        Pdu.WriteWords(values, pdu.Slice(5, 2 * values.Length));
        return 5 + (2 * values.Length);
    }

    /// <summary>Reads a response into <paramref name="values"/>, of at least 31 words; left alone unless Ok.</summary>
    public static ModbusOutcome ReadResponse(ReadOnlySpan<byte> pdu, Span<ushort> values, out int count)
    {
        var outcome = Check(pdu, out count);
        if (outcome.IsOk)
        {
            Pdu.ReadWords(pdu[5..], values[..count]);
        }

        return outcome;
    }

    internal static ModbusOutcome Check(ReadOnlySpan<byte> pdu, out int count)
    {
        count = 0;
        var start = Pdu.CheckFunction(pdu, ModbusFunction.ReadFifoQueue);
        if (!start.IsOk)
        {
            return start;
        }

        if (pdu.Length < 5)
        {
            return new(ModbusStatus.ShortReply);
        }

        var byteCount = BinaryPrimitives.ReadUInt16BigEndian(pdu[1..]);
        var inQueue = BinaryPrimitives.ReadUInt16BigEndian(pdu[3..]);
        if (inQueue > MaxCount || byteCount != 2 + (2 * inQueue) || pdu.Length > 3 + byteCount)
        {
            return new(ModbusStatus.Malformed);
        }

        if (pdu.Length < 3 + byteCount)
        {
            return new(ModbusStatus.ShortReply);
        }

        count = inQueue;
        return start;
    }
}
