using EdgeGateway.Core.Accounting.Forecasting;

namespace EdgeGateway.Core.Accounting.Statements;

/// <summary>Mass and coverage of each day and account: what forecasts are made from.</summary>
internal sealed class EmissionHistory(TimeZoneInfo zone)
{
    /// <summary>A day that is known for less of its time is no value of a history.</summary>
    public const double LeastCoverage = 0.9;

    /// <summary>Share of the days of a history for which another may stand in.</summary>
    public const double MostFilled = 0.1;

    /// <summary>Days that are looked at: a year and a week, so that the same season of last year is in.</summary>
    public const int MostDays = 372;

    private const int Week = 7;
    private const int MonthsOfYear = 12;
    private const double MilligramsPerKilogram = 1e6;

    private readonly Dictionary<LineKey, SortedList<int, (Int128 Milligrams, double KnownMs)>> _lines = [];
    private (long Start, long End, int Day) _day = (0, 0, 0);

    /// <summary>End of the last entry; null when there is none.</summary>
    public Instant? Last { get; private set; }

    /// <summary>The last day of which anything is known; null when nothing is.</summary>
    public DateOnly? LastDay => Last is { } last ? StatementPeriod.DayOf(last - TimeSpan.FromMilliseconds(1), zone) : null;

    /// <summary>Takes an entry.</summary>
    public void Add(LineKey key, in StatementEntry entry)
    {
        if (!_lines.TryGetValue(key, out var days))
        {
            _lines.Add(key, days = []);
        }

        var day = DayOf(entry.Record.Start);
        var (mass, known) = days.GetValueOrDefault(day);
        days[day] = (mass + entry.Record.Milligrams, known + (entry.Record.Coverage * entry.Record.Width.TotalMilliseconds));
        var end = entry.Record.Start + entry.Record.Width;
        Last = Last is { } last && last > end ? last : end;
    }

    /// <summary>Looks ahead to the end of the month or year that goes on; null when none goes on, because the data end with it.</summary>
    /// <param name="device">Device id, or null for a sum.</param>
    /// <param name="name">Name for people.</param>
    /// <param name="scope">Scope of the accounts.</param>
    /// <param name="basis">Their basis.</param>
    /// <param name="length">Month or year.</param>
    /// <param name="lines">The accounts, each with its sign.</param>
    public StatementOutlook? Look(string? device, string name, int scope, EmissionBasis basis, PeriodLength length, IReadOnlyList<(LineKey Key, int Sign)> lines)
    {
        if (Last is not { } last || LastDay is not { } open)
        {
            return null;
        }

        // The day that goes on is no whole day.
        var lastDay = last >= StatementPeriod.StartOf(open.AddDays(1), zone) ? open : open.AddDays(-1);
        var target = StatementPeriod.Of(length, StatementPeriod.StartOf(open, zone), zone);
        var horizon = target.Next.DayNumber - 1 - lastDay.DayNumber;
        var first = lines.Min(l => _lines.TryGetValue(l.Key, out var days) ? days.Keys[0] : int.MaxValue);
        if (horizon <= 0 || first > lastDay.DayNumber)
        {
            return null;
        }

        List<(double Kilograms, double Coverage)> days = [.. Enumerable.Range(first, lastDay.DayNumber - first + 1).Select(day => Day(day, lines))];
        var since = Math.Max(first, target.First.DayNumber);
        var accounted = days.Skip(since - first).Sum(d => d.Kilograms);
        var outlook = new StatementOutlook(device, name, scope, basis, target, DateOnly.FromDayNumber(since), lastDay, accounted, null, 0, null);
        try
        {
            var whole = days.FindIndex(d => d.Coverage >= LeastCoverage);
            if (whole < 0)
            {
                throw new EmissionRefusedException(new Refusal("no-day"));
            }

            if (Monthly(days, first, lastDay, horizon, length) is { } monthly)
            {
                return outlook with { Forecast = monthly, Days = Shown(days, first, lastDay, null) };
            }

            var start = Math.Max(whole, days.Count - MostDays);
            var (series, filled) = Fill(days[start..]);
            var forecast = Forecaster.Make(series, Week, horizon);
            return outlook with { Forecast = forecast, FilledDays = filled, Days = Shown(days, first, lastDay, forecast) };
        }
        catch (EmissionRefusedException e)
        {
            return outlook with { Refusal = Refusal.Of(e), Days = Shown(days, first, lastDay, null) };
        }
    }

