namespace EdgeGateway.Protocols.Mqtt;

/// <summary>
/// Where a client keeps its half of the session, so that the next process resumes it. MQTT 5.0, 4.1. Only identifiers and keys are kept:
/// the messages stay with the caller, whose outbox can save this state beside its rows.
/// </summary>
public interface IMqttSessionStore
{
    /// <summary>What was saved last, or null when nothing was. Called once, by the constructor of the client.</summary>
    MqttSessionState? Load();

    /// <summary>
    /// Puts the state in the place of the one before, whole or not at all; durable when it completes. One call at a time. What fails is told to
    /// <see cref="MqttClient.SessionStoreFailed"/> and tried again; what may leave only after it waits meanwhile.
    /// </summary>
    ValueTask SaveAsync(MqttSessionState state, CancellationToken cancel);
}

/// <summary>The client's half of a session. MQTT 5.0, 4.1.</summary>
public sealed record MqttSessionState
{
    /// <summary>Client id of the session, ours or the one that the server assigned.</summary>
    public required string ClientId { get; init; }

    /// <summary>The server that has the other half.</summary>
    public required Uri Server { get; init; }

    /// <summary>Messages sent and not settled, in the order of their first transmission.</summary>
    public IReadOnlyList<MqttOutgoingState> Outgoing { get; init; } = [];

    /// <summary>Identifiers of messages of QoS 2 that were received and not yet released by the server.</summary>
    public IReadOnlyList<ushort> Received { get; init; } = [];

    /// <summary>Subscriptions that the server has granted.</summary>
    public IReadOnlyList<MqttSubscription> Subscriptions { get; init; } = [];
}

/// <summary>A message in flight.</summary>
/// <param name="PacketId">Its identifier, 1 to 65,535.</param>
/// <param name="Key">The caller's key of the message; null when it was published without one.</param>
/// <param name="Qos">Quality of service, 1 or 2.</param>
/// <param name="Released">QoS 2: PUBREC has come, so only PUBREL may follow. MQTT 5.0, 4.3.3.</param>
public readonly record struct MqttOutgoingState(ushort PacketId, long? Key, MqttQos Qos, bool Released);

/// <summary>A message that an earlier run left in flight and that this one takes up.</summary>
/// <param name="Key">The caller's key; null when it was published without one.</param>
/// <param name="Qos">Quality of service, 1 or 2.</param>
/// <param name="Released">QoS 2: the server had said that it has the message.</param>
/// <param name="Outcome">Completes as that of a publish does.</param>
public sealed record MqttResumed(long? Key, MqttQos Qos, bool Released, Task<PublishOutcome> Outcome);
