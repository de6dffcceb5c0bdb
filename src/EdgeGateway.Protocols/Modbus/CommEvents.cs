using System.Buffers.Binary;

namespace EdgeGateway.Protocols.Modbus;

/// <summary>How many messages a device has completed without a refusal.</summary>
/// <param name="IsBusy">Whether it still works on an earlier command.</param>
/// <param name="Events">The count; it rolls over at 65536.</param>
public readonly record struct CommEventCounter(bool IsBusy, ushort Events);

/// <summary>The last events on a device's line.</summary>
/// <param name="IsBusy">Whether the device still works on an earlier command.</param>
/// <param name="Events">As <see cref="CommEventCounter.Events"/>.</param>
/// <param name="Messages">Messages that the device has processed.</param>
/// <param name="Log">Up to 64 event bytes, the newest first; their bits are told in MODBUS V1.1b3, 6.10.</param>
public sealed record CommEventLog(bool IsBusy, ushort Events, ushort Messages, ReadOnlyMemory<byte> Log);

/// <summary>Get Comm Event Counter (0x0B). MODBUS V1.1b3, 6.9.</summary>
/// <remarks>
/// Request  PDU:  function
/// Response PDU:  function | status hi lo (FFFF when busy, else 0000) | event count hi lo
/// </remarks>
public static class GetCommEventCounter
{
    /// <summary>Writes a request and returns its length in bytes.</summary>
    public static int WriteRequest(Span<byte> pdu)
    {
        pdu[0] = (byte)ModbusFunction.GetCommEventCounter;
        return 1;
    }

    /// <summary>Writes a response and returns its length in bytes.</summary>
    public static int WriteResponse(Span<byte> pdu, CommEventCounter counter) =>
        Pdu.WriteStart(pdu, ModbusFunction.GetCommEventCounter, counter.IsBusy ? (ushort)0xFFFF : (ushort)0, counter.Events);

    /// <summary>Reads a response; the counter is empty unless Ok.</summary>
    public static ModbusOutcome ReadResponse(ReadOnlySpan<byte> pdu, out CommEventCounter counter)
    {
        var outcome = Pdu.CheckLength(pdu, ModbusFunction.GetCommEventCounter, 5);
        counter = outcome.IsOk
            ? new(BinaryPrimitives.ReadUInt16BigEndian(pdu[1..]) != 0, BinaryPrimitives.ReadUInt16BigEndian(pdu[3..]))
            : default;
        return outcome;
    }
}

/// <summary>Get Comm Event Log (0x0C). MODBUS V1.1b3, 6.10.</summary>
/// <remarks>
/// Request  PDU:  function
/// Response PDU:  function | byte count | status hi lo | event count hi lo | message count hi lo | event 0 (newest) | event 1 | ...
/// </remarks>
public static class GetCommEventLog
{
    /// <summary>The most events in a log.</summary>
    public const int MaxEvents = 64;

    internal const int HeadBytes = 6;

    /// <summary>Writes a request and returns its length in bytes.</summary>
    public static int WriteRequest(Span<byte> pdu)
    {
        pdu[0] = (byte)ModbusFunction.GetCommEventLog;
        return 1;
    }

    /// <summary>Writes a response and returns its length in bytes.</summary>
    public static int WriteResponse(Span<byte> pdu, bool isBusy, ushort events, ushort messages, ReadOnlySpan<byte> log)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(log.Length, MaxEvents);
        pdu[0] = (byte)ModbusFunction.GetCommEventLog;
        pdu[1] = (byte)(HeadBytes + log.Length);
        BinaryPrimitives.WriteUInt16BigEndian(pdu[2..], isBusy ? (ushort)0xFFFF : (ushort)0);
        BinaryPrimitives.WriteUInt16BigEndian(pdu[4..], events);
        BinaryPrimitives.WriteUInt16BigEndian(pdu[6..], messages);
        log.CopyTo(pdu[8..]);
        return 2 + HeadBytes + log.Length;
    }

    /// <summary>Reads a response; there is no log unless Ok.</summary>
    public static ModbusOutcome ReadResponse(ReadOnlySpan<byte> pdu, out CommEventLog? log)
    {
        var outcome = Check(pdu);
        log = outcome.IsOk
            ? new(
                BinaryPrimitives.ReadUInt16BigEndian(pdu[2..]) != 0,
                BinaryPrimitives.ReadUInt16BigEndian(pdu[4..]),
                BinaryPrimitives.ReadUInt16BigEndian(pdu[6..]),
                pdu[8..].ToArray())
            : null;
        return outcome;
    }

    internal static ModbusOutcome Check(ReadOnlySpan<byte> pdu) =>
        Pdu.CheckCounted(pdu, ModbusFunction.GetCommEventLog, HeadBytes, HeadBytes + MaxEvents);
}
