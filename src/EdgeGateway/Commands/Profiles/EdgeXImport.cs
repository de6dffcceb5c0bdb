using EdgeGateway.Core.Configuration;

namespace EdgeGateway.Commands.Profiles;

/// <summary>EdgeX Foundry device profiles of device-modbus: <c>deviceResources</c> with <c>attributes</c> (primaryTable, startingAddress, rawType, isByteSwap, isWordSwap) and <c>properties</c>.</summary>
internal static class EdgeXImport
{
    public static ProfileDraft Read(SourceText text)
    {
        var problems = new ProblemCollector();
        if (YamlText.Read(text, problems) is not YamlMap root || problems.HasErrors)
        {
            throw new FormatException(string.Join('\n', problems.ToList().Select(p => p.ToString()).DefaultIfEmpty($"{text.FileName} is no EdgeX device profile")));
        }

        var draft = new ProfileDraft
        {
            Vendor = Get(root, "manufacturer"),
            Model = Get(root, "model"),
            Title = Get(root, "description") ?? Get(root, "name"),
            SourceRef = $"EdgeX device profile {Path.GetFileName(text.FileName)}",
            SourceType = "code",
        };
        draft.Notes.Add("Converted from an EdgeX device profile. Its author decided whether startingAddress counts from 0 or 1: compare one value with the display.");
        foreach (var resource in (Node(root, "deviceResources") as YamlList)?.Items.OfType<YamlMap>() ?? [])
        {
            if (Node(resource, "attributes") is YamlMap attributes && Get(resource, "name") is { } name)
            {
                draft.Points.Add(ImportWords.In($"line {resource.Line}, '{name}'", () => Point(name, Get(resource, "description"), attributes, Node(resource, "properties") as YamlMap)));
            }
        }

        return draft.Points.Count > 0 ? draft : throw new FormatException($"{text.FileName} has no deviceResources with attributes");
    }

    private static DraftPoint Point(string name, string? description, YamlMap attributes, YamlMap? properties)
    {
        // Older profiles write the properties one level deeper, under 'value', and the unit under 'units.defaultValue'.
        var values = Node(properties, "value") as YamlMap ?? properties;
        var unit = Get(values, "units") ?? Get(Node(properties, "units") as YamlMap, "defaultValue");
        var table = ImportWords.Table(Get(attributes, "primaryTable"));
        var type = Type(Get(attributes, "rawType") ?? Get(values, "valueType") ?? Get(values, "type"));
        var isText = type == "text";
        var isBit = table is "coil" or "discrete";
        var isWide = type is not (null or "uint16" or "int16" or "bit" or "text");
        var (word, bytes) = (Get(attributes, "isWordSwap"), Get(attributes, "isByteSwap"));
        return new DraftPoint
        {
            Id = ProfileDraft.PointId(name),
            Title = description,
            At = Get(attributes, "startingAddress"),
            Table = table,
            Type = isBit ? "bit" : type,
            Length = isText ? Get(attributes, "stringRegisterSize") : null,
            WordOrder = isWide ? (IsTrue(word) ? "low-first" : "high-first") : null,
            ByteOrder = !isBit && IsTrue(bytes) ? "little" : null,
            Scale = isText ? null : ImportWords.Scale(Get(values, "scale")),
            Offset = isText || Get(values, "offset") is null or "0" or "0.0" ? null : Get(values, "offset"),
            Unit = isBit ? "1" : ImportWords.Unit(unit),
            WrittenUnit = unit,
            Role = ImportWords.Role(name),
            Min = isText ? null : Get(values, "minimum"),
            Max = isText ? null : Get(values, "maximum"),
        };
    }

    private static string? Type(string? written) => written?.ToLowerInvariant() switch
    {
        "int16" or "uint16" or "int32" or "uint32" or "int64" or "uint64" or "float32" or "float64" => written.ToLowerInvariant(),
        "bool" => "bit",
        "string" => "text",
        _ => null,
    };

    private static bool IsTrue(string? text) => text is not null && text.Equals("true", StringComparison.OrdinalIgnoreCase);

    private static string? Get(YamlMap? map, string key) => Node(map, key) is YamlScalar { IsNull: false, Text.Length: > 0 } scalar ? scalar.Text : null;

    // Old and new profiles write keys in upper and lower case.
    private static YamlNode? Node(YamlMap? map, string key) => map?.Entries.FirstOrDefault(e => e.Key.Text.Equals(key, StringComparison.OrdinalIgnoreCase)).Value;
}
