namespace EdgeGateway.Protocols.Mqtt;

/// <summary>One publish from the call to its outcome. All fields but the completion are guarded by the session's lock.</summary>
internal sealed class Publication(
    string topic, ReadOnlyMemory<byte> payload, MqttQos qos, bool retain, MqttMessageProperties? properties)
{
    /// <summary>Continuations run elsewhere, because it is completed under the session's lock.</summary>
    private readonly TaskCompletionSource<PublishOutcome> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public string Topic => topic;

    /// <summary>Belongs to the caller; read only until the message is encoded.</summary>
    public ReadOnlyMemory<byte> Payload => payload;

    public MqttQos Qos => qos;

    public bool Retain => retain;

    public MqttMessageProperties? Properties => properties;

    /// <summary>The caller's own, or null.</summary>
    public long? Key { get; init; }

    public Task<PublishOutcome> Completion => _completion.Task;

    /// <summary>Its place among the waiting, or null.</summary>
    public LinkedListNode<Publication>? Waiting { get; set; }

    public CancellationTokenRegistration Cancellation { get; set; }

    /// <summary>Grows with each first transmission; tells the original order at a resend.</summary>
    public long Order { get; set; }

    public ushort PacketId { get; set; }

    /// <summary>The PUBLISH from a pool, kept for a resend; null at QoS 0 and after PUBREC.</summary>
    public byte[]? Encoded { get; set; }

    public int EncodedLength { get; set; }

    /// <summary>QoS 2: PUBREC has come, PUBREL is due. MQTT 5.0, 4.3.3.</summary>
    public bool Received { get; set; }

    /// <summary>Where its last byte stands in the connection's output (QoS 0).</summary>
    public long OutputPosition { get; set; }

    /// <summary>How many times in a row the server ended the connection with this message first in flight.</summary>
    public int DropsAtHead { get; set; }

    public void Complete(PublishOutcome outcome)
    {
        // Unregister, not Dispose: Dispose would wait for a callback that waits for the session's lock.
        Cancellation.Unregister();
        _completion.TrySetResult(outcome);
    }

    public void Cancel(CancellationToken cancel) => _completion.TrySetCanceled(cancel);
}
