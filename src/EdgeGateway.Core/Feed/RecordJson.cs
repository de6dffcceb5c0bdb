using System.Buffers.Text;
using System.Globalization;
using System.Text.Json;
using EdgeGateway.Core.Site;

namespace EdgeGateway.Core.Feed;

/// <summary>Writes each kind of record as JSON. Numbers are never NaN or infinite: they are null, and a reason stands beside them.</summary>
internal static class RecordJson
{
    public static void Summary(Utf8JsonWriter json, PointText point, in SummaryRecord r, bool isClockUnset = false)
    {
        json.WriteStartObject();
        json.WriteString(Names.Device, point.Device);
        json.WriteString(Names.Point, point.Point);
        json.WriteString(Names.Unit, point.Unit);
        Time(json, Names.Start, r.Start);
        Seconds(json, Names.WidthSeconds, r.Width);
        json.WriteNumber(Names.Era, r.Era);
        json.WriteNumber(Names.Count, r.Count);
        json.WriteNumber(Names.Missing, r.Missing);
        json.WriteNumber(Names.Uncertain, r.Uncertain);
        Number(json, Names.Min, r.Min);
        Number(json, Names.Max, r.Max);
        Number(json, Names.Mean, r.Mean);
        Number(json, Names.Last, r.Last);
        if (point.IsCounter)
        {
            Number(json, Names.Delta, r.Delta);
            Number(json, Names.StartReading, r.StartReading);
            Number(json, Names.EndReading, r.EndReading);
        }
        else
        {
            Number(json, Names.Integral, r.Integral);
        }

        Number(json, Names.Coverage, r.Coverage);
        json.WriteString(Names.Cut, r.Cut.Word());
        if (WhyNull(point.IsCounter, r) is { } reason)
        {
            json.WriteString(Names.Reason, reason);
        }

        End(json, isClockUnset);
    }

    public static void Emission(Utf8JsonWriter json, string? device, in EmissionRecord r, bool isClockUnset = false)
    {
        json.WriteStartObject();
        json.WriteString(Names.Account, r.Account.Word());
        json.WriteString(Names.Device, device);
        if (r.Area is { } area)
        {
            json.WriteString(Names.Area, area);
        }

        Time(json, Names.Start, r.Start);
        Seconds(json, Names.WidthSeconds, r.Width);
        json.WriteNumber(Names.Era, r.Era);
        json.WriteString(Names.Method, r.Method);
        json.WriteNumber(Names.Scope, r.Scope);
        json.WriteNumber(Names.ActivityKWh, r.ActivityKWh);
        json.WriteNumber(Names.MilligramsCO2e, r.Milligrams);
        json.WriteString(Names.FactorId, r.FactorId);
        json.WriteNumber(Names.FactorKgPerKWh, r.FactorKgPerKWh);
        if (r.FactorNote is { } note)
        {
            json.WriteString(Names.FactorNote, note);
        }

        Number(json, Names.UncertaintyPercent, r.UncertaintyPercent);
        Number(json, Names.Coverage, r.Coverage);
        Number(json, Names.StartReading, r.StartReading);
        Number(json, Names.EndReading, r.EndReading);
        Raw(json, Names.StartRaw, r.StartRaw);
        Raw(json, Names.EndRaw, r.EndRaw);
        json.WriteBoolean(Names.CountsTowardSite, r.CountsTowardSite);
        json.WriteBoolean(Names.Allocated, r.Allocated);
        json.WriteString(Names.Cut, r.Cut.Word());
        if (r.Detail is { } detail)
        {
            json.WriteNumber(Names.Activity, detail.Activity);
            json.WriteString(Names.ActivityUnit, detail.ActivityUnit);
            json.WriteNumber(Names.Factor, detail.Factor);
            json.WriteString(Names.Gas, detail.Gas);
            if (detail.GwpSet is { } set)
            {
                json.WriteString(Names.GwpSet, set);
            }

            if (detail.RemovedMilligrams is { } removed)
            {
                json.WriteNumber(Names.RemovedMilligrams, removed);
            }

            if (detail.BiogenicMilligrams is { } biogenic)
            {
                json.WriteNumber(Names.BiogenicMilligrams, biogenic);
            }

            if (detail.Adapted is { } adapted)
            {
                Adapted(json, adapted);
            }

            if (detail.Stack is { } stack)
            {
                CemsJson.Stack(json, stack);
            }
        }

        End(json, isClockUnset);
    }

