using System.Globalization;
using System.Text;
using static EdgeGateway.Core.Drawing.Svg;

namespace EdgeGateway.Core.Drawing;

/// <summary>A line of a chart over whole steps, such as years.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Colour">Its stroke.</param>
/// <param name="Values">One for each step.</param>
/// <param name="Mark">The step that is marked with a dot and its label; null for none.</param>
public sealed record LineSeries(string Name, string Colour, IReadOnlyList<double> Values, int? Mark);

/// <summary>Lines over years, with one marked year each.</summary>
/// <param name="Unit">Unit of the values.</param>
/// <param name="First">The first year.</param>
/// <param name="Series">The lines.</param>
public sealed record LineChart(string Unit, int First, IReadOnlyList<LineSeries> Series)
{
    private const double Width = 1000;
    private const double Left = 70;
    private const double Right = 24;
    private const double Top = 44;
    private const double PlotHeight = 230;
    private const double TextSize = 13;

    /// <summary>The picture as text. <paramref name="title"/> is read to those who cannot see it.</summary>
    public string Draw(string title)
    {
        var svg = new StringBuilder();
        svg.Append($"<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"chart\" viewBox=\"0 0 {N(Width)} {N(Top + PlotHeight + 28)}\" role=\"img\" font-family=\"{Fonts}\" font-size=\"{N(TextSize)}\" fill=\"{Ink}\">\n<title>{Escape(title)}</title>\n");
        var steps = Series.Max(s => s.Values.Count);
        var high = Series.Max(s => s.Values.Max());
        var step = Scale.StepOf(high > 0 ? high : 1);
        high = Math.Max(step, Math.Ceiling(high / step) * step);
        double X(int at) => Left + (at * (Width - Left - Right) / Math.Max(1, steps - 1));
        double Y(double value) => Top + (PlotHeight * (high - value) / high);
        for (var i = 0L; i * step <= high * 1.000001; i++)
        {
            svg.Append($"<path d=\"M {N(Left)} {N(Y(i * step))} H {N(Width - Right)}\" stroke=\"{(i == 0 ? Ink : "#dcdcdc")}\" stroke-width=\"{(i == 0 ? "1" : "0.7")}\"/>\n");
            Text(svg, Left - 8, Y(i * step) + 4, Scale.Label(i * step), TextSize, "end");
        }

        var every = Math.Max(1, (int)Math.Ceiling(steps / 14.0));
        for (var at = 0; at < steps; at += every)
        {
            Text(svg, X(at), Top + PlotHeight + 18, (First + at).ToString(CultureInfo.InvariantCulture), TextSize, "middle");
        }

        Text(svg, Left - 8, 20, Unit, TextSize, "end");
        var legend = Left;
        foreach (var series in Series)
        {
            var path = string.Join(' ', series.Values.Select((value, at) => $"{(at == 0 ? "M" : "L")} {N(X(at))} {N(Y(value))}"));
            svg.Append($"<path d=\"{path}\" fill=\"none\" stroke=\"{series.Colour}\" stroke-width=\"2\" stroke-linejoin=\"round\"/>\n");
            if (series.Mark is { } mark)
            {
                svg.Append($"<circle cx=\"{N(X(mark))}\" cy=\"{N(Y(series.Values[mark]))}\" r=\"4.5\" fill=\"{series.Colour}\"/>\n");
                Text(svg, X(mark), Y(series.Values[mark]) - 9, (First + mark).ToString(CultureInfo.InvariantCulture), TextSize, mark == 0 ? "start" : mark == steps - 1 ? "end" : "middle", isBold: true);
            }

            svg.Append($"<path d=\"M {N(legend)} 16 h 18\" stroke=\"{series.Colour}\" stroke-width=\"3\"/>\n");
            Text(svg, legend + 24, 20, series.Name, TextSize, "start");
            legend += 46 + series.Name.Sum(c => c > 0x2E7F ? TextSize : TextSize * 0.55);
        }

        return svg.Append("</svg>\n").ToString();
    }
}
