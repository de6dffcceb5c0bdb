using EdgeGateway.Core;

namespace EdgeGateway.Tests.Detection.Novelty;

/// <summary>Series of known making, a value every five minutes from a Monday on.</summary>
internal static class MadeUp
{
    public const int Day = 288;

    public static readonly Instant Monday = Instant.Parse("2026-03-02T00:00:00Z");

    public static Instant At(int row) => Monday + TimeSpan.FromMinutes(5 * row);

    /// <summary>Normally distributed, deviation 1.</summary>
    public static double Normal(Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());

    /// <summary>Noise that wanders.</summary>
    public static double[] Wander(int seed, int rows, double persistence = 0.9)
    {
        var random = new Random(seed);
        var value = 0.0;
        return [.. Enumerable.Range(0, rows).Select(_ => value = (persistence * value) + Normal(random))];
    }

    /// <summary>A belt that carries 40 to 60 by day and 5 at night, with noise; whole numbers if asked.</summary>
    public static double[] Shifts(int seed, int days, bool whole = false)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, days * Day).Select(i =>
        {
            var value = (i % Day) / 12 is >= 6 and < 22 ? 50 + (4 * Normal(random)) : 5 + (0.5 * Normal(random));
            return whole ? Math.Round(value) : value;
        })];
    }

    /// <summary>Values from integers, additions, multiplications and divisions only, the same bits on every machine; a value every five minutes, in <c>pauses</c> sometimes up to three days later.</summary>
    /// <param name="course"><c>belt</c>, <c>wander</c>, <c>pauses</c> (whole numbers), <c>far</c> (small changes of a large number), <c>growing</c>, <c>two-levels</c> or <c>wild</c>.</param>
    /// <param name="rows">Number of values.</param>
    public static IEnumerable<(Instant Time, double Value)> Exact(string course, int rows)
    {
        var random = 12345u;
        var row = 0;
        var wander = 0.0;
        for (var i = 0; i < rows; i++)
        {
            random = unchecked((random * 1664525u) + 1013904223u);
            wander = (0.95 * wander) + ((((random >> 8) % 1001) - 500.0) / 70);
            yield return (At(row), course switch
            {
                "belt" => ((i % Day) / 12 is >= 6 and < 22 ? 500 + wander : 50 + (wander / 10)) + (i is > 15_000 and < 15_040 ? 400 : 0),
                "wander" => wander,
                "pauses" => Math.Floor(wander / 4),
                "far" => -1e9 + (wander / 1000),
                "growing" => wander * (1 + (i / 10_000)),
                "two-levels" => (i / 7 % 2 * 100) + (wander / 50),
                "wild" => i % 5000 < 4000 ? 20 + ((random >> 20) % 4) : wander * wander * wander,
                _ => throw new ArgumentOutOfRangeException(nameof(course), course, "no such course"),
            });
            row += course == "pauses" && (random >> 12) % 997 == 0 ? (int)((random >> 9) % 900) : 1;
        }
    }
}
