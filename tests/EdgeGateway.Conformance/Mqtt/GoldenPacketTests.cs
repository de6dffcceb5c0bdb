using EdgeGateway.Protocols.Mqtt;
using EdgeGateway.Protocols.Mqtt.Packets;
using static EdgeGateway.Protocols.Mqtt.MqttProtocolVersion;

namespace EdgeGateway.Conformance.Mqtt;

/// <summary>
/// Every packet type in both versions, written by hand from the figures and tables of the standards: the encoder makes exactly these bytes, and the
/// parser makes the same packet of them again.
/// </summary>
public sealed class GoldenPacketTests
{
    [Fact]
    public void CONNECT()
    {
        Golden(V311, new ConnectPacket { ClientId = "c", CleanStart = true, KeepAliveSeconds = 10 },
            "10 0D",
            "0004 4D515454", // "MQTT"
            "04", // level 4
            "02", // clean session
            "000A", // keep alive
            "0001 63"); // client id
        Golden(V311, new ConnectPacket
        {
            ClientId = "",
            CleanStart = true,
            KeepAliveSeconds = 65_535,
            Will = new("w", "x"u8.ToArray(), MqttQos.ExactlyOnce, Retain: true, null),
            UserName = "u",
            Password = [0x70, 0x00],
        },
            "10 19",
            "0004 4D515454",
            "04",
            "F6", // user name, password, will retain, will QoS 2, will, clean session
            "FFFF",
            "0000",
            "0001 77", // will topic
            "0001 78", // will message
            "0001 75", // user name
            "0002 7000"); // password: bytes, not text
        Golden(V500, new ConnectPacket
        {
            ClientId = "c",
            CleanStart = false,
            KeepAliveSeconds = 0,
            Properties = new()
            {
                SessionExpirySeconds = uint.MaxValue,
                AuthenticationMethod = "m",
                AuthenticationData = [0xFF],
                RequestProblemInformation = false,
                RequestResponseInformation = true,
                ReceiveMaximum = 20,
                TopicAliasMaximum = 5,
                UserProperties = [new("n", "1"), new("n", "2")],
                MaximumPacketSize = 65_536,
            },
        },
            "10 38",
            "0004 4D515454",
            "05", // version 5
            "00",
            "0000",
            "2A", // property length
            "11 FFFFFFFF", // Session Expiry Interval: never
            "15 0001 6D", // Authentication Method
            "16 0001 FF", // Authentication Data
            "17 00", // Request Problem Information
            "19 01", // Request Response Information
            "21 0014", // Receive Maximum
            "22 0005", // Topic Alias Maximum
            "26 0001 6E 0001 31", // User Property, twice the same name
            "26 0001 6E 0001 32",
            "27 00010000", // Maximum Packet Size
            "0001 63");
        Golden(V500, new ConnectPacket
        {
            ClientId = "c",
            CleanStart = true,
            KeepAliveSeconds = 60,
            Will = new("w", default, MqttQos.AtMostOnce, Retain: false, new()
            {
                PayloadIsText = true,
                MessageExpirySeconds = 1,
                ContentType = "t",
                ResponseTopic = "r",
                CorrelationData = [1],
                WillDelaySeconds = 9,
            }),
            Password = [0x70],
        },
            "10 2F",
            "0004 4D515454",
            "05",
            "46", // password, will, clean start: 5.0 allows a password alone
            "003C",
            "00",
            "0001 63",
            "18", // will property length
            "01 01", // Payload Format Indicator
            "02 00000001", // Message Expiry Interval
            "03 0001 74", // Content Type
            "08 0001 72", // Response Topic
            "09 0001 01", // Correlation Data
            "18 00000009", // Will Delay Interval
            "0001 77",
            "0000", // an empty will message
            "0001 70");
    }

