using EdgeGateway.Commands.Detecting;
using EdgeGateway.Core;
using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Detection.Scoring;
using EdgeGateway.Core.Site;
using EdgeGateway.Hosting;
using EdgeGateway.Simulator.Faults;
using EdgeGateway.Simulator.Labelled;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Tests.Simulator;

/// <summary>The labelled set that <c>detect-bench --simulated</c> plays.</summary>
public sealed class LabelledSetTests
{
    private static readonly string Folder = RepositoryFiles.At("docs/examples/labelled");
    private static readonly LabelledSet Set = Read();

    [Fact]
    public void It_has_200_episodes_of_20_kinds_and_100_device_days_without_faults()
    {
        foreach (var seeds in Enum.GetValues<LabelledSeeds>())
        {
            var runs = Set.Plan(seeds);
            Assert.True(runs.Sum(r => r.Episodes.Count) >= 200);
            Assert.True(runs.SelectMany(r => r.Episodes).Select(e => e.Kind.Id).Distinct().Count() >= 20);
            Assert.True(runs.Where(r => r.Episodes.Count == 0).Sum(r => (r.End - r.Begin).TotalDays * Site(r.Cell).Devices.Count) >= 100);
            Assert.All(Set.Kinds, k => Assert.Equal(Set.EpisodesOfKind, runs.SelectMany(r => r.Episodes).Count(e => e.Kind == k)));
        }
    }

    [Fact]
    public void Its_labels_lie_in_their_run_in_order_and_apart()
    {
        foreach (var run in Set.Plan(LabelledSeeds.Development))
        {
            var free = run.Begin + run.Cell.Lead;
            foreach (var episode in run.Episodes)
            {
                Assert.True(episode.Start >= free, $"{episode.Kind.Id} in run {run.Seed} begins before it may");
                Assert.Equal(episode.Kind.Duration, episode.End - episode.Start);
                Assert.Contains(episode.Size, episode.Kind.Sizes);
                Assert.Equal(0, episode.Start.UnixMilliseconds % 1000);
                free = episode.End + episode.Kind.Within + run.Cell.Recovery;
            }

            Assert.True(run.End >= free);
        }
    }

    [Fact]
    public void The_same_seeds_give_the_same_plan_and_the_held_out_ones_another()
    {
        var once = Told(Set.Plan(LabelledSeeds.Development));
        Assert.Equal(once, Told(Set.Plan(LabelledSeeds.Development)));
        var other = Set.Plan(LabelledSeeds.HeldOut);
        Assert.NotEqual(once, Told(other));
        Assert.Empty(Set.Plan(LabelledSeeds.Development).Select(r => r.Seed).Intersect(other.Select(r => r.Seed)));

        static string Told(IReadOnlyList<LabelledRun> runs) =>
            string.Join('\n', runs.Select(r => $"{r.Cell.Id} {r.Seed} {r.Begin} {r.End} {string.Join(' ', r.Episodes.Select(e => $"{e.Kind.Id} {e.Size} {e.Start}"))}"));
    }

    [Fact]
    public void Every_kind_fits_its_site_and_a_kind_that_does_not_is_told()
    {
        Assert.NotNull(SimulatedBench.Load(Folder, out var problems));
        Assert.Empty(problems);
        var (set, wrong) = LabelledSet.Parse(new SourceText("f.yaml", """
            schema: edgegateway/labelled-faults/1
            cells: [{ id: a, site: a.yaml, lead: 1h, recovery: 1m, cleanDays: 1 }]
            episodes: 1
            kinds: [{ id: k, cell: b, faults: [{ device: d, kind: gain }], sizes: [1], duration: 1m, within: 1s, rules: [] }]
            """));
        Assert.Null(set);
        Assert.Contains(wrong, p => p.What.Contains("there is no cell 'b'", StringComparison.Ordinal) && p.Line == 4);
    }

