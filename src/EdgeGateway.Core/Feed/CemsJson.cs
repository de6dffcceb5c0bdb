using System.Text.Json;
using EdgeGateway.Core.Cems;

namespace EdgeGateway.Core.Feed;

/// <summary>Writes the records of the stream <c>cems</c>: hours and calibrations, told apart by <c>kind</c>.</summary>
internal static class CemsJson
{
    private static readonly JsonEncodedText DueName = JsonEncodedText.Encode("due");

    public static void Hour(Utf8JsonWriter json, string device, CemsHourRecord r, bool isClockUnset)
    {
        json.WriteStartObject();
        json.WriteString(RecordJson.Names.Kind, "hour");
        json.WriteString(RecordJson.Names.Device, device);
        RecordJson.Time(json, RecordJson.Names.Start, r.Start);
        RecordJson.Seconds(json, RecordJson.Names.WidthSeconds, r.Width);
        json.WriteNumber(RecordJson.Names.Era, r.Era);
        json.WriteString(RecordJson.Names.Cut, r.Cut.Word());
        json.WriteString("rules", r.Rules.Word());
        json.WriteNumber("revision", r.Revision);
        json.WriteBoolean("final", r.IsFinal);
        json.WriteNumber("operatingTime", r.OperatingTime);
        if (r.OxygenPercent is { } oxygen)
        {
            json.WriteNumber("oxygenPercent", oxygen);
        }

        json.WriteStartArray("quantities");
        foreach (var quantity in r.Quantities)
        {
            Quantity(json, quantity);
        }

        json.WriteEndArray();
        RecordJson.End(json, isClockUnset);
    }

    public static void Stack(Utf8JsonWriter json, StackHour hour)
    {
        json.WriteStartObject("stack");
        json.WriteNumber("operatingTime", hour.OperatingTime);
        if (hour.Revision > 1)
        {
            json.WriteNumber("revision", hour.Revision);
        }

        json.WriteStartArray("quantities");
        foreach (var quantity in hour.Quantities)
        {
            json.WriteStartObject();
            json.WriteString("name", quantity.Name);
            json.WriteBoolean("valid", quantity.IsValid);
            json.WriteString("flag", [quantity.Flag.Letter()]);
            Text(json, "rule", quantity.Rule);
            if (quantity.AvailabilityPercent is { } availability)
            {
                json.WriteNumber("availabilityPercent", availability);
            }

            if (quantity.Kilograms is { } kilograms)
            {
                json.WriteNumber("kilograms", kilograms);
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    public static void Calibration(Utf8JsonWriter json, string device, CemsCalibrationRecord r, bool isClockUnset)
    {
        json.WriteStartObject();
        json.WriteString(RecordJson.Names.Kind, "calibration");
        json.WriteString(RecordJson.Names.Device, device);
        json.WriteString(RecordJson.Names.Gas, r.Gas);
        RecordJson.Time(json, RecordJson.Names.Time, r.Time);
        json.WriteString("level", r.Level);
        json.WriteNumber("reference", r.Reference);
        Number(json, "measured", r.Measured);
        Number(json, "error", r.Error);
        json.WriteString("result", r.Result.Word());
        if (r.Drift is { } drift)
        {
            json.WriteString("drift", drift switch { DriftVerdict.Act => "act", DriftVerdict.Warn => "warn", _ => "in-control" });
            json.WriteNumber("cusumUpper", r.CusumUpper);
            json.WriteNumber("cusumLower", r.CusumLower);
        }

        if (r.BiasFactor is { } bias)
        {
            json.WriteNumber("biasFactor", bias);
        }

        if (r.Due is { } due)
        {
            RecordJson.Time(json, DueName, due);
        }

        json.WriteString("who", r.Who);
        RecordJson.End(json, isClockUnset);
    }

    // What is absent has nothing to say; a value and a mass that are null are said to be so.
    private static void Quantity(Utf8JsonWriter json, CemsQuantity q)
    {
        json.WriteStartObject();
        json.WriteString("name", q.Name);
        json.WriteString(RecordJson.Names.Unit, q.Unit);
        Number(json, "value", q.Value);
        json.WriteBoolean("valid", q.IsValid);
        json.WriteString("flag", [q.Flag.Letter()]);
        json.WriteNumber("points", q.Points);
        json.WriteNumber("coverage", q.Coverage);
        if (q.Calibration is { } calibration)
        {
            json.WriteString("calibration", calibration.Word());
        }

        if (q.AvailabilityPercent is { } availability)
        {
            json.WriteNumber("availabilityPercent", availability);
        }

        Text(json, "rule", q.Rule);
        Text(json, "modc", q.Modc);
        if (q.Lookback > 0)
        {
            json.WriteNumber("lookbackHours", q.Lookback);
        }

        if (q.MissingHours > 0)
        {
            json.WriteNumber("missingHours", q.MissingHours);
        }

        if (q.Corrected is { } corrected)
        {
            json.WriteNumber("corrected", corrected);
        }

        if (q.Kilograms is { } kilograms)
        {
            json.WriteNumber("kilograms", kilograms);
        }

        Text(json, "note", q.Note);
        json.WriteEndObject();
    }

    private static void Text(Utf8JsonWriter json, string name, string? value)
    {
        if (value is not null)
        {
            json.WriteString(name, value);
        }
    }

    private static void Number(Utf8JsonWriter json, string name, decimal? value)
    {
        if (value is { } number)
        {
            json.WriteNumber(name, number);
        }
        else
        {
            json.WriteNull(name);
        }
    }
}
