using EdgeGateway.Core.Configuration;

namespace EdgeGateway.Core.Profiles;

/// <summary>The keys that only some types have: length, bits, form, clock, coding and scale register of a point.</summary>
internal readonly struct PointType(Section section, string typeName, ProblemCollector problems)
{
    // What a text, which is no number, cannot have; and a date, whose unit is given.
    private static readonly string[] NotOfTexts =
        ["scale", "offset", "unit", "sign", "applies", "invalid", "enum", "flags", "plausible", "alarm", "anomaly", "priority", "counter", "carbon"];

    private static readonly string[] NotOfDates = ["scale", "offset", "sign", "applies"];

    /// <summary>Adds what the keys say; null when the length is not known and nothing else can be judged.</summary>
    public RegisterEncoding? Complete(RegisterEncoding encoding)
    {
        if (Registers(encoding) is not { } registers)
        {
            return null;
        }

        encoding = encoding with { Registers = registers };
        encoding = Dated(encoding);
        encoding = WithBits(encoding);
        if (section.Has("encoding") && encoding.Type != RegisterType.Text)
        {
            problems.Error(section.At("encoding"), "'encoding' belongs to a text", "Remove it");
        }

        var refused = encoding.Type switch { RegisterType.Text => NotOfTexts, RegisterType.DateTime => NotOfDates, _ => [] };
        foreach (var key in refused)
        {
            if (section.Has(key))
            {
                problems.Error(section.At(key), $"a {typeName} has no '{key}'", $"Remove '{key}', or correct the type");
            }
        }

        return encoding with
        {
            TextCoding = section.Text("encoding") == "utf-8" ? TextCoding.Utf8 : TextCoding.Ascii,
            ScaleAt = ScaleAt(encoding),
        };
    }

    private byte? Registers(RegisterEncoding encoding)
    {
        var length = section.Integer("length");
        if (encoding.Type is RegisterType.Text or RegisterType.Mod10)
        {
            var isMod10 = encoding.Type == RegisterType.Mod10;
            if (length is null && !section.Has("length"))
            {
                problems.Error(section.At("type"), $"the length of the {typeName} is not stated", isMod10 ? "Add 'length:' with 2, 3 or 4 registers" : "Add 'length:' with its number of registers, two characters in each");
            }
            else if (isMod10 && length is < 2 or > 4)
            {
                problems.Error(section.At("length"), $"a mod10 of {length} registers does not exist", "Write 2, 3 or 4");
                return null;
            }

            return (byte?)length;
        }

        if (length is { } stated && encoding.Type != RegisterType.DateTime && stated != encoding.Length)
        {
            problems.Error(section.At("length"), $"a {typeName} occupies {encoding.Length} register{(encoding.Length == 1 ? "" : "s")}, not {stated}", "Correct the type, or remove 'length': only text and mod10 need it");
        }
        else if (length is not null && encoding.Type == RegisterType.DateTime)
        {
            problems.Error(section.At("length"), "the length of a datetime follows from its form", "Remove 'length'");
        }

        return 0;
    }

    private RegisterEncoding Dated(RegisterEncoding encoding)
    {
        var isDate = encoding.Type == RegisterType.DateTime;
        if (isDate != section.Has("form"))
        {
            problems.Error(
                section.At(isDate ? "type" : "form"),
                isDate ? "the form of the datetime is not stated" : "'form' belongs to a datetime",
                isDate ? $"Add 'form:' with {ProfileShape.Point["form"].Shape.Expected}; docs/profiles.md shows their registers" : "Remove it");
        }

        if (isDate && !section.Has("clock"))
        {
            problems.Error(section.At("type"), "the clock of the datetime is not stated", "Add 'clock: utc', or 'clock: local' where the device shows local time");
        }

        var isSeconds = isDate || section.Text("unit") == "s";
        if (section.Has("clock") && !isSeconds)
        {
            problems.Error(section.At("clock"), "'clock' belongs to a datetime, or to seconds since 1970", "Remove it, or correct type and unit");
        }

        if (isDate && section.Text("unit") is { } unit && unit != "s")
        {
            problems.Error(section.Has("unit") ? section.At("unit") : section.At("type"), "a datetime is in seconds since 1970", "Write 'unit: s'");
        }

        return encoding with { TimeForm = section.Text("form") is { } form ? TypeWords.FormOf(form) : TimeForm.Iec, IsLocalTime = section.Text("clock") == "local" };
    }

    private RegisterEncoding WithBits(RegisterEncoding encoding)
    {
        if (section.Text("bits") is not { } text || !TypeWords.TryBits(text, out var first, out var last))
        {
            return encoding;
        }

        if (encoding.Type is not (RegisterType.UInt16 or RegisterType.UInt32 or RegisterType.UInt64))
        {
            problems.Error(section.At("bits"), $"'bits' are a part of an unsigned integer, not of {(typeName[0] == 'i' ? "an" : "a")} {typeName}", "Write 'type: uint16', uint32 or uint64");
            return encoding;
        }

        if (last >= 16 * encoding.Length)
        {
            problems.Error(section.At("bits"), $"the bits {text} are outside a {typeName} of {16 * encoding.Length} bits", $"Bits count from 0, the least significant, to {(16 * encoding.Length) - 1}");
            return encoding;
        }

        return encoding with { Bit = (byte)first, BitCount = (byte)(last - first + 1) };
    }

    private ushort? ScaleAt(RegisterEncoding encoding)
    {
        var block = section.Block("scaleAt", ProfileShape.ScaleRegister);
        if ((section.Integer("scaleAt") ?? (block.IsPresent ? block.Integer("at") : null)) is not { } at)
        {
            return null;
        }

        var place = section.At("scaleAt");
        if (encoding.Type is not (RegisterType.UInt16 or RegisterType.Int16 or RegisterType.UInt32 or RegisterType.Int32 or RegisterType.UInt64 or RegisterType.Int64)
            || encoding.BitCount > 0 || encoding.Table is RegisterTable.Coil or RegisterTable.DiscreteInput)
        {
            problems.Error(place, $"a scale register belongs to whole integers, not to a {(encoding.BitCount > 0 ? "bit field" : typeName)}", "Remove 'scaleAt', or correct the type");
            return null;
        }

        var own = encoding.Table == RegisterTable.HoldingRegister ? "holding" : "input";
        if (block.IsPresent && block.Text("table") is { } table && table != own)
        {
            problems.Error(block.At("table"), $"the scale register stands in the {table} table, the point in the {own} table; one request reads one table", "A value and its scale must come from one reply, or a change between two replies would make a wrong value. Use the registers of one table");
            return null;
        }

        if (at >= encoding.Address && at < encoding.Address + encoding.Length)
        {
            problems.Error(place, $"the scale register {at} is a register of the point itself", "Correct 'at' or 'scaleAt'");
            return null;
        }

        return (ushort)at;
    }
}
