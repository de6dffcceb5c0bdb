using EdgeGateway.Protocols.Mqtt.Packets;

namespace EdgeGateway.Protocols.Mqtt;

/// <summary>
/// What the application wants to receive. Subscriptions outlive connections: they are made again when the session was lost, and those given up
/// while there was no connection are ended on the next one.
/// </summary>
internal sealed class MqttSubscriptions(MqttClientOptions options, PublishSession session, SessionSaver? saver)
{
    private readonly Lock _gate = new();
    private readonly List<Wanted> _wanted = [];
    private readonly HashSet<string> _leaving = [];
    private readonly Dictionary<ushort, Wanted[]> _asked = [];
    private readonly Dictionary<ushort, Unsubscribing> _unsubscribing = [];
    private MqttConnection? _connection;
    private MqttServerLimits _limits = new();

    /// <summary>Told when the server refuses to renew a subscription after a lost session.</summary>
    public Action<string, MqttReasonCode>? Refused { get; set; }

    /// <summary>Takes up what an earlier process had subscribed to.</summary>
    public void Restore(IReadOnlyList<MqttSubscription> granted)
    {
        lock (_gate)
        {
            foreach (var subscription in granted)
            {
                var restored = new Wanted(subscription) { Granted = true };
                restored.Answer.SetResult(new(Granted: true, subscription.Qos, MqttReasonCode.Success));
                _wanted.Add(restored);
            }
        }
    }

    /// <summary>Adds subscriptions and completes each with the server's answer, waiting for a connection if there is none.</summary>
    public Task<SubscribeOutcome>[] Add(IReadOnlyList<MqttSubscription> subscriptions)
    {
        List<(Wanted Subscription, MqttReasonCode Code)> refused = [];
        Task<SubscribeOutcome>[] answers;
        lock (_gate)
        {
            var added = new List<Wanted>(subscriptions.Count);
            foreach (var subscription in subscriptions)
            {
                Drop(subscription.Filter);
                _leaving.Remove(subscription.Filter);
                added.Add(new(subscription));
            }

            _wanted.AddRange(added);
            answers = [.. added.Select(each => each.Answer.Task)];
            Ask(added, refused);
        }

        Tell(refused);
        return answers;
    }

    /// <summary>Drops subscriptions; completes with the server's answers, or at once when there is no connection.</summary>
    public Task<IReadOnlyList<MqttReasonCode>> Remove(IReadOnlyList<string> filters)
    {
        lock (_gate)
        {
            foreach (var filter in filters)
            {
                Drop(filter);
            }

            _leaving.UnionWith(filters);
            saver?.Changed(awaited: true);
            return _connection is { } connection
                ? Leave(connection, filters)
                : Task.FromResult<IReadOnlyList<MqttReasonCode>>([.. filters.Select(_ => MqttReasonCode.Success)]);
        }
    }

    /// <summary>A connection was accepted: asks for what the server does not know, and ends what it should not know any more.</summary>
    public void Connected(MqttConnection connection, bool sessionPresent, MqttServerLimits limits)
    {
        List<(Wanted Subscription, MqttReasonCode Code)> refused = [];
        lock (_gate)
        {
            _connection = connection;
            _limits = limits;
            if (!sessionPresent)
            {
                _leaving.Clear();
            }
            else if (_leaving.Count > 0)
            {
                Leave(connection, [.. _leaving]);
            }

            foreach (var subscription in _wanted)
            {
                subscription.Granted &= sessionPresent;
            }

            Ask([.. _wanted.Where(each => !each.Granted)], refused);
        }

        Tell(refused);
    }

    /// <summary>The connection is gone; open requests are repeated on the next one.</summary>
    public void Lost()
    {
        lock (_gate)
        {
            _connection = null;
            foreach (var given in _asked.Values.SelectMany(each => each).Where(each => !_wanted.Contains(each)))
            {
                given.GiveUp();
            }

            _asked.Clear();
            foreach (var request in _unsubscribing.Values)
            {
                request.Answer.TrySetResult([.. request.Filters.Select(_ => MqttReasonCode.UnspecifiedError)]);
            }

            _unsubscribing.Clear();
        }
    }

