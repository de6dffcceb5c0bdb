using System.Globalization;
using System.Text;
using static EdgeGateway.Core.Drawing.Svg;

namespace EdgeGateway.Core.Wiring;

/// <summary>
/// Draws a wiring plan as SVG 1.1: parts, wires with number, colour and cross-section, list of wires, legend and title block. Light, readable in black and
/// white, and the same bytes for the same plan.
/// </summary>
public static class WiringSvg
{
    private const double Margin = 24;
    private const double HeadHeight = 34;
    private const double ListRow = 14;
    private const double LegendColumn = 270;
    private const double LegendWidth = 2 * LegendColumn;
    private const double BlockHeight = 70;
    private const double BlockWidth = 380;

    /// <summary>The picture as text.</summary>
    /// <param name="plan">The plan.</param>
    public static string Draw(WiringPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        var layout = WiringLayout.Of(plan);
        var svg = new StringBuilder();
        var rows = plan.Wires.Select(w => $"{w.Number}  {w.From} to {w.To}  {Words(w)}").ToList();
        var listWidth = Math.Ceiling(rows.Max(r => WiringLayout.TextWidth(r, WiringLayout.TextSize)) + 20);
        var width = Math.Ceiling(Math.Max(layout.Width + (2 * Margin), LegendWidth + listWidth + (2 * Margin) + 20));
        var lists = Math.Max(1, (int)((width - (2 * Margin) - LegendWidth) / listWidth));
        var listRows = (rows.Count + lists - 1) / lists;
        var notes = plan.Notes.SelectMany(n => Wrap(n, width - (2 * Margin) - LegendWidth - 20)).ToList();
        var legend = Legend(plan);
        var foot = HeadHeight + Margin + layout.Height + 20;
        var footHeight = Math.Max(20 + ((legend.Count + 1) / 2 * 18) + 16 + BlockHeight, 20 + (listRows * ListRow) + 26 + (notes.Count * ListRow));
        var height = Math.Ceiling(foot + footHeight + Margin);

        svg.Append($"""
            <svg xmlns="http://www.w3.org/2000/svg" width="{N(width)}" height="{N(height)}" viewBox="0 0 {N(width)} {N(height)}" font-family="{Fonts}" font-size="{N(WiringLayout.TextSize)}" fill="{Ink}">
            <!-- Made by 'edgegateway wiring'. Edit {Escape(plan.File)} and make it anew. -->
            <title>{Escape(plan.Title)}</title>
            <rect x="0" y="0" width="{N(width)}" height="{N(height)}" fill="#ffffff"/>
            <rect x="8" y="8" width="{N(width - 16)}" height="{N(height - 16)}" fill="none" stroke="{Ink}"/>

            """);
        Text(svg, Margin, 32, plan.Title, 16, "start", isBold: true);
        svg.Append($"<g transform=\"translate({N(Margin + Math.Max(0, (width - (2 * Margin) - layout.Width) / 2))},{N(HeadHeight + Margin)})\">\n");
        foreach (var part in layout.Parts)
        {
            Part(svg, part);
        }

        foreach (var wire in layout.Wires)
        {
            Wire(svg, wire);
        }

        foreach (var (x, y) in layout.Dots)
        {
            svg.Append($"<circle cx=\"{N(x)}\" cy=\"{N(y)}\" r=\"3.2\"/>\n");
        }

        foreach (var (end, x, y) in layout.Wires.SelectMany(w => new[] { (w.Wire.From, w.Corners[0].X, w.Corners[0].Y), (w.Wire.To, w.Corners[^1].X, w.Corners[^1].Y) }).DistinctBy(e => (e.Item1.ToString(), e.Item1.IsRight)))
        {
            Text(svg, end.IsRight ? x + 5 : x - 5, y - 4, layout.LabelAt(end), WiringLayout.TextSize - 0.5, end.IsRight ? "start" : "end");
        }

        svg.Append("</g>\n");
        Foot(svg, plan, rows, listRows, listWidth, notes, legend, foot, width, height);
        return svg.Append("</svg>\n").ToString();
    }

