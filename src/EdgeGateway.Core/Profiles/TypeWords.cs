using System.Globalization;

namespace EdgeGateway.Core.Profiles;

/// <summary>The words of register types and orders, and what people write instead.</summary>
internal static class TypeWords
{
    /// <summary>Types that are a number without further keys.</summary>
    public static readonly string[] Numbers =
        ["bit", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float16", "float32", "float64", "bcd16", "bcd32", "bcd64"];

    // Words of other tools, of PLCs (IEC 61131-3) and of SunSpec, letters and digits only. What has several sizes in the field is not decided here.
    private static readonly (string Type, string[] Words)[] Aliases =
    [
        ("bit", ["bool", "boolean", "coil", "flag", "discrete", "digital"]),
        ("uint16", ["u16", "word", "ushort", "unsigned", "unsigned16", "uint", "acc16", "enum16", "bitfield16", "count", "register", "16bitunsigned"]),
        ("int16", ["s16", "i16", "short", "signed", "signed16", "sint16", "int", "integer", "16bitsigned"]),
        ("uint32", ["u32", "dword", "udint", "unsigned32", "acc32", "enum32", "bitfield32", "ulong", "unsignedlong", "32bitunsigned"]),
        ("int32", ["s32", "i32", "dint", "long", "signed32", "sint32", "32bitsigned"]),
        ("uint64", ["u64", "qword", "lword", "ulint", "unsigned64", "acc64", "bitfield64", "ulonglong"]),
        ("int64", ["s64", "i64", "lint", "longlong", "signed64", "sint64"]),
        ("float16", ["f16", "half"]),
        ("float32", ["f32", "float", "single", "real", "ieee754", "float32ieee"]),
        ("float64", ["f64", "double", "lreal", "real64"]),
        ("bcd16", ["bcd4"]),
        ("bcd32", ["bcd8"]),
        ("bcd64", ["bcd16digits"]),
        ("mod10", ["modulo10000", "mod10000", "modulo10k", "mod10k", "m10k", "int64m10k", "int32m10k", "base10000"]),
        ("datetime", ["date", "time", "timestamp", "datetime4", "ti081"]),
        ("text", ["string", "str", "char", "chars", "ascii", "utf8", "visiblestring"]),
    ];

    private static readonly (string Letters, string Order)[] Letters =
    [
        ("ABCD", "'wordOrder: high-first' with 'byteOrder: big'"),
        ("CDAB", "'wordOrder: low-first' with 'byteOrder: big'"),
        ("BADC", "'wordOrder: high-first' with 'byteOrder: little'"),
        ("DCBA", "'wordOrder: low-first' with 'byteOrder: little'"),
    ];

    /// <summary>What was probably meant by a wrong type, as a sentence; null when only the spelling helps.</summary>
    public static string? MeantType(string written)
    {
        if (Letter(written) is { } order)
        {
            return $"'{written}' is an order and not a type: {order}.";
        }

        var plain = Plain(written);
        if (plain is "sunssf" or "sf" or "scalefactor")
        {
            return "A scale factor is no point: name its register in 'scaleAt' of the points that it scales.";
        }

        if (plain == "bcd")
        {
            return "Say how long it is: bcd16 has 4 digits, bcd32 has 8, bcd64 has 16.";
        }

        var meant = Array.Find(Aliases, a => a.Words.Contains(plain)).Type ?? (Numbers.Contains(plain) ? plain : null);
        return meant is null ? null : $"'{written}' is '{meant}' here.";
    }

    /// <summary>What was probably meant by a wrong word order, as a sentence; null when only the spelling helps.</summary>
    public static string? MeantOrder(string written) => Letter(written) is { } order
        ? $"'{written}' is {order}."
        : Plain(written) switch
        {
            "mswfirst" or "bigendian" or "highlow" or "hilo" or "normal" => "High word in the lower address is 'high-first'.",
            "lswfirst" or "littleendian" or "swapped" or "swap" or "lowhigh" or "lohi" or "midbig" or "midlittle" => "Low word in the lower address is 'low-first'; bytes inside a register are 'byteOrder'.",
            "big" or "little" => "'big' and 'little' are orders of bytes ('byteOrder').",
            _ => null,
        };

    /// <summary>Reads <c>4..7</c> or <c>4</c>.</summary>
    public static bool TryBits(string text, out int first, out int last)
    {
        var dots = text.IndexOf("..", StringComparison.Ordinal);
        last = 0;
        return int.TryParse(dots < 0 ? text : text.AsSpan(0, dots), NumberStyles.None, CultureInfo.InvariantCulture, out first)
            && int.TryParse(dots < 0 ? text : text.AsSpan(dots + 2), NumberStyles.None, CultureInfo.InvariantCulture, out last)
            && first <= last && last <= 63;
    }

    /// <summary>The form of a date by its word.</summary>
    public static TimeForm FormOf(string word) => word switch
    {
        "iec" => TimeForm.Iec,
        "powerlogic-4" => TimeForm.PowerLogic4,
        "powerlogic-3" => TimeForm.PowerLogic3,
        "bytes-3" => TimeForm.Bytes,
        "bcd-3" => TimeForm.Bcd,
        _ => TimeForm.Parts,
    };

    /// <summary>The type by its word.</summary>
    public static RegisterType TypeOf(string word) => Enum.Parse<RegisterType>(word, ignoreCase: true);

    private static string? Letter(string written) =>
        Array.Find(Letters, l => l.Letters.Equals(written.Replace(" ", "", StringComparison.Ordinal), StringComparison.OrdinalIgnoreCase)).Order;

    private static string Plain(string written) => string.Concat(written.Where(char.IsAsciiLetterOrDigit)).ToLowerInvariant();
}
