using EdgeGateway.Soaking;

namespace EdgeGateway.Tests.Soaking;

/// <summary>Made-up series: what must be called a leak, and what must not.</summary>
public sealed class TrendTests
{
    private const double Tolerance = 2;

    [Fact]
    public void A_slope_is_the_median_of_all_pairs_and_an_outlier_does_not_move_it()
    {
        // By hand: 1, 1, 1 on the line; 30/3, 29/2 and 28/1 with the outlier. The median lies between 1 and 10.
        Assert.Equal(5.5, TheilSen.Of([(0, 0), (1, 1), (2, 2), (3, 30)], 0).Value, 12);
        Assert.Equal(1, TheilSen.Of([(0, 0), (1, 1), (2, 2), (3, 30), (4, 4)], 0).Value, 12);
    }

    [Fact]
    public void A_line_has_its_slope_at_any_confidence()
    {
        (double, double)[] line = [.. Enumerable.Range(0, 30).Select(i => ((double)i, 3.0 * i))];
        var slope = TheilSen.Of(line, TheilSen.NinetyNinePercent);
        Assert.Equal(new TheilSen(3, 3, 3), slope);
    }

    [Fact]
    public void A_leak_grows_whatever_noise_lies_on_it() =>
        Assert.All(Enumerable.Range(1, 50), seed => Assert.Equal(TrendVerdict.Grows, Of(seed, 360, 3_600, (t, noise) => 40 + (6 * t) + noise).Verdict));

    [Fact]
    public void A_leak_in_steps_grows() =>
        Assert.Equal(TrendVerdict.Grows, Of(1, 360, 3_600, (t, noise) => 40 + Math.Floor(t * 20) + (0.1 * noise)).Verdict);

    [Fact]
    public void A_leak_below_collections_that_come_and_go_grows() =>
        Assert.Equal(TrendVerdict.Grows, Of(1, 720, 7_200, (t, noise) => 40 + (10 * t) + (8 * Tooth(t * 37)) + (0.2 * noise)).Verdict);

    [Fact]
    public void A_leak_of_one_handle_every_five_minutes_grows() =>
        Assert.Equal(TrendVerdict.Grows, Of(1, 360, 3_600, (t, _) => 100 + Math.Floor(t * 12)).Verdict);

    [Fact]
    public void Noise_around_a_level_is_steady() =>
        Assert.All(Enumerable.Range(1, 200), seed => Assert.Equal(TrendVerdict.Steady, Of(seed, 360, 3_600, (_, noise) => 40 + (3 * noise)).Verdict));

    [Fact]
    public void A_saw_tooth_of_two_and_a_half_teeth_or_more_is_steady_wherever_the_soak_began()
    {
        for (var teeth = 2.5; teeth < 300; teeth *= 1.02)
        {
            for (var phase = 0.0; phase < 1; phase += 0.1)
            {
                Assert.True(Of(1, 360, 3_600, (t, noise) => 40 + (20 * Tooth((t * teeth) + phase)) + (0.2 * noise)).Verdict == TrendVerdict.Steady, $"{teeth} teeth from {phase}");
            }
        }
    }

    [Fact]
    public void A_level_that_is_reached_is_no_leak()
    {
        foreach (var part in (double[])[0.02, 0.05, 0.1, 0.15])
        {
            Assert.Equal(TrendVerdict.Steady, Of(1, 360, 3_600, (t, noise) => 40 + (30 * (1 - Math.Exp(-t / part))) + (0.2 * noise)).Verdict);
        }
    }

    [Fact]
    public void One_step_is_no_leak() =>
        Assert.All((double[])[0.1, 0.3, 0.5, 0.7, 0.9], at => Assert.Equal(TrendVerdict.Steady, Of(1, 360, 3_600, (t, noise) => (t > at ? 60 : 40) + (0.2 * noise)).Verdict));

    [Fact]
    public void What_shrinks_is_steady() => Assert.Equal(TrendVerdict.Steady, Of(1, 360, 3_600, (t, noise) => 60 - (10 * t) + noise).Verdict);

    [Fact]
    public void Growth_below_the_tolerance_is_of_no_interest_and_the_trend_says_what_it_could_not_see()
    {
        var trend = Of(1, 360, 3_600, (t, noise) => 40 + t + (0.01 * noise));
        Assert.Equal(TrendVerdict.Steady, trend.Verdict);
        Assert.Equal(1 * 24, trend.PerDay, 0.5);
        Assert.True(trend.LowPerDay > 0);
        Assert.InRange(trend.SmallestPerDay, Tolerance * 24, (Tolerance + 0.1) * 24);
    }

    [Fact]
    public void A_few_looks_say_nothing()
    {
        var trend = Of(1, 23, 230, (t, _) => 40 + (100 * t));
        Assert.Equal(TrendVerdict.TooShort, trend.Verdict);
        Assert.Equal(TrendVerdict.TooShort, Trend.Of([], Tolerance).Verdict);
    }

    // Time within the soak from 0 to 1, and noise evenly from -1 to 1.
    private static Trend Of(int seed, int looks, double seconds, Func<double, double, double> value)
    {
        var random = new Random(seed);
        return Trend.Of([.. Enumerable.Range(0, looks).Select(i => (i * seconds / looks, value((double)i / looks, (random.NextDouble() * 2) - 1)))], Tolerance);
    }

    private static double Tooth(double t) => t - Math.Floor(t);
}
