using System.Globalization;

namespace EdgeGateway.Core;

/// <summary>A point on the UTC time line with millisecond resolution, counted from the Unix epoch (1970-01-01T00:00:00Z).</summary>
/// <remarks>
/// Milliseconds because no device of the field is read faster, and because the value is stored, compared and replayed: an
/// integer gives the same result on every machine. Arithmetic is checked for overflow.
/// </remarks>
public readonly record struct Instant(long UnixMilliseconds) : IComparable<Instant>
{
    /// <summary>1970-01-01T00:00:00Z.</summary>
    public static readonly Instant UnixEpoch;

    /// <summary>The instant of <paramref name="value"/>, cut to whole milliseconds.</summary>
    public static Instant From(DateTimeOffset value) => new(value.ToUnixTimeMilliseconds());

    /// <summary>The same instant as a <see cref="DateTimeOffset"/> with offset zero.</summary>
    public DateTimeOffset ToDateTimeOffset() => DateTimeOffset.FromUnixTimeMilliseconds(UnixMilliseconds);

    /// <summary>Parses ISO 8601 with an offset or <c>Z</c>.</summary>
    /// <exception cref="FormatException">The text is not an ISO 8601 instant.</exception>
    public static Instant Parse(string text) =>
        From(DateTimeOffset.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal));

    public int CompareTo(Instant other) => UnixMilliseconds.CompareTo(other.UnixMilliseconds);

    public static bool operator <(Instant left, Instant right) => left.UnixMilliseconds < right.UnixMilliseconds;

    public static bool operator >(Instant left, Instant right) => left.UnixMilliseconds > right.UnixMilliseconds;

    public static bool operator <=(Instant left, Instant right) => left.UnixMilliseconds <= right.UnixMilliseconds;

    public static bool operator >=(Instant left, Instant right) => left.UnixMilliseconds >= right.UnixMilliseconds;

    public static Instant operator +(Instant left, TimeSpan right) => new(left.UnixMilliseconds + (right.Ticks / TimeSpan.TicksPerMillisecond));

    public static Instant operator -(Instant left, TimeSpan right) => new(left.UnixMilliseconds - (right.Ticks / TimeSpan.TicksPerMillisecond));

    public static TimeSpan operator -(Instant left, Instant right) =>
        new((left.UnixMilliseconds - right.UnixMilliseconds) * TimeSpan.TicksPerMillisecond);

    /// <summary>ISO 8601 in UTC with milliseconds: <c>2026-03-01T08:15:00.000Z</c>.</summary>
    public override string ToString() =>
        ToDateTimeOffset().UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
}
