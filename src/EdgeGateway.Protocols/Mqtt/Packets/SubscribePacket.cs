namespace EdgeGateway.Protocols.Mqtt.Packets;

/// <summary>One line of SUBSCRIBE. MQTT 5.0, 3.8.3.1: options are retain handling (2), retain as published, no local, QoS (2).</summary>
internal readonly record struct FilterRequest(string Filter, byte Options);

/// <summary>SUBSCRIBE, client to server. MQTT 5.0, 3.8; MQTT 3.1.1, 3.8.</summary>
/// <remarks>packet identifier | properties (5.0) | topic filter, options | ...</remarks>
internal readonly struct SubscribePacket : IPacket
{
    public required ushort PacketId { get; init; }

    public required IReadOnlyList<FilterRequest> Filters { get; init; }

    public MqttProperties? Properties { get; init; }

    public byte First => ((byte)PacketType.Subscribe << 4) | 2;

    public void WriteBody(ref PacketWriter writer, MqttProtocolVersion version)
    {
        writer.UInt16(PacketId);
        if (version == MqttProtocolVersion.V500)
        {
            MqttProperties.Write(ref writer, Properties);
        }

        foreach (var (filter, options) in Filters)
        {
            writer.String(filter);
            writer.Byte(version == MqttProtocolVersion.V311 ? (byte)(options & 3) : options);
        }
    }

    public static bool TryRead(ReadOnlyMemory<byte> body, MqttProtocolVersion version, out SubscribePacket packet, out MqttBreach breach)
    {
        var reader = new PacketReader(body.Span);
        var id = reader.PacketId();
        var properties = version == MqttProtocolVersion.V500 ? MqttProperties.Read(ref reader, PropertyRules.Subscribe) : null;
        var reserved = version == MqttProtocolVersion.V311 ? 0xFC : 0xC0;
        var filters = new List<FilterRequest>();
        do
        {
            var filter = reader.String();
            var options = reader.Byte();
            if (filter.Length == 0 || (options & reserved) != 0 || (options & 3) == 3 || (options & 0x30) == 0x30)
            {
                reader.Fail("subscription without a filter or with reserved options");
            }

            filters.Add(new(filter, options));
        }
        while (!reader.Failed && reader.Remaining > 0);
        packet = new() { PacketId = id, Filters = filters, Properties = properties };
        breach = reader.Failed ? reader.Breach : default;
        return !reader.Failed;
    }
}
