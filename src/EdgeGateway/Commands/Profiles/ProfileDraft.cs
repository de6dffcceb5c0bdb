using System.Globalization;
using System.Text;
using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;

namespace EdgeGateway.Commands.Profiles;

/// <summary>A profile in the making: what is known of it, and a blank for everything that somebody has still to fill in.</summary>
/// <remarks>A blank is written as <c>"&lt;what belongs here&gt;"</c>; the check lists each with its place. Nothing is guessed.</remarks>
internal sealed class ProfileDraft
{
    /// <summary>File that editors complete by; beside the folders of the kinds.</summary>
    public const string SchemaFile = "device-profile.schema.json";

    /// <summary>A role whose values tell any electricity meter.</summary>
    public const string Frequency = "electricity.frequency";

    public string? Id { get; set; }

    public string? Kind { get; set; }

    public string? Vendor { get; set; }

    public string? Model { get; set; }

    public string? Title { get; set; }

    public string? TitleChinese { get; set; }

    public string? Extends { get; set; }

    /// <summary>Where the registers come from.</summary>
    public string? SourceRef { get; set; }

    /// <summary><c>document</c> or <c>code</c>.</summary>
    public string SourceType { get; set; } = "document";

    public string? Edition { get; set; }

    public string? Page { get; set; }

    /// <summary>Number that the source prints for the wire address 0, by table.</summary>
    public SortedDictionary<string, int> PrintedBase { get; } = new(StringComparer.Ordinal);

    public string? DefaultTable { get; set; }

    public string? DefaultWordOrder { get; set; }

    public int? MaxRegisters { get; set; }

    public int? SunSpecModel { get; set; }

    public int? SunSpecLength { get; set; }

    /// <summary>The point that tells the device from others, and its right values; null when the grid frequency does.</summary>
    public string? IdentifyPoint { get; set; }

    public string? IdentifyMin { get; set; }

    public string? IdentifyMax { get; set; }

    public List<DraftPoint> Points { get; } = [];

    /// <summary>What a person should know of the draft.</summary>
    public List<string> Notes { get; } = [];

    /// <summary>The file as YAML.</summary>
    public string Write()
    {
        var text = new StringBuilder();
        text.Append($"# yaml-language-server: $schema=../{SchemaFile}\n");
        foreach (var note in Notes)
        {
            text.Append($"# {note.ReplaceLineEndings(" ")}\n");
        }

        text.Append($"schema: {ProfileShape.SchemaName}\n");
        text.Append($"id: {Value(Id, "maker and model in lower case, such as maker-m100; the file is named after it")}\n");
        if (Extends is not null)
        {
            text.Append($"extends: {YamlText.Write(Extends)}\n");
        }
        else
        {
            text.Append($"kind: {Value(Kind, "kind of device: energy-meter, drive, ...")}\n");
            text.Append($"vendor: {Value(Vendor, "maker")}\n");
        }

        text.Append($"models: [{Value(Model, "model as on the name plate")}]\n");
        text.Append("revision: 1\n");
        text.Append($"title: {{ en: {Value(Title, "name for people")}{(TitleChinese is { } zh ? $", zh: {Value(zh, "")}" : "")} }}\n");
        text.Append($"\nsources:\n  manual: {{ type: {SourceType}, ref: {Value(SourceRef, "title of the register list")}, {(SourceType == "document" ? $"edition: {Value(Edition, "edition or date")}, page: {Value(Page, "pages of the table")}" : "checked: false")} }}\n");
        if (Extends is null)
        {
            WriteTransport(text);
        }

        WritePoints(text);
        return text.ToString();
    }

    private void WriteTransport(StringBuilder text)
    {
        text.Append("\ntransport:\n  modbus:\n");
        if (SunSpecModel is { } model)
        {
            text.Append($"    sunspec: {{ model: {model}, length: {SunSpecLength} }}\n");
        }

        text.Append($"    maxRegistersPerRead: {MaxRegisters ?? 125}\n    mayReadGaps: {(SunSpecModel is null ? "false" : "true")}\n");
        if (PrintedBase.Count > 0)
        {
            text.Append($"\naddressing: {{ {string.Join(", ", PrintedBase.Select(b => $"{b.Key}: {b.Value}"))} }}\n");
        }

        var needsOrder = Points.Exists(p => p.WordOrder is null && p.IsWide);
        var table = DefaultTable ?? (Points.TrueForAll(p => p.Table is not null) && Points.Count > 0 ? "holding" : null);
        text.Append($"\ndefaults: {{ table: {Value(table, "holding or input")}, {(DefaultWordOrder is not null || needsOrder ? $"wordOrder: {Value(DefaultWordOrder, "high-first or low-first; the manual or a known value tells which")}, " : "")}byteOrder: big, access: read, poll: normal }}\n");
        text.Append("poll: { fast: 1s, normal: 10s, slow: 60s, once: start }\n");
    }

