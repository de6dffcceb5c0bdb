using System.Buffers;
using EdgeGateway.Protocols.Mqtt.Packets;

namespace EdgeGateway.Protocols.Mqtt;

/// <summary>
/// The client's half of the session state for messages it sends: identifiers, what is in flight, what waits, and flow control.
/// MQTT 5.0, 4.1, 4.3, 4.4, 4.9. It outlives connections. No I/O of its own; safe to call from any thread.
/// </summary>
internal sealed class PublishSession(MqttClientOptions options, MqttCounters counters)
{
    private readonly Lock _gate = new();
    private readonly LinkedList<Publication> _waiting = new();
    private readonly Dictionary<ushort, Publication> _inFlight = [];
    private readonly Queue<Publication> _resend = new();
    private readonly Queue<Publication> _unwritten = new();
    private readonly HashSet<ushort> _reservedIds = [];
    private MqttConnection? _connection;
    private MqttServerLimits _limits = new();
    private int _window;
    private int _used;
    private long _bytesInFlight;
    private long _order;
    private ushort _lastId;

    /// <summary>Messages of QoS 1 and 2 sent and not settled.</summary>
    public int InFlight
    {
        get
        {
            lock (_gate)
            {
                return _inFlight.Count;
            }
        }
    }

    /// <summary>Accepts a message in the order of the calls; it leaves when there is a connection with room.</summary>
    public Task<PublishOutcome> Submit(Publication publication, CancellationToken cancel)
    {
        if (cancel.IsCancellationRequested)
        {
            return Task.FromCanceled<PublishOutcome>(cancel);
        }

        lock (_gate)
        {
            publication.Waiting = _waiting.AddLast(publication);
            if (cancel.CanBeCanceled)
            {
                publication.Cancellation = cancel.UnsafeRegister((state, token) => Withdraw((Publication)state!, token), publication);
            }

            Pump();
        }

        return publication.Completion;
    }

    /// <summary>A connection was accepted: resends what is in flight, or gives it back, then lets the waiting go.</summary>
    public void Connected(MqttConnection connection, bool sessionPresent, MqttServerLimits limits)
    {
        lock (_gate)
        {
            _limits = limits;
            _window = Math.Min(options.MaxInFlight, limits.ReceiveMaximum);
            _used = 0;
            _resend.Clear();
            if (sessionPresent)
            {
                foreach (var publication in _inFlight.Values.OrderBy(each => each.Order))
                {
                    _resend.Enqueue(publication);
                }
            }
            else
            {
                GiveBackInFlight("the server no longer has the session");
            }

            connection.Written = OnWritten;
            _connection = connection;
            Pump();
        }
    }

    /// <summary>The connection is gone.</summary>
    /// <param name="canResume">False when no later connection can resume the session.</param>
    /// <param name="blamesMessage">True when the server ended it, which makes the oldest message in flight suspect.</param>
    public void Lost(bool canResume, bool blamesMessage)
    {
        lock (_gate)
        {
            _connection = null;
            while (_unwritten.TryDequeue(out var publication))
            {
                publication.Complete(new(PublishStatus.Retry, MqttReasonCode.UnspecifiedError, "the connection was lost"));
            }

            if (!canResume)
            {
                GiveBackInFlight("the session ended with the connection");
            }
            else if (blamesMessage && _inFlight.Count > 0)
            {
                var head = _inFlight.Values.MinBy(each => each.Order)!;
                head.DropsAtHead++;
                if (options.SuspectAfterDrops > 0 && head.DropsAtHead >= options.SuspectAfterDrops)
                {
                    Settle(head, new(
                        PublishStatus.Suspect,
                        MqttReasonCode.UnspecifiedError,
                        $"the server ended the connection {head.DropsAtHead} times with this message first in flight"));
                }
            }

            _reservedIds.Clear();
        }
    }

