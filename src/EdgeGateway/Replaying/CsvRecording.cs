using System.Globalization;
using System.IO.Compression;
using EdgeGateway.Core;
using EdgeGateway.Core.Feed;

namespace EdgeGateway.Replaying;

/// <summary>
/// Samples in a table of text. Wide: a column with the time, and one for each point; an empty cell is no sample, <c>NaN</c> is a sample without a value. Long: the columns
/// <c>time</c>, <c>point</c>, <c>value</c> and, where they are known, <c>device</c>, <c>quality</c> and <c>reason</c>, in any order.
/// </summary>
/// <remarks>
/// Separated by comma, semicolon or tab, with quotes as in RFC 4180 within a line. Times are ISO 8601 (without a zone: those of the site), or seconds or milliseconds since
/// 1970. Where the separator is no comma, a decimal comma is understood. Lines that begin with <c>#</c> are comments.
/// </remarks>
internal sealed class CsvRecording(string path, TimeZoneInfo zone) : Recording(path)
{
    /// <summary>Numbers from here on are milliseconds; as seconds they would be beyond the year 5000.</summary>
    private const double LeastMilliseconds = 1e11;

    /// <summary>The year 2200, up to which the pipeline keeps time.</summary>
    private const double LatestMilliseconds = 7_258_118_400_000;
    private static readonly char[] Separators = ['\t', ';', ','];
    private static readonly string[] TimeNames = ["time", "timestamp", "datetime", "date", "ts", "时间"];

    protected override IEnumerable<RecordedValue> Read(bool isSurvey, CancellationToken cancel)
    {
        using var file = File.OpenRead(Path);
        using var stream = Path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? new GZipStream(file, CompressionMode.Decompress) : (Stream)file;
        using var reader = new StreamReader(stream);
        Header? header = null;
        var cells = new List<Cell>();
        for (var number = 1L; reader.ReadLine() is { } line; number++)
        {
            if ((number & 0xFFF) == 0)
            {
                cancel.ThrowIfCancellationRequested();
            }

            if (string.IsNullOrWhiteSpace(line) || line.StartsWith('#'))
            {
                continue;
            }

            if (header is null)
            {
                header = HeaderOf(line, number);
                continue;
            }

            Split(line, header.Separator, cells);
            if (cells.Count > header.Columns)
            {
                Tell(isSurvey, $"{Path}:{number}:{cells[header.Columns].Column}: {cells.Count} cells, but the heading has {header.Columns}");
                continue;
            }

            if (cells.Count <= header.Time || Time(cells[header.Time].Text) is not { } time)
            {
                var at = cells.Count > header.Time ? cells[header.Time] : new("", 1);
                Tell(isSurvey, $"{Path}:{number}:{at.Column}: '{at.Text}' is no time; write it like 2026-03-01T08:15:00Z, or as seconds since 1970");
                continue;
            }

            if (header.Long is { } places)
            {
                if (LongRow(places, header.Separator, cells, time, number, isSurvey) is { } value)
                {
                    yield return value;
                }

                continue;
            }

            for (var i = 0; i < cells.Count; i++)
            {
                if (i == header.Time || cells[i].Text.Length == 0)
                {
                    continue;
                }

                if (Number(cells[i].Text, header.Separator) is { } cell)
                {
                    yield return Of(time, header.Series[i], cell, double.IsFinite(cell) ? Quality.Good : Quality.Bad(QualityReason.NotANumber));
                }
                else
                {
                    Tell(isSurvey, $"{Path}:{number}:{cells[i].Column}: '{cells[i].Text}' in column '{Series[header.Series[i]]}' is no number; leave it empty where there is no sample, write NaN where the value is missing");
                }
            }
        }

        if (header is null)
        {
            throw new InvalidDataException($"{Path}: there is no heading: its first line names the columns, such as 'time,power,voltage' or 'time,device,point,value,quality'.");
        }
    }

    private static RecordedValue Of(Instant time, int series, double value, Quality quality) => new(time, series, quality.HasValue ? value : double.NaN, null, quality);

    private RecordedValue? LongRow(LongColumns places, char separator, List<Cell> cells, Instant time, long number, bool isSurvey)
    {
        Cell At(int? column) => column is { } i && i < cells.Count ? cells[i] : new("", cells.Count > 0 ? cells[^1].Column : 1);
        var (point, text, grade, why) = (At(places.Point), At(places.Value), At(places.Quality), At(places.Reason));
        if (point.Text.Length == 0)
        {
            Tell(isSurvey, $"{Path}:{number}:{point.Column}: the point is not named");
            return null;
        }

        if (!TryQuality(grade.Text, why.Text, text.Text.Length > 0, out var quality))
        {
            var words = $"{grade.Text} {why.Text}".Trim();
            Tell(isSurvey, $"{Path}:{number}:{(grade.Text.Length > 0 ? grade : why).Column}: '{words}' is no quality; write good, uncertain or bad, and a reason as in the feed");
            return null;
        }

        var value = double.NaN;
        if (quality.HasValue)
        {
            if (Number(text.Text, separator) is not { } found)
            {
                Tell(isSurvey, $"{Path}:{number}:{text.Column}: '{text.Text}' is no number");
                return null;
            }

            value = found;
            quality = double.IsFinite(value) ? quality : Quality.Bad(QualityReason.NotANumber);
        }

        var device = At(places.Device).Text;
        return Of(time, PlaceOf(device.Length > 0 ? device : null, point.Text), value, quality);
    }

