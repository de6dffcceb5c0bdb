using System.Text.Json;
using System.Text.RegularExpressions;

namespace EdgeGateway.Core.Configuration;

/// <summary>The kinds of scalar that configuration files are made of.</summary>
public static partial class Scalars
{
    public static readonly ScalarShape Text = new("a text", s => !s.IsNull && s.Text.Length > 0, json => Types(json, "string", "number"));

    /// <summary>Nothing, on purpose.</summary>
    public static readonly ScalarShape Null = new("null", s => s.IsNull, json => json.WriteString("type", "null"));

    /// <summary>Safe as a part of an MQTT topic, a file name and a record id.</summary>
    public static readonly ScalarShape Id = new(
        "an identifier of letters, digits, '-' and '_', such as lv-room-1 (at most 64 characters)",
        s => IsId(s.Text),
        json => Pattern(json, IdPattern()));

    public static readonly ScalarShape PointId = new(
        "a point name of lower-case letters, digits and '_', such as active_power_total",
        s => PointIdPattern().IsMatch(s.Text),
        json => Pattern(json, PointIdPattern()));

    public static readonly ScalarShape TrueOrFalse = new("true or false", s => s.IsPlain && s.Text is "true" or "false", json => json.WriteString("type", "boolean"));

    public static readonly ScalarShape Number = new("a number", s => s.IsPlain && Quantities.TryNumber(s.Text, out _), json => json.WriteString("type", "number"))
    {
        Meant = text => text.Count(c => c == ',') == 1 && Quantities.TryNumber(text.Replace(',', '.'), out _) ? $"Decimals stand behind a point: {text.Replace(',', '.')}." : MeantInteger(text),
    };

    public static readonly ScalarShape Duration = new(
        "a duration such as 500ms, 1s, 15m, 1h or 1d",
        s => Quantities.TryDuration(s.Text, out _),
        json => Pattern(json, DurationPattern()));

    public static readonly ScalarShape Size = new(
        "a size such as 64MiB or 1GiB",
        s => Quantities.TrySize(s.Text, out _),
        json => Pattern(json, SizePattern()));

    public static readonly ScalarShape Power = new(
        "a power such as 400 kW",
        s => Quantities.TryPower(s.Text, out var watts) && watts > 0,
        json => Pattern(json, PowerPattern()));

    public static readonly ScalarShape Ratio = new(
        "a ratio, primary/secondary such as 200/5 or a factor such as 40",
        s => Quantities.TryRatio(s.Text, out _),
        json => Types(json, "string", "number"));

    public static ScalarShape Integer(long min, long max) => new(
        $"a whole number from {min} to {max}",
        s => s.IsPlain && Quantities.TryInteger(s.Text, out var value) && value >= min && value <= max,
        json =>
        {
            json.WriteString("type", "integer");
            json.WriteNumber("minimum", min);
            json.WriteNumber("maximum", max);
        })
    {
        Meant = MeantInteger,
    };

    /// <summary>What a wrong whole number probably means: a hexadecimal number as manuals and other programs write it, or one with a mark between its digits.</summary>
    public static string? MeantInteger(string written)
    {
        var digits = written.Trim();
        var hex = digits.StartsWith("0X", StringComparison.Ordinal) || digits.StartsWith("&H", StringComparison.OrdinalIgnoreCase) || digits.StartsWith("#x", StringComparison.OrdinalIgnoreCase) ? digits[2..]
            : digits.StartsWith('$') ? digits[1..]
            : digits.EndsWith('h') || digits.EndsWith('H') ? digits[..^1]
            : digits;
        if (hex.Length is > 0 and <= 16 && hex.All(char.IsAsciiHexDigit) && (hex.Length < digits.Length || hex.Any(char.IsAsciiLetter)))
        {
            return $"A hexadecimal number begins with 0x: write 0x{hex.ToUpperInvariant()}.";
        }

        var plain = string.Concat(digits.Where(c => c is not (',' or ' ' or '_' or '\'')));
        return plain.Length < digits.Length && Quantities.TryInteger(plain, out var number) ? $"Write the digits without marks between them: {number}." : null;
    }

    /// <summary>One of a few words.</summary>
    public static ScalarShape Choice(params string[] words) => new(
        words is [var only] ? only : $"one of {string.Join(", ", words)}",
        s => words.Contains(s.Text),
        json =>
        {
            json.WriteStartArray("enum");
            foreach (var word in words)
            {
                json.WriteStringValue(word);
                if (Quantities.TryNumber(word, out var number))
                {
                    json.WriteNumberValue(number);
                }
            }

            json.WriteEndArray();
        },
        words);

    /// <summary>Whether a text is an identifier, see <see cref="Id"/>.</summary>
    public static bool IsId(string text) => IdPattern().IsMatch(text) && text[^1] != '\n'; // The end of the pattern also matches in front of a last line end.

    private static void Types(Utf8JsonWriter json, params ReadOnlySpan<string> types)
    {
        json.WriteStartArray("type");
        foreach (var type in types)
        {
            json.WriteStringValue(type);
        }

        json.WriteEndArray();
    }

    private static void Pattern(Utf8JsonWriter json, Regex pattern)
    {
        Types(json, "string", "number");
        json.WriteString("pattern", pattern.ToString());
    }

    [GeneratedRegex("^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$", RegexOptions.CultureInvariant)]
    private static partial Regex IdPattern();

    [GeneratedRegex("^[a-z][a-z0-9_]{0,63}$", RegexOptions.CultureInvariant)]
    private static partial Regex PointIdPattern();

    [GeneratedRegex("^(0|[0-9]+([.][0-9]+)? ?(ms|s|m|min|h|d))$", RegexOptions.CultureInvariant)]
    private static partial Regex DurationPattern();

    [GeneratedRegex("^[0-9]+([.][0-9]+)? ?(B|kB|MB|GB|KiB|MiB|GiB)$", RegexOptions.CultureInvariant)]
    private static partial Regex SizePattern();

    [GeneratedRegex("^[0-9]+([.][0-9]+)? ?(W|kW|MW)$", RegexOptions.CultureInvariant)]
    private static partial Regex PowerPattern();
}
