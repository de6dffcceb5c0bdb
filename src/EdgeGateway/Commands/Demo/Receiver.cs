using System.Text.Json;
using EdgeGateway.Core.Feed;

namespace EdgeGateway.Commands.Demo;

/// <summary>
/// A central platform in small: keeps what the messages of the feed say, and proves by their sequence numbers that nothing is missing
/// or doubled. Knows nothing of the gateway but the messages. Thread-safe.
/// </summary>
internal sealed class Receiver(double baseWindowSeconds, EventList events)
{
    private readonly Lock _gate = new();
    private readonly FeedAudit _audit = new(new FeedAuditOptions { Deep = true, RememberedRecords = 1_000_000 });
    private readonly Dictionary<string, SeenValue> _values = [];
    private readonly Dictionary<string, decimal> _energy = [];
    private readonly Dictionary<string, CarbonSum> _carbon = [];
    private readonly Dictionary<(string Device, string Point, string Detector), SeenAnomaly> _anomalies = [];
    private readonly Dictionary<string, (bool Online, DateTimeOffset Time)> _devices = [];
    private long _live;
    private long _history;

    /// <summary>Takes a message as it came.</summary>
    public void Take(string topic, ReadOnlyMemory<byte> payload, bool retained)
    {
        lock (_gate)
        {
            if (_audit.Take(topic, payload, retained, out var message, out var added) == FeedTaking.Unreadable)
            {
                events.Add($"A message cannot be read: {_audit.Verdict().Findings.LastOrDefault(f => f.StartsWith("unreadable", StringComparison.Ordinal))}", Tone.Bad);
            }

            if (message is null)
            {
                return;
            }

            if (message.Lane == FeedLane.History)
            {
                _history += added;
            }
            else
            {
                _live += added;
            }

            // Redelivered under the same numbers: known already, and sums must not count it twice.
            if (added == message.Records.Count)
            {
                foreach (var record in message.Records)
                {
                    Take(message.Stream, record);
                }
            }
        }
    }

    /// <summary>What is known now.</summary>
    public Picture Now()
    {
        lock (_gate)
        {
            var verdict = _audit.Verdict();
            return new Picture
            {
                Values = new Dictionary<string, SeenValue>(_values),
                Energy = new Dictionary<string, decimal>(_energy),
                Carbon = new Dictionary<string, CarbonSum>(_carbon),
                Anomalies = [.. _anomalies.Values.Where(a => a.Raised).OrderBy(a => a.Time)],
                Online = _devices.ToDictionary(d => d.Key, d => d.Value.Online),
                Live = _live,
                History = _history,
                Unreadable = verdict.Unreadable,
                Changed = verdict.Changed,
                Ledger = verdict.Ledger,
            };
        }
    }

    private static string Text(JsonElement record, string name) => record.GetProperty(name).GetString() ?? "";

    private static DateTimeOffset Time(JsonElement record, string name) => record.GetProperty(name).GetDateTimeOffset();

    private void Take(FeedStream stream, JsonElement record)
    {
        switch (stream)
        {
            case FeedStream.Sample:
                TakeSample(record);
                break;
            case FeedStream.Summary:
                TakeSummary(record);
                break;
            case FeedStream.Emission:
                TakeEmission(record);
                break;
            case FeedStream.Anomaly:
                TakeAnomaly(record);
                break;
            case FeedStream.State:
                TakeState(record);
                break;
        }
    }

    private void TakeSample(JsonElement record)
    {
        var point = $"{Text(record, "device")}.{Text(record, "point")}";
        var value = record.GetProperty("value");
        var time = Time(record, "time");

        // History arrives beside live records: what is newer stays.
        if (value.ValueKind == JsonValueKind.Number && (!_values.TryGetValue(point, out var known) || known.Time < time))
        {
            _values[point] = new SeenValue(value.GetDouble(), time);
        }
    }

    private void TakeSummary(JsonElement record)
    {
        if (record.GetProperty("widthSeconds").GetDouble() == baseWindowSeconds
            && Text(record, "point") == "active_energy_import_total"
            && record.TryGetProperty("delta", out var delta) && delta.ValueKind == JsonValueKind.Number)
        {
            var device = Text(record, "device");
            _energy[device] = _energy.GetValueOrDefault(device) + delta.GetDecimal();
        }
    }

    private void TakeEmission(JsonElement record)
    {
        var account = Text(record, "account");
        var name = account == "device" ? Text(record, "device") : account;
        var milligrams = record.GetProperty("milligramsCO2e").GetInt64();
        var energy = record.GetProperty("activityKWh").GetDecimal();
        var sum = _carbon.GetValueOrDefault(name);
        _carbon[name] = new CarbonSum(sum.Milligrams + milligrams, sum.KWh + energy, sum.Entries + 1);
        if (account == "site")
        {
            events.Add(
                $"Carbon entry of the site: {milligrams / 1e6:F3} kg CO2e for {energy:F3} kWh x {record.GetProperty("factorKgPerKWh").GetDecimal()} kg/kWh (factor {Text(record, "factorId")}), the meter was heard {record.GetProperty("coverage").GetDouble():P0} of the quarter of an hour.",
                Tone.Good);
        }
    }

    private void TakeAnomaly(JsonElement record)
    {
        var anomaly = new SeenAnomaly(
            Text(record, "device"), Text(record, "point"), Text(record, "detector"), Time(record, "time"), record.GetProperty("raised").GetBoolean(), Text(record, "text"));
        var key = (anomaly.Device, anomaly.Point, anomaly.Detector);
        if (!_anomalies.TryGetValue(key, out var known) || known.Time <= anomaly.Time)
        {
            _anomalies[key] = anomaly;
            events.Add($"{(anomaly.Raised ? "ANOMALY" : "cleared")}: {anomaly.Text}", anomaly.Raised ? Tone.Bad : Tone.Good);
        }
    }

    private void TakeState(JsonElement record)
    {
        var device = Text(record, "device");
        var online = record.GetProperty("online").GetBoolean();
        var time = Time(record, "time");
        if (_devices.TryGetValue(device, out var known) && known.Time > time)
        {
            return;
        }

        if (known.Online != online || known.Time == default)
        {
            _devices[device] = (online, time);
            if (!online)
            {
                events.Add($"DEVICE OFFLINE: {device} ({Text(record, "reason")}).", Tone.Bad);
            }
            else if (known.Time != default)
            {
                events.Add($"device online again: {device}.", Tone.Good);
            }
        }
    }
}
