using System.Globalization;
using System.Text.Json;
using EdgeGateway.Core;
using EdgeGateway.Core.Feed;
using EdgeGateway.Verifying;

namespace EdgeGateway.Replaying;

/// <summary>Samples of a recorded feed, as <c>verify-feed --record</c> writes it: the records of the stream <c>sample</c>, in order of time, each once.</summary>
/// <remarks>
/// The feed delivers at least once and history beside live records, so all samples are held in memory and sorted. Doubts that the gateway's own rules put on a value are taken
/// off: the rules of the replay judge anew.
/// </remarks>
internal sealed class FeedRecording(string path) : Recording(path)
{
    private List<RecordedValue>? _values;

    protected override IEnumerable<RecordedValue> Read(bool isSurvey, CancellationToken cancel)
    {
        if (_values is null)
        {
            var values = new List<(RecordedValue Value, int Order)>();
            var seen = new HashSet<(string Gateway, long Epoch, long Sequence)>();
            new FeedFile(Path).Read((number, line) => Take(number, line, values, seen), problem => Tell(isSurvey: true, problem), cancel);
            cancel.ThrowIfCancellationRequested();
            _values = [.. values.OrderBy(v => v.Value.Time).ThenBy(v => v.Order).Select(v => v.Value)];
        }

        return _values;
    }

    private void Take(long number, ReadOnlyMemory<byte> line, List<(RecordedValue Value, int Order)> values, HashSet<(string Gateway, long Epoch, long Sequence)> seen)
    {
        if (FeedLine.Read(line, out var problem) is not { } message)
        {
            Tell(isSurvey: true, $"{Path}:{number}: {problem}");
            return;
        }

        try
        {
            using var json = JsonDocument.Parse(message.Payload);
            var root = json.RootElement;
            if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("stream", out var stream) || stream.GetString() != FeedStream.Sample.Word())
            {
                return;
            }

            var gateway = $"{root.GetProperty("site").GetString()}/{root.GetProperty("gateway").GetString()}";
            var (epoch, sequence) = (root.GetProperty("epoch").GetInt64(), root.GetProperty("seq").GetInt64());
            foreach (var record in root.GetProperty("records").EnumerateArray())
            {
                if (seen.Add((gateway, epoch, sequence++)))
                {
                    values.Add((Of(record), values.Count));
                }
            }
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            Tell(isSurvey: true, $"{Path}:{number}: no message of the feed: {e.Message}");
        }
    }

    private RecordedValue Of(JsonElement record)
    {
        var series = PlaceOf(record.GetProperty("device").GetString()!, record.GetProperty("point").GetString()!);
        var time = Instant.Parse(record.GetProperty("time").GetString()!);
        var value = record.TryGetProperty("value", out var number) && number.ValueKind == JsonValueKind.Number ? number.GetDouble() : double.NaN;
        var reason = record.TryGetProperty("reason", out var why) ? why.GetString() ?? "" : "";
        var quality = CsvRecording.TryQuality(record.GetProperty("quality").GetString() ?? "", reason, double.IsFinite(value), out var said) ? said : throw new FormatException($"the quality {record.GetProperty("quality")} {reason} is unknown");
        if (quality.Reason is >= QualityReason.OutOfRange and <= QualityReason.CounterRollback)
        {
            quality = Quality.Good;
        }

        ulong? raw = record.TryGetProperty("raw", out var text) && text.GetString() is { } hex && hex.StartsWith("0x", StringComparison.Ordinal)
            && ulong.TryParse(hex.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var bits)
            ? bits
            : null;
        return new(time, series, quality.HasValue ? value : double.NaN, raw, quality);
    }
}
