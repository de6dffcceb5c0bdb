using System.Globalization;
using System.Text;
using EdgeGateway.Core.Drawing;

namespace EdgeGateway.Core.Accounting.Statements;

/// <summary>A statement as one HTML page with its charts in it: nothing is loaded from elsewhere, no script runs, and it prints on A4.</summary>
public static class StatementHtml
{
    private const string Scope1 = "#b8622b";
    private const string Scope2 = "#1f5fa8";
    private const string Market = "#6b4f9e";
    private const string Removal = "#3c8250";
    private const double WellKnown = 0.9;
    private const int MostEvents = 30;

    private static readonly string[] Palette = ["#1f5fa8", "#b8622b", "#3c8250", "#6b4f9e", "#a8324a", "#4a4a4a"];

    /// <summary>Writes the page.</summary>
    /// <param name="statement">The statement.</param>
    /// <param name="words">Its language.</param>
    public static string Write(Statement statement, StatementWords words)
    {
        ArgumentNullException.ThrowIfNull(statement);
        ArgumentNullException.ThrowIfNull(words);
        var text = new StatementText(statement, words);
        var html = new StringBuilder();
        html.Append($"""
            <!DOCTYPE html>
            <html lang="{(words.Language == "zh" ? "zh-Hans" : words.Language)}">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
            <title>{E(words["title"])} {E(statement.Site.Name)} {statement.Period.Name}</title>
            <style>{Style}</style>
            </head>
            <body>
            <main>

            """);
        Head(html, statement, text);
        Totals(html, statement, text);
        OverTime(html, statement, text);
        HowKnown(html, statement, text);
        Accounts(html, statement, text);
        Stacks(html, statement, text);
        Areas(html, statement, text);
        Remainders(html, statement, text);
        Gases(html, statement, text);
        Gaps(html, statement, text);
        Outlooks(html, statement, text);
        Scenarios(html, statement, text);
        Own(html, statement, text);
        Restatements(html, statement, text);
        Factors(html, statement, text);
        Events(html, statement, text);
        html.Append($"<section><h2>{E(words["origin"])}</h2>\n<p>{E(text.Source())}</p>\n<p class=\"note\">{E(words["rules"])}</p></section>\n");
        return html.Append("</main>\n</body>\n</html>\n").ToString();
    }

    private static void Head(StringBuilder html, Statement s, StatementText t)
    {
        html.Append($"<header>\n<p class=\"over\">{E(t.Words["title"])}</p>\n<h1>{E(s.Site.Name)}</h1>\n<p class=\"sub\">{E(t.Subtitle())}, {E(t.Subject())}</p>\n<dl>");
        foreach (var (key, value) in new[]
        {
            ("site", s.Site.Id), ("gateway", s.Site.Gateway), ("region", s.Site.Region ?? t.Words["unknown"]), ("zone", s.Site.Zone.Id),
            ("covers", $"{t.Time(s.From)} – {t.Time(s.To)}"), ("entries", s.Entries.ToString("#,0", CultureInfo.InvariantCulture)),
        })
        {
            html.Append($"<div><dt>{E(t.Words[key])}</dt><dd>{E(value)}</dd></div>");
        }

        html.Append("</dl>\n</header>\n");
        if (!s.IsComplete)
        {
            html.Append($"<p class=\"warn\">{E(t.Words.Fill("incomplete", t.Time(s.To), t.Time(s.Period.End)))}</p>\n");
        }

        if (s.Lines.Any(l => l.Scope > 0 && l.Mass.Coverage < WellKnown))
        {
            html.Append($"<p class=\"warn\">{E(t.Words["half-known"])}</p>\n");
        }

        if (s.Site.Devices.Count == 0)
        {
            html.Append($"<p class=\"warn\">{E(t.Words["no-configuration"])}</p>\n");
        }
    }

    private static void Totals(StringBuilder html, Statement s, StatementText t)
    {
        html.Append("<section class=\"cards\">\n");
        foreach (var total in s.Totals)
        {
            var colour = ColourOf(total.Scope, total.Basis);
            var set = total.GwpSet is { } gwp ? $", {gwp}" : "";
            Card(html, t, t.Scope(total.Scope, total.Basis), colour, total.Mass, $"{t.Unit} CO2e{set}", total.Refusal?.In(t.Words));
        }

        if (!s.Totals.Any(x => x.Scope == 2 && x.Basis == EmissionBasis.Market))
        {
            Card(html, t, t.Words["scope.2.market"], Market, null, "", t.Words["market-missing"]);
        }

        Card(html, t, t.Words["removed"], Removal, s.Removed, $"{t.Unit} CO2", t.Words["removed-missing"]);
        Card(html, t, t.Words["biogenic"], Removal, s.Biogenic, $"{t.Unit} CO2", t.Words["biogenic-missing"]);
        html.Append($"</section>\n<p class=\"note\">{E(t.Words["apart"])}</p>\n");
    }

