using System.Buffers;
using EdgeGateway.Protocols.Mqtt.Packets;

namespace EdgeGateway.Protocols.Mqtt;

/// <summary>
/// The client's half of the session state for messages it sends: identifiers, what is in flight, what waits, and flow control.
/// MQTT 5.0, 4.1, 4.3, 4.4, 4.9. It outlives connections and, with a saver, the process. No I/O of its own; safe to call from any thread.
/// </summary>
internal sealed class PublishSession(MqttClientOptions options, MqttCounters counters, SessionSaver? saver)
{
    /// <summary>Messages of QoS 0 behind packets that wait for a save; the others are bounded by the window.</summary>
    private const int MaxHeld = 10_000;

    /// <summary>Shorter topics gain nothing by an alias, which takes three bytes itself.</summary>
    private const int MinAliasedTopic = 4;

    /// <summary>What the first use of an alias adds to a packet at most: the property and a longer length before it.</summary>
    private const int AliasRoom = 5;

    /// <summary>Bytes of buffers kept for the next messages.</summary>
    private const int MaxSpareBytes = 1024 * 1024;

    private readonly Lock _gate = new();
    private readonly WaitingList _waiting = new();
    private readonly Dictionary<ushort, Publication> _inFlight = [];
    private readonly Queue<Publication> _resend = new();
    private readonly Queue<Publication> _held = new();
    private readonly Queue<Publication> _unwritten = new();
    private readonly HashSet<ushort> _reservedIds = [];
    private readonly List<MqttSettled> _settled = [];

    // The shared pool keeps 32 buffers of a size for each processor, which is less than a window on a small computer.
    private readonly Stack<byte[]> _spare = new();
    private long _spareBytes;
    private MqttConnection? _connection;
    private OutgoingTopicAliases? _aliases;
    private MqttServerLimits _limits = new();
    private bool _isOpen;
    private int _window;
    private int _used;
    private long _bytesInFlight;
    private long _order;
    private ushort _lastId;
    private long? _droppedKey;
    private int _droppedInARow;

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

    /// <summary>Takes up what an earlier process left.</summary>
    /// <exception cref="ArgumentException">The state cannot be that of a session.</exception>
    public IReadOnlyList<MqttResumed> Restore(IReadOnlyList<MqttOutgoingState> outgoing)
    {
        lock (_gate)
        {
            foreach (var (id, key, qos, released) in outgoing)
            {
                if (id == 0 || qos is not (MqttQos.AtLeastOnce or MqttQos.ExactlyOnce) || _inFlight.ContainsKey(id))
                {
                    throw new ArgumentException(
                        $"the saved session names packet identifier {id} with QoS {(int)qos}, or names it twice: remove the saved session; what the outbox holds is then published anew",
                        nameof(outgoing));
                }

                // Sent or not is not known: what may have left is a duplicate when it leaves again.
                _inFlight.Add(id, new()
                {
                    Key = key,
                    Qos = qos,
                    PacketId = id,
                    Order = ++_order,
                    Received = released && qos == MqttQos.ExactlyOnce,
                    Transmitted = true,
                    InStore = true,
                });
                _lastId = id;
            }

            return Resumed();
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
            if (_waiting.Count > 0
                && (_waiting.Count >= options.MaxWaiting || _waiting.Bytes + publication.Payload.Length > options.MaxWaitingBytes))
            {
                publication.Complete(new(
                    PublishStatus.Retry,
                    MqttReasonCode.QuotaExceeded,
                    $"{_waiting.Count} messages with {_waiting.Bytes} bytes wait already: wait for outcomes before publishing more"));
                return publication.Task;
            }

            _waiting.Add(publication);
            if (cancel.CanBeCanceled)
            {
                publication.Cancellation = cancel.UnsafeRegister((state, token) => Withdraw((Publication)state!, token), publication);
            }

            Pump();
        }

        return publication.Task;
    }

