using EdgeGateway.Protocols.Mqtt.Packets;

namespace EdgeGateway.Protocols.Mqtt;

/// <summary>What the application wants to receive. Subscriptions outlive connections: they are made again when the session was lost.</summary>
internal sealed class MqttSubscriptions(PublishSession session)
{
    private readonly Lock _gate = new();
    private readonly List<Subscription> _wanted = [];
    private readonly Dictionary<ushort, Subscription> _asked = [];
    private readonly Dictionary<ushort, TaskCompletionSource<MqttReasonCode>> _unsubscribing = [];
    private MqttConnection? _connection;

    /// <summary>Told when the server refuses to renew a subscription after a lost session.</summary>
    public Action<string, MqttReasonCode>? Refused { get; set; }

    /// <summary>Adds a subscription and completes with the server's answer, waiting for a connection if there is none.</summary>
    public Task<SubscribeOutcome> Add(string filter, MqttQos qos)
    {
        lock (_gate)
        {
            _wanted.RemoveAll(each => each.Filter == filter);
            var subscription = new Subscription(filter, qos);
            _wanted.Add(subscription);
            Ask(subscription);
            return subscription.Answer.Task;
        }
    }

    /// <summary>Drops a subscription; completes with the server's answer, or at once when there is no connection.</summary>
    public Task<MqttReasonCode> Remove(string filter)
    {
        lock (_gate)
        {
            _wanted.RemoveAll(each => each.Filter == filter);
            if (_connection is null)
            {
                return Task.FromResult(MqttReasonCode.Success);
            }

            var answer = new TaskCompletionSource<MqttReasonCode>(TaskCreationOptions.RunContinuationsAsynchronously);
            var id = session.ReserveId();
            _unsubscribing.Add(id, answer);
            _connection.Send(new UnsubscribePacket { PacketId = id, Filters = [filter] });
            return answer.Task;
        }
    }

    /// <summary>A connection was accepted: asks for what the server does not know.</summary>
    public void Connected(MqttConnection connection, bool sessionPresent)
    {
        lock (_gate)
        {
            _connection = connection;
            foreach (var subscription in _wanted)
            {
                subscription.Granted &= sessionPresent;
                if (!subscription.Granted)
                {
                    Ask(subscription);
                }
            }
        }
    }

    /// <summary>The connection is gone; open requests are repeated on the next one.</summary>
    public void Lost()
    {
        lock (_gate)
        {
            _connection = null;
            _asked.Clear();
            foreach (var answer in _unsubscribing.Values)
            {
                answer.TrySetResult(MqttReasonCode.UnspecifiedError);
            }

            _unsubscribing.Clear();
        }
    }

    /// <summary>SUBACK or UNSUBACK came.</summary>
    /// <returns>How it breaks the protocol, or null.</returns>
    public MqttBreach? Acknowledged(in SubAckPacket ack)
    {
        Subscription? refused = null;
        var code = ack.ReasonCodes.IsEmpty ? MqttReasonCode.Success : (MqttReasonCode)ack.ReasonCodes.Span[0];
        lock (_gate)
        {
            if (ack.Type == PacketType.UnsubAck)
            {
                if (_unsubscribing.Remove(ack.PacketId, out var answer))
                {
                    session.FreeId(ack.PacketId);
                    answer.TrySetResult(code);
                }

                return null;
            }

            if (!_asked.Remove(ack.PacketId, out var subscription))
            {
                return null;
            }

            session.FreeId(ack.PacketId);
            if (ack.ReasonCodes.Length != 1)
            {
                return new(MqttReasonCode.ProtocolError, $"SUBACK with {ack.ReasonCodes.Length} reason codes for one filter");
            }

            subscription.Granted = code.IsSuccess();
            if (!subscription.Granted)
            {
                _wanted.Remove(subscription);
                refused = subscription.Answer.Task.IsCompleted ? subscription : null;
            }

            var granted = subscription.Granted ? (MqttQos)Math.Min((byte)code, (byte)2) : MqttQos.AtMostOnce;
            subscription.Answer.TrySetResult(new(subscription.Granted, granted, code));
        }

        if (refused is not null)
        {
            Refused?.Invoke(refused.Filter, code);
        }

        return null;
    }

    private void Ask(Subscription subscription)
    {
        if (_connection is { } connection)
        {
            var id = session.ReserveId();
            _asked.Add(id, subscription);
            connection.Send(new SubscribePacket { PacketId = id, Filters = [new(subscription.Filter, (byte)subscription.Qos)] });
        }
    }

    private sealed class Subscription(string filter, MqttQos qos)
    {
        public string Filter => filter;

        public MqttQos Qos => qos;

        public bool Granted { get; set; }

        public TaskCompletionSource<SubscribeOutcome> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
