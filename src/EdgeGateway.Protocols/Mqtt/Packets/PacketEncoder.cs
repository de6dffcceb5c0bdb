namespace EdgeGateway.Protocols.Mqtt.Packets;

/// <summary>A packet that can write itself. Implemented by structs, used through generics, so nothing is boxed.</summary>
internal interface IPacket
{
    /// <summary>First byte of the fixed header: type and flags.</summary>
    byte First { get; }

    /// <summary>Writes everything after the fixed header.</summary>
    void WriteBody(ref PacketWriter writer, MqttProtocolVersion version);
}

/// <summary>Turns packets into bytes.</summary>
internal static class PacketEncoder
{
    /// <summary>Size of the whole packet in bytes; larger than <see cref="FrameHeader.MaxRemainingLength"/> when it cannot be sent at all.</summary>
    public static int Measure<T>(in T packet, MqttProtocolVersion version)
        where T : IPacket
    {
        var body = MeasureBody(packet, version);
        return 1 + PacketWriter.VariableSize(body) + body;
    }

    /// <summary>Writes the packet to the start of <paramref name="destination"/> and returns its size in bytes.</summary>
    public static int Write<T>(in T packet, MqttProtocolVersion version, Span<byte> destination)
        where T : IPacket
    {
        var writer = new PacketWriter(destination);
        writer.Byte(packet.First);
        writer.Variable(MeasureBody(packet, version));
        packet.WriteBody(ref writer, version);
        return writer.Length;
    }

    /// <summary>The packet in an array of its own.</summary>
    public static byte[] ToArray<T>(in T packet, MqttProtocolVersion version)
        where T : IPacket
    {
        var bytes = new byte[Measure(packet, version)];
        Write(packet, version, bytes);
        return bytes;
    }

    private static int MeasureBody<T>(in T packet, MqttProtocolVersion version)
        where T : IPacket
    {
        var measure = PacketWriter.Measuring();
        packet.WriteBody(ref measure, version);
        return measure.Length;
    }
}