    private static void Adapted(Utf8JsonWriter json, AdaptedFigure adapted)
    {
        json.WriteStartObject(Names.Adapted);
        json.WriteString(Names.Source, "cems-adapted");
        json.WriteNumber(Names.Factor, adapted.Factor);
        Number(json, Names.UncertaintyPercent, adapted.UncertaintyPercent);
        json.WriteNumber(Names.MilligramsCO2e, adapted.Milligrams);
        json.WriteNumber(Names.Hours, adapted.Hours);
        json.WriteNumber(Names.Refused, adapted.Refused);
        Number(json, Names.OfficialFactor, adapted.OfficialFactor);
        json.WriteBoolean(Names.Approved, adapted.Approved);
        json.WriteEndObject();
    }

    public static void Anomaly(Utf8JsonWriter json, PointText point, AnomalyRecord r, bool isClockUnset = false)
    {
        json.WriteStartObject();
        json.WriteString(Names.Device, point.Device);
        json.WriteString(Names.Point, point.Point);
        json.WriteString(Names.Unit, point.Unit);
        json.WriteString(Names.Detector, r.Detector);
        json.WriteBoolean(Names.Raised, r.Raised);
        Time(json, Names.Since, r.Since);
        Time(json, Names.Time, r.Time);
        json.WriteString(Names.Severity, r.Severity.Word());
        Number(json, Names.Value, r.Value);
        Number(json, Names.Limit, r.Limit);
        json.WriteString(Names.Text, r.Text);
        if (!double.IsFinite(r.Value))
        {
            json.WriteString(Names.Reason, double.IsNaN(r.Value) ? "no-value" : "not-finite");
        }

        End(json, isClockUnset);
    }

    public static void State(Utf8JsonWriter json, string device, DeviceStateRecord r, bool isClockUnset = false)
    {
        json.WriteStartObject();
        json.WriteString(Names.Device, device);
        json.WriteBoolean(Names.Online, r.Online);
        Time(json, Names.Time, r.Time);
        Reason(json, r.Reason, r.Detail);
        End(json, isClockUnset);
    }

    public static void Sample(Utf8JsonWriter json, PointText point, in Sample s, bool isClockUnset = false)
    {
        var quality = s.Quality;
        if (quality.HasValue && !double.IsFinite(s.Value))
        {
            quality = Quality.Bad(QualityReason.NotANumber);
        }

        json.WriteStartObject();
        json.WriteString(Names.Device, point.Device);
        json.WriteString(Names.Point, point.Point);
        Time(json, Names.Time, s.Time);
        if (quality.HasValue)
        {
            json.WriteNumber(Names.Value, s.Value);
            Raw(json, Names.Raw, s.Raw);
            if (point.Symbols is { } symbols && symbols.TryGetValue(unchecked((long)s.Raw), out var symbol))
            {
                json.WriteString(Names.Symbol, symbol);
            }
        }
        else
        {
            json.WriteNull(Names.Value);
        }

        json.WriteString(Names.Quality, quality.Status.Word());
        Reason(json, quality.Reason, quality.Detail);
        End(json, isClockUnset);
    }

    public static void Health(Utf8JsonWriter json, HealthRecord r, bool isClockUnset = false)
    {
        json.WriteStartObject();
        Time(json, Names.Time, r.Time);
        json.WriteString(Names.Kind, r.Kind.Word());
        json.WriteString(Names.Text, r.Text);
        json.WriteStartObject(Names.Fields);
        foreach (var field in r.Fields)
        {
            if (field.Text is { } text)
            {
                json.WriteString(field.Name, text);
            }
            else if (field.Real is { } real)
            {
                json.WriteNumber(field.Name, real);
            }
            else
            {
                json.WriteNumber(field.Name, field.Number);
            }
        }

        json.WriteEndObject();
        End(json, isClockUnset);
    }

