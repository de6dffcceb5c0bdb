using System.Buffers;
using System.Globalization;
using System.Text.Json;
using EdgeGateway.Core.Cems;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Site;

namespace EdgeGateway.Core.Ledger;

/// <summary>The body of a record: one JSON object, ASCII, without spaces or line ends between its parts. What is hashed are these bytes, not what they mean.</summary>
public static class LedgerJson
{
    /// <summary>Writes the body of a record.</summary>
    /// <param name="record">The record.</param>
    /// <param name="output">Receives the body, without a line end.</param>
    public static void Write(LedgerRecord record, IBufferWriter<byte> output)
    {
        ArgumentNullException.ThrowIfNull(record);

        // The library's own encoder escapes all but ASCII: a flipped high bit is never a letter of another language.
        using var json = new Utf8JsonWriter(output);
        json.WriteStartObject();
        json.WriteNumber("n", record.Number);
        json.WriteString("at", record.Time.ToString());
        json.WriteString("kind", record.Content.Kind.Word());
        switch (record.Content)
        {
            case OpeningContent opening:
                json.WriteString("schema", LedgerExport.SchemaName);
                json.WriteString("gateway", opening.Gateway);
                json.WriteString("key", opening.PublicKey);
                break;
            case KeyContent key:
                json.WriteString("key", key.PublicKey);
                json.WriteString("reason", key.Reason);
                break;
            case ConfigurationContent configuration:
                Write(json, configuration);
                break;
            case FactorsContent factors:
                json.WriteString("set", factors.Id);
                json.WriteNumber("version", factors.Version);
                json.WriteString("hash", factors.Hash);

                // As text: JSON within JSON would be other bytes as soon as somebody formats it.
                json.WriteString("canonical", factors.Canonical);
                break;
            case EmissionContent emission:
                json.WriteString("set", emission.FactorSet);
                json.WriteNumber("carried", emission.Entry.Carried);
                json.WriteNumber("epoch", emission.Epoch);
                json.WriteNumber("sequence", emission.Sequence);
                json.WritePropertyName("entry");
                RecordJson.Emission(json, emission.Device, emission.Entry, emission.IsClockUnset);
                break;
            case RestatementContent restatement:
                Write(json, restatement);
                break;
            case CalibrationContent calibration:
                Write(json, calibration);
                break;
            case DecisionContent decision:
                Write(json, decision);
                break;
            case AlarmContent alarm:
                Write(json, alarm);
                break;
            case GapContent gap:
                json.WriteString("cause", gap.Cause);
                json.WriteNumber("epoch", gap.Epoch);
                json.WriteNumber("first", gap.First);
                json.WriteNumber("last", gap.Last);
                break;
            case SealContent seal:
                json.WriteString("gateway", seal.Gateway);
                json.WriteString("day", Day(seal.Day));
                json.WriteNumber("first", seal.First);
                json.WriteNumber("last", seal.Last);
                json.WriteString("root", seal.Root);
                json.WriteString("head", seal.Head);
                break;
            case ClosingContent closing:
                json.WriteString("gateway", closing.Gateway);
                json.WriteNumber("through", closing.Through);
                json.WriteString("head", closing.Head);
                json.WriteString("reason", closing.Reason);
                break;
            default:
                throw new ArgumentException($"A record of kind {record.Content.Kind} has no form.", nameof(record));
        }

        json.WriteEndObject();
    }

