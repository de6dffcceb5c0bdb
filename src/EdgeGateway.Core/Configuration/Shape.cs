using System.Text.Json;

namespace EdgeGateway.Core.Configuration;

/// <summary>What may stand at a place of a configuration file. One declaration drives the check, the JSON Schema and the tables of the documentation.</summary>
public abstract class Shape
{
    /// <summary>What is expected, as it reads after "expected": <c>a duration such as 500ms, 1s or 15m</c>.</summary>
    public abstract string Expected { get; }

    /// <summary>Notes every way in which the node differs from the shape.</summary>
    /// <param name="node">The node.</param>
    /// <param name="name">What the node is called, for messages: <c>'timeout'</c>.</param>
    /// <param name="problems">Receives the problems.</param>
    public abstract void Check(YamlNode node, string name, ProblemCollector problems);

    /// <summary>Writes the members of the JSON Schema (draft 2020-12) into the open object.</summary>
    public abstract void WriteSchema(Utf8JsonWriter json);

    /// <summary>Whether the node is of this kind at all: scalar, sequence or mapping.</summary>
    public abstract bool Suits(YamlNode node);

    /// <summary>Notes a place that has still to be filled in; true when the node is one, and nothing else is to be said of it.</summary>
    private protected static bool IsBlank(YamlNode node, string name, string expected, ProblemCollector problems)
    {
        if (node is not YamlScalar { IsBlank: true } blank)
        {
            return false;
        }

        var hint = blank.Text[1..^1].Trim();
        problems.Error(node, $"fill in: {name}{(hint.Length > 0 ? $", {hint}" : "")}", $"Write {expected}");
        return true;
    }

    private protected static void WrongKind(YamlNode node, string name, string expected, ProblemCollector problems, string? meant = null)
    {
        var found = node switch
        {
            YamlScalar { IsNull: true } => "is empty",
            YamlScalar s => $"is '{s.Text}'",
            YamlList => "is a list",
            _ => "is a block of keys",
        };
        problems.Error(node, $"{name} {found}", $"{meant}Write {expected}");
    }
}

/// <summary>A scalar whose text must satisfy a rule.</summary>
/// <param name="expected">What is expected, with an example.</param>
/// <param name="isValid">The rule.</param>
/// <param name="schema">Writes the schema's members.</param>
/// <param name="words">The allowed words where there are only a few; spelling mistakes are matched against them.</param>
public sealed class ScalarShape(string expected, Func<YamlScalar, bool> isValid, Action<Utf8JsonWriter> schema, IReadOnlyList<string>? words = null) : Shape
{
    public override string Expected => expected;

    /// <summary>The allowed words, or null when the text is free.</summary>
    public IReadOnlyList<string>? Words => words;

    /// <summary>What a wrong word probably means, as a sentence; null where only the spelling is compared.</summary>
    public Func<string, string?>? Meant { get; init; }

    public bool IsValid(YamlScalar scalar) => isValid(scalar);

    /// <summary>The same rule with sentences for what people write instead.</summary>
    public ScalarShape With(Func<string, string?> meant) => new(expected, isValid, schema, words) { Meant = meant };

    public override bool Suits(YamlNode node) => node is YamlScalar;

    public override void Check(YamlNode node, string name, ProblemCollector problems)
    {
        if (node is YamlScalar scalar && !scalar.IsNull && words is not null && !isValid(scalar))
        {
            problems.Error(node, $"{name} is '{scalar.Text}', which is not known", $"{Hint(scalar.Text, words)}Write {expected}");
        }
        else if (node is not YamlScalar valid || !isValid(valid))
        {
            // A number in quotes is a text.
            var meant = node is not YamlScalar written ? null
                : !written.IsPlain && isValid(written with { IsPlain = true }) ? $"In quotes it is a text: write {written.Text} without quotes. "
                : words is null && Meant?.Invoke(written.Text) is { } sentence ? sentence + " "
                : null;
            WrongKind(node, name, expected, problems, meant);
        }
    }

    public override void WriteSchema(Utf8JsonWriter json) => schema(json);

    private string Hint(string written, IReadOnlyList<string> known) => Meant?.Invoke(written) is { } sentence ? sentence + " " : Spelling.Hint(written, known);
}

