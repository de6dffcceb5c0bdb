using EdgeGateway.Core;
using EdgeGateway.Core.Detection;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Site;
using EdgeGateway.Tests.LocalPath;

namespace EdgeGateway.Tests.Detection;

public class DetectorTests
{
    private static readonly Instant Start = Rig.At("2026-03-01T08:00:00Z");

    private static DetectorModel Model(string name, params (string Key, double Value)[] settings) =>
        new(name, settings.ToDictionary(s => s.Key, s => s.Value));

    private static Rig Watched(DetectorModel model, string unit = "A", double? span = null) => new TestSite().Device("fan")
        .Gauge("current", unit, with: p => p with { Detectors = [model], PublishSamples = true, PlausibleMin = span is null ? null : 0, PlausibleMax = span }).Start();

    private static Rig Feed(Rig rig, IEnumerable<double> values, int point = 0)
    {
        var second = 0;
        foreach (var value in values)
        {
            rig.Value(point, Start + TimeSpan.FromSeconds(second++), value);
        }

        return rig;
    }

    private static int SecondOf(AnomalyRecord record) => (int)(record.Time - Start).TotalSeconds;

    private static int SinceOf(AnomalyRecord record) => (int)(record.Since - Start).TotalSeconds;

    [Fact]
    public void A_limit_raises_after_its_delay_and_clears_below_its_dead_band()
    {
        var rig = Watched(Model("limit", ("high", 100), ("hysteresis", 5), ("onDelaySeconds", 3), ("offDelaySeconds", 2)));
        Feed(rig, [90, 101, 101, 99, 101, 102, 103, 104, 97, 98, 95, 94, 93, 92]);

        Assert.Equal([(true, 7, 4), (false, 12, 4)], rig.Anomalies.Select(a => (a.Raised, SecondOf(a), SinceOf(a))));
        Assert.Equal("current of FAN 104 A: above the limit of 100 A, for 3 s. Likely: load or setting changed. Watch it and find the cause before the alarm limit.", rig.Anomalies[0].Text);
        Assert.Equal((104, 100, "limit"), (rig.Anomalies[0].Value, rig.Anomalies[0].Limit, rig.Anomalies[0].Detector));
    }

