using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace EdgeGateway.Protocols.Modbus;

/// <summary>Function codes, PDUs and exceptions in words. MODBUS V1.1b3, 6 and 7.</summary>
public static class FrameText
{
    private const int WordsShown = 12;

    /// <summary>The name of a function code: <c>read holding registers</c>.</summary>
    public static string FunctionName(byte function) => function switch
    {
        0x01 => "read coils",
        0x02 => "read discrete inputs",
        0x03 => "read holding registers",
        0x04 => "read input registers",
        0x05 => "write one coil",
        0x06 => "write one register",
        0x07 => "read exception status",
        0x08 => "diagnostics",
        0x0B => "read event counter",
        0x0C => "read event log",
        0x0F => "write coils",
        0x10 => "write registers",
        0x11 => "report server id",
        0x14 => "read file record",
        0x15 => "write file record",
        0x16 => "mask one register",
        0x17 => "write and read registers",
        0x18 => "read FIFO queue",
        0x2B => "read device identification",
        _ => $"function 0x{function:X2}",
    };

    /// <summary>The name of an exception code: <c>illegal data address</c>.</summary>
    public static string ExceptionName(byte code) => code switch
    {
        0x01 => "illegal function",
        0x02 => "illegal data address",
        0x03 => "illegal data value",
        0x04 => "device failure",
        0x05 => "acknowledge, needs more time",
        0x06 => "device busy",
        0x08 => "memory parity error",
        0x0A => "gateway has no path to the unit",
        0x0B => "unit behind the gateway does not answer",
        _ => "a code that the standard does not define",
    };

    /// <summary>Bytes as hexadecimal pairs with blanks between.</summary>
    public static string Hex(IReadOnlyList<byte> bytes)
    {
        ArgumentNullException.ThrowIfNull(bytes);
        var text = new StringBuilder(3 * bytes.Count);
        foreach (var b in bytes)
        {
            text.Append(text.Length == 0 ? "" : " ").Append(b.ToString("X2", CultureInfo.InvariantCulture));
        }

        return text.ToString();
    }

    /// <summary>A request PDU in words, whatever its bytes.</summary>
    internal static string Request(ReadOnlySpan<byte> pdu, out int? address, out int? quantity)
    {
        (address, quantity) = (null, null);
        var function = pdu[0];
        if (function is (>= 1 and <= 6) or 15 or 16 or 22 or 23 && pdu.Length >= 5)
        {
            var first = BinaryPrimitives.ReadUInt16BigEndian(pdu[1..]);
            var second = BinaryPrimitives.ReadUInt16BigEndian(pdu[3..]);
            address = first;
            quantity = function is 5 or 6 or 22 ? 1 : second;
            return function switch
            {
                <= 4 => $"read {Count(second, Thing(function))} from {At(first)}",
                5 => $"write coil {At(first)} = {(second == 0 ? "off" : second == 0xFF00 ? "on" : $"0x{second:X4}")}",
                6 => $"write holding register {At(first)} = {second} (0x{second:X4})",
                15 or 16 => $"write {Count(second, function == 15 ? "coil" : "holding register")} from {At(first)}{Values(function, pdu.Length > 5 ? pdu[5..] : [])}",
                22 => $"mask holding register {At(first)}",
                _ when pdu.Length >= 9 => $"read {Count(second, "holding register")} from {At(first)} after writing {Count(BinaryPrimitives.ReadUInt16BigEndian(pdu[7..]), "register")} from {At(BinaryPrimitives.ReadUInt16BigEndian(pdu[5..]))}",
                _ => FunctionName(function),
            };
        }

        return function switch
        {
            8 when pdu.Length >= 3 => $"diagnostics, sub-function {BinaryPrimitives.ReadUInt16BigEndian(pdu[1..])}",
            43 when pdu.Length >= 4 && pdu[1] == 0x0E => $"read device identification, level {pdu[2]} from object {pdu[3]}",
            43 when pdu.Length >= 2 && pdu[1] != 0x0E => $"encapsulated interface, type 0x{pdu[1]:X2}",
            _ => FunctionName(function),
        };
    }