    private static void Card(StringBuilder html, StatementText t, string name, string colour, StatedMass? mass, string unit, string? missing)
    {
        html.Append($"<div class=\"card\" style=\"border-color:{colour}\"><p class=\"name\">{E(name)}</p>");
        if (mass is { } m)
        {
            html.Append($"<p class=\"figure\">{t.Mass(m.Milligrams)} <small>{E(unit)}</small></p><p class=\"small\">{E(t.Words["uncertainty"])} ± {E(t.Plus(m.UncertaintyPercent))}<br>{E(t.Words["coverage"])} {StatementText.Percent(m.Coverage)}</p>");
        }
        else
        {
            html.Append($"<p class=\"figure none\">{E(t.Words["not-stated"])}</p><p class=\"small\">{E(missing ?? "")}</p>");
        }

        html.Append("</div>\n");
    }

    private static void OverTime(StringBuilder html, Statement s, StatementText t)
    {
        var title = t.Words[s.Period.Length switch { PeriodLength.Day => "over-time.day", PeriodLength.Month => "over-time.month", _ => "over-time.year" }];
        if (s.Courses.Count > 0)
        {
            html.Append($"<section><h2>{E(title)}</h2>\n");
        }

        // A picture for each total: what is never added is not stacked.
        foreach (var course in s.Courses)
        {
            var name = t.Scope(course.Scope, course.Basis);
            var lines = Counted(s).Where(l => l.Scope == course.Scope && l.Basis == course.Basis).ToList();
            html.Append(new ColumnChart(t.Unit, [.. Enumerable.Range(0, s.Period.Parts).Select(s.Period.PartName)], [new(name, ColourOf(course.Scope, course.Basis), [.. course.Milligrams.Select(m => t.InUnit(m))])])
            {
                PlotHeight = 150,
                Known = [.. Enumerable.Range(0, s.Period.Parts).Select(p => lines.Select(l => l.PartCoverage[p]).Where(c => !double.IsNaN(c)).DefaultIfEmpty(double.NaN).Min())],
                KnownWords = ("", t.Words["known"], t.Words["missing"]),
            }.Draw($"{title}, {name}"));
        }

        html.Append(s.Courses.Count > 0 ? "</section>\n" : "");
    }