    [Fact]
    public void The_same_run_gives_the_same_samples_and_the_same_score()
    {
        var run = Short("belt-slip", 0.3);
        var site = Site(run.Cell);
        Assert.Equal(Samples(), Samples());
        var scores = Enumerable.Range(0, 2).Select(_ => SimulatedBench.Play(run, site, CancellationToken.None)).ToList();
        Assert.Equal(scores[0].Findings, scores[1].Findings);
        var score = EpisodeScorer.Score(scores);
        Assert.Equal((2, 2, 2), (score.Total.Episodes, score.Total.Found, score.Total.Named));

        List<Sample> Samples()
        {
            var samples = new SimulatedSamples(site, run.Seed, run.Begin, run.Script());
            var all = new List<Sample>();
            while (samples.Now < run.End)
            {
                all.AddRange(samples.Step());
            }

            return all;
        }
    }

    [Fact]
    public void Samples_come_at_the_multiples_of_their_periods_and_a_silent_device_gives_none_with_a_value()
    {
        var run = Short("gap", 1);
        var site = Site(run.Cell);
        var samples = new SimulatedSamples(site, run.Seed, run.Begin, run.Script());
        var (feeder, missing) = (site.Devices.Single(d => d.Id == "feeder").Index, 0);
        while (samples.Now < run.End)
        {
            foreach (ref readonly var sample in samples.Step())
            {
                var point = site.Points[sample.Point];
                Assert.Equal(0, samples.Now.UnixMilliseconds % (long)point.Period.TotalMilliseconds);
                var isSilent = point.DeviceIndex == feeder && samples.Now >= run.Episodes[0].Start && samples.Now < run.Episodes[0].End;
                Assert.Equal(isSilent ? QualityReason.Timeout : QualityReason.None, sample.Quality.Reason);
                missing += isSilent ? 1 : 0;
            }
        }

        Assert.True(missing > 100);
    }

    [Fact]
    public void Every_kind_has_an_example_with_a_chart_and_every_rule_that_names_it_is_told()
    {
        var page = File.ReadAllLines(RepositoryFiles.At("docs/detection-examples.md"));
        Assert.All(Set.Kinds, kind =>
        {
            Assert.True(File.Exists(RepositoryFiles.At($"docs/examples/detectors/{kind.Id}.svg")), $"docs/examples/detectors/draw.sh draws {kind.Id}.svg");
            Assert.Contains($"### {kind.Id}", page);
            Assert.Contains(page, l => l.Contains($"(examples/detectors/{kind.Id}.svg)", StringComparison.Ordinal));
        });
        Assert.Equal(Set.Kinds.Count, page.Count(l => l.StartsWith("### ", StringComparison.Ordinal)));
    }

    /// <summary>A run of a few minutes with one episode, so that a test is short.</summary>
    internal static LabelledRun Short(string kind, double size)
    {
        var known = Set.Kinds.Single(k => k.Id == kind);
        var begin = Instant.Parse("2026-05-05T08:00:00Z");
        var start = begin + TimeSpan.FromMinutes(3);
        return new(known.Cell, 42, begin, start + known.Duration + known.Within, [new LabelledEpisode(known, size, start, start + known.Duration)]);
    }

    internal static SiteModel Site(LabelledCell cell) => Loaded(cell).Model;

    internal static LoadedSite Loaded(LabelledCell cell)
    {
        var path = Path.Combine(Folder, cell.Site);
        return new SiteFiles([Path.Combine(Folder, "device-profiles"), RepositoryFiles.At("device-profiles")]).Load(path, out var problems)
            ?? throw new InvalidOperationException(string.Join('\n', problems));
    }

    private static LabelledSet Read()
    {
        var path = Path.Combine(Folder, "faults.yaml");
        var (set, problems) = LabelledSet.Parse(new SourceText(path, File.ReadAllText(path)));
        return set ?? throw new InvalidOperationException(string.Join('\n', problems));
    }
}

