using System.Buffers.Binary;

namespace EdgeGateway.Protocols.Modbus;

/// <summary>What all protocol data units share: function code first, and the exception response. MODBUS V1.1b3, 4.1 and 7.</summary>
/// <remarks>Exception PDU:  function + 0x80 | exception code</remarks>
public static class Pdu
{
    /// <summary>The longest PDU in bytes. MODBUS V1.1b3, 4.1.</summary>
    public const int MaxLength = 253;

    /// <summary>The bit that turns a function code into an exception response.</summary>
    public const byte ExceptionFlag = 0x80;

    /// <summary>Writes an exception response and returns its length in bytes.</summary>
    public static int WriteException(Span<byte> pdu, byte function, ModbusExceptionCode code)
    {
        pdu[0] = (byte)(function | ExceptionFlag);
        pdu[1] = (byte)code;
        return 2;
    }

    /// <summary>Judges the start of a response: Ok when it is a normal response of this function, else why not.</summary>
    internal static ModbusOutcome CheckFunction(ReadOnlySpan<byte> pdu, ModbusFunction function)
    {
        if (pdu.IsEmpty)
        {
            return new(ModbusStatus.ShortReply);
        }

        if (pdu[0] == (byte)function)
        {
            return ModbusOutcome.Ok;
        }

        if (pdu[0] != ((byte)function | ExceptionFlag))
        {
            return new(ModbusStatus.WrongFunction);
        }

        return pdu.Length switch
        {
            < 2 => new(ModbusStatus.ShortReply),
            2 when pdu[1] != 0 => ModbusOutcome.Refused((ModbusExceptionCode)pdu[1]),
            _ => new(ModbusStatus.Malformed),
        };
    }

    /// <summary>Judges a read response: function, byte count and length must be those that the request calls for.</summary>
    internal static ModbusOutcome CheckRead(ReadOnlySpan<byte> pdu, ModbusFunction function, int byteCount)
    {
        var start = CheckFunction(pdu, function);
        if (!start.IsOk)
        {
            return start;
        }

        if (pdu.Length < 2 || pdu[1] < byteCount || pdu.Length < 2 + byteCount)
        {
            return new(ModbusStatus.ShortReply);
        }

        return pdu[1] == byteCount && pdu.Length == 2 + byteCount ? ModbusOutcome.Ok : new(ModbusStatus.Malformed);
    }

    /// <summary>Judges a write response, which repeats the address and the value or quantity of the request.</summary>
    internal static ModbusOutcome CheckWrite(ReadOnlySpan<byte> pdu, ModbusFunction function, ushort address, ushort valueOrQuantity)
    {
        var start = CheckFunction(pdu, function);
        if (!start.IsOk)
        {
            return start;
        }

        if (pdu.Length < 5)
        {
            return new(ModbusStatus.ShortReply);
        }

        return pdu.Length == 5
            && BinaryPrimitives.ReadUInt16BigEndian(pdu[1..]) == address
            && BinaryPrimitives.ReadUInt16BigEndian(pdu[3..]) == valueOrQuantity
            ? ModbusOutcome.Ok
            : new(ModbusStatus.Malformed);
    }

    /// <summary>Judges a response whose length the standard fixes.</summary>
    internal static ModbusOutcome CheckLength(ReadOnlySpan<byte> pdu, ModbusFunction function, int length)
    {
        var start = CheckFunction(pdu, function);
        if (!start.IsOk)
        {
            return start;
        }

        return pdu.Length == length ? ModbusOutcome.Ok : new(pdu.Length < length ? ModbusStatus.ShortReply : ModbusStatus.Malformed);
    }

    /// <summary>Judges a response whose second byte counts what follows, where the device chooses how much that is.</summary>
    internal static ModbusOutcome CheckCounted(ReadOnlySpan<byte> pdu, ModbusFunction function, int least, int most)
    {
        var start = CheckFunction(pdu, function);
        if (!start.IsOk)
        {
            return start;
        }

        if (pdu.Length < 2 || pdu.Length < 2 + pdu[1])
        {
            return new(ModbusStatus.ShortReply);
        }

        return pdu.Length == 2 + pdu[1] && pdu[1] >= least && pdu[1] <= most ? ModbusOutcome.Ok : new(ModbusStatus.Malformed);
    }

    /// <summary>Writes function, address and value or quantity: the start of every request.</summary>
    internal static int WriteStart(Span<byte> pdu, ModbusFunction function, ushort address, ushort valueOrQuantity)
    {
        pdu[0] = (byte)function;
        BinaryPrimitives.WriteUInt16BigEndian(pdu[1..], address);
        BinaryPrimitives.WriteUInt16BigEndian(pdu[3..], valueOrQuantity);
        return 5;
    }

    /// <summary>Reads address and value or quantity; false when the PDU is not a whole request of this function.</summary>
    internal static bool TryReadStart(ReadOnlySpan<byte> pdu, ModbusFunction function, out ushort address, out ushort valueOrQuantity)
    {
        if (pdu.Length < 5 || pdu[0] != (byte)function)
        {
            address = 0;
            valueOrQuantity = 0;
            return false;
        }

        address = BinaryPrimitives.ReadUInt16BigEndian(pdu[1..]);
        valueOrQuantity = BinaryPrimitives.ReadUInt16BigEndian(pdu[3..]);
        return true;
    }

    /// <summary>Packs words into bits, eight to a byte, the first in the lowest bit. MODBUS V1.1b3, 6.1.</summary>
    internal static void PackBits(ReadOnlySpan<ushort> words, Span<byte> bytes)
    {
        bytes.Clear();
        for (var i = 0; i < words.Length; i++)
        {
            if (words[i] != 0)
            {
                bytes[i >> 3] |= (byte)(1 << (i & 7));
            }
        }
    }

    /// <summary>Unpacks bits into words that are 0 or 1.</summary>
    internal static void UnpackBits(ReadOnlySpan<byte> bytes, Span<ushort> words)
    {
        for (var i = 0; i < words.Length; i++)
        {
            words[i] = (ushort)((bytes[i >> 3] >> (i & 7)) & 1);
        }
    }

    internal static void WriteWords(ReadOnlySpan<ushort> words, Span<byte> bytes)
    {
        for (var i = 0; i < words.Length; i++)
        {
            BinaryPrimitives.WriteUInt16BigEndian(bytes[(2 * i)..], words[i]);
        }
    }

    internal static void ReadWords(ReadOnlySpan<byte> bytes, Span<ushort> words)
    {
        for (var i = 0; i < words.Length; i++)
        {
            words[i] = BinaryPrimitives.ReadUInt16BigEndian(bytes[(2 * i)..]);
        }
    }

    internal static int BytesForBits(int bits) => (bits + 7) / 8;

    internal static void CheckQuantity(int quantity, int most, ushort address)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(quantity, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(quantity, most);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(address + quantity, 0x10000, nameof(address));
    }
}
