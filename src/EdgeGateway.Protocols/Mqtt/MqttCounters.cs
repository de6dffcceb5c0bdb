namespace EdgeGateway.Protocols.Mqtt;

/// <summary>What a client has done since it was made; may be read at any time from any thread.</summary>
public sealed class MqttCounters
{
    private long _connects;
    private long _connectFailures;
    private long _publishes;
    private long _acks;
    private long _resends;
    private long _messagesIn;
    private long _messagesDropped;
    private long _handlerFailures;
    private long _bytesIn;
    private long _bytesOut;

    /// <summary>Connections accepted by a server.</summary>
    public long Connects => Interlocked.Read(ref _connects);

    /// <summary>Attempts that did not end in an accepted connection.</summary>
    public long ConnectFailures => Interlocked.Read(ref _connectFailures);

    /// <summary>First transmissions of a message; resends are counted apart.</summary>
    public long Publishes => Interlocked.Read(ref _publishes);

    /// <summary>Messages of QoS 1 and 2 settled by the server, with whatever reason code.</summary>
    public long Acks => Interlocked.Read(ref _acks);

    /// <summary>Messages sent again after a session was resumed.</summary>
    public long Resends => Interlocked.Read(ref _resends);

    /// <summary>Messages handed to the handler.</summary>
    public long MessagesIn => Interlocked.Read(ref _messagesIn);

    /// <summary>Messages of QoS 0 dropped because the handler was too slow.</summary>
    public long MessagesDropped => Interlocked.Read(ref _messagesDropped);

    /// <summary>Exceptions thrown by the message handler.</summary>
    public long HandlerFailures => Interlocked.Read(ref _handlerFailures);

    /// <summary>Bytes read, after TLS.</summary>
    public long BytesIn => Interlocked.Read(ref _bytesIn);

    /// <summary>Bytes written, before TLS.</summary>
    public long BytesOut => Interlocked.Read(ref _bytesOut);

    internal void CountConnect() => Interlocked.Increment(ref _connects);

    internal void CountConnectFailure() => Interlocked.Increment(ref _connectFailures);

    internal void CountPublish() => Interlocked.Increment(ref _publishes);

    internal void CountAck() => Interlocked.Increment(ref _acks);

    internal void CountResend() => Interlocked.Increment(ref _resends);

    internal void CountMessageIn() => Interlocked.Increment(ref _messagesIn);

    internal void CountMessageDropped() => Interlocked.Increment(ref _messagesDropped);

    internal void CountHandlerFailure() => Interlocked.Increment(ref _handlerFailures);

    internal void CountBytesIn(int bytes) => Interlocked.Add(ref _bytesIn, bytes);

    internal void CountBytesOut(int bytes) => Interlocked.Add(ref _bytesOut, bytes);
}
