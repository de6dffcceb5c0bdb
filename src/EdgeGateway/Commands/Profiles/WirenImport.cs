using System.Globalization;
using System.Text.Json;
using EdgeGateway.Core.Configuration;

namespace EdgeGateway.Commands.Profiles;

/// <summary>Templates of wb-mqtt-serial: <c>device.channels</c> with reg_type, address, format, scale, offset, units, word_order, error_value.</summary>
internal static class WirenImport
{
    private static readonly JsonDocumentOptions Lenient = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };

    public static ProfileDraft Read(SourceText text)
    {
        using var document = ImportWords.Json(text.Text, Lenient);
        var root = document.RootElement;
        var device = root.Part("device", JsonValueKind.Object);
        var draft = new ProfileDraft
        {
            Title = root.Text("title") ?? device.Text("name"),
            Model = device.Text("name"),
            SourceRef = $"wb-mqtt-serial template {Path.GetFileName(text.FileName)}",
            SourceType = "code",
            MaxRegisters = int.TryParse(device.Text("max_read_registers"), NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count is > 0 and <= 125 ? count : null,
        };
        draft.Notes.Add("Converted from a wb-mqtt-serial template. Its scales and word orders are as they stood there.");
        foreach (var (i, channel) in device.Part("channels", JsonValueKind.Array).EnumerateArray().Index())
        {
            if (channel.Text("reg_type") is not null && channel.TryGetProperty("address", out _) && channel.Text("name") is { } name)
            {
                draft.Points.Add(ImportWords.In($"channel {i + 1}, '{name}'", () => Point(name, channel)));
            }
        }

        return draft.Points.Count > 0 ? draft : throw new FormatException($"{text.FileName} has no channels with a register");
    }

    private static DraftPoint Point(string name, JsonElement channel)
    {
        var table = ImportWords.Table(channel.Text("reg_type"));
        var isBit = table is "coil" or "discrete";
        var format = channel.Text("format")?.ToLowerInvariant() ?? "u16";
        var type = isBit ? "bit" : Type(format);

        // An address may name bits: 5:3:2 is two bits of register 5 from bit 3 on.
        var address = (channel.Text("address") ?? (channel.GetProperty("address") is { ValueKind: JsonValueKind.Object } parts ? parts.Text("read") ?? parts.Text("address") : null))?.Split(':');
        var isPart = address is { Length: 3 };
        var bits = isPart ? Bits(address![1], address[2]) : null;
        var isText = type == "text";
        return new DraftPoint
        {
            Id = ProfileDraft.PointId(name),
            Title = name,
            At = address?[0],
            Table = table,
            Type = type,
            TypeHint = $"type; the source wrote {format}",
            Bits = bits,
            Length = isText ? channel.Text("string_data_size") is { } size ? size : null : null,
            WordOrder = type is "uint32" or "int32" or "uint64" or "int64" or "float32" or "float64" or "bcd32" ? (channel.Text("word_order") == "little_endian" ? "low-first" : "high-first") : null,
            ByteOrder = channel.Text("byte_order") == "little_endian" ? "little" : null,
            Scale = isText ? null : ImportWords.Scale(channel.Text("scale")),
            Offset = isText || channel.Text("offset") is null or "0" ? null : channel.Text("offset"),
            Unit = isBit ? "1" : ImportWords.Unit(channel.Text("units")),
            WrittenUnit = channel.Text("units"),
            Role = ImportWords.Role(name),
            Invalid = isText ? null : channel.Text("error_value"),
            Min = isText ? null : channel.Text("min"),
            Max = isText ? null : channel.Text("max"),
        };
    }

    private static string Bits(string first, string count) =>
        int.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out var from) && int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var width)
            && width is >= 1 and <= 64 && from <= 64 - width
            ? (width == 1 ? $"{from}" : $"{from}..{from + width - 1}")
            : throw new FormatException($"the address names {count} bits from bit {first} on, and a value has 64 at most");

    private static string? Type(string format) => format switch
    {
        "u16" or "u8" => "uint16",
        "s16" or "s8" => "int16",
        "u32" => "uint32",
        "s32" => "int32",
        "u64" => "uint64",
        "s64" => "int64",
        "float" => "float32",
        "double" => "float64",
        "bcd16" => "bcd16",
        "bcd32" => "bcd32",
        "string" => "text",
        _ => null,
    };
}
