namespace EdgeGateway.Core.Aggregation;

/// <summary>Where windows begin and end.</summary>
/// <remarks>
/// Windows shorter than an hour are aligned to UTC. Windows of an hour and more begin at local midnight and run in elapsed time; the
/// last one of a day ends with the day. So a day of 23 or 25 hours has one hour less or more, and its real width is published. Windows
/// of several days count from a Monday.
/// </remarks>
internal sealed class WindowGrid(TimeZoneInfo zone)
{
    private const long HourMs = 3_600_000;
    private const long DayMs = 24 * HourMs;

    /// <summary>The window of nominal width <paramref name="width"/> that contains <paramref name="time"/> (both Unix milliseconds).</summary>
    public (long Start, long End) Containing(long width, long time)
    {
        if (width < HourMs || (width > DayMs && width % DayMs != 0))
        {
            var start = time - (time % width);
            return (start, start + width);
        }

        var day = LocalDay(time);
        if (width >= DayMs)
        {
            var days = (int)(width / DayMs);
            var first = day - (day % days);
            return (Midnight(first), Midnight(first + days));
        }

        var midnight = Midnight(day);
        var begin = time - ((time - midnight) % width);
        return (begin, Math.Min(begin + width, Midnight(day + 1)));
    }

    /// <summary>Number of the local day (from 0001-01-01, a Monday) whose midnights enclose <paramref name="time"/>.</summary>
    private int LocalDay(long time)
    {
        var local = TimeZoneInfo.ConvertTime(DateTimeOffset.FromUnixTimeMilliseconds(time), zone);
        var day = DateOnly.FromDateTime(local.DateTime).DayNumber;

        // Around a midnight that happens twice, or not at all, the calendar date alone does not tell the day.
        while (time < Midnight(day))
        {
            day--;
        }

        while (time >= Midnight(day + 1))
        {
            day++;
        }

        return day;
    }

    /// <summary>First instant of a local day: the first of two midnights, or the end of the gap when midnight is skipped.</summary>
    private long Midnight(int day)
    {
        var midnight = DateOnly.FromDayNumber(day).ToDateTime(TimeOnly.MinValue);
        while (zone.IsInvalidTime(midnight))
        {
            midnight = midnight.AddMinutes(1);
        }

        var offset = zone.GetUtcOffset(midnight);
        if (zone.IsAmbiguousTime(midnight))
        {
            foreach (var candidate in zone.GetAmbiguousTimeOffsets(midnight))
            {
                offset = candidate > offset ? candidate : offset;
            }
        }

        return new DateTimeOffset(midnight, offset).ToUnixTimeMilliseconds();
    }
}