    private void WritePoints(StringBuilder text)
    {
        if (Extends is null)
        {
            text.Append("\nidentify:\n");
            if (SunSpecModel is { } model)
            {
                text.Append($"  - {{ at: 0, type: uint16, anyOf: {{ {model}: {Value(Title, "model")} }}, source: [manual] }}\n");
            }
            else if (IdentifyPoint is null && Points.Find(p => p.Role == Frequency) is { } frequency)
            {
                text.Append($"  - {{ point: {frequency.Id}, min: 45, max: 65 }}\n");
            }
            else
            {
                text.Append($"  - {{ point: {Value(IdentifyPoint, "a point that tells this device from others")}, min: {Value(IdentifyMin, "smallest right value")}, max: {Value(IdentifyMax, "largest right value")} }}\n");
            }
        }

        if (Points.Count > 0)
        {
            text.Append("\npoints:\n");
            text.AppendJoin("\n", Points.Select(p => p.Write()));
        }

        if (Extends is not null && Points.Count == 0)
        {
            // The tests of the extended profile prove what is taken over.
            return;
        }

        text.Append("\nselfTest:\n");
        var tested = Points.Where(p => p.Words is not null).ToList();
        foreach (var point in tested)
        {
            text.Append($"  - {{ point: {point.FirstId}, words: [{string.Join(", ", point.Words!.Select(YamlText.Write))}], {(point.ScaleAt is null ? "" : $"scale: {Value(point.ScaleHolds, "power of ten that the scale register holds")}, ")}value: {Value(point.Value, "what the words mean")} }}\n");
        }

        if (tested.Count == 0)
        {
            text.Append($"  - {{ point: {Value(Points.FirstOrDefault()?.FirstId, "a point")}, words: [{Value(null, "register values of an example in the manual, or read from the device")}], {(Points.FirstOrDefault()?.ScaleAt is null ? "" : "scale: 0, ")}value: {Value(null, "what they mean, as the display shows it")} }}\n");
        }
    }

    /// <summary>A value as YAML, or a blank.</summary>
    public static string Value(string? value, string hint) =>
        string.IsNullOrWhiteSpace(value) ? YamlText.Quote($"<{hint.Replace('"', '\'').ReplaceLineEndings(" ")}>") : YamlText.Write(value.ReplaceLineEndings(" "));

    /// <summary>A name as ids are written: lower case, digits and '_'.</summary>
    public static string PointId(string name)
    {
        var id = new StringBuilder();
        foreach (var c in name.ToLowerInvariant())
        {
            if (char.IsAsciiLetterOrDigit(c))
            {
                id.Append(c);
            }
            else if (id.Length > 0 && id[^1] != '_')
            {
                id.Append('_');
            }
        }

        var text = id.ToString().Trim('_');
        text = text.Length == 0 || !char.IsAsciiLetter(text[0]) ? $"p_{text}" : text;
        return text.Length > 60 ? text[..60] : text;
    }

    /// <summary>Makes the ids of all points different.</summary>
    public void Number()
    {
        var taken = new HashSet<string>(StringComparer.Ordinal);
        foreach (var point in Points)
        {
            var id = point.Id;
            for (var n = 2; !taken.Add(point.Id); n++)
            {
                point.Id = $"{id}_{n.ToString(CultureInfo.InvariantCulture)}";
            }
        }
    }
}

/// <summary>A point of a draft; what is null is not known, or not stated.</summary>
internal sealed record DraftPoint
{
    public required string Id { get; set; }

    public string? Title { get; init; }

    public string? PerPhase { get; init; }

    public string? Stride { get; init; }

    public string? At { get; init; }

    public string? Printed { get; init; }

    public string? Table { get; init; }

    public string? Type { get; init; }

    /// <summary>Why the type is not known, for the blank.</summary>
    public string TypeHint { get; init; } = "type, such as uint16, int32 or float32";

    public string? Bit { get; init; }

