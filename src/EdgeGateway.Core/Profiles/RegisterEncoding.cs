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

/// <summary>How a point is read from registers and turned into a value: value = (raw x scale) + offset.</summary>
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

    /// <summary>Bit number inside a register, 0 = least significant; only for <see cref="RegisterType.Bit"/> in a register table.</summary>
    public byte Bit { get; init; }

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

    /// <summary>What must be read in one request to decode the value, and what <see cref="RegisterCodec.Decode"/> is given.</summary>
    public RegisterSpan Span => new(Address, Length);

    /// <summary>Number of registers (or bits, for coils and discrete inputs) the value occupies.</summary>
    public int Length => Type switch
    {
        RegisterType.Bit or RegisterType.UInt16 or RegisterType.Int16 => 1,
        RegisterType.UInt32 or RegisterType.Int32 or RegisterType.Float32 => 2,
        _ => 4,
    };
}

/// <summary>A run of registers (or bits) of one table.</summary>
/// <param name="First">Zero-based address of the first.</param>
/// <param name="Length">How many, at least 1.</param>
public readonly record struct RegisterSpan(ushort First, int Length)
{
    /// <summary>The address behind the last.</summary>
    public int End => First + Length;
}
