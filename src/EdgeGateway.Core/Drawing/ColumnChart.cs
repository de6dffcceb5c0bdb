using System.Globalization;
using System.Text;
using static EdgeGateway.Core.Drawing.Svg;

namespace EdgeGateway.Core.Drawing;

/// <summary>One layer of the columns of a chart.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Colour">Its fill.</param>
/// <param name="Values">One for each column; NaN for none.</param>
/// <param name="IsExpected">True for what is forecast: drawn pale with an outline.</param>
public sealed record ColumnSeries(string Name, string Colour, IReadOnlyList<double> Values, bool IsExpected = false);

/// <summary>Stacked columns, with what is known of each as a strip below and an interval where there is one.</summary>
/// <param name="Unit">Unit of the values, above the axis.</param>
/// <param name="Labels">A label for each column; where they are too many some are left out.</param>
/// <param name="Series">The layers, lowest first.</param>
public sealed record ColumnChart(string Unit, IReadOnlyList<string> Labels, IReadOnlyList<ColumnSeries> Series)
{
    private const double Width = 1000;
    private const double Left = 70;
    private const double Right = 12;
    private const double Top = 44;
    private const double TextSize = 13;
    private const double StripHeight = 9;

    /// <summary>Height of the columns' field.</summary>
    public double PlotHeight { get; init; } = 210;

    /// <summary>Known share of each column, 0 to 1, NaN for columns that are not over the data; null draws no strip.</summary>
    public IReadOnlyList<double>? Known { get; init; }

    /// <summary>Words for the strip: its name, what is known, what is missing.</summary>
    public (string Title, string Known, string Missing) KnownWords { get; init; } = ("known", "known", "missing");

    /// <summary>Interval of each column; NaN for none.</summary>
    public IReadOnlyList<(double Low, double High)>? Intervals { get; init; }