    /// <summary>The body of a record.</summary>
    public static byte[] Write(LedgerRecord record)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        Write(record, buffer);
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Reads a body.</summary>
    /// <exception cref="InvalidDataException">It is no body of a record that this version knows; the message says what is wrong.</exception>
    public static LedgerRecord Read(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            var root = document.RootElement;
            var kind = Text(root, "kind");
            return new(Long(root, "n"), Time(root, "at"), kind switch
            {
                "opening" => new OpeningContent(Text(root, "gateway"), Text(root, "key")),
                "key" => new KeyContent(Text(root, "key"), Text(root, "reason")),
                "configuration" => Configuration(root),
                "factors" => new FactorsContent(Text(root, "set"), root.GetProperty("version").GetInt32(), Text(root, "hash"), Text(root, "canonical")),
                "emission" => Emission(root.GetProperty("entry"), Text(root, "set"), Long(root, "epoch"), Long(root, "sequence"), root.GetProperty("carried").GetDecimal()),
                "restatement" => Restatement(root),
                "calibration" => Calibration(root),
                "decision" => Decision(root),
                "alarm" => Alarm(root),
                "gap" => new GapContent(Text(root, "cause"), Long(root, "epoch"), Long(root, "first"), Long(root, "last")),
                "seal" => new SealContent(Text(root, "gateway"), DayOf(Text(root, "day")), Long(root, "first"), Long(root, "last"), Text(root, "root"), Text(root, "head")),
                "closing" => new ClosingContent(Text(root, "gateway"), Long(root, "through"), Text(root, "head"), Text(root, "reason")),
                _ => throw new InvalidDataException($"this version knows no record of the kind '{kind}'"),
            });
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or OverflowException)
        {
            throw new InvalidDataException($"this is no record of a ledger: {e.Message}", e);
        }
    }

    private static void Write(Utf8JsonWriter json, ConfigurationContent configuration)
    {
        json.WriteString("hash", configuration.Hash);
        json.WriteString("site", configuration.Site);
        json.WriteString("program", configuration.Program);
        json.WriteString("set", configuration.FactorSet);
        json.WriteStartArray("accounts");
        foreach (var account in configuration.Accounts)
        {
            json.WriteStartObject();
            json.WriteString("device", account.Device);
            json.WriteString("method", account.Method);
            json.WriteString("region", account.Region);
            json.WriteString("unit", account.Unit);
            json.WriteBoolean("carriesMass", account.CarriesMass);
            Optional(json, "point", account.Point);
            Optional(json, "perUnit", account.PerUnit);
            var model = account.Model;
            json.WriteNumber("scope", model.Scope);
            Optional(json, "fuel", model.Fuel);
            Optional(json, "volumeCelsius", model.VolumeCelsius);
            if (model.Measured is { } measured)
            {
                json.WriteNumber("carbonPercent", measured.CarbonPercent);
                json.WriteNumber("oxidationPercent", measured.OxidationPercent);
                Optional(json, "carbonUncertaintyPercent", measured.UncertaintyPercent);
                json.WriteString("carbonSource", measured.Source);
            }

            json.WriteNumber("purityPercent", model.PurityPercent);
            Optional(json, "factor", model.Factor);
            Optional(json, "gwpSet", model.GwpSet);
            Optional(json, "gas", model.Gas);
            Optional(json, "activityUncertaintyPercent", model.ActivityPercent);
            Optional(json, "factorUncertaintyPercent", model.FactorPercent);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        if (configuration.Sums is not { } sums)
        {
            return;
        }

        json.WriteStartArray("sums");
        foreach (var sum in sums)
        {
            json.WriteStartObject();
            json.WriteString("account", sum.Account.Word());
            json.WriteString("of", sum.Name);
            json.WriteString("method", sum.Method);
            json.WriteStartArray("parts");
            foreach (var part in sum.Parts)
            {
                json.WriteStartArray();
                json.WriteNumberValue(part.Account);
                json.WriteNumberValue(part.Sign);
                if (part.PricedBy >= 0)
                {
                    json.WriteNumberValue(part.PricedBy);
                }

                json.WriteEndArray();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static LedgerSum Sum(JsonElement sum) => new(
        Word<EmissionAccount>(Text(sum, "account"), a => a.Word()), Text(sum, "of"), Text(sum, "method"),
        [.. sum.GetProperty("parts").EnumerateArray().Select(p => new LedgerPart(p[0].GetInt32(), p[1].GetInt32(), p.GetArrayLength() > 2 ? p[2].GetInt32() : -1))]);

    private static ConfigurationContent Configuration(JsonElement root) => new(
        Text(root, "hash"), Text(root, "site"), Text(root, "program"), Text(root, "set"),
        [.. root.GetProperty("accounts").EnumerateArray().Select(a => new LedgerAccount(Text(a, "device"), Text(a, "method"), Text(a, "region"), Text(a, "unit"), a.GetProperty("carriesMass").GetBoolean())
        {
            Point = OptionalText(a, "point"),
            PerUnit = OptionalDecimal(a, "perUnit"),
            Model = new CarbonModel(Text(a, "method"), a.GetProperty("scope").GetInt32())
            {
                Fuel = OptionalText(a, "fuel"),
                VolumeCelsius = OptionalDecimal(a, "volumeCelsius"),
                Measured = OptionalDecimal(a, "carbonPercent") is { } carbon
                    ? new(carbon, a.GetProperty("oxidationPercent").GetDecimal(), Double(a, "carbonUncertaintyPercent"), Text(a, "carbonSource"))
                    : null,
                PurityPercent = a.GetProperty("purityPercent").GetDecimal(),
                Factor = OptionalText(a, "factor"),
                GwpSet = OptionalText(a, "gwpSet"),
                Gas = OptionalText(a, "gas"),
                ActivityPercent = Double(a, "activityUncertaintyPercent"),
                FactorPercent = Double(a, "factorUncertaintyPercent"),
            },
        })])
    {
        Sums = root.TryGetProperty("sums", out var sums) ? [.. sums.EnumerateArray().Select(Sum)] : null,
    };

    /// <summary>Reads an entry as the stream <c>emission</c> of the feed has it, which says neither its factor set nor its carry.</summary>
    /// <exception cref="InvalidDataException">It is no entry.</exception>
    public static EmissionContent ReadPublished(JsonElement entry, long epoch, long sequence)
    {
        try
        {
            return Emission(entry, "", epoch, sequence, 0);
        }
        catch (Exception e) when (e is KeyNotFoundException or InvalidOperationException or FormatException or OverflowException)
        {
            throw new InvalidDataException($"this is no entry of the carbon account: {e.Message}", e);
        }
    }

    private static EmissionContent Emission(JsonElement entry, string set, long epoch, long sequence, decimal carried)
    {
        var (device, unit) = (OptionalText(entry, "device"), OptionalText(entry, "activityUnit"));
        return new()
        {
            Device = device,
            FactorSet = set,
            Epoch = epoch,
            Sequence = sequence,
            IsClockUnset = OptionalText(entry, "timeQuality") is not null,
            Entry = new()
            {
                Device = -1,
                Account = Word<EmissionAccount>(Text(entry, "account"), a => a.Word()),
                Area = OptionalText(entry, "area"),
                Start = Time(entry, "start"),
                Width = TimeSpan.FromSeconds(entry.GetProperty("widthSeconds").GetDouble()),
                Era = entry.GetProperty("era").GetInt32(),
                Method = Text(entry, "method"),
                Scope = entry.GetProperty("scope").GetInt32(),
                ActivityKWh = entry.GetProperty("activityKWh").GetDecimal(),
                Milligrams = Long(entry, "milligramsCO2e"),
                FactorId = Text(entry, "factorId"),
                FactorKgPerKWh = entry.GetProperty("factorKgPerKWh").GetDecimal(),
                FactorNote = OptionalText(entry, "factorNote"),
                UncertaintyPercent = Double(entry, "uncertaintyPercent"),
                Coverage = entry.GetProperty("coverage").GetDouble(),
                StartReading = OptionalDecimal(entry, "startReading"),
                EndReading = OptionalDecimal(entry, "endReading"),
                StartRaw = Raw(entry, "startRaw"),
                EndRaw = Raw(entry, "endRaw"),
                CountsTowardSite = entry.GetProperty("countsTowardSite").GetBoolean(),
                Allocated = entry.GetProperty("allocated").GetBoolean(),
                Cut = Word<WindowCut>(Text(entry, "cut"), c => c.Word()),
                Carried = carried,
                Detail = unit is null ? null : new(
                    entry.GetProperty("activity").GetDecimal(), unit, entry.GetProperty("factor").GetDecimal(), Text(entry, "gas"), OptionalText(entry, "gwpSet"),
                    entry.TryGetProperty("removedMilligrams", out var removed) ? removed.GetInt64() : null)
                {
                    BiogenicMilligrams = entry.TryGetProperty("biogenicMilligrams", out var biogenic) ? biogenic.GetInt64() : null,
                    Adapted = entry.TryGetProperty("adapted", out var adapted) ? Adapted(adapted) : null,
                    Stack = entry.TryGetProperty("stack", out var stack) ? Stack(stack) : null,
                },
            },
        };
    }

    private static AdaptedFigure Adapted(JsonElement adapted) => new(
        adapted.GetProperty("factor").GetDecimal(), Double(adapted, "uncertaintyPercent"), Long(adapted, "milligramsCO2e"), adapted.GetProperty("hours").GetInt32(), adapted.GetProperty("refused").GetInt32(),
        OptionalDecimal(adapted, "officialFactor"), adapted.GetProperty("approved").GetBoolean());

    private static StackHour Stack(JsonElement stack) => new(stack.GetProperty("operatingTime").GetDecimal(), [.. stack.GetProperty("quantities").EnumerateArray().Select(q => new StackQuantity(
        Text(q, "name"), q.GetProperty("valid").GetBoolean(), Word<CemsFlag>(Text(q, "flag"), f => f.Letter().ToString()), OptionalText(q, "rule"), OptionalDecimal(q, "availabilityPercent"), OptionalDecimal(q, "kilograms")))])
    {
        Revision = stack.TryGetProperty("revision", out var revision) ? revision.GetInt32() : 1,
    };

    private static void Write(Utf8JsonWriter json, RestatementContent restatement)
    {
        Set("from", restatement.From);
        Set("to", restatement.To);
        json.WriteString("device", restatement.Device);
        json.WriteString("method", restatement.Method);
        json.WriteString("month", restatement.Month.ToString()[..7]);
        json.WriteNumber("entries", restatement.Entries);
        json.WriteNumber("refused", restatement.Refused);
        json.WriteNumber("activity", restatement.Activity);
        json.WriteNumber("beforeMilligrams", restatement.Before);
        json.WriteNumber("afterMilligrams", restatement.After);
        json.WriteNumber("deltaMilligrams", restatement.Delta);
        json.WriteBoolean("removal", restatement.IsRemoval);
        json.WriteBoolean("countsTowardSite", restatement.CountsTowardSite);
        json.WriteNumber("through", restatement.Through);

        void Set(string name, FactorSetName set)
        {
            json.WriteStartObject(name);
            json.WriteString("set", set.Id);
            json.WriteNumber("version", set.Version);
            json.WriteString("hash", set.Hash);
            json.WriteEndObject();
        }
    }

    private static RestatementContent Restatement(JsonElement root) => new()
    {
        From = Set(root.GetProperty("from")),
        To = Set(root.GetProperty("to")),
        Device = Text(root, "device"),
        Method = Text(root, "method"),
        Month = DayOf(Text(root, "month") + "-01"),
        Entries = Long(root, "entries"),
        Refused = Long(root, "refused"),
        Activity = root.GetProperty("activity").GetDecimal(),
        Before = Long(root, "beforeMilligrams"),
        After = Long(root, "afterMilligrams"),
        IsRemoval = root.GetProperty("removal").GetBoolean(),
        CountsTowardSite = root.GetProperty("countsTowardSite").GetBoolean(),
        Through = Long(root, "through"),
    };

    private static FactorSetName Set(JsonElement set) => new(Text(set, "set"), set.GetProperty("version").GetInt32(), Text(set, "hash"));

    private static void Write(Utf8JsonWriter json, CalibrationContent calibration)
    {
        json.WriteString("device", calibration.Device);
        json.WriteString("point", calibration.Point);
        json.WriteString("action", calibration.Action);
        json.WriteString("when", calibration.At.ToString());
        Optional(json, "reference", calibration.Reference);
        Optional(json, "found", calibration.Found);
        Optional(json, "left", calibration.Left);
        json.WriteString("unit", calibration.Unit);
        if (calibration.Passed is { } passed)
        {
            json.WriteBoolean("passed", passed);
        }

        json.WriteString("who", calibration.Who);
        json.WriteString("text", calibration.Text);
    }

    private static CalibrationContent Calibration(JsonElement root) => new()
    {
        Device = Text(root, "device"),
        Point = Text(root, "point"),
        Action = Text(root, "action"),
        At = Time(root, "when"),
        Reference = OptionalDecimal(root, "reference"),
        Found = OptionalDecimal(root, "found"),
        Left = OptionalDecimal(root, "left"),
        Unit = Text(root, "unit"),
        Passed = root.TryGetProperty("passed", out var passed) ? passed.GetBoolean() : null,
        Who = Text(root, "who"),
        Text = Text(root, "text"),
    };

    private static void Write(Utf8JsonWriter json, DecisionContent decision)
    {
        json.WriteString("device", decision.Device);
        json.WriteString("method", decision.Method);
        json.WriteString("action", decision.Action);
        json.WriteString("when", decision.At.ToString());
        json.WriteNumber("factor", decision.Factor);
        Optional(json, "uncertaintyPercent", decision.UncertaintyPercent);
        json.WriteNumber("hours", decision.Hours);
        json.WriteString("who", decision.Who);
        json.WriteString("reason", decision.Reason);
    }

    private static DecisionContent Decision(JsonElement root) => new()
    {
        Device = Text(root, "device"),
        Method = Text(root, "method"),
        Action = Text(root, "action"),
        At = Time(root, "when"),
        Factor = root.GetProperty("factor").GetDecimal(),
        UncertaintyPercent = Double(root, "uncertaintyPercent"),
        Hours = root.GetProperty("hours").GetInt32(),
        Who = Text(root, "who"),
        Reason = Text(root, "reason"),
    };

    private static void Write(Utf8JsonWriter json, AlarmContent alarm)
    {
        json.WriteString("alarm", alarm.Alarm);
        json.WriteString("change", alarm.Change);
        json.WriteString("state", alarm.State);
        json.WriteString("priority", alarm.Priority);
        json.WriteString("since", alarm.Since.ToString());
        json.WriteString("when", alarm.At.ToString());
        json.WriteString("device", alarm.Device);
        json.WriteString("point", alarm.Point);
        json.WriteString("who", alarm.Who);
        json.WriteString("reason", alarm.Reason);
        json.WriteString("text", alarm.Text);
    }

    private static AlarmContent Alarm(JsonElement root) => new()
    {
        Alarm = Text(root, "alarm"),
        Change = Text(root, "change"),
        State = Text(root, "state"),
        Priority = Text(root, "priority"),
        Since = Time(root, "since"),
        At = Time(root, "when"),
        Device = Text(root, "device"),
        Point = Text(root, "point"),
        Who = Text(root, "who"),
        Reason = Text(root, "reason"),
        Text = Text(root, "text"),
    };

    private static string Day(Instant day) => day.ToString()[..10];

    private static Instant DayOf(string day) =>
        Instant.From(new DateTimeOffset(DateTime.ParseExact(day, "yyyy-MM-dd", CultureInfo.InvariantCulture), TimeSpan.Zero));

    private static void Optional(Utf8JsonWriter json, string name, string? value)
    {
        if (value is not null)
        {
            json.WriteString(name, value);
        }
    }

    private static void Optional(Utf8JsonWriter json, string name, decimal? value)
    {
        if (value is { } number)
        {
            json.WriteNumber(name, number);
        }
    }

    private static void Optional(Utf8JsonWriter json, string name, double value)
    {
        if (double.IsFinite(value))
        {
            json.WriteNumber(name, value);
        }
    }

    private static string Text(JsonElement element, string name) =>
        element.GetProperty(name).GetString() ?? throw new InvalidDataException($"'{name}' is null");

    private static string? OptionalText(JsonElement element, string name) => element.TryGetProperty(name, out var value) ? value.GetString() : null;

    private static decimal? OptionalDecimal(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value.GetDecimal() : null;

    private static double Double(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value.GetDouble() : double.NaN;

    private static long Long(JsonElement element, string name) => element.GetProperty(name).GetInt64();

    private static Instant Time(JsonElement element, string name) => Instant.Parse(Text(element, name));

    private static ulong? Raw(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.GetString() is { } text
            ? ulong.Parse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture)
            : null;

    private static T Word<T>(string word, Func<T, string> wordOf)
        where T : struct, Enum
    {
        foreach (var value in Enum.GetValues<T>())
        {
            if (wordOf(value) == word)
            {
                return value;
            }
        }

        throw new InvalidDataException($"this version knows no '{word}' there");
    }
}
