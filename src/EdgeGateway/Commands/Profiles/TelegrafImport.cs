using System.Globalization;
using EdgeGateway.Core.Configuration;

namespace EdgeGateway.Commands.Profiles;

/// <summary>Register tables of Telegraf's <c>inputs.modbus</c>: style "register" (holding_registers = [ { name, byte_order, data_type, scale, address } ]) and style "request" (fields of [[inputs.modbus.request]]).</summary>
internal static class TelegrafImport
{
    private static readonly string[] Tables = ["holding_registers", "input_registers", "coils", "discrete_inputs"];

    public static ProfileDraft Read(SourceText text)
    {
        var draft = new ProfileDraft { SourceRef = $"Telegraf configuration {Path.GetFileName(text.FileName)}", SourceType = "code" };
        draft.Notes.Add("Converted from a Telegraf configuration. Addresses there are wire addresses.");
        foreach (var (section, key, value, siblings) in Toml.Entries(text))
        {
            if (section == "inputs.modbus" && Tables.Contains(key) && value is List<object> registers)
            {
                draft.Points.AddRange(registers.OfType<Dictionary<string, object>>().Select((r, i) => ImportWords.In($"entry {i + 1} of {key}", () => Register(r, ImportWords.Table(key)!))));
            }
            else if (section == "inputs.modbus.request" && key == "fields" && value is List<object> fields)
            {
                var register = siblings.GetValueOrDefault("register") ?? "holding";
                var table = ImportWords.Table(register as string) ?? throw new FormatException($"a request reads the register '{register}': it is coil, discrete, holding or input");
                var order = siblings.GetValueOrDefault("byte_order") as string ?? "ABCD";
                draft.Points.AddRange(fields.OfType<Dictionary<string, object>>().Where(f => !(f.GetValueOrDefault("omit") is true))
                    .Select((f, i) => ImportWords.In($"field {i + 1} of a request", () => Field(f, table, order))));
            }
            else if (section == "inputs.modbus" && key == "name" && value is string name)
            {
                draft.Title = name;
            }
        }

        return draft.Points.Count > 0 ? draft : throw new FormatException($"{text.FileName} has no register tables of inputs.modbus");
    }

    private static DraftPoint Register(Dictionary<string, object> register, string table)
    {
        var name = Word(register, "name") ?? "point";
        var addresses = register.GetValueOrDefault("address") is List<object> list ? list.Select(a => a as decimal? ?? throw new FormatException($"'address' lists '{a}', which is no number")).ToList() : [];
        var written = Word(register, "data_type");
        var length = addresses.Count;

        // FIXED and the like say nothing of the width; the count of addresses does.
        var type = written switch
        {
            "FLOAT32-IEEE" or "FLOAT32" or "FLOAT" => "float32",
            "FLOAT64-IEEE" or "FLOAT64" => "float64",
            "FLOAT16-IEEE" or "FLOAT16" => "float16",
            "INT16" or "INT32" or "INT64" or "UINT16" or "UINT32" or "UINT64" => written.ToLowerInvariant(),
            "UFIXED" => Wide("uint", length),
            "FIXED" => Wide("int", length),
            "STRING" => "text",
            _ => null,
        };
        return Make(name, table, addresses.Count > 0 ? addresses[0].ToString(CultureInfo.InvariantCulture) : null, type, written, Word(register, "byte_order"), Number(register, "scale"), length);
    }

    private static DraftPoint Field(Dictionary<string, object> field, string table, string order)
    {
        var written = Word(field, "type");
        var type = written switch
        {
            "INT16" or "INT32" or "INT64" or "UINT16" or "UINT32" or "UINT64" or "FLOAT16" or "FLOAT32" or "FLOAT64" => written.ToLowerInvariant(),
            "STRING" => "text",
            _ => null,
        };
        return Make(Word(field, "name") ?? $"point_{Number(field, "address")}", table, Number(field, "address"), type, written, order, Number(field, "scale"), int.TryParse(Number(field, "length"), out var length) ? length : 0);
    }

    private static DraftPoint Make(string name, string table, string? at, string? type, string? written, string? order, string? scale, int length)
    {
        var isBit = table is "coil" or "discrete";
        var words = ImportWords.Order(order);
        var isWide = type is "uint32" or "int32" or "uint64" or "int64" or "float32" or "float64";
        return new DraftPoint
        {
            Id = ProfileDraft.PointId(name),
            At = at,
            Table = table,
            Type = isBit ? "bit" : type,
            TypeHint = written is null ? "type" : $"type; the source wrote {written}",
            Length = type == "text" && length > 0 ? $"{length}" : null,
            WordOrder = isWide ? words?.Word : null,
            ByteOrder = words?.Byte == "little" ? "little" : null,
            Scale = isBit || type == "text" ? null : ImportWords.Scale(scale),
            Unit = isBit ? "1" : null,
            Role = ImportWords.Role(name),
        };
    }

    private static string? Wide(string word, int registers) => registers switch { 1 => $"{word}16", 2 => $"{word}32", 4 => $"{word}64", _ => null };

    private static string? Word(Dictionary<string, object> table, string key) => table.GetValueOrDefault(key) as string;

    private static string? Number(Dictionary<string, object> table, string key) => table.GetValueOrDefault(key) switch
    {
        null => null,
        decimal number => number.ToString(CultureInfo.InvariantCulture),
        var other => throw new FormatException($"'{key}' is '{other}', which is no number"),
    };
}
