using System.Globalization;
using EdgeGateway.Core;
using EdgeGateway.Core.Accounting;
using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Detection.Scoring;
using EdgeGateway.Core.Site;
using EdgeGateway.Hosting;
using EdgeGateway.Simulator.Labelled;

namespace EdgeGateway.Commands.Detecting;

/// <summary>Plays the labelled set of simulated faults through the product's pipeline, with the detectors of its profiles and sites, and scores what they say.</summary>
internal sealed class SimulatedBench
{
    private readonly Dictionary<string, SiteModel> _sites;

    private SimulatedBench(LabelledSet set, Dictionary<string, SiteModel> sites)
    {
        Set = set;
        _sites = sites;
    }

    /// <summary>The set.</summary>
    public LabelledSet Set { get; }

    /// <summary>Where the set is when none is named.</summary>
    public static string ShippedFolder => Path.Combine(AppContext.BaseDirectory, "examples", "labelled");

    /// <summary>Reads <c>faults.yaml</c> and the sites that it names.</summary>
    /// <param name="folder">Where they are.</param>
    /// <param name="problems">Everything that is wrong.</param>
    /// <returns>The bench, or null when there is an error.</returns>
    public static SimulatedBench? Load(string folder, out IReadOnlyList<Problem> problems)
    {
        var file = Path.Combine(folder, "faults.yaml");
        if (!File.Exists(file))
        {
            problems = [new Problem(file, 0, 0, "There is no such file", "Name a folder that is made like docs/examples/labelled")];
            return null;
        }

        List<Problem> all = [];
        var (set, faults) = LabelledSet.Parse(new SourceText(file, File.ReadAllText(file)));
        all.AddRange(faults);
        var sites = new Dictionary<string, SiteModel>();
        foreach (var cell in set?.Cells ?? [])
        {
            var path = Path.Combine(folder, cell.Site);
            if (SiteFiles.Find(path, null).Load(path, out var wrong) is { } site)
            {
                sites.Add(cell.Id, site.Model);
            }

            all.AddRange(wrong);
        }

        foreach (var kind in set?.Kinds ?? [])
        {
            if (sites.TryGetValue(kind.Cell.Id, out var site) && Misfit(kind, site) is { } misfit)
            {
                all.Add(new Problem(file, 0, 0, $"the kind '{kind.Id}' does not fit its site: {misfit}", "Correct its device, point or size"));
                sites.Remove(kind.Cell.Id);
            }
        }

        problems = all;
        return set is not null && sites.Count == set.Cells.Count ? new(set, sites) : null;
    }

    private static string? Misfit(LabelledKind kind, SiteModel site)
    {
        try
        {
            foreach (var size in kind.Sizes)
            {
                var episode = new LabelledEpisode(kind, size, Instant.UnixEpoch, Instant.UnixEpoch + kind.Duration);
                _ = new SimulatedSamples(site, 0, Instant.UnixEpoch, new LabelledRun(kind.Cell, 0, Instant.UnixEpoch, Instant.UnixEpoch, [episode]).Script());
            }

            return null;
        }
        catch (ArgumentException e)
        {
            return e.Message;
        }
    }

    /// <summary>Only some kinds: the others neither happen nor are scored; time without faults stays.</summary>
    public SimulatedBench With(IReadOnlySet<string> kinds) => new(Set with { Kinds = [.. Set.Kinds.Where(k => kinds.Contains(k.Id))] }, _sites);

    /// <summary>Runs the set and scores it. The result does not depend on how many processors share the work.</summary>
    /// <param name="seeds">Which seeds.</param>
    /// <param name="done">Told after each run how many are done, and of how many; from any thread.</param>
    /// <param name="cancel">Ends it.</param>
    /// <returns>The score of each cell with its name, and of all.</returns>
    public (IReadOnlyList<(string Cell, EpisodeScore Score)> Cells, EpisodeScore All) Run(LabelledSeeds seeds, Action<int, int> done, CancellationToken cancel)
    {
        var runs = Set.Plan(seeds);
        var scored = new ScoredRun[runs.Count];
        var count = 0;
        Parallel.For(0, runs.Count, new ParallelOptions { CancellationToken = cancel, MaxDegreeOfParallelism = Environment.ProcessorCount }, i =>
        {
            scored[i] = Play(runs[i], _sites[runs[i].Cell.Id], cancel);
            done(Interlocked.Increment(ref count), runs.Count);
        });
        return (
            [.. Set.Cells.Select(c => (c.Id, EpisodeScorer.Score([.. scored.Where((_, i) => runs[i].Cell == c)])))],
            EpisodeScorer.Score(scored));
    }

