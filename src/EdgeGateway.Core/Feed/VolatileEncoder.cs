using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using EdgeGateway.Core.Site;

namespace EdgeGateway.Core.Feed;

/// <summary>
/// Writes the newest values while the store cannot be written:
/// <c>{"v":1,"site":"…","gateway":"…","stream":"volatile","lane":"volatile","since":"…","records":[…]}</c>. No epoch and no sequence number: nothing of
/// it is accepted yet. It is the declared last resort that keeps the picture at the centre alive (requirement P-5, decision 0006).
/// </summary>
public sealed class VolatileEncoder
{
    /// <summary>Word of the stream, which is none of the numbered ones, and of the lane.</summary>
    public const string Word = "volatile";

    private readonly SiteModel _site;
    private readonly RecordJson.PointText[] _points;

    public VolatileEncoder(SiteModel site)
    {
        ArgumentNullException.ThrowIfNull(site);
        _site = site;
        _points = [.. site.Points.Select(point => RecordJson.TextOf(site, point))];
    }

    /// <summary>Writes messages of at most <see cref="RecordBuffer.MaxRecords"/> records.</summary>
    /// <param name="samples">The newest of each point.</param>
    /// <param name="since">Since when nothing can be stored.</param>
    public IReadOnlyList<ReadOnlyMemory<byte>> Write(IReadOnlyList<Sample> samples, Instant since)
    {
        ArgumentNullException.ThrowIfNull(samples);
        var messages = new List<ReadOnlyMemory<byte>>();
        for (var from = 0; from < samples.Count; from += RecordBuffer.MaxRecords)
        {
            var buffer = new ArrayBufferWriter<byte>();
            using var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true });
            json.WriteStartObject();
            json.WriteNumber("v"u8, FeedEnvelope.Version);
            json.WriteString("site"u8, _site.SiteId);
            json.WriteString("gateway"u8, _site.GatewayId);
            json.WriteString("stream"u8, Word);
            json.WriteString("lane"u8, Word);
            RecordJson.Time(json, JsonEncodedText.Encode("since"), since);
            json.WriteStartArray("records"u8);
            for (var i = from; i < Math.Min(samples.Count, from + RecordBuffer.MaxRecords); i++)
            {
                RecordJson.Sample(json, _points[samples[i].Point], samples[i]);
            }

            json.WriteEndArray();
            json.WriteEndObject();
            json.Flush();
            messages.Add(buffer.WrittenMemory);
        }

        return messages;
    }
}
