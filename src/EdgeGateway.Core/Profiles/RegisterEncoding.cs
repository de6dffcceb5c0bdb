namespace EdgeGateway.Core.Profiles;

/// <summary>The four Modbus tables (MODBUS Application Protocol V1.1b3, 4.3).</summary>
public enum RegisterTable : byte
{
    Coil,
    DiscreteInput,
    InputRegister,
    HoldingRegister,
}

/// <summary>How the words of a point are typed.</summary>
public enum RegisterType : byte
{
    /// <summary>One bit: a coil, a discrete input, or bit <see cref="RegisterEncoding.Bit"/> of a register.</summary>
    Bit,
    UInt16,
    Int16,
    UInt32,
    Int32,
    UInt64,
    Int64,
    Float32,
    Float64,

    /// <summary>IEEE 754 half precision, one register.</summary>
    Float16,

    /// <summary>Four decimal digits of four bits each, the highest digit in the highest bits.</summary>
    Bcd16,

    /// <summary>Eight decimal digits in two registers.</summary>
    Bcd32,

    /// <summary>Sixteen decimal digits in four registers.</summary>
    Bcd64,

    /// <summary>Base 10,000 in <see cref="RegisterEncoding.Registers"/> registers (2 to 4) of -9999 to 9999 each, all of one sign.</summary>
    Mod10,

    /// <summary>Date and time in the registers that <see cref="RegisterEncoding.TimeForm"/> names; the value is in seconds since 1970.</summary>
    DateTime,

    /// <summary>Characters, two in each of <see cref="RegisterEncoding.Registers"/> registers; no number.</summary>
    Text,
}

/// <summary>How registers hold a date and a time of day.</summary>
public enum TimeForm : byte
{
    /// <summary>Four registers after IEC 60870-5-4: year of 2000 | month, day | hour, minute | millisecond of the minute; bit 7 of the third says that the time is not valid.</summary>
    Iec,

    /// <summary>Four registers of the PowerLogic CM and PM800 meters: month, day | year of 1900, hour | minute, second | millisecond.</summary>
    PowerLogic4,

    /// <summary>The first three registers of <see cref="PowerLogic4"/>.</summary>
    PowerLogic3,

    /// <summary>Three registers: year of 2000, month | day, hour | minute, second, as binary bytes.</summary>
    Bytes,

    /// <summary>As <see cref="Bytes"/>, each byte of two decimal digits.</summary>
    Bcd,

    /// <summary>Six registers: year (all digits, or of 2000), month, day, hour, minute, second.</summary>
    Parts,
}

/// <summary>How the bytes of a text are read.</summary>
public enum TextCoding : byte
{
    Ascii,
    Utf8,
}

/// <summary>Order of the words of a value of more than one register.</summary>
public enum WordOrder : byte
{
    /// <summary>The high word stands in the lower address.</summary>
    HighFirst,

    /// <summary>The low word stands in the lower address.</summary>
    LowFirst,
}

/// <summary>Order of the two bytes inside a register.</summary>
public enum ByteOrder : byte
{
    Big,
    Little,
}

/// <summary>How a point is read from registers and turned into a value: value = (raw x scale) + offset, or (raw x 10^register x scale) + offset.</summary>
public sealed record RegisterEncoding
{
    /// <summary>The table the point is read from.</summary>
    public required RegisterTable Table { get; init; }

    /// <summary>Zero-based address as sent in the request.</summary>
    public required ushort Address { get; init; }

    /// <summary>The type of the raw value.</summary>
    public required RegisterType Type { get; init; }

    public WordOrder WordOrder { get; init; } = WordOrder.HighFirst;

    public ByteOrder ByteOrder { get; init; } = ByteOrder.Big;

    /// <summary>Lowest bit, 0 = least significant; for <see cref="RegisterType.Bit"/> in a register table and for bit fields.</summary>
    public byte Bit { get; init; }

    /// <summary>Number of adjacent bits of an unsigned integer that are the point; 0 = the whole integer.</summary>
    public byte BitCount { get; init; }

    /// <summary>Registers of a <see cref="RegisterType.Mod10"/> (2 to 4) or a <see cref="RegisterType.Text"/>; 0 for types that know their length.</summary>
    public byte Registers { get; init; }

    /// <summary>Form of a <see cref="RegisterType.DateTime"/>.</summary>
    public TimeForm TimeForm { get; init; }

