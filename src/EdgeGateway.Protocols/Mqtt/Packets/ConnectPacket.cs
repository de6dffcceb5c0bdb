namespace EdgeGateway.Protocols.Mqtt.Packets;

/// <summary>The will inside CONNECT. MQTT 5.0, 3.1.3.</summary>
internal sealed record WillFields(string Topic, ReadOnlyMemory<byte> Payload, MqttQos Qos, bool Retain, MqttProperties? Properties);

/// <summary>CONNECT, client to server. MQTT 5.0, 3.1; MQTT 3.1.1, 3.1.</summary>
/// <remarks>
/// "MQTT" | level | flags: user, password, will retain, will QoS (2), will, clean start, 0 | keep alive hi lo | properties (5.0)
/// client id | will properties (5.0), will topic, will payload | user name | password
/// </remarks>
internal readonly struct ConnectPacket : IPacket
{
    public required string ClientId { get; init; }

    /// <summary>Clean Start in 5.0, Clean Session in 3.1.1.</summary>
    public required bool CleanStart { get; init; }

    public ushort KeepAliveSeconds { get; init; }

    public WillFields? Will { get; init; }

    public string? UserName { get; init; }

    public byte[]? Password { get; init; }

    public MqttProperties? Properties { get; init; }

    public byte First => (byte)PacketType.Connect << 4;

    public void WriteBody(ref PacketWriter writer, MqttProtocolVersion version)
    {
        var flags = (CleanStart ? 0x02 : 0) | (Password is null ? 0 : 0x40) | (UserName is null ? 0 : 0x80);
        if (Will is { } declared)
        {
            flags |= 0x04 | ((int)declared.Qos << 3) | (declared.Retain ? 0x20 : 0);
        }

        writer.String("MQTT");
        writer.Byte((byte)version);
        writer.Byte((byte)flags);
        writer.UInt16(KeepAliveSeconds);
        if (version == MqttProtocolVersion.V500)
        {
            MqttProperties.Write(ref writer, Properties);
        }

        writer.String(ClientId);
        if (Will is { } will)
        {
            if (version == MqttProtocolVersion.V500)
            {
                MqttProperties.Write(ref writer, will.Properties);
            }

            writer.String(will.Topic);
            writer.Binary(will.Payload.Span);
        }

        if (UserName is not null)
        {
            writer.String(UserName);
        }

        if (Password is not null)
        {
            writer.Binary(Password);
        }
    }

    /// <summary>Reads a CONNECT, as a server does; the version is found in the packet.</summary>
    public static bool TryRead(ReadOnlyMemory<byte> body, out ConnectPacket packet, out MqttProtocolVersion version, out MqttBreach breach)
    {
        packet = default;
        var reader = new PacketReader(body.Span);
        var name = reader.String();
        version = (MqttProtocolVersion)reader.Byte();
        if (name != "MQTT" || version is not (MqttProtocolVersion.V311 or MqttProtocolVersion.V500))
        {
            reader.Fail($"protocol '{name}' level {(byte)version} is not supported", MqttReasonCode.UnsupportedProtocolVersion);
        }

        var flags = reader.Byte();
        var willQos = (flags >> 3) & 3;
        if ((flags & 1) != 0 || willQos == 3 || ((flags & 0x04) == 0 && (flags & 0x38) != 0))
        {
            reader.Fail($"connect flags 0x{flags:X2} are not valid");
        }

        if (version == MqttProtocolVersion.V311 && (flags & 0xC0) == 0x40)
        {
            reader.Fail("password without user name");
        }

        var keepAlive = reader.UInt16();
        var properties = version == MqttProtocolVersion.V500 ? MqttProperties.Read(ref reader, PropertyRules.Connect) : null;
        var clientId = reader.String();
        WillFields? will = null;
        if ((flags & 0x04) != 0)
        {
            var willProperties = version == MqttProtocolVersion.V500 ? MqttProperties.Read(ref reader, PropertyRules.Will) : null;
            var topic = reader.String();
            var payload = reader.Binary().ToArray();
            will = new(topic, payload, (MqttQos)willQos, (flags & 0x20) != 0, willProperties);
        }

        var userName = (flags & 0x80) != 0 ? reader.String() : null;
        var password = (flags & 0x40) != 0 ? reader.Binary().ToArray() : null;
        breach = default;
        if (!reader.End())
        {
            breach = reader.Breach;
            return false;
        }

        packet = new()
        {
            ClientId = clientId,
            CleanStart = (flags & 0x02) != 0,
            KeepAliveSeconds = keepAlive,
            Will = will,
            UserName = userName,
            Password = password,
            Properties = properties,
        };
        return true;
    }
}
