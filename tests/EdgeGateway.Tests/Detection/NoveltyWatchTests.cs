using EdgeGateway.Core;
using EdgeGateway.Core.Detection;
using EdgeGateway.Core.Detection.Novelty;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Site;
using EdgeGateway.Core.State;
using EdgeGateway.Tests.Detection.Novelty;
using EdgeGateway.Tests.LocalPath;

namespace EdgeGateway.Tests.Detection;

/// <summary>The detector for any gauge on points of a site.</summary>
public class NoveltyWatchTests
{
    private const int Slow = 300;

    private static DetectorModel Watch(double? budget = 0.03, bool lean = false)
    {
        var settings = new Dictionary<string, double>();
        if (budget is { } own)
        {
            settings["falseAlarmsPerDay"] = own;
        }

        if (lean)
        {
            settings["lean"] = 1;
        }

        return new("novelty", settings);
    }

    private static TestSite Site(double period, DetectorModel? model = null, string hash = "test", string unit = "A") => new TestSite { Hash = hash, Zone = "UTC" }.Device("fan")
        .Gauge("current", unit, period, p => p with { Detectors = [model ?? Watch()] });

    private static Rig Feed(Rig rig, IEnumerable<double> values, int from = 0, int point = 0)
    {
        var row = from;
        foreach (var value in values)
        {
            rig.Value(point, MadeUp.At(row++), value);
        }

        return rig;
    }

    private static int RowOf(Instant time) => (int)((time - MadeUp.Monday).TotalMinutes / 5);

    private static IEnumerable<double> Load(int seed, int rows, double above = 0) => MadeUp.Wander(seed, rows, 0.5).Select(v => 100 + above + v);