    [Fact]
    public void CONNACK()
    {
        Golden(V311, new ConnAckPacket { SessionPresent = true }, "20 02", "01", "00");
        Golden(V311, new ConnAckPacket { ReasonCode = MqttReasonCode.NotAuthorized }, "20 02", "00", "05");
        Golden(V500, new ConnAckPacket { ReasonCode = MqttReasonCode.ServerBusy }, "20 03", "00", "89", "00");
        Golden(V500, new ConnAckPacket
        {
            SessionPresent = true,
            Properties = new()
            {
                SessionExpirySeconds = 120,
                AssignedClientIdentifier = "id",
                ServerKeepAliveSeconds = 30,
                AuthenticationMethod = "m",
                AuthenticationData = [],
                ResponseInformation = "ri",
                ServerReference = "b:1",
                ReasonString = "ok",
                ReceiveMaximum = 1,
                TopicAliasMaximum = 10,
                MaximumQos = 1,
                RetainAvailable = false,
                UserProperties = [new("", "")],
                MaximumPacketSize = 1024,
                WildcardSubscriptionAvailable = true,
                SubscriptionIdentifiersAvailable = false,
                SharedSubscriptionAvailable = false,
            },
        },
            "20 41",
            "01", // session present
            "00",
            "3E",
            "11 00000078", // Session Expiry Interval
            "12 0002 6964", // Assigned Client Identifier
            "13 001E", // Server Keep Alive
            "15 0001 6D", // Authentication Method
            "16 0000", // Authentication Data, empty
            "1A 0002 7269", // Response Information
            "1C 0003 623A31", // Server Reference
            "1F 0002 6F6B", // Reason String
            "21 0001", // Receive Maximum
            "22 000A", // Topic Alias Maximum
            "24 01", // Maximum QoS
            "25 00", // Retain Available
            "26 0000 0000", // User Property
            "27 00000400", // Maximum Packet Size
            "28 01", // Wildcard Subscription Available
            "29 00", // Subscription Identifiers Available
            "2A 00"); // Shared Subscription Available
    }

    [Fact]
    public void PUBLISH()
    {
        Golden(V311, new PublishPacket { Topic = "a/b", Payload = "hi"u8.ToArray() }, "30 07", "0003 612F62", "6869");
        Golden(V311, new PublishPacket { Topic = "a/b", Qos = MqttQos.AtLeastOnce, PacketId = 10, Retain = true }, "33 07", "0003 612F62", "000A");
        Golden(V311, new PublishPacket { Topic = "a/b", Qos = MqttQos.ExactlyOnce, PacketId = 65_535, Duplicate = true }, "3C 07", "0003 612F62", "FFFF");
        Golden(V500, new PublishPacket { Topic = "a/b", Payload = "hi"u8.ToArray() }, "30 08", "0003 612F62", "00", "6869");
        Golden(V500, new PublishPacket
        {
            Topic = "",
            Payload = "hi"u8.ToArray(),
            Qos = MqttQos.AtLeastOnce,
            PacketId = 10,
            Properties = new()
            {
                PayloadIsText = false,
                MessageExpirySeconds = 3600,
                ContentType = "t",
                ResponseTopic = "r",
                CorrelationData = [1, 2],
                SubscriptionIdentifiers = [1, 128, 268_435_455],
                TopicAlias = 7,
                UserProperties = [new("k", "v")],
            },
        },
            "32 2F",
            "0000", // no topic: the alias stands for it
            "000A",
            "28",
            "01 00",
            "02 00000E10",
            "03 0001 74",
            "08 0001 72",
            "09 0002 0102",
            "0B 01", // Subscription Identifiers
            "0B 8001",
            "0B FFFFFF7F",
            "23 0007", // Topic Alias
            "26 0001 6B 0001 76",
            "6869");
    }

    [Fact]
    public void PUBACK_PUBREC_PUBREL_and_PUBCOMP()
    {
        foreach (var (type, first) in new[]
        {
            (PacketType.PubAck, "40"), (PacketType.PubRec, "50"), (PacketType.PubRel, "62"), (PacketType.PubComp, "70"),
        })
        {
            Golden(V311, new AckPacket { Type = type, PacketId = 258 }, first + "02", "0102");
            Golden(V500, new AckPacket { Type = type, PacketId = 258 }, first + "02", "0102");
            Golden(V500, new AckPacket { Type = type, PacketId = 258, ReasonCode = MqttReasonCode.PacketIdentifierNotFound }, first + "03", "0102", "92");
            Golden(V500, new AckPacket
            {
                Type = type,
                PacketId = 258,
                ReasonCode = MqttReasonCode.Success,
                Properties = new() { ReasonString = "r", UserProperties = [new("k", "v")] },
            },
                first + "0F",
                "0102",
                "00",
                "0B",
                "1F 0001 72", // Reason String
                "26 0001 6B 0001 76");
        }
    }

