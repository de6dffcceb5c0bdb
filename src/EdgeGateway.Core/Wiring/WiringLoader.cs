using EdgeGateway.Core.Boards;
using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Site;

namespace EdgeGateway.Core.Wiring;

/// <summary>Reads a wiring description and says everything that is wrong with it: wires that end nowhere, terminals left free, pins that the board does not have.</summary>
public static class WiringLoader
{
    /// <summary>Reads a description. Touches no file.</summary>
    /// <param name="source">The text.</param>
    /// <returns>The plan, null when there is an error; and all problems.</returns>
    public static (WiringPlan? Plan, IReadOnlyList<Problem> Problems) Load(SourceText source)
    {
        ArgumentNullException.ThrowIfNull(source);
        var problems = new ProblemCollector();
        if (YamlText.Read(source, problems) is not { } node)
        {
            return (null, problems.ToList());
        }

        WiringShape.Root.Check(node, "the file", problems);
        if (node is not YamlMap map || problems.HasErrors)
        {
            return (null, problems.ToList());
        }

        var root = new Section(map, WiringShape.Root, map);
        var parts = new Dictionary<string, (WiringPart Part, Section Section)>(StringComparer.Ordinal);
        foreach (var entry in root.List("parts").OfType<YamlMap>())
        {
            var section = new Section(entry, WiringShape.Part, entry);
            var part = Part(section, problems);
            if (!parts.TryAdd(part.Id, (part, section)))
            {
                problems.Error(section.At("id"), $"there are two parts '{part.Id}'", "Give each part its own designation");
            }
        }

        var wires = new List<WiringWire>();
        foreach (var entry in root.List("wires").OfType<YamlMap>())
        {
            var section = new Section(entry, WiringShape.Wire, entry);
            if (End(section.At("from"), parts, problems) is { } from && End(section.At("to"), parts, problems) is { } to)
            {
                if (from.Part == to.Part && from.Terminal == to.Terminal)
                {
                    problems.Error(section.Place, $"a wire leads from {from.Part.Id}.{from.Terminal.Id} to itself", "Name another terminal at one end");
                }

                wires.Add(new(
                    wires.Count + 1,
                    new(from.Part, from.Terminal, IsRight(from.Part, from.Terminal, to.Part)),
                    new(to.Part, to.Terminal, IsRight(to.Part, to.Terminal, from.Part)),
                    section.Text("colour")!,
                    section.Text("mm2")));
            }
        }

        foreach (var (part, section) in parts.Values)
        {
            CheckOpen(part, section, wires, problems);
            CheckBoard(part, section, problems);
        }

        var plan = new WiringPlan
        {
            File = Path.GetFileName(source.FileName),
            Title = root.Text("title")!,
            Number = root.Text("number")!,
            Revision = root.Integer("revision")!.Value,
            Notes = [.. root.Scalars("notes").Select(s => s.Text)],
            Parts = [.. parts.Values.Select(p => p.Part)],
            Wires = wires,
        };
        return (problems.HasErrors ? null : plan, problems.ToList());
    }

    private static WiringPart Part(Section section, ProblemCollector problems)
    {
        var kind = section.Text("kind") switch
        {
            "strip" => PartKind.Strip,
            "cable" => PartKind.Cable,
            "fuse" => PartKind.Fuse,
            "surge" => PartKind.Surge,
            "resistor" => PartKind.Resistor,
            "contact-nc" => PartKind.ContactClosed,
            "contact-no" => PartKind.ContactOpen,
            "earth" => PartKind.Earth,
            _ => PartKind.Box,
        };
        var part = new WiringPart(section.Text("id")!, section.Text("title")!, kind, section.Integer("column")!.Value)
        {
            Notes = [.. section.Scalars("notes").Select(s => s.Text)],
            Space = section.Integer("space") ?? 0,
            Through = Terminals(section, "through"),
            Left = Terminals(section, "left"),
            Right = Terminals(section, "right"),
            Barrier = section.Text("barrier"),
            IsScreened = section.Boolean("screened") ?? false,
        };
        foreach (var twice in part.Through.Concat(part.Left).Concat(part.Right).GroupBy(t => t.Id).Where(g => g.Count() > 1))
        {
            problems.Error(section.Place, $"the part {part.Id} has two terminals '{twice.Key}'", "Begin the label of each terminal with a word of its own");
        }

        if (kind is PartKind.Resistor or PartKind.ContactClosed or PartKind.ContactOpen && (part.Left.Count % 2 != 0 || part.Right.Count % 2 != 0 || part.Through.Count > 0))
        {
            problems.Error(section.Place, $"the part {part.Id} stands between two terminals, and has an odd number of them on one side", "Write its terminals in pairs, under 'left' or 'right'");
        }

        return part;
    }

    private static IReadOnlyList<WiringTerminal> Terminals(Section section, string key) => [.. section.Scalars(key).Select(s => new WiringTerminal(s.Text.Split(' ')[0], s.Text))];

