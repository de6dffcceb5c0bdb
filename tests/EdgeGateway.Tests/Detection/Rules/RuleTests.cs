using System.Globalization;
using EdgeGateway.Core;
using EdgeGateway.Core.Detection;
using EdgeGateway.Core.Detection.Rules;
using EdgeGateway.Core.Feed;
using EdgeGateway.Tests.LocalPath;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Tests.Detection.Rules;

/// <summary>Every rule of the table on a course with its fault.</summary>
public class RuleTests
{
    public static TheoryData<string> Names => [.. RuleTable.All.Select(r => r.Name)];

    [Fact]
    public void Every_rule_has_a_scenario_and_words()
    {
        Assert.Equal(RuleTable.All.Select(r => r.Name).Order(), RuleScenario.All.Select(s => s.Rule).Order());
        Assert.All(RuleTable.All, r => Assert.True(r.Words.Title.Length > 0 && r.Words.Likely.Length > 0 && r.Words.Step.Length > 0, r.Name));
        Assert.All(RuleTable.All, r => Assert.False(r.Words.Likely.EndsWith('.') || r.Words.Step.EndsWith('.'), r.Name));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void The_documentation_has_the_rule_with_its_limits(string name)
    {
        var rule = RuleTable.ByName[name];
        var row = Assert.Single(File.ReadAllLines(RepositoryFiles.At("docs/detectors.md")), l => l.StartsWith($"| `{name}` |", StringComparison.Ordinal)).Split('|')[3];
        foreach (var limit in new[] { rule.Warn, rule.Alarm }.Where(l => !double.IsNaN(l)))
        {
            Assert.Contains(limit.ToString(CultureInfo.InvariantCulture), row, StringComparison.Ordinal);
        }

        foreach (var (_, seconds) in new[] { (rule.Warn, rule.WarnSeconds), (rule.Alarm, rule.AlarmSeconds) }.Where(l => l.Item2 > 0))
        {
            Assert.Contains(seconds.ToString(CultureInfo.InvariantCulture) + " s", row, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_rule_is_silent_while_all_is_well_finds_its_fault_and_clears_it(string name)
    {
        var scenario = RuleScenario.Named(name);
        var rig = new Rig(scenario.Site(), transcribes: false);
        var step = 0;
        var raisedAt = -1;
        foreach (var values in scenario.Values())
        {
            scenario.Feed(rig, step, values);
            if (rig.Anomalies.Count > 0 && raisedAt < 0)
            {
                raisedAt = step;
            }

            step++;
        }

        Assert.True(rig.Anomalies.Count > 0, "nothing was found");
        Assert.InRange(raisedAt, scenario.Well, scenario.Well + scenario.Fault + 1);
        Assert.All(rig.Anomalies, a => Assert.Equal(name, a.Detector));
        var first = rig.Anomalies[0];
        Assert.True(first.Raised && first.Severity != Severity.Note);
        Assert.StartsWith(RuleTable.ByName[name].Words.Title, first.Text, StringComparison.Ordinal);
        Assert.Contains(RuleTable.ByName[name].Words.Likely, first.Text, StringComparison.Ordinal);
        Assert.EndsWith(RuleTable.ByName[name].Words.Step + ".", first.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("NaN", first.Text, StringComparison.Ordinal);
        Assert.False(rig.Anomalies[^1].Raised, "the finding was not cleared: " + rig.Anomalies[^1].Text);
        Assert.Single(rig.Anomalies, a => !a.Raised);
        Assert.All(rig.Anomalies, a => Assert.Equal(first.Since, a.Since));
    }

    [Fact]
    public void A_belt_that_follows_its_drive_up_under_load_is_no_jam()
    {
        var scenario = RuleScenario.Named("belt-jam") with { Course = () => (_, f) => Start(f > 0 ? Math.Min(1, 0.1 + (0.03 * f)) : 1, f > 0 ? 100 : 60), Fault = 30 };
        Assert.Empty(Course(scenario, static (_, _, value) => value));

        static double[] Start(double share, double amperes) => [2.5 * share, amperes, 50 * share];
    }

    [Fact]
    public void A_power_that_stands_still_is_told_once_and_not_again_as_energy_that_does_not_fit()
    {
        var energy = 1_000.0;
        var scenario = RuleScenario.Named("energy-power") with
        {
            Fault = 150,
            Course = () => (i, f) =>
            {
                var power = 40 + (i % 7);
                energy += power * 10.0 / 3_600;
                return [f > 0 ? 80 : power, energy];
            },
        };
        var site = scenario.Site();
        var watched = site.Points[^1];
        var rig = new Rig(site with { Points = [.. site.Points.SkipLast(1), watched with { Detectors = [.. watched.Detectors, new("stuck", new Dictionary<string, double>())] }] }, transcribes: false);
        foreach (var (step, values) in scenario.Values().Index())
        {
            scenario.Feed(rig, step, values);
        }

        Assert.Equal(["stuck", "stuck"], rig.Anomalies.Select(a => a.Detector));
    }

    /// <summary>One huge value of any input, early and late in the time in which all is well: it raises nothing, and the fault afterwards is found as without it.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void A_huge_value_is_no_finding_and_spoils_no_mean(string name)
    {
        var scenario = RuleScenario.Named(name);
        var plain = Course(scenario, static (_, _, value) => value);
        Assert.NotEmpty(plain);
        foreach (var huge in new[] { 1e38, -1e38, 1e20, double.MaxValue, double.PositiveInfinity, double.NaN })
        {
            for (var input = 0; input < scenario.Points.Length; input++)
            {
                // A state of 1e38 is on, as any that is not 0.
                if (!scenario.Points[input].EndsWith(":state", StringComparison.Ordinal))
                {
                    var spoilt = Course(scenario, (step, point, value) => point == input && (step == scenario.Well / 4 || step == scenario.Well - 40) ? huge : value);
                    AssertAlike(plain, spoilt, scenario, $"{scenario.Points[input]} {huge}");
                }
            }
        }
    }

    /// <summary>A garbled value that could be one, a thousand times too large; the rules that are told of a single value by their nature say so at once and end it at once.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void A_value_that_is_a_thousand_times_too_large_spoils_no_mean(string name)
    {
        var scenario = RuleScenario.Named(name);
        var plain = Course(scenario, static (_, _, value) => value);
        for (var input = 0; input < scenario.Points.Length; input++)
        {
            if (!scenario.Points[input].EndsWith(":state", StringComparison.Ordinal))
            {
                AssertAlike(plain, Course(scenario, (step, point, value) => point == input && step == scenario.Well / 4 ? 1_000 * Math.Max(1, Math.Abs(value)) : value), scenario, scenario.Points[input]);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Times_that_repeat_or_go_back_and_values_that_are_none_end_in_no_finding(string name)
    {
        var scenario = RuleScenario.Named(name);
        var rig = new Rig(scenario.Site(), transcribes: false);
        var values = scenario.Values().Take(scenario.Well).ToArray();
        for (var step = 0; step < values.Length; step++)
        {
            scenario.Feed(rig, step, values[step]);
            switch (step % 50)
            {
                case 10:
                    scenario.Feed(rig, step, values[step]);
                    break;
                case 20:
                    scenario.Feed(rig, Math.Max(0, step - 15), values[step]);
                    break;
                case 30:
                    scenario.Feed(rig, step, [.. values[step].Select(_ => double.NaN)]);
                    break;
                default:
                    break;
            }
        }

        Assert.Empty(rig.Anomalies);
    }

    private static List<(bool Raised, int Step)> Course(RuleScenario scenario, Func<int, int, double, double> with)
    {
        var rig = new Rig(scenario.Site(), transcribes: false);
        var step = 0;
        foreach (var values in scenario.Values())
        {
            scenario.Feed(rig, step, [.. values.Select((value, point) => with(step, point, value))]);
            step++;
        }

        return [.. rig.Anomalies.Where(a => a.Severity != Severity.Note).Select(a => (a.Raised, (int)((a.Time - RuleScenario.Start).TotalSeconds / scenario.Period)))];
    }

    /// <summary>The same findings in the same order: raised within a third of the fault's length (a window may begin anew), cleared within a sixth of the time from its beginning.</summary>
    private static void AssertAlike(List<(bool Raised, int Step)> plain, List<(bool Raised, int Step)> spoilt, RuleScenario scenario, string what)
    {
        Assert.True(plain.Select(p => p.Raised).SequenceEqual(spoilt.Select(p => p.Raised)), $"{what}: {Said(plain)} became {Said(spoilt)}");
        foreach (var (one, other) in plain.Zip(spoilt))
        {
            Assert.True(Math.Abs(one.Step - other.Step) <= Math.Max(5, one.Raised ? scenario.Fault / 3 : (scenario.Fault + scenario.After) / 6), $"{what}: {Said(plain)} became {Said(spoilt)}");
        }

        static string Said(List<(bool Raised, int Step)> course) => string.Join(' ', course.Select(c => $"{(c.Raised ? "+" : "-")}{c.Step}"));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_rule_that_is_restored_in_the_middle_answers_as_if_never_interrupted(string name)
    {
        var scenario = RuleScenario.Named(name);
        var whole = new Rig(scenario.Site());
        var rig = new Rig(scenario.Site());
        var before = new List<string>();
        var step = 0;
        foreach (var values in scenario.Values())
        {
            scenario.Feed(whole, step, values);
            scenario.Feed(rig, step, values);
            if (step % 37 == 36)
            {
                before.AddRange(rig.Transcript);
                rig = new Rig(scenario.Site()).Load(rig.Save());
            }

            step++;
        }

        Assert.NotEmpty(whole.Anomalies);
        Assert.Equal(whole.Transcript, [.. before, .. rig.Transcript]);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_finding_that_stands_ends_with_the_configuration_under_the_identity_it_was_raised_with(string name)
    {
        var scenario = RuleScenario.Named(name);
        var rig = new Rig(scenario.Site(), transcribes: false);
        var step = 0;
        foreach (var values in scenario.Values().TakeWhile(_ => rig.Anomalies.Count == 0))
        {
            scenario.Feed(rig, step++, values);
        }

        rig.Pipeline.ClockStepped(scenario.At(step), scenario.At(step) + TimeSpan.FromHours(1));
        rig.Pipeline.Close(scenario.At(step) + TimeSpan.FromHours(1));
        Assert.Equal([(true, rig.Anomalies[0].Since), (false, rig.Anomalies[0].Since)], rig.Anomalies.Select(a => (a.Raised, a.Since)));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_sample_allocates_nothing(string name)
    {
        var scenario = RuleScenario.Named(name);
        var rig = new Detached(scenario);
        double[][] well = [.. scenario.Values().Take(scenario.Well)];
        rig.Feed(well, 0);
        rig.Feed(well, well.Length);
        var before = GC.GetAllocatedBytesForCurrentThread();
        rig.Feed(well, 2 * well.Length);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    /// <summary>A detector by itself, without windows.</summary>
    private sealed class Detached
    {
        private readonly RuleScenario _scenario;
        private readonly LastGood _lastGood;
        private readonly IDetector _detector;
        private readonly int _watched;

        public Detached(RuleScenario scenario)
        {
            _scenario = scenario;
            var site = scenario.Site();
            _lastGood = new LastGood(site.Points.Count);
            _watched = site.Points.Count - 1;
            _detector = Detectors.Create(new DetectorContext(site, site.Points[_watched], site.Points[_watched].Detectors[0], _lastGood));
        }

        public void Feed(double[][] values, int from)
        {
            for (var i = 0; i < values.Length; i++)
            {
                var time = _scenario.At(from + i);
                for (var p = 0; p < _watched; p++)
                {
                    _lastGood.Set(p, values[i][p + 1], time.UnixMilliseconds);
                }

                _detector.Observe(new Sample(_watched, time, values[i][0], 0, Quality.Good));
            }
        }
    }
}
