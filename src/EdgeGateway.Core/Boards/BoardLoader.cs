using EdgeGateway.Core.Configuration;

namespace EdgeGateway.Core.Boards;

/// <summary>Reads boards. Those of <c>hardware/boards</c> come with the program.</summary>
public static class BoardLoader
{
    private const string ResourcePrefix = "EdgeGateway.Core.Boards.";
    private const int MostExtended = 4;

    private static readonly Lazy<IReadOnlyDictionary<string, Board>> Shipped = new(ReadShipped);

    /// <summary>The boards that come with the program, by id.</summary>
    public static IReadOnlyDictionary<string, Board> BuiltIn => Shipped.Value;

    /// <summary>Reads a board, or says everything that is wrong with it.</summary>
    /// <param name="source">The text.</param>
    /// <param name="extended">Gives the text of a file that is extended, by id; null when there is none.</param>
    /// <returns>The board; null when there is an error, or when the file has no chip of its own and is there to be extended.</returns>
    public static (Board? Board, IReadOnlyList<Problem> Problems) Load(SourceText source, Func<string, SourceText?> extended)
    {
        ArgumentNullException.ThrowIfNull(extended);
        var problems = new ProblemCollector();
        var chain = new List<Section>();
        for (var next = source; next is not null && chain.Count < MostExtended;)
        {
            if (YamlText.Read(next, problems) is not { } node)
            {
                return (null, problems.ToList());
            }

            CheckShape(node, problems);
            if (node is not YamlMap map)
            {
                return (null, problems.ToList());
            }

            var section = new Section(map, BoardShape.Root, map);
            chain.Add(section);
            var parent = section.Text("extends");
            next = parent is null ? null : extended(parent);
            if (parent is not null && next is null)
            {
                problems.Error(section.At("extends"), $"there is no board '{parent}'", "Name a file of hardware/boards without folder and .yaml");
            }
        }

        var chip = chain.Select(s => s.Block("chip", BoardShape.Chip)).FirstOrDefault(c => c.IsPresent);
        if (problems.HasErrors || !chip.IsPresent)
        {
            return (null, problems.ToList());
        }

        var count = chip.Integer("lines")!.Value;
        var lines = new SortedDictionary<int, BoardLine>();
        foreach (var section in Blocks(chain, "lines", BoardShape.Line))
        {
            var line = Line(section);
            lines.TryAdd(line.Offset, line); // The extending file comes first and wins.
            if (line.Offset >= count)
            {
                problems.Error(section.At("offset"), $"the chip has {count} lines, and no line {line.Offset}", $"Write 0 to {count - 1}");
            }
        }

        var board = new Board
        {
            Id = chain[0].Text("id")!,
            Title = chain[0].Text("title")!,
            ChipLabel = chip.Text("label")!,
            ChipLines = count,
            Level = chain.Select(s => s.Text("level")).FirstOrDefault(l => l is not null) ?? "",
            Lines = lines,
            PowerPins = chain.Select(s => s.Node("power")).OfType<YamlMap>().SelectMany(m => m.Entries)
                .DistinctBy(e => e.Key.Text).ToDictionary(e => Number(e.Key), e => ((YamlScalar)e.Value).Text),
            Settings = [.. Blocks(chain, "settings", BoardShape.Setting).Select(Setting)],
            Ports = [.. Blocks(chain, "ports", BoardShape.Port).Select(Port)],
        };
        CheckLines(board, chain[0].Place, problems);
        return (problems.HasErrors ? null : board, problems.ToList());
    }

    // What a file takes over from the one that it extends may be absent in it.
    private static void CheckShape(YamlNode node, ProblemCollector problems)
    {
        var found = new ProblemCollector();
        BoardShape.Root.Check(node, "the file", found);
        foreach (var problem in found.ToList().Where(p => !BoardShape.Root.Keys.Any(k => k.Inherited && p.What.StartsWith($"'{k.Name}' is missing in the board", StringComparison.Ordinal))))
        {
            problems.Add(problem);
        }
    }

