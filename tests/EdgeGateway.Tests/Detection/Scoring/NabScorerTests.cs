using EdgeGateway.Core;
using EdgeGateway.Core.Detection.Scoring;

namespace EdgeGateway.Tests.Detection.Scoring;

public class NabScorerTests
{
    private static readonly Instant Start = Instant.Parse("2026-03-01T00:00:00Z");

    private static ScoredSeries Series(int rows, RowRange[] windows, IEnumerable<double> scores) => new(
        new("a/b.csv", "a", [.. Enumerable.Range(0, rows).Select(i => Start + TimeSpan.FromMinutes(5 * i))], new double[rows], windows), [.. scores]);

    // 100 rows, one window of rows 40 to 49; 15 rows of probation.
    private static ScoredSeries Case(params int[] detections) =>
        Series(100, [new(40, 49)], Enumerable.Range(0, 100).Select(i => detections.Contains(i) ? 1.0 : 0.0));

    // Figures of a scorer that agrees with the official one to 0.01.
    [Theory]
    [InlineData(new[] { 40 }, 1, 100)]
    [InlineData(new[] { 45 }, 0.85979, 92.990)]
    [InlineData(new[] { 49 }, 0.24824, 62.412)]
    [InlineData(new[] { 45, 46, 47 }, 0.85979, 92.990)]
    [InlineData(new[] { 20 }, -1.11, -5.5)]
    [InlineData(new[] { 90 }, -1.11, -5.5)]
    [InlineData(new[] { 52 }, -1.07505, -3.752)]
    [InlineData(new[] { 10, 20, 45, 52 }, 0.67474, 83.737)]
    [InlineData(new int[0], -1, 0)]
    public void Detections_are_worth_what_the_protocol_says(int[] detections, double raw, double score)
    {
        var scored = NabScorer.At(NabProfile.Standard, [Case(detections)], 0.5);
        Assert.Equal(raw, scored.Raw, 5);
        Assert.Equal(score, scored.Score, 3);
    }

    [Fact]
    public void The_other_profiles_weigh_false_alarms_and_misses_otherwise()
    {
        Assert.Equal(74.485, NabScorer.At(NabProfile.LowFalseAlarms, [Case(10, 20, 45, 52)], 0.5).Score, 3);
        Assert.Equal(89.158, NabScorer.At(NabProfile.LowMissed, [Case(10, 20, 45, 52)], 0.5).Score, 3);
    }

    [Fact]
    public void The_best_threshold_is_found_and_none_is_best_where_every_detection_costs()
    {
        var scored = Series(100, [new(40, 49)], Enumerable.Range(0, 100).Select(i => i switch { 45 => 0.8, 20 => 0.7, 49 => 0.9, _ => 0.0 }));
        var best = NabScorer.Best(NabProfile.Standard, [scored]);
        Assert.Equal((0.8, 1, 0, 1), (best.Threshold, best.Found, best.FalseAlarms, best.Windows));
        Assert.Equal(92.990, best.Score, 3);

        var wrong = NabScorer.Best(NabProfile.Standard, [Case(20)]);
        Assert.Equal((0, double.PositiveInfinity, 0), (wrong.Score, wrong.Threshold, wrong.FalseAlarms));
    }

    [Fact]
    public void A_constant_score_gives_nothing() =>
        Assert.Equal(0, NabScorer.Best(NabProfile.Standard, [Series(400, [new(200, 209)], Enumerable.Repeat(0.3, 400))]).Score);

    [Fact]
    public void A_series_without_windows_has_false_alarms_but_no_score()
    {
        var scored = NabScorer.At(NabProfile.Standard, [Series(100, [], Enumerable.Range(0, 100).Select(i => i == 50 ? 1.0 : 0.0))], 0.5);
        Assert.True(double.IsNaN(scored.Score));
        Assert.Equal((-0.11, 1, 0), (scored.Raw, scored.FalseAlarms, scored.Windows));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void The_sweep_finds_the_best_of_all_thresholds(int seed)
    {
        var random = new Random(seed);
        ScoredSeries[] all =
        [
            Series(300, [new(60, 80), new(150, 151)], Enumerable.Range(0, 300).Select(_ => random.Next(30) / 30.0)),
            Series(200, [new(100, 139)], Enumerable.Range(0, 200).Select(i => random.Next(30) / (i is >= 100 and < 110 ? 20.0 : 30.0))),
            Series(100, [], Enumerable.Range(0, 100).Select(_ => random.Next(25) / 30.0)),
        ];
        foreach (var profile in NabProfile.All)
        {
            var each = all.SelectMany(s => s.Scores).Distinct().Select(t => NabScorer.At(profile, all, t)).MaxBy(s => s.Raw);
            var best = NabScorer.Best(profile, all);
            Assert.Equal(Math.Max(each.Raw, -3 * profile.Missed), best.Raw, 9);
        }
    }

    [Fact]
    public void Alarms_are_counted_as_people_count_them()
    {
        var tally = AlarmTally.Of([Case(10, 20, 42, 45, 60, 90)], (_, row) => row is 10 or 20 or 42 or 45 or 60 or 90);
        Assert.Equal((5, 2, 1, 1), (tally.Alarms, tally.Right, tally.Windows, tally.Found));
        Assert.Equal((0.4, 1.0), (tally.Precision, tally.Recall));
        Assert.Equal(TimeSpan.FromMinutes(10), tally.MedianDelay);

        // 75 rows outside the window, 5 minutes each.
        Assert.Equal(75 * 5 / 1440.0, tally.Days, 9);
        Assert.Equal(3 / (75 * 5 / 1440.0), tally.FalseAlarmsPerDay, 9);
    }
}
