using System.Threading.Channels;
using EdgeGateway.Protocols.Mqtt.Packets;

namespace EdgeGateway.Protocols.Mqtt;

/// <summary>
/// Messages of one connection on their way to the application. The handler runs beside the reading loop, which never waits for it: so it may itself publish
/// and wait for the acknowledgement, however much the server sends meanwhile.
/// </summary>
/// <remarks>
/// Bounded. At QoS 0 what does not fit is dropped and counted. At QoS 1 and 2 the server keeps to Receive Maximum; one that does not (3.1.1 knows none) may
/// send <see cref="MqttClientOptions.MaxInboxBytes"/>. What comes beyond, and all that follows it, is left unacknowledged, and once the handler has worked off
/// what it has the connection is ended: on the next one the server sends the rest again, in its order.
/// </remarks>
internal sealed class MqttInbox
{
    private readonly MqttConnection _connection;
    private readonly ReceivedIds _received;
    private readonly SessionSaver? _saver;
    private readonly bool _isResumed;
    private readonly Func<MqttMessage, CancellationToken, ValueTask>? _handler;
    private readonly Action<Exception>? _handlerFailed;
    private readonly MqttCounters _counters;
    private readonly Channel<(MqttMessage Message, ushort PacketId)> _messages;
    private readonly int _receiveMaximum;
    private readonly int _maxBytes;
    private readonly string?[] _aliases;
    private readonly Lock _gate = new();
    private readonly HashSet<ushort> _taken = [];
    private readonly Queue<(long Change, AckPacket Answer)> _held = new();
    private int _unacknowledged;
    private int _waiting;
    private long _waitingBytes;

