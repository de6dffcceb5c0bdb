using System.Buffers.Binary;
using System.Text;

namespace EdgeGateway.Integration.Faults;

/// <summary>
/// Listens to both directions of one MQTT 5.0 connection and gives on each PUBLISH once its PUBACK has passed: exactly what the gateway may take for delivered,
/// whatever becomes of the broker afterwards.
/// </summary>
internal sealed class AcknowledgedPublishes(FeedJudge judge)
{
    private const int Publish = 3;
    private const int PubAck = 4;
    private readonly Lock _gate = new();
    private readonly Dictionary<int, (string Topic, byte[] Payload)> _sent = [];
    private readonly Frames _up = new();
    private readonly Frames _down = new();

    /// <summary>Bytes on their way to the broker.</summary>
    public void Up(ReadOnlySpan<byte> bytes)
    {
        lock (_gate)
        {
            _up.Add(bytes);
            while (_up.Next(out var first, out var body))
            {
                if (first >> 4 == Publish && (first & 0x06) != 0)
                {
                    Sent(body);
                }
            }
        }
    }

    /// <summary>Bytes on their way to the gateway.</summary>
    public void Down(ReadOnlySpan<byte> bytes)
    {
        lock (_gate)
        {
            _down.Add(bytes);
            while (_down.Next(out var first, out var body))
            {
                // MQTT 5.0, 3.4.2: without a reason code it is 0x00; below 0x80 is success.
                if (first >> 4 == PubAck && _sent.Remove(BinaryPrimitives.ReadUInt16BigEndian(body), out var message) && (body.Length < 3 || body[2] < 0x80))
                {
                    judge.Take(message.Topic.Length > 0 ? message.Topic : null, message.Payload);
                }
            }
        }
    }

    // MQTT 5.0, 3.3.2: topic, packet identifier, properties, payload. An empty topic is an alias.
    private void Sent(byte[] body)
    {
        var topicLength = BinaryPrimitives.ReadUInt16BigEndian(body);
        var topic = Encoding.UTF8.GetString(body, 2, topicLength);
        var at = 2 + topicLength;
        var id = BinaryPrimitives.ReadUInt16BigEndian(body.AsSpan(at));
        at += 2;
        var properties = Frames.VariableInteger(body.AsSpan(at), out var size) ?? 0;
        _sent[id] = (topic, body[(at + size + properties)..]);
    }

    /// <summary>Cuts a stream of bytes into packets. MQTT 5.0, 2.1.</summary>
    private sealed class Frames
    {
        private byte[] _bytes = [];

        public void Add(ReadOnlySpan<byte> bytes) => _bytes = [.. _bytes, .. bytes];

        public bool Next(out byte first, out byte[] body)
        {
            (first, body) = (0, []);
            if (_bytes.Length < 2 || VariableInteger(_bytes.AsSpan(1), out var size) is not { } length || _bytes.Length < 1 + size + length)
            {
                return false;
            }

            first = _bytes[0];
            body = _bytes[(1 + size)..(1 + size + length)];
            _bytes = _bytes[(1 + size + length)..];
            return true;
        }

        /// <summary>MQTT 5.0, 1.5.5; null when more bytes are needed.</summary>
        public static int? VariableInteger(ReadOnlySpan<byte> bytes, out int size)
        {
            var value = 0;
            for (size = 0; size < Math.Min(4, bytes.Length);)
            {
                var next = bytes[size];
                value |= (next & 0x7F) << (7 * size);
                size++;
                if (next < 0x80)
                {
                    return value;
                }
            }

            return null;
        }
    }
}
