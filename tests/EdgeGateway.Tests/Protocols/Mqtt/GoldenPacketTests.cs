using EdgeGateway.Protocols.Mqtt;
using EdgeGateway.Protocols.Mqtt.Packets;

namespace EdgeGateway.Tests.Protocols.Mqtt;

/// <summary>Bytes written by hand from the figures of the standards.</summary>
public sealed class GoldenPacketTests
{
    private static string Hex<T>(T packet, MqttProtocolVersion version)
        where T : IPacket => Convert.ToHexString(PacketEncoder.ToArray(packet, version));

    // MQTT 3.1.1, 3.1.2, figure 3.6: "MQTT", level 4, all flags but will retain, keep alive 10.
    [Fact]
    public void Connect_of_3_1_1_matches_the_figure_in_the_specification()
    {
        var packet = new ConnectPacket
        {
            ClientId = "c",
            CleanStart = true,
            KeepAliveSeconds = 10,
            Will = new("w", new byte[] { 0x78 }, MqttQos.AtLeastOnce, Retain: false, null),
            UserName = "u",
            Password = [0x70],
        };
        Assert.Equal("1019" + "00044D515454" + "04" + "CE" + "000A" + "000163" + "000177" + "000178" + "000175" + "000170", Hex(packet, MqttProtocolVersion.V311));
    }

    // MQTT 5.0, 3.1.2, figure 3-6: flags CE, keep alive 10, property length 5, Session Expiry Interval 10.
    [Fact]
    public void Connect_of_5_0_matches_the_figure_in_the_specification()
    {
        var packet = new ConnectPacket
        {
            ClientId = "",
            CleanStart = true,
            KeepAliveSeconds = 10,
            Will = new("w", new byte[] { 0x78 }, MqttQos.AtLeastOnce, Retain: false, null),
            UserName = "u",
            Password = [0x70],
            Properties = new() { SessionExpirySeconds = 10 },
        };
        Assert.Equal(
            "101F" + "00044D515454" + "05" + "CE" + "000A" + "05110000000A" + "0000" + "00" + "000177" + "000178" + "000175" + "000170",
            Hex(packet, MqttProtocolVersion.V500));
    }

    // MQTT 3.1.1 and 5.0, 3.3.2, figure 3.11: topic a/b, packet identifier 10.
    [Theory]
    [InlineData(MqttProtocolVersion.V311, "3209" + "0003612F62" + "000A" + "6869")]
    [InlineData(MqttProtocolVersion.V500, "320A" + "0003612F62" + "000A" + "00" + "6869")]
    public void Publish_matches_the_figure_in_the_specification(MqttProtocolVersion version, string expected) =>
        Assert.Equal(expected, Hex(new PublishPacket { Topic = "a/b", Payload = "hi"u8.ToArray(), Qos = MqttQos.AtLeastOnce, PacketId = 10 }, version));

    // MQTT 3.1.1, 3.8.3, figure 3.23: a/b at QoS 1, c/d at QoS 2.
    [Fact]
    public void Subscribe_matches_the_figure_in_the_specification() =>
        Assert.Equal(
            "820E" + "000A" + "0003612F62" + "01" + "0003632F64" + "02",
            Hex(new SubscribePacket { PacketId = 10, Filters = [new("a/b", 1), new("c/d", 2)] }, MqttProtocolVersion.V311));

    // MQTT 3.1.1, 3.10.3, figure 3.30.
    [Fact]
    public void Unsubscribe_matches_the_figure_in_the_specification() =>
        Assert.Equal(
            "A20C" + "000A" + "0003612F62" + "0003632F64",
            Hex(new UnsubscribePacket { PacketId = 10, Filters = ["a/b", "c/d"] }, MqttProtocolVersion.V311));

    [Fact]
    public void Short_packets_are_short()
    {
        Assert.Equal("C000", Hex(new PingPacket(PacketType.PingReq), MqttProtocolVersion.V500));
        Assert.Equal("E000", Hex(new DisconnectPacket(), MqttProtocolVersion.V500));
        Assert.Equal("E000", Hex(new DisconnectPacket { ReasonCode = MqttReasonCode.ProtocolError }, MqttProtocolVersion.V311));
        Assert.Equal("E00182", Hex(new DisconnectPacket { ReasonCode = MqttReasonCode.ProtocolError }, MqttProtocolVersion.V500));
        Assert.Equal("40020007", Hex(new AckPacket { Type = PacketType.PubAck, PacketId = 7 }, MqttProtocolVersion.V500));
        Assert.Equal("4003000797", Hex(new AckPacket { Type = PacketType.PubAck, PacketId = 7, ReasonCode = MqttReasonCode.QuotaExceeded }, MqttProtocolVersion.V500));
        Assert.Equal("62020007", Hex(new AckPacket { Type = PacketType.PubRel, PacketId = 7 }, MqttProtocolVersion.V311));
    }

    // MQTT 5.0, 3.2.2.3: reason, length, then Receive Maximum 20, Maximum QoS 1, Maximum Packet Size 64 KiB, Server Keep Alive 60.
    [Fact]
    public void Limits_in_a_connack_are_understood()
    {
        var body = Convert.FromHexString("0000" + "0D" + "210014" + "2401" + "2700010000" + "13003C");
        Assert.True(ConnAckPacket.TryRead(body, MqttProtocolVersion.V500, out var packet, out var breach), breach.Reason);
        Assert.Equal((ushort)20, packet.Properties!.ReceiveMaximum);
        Assert.Equal((byte)1, packet.Properties.MaximumQos);
        Assert.Equal(65_536u, packet.Properties.MaximumPacketSize);
        Assert.Equal((ushort)60, packet.Properties.ServerKeepAliveSeconds);
    }

    // MQTT 3.1.1, table 3.1.
    [Theory]
    [InlineData(1, MqttReasonCode.UnsupportedProtocolVersion)]
    [InlineData(2, MqttReasonCode.ClientIdentifierNotValid)]
    [InlineData(3, MqttReasonCode.ServerUnavailable)]
    [InlineData(4, MqttReasonCode.BadUserNameOrPassword)]
    [InlineData(5, MqttReasonCode.NotAuthorized)]
    public void Return_codes_of_3_1_1_become_reason_codes(byte code, MqttReasonCode expected)
    {
        Assert.True(ConnAckPacket.TryRead(new byte[] { 0, code }, MqttProtocolVersion.V311, out var packet, out _));
        Assert.Equal(expected, packet.ReasonCode);
    }

    // MQTT 5.0, table 1-1 (2.1.4).
    [Theory]
    [InlineData(127, "7F")]
    [InlineData(128, "8001")]
    [InlineData(16_383, "FF7F")]
    [InlineData(16_384, "808001")]
    [InlineData(2_097_151, "FFFF7F")]
    [InlineData(2_097_152, "80808001")]
    [InlineData(268_435_455, "FFFFFF7F")]
    public void Variable_byte_integers_match_the_table_in_the_specification(int value, string hex)
    {
        var bytes = new byte[4];
        var writer = new PacketWriter(bytes);
        writer.Variable(value);
        Assert.Equal(hex, Convert.ToHexString(bytes.AsSpan(0, writer.Length)));
        var reader = new PacketReader(bytes.AsSpan(0, writer.Length));
        Assert.Equal(value, reader.Variable());
        Assert.True(reader.End());
    }
}
