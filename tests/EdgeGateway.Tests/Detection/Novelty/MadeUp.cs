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
}
