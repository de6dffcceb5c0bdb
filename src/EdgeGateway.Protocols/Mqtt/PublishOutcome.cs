namespace EdgeGateway.Protocols.Mqtt;

/// <summary>What became of a publish and, with it, what the caller should do.</summary>
public enum PublishStatus
{
    /// <summary>The server has it (QoS 1, 2), or it was handed to the network (QoS 0).</summary>
    Delivered,

    /// <summary>Not taken now (quota, busy, unspecified, or QoS 0 on a lost connection): publish again later.</summary>
    Retry,

    /// <summary>Never taken in this form (not authorized, topic or payload format invalid, QoS or retain not supported): do not repeat unchanged.</summary>
    Refused,

    /// <summary>In flight when the session ended, may or may not have arrived: publish again from the caller's own cursor.</summary>
    SessionLost,

    /// <summary>Larger than our own or the server's Maximum Packet Size: split it. It was not sent.</summary>
    TooLarge,

    /// <summary>
    /// The server ended the connection several times in a row with this message first in flight. The session begins anew, and what was in flight behind the message
    /// ends as <see cref="SessionLost"/>: publish the message again before it, alone, and put it aside only when others arrive and this one does not.
    /// </summary>
    Suspect,

    /// <summary>
    /// Still in flight when the client stopped, and in the session store: the next run takes it up (<see cref="MqttClient.Resumed"/>). Keep the message and do not
    /// publish it again.
    /// </summary>
    Kept,
}

/// <summary>A publish that the server has settled.</summary>
/// <param name="Key">The caller's key.</param>
/// <param name="Outcome">What became of it.</param>
public readonly record struct MqttSettled(long Key, PublishOutcome Outcome);

/// <summary>The end of one publish.</summary>
/// <param name="Status">What became of it.</param>
/// <param name="Code">The server's reason code where it gave one, else the code that fits best.</param>
/// <param name="Reason">In words.</param>
public readonly record struct PublishOutcome(PublishStatus Status, MqttReasonCode Code, string Reason)
{
    /// <summary>True when the message needs no further care.</summary>
    public bool IsDelivered => Status == PublishStatus.Delivered;

    internal static PublishOutcome Delivered(MqttReasonCode code) => new(PublishStatus.Delivered, code, "delivered");

    /// <summary>Sorts the reason codes of PUBACK, PUBREC and PUBCOMP.</summary>
    internal static PublishOutcome FromAck(MqttReasonCode code, string? reasonString)
    {
        if (code.IsSuccess())
        {
            return Delivered(code);
        }

        var status = code switch
        {
            MqttReasonCode.NotAuthorized or MqttReasonCode.TopicNameInvalid or MqttReasonCode.PayloadFormatInvalid
                or MqttReasonCode.QosNotSupported or MqttReasonCode.RetainNotSupported => PublishStatus.Refused,
            MqttReasonCode.PacketTooLarge => PublishStatus.TooLarge,
            _ => PublishStatus.Retry,
        };
        return new(status, code, string.IsNullOrEmpty(reasonString) ? code.Describe() : $"{code.Describe()} ({reasonString})");
    }
}

/// <summary>The server's answer to a subscription.</summary>
/// <param name="Granted">False when it was refused; the client then forgets it.</param>
/// <param name="Qos">Granted quality of service, possibly lower than asked for.</param>
/// <param name="Code">The reason code.</param>
public readonly record struct SubscribeOutcome(bool Granted, MqttQos Qos, MqttReasonCode Code);
