using EdgeGateway.Core.Accounting.Statements;

namespace EdgeGateway.Core.Accounting.Forecasting;

/// <summary>One of the methods that a forecast is chosen from, and how it did in the trials.</summary>
/// <param name="Name"><c>grey</c>, <c>grey-fractional</c>, <c>seasonal-naive</c> or <c>holt-winters-damped</c>.</param>
/// <param name="Error">Mean absolute error of a step over all trials, in the unit of the series; NaN when it could not be tried.</param>
/// <param name="Refusal">Why it could not be tried; null when it was.</param>
public sealed record ForecastCandidate(string Name, double Error, string? Refusal);

/// <summary>One step of a forecast.</summary>
/// <param name="Value">What is expected.</param>
/// <param name="Low">Lower end of the interval.</param>
/// <param name="High">Upper end.</param>
public readonly record struct ForecastStep(double Value, double Low, double High);

/// <summary>What is expected of the steps to come, and how sure that is.</summary>
/// <param name="Method">Name of the method that did best in the trials.</param>
/// <param name="Steps">The steps, each with its own interval.</param>
/// <param name="Total">Their sum; its interval is from the errors of sums, which is narrower than the sum of the intervals of the steps.</param>
/// <param name="Trials">Points in the past from which each method had to forecast what then came.</param>
/// <param name="Candidates">All methods and how they did.</param>
public sealed record Forecast(string Method, IReadOnlyList<ForecastStep> Steps, ForecastStep Total, int Trials, IReadOnlyList<ForecastCandidate> Candidates);

/// <summary>
/// Forecasts a series by the method that would have forecast its own past best: GM(1,1), GM(1,1) of fractional order, the value of a season ago, or damped Holt-Winters. Each is tried from
/// several points of the past with what was known then and nothing else (a rolling back-test); the errors of the best give the interval.
/// </summary>
/// <remarks>The order of a fractional model is chosen anew in each trial, from that trial's past alone. The same series always gives the same forecast.</remarks>
public static class Forecaster
{
    /// <summary>Fewest points in the past from which the methods are tried.</summary>
    public const int LeastTrials = 4;

    /// <summary>Share of cases that the interval means to hold, percent.</summary>
    public const int IntervalPercent = 95;

    private const int MostTrials = 12;

    // Grey models are for short series, and reach half as far as they have seen.
    private const int GreyWindow = 60;

    // Student's t, 97.5 %, for 4 to 12 errors with a mean of zero assumed.
    private static readonly double[] Quantiles = [2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179];

    private static readonly (string Name, Func<int, int, int> Least, Method Run)[] Methods =
    [
        ("seasonal-naive", (season, _) => season, SeasonalNaive),
        ("holt-winters-damped", (season, _) => Math.Max(2 * season, GreyModel.LeastValues), HoltWinters.Forecast),
        ("grey", (_, horizon) => Math.Max(GreyModel.LeastValues, 2 * horizon), (series, _, horizon) => GreyModel.Fit(Recent(series, horizon)).Forecast(horizon)),
        ("grey-fractional", (_, horizon) => Math.Max(GreyModel.LeastValues + 2, 2 * horizon), Fractional),
    ];

    private delegate IReadOnlyList<double> Method(ReadOnlySpan<double> series, int season, int horizon);

    /// <summary>Fewest values from which a forecast of so many steps can be tried and made.</summary>
    /// <param name="season">Steps after which the pattern repeats; 1 for none.</param>
    /// <param name="horizon">Steps to forecast.</param>
    public static int LeastHistory(int season, int horizon)
    {
        var least = Math.Max(2 * horizon, 2 * LeastTrials);
        while (EarliestOrigin(least, season, horizon) + LeastTrials - 1 > least - horizon)
        {
            least++;
        }

        return least;
    }

