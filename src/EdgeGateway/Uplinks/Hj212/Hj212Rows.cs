using System.Globalization;
using System.Text.Json;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Outbox;
using EdgeGateway.Core.Site;
using EdgeGateway.Protocols.Hj212;

namespace EdgeGateway.Uplinks.Hj212;

/// <summary>
/// Makes packets of stored rows: those that the MQTT feed sends as JSON leave here as groups of factors, with the same digits. A window gives the same groups whenever it is sent.
/// </summary>
/// <param name="model">What is sent.</param>
/// <param name="names">Device and point of each point of the site, by index.</param>
internal sealed class Hj212Rows(Hj212UplinkModel model, IReadOnlyList<(string Device, string Point)> names)
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    // Hours of stacks whose newest revision is remembered: a quarter of one, and weeks of several.
    private const int MostHours = 4_096;

    // HJ 212-2017, tables C.16 to C.18: at least three quarters of the children are normal, otherwise a fault.
    private const double LeastCoverage = 0.75;

    private readonly Dictionary<(string, string), List<(string Code, Role Role)>> _roles = RolesOf(model, names);

    // The factors whose hours are those of their stack.
    private readonly Dictionary<(string Device, string Gas), string> _stacks = model.Factors.Where(f => f.Gas is not null).ToDictionary(f => (names[f.Point].Device, f.Gas!), f => f.Code);
    private readonly Dictionary<(string Device, DateTimeOffset Start), int> _revisions = [];
    private readonly Queue<(string Device, DateTimeOffset Start)> _hours = [];
    private readonly HashSet<string> _byStack = [.. model.Factors.Where(f => f.Gas is not null).Select(f => f.Code)];

    private enum Role
    {
        Value,
        Corrected,
        Mass,
    }

    /// <summary>Least time between two real-time values of a factor; null sends none. The platform may change it (CN 1062, 2012).</summary>
    public TimeSpan? RealTime { get; set; } = model.RealTime;

    /// <summary>The windows of a row of summaries, and the hours of stacks, by command and time; empty when nothing of the row is sent.</summary>
    /// <exception cref="JsonException">The row is damaged.</exception>
    public IReadOnlyList<Hj212Data> WindowsOf(OutboxRow row) => row.Stream switch
    {
        FeedStream.Summary => SummariesOf(row),
        FeedStream.Cems when _stacks.Count > 0 => HoursOf(row),
        _ => [],
    };

    private List<Hj212Data> SummariesOf(OutboxRow row)
    {
        // By command and time, in the order of the row; by factor within.
        var packets = new Dictionary<(string Command, DateTime Time), SortedDictionary<string, List<Hj212Field>>>();
        using var records = JsonDocument.Parse(row.Body);
        foreach (var record in records.RootElement.EnumerateArray())
        {
            if (record.TryGetProperty("device", out var device) && record.TryGetProperty("point", out var point)
                && _roles.TryGetValue((device.GetString()!, point.GetString()!), out var roles))
            {
                foreach (var (code, role) in roles)
                {
                    if (CommandOf(TimeSpan.FromSeconds(record.GetProperty("widthSeconds").GetDouble())) is { } command && !(command == Hj212Command.Hour && _byStack.Contains(code)))
                    {
                        Summary(Fields(packets, (command, LocalOf(record.GetProperty("start").GetDateTimeOffset())), code), record, code, role);
                    }
                }
            }
        }

        // A window without a value gives a factor no field; a group or a packet of nothing is none.
        return
        [
            .. packets.Where(p => p.Value.Values.Any(fields => fields.Count > 0)).Select(p => new Hj212Data(
                p.Key.Command,
                [
                    At(p.Key.Time),
                    .. p.Value.Values.Where(fields => fields.Count > 0).Select(fields => (IReadOnlyList<Hj212Field>)[.. fields.OrderBy(f => f.Key.EndsWith("-Flag", StringComparison.Ordinal))]),
                ])),
        ];
    }

    /// <summary>
    /// The hours of stacks. One that waits for the end of a missing period is sent at its end without a mass, and again when it is final or stated anew: the later packet of an hour holds
    /// (decision 0020). What waited in the history is not sent behind what is newer.
    /// </summary>
    private List<Hj212Data> HoursOf(OutboxRow row)
    {
        List<Hj212Data> hours = [];
        using var records = JsonDocument.Parse(row.Body);
        foreach (var record in records.RootElement.EnumerateArray())
        {
            if (record.GetProperty("kind").GetString() != "hour" || record.GetProperty("device").GetString() is not { } device)
            {
                continue;
            }

            var start = record.GetProperty("start").GetDateTimeOffset();
            if (!IsNewest(device, start, record.GetProperty("revision").GetInt32()))
            {
                continue;
            }

            var stands = record.GetProperty("operatingTime").GetDouble() == 0;
            List<IReadOnlyList<Hj212Field>> groups = [];
            foreach (var ((stack, gas), code) in _stacks.OrderBy(s => s.Value, StringComparer.Ordinal))
            {
                if (stack != device)
                {
                    continue;
                }

                if (stands)
                {
                    groups.Add([new($"{code}-Flag", "F")]);
                    continue;
                }

                foreach (var quantity in record.GetProperty("quantities").EnumerateArray().Where(q => q.GetProperty("name").GetString() == gas))
                {
                    List<Hj212Field> fields = [];
                    Put(fields, $"{code}-Cou", quantity.TryGetProperty("kilograms", out var kilograms) ? kilograms : default);
                    Put(fields, $"{code}-Avg", quantity.GetProperty("value"));
                    Put(fields, $"{code}-ZsAvg", quantity.TryGetProperty("corrected", out var corrected) ? corrected : default);

                    // HJ 212-2017, table C.17: an hour is normal when three quarters of its minutes are, which is what makes it valid; else a fault.
                    fields.Add(new($"{code}-Flag", quantity.GetProperty("valid").GetBoolean() ? "N" : "D"));
                    groups.Add(fields);
                }
            }

            if (groups.Count > 0)
            {
                hours.Add(new(Hj212Command.Hour, [At(LocalOf(start)), .. groups]));
            }
        }

        return hours;
    }

    private bool IsNewest(string device, DateTimeOffset start, int revision)
    {
        if (_revisions.TryGetValue((device, start), out var known))
        {
            _revisions[(device, start)] = Math.Max(known, revision);
            return revision >= known;
        }

        if (_hours.Count == MostHours)
        {
            _revisions.Remove(_hours.Dequeue());
        }

        _hours.Enqueue((device, start));
        _revisions.Add((device, start), revision);
        return true;
    }

    private static Hj212Field[] At(DateTime time) => [new("DataTime", Hj212Time.Write(time))];

    /// <summary>The samples of a row that real-time data are made of; empty when nothing of it is sent.</summary>
    /// <exception cref="JsonException">The row is damaged.</exception>
    public IReadOnlyList<Hj212Sample> SamplesOf(OutboxRow row)
    {
        if (row.Stream != FeedStream.Sample || RealTime is null)
        {
            return [];
        }

        List<Hj212Sample> samples = [];
        using var records = JsonDocument.Parse(row.Body);
        foreach (var record in records.RootElement.EnumerateArray())
        {
            if (record.TryGetProperty("device", out var device) && record.TryGetProperty("point", out var point)
                && _roles.TryGetValue((device.GetString()!, point.GetString()!), out var roles))
            {
                foreach (var (code, role) in roles)
                {
                    if (role != Role.Mass)
                    {
                        samples.Add(new(record.GetProperty("time").GetDateTimeOffset(), code, role == Role.Corrected, Digits(record.GetProperty("value")), role == Role.Value ? FlagOf(record) : null));
                    }
                }
            }
        }

        return samples;
    }

    /// <summary>Local time of the site.</summary>
    public DateTime LocalOf(DateTimeOffset time) => TimeZoneInfo.ConvertTime(time, model.TimeZone).DateTime;

    private static Dictionary<(string, string), List<(string, Role)>> RolesOf(Hj212UplinkModel model, IReadOnlyList<(string Device, string Point)> names)
    {
        var roles = new Dictionary<(string, string), List<(string, Role)>>();
        foreach (var factor in model.Factors)
        {
            Note(factor.Point, factor.Code, Role.Value);
            Note(factor.Corrected, factor.Code, Role.Corrected);
            Note(factor.Mass, factor.Code, Role.Mass);
        }

        return roles;

        void Note(int? point, string code, Role role)
        {
            if (point is { } index)
            {
                (roles.TryGetValue(names[index], out var some) ? some : roles[names[index]] = []).Add((code, role));
            }
        }
    }

    private static void Summary(List<Hj212Field> fields, JsonElement record, string code, Role role)
    {
        if (role == Role.Mass)
        {
            Put(fields, $"{code}-Cou", record.TryGetProperty("delta", out var delta) ? delta : default);
            return;
        }

        var prefix = role == Role.Corrected ? $"{code}-Zs" : $"{code}-";
        Put(fields, $"{prefix}Min", record.GetProperty("min"));
        Put(fields, $"{prefix}Avg", record.GetProperty("mean"));
        Put(fields, $"{prefix}Max", record.GetProperty("max"));
        if (role == Role.Value)
        {
            var coverage = record.GetProperty("coverage");
            fields.Add(new($"{code}-Flag", coverage.ValueKind == JsonValueKind.Number && coverage.GetDouble() >= LeastCoverage ? "N" : "D"));
        }
    }

    private static List<Hj212Field> Fields(Dictionary<(string, DateTime), SortedDictionary<string, List<Hj212Field>>> packets, (string, DateTime) packet, string code)
    {
        var factors = packets.TryGetValue(packet, out var some) ? some : packets[packet] = new(StringComparer.Ordinal);
        return factors.TryGetValue(code, out var fields) ? fields : factors[code] = [];
    }

    private string? CommandOf(TimeSpan width) => width == Day ? Hj212Command.Day : width == Hour ? Hj212Command.Hour : width == model.Minute ? Hj212Command.Minute : null;

    private static void Put(List<Hj212Field> fields, string key, JsonElement value)
    {
        if (Digits(value) is { } digits)
        {
            fields.Add(new(key, digits));
        }
    }

    /// <summary>The digits as the feed has them; null where there is no value. An exponent is written out: packets know none.</summary>
    private static string? Digits(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Number)
        {
            return null;
        }

        var digits = value.GetRawText();
        return digits.AsSpan().ContainsAny('e', 'E') && decimal.TryParse(digits, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            ? number.ToString(CultureInfo.InvariantCulture)
            : digits;
    }

    /// <summary>HJ 212-2017, table 8: the flag of a value by why it is not good.</summary>
    private static string FlagOf(JsonElement record)
    {
        var quality = record.GetProperty("quality").GetString();
        if (quality == "good")
        {
            return "N";
        }

        return (record.TryGetProperty("reason", out var reason) ? reason.GetString() : null) switch
        {
            "timeout" or "not-connected" => "B",
            "calibrating" => "C",
            "maintenance" => "M",
            "out-of-range" => "T",
            "substituted" => "S",
            _ => "D",
        };
    }
}
