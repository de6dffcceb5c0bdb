using EdgeGateway.Core.Detection.Novelty;
using EdgeGateway.Core.Detection.Scoring;

namespace EdgeGateway.Commands.Detecting;

/// <summary>Runs the product's novelty detector over labelled series and scores what it says.</summary>
internal sealed class DetectBench
{
    /// <summary>Budgets that are shown, in false alarms of a point a day.</summary>
    private static readonly double[] Budgets = [0.01, 0.03, 0.1, 0.3, 1];

    private readonly List<ScoredSeries> _scored = [];
    private readonly List<bool[]>[] _alarms = [.. Budgets.Select(_ => new List<bool[]>())];

    private readonly List<ScoredSeries> _yardstick = [];

    /// <summary>Every series with its scores.</summary>
    public IReadOnlyList<ScoredSeries> Scored => _scored;

    /// <summary>Runs a new detector over a series: one pass, in order.</summary>
    public void Run(LabelledSeries series, NoveltySettings settings, double scale, double offset)
    {
        var detector = new NoveltyDetector(settings);
        var budgets = Budgets.Select(b => new AlarmBudget(b)).ToArray();
        var alarms = Budgets.Select(_ => new bool[series.Values.Count]).ToArray();
        var scores = new double[series.Values.Count];
        for (var row = 0; row < scores.Length; row++)
        {
            var verdict = detector.Observe(series.Times[row], (scale * series.Values[row]) + offset);
            scores[row] = verdict.Score;
            for (var b = 0; b < budgets.Length; b++)
            {
                alarms[b][row] = budgets[b].Observe(verdict, detector.Period);
            }
        }

        _scored.Add(new(series, scores));
        _yardstick.Add(new(series, DistancesFromMean(series.Values)));
        for (var b = 0; b < budgets.Length; b++)
        {
            _alarms[b].Add(alarms[b]);
        }
    }

    /// <summary>The threshold of each profile that is best for all that was run.</summary>
    public IReadOnlyList<double> Thresholds() => [.. NabProfile.All.Select(p => NabScorer.Best(p, _scored).Threshold)];

    /// <summary>Scores all that was run.</summary>
    /// <param name="thresholds">Threshold of each profile; the best ones when absent.</param>
    public DetectBenchResult Result(IReadOnlyList<double>? thresholds = null)
    {
        var best = NabProfile.All.Zip(thresholds ?? Thresholds(), (p, at) => (p.Name, NabScorer.At(p, _scored, at))).ToList();
        var threshold = best[0].Item2.Threshold;
        var categories = new List<CategoryScore>();
        foreach (var category in _scored.Select(s => s.Series.Category).Distinct(StringComparer.Ordinal))
        {
            var own = _scored.Where(s => s.Series.Category == category).ToList();
            var others = NabScorer.Best(NabProfile.Standard, _scored.Where(s => s.Series.Category != category));
            var leftOut = NabScorer.At(NabProfile.Standard, own, others.Threshold);
            categories.Add(new(category, own.Count, NabScorer.At(NabProfile.Standard, own, threshold), leftOut));
        }

        return new(
            best,
            [.. NabProfile.All.Select(p => NabScorer.Best(p, _yardstick))],
            categories,
            [.. NabProfile.All.Select(p => (p.Name, LeftOut(p)))],
            AlarmTally.Of(_scored, (series, row) => _scored[series].Scores[row] >= threshold),
            [.. Budgets.Select((b, i) => (b, AlarmTally.Of(_scored, (series, row) => _alarms[i][series][row])))]);
    }

    /// <summary>Score of the whole when each category is scored at the threshold that is best for all others: no series has a part in its own threshold.</summary>
    private double LeftOut(NabProfile profile)
    {
        var (earned, most) = (0.0, 0.0);
        foreach (var category in _scored.Select(s => s.Series.Category).Distinct(StringComparer.Ordinal))
        {
            var others = NabScorer.Best(profile, _scored.Where(s => s.Series.Category != category));
            var score = NabScorer.At(profile, [.. _scored.Where(s => s.Series.Category == category)], others.Threshold);
            earned += score.Raw + (score.Windows * profile.Missed);
            most += score.Windows * (profile.Detection + profile.Missed);
        }

        return 100 * earned / most;
    }

    /// <summary>
    /// The plainest detector there is, to measure by and to check the scorer with: z / (z + 3), z = distance from the mean of all earlier values in their standard deviations.
    /// </summary>
    private static double[] DistancesFromMean(IReadOnlyList<double> values)
    {
        const int Silent = 50;
        var scores = new double[values.Count];
        var (count, mean, squares) = (0, 0.0, 0.0);
        for (var row = 0; row < scores.Length; row++)
        {
            if (!double.IsFinite(values[row]))
            {
                continue;
            }

            var distance = values[row] - mean;
            if (row >= Silent && squares > 0)
            {
                var z = Math.Abs(distance) / Math.Sqrt(squares / count);
                scores[row] = z / (z + 3);
            }

            count++;
            mean += distance / count;
            squares += distance * (values[row] - mean);
        }

        return scores;
    }
}

/// <summary>The scores of a detector over a folder.</summary>
/// <param name="Profiles">Score of each profile, at its own best threshold for the whole folder or at a given one.</param>
/// <param name="Yardstick">Score of each profile for the distance from the mean, which shows what the folder asks for.</param>
/// <param name="Categories">Standard score of each category.</param>
/// <param name="LeftOut">Score of each profile for the whole when each category is scored at the threshold that is best for the others.</param>
/// <param name="AtThreshold">Alarms at the threshold of the standard profile.</param>
/// <param name="Budgets">Alarms by the alarm budget, in false alarms a day.</param>
internal sealed record DetectBenchResult(
    IReadOnlyList<(string Name, NabScore Score)> Profiles,
    IReadOnlyList<NabScore> Yardstick,
    IReadOnlyList<CategoryScore> Categories,
    IReadOnlyList<(string Name, double Score)> LeftOut,
    AlarmTally AtThreshold,
    IReadOnlyList<(double PerDay, AlarmTally Tally)> Budgets);

/// <summary>One category: at the threshold of the whole, and at the threshold that is best for all others.</summary>
internal sealed record CategoryScore(string Name, int Series, NabScore Score, NabScore LeftOut);