    /// <summary>Forecasts.</summary>
    /// <param name="series">The past, equally spaced in time, oldest first.</param>
    /// <param name="season">Steps after which the pattern repeats: 7 for days, 12 for months; 1 for none.</param>
    /// <param name="horizon">Steps to forecast, at least 1.</param>
    /// <exception cref="EmissionRefusedException">The past is too short to try so far a forecast on it (at least twice the horizon), a value is no number, or no method could be tried.</exception>
    public static Forecast Make(ReadOnlySpan<double> series, int season, int horizon)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(season, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(horizon, 1);
        if (LeastHistory(season, horizon) is var history && series.Length < history)
        {
            throw new EmissionRefusedException(new Refusal("history", horizon, history, series.Length));
        }

        foreach (var value in series)
        {
            if (!double.IsFinite(value))
            {
                throw new EmissionRefusedException(new Refusal("no-number"));
            }
        }

        var origins = Origins(series.Length, season, horizon);
        var trials = new List<(Trial Trial, int Method)>();
        var candidates = new ForecastCandidate[Methods.Length];
        for (var i = 0; i < Methods.Length; i++)
        {
            var (name, needed, run) = Methods[i];
            try
            {
                var least = needed(season, horizon);
                var trial = least > origins[0]
                    ? throw new EmissionRefusedException($"It needs {least} values before the first trial, there are {origins[0]}.")
                    : Try(series, season, horizon, origins, run);
                _ = run(series, season, horizon); // One that has no answer now is no choice.
                trials.Add((trial, i));
                candidates[i] = new(name, trial.Error, null);
            }
            catch (EmissionRefusedException e)
            {
                candidates[i] = new(name, double.NaN, e.Message);
            }
        }

        if (trials.Count == 0)
        {
            throw new EmissionRefusedException(new Refusal("no-method", string.Join(", ", candidates.Select(c => c.Name))));
        }

        // Of equals the first of the table, which is the simpler one.
        var (best, method) = trials.MinBy(t => t.Trial.Error);
        var floor = series.IndexOfAnyExceptInRange(0, double.MaxValue) < 0 ? 0 : double.NegativeInfinity;
        var quantile = Quantiles[origins.Count - LeastTrials];
        var course = Methods[method].Run(series, season, horizon);
        ForecastStep Step(double value, double spread) => new(value, Math.Max(Math.Min(value, floor), value - (quantile * spread)), value + (quantile * spread));
        return new(
            Methods[method].Name,
            [.. course.Select((value, h) => Step(value, best.StepSpread[h]))],
            Step(course.Sum(), best.SumSpread),
            origins.Count,
            candidates);
    }

    /// <summary>The value of one season ago.</summary>
    internal static IReadOnlyList<double> SeasonalNaive(ReadOnlySpan<double> series, int season, int horizon)
    {
        if (series.Length < season)
        {
            throw new EmissionRefusedException($"There is no whole season of {season} values.");
        }

        var course = new double[horizon];
        for (var h = 0; h < horizon; h++)
        {
            course[h] = series[series.Length - season + (h % season)];
        }

        return course;
    }

    private static IReadOnlyList<double> Fractional(ReadOnlySpan<double> series, int season, int horizon)
    {
        var recent = Recent(series, horizon);
        return GreyModel.Fit(recent, GreyModel.ChooseOrder(recent)).Forecast(horizon);
    }

    private static ReadOnlySpan<double> Recent(ReadOnlySpan<double> series, int horizon) => series[^Math.Min(series.Length, Math.Max(GreyWindow, 2 * horizon))..];

    /// <summary>Fewest values before a trial: half of what can be known, and twice the horizon where that leaves enough trials, because grey models reach half as far as they have seen.</summary>
    private static int EarliestOrigin(int length, int season, int horizon)
    {
        var earliest = Math.Max(Math.Max(GreyModel.LeastValues, season), (length - horizon) / 2);
        var reached = Math.Max(earliest, 2 * horizon);
        return reached + LeastTrials - 1 <= length - horizon ? reached : earliest;
    }

    /// <summary>Numbers of values that were known at each trial: evenly spread over the later half.</summary>
    private static List<int> Origins(int length, int season, int horizon)
    {
        var (first, last) = (EarliestOrigin(length, season, horizon), length - horizon);
        var count = Math.Min(MostTrials, last - first + 1);
        return [.. Enumerable.Range(0, count).Select(i => first + (int)((long)i * (last - first) / (count - 1)))];
    }

    private static Trial Try(ReadOnlySpan<double> series, int season, int horizon, List<int> origins, Method run)
    {
        var (error, sums) = (0.0, 0.0);
        var steps = new double[horizon];
        foreach (var origin in origins)
        {
            var course = run(series[..origin], season, horizon);
            var sum = 0.0;
            for (var h = 0; h < horizon; h++)
            {
                var miss = series[origin + h] - course[h];
                error += Math.Abs(miss);
                steps[h] += miss * miss;
                sum += miss;
            }

            sums += sum * sum;
        }

        // A later step is never surer than an earlier one, whatever few trials happened to show.
        var spread = 0.0;
        for (var h = 0; h < horizon; h++)
        {
            spread = Math.Max(spread, Math.Sqrt(steps[h] / origins.Count));
            steps[h] = spread;
        }

        return new(error / (origins.Count * (double)horizon), Math.Sqrt(sums / origins.Count), steps);
    }

    private sealed record Trial(double Error, double SumSpread, double[] StepSpread);
}