/// <summary>A sequence of one kind of item.</summary>
public sealed class ListShape(Shape item, int min = 0, int max = int.MaxValue) : Shape
{
    public Shape Item => item;

    public override string Expected => $"a list, each item {item.Expected}";

    public override bool Suits(YamlNode node) => node is YamlList;

    public override void Check(YamlNode node, string name, ProblemCollector problems)
    {
        if (node is not YamlList list)
        {
            WrongKind(node, name, Expected, problems);
            return;
        }

        if (list.Items.Count < min)
        {
            problems.Error(node, $"{name} has {list.Items.Count} items, at least {min} {(min == 1 ? "is" : "are")} needed", $"Write {Expected}");
        }
        else if (list.Items.Count > max)
        {
            problems.Error(node, $"{name} has {list.Items.Count} items, at most {max} are possible", $"Write {Expected}");
        }

        foreach (var entry in list.Items)
        {
            if (!IsBlank(entry, $"an item of {name}", item.Expected, problems))
            {
                item.Check(entry, $"an item of {name}", problems);
            }
        }
    }

    public override void WriteSchema(Utf8JsonWriter json)
    {
        json.WriteString("type", "array");
        json.WriteStartObject("items");
        item.WriteSchema(json);
        json.WriteEndObject();
        if (min > 0)
        {
            json.WriteNumber("minItems", min);
        }

        if (max < int.MaxValue)
        {
            json.WriteNumber("maxItems", max);
        }
    }
}

/// <summary>A mapping whose keys are chosen by the writer: point ids, source names, raw values.</summary>
public sealed class MapShape(ScalarShape key, Shape value, int min = 0) : Shape
{
    public Shape Value => value;

    public override string Expected => $"a block whose keys are {key.Expected} and whose values are {value.Expected}";

    public override bool Suits(YamlNode node) => node is YamlMap;

    public override void Check(YamlNode node, string name, ProblemCollector problems)
    {
        if (node is not YamlMap map)
        {
            WrongKind(node, name, Expected, problems);
            return;
        }

        if (map.Entries.Count < min)
        {
            problems.Error(node, $"{name} is empty", $"Write {Expected}");
        }

        foreach (var entry in map.Entries)
        {
            if (!IsBlank(entry.Key, $"a key of {name}", key.Expected, problems))
            {
                key.Check(entry.Key, $"the key '{entry.Key.Text}' of {name}", problems);
            }

            if (!IsBlank(entry.Value, $"'{entry.Key.Text}' of {name}", value.Expected, problems))
            {
                value.Check(entry.Value, $"'{entry.Key.Text}'", problems);
            }
        }
    }

    public override void WriteSchema(Utf8JsonWriter json)
    {
        json.WriteString("type", "object");
        json.WriteStartObject("additionalProperties");
        value.WriteSchema(json);
        json.WriteEndObject();
        if (min > 0)
        {
            json.WriteNumber("minProperties", min);
        }
    }
}

/// <summary>One of several shapes, told apart by the kind of node, or for scalars by their rules.</summary>
public sealed class EitherShape(params Shape[] options) : Shape
{
    public IReadOnlyList<Shape> Options => options;

    public override string Expected => string.Join(", or ", options.Select(o => o.Expected));

    public override bool Suits(YamlNode node) => options.Any(o => o.Suits(node));

    public override void Check(YamlNode node, string name, ProblemCollector problems)
    {
        var suitable = options.Where(o => o.Suits(node)).ToList();
        if (node is YamlScalar scalar)
        {
            if (!suitable.OfType<ScalarShape>().Any(o => o.IsValid(scalar)))
            {
                var meant = suitable.OfType<ScalarShape>().Select(o => o.Meant?.Invoke(scalar.Text)).FirstOrDefault(m => m is not null);
                WrongKind(node, name, Expected, problems, meant is null ? null : meant + " ");
            }
        }
        else if (suitable is [var only])
        {
            only.Check(node, name, problems);
        }
        else
        {
            WrongKind(node, name, Expected, problems);
        }
    }

    public override void WriteSchema(Utf8JsonWriter json)
    {
        json.WriteStartArray("anyOf");
        foreach (var option in options)
        {
            json.WriteStartObject();
            option.WriteSchema(json);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
