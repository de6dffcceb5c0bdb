namespace EdgeGateway.Core.Detection.Scoring;

/// <summary>What a detection, a false alarm and a missed window are worth.</summary>
/// <param name="Name">Name of the profile.</param>
/// <param name="Detection">Earned by a detection on the first row of a window, less towards its end.</param>
/// <param name="FalseAlarm">Lost by a detection outside all windows, less just after one.</param>
/// <param name="Missed">Lost by a window without detection.</param>
public sealed record NabProfile(string Name, double Detection, double FalseAlarm, double Missed)
{
    public static readonly NabProfile Standard = new("standard", 1, 0.11, 1);
    public static readonly NabProfile LowFalseAlarms = new("low FP", 1, 0.22, 1);
    public static readonly NabProfile LowMissed = new("low FN", 1, 0.11, 2);

    /// <summary>The three profiles of the benchmark.</summary>
    public static readonly IReadOnlyList<NabProfile> All = [Standard, LowFalseAlarms, LowMissed];
}

/// <summary>A score by the protocol of the Numenta Anomaly Benchmark.</summary>
/// <param name="Score">100 for a detection on the first row of each window and none elsewhere, 0 for no detection at all; NaN when there is no window.</param>
/// <param name="Raw">The same before it is normalised.</param>
/// <param name="Threshold">Rows with at least this score are detections; infinite when none is best.</param>
/// <param name="Windows">Windows there are.</param>
/// <param name="Found">Windows with a detection.</param>
/// <param name="FalseAlarms">Detections outside all windows.</param>
public readonly record struct NabScore(double Score, double Raw, double Threshold, int Windows, int Found, int FalseAlarms);

/// <summary>
/// Scores detectors by the protocol of the Numenta Anomaly Benchmark (numenta/NAB, version 1.1): Lavin and Ahmad, "Evaluating Real-time Anomaly Detection
/// Algorithms", 2015. One threshold for all series.
/// </summary>
public static class NabScorer
{
    private const double Steepness = 5;
    private const double Farthest = 3;
    private static readonly double Most = Curve(-1);

    /// <summary>The score at the threshold that is best for these series, as the benchmark defines it.</summary>
    public static NabScore Best(NabProfile profile, IEnumerable<ScoredSeries> series) => Sweep(profile, series, null);

    /// <summary>The score at a given threshold.</summary>
    public static NabScore At(NabProfile profile, IEnumerable<ScoredSeries> series, double threshold) => Sweep(profile, series, threshold);

    // Rows by falling score: what each adds is known without looking at the others again.
    private static NabScore Sweep(NabProfile profile, IEnumerable<ScoredSeries> series, double? threshold)
    {
        var rows = new List<Row>();
        var windows = 0;
        foreach (var scored in series)
        {
            Collect(profile, scored, windows, rows);
            windows += scored.Series.Windows.Count;
        }

        rows.Sort((a, b) => b.Score.CompareTo(a.Score));
        var best = Enumerable.Repeat(-profile.Missed, windows).ToArray();
        var nothing = -profile.Missed * windows;
        var (raw, found, falseAlarms) = (nothing, 0, 0);
        var result = (Raw: raw, Threshold: threshold ?? double.PositiveInfinity, found, falseAlarms);
        for (var i = 0; i < rows.Count && !(rows[i].Score < threshold);)
        {
            var score = rows[i].Score;
            for (; i < rows.Count && rows[i].Score == score; i++)
            {
                var row = rows[i];
                if (row.Window < 0)
                {
                    raw += row.Worth;
                    falseAlarms++;
                }
                else if (row.Worth > best[row.Window])
                {
                    raw += row.Worth - best[row.Window];
                    found += best[row.Window] == -profile.Missed ? 1 : 0;
                    best[row.Window] = row.Worth;
                }
            }

            if (threshold is not null || raw > result.Raw)
            {
                result = (raw, threshold ?? score, found, falseAlarms);
            }
        }

        var perfect = profile.Detection * windows;
        return new(windows == 0 ? double.NaN : 100 * (result.Raw - nothing) / (perfect - nothing), result.Raw, result.Threshold, windows, result.found, result.falseAlarms);
    }

    private static void Collect(NabProfile profile, ScoredSeries scored, int firstWindow, List<Row> rows)
    {
        var windows = scored.Series.Windows;
        var next = 0;
        for (var i = 0; i < scored.Scores.Count; i++)
        {
            while (next < windows.Count && i > windows[next].Last)
            {
                next++;
            }

            if (i < scored.FirstJudged)
            {
                continue;
            }

            if (next < windows.Count && i >= windows[next].First)
            {
                var place = -(double)(windows[next].Last - i + 1) / windows[next].Length;
                rows.Add(new(scored.Scores[i], firstWindow + next, Curve(place) / Most * profile.Detection));
            }
            else
            {
                var worth = next == 0 ? -1 : Curve((double)(i - windows[next - 1].Last) / (windows[next - 1].Length - 1));
                rows.Add(new(scored.Scores[i], -1, worth * profile.FalseAlarm));
            }
        }
    }

    /// <summary>Worth of a place measured in window lengths from the window's end: 0.99 at its beginning, 0 at its end, -1 far behind it.</summary>
    private static double Curve(double place) => place > Farthest ? -1 : (2 / (1 + Math.Exp(Steepness * place))) - 1;

    private readonly record struct Row(double Score, int Window, double Worth);
}