    /// <summary>Quality by its words; without any, a value is good and a missing one is bad.</summary>
    internal static bool TryQuality(string grade, string why, bool hasValue, out Quality quality)
    {
        var reason = QualityReason.None;
        quality = Quality.Good;
        if (why.Length > 0)
        {
            var known = Enum.GetValues<QualityReason>().Where(r => r.Word() == why).ToList();
            if (known.Count == 0)
            {
                return false;
            }

            reason = known[0];
        }

        switch (grade)
        {
            case "good" or "":
                quality = hasValue ? Quality.Good : Quality.Bad(reason == QualityReason.None ? QualityReason.NotANumber : reason);
                return true;
            case "uncertain":
                quality = Quality.Uncertain(reason);
                return true;
            case "bad":
                quality = Quality.Bad(reason == QualityReason.None ? QualityReason.NotANumber : reason);
                return true;
            default:
                return false;
        }
    }

    private static double? Number(string text, char separator)
    {
        if (separator != ',' && text.Contains(',', StringComparison.Ordinal) && !text.Contains('.', StringComparison.Ordinal))
        {
            text = text.Replace(',', '.');
        }

        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) ? value : null;
    }

    private Instant? Time(string text)
    {
        if (double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
        {
            var milliseconds = number >= LeastMilliseconds ? number : number * 1000;
            return milliseconds < LatestMilliseconds ? new Instant((long)Math.Round(milliseconds)) : null;
        }

        // The order of day and month must not be guessed: the year comes first.
        if (text.Length < 8 || text.AsSpan(0, 4).ContainsAnyExceptInRange('0', '9'))
        {
            return null;
        }

        var clock = text.AsSpan(10 <= text.Length ? 10 : text.Length);
        if (clock.ContainsAny('Z', 'z', '+') || clock.Contains('-'))
        {
            return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var zoned) ? Instant.From(zoned) : null;
        }

        // A time that the clock skipped counts from the hour before, one that it lived twice as standard time.
        return DateTime.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.None, out var local)
            ? Instant.From(new DateTimeOffset(DateTime.SpecifyKind(local, DateTimeKind.Unspecified), zone.GetUtcOffset(DateTime.SpecifyKind(local, DateTimeKind.Unspecified))))
            : null;
    }

    private Header HeaderOf(string line, long number)
    {
        var separator = Separators.MaxBy(s => line.Count(c => c == s));
        var cells = new List<Cell>();
        Split(line.TrimStart('\uFEFF'), separator, cells);
        var names = cells.Select(c => c.Text.ToLowerInvariant()).ToList();
        if (cells.Count < 2)
        {
            throw new InvalidDataException($"{Path}:{number}:1: a heading of at least two columns is needed, such as 'time,power,voltage' or 'time,device,point,value,quality'; this is '{line}'.");
        }

        if (cells.FirstOrDefault(c => Number(c.Text, separator) is not null) is { Text: not null } value)
        {
            throw new InvalidDataException($"{Path}:{number}:{value.Column}: the heading is missing: '{value.Text}' is a number, and the first line names the columns.");
        }

        var time = Math.Max(0, names.FindIndex(n => TimeNames.Contains(n, StringComparer.Ordinal)));
        int? Find(string name) => names.IndexOf(name) is var at and >= 0 ? at : null;
        if (Find("point") is { } point && Find("value") is { } of)
        {
            return new(separator, cells.Count, time, [], new(Find("device"), point, of, Find("quality"), Find("reason")));
        }

        if (cells.Where((_, i) => i != time).GroupBy(c => c.Text, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1 || g.Key.Length == 0) is { } twice)
        {
            throw new InvalidDataException($"{Path}:{number}:{twice.Last().Column}: {(twice.Key.Length == 0 ? "a column has no name" : $"two columns are called '{twice.Key}'")}.");
        }

        return new(separator, cells.Count, time, [.. cells.Select((c, i) => i == time ? -1 : Place(c.Text))], null);
    }

    // device.point, as the gateway writes it; a heading with blanks in it is a name.
    private int Place(string heading)
    {
        var dot = heading.IndexOf('.', StringComparison.Ordinal);
        return dot > 0 && dot < heading.Length - 1 && !heading.Contains(' ', StringComparison.Ordinal) ? PlaceOf(heading[..dot], heading[(dot + 1)..]) : PlaceOf(null, heading);
    }

    private static void Split(string line, char separator, List<Cell> cells)
    {
        cells.Clear();
        var at = 0;
        while (at <= line.Length)
        {
            var start = at;
            if (at < line.Length && line[at] == '"')
            {
                var text = new System.Text.StringBuilder();
                for (at++; at < line.Length && (line[at] != '"' || (at + 1 < line.Length && line[at + 1] == '"')); at++)
                {
                    text.Append(line[at]);
                    at += line[at] == '"' ? 1 : 0;
                }

                var next = line.IndexOf(separator, Math.Min(at, line.Length));
                at = next < 0 ? line.Length + 1 : next + 1;
                cells.Add(new(text.ToString().Trim(), start + 1));
                continue;
            }

            var end = line.IndexOf(separator, at);
            end = end < 0 ? line.Length : end;
            cells.Add(new(line[start..end].Trim(), start + 1));
            at = end + 1;
        }
    }

    private readonly record struct Cell(string Text, int Column);

    private sealed record LongColumns(int? Device, int Point, int Value, int? Quality, int? Reason);

    private sealed record Header(char Separator, int Columns, int Time, int[] Series, LongColumns? Long);
}
