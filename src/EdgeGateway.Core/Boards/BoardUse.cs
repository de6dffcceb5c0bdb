using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Site;

namespace EdgeGateway.Core.Boards;

/// <summary>A GPIO line that a configuration uses: by name, or by chip and number.</summary>
/// <param name="User">Who uses it, for messages: <c>input 1 of the bus contacts</c>.</param>
/// <param name="Name">Name of the line; null when it is given by number.</param>
/// <param name="Chip">Label or path of the chip; null when the line is given by name alone.</param>
/// <param name="Offset">Number in the chip; null when it is given by name.</param>
/// <param name="Bias">The pull that is asked for.</param>
/// <param name="At">Where it is written.</param>
public sealed record UsedLine(string User, string? Name, string? Chip, int? Offset, LineBias Bias, YamlNode At);

/// <summary>A serial port that a configuration uses.</summary>
/// <param name="User">Who uses it, for messages: <c>the bus conveyor</c>.</param>
/// <param name="Path">Path of the port.</param>
/// <param name="HasParity">Whether characters carry a parity bit.</param>
/// <param name="At">Where it is written.</param>
public sealed record UsedPort(string User, string Path, bool HasParity, YamlNode At);

/// <summary>What a person says stands in <c>config.txt</c> or sits on the board.</summary>
/// <param name="Words">The setting without parameters, <c>dtoverlay=uart3</c>; null for a line that is taken by something else.</param>
/// <param name="Parameters">Parameters of the setting by name; the value is empty for those without.</param>
/// <param name="Line">The line that is taken; null for a setting.</param>
/// <param name="What">As it is written, or what takes the line.</param>
/// <param name="At">Where it is written.</param>
public sealed record BoardFitting(string? Words, IReadOnlyDictionary<string, string> Parameters, string? Line, string What, YamlNode At)
{
    private static readonly Dictionary<string, string> None = [];

    /// <summary>
    /// Reads the entries of <c>with</c>: lines of config.txt as they stand there (<c>dtoverlay=</c>, <c>dtparam=</c>, <c>enable_uart=</c>), and
    /// <c>GPIO6: power-loss signal of the UPS</c> for a line that something else takes.
    /// </summary>
    /// <param name="entries">The entries.</param>
    /// <param name="problems">Receives what is none of them.</param>
    public static IReadOnlyList<BoardFitting> Read(IEnumerable<YamlNode> entries, ProblemCollector problems)
    {
        ArgumentNullException.ThrowIfNull(entries);
        var fittings = new List<BoardFitting>();
        foreach (var entry in entries)
        {
            if (entry is YamlMap map)
            {
                fittings.AddRange(map.Entries.Where(e => e.Value is YamlScalar).Select(e => new BoardFitting(null, None, e.Key.Text, ((YamlScalar)e.Value).Text, e.Key)));
            }
            else if (entry is YamlScalar scalar)
            {
                fittings.AddRange(Settings(scalar, problems));
            }
        }

        return fittings;
    }

    private static IEnumerable<BoardFitting> Settings(YamlScalar scalar, ProblemCollector problems)
    {
        var text = scalar.Text.Split('#')[0].Trim();
        var parts = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (text.StartsWith("dtoverlay=", StringComparison.Ordinal))
        {
            return [new(parts[0], Named(parts[1..]), null, parts[0], scalar)];
        }

        if (text.StartsWith("dtparam=", StringComparison.Ordinal))
        {
            return Named([parts[0]["dtparam=".Length..], .. parts[1..]])
                .Where(p => p.Value is not ("off" or "no" or "false" or "0"))
                .Select(p => new BoardFitting($"dtparam={p.Key}", None, null, $"dtparam={p.Key}{(p.Value.Length > 0 ? $"={p.Value}" : "")}", scalar));
        }

        if (text is "enable_uart=1" or "enable_uart=0")
        {
            return text == "enable_uart=1" ? [new(text, None, null, text, scalar)] : [];
        }

        problems.Error(
            scalar,
            $"'{scalar.Text}' is neither a line of config.txt that takes GPIO lines nor a line with what takes it",
            "Write a line of config.txt as it stands there (dtoverlay=..., dtparam=..., enable_uart=1), or the GPIO line and what sits on it, such as 'GPIO6: power-loss signal of the UPS'");
        return [];
    }

    private static Dictionary<string, string> Named(IEnumerable<string> parameters) =>
        parameters.Select(p => p.Split('=', 2)).DistinctBy(p => p[0]).ToDictionary(p => p[0], p => p.Length > 1 ? p[1] : "", StringComparer.Ordinal);
}
