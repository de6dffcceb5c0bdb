using System.Globalization;
using System.Text;
using EdgeGateway.Core.Validation;
using static EdgeGateway.Core.Drawing.Svg;

namespace EdgeGateway.Core.Drawing;

/// <summary>
/// The course of one point over time as an SVG chart: values, gaps, the score of the novelty detector, and findings as coloured, numbered bands with their texts below.
/// </summary>
/// <remarks>
/// It takes samples as they come and keeps one column for each pixel: lowest and highest value of its time, so that no spike is lost however long the time is, and memory does
/// not depend on it.
/// </remarks>
public sealed class PointChart
{
    private const int Columns = 1000;
    private const double Left = 84;
    private const double Right = 24;
    private const double Top = 52;
    private const double PlotHeight = 320;
    private const double ScoreTop = Top + PlotHeight + 34;
    private const double ScoreHeight = 44;
    private const double ListTop = ScoreTop + ScoreHeight + 46;
    private const double ListRow = 17;
    private const int MostListed = 20;
    private const double TextSize = 11;
    private const int LongestLine = 160;

    private readonly string _title;
    private readonly string _unit;
    private readonly TimeZoneInfo _zone;
    private readonly long _first;
    private readonly double _columnMs;
    private readonly double[] _low = new double[Columns];
    private readonly double[] _high = new double[Columns];
    private readonly double[] _score = new double[Columns];
    private readonly bool[] _missing = new bool[Columns];
    private readonly List<(ChartBand Band, int Number)> _bands = [];

    /// <summary>An empty chart.</summary>
    /// <param name="title">What it shows.</param>
    /// <param name="unit">Unit of the values.</param>
    /// <param name="zone">Zone of the times below it.</param>
    /// <param name="first">Left edge.</param>
    /// <param name="last">Right edge; a chart of less than a second is made a second wide.</param>
    public PointChart(string title, string unit, TimeZoneInfo zone, Instant first, Instant last)
    {
        _title = title;
        _unit = unit;
        _zone = zone;
        _first = first.UnixMilliseconds;
        _columnMs = Math.Max(1000, last.UnixMilliseconds - _first) / (Columns - 1.0);
        _low.AsSpan().Fill(double.PositiveInfinity);
        _high.AsSpan().Fill(double.NegativeInfinity);
    }

    /// <summary>Adds a value; one that is no number is a gap.</summary>
    /// <param name="time">When; outside the edges it is drawn at the edge.</param>
    /// <param name="value">In the unit of the chart.</param>
    /// <param name="score">From 0 to 1.</param>
    public void Add(Instant time, double value, double score)
    {
        var column = Column(time);
        _score[column] = Math.Max(_score[column], score);
        if (Math.Abs(value) <= ValueCheck.Largest)
        {
            _low[column] = Math.Min(_low[column], value);
            _high[column] = Math.Max(_high[column], value);
        }
        else
        {
            _missing[column] = true;
        }
    }

    /// <summary>Adds a score that is said of a time, without a value.</summary>
    /// <param name="time">When; outside the edges it is drawn at the edge.</param>
    /// <param name="score">From 0 to 1.</param>
    public void AddScore(Instant time, double score)
    {
        var column = Column(time);
        _score[column] = Math.Max(_score[column], score);
    }

    /// <summary>Adds a finding; they are numbered as they are added.</summary>
    public void Add(ChartBand band) => _bands.Add((band, _bands.Count + 1));

    /// <summary>The picture as text.</summary>
    public string Draw()
    {
        var list = _bands.Take(MostListed).SelectMany(Lines).ToList();
        var width = Left + Columns + Right;
        var height = ListTop + ((list.Count + (_bands.Count > MostListed ? 1 : 0)) * ListRow) + 12;
        var svg = new StringBuilder();
        svg.Append($"""
            <svg xmlns="http://www.w3.org/2000/svg" width="{N(width)}" height="{N(height)}" viewBox="0 0 {N(width)} {N(height)}" font-family="{Fonts}" font-size="{N(TextSize)}" fill="{Ink}">
            <title>{Escape(_title)}</title>
            <rect x="0" y="0" width="{N(width)}" height="{N(height)}" fill="#ffffff"/>

            """);
        Text(svg, Left, 26, _title, 16, "start", isBold: true);
        Text(svg, Left, 44, $"in {(_unit == "1" ? "its own unit" : _unit)}; times in {_zone.Id}", TextSize, "start");
        Bands(svg);
        Values(svg);
        Scores(svg);
        Times(svg);
        List(svg, list);
        return svg.Append("</svg>\n").ToString();
    }

