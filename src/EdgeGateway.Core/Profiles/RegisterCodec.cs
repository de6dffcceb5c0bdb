using System.Buffers.Binary;

namespace EdgeGateway.Core.Profiles;

/// <summary>What the words of a point turned out to be.</summary>
public enum DecodeStatus : byte
{
    /// <summary>A value.</summary>
    Ok,

    /// <summary>The device's declared code for "not available".</summary>
    Invalid,

    /// <summary>A floating-point NaN or infinity.</summary>
    NotANumber,
}

/// <summary>Turns the words of a point into its value and back. Allocates nothing.</summary>
/// <remarks>
/// Words are the 16-bit values of the registers in address order, as numbers (the wire's big-endian bytes already joined).
/// A coil or discrete input is one word: 0 or 1. "Raw" is the value's bits right-aligned in 64: a 16-bit -1 is 0xFFFF, a float
/// is its IEEE 754 image, a bit is 0 or 1.
/// </remarks>
public static class RegisterCodec
{
    // No quantity of a site reaches it, and differences of two such readings still fit a decimal.
    private const decimal LargestReading = 1e24m;

    /// <summary>Decodes the words of <see cref="RegisterEncoding.Span"/>.</summary>
    /// <param name="encoding">How the point is read.</param>
    /// <param name="words">Register values in address order; may be longer than the point.</param>
    /// <param name="value">The value in the point's unit; NaN unless the status is <see cref="DecodeStatus.Ok"/>.</param>
    /// <param name="raw">The bits as read, right-aligned; set whatever the status.</param>
    /// <exception cref="ArgumentOutOfRangeException">There are fewer words than the point occupies.</exception>
    public static DecodeStatus Decode(RegisterEncoding encoding, ReadOnlySpan<ushort> words, out double value, out ulong raw)
    {
        raw = RawOf(encoding, words);
        return DecodeRaw(encoding, raw, out value);
    }

    /// <summary>Decodes a raw value, as <see cref="Decode"/> returned it; the sample log keeps only this.</summary>
    /// <param name="encoding">How the point is read.</param>
    /// <param name="raw">The bits, right-aligned.</param>
    /// <param name="value">The value in the point's unit; NaN unless the status is <see cref="DecodeStatus.Ok"/>.</param>
    public static DecodeStatus DecodeRaw(RegisterEncoding encoding, ulong raw, out double value)
    {
        value = double.NaN;
        var invalid = encoding.Invalid;
        for (var i = 0; i < invalid.Count; i++)
        {
            if (invalid[i] == raw)
            {
                return DecodeStatus.Invalid;
            }
        }

        var number = NumberOf(encoding.Type, raw);
        if (!double.IsFinite(number))
        {
            return DecodeStatus.NotANumber;
        }

        number = encoding.Line.Apply(number);
        if (!double.IsFinite(number))
        {
            return DecodeStatus.NotANumber;
        }

        value = number;
        return DecodeStatus.Ok;
    }

    /// <summary>Encodes a value in the point's unit, rounded to the nearest step. The inverse of <see cref="Decode"/>.</summary>
    /// <param name="encoding">How the point is read.</param>
    /// <param name="value">The value in the point's unit.</param>
    /// <param name="words">Receives the words; the other bits of a register that holds a bit are kept.</param>
    /// <exception cref="ArgumentOutOfRangeException">The type cannot express the value, or there are too few words.</exception>
    public static void Encode(RegisterEncoding encoding, double value, Span<ushort> words)
    {
        var number = encoding.Line.Undo(value);
        var raw = encoding.Type switch
        {
            RegisterType.Float32 when float.IsFinite((float)number) => BitConverter.SingleToUInt32Bits((float)number),
            RegisterType.Float64 when double.IsFinite(number) => BitConverter.DoubleToUInt64Bits(number),
            RegisterType.Bit => Whole(number, 0, 2),
            RegisterType.UInt16 => Whole(number, 0, 65_536),
            RegisterType.Int16 => Whole(number, -32_768, 32_768) & 0xFFFF,
            RegisterType.UInt32 => Whole(number, 0, 4_294_967_296),
            RegisterType.Int32 => Whole(number, -2_147_483_648, 2_147_483_648) & 0xFFFF_FFFF,
            RegisterType.UInt64 => Whole(number, 0, 18_446_744_073_709_551_616.0),
            RegisterType.Int64 => Whole(number, -9_223_372_036_854_775_808.0, 9_223_372_036_854_775_808.0),
            _ => throw NotRepresentable(),
        };
        EncodeRaw(encoding, raw, words);

        ulong Whole(double exact, double first, double end)
        {
            var rounded = Math.Round(exact, MidpointRounding.AwayFromZero);
            if (!(rounded >= first && rounded < end))
            {
                throw NotRepresentable();
            }

            return rounded < 0 ? unchecked((ulong)(long)rounded) : (ulong)rounded;
        }

        ArgumentOutOfRangeException NotRepresentable() =>
            new(nameof(value), value, $"A {encoding.Type} with scale {encoding.Scale} and offset {encoding.Offset} cannot express this value.");
    }

