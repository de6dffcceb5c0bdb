using System.Globalization;
using System.Text;
using EdgeGateway.Core.Cems;
using static EdgeGateway.Core.Drawing.Svg;

namespace EdgeGateway.Core.Drawing;

/// <summary>A calibration check on a drift chart.</summary>
/// <param name="Time">When.</param>
/// <param name="Reference">Value of the calibration gas.</param>
/// <param name="Measured">What the analyser read, in the same unit.</param>
public readonly record struct DriftCheck(Instant Time, decimal Reference, decimal Measured);

/// <summary>The checks of one level, in the order of time.</summary>
/// <param name="Level"><c>zero</c> or <c>span</c>.</param>
/// <param name="Checks">The checks.</param>
public sealed record DriftLevel(string Level, IReadOnlyList<DriftCheck> Checks);

/// <summary>
/// QAL3 charts of one analyser (EN 14181): for each level the difference of every check (Shewhart) and below it the sums (CUSUM), against lines at 2 s and 3 s. The sums are those of the
/// running gateway: they begin again after a check that calls for action.
/// </summary>
/// <param name="Title">What it shows.</param>
/// <param name="Unit">Unit of the differences.</param>
/// <param name="Zone">Zone of the times below it.</param>
/// <param name="Deviation">Standard deviation s of the analyser, in that unit; above 0.</param>
/// <param name="Levels">The levels, each with at least one check.</param>
public sealed record DriftChart(string Title, string Unit, TimeZoneInfo Zone, decimal Deviation, IReadOnlyList<DriftLevel> Levels)
{
    private const double Width = 1000;
    private const double Left = 84;
    private const double Right = 24;
    private const double Top = 56;
    private const double PlotHeight = 130;
    private const double Gap = 34;
    private const double LevelHeight = (2 * (PlotHeight + Gap)) + 20;
    private const double TextSize = 11;
    private const string Warn = "#ff9d1c";
    private const string Act = "#d62728";

    /// <summary>The picture as text.</summary>
    /// <exception cref="Accounting.EmissionRefusedException">s is not positive.</exception>
    public string Draw()
    {
        var height = Top + (Levels.Count * LevelHeight) + 12;
        var svg = new StringBuilder();
        svg.Append($"""
            <svg xmlns="http://www.w3.org/2000/svg" width="{N(Width)}" height="{N(height)}" viewBox="0 0 {N(Width)} {N(height)}" font-family="{Fonts}" font-size="{N(TextSize)}" fill="{Ink}">
            <title>{Escape(Title)}</title>
            <rect x="0" y="0" width="{N(Width)}" height="{N(height)}" fill="#ffffff"/>

            """);
        Text(svg, Left, 26, Title, 16, "start", isBold: true);
        Text(svg, Left, 44, string.Create(CultureInfo.InvariantCulture, $"reading minus gas in {Unit}; s = {Deviation}; times in {Zone.Id}"), TextSize, "start");
        for (var i = 0; i < Levels.Count; i++)
        {
            Draw(svg, Levels[i], Top + (i * LevelHeight));
        }

        return svg.Append("</svg>\n").ToString();
    }

    private static string ColourOf(DriftVerdict verdict) => verdict switch
    {
        DriftVerdict.Act => Act,
        DriftVerdict.Warn => Warn,
        _ => "#3c8250",
    };

    private void Draw(StringBuilder svg, DriftLevel level, double top)
    {
        var (first, last) = (level.Checks[0].Time.UnixMilliseconds, level.Checks[^1].Time.UnixMilliseconds);
        double X(Instant time) => last == first ? (Left + Width - Right) / 2 : Left + 6 + ((time.UnixMilliseconds - first) * (Width - Left - Right - 12) / (last - first));
        var singles = new List<(double X, double Value, DriftVerdict Verdict)>();
        var upper = new List<(double X, double Value, DriftVerdict Verdict)>();
        var lower = new List<(double X, double Value, DriftVerdict Verdict)>();
        var sums = default(DriftSums);
        var (warned, acted) = (0, 0);
        foreach (var check in level.Checks)
        {
            var difference = check.Measured - check.Reference;
            (sums, var verdict) = En14181.Chart(sums, difference, Deviation);
            singles.Add((X(check.Time), (double)difference, En14181.Shewhart(difference, Deviation)));
            upper.Add((X(check.Time), (double)sums.Upper, sums.Verdict));
            lower.Add((X(check.Time), -(double)sums.Lower, sums.Verdict));
            warned += verdict == DriftVerdict.Warn ? 1 : 0;
            acted += verdict == DriftVerdict.Act ? 1 : 0;
            sums = verdict == DriftVerdict.Act ? default : sums;
        }

        Text(svg, Left, top + 12, string.Create(CultureInfo.InvariantCulture, $"{level.Level} gas: {level.Checks.Count} checks, {warned} warn, {acted} call for action"), 13, "start", isBold: true);
        Panel(svg, top + 20, "single", [singles]);
        Panel(svg, top + 20 + PlotHeight + Gap, "CUSUM", [upper, lower]);
        foreach (var (time, anchor) in ((Instant, string)[])[(level.Checks[0].Time, "start"), (level.Checks[^1].Time, "end")])
        {
            var local = TimeZoneInfo.ConvertTime(time.ToDateTimeOffset(), Zone);
            Text(svg, anchor == "start" ? Left : Width - Right, top + 20 + (2 * PlotHeight) + Gap + 16, local.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture), TextSize, anchor);
        }
    }

    private void Panel(StringBuilder svg, double top, string name, IReadOnlyList<List<(double X, double Value, DriftVerdict Verdict)>> series)
    {
        var s = (double)Deviation;
        var high = Math.Max(4 * s, series.Max(p => p.Max(v => Math.Abs(v.Value))) * 1.1);
        double Y(double value) => top + (PlotHeight * (high - value) / (2 * high));
        foreach (var (at, colour, label) in ((double, string, string)[])[(0, "#8a8a8a", "0"), (2, Warn, "2 s"), (-2, Warn, "-2 s"), (3, Act, "3 s"), (-3, Act, "-3 s")])
        {
            svg.Append($"<path d=\"M {N(Left)} {N(Y(at * s))} H {N(Width - Right)}\" stroke=\"{colour}\" stroke-width=\"0.8\"{(at == 0 ? "" : " stroke-dasharray=\"6 4\"")}/>\n");
            Text(svg, Left - 6, Y(at * s) + 4, label, 9, "end");
        }

        Text(svg, Left + 4, top + 12, name, TextSize, "start");
        svg.Append($"<rect x=\"{N(Left)}\" y=\"{N(top)}\" width=\"{N(Width - Left - Right)}\" height=\"{N(PlotHeight)}\" fill=\"none\" stroke=\"{Ink}\" stroke-width=\"0.6\"/>\n");
        foreach (var points in series)
        {
            svg.Append($"<path d=\"{string.Join(' ', points.Select((p, i) => $"{(i == 0 ? "M" : "L")} {N(p.X)} {N(Y(p.Value))}"))}\" fill=\"none\" stroke=\"#9db7d6\"/>\n");
            foreach (var (x, value, verdict) in points)
            {
                svg.Append($"<circle cx=\"{N(x)}\" cy=\"{N(Y(value))}\" r=\"3\" fill=\"{ColourOf(verdict)}\"/>\n");
            }
        }
    }
}
