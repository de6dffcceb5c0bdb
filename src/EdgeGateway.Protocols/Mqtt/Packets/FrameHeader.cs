namespace EdgeGateway.Protocols.Mqtt.Packets;

/// <summary>What the bytes at the start of a buffer are.</summary>
internal enum FrameStatus
{
    /// <summary>More bytes are needed to know the packet's length.</summary>
    Incomplete,

    /// <summary>The header is valid; the body may still be on its way.</summary>
    Known,

    /// <summary>The peer broke the protocol.</summary>
    Breach,
}

/// <summary>The fixed header: first byte and remaining length. MQTT 5.0, 2.1.</summary>
internal readonly record struct FrameHeader(byte First, int HeaderLength, int BodyLength)
{
    /// <summary>Largest remaining length that four bytes can say, in bytes.</summary>
    public const int MaxRemainingLength = 268_435_455;

    /// <summary>Packet type, the high nibble.</summary>
    public PacketType Type => (PacketType)(First >> 4);

    /// <summary>Flags, the low nibble.</summary>
    public int Flags => First & 0x0F;

    /// <summary>Header and body together, in bytes.</summary>
    public int PacketLength => HeaderLength + BodyLength;

    /// <summary>Checks the header as far as it has arrived, so that a bad or oversized packet is refused before its body is read.</summary>
    /// <param name="buffer">What has arrived and is not consumed.</param>
    /// <param name="version">The version of this connection.</param>
    /// <param name="maxPacketSize">Largest packet we take, header included, in bytes.</param>
    /// <param name="header">The header when the status is Known.</param>
    /// <param name="breach">The fault when the status is Breach.</param>
    public static FrameStatus Read(
        ReadOnlySpan<byte> buffer, MqttProtocolVersion version, int maxPacketSize, out FrameHeader header, out MqttBreach breach)
    {
        header = default;
        breach = default;
        if (buffer.IsEmpty)
        {
            return FrameStatus.Incomplete;
        }

        var first = buffer[0];
        if (FlagsFault(first, version) is { } fault)
        {
            breach = new(MqttReasonCode.MalformedPacket, fault);
            return FrameStatus.Breach;
        }

        var length = 0;
        for (var i = 1; i <= 4; i++)
        {
            if (i == buffer.Length)
            {
                return FrameStatus.Incomplete;
            }

            length |= (buffer[i] & 0x7F) << (7 * (i - 1));
            if ((buffer[i] & 0x80) == 0)
            {
                if (buffer[i] == 0 && i > 1)
                {
                    breach = new(MqttReasonCode.MalformedPacket, "remaining length is not in its shortest form");
                    return FrameStatus.Breach;
                }

                header = new(first, 1 + i, length);
                if (header.PacketLength > maxPacketSize)
                {
                    breach = new(MqttReasonCode.PacketTooLarge, $"packet of {header.PacketLength} bytes is larger than the limit of {maxPacketSize}");
                    return FrameStatus.Breach;
                }

                return FrameStatus.Known;
            }
        }

        breach = new(MqttReasonCode.MalformedPacket, "remaining length is longer than 4 bytes");
        return FrameStatus.Breach;
    }

    /// <summary>Reserved types and flag bits. MQTT 5.0, 2.1.2 and 2.1.3.</summary>
    private static string? FlagsFault(byte first, MqttProtocolVersion version)
    {
        var flags = first & 0x0F;
        switch ((PacketType)(first >> 4))
        {
            case 0:
                return "packet type 0 is reserved";
            case PacketType.Auth when version == MqttProtocolVersion.V311:
                return "packet type 15 is reserved in MQTT 3.1.1";
            case PacketType.Publish:
                return (flags & 0x06) == 0x06 ? "PUBLISH with QoS 3" : (flags & 0x0E) == 0x08 ? "PUBLISH with QoS 0 and DUP" : null;
            case PacketType.PubRel or PacketType.Subscribe or PacketType.Unsubscribe:
                return flags == 2 ? null : $"reserved flags of {(PacketType)(first >> 4)} are {flags}, must be 2";
            default:
                return flags == 0 ? null : $"reserved flags of {(PacketType)(first >> 4)} are {flags}, must be 0";
        }
    }
}