    private static string Fill(ChartGrade grade) => grade switch
    {
        ChartGrade.Alarm => "#d62728",
        ChartGrade.Warning => "#ff9d1c",
        _ => "#5b8fd6",
    };

    private int Column(Instant time) => (int)Math.Clamp((time.UnixMilliseconds - _first) / _columnMs, 0, Columns - 1);

    private void Bands(StringBuilder svg)
    {
        foreach (var (band, number) in _bands)
        {
            var from = Column(band.From);
            var to = Math.Max(from + 2, band.To is { } end ? Column(end) : Columns - 1);
            svg.Append($"<rect x=\"{N(Left + from)}\" y=\"{N(Top)}\" width=\"{N(to - from)}\" height=\"{N(PlotHeight)}\" fill=\"{Fill(band.Grade)}\" fill-opacity=\"0.22\"/>\n");
            svg.Append($"<path d=\"M {N(Left + from)} {N(Top)} V {N(Top + PlotHeight)}\" stroke=\"{Fill(band.Grade)}\"/>\n");
            if (number <= MostListed)
            {
                // Neighbours would stand on each other: three rows in turn.
                Text(svg, Left + from + 3, Top + 12 + (number % 3 * 12), number.ToString(CultureInfo.InvariantCulture), TextSize, "start", isBold: true);
            }
        }
    }

    private void Values(StringBuilder svg)
    {
        var (low, high) = (_low.Min(), _high.Max());
        if (!(low <= high))
        {
            Text(svg, Left + (Columns / 2.0), Top + (PlotHeight / 2), "no value", 14, "middle");
            (low, high) = (0, 1);
        }

        // A constant is drawn in the middle.
        var room = high > low ? 0.06 * (high - low) : Math.Max(Math.Abs(high) * 0.1, 1);
        (low, high) = (low - room, high + room);
        double Y(double value) => Top + (PlotHeight * (high - value) / (high - low));
        var step = Scale.StepOf(high - low);
        for (var i = (long)Math.Ceiling(low / step); i * step <= high; i++)
        {
            var y = Y(i * step);
            svg.Append($"<path d=\"M {N(Left)} {N(y)} H {N(Left + Columns)}\" stroke=\"#d8d8d8\" stroke-width=\"0.6\"/>\n");
            Text(svg, Left - 6, y + 4, (i * step).ToString("G6", CultureInfo.InvariantCulture), TextSize, "end");
        }

        svg.Append($"<rect x=\"{N(Left)}\" y=\"{N(Top)}\" width=\"{N(Columns)}\" height=\"{N(PlotHeight)}\" fill=\"none\" stroke=\"{Ink}\"/>\n");
        var path = new StringBuilder();
        var isPen = false;
        for (var column = 0; column < Columns; column++)
        {
            if (_low[column] > _high[column])
            {
                // Empty columns between two values are time between samples; a missing sample is a gap.
                isPen &= !_missing[column];
                continue;
            }

            path.Append($"{(isPen ? "L" : "M")} {N(Left + column)} {N(Y(_high[column]))} ");
            path.Append(_low[column] < _high[column] || !isPen ? $"L {N(Left + column)} {N(Y(_low[column]) + (_low[column] < _high[column] ? 0 : 0.1))} " : "");
            isPen = true;
        }

        svg.Append($"<path d=\"{path.ToString().TrimEnd()}\" fill=\"none\" stroke=\"#1f5fa8\" stroke-width=\"1.2\" stroke-linejoin=\"round\"/>\n");
        var gaps = string.Concat(Enumerable.Range(0, Columns).Where(c => _missing[c]).Select(c => $"M {N(Left + c)} {N(Top + PlotHeight - 6)} V {N(Top + PlotHeight)} "));
        if (gaps.Length > 0)
        {
            svg.Append($"<path d=\"{gaps.TrimEnd()}\" stroke=\"#d62728\"/>\n");
        }
    }

