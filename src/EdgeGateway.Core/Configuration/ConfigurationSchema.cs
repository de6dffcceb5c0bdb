using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using EdgeGateway.Core.Accounting;
using EdgeGateway.Core.Accounting.Forecasting;
using EdgeGateway.Core.Boards;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using EdgeGateway.Core.Wiring;

namespace EdgeGateway.Core.Configuration;

/// <summary>The published JSON Schemas and the tables of the documentation, made from the same declarations that check the files.</summary>
public static class ConfigurationSchema
{
    /// <summary>JSON Schema (draft 2020-12) of <c>gateway.yaml</c>.</summary>
    public static string Gateway() => Schema("gateway.schema.json", "EdgeGateway site configuration (gateway.yaml)", GatewayShape.Root);

    /// <summary>JSON Schema (draft 2020-12) of a device profile.</summary>
    /// <remarks>A profile that extends another may leave out what it takes over from there.</remarks>
    public static string DeviceProfile() => Schema("device-profile.schema.json", "EdgeGateway device profile", ProfileShape.Root, extendsBy: "extends");

    /// <summary>JSON Schema (draft 2020-12) of a board.</summary>
    /// <remarks>A board that extends another may leave out what it takes over from there.</remarks>
    public static string Board() => Schema("board.schema.json", "EdgeGateway board", BoardShape.Root, extendsBy: "extends");

    /// <summary>JSON Schema (draft 2020-12) of a wiring description.</summary>
    public static string Wiring() => Schema("wiring.schema.json", "EdgeGateway wiring description", WiringShape.Root);

    /// <summary>JSON Schema (draft 2020-12) of a factor set.</summary>
    public static string Factors() => Schema("factors.schema.json", "EdgeGateway factor set", FactorSetShape.Root);

    /// <summary>Markdown tables of every key of a factor set.</summary>
    public static string FactorKeys() => Tables("(top level)", FactorSetShape.Root);

    /// <summary>JSON Schema (draft 2020-12) of a file of scenarios.</summary>
    public static string Scenarios() => Schema("scenarios.schema.json", "EdgeGateway scenarios", ScenariosShape.Root);

    /// <summary>Markdown tables of every key of a file of scenarios.</summary>
    public static string ScenarioKeys() => Tables("(top level)", ScenariosShape.Root);

    /// <summary>Markdown tables of every key of a board.</summary>
    public static string BoardKeys() => Tables("(top level)", BoardShape.Root);

    /// <summary>Markdown tables of every key of a wiring description.</summary>
    public static string WiringKeys() => Tables("(top level)", WiringShape.Root);

    /// <summary>Markdown tables of every key of <c>gateway.yaml</c>.</summary>
    public static string GatewayKeys() => Tables("(top level)", GatewayShape.Root);

    /// <summary>Markdown tables of every key of a device profile.</summary>
    public static string DeviceProfileKeys() => Tables("(top level)", ProfileShape.Root);

    /// <summary>Markdown table of the units.</summary>
    public static string UnitTable()
    {
        var text = new StringBuilder("| Unit | Name | Measures |\n| --- | --- | --- |\n");
        foreach (var unit in Units.All)
        {
            text.Append($"| `{unit.Code}` | {unit.Name} | {Words(unit.Dimension.ToString())} |\n");
        }

        return text.ToString();
    }

    /// <summary>Markdown table of the roles.</summary>
    public static string RoleTable()
    {
        var text = new StringBuilder("| Role | Kind | Measures | Parts | Meaning | 含义 | Alias |\n| --- | --- | --- | --- | --- | --- | --- |\n");
        foreach (var role in Roles.All)
        {
            var parts = role.Parts.Count > 8 ? $"{role.Parts[0]} … {role.Parts[^1]}" : string.Join(", ", role.Parts);
            var dimensions = string.Join(" or ", role.Dimensions.Select(d => Words(d.ToString())));
            text.Append($"| `{role.Name}` | {role.Kind.ToString().ToLowerInvariant()} | {dimensions} | {parts} | {role.English} | {role.Chinese} | {(role.Alias is null ? "" : $"`{role.Alias}`")} |\n");
        }

        return text.ToString();
    }

    private static string Schema(string file, string title, ObjectShape root, string? extendsBy = null)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteString("$schema", "https://json-schema.org/draft/2020-12/schema");
            json.WriteString("$id", $"urn:edgegateway:schema:{file}");
            json.WriteString("title", title);
            root.WriteSchema(json);
            if (extendsBy is not null)
            {
                json.WriteStartObject("if");
                json.WriteStartArray("required");
                json.WriteStringValue(extendsBy);
                json.WriteEndArray();
                json.WriteEndObject();
                json.WriteStartObject("else");
                root.WriteInherited(json);
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length) + "\n";
    }

    private static string Tables(string name, ObjectShape root)
    {
        var text = new StringBuilder();
        var waiting = new Queue<(string Name, ObjectShape Shape)>([(name, root)]);
        var done = new HashSet<ObjectShape>();
        while (waiting.TryDequeue(out var next))
        {
            if (!done.Add(next.Shape))
            {
                continue;
            }

            text.Append(text.Length > 0 ? "\n" : "").Append($"### `{next.Name}`\n\n| Key | Value | Default | Meaning |\n| --- | --- | --- | --- |\n");
            foreach (var key in next.Shape.Keys)
            {
                var value = Value(key.Shape).Replace("|", "\\|", StringComparison.Ordinal);
                text.Append($"| `{key.Name}` | {value} | {(key.Required ? "**required**" : key.Default is { } d ? $"`{d}`" : "")} | {key.Description} |\n");
                foreach (var (suffix, inner) in Inner(key.Shape))
                {
                    var path = next.Shape == root ? key.Name : $"{next.Name}.{key.Name}";
                    waiting.Enqueue((path + suffix, inner));
                }
            }
        }

        return text.ToString();
    }

    private static string Value(Shape shape) => shape switch
    {
        ObjectShape => "block",
        VariantShape variant => string.Join(" or ", variant.Variants.Select(v => $"block `{v.Value}`")),
        ListShape list => $"list of {Value(list.Item)}",
        MapShape map => $"named {Value(map.Value)}",
        EitherShape either => string.Join(", or ", either.Options.Select(Value)),
        ScalarShape { Words: { } words } => string.Join(", ", words.Select(w => $"`{w}`")),
        _ => shape.Expected,
    };

    private static IEnumerable<(string Suffix, ObjectShape Shape)> Inner(Shape shape) => shape switch
    {
        ObjectShape inner => [("", inner)],
        VariantShape variant => variant.Variants.Select(v => ($" ({v.Value})", v.Shape)),
        ListShape list => Inner(list.Item).Select(i => ("[]" + i.Suffix, i.Shape)),
        MapShape map => Inner(map.Value).Select(i => (".*" + i.Suffix, i.Shape)),
        EitherShape either => either.Options.SelectMany(Inner),
        _ => [],
    };

    // MassFlow -> mass flow
    private static string Words(string name) =>
        string.Concat(name.Select((c, i) => char.IsUpper(c) ? (i > 0 ? " " : "") + char.ToLowerInvariant(c) : c.ToString()));
}
