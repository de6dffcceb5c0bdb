namespace EdgeGateway.Protocols.Mqtt.Packets;

/// <summary>SUBACK and UNSUBACK, server to client. MQTT 5.0, 3.9 and 3.11; MQTT 3.1.1, 3.9 and 3.11.</summary>
/// <remarks>packet identifier | properties (5.0) | reason code for each filter (none in an UNSUBACK of 3.1.1)</remarks>
internal readonly struct SubAckPacket : IPacket
{
    /// <summary><see cref="PacketType.SubAck"/> or <see cref="PacketType.UnsubAck"/>.</summary>
    public required PacketType Type { get; init; }

    public required ushort PacketId { get; init; }

    public required ReadOnlyMemory<byte> ReasonCodes { get; init; }

    public MqttProperties? Properties { get; init; }

    public byte First => (byte)((byte)Type << 4);

    public void WriteBody(ref PacketWriter writer, MqttProtocolVersion version)
    {
        writer.UInt16(PacketId);
        if (version == MqttProtocolVersion.V500)
        {
            MqttProperties.Write(ref writer, Properties);
        }

        if (Type == PacketType.SubAck || version == MqttProtocolVersion.V500)
        {
            writer.Raw(ReasonCodes.Span);
        }
    }

    /// <summary>Reads the packet; the reason codes are a slice of <paramref name="body"/>, not a copy.</summary>
    public static bool TryRead(
        PacketType type, ReadOnlyMemory<byte> body, MqttProtocolVersion version, out SubAckPacket packet, out MqttBreach breach)
    {
        var reader = new PacketReader(body.Span);
        var id = reader.PacketId();
        var properties = version == MqttProtocolVersion.V500 ? MqttProperties.Read(ref reader, PropertyRules.Acknowledge) : null;
        var expectsCodes = type == PacketType.SubAck || version == MqttProtocolVersion.V500;
        if (expectsCodes != reader.Remaining > 0)
        {
            reader.Fail(expectsCodes ? "acknowledgement without reason codes" : "UNSUBACK with a payload");
        }

        packet = new()
        {
            Type = type,
            PacketId = id,
            ReasonCodes = reader.Failed ? default : body[reader.Position..],
            Properties = properties,
        };
        breach = reader.Failed ? reader.Breach : default;
        return !reader.Failed;
    }
}
