using EdgeGateway.Protocols.Mqtt;
using EdgeGateway.Protocols.Mqtt.Packets;

namespace EdgeGateway.Tests.Protocols.Mqtt;

public sealed class StrictParserTests
{
    [Theory]
    [InlineData("00", "type 0")]
    [InlineData("0F00", "type 0")]
    [InlineData("3600", "QoS 3")]
    [InlineData("3800", "QoS 0 and DUP")]
    [InlineData("4100", "reserved flags of PubAck")]
    [InlineData("6000", "reserved flags of PubRel")]
    [InlineData("D100", "reserved flags of PingResp")]
    [InlineData("D08000", "shortest form")]
    [InlineData("3080808001", "larger than the limit")]
    [InlineData("30FFFFFFFF01", "longer than 4 bytes")]
    [InlineData("30E807", "larger than the limit")]
    public void A_bad_header_is_refused_before_its_body_is_read(string hex, string reason)
    {
        var status = FrameHeader.Read(Convert.FromHexString(hex), MqttProtocolVersion.V500, maxPacketSize: 1000, out _, out var breach);
        Assert.Equal(FrameStatus.Breach, status);
        Assert.Contains(reason, breach.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Auth_is_reserved_in_3_1_1()
    {
        Assert.Equal(FrameStatus.Breach, FrameHeader.Read([0xF0, 0x00], MqttProtocolVersion.V311, 1000, out _, out _));
        Assert.Equal(FrameStatus.Known, FrameHeader.Read([0xF0, 0x00], MqttProtocolVersion.V500, 1000, out _, out _));
    }

    [Fact]
    public void A_packet_of_exactly_the_limit_is_taken_and_one_byte_more_is_not()
    {
        // 1 + 2 + 997 = 1000 bytes.
        Assert.Equal(FrameStatus.Known, FrameHeader.Read([0x30, 0xE5, 0x07], MqttProtocolVersion.V500, 1000, out var header, out _));
        Assert.Equal(1000, header.PacketLength);
        Assert.Equal(FrameStatus.Breach, FrameHeader.Read([0x30, 0xE6, 0x07], MqttProtocolVersion.V500, 1000, out _, out var breach));
        Assert.Equal(MqttReasonCode.PacketTooLarge, breach.Code);
    }

    [Theory]
    [InlineData("", "ends inside")]
    [InlineData("00", "ends inside")]
    [InlineData("0000", "ends inside")]
    [InlineData("020000", "reserved")]
    [InlineData("018700", "session present with a refusal")]
    [InlineData("00000321", "longer than the packet")]
    [InlineData("000003210000", "ReceiveMaximum is 0")]
    [InlineData("00000323000A", "property 35 is not allowed")]
    [InlineData("0000020263", "property 2 is not allowed")]
    [InlineData("000006210001210002", "twice")]
    [InlineData("000002240200", "allowed are 0 and 1")]
    [InlineData("00000224", "longer than the packet")]
    [InlineData("0000022100", "ends inside")]
    [InlineData("000003220001FF", "longer than its fields")]
    [InlineData("0000042100022400", "runs over")]
    [InlineData("00008000", "shortest form")]
    public void A_bad_connack_is_refused_with_the_reason(string hex, string reason)
    {
        Assert.False(ConnAckPacket.TryRead(Convert.FromHexString(hex), MqttProtocolVersion.V500, out _, out var breach));
        Assert.Contains(reason, breach.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, "0001C0", "UTF-8")]
    [InlineData(0, "0003EDA080", "UTF-8")]
    [InlineData(0, "000100", "U+0000")]
    [InlineData(0, "000161" + "0201", "longer than the packet")]
    [InlineData(0, "0000" + "00", "topic name is empty")]
    [InlineData(0, "000123" + "00", "wildcard")]
    [InlineData(2, "000161" + "0000" + "00", "packet identifier is 0")]
    [InlineData(2, "000161" + "00", "ends inside")]
    [InlineData(0, "000161" + "03" + "230000", "TopicAlias is 0")]
    [InlineData(0, "000161" + "02" + "0102", "allowed are 0 and 1")]
    [InlineData(0, "000161" + "02" + "0B00", "SubscriptionIdentifier is 0")]
    public void A_bad_publish_is_refused_with_the_reason(int flags, string hex, string reason)
    {
        Assert.False(PublishPacket.TryRead(flags, Convert.FromHexString(hex), MqttProtocolVersion.V500, out _, out var breach));
        Assert.Contains(reason, breach.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0000", MqttProtocolVersion.V500)]
    [InlineData("00", MqttProtocolVersion.V500)]
    [InlineData("000100", MqttProtocolVersion.V311)]
    [InlineData("00010000FF", MqttProtocolVersion.V500)]
    [InlineData("00010002230001", MqttProtocolVersion.V500)]
    public void A_bad_puback_is_refused(string hex, MqttProtocolVersion version) =>
        Assert.False(AckPacket.TryRead(PacketType.PubAck, Convert.FromHexString(hex), version, out _, out _));

    [Fact]
    public void User_properties_and_subscription_identifiers_may_repeat()
    {
        var body = Convert.FromHexString("000161" + "12" + "0B01" + "0B02" + "260001610001" + "62" + "260001610001" + "63");
        Assert.True(PublishPacket.TryRead(0, body, MqttProtocolVersion.V500, out var packet, out var breach), breach.Reason);
        Assert.Equal([1, 2], packet.Properties!.SubscriptionIdentifiers!);
        Assert.Equal([new("a", "b"), new("a", "c")], packet.Properties.UserProperties!);
    }

    [Theory]
    [InlineData("a/b")]
    [InlineData("/")]
    [InlineData("site/Müller/é")]
    public void Good_topic_names_pass(string name) => MqttTopic.ValidateName(name);

    [Theory]
    [InlineData("")]
    [InlineData("a/+")]
    [InlineData("#")]
    [InlineData("a\0b")]
    public void Bad_topic_names_are_refused(string name) => Assert.ThrowsAny<ArgumentException>(() => MqttTopic.ValidateName(name));

    [Fact]
    public void Half_a_surrogate_pair_is_refused() => Assert.ThrowsAny<ArgumentException>(() => MqttTopic.ValidateName("a" + (char)0xD800));

    [Theory]
    [InlineData("#")]
    [InlineData("+")]
    [InlineData("a/+/b/#")]
    [InlineData("$share/group/a")]
    public void Good_topic_filters_pass(string filter) => MqttTopic.ValidateFilter(filter);

    [Theory]
    [InlineData("a#")]
    [InlineData("#/a")]
    [InlineData("a+/b")]
    [InlineData("a/+b")]
    public void Bad_topic_filters_are_refused(string filter) => Assert.Throws<ArgumentException>(() => MqttTopic.ValidateFilter(filter));
}
