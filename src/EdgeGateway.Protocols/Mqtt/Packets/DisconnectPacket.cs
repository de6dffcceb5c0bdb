namespace EdgeGateway.Protocols.Mqtt.Packets;

/// <summary>DISCONNECT, both ways in 5.0, client to server in 3.1.1. MQTT 5.0, 3.14. Also AUTH, 5.0 only, 3.15, of the same form.</summary>
/// <remarks>reason code (5.0, left out for success) | properties (5.0, left out when there are none)</remarks>
internal readonly struct DisconnectPacket : IPacket
{
    /// <summary>A DISCONNECT; AUTH is made with <see cref="Type"/>.</summary>
    public DisconnectPacket()
    {
    }

    /// <summary><see cref="PacketType.Disconnect"/> or <see cref="PacketType.Auth"/>.</summary>
    public PacketType Type { get; init; } = PacketType.Disconnect;

    public MqttReasonCode ReasonCode { get; init; }

    public MqttProperties? Properties { get; init; }

    public byte First => (byte)((byte)Type << 4);

    public void WriteBody(ref PacketWriter writer, MqttProtocolVersion version)
    {
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
        PacketType type, ReadOnlyMemory<byte> body, MqttProtocolVersion version, out DisconnectPacket packet, out MqttBreach breach)
    {
        var reader = new PacketReader(body.Span);
        var code = MqttReasonCode.Success;
        MqttProperties? properties = null;
        if (version == MqttProtocolVersion.V500 && reader.Remaining > 0)
        {
            var allowed = type == PacketType.Auth ? PropertyRules.Auth : PropertyRules.Disconnect;
            code = (MqttReasonCode)reader.Byte();
            properties = reader.Remaining > 0 ? MqttProperties.Read(ref reader, allowed) : null;
        }

        packet = new() { Type = type, ReasonCode = code, Properties = properties };
        var whole = reader.End();
        breach = whole ? default : reader.Breach;
        return whole;
    }
}