    private static (WiringPart Part, WiringTerminal Terminal)? End(YamlNode at, Dictionary<string, (WiringPart Part, Section Section)> parts, ProblemCollector problems)
    {
        var text = ((YamlScalar)at).Text;
        var dot = text.IndexOf('.', StringComparison.Ordinal);
        if (dot < 1)
        {
            problems.Error(at, $"'{text}' is no end of a wire", "Write part and terminal with a point between them, such as A1.11");
            return null;
        }

        if (!parts.TryGetValue(text[..dot], out var found))
        {
            problems.Error(at, $"there is no part '{text[..dot]}'", $"{Spelling.Hint(text[..dot], parts.Keys)}Parts: {string.Join(", ", parts.Keys)}");
            return null;
        }

        var terminals = found.Part.Through.Concat(found.Part.Left).Concat(found.Part.Right).ToList();
        if (terminals.Find(t => t.Id == text[(dot + 1)..]) is not { } terminal)
        {
            problems.Error(at, $"the part {found.Part.Id} has no terminal '{text[(dot + 1)..]}'", $"Its terminals: {string.Join(", ", terminals.Select(t => t.Id))}");
            return null;
        }

        return (found.Part, terminal);
    }

    // A terminal that leads through is wired on the side that faces the other part.
    private static bool IsRight(WiringPart part, WiringTerminal terminal, WiringPart other) =>
        part.Right.Contains(terminal) || (part.Through.Contains(terminal) && other.Column >= part.Column);

    private static void CheckOpen(WiringPart part, Section section, List<WiringWire> wires, ProblemCollector problems)
    {
        var open = section.Scalars("open").Select(s => s.Text).ToHashSet(StringComparer.Ordinal);
        var known = part.Through.Concat(part.Left).Concat(part.Right).Select(t => t.Id).ToHashSet(StringComparer.Ordinal);
        foreach (var unknown in section.Scalars("open").Where(s => !known.Contains(s.Text)))
        {
            problems.Error(unknown, $"the part {part.Id} has no terminal '{unknown.Text}'", $"Its terminals: {string.Join(", ", known)}");
        }

        var connected = wires.SelectMany(w => new[] { w.From, w.To }).Where(e => e.Part == part).Select(e => (e.Terminal.Id, e.IsRight)).ToHashSet();
        foreach (var (terminal, isRight, side) in part.Through.SelectMany(t => new[] { (t, false, " on the left"), (t, true, " on the right") })
            .Concat(part.Left.Select(t => (t, false, ""))).Concat(part.Right.Select(t => (t, true, ""))))
        {
            if (!open.Contains(terminal.Id) && !connected.Contains((terminal.Id, isRight)))
            {
                problems.Error(section.Place, $"no wire leads to {part.Id}.{terminal.Id}{side}", "Draw the wire, or list the terminal under 'open' of the part");
            }
        }
    }

    private static void CheckBoard(WiringPart part, Section section, ProblemCollector problems)
    {
        if (section.Text("board") is not { } id)
        {
            if (section.Has("with"))
            {
                problems.Error(section.At("with"), "'with' says what sits on a board, and no board is named", "Add 'board:' to the part, or leave out 'with'");
            }

            return;
        }

        var board = BoardLoader.BuiltIn[id];
        var fittings = BoardFitting.Read(section.List("with"), problems);
        var lines = new List<UsedLine>();
        var taken = BoardRules.Taken(board, fittings, new ProblemCollector()); // What is wrong with them is said below.
        foreach (var terminal in section.Scalars("left").Concat(section.Scalars("right")).Concat(section.Scalars("through")))
        {
            var words = terminal.Text.Split(' ', 3);
            if (!int.TryParse(words[0], out var pin) || words.Length < 2)
            {
                continue; // A terminal that is no header pin: supply, USB, network.
            }

            var said = terminal.Text[(words[0].Length + 1)..];
            if (board.PowerPins.TryGetValue(pin, out var power))
            {
                if (said != power)
                {
                    problems.Error(terminal, $"pin {pin} of a {board.Title} is {power}, not {said}", $"Write '{pin} {power}'");
                }
            }
            else if (board.Lines.Values.FirstOrDefault(l => l.Pin == pin) is not { } line)
            {
                problems.Error(terminal, $"a {board.Title} has no pin {pin}", "Write a pin of its header");
            }
            else if (line.Name != words[1])
            {
                problems.Error(terminal, $"pin {pin} of a {board.Title} is {line.Name}, not {words[1]}", $"Write '{pin} {line.Name}'{(board.Find(words[1]) is { Pin: { } other } ? $", or '{other} {words[1]}'" : "")}");
            }
            else if (words.Length < 3)
            {
                lines.Add(new($"the terminal {part.Id}.{pin}", line.Name, null, null, LineBias.AsIs, terminal));
            }
            else if (!taken.ContainsKey(line.Offset))
            {
                problems.Error(terminal, $"{line} is drawn as {words[2]}, and nothing under 'with' takes it", $"Add the line of config.txt that makes it {words[2]}, or write '{pin} {line.Name}'");
            }
        }

        BoardRules.Check(board, fittings, lines, [], problems);
    }
}
