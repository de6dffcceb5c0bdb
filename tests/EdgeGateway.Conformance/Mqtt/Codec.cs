using EdgeGateway.Protocols.Mqtt;
using EdgeGateway.Protocols.Mqtt.Packets;

namespace EdgeGateway.Conformance.Mqtt;

/// <summary>Any packet to bytes and back through the product's encoder and parsers.</summary>
internal static class Codec
{
    private const int NoLimit = 1 + 4 + FrameHeader.MaxRemainingLength;

    /// <summary>The packet in these bytes, which must be exactly one; null when it is refused.</summary>
    public static IPacket? Decode(byte[] bytes, MqttProtocolVersion version, out MqttBreach breach)
    {
        switch (FrameHeader.Read(bytes, version, NoLimit, out var header, out breach))
        {
            case FrameStatus.Breach:
                return null;
            case FrameStatus.Incomplete:
                breach = new(MqttReasonCode.MalformedPacket, "the fixed header is not complete");
                return null;
        }

        if (header.PacketLength != bytes.Length)
        {
            breach = new(MqttReasonCode.MalformedPacket, "not exactly one packet");
            return null;
        }

        return DecodeBody(header, bytes.AsMemory(header.HeaderLength), version, out breach);
    }

    /// <summary>The packet with this header; the length in the header is not looked at.</summary>
    public static IPacket? DecodeBody(FrameHeader header, ReadOnlyMemory<byte> body, MqttProtocolVersion version, out MqttBreach breach)
    {
        breach = default;
        switch (header.Type)
        {
            case PacketType.Connect:
                return ConnectPacket.TryRead(body, out var connect, out _, out breach) ? connect : null;
            case PacketType.ConnAck:
                return ConnAckPacket.TryRead(body, version, out var connAck, out breach) ? connAck : null;
            case PacketType.Publish:
                return PublishPacket.TryRead(header.Flags, body, version, out var publish, out breach) ? publish : null;
            case PacketType.PubAck or PacketType.PubRec or PacketType.PubRel or PacketType.PubComp:
                return AckPacket.TryRead(header.Type, body, version, out var ack, out breach) ? ack : null;
            case PacketType.Subscribe:
                return SubscribePacket.TryRead(body, version, out var subscribe, out breach) ? subscribe : null;
            case PacketType.SubAck or PacketType.UnsubAck:
                return SubAckPacket.TryRead(header.Type, body, version, out var subAck, out breach) ? subAck : null;
            case PacketType.Unsubscribe:
                return UnsubscribePacket.TryRead(body, version, out var unsubscribe, out breach) ? unsubscribe : null;
            case PacketType.PingReq or PacketType.PingResp:
                return body.IsEmpty ? new PingPacket(header.Type) : null;
            default:
                return DisconnectPacket.TryRead(header.Type, body, version, out var disconnect, out breach) ? disconnect : null;
        }
    }

    public static byte[] Encode(IPacket packet, MqttProtocolVersion version) => packet switch
    {
        ConnectPacket each => PacketEncoder.ToArray(each, version),
        ConnAckPacket each => PacketEncoder.ToArray(each, version),
        PublishPacket each => PacketEncoder.ToArray(each, version),
        AckPacket each => PacketEncoder.ToArray(each, version),
        SubscribePacket each => PacketEncoder.ToArray(each, version),
        SubAckPacket each => PacketEncoder.ToArray(each, version),
        UnsubscribePacket each => PacketEncoder.ToArray(each, version),
        PingPacket each => PacketEncoder.ToArray(each, version),
        DisconnectPacket each => PacketEncoder.ToArray(each, version),
        _ => throw new ArgumentException($"{packet.GetType().Name} is not a packet of this codec", nameof(packet)),
    };
}
