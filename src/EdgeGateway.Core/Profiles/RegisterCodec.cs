using System.Buffers.Binary;

namespace EdgeGateway.Core.Profiles;

/// <summary>What the words of a point turned out to be.</summary>
public enum DecodeStatus : byte
{
    /// <summary>A value.</summary>
    Ok,

    /// <summary>The device's declared code for "not available".</summary>
    Invalid,

    /// <summary>A floating-point NaN or infinity, or a text.</summary>
    NotANumber,

    /// <summary>A decimal digit beyond 9, or a register of base 10,000 beyond 9999 or of another sign.</summary>
    BadDigits,

    /// <summary>No date of the calendar between 1970 and 2199.</summary>
    BadDate,

    /// <summary>The scale register holds no power of ten from -10 to 10.</summary>
    BadScale,
}

/// <summary>Turns the words of a point into its value and back. Allocates nothing.</summary>
/// <remarks>
/// <para>
/// Words are the 16-bit values of the registers in address order, as numbers (the wire's big-endian bytes already joined).
/// A coil or discrete input is one word: 0 or 1. "Raw" is the value's bits right-aligned in 64: a 16-bit -1 is 0xFFFF, a float
/// is its IEEE 754 image, a bit is 0 or 1, decimal digits and dates are their registers joined.
/// </para>
/// <para>
/// With a scale register, raw holds both, because both make the value and the sample log keeps nothing else: a value of up to 32 bits with the register in bits 48 to
/// 63; of a value of 64 bits the lowest 59, with the power of ten plus 10 above them, or why there is no number.
/// </para>
/// </remarks>
public static class RegisterCodec
{
    /// <summary>Largest power of ten of a scale register, up and down (SunSpec Device Information Model Specification, sunssf).</summary>
    public const int LargestPower = 10;

    // No quantity of a site reaches it, and differences of two such readings still fit a decimal.
    private const decimal LargestReading = 1e24m;

    // "Not implemented" of a sunssf.
    private const short NoScale = short.MinValue;

    private const int PowerShift = 48;
    private const int LongPowerShift = 59;
    private const int LongInvalid = 31;
    private const int LongBadScale = 30;
    private const int LongTooLarge = 29;

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
        var (status, power) = (DecodeStatus.Ok, 0);
        if (encoding.ScaleAt is not null)
        {
            status = Unscale(encoding, ref raw, out power);
            if (status != DecodeStatus.Ok)
            {
                return status;
            }
        }

        if (IsInvalid(encoding, raw))
        {
            return DecodeStatus.Invalid;
        }

        status = NumberOf(encoding, raw, out var number);
        if (status != DecodeStatus.Ok)
        {
            return status;
        }