    private static void Foot(StringBuilder svg, WiringPlan plan, List<string> rows, int listRows, double listWidth, List<string> notes, List<(string Symbol, string Words)> legend, double foot, double width, double height)
    {
        svg.Append($"<path d=\"M 8 {N(foot - 8)} H {N(width - 8)}\" stroke=\"{Ink}\"/>\n");
        Text(svg, Margin, foot + 8, "Wires", 11, "start", isBold: true);
        for (var i = 0; i < rows.Count; i++)
        {
            Text(svg, Margin + (i / listRows * listWidth), foot + 24 + (i % listRows * ListRow), rows[i], WiringLayout.TextSize, "start");
        }

        var noteY = foot + 24 + (listRows * ListRow) + 8;
        if (notes.Count > 0)
        {
            Text(svg, Margin, noteY, "Notes", 11, "start", isBold: true);
        }

        for (var i = 0; i < notes.Count; i++)
        {
            Text(svg, Margin, noteY + 16 + (i * ListRow), notes[i], WiringLayout.TextSize, "start");
        }

        var x = width - Margin - LegendWidth + 10;
        Text(svg, x, foot + 8, "Legend", 11, "start", isBold: true);
        for (var i = 0; i < legend.Count; i++)
        {
            var y = foot + 26 + (i / 2 * 18);
            var column = x + (i % 2 * LegendColumn);
            svg.Append($"<g transform=\"translate({N(column)},{N(y - 3)})\">{legend[i].Symbol}</g>\n");
            Text(svg, column + 46, y, legend[i].Words, WiringLayout.TextSize, "start");
        }

        var (blockX, blockY) = (width - 8 - BlockWidth, height - 8 - BlockHeight);
        svg.Append($"<rect x=\"{N(blockX)}\" y=\"{N(blockY)}\" width=\"{N(BlockWidth)}\" height=\"{N(BlockHeight)}\" fill=\"none\" stroke=\"{Ink}\"/>\n");
        var title = Wrap(plan.Title, BlockWidth - 16, 10).ToList();
        for (var i = 0; i < Math.Min(2, title.Count); i++)
        {
            Text(svg, blockX + 8, blockY + 15 + (i * 13), title[i], 10, "start", isBold: true);
        }

        Text(svg, blockX + 8, blockY + 45, $"Drawing {plan.Number}, revision {plan.Revision}, from {plan.File}", WiringLayout.TextSize, "start");
        Text(svg, blockX + 8, blockY + 61, "Checked by:                         Date:", WiringLayout.TextSize, "start");
    }

    private static void Part(StringBuilder svg, PlacedPart placed)
    {
        var (part, x, y, width, height) = placed;
        var (rounded, dashed) = (part.Kind == PartKind.Cable ? 10 : 2, part.IsScreened ? " stroke-dasharray=\"6 3\"" : "");
        svg.Append($"<rect x=\"{N(x)}\" y=\"{N(y)}\" width=\"{N(width)}\" height=\"{N(height)}\" rx=\"{rounded}\" fill=\"#fafafa\" stroke=\"{Ink}\" stroke-width=\"1.4\"{dashed}/>\n");
        Text(svg, x + 8, y + 16, $"{part.Id}  {part.Title}", WiringLayout.TitleSize, "start", isBold: true);
        for (var i = 0; i < part.Notes.Count; i++)
        {
            Text(svg, x + 8, y + 31 + (i * WiringLayout.NoteLine), part.Notes[i], WiringLayout.TextSize, "start");
        }

        for (var i = 0; i < part.Through.Count; i++)
        {
            Through(svg, part, x, placed.RowY(i), width);
            Text(svg, x + 6, placed.RowY(i) - 4, part.Through[i].Label, WiringLayout.TextSize, "start");
        }

        foreach (var (terminals, isRight) in new[] { (part.Left, false), (part.Right, true) })
        {
            for (var i = 0; i < terminals.Count; i++)
            {
                var row = placed.RowY(part.Through.Count + i);
                var edge = isRight ? x + width : x;
                var isPaired = part.Kind is PartKind.Resistor or PartKind.ContactClosed or PartKind.ContactOpen;
                svg.Append($"<circle cx=\"{N(edge)}\" cy=\"{N(row)}\" r=\"2.6\" fill=\"#ffffff\" stroke=\"{Ink}\"/>\n");
                Text(svg, isRight ? edge - 7 : edge + 7, isPaired ? row - 4 : row + 3, terminals[i].Label, WiringLayout.TextSize, isRight ? "end" : "start");
                if (isPaired && i % 2 == 0)
                {
                    Pair(svg, part.Kind, edge, isRight ? -1 : 1, row);
                }
            }
        }

        if (part.Kind == PartKind.Earth)
        {
            svg.Append(EarthSymbol(x + 26, y + height - 2));
        }

        if (part.Barrier is { } barrier)
        {
            var from = y + WiringLayout.HeaderHeight(part) - 2;
            var at = x + (width / 2);
            svg.Append($"<path d=\"M {N(at - 2)} {N(from)} V {N(y + height - 16)} M {N(at + 2)} {N(from)} V {N(y + height - 16)}\" stroke=\"{Ink}\" stroke-width=\"1.2\" stroke-dasharray=\"7 3\"/>\n");
            Text(svg, at, y + height - 5, $"isolation: {barrier}", WiringLayout.TextSize, "middle");
        }
    }