/// <summary>What the faults of the labelled set do to the signals.</summary>
public sealed class LabelledFaultTests
{
    // What is watched, and what is true of its mean during the fault (a) against the mean before (b).
    [Theory]
    [InlineData("belt-slip", 0.3, "scale.belt_speed", 0.6, 0.8)]
    [InlineData("misalignment", 0.2, "switches.misalignment_tail_left", 0, 0)]
    [InlineData("misalignment", 0.2, "drive.output_current", 1.1, 1.25)]
    [InlineData("transfer-blocked", 0, "scale.belt_load", 0, 0.1)]
    [InlineData("transfer-blocked", 0, "switches.chute_blocked", 0, 0)]
    [InlineData("overload", 3, "drive.output_current", 1.8, 2.6)]
    [InlineData("jam", 2.8, "scale.belt_speed", 0, 0.1)]
    [InlineData("jam", 2.8, "drive.output_current", 3, 6)]
    [InlineData("foreign-object", 0.6, "drive.output_current", 1.05, 1.3)]
    [InlineData("running-empty", 0, "scale.belt_speed", 0.8, 1.1)]
    [InlineData("running-empty", 0, "scale.mass_flow_rate", 0, 0.05)]
    [InlineData("pull-cord", 1, "scale.belt_speed", 0, 0.1)]
    [InlineData("pull-cord", 1, "switches.pull_cord_2", 0, 0)]
    [InlineData("spike", 3, "feeder.active_power_total", 2.6, 3.4)]
    [InlineData("out-of-range", 620, "feeder.voltage_l2_n", 2.5, 2.8)]
    [InlineData("rate", 600, "transformer.temperature_oil", 1.2, 2.5)]
    [InlineData("drift", 0.015, "feeder.voltage_l3_n", 1.005, 1.08)]
    [InlineData("lost-phase", 2, "feeder.current_l2", 0, 0)]
    [InlineData("lost-phase", 2, "feeder.current_l1", 1.3, 1.7)]
    [InlineData("imbalance", 0.6, "feeder.current_l1", 1.4, 1.9)]
    [InlineData("imbalance", 0.6, "feeder.current_l2", 0.55, 0.9)]
    [InlineData("power-factor", 0.55, "feeder.power_factor_total", 0.55, 0.7)]
    [InlineData("sag", 0.6, "incomer.voltage_l1_n", 0.58, 0.62)]
    [InlineData("sag", 0.6, "feeder.voltage_l1_n", 0.58, 0.62)]
    [InlineData("swell", 1.25, "pump.voltage_l1_n", 1.23, 1.27)]
    [InlineData("transformer-temperature", 2.5, "transformer.temperature_oil", 1.3, 2.5)]
    [InlineData("o2-co2-inconsistency", 0.75, "analyser.concentration_co2", 0.7, 0.8)]
    [InlineData("o2-co2-inconsistency", 0.75, "analyser.concentration_o2", 0.7, 1.3)]
    [InlineData("implausible-moisture", 28, "analyser.moisture", 3, 5)]
    [InlineData("dilution", 0.4, "analyser.concentration_co2", 0.5, 0.7)]
    [InlineData("dilution", 0.4, "analyser.concentration_o2", 1.5, 3)]
    [InlineData("plugged-pitot", 0, "stream.gas_velocity", 0, 0)]
    [InlineData("methane-rise", 8, "methane.concentration_ch4", 3, 8)]
    [InlineData("co-rise", 120, "roadway.concentration_co", 10, 35)]
    [InlineData("fan-stop", 1, "roadway.fan_running", 0, 0.1)]
    [InlineData("fan-stop", 1, "roadway.air_velocity", 0, 0.2)]
    [InlineData("fan-stop", 1, "methane.concentration_ch4", 1.5, 5)]
    public void A_fault_moves_its_signals(string kind, double size, string point, double least, double most)
    {
        var run = LabelledSetTests.Short(kind, size);
        var site = LabelledSetTests.Site(run.Cell);
        var watched = site.Find(point);
        var (before, during) = (new List<double>(), new List<double>());
        var samples = new SimulatedSamples(site, run.Seed, run.Begin, run.Script());
        while (samples.Now < run.End)
        {
            foreach (ref readonly var sample in samples.Step())
            {
                if (sample.Point == watched && samples.Now < run.Episodes[0].End)
                {
                    (samples.Now < run.Episodes[0].Start ? before : during).Add(sample.Value);
                }
            }
        }

        // The first fifth is the way into the fault.
        Assert.InRange(during.Skip(during.Count / 5).Average() / before.Average(), least, most);
    }