    [Fact]
    public void SUBSCRIBE_and_UNSUBSCRIBE()
    {
        Golden(V311, new SubscribePacket { PacketId = 10, Filters = [new("a/b", 1), new("c/#", 2)] },
            "82 0E", "000A", "0003 612F62", "01", "0003 632F23", "02");
        Golden(V500, new SubscribePacket
        {
            PacketId = 10,
            Filters = [new("a", 0x2C), new("$share/g/b", 0x12)],
            Properties = new() { SubscriptionIdentifiers = [200], UserProperties = [new("k", "v")] },
        },
            "82 1E",
            "000A",
            "0A",
            "0B C801", // Subscription Identifier
            "26 0001 6B 0001 76",
            "0001 61",
            "2C", // retain handling 2, retain as published, no local, QoS 0
            "000A 24 73 68 61 72 65 2F 67 2F 62",
            "12"); // retain handling 1, QoS 2
        Golden(V311, new UnsubscribePacket { PacketId = 10, Filters = ["a/b", "c/d"] }, "A2 0C", "000A", "0003 612F62", "0003 632F64");
        Golden(V500, new UnsubscribePacket { PacketId = 10, Filters = ["a"], Properties = new() { UserProperties = [new("k", "v")] } },
            "A2 0D", "000A", "07", "26 0001 6B 0001 76", "0001 61");
    }

    [Fact]
    public void SUBACK_and_UNSUBACK()
    {
        Golden(V311, new SubAckPacket { Type = PacketType.SubAck, PacketId = 10, ReasonCodes = new byte[] { 0, 2, 0x80 } }, "90 05", "000A", "00 02 80");
        Golden(V500, new SubAckPacket
        {
            Type = PacketType.SubAck,
            PacketId = 10,
            ReasonCodes = new byte[] { 1, 0x87 },
            Properties = new() { ReasonString = "r" },
        },
            "90 09", "000A", "04", "1F 0001 72", "01 87");
        Golden(V311, new SubAckPacket { Type = PacketType.UnsubAck, PacketId = 10, ReasonCodes = default }, "B0 02", "000A");
        Golden(V500, new SubAckPacket { Type = PacketType.UnsubAck, PacketId = 10, ReasonCodes = new byte[] { 0, 0x11 } }, "B0 05", "000A", "00", "00 11");
    }

    [Fact]
    public void PINGREQ_and_PINGRESP()
    {
        foreach (var version in new[] { V311, V500 })
        {
            Golden(version, new PingPacket(PacketType.PingReq), "C0 00");
            Golden(version, new PingPacket(PacketType.PingResp), "D0 00");
        }
    }

    [Fact]
    public void DISCONNECT_and_AUTH()
    {
        Golden(V311, new DisconnectPacket(), "E0 00");
        Golden(V500, new DisconnectPacket(), "E0 00");
        Golden(V500, new DisconnectPacket { ReasonCode = MqttReasonCode.DisconnectWithWill }, "E0 01", "04");
        Golden(V500, new DisconnectPacket
        {
            ReasonCode = MqttReasonCode.UseAnotherServer,
            Properties = new() { SessionExpirySeconds = 5, ServerReference = "b", ReasonString = "r", UserProperties = [new("k", "v")] },
        },
            "E0 16",
            "9C",
            "14",
            "11 00000005", // Session Expiry Interval
            "1C 0001 62", // Server Reference
            "1F 0001 72",
            "26 0001 6B 0001 76");
        Golden(V500, new DisconnectPacket { Type = PacketType.Auth }, "F0 00");
        Golden(V500, new DisconnectPacket
        {
            Type = PacketType.Auth,
            ReasonCode = MqttReasonCode.ContinueAuthentication,
            Properties = new() { AuthenticationMethod = "m", AuthenticationData = [0xAB], ReasonString = "r" },
        },
            "F0 0E",
            "18",
            "0C",
            "15 0001 6D",
            "16 0001 AB",
            "1F 0001 72");
    }

    private static void Golden<T>(MqttProtocolVersion version, T packet, params string[] hex)
        where T : IPacket
    {
        var expected = Hex.Of(Hex.Bytes(string.Concat(hex)));
        Assert.Equal(expected, Hex.Of(PacketEncoder.ToArray(packet, version)));
        Assert.Equal(expected.Length / 2, PacketEncoder.Measure(packet, version));
        var read = Codec.Decode(Hex.Bytes(expected), version, out var breach);
        Assert.True(read is T, breach.Reason);
        Assert.Equal(expected, Hex.Of(Codec.Encode(read, version)));
    }
}
