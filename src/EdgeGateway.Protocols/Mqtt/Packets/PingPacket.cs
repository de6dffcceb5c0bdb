namespace EdgeGateway.Protocols.Mqtt.Packets;

/// <summary>PINGREQ and PINGRESP: a fixed header and nothing else. MQTT 5.0, 3.12 and 3.13.</summary>
internal readonly struct PingPacket(PacketType type) : IPacket
{
    public byte First => (byte)((byte)type << 4);

    public void WriteBody(ref PacketWriter writer, MqttProtocolVersion version)
    {
    }
}
