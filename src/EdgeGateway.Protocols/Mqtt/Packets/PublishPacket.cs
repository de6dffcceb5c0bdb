namespace EdgeGateway.Protocols.Mqtt.Packets;

/// <summary>PUBLISH, both ways. MQTT 5.0, 3.3; MQTT 3.1.1, 3.3.</summary>
/// <remarks>flags: DUP, QoS (2), RETAIN || topic | packet identifier (QoS 1 and 2) | properties (5.0) | payload</remarks>
internal readonly struct PublishPacket : IPacket
{
    /// <summary>The DUP bit of the first byte.</summary>
    public const byte DuplicateFlag = 0x08;

    public required string Topic { get; init; }

    public ReadOnlyMemory<byte> Payload { get; init; }

    public MqttQos Qos { get; init; }

    public bool Retain { get; init; }

    public bool Duplicate { get; init; }

    /// <summary>0 at QoS 0.</summary>
    public ushort PacketId { get; init; }

    /// <summary>What was read; to write a message, <see cref="Message"/> and <see cref="TopicAlias"/> need no such object.</summary>
    public MqttProperties? Properties { get; init; }

    /// <summary>Properties of the message to be written, instead of <see cref="Properties"/>.</summary>
    public MqttMessageProperties? Message { get; init; }

    /// <summary>Alias to be written beside <see cref="Message"/>; 0 is none.</summary>
    public ushort TopicAlias { get; init; }

    public byte First => (byte)(((byte)PacketType.Publish << 4) | (Duplicate ? DuplicateFlag : 0) | ((int)Qos << 1) | (Retain ? 1 : 0));

    public void WriteBody(ref PacketWriter writer, MqttProtocolVersion version)
    {
        writer.String(Topic);
        if (Qos != MqttQos.AtMostOnce)
        {
            writer.UInt16(PacketId);
        }

        if (version == MqttProtocolVersion.V500)
        {
            if (Message is null && TopicAlias == 0)
            {
                MqttProperties.Write(ref writer, Properties);
            }
            else
            {
                var measure = PacketWriter.Measuring();
                WriteProperties(ref measure);
                writer.Variable(measure.Length);
                WriteProperties(ref writer);
            }
        }

        writer.Raw(Payload.Span);
    }

    private void WriteProperties(ref PacketWriter writer)
    {
        if (TopicAlias != 0)
        {
            writer.Byte((byte)PropertyId.TopicAlias);
            writer.UInt16(TopicAlias);
        }

        Message?.WriteFields(ref writer);
    }

    /// <summary>Reads a PUBLISH; the payload is a slice of <paramref name="body"/>, not a copy.</summary>
    public static bool TryRead(
        int flags, ReadOnlyMemory<byte> body, MqttProtocolVersion version, out PublishPacket packet, out MqttBreach breach)
    {
        var reader = new PacketReader(body.Span);
        var qos = (MqttQos)((flags >> 1) & 3);
        var topic = reader.String();
        var id = qos == MqttQos.AtMostOnce ? (ushort)0 : reader.PacketId();
        var properties = version == MqttProtocolVersion.V500
            ? MqttProperties.Read(ref reader, PropertyRules.Publish, manySubscriptionIdentifiers: true)
            : null;
        if (topic.AsSpan().ContainsAny('#', '+'))
        {
            reader.Fail("topic name holds a wildcard", MqttReasonCode.TopicNameInvalid);
        }
        else if (topic.Length == 0 && properties?.TopicAlias is null)
        {
            reader.Fail("topic name is empty", MqttReasonCode.ProtocolError);
        }

        packet = new()
        {
            Topic = topic,
            Payload = reader.Failed ? default : body[reader.Position..],
            Qos = qos,
            Retain = (flags & 1) != 0,
            Duplicate = (flags & DuplicateFlag) != 0,
            PacketId = id,
            Properties = properties,
        };
        breach = reader.Failed ? reader.Breach : default;
        return !reader.Failed;
    }
}
