using System.Globalization;
using EdgeGateway.Core.Site;

namespace EdgeGateway.Core;

/// <summary>Numbers, units and spans as a technician reads them.</summary>
internal static class Words
{
    /// <summary>A value with the resolution of the point and its unit: <c>880 A</c>, <c>48211.3 kWh</c>.</summary>
    public static string Quantity(double value, PointModel point) => Join(Number(value, point), point.Unit);

    public static string Quantity(decimal value, PointModel point) =>
        Join(value.ToString("0." + new string('#', Digits(point, 6)), CultureInfo.InvariantCulture), point.Unit);

    /// <summary>A computed number with about three digits that count: <c>0.42</c>, <c>12.5</c>, <c>187</c>.</summary>
    public static string Figure(double value) => Math.Abs(value) switch
    {
        >= 1e15 => value.ToString("E3", CultureInfo.InvariantCulture),
        >= 100 => value.ToString("0", CultureInfo.InvariantCulture),
        >= 10 => value.ToString("0.#", CultureInfo.InvariantCulture),
        >= 0.1 => value.ToString("0.##", CultureInfo.InvariantCulture),
        _ => value.ToString("0.####", CultureInfo.InvariantCulture),
    };

    /// <summary>A duration in its two largest parts: <c>6 s</c>, <c>2 min 10 s</c>, <c>3 h 5 min</c>.</summary>
    public static string Span(long milliseconds)
    {
        var seconds = Math.Max(0, milliseconds) / 1000;
        return seconds switch
        {
            < 1 => $"{Math.Max(0, milliseconds)} ms",
            < 60 => $"{seconds} s",
            < 3_600 => Two(seconds / 60, "min", seconds % 60, "s"),
            < 86_400 => Two(seconds / 3_600, "h", seconds % 3_600 / 60, "min"),
            _ => Two(seconds / 86_400, "d", seconds % 86_400 / 3_600, "h"),
        };
    }

    /// <summary>A time of day with its date, in UTC.</summary>
    public static string Clock(long unixMilliseconds) => new Instant(Math.Clamp(unixMilliseconds, 0, Pipeline.LatestMs)).ToString();

    /// <summary>A percentage with one decimal.</summary>
    public static string Percent(double share) => (share * 100).ToString("0.0", CultureInfo.InvariantCulture) + " %";

    private static string Two(long large, string largeUnit, long small, string smallUnit) =>
        small == 0 ? $"{large} {largeUnit}" : $"{large} {largeUnit} {small} {smallUnit}";

    private static string Number(double value, PointModel point)
    {
        var digits = Digits(point, Math.Abs(value) switch { >= 1000 => 1, >= 10 => 2, >= 1 => 3, _ => 5 });
        return Math.Abs(value) >= 1e15
            ? value.ToString("E3", CultureInfo.InvariantCulture)
            : value.ToString(digits == 0 ? "0" : "0." + new string('#', digits), CultureInfo.InvariantCulture);
    }

    /// <summary>Decimals that the register can resolve; floats get <paramref name="floating"/>.</summary>
    private static int Digits(PointModel point, int floating) =>
        !point.Encoding.IsStepped || point.Encoding.ScaleAt is not null ? floating : point.Encoding.Scale.Scale;

    private static string Join(string number, string unit) => unit switch
    {
        "1" or "" => number,
        "Cel" => number + " °C",
        "[ppm]" => number + " ppm",
        _ => number + " " + unit.Replace(".", "", StringComparison.Ordinal),
    };
}
