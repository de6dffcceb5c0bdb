using System.Globalization;
using EdgeGateway.Core.Configuration;

namespace EdgeGateway.Core.Site;

/// <summary>Resolves the inputs of a gpio bus. A line has one owner, so none may appear twice.</summary>
/// <param name="problems">Takes what is wrong.</param>
/// <param name="owners">Who owns what, of all buses.</param>
/// <param name="rules">What the kernel cannot honour; null: all is taken.</param>
internal sealed class SiteLines(ProblemCollector problems, Dictionary<string, string> owners, InputRules? rules)
{
    // Keys that only some uses have.
    private static readonly (string Key, LineUse[] Uses)[] Belongs =
    [
        ("lineB", [LineUse.Quadrature]),
        ("offsetB", [LineUse.Quadrature]),
        ("edge", [LineUse.Counter]),
        ("minimumInterval", [LineUse.Counter]),
        ("minimumPulse", [LineUse.Counter, LineUse.Contact, LineUse.Quadrature]),
        ("fastest", [LineUse.Counter, LineUse.Quadrature]),
        ("silence", [LineUse.Counter, LineUse.Quadrature]),
        ("debounce", [LineUse.Counter, LineUse.Contact, LineUse.State, LineUse.Quadrature]),
        ("drive", [LineUse.Output]),
        ("safe", [LineUse.Output]),
    ];

    /// <summary>Resolves one input.</summary>
    public GpioInput? Input(Section section, byte unit, int number)
    {
        if (section.Text("use") is not { } word)
        {
            return null;
        }

        var use = word switch { "counter" => LineUse.Counter, "contact" => LineUse.Contact, "state" => LineUse.State, "quadrature" => LineUse.Quadrature, _ => LineUse.Output };
        foreach (var (key, uses) in Belongs)
        {
            if (section.Has(key) && !uses.Contains(use))
            {
                problems.Error(section.At(key), $"'{key}' has no meaning with 'use: {word}'", $"Remove '{key}', or correct 'use'");
            }
        }

        if (Place(section, "line", "offset", unit, number) is not { } line)
        {
            return null;
        }

        var lineB = use == LineUse.Quadrature ? Place(section, "lineB", "offsetB", unit, number) : null;
        if (use == LineUse.Quadrature && lineB is null)
        {
            return null;
        }

        var pulse = section.Duration("minimumPulse");
        if (use is LineUse.Counter or LineUse.Quadrature && pulse is not { Ticks: > 0 })
        {
            problems.Error(section.At("minimumPulse"), $"how long the signal of {line.Title} is high or low at least is not stated", "Add 'minimumPulse:' from the data sheet of what sends it: 30ms for S0 (IEC 62053-31), 10ms for most proximity switches");
            return null;
        }

        // A period has two levels, and four steps where two lines make it.
        var most = pulse is { } shortest ? (use == LineUse.Quadrature ? 4 : 1) / (2 * shortest.TotalSeconds) : 0;
        var fastest = (double?)section.Number("fastest");
        if (fastest is <= 0 || (fastest is { } asked && pulse is not null && asked > most * 1.001))
        {
            problems.Error(
                section.At("fastest"),
                fastest <= 0 ? $"{fastest} a second is no rate" : string.Create(CultureInfo.InvariantCulture, $"{fastest} a second do not fit levels of {pulse!.Value.TotalMilliseconds:0.###} ms: at most {most:0.###} do"),
                "Correct 'fastest' or 'minimumPulse'; without 'fastest' it is what minimumPulse allows");
        }

        if (use == LineUse.Output && section.Text("safe") is null && !section.Has("safe"))
        {
            problems.Error(section.Place, $"the safe state of the output {line.Title} is not stated", "Add 'safe: off' or 'safe: on': its state at the start, and when the gateway stops");
        }

        var interval = section.Duration("minimumInterval") ?? pulse ?? TimeSpan.Zero;
        if (use == LineUse.Counter && (fastest ?? most) * interval.TotalSeconds > 1.001)
        {
            problems.Error(
                section.At("minimumInterval"),
                string.Create(CultureInfo.InvariantCulture, $"pulses that come {fastest ?? most:0.###} times a second are nearer together than {interval.TotalMilliseconds:0.###} ms, and would be taken for bounce"),
                "Write a shorter 'minimumInterval', or the right 'fastest'");
        }

        var silence = section.Duration("silence") ?? TimeSpan.Zero;
        if (silence <= TimeSpan.Zero)
        {
            problems.Error(section.At("silence"), "a rate cannot be zero after no time", "Write a time longer than between two pulses in use");
            silence = TimeSpan.FromMinutes(1);
        }

        var input = new GpioInput
        {
            Unit = unit,
            Number = number,
            Use = use,
            Line = line,
            LineB = lineB,
            ActiveLow = section.Boolean("activeLow") ?? false,
            Bias = Bias(section),
            Debounce = section.Duration("debounce") ?? TimeSpan.Zero,
            CountsFalling = section.Text("edge") == "falling",
            MinimumPulse = pulse,
            MinimumInterval = interval,
            Fastest = fastest ?? most,
            Silence = silence,
            Drive = section.Text("drive") switch { "open-drain" => LineDrive.OpenDrain, "open-source" => LineDrive.OpenSource, _ => LineDrive.PushPull },
            IsSafeActive = section.Text("safe") == "on",
        };
        foreach (var problem in rules?.Invoke(input) ?? [])
        {
            problems.Error(section.At(problem.Key), $"{input.Title}: {problem.What}", problem.Cure);
        }

        return input;
    }

    /// <summary>The pull that an input asks for.</summary>
    public static LineBias Bias(Section section) =>
        section.Text("bias") switch { "disabled" => LineBias.Disabled, "pull-up" => LineBias.PullUp, "pull-down" => LineBias.PullDown, _ => LineBias.AsIs };

    private LinePlace? Place(Section section, string name, string offset, byte unit, int number)
    {
        if (section.Has(name) == section.Has(offset))
        {
            problems.Error(
                section.Has(name) ? section.At(offset) : section.Place,
                section.Has(name) ? $"the line is given by '{name}' and by '{offset}'" : $"'{name}' is missing: nothing says which line it is",
                section.Has(name) ? $"Keep '{name}': numbers belong to one board" : $"Add '{name}:' with the name that the board gives it (`gpioinfo` lists them), or 'chip:' and '{offset}:'");
            return null;
        }

        if (section.Has(offset) && !section.Has("chip"))
        {
            problems.Error(section.At(offset), $"'{offset}' needs the chip that it counts on", "Add 'chip:' with its label (`gpiodetect` lists them), which stays when chips are numbered anew");
            return null;
        }

        var place = new LinePlace(section.Text(name), section.Text("chip"), section.Has(offset) ? section.Integer(offset) : null);
        if (place.Name is null && place.Offset is null)
        {
            return null;
        }

        // The same name on two chips is two lines; without a chip it is looked for on all.
        var key = $"gpio:{place.Chip}:{place.Name ?? place.Offset!.Value.ToString(CultureInfo.InvariantCulture)}";
        var owner = $"input {number} of unit {unit}";
        if (!owners.TryAdd(key, owner))
        {
            problems.Error(section.At(section.Has(name) ? name : offset), $"{place.Title} is used twice: {owners[key]} has it already", "A line has one owner. A device shows state, count and rate of one input: put their points into one profile");
        }

        return place;
    }
}