    private static void Through(StringBuilder svg, WiringPart part, double x, double y, double width)
    {
        var middle = x + (width * 0.78);
        svg.Append($"<path d=\"M {N(x)} {N(y)} H {N(x + width)}\" stroke=\"{Ink}\" fill=\"none\"/>\n");
        svg.Append(part.Kind switch
        {
            PartKind.Strip => $"<circle cx=\"{N(middle)}\" cy=\"{N(y)}\" r=\"3.5\" fill=\"#ffffff\" stroke=\"{Ink}\"/>\n",
            PartKind.Fuse => $"<rect x=\"{N(middle - 10)}\" y=\"{N(y - 4)}\" width=\"20\" height=\"8\" fill=\"none\" stroke=\"{Ink}\"/>\n",
            PartKind.Surge => $"<rect x=\"{N(middle - 4)}\" y=\"{N(y + 3)}\" width=\"8\" height=\"12\" fill=\"#ffffff\" stroke=\"{Ink}\"/><path d=\"M {N(middle)} {N(y)} V {N(y + 3)} M {N(middle)} {N(y + 15)} V {N(y + 19)} M {N(middle - 7)} {N(y + 14)} L {N(middle + 7)} {N(y + 4)}\" stroke=\"{Ink}\" fill=\"none\"/>\n",
            _ => "",
        });
        foreach (var edge in new[] { x, x + width })
        {
            svg.Append($"<circle cx=\"{N(edge)}\" cy=\"{N(y)}\" r=\"2.6\" fill=\"#ffffff\" stroke=\"{Ink}\"/>\n");
        }
    }

    // Between the row and the one below it, a little inside the part.
    private static void Pair(StringBuilder svg, PartKind kind, double edge, int inward, double row)
    {
        var (x, below) = (edge + (inward * 62), row + WiringLayout.RowPitch);
        var (upper, lower) = (row + 6, below - 6);
        svg.Append($"<path d=\"M {N(edge)} {N(row)} H {N(x)} V {N(upper)} M {N(edge)} {N(below)} H {N(x)} V {N(lower)}\" stroke=\"{Ink}\" fill=\"none\"/>\n");
        svg.Append(kind switch
        {
            PartKind.Resistor => $"<rect x=\"{N(x - 4)}\" y=\"{N(upper - 3)}\" width=\"8\" height=\"{N(lower - upper + 6)}\" fill=\"#ffffff\" stroke=\"{Ink}\"/>\n",
            PartKind.ContactClosed => $"<path d=\"M {N(x)} {N(lower)} L {N(x - 9)} {N(upper - 3)} M {N(x)} {N(upper)} H {N(x - 9)}\" stroke=\"{Ink}\" stroke-width=\"1.4\" fill=\"none\"/>\n",
            _ => $"<path d=\"M {N(x)} {N(lower)} L {N(x - 9)} {N(upper)}\" stroke=\"{Ink}\" stroke-width=\"1.4\" fill=\"none\"/>\n",
        });
    }

    private static void Wire(StringBuilder svg, RoutedWire routed)
    {
        var path = new StringBuilder("M");
        foreach (var (x, y) in routed.Corners)
        {
            path.Append($" {N(x)} {N(y)}");
        }

        svg.Append(Stroke(path.ToString(), routed.Wire.Colour, IsThick(routed.Wire)));
    }

    private static bool IsThick(WiringWire wire) => wire.Colour == "GNYE" || (wire.Section is { } section && double.TryParse(section, NumberStyles.Float, CultureInfo.InvariantCulture, out var mm2) && mm2 >= 1);

    // A dark edge keeps light colours visible on paper.
    private static string Stroke(string path, string colour, bool isThick)
    {
        var width = isThick ? 2.4 : 1.5;
        return colour == "screen"
            ? $"<path d=\"{path}\" fill=\"none\" stroke=\"{WireColours.Svg(colour)}\" stroke-width=\"1.6\" stroke-dasharray=\"5 3\"/>\n"
            : $"<path d=\"{path}\" fill=\"none\" stroke=\"{Ink}\" stroke-width=\"{N(width + 1.3)}\"/>\n<path d=\"{path}\" fill=\"none\" stroke=\"{WireColours.Svg(colour)}\" stroke-width=\"{N(width)}\"/>\n"
                + (colour == "GNYE" ? $"<path d=\"{path}\" fill=\"none\" stroke=\"{WireColours.Svg("YE")}\" stroke-width=\"{N(width)}\" stroke-dasharray=\"7 7\"/>\n" : "");
    }