    [Fact]
    public void What_the_point_never_did_is_raised_in_words_and_cleared_when_it_is_over()
    {
        var rig = Feed(Site(Slow).Start(), [.. Load(1, 3000), .. Load(2, 12, above: 40), .. Load(3, 500)]);
        var (raised, cleared) = (Assert.Single(rig.Anomalies, a => a.Raised && RowOf(a.Since) == 3000), rig.Anomalies.Single(a => !a.Raised && RowOf(a.Since) == 3000));

        Assert.Equal(("novelty", 3000, 3000), (raised.Detector, RowOf(raised.Since), RowOf(raised.Time)));
        Assert.InRange(raised.Value - raised.Limit, 30, 45);
        Assert.Matches(
            @"^current of FAN 1[34][\d.]+ A: [34][\d.]+ A above 10[\d.]+ A, the highest that it has brought lately\. Noise alone does this here less than once in \d+ days \(learnt from 3001 values since 2026-03-02T00:00:00.*\)\. Likely: ",
            raised.Text);
        Assert.DoesNotContain("no full week", raised.Text, StringComparison.Ordinal);

        Assert.Equal((false, raised.Since), (cleared.Raised, cleared.Since));
        Assert.InRange(RowOf(cleared.Time), 3036, 3400);
        Assert.Contains("nothing unusual for 2 h, back near 10", cleared.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_change_that_stays_ends_as_known()
    {
        var rig = Feed(Site(Slow).Start(), [.. Load(1, 3000), .. Load(2, 600, above: 40)]);
        Assert.Matches(@"nothing unusual for 2 h, it stayed near 1[34]\d[\d.]* A, which is known from now on\.", rig.Anomalies.Single(a => !a.Raised && RowOf(a.Since) == 3000).Text);
    }

    [Fact]
    public void A_finding_on_little_knowledge_says_so()
    {
        var rig = Feed(Site(Slow).Start(), [.. Load(1, 700), 300]);
        Assert.Contains("learnt from 701 values since 2026-03-02T00:00:00", rig.Anomalies[^1].Text, StringComparison.Ordinal);
        Assert.Contains("no full week is known yet", rig.Anomalies[^1].Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_load_that_stays_away_at_its_hour_is_told_with_what_the_hour_brings()
    {
        var values = MadeUp.Shifts(1, 21);
        var noon = (20 * MadeUp.Day) + (10 * 12);
        Array.Fill(values, 5, noon, 36);
        var rig = Feed(Site(Slow, Watch(10)).Start(), values);
        var raised = Assert.Single(rig.Anomalies, a => a.Raised && RowOf(a.Since) >= noon && RowOf(a.Since) < noon + 36);
        Assert.Matches(@"^current of FAN 5 A where this hour usually brings [45]\d\.?\d* A: for 1 h it was [\d.]+ A off its hours on average\.", raised.Text);
    }

    [Fact]
    public void A_surprise_that_a_tenth_of_the_budget_would_allow_is_an_alarm()
    {
        // The farther away, the graver.
        var severities = Enumerable.Range(0, 40)
            .Select(i => Feed(Site(Slow, Watch(1)).Start(), [.. Load(1, 1500), 104 + (i * i / 20.0)]).Anomalies.LastOrDefault(a => a.Raised && RowOf(a.Since) == 1500)?.Severity ?? Severity.Note)
            .ToArray();
        Assert.Equal([Severity.Note, Severity.Warning, Severity.Alarm], severities.Distinct());
        Assert.Equal(severities.Order(), severities);
    }

    [Fact]
    public void Fast_points_are_judged_by_their_means_of_five_minutes()
    {
        var random = new Random(7);
        double[] minutes = [.. Enumerable.Range(0, 5 * 2000).Select(i => (i is >= 9000 and < 9010 ? 160 : 100) + MadeUp.Normal(random))];
        var rig = Site(60).Start();
        var detector = new NoveltyDetector();
        var budget = new AlarmBudget(0.03);
        var expected = new List<int>();
        for (var i = 0; i < minutes.Length; i++)
        {
            rig.Value(0, MadeUp.Monday + TimeSpan.FromMinutes(i), minutes[i]);
            if (i % 5 == 4)
            {
                var sum = 0.0;
                foreach (var value in minutes.AsSpan(i - 4, 5))
                {
                    sum += value;
                }

                if (budget.Observe(detector.Observe(MadeUp.At(i / 5), sum / 5), detector.Period))
                {
                    expected.Add(i / 5);
                }
            }
        }

        Assert.Contains(1800, expected);
        var raised = Assert.Single(rig.Anomalies, a => a.Raised && RowOf(a.Since) == 1800);
        Assert.Equal(MadeUp.At(1801), raised.Time);
        Assert.Contains(" A (mean of 5 min): ", raised.Text, StringComparison.Ordinal);
        Assert.All(rig.Anomalies.Where(a => a.Raised), a => Assert.Contains(RowOf(a.Since), expected));
    }

    [Fact]
    public void Five_minutes_of_which_too_little_was_measured_are_passed_over()
    {
        // Two of five minutes, and those absurd: not judged, not learnt.
        var rig = Site(60).Start();
        var values = Load(1, 5 * 1500).ToArray();
        for (var i = 0; i < values.Length; i++)
        {
            var isPoor = i / 5 is 1000 or 1010;
            var time = MadeUp.Monday + TimeSpan.FromMinutes(i);
            if (isPoor && i % 5 >= 1)
            {
                rig.Pipeline.Process(Sample.Missing(0, time, QualityReason.Timeout));
            }
            else
            {
                rig.Value(0, time, isPoor ? 900 : values[i]);
            }
        }

        Assert.DoesNotContain(rig.Anomalies, a => a.Value > 200);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Bad_input_is_borne_and_nothing_is_said_before_enough_is_known(int seed)
    {
        var random = new Random(seed);
        var rig = Site(60, Watch(1000)).Start();
        var now = MadeUp.Monday;
        var measured = 0;
        for (var i = 0; i < 20_000; i++)
        {
            now += TimeSpan.FromSeconds(random.Next(100) switch { 0 => 0, 1 => -90, 2 => 86_400, 3 when i == 15_000 => 400 * 86_400, _ => 60 });
            switch (random.Next(40))
            {
                case 0:
                    rig.Value(0, now, double.NaN);
                    break;
                case 1:
                    rig.Value(0, now, double.PositiveInfinity);
                    break;
                case 2:
                    rig.Value(0, now, 1e300);
                    break;
                case 3:
                    rig.Pipeline.Process(Sample.Missing(0, now, QualityReason.Timeout));
                    break;
                case 4:
                    rig.Value(0, now, 1e9, Quality.Uncertain(QualityReason.OutOfRange));
                    break;
                case 5 when random.Next(20) == 0:
                    var after = now + TimeSpan.FromSeconds(random.Next(-20_000, 20_000));
                    rig.Pipeline.ClockStepped(now, after);
                    now = after;
                    break;
                default:
                    rig.Value(0, now, random.Next(1000) == 0 ? 1e9 : 100 + MadeUp.Normal(random));
                    measured++;
                    break;
            }

            if (measured < 140)
            {
                Assert.Empty(rig.Anomalies);
            }
        }

        Assert.Equal(0, rig.Pipeline.RuleFaults.Count);
        Assert.Equal(rig.Anomalies.Count(a => !a.Raised), rig.Anomalies.Where(a => !a.Raised).Select(a => a.Since).Distinct().Count());
    }

    [Fact]
    public void Three_samples_and_a_constant_say_nothing()
    {
        Assert.Empty(Feed(Site(Slow, Watch(1000)).Start(), [1, 1e9, -5]).Anomalies);
        Assert.Empty(Feed(Site(Slow, Watch(1000)).Start(), Enumerable.Repeat(5.0, 5000)).Anomalies);
    }

    [Fact]
    public void Nothing_is_said_on_the_first_two_days()
    {
        Assert.Empty(Feed(Site(Slow).Start(), [.. Load(1, 570), 300]).Anomalies);
        Assert.NotEmpty(Feed(Site(Slow).Start(), [.. Load(1, 600), 300]).Anomalies);
    }

    private static TestSite Shared(string hash = "test") => new TestSite { Hash = hash, Zone = "UTC" }.Device("fan")
        .Gauge("a", period: Slow, with: p => p with { Detectors = [Watch(null)] })
        .Gauge("b", period: Slow, with: p => p with { Detectors = [Watch(null, lean: true)] })
        .Gauge("c", period: 100, with: p => p with { Detectors = [Watch(null)] });

    /// <summary>Three points of a device with faults now and then; restarts, when asked, anywhere.</summary>
    private static List<string> Play(int seed, bool restarts)
    {
        var random = new Random(seed);
        var breaks = new Random(seed + 1000);
        var rig = Shared().Start();
        var transcript = new List<string>();
        for (var row = 0; row < 4000; row++)
        {
            var fault = random.Next(400) == 0 ? 60 * random.NextDouble() : 0;
            var gap = random.Next(300) == 0 ? TimeSpan.FromHours(random.Next(48)) : TimeSpan.Zero;
            if (gap > TimeSpan.Zero)
            {
                continue;
            }

            for (var point = 0; point < 3; point++)
            {
                for (var third = 0; third < (point == 2 ? 3 : 1); third++)
                {
                    rig.Value(point, MadeUp.At(row) + TimeSpan.FromSeconds(100 * third), 50 + MadeUp.Normal(random) + fault);
                }
            }

            if (restarts && breaks.Next(100) == 0)
            {
                transcript.AddRange(rig.Transcript);
                rig = Shared().Start().Load(rig.Save());
            }
        }

        return [.. transcript, .. rig.Transcript];
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Saved_and_restored_anywhere_it_tells_the_same(int seed)
    {
        var plain = Play(seed, restarts: false);
        Assert.Contains(plain, line => line.Contains("Detector = novelty", StringComparison.Ordinal));
        Assert.Equal(plain, Play(seed, restarts: true));
    }

    [Fact]
    public void The_points_of_a_device_share_its_budget()
    {
        // Absurd values again and again on three points: together no more than the budget and its advance.
        var rig = Shared().Start();
        var random = new Random(1);
        const int Days = 60;
        for (var row = 0; row < Days * MadeUp.Day; row++)
        {
            for (var point = 0; point < 3; point++)
            {
                for (var third = 0; third < (point == 2 ? 3 : 1); third++)
                {
                    rig.Value(point, MadeUp.At(row) + TimeSpan.FromSeconds(100 * third), row % 150 == 149 ? 1e6 * random.NextDouble() : MadeUp.Normal(random));
                }
            }
        }

        Assert.InRange(rig.Anomalies.Count(a => a.Raised), 1, (NoveltyRule.FalseAlarmsPerDay * Days) + AlarmBudget.MostAhead);
    }

    private static Rig Reconfigure(Rig rig, TestSite site)
    {
        var writer = new StateWriter();
        rig.Pipeline.Close(MadeUp.At(3000));
        rig.Pipeline.SaveBaselines(writer);
        var next = site.Start();
        var reader = new StateReader(writer.Written.Span);
        next.Pipeline.LoadBaselines(ref reader);
        Assert.True(reader.AtEnd);
        return next;
    }

    [Fact]
    public void What_was_learnt_outlives_a_change_of_configuration()
    {
        var next = Feed(Reconfigure(Feed(Site(Slow).Start(), Load(1, 3000)), Site(Slow, hash: "other")), [300], from: 3000);
        Assert.Contains("learnt from 3001 values", Assert.Single(next.Anomalies).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void What_was_learnt_in_another_unit_or_setting_is_forgotten()
    {
        Assert.Empty(Feed(Reconfigure(Feed(Site(Slow).Start(), Load(1, 3000)), Site(Slow, hash: "other", unit: "mA")), [300], from: 3000).Anomalies);
        Assert.Empty(Feed(Reconfigure(Feed(Site(Slow).Start(), Load(1, 3000)), Site(Slow, Watch(lean: true), "other")), [300], from: 3000).Anomalies);
    }

    [Fact]
    public void A_change_of_configuration_clears_what_stands()
    {
        var rig = Feed(Site(Slow).Start(), [.. Load(1, 3000), 300]);
        rig.Pipeline.Close(MadeUp.At(3001));
        Assert.Equal([true, false], rig.Anomalies.Where(a => RowOf(a.Since) == 3000).Select(a => a.Raised));
    }

    [Fact]
    public void A_state_that_knows_no_learning_is_taken_over_and_the_learning_begins()
    {
        var without = new TestSite { Zone = "UTC" }.Device("fan").Gauge("current", "A", Slow).Start();
        Feed(without, Load(1, 1000));
        var rig = Feed(Site(Slow).Start().Load(without.Save()), Load(2, 100), from: 1000);
        Assert.True(rig.Pipeline.LearntBytes == 0 && rig.Save().Length > without.Save().Length + 1000);
        Assert.InRange(rig.Pipeline.LearntBytes, 1000, 8192);
    }

    [Fact]
    public void Nothing_is_allocated_for_a_sample()
    {
        var site = Site(1, Watch(1e-4)).Build();
        var detector = Detectors.Create(new DetectorContext(site, site.Points[0], site.Points[0].Detectors[0], new LastGood(1)));
        var values = MadeUp.Wander(1, 600_000, 0.5);
        Run(0, 300_000);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var records = Run(300_000, 600_000);
        Assert.Equal(0, records);

        // The runtime takes some hundred bytes when it compiles a method anew.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1000);

        int Run(int from, int to)
        {
            var found = 0;
            for (var i = from; i < to; i++)
            {
                found += detector.Observe(new Sample(0, new(MadeUp.Monday.UnixMilliseconds + (i * 1000L)), values[i], 0, Quality.Good)) is null ? 0 : 1;
            }

            return found;
        }
    }
}