    private static void HowKnown(StringBuilder html, Statement s, StatementText t)
    {
        // A column for each total: what is never added is not mixed in a share either.
        var totals = Counted(s).GroupBy(l => (l.Scope, l.Basis)).OrderBy(g => g.Key).Select(g => (Name: t.Scope(g.Key.Scope, g.Key.Basis), Colour: ColourOf(g.Key.Scope, g.Key.Basis), Lines: g.ToList())).ToList();
        html.Append($"<section class=\"whole\"><h2>{E(t.Words["how-known"])}</h2>\n<p class=\"note\">{E(t.Words["how-known-note"])}</p>\n<table class=\"known\"><thead><tr><th></th>{string.Concat(totals.Select(x => $"<th colspan=\"2\">{E(x.Name)}</th>"))}<th></th></tr></thead><tbody>\n");
        void Row(string key, Func<List<StatementLine>, double> share)
        {
            html.Append($"<tr><th>{E(t.Words[key])}</th>");
            foreach (var (_, colour, lines) in totals)
            {
                var part = share(lines);
                html.Append($"<td class=\"num\">{StatementText.Percent(part)}</td><td><svg class=\"bar\" viewBox=\"0 0 90 10\" width=\"90\" height=\"10\"><rect width=\"90\" height=\"10\" fill=\"#ececec\"/><rect width=\"{Svg.N(Math.Clamp(part, 0, 1) * 90)}\" height=\"10\" fill=\"{(key == "missing" ? "#c2543f" : colour)}\"/></svg></td>");
            }

            html.Append($"<td class=\"note\">{E(t.Words[key + ".note"])}</td></tr>\n");
        }

        static double Share(List<StatementLine> lines, Func<StatementLine, double> part)
        {
            var total = lines.Sum(l => Math.Abs((double)l.Mass.Milligrams));
            return total == 0 ? 0 : lines.Sum(part) / total;
        }

        foreach (var evidence in new[] { EmissionEvidence.Measured, EmissionEvidence.Calculated, EmissionEvidence.Estimated })
        {
            Row($"evidence.{evidence.Word()}", lines => Share(lines, l => l.Evidence == evidence ? Math.Abs((double)l.Mass.Milligrams) : 0));
        }

        Row("allocated", lines => Share(lines, l => Math.Abs((double)l.AllocatedMilligrams)));
        Row("substituted", lines => lines.Max(l => l.Substituted));
        Row("missing", lines => lines.Max(l => Math.Max(0, 1 - l.Mass.Coverage - l.Substituted)));
        html.Append("</tbody></table></section>\n");
    }

    private static void Accounts(StringBuilder html, Statement s, StatementText t)
    {
        var w = t.Words;
        double Largest(StatementLine line) => s.Lines.Where(l => (l.Scope, l.Basis) == (line.Scope, line.Basis)).Max(l => Math.Max(Math.Abs((double)l.Mass.Milligrams), (double)l.RemovedMilligrams));
        html.Append($"<section><h2>{E(w["accounts"])}</h2>\n<p class=\"note\">{E(w["accounts-note"])}</p>\n<table><thead><tr><th>{E(w["device"])}</th><th>{E(w["method"])}</th><th class=\"num\">{E(w["activity"])}</th><th class=\"num\">{E(w["mass"])}, {t.Unit}</th><th></th><th class=\"num\">{E(w["uncertainty-short"])}</th><th class=\"num\">{E(w["coverage"])}</th><th>{E(w["counted"])}</th></tr></thead><tbody>\n");
        var depths = new Dictionary<string, int>();
        foreach (var line in s.Lines.Where(IsShown))
        {
            var depth = line.ContainedIn is { } parent ? depths.GetValueOrDefault(parent) + 1 : 0;
            depths[line.Device] = depth;
            var isRemoval = line.RemovedMilligrams != 0;
            var mass = isRemoval ? line.RemovedMilligrams : line.Mass.Milligrams;
            var width = mass != 0 ? Math.Abs((double)mass) / Largest(line) * 90 : 0;
            var colour = isRemoval ? Removal : line.Counts ? ColourOf(line.Scope, line.Basis) : "#9db7d6";
            var standing = line.Counts || isRemoval ? isRemoval ? w["removed"] : w["counts"] : line.ContainedIn is { } container ? w.Fill("contained", container) : line.Scope == 0 ? w["scope.0"] : w["not-counted"];
            html.Append($"<tr><td style=\"padding-left:{6 + (18 * depth)}px\">{E(line.Name)}<br><span class=\"id\">{E(line.Device)}{(line.Area is { } area ? $" · {E(area)}" : "")}{(line.Since is { } since ? $" · {E(w.Fill("since", t.Time(since)))}" : "")}</span></td>");
            html.Append($"<td>{E(t.Method(line.Method))}<br><span class=\"id\">{E(t.Evidence(line.Evidence))}{(line.Scope > 0 ? $" · {E(w["scope"])} {line.Scope}" : "")}{(line.Gas != "CO2" ? $" · {E(StatementText.Gas(line.Gas))} {E(line.GwpSet ?? "")}" : "")}{(line.AdaptedMilligrams is { } adapted ? $"<br>{E(w.Fill("adapted", t.Mass(adapted), t.Unit))}" : "")}</span></td>");
            html.Append($"<td class=\"num\">{E(StatementText.Activity(line))}</td><td class=\"num\">{t.Mass(mass)}</td><td class=\"slim\"><svg class=\"bar\" viewBox=\"0 0 90 10\" width=\"90\" height=\"10\"><rect width=\"{Svg.N(width)}\" height=\"10\" fill=\"{colour}\"/></svg></td>");
            html.Append($"<td class=\"num\">{E(mass == 0 ? "" : t.Plus(line.Mass.UncertaintyPercent))}</td><td class=\"num{(line.Mass.Coverage < WellKnown ? " bad" : "")}\">{StatementText.Percent(line.Mass.Coverage)}</td><td>{E(standing)}</td></tr>\n");
        }

        html.Append("</tbody></table></section>\n");
    }

    private static void Stacks(StringBuilder html, Statement s, StatementText t)
    {
        var w = t.Words;
        foreach (var stack in s.Stacks)
        {
            string Hours(IEnumerable<StackHours> hours, Func<string, string> name) => string.Join("<br>", hours.Select(h => E(w.Fill("stack-hours", name(h.Word), h.Hours))));
            html.Append($"<section class=\"whole\"><h2>{E(w.Fill("stack", stack.Name))}</h2>\n<p class=\"note\">{E(w.Fill("stack-note", t.Method(stack.Method), stack.Hours, StatementText.Number(stack.OperatingHours, 2)))}</p>\n");
            html.Append($"<table><thead><tr><th>{E(w["quantity"])}</th><th class=\"num\">{E(w["valid-hours"])}</th><th>{E(w["not-valid"])}</th><th>{E(w["by-rule"])}</th><th class=\"num\">{E(w["availability"])}</th><th class=\"num\">{E(w["mass"])}, kg</th></tr></thead><tbody>\n");
            foreach (var q in stack.Quantities)
            {
                var without = q.WithoutMass > 0 ? $"<br><span class=\"id\">{E(w.Fill("without-mass", q.WithoutMass))}</span>" : "";
                html.Append($"<tr><td>{E(w.Or($"quantity.{q.Name}", q.Name.ToUpperInvariant()))}</td><td class=\"num\">{q.ValidHours}</td><td>{Hours(q.Flags, f => w.Or($"flag.{f}", f))}</td><td>{Hours(q.Rules, r => w.Or($"rule.{r}", r))}</td>");
                html.Append($"<td class=\"num\">{(q.AvailabilityPercent is { } percent ? $"{StatementText.Number(percent, 1)} %" : "")}</td><td class=\"num\">{(q.Kilograms is { } kilograms ? StatementText.Number(kilograms, 3) : "")}{without}</td></tr>\n");
            }

            html.Append("</tbody></table></section>\n");
        }
    }

    private static void Areas(StringBuilder html, Statement s, StatementText t)
    {
        if (s.Areas.Count == 0)
        {
            return;
        }

        html.Append($"<section class=\"whole\"><h2>{E(t.Words["areas"])}</h2>\n<p class=\"note\">{E(t.Words["areas-note"])}</p>\n");
        var names = s.Areas.Select(a => a.Area).Distinct().ToList();
        html.Append($"<table><thead><tr><th>{E(t.Words["area"])}</th><th>{E(t.Words["scope"])}</th><th class=\"num\">{E(t.Words["mass"])}, {t.Unit}</th><th></th><th class=\"num\">{E(t.Words["uncertainty-short"])}</th><th class=\"num\">{E(t.Words["coverage"])}</th></tr></thead><tbody>\n");
        foreach (var area in names.SelectMany(n => s.Areas.Where(a => a.Area == n)))
        {
            var largest = s.Areas.Where(a => (a.Scope, a.Basis) == (area.Scope, area.Basis)).Max(a => Math.Abs((double)(a.Mass?.Milligrams ?? 0)));
            var width = area.Mass is { } m && largest > 0 ? Math.Abs((double)m.Milligrams) / largest * 160 : 0;
            html.Append($"<tr><td>{E(area.Area ?? t.Words["no-area"])}</td><td>{E(t.Scope(area.Scope, area.Basis))}</td><td class=\"num\">{(area.Mass is { } mass ? t.Mass(mass.Milligrams) : E(t.Words["not-stated"]))}</td><td class=\"slim\"><svg class=\"bar\" viewBox=\"0 0 160 10\" width=\"160\" height=\"10\"><rect width=\"{Svg.N(width)}\" height=\"10\" fill=\"{ColourOf(area.Scope, area.Basis)}\"/></svg></td><td class=\"num\">{E(area.Mass is { } u ? t.Plus(u.UncertaintyPercent) : "")}</td><td class=\"num\">{(area.Mass is { } c ? StatementText.Percent(c.Coverage) : "")}</td></tr>\n");
        }

        html.Append("</tbody></table></section>\n");
    }

    private static void Remainders(StringBuilder html, Statement s, StatementText t)
    {
        if (s.Remainders.Count == 0)
        {
            return;
        }

        html.Append($"<section class=\"whole\"><h2>{E(t.Words["remainders"])}</h2>\n<p class=\"note\">{E(t.Words["remainders-note"])}</p>\n<table><thead><tr><th>{E(t.Words["device"])}</th><th class=\"num\">kWh</th><th class=\"num\">{E(t.Words["mass"])}, {t.Unit}</th><th class=\"num\">{E(t.Words["uncertainty-short"])}</th><th class=\"num\">{E(t.Words["coverage"])}</th></tr></thead><tbody>\n");
        foreach (var rest in s.Remainders)
        {
            html.Append($"<tr><td>{E(t.Words.Fill("remainder", rest.Name))}</td><td class=\"num\">{StatementText.Number(rest.KWh, 2)}</td><td class=\"num\">{t.Mass(rest.Mass.Milligrams)}</td><td class=\"num\">{E(t.Plus(rest.Mass.UncertaintyPercent))}</td><td class=\"num\">{StatementText.Percent(rest.Mass.Coverage)}</td></tr>\n");
        }

        html.Append("</tbody></table></section>\n");
    }

    private static void Gases(StringBuilder html, Statement s, StatementText t)
    {
        if (s.Gases.All(g => g.Gas == "CO2"))
        {
            return; // The totals say it already.
        }

        html.Append($"<section class=\"whole\"><h2>{E(t.Words["gases"])}</h2>\n<table><thead><tr><th>{E(t.Words["gas"])}</th><th>{E(t.Words["gwp"])}</th><th>{E(t.Words["scope"])}</th><th class=\"num\">{E(t.Words["mass"])}, {t.Unit} CO2e</th><th class=\"num\">{E(t.Words["uncertainty-short"])}</th></tr></thead><tbody>\n");
        foreach (var gas in s.Gases)
        {
            html.Append($"<tr><td>{E(StatementText.Gas(gas.Gas ?? ""))}</td><td>{E(gas.GwpSet ?? "–")}</td><td>{E(t.Scope(gas.Scope, gas.Basis))}</td><td class=\"num\">{(gas.Mass is { } m ? t.Mass(m.Milligrams) : E(gas.Refusal?.In(t.Words) ?? ""))}</td><td class=\"num\">{E(gas.Mass is { } u ? t.Plus(u.UncertaintyPercent) : "")}</td></tr>\n");
        }

        html.Append("</tbody></table></section>\n");
    }

    private static void Gaps(StringBuilder html, Statement s, StatementText t)
    {
        html.Append($"<section><h2>{E(t.Words["gaps"])}</h2>\n");
        if (s.Gaps.Count == 0)
        {
            html.Append($"<p>{E(t.Words["gaps-none"])}</p></section>\n");
            return;
        }

        html.Append($"<table><thead><tr><th>{E(t.Words["device"])}</th><th>{E(t.Words["from"])}</th><th>{E(t.Words["to"])}</th><th class=\"num\">{E(t.Words["duration"])}</th><th>{E(t.Words["reason"])}</th></tr></thead><tbody>\n");
        foreach (var group in s.Gaps.GroupBy(g => (g.From, g.To, g.Reason)))
        {
            var gap = group.First();
            html.Append($"<tr><td>{E(string.Join(", ", group.Select(g => g.Device).Distinct().Order(StringComparer.Ordinal)))}</td><td class=\"time\">{t.Time(gap.From)}</td><td class=\"time\">{t.Time(gap.To)}</td><td class=\"num\">{StatementText.Hours(gap.To - gap.From)}</td><td>{E(t.Words.Or($"reason.{gap.Reason}", gap.Reason))}</td></tr>\n");
        }

        html.Append($"</tbody></table>{(s.GapsLeftOut > 0 ? $"<p class=\"note\">{E(t.Words.Fill("gaps-more", s.GapsLeftOut))}</p>" : "")}</section>\n");
    }

    private static void Outlooks(StringBuilder html, Statement s, StatementText t)
    {
        if (s.Outlooks.Count == 0)
        {
            return;
        }

        var w = t.Words;
        html.Append($"<section><h2>{E(w["outlook"])}</h2>\n<p class=\"note\">{E(w["outlook-note"])}</p>\n");
        foreach (var total in s.Outlooks.Where(o => o is { Device: null, Forecast: not null, Days.Count: > 0 } && o.Days[^1].Day > o.LastDay).GroupBy(o => (o.Scope, o.Basis)))
        {
            html.Append(OutlookChart(total.MinBy(o => o.Forecast!.Steps.Count)!, t));
        }

        html.Append($"<table><thead><tr><th></th><th>{E(w["target"])}</th><th class=\"num\">{E(w["accounted"])}, {t.Unit}</th><th class=\"num\">{E(w["expected"])}, {t.Unit}</th><th class=\"num\">{E(w["interval"])}</th><th>{E(w["method"])}</th></tr></thead><tbody>\n");
        foreach (var o in s.Outlooks)
        {
            html.Append($"<tr><td>{E(o.Name)}<br><span class=\"id\">{E(t.Scope(o.Scope, o.Basis))}</span></td><td>{o.Target.Name}{(o.SinceStart > o.Target.First ? $"<br><span class=\"id\">{E(w.Fill("since-day", Day(o.SinceStart)))}</span>" : "")}</td><td class=\"num\">{t.MassOfKilograms(o.Kilograms)}</td>");
            html.Append(o is { Total: { } total, Forecast: { } forecast }
                ? $"<td class=\"num\">{t.MassOfKilograms(total.Value)}</td><td class=\"num\">{t.MassOfKilograms(total.Low)} – {t.MassOfKilograms(total.High)}</td><td>{E(w[$"forecast.{forecast.Method}"])}<br><span class=\"id\">{E(w["trials"])} {forecast.Trials}{(o.FilledDays > 0 ? $" · {E(w.Fill("filled", o.FilledDays))}" : "")}</span></td></tr>\n"
                : $"<td colspan=\"3\" class=\"note\">{E(w.Fill("refused", o.Refusal?.In(w)))}</td></tr>\n");
        }

        html.Append("</tbody></table></section>\n");
    }

    private static string OutlookChart(StatementOutlook o, StatementText t)
    {
        var ahead = o.Forecast!.Steps.Count;
        var known = o.Days.Count - ahead;
        var colour = ColourOf(o.Scope, o.Basis);
        double Of(double kilograms) => t.InUnit(kilograms);
        return new ColumnChart(
            t.Unit,
            [.. o.Days.Select(d => d.Day.ToString("MM-dd", CultureInfo.InvariantCulture))],
            [
                new(t.Scope(o.Scope, o.Basis), colour, [.. o.Days.Select((d, i) => i < known ? Of(d.Kilograms) : double.NaN)]),
                new(t.Words["forecast-series"], colour, [.. o.Days.Select((d, i) => i < known ? double.NaN : Of(d.Kilograms))], IsExpected: true),
            ])
        {
            PlotHeight = 130,
            Intervals = [.. o.Days.Select((_, i) => i < known ? (double.NaN, double.NaN) : (Of(o.Forecast.Steps[i - known].Low), Of(o.Forecast.Steps[i - known].High)))],
        }.Draw(t.Words["outlook"]);
    }

    private static void Scenarios(StringBuilder html, Statement s, StatementText t)
    {
        var w = t.Words;
        if (s.PeakRefusal is { } refusal)
        {
            html.Append($"<section><h2>{E(w["scenarios"])}</h2>\n<p class=\"note\">{E(w.Fill("refused", refusal.In(w)))}</p></section>\n");
        }

        if (s.Peak is not { } peak)
        {
            return;
        }

        html.Append($"<section class=\"whole\"><h2>{E(w["scenarios"])}</h2>\n<p>{E(w.Fill("scenarios-base", StatementText.Number(peak.BaseTonnes, 1), peak.BaseYear, w[$"base.{peak.BaseNote}"]))}</p>\n");
        html.Append(new LineChart("t", peak.BaseYear, [.. peak.Paths.Select((p, i) => new LineSeries(p.Scenario.Name, Palette[i % Palette.Length], p.Years, p.IsReached ? p.PeakYear - peak.BaseYear : null))]).Draw(w["scenarios"]));
        html.Append($"<table><thead><tr><th>{E(w["scenario"])}</th><th class=\"num\">{E(w["growth"])}</th><th class=\"num\">{E(w["efficiency"])}</th><th class=\"num\">{E(w["drift"])}</th><th>{E(w["peak"])}</th><th class=\"num\">t</th><th>{E(w["year"])}</th><th class=\"num\">t</th></tr></thead><tbody>\n");
        foreach (var p in peak.Paths)
        {
            html.Append($"<tr><td>{E(p.Scenario.Name)}</td><td class=\"num\">{Rate(p.Scenario.GrowthPercent)}</td><td class=\"num\">{Rate(p.Scenario.EfficiencyPercent)}</td><td class=\"num\">{Rate(p.Scenario.DriftPercent)}</td><td>{(p.IsReached ? p.PeakYear.ToString(CultureInfo.InvariantCulture) : E(w.Fill("peak-not-reached", p.PeakYear)))}</td><td class=\"num\">{StatementText.Number(p.Peak, 1)}</td><td>{peak.BaseYear + p.Scenario.Years}</td><td class=\"num\">{StatementText.Number(p.End, 1)}</td></tr>\n");
        }

        html.Append("</tbody></table></section>\n");
    }

    private static void Own(StringBuilder html, Statement s, StatementText t)
    {
        if (s.Own is not { } own)
        {
            return;
        }

        var (watts, hours, energy) = (own.Watts.ToString("0.##", CultureInfo.InvariantCulture), StatementText.Number(own.Running.TotalHours, 2), StatementText.Number(own.KWh, 3));
        var sentence = own.Milligrams is { } mass
            ? t.Words.Fill(own.IsMeasured ? "own-text-measured" : "own-text", watts, hours, energy, StatementText.Number(mass / 1e6, 3), own.FactorId)
            : t.Words.Fill("own-text-no-factor", watts, hours, energy);
        var share = own.ShareOfSite is { } part ? t.Words.Fill("own-share", StatementText.Number(100 * part, 3)) : t.Words["own-share-none"];
        html.Append($"<section class=\"whole\"><h2>{E(t.Words["own"])}</h2>\n<p>{E(sentence)} {E(share)}</p></section>\n");
    }

    private static void Restatements(StringBuilder html, Statement s, StatementText t)
    {
        if (s.Restatements.Count == 0)
        {
            return;
        }

        var w = t.Words;
        html.Append($"<section><h2>{E(w["restatements"])}</h2>\n<p class=\"note\">{E(w["restatements-note"])}</p>\n<table><thead><tr><th>{E(w["month"])}</th><th>{E(w["device"])}</th><th>{E(w["from-set"])}</th><th>{E(w["to-set"])}</th><th class=\"num\">{E(w["before"])}, {t.Unit}</th><th class=\"num\">{E(w["after"])}, {t.Unit}</th><th class=\"num\">{E(w["delta"])}, {t.Unit}</th></tr></thead><tbody>\n");
        foreach (var r in s.Restatements)
        {
            html.Append($"<tr><td>{r.Month.ToString()[..7]}</td><td>{E(r.Device)} <span class=\"id\">{E(t.Method(r.Method))}</span></td><td>{E(r.From)}</td><td>{E(r.To)}</td><td class=\"num\">{t.Mass(r.BeforeMilligrams)}</td><td class=\"num\">{t.Mass(r.AfterMilligrams)}</td><td class=\"num\">{t.Mass((Int128)r.AfterMilligrams - r.BeforeMilligrams)}</td></tr>\n");
        }

        html.Append("</tbody></table>\n");
        foreach (var now in s.Restated)
        {
            var published = s.Courses.First(c => c.Scope == now.Scope && c.Basis == now.Basis).Milligrams;
            html.Append($"<h3>{E(w.Fill("restated-year", s.Period.Name, t.Scope(now.Scope, now.Basis)))}</h3>\n<table><thead><tr><th>{E(w["month"])}</th><th class=\"num\">{E(w["published"])}, {t.Unit}</th><th class=\"num\">{E(w["after"])}, {t.Unit}</th><th class=\"num\">{E(w["delta"])}, {t.Unit}</th></tr></thead><tbody>\n");
            for (var month = 0; month < now.Milligrams.Count; month++)
            {
                Row(s.Period.PartName(month), published[month], now.Milligrams[month]);
            }

            var (before, after) = (published.Aggregate((a, b) => a + b), now.Milligrams.Aggregate((a, b) => a + b));
            html.Append("</tbody><tfoot>\n");
            Row(s.Period.Name, before, after);
            html.Append("</tfoot></table>\n");
        }

        html.Append("</section>\n");

        void Row(string name, Int128 before, Int128 after) =>
            html.Append($"<tr><td>{E(name)}</td><td class=\"num\">{t.Mass(before)}</td><td class=\"num\">{t.Mass(after)}</td><td class=\"num\">{t.Mass(after - before)}</td></tr>\n");
    }

    private static void Factors(StringBuilder html, Statement s, StatementText t)
    {
        if (s.Factors.Count == 0)
        {
            return;
        }

        var w = t.Words;
        html.Append($"<section><h2>{E(w["factors"])}</h2>\n<table><thead><tr><th>{E(w["factor"])}</th><th class=\"num\">{E(w["value"])}</th><th>{E(w["source"])}</th><th>{E(w["status"])}</th><th class=\"num\">{E(w["mass"])}, {t.Unit}</th></tr></thead><tbody>\n");
        foreach (var f in s.Factors)
        {
            html.Append($"<tr><td>{E(f.Id)}<br><span class=\"id\">{E(f.Set ?? w["set-unknown"])}</span></td><td class=\"num\">{f.Value.ToString(CultureInfo.InvariantCulture)} <span class=\"id\">kg/{E(StatementText.UnitWord(f.Unit))}</span></td>");
            html.Append($"<td>{E(f.Known?.Source.Text ?? w["factor-unknown"])}{(f.Notes.Count > 0 ? $"<br><span class=\"id\">{E(w["stands-in"])}: {E(string.Join("; ", f.Notes))}</span>" : "")}</td><td>{E(f.Known is { } k ? w[$"status.{k.Status.Word()}"] : "")}</td><td class=\"num\">{t.Mass(f.Milligrams)}</td></tr>\n");
        }

        html.Append("</tbody></table></section>\n");
    }

    private static void Events(StringBuilder html, Statement s, StatementText t)
    {
        if (s.Events.Count == 0)
        {
            return;
        }

        html.Append($"<section><h2>{E(t.Words["events"])}</h2>\n<table><tbody>\n");
        foreach (var e in s.Events.Take(MostEvents))
        {
            html.Append($"<tr><td>{t.Time(e.At)}</td><td>{E(t.Words.Or($"event.{e.Kind}", e.Kind))}</td><td>{E(e.Text)}</td></tr>\n");
        }

        html.Append($"</tbody></table>{(s.Events.Count > MostEvents ? $"<p class=\"note\">+ {s.Events.Count - MostEvents}</p>" : "")}</section>\n");
    }

    // A meter that can sell and sold nothing says nothing.
    private static bool IsShown(StatementLine line) => line.Scope > 0 || line.Activity != 0 || line.Mass.Milligrams != 0 || line.RemovedMilligrams != 0 || line.BiogenicMilligrams != 0;

    // What a chart of the subject adds up: an area's or a device's own statement counts all its lines that are in no other of them.
    private static IEnumerable<StatementLine> Counted(Statement s) => s.Subject.Kind == StatementSubjectKind.Site
        ? s.Lines.Where(l => l.Counts && l.Scope > 0)
        : s.Lines.Where(l => l.Scope > 0 && !s.Lines.Any(o => o.Device == l.ContainedIn));

    private static string ColourOf(int scope, EmissionBasis basis) => scope == 1 ? Scope1 : basis == EmissionBasis.Market ? Market : Scope2;

    private static string Rate(double percent) => $"{percent.ToString("0.##", CultureInfo.InvariantCulture)} %/a";

    private static string Day(DateOnly day) => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private static string E(string text) => Svg.Escape(text).Replace("\"", "&quot;", StringComparison.Ordinal);

    private const string Style = """

        :root { --ink: #1a1a1a; --soft: #5f6368; --line: #d9dce0; }
        * { box-sizing: border-box; }
        body { margin: 0; background: #f3f4f6; color: var(--ink); font: 14px/1.45 "Noto Sans", Arial, Helvetica, "Liberation Sans", "DejaVu Sans", "Noto Sans CJK SC", "Microsoft YaHei", "PingFang SC", "WenQuanYi Zen Hei", sans-serif; -webkit-print-color-adjust: exact; print-color-adjust: exact; }
        main { max-width: 1000px; margin: 0 auto; padding: 32px 40px 48px; background: #fff; }
        header { border-bottom: 2px solid var(--ink); padding-bottom: 12px; margin-bottom: 16px; }
        h1 { font-size: 30px; line-height: 1.15; margin: 0; }
        h2 { font-size: 17px; margin: 28px 0 8px; }
        p { margin: 4px 0; }
        .over { text-transform: uppercase; letter-spacing: .08em; font-size: 12px; color: var(--soft); margin: 0 0 4px; }
        .sub { font-size: 17px; color: var(--soft); margin: 4px 0 14px; }
        dl { display: grid; grid-template-columns: repeat(3, 1fr); gap: 8px 24px; margin: 0; }
        dt { font-size: 12px; color: var(--soft); }
        dd { margin: 0; font-weight: 600; }
        .warn { border-left: 4px solid #c2543f; background: #fbeeea; padding: 8px 12px; margin: 10px 0; }
        .cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(170px, 1fr)); gap: 12px; margin-top: 16px; }
        .card { border: 1px solid var(--line); border-top: 4px solid; border-radius: 4px; padding: 10px 12px; break-inside: avoid; }
        .card .name { font-weight: 600; margin: 0; }
        .card .figure { font-size: 22px; font-weight: 700; margin: 4px 0; white-space: nowrap; font-variant-numeric: tabular-nums; }
        .time { white-space: nowrap; }
        .card .figure small { display: block; font-size: 12px; font-weight: 400; color: var(--soft); }
        .card .none { font-size: 16px; font-weight: 400; color: var(--soft); }
        .small, .note, .id { font-size: 12px; color: var(--soft); }
        table { border-collapse: collapse; width: 100%; margin: 6px 0; }
        th { text-align: left; font-size: 12px; font-weight: 600; color: var(--soft); vertical-align: bottom; }
        th, td { padding: 5px 6px; border-bottom: 1px solid var(--line); }
        td { vertical-align: top; }
        tr { break-inside: avoid; }
        thead { display: table-header-group; }
        .num { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
        .slim { padding-top: 9px; }
        .known th { color: var(--ink); font-size: 14px; white-space: nowrap; }
        .known td { vertical-align: middle; }
        .bad { color: #a8321f; font-weight: 700; }
        .bar { display: block; max-width: 100%; }
        .chart { display: block; width: 100%; height: auto; }
        .whole { break-inside: avoid; }
        @media (max-width: 640px) { main { padding: 16px; } dl { grid-template-columns: 1fr 1fr; } section { overflow-x: auto; } }
        @media print { body { background: #fff; font-size: 11px; } main { max-width: none; padding: 0; } .small, .note, .id, th { font-size: 9.5px; } h2 { margin: 16px 0 6px; break-after: avoid; } @page { size: A4; margin: 15mm; } }

        """;
}