    public string? Bits { get; init; }

    public string? Length { get; init; }

    public string? WordOrder { get; init; }

    public string? ByteOrder { get; init; }

    public string? Scale { get; init; }

    public string? ScaleAt { get; init; }

    public string? Offset { get; init; }

    public string? Unit { get; init; }

    /// <summary>What the source wrote as unit, where that is none of the table.</summary>
    public string? WrittenUnit { get; init; }

    public string? Role { get; init; }

    public string? Invalid { get; init; }

    public string? Poll { get; init; }

    public string? Min { get; init; }

    public string? Max { get; init; }

    public string? Rollover { get; init; }

    public string? Resets { get; init; }

    public IReadOnlyList<(string Raw, string Name)> Symbols { get; init; } = [];

    public IReadOnlyList<(string Bit, string Name)> Flags { get; init; } = [];

    public string? Note { get; init; }

    /// <summary>Words of an example, and what they mean.</summary>
    public IReadOnlyList<string>? Words { get; init; }

    public string? Value { get; init; }

    public string? ScaleHolds { get; init; }

    /// <summary>Id of the first point that the entry makes.</summary>
    public string FirstId => PerPhase is null ? Id : $"{Id}_{PerPhase.Split(',')[0].Trim()}";

    /// <summary>Whether it occupies several registers, or may do so.</summary>
    public bool IsWide => Type is null or "uint32" or "int32" or "uint64" or "int64" or "float32" or "float64" or "bcd32" or "bcd64" or "mod10";

    /// <summary>The same point at a wire address.</summary>
    public DraftPoint WithAddress(int at) => this with { At = at.ToString(CultureInfo.InvariantCulture) };

    /// <summary>The entry as YAML.</summary>
    public string Write()
    {
        var text = new StringBuilder();
        text.Append($"  - id: {YamlText.Write(Id)}\n");
        Add("title", Title is null ? null : $"{{ en: {ProfileDraft.Value(Title, "")} }}");
        Add("perPhase", PerPhase is null ? null : $"[{string.Join(", ", PerPhase.Split(',', StringSplitOptions.TrimEntries).Select(YamlText.Write))}]");
        Add("at", ProfileDraft.Value(At, "wire address"));
        AddText("stride", Stride);
        AddText("printed", Printed);
        AddText("table", Table);
        Add("type", ProfileDraft.Value(Type, TypeHint));
        AddText("bit", Bit);
        AddText("bits", Bits);
        AddText("length", Length);
        AddText("wordOrder", WordOrder);
        AddText("byteOrder", ByteOrder);
        AddText("scale", Scale);
        AddText("scaleAt", ScaleAt);
        AddText("offset", Offset);
        var isText = Type == "text";
        Add("unit", isText ? null : Unit is not null ? YamlText.Quote(Unit) : ProfileDraft.Value(null, WrittenUnit is null ? "unit, a code of the unit table" : $"unit; the source wrote {WrittenUnit}"));
        Add("role", ProfileDraft.Value(Role, "what the point means, from the role list"));
        AddText("invalid", Invalid);
        AddText("poll", Poll);
        if (Min is not null || Max is not null)
        {
            Add("plausible", $"{{ {string.Join(", ", new[] { Min is null ? null : $"min: {YamlText.Write(Min)}", Max is null ? null : $"max: {YamlText.Write(Max)}" }.OfType<string>())} }}");
        }

        if (Role is not null && Roles.Find(Role) is { Kind: PointKind.Counter })
        {
            Add("counter", $"{{ rolloverAt: {ProfileDraft.Value(Rollover, "first value that is never shown, or none")}, resets: {ProfileDraft.Value(Resets, "replace-only or user")} }}");
        }

        Map("enum", Symbols);
        Map("flags", Flags);
        Add("source", "[manual]");
        Add("note", Note is null ? null : ProfileDraft.Value(Note, ""));
        return text.ToString();

        void AddText(string key, string? value) => Add(key, value is null ? null : YamlText.Write(value));

        void Add(string key, string? value)
        {
            if (value is not null)
            {
                text.Append($"    {key}: {value}\n");
            }
        }

        void Map(string key, IReadOnlyList<(string Key, string Name)> names)
        {
            if (names.Count > 0)
            {
                Add(key, $"{{ {string.Join(", ", names.Select(n => $"{YamlText.Write(n.Key)}: {YamlText.Quote(n.Name)}"))} }}");
            }
        }
    }
}
