using EdgeGateway.Protocols.Mqtt.Packets;

namespace EdgeGateway.Protocols.Mqtt;

/// <summary>A connection was accepted.</summary>
/// <param name="Server">Where.</param>
/// <param name="ClientId">Ours, or the one the server assigned.</param>
/// <param name="SessionPresent">True when the server resumed our session.</param>
/// <param name="Limits">What the server allows.</param>
public sealed record MqttConnected(Uri Server, string ClientId, bool SessionPresent, MqttServerLimits Limits);

/// <summary>What the server said in CONNACK, or the defaults of the standard. MQTT 5.0, 3.2.2.3.</summary>
public sealed record MqttServerLimits
{
    /// <summary>Messages of QoS 1 and 2 that we may have in flight.</summary>
    public ushort ReceiveMaximum { get; init; } = ushort.MaxValue;

    /// <summary>Largest packet it takes, in bytes.</summary>
    public uint MaximumPacketSize { get; init; } = uint.MaxValue;

    /// <summary>Highest quality of service it takes.</summary>
    public MqttQos MaximumQos { get; init; } = MqttQos.ExactlyOnce;

    /// <summary>True when it keeps retained messages.</summary>
    public bool RetainAvailable { get; init; } = true;

    /// <summary>Topic aliases it takes; 0 means none.</summary>
    public ushort TopicAliasMaximum { get; init; }

    /// <summary>The keep alive in force; zero means off.</summary>
    public TimeSpan KeepAlive { get; init; }

    /// <summary>How long it keeps the session; zero means that it ends with the connection.</summary>
    public TimeSpan SessionExpiry { get; init; }

    /// <summary>True when it takes filters with wildcards.</summary>
    public bool WildcardSubscriptionAvailable { get; init; } = true;

    /// <summary>True when it takes subscription identifiers; 3.1.1 has none.</summary>
    public bool SubscriptionIdentifiersAvailable { get; init; } = true;

    /// <summary>True when it takes shared subscriptions; 3.1.1 has none.</summary>
    public bool SharedSubscriptionAvailable { get; init; } = true;

    /// <summary>Where answers to requests should go, when asked for and told.</summary>
    public string? ResponseInformation { get; init; }

    /// <summary>What the server had to say, for people.</summary>
    public string? ReasonString { get; init; }

    /// <summary>Name and value pairs of CONNACK.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> UserProperties { get; init; } = [];

    /// <summary>What CONNACK said, and the defaults for what it did not say.</summary>
    internal static MqttServerLimits Of(in ConnAckPacket answer, MqttClientOptions options)
    {
        var said = answer.Properties;
        var asked = options.Version == MqttProtocolVersion.V311 ? TimeSpan.MaxValue : options.SessionExpiry;
        return new()
        {
            ReceiveMaximum = said?.ReceiveMaximum ?? ushort.MaxValue,
            MaximumPacketSize = said?.MaximumPacketSize ?? uint.MaxValue,
            MaximumQos = (MqttQos)(said?.MaximumQos ?? 2),
            RetainAvailable = said?.RetainAvailable ?? true,
            TopicAliasMaximum = said?.TopicAliasMaximum ?? 0,
            KeepAlive = said?.ServerKeepAliveSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : options.KeepAlive,
            SessionExpiry = options.CleanStart ? TimeSpan.Zero
                : said?.SessionExpirySeconds is { } expiry ? TimeSpan.FromSeconds(expiry) : asked,
            WildcardSubscriptionAvailable = said?.WildcardSubscriptionAvailable ?? true,
            SubscriptionIdentifiersAvailable = said?.SubscriptionIdentifiersAvailable ?? true,
            SharedSubscriptionAvailable = said?.SharedSubscriptionAvailable ?? true,
            ResponseInformation = said?.ResponseInformation,
            ReasonString = said?.ReasonString,
            UserProperties = said?.UserProperties ?? [],
        };
    }
}

/// <summary>Why there is no connection.</summary>
public enum MqttLossCause
{
    /// <summary>No TCP connection: refused, no route, unknown name.</summary>
    Unreachable,

    /// <summary>A stage of connecting took longer than the limit.</summary>
    TimedOut,

    /// <summary>The TLS handshake failed or the certificate is not trusted.</summary>
    Tls,

    /// <summary>The server does not accept user name, password or client certificate.</summary>
    BadCredentials,

    /// <summary>The server answered CONNECT with another refusal.</summary>
    Refused,

    /// <summary>Another client took the session.</summary>
    SessionTakenOver,

    /// <summary>The server closed the connection.</summary>
    ClosedByServer,

    /// <summary>The network broke the connection.</summary>
    NetworkFailure,

    /// <summary>Nothing was heard for one and a half times the keep alive.</summary>
    KeepAlive,

    /// <summary>The peer broke the protocol.</summary>
    ProtocolBreach,

    /// <summary>The session could not be saved where it had to be saved first.</summary>
    SessionStore,

    /// <summary>
    /// The server had sent more than <see cref="MqttClientOptions.MaxInboxBytes"/>, and the handler has worked off what fitted: the next connection brings the
    /// rest.
    /// </summary>
    InboxFull,

    /// <summary>We left for a better server of the list.</summary>
    BetterServer,

    /// <summary>We ended it.</summary>
    Stopped,
}

/// <summary>A connection was lost, or an attempt to make one failed.</summary>
public sealed record MqttDisconnected
{
    /// <summary>Which server.</summary>
    public required Uri Server { get; init; }

    /// <summary>True when an accepted connection was lost, false when it did not come so far.</summary>
    public required bool WasConnected { get; init; }

    /// <summary>The kind of failure.</summary>
    public required MqttLossCause Cause { get; init; }

    /// <summary>In words, with the cure where there is one.</summary>
    public required string Reason { get; init; }

    /// <summary>The server's reason code, when it gave one.</summary>
    public MqttReasonCode? Code { get; init; }

    /// <summary>True when the server ended a connection that it had accepted, and may have done so because of what it was sent.</summary>
    public bool BlamesMessage { get; init; }

    /// <summary>Host, with or without port, that the server sent us to, followed or not. MQTT 5.0, 4.13.</summary>
    public string? ServerReference { get; init; }

    /// <summary>Wait before the next attempt; zero when the next server is tried at once, null when there will be none.</summary>
    public TimeSpan? RetryIn { get; init; }
}

/// <summary>A message that the server delivered to us.</summary>
public sealed record MqttMessage
{
    /// <summary>Topic name.</summary>
    public required string Topic { get; init; }

    /// <summary>The content; a copy that belongs to the receiver.</summary>
    public required ReadOnlyMemory<byte> Payload { get; init; }

    /// <summary>Quality of service of this delivery.</summary>
    public MqttQos Qos { get; init; }

    /// <summary>True when the server had kept it for us from before the subscription.</summary>
    public bool Retain { get; init; }

    /// <summary>True when it may have been delivered before.</summary>
    public bool Duplicate { get; init; }

    /// <summary>Content type and the like, when sent.</summary>
    public MqttMessageProperties? Properties { get; init; }

    /// <summary>Identifiers of our subscriptions that it matches, where they have some. MQTT 5.0, 3.3.2.3.8.</summary>
    public IReadOnlyList<int> SubscriptionIdentifiers { get; init; } = [];
}
