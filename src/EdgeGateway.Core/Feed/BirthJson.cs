using System.Text.Json;
using EdgeGateway.Core.Site;

namespace EdgeGateway.Core.Feed;

/// <summary>Writes a device birth: everything a centre must know to read the device's other records.</summary>
internal static class BirthJson
{
    public static void Write(Utf8JsonWriter json, SiteModel site, DeviceModel device, string vocabularyVersion, Instant now, IReadOnlyList<string?>? texts, bool isClockUnset = false)
    {
        var profile = device.Profile;
        json.WriteStartObject();
        RecordJson.Time(json, RecordJson.Names.Time, now);
        json.WriteString("device", device.Id);
        json.WriteString("name", device.Name);
        json.WriteString("area", device.Area);
        json.WriteString("siteName", site.SiteName);
        json.WriteString("kind", profile.Kind);
        json.WriteString("vendor", profile.Vendor);
        json.WriteStartArray("models");
        foreach (var model in profile.Models)
        {
            json.WriteStringValue(model);
        }

        json.WriteEndArray();
        json.WriteStartObject("profile");
        json.WriteString("id", profile.Id);
        json.WriteNumber("revision", profile.Revision);
        json.WriteEndObject();
        json.WriteString("bus", device.BusId);
        json.WriteNumber("unitId", device.Unit);
        Metering(json, device.Metering);
        if (device.RatedPowerWatts is { } rated)
        {
            json.WriteNumber("ratedPowerWatts", rated);
        }

        json.WriteString("region", device.Region);
        json.WriteNumber("ctRatio", device.CtRatio);
        json.WriteNumber("ptRatio", device.PtRatio);
        json.WriteStartArray("windowsSeconds");
        foreach (var window in site.Windows)
        {
            json.WriteNumberValue(window.TotalSeconds);
        }

        json.WriteEndArray();
        json.WriteString("timeZone", site.TimeZone.Id);
        json.WriteStartArray("points");
        foreach (var index in device.Points)
        {
            Point(json, site.Points[index], texts?[index]);
        }

        json.WriteEndArray();
        json.WriteString("vocabulary", vocabularyVersion);
        json.WriteString("configuration", site.ConfigurationHash);
        RecordJson.End(json, isClockUnset);
    }

    private static void Metering(Utf8JsonWriter json, MeteringModel? metering)
    {
        if (metering is null)
        {
            return;
        }

        json.WriteStartObject("metering");
        json.WriteString("role", metering.Role.Word());
        json.WriteString("parent", metering.Parent);
        if (metering.To is { } to)
        {
            json.WriteString("to", to);
        }

        json.WriteBoolean("countsTowardSite", metering.CountsTowardSite);
        json.WriteBoolean("reversed", metering.Reversed);
        json.WriteEndObject();
    }

    private static void Point(Utf8JsonWriter json, PointModel point, string? text)
    {
        json.WriteStartObject();
        json.WriteString("id", point.Id);
        json.WriteString("role", point.Role);
        json.WriteString("unit", point.Unit);
        json.WriteString("kind", point.Kind.Word());
        RecordJson.Seconds(json, RecordJson.Names.PeriodSeconds, point.Period);
        if (point.PlausibleMin is not null || point.PlausibleMax is not null)
        {
            json.WriteStartObject("plausible");
            RecordJson.Number(json, RecordJson.Names.Min, point.PlausibleMin ?? double.NaN);
            RecordJson.Number(json, RecordJson.Names.Max, point.PlausibleMax ?? double.NaN);
            json.WriteEndObject();
        }

        if (point.Counter is { } counter)
        {
            json.WriteStartObject("counter");
            if (counter.RolloverAt is { } rollover)
            {
                json.WriteNumber("rolloverAt", rollover);
            }

            json.WriteBoolean("resettable", counter.Resettable);
            json.WriteEndObject();
        }

        if (point.Carbon is { } carbon)
        {
            json.WriteStartObject("carbon");
            json.WriteString("method", carbon.Method);
            json.WriteNumber("scope", carbon.Scope);
            json.WriteEndObject();
        }

        json.WriteStartArray("detectors");
        foreach (var detector in point.Detectors)
        {
            json.WriteStringValue(detector.Name);
        }

        json.WriteEndArray();
        if (point.Symbols is { } symbols)
        {
            json.WriteStartObject("symbols");
            foreach (var (raw, symbol) in symbols.OrderBy(s => s.Key))
            {
                json.WriteString(raw.ToString(System.Globalization.CultureInfo.InvariantCulture), symbol);
            }

            json.WriteEndObject();
        }

        if (point.Flags is { } flags)
        {
            json.WriteStartObject("flags");
            foreach (var (bit, name) in flags.OrderBy(f => f.Key))
            {
                json.WriteString(bit.ToString(System.Globalization.CultureInfo.InvariantCulture), name);
            }

            json.WriteEndObject();
        }

        if (text is not null)
        {
            json.WriteString("text", text);
        }

        json.WriteBoolean("samples", point.PublishSamples);
        json.WriteEndObject();
    }
}