    /// <param name="connection">Where the acknowledgements go.</param>
    /// <param name="received">Identifiers of QoS 2 messages taken and not released; part of the session. MQTT 5.0, 4.1.</param>
    /// <param name="saver">Makes them durable before they are acknowledged; null when the session is in memory.</param>
    /// <param name="isResumed">Whether the server goes on with the session of an earlier connection.</param>
    /// <param name="options">What we announced.</param>
    /// <param name="handler">The application's handler, or null to acknowledge and forget.</param>
    /// <param name="handlerFailed">Told of exceptions of the handler.</param>
    /// <param name="counters">Counts messages.</param>
    public MqttInbox(
        MqttConnection connection,
        ReceivedIds received,
        SessionSaver? saver,
        bool isResumed,
        MqttClientOptions options,
        Func<MqttMessage, CancellationToken, ValueTask>? handler,
        Action<Exception>? handlerFailed,
        MqttCounters counters)
    {
        _connection = connection;
        _received = received;
        _saver = saver;
        _isResumed = isResumed;
        _receiveMaximum = options.ReceiveMaximum;
        _maxBytes = options.MaxInboxBytes;
        _aliases = new string?[options.Version == MqttProtocolVersion.V500 ? options.TopicAliasMaximum : 0];
        _handler = handler;
        _handlerFailed = handlerFailed;
        _counters = counters;
        _messages = Channel.CreateUnbounded<(MqttMessage, ushort)>(new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });
    }

    /// <summary>True when all messages of QoS 1 and 2 are acknowledged.</summary>
    public bool IsIdle
    {
        get
        {
            lock (_gate)
            {
                return Volatile.Read(ref _unacknowledged) == 0 && _held.Count == 0;
            }
        }
    }

    /// <summary>Takes a message from the reading loop.</summary>
    /// <returns>How it breaks the protocol, or null.</returns>
    public MqttBreach? Take(in PublishPacket packet)
    {
        var topic = packet.Topic;
        if (packet.Properties?.TopicAlias is { } alias && Translate(alias, ref topic) is { } breach)
        {
            return breach;
        }

        if (packet.Qos == MqttQos.ExactlyOnce && IsRepeated(packet.PacketId))
        {
            return null;
        }

        var message = new MqttMessage
        {
            Topic = topic,
            Payload = packet.Payload.ToArray(),
            Qos = packet.Qos,
            Retain = packet.Retain,
            Duplicate = packet.Duplicate,
            Properties = MqttMessageProperties.FromWire(packet.Properties),
            SubscriptionIdentifiers = packet.Properties?.SubscriptionIdentifiers ?? [],
        };
        if (packet.Qos == MqttQos.AtMostOnce)
        {
            if (Volatile.Read(ref _waiting) >= _receiveMaximum || !TryAdd(message, 0))
            {
                _counters.CountMessageDropped();
            }

            return null;
        }

        // Not on a resumed session: mosquitto before 2.0.13 lets more into flight than it may when its queue is long, and sends all of that again on
        // each connection. To hang up would be answered by the same for ever.
        if (Interlocked.Increment(ref _unacknowledged) > _receiveMaximum && !_isResumed && _connection.Version == MqttProtocolVersion.V500)
        {
            return new(MqttReasonCode.ReceiveMaximumExceeded, $"more than {_receiveMaximum} unacknowledged messages");
        }

        if (Volatile.Read(ref _unacknowledged) > _receiveMaximum && Interlocked.Read(ref _waitingBytes) + Cost(message) > _maxBytes)
        {
            _messages.Writer.TryComplete();
        }

        if (!TryAdd(message, packet.PacketId))
        {
            Interlocked.Decrement(ref _unacknowledged);
        }

        return null;
    }

    /// <summary>PUBREL: the sender will not repeat the message. MQTT 5.0, 4.3.3.</summary>
    public void Released(in AckPacket release)
    {
        if (!_received.Remove(release.PacketId))
        {
            // Not before the removal is durable that an earlier release of the same identifier may have begun.
            Answer(
                new() { Type = PacketType.PubComp, PacketId = release.PacketId, ReasonCode = MqttReasonCode.PacketIdentifierNotFound },
                _saver?.Changed(awaited: true) ?? 0);
            return;
        }

        // Durable first: after PUBCOMP the server may use the identifier for a new message, which must not be taken for this one.
        Answer(new() { Type = PacketType.PubComp, PacketId = release.PacketId }, _saver?.Changed(awaited: true) ?? 0);
    }

    /// <summary>A save is done: the answers that waited for it leave.</summary>
    public void Saved()
    {
        lock (_gate)
        {
            while (_held.TryPeek(out var held) && _saver!.IsDurable(held.Change))
            {
                _held.Dequeue();
                _connection.Send(held.Answer);
            }
        }
    }

    /// <summary>
    /// Hands messages to the application, one at a time, and acknowledges each after the handler has returned. Ends when more came than fits and all that
    /// did fit is handed over.
    /// </summary>
    public async Task DeliverAsync(CancellationToken cancel)
    {
        await foreach (var (message, id) in _messages.Reader.ReadAllAsync(cancel).ConfigureAwait(false))
        {
            Interlocked.Decrement(ref _waiting);
            Interlocked.Add(ref _waitingBytes, -Cost(message));
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
                // Counted before it is sent: the next message can be here before this line goes on.
                lock (_gate)
                {
                    Interlocked.Decrement(ref _unacknowledged);
                    Acknowledge(message.Qos, id);
                }
            }
        }
    }

    /// <summary>What a message holds in memory, in bytes: its content, its topic and the objects around them.</summary>
    private static long Cost(MqttMessage message) => message.Payload.Length + (2L * message.Topic.Length) + 256;

    /// <summary>False once more came than fits.</summary>
    private bool TryAdd(MqttMessage message, ushort id)
    {
        // Counted before it is handed over, which takes it off again.
        Interlocked.Increment(ref _waiting);
        Interlocked.Add(ref _waitingBytes, Cost(message));
        if (_messages.Writer.TryWrite((message, id)))
        {
            return true;
        }

        Interlocked.Decrement(ref _waiting);
        Interlocked.Add(ref _waitingBytes, -Cost(message));
        return false;
    }

    private void Acknowledge(MqttQos qos, ushort id)
    {
        if (qos == MqttQos.AtLeastOnce)
        {
            _connection.Send(new AckPacket { Type = PacketType.PubAck, PacketId = id });
            return;
        }

        // Only now: a message that never reached the handler must be delivered when the server repeats it.
        _received.Add(id);
        lock (_gate)
        {
            _taken.Remove(id);
        }

        Answer(new() { Type = PacketType.PubRec, PacketId = id }, _saver?.Changed(awaited: true) ?? 0);
    }

    /// <summary>True for a message of QoS 2 that we have or that is on its way to the handler.</summary>
    private bool IsRepeated(ushort id)
    {
        lock (_gate)
        {
            if (_received.Contains(id))
            {
                if (!_held.Any(each => each.Answer.PacketId == id))
                {
                    Answer(new() { Type = PacketType.PubRec, PacketId = id }, _saver?.Changes ?? 0);
                }

                return true;
            }

            return !_taken.Add(id);
        }
    }

    private void Answer(in AckPacket answer, long change)
    {
        lock (_gate)
        {
            if (_saver is not null && (_held.Count > 0 || !_saver.IsDurable(change)))
            {
                _held.Enqueue((change, answer));
            }
            else
            {
                _connection.Send(answer);
            }
        }
    }

    /// <summary>MQTT 5.0, 3.3.2.3.4.</summary>
    private MqttBreach? Translate(ushort alias, ref string topic)
    {
        if (alias > _aliases.Length)
        {
            return new(MqttReasonCode.TopicAliasInvalid, $"topic alias {alias} was not offered");
        }

        if (topic.Length > 0)
        {
            _aliases[alias - 1] = topic;
            return null;
        }

        topic = _aliases[alias - 1] ?? "";
        return topic.Length > 0 ? null : new(MqttReasonCode.ProtocolError, $"topic alias {alias} was used before it was given a topic");
    }
}

/// <summary>Identifiers of messages of QoS 2 that were handed over and not yet released by the server; part of the session. MQTT 5.0, 4.1.</summary>
internal sealed class ReceivedIds
{
    private readonly Lock _gate = new();
    private readonly HashSet<ushort> _ids = [];

    public void Add(ushort id)
    {
        lock (_gate)
        {
            _ids.Add(id);
        }
    }

    public bool Remove(ushort id)
    {
        lock (_gate)
        {
            return _ids.Remove(id);
        }
    }

    public bool Contains(ushort id)
    {
        lock (_gate)
        {
            return _ids.Contains(id);
        }
    }

    public void Clear()
    {
        lock (_gate)
        {
            _ids.Clear();
        }
    }

    public ushort[] ToArray()
    {
        lock (_gate)
        {
            return [.. _ids];
        }
    }
}
