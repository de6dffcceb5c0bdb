using System.Globalization;
using EdgeGateway.Core;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace EdgeGateway.Simulator.Faults;

/// <summary>A fault with the time at which it happens.</summary>
/// <param name="At">Time after the begin of the simulation.</param>
/// <param name="Fault">What goes wrong.</param>
public sealed record ScriptedFault(TimeSpan At, Fault Fault);

/// <summary>What goes wrong at a simulated site, and when.</summary>
/// <param name="Faults">In any order.</param>
public sealed record FaultScript(IReadOnlyList<ScriptedFault> Faults)
{
    private const string Keys = "at, device, point, kind, duration, magnitude";

    /// <summary>Reads a list of <c>{ at: 30s, device: belt-1-scale, kind: belt-slip, duration: 60s, magnitude: 0.3 }</c>.</summary>
    /// <param name="file">Name of the file, for problems.</param>
    /// <param name="text">YAML.</param>
    /// <param name="problems">Receives everything that is wrong.</param>
    /// <returns>The script, or null when there are problems.</returns>
    public static FaultScript? Parse(string file, string text, IList<Problem> problems)
    {
        var before = problems.Count;
        var faults = new List<ScriptedFault>();
        try
        {
            var stream = new YamlStream();
            stream.Load(new StringReader(text));
            if (stream.Documents.Count == 0 || stream.Documents[0].RootNode is not YamlSequenceNode list)
            {
                problems.Add(new Problem(file, 1, 1, "A fault script is a list", "Begin each fault with '- at: ...'"));
                return null;
            }

            foreach (var node in list)
            {
                if (ParseFault(file, node, problems) is { } fault)
                {
                    faults.Add(fault);
                }
            }
        }
        catch (YamlException e)
        {
            problems.Add(new Problem(file, (int)e.Start.Line, (int)e.Start.Column, $"This is not YAML: {e.Message}", "Mend the syntax"));
        }

        return problems.Count == before ? new FaultScript(faults) : null;
    }

    private static bool TryDuration(string text, out TimeSpan duration)
    {
        var digits = text.AsSpan().TrimEnd("abcdefghijklmnopqrstuvwxyz");
        double? unit = text[digits.Length..] switch { "ms" => 0.001, "s" => 1, "m" or "min" => 60, "h" => 3600, _ => null };
        duration = default;
        if (unit is null || !double.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) || number > 1e6)
        {
            return false;
        }

        duration = TimeSpan.FromSeconds(number * unit.Value);
        return true;
    }

    private static ScriptedFault? ParseFault(string file, YamlNode node, IList<Problem> problems)
    {
        if (node is not YamlMappingNode map)
        {
            Report(node, "A fault is a mapping", $"Write its keys: {Keys}");
            return null;
        }

        TimeSpan? at = null;
        TimeSpan? duration = null;
        string? device = null;
        string? point = null;
        double? magnitude = null;
        FaultKind? kind = null;
        foreach (var (key, value) in map)
        {
            var text = (value as YamlScalarNode)?.Value ?? "";
            switch ((key as YamlScalarNode)?.Value)
            {
                case "at":
                    at = Duration(value, text);
                    break;
                case "duration":
                    duration = Duration(value, text);
                    break;
                case "device":
                    device = text;
                    break;
                case "point":
                    point = text;
                    break;
                case "kind" when FaultNames.ByName.TryGetValue(text, out var known):
                    kind = known;
                    break;
                case "kind":
                    Report(value, $"Unknown fault '{text}'", $"Use one of {string.Join(", ", FaultNames.ByName.Keys.Order(StringComparer.Ordinal))}");
                    break;
                case "magnitude" when double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number):
                    magnitude = number;
                    break;
                case "magnitude":
                    Report(value, $"'{text}' is not a number", "Write a number such as 0.3");
                    break;
                default:
                    Report(key, $"Unknown key '{key}'", $"Use one of {Keys}");
                    break;
            }
        }

        foreach (var (missing, name) in new[] { (at is null, "at"), (string.IsNullOrEmpty(device), "device"), (kind is null, "kind") })
        {
            if (missing && !map.Children.Keys.Any(k => (k as YamlScalarNode)?.Value == name))
            {
                Report(map, $"The fault has no '{name}'", $"Add '{name}: ...'");
            }
        }

        return at is null || string.IsNullOrEmpty(device) || kind is null
            ? null
            : new ScriptedFault(at.Value, new Fault { Kind = kind.Value, Device = device, Point = point, Duration = duration, Magnitude = magnitude });

        TimeSpan? Duration(YamlNode where, string text)
        {
            if (TryDuration(text, out var duration))
            {
                return duration;
            }

            Report(where, $"'{text}' is not a duration", "Write a number and a unit, such as 30s or 2m");
            return null;
        }

        void Report(YamlNode where, string what, string cure) =>
            problems.Add(new Problem(file, (int)where.Start.Line, (int)where.Start.Column, what, cure));
    }
}
