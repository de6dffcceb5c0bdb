using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Detection.Rules;

namespace EdgeGateway.Core.Profiles;

/// <summary>What a profile or a site says of a rule of the trade.</summary>
/// <param name="Name">Name of the rule.</param>
/// <param name="IsOff">It does not work here.</param>
/// <param name="Numbers">Its numbers that differ from the table, by key; durations in seconds.</param>
/// <param name="Points">Its points that are not found by role, by key: <c>device.point</c>, or <c>point</c> of the same device.</param>
public sealed record RuleSetting(string Name, bool IsOff, IReadOnlyDictionary<string, double> Numbers, IReadOnlyDictionary<string, string> Points);

/// <summary>Reads the block <c>rules</c> of a profile or of a device.</summary>
internal static class RuleSettings
{
    /// <summary>Key of the watched point, where it is not found by role.</summary>
    public const string Watched = "point";

    /// <summary>The settings in the order of the file; names, keys and numbers that cannot be are reported.</summary>
    public static List<RuleSetting> Read(Section section, ProblemCollector problems)
    {
        var settings = new List<RuleSetting>();
        foreach (var (name, node) in (section.Node("rules") as YamlMap)?.Entries ?? [])
        {
            if (!RuleTable.ByName.TryGetValue(name.Text, out var rule))
            {
                problems.Error(name, $"there is no rule '{name.Text}'", $"{Spelling.Hint(name.Text, RuleTable.ByName.Keys.Order(StringComparer.Ordinal))}The rules stand in docs/detectors.md");
                continue;
            }

            var numbers = new Dictionary<string, double>();
            var points = new Dictionary<string, string>();
            foreach (var (key, value) in (node as YamlMap)?.Entries ?? [])
            {
                var text = (value as YamlScalar)?.Text ?? "";
                if (!rule.Settings.Contains(key.Text))
                {
                    AddPoint(rule, key, text, points, problems);
                }
                else if (Quantities.TryNumber(text, out var number))
                {
                    numbers[key.Text] = (double)number;
                }
                else
                {
                    problems.Error(value, $"'{key.Text}' of the rule '{rule.Name}' is '{text}', which is no number", "Write a number; times are in seconds");
                }
            }

            settings.Add(new(rule.Name, node is YamlScalar, numbers, points));
        }

        return settings;
    }

    /// <summary>The settings of a profile under those of the site.</summary>
    public static Dictionary<string, RuleSetting> Join(IReadOnlyList<RuleSetting> profile, IReadOnlyList<RuleSetting> site)
    {
        var joined = profile.ToDictionary(s => s.Name);
        foreach (var own in site)
        {
            joined[own.Name] = joined.TryGetValue(own.Name, out var known)
                ? own with { Numbers = Over(known.Numbers, own.Numbers), Points = Over(known.Points, own.Points) }
                : own;
        }

        return joined;
    }

    private static Dictionary<string, T> Over<T>(IReadOnlyDictionary<string, T> below, IReadOnlyDictionary<string, T> above)
    {
        var both = new Dictionary<string, T>(below);
        foreach (var (key, value) in above)
        {
            both[key] = value;
        }

        return both;
    }

    private static void AddPoint(Rule rule, YamlScalar key, string text, Dictionary<string, string> points, ProblemCollector problems)
    {
        var known = rule.Inputs.Select(i => i.Key).Append(Watched).Distinct().ToList();
        if (known.Exists(k => k == key.Text || key.Text.TrimEnd('0', '1', '2', '3', '4', '5', '6', '7', '8', '9') == k))
        {
            points[key.Text] = text;
        }
        else
        {
            problems.Error(key, $"the rule '{rule.Name}' has no '{key.Text}'", $"{Spelling.Hint(key.Text, rule.Settings.Concat(known))}Its numbers are {string.Join(", ", rule.Settings)}; its points {string.Join(", ", known)}");
        }
    }
}