    public static void Range(Utf8JsonWriter json, RangeRecord r, bool isClockUnset = false)
    {
        json.WriteStartObject();
        Time(json, Names.Time, r.Time);
        json.WriteString(Names.Stream, r.Stream.Word());
        json.WriteNumber(Names.Epoch, r.Epoch);
        json.WriteNumber(Names.First, r.First);
        json.WriteNumber(Names.Last, r.Last);
        json.WriteString(Names.State, r.State.Word());
        json.WriteString(Names.Reason, r.Reason);
        if (r.StandIn is { } standIn)
        {
            json.WriteNumber(Names.StandInSeconds, standIn.TotalSeconds);
        }

        if (r.From is { } from)
        {
            Time(json, Names.From, from);
        }

        if (r.To is { } to)
        {
            Time(json, Names.To, to);
        }

        End(json, isClockUnset);
    }

    /// <summary>Ends a record; its dates are provisional while nobody has set the clock, and it says so.</summary>
    public static void End(Utf8JsonWriter json, bool isClockUnset)
    {
        if (isClockUnset)
        {
            json.WriteString(Names.TimeQuality, Names.Unset);
        }

        json.WriteEndObject();
    }

    /// <summary>Writes an instant as ISO 8601 in UTC with milliseconds, without garbage.</summary>
    public static void Time(Utf8JsonWriter json, JsonEncodedText name, Instant value)
    {
        Span<byte> text = stackalloc byte[24];
        json.WriteString(name, text[..Text(value, text)]);
    }

    /// <summary>The same text alone; returns its length, 24.</summary>
    public static int Text(Instant value, Span<byte> text)
    {
        // The sortable format has a quick path in the library, a pattern with milliseconds has none; every record holds a time.
        var time = value.ToDateTimeOffset().UtcDateTime;
        time.TryFormat(text, out var length, "s", CultureInfo.InvariantCulture);
        var milliseconds = time.Millisecond;
        text[length] = (byte)'.';
        text[length + 1] = (byte)('0' + (milliseconds / 100));
        text[length + 2] = (byte)('0' + (milliseconds / 10 % 10));
        text[length + 3] = (byte)('0' + (milliseconds % 10));
        text[length + 4] = (byte)'Z';
        return length + 5;
    }

    /// <summary>Writes a duration in seconds.</summary>
    public static void Seconds(Utf8JsonWriter json, JsonEncodedText name, TimeSpan value) => json.WriteNumber(name, value.TotalSeconds);

    /// <summary>Writes the shortest digits that give the same number back; null for NaN and the infinities.</summary>
    public static void Number(Utf8JsonWriter json, JsonEncodedText name, double value)
    {
        if (double.IsFinite(value))
        {
            json.WriteNumber(name, value);
        }
        else
        {
            json.WriteNull(name);
        }
    }

    public static void Number(Utf8JsonWriter json, JsonEncodedText name, decimal? value)
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

    // A register image can use all 64 bits, which a JSON number loses in many readers: hexadecimal text.
    private static void Raw(Utf8JsonWriter json, JsonEncodedText name, ulong? value)
    {
        if (value is not { } raw)
        {
            json.WriteNull(name);
            return;
        }

        Span<byte> text = stackalloc byte[18];
        text[0] = (byte)'0';
        text[1] = (byte)'x';
        Utf8Formatter.TryFormat(raw, text[2..], out var length, new System.Buffers.StandardFormat('x'));
        json.WriteString(name, text[..(length + 2)]);
    }

    private static void Reason(Utf8JsonWriter json, QualityReason reason, byte detail)
    {
        if (reason == QualityReason.None)
        {
            return;
        }

        json.WriteString(Names.Reason, reason.Word());
        if (detail != 0)
        {
            json.WriteNumber(Names.Detail, detail);
        }
    }

