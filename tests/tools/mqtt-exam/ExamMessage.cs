using System.Text;
using System.Text.Json;

namespace EdgeGateway.Exam;

/// <summary>A message of messages.ndjson, and its form in the body of an outbox row: a line of JSON, then the payload as it is.</summary>
/// <param name="Id">JSON of the id, told in events as it was written.</param>
/// <param name="Topic">Where it goes.</param>
/// <param name="Qos">0, 1 or 2.</param>
/// <param name="Retain">Whether the server shall keep it.</param>
/// <param name="Payload">The content.</param>
internal sealed record ExamMessage(string Id, string Topic, int Qos, bool Retain, ReadOnlyMemory<byte> Payload)
{
    /// <summary>Reads a line.</summary>
    /// <exception cref="ExamException">It is not a message.</exception>
    public static ExamMessage Parse(ReadOnlyMemory<byte> line, long number)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            var root = document.RootElement;
            var qos = root.TryGetProperty("qos", out var q) ? q.GetInt32() : 0;
            if (qos is < 0 or > 2)
            {
                throw new ExamException(ExamExit.Usage, $"messages.ndjson:{number}: there is no QoS {qos}");
            }

            return new ExamMessage(
                root.TryGetProperty("id", out var id) ? id.GetRawText() : $"{number}",
                root.GetProperty("topic").GetString() ?? "",
                qos,
                root.TryGetProperty("retain", out var retain) && retain.ValueKind is JsonValueKind.True or JsonValueKind.Number && retain.GetRawText() != "0",
                PayloadOf(root));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw new ExamException(ExamExit.Usage, $"messages.ndjson:{number}: not a message ({e.Message}): write {{\"id\",\"topic\",\"qos\",\"retain\",\"payload\"}} or \"payload_size\"");
        }
    }

    /// <summary>The body of its row.</summary>
    public byte[] ToBody()
    {
        using var body = new MemoryStream(Payload.Length + 128);
        using (var json = new Utf8JsonWriter(body))
        {
            json.WriteStartObject();
            json.WritePropertyName("id");
            json.WriteRawValue(Id);
            json.WriteString("topic", Topic);
            json.WriteNumber("qos", Qos);
            json.WriteBoolean("retain", Retain);
            json.WriteEndObject();
        }

        body.WriteByte((byte)'\n');
        body.Write(Payload.Span);
        return body.ToArray();
    }

    /// <summary>Reads the body of a row; the payload stays in it.</summary>
    public static ExamMessage FromBody(ReadOnlyMemory<byte> body)
    {
        var end = body.Span.IndexOf((byte)'\n');
        using var document = JsonDocument.Parse(body[..end]);
        var root = document.RootElement;
        return new ExamMessage(
            root.GetProperty("id").GetRawText(),
            root.GetProperty("topic").GetString()!,
            root.GetProperty("qos").GetInt32(),
            root.GetProperty("retain").GetBoolean(),
            body[(end + 1)..]);
    }

    private static byte[] PayloadOf(JsonElement root)
    {
        if (root.TryGetProperty("payload_size", out var size))
        {
            var payload = new byte[size.GetInt32()];
            payload.AsSpan().Fill((byte)'x');
            return payload;
        }

        return !root.TryGetProperty("payload", out var text) ? [] : Encoding.UTF8.GetBytes(text.ValueKind == JsonValueKind.String ? text.GetString()! : text.GetRawText());
    }
}
