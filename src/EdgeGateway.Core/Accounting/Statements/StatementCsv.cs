using System.Globalization;
using System.Text;

namespace EdgeGateway.Core.Accounting.Statements;

/// <summary>A statement as a table for spreadsheets (RFC 4180): one heading, one row for each figure; <c>docs/statements.md</c> lists the columns.</summary>
public static class StatementCsv
{
    private static readonly string[] Columns =
    [
        "row", "from", "to", "device", "name", "area", "method", "evidence", "scope", "basis", "gas", "gwpSet", "activity", "activityUnit",
        "milligramsCO2e", "removedMilligrams", "biogenicMilligrams", "uncertaintyPercent", "coverage", "substituted", "allocatedMilligrams", "counts", "containedIn", "note",
    ];

    /// <summary>Writes it.</summary>
    public static string Write(Statement statement)
    {
        ArgumentNullException.ThrowIfNull(statement);
        var csv = new StringBuilder();
        csv.AppendJoin(',', Columns).Append("\r\n");
        var period = statement.Period;
        foreach (var total in statement.Totals)
        {
            Sum(csv, "total", period, null, null, total.Scope, total.Basis, total.Gas, total.GwpSet, total.Mass, total.Refusal?.ToString());
        }

        foreach (var total in statement.Gases)
        {
            Sum(csv, "gas", period, null, null, total.Scope, total.Basis, total.Gas, total.GwpSet, total.Mass, total.Refusal?.ToString());
        }

        Apart(csv, "removed", "removedMilligrams", period, statement.Removed);
        Apart(csv, "biogenic", "biogenicMilligrams", period, statement.Biogenic);
        foreach (var area in statement.Areas)
        {
            Sum(csv, "area", period, null, area.Area, area.Scope, area.Basis, null, null, area.Mass, null);
        }

        foreach (var rest in statement.Remainders)
        {
            Row(csv, period.Start, period.End, new() { ["row"] = "remainder", ["device"] = rest.Parent, ["name"] = rest.Name, ["activity"] = Text(rest.KWh), ["activityUnit"] = "kW.h", ["milligramsCO2e"] = Text(rest.Mass.Milligrams), ["uncertaintyPercent"] = Text(rest.Mass.UncertaintyPercent), ["coverage"] = Text(rest.Mass.Coverage) });
        }

        foreach (var line in statement.Lines)
        {
            var cells = Account(line);
            Row(csv, line.Since ?? period.Start, statement.To, new(cells)
            {
                ["row"] = "account", ["activity"] = Text(line.Activity), ["activityUnit"] = line.Unit, ["milligramsCO2e"] = Text(line.Mass.Milligrams), ["removedMilligrams"] = Text(line.RemovedMilligrams),
                ["biogenicMilligrams"] = Text(line.BiogenicMilligrams), ["uncertaintyPercent"] = Text(line.Mass.UncertaintyPercent), ["coverage"] = Text(line.Mass.Coverage), ["substituted"] = Text(line.Substituted),
                ["allocatedMilligrams"] = Text(line.AllocatedMilligrams),
            });
            for (var part = 0; part < period.Parts; part++)
            {
                if (!double.IsNaN(line.PartCoverage[part]))
                {
                    Row(csv, period.PartStart(part), period.PartStart(part + 1), new(cells) { ["row"] = "part", ["milligramsCO2e"] = Text(line.Parts[part]), ["coverage"] = Text(line.PartCoverage[part]) });
                }
            }
        }

        foreach (var stack in statement.Stacks)
        {
            Dictionary<string, string?> Cells(string row) => new() { ["row"] = row, ["device"] = stack.Device, ["name"] = stack.Name, ["method"] = stack.Method };
            Row(csv, period.Start, statement.To, new(Cells("stack")) { ["activity"] = Text(stack.OperatingHours), ["activityUnit"] = "h", ["note"] = $"hours: {stack.Hours}" });
            foreach (var quantity in stack.Quantities)
            {
                Row(csv, period.Start, statement.To, new(Cells("stack-quantity"))
                {
                    ["gas"] = quantity.Name, ["activity"] = quantity.Kilograms is { } kilograms ? Text(kilograms) : null, ["activityUnit"] = quantity.Kilograms is null ? null : "kg",
                    ["note"] = $"availability: {(quantity.AvailabilityPercent is { } percent ? Text(percent) : "not known")}{(quantity.AvailabilityPercent is null ? "" : " %")}; without mass: {quantity.WithoutMass}",
                });
                Row(csv, period.Start, statement.To, new(Cells("stack-hours")) { ["gas"] = quantity.Name, ["activity"] = Text(quantity.ValidHours), ["activityUnit"] = "h", ["evidence"] = "valid" });
                foreach (var hours in quantity.Flags)
                {
                    Row(csv, period.Start, statement.To, new(Cells("stack-hours")) { ["gas"] = quantity.Name, ["activity"] = Text(hours.Hours), ["activityUnit"] = "h", ["evidence"] = "not-valid", ["note"] = hours.Word });
                }

                foreach (var hours in quantity.Rules)
                {
                    Row(csv, period.Start, statement.To, new(Cells("stack-hours")) { ["gas"] = quantity.Name, ["activity"] = Text(hours.Hours), ["activityUnit"] = "h", ["evidence"] = "by-rule", ["note"] = hours.Word });
                }
            }
        }

        foreach (var gap in statement.Gaps)
        {
            Row(csv, gap.From, gap.To, new() { ["row"] = "gap", ["device"] = gap.Device, ["method"] = gap.Method, ["note"] = gap.Reason });
        }

        foreach (var factor in statement.Factors)
        {
            Row(csv, factor.From, factor.To, new() { ["row"] = "factor", ["name"] = factor.Id, ["activity"] = Text(factor.Value), ["activityUnit"] = $"kg/({factor.Unit})", ["milligramsCO2e"] = Text(factor.Milligrams), ["note"] = string.Join("; ", factor.Notes.Prepend(factor.Set ?? "").Where(n => n.Length > 0)) });
        }

        return csv.ToString();
    }

