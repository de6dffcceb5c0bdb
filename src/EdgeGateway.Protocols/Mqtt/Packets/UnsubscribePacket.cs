namespace EdgeGateway.Protocols.Mqtt.Packets;

/// <summary>UNSUBSCRIBE, client to server. MQTT 5.0, 3.10; MQTT 3.1.1, 3.10.</summary>
/// <remarks>packet identifier | properties (5.0) | topic filter | ...</remarks>
internal readonly struct UnsubscribePacket : IPacket
{
    public required ushort PacketId { get; init; }

    public required IReadOnlyList<string> Filters { get; init; }

    public MqttProperties? Properties { get; init; }

    public byte First => ((byte)PacketType.Unsubscribe << 4) | 2;

    public void WriteBody(ref PacketWriter writer, MqttProtocolVersion version)
    {
        writer.UInt16(PacketId);
        if (version == MqttProtocolVersion.V500)
        {
            MqttProperties.Write(ref writer, Properties);
        }

        foreach (var filter in Filters)
        {
            writer.String(filter);
        }
    }

    public static bool TryRead(ReadOnlyMemory<byte> body, MqttProtocolVersion version, out UnsubscribePacket packet, out MqttBreach breach)
    {
        var reader = new PacketReader(body.Span);
        var id = reader.PacketId();
        var properties = version == MqttProtocolVersion.V500 ? MqttProperties.Read(ref reader, PropertyRules.Common) : null;
        var filters = new List<string>();
        do
        {
            var filter = reader.String();
            if (filter.Length == 0)
            {
                reader.Fail("empty topic filter");
            }

            filters.Add(filter);
        }
        while (!reader.Failed && reader.Remaining > 0);
        packet = new() { PacketId = id, Filters = filters, Properties = properties };
        breach = reader.Failed ? reader.Breach : default;
        return !reader.Failed;
    }
}
