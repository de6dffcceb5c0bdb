using System.Text.Json;
using EdgeGateway.Protocols.Mqtt;
using EdgeGateway.Protocols.Mqtt.Packets;
using FsCheck;
using FsCheck.Fluent;

namespace EdgeGateway.Conformance.Mqtt;

/// <summary>What was written is read, for every packet with every property in both versions; and whatever comes is read without harm.</summary>
public sealed class RoundTripTests
{
    /// <summary>Beside what a packet says: lists, strings and the objects that hold them.</summary>
    private const int AllocationPerByte = 40;
    private const int AllocationPerPacket = 8 * 1024;

    private static readonly int Repetitions = Environment.GetEnvironmentVariable("EDGEGATEWAY_LONG") == "1" ? 200_000 : 3_000;

    [Fact]
    public void Every_packet_with_every_property_survives_a_round_trip() => Check(AnyPacket.Any, each =>
    {
        var (version, packet) = each;
        var bytes = Codec.Encode(packet, version);
        var read = Codec.Decode(bytes, version, out var breach);
        Assert.True(read is not null, $"{packet.GetType().Name} is refused: {breach.Reason}: {Hex.Of(bytes)}");
        Assert.Equal(JsonSerializer.Serialize<object>(View(packet, version)), JsonSerializer.Serialize<object>(View(read, version)));
        Assert.Equal(Hex.Of(bytes), Hex.Of(Codec.Encode(read, version)));
    });

    [Fact]
    public void Every_measure_is_the_size_that_is_written() => Check(AnyPacket.Any, each =>
    {
        var bytes = Codec.Encode(each.Packet, each.Version);
        Assert.Equal(FrameStatus.Known, FrameHeader.Read(bytes, each.Version, int.MaxValue, out var header, out _));
        Assert.Equal((bytes.Length, (bytes.Length - header.HeaderLength) < 128 ? 2 : header.HeaderLength), (header.PacketLength, header.HeaderLength));
    });

    [Fact]
    public void A_packet_that_breaks_off_at_any_byte_is_refused_without_harm() => Check(AnyPacket.Any, each =>
    {
        var bytes = Codec.Encode(each.Packet, each.Version);
        FrameHeader.Read(bytes, each.Version, int.MaxValue, out var header, out _);
        for (var length = 0; length < header.BodyLength; length++)
        {
            // A copy of its own, so that no parser can read on behind the end.
            var cut = bytes.AsSpan(header.HeaderLength, length).ToArray();
            var read = Harmless(header, cut, each.Version);

            // Shorter and still whole: a payload, a list, a tail that 5.0 lets a sender leave out, or a refusal in the form of 3.1.1.
            var mayBeShorter = read is PublishPacket or SubAckPacket or SubscribePacket or UnsubscribePacket or AckPacket or DisconnectPacket
                || (read is ConnAckPacket && length == 2);
            if (read is not null && !mayBeShorter)
            {
                Assert.Fail($"{length} of {header.BodyLength} bytes were taken for a {read.GetType().Name}: {Hex.Of(bytes)}");
            }
        }
    });

    [Fact]
    public void Lengths_that_lie_and_bytes_that_changed_do_no_harm() => Check(
        from each in AnyPacket.Any
        from at in Gen.Choose(0, 1_000_000)
        from to in Gen.Elements(0x00, 0x01, 0x7F, 0x80, 0xC0, 0xFF)
        from wide in Gen.Elements(1, 2, 4)
        from version in AnyPacket.Versions
        select (each.Packet, each.Version, at, to, wide, Reader: version),
        each =>
        {
            var bytes = Codec.Encode(each.Packet, each.Version);
            FrameHeader.Read(bytes, each.Version, int.MaxValue, out var header, out _);
            var body = bytes[header.HeaderLength..];
            for (var i = 0; i < each.wide && body.Length > 0; i++)
            {
                body[(each.at + i) % body.Length] = (byte)each.to;
            }

            // Also read as the other version, whose fields stand elsewhere.
            Harmless(header, body, each.Reader);
        });

    [Fact]
    public void Random_bytes_do_no_harm() => Check(
        from type in Gen.Choose(1, 15)
        from flags in Gen.Choose(0, 15)
        from body in Gen.ArrayOf(Gen.Choose(0, 255).Select(value => (byte)value))
        from version in AnyPacket.Versions
        select (type, flags, body, version),
        each => Harmless(new((byte)((each.type << 4) | each.flags), 2, each.body.Length), each.body, each.version));

    /// <summary>Parsers say yes or no, and allocate in proportion to what has arrived, whatever it claims.</summary>
    private static IPacket? Harmless(FrameHeader header, byte[] body, MqttProtocolVersion version)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var packet = Codec.DecodeBody(header, body, version, out var breach);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(
            allocated <= AllocationPerPacket + (AllocationPerByte * (long)body.Length),
            $"{body.Length} bytes of {header.Type} cost {allocated} bytes: {Hex.Of(body)}");
        Assert.True(packet is not null || header.Type is PacketType.PingReq or PacketType.PingResp || breach.Reason is { Length: > 0 });
        return packet;
    }

    /// <summary>The fields of a packet in a form that compares by value.</summary>
    private static Dictionary<string, object?> View(IPacket packet, MqttProtocolVersion version) => packet switch
    {
        ConnectPacket each => new()
        {
            ["type"] = "CONNECT",
            ["client"] = each.ClientId,
            ["clean"] = each.CleanStart,
            ["keep alive"] = each.KeepAliveSeconds,
            ["will"] = each.Will is { } will
                ? new object?[] { will.Topic, Hex.Of(will.Payload.Span), will.Qos, will.Retain, will.Properties }
                : null,
            ["user"] = each.UserName,
            ["password"] = each.Password,
            ["properties"] = each.Properties,
        },
        ConnAckPacket each => new() { ["type"] = "CONNACK", ["present"] = each.SessionPresent, ["code"] = each.ReasonCode, ["properties"] = each.Properties },
        PublishPacket each => new()
        {
            ["type"] = "PUBLISH",
            ["topic"] = each.Topic,
            ["payload"] = Hex.Of(each.Payload.Span),
            ["flags"] = new object[] { each.Qos, each.Retain, each.Duplicate },
            ["id"] = each.PacketId,
            ["properties"] = each.Properties,
        },
        AckPacket each => new() { ["type"] = each.Type, ["id"] = each.PacketId, ["code"] = each.ReasonCode, ["properties"] = each.Properties },
        SubscribePacket each => new() { ["type"] = "SUBSCRIBE", ["id"] = each.PacketId, ["filters"] = each.Filters, ["properties"] = each.Properties },
        SubAckPacket each => new() { ["type"] = each.Type, ["id"] = each.PacketId, ["codes"] = Hex.Of(each.ReasonCodes.Span), ["properties"] = each.Properties },
        UnsubscribePacket each => new() { ["type"] = "UNSUBSCRIBE", ["id"] = each.PacketId, ["filters"] = each.Filters, ["properties"] = each.Properties },
        PingPacket each => new() { ["type"] = each.First },
        DisconnectPacket each => new() { ["type"] = each.Type, ["code"] = each.ReasonCode, ["properties"] = each.Properties },
        _ => throw new ArgumentException($"{packet.GetType().Name} in {version}", nameof(packet)),
    };

    private static void Check<T>(Gen<T> gen, Action<T> test) =>
        Prop.ForAll(gen.ToArbitrary(), test).Check(Config.QuickThrowOnFailure.WithMaxTest(Repetitions));
}