    private static string? WhyNull(bool counter, in SummaryRecord r)
    {
        if (r.Count == 0)
        {
            return "no-samples";
        }

        if (!(double.IsFinite(r.Min) && double.IsFinite(r.Max) && double.IsFinite(r.Last) && double.IsFinite(r.Integral)) || double.IsInfinity(r.Mean))
        {
            return "not-finite";
        }

        if (counter && r.Delta is null)
        {
            return "no-growth-established";
        }

        return double.IsNaN(r.Mean) ? "not-covered" : null;
    }

    /// <summary>Encodes what of a point stands in every record.</summary>
    public static PointText TextOf(SiteModel site, PointModel point) => new(
        JsonEncodedText.Encode(site.Devices[point.DeviceIndex].Id),
        JsonEncodedText.Encode(point.Id),
        JsonEncodedText.Encode(point.Unit),
        point.Kind == PointKind.Counter,
        point.Symbols);

    /// <summary>What of a point stands in every record, encoded once.</summary>
    internal sealed record PointText(
        JsonEncodedText Device, JsonEncodedText Point, JsonEncodedText Unit, bool IsCounter, IReadOnlyDictionary<long, string>? Symbols)
    {
        /// <summary>The record of a sample up to its time.</summary>
        public byte[] SampleStart { get; } =
            [.. "{\"device\":\""u8, .. Device.EncodedUtf8Bytes, .. "\",\"point\":\""u8, .. Point.EncodedUtf8Bytes, .. "\",\"time\":\""u8];
    }

