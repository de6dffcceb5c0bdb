using System.Collections.Frozen;
using EdgeGateway.Core.Profiles;

namespace EdgeGateway.Core.Site;

/// <summary>
/// A bus whose inputs belong to this computer: its GPIO lines, its sensors, its own health. Nothing passes on a wire. Each device (a unit of the bus)
/// shows its inputs as blocks of registers, so that profiles, plans, quality and detectors work as for any other device.
/// </summary>
public abstract record LocalBus : BusModel
{
    /// <summary>The inputs in the order of the file; of one unit and number there is at most one.</summary>
    public required IReadOnlyList<LocalInput> Inputs { get; init; }

    /// <summary>The inputs of a unit.</summary>
    public IEnumerable<LocalInput> InputsOf(byte unit) => Inputs.Where(i => i.Unit == unit);
}

/// <summary>One input (or output) of a local bus, shown as a block of registers.</summary>
public abstract record LocalInput
{
    /// <summary>Most inputs that one unit has.</summary>
    public const int Most = 16;

    /// <summary>Registers from the begin of one block to that of the next.</summary>
    public const int BlockLength = 16;

    /// <summary>The unit it belongs to: <c>unit</c> of a device on this bus.</summary>
    public required byte Unit { get; init; }

    /// <summary>Its place within the unit, 1 to <see cref="Most"/>.</summary>
    public required int Number { get; init; }

    /// <summary>What stands in its block.</summary>
    public abstract ImageLayout Layout { get; }

    /// <summary>What it is, for people: <c>line pulse-import</c>.</summary>
    public abstract string Title { get; }

    /// <summary>Address of its first register.</summary>
    public ushort Address => (ushort)((Number - 1) * BlockLength);

    /// <summary>Why a point that fits the layout does not fit this input all the same; null when it does.</summary>
    internal virtual string? Refuse(PointModel point) => null;
}

/// <summary>Says what cannot be honoured of an input as it is configured; where and how to mend it.</summary>
/// <param name="input">The input.</param>
public delegate IEnumerable<InputProblem> InputRules(LocalInput input);

/// <summary>What cannot be honoured of an input.</summary>
/// <param name="Key">The key that asks for it.</param>
/// <param name="What">What is wrong.</param>
/// <param name="Cure">How to mend it.</param>
public readonly record struct InputProblem(string Key, string What, string Cure);

/// <summary>A value in the block of an input.</summary>
/// <param name="Offset">Registers from the begin of the block.</param>
/// <param name="Type">How it is held; high word first, and big-endian as everywhere.</param>
/// <param name="Name">What it is, in the words of the documentation: <c>pulses</c>.</param>
public sealed record ImageField(int Offset, RegisterType Type, string Name)
{
    /// <summary>How it is read.</summary>
    public RegisterEncoding Encoding { get; } = new() { Table = RegisterTable.InputRegister, Address = (ushort)Offset, Type = Type };

    /// <summary>
    /// The bits that say "there is no value now": all ones of an integer that is never negative, the smallest of one that can be, NaN of a float. A profile
    /// must declare those of integers as <c>invalid</c>.
    /// </summary>
    public ulong Absent => Type switch
    {
        RegisterType.Int16 => 0x8000,
        RegisterType.Int32 => 0x8000_0000,
        RegisterType.Int64 => 0x8000_0000_0000_0000,
        RegisterType.UInt16 => 0xFFFF,
        RegisterType.UInt32 => 0xFFFF_FFFF,
        RegisterType.Float32 => 0x7FC0_0000,
        RegisterType.Float64 => 0x7FF8_0000_0000_0000,
        _ => ulong.MaxValue,
    };
}

/// <summary>What stands where in the block of an input of one kind; the one place that drivers, <c>check</c>, tests and documentation share.</summary>
public sealed class ImageLayout
{
    private readonly FrozenDictionary<string, ImageField> _fields;

    /// <summary>A layout.</summary>
    /// <param name="what">What such an input is: <c>a pulse counter</c>.</param>
    /// <param name="table">Input registers, or holding registers for what can be written.</param>
    /// <param name="fields">Its values, that do not overlap and have whole registers.</param>
    public ImageLayout(string what, RegisterTable table, params ImageField[] fields)
    {
        ArgumentNullException.ThrowIfNull(fields);
        What = what;
        Table = table;
        Fields = fields;
        _fields = fields.ToFrozenDictionary(f => f.Name);
        var end = 0;
        foreach (var field in fields)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(field.Offset, end, field.Name);
            end = field.Offset + field.Encoding.Length;
            ArgumentOutOfRangeException.ThrowIfGreaterThan(end, LocalInput.BlockLength, field.Name);
        }
    }

    /// <summary>What such an input is.</summary>
    public string What { get; }

    /// <summary>Where its block stands.</summary>
    public RegisterTable Table { get; }

    /// <summary>Its values in the order of their registers.</summary>
    public IReadOnlyList<ImageField> Fields { get; }

    /// <summary>Says of every value that there is none.</summary>
    /// <param name="block">The registers of the block, all of them.</param>
    public void Clear(Span<ushort> block)
    {
        block.Clear();
        for (var i = 0; i < Fields.Count; i++)
        {
            Put(block, Fields[i], Fields[i].Absent);
        }
    }

    /// <summary>Writes a whole number; one that does not fit loses its high bits, as a register that rolls over.</summary>
    /// <param name="block">The registers of the block.</param>
    /// <param name="field">Name of the value.</param>
    /// <param name="value">The number.</param>
    public void Put(Span<ushort> block, string field, long value)
    {
        var place = _fields[field];
        var bits = unchecked((ulong)value);
        Put(block, place, place.Encoding.RawBits < 64 ? bits & ((1UL << place.Encoding.RawBits) - 1) : bits);
    }

    /// <summary>Writes a number with a fraction; NaN says that there is none.</summary>
    /// <param name="block">The registers of the block.</param>
    /// <param name="field">Name of the value, a float.</param>
    /// <param name="value">The number.</param>
    public void Put(Span<ushort> block, string field, double value)
    {
        var place = _fields[field];
        Put(block, place, double.IsNaN(value) ? place.Absent : place.Type == RegisterType.Float32 ? BitConverter.SingleToUInt32Bits((float)value) : BitConverter.DoubleToUInt64Bits(value));
    }

    /// <summary>Why a point does not fit an input with this layout; null when it does.</summary>
    /// <param name="encoding">How the point is read, with its address counted from the begin of the block.</param>
    internal string? Refuse(RegisterEncoding encoding)
    {
        var here = Fields.FirstOrDefault(f => f.Offset == encoding.Address);
        if (encoding.Table != Table || here is null || here.Type != encoding.Type || encoding.BitCount > 0 || encoding.ScaleAt is not null || encoding.WordOrder != WordOrder.HighFirst || encoding.ByteOrder != ByteOrder.Big)
        {
            return here is null || encoding.Table != Table
                ? $"there is none of the values that {What} has"
                : $"{What} has {here.Name} as {here.Type.ToString().ToLowerInvariant()}, high word first";
        }

        return here.Encoding.IsStepped && !encoding.Invalid.Contains(here.Absent)
            ? $"{What} says by 0x{here.Absent:X} that it has no {here.Name} now, and the profile does not declare it as 'invalid'"
            : null;
    }

    private static void Put(Span<ushort> block, ImageField field, ulong bits) =>
        RegisterCodec.EncodeRaw(field.Encoding, bits, block.Slice(field.Offset, field.Encoding.Length));
}