    /// <summary>SUBACK or UNSUBACK came.</summary>
    /// <returns>How it breaks the protocol, or null.</returns>
    public MqttBreach? Acknowledged(in SubAckPacket ack)
    {
        List<(Wanted Subscription, MqttReasonCode Code)> refused = [];
        lock (_gate)
        {
            var codes = ack.ReasonCodes.Span;
            if (ack.Type == PacketType.UnsubAck)
            {
                return Left(ack.PacketId, codes);
            }

            if (!_asked.Remove(ack.PacketId, out var subscriptions))
            {
                return null;
            }

            session.FreeId(ack.PacketId);
            if (codes.Length != subscriptions.Length)
            {
                return new(MqttReasonCode.ProtocolError, $"SUBACK with {codes.Length} reason codes for {subscriptions.Length} filters");
            }

            foreach (var code in codes)
            {
                if (code is > 2 and < 0x80 || (code > 0x80 && options.Version == MqttProtocolVersion.V311))
                {
                    return new(MqttReasonCode.ProtocolError, $"SUBACK with reason code 0x{code:X2}");
                }
            }

            for (var i = 0; i < codes.Length; i++)
            {
                Settle(subscriptions[i], (MqttReasonCode)codes[i], refused);
            }
        }

        saver?.Changed(awaited: true);
        Tell(refused);
        return null;
    }

    /// <summary>What the server has granted, for the store.</summary>
    public MqttSubscription[] Capture()
    {
        lock (_gate)
        {
            return [.. _wanted.Where(each => each.Granted).Select(each => each.Subscription)];
        }
    }

    /// <summary>Forgets a subscription; one that was asked for still gets its answer, if the connection lasts so long.</summary>
    private void Drop(string filter)
    {
        foreach (var dropped in _wanted.Where(each => each.Subscription.Filter == filter).ToArray())
        {
            _wanted.Remove(dropped);
            if (!_asked.Values.Any(packet => packet.Contains(dropped)))
            {
                dropped.GiveUp();
            }
        }
    }

    private MqttBreach? Left(ushort id, ReadOnlySpan<byte> codes)
    {
        if (!_unsubscribing.Remove(id, out var request))
        {
            return null;
        }

        session.FreeId(id);
        var answers = new MqttReasonCode[request.Filters.Count];
        if (options.Version == MqttProtocolVersion.V500)
        {
            if (codes.Length != answers.Length)
            {
                return new(MqttReasonCode.ProtocolError, $"UNSUBACK with {codes.Length} reason codes for {answers.Length} filters");
            }

            for (var i = 0; i < codes.Length; i++)
            {
                answers[i] = (MqttReasonCode)codes[i];
            }
        }

        _leaving.ExceptWith(request.Filters);
        request.Answer.TrySetResult(answers);
        return null;
    }

    private void Settle(Wanted subscription, MqttReasonCode code, List<(Wanted, MqttReasonCode)> refused)
    {
        subscription.Granted = code.IsSuccess();
        if (!subscription.Granted)
        {
            _wanted.Remove(subscription);
            if (subscription.Answer.Task.IsCompleted)
            {
                refused.Add((subscription, code));
            }
        }

        var granted = subscription.Granted ? (MqttQos)Math.Min((byte)code, (byte)2) : MqttQos.AtMostOnce;
        subscription.Answer.TrySetResult(new(subscription.Granted, granted, code));
    }

    private void Tell(List<(Wanted Subscription, MqttReasonCode Code)> refused)
    {
        foreach (var (subscription, code) in refused)
        {
            Refused?.Invoke(subscription.Subscription.Filter, code);
        }
    }

    /// <summary>Sends SUBSCRIBE: an identifier holds for a whole packet, and packets stay within the server's limit.</summary>
    private void Ask(IReadOnlyList<Wanted> subscriptions, List<(Wanted, MqttReasonCode)> refused)
    {
        if (_connection is not { } connection)
        {
            return;
        }

        List<Wanted> askable = [];
        foreach (var subscription in subscriptions)
        {
            if (NotAvailable(subscription.Subscription) is { } code)
            {
                Settle(subscription, code, refused);
            }
            else if (IsTooLarge(PacketOf(1, [subscription])))
            {
                Settle(subscription, MqttReasonCode.PacketTooLarge, refused);
            }
            else
            {
                askable.Add(subscription);
            }
        }

        foreach (var group in askable.GroupBy(each => each.Subscription.Identifier))
        {
            List<Wanted> packet = [];
            foreach (var subscription in group)
            {
                packet.Add(subscription);
                if (packet.Count > 1 && IsTooLarge(PacketOf(1, packet)))
                {
                    packet.RemoveAt(packet.Count - 1);
                    Send(connection, packet);
                    packet = [subscription];
                }
            }

            Send(connection, packet);
        }
    }

