using System.Globalization;
using System.Text.Json;
using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Profiles;

namespace EdgeGateway.Commands.Profiles;

/// <summary>Model definitions of the SunSpec Alliance (JSON): points one after the other, scale factors in registers of their own. Only the fixed block; repeating groups are left out.</summary>
internal static class SunSpecImport
{
    private const int MostRegisters = 0x10000;

    // Units of the definitions that differ from the table.
    private static readonly Dictionary<string, string> UnitWords = new(StringComparer.Ordinal)
    {
        ["VA"] = "V.A", ["Wh"] = "W.h", ["VAh"] = "V.A.h", ["varh"] = "var.h", ["VAr"] = "var", ["VArh"] = "var.h", ["Pct"] = "%", ["C"] = "Cel", ["PF"] = "1", ["Secs"] = "s", ["Degrees"] = "deg", ["deg"] = "deg",
        ["m/s"] = "m/s", ["HPa"] = "hPa", ["Ah"] = "",
    };

    // What 'not implemented' looks like, by type (SunSpec Device Information Model Specification 1.1).
    private static readonly Dictionary<string, (string Type, int Size, string? Invalid)> Types = new(StringComparer.Ordinal)
    {
        ["int16"] = ("int16", 1, "0x8000"), ["uint16"] = ("uint16", 1, "0xFFFF"), ["acc16"] = ("uint16", 1, null), ["enum16"] = ("uint16", 1, "0xFFFF"), ["bitfield16"] = ("uint16", 1, "0xFFFF"),
        ["count"] = ("uint16", 1, "0xFFFF"), ["raw16"] = ("uint16", 1, null), ["pad"] = ("uint16", 1, null), ["sunssf"] = ("int16", 1, null),
        ["int32"] = ("int32", 2, "0x80000000"), ["uint32"] = ("uint32", 2, "0xFFFFFFFF"), ["acc32"] = ("uint32", 2, null), ["enum32"] = ("uint32", 2, "0xFFFFFFFF"), ["bitfield32"] = ("uint32", 2, "0xFFFFFFFF"), ["ipaddr"] = ("uint32", 2, null),
        ["float32"] = ("float32", 2, null), ["float64"] = ("float64", 4, null), ["int64"] = ("int64", 4, "0x8000000000000000"), ["uint64"] = ("uint64", 4, "0xFFFFFFFFFFFFFFFF"), ["acc64"] = ("uint64", 4, null), ["bitfield64"] = ("uint64", 4, null),
    };

    public static ProfileDraft Read(SourceText text)
    {
        using var document = ImportWords.Json(text.Text);
        var root = document.RootElement;
        var group = root.Part("group", JsonValueKind.Object);
        var number = root.Part("id", JsonValueKind.Number).TryGetInt32(out var id) && id is > 0 and < ushort.MaxValue ? id : throw new FormatException("'id' is no number of a model: 1 to 65534");
        var draft = new ProfileDraft
        {
            Id = $"sunspec-{number}",
            Vendor = "SunSpec",
            Model = $"devices of any maker with SunSpec model {number}",
            Title = $"SunSpec model {number}: {group.Text("label") ?? group.Text("name")}",
            SourceRef = $"sunspec/models json/model_{number}.json",
            SourceType = "code",
            DefaultTable = "holding",
            DefaultWordOrder = "high-first",
            SunSpecModel = number,
        };
        draft.Notes.Add("Converted from the model definition of the SunSpec Alliance. Addresses count from the register that holds the model's number.");
        if (group.Items("groups") is { Count: > 0 } groups)
        {
            draft.Notes.Add($"Left out: the repeating groups {string.Join(", ", groups.Select(g => g.Text("name")))}.");
        }

        var placed = new List<(JsonElement Point, string Name, string Type, int At, int Size)>();
        var places = new Dictionary<string, int>(StringComparer.Ordinal);
        var at = 0;
        foreach (var (i, point) in group.Part("points", JsonValueKind.Array).EnumerateArray().Index())
        {
            var (name, type, size) = ImportWords.In($"point {i + 1}", () => Head(point));
            placed.Add((point, name, type, at, size));
            if (!places.TryAdd(name, at))
            {
                throw new FormatException($"point {i + 1}: there is a '{name}' already");
            }

            at += size;
            if (at > MostRegisters)
            {
                throw new FormatException($"point {i + 1}, '{name}': the points until here take {at} registers, and a table has {MostRegisters}");
            }
        }

        draft.SunSpecLength = at - 2;
        draft.Points.AddRange(placed
            .Where(p => p.Type is not ("sunssf" or "pad") && p.Name is not ("ID" or "L"))
            .Select(p => ImportWords.In($"'{p.Name}'", () => Make(p.Point, p.Name, p.Type, p.At, p.Size, places))));
        return draft.Points.Count > 0 ? draft : throw new FormatException("no point of it holds a value");
    }