    [Theory]
    [InlineData("counter-glitch", -900)]
    [InlineData("counter-jump", 1000)]
    [InlineData("counter-reset", 1)]
    public void A_counter_shows_what_it_did_not_count(string kind, double size)
    {
        var run = LabelledSetTests.Short(kind, size);
        var site = LabelledSetTests.Site(run.Cell);
        var watched = site.Find("feeder.active_energy_import_total");
        var readings = new List<double>();
        var samples = new SimulatedSamples(site, run.Seed, run.Begin, run.Script());
        while (samples.Now < run.End)
        {
            foreach (ref readonly var sample in samples.Step())
            {
                if (sample.Point == watched)
                {
                    readings.Add(sample.Value);
                }
            }
        }

        var (first, last) = (readings[0], readings[^1]);
        var step = readings.Zip(readings.Skip(1), (a, b) => b - a).MaxBy(Math.Abs);
        Assert.True(kind switch
        {
            "counter-glitch" => Math.Abs(step) > 890 && last - first is > 0 and < 100,
            "counter-jump" => Math.Abs(step - 1000) < 5 && last - first > 995,
            _ => step < -500 && last < 100,
        }, $"{kind}: from {first} to {last}, largest step {step}");
    }

    [Fact]
    public void A_meter_that_counts_too_little_shows_its_power_rightly()
    {
        var run = LabelledSetTests.Short("energy-against-power", 0.5);
        var site = LabelledSetTests.Site(run.Cell);
        var (energy, power) = (site.Find("feeder.active_energy_import_total"), site.Find("feeder.active_power_total"));
        var (joules, readings) = (0.0, new List<double>());
        var samples = new SimulatedSamples(site, run.Seed, run.Begin, run.Script());
        while (samples.Now < run.Episodes[0].End)
        {
            foreach (ref readonly var sample in samples.Step())
            {
                if (samples.Now >= run.Episodes[0].Start && sample.Point == energy)
                {
                    readings.Add(sample.Value);
                }

                joules += samples.Now >= run.Episodes[0].Start && sample.Point == power ? sample.Value : 0;
            }
        }

        Assert.InRange((readings[^1] - readings[0]) * 3.6e6 / joules, 0.45, 0.55);
    }

    [Fact]
    public void A_fault_that_does_not_fit_is_refused()
    {
        var site = LabelledSetTests.Site(LabelledSetTests.Short("gap", 1).Cell);
        foreach (var fault in new[]
        {
            new Fault { Kind = FaultKind.FanStop, Device = "feeder" },
            new Fault { Kind = FaultKind.Gain, Device = "feeder" },
            new Fault { Kind = FaultKind.Gain, Device = "feeder", Point = "active_energy_import_total" },
            new Fault { Kind = FaultKind.Contact, Device = "feeder", Point = "voltage_l1_n" },
            new Fault { Kind = FaultKind.CounterOffset, Device = "feeder", Point = "voltage_l1_n" },
            new Fault { Kind = FaultKind.LostPhase, Device = "feeder", Magnitude = 4 },
            new Fault { Kind = FaultKind.PowerFactor, Device = "feeder", Magnitude = 0 },
        })
        {
            Assert.Throws<ArgumentException>(() => new SimulatedSamples(site, 1, Instant.UnixEpoch, new FaultScript([new ScriptedFault(TimeSpan.Zero, fault)])));
        }
    }
}
