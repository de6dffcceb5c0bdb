using EdgeGateway.Core.Polling;
using FsCheck;
using FsCheck.Fluent;

namespace EdgeGateway.Tests.Polling;

/// <summary>How long devices take, and how long it is worth to wait for them.</summary>
public sealed class LatencyTests
{
    private static readonly TimeSpan Floor = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan Ceiling = TimeSpan.FromSeconds(2);

    [Fact]
    public void A_quantile_is_never_too_small_and_at_most_an_eighth_too_large() =>
        Prop.ForAll<NonEmptyArray<uint>, byte>((values, part) => CheckQuantile([.. values.Get], part / 255.0)).QuickCheckThrowOnFailure();

    private static void CheckQuantile(uint[] values, double share)
    {
        var histogram = new LatencyHistogram();
        foreach (var value in values)
        {
            histogram.Add(TimeSpan.FromMicroseconds(value));
        }

        var sorted = values.Order().ToArray();
        var exact = (double)sorted[Math.Max((int)Math.Ceiling(share * sorted.Length), 1) - 1];
        var found = histogram.Quantile(share).TotalMicroseconds;
        if (share > 0)
        {
            Assert.InRange(found, exact, (exact * 1.125) + 1);
        }

        Assert.Equal((double)sorted[^1], histogram.Longest.TotalMicroseconds);
        Assert.InRange(found, 0, sorted[^1]);
    }

    [Fact]
    public void A_histogram_forgets_what_is_long_ago_but_for_the_longest()
    {
        var histogram = new LatencyHistogram();
        for (var i = 0; i < 4000; i++)
        {
            histogram.Add(TimeSpan.FromMilliseconds(900));
        }

        for (var i = 0; i < 40_000; i++)
        {
            histogram.Add(TimeSpan.FromMilliseconds(10));
        }

        Assert.InRange(histogram.Quantile(0.99).TotalMilliseconds, 10, 11.3);
        Assert.Equal(900, histogram.Longest.TotalMilliseconds);
        Assert.InRange(histogram.Count, 2048, 4096);
    }

    [Fact]
    public void Nothing_was_measured_and_nothing_is_said()
    {
        var histogram = new LatencyHistogram();
        Assert.Equal((TimeSpan.Zero, TimeSpan.Zero, 0), (histogram.Quantile(0.5), histogram.Longest, histogram.Count));
    }

    [Fact]
    public void The_limit_is_the_ceiling_until_enough_answers_came()
    {
        var estimate = new LatencyEstimate();
        for (var i = 0; i < LatencyEstimate.AnswersNeeded; i++)
        {
            Assert.Equal(Ceiling, estimate.Limit(Floor, Ceiling, 0));
            estimate.Answered(TimeSpan.FromMilliseconds(20));
        }

        Assert.Equal(Floor, estimate.Limit(Floor, Ceiling, 0));
    }

    [Fact]
    public void Each_failure_doubles_the_limit_up_to_the_ceiling()
    {
        var estimate = Steady(20);
        Assert.Equal([200, 400, 800, 1600, 2000, 2000], Enumerable.Range(0, 6).Select(f => estimate.Limit(Floor, Ceiling, f).TotalMilliseconds));
        Assert.Equal(TimeSpan.FromMilliseconds(50), estimate.Limit(Floor, TimeSpan.FromMilliseconds(50), 0));
    }

    [Fact]
    public void It_is_never_less_than_three_times_what_most_answers_took()
    {
        var estimate = new LatencyEstimate();
        for (var i = 0; i < 2000; i++)
        {
            estimate.Answered(TimeSpan.FromMilliseconds(i % 20 == 0 ? 150 : 20));
        }

        Assert.InRange(estimate.Limit(Floor, Ceiling, 0).TotalMilliseconds, 450, 650);
    }

    [Fact]
    public void A_device_whose_answers_vary_by_half_is_never_cut_off() =>
        Prop.ForAll<ushort>(seed => CheckJitter(new System.Random(seed))).Check(Config.QuickThrowOnFailure.WithMaxTest(50));

    private static void CheckJitter(System.Random random)
    {
        var middle = random.Next(1, 1000);
        var estimate = new LatencyEstimate();
        for (var i = 0; i < 3000; i++)
        {
            var latency = TimeSpan.FromMilliseconds(middle * (0.5 + random.NextDouble()));
            Assert.True(latency <= estimate.Limit(TimeSpan.Zero, TimeSpan.FromMinutes(1), 0));
            estimate.Answered(latency);
        }
    }

    [Fact]
    public void A_device_that_became_slow_is_heard_after_a_few_doublings_and_then_known()
    {
        var estimate = Steady(20);
        var failures = 0;
        var slow = TimeSpan.FromMilliseconds(700);
        var missed = 0;
        for (var i = 0; i < 100; i++)
        {
            if (slow <= estimate.Limit(Floor, Ceiling, failures))
            {
                failures = 0;
                estimate.Answered(slow);
            }
            else
            {
                failures++;
                missed++;
            }
        }

        Assert.InRange(missed, 1, 4);
    }

    private static LatencyEstimate Steady(double milliseconds)
    {
        var estimate = new LatencyEstimate();
        for (var i = 0; i < 100; i++)
        {
            estimate.Answered(TimeSpan.FromMilliseconds(milliseconds));
        }

        return estimate;
    }
}
