namespace EdgeGateway.Core.Configuration;

/// <summary>A node of a YAML document and where it stands.</summary>
/// <param name="File">Name of the file.</param>
/// <param name="Line">Line, from 1.</param>
/// <param name="Column">Column, from 1.</param>
public abstract record YamlNode(string File, int Line, int Column);

/// <summary>A scalar: text, and whether it was written without quotes (only then can it be a number, a boolean or null).</summary>
public sealed record YamlScalar(string File, int Line, int Column, string Text, bool IsPlain) : YamlNode(File, Line, Column)
{
    /// <summary>True for the null of the YAML 1.2 core schema (10.3.2): <c>null</c>, <c>~</c> or nothing.</summary>
    public bool IsNull => IsPlain && Text is "" or "~" or "null" or "Null" or "NULL";

    /// <summary>True for a place that somebody has still to fill in, written as <c>&lt;what belongs here&gt;</c>.</summary>
    public bool IsBlank => Text is ['<', .., '>'];
}

/// <summary>A sequence.</summary>
public sealed record YamlList(string File, int Line, int Column, IReadOnlyList<YamlNode> Items) : YamlNode(File, Line, Column);

/// <summary>A mapping; keys are scalars, each once, in the order of the file.</summary>
public sealed record YamlMap(string File, int Line, int Column, IReadOnlyList<KeyValuePair<YamlScalar, YamlNode>> Entries)
    : YamlNode(File, Line, Column)
{
    /// <summary>The value of a key, or null when it is absent or its value is the YAML null.</summary>
    public YamlNode? this[string key]
    {
        get
        {
            foreach (var entry in Entries)
            {
                if (entry.Key.Text == key)
                {
                    return entry.Value is YamlScalar { IsNull: true } ? null : entry.Value;
                }
            }

            return null;
        }
    }

    /// <summary>The value of a key when it is a mapping.</summary>
    public YamlMap? Map(string key) => this[key] as YamlMap;

    /// <summary>The items of a key when its value is a sequence; nothing otherwise.</summary>
    public IReadOnlyList<YamlNode> List(string key) => this[key] is YamlList list ? list.Items : [];

    /// <summary>The text of a key when its value is a scalar.</summary>
    public string? Text(string key) => (this[key] as YamlScalar)?.Text;
}