    /// <summary>Asks the caller for the messages that an earlier process left in flight; without the lock, because it may read from a disk.</summary>
    public void Recall()
    {
        Publication[] missing;
        lock (_gate)
        {
            missing = [.. _inFlight.Values.Where(each => each is { Encoded: null, Received: false, Gone: false }).OrderBy(each => each.Order)];
        }

        foreach (var publication in missing)
        {
            var message = publication.Key is { } key ? options.Recall?.Invoke(key) : null;
            lock (_gate)
            {
                if (message is { } found)
                {
                    publication.Fill(found);
                    Encode(publication, options.Version);
                }
                else
                {
                    publication.Gone = true;
                }
            }
        }
    }

    /// <summary>
    /// A connection was accepted: resends what is in flight, or gives it back. New messages wait for <see cref="Open"/>.
    /// </summary>
    public void Connected(MqttConnection connection, bool sessionPresent, MqttServerLimits limits)
    {
        lock (_gate)
        {
            _limits = limits;
            _window = Math.Min(options.MaxInFlight, limits.ReceiveMaximum);
            _used = 0;
            _isOpen = false;
            _resend.Clear();
            if (sessionPresent)
            {
                foreach (var publication in InOrder())
                {
                    _resend.Enqueue(publication);
                }
            }
            else
            {
                GiveBackInFlight("the server no longer has the session");
            }

            var aliases = Math.Min(options.MaxOutgoingTopicAliases, limits.TopicAliasMaximum);
            _aliases = aliases > 0 ? new(aliases) : null;
            connection.Written = OnWritten;
            _connection = connection;
            Pump();
        }
    }

    /// <summary>Lets new messages go.</summary>
    public void Open()
    {
        lock (_gate)
        {
            _isOpen = true;
            Pump();
        }
    }