    private void Scores(StringBuilder svg)
    {
        Text(svg, Left - 6, ScoreTop + 10, "score 1", TextSize, "end");
        Text(svg, Left - 6, ScoreTop + ScoreHeight, "0", TextSize, "end");
        svg.Append($"<rect x=\"{N(Left)}\" y=\"{N(ScoreTop)}\" width=\"{N(Columns)}\" height=\"{N(ScoreHeight)}\" fill=\"none\" stroke=\"{Ink}\" stroke-width=\"0.6\"/>\n");
        var path = string.Concat(Enumerable.Range(0, Columns).Where(c => _score[c] > 0).Select(c => $"M {N(Left + c)} {N(ScoreTop + ScoreHeight)} V {N(ScoreTop + (ScoreHeight * (1 - _score[c])))} "));
        if (path.Length > 0)
        {
            svg.Append($"<path d=\"{path.TrimEnd()}\" stroke=\"#7a3fa0\"/>\n");
        }
    }

    private void Times(StringBuilder svg)
    {
        const int Ticks = 8;
        var isLong = _columnMs * Columns > 36 * 3_600_000.0;
        for (var tick = 0; tick <= Ticks; tick++)
        {
            var column = tick * (Columns - 1.0) / Ticks;
            var time = TimeZoneInfo.ConvertTime(DateTimeOffset.FromUnixTimeMilliseconds(_first + (long)(column * _columnMs)), _zone);
            svg.Append($"<path d=\"M {N(Left + column)} {N(Top + PlotHeight)} v 5\" stroke=\"{Ink}\"/>\n");
            Text(svg, Left + column, Top + PlotHeight + 18, time.ToString(isLong ? "MM-dd HH:mm" : "HH:mm:ss", CultureInfo.InvariantCulture), TextSize, "middle");
        }

        var begin = TimeZoneInfo.ConvertTime(DateTimeOffset.FromUnixTimeMilliseconds(_first), _zone);
        Text(svg, Left, ScoreTop + ScoreHeight + 18, $"from {begin.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture)}", TextSize, "start");
    }

    // A text in lines that fit; the first has the number.
    private static IEnumerable<(ChartGrade? Grade, string Text)> Lines((ChartBand Band, int Number) finding)
    {
        var rest = string.Create(CultureInfo.InvariantCulture, $"{finding.Number}  {finding.Band.Text}");
        for (ChartGrade? grade = finding.Band.Grade; rest.Length > 0; grade = null)
        {
            var cut = rest.Length <= LongestLine ? rest.Length : rest.LastIndexOf(' ', LongestLine) is > 0 and var blank ? blank : LongestLine;
            yield return (grade, rest[..cut]);
            rest = rest[cut..].TrimStart();
        }
    }

    private void List(StringBuilder svg, List<(ChartGrade? Grade, string Text)> lines)
    {
        for (var i = 0; i < lines.Count; i++)
        {
            var (grade, text) = lines[i];
            var y = ListTop + (i * ListRow);
            if (grade is { } colour)
            {
                svg.Append($"<rect x=\"{N(Left)}\" y=\"{N(y - 9)}\" width=\"10\" height=\"10\" fill=\"{Fill(colour)}\" fill-opacity=\"0.6\"/>\n");
            }

            Text(svg, Left + (grade is null ? 28 : 16), y, text, TextSize, "start");
        }

        if (_bands.Count > MostListed)
        {
            Text(svg, Left + 16, ListTop + (lines.Count * ListRow), string.Create(CultureInfo.InvariantCulture, $"and {_bands.Count - MostListed} more"), TextSize, "start");
        }
    }
}

/// <summary>How bad a finding of a chart is.</summary>
public enum ChartGrade
{
    Note,
    Warning,
    Alarm,
}

/// <summary>A finding on a chart.</summary>
/// <param name="From">When it began.</param>
/// <param name="To">When it was cleared; null while it stands.</param>
/// <param name="Grade">How bad.</param>
/// <param name="Text">What it says.</param>
public sealed record ChartBand(Instant From, Instant? To, ChartGrade Grade, string Text);
