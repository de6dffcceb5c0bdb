using EdgeGateway.Core;
using EdgeGateway.Core.Configuration;
using EdgeGateway.Simulator.Faults;
using EdgeGateway.Simulator.Signals;

namespace EdgeGateway.Simulator.Labelled;

/// <summary>Which seeds a labelled set is made with.</summary>
public enum LabelledSeeds
{
    /// <summary>Those to develop with.</summary>
    Development,

    /// <summary>Those that nothing was tuned on.</summary>
    HeldOut,
}

/// <summary>Simulated faults with their begin, end and name, and time without any: what detectors are scored on. Read from <c>faults.yaml</c>, made from seeds.</summary>
/// <param name="Cells">The sites.</param>
/// <param name="Kinds">What goes wrong.</param>
/// <param name="EpisodesOfKind">How often each kind happens.</param>
public sealed record LabelledSet(IReadOnlyList<LabelledCell> Cells, IReadOnlyList<LabelledKind> Kinds, int EpisodesOfKind)
{
    private const string Schema = "edgegateway/labelled-faults/1";
    private const ulong DevelopmentSeed = 1_000;
    private const ulong HeldOutSeed = 500_000;

    /// <summary>Runs are about a day long.</summary>
    private static readonly TimeSpan RunLength = TimeSpan.FromDays(1);

    /// <summary>Episodes begin in the first quarter of a half hour of their run, in which a simulated conveyor never has its planned stop.</summary>
    private const int SlotSeconds = 1800;
    private const int SlotBegin = 60;
    private const int SlotRoom = 780;

    private static readonly Instant FirstBegin = Instant.Parse("2026-03-02T00:00:00Z");

    private static readonly ObjectShape FaultShape = new(
        "a fault",
        new("device", Scalars.Id, "Device id.") { Required = true },
        new("point", Scalars.PointId, "Point id; the whole device when absent."),
        new("kind", Scalars.Choice([.. FaultNames.ByName.Keys.Order(StringComparer.Ordinal)]), "What goes wrong.") { Required = true },
        new("magnitude", Scalars.Number, "How bad; the episode's size when absent."),
        new("lasting", Scalars.TrueOrFalse, "Not taken back at the end of the episode."));

    private static readonly ObjectShape CellShape = new(
        "a cell",
        new("id", Scalars.Id, "Its name.") { Required = true },
        new("site", Scalars.Text, "Its configuration, a file beside this one.") { Required = true },
        new("lead", Scalars.Duration, "Time without faults at the begin of a run.") { Required = true },
        new("recovery", Scalars.Duration, "Least time between two episodes.") { Required = true },
        new("cleanDays", Scalars.Integer(1, 365), "Days without faults.") { Required = true });

    private static readonly ObjectShape KindShape = new(
        "a kind of fault",
        new("id", Scalars.Id, "Its name.") { Required = true },
        new("cell", Scalars.Id, "Where it happens.") { Required = true },
        new("faults", new ListShape(FaultShape), "What is injected.") { Required = true },
        new("sizes", new ListShape(Scalars.Number), "How bad; in turn.") { Required = true },
        new("duration", Scalars.Duration, "How long.") { Required = true },
        new("within", Scalars.Duration, "Time after the end in which a finding still belongs to it.") { Required = true },
        new("notes", Scalars.TrueOrFalse, "Whether a note is finding enough."),
        new("rules", new ListShape(Scalars.Text), "Detectors that name it rightly: rule or rule@point.") { Required = true });

    private static readonly ObjectShape Root = new(
        "the labelled set",
        new("schema", Scalars.Choice(Schema), "Version of this format.") { Required = true },
        new("cells", new ListShape(CellShape), "The sites.") { Required = true },
        new("episodes", Scalars.Integer(1, 1000), "Episodes of each kind.") { Required = true },
        new("kinds", new ListShape(KindShape), "What goes wrong.") { Required = true });

    /// <summary>Reads a labelled set.</summary>
    /// <param name="source">YAML, with the name of its file.</param>
    /// <returns>The set, null when there is an error; and all problems.</returns>
    public static (LabelledSet? Set, IReadOnlyList<Problem> Problems) Parse(SourceText source)
    {
        var problems = new ProblemCollector();
        if (YamlText.Read(source, problems) is not { } node)
        {
            return (null, problems.ToList());
        }

        Root.Check(node, "the file", problems);
        if (problems.HasErrors || node is not YamlMap map)
        {
            return (null, problems.ToList());
        }

        var root = new Section(map, Root, map);
        var cells = root.List("cells").OfType<YamlMap>().Select(m => Cell(new Section(m, CellShape, m))).ToList();
        var kinds = new List<LabelledKind>();
        foreach (var section in root.List("kinds").OfType<YamlMap>().Select(m => new Section(m, KindShape, m)))
        {
            if (cells.Find(c => c.Id == section.Text("cell")) is { } cell)
            {
                kinds.Add(Kind(section, cell));
            }
            else
            {
                problems.Error(section.At("cell"), $"there is no cell '{section.Text("cell")}'", $"Write one of {string.Join(", ", cells.Select(c => c.Id))}");
            }
        }

        return (problems.HasErrors ? null : new LabelledSet(cells, kinds, root.Integer("episodes")!.Value), problems.ToList());
    }

    /// <summary>Every run with faults and without, always the same for the same seeds.</summary>
    public IReadOnlyList<LabelledRun> Plan(LabelledSeeds seeds)
    {
        var seed = seeds == LabelledSeeds.Development ? DevelopmentSeed : HeldOutSeed;
        var runs = new List<LabelledRun>();
        foreach (var cell in Cells)
        {
            var waiting = new Queue<(LabelledKind Kind, double Size)>(Shuffled(cell, new Noise(seed, $"order of {cell.Id}")));
            while (waiting.Count > 0)
            {
                runs.Add(Run(cell, seed++, waiting));
            }

            var begin = BeginOf(new Noise(seed, "begin"));
            runs.Add(new LabelledRun(cell, seed++, begin, begin + TimeSpan.FromDays(cell.CleanDays), []));
        }

        return runs;
    }