    private static void CheckLines(Board board, YamlNode at, ProblemCollector problems)
    {
        foreach (var twice in board.Lines.Values.SelectMany(l => new[] { l.Name, l.Formerly }).OfType<string>().GroupBy(n => n).Where(g => g.Count() > 1))
        {
            problems.Error(at, $"two lines have the name {twice.Key}", "Give each line its own name");
        }

        foreach (var twice in board.Lines.Values.Select(l => l.Pin).OfType<int>().Concat(board.PowerPins.Keys).GroupBy(p => p).Where(g => g.Count() > 1))
        {
            problems.Error(at, $"pin {twice.Key} is there twice", "Give each line its own pin");
        }

        foreach (var unknown in board.Settings.SelectMany(s => s.Takes.Concat(s.Parameters.Values).Concat(s.Options.Values.SelectMany(o => o)))
            .Concat(board.Ports.SelectMany(p => p.Takes)).Distinct().Where(o => !board.Lines.ContainsKey(o)))
        {
            problems.Error(at, $"a setting or port takes line {unknown}, which is not listed", "List the line under 'lines'");
        }
    }

    private static IEnumerable<Section> Blocks(List<Section> chain, string key, ObjectShape shape) =>
        chain.SelectMany(s => s.List(key)).OfType<YamlMap>().Select(m => new Section(m, shape, m));

    private static BoardLine Line(Section section) => new(section.Integer("offset") ?? 0, section.Text("name") ?? "")
    {
        Formerly = section.Text("formerly"),
        Pin = section.Integer("pin"),
        PullAtReset = section.Text("pull"),
        FixedPull = section.Text("fixedPull"),
        Reserved = section.Text("reserved"),
    };

    private static BoardSetting Setting(Section section) => new(
        [.. section.Scalars("setting").Select(s => s.Text)],
        section.Text("what") ?? "",
        Offsets(section.Node("takes")),
        section.Node("parameters") is YamlMap parameters ? parameters.Entries.ToDictionary(e => e.Key.Text, e => Number((YamlScalar)e.Value)) : [],
        section.Node("options") is YamlMap options ? options.Entries.ToDictionary(e => e.Key.Text, e => Offsets(e.Value)) : []);

    private static BoardPort Port(Section section) => new(
        [.. section.Scalars("paths").Select(s => s.Text)],
        section.Text("what") ?? "",
        [.. section.Scalars("needs").Select(s => s.Text)],
        Offsets(section.Node("takes")),
        section.Boolean("parity") ?? true,
        section.Text("instead"));

    private static IReadOnlyList<int> Offsets(YamlNode? node) => node is YamlList list ? [.. list.Items.OfType<YamlScalar>().Select(Number)] : [];

    private static int Number(YamlScalar scalar) => Quantities.TryInteger(scalar.Text, out var number) ? (int)number : 0;

    private static Dictionary<string, Board> ReadShipped()
    {
        var assembly = typeof(BoardLoader).Assembly;
        var texts = new SortedDictionary<string, SourceText>(StringComparer.Ordinal);
        foreach (var name in assembly.GetManifestResourceNames().Where(n => n.StartsWith(ResourcePrefix, StringComparison.Ordinal)))
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
            var file = name[ResourcePrefix.Length..];
            texts[Path.GetFileNameWithoutExtension(file)] = new(file, reader.ReadToEnd());
        }

        var boards = new Dictionary<string, Board>(StringComparer.Ordinal);
        foreach (var (id, text) in texts)
        {
            var (board, problems) = Load(text, texts.GetValueOrDefault);
            if (problems.Count > 0)
            {
                throw new InvalidOperationException($"The board {id} of the program is broken: {problems[0]}");
            }

            if (board is not null)
            {
                boards[id] = board;
            }
        }

        return boards;
    }
}
