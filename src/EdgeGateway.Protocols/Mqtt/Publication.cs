using System.Diagnostics.CodeAnalysis;

namespace EdgeGateway.Protocols.Mqtt;

/// <summary>
/// One publish from the call to its outcome; it is its own completion, because there is one for each message. All other fields are guarded by the session's lock.
/// </summary>
/// <remarks>Continuations run elsewhere, because it is completed under the session's lock.</remarks>
internal sealed class Publication() : TaskCompletionSource<PublishOutcome>(TaskCreationOptions.RunContinuationsAsynchronously)
{
    [SetsRequiredMembers]
    public Publication(in MqttPublication message, long? key)
        : this()
    {
        (Key, Qos) = (key, message.Qos);
        Fill(message);
    }

    /// <summary>The caller's own, or null.</summary>
    public long? Key { get; init; }

    public required MqttQos Qos { get; init; }

    public string Topic { get; private set; } = "";

    /// <summary>Belongs to the caller; read only until the message is encoded.</summary>
    public ReadOnlyMemory<byte> Payload { get; private set; }

    public bool Retain { get; private set; }

    public MqttMessageProperties? Properties { get; private set; }

    /// <summary>Neighbours among the waiting; see <see cref="WaitingList"/>.</summary>
    public Publication? Previous { get; set; }

    public Publication? Next { get; set; }

    public bool IsWaiting { get; set; }

    public CancellationTokenRegistration Cancellation { get; set; }

    /// <summary>Grows with each first transmission; tells the original order at a resend.</summary>
    public long Order { get; set; }

    public ushort PacketId { get; set; }

    /// <summary>The PUBLISH from a pool, kept for a resend; null at QoS 0, after PUBREC, and until it is recalled.</summary>
    public byte[]? Encoded { get; set; }

    public int EncodedLength { get; set; }

    /// <summary>QoS 2: PUBREC has come, PUBREL is due. MQTT 5.0, 4.3.3.</summary>
    public bool Received { get; set; }

    /// <summary>It left on some connection, so the next time it is a duplicate. MQTT 5.0, 3.3.1.1.</summary>
    public bool Transmitted { get; set; }

    /// <summary>Of an earlier process, and the caller no longer has the message.</summary>
    public bool Gone { get; set; }

    /// <summary>The change of the session that must be durable before its next packet leaves; 0 when none.</summary>
    public long Change { get; set; }

    /// <summary>It stands among the packets that wait for a save.</summary>
    public bool IsHeld { get; set; }

    /// <summary>The state that was saved last, or is being saved, names it.</summary>
    public bool InStore { get; set; }

    /// <summary>Where its last byte stands in the connection's output (QoS 0).</summary>
    public long OutputPosition { get; set; }

    /// <summary>How many times in a row the server ended the connection with this message first in flight.</summary>
    public int DropsAtHead { get; set; }

    /// <summary>Sets what is to be sent.</summary>
    public void Fill(in MqttPublication message) =>
        (Topic, Payload, Retain, Properties) = (message.Topic, message.Payload, message.Retain, message.Properties);

    /// <summary>The same message in flight, for another run to complete.</summary>
    public Publication Again()
    {
        var again = new Publication
        {
            Key = Key,
            Qos = Qos,
            Retain = Retain,
            Topic = Topic,
            Payload = Payload,
            Properties = Properties,
            Order = Order,
            PacketId = PacketId,
            Encoded = Encoded,
            EncodedLength = EncodedLength,
            Received = Received,
            Transmitted = Transmitted,
            Gone = Gone,
            Change = Change,
            InStore = InStore,
            DropsAtHead = DropsAtHead,
        };
        Encoded = null;
        return again;
    }

    public void Complete(in PublishOutcome outcome)
    {
        // Unregister, not Dispose: Dispose would wait for a callback that waits for the session's lock.
        Cancellation.Unregister();
        TrySetResult(outcome);
    }
}

/// <summary>What waits to be sent, first come first served. The links are in the publications, so that a message costs no node.</summary>
internal sealed class WaitingList
{
    private Publication? _last;

    /// <summary>The next to be sent.</summary>
    public Publication? First { get; private set; }

    public int Count { get; private set; }

    /// <summary>Payloads of all that wait, in bytes.</summary>
    public long Bytes { get; private set; }

    public void Add(Publication publication)
    {
        publication.IsWaiting = true;
        publication.Previous = _last;
        if (_last is null)
        {
            First = publication;
        }
        else
        {
            _last.Next = publication;
        }

        _last = publication;
        Count++;
        Bytes += publication.Payload.Length;
    }

    public void Remove(Publication publication)
    {
        if (publication.Previous is { } previous)
        {
            previous.Next = publication.Next;
        }
        else
        {
            First = publication.Next;
        }

        if (publication.Next is { } next)
        {
            next.Previous = publication.Previous;
        }
        else
        {
            _last = publication.Previous;
        }

        publication.Previous = publication.Next = null;
        publication.IsWaiting = false;
        Count--;
        Bytes -= publication.Payload.Length;
    }
}
