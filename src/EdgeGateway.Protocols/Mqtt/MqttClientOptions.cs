using System.Security.Cryptography.X509Certificates;
using EdgeGateway.Protocols.Mqtt.Packets;

namespace EdgeGateway.Protocols.Mqtt;

/// <summary>How to reach the servers and how to behave there.</summary>
public sealed record MqttClientOptions
{
    /// <summary>
    /// Servers in order of preference, as <c>mqtt://host:1883</c>, <c>mqtts://host:8883</c>, <c>ws://host:80/path</c> or <c>wss://host:443/path</c>;
    /// ports may be left out.
    /// </summary>
    public required IReadOnlyList<Uri> Servers { get; init; }

    /// <summary>
    /// On a server that is not the first of the list: how long it must have served before the better ones are tried again beside it. The change
    /// is made when one of them has accepted us. Zero stays until the connection is lost.
    /// </summary>
    public TimeSpan ReturnToPreferredAfter { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>
    /// Hosts that a server may send us to (reason codes 0x9C and 0x9D with a Server Reference), as <c>host</c> for any port or <c>host:port</c>.
    /// Others are not followed. MQTT 5.0, 4.13.
    /// </summary>
    public IReadOnlyList<string> AllowedServerReferences { get; init; } = [];

    /// <summary>The protocol version; the client never changes it by itself.</summary>
    public MqttProtocolVersion Version { get; init; } = MqttProtocolVersion.V500;

    /// <summary>Identifies the session on the server; each client needs its own. Empty lets a 5.0 server assign one.</summary>
    public required string ClientId { get; init; }

    /// <summary>
    /// True: no session is kept and each connection starts clean. False: connections resume the session of the one before. Without a
    /// <see cref="SessionStore"/> the first connection of a process discards what the server still holds, because its packet identifiers belong to a
    /// process that is gone.
    /// </summary>
    public bool CleanStart { get; init; }

    /// <summary>Keeps the session over the end of the process; null keeps it in memory. Not together with <see cref="CleanStart"/>.</summary>
    public IMqttSessionStore? SessionStore { get; init; }

    /// <summary>
    /// Gives the message of a key that was in flight when an earlier process ended, or null when it is no longer wanted. Asked before the resend, once for
    /// each key, never twice at a time; an exception ends <see cref="MqttClient.RunAsync"/>. Null means that nothing can be recalled.
    /// </summary>
    public Func<long, MqttPublication?>? Recall { get; init; }

    /// <summary>
    /// Told, with a <see cref="SessionStore"/>, what the server has settled, before the session forgets it: when it completes, the caller has it
    /// durably. Without it a message of QoS 2 that was settled just before a crash may be published once more by a caller that had not noted it.
    /// </summary>
    public Func<IReadOnlyList<MqttSettled>, CancellationToken, ValueTask>? Settling { get; init; }

    /// <summary>
    /// Lowest quality of service at which an identifier is saved before its PUBLISH leaves. QoS 2 needs it; with
    /// <see cref="MqttQos.AtLeastOnce"/> a killed process resends its messages of QoS 1 under their old identifiers too, at the price of a save for each window.
    /// </summary>
    public MqttQos SaveBeforeSending { get; init; } = MqttQos.ExactlyOnce;

    /// <summary>How long the server shall keep the session after the connection is gone. MQTT 5.0, 3.1.2.11.2; not sent in 3.1.1.</summary>
    public TimeSpan SessionExpiry { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Longest silence before the peer is asked for a sign of life; zero switches the check off. The connection is closed after half as long again.</summary>
    public TimeSpan KeepAlive { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>User name, or null.</summary>
    public string? UserName { get; init; }

    /// <summary>Password, or null; never logged.</summary>
    public string? Password { get; init; }

    /// <summary>Enhanced authentication, or null. MQTT 5.0, 4.12; 5.0 only.</summary>
    public MqttAuthentication? Authentication { get; init; }

    /// <summary>Name and value pairs for CONNECT; 5.0 only.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> UserProperties { get; init; } = [];

    /// <summary>Asks the server where answers to requests should go, told in <see cref="MqttServerLimits.ResponseInformation"/>. MQTT 5.0, 3.1.2.11.6.</summary>
    public bool RequestResponseInformation { get; init; }

    /// <summary>False asks the server for reason codes alone, without words. MQTT 5.0, 3.1.2.11.7.</summary>
    public bool RequestProblemInformation { get; init; } = true;

    /// <summary>What the server publishes for us when the connection ends without a DISCONNECT.</summary>
    public MqttWill? Will { get; init; }

    /// <summary>How many unacknowledged messages the server may send us at a time, 1 to 65,535. MQTT 5.0, 3.1.2.11.3.</summary>
    public ushort ReceiveMaximum { get; init; } = 100;

    /// <summary>Topic aliases that the server may use towards us; 0 offers none. MQTT 5.0, 3.1.2.11.5.</summary>
    public ushort TopicAliasMaximum { get; init; }

    /// <summary>Topic aliases that we use at most, for the most used topics; the server's Topic Alias Maximum may ask for less. 0 uses none.</summary>
    public ushort MaxOutgoingTopicAliases { get; init; } = 64;

    /// <summary>Largest packet we take, in bytes, header included; announced in 5.0, enforced in both versions.</summary>
    public int MaxIncomingPacketSize { get; init; } = 256 * 1024;

    /// <summary>
    /// Bytes of received messages that may wait for the handler when a server has more than <see cref="ReceiveMaximum"/> of QoS 1 and 2 unacknowledged, as one of
    /// 3.1.1 may, which cannot be told. What comes beyond is not acknowledged, and fetched by a new connection when the handler is through; without a session on
    /// the server (<see cref="CleanStart"/>) it is lost.
    /// </summary>
    public int MaxInboxBytes { get; init; } = 8 * 1024 * 1024;

    /// <summary>Largest packet we send, in bytes; the server may ask for less. Larger messages end as <see cref="PublishStatus.TooLarge"/>.</summary>
    public int MaxOutgoingPacketSize { get; init; } = 1024 * 1024;

    /// <summary>Messages of QoS 1 and 2 in flight at a time, 1 to 10,000; the server's Receive Maximum may ask for less.</summary>
    public int MaxInFlight { get; init; } = 20;

    /// <summary>Bytes in flight and waiting for the socket, beyond which publishing waits; one message is always let through.</summary>
    public int MaxInFlightBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>Messages that may wait for a connection or for the window; what comes on top ends as <see cref="PublishStatus.Retry"/>.</summary>
    public int MaxWaiting { get; init; } = 65_536;

    /// <summary>Bytes of payload that may wait for a connection or for the window; one message always may.</summary>
    public int MaxWaitingBytes { get; init; } = 8 * 1024 * 1024;

    /// <summary>
    /// A message at which the server ended the connection this many times in a row ends as <see cref="PublishStatus.Suspect"/>
    /// instead of being sent again, and so does the same key at each further drop; zero never gives up.
    /// </summary>
    public int SuspectAfterDrops { get; init; } = 3;

    /// <summary>Time limit for each of connecting, the TLS handshake and CONNACK.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Shortest wait before a reconnect.</summary>
    public TimeSpan ReconnectMin { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Longest wait before a reconnect.</summary>
    public TimeSpan ReconnectMax { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Shortest wait after refused credentials, an untrusted certificate or a session taken over.</summary>
    public TimeSpan ReconnectMinRefused { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>TLS settings for <c>mqtts</c> and <c>wss</c> servers.</summary>
    public MqttTlsOptions Tls { get; init; } = new();

    /// <summary>Random numbers from 0 to below 1 for the reconnect jitter.</summary>
    public Func<double> Jitter { get; init; } = Random.Shared.NextDouble;

    /// <summary>Opens the byte stream to a server, for other transports and for tests; null is TCP, TLS and WebSocket as the scheme says.</summary>
    public Func<Uri, CancellationToken, ValueTask<Stream>>? Dial { get; init; }

    /// <summary>Throws when an option is outside its limits.</summary>
    /// <exception cref="ArgumentException">Says which option is wrong and what is allowed.</exception>
    public void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfZero(Servers.Count, nameof(Servers));
        foreach (var server in Servers)
        {
            if (Dial is null && !MqttDialer.Knows(server))
            {
                throw new ArgumentException($"server '{server}' has scheme '{server.Scheme}', expected mqtt, mqtts, ws or wss", nameof(Servers));
            }
        }

        if (CleanStart && SessionStore is not null)
        {
            throw new ArgumentException("a session that starts clean at each connection cannot be stored: leave out CleanStart or SessionStore", nameof(SessionStore));
        }

        if (Authentication is not null && Version == MqttProtocolVersion.V311)
        {
            throw new ArgumentException("MQTT 3.1.1 has no enhanced authentication: use 5.0, or user name and password", nameof(Authentication));
        }

        ArgumentOutOfRangeException.ThrowIfLessThan((byte)SaveBeforeSending, (byte)1, nameof(SaveBeforeSending));
        ArgumentOutOfRangeException.ThrowIfGreaterThan((byte)SaveBeforeSending, (byte)2, nameof(SaveBeforeSending));
        ArgumentOutOfRangeException.ThrowIfLessThan(ReturnToPreferredAfter, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxWaiting, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxWaitingBytes, 1);

        if (ClientId.Length == 0 && Version == MqttProtocolVersion.V311 && !CleanStart)
        {
            throw new ArgumentException("MQTT 3.1.1 needs a client id, or CleanStart", nameof(ClientId));
        }

        if (Password is not null && UserName is null && Version == MqttProtocolVersion.V311)
        {
            throw new ArgumentException("MQTT 3.1.1 allows a password only with a user name", nameof(Password));
        }

        ArgumentOutOfRangeException.ThrowIfZero(ReceiveMaximum);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxIncomingPacketSize, 64);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxInboxBytes, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxOutgoingPacketSize, 64);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(MaxOutgoingPacketSize, FrameHeader.MaxRemainingLength, nameof(MaxOutgoingPacketSize));
        MqttTopic.ValidateString(ClientId, nameof(ClientId));
        MqttTopic.ValidateString(UserName, nameof(UserName));
        MqttTopic.ValidateString(Password, nameof(Password));
        MqttTopic.ValidateString(Authentication?.Method, nameof(Authentication));
        foreach (var (name, value) in UserProperties)
        {
            MqttTopic.ValidateString(name, nameof(UserProperties));
            MqttTopic.ValidateString(value, nameof(UserProperties));
        }

        ArgumentOutOfRangeException.ThrowIfLessThan(MaxInFlight, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(MaxInFlight, 10_000);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxInFlightBytes, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(SuspectAfterDrops);
        ArgumentOutOfRangeException.ThrowIfNegative(KeepAlive.Ticks, nameof(KeepAlive));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(KeepAlive, TimeSpan.FromSeconds(ushort.MaxValue));
        ArgumentOutOfRangeException.ThrowIfNegative(SessionExpiry.Ticks, nameof(SessionExpiry));
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(ConnectTimeout, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(ReconnectMin, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(ReconnectMax, ReconnectMin);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(ReconnectMinRefused, TimeSpan.Zero);
        if (Will is { } will)
        {
            MqttTopic.ValidateName(will.Topic);
            will.Properties?.Validate();
            if (will.Payload.Length > ushort.MaxValue)
            {
                throw new ArgumentException($"the will has {will.Payload.Length} bytes, allowed are 65,535", nameof(Will));
            }
        }
    }
}

/// <summary>A message that the server publishes when the connection ends without a DISCONNECT. MQTT 5.0, 3.1.2.5.</summary>
public sealed record MqttWill
{
    /// <summary>Topic name, without wildcards.</summary>
    public required string Topic { get; init; }

    /// <summary>Up to 65,535 bytes.</summary>
    public required ReadOnlyMemory<byte> Payload { get; init; }

    /// <summary>Quality of service of the will.</summary>
    public MqttQos Qos { get; init; } = MqttQos.AtLeastOnce;

    /// <summary>True when the server shall keep it for later subscribers.</summary>
    public bool Retain { get; init; }

    /// <summary>How long the server waits for a reconnect before it publishes; whole seconds, 5.0 only.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>Content type and the like, 5.0 only.</summary>
    public MqttMessageProperties? Properties { get; init; }
}

/// <summary>TLS 1.2 or 1.3; chain and host name are always verified, there is no switch to accept any certificate.</summary>
public sealed record MqttTlsOptions
{
    /// <summary>PEM file with the authorities to trust instead of the system's; null trusts the system's. Read at each connect.</summary>
    public string? CaFile { get; init; }

    /// <summary>PEM file with our certificate and its intermediates; null sends none. Read at each connect, so it can be rotated.</summary>
    public string? CertificateFile { get; init; }

    /// <summary>PEM file with the private key of <see cref="CertificateFile"/>; null when it is in the same file.</summary>
    public string? KeyFile { get; init; }

    /// <summary>Name that the server's certificate must carry, when it is not the host of the URI.</summary>
    public string? ServerName { get; init; }

    /// <summary>
    /// The instant at which certificates must be valid; null is the wall clock. For a computer whose clock may be unset: the later of the clock and the last
    /// time that was known to be good (requirement T-4). There is no way to leave the validity out.
    /// </summary>
    public Func<DateTimeOffset>? ValidationTime { get; init; }

    /// <summary>
    /// Shown the server's certificate and its chain in each handshake, trusted or not, so that its dates can be told. It decides nothing; both are disposed of after the
    /// call, which must return soon and not throw. Null shows nobody.
    /// </summary>
    public Action<X509Certificate2, X509Chain?>? Presented { get; init; }
}
