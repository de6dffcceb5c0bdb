namespace EdgeGateway.Core.Accounting.Forecasting;

/// <summary>Exponential smoothing of level, damped trend and additive season (Hyndman and Athanasopoulos, Forecasting: Principles and Practice, 3rd edition, 8.3).</summary>
/// <remarks>
/// Season 1 has no season: then it is the damped trend method of Gardner and McKenzie, 1985. The smoothing parameters are the ones of a fixed grid with the smallest squared error one step ahead, so
/// that every machine finds the same.
/// </remarks>
public static class HoltWinters
{
    private static readonly double[] Levels = [0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9];
    private static readonly double[] Trends = [0.01, 0.05, 0.1, 0.2];
    private static readonly double[] Seasons = [0.05, 0.1, 0.2, 0.4];
    private static readonly double[] Dampings = [0.8, 0.9, 0.95, 0.98];

    /// <summary>Continues a series.</summary>
    /// <param name="series">At least two seasons, and at least <see cref="GreyModel.LeastValues"/> values.</param>
    /// <param name="season">Steps after which the pattern repeats; 1 for none.</param>
    /// <param name="horizon">Steps after the last value.</param>
    /// <exception cref="EmissionRefusedException">The series is too short, or has a value that is no number.</exception>
    public static IReadOnlyList<double> Forecast(ReadOnlySpan<double> series, int season, int horizon)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(season, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(horizon);
        if (series.Length < Math.Max(2 * season, GreyModel.LeastValues))
        {
            throw new EmissionRefusedException($"Smoothing with a season of {season} needs at least {Math.Max(2 * season, GreyModel.LeastValues)} values, there are {series.Length}.");
        }

        foreach (var value in series)
        {
            if (!double.IsFinite(value))
            {
                throw new EmissionRefusedException("A series to be smoothed has a value that is no number.");
            }
        }

        var least = double.PositiveInfinity;
        var best = new double[horizon];
        var course = new double[horizon];
        foreach (var level in Levels)
        {
            foreach (var trend in Trends)
            {
                foreach (var damping in Dampings)
                {
                    foreach (var seasonal in season == 1 ? [0.0] : Seasons)
                    {
                        var error = Run(series, season, level, trend, seasonal, damping, course);
                        if (error < least)
                        {
                            least = error;
                            (best, course) = (course, best);
                        }
                    }
                }
            }
        }

        return best;
    }

    /// <summary>Smooths with given parameters and continues; returns the squared error one step ahead.</summary>
    private static double Run(ReadOnlySpan<double> series, int season, double alpha, double beta, double gamma, double phi, double[] course)
    {
        // The first season gives level and pattern, the second the slope: both are means, so that one odd value does not set the course.
        var first = Mean(series[..season]);
        var slope = season == 1 ? (series[GreyModel.LeastValues - 1] - series[0]) / (GreyModel.LeastValues - 1) : (Mean(series.Slice(season, season)) - first) / season;
        var (level, trend) = (season == 1 ? series[0] - slope : first, slope);
        var pattern = new double[season];
        for (var i = 0; season > 1 && i < season; i++)
        {
            pattern[i] = series[i] - first;
        }

        var squares = 0.0;
        for (var t = season == 1 ? 0 : season; t < series.Length; t++)
        {
            var place = t % season;
            var expected = level + (phi * trend);
            var error = series[t] - expected - pattern[place];
            squares += error * error;
            var next = (alpha * (series[t] - pattern[place])) + ((1 - alpha) * expected);
            if (season > 1)
            {
                pattern[place] = (gamma * (series[t] - expected)) + ((1 - gamma) * pattern[place]);
            }

            trend = (beta * (next - level)) + ((1 - beta) * phi * trend);
            level = next;
        }

        double sum = 0, power = 1;
        for (var h = 0; h < course.Length; h++)
        {
            power *= phi;
            sum += power;
            course[h] = level + (sum * trend) + pattern[(series.Length + h) % season];
        }

        return squares;
    }

    private static double Mean(ReadOnlySpan<double> values)
    {
        var sum = 0.0;
        foreach (var value in values)
        {
            sum += value;
        }

        return sum / values.Length;
    }
}