    internal static class Names
    {
        public static readonly JsonEncodedText Device = JsonEncodedText.Encode("device");
        public static readonly JsonEncodedText Point = JsonEncodedText.Encode("point");
        public static readonly JsonEncodedText Unit = JsonEncodedText.Encode("unit");
        public static readonly JsonEncodedText Time = JsonEncodedText.Encode("time");
        public static readonly JsonEncodedText Start = JsonEncodedText.Encode("start");
        public static readonly JsonEncodedText WidthSeconds = JsonEncodedText.Encode("widthSeconds");
        public static readonly JsonEncodedText Era = JsonEncodedText.Encode("era");
        public static readonly JsonEncodedText Count = JsonEncodedText.Encode("count");
        public static readonly JsonEncodedText Missing = JsonEncodedText.Encode("missing");
        public static readonly JsonEncodedText Uncertain = JsonEncodedText.Encode("uncertain");
        public static readonly JsonEncodedText Min = JsonEncodedText.Encode("min");
        public static readonly JsonEncodedText Max = JsonEncodedText.Encode("max");
        public static readonly JsonEncodedText Mean = JsonEncodedText.Encode("mean");
        public static readonly JsonEncodedText Last = JsonEncodedText.Encode("last");
        public static readonly JsonEncodedText Integral = JsonEncodedText.Encode("integral");
        public static readonly JsonEncodedText Delta = JsonEncodedText.Encode("delta");
        public static readonly JsonEncodedText StartReading = JsonEncodedText.Encode("startReading");
        public static readonly JsonEncodedText EndReading = JsonEncodedText.Encode("endReading");
        public static readonly JsonEncodedText StartRaw = JsonEncodedText.Encode("startRaw");
        public static readonly JsonEncodedText EndRaw = JsonEncodedText.Encode("endRaw");
        public static readonly JsonEncodedText Coverage = JsonEncodedText.Encode("coverage");
        public static readonly JsonEncodedText Cut = JsonEncodedText.Encode("cut");
        public static readonly JsonEncodedText StandInSeconds = JsonEncodedText.Encode("standInSeconds");
        public static readonly JsonEncodedText Reason = JsonEncodedText.Encode("reason");
        public static readonly JsonEncodedText Detail = JsonEncodedText.Encode("detail");
        public static readonly JsonEncodedText Account = JsonEncodedText.Encode("account");
        public static readonly JsonEncodedText Method = JsonEncodedText.Encode("method");
        public static readonly JsonEncodedText Scope = JsonEncodedText.Encode("scope");
        public static readonly JsonEncodedText ActivityKWh = JsonEncodedText.Encode("activityKWh");
        public static readonly JsonEncodedText Activity = JsonEncodedText.Encode("activity");
        public static readonly JsonEncodedText ActivityUnit = JsonEncodedText.Encode("activityUnit");
        public static readonly JsonEncodedText Factor = JsonEncodedText.Encode("factor");
        public static readonly JsonEncodedText Gas = JsonEncodedText.Encode("gas");
        public static readonly JsonEncodedText GwpSet = JsonEncodedText.Encode("gwpSet");
        public static readonly JsonEncodedText RemovedMilligrams = JsonEncodedText.Encode("removedMilligrams");
        public static readonly JsonEncodedText BiogenicMilligrams = JsonEncodedText.Encode("biogenicMilligrams");
        public static readonly JsonEncodedText Area = JsonEncodedText.Encode("area");
        public static readonly JsonEncodedText Adapted = JsonEncodedText.Encode("adapted");
        public static readonly JsonEncodedText Source = JsonEncodedText.Encode("source");
        public static readonly JsonEncodedText Hours = JsonEncodedText.Encode("hours");
        public static readonly JsonEncodedText Refused = JsonEncodedText.Encode("refused");
        public static readonly JsonEncodedText OfficialFactor = JsonEncodedText.Encode("officialFactor");
        public static readonly JsonEncodedText Approved = JsonEncodedText.Encode("approved");
        public static readonly JsonEncodedText MilligramsCO2e = JsonEncodedText.Encode("milligramsCO2e");
        public static readonly JsonEncodedText FactorId = JsonEncodedText.Encode("factorId");
        public static readonly JsonEncodedText FactorKgPerKWh = JsonEncodedText.Encode("factorKgPerKWh");
        public static readonly JsonEncodedText FactorNote = JsonEncodedText.Encode("factorNote");
        public static readonly JsonEncodedText UncertaintyPercent = JsonEncodedText.Encode("uncertaintyPercent");
        public static readonly JsonEncodedText CountsTowardSite = JsonEncodedText.Encode("countsTowardSite");
        public static readonly JsonEncodedText Allocated = JsonEncodedText.Encode("allocated");
        public static readonly JsonEncodedText Detector = JsonEncodedText.Encode("detector");
        public static readonly JsonEncodedText Raised = JsonEncodedText.Encode("raised");
        public static readonly JsonEncodedText Since = JsonEncodedText.Encode("since");
        public static readonly JsonEncodedText Severity = JsonEncodedText.Encode("severity");
        public static readonly JsonEncodedText Value = JsonEncodedText.Encode("value");
        public static readonly JsonEncodedText Limit = JsonEncodedText.Encode("limit");
        public static readonly JsonEncodedText Text = JsonEncodedText.Encode("text");
        public static readonly JsonEncodedText Online = JsonEncodedText.Encode("online");
        public static readonly JsonEncodedText Raw = JsonEncodedText.Encode("raw");
        public static readonly JsonEncodedText Symbol = JsonEncodedText.Encode("symbol");
        public static readonly JsonEncodedText Quality = JsonEncodedText.Encode("quality");
        public static readonly JsonEncodedText Kind = JsonEncodedText.Encode("kind");
        public static readonly JsonEncodedText Fields = JsonEncodedText.Encode("fields");
        public static readonly JsonEncodedText Stream = JsonEncodedText.Encode("stream");
        public static readonly JsonEncodedText Epoch = JsonEncodedText.Encode("epoch");
        public static readonly JsonEncodedText First = JsonEncodedText.Encode("first");
        public static readonly JsonEncodedText State = JsonEncodedText.Encode("state");
        public static readonly JsonEncodedText From = JsonEncodedText.Encode("from");
        public static readonly JsonEncodedText To = JsonEncodedText.Encode("to");
        public static readonly JsonEncodedText TimeQuality = JsonEncodedText.Encode("timeQuality");
        public static readonly JsonEncodedText Unset = JsonEncodedText.Encode("unset");
        public static readonly JsonEncodedText PeriodSeconds = JsonEncodedText.Encode("periodSeconds");
    }
}