    /// <summary>A response PDU in words, whatever its bytes.</summary>
    internal static string Reply(ReadOnlySpan<byte> pdu)
    {
        var function = pdu[0];
        if ((function & Pdu.ExceptionFlag) != 0)
        {
            var code = pdu.Length > 1 ? pdu[1] : (byte)0;
            return $"refuses to {Verb((byte)(function & ~Pdu.ExceptionFlag))}: exception {code:X2} ({ExceptionName(code)})";
        }

        switch (function)
        {
            case 1 or 2 when pdu.Length >= 2:
                return $"{Count(8 * (pdu.Length - 2), "bit")}:{Bits(pdu[2..])}";
            case 3 or 4 or 23 when pdu.Length >= 2:
                return $"{Count((pdu.Length - 2) / 2, "register")}{Values(function, pdu[1..])}";
            case 5 or 6 or 15 or 16 when pdu.Length >= 5:
                return $"done: {Request(pdu, out _, out _)}";
            case 17 when pdu.Length >= 2:
                return $"server id: {Readable(pdu[2..])}";
            case 43 when pdu.Length >= 7 && pdu[1] == 0x0E:
                return $"device identification: {Objects(pdu)}";
            default:
                return $"{FunctionName(function)}, {Count(pdu.Length - 1, "byte")}";
        }
    }

    /// <summary>A count with its noun: <c>1 register</c>, <c>10 registers</c>.</summary>
    internal static string Count(int count, string noun) => $"{count} {noun}{(count == 1 ? "" : "s")}";

    private static string At(ushort address) => $"{address} (0x{address:X4})";

    private static string Thing(byte function) => function switch
    {
        1 => "coil",
        2 => "discrete input",
        3 => "holding register",
        _ => "input register",
    };

    private static string Verb(byte function) => FunctionName(function) is var name && name.StartsWith("function", StringComparison.Ordinal) ? $"do {name}"
        : name == "diagnostics" ? "do diagnostics"
        : name;

    /// <summary>The words behind a byte count.</summary>
    private static string Values(byte function, ReadOnlySpan<byte> counted)
    {
        if (counted.Length < 2)
        {
            return "";
        }

        if (function == 15)
        {
            return $":{Bits(counted[1..])}";
        }

        var text = new StringBuilder(":");
        var words = (counted.Length - 1) / 2;
        for (var i = 0; i < Math.Min(words, WordsShown); i++)
        {
            text.Append(' ').Append(BinaryPrimitives.ReadUInt16BigEndian(counted[(1 + (2 * i))..]).ToString("X4", CultureInfo.InvariantCulture));
        }

        return words > WordsShown ? text.Append(CultureInfo.InvariantCulture, $" … {words - WordsShown} more").ToString() : text.ToString();
    }

    private static string Bits(ReadOnlySpan<byte> packed)
    {
        var text = new StringBuilder();
        for (var i = 0; i < Math.Min(packed.Length, 4); i++)
        {
            text.Append(' ');
            for (var bit = 0; bit < 8; bit++)
            {
                text.Append((packed[i] >> bit & 1) == 0 ? '0' : '1');
            }
        }

        return packed.Length > 4 ? text.Append(CultureInfo.InvariantCulture, $" … {8 * (packed.Length - 4)} more").ToString() : text.ToString();
    }

    private static string Objects(ReadOnlySpan<byte> pdu)
    {
        var text = new StringBuilder();
        for (var at = 7; at + 2 <= pdu.Length;)
        {
            var length = Math.Min(pdu[at + 1], pdu.Length - at - 2);
            text.Append(text.Length == 0 ? "" : ", ").Append(Readable(pdu.Slice(at + 2, length)));
            at += 2 + length;
        }

        return text.ToString();
    }

    private static string Readable(ReadOnlySpan<byte> bytes) => $"\"{DeviceText.Of(bytes)}\"";
}