    /// <summary>Writes the first episode of each kind as a table that <c>edgegateway replay</c> reads, with the time before it in which rules learn.</summary>
    /// <param name="seeds">Which seeds.</param>
    /// <param name="folder">Receives KIND.csv; is made when it does not exist.</param>
    /// <param name="cancel">Ends it.</param>
    /// <returns>What was written, in the order of the kinds.</returns>
    /// <exception cref="IOException">A file cannot be written.</exception>
    public IEnumerable<RecordedEpisode> Record(LabelledSeeds seeds, string folder, CancellationToken cancel)
    {
        Directory.CreateDirectory(folder);
        foreach (var kind in Set.Kinds)
        {
            cancel.ThrowIfCancellationRequested();
            var run = With(new HashSet<string>(StringComparer.Ordinal) { kind.Id }).Set.Plan(seeds).First(r => r.Episodes.Count > 0);
            var episode = run.Episodes[0];
            run = run with { Episodes = [episode], End = episode.End + kind.Within + kind.Cell.Recovery };
            var file = Path.Combine(folder, $"{kind.Id}.csv");
            Write(run, _sites[kind.Cell.Id], file);
            yield return new(file, episode);
        }
    }

    /// <summary>A wide table: a row for each second with samples, a column for each point that is polled.</summary>
    private static void Write(LabelledRun run, SiteModel site, string file)
    {
        var episode = run.Episodes[0];
        var points = site.Points.Where(p => p.Kind != PointKind.Text && p.Period > TimeSpan.Zero).ToList();
        var columns = points.Select((p, i) => (p.Index, i)).ToDictionary(c => c.Index, c => c.i);
        using var table = new StreamWriter(file);
        table.WriteLine(string.Create(CultureInfo.InvariantCulture, $"# simulated {episode.Kind.Id}, size {episode.Size}, from {episode.Start} to {episode.End}; site {run.Cell.Site}, seed {run.Seed}"));
        table.WriteLine($"time,{string.Join(',', points.Select(p => $"{site.Devices[p.DeviceIndex].Id}.{p.Id}"))}");
        var samples = new SimulatedSamples(site, run.Seed, run.Begin, run.Script());
        var cells = new string[points.Count];
        while (samples.Now < run.End)
        {
            Array.Fill(cells, "");
            foreach (ref readonly var sample in samples.Step())
            {
                cells[columns[sample.Point]] = double.IsFinite(sample.Value) ? sample.Value.ToString("R", CultureInfo.InvariantCulture) : "NaN";
            }

            table.WriteLine($"{samples.Now},{string.Join(',', cells)}");
        }
    }

    /// <summary>Plays one run through a new pipeline.</summary>
    public static ScoredRun Play(LabelledRun run, SiteModel site, CancellationToken cancel)
    {
        var findings = new FindingList(site);
        var pipeline = new Pipeline(site, FactorSet.BuiltIn(), findings);
        var samples = new SimulatedSamples(site, run.Seed, run.Begin, run.Script());
        while (samples.Now < run.End)
        {
            foreach (ref readonly var sample in samples.Step())
            {
                pipeline.Process(sample);
            }

            pipeline.Advance(samples.Now);
            if (samples.Now.UnixMilliseconds % 3_600_000 == 0)
            {
                cancel.ThrowIfCancellationRequested();
            }
        }

        return new(
            [.. run.Episodes.Select(e => new KnownEpisode(e.Kind.Id, e.Start, e.End + e.Kind.Within, e.Kind.Rules, e.Kind.Notes))],
            findings.Findings,
            site.Devices.Count * (run.End - run.Begin).TotalDays);
    }
}

/// <summary>An episode that was written as a table.</summary>
/// <param name="File">Where.</param>
/// <param name="Episode">What goes wrong in it.</param>
internal sealed record RecordedEpisode(string File, LabelledEpisode Episode)
{
    /// <summary>Left edge of a chart that shows it: half its length before it, at least two minutes.</summary>
    public Instant ViewFrom => Episode.Start - Margin;

    /// <summary>Right edge: as much after the last moment in which a finding belongs to it.</summary>
    public Instant ViewTo => Episode.End + Episode.Kind.Within + Margin;

    private TimeSpan Margin => TimeSpan.FromSeconds(Math.Max(120, (Episode.End - Episode.Start).TotalSeconds / 2));
}
