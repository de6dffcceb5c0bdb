using System.Globalization;
using System.Text.Json;
using EdgeGateway.Core.Configuration;

namespace EdgeGateway.Commands.Exam;

/// <summary>
/// An object of a SPEC. Keys are compared without case, '_' and '-'; a duration or a size may have its unit in the key
/// (<c>poll_interval_ms</c>) or in the value (<c>"500ms"</c>). Keys that nobody asked for are problems.
/// </summary>
internal sealed class SpecObject
{
    private static readonly string[] TimeUnits = ["ms", "s", "m", "h"];
    private readonly Dictionary<string, (string Written, JsonElement Value)> _members = new(StringComparer.Ordinal);
    private readonly HashSet<string> _used = new(StringComparer.Ordinal);
    private readonly List<string> _known = [];
    private readonly string _where;
    private readonly List<string> _problems;

    /// <param name="element">The object; another kind of value is a problem.</param>
    /// <param name="where">How it is called in problems.</param>
    /// <param name="problems">Receives what is wrong.</param>
    public SpecObject(JsonElement element, string where, List<string> problems)
        : this(where, problems)
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            problems.Add($"{where} is {Kind(element)}: write an object with keys");
            return;
        }

        foreach (var member in element.EnumerateObject())
        {
            if (!_members.TryAdd(Normal(member.Name), (member.Name, member.Value)))
            {
                problems.Add($"{where}: '{member.Name}' stands there twice: leave one");
            }
        }
    }

    private SpecObject(string where, List<string> problems)
    {
        _where = where;
        _problems = problems;
    }

    /// <summary>Moves members such as <c>mqtt_port</c> into an object of their own, so that a flat SPEC reads like a nested one.</summary>
    /// <returns>The object under <paramref name="names"/>, with the members that begin with one of them.</returns>
    public SpecObject Part(params string[] names)
    {
        _known.Add($"{names[0]} {{...}}");
        var part = new SpecObject(names[0], _problems);
        foreach (var (normal, (written, value)) in _members)
        {
            if (_used.Contains(normal) || Array.Find(names, n => normal.StartsWith(Normal(n), StringComparison.Ordinal)) is not { } name)
            {
                continue;
            }

            var rest = normal[Normal(name).Length..];
            _used.Add(normal);
            if (rest.Length > 0)
            {
                part._members.TryAdd(rest, (written, value));
            }
            else if (value.ValueKind == JsonValueKind.Object)
            {
                foreach (var member in value.EnumerateObject())
                {
                    part._members[Normal(member.Name)] = (member.Name, member.Value);
                }
            }
            else if (value.ValueKind != JsonValueKind.Null)
            {
                part._members.TryAdd("url", (written, value));
            }
        }

        return part;
    }

    /// <summary>True when nothing was written here.</summary>
    public bool IsEmpty => _members.Count == 0;

    /// <summary>A text; numbers are taken as they are written.</summary>
    public string? Text(params string[] names) => Find(names) switch
    {
        null or { ValueKind: JsonValueKind.Null } => null,
        { ValueKind: JsonValueKind.String } s => s.GetString(),
        { ValueKind: JsonValueKind.Number } n => n.GetRawText(),
        { } other => Wrong<string>(names[0], other, "a text"),
    };

    /// <summary>A whole number within limits.</summary>
    public long? Integer(long min, long max, params string[] names)
    {
        if (Text(names) is not { } text)
        {
            return null;
        }

        if (decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number == decimal.Truncate(number) && number >= min && number <= max)
        {
            return (long)number;
        }

        _problems.Add($"{_where}: '{names[0]}' is '{text}': write a whole number from {min} to {max}");
        return null;
    }

    /// <summary>True or false.</summary>
    public bool? Flag(params string[] names) => Find(names) switch
    {
        null or { ValueKind: JsonValueKind.Null } => null,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        { } other => Wrong<bool?>(names[0], other, "true or false"),
    };

    /// <summary>A duration: a number in the unit that the key ends with (_ms, _s, _m, _h), of seconds without one, or a text such as 500ms.</summary>
    public TimeSpan? Duration(params string[] names)
    {
        _known.Add($"{names[0]}[_ms|_s]");
        foreach (var name in names)
        {
            foreach (var unit in TimeUnits.Prepend(""))
            {
                if (Take(Normal(name) + unit) is not { } value)
                {
                    continue;
                }

                var text = value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();
                if (Quantities.TryDuration(text, out var time) && text != "0")
                {
                    return time;
                }

                if (decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
                    && Quantities.TryDuration(string.Create(CultureInfo.InvariantCulture, $"{number}{(unit.Length > 0 ? unit : "s")}"), out time))
                {
                    return time;
                }

                _problems.Add($"{_where}: '{name}' is '{text}': write a number of seconds, '{name}_ms' with milliseconds, or a text such as \"500ms\"");
                return null;
            }
        }

        return null;
    }

    /// <summary>A size in bytes: a number, a key that ends with _mb, _mib, _kb or _kib, or a text such as 64MiB.</summary>
    public long? Size(params string[] names)
    {
        _known.Add($"{names[0]}[_mb|_mib]");
        foreach (var name in names)
        {
            foreach (var (end, unit) in new[] { ("", ""), ("mb", "MB"), ("mib", "MiB"), ("kb", "kB"), ("kib", "KiB"), ("gb", "GB"), ("gib", "GiB"), ("bytes", "") })
            {
                if (Take(Normal(name) + end) is not { } value)
                {
                    continue;
                }

                var text = value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();
                if (unit.Length == 0 && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var bytes))
                {
                    return bytes;
                }

                if (Quantities.TrySize(text, out bytes) || Quantities.TrySize(text + unit, out bytes))
                {
                    return bytes;
                }

                _problems.Add($"{_where}: '{name}' is '{text}': write a number of bytes, or a text such as \"64MiB\"");
                return null;
            }
        }

        return null;
    }

    /// <summary>The members of a list; a single value counts as a list of one.</summary>
    public IReadOnlyList<JsonElement> List(params string[] names) => Find(names) switch
    {
        null or { ValueKind: JsonValueKind.Null } => [],
        { ValueKind: JsonValueKind.Array } list => [.. list.EnumerateArray()],
        { } one => [one],
    };

    /// <summary>Notes the keys that nobody asked for, with those there are.</summary>
    public void End()
    {
        foreach (var (normal, (written, _)) in _members)
        {
            if (!_used.Contains(normal))
            {
                _problems.Add($"{_where}: unknown key '{written}'. Known here: {string.Join(", ", _known)}");
            }
        }
    }

    /// <summary>Adds a problem of this object.</summary>
    public void Problem(string text) => _problems.Add($"{_where}: {text}");

    private static string Normal(string name) => name.Replace("_", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal).ToLowerInvariant();

    private static string Kind(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Array => "a list",
        JsonValueKind.Null or JsonValueKind.Undefined => "empty",
        _ => element.GetRawText(),
    };

    private JsonElement? Find(string[] names)
    {
        _known.Add(names[0]);
        JsonElement? found = null;
        foreach (var name in names)
        {
            found ??= Take(Normal(name));
        }

        return found;
    }

    private JsonElement? Take(string normal)
    {
        if (!_members.TryGetValue(normal, out var member) || !_used.Add(normal))
        {
            return null;
        }

        return member.Value;
    }

    private T? Wrong<T>(string name, JsonElement value, string expected)
    {
        _problems.Add($"{_where}: '{name}' is {Kind(value)}: write {expected}");
        return default;
    }
}