    private static (string Name, string Type, int Size) Head(JsonElement point)
    {
        var name = point.Text("name") ?? throw new FormatException("'name' is missing");
        var type = point.Text("type") ?? throw new FormatException($"'type' of '{name}' is missing");
        var written = point.Text("size");
        var size = written is null && Types.TryGetValue(type, out var known) ? known.Size
            : int.TryParse(written, NumberStyles.None, CultureInfo.InvariantCulture, out var stated) && stated is > 0 and <= MostRegisters ? stated
            : throw new FormatException($"'size' of '{name}', a {type}, is '{written}': it is a count of registers");
        return (name, type, size);
    }

    private static DraftPoint Make(JsonElement point, string name, string type, int at, int size, Dictionary<string, int> places)
    {
        var written = point.Text("units");
        var known = Types.GetValueOrDefault(type);
        var unit = written is null ? null : UnitWords.TryGetValue(written, out var word) ? (word.Length > 0 ? word : null) : ImportWords.Unit(written);
        var factor = point.Text("sf");
        var isPower = int.TryParse(factor, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var power);
        if (isPower && power is not (>= -RegisterCodec.LargestPower and <= RegisterCodec.LargestPower))
        {
            throw new FormatException($"its scale factor is the power of ten {power}, and powers go from -{RegisterCodec.LargestPower} to {RegisterCodec.LargestPower}");
        }

        if (factor is not null && !isPower && !places.ContainsKey(factor))
        {
            throw new FormatException($"its scale factor '{factor}' is none of the points");
        }

        IReadOnlyList<(string, string)> symbols = [.. point.Items("symbols").Select(s => (s.Text("value") ?? "0", (s.Text("name") ?? "").ToLowerInvariant().Replace('_', ' ')))];
        var isBits = type.StartsWith("bitfield", StringComparison.Ordinal);
        return new DraftPoint
        {
            Id = ProfileDraft.PointId(name),
            Title = point.Text("label") is { } label && point.Text("desc") is { } description && description.Length < 80 ? $"{label}: {description}" : point.Text("label"),
            At = $"{at}",
            Type = type == "string" ? "text" : known.Type,
            TypeHint = $"type; the definition says {type}",
            Length = type == "string" ? $"{size}" : null,
            ScaleAt = factor is not null && places.TryGetValue(factor, out var place) ? $"{place}" : null,
            Scale = isPower && power != 0 ? (power > 0 ? "1" + new string('0', power) : "0." + new string('0', -power - 1) + "1") : null,
            Unit = type == "string" ? null : written is null ? "1" : unit,
            WrittenUnit = written,
            Role = Role(name, type),
            Invalid = known.Invalid,
            Symbols = isBits ? [] : symbols,
            Flags = isBits ? symbols : [],
        };
    }

    // Names of the meter and inverter models, which mean the same in all of them.
    private static string? Role(string name, string type)
    {
        var (stem, part) = name.EndsWith("phA", StringComparison.OrdinalIgnoreCase) ? (name[..^3], "l1")
            : name.EndsWith("phB", StringComparison.OrdinalIgnoreCase) ? (name[..^3], "l2")
            : name.EndsWith("phC", StringComparison.OrdinalIgnoreCase) ? (name[..^3], "l3")
            : (name, "");
        var role = stem switch
        {
            "A" => "electricity.current",
            "PhV" => "electricity.voltage",
            "Hz" => "electricity.frequency",
            "W" => "electricity.power.active",
            "VA" => "electricity.power.apparent",
            "VAR" or "VAr" => "electricity.power.reactive",
            "PF" => "electricity.power.factor",
            "TotWhImp" => "electricity.energy.active.import",
            "TotWhExp" => "electricity.energy.active.export",
            "DCA" => "electricity.dc.current",
            "DCV" => "electricity.dc.voltage",
            "DCW" => "electricity.dc.power",
            _ => null,
        };
        return name switch
        {
            "PPVphAB" => "electricity.voltage.l1_l2",
            "PPVphBC" => "electricity.voltage.l2_l3",
            "PPVphCA" => "electricity.voltage.l3_l1",
            "PPV" => "electricity.voltage.ll_avg",
            "PhV" => "electricity.voltage.ln_avg",
            "St" => "device.status",
            _ when role is not null => part.Length == 0 ? role : role == "electricity.voltage" ? $"{role}.{part}_n" : $"{role}.{part}",
            _ when type.StartsWith("bitfield", StringComparison.Ordinal) => "device.fault",
            _ => null,
        };
    }
}
