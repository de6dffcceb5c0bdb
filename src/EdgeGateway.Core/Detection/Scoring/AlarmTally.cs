namespace EdgeGateway.Core.Detection.Scoring;

/// <summary>Alarms counted as people count: how many were right, how much was found, how soon, and how often for nothing.</summary>
/// <param name="Alarms">Alarms on rows that count.</param>
/// <param name="Right">Of these, inside a window.</param>
/// <param name="Windows">Windows there are.</param>
/// <param name="Found">Windows with an alarm.</param>
/// <param name="Days">Time that the judged rows outside all windows cover.</param>
/// <param name="MedianDelay">Median, over the windows found, of the time from the first row of the window to its first alarm. A window begins before anything can be seen.</param>
public readonly record struct AlarmTally(int Alarms, int Right, int Windows, int Found, double Days, TimeSpan MedianDelay)
{
    /// <summary>Share of the alarms that were right; NaN without alarms.</summary>
    public double Precision => (double)Right / Alarms;

    /// <summary>Share of the windows that were found; NaN without windows.</summary>
    public double Recall => (double)Found / Windows;

    /// <summary>Alarms outside all windows for each day of a series.</summary>
    public double FalseAlarmsPerDay => (Alarms - Right) / Days;

    /// <summary>Counts the rows for which <paramref name="isAlarm"/> (number of the series, row) holds.</summary>
    public static AlarmTally Of(IReadOnlyList<ScoredSeries> all, Func<int, int, bool> isAlarm)
    {
        var (alarms, right, windows, days) = (0, 0, 0, 0.0);
        var delays = new List<TimeSpan>();
        for (var number = 0; number < all.Count; number++)
        {
            var series = all[number].Series;
            windows += series.Windows.Count;
            var next = 0;
            var isFound = false;
            for (var row = 0; row < series.Times.Count; row++)
            {
                if (next < series.Windows.Count && row > series.Windows[next].Last)
                {
                    next++;
                    isFound = false;
                }

                if (row < all[number].FirstJudged)
                {
                    continue;
                }

                var isInside = next < series.Windows.Count && row >= series.Windows[next].First;
                if (!isInside && row > 0)
                {
                    days += Math.Max(0, (series.Times[row] - series.Times[row - 1]).TotalDays);
                }

                if (!isAlarm(number, row))
                {
                    continue;
                }

                alarms++;
                right += isInside ? 1 : 0;
                if (isInside && !isFound)
                {
                    isFound = true;
                    delays.Add(series.Times[row] - series.Times[series.Windows[next].First]);
                }
            }
        }

        delays.Sort();
        return new(alarms, right, windows, delays.Count, days, delays.Count == 0 ? TimeSpan.Zero : delays[delays.Count / 2]);
    }
}
