namespace EdgeGateway.Protocols.Mqtt.Packets;

/// <summary>PUBACK, PUBREC, PUBREL and PUBCOMP, both ways. MQTT 5.0, 3.4 to 3.7.</summary>
/// <remarks>packet identifier | reason code (5.0, left out for success) | properties (5.0, left out when there are none)</remarks>
internal readonly struct AckPacket : IPacket
{
    public required PacketType Type { get; init; }

    public required ushort PacketId { get; init; }

    public MqttReasonCode ReasonCode { get; init; }

    public MqttProperties? Properties { get; init; }

    public byte First => (byte)(((byte)Type << 4) | (Type == PacketType.PubRel ? 2 : 0));

    public void WriteBody(ref PacketWriter writer, MqttProtocolVersion version)
    {
        writer.UInt16(PacketId);
        if (version == MqttProtocolVersion.V311 || (ReasonCode == MqttReasonCode.Success && Properties is null))
        {
            return;
        }

        writer.Byte((byte)ReasonCode);
        if (Properties is not null)
        {
            MqttProperties.Write(ref writer, Properties);
        }
    }

    public static bool TryRead(
        PacketType type, ReadOnlyMemory<byte> body, MqttProtocolVersion version, out AckPacket packet, out MqttBreach breach)
    {
        var reader = new PacketReader(body.Span);
        var id = reader.PacketId();
        var code = MqttReasonCode.Success;
        MqttProperties? properties = null;
        if (version == MqttProtocolVersion.V500 && reader.Remaining > 0)
        {
            code = (MqttReasonCode)reader.Byte();
            properties = reader.Remaining > 0 ? MqttProperties.Read(ref reader, PropertyRules.Acknowledge) : null;
        }

        packet = new() { Type = type, PacketId = id, ReasonCode = code, Properties = properties };
        var whole = reader.End();
        breach = whole ? default : reader.Breach;
        return whole;
    }
}
