namespace EdgeGateway.Protocols.Mqtt;

/// <summary>How to reach the servers and how to behave there.</summary>
public sealed record MqttClientOptions
{
    /// <summary>Servers in order of preference, as <c>mqtt://host:1883</c> or <c>mqtts://host:8883</c>; ports may be left out.</summary>
    public required IReadOnlyList<Uri> Servers { get; init; }

    /// <summary>The protocol version; the client never changes it by itself.</summary>
    public MqttProtocolVersion Version { get; init; } = MqttProtocolVersion.V500;

    /// <summary>Identifies the session on the server; each client needs its own. Empty lets a 5.0 server assign one.</summary>
    public required string ClientId { get; init; }

    /// <summary>
    /// True: no session is kept and each connection starts clean. False: the first connection of a process discards what the server
    /// still holds (its packet identifiers belong to a process that is gone), later ones resume.
    /// </summary>
    public bool CleanStart { get; init; }

    /// <summary>
    /// True: the first connection of a process takes over the session that the server still holds under <see cref="ClientId"/>. Only for a client that
    /// receives at QoS 0 or 1 and publishes nothing at QoS 1 or 2: then there is no state of its own to hold beside the server's.
    /// </summary>
    public bool TakeOverSession { get; init; }

    /// <summary>How long the server shall keep the session after the connection is gone. MQTT 5.0, 3.1.2.11.2; not sent in 3.1.1.</summary>
    public TimeSpan SessionExpiry { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Longest silence before the peer is asked for a sign of life; zero switches the check off. The connection is closed after half as long again.</summary>
    public TimeSpan KeepAlive { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>User name, or null.</summary>
    public string? UserName { get; init; }

    /// <summary>Password, or null; never logged.</summary>
    public string? Password { get; init; }

    /// <summary>What the server publishes for us when the connection ends without a DISCONNECT.</summary>
    public MqttWill? Will { get; init; }

    /// <summary>How many unacknowledged messages the server may send us at a time, 1 to 65,535. MQTT 5.0, 3.1.2.11.3.</summary>
    public ushort ReceiveMaximum { get; init; } = 100;

    /// <summary>Largest packet we take, in bytes, header included; announced in 5.0, enforced in both versions.</summary>
    public int MaxIncomingPacketSize { get; init; } = 256 * 1024;

    /// <summary>Largest packet we send, in bytes; the server may ask for less. Larger messages end as <see cref="PublishStatus.TooLarge"/>.</summary>
    public int MaxOutgoingPacketSize { get; init; } = 1024 * 1024;

    /// <summary>Messages of QoS 1 and 2 in flight at a time, 1 to 10,000; the server's Receive Maximum may ask for less.</summary>
    public int MaxInFlight { get; init; } = 20;

    /// <summary>Bytes in flight and waiting for the socket, beyond which publishing waits; one message is always let through.</summary>
    public int MaxInFlightBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>
    /// A message at which the server ended the connection this many times in a row ends as <see cref="PublishStatus.Suspect"/>
    /// instead of being sent again; zero never gives up.
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

    /// <summary>TLS settings for <c>mqtts</c> servers.</summary>
    public MqttTlsOptions Tls { get; init; } = new();

    /// <summary>Random numbers from 0 to below 1 for the reconnect jitter.</summary>
    public Func<double> Jitter { get; init; } = Random.Shared.NextDouble;

    /// <summary>Opens the byte stream to a server, for other transports and for tests; null is TCP, with TLS for <c>mqtts</c>.</summary>
    public Func<Uri, CancellationToken, ValueTask<Stream>>? Dial { get; init; }

    /// <summary>Throws when an option is outside its limits.</summary>
    /// <exception cref="ArgumentException">Says which option is wrong and what is allowed.</exception>
    public void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfZero(Servers.Count, nameof(Servers));
        foreach (var server in Servers)
        {
            if (Dial is null && server.Scheme is not ("mqtt" or "mqtts"))
            {
                throw new ArgumentException($"server '{server}' has scheme '{server.Scheme}', expected mqtt or mqtts", nameof(Servers));
            }
        }

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
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxOutgoingPacketSize, 64);
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
}