    /// <summary>The client stops: nothing will be sent until it runs again.</summary>
    public void Stopped()
    {
        lock (_gate)
        {
            _connection = null;
            GiveBackInFlight("the client was stopped");
            while (_waiting.First is { } node)
            {
                _waiting.Remove(node);
                node.Value.Waiting = null;
                node.Value.Complete(new(PublishStatus.Retry, MqttReasonCode.UnspecifiedError, "the client was stopped before the message was sent"));
            }
        }
    }

    /// <summary>PUBACK, PUBREC or PUBCOMP came.</summary>
    /// <returns>How it breaks the protocol, or null.</returns>
    public MqttBreach? Acknowledged(in AckPacket ack)
    {
        lock (_gate)
        {
            if (!_inFlight.TryGetValue(ack.PacketId, out var publication))
            {
                // Settled before, or from a session that we gave up: harmless, but PUBREC wants an end. MQTT 5.0, 4.3.3.
                if (ack.Type == PacketType.PubRec && ack.ReasonCode.IsSuccess())
                {
                    _connection?.Send(new AckPacket
                    {
                        Type = PacketType.PubRel,
                        PacketId = ack.PacketId,
                        ReasonCode = MqttReasonCode.PacketIdentifierNotFound,
                    });
                }

                return null;
            }

            var expected = publication.Qos == MqttQos.AtLeastOnce ? PacketType.PubAck
                : publication.Received ? PacketType.PubComp : PacketType.PubRec;
            var repeatedRec = ack.Type == PacketType.PubRec && publication.Received;
            if (ack.Type != expected && !repeatedRec)
            {
                return new(MqttReasonCode.ProtocolError, $"{ack.Type} for a message that waits for {expected}");
            }

            if (ack.Type == PacketType.PubRec && ack.ReasonCode.IsSuccess())
            {
                publication.Received = true;
                Release(publication);
                SendRelease(publication);
                return null;
            }

            counters.CountAck();
            _used = Math.Max(0, _used - 1);
            Settle(publication, PublishOutcome.FromAck(
                ack.Type == PacketType.PubComp ? MqttReasonCode.Success : ack.ReasonCode, ack.Properties?.ReasonString));
            Pump();
            return null;
        }
    }

    /// <summary>An identifier for SUBSCRIBE or UNSUBSCRIBE, taken until freed or until the connection is lost.</summary>
    public ushort ReserveId()
    {
        lock (_gate)
        {
            var id = NextId();
            _reservedIds.Add(id);
            return id;
        }
    }

    /// <summary>Gives an identifier back.</summary>
    public void FreeId(ushort id)
    {
        lock (_gate)
        {
            _reservedIds.Remove(id);
        }
    }

    private void OnWritten(long position)
    {
        lock (_gate)
        {
            while (_unwritten.TryPeek(out var publication) && publication.OutputPosition <= position)
            {
                _unwritten.Dequeue();
                publication.Complete(PublishOutcome.Delivered(MqttReasonCode.Success));
            }

            Pump();
        }
    }

    private void Withdraw(Publication publication, CancellationToken cancel)
    {
        lock (_gate)
        {
            if (publication.Waiting is { } node)
            {
                _waiting.Remove(node);
                publication.Waiting = null;
            }

            // What is in flight stays there: the server may have it, and its identifier is taken until it says so.
            publication.Cancel(cancel);
        }
    }

    private void Pump()
    {
        while (_connection is { } connection && connection.Pending < options.MaxInFlightBytes)
        {
            if (_resend.TryPeek(out var old))
            {
                if (_used >= _window)
                {
                    return;
                }

                _resend.Dequeue();
                SendAgain(connection, old);
            }
            else if (_waiting.First is { } node)
            {
                var publication = node.Value;
                var counted = publication.Qos != MqttQos.AtMostOnce;
                if (counted && (_used >= _window || (_bytesInFlight >= options.MaxInFlightBytes && _inFlight.Count > 0)))
                {
                    return;
                }

                _waiting.Remove(node);
                publication.Waiting = null;
                SendFirst(connection, publication);
            }
            else
            {
                return;
            }
        }
    }

