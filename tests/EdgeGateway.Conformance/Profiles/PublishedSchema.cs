using System.Globalization;
using System.Numerics;
using System.Text.Json;
using System.Text.RegularExpressions;
using EdgeGateway.Core.Configuration;

namespace EdgeGateway.Conformance.Profiles;

/// <summary>
/// The published JSON Schema as an editor applies it: a file is judged by the text in <c>docs/schemas</c> and not by the declarations it was made from. Knows the keywords that are
/// used there (draft 2020-12) and refuses others.
/// </summary>
internal sealed class PublishedSchema(string path)
{
    private static readonly string[] Silent = ["$schema", "$id", "title", "description", "default"];
    private readonly JsonElement _root = JsonDocument.Parse(File.ReadAllText(Path.Combine(ProfileFiles.Root, path))).RootElement;

    public static PublishedSchema DeviceProfile { get; } = new("docs/schemas/device-profile.schema.json");

    /// <summary>Everything in the file that the schema does not accept.</summary>
    public IReadOnlyList<string> Check(SourceText text)
    {
        var problems = new ProblemCollector();
        var node = YamlText.Read(text, problems);
        Assert.Empty(problems.ToList());
        var found = new List<string>();
        Check(node!, _root, "", found);
        return found;
    }

    private static bool Accepts(YamlNode node, JsonElement schema)
    {
        var found = new List<string>();
        Check(node, schema, "", found);
        return found.Count == 0;
    }

    private static void Check(YamlNode node, JsonElement schema, string at, List<string> found)
    {
        foreach (var keyword in schema.EnumerateObject())
        {
            var (name, value) = (keyword.Name, keyword.Value);
            switch (name)
            {
                case "type":
                    Say(value.ValueKind == JsonValueKind.Array ? value.EnumerateArray().Any(t => IsType(node, t.GetString()!)) : IsType(node, value.GetString()!));
                    break;
                case "enum":
                    Say(node is YamlScalar word && value.EnumerateArray().Any(v => Same(word, v)));
                    break;
                case "pattern":
                    Say(node is not YamlScalar text || !IsType(text, "string") || Regex.IsMatch(text.Text, value.GetString()!));
                    break;
                case "minimum":
                    Say(Number(node) is not { } low || low >= value.GetDouble());
                    break;
                case "maximum":
                    Say(Number(node) is not { } high || high <= value.GetDouble());
                    break;
                case "minItems":
                    Say(node is not YamlList few || few.Items.Count >= value.GetInt32());
                    break;
                case "maxItems":
                    Say(node is not YamlList many || many.Items.Count <= value.GetInt32());
                    break;
                case "minProperties":
                    Say(node is not YamlMap small || small.Entries.Count >= value.GetInt32());
                    break;
                case "required":
                    Say(node is not YamlMap map || value.EnumerateArray().All(k => map.Entries.Any(e => e.Key.Text == k.GetString())));
                    break;
                case "anyOf":
                    Say(value.EnumerateArray().Any(s => Accepts(node, s)));
                    break;
                case "oneOf":
                    Say(value.EnumerateArray().Count(s => Accepts(node, s)) == 1);
                    break;
                case "properties":
                    foreach (var (key, inner) in (node as YamlMap)?.Entries ?? [])
                    {
                        if (value.TryGetProperty(key.Text, out var known))
                        {
                            Check(inner, known, $"{at}/{key.Text}", found);
                        }
                    }

                    break;
                case "additionalProperties":
                    foreach (var (key, inner) in (node as YamlMap)?.Entries ?? [])
                    {
                        if (schema.TryGetProperty("properties", out var stated) && stated.TryGetProperty(key.Text, out _))
                        {
                            continue;
                        }

                        if (value.ValueKind == JsonValueKind.False)
                        {
                            found.Add($"{key.Line}: {at}/{key.Text} is not allowed");
                        }
                        else
                        {
                            Check(inner, value, $"{at}/{key.Text}", found);
                        }
                    }

                    break;
                case "items":
                    foreach (var item in (node as YamlList)?.Items ?? [])
                    {
                        Check(item, value, at + "[]", found);
                    }

                    break;
                case "if":
                    if (schema.TryGetProperty(Accepts(node, value) ? "then" : "else", out var chosen))
                    {
                        Check(node, chosen, at, found);
                    }

                    break;
                case "then" or "else":
                    break;
                default:
                    Assert.Contains(name, Silent);
                    break;
            }

            void Say(bool fits)
            {
                if (!fits)
                {
                    found.Add($"{node.Line}: {at} does not fit {name} {value.GetRawText()[..Math.Min(80, value.GetRawText().Length)]}");
                }
            }
        }
    }

    // YAML 1.2 core schema (10.3.2), as editors resolve plain scalars.
    private static bool IsType(YamlNode node, string type) => type switch
    {
        "object" => node is YamlMap,
        "array" => node is YamlList,
        "boolean" => node is YamlScalar { IsPlain: true, Text: "true" or "false" },
        "null" => node is YamlScalar { IsNull: true },
        "integer" => Number(node) is { } n && n == Math.Truncate(n),
        "number" => Number(node) is not null,
        _ => node is YamlScalar { IsNull: false } && Number(node) is null && !IsType(node, "boolean"),
    };

    private static double? Number(YamlNode node)
    {
        if (node is not YamlScalar { IsPlain: true } scalar)
        {
            return null;
        }

        if (scalar.Text.StartsWith("0x", StringComparison.Ordinal))
        {
            return BigInteger.TryParse("0" + scalar.Text[2..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var hex) ? (double)hex : null;
        }

        return Regex.IsMatch(scalar.Text, @"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$") ? double.Parse(scalar.Text, CultureInfo.InvariantCulture) : null;
    }

    private static bool Same(YamlScalar scalar, JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => IsType(scalar, "string") && scalar.Text == value.GetString(),
        JsonValueKind.Number => Number(scalar) == value.GetDouble(),
        _ => IsType(scalar, "boolean") && scalar.Text == value.GetRawText(),
    };
}
