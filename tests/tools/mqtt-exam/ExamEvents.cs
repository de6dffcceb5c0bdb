using System.Buffers;
using System.Text.Json;

namespace EdgeGateway.Exam;

/// <summary>Events on standard output, one JSON object a line, each written at once. From any thread.</summary>
internal sealed class ExamEvents(Stream output)
{
    private readonly Lock _gate = new();
    private readonly ArrayBufferWriter<byte> _line = new(256);

    public void Connected(bool sessionPresent) => Say("connected", json => json.WriteBoolean("session_present", sessionPresent));

    public void Subscribed(string filter, int qos) => Say("subscribed", json =>
    {
        json.WriteString("filter", filter);
        json.WriteNumber("qos", qos);
    });

    public void SubscriptionRefused(string filter, byte reason) => Say("subscription_refused", json =>
    {
        json.WriteString("filter", filter);
        json.WriteNumber("reason", reason);
    });

    /// <param name="id">JSON of the id, as it stands in messages.ndjson.</param>
    /// <param name="reason">The server's reason code; 0 in 3.1.1 and at QoS 0.</param>
    public void Delivered(string id, byte reason) => Say("delivered", json =>
    {
        Id(json, id);
        json.WriteNumber("reason", reason);
    });

    /// <param name="id">JSON of the id, as it stands in messages.ndjson.</param>
    /// <param name="reason">The server's reason code, or the code that fits best.</param>
    /// <param name="text">In words.</param>
    public void Rejected(string id, byte reason, string text) => Say("rejected", json =>
    {
        Id(json, id);
        json.WriteNumber("reason", reason);
        json.WriteString("text", text);
    });

    /// <param name="reason">In words.</param>
    /// <param name="code">The server's reason code; null when it gave none.</param>
    public void Disconnected(string reason, byte? code) => Say("disconnected", json =>
    {
        json.WriteString("reason", reason);
        if (code is { } number)
        {
            json.WriteNumber("code", number);
        }
    });

    private static void Id(Utf8JsonWriter json, string id)
    {
        json.WritePropertyName("id");
        json.WriteRawValue(id);
    }

    private void Say(string name, Action<Utf8JsonWriter> fields)
    {
        lock (_gate)
        {
            _line.ResetWrittenCount();
            using (var json = new Utf8JsonWriter(_line))
            {
                json.WriteStartObject();
                json.WriteString("event", name);
                fields(json);
                json.WriteEndObject();
            }

            _line.Write("\n"u8);
            output.Write(_line.WrittenSpan);
            output.Flush();
        }
    }
}