    private void SendFirst(MqttConnection connection, Publication publication)
    {
        if (publication.Qos > _limits.MaximumQos)
        {
            publication.Complete(PublishOutcome.FromAck(MqttReasonCode.QosNotSupported, $"the server takes QoS {(int)_limits.MaximumQos} at most"));
            return;
        }

        if (publication.Retain && !_limits.RetainAvailable)
        {
            publication.Complete(PublishOutcome.FromAck(MqttReasonCode.RetainNotSupported, null));
            return;
        }

        var counted = publication.Qos != MqttQos.AtMostOnce;
        var packet = new PublishPacket
        {
            Topic = publication.Topic,
            Payload = publication.Payload,
            Qos = publication.Qos,
            Retain = publication.Retain,
            PacketId = counted ? NextId() : (ushort)0,
            Properties = connection.Version == MqttProtocolVersion.V500 ? publication.Properties?.ToWire() : null,
        };
        var size = PacketEncoder.Measure(packet, connection.Version);
        if (TooLarge(size) is { } outcome)
        {
            publication.Complete(outcome);
            return;
        }

        counters.CountPublish();
        if (!counted)
        {
            publication.OutputPosition = connection.Send(packet);
            _unwritten.Enqueue(publication);
            return;
        }

        publication.Order = ++_order;
        publication.PacketId = packet.PacketId;
        publication.Encoded = ArrayPool<byte>.Shared.Rent(size);
        publication.EncodedLength = PacketEncoder.Write(packet, connection.Version, publication.Encoded);
        _inFlight.Add(packet.PacketId, publication);
        _bytesInFlight += size;
        _used++;
        connection.Send(publication.Encoded.AsSpan(0, size));
    }

    private void SendAgain(MqttConnection connection, Publication publication)
    {
        if (!_inFlight.ContainsKey(publication.PacketId))
        {
            return;
        }

        if (publication.Received)
        {
            _used++;
            SendRelease(publication);
            return;
        }

        if (TooLarge(publication.EncodedLength) is { } outcome)
        {
            Settle(publication, outcome);
            return;
        }

        if (publication.Retain && !_limits.RetainAvailable)
        {
            Settle(publication, PublishOutcome.FromAck(MqttReasonCode.RetainNotSupported, null));
            return;
        }

        _used++;
        counters.CountResend();
        publication.Encoded![0] |= PublishPacket.DuplicateFlag;
        connection.Send(publication.Encoded.AsSpan(0, publication.EncodedLength));
    }

    private void SendRelease(Publication publication) =>
        _connection?.Send(new AckPacket { Type = PacketType.PubRel, PacketId = publication.PacketId });

    private PublishOutcome? TooLarge(int size)
    {
        var limit = Math.Min((uint)options.MaxOutgoingPacketSize, _limits.MaximumPacketSize);
        return size <= limit ? null : new(
            PublishStatus.TooLarge, MqttReasonCode.PacketTooLarge, $"the packet has {size} bytes, the limit is {limit}");
    }

    private void GiveBackInFlight(string why)
    {
        foreach (var publication in _inFlight.Values.OrderBy(each => each.Order).ToArray())
        {
            Settle(publication, new(PublishStatus.SessionLost, MqttReasonCode.UnspecifiedError, why));
        }

        _resend.Clear();
    }

    private void Settle(Publication publication, PublishOutcome outcome)
    {
        _inFlight.Remove(publication.PacketId);
        Release(publication);
        publication.Complete(outcome);
    }

    private void Release(Publication publication)
    {
        if (publication.Encoded is { } encoded)
        {
            publication.Encoded = null;
            _bytesInFlight -= publication.EncodedLength;
            ArrayPool<byte>.Shared.Return(encoded);
        }
    }

    private ushort NextId()
    {
        // Never endless: at most 10,000 messages and a few subscriptions hold identifiers.
        do
        {
            _lastId = _lastId == ushort.MaxValue ? (ushort)1 : (ushort)(_lastId + 1);
        }
        while (_inFlight.ContainsKey(_lastId) || _reservedIds.Contains(_lastId));

        return _lastId;
    }
}
