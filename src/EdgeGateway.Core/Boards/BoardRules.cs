using System.Globalization;
using System.Text.RegularExpressions;
using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Site;

namespace EdgeGateway.Core.Boards;

/// <summary>What is wrong with the lines and ports that a configuration uses on a board: a line used twice, reserved, or taken by something else.</summary>
public static partial class BoardRules
{
    /// <summary>Notes everything that is wrong.</summary>
    /// <param name="board">The board.</param>
    /// <param name="fittings">What stands in config.txt and sits on the board.</param>
    /// <param name="lines">Lines that are used.</param>
    /// <param name="ports">Serial ports that are used.</param>
    /// <param name="problems">Receives the problems.</param>
    public static void Check(Board board, IReadOnlyList<BoardFitting> fittings, IReadOnlyList<UsedLine> lines, IReadOnlyList<UsedPort> ports, ProblemCollector problems)
    {
        ArgumentNullException.ThrowIfNull(board);
        ArgumentNullException.ThrowIfNull(fittings);
        ArgumentNullException.ThrowIfNull(lines);
        ArgumentNullException.ThrowIfNull(ports);
        ArgumentNullException.ThrowIfNull(problems);
        var taken = Taken(board, fittings, problems);
        foreach (var port in ports)
        {
            CheckPort(board, fittings, port, taken, problems);
        }

        var used = new Dictionary<int, UsedLine>();
        foreach (var use in lines)
        {
            if (Resolve(board, use, problems) is { } line)
            {
                CheckLine(board, line, use, taken, used, problems);
            }
        }
    }

    /// <summary>Which lines the fittings take, and what takes each of them.</summary>
    /// <param name="board">The board.</param>
    /// <param name="fittings">What stands in config.txt and sits on the board.</param>
    /// <param name="problems">Receives unknown settings and lines, and lines that two of them take.</param>
    internal static Dictionary<int, Taker> Taken(Board board, IReadOnlyList<BoardFitting> fittings, ProblemCollector problems)
    {
        ArgumentNullException.ThrowIfNull(board);
        ArgumentNullException.ThrowIfNull(fittings);
        ArgumentNullException.ThrowIfNull(problems);
        var taken = new Dictionary<int, Taker>();
        foreach (var fitting in fittings)
        {
            foreach (var (offset, by) in Takes(board, fitting, problems))
            {
                if (taken.TryGetValue(offset, out var other) && other.What != by.What)
                {
                    problems.Error(fitting.At, $"{Line(board, offset)} is taken by {other.Words} and by {by.Words}", "Give one of them another line, or leave it out, here and in config.txt");
                }

                taken.TryAdd(offset, by);
            }
        }

        return taken;
    }

    private static IEnumerable<(int Offset, Taker By)> Takes(Board board, BoardFitting fitting, ProblemCollector problems)
    {
        if (fitting.Line is { } name)
        {
            var line = ByName(board, name, fitting.At, problems);
            return line is null ? [] : [(line.Offset, new(fitting.What, $"'{fitting.What}'"))];
        }

        if (board.Settings.FirstOrDefault(s => s.Words.Contains(fitting.Words)) is not { } setting)
        {
            problems.Warning(
                fitting.At,
                $"it is not known which lines '{fitting.What}' takes on a {board.Title}: nothing is checked against it",
                $"{Spelling.Hint(fitting.Words!, board.Settings.SelectMany(s => s.Words))}When it takes lines, name them too, such as 'GPIO22: {fitting.What}'");
            return [];
        }

        // Several overlays choose their lines by a parameter that names them, such as pins_2_3.
        var chosen = fitting.Parameters.Keys.FirstOrDefault(p => p.StartsWith("pins_", StringComparison.Ordinal));
        var always = chosen is null ? setting.Takes : [.. chosen.Split('_')[1..].Select(n => int.TryParse(n, CultureInfo.InvariantCulture, out var number) ? number : -1).Where(n => n >= 0)];
        var further = setting.Options.Where(o => fitting.Parameters.TryGetValue(o.Key, out var value) && value != "off").SelectMany(o => o.Value);
        return always.Concat(further).Select(o => (o, new Taker(setting.What, $"{setting.What} ({fitting.What})")))
            .Concat(setting.Parameters.Select(p => (Number(fitting, p.Key) ?? p.Value, new Taker($"{p.Key} of {fitting.What}", $"{setting.What} ({p.Key} of {fitting.What})"))));
    }

