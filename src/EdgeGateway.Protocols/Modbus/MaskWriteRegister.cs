using System.Buffers.Binary;

namespace EdgeGateway.Protocols.Modbus;

/// <summary>Mask Write Register (0x16): changes single bits of one holding register. MODBUS V1.1b3, 6.16.</summary>
/// <remarks>
/// Request  PDU:  function | address hi lo | AND mask hi lo | OR mask hi lo
/// Response PDU:  the same bytes
/// New value = (old AND and-mask) OR (or-mask AND NOT and-mask)
/// </remarks>
public static class MaskWriteRegister
{
    /// <summary>Bytes of a request and of its response.</summary>
    public const int Length = 7;

    /// <summary>Writes a request, or the equal response, and returns its length in bytes.</summary>
    public static int WriteRequest(Span<byte> pdu, ushort address, ushort andMask, ushort orMask)
    {
        Pdu.WriteStart(pdu, ModbusFunction.MaskWriteRegister, address, andMask);
        BinaryPrimitives.WriteUInt16BigEndian(pdu[5..], orMask);
        return Length;
    }

    /// <summary>Reads a request; false when the bytes are not one.</summary>
    public static bool TryReadRequest(ReadOnlySpan<byte> pdu, out ushort address, out ushort andMask, out ushort orMask)
    {
        orMask = 0;
        if (!Pdu.TryReadStart(pdu, ModbusFunction.MaskWriteRegister, out address, out andMask) || pdu.Length != Length)
        {
            return false;
        }

        orMask = BinaryPrimitives.ReadUInt16BigEndian(pdu[5..]);
        return true;
    }

    /// <summary>Reads a response: Ok only when it repeats the request.</summary>
    public static ModbusOutcome ReadResponse(ReadOnlySpan<byte> pdu, ushort address, ushort andMask, ushort orMask)
    {
        var outcome = Pdu.CheckLength(pdu, ModbusFunction.MaskWriteRegister, Length);
        if (!outcome.IsOk)
        {
            return outcome;
        }

        return TryReadRequest(pdu, out var toAddress, out var toAnd, out var toOr) && toAddress == address && toAnd == andMask && toOr == orMask
            ? outcome
            : new(ModbusStatus.Malformed);
    }

    /// <summary>The value that a register with this value has afterwards.</summary>
    public static ushort Apply(ushort value, ushort andMask, ushort orMask) => (ushort)((value & andMask) | (orMask & ~andMask & 0xFFFF));
}
