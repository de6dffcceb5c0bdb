using System.Buffers;
using System.Text;
using System.Text.Json;
using EdgeGateway.Protocols.Mqtt;
using EdgeGateway.Storage;

namespace EdgeGateway.Exam;

/// <summary>The client's session in the outbox's own database: it is saved together with the acknowledgements and the length of the received file.</summary>
internal sealed class ExamSessionStore(ExamOutbox outbox, ReceivedFile received) : IMqttSessionStore
{
    private const string SessionNote = "exam/session";
    private readonly ArrayBufferWriter<byte> _text = new(1024);
    private HashSet<ushort> _saved = [];

    public MqttSessionState? Load()
    {
        var state = outbox.Note(SessionNote) is { } text ? Read(text) : null;
        _saved = [.. state?.Received ?? []];
        return state;
    }

    public async ValueTask SaveAsync(MqttSessionState state, CancellationToken cancel)
    {
        // Messages are handed over one at a time, and no identifier comes back before a save has seen it gone: so the new identifiers are those of as many
        // lines of QoS 2 behind the length that was saved last. A line whose identifier is not in this state yet stays uncovered.
        var lines = state.Received.Count(id => !_saved.Contains(id));
        var length = received.LengthWith(lines);
        var text = Write(state);
        await Task.Run(
            () =>
            {
                received.FlushToDisk();
                outbox.Save(new StoreNote(SessionNote, text), received.Note(length));
            },
            CancellationToken.None).ConfigureAwait(false);
        received.Saved(lines);
        _saved = [.. state.Received];
    }

    private static MqttSessionState Read(string text)
    {
        using var document = JsonDocument.Parse(text);
        var root = document.RootElement;
        return new MqttSessionState
        {
            ClientId = root.GetProperty("clientId").GetString()!,
            Server = new Uri(root.GetProperty("server").GetString()!),
            Outgoing = [.. root.GetProperty("outgoing").EnumerateArray().Select(o => new MqttOutgoingState(
                o[0].GetUInt16(), o[1].ValueKind == JsonValueKind.Null ? null : o[1].GetInt64(), (MqttQos)o[2].GetInt32(), o[3].GetBoolean()))],
            Received = [.. root.GetProperty("received").EnumerateArray().Select(r => r.GetUInt16())],
            Subscriptions = [.. root.GetProperty("subscriptions").EnumerateArray().Select(s => new MqttSubscription
            {
                Filter = s[0].GetString()!,
                Qos = (MqttQos)s[1].GetInt32(),
            })],
        };
    }

    private string Write(MqttSessionState state)
    {
        _text.ResetWrittenCount();
        using (var json = new Utf8JsonWriter(_text))
        {
            json.WriteStartObject();
            json.WriteString("clientId", state.ClientId);
            json.WriteString("server", state.Server.OriginalString);
            json.WriteStartArray("outgoing");
            foreach (var (packetId, key, qos, released) in state.Outgoing)
            {
                json.WriteStartArray();
                json.WriteNumberValue(packetId);
                if (key is { } number)
                {
                    json.WriteNumberValue(number);
                }
                else
                {
                    json.WriteNullValue();
                }

                json.WriteNumberValue((int)qos);
                json.WriteBooleanValue(released);
                json.WriteEndArray();
            }

            json.WriteEndArray();
            json.WriteStartArray("received");
            foreach (var id in state.Received)
            {
                json.WriteNumberValue(id);
            }

            json.WriteEndArray();

            // This program subscribes with filter and quality of service alone.
            json.WriteStartArray("subscriptions");
            foreach (var subscription in state.Subscriptions)
            {
                json.WriteStartArray();
                json.WriteStringValue(subscription.Filter);
                json.WriteNumberValue((int)subscription.Qos);
                json.WriteEndArray();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(_text.WrittenSpan);
    }
}