    /// <summary>The picture as text. <paramref name="title"/> is read to those who cannot see it.</summary>
    public string Draw(string title)
    {
        var count = Labels.Count;
        var stripTop = Top + PlotHeight + 28;
        var height = Top + PlotHeight + 26 + (Known is null ? 0 : 26);
        var svg = new StringBuilder();
        svg.Append($"<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"chart\" viewBox=\"0 0 {N(Width)} {N(height)}\" role=\"img\" font-family=\"{Fonts}\" font-size=\"{N(TextSize)}\" fill=\"{Ink}\">\n<title>{Escape(title)}</title>\n");
        var (low, high) = Range();
        var step = Scale.StepOf(high - low);
        high = Math.Ceiling(high / step) * step;
        low = Math.Floor(low / step) * step;
        double Y(double value) => Top + (PlotHeight * (high - value) / (high - low));
        for (var i = (long)Math.Round(low / step); i <= (long)Math.Round(high / step); i++)
        {
            svg.Append($"<path d=\"M {N(Left)} {N(Y(i * step))} H {N(Width - Right)}\" stroke=\"{(i == 0 ? Ink : "#dcdcdc")}\" stroke-width=\"{(i == 0 ? "1" : "0.7")}\"/>\n");
            Text(svg, Left - 8, Y(i * step) + 4, Scale.Label(i * step), TextSize, "end");
        }

        var pitch = (Width - Left - Right) / Math.Max(1, count);
        var bar = Math.Max(1, Math.Min(pitch * 0.74, 46));
        for (var column = 0; column < count; column++)
        {
            Column(svg, column, Left + (column * pitch) + ((pitch - bar) / 2), bar, Y);
        }

        Labelling(svg, count, pitch);
        Legend(svg);
        if (Known is { } known)
        {
            Text(svg, Left - 8, stripTop + StripHeight, KnownWords.Title, 11, "end");
            for (var column = 0; column < count; column++)
            {
                if (double.IsNaN(known[column]))
                {
                    continue;
                }

                var x = Left + (column * pitch) + 0.5;
                var full = pitch - 1;
                svg.Append($"<rect x=\"{N(x)}\" y=\"{N(stripTop)}\" width=\"{N(full)}\" height=\"{N(StripHeight)}\" fill=\"#f0b7ae\"/>\n");
                if (known[column] > 0)
                {
                    svg.Append($"<rect x=\"{N(x)}\" y=\"{N(stripTop)}\" width=\"{N(Math.Max(0.5, full * known[column]))}\" height=\"{N(StripHeight)}\" fill=\"#8fbf9f\"/>\n");
                }
            }
        }

        return svg.Append("</svg>\n").ToString();
    }

    private (double Low, double High) Range()
    {
        double low = 0, high = 0;
        for (var column = 0; column < Labels.Count; column++)
        {
            double up = 0, down = 0;
            foreach (var value in Series.Select(s => s.Values[column]).Where(double.IsFinite))
            {
                up += Math.Max(0, value);
                down += Math.Min(0, value);
            }

            (low, high) = (Math.Min(low, down), Math.Max(high, up));
            if (Intervals?[column] is var (from, to) && double.IsFinite(from) && double.IsFinite(to))
            {
                (low, high) = (Math.Min(low, from), Math.Max(high, to));
            }
        }

        return high > low ? (low, high) : (0, 1);
    }

    private void Column(StringBuilder svg, int column, double x, double bar, Func<double, double> y)
    {
        double up = 0, down = 0;
        foreach (var series in Series)
        {
            var value = series.Values[column];
            if (!double.IsFinite(value) || value == 0)
            {
                continue;
            }

            var from = value > 0 ? up : down;
            var (top, bottom) = (y(Math.Max(from, from + value)), y(Math.Min(from, from + value)));
            var style = series.IsExpected ? $"fill=\"{series.Colour}\" fill-opacity=\"0.22\" stroke=\"{series.Colour}\" stroke-width=\"0.8\"" : $"fill=\"{series.Colour}\"";
            svg.Append($"<rect x=\"{N(x)}\" y=\"{N(top)}\" width=\"{N(bar)}\" height=\"{N(Math.Max(0.4, bottom - top))}\" {style}/>\n");
            up += Math.Max(0, value);
            down += Math.Min(0, value);
        }

        if (Intervals?[column] is var (low, high) && double.IsFinite(low) && double.IsFinite(high))
        {
            var middle = x + (bar / 2);
            svg.Append($"<path d=\"M {N(middle)} {N(y(low))} V {N(y(high))} M {N(middle - 2.5)} {N(y(low))} h 5 M {N(middle - 2.5)} {N(y(high))} h 5\" stroke=\"{Ink}\" stroke-width=\"0.8\" fill=\"none\"/>\n");
        }
    }

    private void Labelling(StringBuilder svg, int count, double pitch)
    {
        // A label takes some eight units a letter: as many as fit, evenly.
        var longest = Labels.Count == 0 ? 1 : Labels.Max(l => l.Length);
        var every = Math.Max(1, (int)Math.Ceiling(((longest * 8) + 8) / pitch));
        for (var column = 0; column < count; column += every)
        {
            Text(svg, Left + ((column + 0.5) * pitch), Top + PlotHeight + 18, Labels[column], TextSize, "middle");
        }
    }

    private void Legend(StringBuilder svg)
    {
        Text(svg, Left - 8, 20, Unit, TextSize, "end");
        var x = Left;
        foreach (var series in Series)
        {
            svg.Append($"<rect x=\"{N(x)}\" y=\"10\" width=\"12\" height=\"12\" fill=\"{series.Colour}\"{(series.IsExpected ? $" fill-opacity=\"0.22\" stroke=\"{series.Colour}\"" : "")}/>\n");
            Text(svg, x + 18, 20, series.Name, TextSize, "start");
            x += 40 + Breadth(series.Name);
        }

        if (Known is not null)
        {
            foreach (var (word, colour) in new[] { (KnownWords.Known, "#8fbf9f"), (KnownWords.Missing, "#f0b7ae") })
            {
                svg.Append($"<rect x=\"{N(x)}\" y=\"13\" width=\"12\" height=\"7\" fill=\"{colour}\"/>\n");
                Text(svg, x + 18, 20, word, TextSize, "start");
                x += 40 + Breadth(word);
            }
        }
    }

    // Chinese characters are as wide as they are high, Latin letters about half.
    private static double Breadth(string text) => text.Sum(c => c > 0x2E7F ? TextSize : TextSize * 0.55);
}

/// <summary>Axes with round numbers.</summary>
internal static class Scale
{
    /// <summary>A step of 1, 2 or 5 times a power of ten, four to nine of them in the range.</summary>
    public static double StepOf(double range)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(range / 5)));
        var share = range / 5 / power;
        return power * (share < 1.5 ? 1 : share < 3.5 ? 2 : share < 7.5 ? 5 : 10);
    }

    /// <summary>A number of an axis.</summary>
    public static string Label(double value) => Math.Round(value, 12).ToString(Math.Abs(value) >= 1000 ? "#,0.###" : "G6", CultureInfo.InvariantCulture);
}
