namespace EdgeGateway.Soaking;

/// <summary>Says from the looks at a gateway whether it leaks, whether its work becomes dearer, and whether it did its work.</summary>
internal static class SoakJudge
{
    private const double Mega = 1e6;
    private const double DriftTolerance = 0.2;

    /// <summary>Makes the verdict.</summary>
    /// <param name="what">What was soaked.</param>
    /// <param name="began">When.</param>
    /// <param name="looks">The looks that were answered, by time.</param>
    /// <param name="unanswered">How many were not.</param>
    /// <param name="length">How long it took, in seconds.</param>
    /// <param name="warmUp">How much of that the trends leave out.</param>
    public static SoakDocument Judge(string what, DateTimeOffset began, IReadOnlyList<SoakLook> looks, int unanswered, double length, double warmUp)
    {
        ArgumentNullException.ThrowIfNull(looks);
        List<SoakLook> warm = [.. looks.Where(l => l.Time >= warmUp)];
        List<string> findings = [];
        var restarts = looks.Zip(looks.Skip(1)).Count(p => p.First.ProcessId != p.Second.ProcessId);
        if (restarts > 0)
        {
            findings.Add($"The gateway was started again {restarts} times; its log says why. The trends hold for the last process only.");
            warm = [.. warm.SkipWhile(l => l.ProcessId != looks[^1].ProcessId)];
        }

        if (unanswered > 0)
        {
            findings.Add($"The gateway did not answer {unanswered} times.");
        }

        SoakTrendDocument[] trends =
        [
            Level("own memory", "MB", 2, l => l.OwnBytes / Mega),
            Level("handles", "", 2, l => l.Handles),
            Level("threads", "", 2, l => l.Threads),
            Level("write-ahead log", "MB", 4, l => l.LogBytes / Mega),
            Cost("processor", "µs a sample", (a, b) => (b.CpuSeconds - a.CpuSeconds) * 1e6),
            Cost("allocated", "bytes a sample", (a, b) => b.AllocatedBytes - a.AllocatedBytes),
            Cost("written", "bytes a sample", (a, b) => b.WrittenBytes - a.WrittenBytes),
        ];
        foreach (var trend in trends.Where(t => t.Verdict == "grows"))
        {
            findings.Add(FormattableString.Invariant($"{trend.Name} grows by {trend.PerDay:G3} {trend.Unit} a day (99 %: {trend.LowPerDay:G3} to {trend.HighPerDay:G3}), and did so to the end.").Replace("  ", " ", StringComparison.Ordinal));
        }

        var document = new SoakDocument
        {
            Verdict = "",
            Findings = findings,
            What = what,
            Version = ProgramVersion.Text,
            Began = began,
            Seconds = length,
            WarmUpSeconds = warmUp,
            Looks = looks.Count + unanswered,
            Unanswered = unanswered,
            Restarts = restarts,
            Trends = trends,
        };
        if (warm.Count >= 2 && warm[^1].Time > warm[0].Time)
        {
            var (first, last) = (warm[0], warm[^1]);
            var took = last.Time - first.Time;
            var samples = last.Samples - first.Samples;
            document = document with
            {
                ResidentBytes = Median(l => l.ResidentBytes),
                OwnBytes = Median(l => l.OwnBytes),
                ProportionalBytes = Median(l => l.ProportionalBytes),
                SamplesPerSecond = samples / took,
                CpuPercent = (last.CpuSeconds - first.CpuSeconds) / took * 100,
                WrittenBytesPerDay = (last.WrittenBytes - first.WrittenBytes) / took * 86_400,
                WrittenBytesPerSample = samples > 0 ? (double)(last.WrittenBytes - first.WrittenBytes) / samples : null,
                MissedPeriods = last.Missed - first.Missed,
                FailedRequests = last.Failed - first.Failed,
                Waiting = last.Waiting,
                StoreBytes = last.StoreBytes,
            };
            if (document.MissedPeriods > 0)
            {
                findings.Add($"{document.MissedPeriods} periods were missed: devices were polled too late or not at all.");
            }

            if (samples == 0)
            {
                findings.Add("No sample was taken: no device answers. See edgegateway status.");
            }
        }
        else if (looks.Count == 0)
        {
            findings.Add("The gateway never answered.");
        }

        return document with { Verdict = findings.Count > 0 ? "fault" : trends.Any(t => t.Verdict == "too-short") ? "too-short" : "clean" };

        double Median(Func<SoakLook, double> of)
        {
            double[] values = [.. warm.Select(of).Order()];
            return values[values.Length / 2];
        }

        SoakTrendDocument Level(string name, string unit, double tolerance, Func<SoakLook, double> of) => Describe(name, unit, [.. warm.Select(l => (l.Time, of(l)))], _ => tolerance);

        // Work of a minute (closing windows, checkpoints) falls into one interval or the other: costs are taken over as many looks as make the blocks of a trend.
        SoakTrendDocument Cost(string name, string unit, Func<SoakLook, SoakLook, double> of)
        {
            var step = Math.Max(1, warm.Count / 48);
            List<(double, double)> costs = [];
            for (var i = 0; i + step < warm.Count; i += step)
            {
                var (a, b) = (warm[i], warm[i + step]);
                if (b.Samples > a.Samples)
                {
                    costs.Add(((a.Time + b.Time) / 2, of(a, b) / (b.Samples - a.Samples)));
                }
            }

            return Describe(name, unit, costs, median => median * DriftTolerance);
        }

        static SoakTrendDocument Describe(string name, string unit, IReadOnlyList<(double Time, double Value)> series, Func<double, double> tolerance)
        {
            var median = series.Count == 0 ? 0 : series.Select(p => p.Value).Order().ElementAt(series.Count / 2);
            var trend = Trend.Of(series, tolerance(median));
            var isKnown = trend.Verdict != TrendVerdict.TooShort;
            return new(
                name,
                unit,
                trend.Verdict switch { TrendVerdict.Grows => "grows", TrendVerdict.Steady => "steady", _ => "too-short" },
                double.IsNaN(trend.Median) ? null : trend.Median,
                isKnown ? trend.PerDay : null,
                isKnown ? trend.LowPerDay : null,
                isKnown ? trend.HighPerDay : null,
                isKnown ? trend.SmallestPerDay : null);
        }
    }
}
