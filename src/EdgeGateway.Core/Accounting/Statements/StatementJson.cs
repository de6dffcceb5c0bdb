using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using EdgeGateway.Core.Accounting.Forecasting;

namespace EdgeGateway.Core.Accounting.Statements;

/// <summary>A statement for programs: all of it, masses in whole milligrams, what is not known left out.</summary>
public static class StatementJson
{
    /// <summary>Name of the format and its major version; keys are only added within it.</summary>
    public const string SchemaName = "edgegateway/statement/1";

    private static readonly JsonWriterOptions Options = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes it as UTF-8.</summary>
    public static byte[] Write(Statement statement)
    {
        ArgumentNullException.ThrowIfNull(statement);
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            Write(json, statement);
        }

        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Writes forecasts alone, as <c>edgegateway forecast --json</c> prints them.</summary>
    public static byte[] WriteOutlooks(Statement statement)
    {
        ArgumentNullException.ThrowIfNull(statement);
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            json.WriteStartObject();
            json.WriteString("schema", SchemaName);
            json.WriteString("site", statement.Site.Id);
            json.WriteString("to", statement.To.ToString());
            Ahead(json, statement);
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Writes scenarios alone, as <c>edgegateway forecast peak --json</c> prints them.</summary>
    public static byte[] WritePeak(StatementPeak peak)
    {
        ArgumentNullException.ThrowIfNull(peak);
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            json.WriteStartObject();
            json.WriteString("schema", SchemaName);
            Peak(json, peak);
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static void Stack(Utf8JsonWriter json, StatementStack stack)
    {
        json.WriteString("device", stack.Device);
        json.WriteString("name", stack.Name);
        json.WriteString("method", stack.Method);
        json.WriteNumber("hours", stack.Hours);
        json.WriteNumber("operatingHours", stack.OperatingHours);
        Each(json, "quantities", stack.Quantities, quantity =>
        {
            json.WriteString("name", quantity.Name);
            json.WriteNumber("validHours", quantity.ValidHours);
            Each(json, "flags", quantity.Flags, flag =>
            {
                json.WriteString("flag", flag.Word);
                json.WriteNumber("hours", flag.Hours);
            });
            Each(json, "rules", quantity.Rules, rule =>
            {
                json.WriteString("rule", rule.Word);
                json.WriteNumber("hours", rule.Hours);
            });
            if (quantity.AvailabilityPercent is { } availability)
            {
                json.WriteNumber("availabilityPercent", availability);
            }

            if (quantity.Kilograms is { } kilograms)
            {
                json.WriteNumber("kilograms", kilograms);
                json.WriteNumber("hoursWithoutMass", quantity.WithoutMass);
            }
        });
    }

    private static void Write(Utf8JsonWriter json, Statement s)
    {
        json.WriteStartObject();
        json.WriteString("schema", SchemaName);
        json.WriteStartObject("subject");
        json.WriteString("kind", s.Subject.Kind.Word());
        Text(json, "id", s.Subject.Id);
        json.WriteEndObject();
        json.WriteStartObject("site");
        json.WriteString("id", s.Site.Id);
        json.WriteString("name", s.Site.Name);
        json.WriteString("gateway", s.Site.Gateway);
        Text(json, "region", s.Site.Region);
        json.WriteString("timeZone", s.Site.Zone.Id);
        json.WriteEndObject();
        json.WriteStartObject("period");
        json.WriteString("name", s.Period.Name);
        json.WriteString("start", s.Period.Start.ToString());
        json.WriteString("end", s.Period.End.ToString());
        json.WriteString("from", s.From.ToString());
        json.WriteString("to", s.To.ToString());
        json.WriteBoolean("complete", s.IsComplete);
        json.WriteNumber("entries", s.Entries);
        json.WriteEndObject();
        json.WriteStartObject("source");
        json.WriteString("kind", s.Source.Kind);
        json.WriteString("name", s.Source.Name);
        Text(json, "position", s.Source.Position);
        json.WriteBoolean("verified", s.Source.Verified);
        json.WriteEndObject();
        Totals(json, "totals", s.Totals);
        Totals(json, "gases", s.Gases);
        Apart(json, "removed", s.Removed);
        Apart(json, "biogenic", s.Biogenic);
        Each(json, "areas", s.Areas, area =>
        {
            Text(json, "area", area.Area);
            Scope(json, area.Scope, area.Basis);
            Mass(json, area.Mass);
        });
        Each(json, "accounts", s.Lines, line => Line(json, s, line));
        Each(json, "remainders", s.Remainders, rest =>
        {
            json.WriteString("parent", rest.Parent);
            json.WriteNumber("kWh", rest.KWh);
            Mass(json, rest.Mass);
        });
        Each(json, "stacks", s.Stacks, stack => Stack(json, stack));
        Each(json, "gaps", s.Gaps, gap =>
        {
            json.WriteString("device", gap.Device);
            json.WriteString("method", gap.Method);
            json.WriteString("from", gap.From.ToString());
            json.WriteString("to", gap.To.ToString());
            json.WriteString("reason", gap.Reason);
        });
        json.WriteNumber("gapsLeftOut", s.GapsLeftOut);
        Each(json, "factors", s.Factors, factor => Factor(json, factor));
        Each(json, "restatements", s.Restatements, r =>
        {
            json.WriteString("device", r.Device);
            json.WriteString("method", r.Method);
            json.WriteString("month", r.Month.ToString());
            json.WriteString("fromSet", r.From);
            json.WriteString("toSet", r.To);
            json.WriteNumber("beforeMilligrams", r.BeforeMilligrams);
            json.WriteNumber("afterMilligrams", r.AfterMilligrams);
            json.WriteBoolean("removal", r.IsRemoval);
        });
        Each(json, "restated", s.Restated, course =>
        {
            Scope(json, course.Scope, course.Basis);
            json.WriteStartArray("milligrams");
            foreach (var part in course.Milligrams)
            {
                json.WriteRawValue(part.ToString(CultureInfo.InvariantCulture));
            }

            json.WriteEndArray();
        });
        Each(json, "events", s.Events, e =>
        {
            json.WriteString("at", e.At.ToString());
            json.WriteString("kind", e.Kind);
            json.WriteString("text", e.Text);
        });
        Ahead(json, s);
        if (s.Own is { } own)
        {
            json.WriteStartObject("ownFootprint");
            json.WriteBoolean("measured", own.IsMeasured);
            json.WriteNumber("meanWatts", own.Watts);
            json.WriteNumber("runningHours", own.Running.TotalHours);
            json.WriteNumber("kWh", own.KWh);
            if (own.Milligrams is { } mass)
            {
                json.WriteNumber("milligramsCO2e", mass);
            }

            Text(json, "factorId", own.FactorId);
            Number(json, "shareOfSite", own.ShareOfSite ?? double.NaN);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private static void Line(Utf8JsonWriter json, Statement s, StatementLine line)
    {
        json.WriteString("device", line.Device);
        json.WriteString("name", line.Name);
        Text(json, "area", line.Area);
        json.WriteString("method", line.Method);
        json.WriteString("evidence", line.Evidence.Word());
        Scope(json, line.Scope, line.Basis);
        json.WriteString("gas", line.Gas);
        Text(json, "gwpSet", line.GwpSet);
        json.WriteNumber("activity", line.Activity);
        json.WriteString("activityUnit", line.Unit);
        Mass(json, line.Mass);
        Whole(json, "removedMilligrams", line.RemovedMilligrams);
        Whole(json, "biogenicMilligrams", line.BiogenicMilligrams);
        Whole(json, "allocatedMilligrams", line.AllocatedMilligrams);
        if (line.AdaptedMilligrams is { } adapted)
        {
            Whole(json, "adaptedMilligrams", adapted);
        }

        Number(json, "substituted", line.Substituted);
        Number(json, "missingHours", line.Missing.TotalHours);
        Text(json, "since", line.Since?.ToString());
        json.WriteBoolean("counts", line.Counts);
        Text(json, "containedIn", line.ContainedIn);
        Each(json, "parts", Enumerable.Range(0, s.Period.Parts).Where(p => !double.IsNaN(line.PartCoverage[p])), part =>
        {
            json.WriteString("start", s.Period.PartStart(part).ToString());
            Whole(json, "milligramsCO2e", line.Parts[part]);
            Number(json, "coverage", line.PartCoverage[part]);
        });
    }

    private static void Factor(Utf8JsonWriter json, StatementFactor factor)
    {
        json.WriteString("id", factor.Id);
        Text(json, "set", factor.Set);
        json.WriteNumber("kgCO2ePerUnit", factor.Value);
        json.WriteString("unit", factor.Unit);
        json.WriteString("from", factor.From.ToString());
        json.WriteString("to", factor.To.ToString());
        Whole(json, "milligramsCO2e", factor.Milligrams);
        json.WriteStartArray("standsIn");
        foreach (var note in factor.Notes)
        {
            json.WriteStringValue(note);
        }

        json.WriteEndArray();
        if (factor.Known is { } known)
        {
            json.WriteString("source", known.Source.Text);
            json.WriteString("status", known.Status.Word());
            Number(json, "uncertaintyPercent", known.UncertaintyPercent);
        }
    }

    private static void Ahead(Utf8JsonWriter json, Statement s)
    {
        Each(json, "forecasts", s.Outlooks, o =>
        {
            Text(json, "device", o.Device);
            Scope(json, o.Scope, o.Basis);
            json.WriteString("target", o.Target.Name);
            Day(json, "accountedSince", o.SinceStart);
            Day(json, "accountedThrough", o.LastDay);
            Number(json, "accountedKilograms", o.Kilograms);
            Text(json, "refused", o.Refusal?.ToString());
            if (o.Forecast is not { } forecast || o.Total is not { } total)
            {
                return;
            }

            json.WriteString("method", forecast.Method);
            json.WriteNumber("trials", forecast.Trials);
            json.WriteNumber("intervalPercent", Forecaster.IntervalPercent);
            json.WriteNumber("filledDays", o.FilledDays);
            Number(json, "totalKilograms", total.Value);
            Number(json, "lowKilograms", total.Low);
            Number(json, "highKilograms", total.High);
            Each(json, "candidates", forecast.Candidates, c =>
            {
                json.WriteString("method", c.Name);
                Number(json, "meanAbsoluteErrorKilograms", c.Error);
                Text(json, "refused", c.Refusal);
            });
        });
        Text(json, "peakRefused", s.PeakRefusal?.ToString());
        if (s.Peak is { } peak)
        {
            json.WriteStartObject("peak");
            Peak(json, peak);
            json.WriteEndObject();
        }
    }

    private static void Peak(Utf8JsonWriter json, StatementPeak peak)
    {
        json.WriteNumber("baseYear", peak.BaseYear);
        Number(json, "baseTonnes", peak.BaseTonnes);
        json.WriteString("base", peak.BaseNote);
        Each(json, "scenarios", peak.Paths, p =>
        {
            json.WriteString("name", p.Scenario.Name);
            Number(json, "growthPercent", p.Scenario.GrowthPercent);
            Number(json, "efficiencyPercent", p.Scenario.EfficiencyPercent);
            Number(json, "driftPercent", p.Scenario.DriftPercent);
            json.WriteNumber("years", p.Scenario.Years);
            json.WriteNumber("peakYear", p.PeakYear);
            json.WriteBoolean("peakReached", p.IsReached);
            Number(json, "peakTonnes", p.Peak);
            Number(json, "endTonnes", p.End);
        });
    }

    private static void Totals(Utf8JsonWriter json, string name, IReadOnlyList<StatementTotal> totals) => Each(json, name, totals, total =>
    {
        Scope(json, total.Scope, total.Basis);
        Text(json, "gas", total.Gas);
        Text(json, "gwpSet", total.GwpSet);
        Mass(json, total.Mass);
        Text(json, "refused", total.Refusal?.ToString());
    });

    private static void Apart(Utf8JsonWriter json, string name, StatedMass? mass)
    {
        if (mass is not null)
        {
            json.WriteStartObject(name);
            Mass(json, mass);
            json.WriteEndObject();
        }
    }

    private static void Each<T>(Utf8JsonWriter json, string name, IEnumerable<T> items, Action<T> write)
    {
        json.WriteStartArray(name);
        foreach (var item in items)
        {
            json.WriteStartObject();
            write(item);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void Scope(Utf8JsonWriter json, int scope, EmissionBasis basis)
    {
        json.WriteNumber("scope", scope);
        Text(json, "basis", basis.Word());
    }

    private static void Mass(Utf8JsonWriter json, StatedMass? mass)
    {
        if (mass is { } m)
        {
            Whole(json, "milligramsCO2e", m.Milligrams);
            Number(json, "uncertaintyPercent", m.UncertaintyPercent);
            Number(json, "coverage", m.Coverage);
        }
    }

    private static void Whole(Utf8JsonWriter json, string name, Int128 value)
    {
        json.WritePropertyName(name);
        json.WriteRawValue(value.ToString(CultureInfo.InvariantCulture), skipInputValidation: true);
    }

    private static void Number(Utf8JsonWriter json, string name, double value)
    {
        if (double.IsFinite(value))
        {
            json.WriteNumber(name, value);
        }
    }

    private static void Day(Utf8JsonWriter json, string name, DateOnly day) => json.WriteString(name, day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));

    private static void Text(Utf8JsonWriter json, string name, string? value)
    {
        if (value is not null)
        {
            json.WriteString(name, value);
        }
    }
}