    private static int? Number(BoardFitting fitting, string parameter) =>
        fitting.Parameters.TryGetValue(parameter, out var text) && int.TryParse(text, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static void CheckPort(Board board, IReadOnlyList<BoardFitting> fittings, UsedPort use, Dictionary<int, Taker> taken, ProblemCollector problems)
    {
        var candidates = board.Ports.Where(p => p.Paths.Contains(use.Path)).ToList();
        if (candidates.Count == 0)
        {
            return; // An adapter on USB, or a name that a person gave by a udev rule.
        }

        var port = candidates.Find(p => p.Needs.Count == 0 || p.Needs.Any(n => fittings.Any(f => f.Words == n)));
        if (port is null)
        {
            port = candidates[0];
            problems.Warning(
                use.At,
                $"{use.Path} is {port.What}, and nothing under 'gateway.with' switches it on",
                $"Add '{port.Needs[0]}' to config.txt and to 'gateway.with'{(candidates.Count > 1 ? $"; '{candidates[1].Needs[0]}' alone makes it {candidates[1].What}" : "")}");
        }
        else if (port.Instead is { } instead)
        {
            problems.Error(use.At, $"{use.Path} is {port.What}", $"Write {instead}");
        }
        else if (use.HasParity && !port.HasParity)
        {
            problems.Error(
                use.At,
                $"{use.Path} is {port.What}, which cannot send a parity bit",
                candidates.Count > 1 ? $"Add '{candidates[0].Needs[0]}' to config.txt and to 'gateway.with', or set 'parity: none' and 'stopBits: 2' here and on all devices" : "Set 'parity: none' and 'stopBits: 2' here and on all devices");
        }

        foreach (var offset in port.Takes)
        {
            taken.TryAdd(offset, new(use.Path, $"{use.User} ({use.Path})"));
        }
    }

    private static BoardLine? Resolve(Board board, UsedLine use, ProblemCollector problems)
    {
        if (use.Chip is { } chip && chip != board.ChipLabel)
        {
            if (!ChipNumber().IsMatch(chip))
            {
                return null; // Another chip than the board's own: an expander, which has a label of its own.
            }

            problems.Warning(use.At, $"{use.User} names its chip {chip}, and numbers of chips change from kernel to kernel", $"Write the label of the chip of a {board.Title}, {board.ChipLabel}, or the name of the line alone");
        }

        if (use.Offset is { } offset)
        {
            if (board.Lines.TryGetValue(offset, out var line))
            {
                return line;
            }

            problems.Error(
                use.At,
                offset < board.ChipLines ? $"line {offset} of {board.ChipLabel} is used inside a {board.Title}" : $"{board.ChipLabel} has {board.ChipLines} lines, and no line {offset}",
                board.Lines.Count > 0 ? $"Write a line of the header: {board.Lines.Keys.First()} to {board.Lines.Keys.Last()}" : "This board has no lines for inputs");
            return null;
        }

        return use.Name is { } name ? ByName(board, name, use.At, problems) : null;
    }

    private static BoardLine? ByName(Board board, string name, YamlNode at, ProblemCollector problems)
    {
        if (board.Find(name) is not { } line)
        {
            problems.Error(at, $"a {board.Title} has no line '{name}'", $"{Meant(board, name)}Lines are called as gpioinfo shows them: {string.Join(", ", board.Lines.Values.Where(l => l.Reserved is null).Select(l => l.Name).DefaultIfEmpty("none of this board is free"))}");
            return null;
        }

        if (line.Name != name)
        {
            problems.Warning(at, $"{name} is called {line.Name} in kernels of 2023 and later", $"Write {line.Name}, unless gpioinfo shows {name} on this computer");
        }

        return line;
    }

    // Pins and numbers are what people read off a drawing: 11, pin 11, BCM17, gpio 17.
    private static string Meant(Board board, string written)
    {
        var match = WrittenNumber().Match(written);
        if (!match.Success)
        {
            return Spelling.Hint(written, board.Lines.Values.Select(l => l.Name));
        }

        var number = int.Parse(match.Groups["number"].ValueSpan, CultureInfo.InvariantCulture);
        var isPin = match.Groups["kind"].Value.ToLowerInvariant() is "pin" or "board" or "j8" or "p1";
        var byPin = board.Lines.Values.FirstOrDefault(l => l.Pin == number);
        var byNumber = board.Lines.GetValueOrDefault(number);
        return isPin && byPin is not null ? $"Pin {number} is {byPin.Name}. "
            : isPin && board.PowerPins.TryGetValue(number, out var power) ? $"Pin {number} is {power}. "
            : match.Groups["kind"].Length > 0 && byNumber is not null ? $"Did you mean '{byNumber.Name}'? "
            : byNumber is not null && byPin is not null ? $"Line {number} is {byNumber.Name}, pin {number} is {byPin.Name}. "
            : byNumber is not null ? $"Did you mean '{byNumber.Name}'? "
            : byPin is not null ? $"Pin {number} is {byPin.Name}. "
            : "";
    }

    private static void CheckLine(Board board, BoardLine line, UsedLine use, Dictionary<int, Taker> taken, Dictionary<int, UsedLine> used, ProblemCollector problems)
    {
        if (line.Reserved is { } reason)
        {
            problems.Error(use.At, $"{line} is reserved for {reason}", Free(board, taken, used));
        }
        else if (taken.TryGetValue(line.Offset, out var by))
        {
            problems.Error(use.At, $"{line} is taken by {by.Words}", Free(board, taken, used));
        }

        if (line.FixedPull is not null && use.Bias is LineBias.PullDown or LineBias.Disabled)
        {
            problems.Error(use.At, $"{line} has {line.FixedPull}, which no bias overcomes", "Write no bias, or pull-up; or choose another line");
        }

        if (!used.TryAdd(line.Offset, use))
        {
            problems.Error(use.At, $"{line} is used twice, by {used[line.Offset].User} (line {used[line.Offset].At.Line}) and by {use.User}", Free(board, taken, used));
        }
    }

    private static string Free(Board board, Dictionary<int, Taker> taken, Dictionary<int, UsedLine> used)
    {
        var free = board.Lines.Values.Where(l => l.Reserved is null && !taken.ContainsKey(l.Offset) && !used.ContainsKey(l.Offset)).Select(l => l.ToString()).ToList();
        return free.Count > 0 ? $"Choose a free line: {string.Join(", ", free)}" : $"No line of a {board.Title} is free: connect the signal to a remote I/O module on a bus";
    }

    private static string Line(Board board, int offset) => board.Lines.TryGetValue(offset, out var line) ? line.ToString() : $"line {offset}";

    [GeneratedRegex("^(/dev/)?gpiochip[0-9]+$", RegexOptions.CultureInvariant)]
    private static partial Regex ChipNumber();

    [GeneratedRegex("^(?<kind>J8|P1|[A-Za-z]+)?[ _-]?(?<number>[0-9]{1,3})$", RegexOptions.CultureInvariant)]
    private static partial Regex WrittenNumber();
}

/// <summary>What takes a line.</summary>
/// <param name="What">Takers of one thing share the line.</param>
/// <param name="Words">For messages.</param>
internal sealed record Taker(string What, string Words);