    /// <summary>Writes raw bits as the device would hold them.</summary>
    /// <param name="encoding">How the point is read; scale and offset play no part.</param>
    /// <param name="raw">Right-aligned bits.</param>
    /// <param name="words">Receives the words; the other bits of a register that holds a bit are kept.</param>
    /// <exception cref="ArgumentOutOfRangeException">The bits do not fit the type, or there are too few words.</exception>
    public static void EncodeRaw(RegisterEncoding encoding, ulong raw, Span<ushort> words)
    {
        var length = encoding.Length;
        ArgumentOutOfRangeException.ThrowIfLessThan(words.Length, length, nameof(words));
        var bits = encoding.Type == RegisterType.Bit ? 1 : 16 * length;
        if (bits < 64 && raw >> bits != 0)
        {
            throw new ArgumentOutOfRangeException(nameof(raw), raw, $"A {encoding.Type} has {bits} bits.");
        }

        if (encoding.Type == RegisterType.Bit)
        {
            if (IsBitTable(encoding.Table))
            {
                words[0] = (ushort)raw;
                return;
            }

            var word = Ordered(encoding, words[0]);
            var mask = 1 << encoding.Bit;
            words[0] = Ordered(encoding, (ushort)(raw == 0 ? word & ~mask : word | mask));
            return;
        }

        for (var i = 0; i < length; i++)
        {
            var place = encoding.WordOrder == WordOrder.HighFirst ? length - 1 - i : i;
            words[place] = Ordered(encoding, (ushort)((raw >> (16 * i)) & 0xFFFF));
        }
    }

    /// <summary>The exact reading of a counter in its unit, so that differences carry no rounding error.</summary>
    /// <remarks>
    /// Integers are exact. A float is taken as its decimal value to 15 significant digits. Readings beyond 10^24 are cut to it, NaN is 0:
    /// decode first, a sample without a value has no reading.
    /// </remarks>
    public static decimal ReadingOf(RegisterEncoding encoding, ulong raw)
    {
        var number = NumberOf(encoding.Type, raw);
        if (double.IsNaN(number))
        {
            return 0;
        }

        var approximate = encoding.Line.Apply(number);
        if (Math.Abs(approximate) >= (double)LargestReading || Math.Abs(number) >= (double)LargestReading)
        {
            return approximate < 0 ? -LargestReading : LargestReading;
        }

        decimal exact = encoding.Type switch
        {
            RegisterType.Float32 or RegisterType.Float64 => (decimal)number,
            RegisterType.UInt64 => raw,
            RegisterType.Int64 => unchecked((long)raw),
            _ => (long)number,
        };
        return (exact * encoding.Scale) + encoding.Offset;
    }

    private static ulong RawOf(RegisterEncoding encoding, ReadOnlySpan<ushort> words)
    {
        var length = encoding.Length;
        ArgumentOutOfRangeException.ThrowIfLessThan(words.Length, length, nameof(words));
        if (encoding.Type == RegisterType.Bit)
        {
            return IsBitTable(encoding.Table)
                ? (words[0] == 0 ? 0UL : 1UL)
                : (ulong)(Ordered(encoding, words[0]) >> encoding.Bit) & 1;
        }

        ulong raw = 0;
        for (var i = 0; i < length; i++)
        {
            var place = encoding.WordOrder == WordOrder.HighFirst ? i : length - 1 - i;
            raw = (raw << 16) | Ordered(encoding, words[place]);
        }

        return raw;
    }

    private static double NumberOf(RegisterType type, ulong raw) => type switch
    {
        RegisterType.Int16 => unchecked((short)raw),
        RegisterType.Int32 => unchecked((int)raw),
        RegisterType.Int64 => unchecked((long)raw),
        RegisterType.Float32 => BitConverter.UInt32BitsToSingle(unchecked((uint)raw)),
        RegisterType.Float64 => BitConverter.UInt64BitsToDouble(raw),
        _ => raw,
    };

    private static ushort Ordered(RegisterEncoding encoding, ushort word) =>
        encoding.ByteOrder == ByteOrder.Big ? word : BinaryPrimitives.ReverseEndianness(word);

    private static bool IsBitTable(RegisterTable table) => table is RegisterTable.Coil or RegisterTable.DiscreteInput;
}
