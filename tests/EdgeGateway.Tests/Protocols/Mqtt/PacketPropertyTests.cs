using EdgeGateway.Protocols.Mqtt;
using EdgeGateway.Protocols.Mqtt.Packets;
using FsCheck;
using FsCheck.Fluent;

namespace EdgeGateway.Tests.Protocols.Mqtt;

public sealed class PacketPropertyTests
{
    private static readonly Gen<string> Text =
        Gen.Elements("", "a", "a/b", "Größe", "温度", "🙂", new string('x', 200)).Where(text => text.Length > 0);

    private static readonly Gen<MqttProtocolVersion> Versions = Gen.Elements(MqttProtocolVersion.V311, MqttProtocolVersion.V500);

    private static Gen<T?> Maybe<T>(Gen<T> gen)
        where T : struct => Gen.OneOf(Gen.Constant((T?)null), gen.Select(value => (T?)value));

    private static Gen<T?> MaybeRef<T>(Gen<T> gen)
        where T : class => Gen.OneOf(Gen.Constant((T?)null), gen.Select(value => (T?)value));

    private static readonly Gen<MqttProperties> MessageProperties =
        from text in Maybe(Gen.Elements(true, false))
        from expiry in Maybe(Gen.Elements(0u, 1u, uint.MaxValue))
        from type in MaybeRef(Text)
        from answer in MaybeRef(Text)
        from correlation in MaybeRef(ArbMap.Default.GeneratorFor<byte[]>())
        from user in MaybeRef(Text.Zip(Text, (name, value) => new KeyValuePair<string, string>(name, value)).NonEmptyListOf().Select(list => list.ToList()))
        select new MqttProperties
        {
            PayloadIsText = text,
            MessageExpirySeconds = expiry,
            ContentType = type,
            ResponseTopic = answer,
            CorrelationData = correlation,
            UserProperties = user,
        };

    private static readonly Gen<PublishPacket> Publishes =
        from topic in Text
        from payload in ArbMap.Default.GeneratorFor<byte[]>()
        from qos in Gen.Elements(MqttQos.AtMostOnce, MqttQos.AtLeastOnce, MqttQos.ExactlyOnce)
        from id in Gen.Choose(1, 65_535)
        from retain in Gen.Elements(true, false)
        from properties in MaybeRef(MessageProperties)
        select new PublishPacket
        {
            Topic = topic,
            Payload = payload,
            Qos = qos,
            Retain = retain,
            Duplicate = qos != MqttQos.AtMostOnce && id % 2 == 0,
            PacketId = qos == MqttQos.AtMostOnce ? (ushort)0 : (ushort)id,
            Properties = properties,
        };

    private static readonly Gen<ConnectPacket> Connects =
        from client in Text
        from clean in Gen.Elements(true, false)
        from keepAlive in Gen.Choose(0, 65_535)
        from will in MaybeRef(Publishes)
        from user in MaybeRef(Text)
        from password in MaybeRef(ArbMap.Default.GeneratorFor<byte[]>())
        from expiry in Maybe(Gen.Elements(0u, 3600u, uint.MaxValue))
        from window in Maybe(Gen.Choose(1, 65_535))
        select new ConnectPacket
        {
            ClientId = client,
            CleanStart = clean,
            KeepAliveSeconds = (ushort)keepAlive,
            Will = will,
            UserName = user,
            Password = user is null ? null : password,
            Properties = expiry is null && window is null ? null : new() { SessionExpirySeconds = expiry, ReceiveMaximum = (ushort?)window },
        };

    private static Gen<WillFields?> MaybeRef(Gen<PublishPacket> gen) => Gen.OneOf(
        Gen.Constant((WillFields?)null),
        gen.Select(packet => (WillFields?)new WillFields(packet.Topic, packet.Payload, packet.Qos, packet.Retain, packet.Properties)));