    /// <summary>Keeps new messages back, while what is in flight is settled.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _isOpen = false;
        }
    }

    /// <summary>The connection is gone.</summary>
    /// <param name="canResume">False when no later connection can resume the session.</param>
    /// <param name="blamesMessage">True when the server ended it, which makes the oldest message in flight suspect.</param>
    /// <returns>
    /// False when the session is over: it cannot be resumed, or a message is suspect. Then all is given back, so that what was in flight behind that message does not
    /// overtake it by being sent again first.
    /// </returns>
    public bool Lost(bool canResume, bool blamesMessage)
    {
        lock (_gate)
        {
            _connection = null;
            _aliases = null;
            while (_held.TryDequeue(out var publication))
            {
                publication.IsHeld = false;
                if (publication.Qos == MqttQos.AtMostOnce)
                {
                    _unwritten.Enqueue(publication);
                }
            }

            while (_unwritten.TryDequeue(out var publication))
            {
                publication.Complete(new(PublishStatus.Retry, MqttReasonCode.UnspecifiedError, "the connection was lost"));
            }

            _reservedIds.Clear();
            if (blamesMessage && _inFlight.Count > 0 && Blame(_inFlight.Values.MinBy(each => each.Order)!))
            {
                GiveBackInFlight("a message before it is suspected to end connections");
                return false;
            }

            if (!canResume)
            {
                GiveBackInFlight("the session ended with the connection");
            }

            return canResume;
        }
    }

    /// <summary>The client stops: nothing will be sent until it runs again.</summary>
    /// <param name="isKept">True when the session store has the session, so that the next run takes it up.</param>
    /// <returns>What the next run takes up.</returns>
    public IReadOnlyList<MqttResumed> Stopped(bool isKept)
    {
        lock (_gate)
        {
            _connection = null;
            _aliases = null;
            _resend.Clear();
            if (isKept)
            {
                foreach (var publication in InOrder())
                {
                    _inFlight[publication.PacketId] = publication.Again();
                    publication.Complete(new(
                        PublishStatus.Kept, MqttReasonCode.UnspecifiedError, "in flight when the client stopped: the next run takes it up"));
                }
            }
            else
            {
                GiveBackInFlight("the client was stopped");
            }

            while (_waiting.First is { } publication)
            {
                _waiting.Remove(publication);
                publication.Complete(new(PublishStatus.Retry, MqttReasonCode.UnspecifiedError, "the client was stopped before the message was sent"));
            }

            return Resumed();
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
                : publication.Received || publication.Gone ? PacketType.PubComp : PacketType.PubRec;
            var repeatedRec = ack.Type == PacketType.PubRec && expected == PacketType.PubComp;
            if (ack.Type != expected && !repeatedRec)
            {
                return new(MqttReasonCode.ProtocolError, $"{ack.Type} for a message that waits for {expected}");
            }

            if (ack.Type == PacketType.PubRec && ack.ReasonCode.IsSuccess())
            {
                if (!publication.Received)
                {
                    publication.Received = true;
                    Release(publication);
                    publication.Change = saver?.Changed(awaited: true) ?? 0;
                }

                if (_connection is { } connection)
                {
                    Emit(connection, publication);
                }

                return null;
            }

            counters.CountAck();
            _used = Math.Max(0, _used - 1);
            var outcome = PublishOutcome.FromAck(
                ack.Type == PacketType.PubComp ? MqttReasonCode.Success : ack.ReasonCode, ack.Properties?.ReasonString);
            if (publication is { InStore: true, Key: { } key })
            {
                _settled.Add(new(key, outcome));
            }

            Settle(publication, outcome);
            Pump();
            return null;
        }
    }

    /// <summary>A save is done: what waited for it leaves.</summary>
    public void Saved()
    {
        lock (_gate)
        {
            while (_held.TryPeek(out var publication) && IsDurable(publication))
            {
                _held.Dequeue();
                publication.IsHeld = false;
                if (_connection is { } connection)
                {
                    Transmit(connection, publication);
                }
            }

            Pump();
        }
    }

    /// <summary>What is in flight, for the store, and what was settled since the last time.</summary>
    public MqttOutgoingState[] Capture(List<MqttSettled> settled)
    {
        lock (_gate)
        {
            settled.AddRange(_settled);
            _settled.Clear();
            var captured = new MqttOutgoingState[_inFlight.Count];
            var i = 0;
            foreach (var publication in InOrder())
            {
                publication.InStore = true;
                captured[i++] = new(publication.PacketId, publication.Key, publication.Qos, publication.Received);
            }

            return captured;
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

    private IOrderedEnumerable<Publication> InOrder() => _inFlight.Values.ToArray().OrderBy(each => each.Order);

    private MqttResumed[] Resumed() => [.. InOrder().Select(each => new MqttResumed(each.Key, each.Qos, each.Received, each.Task))];

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
            if (publication.IsWaiting)
            {
                _waiting.Remove(publication);
            }

            // What is in flight stays there: the server may have it, and its identifier is taken until it says so.
            publication.TrySetCanceled(cancel);
        }
    }

    /// <summary>
    /// Counts how often in a row the server hung up at a message; by its key also over new sessions, where it is another publish, and beyond the limit, until it
    /// arrives or another one is hung up at. True when it is suspect.
    /// </summary>
    private bool Blame(Publication head)
    {
        if (head.Received)
        {
            // The server has the message, and its identifier is taken until PUBCOMP. MQTT 5.0, 4.3.3.
            return false;
        }

        if (head.Key is { } key)
        {
            _droppedInARow = key == _droppedKey ? _droppedInARow + 1 : 1;
            _droppedKey = key;
            head.DropsAtHead = _droppedInARow;
        }
        else
        {
            head.DropsAtHead++;
        }

        if (options.SuspectAfterDrops == 0 || head.DropsAtHead < options.SuspectAfterDrops)
        {
            return false;
        }

        Settle(head, new(
            PublishStatus.Suspect,
            MqttReasonCode.UnspecifiedError,
            $"the server ended the connection {head.DropsAtHead} times with this message first in flight"));
        return true;
    }

    private void Pump()
    {
        while (_connection is { } connection && connection.Pending < options.MaxInFlightBytes && _held.Count < MaxHeld)
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
            else if (_isOpen && _waiting.First is { } publication)
            {
                var counted = publication.Qos != MqttQos.AtMostOnce;
                if (counted && (_used >= _window || (_bytesInFlight >= options.MaxInFlightBytes && _inFlight.Count > 0)))
                {
                    return;
                }

                _waiting.Remove(publication);
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

        if (publication.Qos == MqttQos.AtMostOnce)
        {
            publication.EncodedLength = PacketEncoder.Measure(PacketOf(publication), connection.Version);
            if (TooLarge(publication.EncodedLength) is { } outcome)
            {
                publication.Complete(outcome);
            }
            else
            {
                Emit(connection, publication);
            }

            return;
        }

        publication.PacketId = NextId();
        if (TooLarge(PacketEncoder.Measure(PacketOf(publication), connection.Version)) is { } tooLarge)
        {
            publication.Complete(tooLarge);
            return;
        }

        Encode(publication, connection.Version);
        publication.Order = ++_order;
        _inFlight.Add(publication.PacketId, publication);
        _used++;
        if (saver is not null)
        {
            var durableFirst = publication.Qos >= options.SaveBeforeSending;
            var change = saver.Changed(awaited: durableFirst);
            publication.Change = durableFirst ? change : 0;
        }

        Emit(connection, publication);
    }

    private void SendAgain(MqttConnection connection, Publication publication)
    {
        if (!IsInFlight(publication))
        {
            return;
        }

        if (!publication.Received && !publication.Gone)
        {
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

            if (publication.Qos > _limits.MaximumQos)
            {
                Settle(publication, PublishOutcome.FromAck(MqttReasonCode.QosNotSupported, $"the server takes QoS {(int)_limits.MaximumQos} at most"));
                return;
            }
        }
        else if (publication.Gone && publication.Qos == MqttQos.AtLeastOnce)
        {
            // The server keeps nothing about it, so its identifier is free when we forget it.
            Settle(publication, new(PublishStatus.SessionLost, MqttReasonCode.UnspecifiedError, "the message was no longer there to be sent again"));
            return;
        }

        _used++;
        Emit(connection, publication);
    }

    /// <summary>Sends the next packet of a publish, behind those that wait for a save and not before its own change is durable.</summary>
    private void Emit(MqttConnection connection, Publication publication)
    {
        if (publication.IsHeld)
        {
            return;
        }

        if (_held.Count > 0 || !IsDurable(publication))
        {
            publication.IsHeld = true;
            _held.Enqueue(publication);
            return;
        }

        Transmit(connection, publication);
    }

    private bool IsDurable(Publication publication) => publication.Change == 0 || saver is null || saver.IsDurable(publication.Change);

    private bool IsInFlight(Publication publication) => _inFlight.TryGetValue(publication.PacketId, out var current) && current == publication;

    private void Transmit(MqttConnection connection, Publication publication)
    {
        if (publication.Qos == MqttQos.AtMostOnce)
        {
            if (!publication.Task.IsCompleted)
            {
                counters.CountPublish();
                publication.OutputPosition = SendNew(connection, publication);
                _unwritten.Enqueue(publication);
            }
        }
        else if (!IsInFlight(publication))
        {
            // Settled while it waited for the save.
        }
        else if (publication.Received || publication.Gone)
        {
            // A message of QoS 2 that the caller no longer has is ended, so that the server forgets its identifier.
            connection.Send(new AckPacket { Type = PacketType.PubRel, PacketId = publication.PacketId });
        }
        else if (publication.Transmitted)
        {
            // With the whole topic: an alias belongs to one connection. MQTT 5.0, 3.3.2.3.4.
            counters.CountResend();
            publication.Encoded![0] |= PublishPacket.DuplicateFlag;
            connection.Send(publication.Encoded.AsSpan(0, publication.EncodedLength));
        }
        else
        {
            counters.CountPublish();
            publication.Transmitted = true;
            SendNew(connection, publication);
        }
    }

    private long SendNew(MqttConnection connection, Publication publication)
    {
        if (_aliases is not null && publication.Topic.Length >= MinAliasedTopic && TooLarge(publication.EncodedLength + AliasRoom) is null)
        {
            var alias = _aliases.For(publication.Topic, out var known);
            if (alias != 0)
            {
                // The payload from our copy where there is one: after a cancellation the caller's may have changed.
                var length = publication.Payload.Length;
                var payload = publication.Encoded is { } copy ? copy.AsMemory(publication.EncodedLength - length, length) : publication.Payload;
                return connection.Send(PacketOf(publication) with { Topic = known ? "" : publication.Topic, TopicAlias = alias, Payload = payload });
            }
        }

        return publication.Encoded is { } encoded
            ? connection.Send(encoded.AsSpan(0, publication.EncodedLength))
            : connection.Send(PacketOf(publication));
    }

    private static PublishPacket PacketOf(Publication publication) => new()
    {
        Topic = publication.Topic,
        Payload = publication.Payload,
        Qos = publication.Qos,
        Retain = publication.Retain,
        PacketId = publication.PacketId,
        Message = publication.Properties,
    };

    /// <summary>Keeps the packet for a resend.</summary>
    private void Encode(Publication publication, MqttProtocolVersion version)
    {
        var packet = PacketOf(publication);
        var size = PacketEncoder.Measure(packet, version);
        publication.Encoded = Rent(size);
        publication.EncodedLength = PacketEncoder.Write(packet, version, publication.Encoded);
        _bytesInFlight += size;
    }

    private PublishOutcome? TooLarge(int size)
    {
        var limit = Math.Min((uint)options.MaxOutgoingPacketSize, _limits.MaximumPacketSize);
        return size <= limit ? null : new(
            PublishStatus.TooLarge, MqttReasonCode.PacketTooLarge, $"the packet has {size} bytes, the limit is {limit}");
    }

    private void GiveBackInFlight(string why)
    {
        foreach (var publication in InOrder())
        {
            Settle(publication, new(PublishStatus.SessionLost, MqttReasonCode.UnspecifiedError, why));
        }

        _resend.Clear();
    }

    private void Settle(Publication publication, in PublishOutcome outcome)
    {
        _inFlight.Remove(publication.PacketId);
        Release(publication);
        if (outcome.IsDelivered && publication.Key is not null && publication.Key == _droppedKey)
        {
            // It was not to blame; another message under the same key begins anew.
            _droppedKey = null;
        }

        saver?.Changed(awaited: false);
        publication.Complete(outcome);
    }

    private void Release(Publication publication)
    {
        if (publication.Encoded is { } encoded)
        {
            publication.Encoded = null;
            _bytesInFlight -= publication.EncodedLength;
            if (_spareBytes + encoded.Length <= MaxSpareBytes)
            {
                _spareBytes += encoded.Length;
                _spare.Push(encoded);
            }
            else
            {
                ArrayPool<byte>.Shared.Return(encoded);
            }
        }
    }

    /// <summary>A buffer that was used before, unless it is too small, or so large that a small message would hold it for nothing.</summary>
    private byte[] Rent(int size)
    {
        if (_spare.TryPop(out var buffer))
        {
            _spareBytes -= buffer.Length;
            if (buffer.Length >= size && buffer.Length <= Math.Max(4096, 4 * (long)size))
            {
                return buffer;
            }

            ArrayPool<byte>.Shared.Return(buffer);
        }

        return ArrayPool<byte>.Shared.Rent(size);
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
