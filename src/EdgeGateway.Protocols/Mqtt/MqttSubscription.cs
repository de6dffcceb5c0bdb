namespace EdgeGateway.Protocols.Mqtt;

/// <summary>What a server does with its kept messages when a subscription is made. MQTT 5.0, 3.8.3.1.</summary>
public enum MqttRetainHandling : byte
{
    /// <summary>It sends them.</summary>
    Send = 0,

    /// <summary>It sends them when the subscription is new to the session.</summary>
    SendIfNew = 1,

    /// <summary>It does not send them.</summary>
    DoNotSend = 2,
}

/// <summary>What a client wants to receive. MQTT 5.0, 3.8; all but filter and quality of service are 5.0 only and left out in 3.1.1.</summary>
public sealed record MqttSubscription
{
    /// <summary>Largest subscription identifier. MQTT 5.0, 3.8.2.1.2.</summary>
    public const int MaxIdentifier = 268_435_455;

    /// <summary>Topic filter; + is one level, # the rest, $share/group/ in front shares the messages among the group.</summary>
    public required string Filter { get; init; }

    /// <summary>Highest quality of service wanted.</summary>
    public MqttQos Qos { get; init; } = MqttQos.AtLeastOnce;

    /// <summary>True when messages that this client published itself shall not come.</summary>
    public bool NoLocal { get; init; }

    /// <summary>True when messages shall keep the retain mark that they were published with.</summary>
    public bool RetainAsPublished { get; init; }

    /// <summary>Whether kept messages come when the subscription is made.</summary>
    public MqttRetainHandling RetainHandling { get; init; }

    /// <summary>1 to <see cref="MaxIdentifier"/>; comes back with each message that matches. Null sends none.</summary>
    public int? Identifier { get; init; }

    /// <summary>Throws when a field is outside its limits.</summary>
    /// <exception cref="ArgumentException">Says which and what is allowed.</exception>
    public void Validate()
    {
        MqttTopic.ValidateFilter(Filter);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((byte)Qos, (byte)2, nameof(Qos));
        ArgumentOutOfRangeException.ThrowIfGreaterThan((byte)RetainHandling, (byte)2, nameof(RetainHandling));
        if (Identifier is { } identifier)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(identifier, 1, nameof(Identifier));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(identifier, MaxIdentifier, nameof(Identifier));
        }

        if (NoLocal && Filter.StartsWith("$share/", StringComparison.Ordinal))
        {
            throw new ArgumentException($"filter '{Filter}': a shared subscription cannot ask for no local messages (MQTT 5.0, 3.8.3.1)", nameof(NoLocal));
        }
    }

    /// <summary>The options byte of SUBSCRIBE.</summary>
    internal byte Options => (byte)((byte)Qos | (NoLocal ? 0x04 : 0) | (RetainAsPublished ? 0x08 : 0) | ((byte)RetainHandling << 4));
}
