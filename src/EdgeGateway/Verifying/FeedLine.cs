using System.Text;
using System.Text.Json;

namespace EdgeGateway.Verifying;

/// <summary>A message as it stands on one line of a file.</summary>
/// <param name="Topic">Its topic; null for a message without one.</param>
/// <param name="Payload">Its content.</param>
/// <param name="Retained">True when the broker delivered it from its retained store.</param>
internal readonly record struct FeedLine(string? Topic, ReadOnlyMemory<byte> Payload, bool Retained)
{
    /// <summary>
    /// Reads a line: <c>{"topic","payload","retain","at"}</c> as <c>verify-feed --record</c> and <c>mosquitto_sub -F %j</c> write it (<c>payloadBase64</c> where
    /// the payload is no text), a message of the feed by itself, or <c>topic payload</c> as <c>mosquitto_sub -v</c> writes it.
    /// </summary>
    /// <param name="line">The line without its end.</param>
    /// <param name="problem">Why it is none of these; null when it is.</param>
    public static FeedLine? Read(ReadOnlyMemory<byte> line, out string? problem)
    {
        problem = null;
        var bytes = line.Span;
        if (bytes[0] != (byte)'{')
        {
            var space = bytes.IndexOf((byte)' ');
            if (space > 0)
            {
                return new FeedLine(Encoding.UTF8.GetString(bytes[..space]), line[(space + 1)..], Retained: false);
            }

            problem = "neither JSON nor 'topic payload'";
            return null;
        }

        try
        {
            using var json = JsonDocument.Parse(line);
            var root = json.RootElement;
            if (root.TryGetProperty("payload", out var payload) && payload.ValueKind is JsonValueKind.String or JsonValueKind.Object)
            {
                return new FeedLine(
                    TopicOf(root), payload.ValueKind == JsonValueKind.String ? Encoding.UTF8.GetBytes(payload.GetString()!) : Encoding.UTF8.GetBytes(payload.GetRawText()), IsRetained(root));
            }

            if (root.TryGetProperty("payloadBase64", out var packed) && packed.ValueKind == JsonValueKind.String && packed.TryGetBytesFromBase64(out var content))
            {
                return new FeedLine(TopicOf(root), content, IsRetained(root));
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            problem = $"not JSON: {e.Message}";
            return null;
        }

        return new FeedLine(null, line, Retained: false);
    }

    private static string? TopicOf(JsonElement root) => root.TryGetProperty("topic", out var topic) && topic.ValueKind == JsonValueKind.String ? topic.GetString() : null;

    private static bool IsRetained(JsonElement root) =>
        root.TryGetProperty("retain", out var retain) && (retain.ValueKind == JsonValueKind.True || (retain.ValueKind == JsonValueKind.Number && retain.TryGetInt32(out var one) && one == 1));
}