    private static List<(DateOnly Day, double Kilograms)> Shown(List<(double Kilograms, double Coverage)> days, int first, DateOnly lastDay, Forecast? forecast) =>
    [
        .. days.Select((d, i) => (DateOnly.FromDayNumber(first + i), d.Coverage > 0 ? d.Kilograms : double.NaN)).TakeLast(62),
        .. (forecast?.Steps ?? []).Select((s, i) => (lastDay.AddDays(i + 1), s.Value)),
    ];

    /// <summary>By months, where the years are enough to know the seasons; the month that goes on is forecast as a whole and what is accounted of it is taken off.</summary>
    private static Forecast? Monthly(List<(double Kilograms, double Coverage)> days, int first, DateOnly lastDay, int horizon, PeriodLength length)
    {
        var open = new DateOnly(lastDay.Year, lastDay.Month, 1);
        if (length != PeriodLength.Year || lastDay.AddDays(1).Day != 1)
        {
            // Only from the last day of a month on: no month is split.
            return null;
        }

        var months = new List<double>();
        for (var month = open; month.DayNumber >= first; month = month.AddMonths(-1))
        {
            var inside = days.GetRange(month.DayNumber - first, month.AddMonths(1).DayNumber - month.DayNumber);
            if (inside.Average(d => d.Coverage) < LeastCoverage)
            {
                break;
            }

            months.Insert(0, inside.Sum(d => d.Kilograms));
        }

        var left = MonthsOfYear - lastDay.Month;
        return left > 0 && months.Count >= Forecaster.LeastHistory(MonthsOfYear, left) ? Forecaster.Make([.. months], MonthsOfYear, left) : null;
    }

    /// <summary>Puts the nearest well-known same weekday in place of a day that is not; in the history alone, never in an account.</summary>
    private static (double[] Series, int Filled) Fill(List<(double Kilograms, double Coverage)> days)
    {
        var series = new double[days.Count];
        var filled = 0;
        for (var i = 0; i < days.Count; i++)
        {
            if (days[i].Coverage >= LeastCoverage)
            {
                series[i] = days[i].Kilograms;
                continue;
            }

            filled++;
            var stand = Enumerable.Range(1, (days.Count / Week) + 1).SelectMany(w => new[] { i - (w * Week), i + (w * Week) }).Where(j => j >= 0 && j < days.Count && days[j].Coverage >= LeastCoverage).Cast<int?>().FirstOrDefault()
                ?? throw new EmissionRefusedException(new Refusal("weekday"));
            series[i] = days[stand].Kilograms;
        }

        return filled <= MostFilled * days.Count
            ? (series, filled)
            : throw new EmissionRefusedException(new Refusal("days", filled, days.Count, LeastCoverage * 100, MostFilled * 100));
    }

    private (double Kilograms, double Coverage) Day(int day, IReadOnlyList<(LineKey Key, int Sign)> lines)
    {
        var date = DateOnly.FromDayNumber(day);
        var length = (StatementPeriod.StartOf(date.AddDays(1), zone) - StatementPeriod.StartOf(date, zone)).TotalMilliseconds;
        var sum = 0.0;
        var coverage = 1.0;
        foreach (var (key, sign) in lines)
        {
            // An account that began later is not missing before.
            if (_lines.TryGetValue(key, out var days) && days.Keys[0] <= day)
            {
                var (mass, known) = days.GetValueOrDefault(day);
                sum += sign * (double)mass / MilligramsPerKilogram;
                coverage = Math.Min(coverage, known / length);
            }
        }

        return (sum, Math.Min(1, coverage));
    }

    private int DayOf(Instant time)
    {
        if (time.UnixMilliseconds < _day.Start || time.UnixMilliseconds >= _day.End)
        {
            var day = StatementPeriod.DayOf(time, zone);
            _day = (StatementPeriod.StartOf(day, zone).UnixMilliseconds, StatementPeriod.StartOf(day.AddDays(1), zone).UnixMilliseconds, day.DayNumber);
        }

        return _day.Day;
    }
}