    private IEnumerable<(LabelledKind Kind, double Size)> Shuffled(LabelledCell cell, Noise noise) =>
        Kinds.Where(k => k.Cell == cell)
            .SelectMany(k => Enumerable.Range(0, EpisodesOfKind).Select(i => (k, k.Sizes[i % k.Sizes.Count])))
            .Select((episode, i) => (Episode: episode, Key: noise.Bits(i)))
            .OrderBy(e => e.Key)
            .Select(e => e.Episode);

    private static LabelledRun Run(LabelledCell cell, ulong seed, Queue<(LabelledKind Kind, double Size)> waiting)
    {
        var noise = new Noise(seed, "begin");
        var begin = BeginOf(noise);
        var free = cell.Lead;
        var episodes = new List<LabelledEpisode>();
        while (free < RunLength && waiting.TryDequeue(out var next))
        {
            var slot = (long)Math.Ceiling(free.TotalSeconds / SlotSeconds) * SlotSeconds;
            var room = Math.Max(0, SlotRoom - (long)next.Kind.Duration.TotalSeconds);
            var start = TimeSpan.FromSeconds(slot + SlotBegin + (long)(noise.At(episodes.Count + 1) * room));
            episodes.Add(new(next.Kind, next.Size, begin + start, begin + start + next.Kind.Duration));
            free = start + next.Kind.Duration + next.Kind.Within + cell.Recovery;
        }

        return new(cell, seed, begin, begin + free, episodes);
    }

    // Some hour of some day of a year.
    private static Instant BeginOf(Noise noise) => FirstBegin + TimeSpan.FromHours((long)(noise.At(0) * 365 * 24));

    private static LabelledCell Cell(Section section) => new(
        section.Text("id")!, section.Text("site")!, section.Duration("lead")!.Value, section.Duration("recovery")!.Value, section.Integer("cleanDays")!.Value);

    private static LabelledKind Kind(Section section, LabelledCell cell) => new(
        section.Text("id")!,
        cell,
        [.. section.List("faults").OfType<YamlMap>().Select(m => Fault(new Section(m, FaultShape, m)))],
        [.. section.Scalars("sizes").Select(s => Quantities.TryNumber(s.Text, out var size) ? (double)size : double.NaN)],
        section.Duration("duration")!.Value,
        section.Duration("within")!.Value,
        section.Boolean("notes") ?? false,
        [.. section.Scalars("rules").Select(s => s.Text)]);

    private static (Fault Fault, bool Lasting) Fault(Section section) => (
        new Fault
        {
            Kind = FaultNames.ByName[section.Text("kind")!],
            Device = section.Text("device")!,
            Point = section.Text("point"),
            Magnitude = (double?)section.Number("magnitude"),
        },
        section.Boolean("lasting") ?? false);
}

/// <summary>A site of the labelled set.</summary>
/// <param name="Id">Its name.</param>
/// <param name="Site">Its configuration, a file beside the set.</param>
/// <param name="Lead">Time without faults at the begin of a run.</param>
/// <param name="Recovery">Least time between two episodes.</param>
/// <param name="CleanDays">Days without faults.</param>
public sealed record LabelledCell(string Id, string Site, TimeSpan Lead, TimeSpan Recovery, int CleanDays);

/// <summary>A kind of fault of the labelled set.</summary>
/// <param name="Id">Its name.</param>
/// <param name="Cell">Where it happens.</param>
/// <param name="Faults">What is injected, and whether it stays at the end.</param>
/// <param name="Sizes">How bad, in turn.</param>
/// <param name="Duration">How long.</param>
/// <param name="Within">Time after the end in which a finding still belongs to it.</param>
/// <param name="Notes">Whether a finding of the severity note is enough.</param>
/// <param name="Rules">Detectors that name it rightly: <c>rule</c> or <c>rule@point</c>, with <c>*</c> at the end of a rule for all that begin so.</param>
public sealed record LabelledKind(
    string Id,
    LabelledCell Cell,
    IReadOnlyList<(Fault Fault, bool Lasting)> Faults,
    IReadOnlyList<double> Sizes,
    TimeSpan Duration,
    TimeSpan Within,
    bool Notes,
    IReadOnlyList<string> Rules);

/// <summary>One fault with its time.</summary>
/// <param name="Kind">What goes wrong.</param>
/// <param name="Size">How bad.</param>
/// <param name="Start">First second of it.</param>
/// <param name="End">First second after it.</param>
public sealed record LabelledEpisode(LabelledKind Kind, double Size, Instant Start, Instant End);

/// <summary>A piece of simulated time at one site.</summary>
/// <param name="Cell">The site.</param>
/// <param name="Seed">Of the simulation.</param>
/// <param name="Begin">First second.</param>
/// <param name="End">Second after the last.</param>
/// <param name="Episodes">What goes wrong, in order of time; empty for time without faults.</param>
public sealed record LabelledRun(LabelledCell Cell, ulong Seed, Instant Begin, Instant End, IReadOnlyList<LabelledEpisode> Episodes)
{
    /// <summary>The faults as a script of the simulator.</summary>
    public FaultScript Script() => new(
    [
        .. Episodes.SelectMany(e => e.Kind.Faults.Select(f => new ScriptedFault(
            e.Start - Begin,
            f.Fault with { Magnitude = f.Fault.Magnitude ?? e.Size, Duration = f.Lasting ? null : e.End - e.Start }))),
    ]);
}
