using System.Threading.Channels;
using EdgeGateway.Protocols.Mqtt.Packets;

namespace EdgeGateway.Protocols.Mqtt;

/// <summary>
/// Messages of one connection on their way to the application. The handler runs beside the reading loop, so it may itself publish
/// and wait for the acknowledgement. Bounded: at QoS 0 what does not fit is dropped and counted.
/// </summary>
internal sealed class MqttInbox
{
    private readonly MqttConnection _connection;
    private readonly HashSet<ushort> _received;
    private readonly Func<MqttMessage, CancellationToken, ValueTask>? _handler;
    private readonly Action<Exception>? _handlerFailed;
    private readonly MqttCounters _counters;
    private readonly Channel<(MqttMessage Message, ushort PacketId)> _messages;
    private readonly int _receiveMaximum;
    private int _unacknowledged;

    /// <param name="connection">Where the acknowledgements go.</param>
    /// <param name="received">Identifiers of QoS 2 messages taken and not released; part of the session. MQTT 5.0, 4.1.</param>
    /// <param name="receiveMaximum">What we announced.</param>
    /// <param name="handler">The application's handler, or null to acknowledge and forget.</param>
    /// <param name="handlerFailed">Told of exceptions of the handler.</param>
    /// <param name="counters">Counts messages.</param>
    public MqttInbox(
        MqttConnection connection,
        HashSet<ushort> received,
        int receiveMaximum,
        Func<MqttMessage, CancellationToken, ValueTask>? handler,
        Action<Exception>? handlerFailed,
        MqttCounters counters)
    {
        _connection = connection;
        _received = received;
        _receiveMaximum = receiveMaximum;
        _handler = handler;
        _handlerFailed = handlerFailed;
        _counters = counters;
        _messages = Channel.CreateBounded<(MqttMessage, ushort)>(new BoundedChannelOptions(receiveMaximum) { SingleReader = true, SingleWriter = true });
    }

    /// <summary>Takes a message from the reading loop.</summary>
    /// <returns>How it breaks the protocol, or null.</returns>
    public async ValueTask<MqttBreach?> TakeAsync(PublishPacket packet, CancellationToken cancel)
    {
        if (packet.Properties?.TopicAlias is { } alias)
        {
            // We announce Topic Alias Maximum 0. MQTT 5.0, 3.3.2.3.4.
            return new(MqttReasonCode.TopicAliasInvalid, $"topic alias {alias} was not offered");
        }

        if (packet.Qos == MqttQos.ExactlyOnce)
        {
            bool repeated;
            lock (_received)
            {
                repeated = _received.Contains(packet.PacketId);
            }

            if (repeated)
            {
                _connection.Send(new AckPacket { Type = PacketType.PubRec, PacketId = packet.PacketId });
                return null;
            }
        }

        var message = new MqttMessage
        {
            Topic = packet.Topic,
            Payload = packet.Payload.ToArray(),
            Qos = packet.Qos,
            Retain = packet.Retain,
            Duplicate = packet.Duplicate,
            Properties = MqttMessageProperties.FromWire(packet.Properties),
        };
        if (packet.Qos == MqttQos.AtMostOnce)
        {
            if (!_messages.Writer.TryWrite((message, 0)))
            {
                _counters.CountMessageDropped();
            }

            return null;
        }

        if (Interlocked.Increment(ref _unacknowledged) > _receiveMaximum && _connection.Version == MqttProtocolVersion.V500)
        {
            return new(MqttReasonCode.ReceiveMaximumExceeded, $"more than {_receiveMaximum} unacknowledged messages");
        }

        // 3.1.1 has no Receive Maximum: waiting here stops the reading, which is that version's only flow control.
        await _messages.Writer.WriteAsync((message, packet.PacketId), cancel).ConfigureAwait(false);
        return null;
    }

    /// <summary>PUBREL: the sender will not repeat the message. MQTT 5.0, 4.3.3.</summary>
    public void Released(in AckPacket release)
    {
        bool known;
        lock (_received)
        {
            known = _received.Remove(release.PacketId);
        }

        _connection.Send(new AckPacket
        {
            Type = PacketType.PubComp,
            PacketId = release.PacketId,
            ReasonCode = known ? MqttReasonCode.Success : MqttReasonCode.PacketIdentifierNotFound,
        });
    }

    /// <summary>Hands messages to the application, one at a time, and acknowledges each after the handler has returned.</summary>
    public async Task DeliverAsync(CancellationToken cancel)
    {
        await foreach (var (message, id) in _messages.Reader.ReadAllAsync(cancel).ConfigureAwait(false))
        {
            _counters.CountMessageIn();
            if (_handler is not null)
            {
                try
                {
                    await _handler(message, cancel).ConfigureAwait(false);
                }
                catch (Exception failure) when (failure is not OperationCanceledException || !cancel.IsCancellationRequested)
                {
                    // Acknowledged all the same: a message that the application cannot take must not come back for ever.
                    _counters.CountHandlerFailure();
                    _handlerFailed?.Invoke(failure);
                }
            }

            if (message.Qos != MqttQos.AtMostOnce)
            {
                var type = PacketType.PubAck;
                if (message.Qos == MqttQos.ExactlyOnce)
                {
                    // Only now: a message that never reached the handler must be delivered when the server repeats it.
                    type = PacketType.PubRec;
                    lock (_received)
                    {
                        _received.Add(id);
                    }
                }

                Interlocked.Decrement(ref _unacknowledged);
                _connection.Send(new AckPacket { Type = type, PacketId = id });
            }
        }
    }
}
