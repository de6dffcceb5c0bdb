namespace EdgeGateway.Protocols.Mqtt.Packets;

/// <summary>CONNACK, server to client. MQTT 5.0, 3.2; MQTT 3.1.1, 3.2.</summary>
/// <remarks>acknowledge flags: 0000000, session present | reason code (5.0) or return code (3.1.1) | properties (5.0)</remarks>
internal readonly struct ConnAckPacket : IPacket
{
    public bool SessionPresent { get; init; }

    /// <summary>Return codes of 3.1.1 are translated when read and back when written.</summary>
    public MqttReasonCode ReasonCode { get; init; }

    public MqttProperties? Properties { get; init; }

    public byte First => (byte)PacketType.ConnAck << 4;

    public void WriteBody(ref PacketWriter writer, MqttProtocolVersion version)
    {
        writer.Byte(SessionPresent ? (byte)1 : (byte)0);
        if (version == MqttProtocolVersion.V311)
        {
            writer.Byte(ToReturnCode(ReasonCode));
            return;
        }

        writer.Byte((byte)ReasonCode);
        MqttProperties.Write(ref writer, Properties);
    }

    public static bool TryRead(ReadOnlyMemory<byte> body, MqttProtocolVersion version, out ConnAckPacket packet, out MqttBreach breach)
    {
        if (version == MqttProtocolVersion.V500 && body.Span is [0, > 0 and <= 5])
        {
            // A server that knows only 3.1.1 refuses in its own form, without properties. MQTT 3.1.1, 3.1.2.2 and table 3.1.
            version = MqttProtocolVersion.V311;
        }

        var reader = new PacketReader(body.Span);
        var flags = reader.Byte();
        var code = reader.Byte();
        var reason = version == MqttProtocolVersion.V311 ? FromReturnCode(code) : (MqttReasonCode)code;
        var properties = version == MqttProtocolVersion.V500 ? MqttProperties.Read(ref reader, PropertyRules.ConnAck) : null;
        if ((flags & 0xFE) != 0)
        {
            reader.Fail($"acknowledge flags 0x{flags:X2} are reserved");
        }
        else if (flags == 1 && code != 0)
        {
            // MQTT-3.2.2-6 and, for 3.1.1, MQTT-3.2.2-4.
            reader.Fail("session present with a refusal", MqttReasonCode.ProtocolError);
        }

        packet = new() { SessionPresent = flags == 1, ReasonCode = reason, Properties = properties };
        var whole = reader.End();
        breach = whole ? default : reader.Breach;
        return whole;
    }

    /// <summary>MQTT 3.1.1, table 3.1.</summary>
    private static MqttReasonCode FromReturnCode(byte code) => code switch
    {
        0 => MqttReasonCode.Success,
        1 => MqttReasonCode.UnsupportedProtocolVersion,
        2 => MqttReasonCode.ClientIdentifierNotValid,
        3 => MqttReasonCode.ServerUnavailable,
        4 => MqttReasonCode.BadUserNameOrPassword,
        5 => MqttReasonCode.NotAuthorized,
        _ => MqttReasonCode.UnspecifiedError,
    };

    private static byte ToReturnCode(MqttReasonCode code) => code switch
    {
        MqttReasonCode.Success => 0,
        MqttReasonCode.UnsupportedProtocolVersion => 1,
        MqttReasonCode.ClientIdentifierNotValid => 2,
        MqttReasonCode.BadUserNameOrPassword => 4,
        MqttReasonCode.NotAuthorized => 5,
        _ => 3,
    };
}