        number = power == 0 ? encoding.Line.Apply(number) : encoding.Line.Apply(number, power);
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
    /// <param name="words">
    /// The words of <see cref="RegisterEncoding.Span"/>. Receives the value; a scale register, which applies as it stands, the other bits of a register that holds bits, and
    /// what lies between value and scale register are kept.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">The type cannot express the value, there are too few words, or the scale register holds no power of ten.</exception>
    public static void Encode(RegisterEncoding encoding, double value, Span<ushort> words)
    {
        var power = encoding.ScaleAt is null ? 0 : PowerOf(encoding, words);
        if (Math.Abs(power) > LargestPower)
        {
            throw new ArgumentOutOfRangeException(nameof(words), power, "The scale register holds no power of ten from -10 to 10.");
        }

        var number = power == 0 ? encoding.Line.Undo(value) : encoding.Line.Undo(value, power);
        var bits = encoding.RawBits;
        var raw = encoding.Type switch
        {
            RegisterType.Float16 when Half.IsFinite((Half)number) => BitConverter.HalfToUInt16Bits((Half)number),
            RegisterType.Float32 when float.IsFinite((float)number) => BitConverter.SingleToUInt32Bits((float)number),
            RegisterType.Float64 when double.IsFinite(number) => BitConverter.DoubleToUInt64Bits(number),
            RegisterType.Bit or RegisterType.UInt16 or RegisterType.UInt32 or RegisterType.UInt64 => Whole(number, 0, Math.ScaleB(1, bits)),
            RegisterType.Int16 or RegisterType.Int32 or RegisterType.Int64 => Whole(number, -Math.ScaleB(1, bits - 1), Math.ScaleB(1, bits - 1)) & Ones(bits),
            RegisterType.Bcd16 or RegisterType.Bcd32 or RegisterType.Bcd64 => Digits.Bcd(Whole(number, 0, Math.Pow(10, bits / 4))),
            RegisterType.Mod10 => Digits.Mod10(unchecked((long)Whole(number, 1 - Math.Pow(10, bits / 4), Math.Pow(10, bits / 4))), encoding.Length),
            RegisterType.DateTime when DeviceTime.TryWrite(encoding.TimeForm, number, out var time) => time,
            _ => throw NotRepresentable(),
        };
        WriteValue(encoding, raw, ValueWords(encoding, words));

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

    /// <summary>Writes raw bits as the device would hold them; with a scale register, this too.</summary>
    /// <param name="encoding">How the point is read; scale and offset play no part.</param>
    /// <param name="raw">Right-aligned bits, as <see cref="Decode"/> returns them.</param>
    /// <param name="words">The words of <see cref="RegisterEncoding.Span"/>; the other bits of a register that holds bits are kept.</param>
    /// <exception cref="ArgumentOutOfRangeException">The bits do not fit the type, or there are too few words.</exception>
    public static void EncodeRaw(RegisterEncoding encoding, ulong raw, Span<ushort> words)
    {
        var values = ValueWords(encoding, words);
        if (encoding.ScaleAt is not null)
        {
            var power = encoding.Length < 4 ? unchecked((short)(raw >> PowerShift)) : (int)(raw >> LongPowerShift) - LargestPower;
            if (encoding.Length == 4)
            {
                ArgumentOutOfRangeException.ThrowIfGreaterThan(power, LargestPower, nameof(raw));
            }

            words[encoding.ScaleAt.Value - encoding.Span.First] = Ordered(encoding, unchecked((ushort)power));
            raw = ValueOf(encoding, raw);
        }

        WriteValue(encoding, raw, values);
    }

    /// <summary>The raw form of a value's bits and its power of ten, for an encoding with a scale register.</summary>
    /// <param name="encoding">How the point is read.</param>
    /// <param name="bits">The value's own bits.</param>
    /// <param name="power">The number in the scale register.</param>
    public static ulong Scaled(RegisterEncoding encoding, ulong bits, short power)
    {
        if (encoding.Length < 4)
        {
            return bits | ((ulong)unchecked((ushort)power) << PowerShift);
        }

        var isSigned = encoding.Type == RegisterType.Int64;
        var fits = isSigned ? unchecked((long)(bits << 5) >> 5 == (long)bits) : bits >> LongPowerShift == 0;
        var code = IsInvalid(encoding, bits) || power == NoScale ? LongInvalid
            : Math.Abs((int)power) > LargestPower ? LongBadScale
            : !fits ? LongTooLarge
            : power + LargestPower;
        return ((ulong)code << LongPowerShift) | (bits & Ones(LongPowerShift));
    }

    /// <summary>A raw taken apart for people: the value's own bits, and the power of ten of its scale register; null without one, or where it holds none.</summary>
    public static (ulong Bits, int? Power) Parts(RegisterEncoding encoding, ulong raw)
    {
        if (encoding.ScaleAt is null)
        {
            return (raw, null);
        }

        _ = Unscale(encoding, ref raw, out var power);
        return (encoding.RawBits < 64 ? raw & Ones(encoding.RawBits) : raw, Math.Abs(power) <= LargestPower ? power : null);
    }

    /// <summary>The raw form of a whole number of steps, as a counter shows it; digits and bits that do not fit are left off, as when a register rolls over.</summary>
    /// <param name="encoding">How the point is read; no float, date or text.</param>
    /// <param name="steps">The number.</param>
    /// <param name="power">What the scale register holds, where there is one.</param>
    public static ulong RawOfSteps(RegisterEncoding encoding, ulong steps, short power = 0)
    {
        var bits = encoding.Type switch
        {
            RegisterType.Bcd16 or RegisterType.Bcd32 or RegisterType.Bcd64 => Digits.Bcd(steps) & Ones(encoding.RawBits),
            RegisterType.Mod10 => Digits.Mod10((long)(steps % 10_000_000_000_000_000), encoding.Length),
            _ => steps & Ones(encoding.RawBits),
        };
        return encoding.ScaleAt is null ? bits : Scaled(encoding, bits, power);
    }

    /// <summary>The exact reading of a counter in its unit, so that differences carry no rounding error.</summary>
    /// <remarks>
    /// Integers and decimal digits are exact, with a scale register too. A float is taken as its decimal value to 15 significant digits. Readings beyond 10^24 are cut to it;
    /// what is no number is 0: decode first, a sample without a value has no reading.
    /// </remarks>
    public static decimal ReadingOf(RegisterEncoding encoding, ulong raw)
    {
        var power = 0;
        if ((encoding.ScaleAt is not null && Unscale(encoding, ref raw, out power) != DecodeStatus.Ok)
            || NumberOf(encoding, raw, out var number) != DecodeStatus.Ok)
        {
            return encoding.IsStepped || !double.IsInfinity(ImageOf(encoding.Type, raw)) ? 0 : Cut(encoding.Line.Apply(ImageOf(encoding.Type, raw)));
        }

        var approximate = encoding.Line.Apply(number, power);
        if (Math.Abs(approximate) >= (double)LargestReading || Math.Abs(number) >= (double)LargestReading)
        {
            return Cut(approximate);
        }

        decimal exact = encoding.Type switch
        {
            RegisterType.Float16 or RegisterType.Float32 or RegisterType.Float64 or RegisterType.DateTime => (decimal)number,
            RegisterType.Bit or RegisterType.UInt16 or RegisterType.UInt32 or RegisterType.UInt64 => raw,
            RegisterType.Int64 => unchecked((long)raw),
            RegisterType.Bcd64 when Digits.TryBcd(raw, 16, out var digits) => digits,
            RegisterType.Mod10 when Digits.TryMod10(raw, encoding.Length, out var parts) => parts,
            _ => (long)number,
        };
        return (exact * encoding.Scale * TenTo(power)) + encoding.Offset;

        static decimal Cut(double value) => value < 0 ? -LargestReading : LargestReading;
    }

    /// <summary>Smallest difference that the value of a raw can show, in the point's unit; 0 for floats, whose steps depend on the number.</summary>
    public static decimal StepOf(RegisterEncoding encoding, ulong raw)
    {
        var power = 0;
        return !encoding.IsStepped || (encoding.ScaleAt is not null && Unscale(encoding, ref raw, out power) != DecodeStatus.Ok)
            ? 0
            : Math.Abs(encoding.Scale) * TenTo(power);
    }

    private static ulong RawOf(RegisterEncoding encoding, ReadOnlySpan<ushort> words)
    {
        if (encoding.IsPlain)
        {
            return ReadValue(encoding, words);
        }

        var span = encoding.Span;
        ArgumentOutOfRangeException.ThrowIfLessThan(words.Length, span.Length, nameof(words));
        var bits = ReadValue(encoding, words.Slice(encoding.Address - span.First, encoding.Length));
        return encoding.ScaleAt is null ? bits : Scaled(encoding, bits, PowerOf(encoding, words));
    }

    private static ulong ReadValue(RegisterEncoding encoding, ReadOnlySpan<ushort> words)
    {
        var length = encoding.Length;
        ArgumentOutOfRangeException.ThrowIfLessThan(words.Length, length, nameof(words));
        switch (encoding.Type)
        {
            case RegisterType.Bit:
                return IsBitTable(encoding.Table)
                    ? (words[0] == 0 ? 0UL : 1UL)
                    : (ulong)(Ordered(encoding, words[0]) >> encoding.Bit) & 1;
            case RegisterType.Text:
                return 0;
            case RegisterType.DateTime when encoding.TimeForm == TimeForm.Parts:
                ulong parts = Ordered(encoding, words[0]);
                for (var i = 1; i < length; i++)
                {
                    parts = (parts << 8) | Math.Min(Ordered(encoding, words[i]), (ushort)0xFF);
                }

                return parts;
        }

        ulong raw = 0;
        for (var i = 0; i < length; i++)
        {
            var place = encoding.WordOrder == WordOrder.HighFirst ? i : length - 1 - i;
            raw = (raw << 16) | Ordered(encoding, words[place]);
        }

        return encoding.BitCount == 0 ? raw : (raw >> encoding.Bit) & Ones(encoding.BitCount);
    }

    private static void WriteValue(RegisterEncoding encoding, ulong raw, Span<ushort> words)
    {
        var bits = encoding.RawBits;
        if ((raw & ~Ones(bits)) != 0)
        {
            throw new ArgumentOutOfRangeException(nameof(raw), raw, $"A {encoding.Type} has {bits} bits here.");
        }

        switch (encoding.Type)
        {
            case RegisterType.Bit when IsBitTable(encoding.Table):
                words[0] = (ushort)raw;
                return;
            case RegisterType.Bit:
                var word = Ordered(encoding, words[0]);
                var mask = 1 << encoding.Bit;
                words[0] = Ordered(encoding, (ushort)(raw == 0 ? word & ~mask : word | mask));
                return;
            case RegisterType.Text:
                return;
            case RegisterType.DateTime when encoding.TimeForm == TimeForm.Parts:
                words[0] = Ordered(encoding, (ushort)(raw >> 40));
                for (var i = 1; i < words.Length; i++)
                {
                    words[i] = Ordered(encoding, (ushort)((raw >> (8 * (words.Length - 1 - i))) & 0xFF));
                }

                return;
        }

        if (encoding.BitCount > 0)
        {
            var whole = ReadValue(encoding with { BitCount = 0 }, words);
            raw = (whole & ~(Ones(encoding.BitCount) << encoding.Bit)) | (raw << encoding.Bit);
        }

        for (var i = 0; i < words.Length; i++)
        {
            var place = encoding.WordOrder == WordOrder.HighFirst ? words.Length - 1 - i : i;
            words[place] = Ordered(encoding, (ushort)((raw >> (16 * i)) & 0xFFFF));
        }
    }

    private static Span<ushort> ValueWords(RegisterEncoding encoding, Span<ushort> words)
    {
        var span = encoding.Span;
        ArgumentOutOfRangeException.ThrowIfLessThan(words.Length, span.Length, nameof(words));
        return words.Slice(encoding.Address - span.First, encoding.Length);
    }

    private static short PowerOf(RegisterEncoding encoding, ReadOnlySpan<ushort> words) =>
        unchecked((short)Ordered(encoding, words[encoding.ScaleAt!.Value - encoding.Span.First]));

    /// <summary>Takes a raw of an encoding with a scale register apart; what says that there is no number comes first.</summary>
    private static DecodeStatus Unscale(RegisterEncoding encoding, ref ulong raw, out int power)
    {
        if (encoding.Length == 4)
        {
            var code = (int)(raw >> LongPowerShift);
            power = code - LargestPower;
            raw = ValueOf(encoding, raw);
            return power <= LargestPower ? DecodeStatus.Ok
                : code == LongInvalid ? DecodeStatus.Invalid
                : code == LongTooLarge ? DecodeStatus.NotANumber
                : DecodeStatus.BadScale;
        }

        power = unchecked((short)(raw >> PowerShift));
        raw = ValueOf(encoding, raw);
        return power == NoScale || IsInvalid(encoding, raw) ? DecodeStatus.Invalid
            : Math.Abs(power) > LargestPower ? DecodeStatus.BadScale
            : DecodeStatus.Ok;
    }

    /// <summary>The value's own bits in a raw with a power of ten.</summary>
    private static ulong ValueOf(RegisterEncoding encoding, ulong raw) =>
        encoding.Length < 4 ? raw & Ones(encoding.RawBits)
        : encoding.Type == RegisterType.Int64 ? unchecked((ulong)((long)(raw << 5) >> 5))
        : raw & Ones(LongPowerShift);

    private static bool IsInvalid(RegisterEncoding encoding, ulong raw)
    {
        var invalid = encoding.Invalid;
        for (var i = 0; i < invalid.Count; i++)
        {
            if (invalid[i] == raw)
            {
                return true;
            }
        }

        return false;
    }

    private static DecodeStatus NumberOf(RegisterEncoding encoding, ulong raw, out double number)
    {
        long digits;
        switch (encoding.Type)
        {
            case RegisterType.Bcd16 or RegisterType.Bcd32 or RegisterType.Bcd64:
                number = Digits.TryBcd(raw, 4 * encoding.Length, out digits) ? digits : double.NaN;
                return double.IsNaN(number) ? DecodeStatus.BadDigits : DecodeStatus.Ok;
            case RegisterType.Mod10:
                number = Digits.TryMod10(raw, encoding.Length, out digits) ? digits : double.NaN;
                return double.IsNaN(number) ? DecodeStatus.BadDigits : DecodeStatus.Ok;
            case RegisterType.DateTime:
                return DeviceTime.Read(encoding.TimeForm, raw, out number);
            default:
                number = ImageOf(encoding.Type, raw);
                return double.IsFinite(number) ? DecodeStatus.Ok : DecodeStatus.NotANumber;
        }
    }

    private static double ImageOf(RegisterType type, ulong raw) => type switch
    {
        RegisterType.Int16 => unchecked((short)raw),
        RegisterType.Int32 => unchecked((int)raw),
        RegisterType.Int64 => unchecked((long)raw),
        RegisterType.Float16 => (double)BitConverter.UInt16BitsToHalf(unchecked((ushort)raw)),
        RegisterType.Float32 => BitConverter.UInt32BitsToSingle(unchecked((uint)raw)),
        RegisterType.Float64 => BitConverter.UInt64BitsToDouble(raw),
        RegisterType.Text => double.NaN,
        _ => raw,
    };

    private static ulong Ones(int count) => count >= 64 ? ulong.MaxValue : (1UL << count) - 1;

    private static decimal TenTo(int power) => power >= 0 ? (decimal)ScaleLine.TenTo(power) : new decimal(1, 0, 0, false, (byte)-power);

    private static ushort Ordered(RegisterEncoding encoding, ushort word) =>
        encoding.ByteOrder == ByteOrder.Big ? word : BinaryPrimitives.ReverseEndianness(word);

    private static bool IsBitTable(RegisterTable table) => table is RegisterTable.Coil or RegisterTable.DiscreteInput;
}