    private static string EarthSymbol(double x, double y) =>
        $"<path d=\"M {N(x)} {N(y)} v 8 M {N(x - 9)} {N(y + 8)} h 18 M {N(x - 6)} {N(y + 11.5)} h 12 M {N(x - 3)} {N(y + 15)} h 6\" stroke=\"{Ink}\" stroke-width=\"1.4\" fill=\"none\"/>\n";

    private static List<(string Symbol, string Words)> Legend(WiringPlan plan)
    {
        var kinds = plan.Parts.Select(p => p.Kind).ToHashSet();
        var legend = plan.Wires.Select(w => w.Colour).Distinct().OrderBy(c => WireColours.Codes.ToList().IndexOf(c))
            .Select(c => (Stroke("M 0 0 H 38", c, c == "GNYE").TrimEnd('\n').Replace("\n", "", StringComparison.Ordinal), $"{(c.Length <= 4 ? $"{c}  " : "")}{WireColours.Name(c)}")).ToList();
        void Add(bool isThere, string symbol, string words)
        {
            if (isThere)
            {
                legend.Add((symbol, words));
            }
        }

        Add(true, "<circle cx=\"19\" cy=\"0\" r=\"3.2\"/>", "wires are joined; without a dot they cross");
        Add(plan.Parts.Any(p => p.Barrier is not null), $"<path d=\"M 17 -7 V 7 M 21 -7 V 7\" stroke=\"{Ink}\" stroke-width=\"1.2\" stroke-dasharray=\"5 2\"/>", "isolation barrier");
        Add(plan.Parts.Any(p => p.IsScreened), $"<rect x=\"2\" y=\"-6\" width=\"34\" height=\"12\" rx=\"5\" fill=\"none\" stroke=\"{Ink}\" stroke-dasharray=\"6 3\"/>", "screened cable");
        Add(kinds.Contains(PartKind.Fuse), $"<path d=\"M 0 0 H 38\" stroke=\"{Ink}\"/><rect x=\"9\" y=\"-4\" width=\"20\" height=\"8\" fill=\"none\" stroke=\"{Ink}\"/>", "fuse");
        Add(kinds.Contains(PartKind.Resistor), $"<path d=\"M 0 0 H 38\" stroke=\"{Ink}\"/><rect x=\"9\" y=\"-4\" width=\"20\" height=\"8\" fill=\"#ffffff\" stroke=\"{Ink}\"/>", "resistor");
        Add(kinds.Contains(PartKind.Surge), $"<rect x=\"15\" y=\"-6\" width=\"8\" height=\"12\" fill=\"#ffffff\" stroke=\"{Ink}\"/><path d=\"M 12 5 L 26 -5\" stroke=\"{Ink}\"/>", "surge protection against earth");
        Add(kinds.Contains(PartKind.ContactClosed), $"<path d=\"M 0 0 H 14 M 14 0 L 27 -6 M 24 0 H 38 M 24 0 V -7\" stroke=\"{Ink}\" stroke-width=\"1.3\" fill=\"none\"/>", "contact, closed while all is well");
        Add(kinds.Contains(PartKind.ContactOpen), $"<path d=\"M 0 0 H 14 M 14 0 L 25 -6 M 24 0 H 38\" stroke=\"{Ink}\" stroke-width=\"1.3\" fill=\"none\"/>", "contact, open while all is well");
        Add(kinds.Contains(PartKind.Earth), $"<g transform=\"translate(0,-9)\">{EarthSymbol(19, 0).TrimEnd('\n')}</g>", "earth");
        return legend;
    }

    private static string Words(WiringWire wire) => wire.Colour is "plug" or "screen" ? wire.Colour : $"{wire.Colour}{(wire.Section is null ? "" : $" {wire.Section} mm2")}";

    private static IEnumerable<string> Wrap(string text, double width, double size = WiringLayout.TextSize)
    {
        var line = "";
        foreach (var word in text.Split(' '))
        {
            if (line.Length > 0 && WiringLayout.TextWidth($"{line} {word}", size) > width)
            {
                yield return line;
                line = word;
            }
            else
            {
                line = line.Length > 0 ? $"{line} {word}" : word;
            }
        }

        yield return line;
    }
}
