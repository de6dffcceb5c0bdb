using System.Globalization;
using System.Text;
using System.Text.Json;
using EdgeGateway.Core.Profiles;

namespace EdgeGateway.Commands.Profiles;

/// <summary>What the importers have in common: words of other programs in the words of profiles. What has no counterpart is null.</summary>
internal static class ImportWords
{
    /// <summary>The role by its alias in other collections: <c>active_power_l1</c>; null when the name says nothing for sure.</summary>
    public static string? Role(string name)
    {
        var id = ProfileDraft.PointId(name);
        var role = Roles.All.Where(r => r.Alias is not null && (id == r.Alias || id.StartsWith(r.Alias + "_", StringComparison.Ordinal))).MaxBy(r => r.Alias!.Length);
        if (role is null)
        {
            return null;
        }

        var part = id.Length > role.Alias!.Length ? id[(role.Alias.Length + 1)..] : "";
        return part is "" or "total" ? role.Name : role.Parts.Contains(part) ? $"{role.Name}.{part}" : null;
    }

    /// <summary>The unit of the table; null when there is none that is certain.</summary>
    public static string? Unit(string? written) =>
        string.IsNullOrWhiteSpace(written) ? null
        : Units.Find(written) is { } unit ? unit.Code
        : Units.Colloquially(written);

    public static string? Table(string? written) => ProfileDraft.PointId(written ?? "") switch
    {
        "holding_registers" or "holding_register" or "holding" or "holding_single" or "holding_multi" => "holding",
        "input_registers" or "input_register" or "input" => "input",
        "coils" or "coil" => "coil",
        "discrete_inputs" or "discrete_input" or "discrete" or "discretes_input" => "discrete",
        _ => null,
    };

    /// <summary>ABCD and its permutations; null for what is not one.</summary>
    public static (string Word, string Byte)? Order(string? letters) => letters?.ToUpperInvariant() switch
    {
        "AB" or "ABCD" or "ABCDEFGH" => ("high-first", "big"),
        "CDAB" or "GHEFCDAB" => ("low-first", "big"),
        "BA" or "BADC" or "BADCFEHG" => ("high-first", "little"),
        "DCBA" or "HGFEDCBA" => ("low-first", "little"),
        _ => null,
    };

    /// <summary>A member as a text; null when it is absent, or neither a text nor a number.</summary>
    public static string? Text(this JsonElement element, string name) => element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value)
        ? value.ValueKind switch { JsonValueKind.String => Decoded(value, name), JsonValueKind.Number => value.GetRawText(), _ => null }
        : null;

    /// <summary>Reads JSON.</summary>
    /// <exception cref="JsonException">It is none.</exception>
    public static JsonDocument Json(string text, JsonDocumentOptions options = default) => JsonDocument.Parse(Encoding.UTF8.GetBytes(text), options);

    private static string? Decoded(JsonElement value, string name)
    {
        try
        {
            return value.GetString();
        }
        catch (InvalidOperationException e)
        {
            throw new FormatException($"'{name}' holds half of a character", e);
        }
    }

    /// <summary>A member that has to be there.</summary>
    /// <exception cref="FormatException">It is absent, or of another kind.</exception>
    public static JsonElement Part(this JsonElement element, string name, JsonValueKind kind) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind == kind
            ? value
            : throw new FormatException($"'{name}' is missing, or is no {kind.ToString().ToLowerInvariant()}");

    /// <summary>The items of a list that may be absent.</summary>
    /// <exception cref="FormatException">It is there and no list.</exception>
    public static IReadOnlyList<JsonElement> Items(this JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out _) ? [.. element.Part(name, JsonValueKind.Array).EnumerateArray()] : [];

    /// <summary>Does something for an entry of the source, so that what is wrong with it says where.</summary>
    /// <exception cref="FormatException">It is wrong; the message begins with the entry.</exception>
    public static T In<T>(string entry, Func<T> make)
    {
        try
        {
            return make();
        }
        catch (FormatException e)
        {
            throw new FormatException($"{entry}: {e.Message}", e);
        }
    }

    /// <summary>A number that is not 1, as a scale; null for 1 and when there is none.</summary>
    /// <exception cref="FormatException">It is no number, or 0: a value without its scale would be wrong.</exception>
    public static string? Scale(string? written)
    {
        if (written is null)
        {
            return null;
        }

        if (!decimal.TryParse(written, NumberStyles.Float, CultureInfo.InvariantCulture, out var scale) || scale == 0)
        {
            throw new FormatException($"the scale is '{written}', and a scale is a number other than 0");
        }

        // The division takes away the zeros behind the last digit.
        return scale == 1 ? null : (scale / 1.0000000000000000000000000000m).ToString(CultureInfo.InvariantCulture);
    }
}