    private void Send(MqttConnection connection, List<Wanted> subscriptions)
    {
        var id = session.ReserveId();
        _asked.Add(id, [.. subscriptions]);
        connection.Send(PacketOf(id, subscriptions));
    }

    private SubscribePacket PacketOf(ushort id, List<Wanted> subscriptions) => new()
    {
        PacketId = id,
        Filters = [.. subscriptions.Select(each => new FilterRequest(each.Subscription.Filter, each.Subscription.Options))],
        Properties = subscriptions[0].Subscription.Identifier is { } identifier && options.Version == MqttProtocolVersion.V500
            ? new() { SubscriptionIdentifiers = [identifier] }
            : null,
    };

    /// <summary>What the server said that it does not take is not asked for. MQTT 5.0, 3.2.2.3.11 to 3.2.2.3.13.</summary>
    private MqttReasonCode? NotAvailable(MqttSubscription subscription)
    {
        if (!_limits.SharedSubscriptionAvailable && subscription.Filter.StartsWith("$share/", StringComparison.Ordinal))
        {
            return MqttReasonCode.SharedSubscriptionsNotSupported;
        }

        if (!_limits.WildcardSubscriptionAvailable && subscription.Filter.AsSpan().ContainsAny('#', '+'))
        {
            return MqttReasonCode.WildcardSubscriptionsNotSupported;
        }

        return !_limits.SubscriptionIdentifiersAvailable && subscription.Identifier is not null
            ? MqttReasonCode.SubscriptionIdentifiersNotSupported
            : null;
    }

    private bool IsTooLarge<T>(in T packet)
        where T : IPacket => PacketEncoder.Measure(packet, options.Version) > _limits.MaximumPacketSize;

    private Task<IReadOnlyList<MqttReasonCode>> Leave(MqttConnection connection, IReadOnlyList<string> filters)
    {
        if (IsTooLarge(new UnsubscribePacket { PacketId = 1, Filters = filters }))
        {
            return LeaveInPartsAsync(connection, filters);
        }

        var request = new Unsubscribing(filters);
        var id = session.ReserveId();
        _unsubscribing.Add(id, request);
        connection.Send(new UnsubscribePacket { PacketId = id, Filters = filters });
        return request.Answer.Task;
    }

    private Task<IReadOnlyList<MqttReasonCode>> LeaveInPartsAsync(MqttConnection connection, IReadOnlyList<string> filters)
    {
        if (filters.Count == 1)
        {
            // The server cannot have it: SUBSCRIBE would have been as large.
            _leaving.Remove(filters[0]);
            return Task.FromResult<IReadOnlyList<MqttReasonCode>>([MqttReasonCode.PacketTooLarge]);
        }

        var half = filters.Count / 2;
        return JoinAsync(Leave(connection, [.. filters.Take(half)]), Leave(connection, [.. filters.Skip(half)]));

        static async Task<IReadOnlyList<MqttReasonCode>> JoinAsync(Task<IReadOnlyList<MqttReasonCode>> one, Task<IReadOnlyList<MqttReasonCode>> other) =>
            [.. await one.ConfigureAwait(false), .. await other.ConfigureAwait(false)];
    }

    private sealed class Wanted(MqttSubscription subscription)
    {
        public MqttSubscription Subscription => subscription;

        public bool Granted { get; set; }

        public TaskCompletionSource<SubscribeOutcome> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>Another request took its place, or it was unsubscribed, before the server answered.</summary>
        public void GiveUp() => Answer.TrySetResult(new(Granted: false, MqttQos.AtMostOnce, MqttReasonCode.UnspecifiedError));
    }

    private sealed class Unsubscribing(IReadOnlyList<string> filters)
    {
        public IReadOnlyList<string> Filters => filters;

        public TaskCompletionSource<IReadOnlyList<MqttReasonCode>> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
