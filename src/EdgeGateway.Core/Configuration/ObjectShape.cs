using System.Globalization;
using System.Text.Json;

namespace EdgeGateway.Core.Configuration;

/// <summary>A key that may stand in a block.</summary>
/// <param name="Name">The key as it is written.</param>
/// <param name="Shape">What its value may be.</param>
/// <param name="Description">One sentence for the schema and the documentation.</param>
public sealed record Key(string Name, Shape Shape, string Description)
{
    /// <summary>True when the block is incomplete without it.</summary>
    public bool Required { get; init; }

    /// <summary>Value in force when the key is absent, as it would be written.</summary>
    public string? Default { get; init; }

    /// <summary>True when a file that extends another takes the value from there unless it states its own.</summary>
    public bool Inherited { get; init; }

    /// <summary>Other words that people use for it; they are not accepted, but understood well enough to say what to write.</summary>
    public IReadOnlyList<string> AlsoCalled { get; init; } = [];
}

/// <summary>A block with a closed set of keys.</summary>
/// <param name="title">What the block describes: <c>a device</c>.</param>
/// <param name="keys">The keys, in the order of the documentation.</param>
public sealed class ObjectShape(string title, params Key[] keys) : Shape
{
    public string Title => title;

    public IReadOnlyList<Key> Keys => keys;

    public override string Expected => $"a block with the keys {string.Join(", ", keys.Where(k => k.Required).Select(k => k.Name).DefaultIfEmpty(keys[0].Name))} ...";

    /// <summary>The declaration of a key.</summary>
    /// <exception cref="ArgumentException">The shape has no such key.</exception>
    public Key this[string name] => Array.Find(keys, k => k.Name == name) ?? throw new ArgumentException($"'{title}' has no key '{name}'.", nameof(name));

    public override bool Suits(YamlNode node) => node is YamlMap;

    public override void Check(YamlNode node, string name, ProblemCollector problems)
    {
        if (node is not YamlMap map)
        {
            WrongKind(node, name, Expected, problems);
            return;
        }

        foreach (var (key, value) in map.Entries)
        {
            if (Array.Find(keys, k => k.Name == key.Text) is not { } known)
            {
                problems.Error(key, $"unknown key '{key.Text}' in {title}", $"{Meant(key.Text)}Allowed here: {string.Join(", ", keys.Select(k => k.Name))}");
            }
            else if (!IsBlank(value, $"'{key.Text}' of {NameOf(map)}", known.Shape.Expected, problems))
            {
                known.Shape.Check(value, $"'{key.Text}'", problems);
            }
        }

        foreach (var key in keys)
        {
            if (key.Required && !map.Entries.Any(e => e.Key.Text == key.Name))
            {
                problems.Error(map, $"'{key.Name}' is missing in {title}", $"Add '{key.Name}:' with {key.Shape.Expected}");
            }
        }
    }

    public override void WriteSchema(Utf8JsonWriter json)
    {
        json.WriteString("type", "object");
        json.WriteBoolean("additionalProperties", false);
        WriteRequired(json, keys.Where(k => k.Required && !k.Inherited));

        json.WriteStartObject("properties");
        foreach (var key in keys)
        {
            json.WriteStartObject(key.Name);
            json.WriteString("description", key.Description);
            key.Shape.WriteSchema(json);
            if (key.Default is { } text && !text.Contains(' '))
            {
                json.WritePropertyName("default");
                WriteDefault(json, key.Shape, text);
            }

            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    /// <summary>Writes which keys a file must have that extends no other: those that are otherwise inherited.</summary>
    public void WriteInherited(Utf8JsonWriter json)
    {
        WriteRequired(json, keys.Where(k => k.Required && k.Inherited));
        json.WriteStartObject("properties");
        foreach (var key in keys)
        {
            if (key.Shape is ListShape { Item: ObjectShape item } && item.Keys.Any(k => k.Required && k.Inherited))
            {
                json.WriteStartObject(key.Name);
                json.WriteStartObject("items");
                WriteRequired(json, item.Keys.Where(k => k.Required && k.Inherited));
                json.WriteEndObject();
                json.WriteEndObject();
            }
        }

        json.WriteEndObject();
    }

    private static void WriteRequired(Utf8JsonWriter json, IEnumerable<Key> required)
    {
        var names = required.Select(k => k.Name).ToList();
        if (names.Count > 0)
        {
            json.WriteStartArray("required");
            names.ForEach(json.WriteStringValue);
            json.WriteEndArray();
        }
    }

    private static void WriteDefault(Utf8JsonWriter json, Shape shape, string text)
    {
        if (text is "true" or "false")
        {
            json.WriteBooleanValue(text == "true");
        }
        else if (shape is ScalarShape { Words: null } && decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number))
        {
            json.WriteNumberValue(number);
        }
        else
        {
            json.WriteStringValue(text);
        }
    }

    // "a point" with the id flow -> the point 'flow'
    private string NameOf(YamlMap map)
    {
        var words = title.StartsWith("a ", StringComparison.Ordinal) ? "the " + title[2..] : title.StartsWith("an ", StringComparison.Ordinal) ? "the " + title[3..] : title;
        return (map["id"] ?? map["point"]) is YamlScalar { IsBlank: false } id ? $"{words} '{id.Text}'" : words;
    }

    private string Meant(string written)
    {
        var words = keys.SelectMany(k => k.AlsoCalled.Append(k.Name).Select(w => (Word: w, Key: k.Name))).ToList();
        var nearest = Spelling.Nearest(written, words.Select(w => w.Word));
        return nearest is null ? "" : $"Did you mean '{words.First(w => w.Word == nearest).Key}'? ";
    }
}

/// <summary>A block whose allowed keys depend on the value of one of them.</summary>
/// <param name="title">What the block describes: <c>a bus</c>.</param>
/// <param name="discriminator">The deciding key.</param>
/// <param name="variants">The block for each value.</param>
public sealed class VariantShape(string title, string discriminator, params (string Value, ObjectShape Shape)[] variants) : Shape
{
    public IReadOnlyList<(string Value, ObjectShape Shape)> Variants => variants;

    public override string Expected => $"a block that describes {title}, with '{discriminator}' {Alternatives}";

    private string Alternatives => string.Join(" or ", variants.Select(v => v.Value));

    /// <summary>The block that the node has chosen, or null.</summary>
    public ObjectShape? Choose(YamlMap map)
    {
        var chosen = map.Text(discriminator);
        return Array.Find(variants, v => v.Value == chosen).Shape;
    }

    public override bool Suits(YamlNode node) => node is YamlMap;

    public override void Check(YamlNode node, string name, ProblemCollector problems)
    {
        if (node is not YamlMap map)
        {
            WrongKind(node, name, Expected, problems);
        }
        else if (Choose(map) is { } shape)
        {
            shape.Check(node, name, problems);
        }
        else if (map[discriminator] is YamlScalar written)
        {
            problems.Error(written, $"'{discriminator}' of {title} is '{written.Text}', which is not known", $"{Spelling.Hint(written.Text, variants.Select(v => v.Value))}Write {Alternatives}");
        }
        else
        {
            problems.Error(map, $"'{discriminator}' is missing in {title}", $"Add '{discriminator}:' with {Alternatives}");
        }
    }

    public override void WriteSchema(Utf8JsonWriter json)
    {
        json.WriteStartArray("oneOf");
        foreach (var (_, shape) in variants)
        {
            json.WriteStartObject();
            shape.WriteSchema(json);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
