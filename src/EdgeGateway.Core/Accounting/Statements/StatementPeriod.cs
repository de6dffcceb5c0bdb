using System.Globalization;

namespace EdgeGateway.Core.Accounting.Statements;

/// <summary>How long the period of a statement is.</summary>
public enum PeriodLength : byte
{
    Day,
    Month,
    Year,
}

/// <summary>A day, month or year in the site's zone, and its parts: the hours of a day, the days of a month, the months of a year.</summary>
public sealed class StatementPeriod
{
    private readonly long[] _edges;

    private StatementPeriod(PeriodLength length, DateOnly first, TimeZoneInfo zone)
    {
        (Length, First, Zone) = (length, first, zone);
        Next = length switch { PeriodLength.Day => first.AddDays(1), PeriodLength.Month => first.AddMonths(1), _ => first.AddYears(1) };
        var (start, end) = (StartOf(first, zone), StartOf(Next, zone));
        _edges = length switch
        {
            // Hours that have passed since midnight: a day of 23 or 25 hours has as many.
            PeriodLength.Day => [.. Enumerable.Range(0, (int)((end - start).TotalHours + 0.5) + 1).Select(h => Math.Min(end.UnixMilliseconds, start.UnixMilliseconds + (h * 3_600_000L)))],
            PeriodLength.Month => [.. Enumerable.Range(0, Next.DayNumber - first.DayNumber + 1).Select(d => StartOf(first.AddDays(d), zone).UnixMilliseconds)],
            _ => [.. Enumerable.Range(0, 13).Select(m => StartOf(first.AddMonths(m), zone).UnixMilliseconds)],
        };
    }

    /// <summary>How long it is.</summary>
    public PeriodLength Length { get; }

    /// <summary>Its first day.</summary>
    public DateOnly First { get; }

    /// <summary>The first day after it.</summary>
    public DateOnly Next { get; }

    /// <summary>The zone in which its days begin.</summary>
    public TimeZoneInfo Zone { get; }

    /// <summary>When it begins, inclusive.</summary>
    public Instant Start => new(_edges[0]);

    /// <summary>When it ends, exclusive.</summary>
    public Instant End => new(_edges[^1]);

    /// <summary>Number of its parts.</summary>
    public int Parts => _edges.Length - 1;

    /// <summary>As it is written: <c>2026-10-31</c>, <c>2026-10</c>, <c>2026</c>.</summary>
    public string Name => First.ToString(Length switch { PeriodLength.Day => "yyyy-MM-dd", PeriodLength.Month => "yyyy-MM", _ => "yyyy" }, CultureInfo.InvariantCulture);

    /// <summary>Reads a period as it is written; null when the text is none.</summary>
    /// <param name="text"><c>2026-10-31</c>, <c>2026-10</c> or <c>2026</c>.</param>
    /// <param name="zone">The zone in which days begin.</param>
    public static StatementPeriod? Parse(string text, TimeZoneInfo zone)
    {
        ArgumentNullException.ThrowIfNull(zone);
        return TryRead(text, "yyyy-MM-dd") is { } day ? new(PeriodLength.Day, day, zone)
            : TryRead(text, "yyyy-MM") is { } month ? new(PeriodLength.Month, month, zone)
            : TryRead(text, "yyyy") is { } year ? new(PeriodLength.Year, year, zone)
            : null;
    }

    /// <summary>The period of this length in which an instant lies.</summary>
    public static StatementPeriod Of(PeriodLength length, Instant time, TimeZoneInfo zone)
    {
        var day = DayOf(time, zone);
        return new(length, length switch { PeriodLength.Day => day, PeriodLength.Month => new(day.Year, day.Month, 1), _ => new(day.Year, 1, 1) }, zone);
    }

    /// <summary>The day in a zone on which an instant falls.</summary>
    public static DateOnly DayOf(Instant time, TimeZoneInfo zone) => DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(time.ToDateTimeOffset(), zone).DateTime);

    /// <summary>When a day begins in a zone; where its midnight is left out by a clock change, the first instant after it.</summary>
    public static Instant StartOf(DateOnly day, TimeZoneInfo zone)
    {
        ArgumentNullException.ThrowIfNull(zone);
        var midnight = day.ToDateTime(TimeOnly.MinValue);
        while (zone.IsInvalidTime(midnight))
        {
            midnight = midnight.AddMinutes(15);
        }

        // A midnight that comes twice: the day begins at the first, which has the larger offset.
        var offset = zone.IsAmbiguousTime(midnight) ? zone.GetAmbiguousTimeOffsets(midnight).Max() : zone.GetUtcOffset(midnight);
        return Instant.From(new DateTimeOffset(midnight, offset));
    }

    /// <summary>Whether an instant lies in it.</summary>
    public bool Contains(Instant time) => time >= Start && time < End;

    /// <summary>The part in which an instant of the period lies.</summary>
    public int PartOf(Instant time)
    {
        var at = Array.BinarySearch(_edges, time.UnixMilliseconds);
        return Math.Clamp(at >= 0 ? at : ~at - 1, 0, Parts - 1);
    }

    /// <summary>When a part begins; its number of parts for the end of the last.</summary>
    public Instant PartStart(int part) => new(_edges[part]);

    /// <summary>Name of a part, short: the hour, the day of the month, the month.</summary>
    public string PartName(int part) => Length switch
    {
        PeriodLength.Day => TimeZoneInfo.ConvertTime(PartStart(part).ToDateTimeOffset(), Zone).ToString("HH", CultureInfo.InvariantCulture),
        PeriodLength.Month => (part + 1).ToString(CultureInfo.InvariantCulture),
        _ => First.AddMonths(part).ToString("MM", CultureInfo.InvariantCulture),
    };

    /// <inheritdoc/>
    public override string ToString() => Name;

    private static DateOnly? TryRead(string text, string format) =>
        DateOnly.TryParseExact(text, format, CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) ? day : null;
}