    [Fact]
    public void Publish_survives_a_round_trip() =>
        Prop.ForAll(Publishes.Zip(Versions).ToArbitrary(), pair =>
        {
            var (packet, version) = pair;
            var bytes = PacketEncoder.ToArray(packet, version);
            Assert.Equal(FrameStatus.Known, FrameHeader.Read(bytes, version, int.MaxValue, out var header, out _));
            Assert.Equal(bytes.Length, header.PacketLength);
            Assert.True(PublishPacket.TryRead(header.Flags, bytes.AsMemory(header.HeaderLength), version, out var read, out var breach), breach.Reason);
            Assert.Equal(packet.Topic, read.Topic);
            Assert.Equal(packet.Payload.ToArray(), read.Payload.ToArray());
            Assert.Equal((packet.Qos, packet.Retain, packet.Duplicate, packet.PacketId), (read.Qos, read.Retain, read.Duplicate, read.PacketId));
            Assert.Equal(Convert.ToHexString(bytes), Convert.ToHexString(PacketEncoder.ToArray(read, version)));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Connect_survives_a_round_trip() =>
        Prop.ForAll(Connects.Zip(Versions).ToArbitrary(), pair =>
        {
            var (packet, version) = pair;
            var bytes = PacketEncoder.ToArray(packet, version);
            Assert.Equal(FrameStatus.Known, FrameHeader.Read(bytes, version, int.MaxValue, out var header, out _));
            Assert.True(ConnectPacket.TryRead(bytes.AsMemory(header.HeaderLength), out var read, out var readVersion, out var breach), breach.Reason);
            Assert.Equal(version, readVersion);
            Assert.Equal((packet.ClientId, packet.CleanStart, packet.KeepAliveSeconds, packet.UserName), (read.ClientId, read.CleanStart, read.KeepAliveSeconds, read.UserName));
            Assert.Equal(Convert.ToHexString(bytes), Convert.ToHexString(PacketEncoder.ToArray(read, version)));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Acknowledgements_survive_a_round_trip() =>
        Prop.ForAll(
            (from type in Gen.Elements(PacketType.PubAck, PacketType.PubRec, PacketType.PubRel, PacketType.PubComp, PacketType.SubAck, PacketType.UnsubAck, PacketType.Disconnect, PacketType.Auth)
             from id in Gen.Choose(1, 65_535)
             from code in Gen.Choose(0, 255)
             from reason in MaybeRef(Text)
             select (type, id: (ushort)id, code: (MqttReasonCode)code, properties: reason is null ? null : new MqttProperties { ReasonString = reason })).ToArbitrary(),
            each =>
            {
                const MqttProtocolVersion Version = MqttProtocolVersion.V500;
                var (bytes, again) = each.type switch
                {
                    PacketType.SubAck or PacketType.UnsubAck => Both(
                        new SubAckPacket { Type = each.type, PacketId = each.id, ReasonCodes = new[] { (byte)each.code }, Properties = each.properties },
                        body => SubAckPacket.TryRead(each.type, body, Version, out var read, out _) ? read : throw new InvalidOperationException()),
                    PacketType.Disconnect or PacketType.Auth => Both(
                        new DisconnectPacket { Type = each.type, ReasonCode = each.code, Properties = each.properties },
                        body => DisconnectPacket.TryRead(each.type, body, Version, out var read, out _) ? read : throw new InvalidOperationException()),
                    _ => Both(
                        new AckPacket { Type = each.type, PacketId = each.id, ReasonCode = each.code, Properties = each.properties },
                        body => AckPacket.TryRead(each.type, body, Version, out var read, out _) ? read : throw new InvalidOperationException()),
                };
                Assert.Equal(bytes, again);
            }).QuickCheckThrowOnFailure();

    [Fact]
    public void No_byte_sequence_makes_the_parser_throw() =>
        Prop.ForAll(
            ArbMap.Default.GeneratorFor<byte[]>().Zip(Versions).ToArbitrary(),
            pair => ParseEverything(pair.Item1, pair.Item2)).Check(Config.QuickThrowOnFailure.WithMaxTest(2000).WithEndSize(300));

    /// <summary>Random bytes rarely get past the first field; damaged good packets do.</summary>
    [Fact]
    public void No_damage_to_a_good_packet_makes_the_parser_throw() =>
        Prop.ForAll(
            (from publish in Publishes
             from connect in Connects
             from which in Gen.Elements(0, 1)
             from version in Versions
             from at in Gen.Choose(0, 10_000)
             from to in Gen.Choose(0, 255)
             from cut in Gen.Choose(0, 10_000)
             select (publish, connect, which, version, at, to, cut)).ToArbitrary(),
            each =>
            {
                var bytes = each.which == 0 ? PacketEncoder.ToArray(each.publish, each.version) : PacketEncoder.ToArray(each.connect, each.version);
                bytes[each.at % bytes.Length] = (byte)each.to;
                ParseEverything(bytes, each.version);
                ParseEverything(bytes[..(each.cut % bytes.Length)], each.version);
                ParseEverything(bytes[2..], each.version);
            }).Check(Config.QuickThrowOnFailure.WithMaxTest(2000));

    [Fact]
    public void Parsing_allocates_in_proportion_to_the_bytes_that_arrived()
    {
        // The worst case: one user property after another, each five bytes of the packet.
        var body = new byte[3 + 4 + (5 * 40_000)];
        "\0\u0001a"u8.CopyTo(body);
        var writer = new PacketWriter(body.AsSpan(3));
        writer.Variable(5 * 40_000);
        for (var i = 3 + writer.Length; i + 5 <= body.Length; i += 5)
        {
            body[i] = (byte)PropertyId.UserProperty;
        }

        var packet = body.AsMemory(0, 3 + writer.Length + (5 * 40_000));
        PublishPacket.TryRead(0, packet, MqttProtocolVersion.V500, out _, out _);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.True(PublishPacket.TryRead(0, packet, MqttProtocolVersion.V500, out _, out var breach), breach.Reason);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 20L * packet.Length);
    }

    [Fact]
    public void An_acknowledgement_without_properties_is_read_without_allocating()
    {
        var body = new byte[] { 0x00, 0x07 };
        AckPacket.TryRead(PacketType.PubAck, body, MqttProtocolVersion.V500, out _, out _);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
        {
            AckPacket.TryRead(PacketType.PubAck, body, MqttProtocolVersion.V500, out _, out _);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static void ParseEverything(byte[] bytes, MqttProtocolVersion version)
    {
        FrameHeader.Read(bytes, version, 1000, out _, out _);
        ConnectPacket.TryRead(bytes, out _, out _, out _);
        ConnAckPacket.TryRead(bytes, version, out _, out _);
        for (var flags = 0; flags < 6; flags++)
        {
            PublishPacket.TryRead(flags, bytes, version, out _, out _);
        }

        AckPacket.TryRead(PacketType.PubAck, bytes, version, out _, out _);
        SubscribePacket.TryRead(bytes, version, out _, out _);
        UnsubscribePacket.TryRead(bytes, version, out _, out _);
        SubAckPacket.TryRead(PacketType.SubAck, bytes, version, out _, out _);
        SubAckPacket.TryRead(PacketType.UnsubAck, bytes, version, out _, out _);
        DisconnectPacket.TryRead(PacketType.Disconnect, bytes, version, out _, out _);
        DisconnectPacket.TryRead(PacketType.Auth, bytes, version, out _, out _);
    }

    private static (byte[] Bytes, byte[] Again) Both<T>(T packet, Func<ReadOnlyMemory<byte>, T> read)
        where T : IPacket
    {
        var bytes = PacketEncoder.ToArray(packet, MqttProtocolVersion.V500);
        FrameHeader.Read(bytes, MqttProtocolVersion.V500, int.MaxValue, out var header, out _);
        return (bytes, PacketEncoder.ToArray(read(bytes.AsMemory(header.HeaderLength)), MqttProtocolVersion.V500));
    }
}