    [Fact]
    public void A_limit_grows_from_warning_to_alarm_under_one_identity()
    {
        var rig = Feed(Watched(Model("limit", ("high", 100), ("highAlarm", 120), ("low", 10))), [50, 110, 130, 115, 90, 5]);
        Assert.Equal(
            [(true, Severity.Warning, 1), (true, Severity.Alarm, 1), (true, Severity.Warning, 1), (false, Severity.Warning, 1), (true, Severity.Warning, 5)],
            rig.Anomalies.Select(a => (a.Raised, a.Severity, SinceOf(a))));
        Assert.Contains("below the limit of 10 A", rig.Anomalies[4].Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_value_within_limits_is_told_to_nobody() =>
        Assert.Empty(Feed(Watched(Model("limit", ("high", 100), ("low", 10), ("lowAlarm", 5))), Enumerable.Range(0, 500).Select(i => 10.0 + (i % 91))).Anomalies);

    [Fact]
    public void A_limit_does_not_judge_what_is_out_of_range() =>
        Assert.Empty(Feed(Watched(Model("limit", ("high", 100)), span: 200), [50, 9999, 50]).Anomalies);

    [Fact]
    public void A_value_that_stays_beyond_what_is_plausible_is_a_failed_measurement()
    {
        var rig = Feed(Watched(Model("range", ("severity", 2), ("holdSeconds", 4)), unit: "mA", span: 21), [12, 22, 12, 22, 22, 22, 22, 22, 22, 12, 12, 12, 12, 12]);
        Assert.Equal([(true, Severity.Alarm, 7, 3), (false, Severity.Alarm, 13, 3)], rig.Anomalies.Select(a => (a.Raised, a.Severity, SecondOf(a), SinceOf(a))));
        Assert.StartsWith("current of FAN 22 mA: above all that is plausible (21 mA), for 4 s. Likely: the sensor, its wiring or its scaling has failed.", rig.Anomalies[0].Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_frozen_signal_is_found_and_its_samples_become_uncertain()
    {
        var rig = Watched(Model("stuck", ("tolerance", 0.1), ("windowSeconds", 10)));
        Feed(rig, [40, 41, 42, .. Enumerable.Repeat(42.05, 12), 44]);
        Assert.Equal([(true, 12, 2), (false, 15, 2)], rig.Anomalies.Select(a => (a.Raised, SecondOf(a), SinceOf(a))));
        Assert.StartsWith("current of FAN frozen at 42.05 A for 10 s", rig.Anomalies[0].Text, StringComparison.Ordinal);
        Assert.Equal([12, 13, 14], rig.Samples.Where(s => s.Quality.Reason == QualityReason.Stuck).Select(s => (int)(s.Time - Start).TotalSeconds));
    }

    [Fact]
    public void A_signal_that_moves_or_is_off_is_not_stuck()
    {
        Assert.Empty(Feed(Watched(Model("stuck", ("tolerance", 0.1))), Enumerable.Range(0, 1000).Select(i => 5 + (i % 2 * 0.2))).Anomalies);
        Assert.Empty(Feed(Watched(Model("stuck", ("tolerance", 0.1))), Enumerable.Repeat(0.0, 1000)).Anomalies);
    }

    [Fact]
    public void A_frozen_signal_needs_five_minutes_when_nothing_is_set()
    {
        Assert.Empty(Feed(Watched(Model("stuck")), Enumerable.Repeat(5.0, 300)).Anomalies);
        Assert.Single(Feed(Watched(Model("stuck")), Enumerable.Repeat(5.0, 301)).Anomalies);
    }

    [Fact]
    public void A_single_jump_is_a_spike_told_one_sample_late()
    {
        var calm = Enumerable.Range(0, 40).Select(i => 100 + (i % 3));
        var rig = Feed(Watched(Model("spike"), span: 1000), [.. calm, 880, 101, 100]);
        var note = Assert.Single(rig.Anomalies);
        Assert.Equal((Severity.Note, 41, 40, 880.0), (note.Severity, SecondOf(note), SinceOf(note), note.Value));
        Assert.Contains("single jump from 100 A to 880 A, back at once", note.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_step_is_no_spike() =>
        Assert.Empty(Feed(Watched(Model("spike"), span: 1000), [.. Enumerable.Repeat(100.0, 40), .. Enumerable.Repeat(880.0, 40)]).Anomalies);

    [Fact]
    public void Noise_is_no_spike()
    {
        var random = new Random(3);
        Assert.Empty(Feed(Watched(Model("spike"), span: 1000), Enumerable.Range(0, 5000).Select(_ => 100 + (random.NextDouble() * 100))).Anomalies);
    }

    [Fact]
    public void Spikes_that_repeat_are_counted_in_the_next_note()
    {
        var values = Enumerable.Range(0, 1300).Select(i => i >= 40 && i % 10 == 0 ? 880 : 100.0 + (i % 3));
        var rig = Feed(Watched(Model("spike"), span: 1000), values);
        Assert.Equal(3, rig.Anomalies.Count);
        Assert.Contains("60 such jumps since the last note", rig.Anomalies[1].Text, StringComparison.Ordinal);
    }

    private static Rig Conveyor(params (string Key, double Value)[] settings) => new TestSite()
        .Device("drive").Gauge("speed", "m/s")
        .Device("bc-07").Gauge("belt_speed", "m/s", with: p => p with
        {
            Detectors = [Model("slip", settings) with { Points = new Dictionary<string, string> { ["drive"] = "drive.speed" } }],
        }).Start();

    private static void Run(Rig rig, int from, int to, double drive, double belt)
    {
        for (var s = from; s < to; s++)
        {
            rig.Value(0, Start + TimeSpan.FromSeconds(s), drive).Value(1, Start + TimeSpan.FromSeconds(s), belt);
        }
    }

    [Fact]
    public void Slip_raises_an_alarm_with_both_speeds()
    {
        var rig = Conveyor();
        Run(rig, 0, 10, 2.5, 2.49);
        Run(rig, 10, 20, 2.5, 2.15);
        Run(rig, 20, 30, 2.5, 2.5);
        Assert.Equal([(true, Severity.Alarm, 12, 10), (false, Severity.Alarm, 25, 10)], rig.Anomalies.Select(a => (a.Raised, a.Severity, SecondOf(a), SinceOf(a))));
        Assert.Equal("Belt slip 14.0 % on BC-07 (limit 10.0 %): drive 2.5 m/s, belt 2.15 m/s, for 2 s. Likely: wet lagging, low tension, overload. Stop loading, check the take-up.", rig.Anomalies[0].Text);
        Assert.Equal(2.25, rig.Anomalies[0].Limit, 12);
        Assert.Equal(1, rig.Anomalies[0].Point);
    }

    [Fact]
    public void A_little_slip_is_a_warning_after_five_seconds()
    {
        var rig = Conveyor();
        Run(rig, 0, 4, 2.5, 2.3);
        Run(rig, 4, 8, 2.5, 2.5);
        Assert.Empty(rig.Anomalies);
        Run(rig, 8, 16, 2.5, 2.3);
        Assert.Equal((Severity.Warning, 13), (Assert.Single(rig.Anomalies).Severity, SecondOf(rig.Anomalies[0])));
    }

    [Fact]
    public void No_slip_is_found_while_the_drive_stands_or_is_not_heard()
    {
        var rig = Conveyor();
        Run(rig, 0, 20, 0.05, 0);
        Assert.Empty(rig.Anomalies);
        rig.Value(0, Start + TimeSpan.FromSeconds(20), 2.5);
        for (var s = 24; s < 40; s++)
        {
            rig.Value(1, Start + TimeSpan.FromSeconds(s), 0.5);
        }

        Assert.Empty(rig.Anomalies);
    }

    [Fact]
    public void Slip_ends_when_the_drive_stops()
    {
        var rig = Conveyor(("ratio", 0.05));
        Run(rig, 0, 10, 50, 1.0);
        Run(rig, 10, 11, 0, 0);
        Assert.Equal([true, false], rig.Anomalies.Select(a => a.Raised));
        Assert.Contains("drive stopped", rig.Anomalies[1].Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(-3_600)]
    [InlineData(86_400)]
    public void A_finding_is_cleared_under_the_identity_it_was_raised_with_though_the_clock_was_set_between(int step)
    {
        var limit = Feed(Watched(Model("limit", ("high", 100), ("highAlarm", 120))), [90, 110]);
        Set(limit, 2, step);
        limit.Value(0, After(3, step), 130).Load(limit.Save()).Value(0, After(4, step), 50);
        Assert.Equal([(true, 1), (true, 1), (false, 1)], limit.Anomalies.Select(a => (a.Raised, SinceOf(a))));
        Assert.Contains("after 3 s", limit.Anomalies[2].Text, StringComparison.Ordinal);

        var stuck = Feed(Watched(Model("stuck", ("tolerance", 0.1), ("windowSeconds", 10))), Enumerable.Repeat(42.0, 12));
        Set(stuck, 12, step);
        stuck.Value(0, After(13, step), 44);
        Assert.Equal([(true, 0), (false, 0)], stuck.Anomalies.Select(a => (a.Raised, SinceOf(a))));
        Assert.Contains("after 13 s", stuck.Anomalies[1].Text, StringComparison.Ordinal);

        var slip = Conveyor();
        Run(slip, 0, 5, 2.5, 2.15);
        Set(slip, 5, step);
        Run(slip, step + 6, step + 15, 2.5, 2.5);
        Assert.Equal([(true, 0), (false, 0)], slip.Anomalies.Select(a => (a.Raised, SinceOf(a))));

        static Instant After(int seconds, int step) => Start + TimeSpan.FromSeconds(seconds + step);

        static void Set(Rig rig, int at, int step) => rig.Pipeline.ClockStepped(Start + TimeSpan.FromSeconds(at), After(at, step));
    }

    [Fact]
    public void A_change_of_configuration_clears_what_stands_raised_and_nothing_else()
    {
        var stuck = Model("stuck", ("tolerance", 0.1), ("windowSeconds", 10));
        var slip = Model("slip") with { Points = new Dictionary<string, string> { ["drive"] = "speed" } };
        var rig = new TestSite().Device("fan")
            .Gauge("speed", with: p => p with { Detectors = [Model("limit", ("high", 100), ("low", 60), ("offDelaySeconds", 60)), stuck] })
            .Gauge("belt", with: p => p with { Detectors = [slip, Model("limit", ("high", 1e6))] })
            .Counter(rate: 1).Start();
        Feed(rig, [.. Enumerable.Repeat(110.0, 12)]);
        rig.Value(0, Start + TimeSpan.FromSeconds(12), 50);
        rig.Raw(2, Start + TimeSpan.FromSeconds(12), 100).Raw(2, Start + TimeSpan.FromSeconds(13), 10_000_000);
        for (var s = 12; s < 16; s++)
        {
            rig.Value(0, Start + TimeSpan.FromSeconds(s), 50).Value(1, Start + TimeSpan.FromSeconds(s), 10);
        }

        var before = rig.Anomalies.Count;
        rig.Pipeline.Close(Start + TimeSpan.FromSeconds(20));

        var ended = rig.Anomalies.Skip(before).ToList();
        Assert.Equal(
            [(0, "limit", 0, Severity.Warning), (0, "limit", 12, Severity.Warning), (1, "slip", 12, Severity.Alarm), (2, "counter-jump", 13, Severity.Warning)],
            ended.Select(a => (a.Point, a.Detector, SinceOf(a), a.Severity)));
        Assert.All(ended, a => Assert.Equal((false, 20), (a.Raised, SecondOf(a))));
        Assert.All(ended, a => Assert.Contains("change of configuration", a.Text, StringComparison.Ordinal));
        Assert.Equal(
            rig.Anomalies.Where(a => a.Raised).Select(a => (a.Point, a.Detector, a.Since)).Distinct().Order(),
            rig.Anomalies.Where(a => !a.Raised).Select(a => (a.Point, a.Detector, a.Since)).Order());
    }

    [Theory]
    [InlineData("limit", "hihg", null, "no setting 'hihg'")]
    [InlineData("limt", "high", null, "unknown detector 'limt'")]
    [InlineData("slip", "ratio", null, "needs the point 'drive'")]
    [InlineData("slip", "ratio", "fan.speed", "no point 'fan.speed'")]
    [InlineData("slip", "ratio", "nobody.speed", "no point 'nobody.speed'")]
    public void Faulty_settings_are_named(string name, string setting, string? drive, string expected)
    {
        var model = Model(name, (setting, 1)) with { Points = drive is null ? new() : new Dictionary<string, string> { ["drive"] = drive } };
        var site = new TestSite().Device("fan").Gauge("current").Build();
        Assert.Contains(expected, Detectors.FindFault(site, site.Points[0], model), StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => Watched(model));
    }

    [Theory]
    [InlineData("limit", "high,33;low,20;onDelaySeconds,1;offDelaySeconds,3")]
    [InlineData("stuck", "tolerance,3;windowSeconds,20")]
    [InlineData("spike", "quietSeconds,5;factor,2")]
    public void A_restored_detector_answers_as_if_never_interrupted(string name, string settings)
    {
        var model = Model(name, [.. settings.Split(';').Select(s => s.Split(',')).Select(s => (s[0], double.Parse(s[1])))]);
        var random = new Random(11);
        double[] values = [.. Enumerable.Range(0, 2000).Select(i => i % 200 < 40 ? 30 : 30 + (random.NextDouble() * (i % 7 == 0 ? 60 : 5)))];
        var whole = Feed(Watched(model), values);
        var rig = Watched(model);
        var before = new List<string>();
        for (var i = 0; i < values.Length; i++)
        {
            rig.Value(0, Start + TimeSpan.FromSeconds(i), values[i]);
            if (i % 13 == 0)
            {
                before.AddRange(rig.Transcript);
                rig = Watched(model).Load(rig.Save());
            }
        }

        Assert.NotEmpty(whole.Anomalies);
        Assert.Equal(whole.Transcript, [.. before, .. rig.Transcript]);
    }
}