    private static Dictionary<string, string?> Account(StatementLine line) => new()
    {
        ["device"] = line.Device,
        ["name"] = line.Name,
        ["area"] = line.Area,
        ["method"] = line.Method,
        ["evidence"] = line.Evidence.Word(),
        ["scope"] = Text(line.Scope),
        ["basis"] = line.Basis.Word(),
        ["gas"] = line.Gas,
        ["gwpSet"] = line.GwpSet,
        ["counts"] = line.Counts ? "true" : "false",
        ["containedIn"] = line.ContainedIn,
    };

    private static void Sum(StringBuilder csv, string row, StatementPeriod period, string? device, string? area, int scope, EmissionBasis basis, string? gas, string? set, StatedMass? mass, string? note) =>
        Row(csv, period.Start, period.End, new()
        {
            ["row"] = row, ["device"] = device, ["area"] = area, ["scope"] = Text(scope), ["basis"] = basis.Word(), ["gas"] = gas, ["gwpSet"] = set, ["note"] = note,
            ["milligramsCO2e"] = mass is { } m ? Text(m.Milligrams) : null, ["uncertaintyPercent"] = mass is { } u ? Text(u.UncertaintyPercent) : null, ["coverage"] = mass is { } c ? Text(c.Coverage) : null,
        });

    private static void Apart(StringBuilder csv, string row, string column, StatementPeriod period, StatedMass? mass)
    {
        if (mass is { } m)
        {
            Row(csv, period.Start, period.End, new() { ["row"] = row, [column] = Text(m.Milligrams), ["uncertaintyPercent"] = Text(m.UncertaintyPercent), ["coverage"] = Text(m.Coverage) });
        }
    }

    private static void Row(StringBuilder csv, Instant from, Instant to, Dictionary<string, string?> cells)
    {
        (cells["from"], cells["to"]) = (from.ToString(), to.ToString());
        csv.AppendJoin(',', Columns.Select(c => Quote(cells.GetValueOrDefault(c) ?? ""))).Append("\r\n");
    }

    private static string Quote(string text) => text.AsSpan().IndexOfAny(",\"\r\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    private static string Text(IFormattable value) => value.ToString(null, CultureInfo.InvariantCulture);

    private static string Text(double value) => double.IsFinite(value) ? value.ToString("R", CultureInfo.InvariantCulture) : "";
}