    /// <summary>True when a point in seconds since 1970 follows a clock that shows local time: the seconds are those of a UTC clock with the same display.</summary>
    public bool IsLocalTime { get; init; }

    /// <summary>Coding of a <see cref="RegisterType.Text"/>.</summary>
    public TextCoding TextCoding { get; init; }

    /// <summary>
    /// Address, in the same table, of an int16 that holds the power of ten by which the raw value is multiplied (SunSpec sunssf): -10 to 10, 0x8000 = not
    /// implemented. Null for none. Only for integers.
    /// </summary>
    public ushort? ScaleAt { get; init; }

    /// <summary>Factor from raw to unit; exact, because counters are differenced in it.</summary>
    public decimal Scale
    {
        get;
        init
        {
            field = value;
            Line = ScaleLine.From(value, Offset);
        }
    } = 1m;

    /// <summary>Added after scaling, in the point's unit.</summary>
    public decimal Offset
    {
        get;
        init
        {
            field = value;
            Line = ScaleLine.From(Scale, value);
        }
    }

    /// <summary><see cref="Scale"/> and <see cref="Offset"/> prepared for arithmetic in binary floating point.</summary>
    internal ScaleLine Line { get; private init; } = ScaleLine.Identity;

    /// <summary>Raw values (right-aligned bits) by which the device says "not available".</summary>
    public IReadOnlyList<ulong> Invalid { get; init; } = [];

    /// <summary>What must be read in one request to decode the value, and what <see cref="RegisterCodec.Decode"/> is given: value and scale register.</summary>
    public RegisterSpan Span
    {
        get
        {
            if (ScaleAt is not { } scale)
            {
                return new(Address, Length);
            }

            var first = Math.Min(Address, scale);
            return new(first, Math.Max(Address + Length, scale + 1) - first);
        }
    }

    /// <summary>Whether there are registers for the value, and its scale, <paramref name="distance"/> addresses further on.</summary>
    public bool CanMoveBy(int distance) => Span.First + distance >= 0 && Span.End + distance <= ushort.MaxValue + 1;

    /// <summary>The same value in registers that stand <paramref name="distance"/> addresses further on.</summary>
    /// <exception cref="OverflowException">There are no such registers: <see cref="CanMoveBy"/> tells before.</exception>
    public RegisterEncoding MovedBy(int distance) => this with { Address = checked((ushort)(Address + distance)), ScaleAt = ScaleAt is { } at ? checked((ushort)(at + distance)) : null };

    /// <summary>Number of registers (or bits, for coils and discrete inputs) the value occupies, without its scale register.</summary>
    public int Length => Type switch
    {
        RegisterType.Bit or RegisterType.UInt16 or RegisterType.Int16 or RegisterType.Float16 or RegisterType.Bcd16 => 1,
        RegisterType.UInt32 or RegisterType.Int32 or RegisterType.Float32 or RegisterType.Bcd32 => 2,
        RegisterType.Mod10 or RegisterType.Text => Math.Max((byte)1, Registers),
        RegisterType.DateTime => TimeForm switch
        {
            TimeForm.Parts => 6,
            TimeForm.PowerLogic3 or TimeForm.Bytes or TimeForm.Bcd => 3,
            _ => 4,
        },
        _ => 4,
    };

    /// <summary>Bits of the value in its raw form; the power of ten of a scale register stands above them.</summary>
    public int RawBits => Type switch
    {
        RegisterType.Bit => 1,
        RegisterType.Text => 0,
        RegisterType.DateTime when TimeForm == TimeForm.Parts => DeviceTime.PartsBits,
        _ => BitCount > 0 ? BitCount : 16 * Length,
    };

    /// <summary>True for types whose values come in steps of <see cref="Scale"/> (times the scale register); false for floats.</summary>
    public bool IsStepped => Type is not (RegisterType.Float16 or RegisterType.Float32 or RegisterType.Float64);

    /// <summary>True where raw bits and words correspond one to one and no other register plays a part.</summary>
    internal bool IsPlain => Type <= RegisterType.Float64 && BitCount == 0 && ScaleAt is null;
}

/// <summary>A run of registers (or bits) of one table.</summary>
/// <param name="First">Zero-based address of the first.</param>
/// <param name="Length">How many, at least 1.</param>
public readonly record struct RegisterSpan(ushort First, int Length)
{
    /// <summary>The address behind the last.</summary>
    public int End => First + Length;
}
