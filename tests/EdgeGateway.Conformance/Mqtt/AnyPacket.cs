using EdgeGateway.Protocols.Mqtt;
using EdgeGateway.Protocols.Mqtt.Packets;
using FsCheck;
using FsCheck.Fluent;

namespace EdgeGateway.Conformance.Mqtt;

/// <summary>Every packet with every property that it may carry, at random.</summary>
internal static class AnyPacket
{
    public static readonly Gen<MqttProtocolVersion> Versions = Gen.Elements(MqttProtocolVersion.V311, MqttProtocolVersion.V500);

    private static readonly Gen<string> Text = Gen.Elements("a", "a/b", "/", "Größe", "温度", "🙂", "\uFEFFx", new string('x', 300));
    private static readonly Gen<string> TextOrNone = Gen.OneOf(Text, Gen.Constant(""));
    private static readonly Gen<byte[]> Data = ArbMap.Default.GeneratorFor<byte[]>();
    private static readonly Gen<bool> Flag = Gen.Elements(true, false);
    private static readonly Gen<ushort> Short = Gen.Choose(1, 65_535).Select(number => (ushort)number);
    private static readonly Gen<uint> Number = Gen.OneOf(Gen.Elements(1u, uint.MaxValue), Gen.Choose(1, int.MaxValue).Select(number => (uint)number));
    private static readonly Gen<MqttReasonCode> Code = Gen.Choose(0, 255).Select(code => (MqttReasonCode)code);
    private static readonly Gen<MqttQos> Qos = Gen.Elements(MqttQos.AtMostOnce, MqttQos.AtLeastOnce, MqttQos.ExactlyOnce);

    /// <summary>The version and a packet that can be sent in it.</summary>
    public static Gen<(MqttProtocolVersion Version, IPacket Packet)> Any { get; } =
        from version in Versions
        from packet in Gen.OneOf(
            Boxed(Connect(version)),
            Boxed(ConnAck(version)),
            Boxed(Publish(version)),
            Boxed(Ack(version)),
            Boxed(Subscribe(version)),
            Boxed(SubAck(version)),
            Boxed(Unsubscribe(version)),
            Boxed(Gen.Elements(PacketType.PingReq, PacketType.PingResp).Select(type => new PingPacket(type))),
            Boxed(Disconnect(version)))
        select (version, packet);

    /// <summary>Each property of the set is there or not; null when none is.</summary>
    private static Gen<MqttProperties?> Properties(MqttProtocolVersion version, ulong allowed, bool manyIdentifiers = false)
    {
        if (version == MqttProtocolVersion.V311)
        {
            return Gen.Constant((MqttProperties?)null);
        }

        return Gen.ArrayOf(Flag, 64).SelectMany(chosen =>
        {
            var properties = Gen.Constant(new MqttProperties());
            var any = false;
            foreach (var id in Enum.GetValues<PropertyId>())
            {
                if (chosen[(int)id] && (allowed & (1UL << (int)id)) != 0)
                {
                    any = true;
                    properties = properties.SelectMany(current => With(current, id, manyIdentifiers));
                }
            }

            return any ? properties.Select(each => (MqttProperties?)each) : Gen.Constant((MqttProperties?)null);
        });
    }

    private static Gen<MqttProperties> With(MqttProperties to, PropertyId id, bool manyIdentifiers) => id switch
    {
        PropertyId.PayloadFormatIndicator => Flag.Select(value => Set(to, on => on.PayloadIsText = value)),
        PropertyId.MessageExpiryInterval => Number.Select(value => Set(to, on => on.MessageExpirySeconds = value)),
        PropertyId.ContentType => TextOrNone.Select(value => Set(to, on => on.ContentType = value)),
        PropertyId.ResponseTopic => Text.Select(value => Set(to, on => on.ResponseTopic = value)),
        PropertyId.CorrelationData => Data.Select(value => Set(to, on => on.CorrelationData = value)),
        PropertyId.SubscriptionIdentifier => Gen.NonEmptyListOf(Gen.Choose(1, FrameHeader.MaxRemainingLength))
            .Select(value => Set(to, on => on.SubscriptionIdentifiers = [.. value.Take(manyIdentifiers ? 5 : 1)])),
        PropertyId.SessionExpiryInterval => Number.Select(value => Set(to, on => on.SessionExpirySeconds = value)),
        PropertyId.AssignedClientIdentifier => Text.Select(value => Set(to, on => on.AssignedClientIdentifier = value)),
        PropertyId.ServerKeepAlive => Short.Select(value => Set(to, on => on.ServerKeepAliveSeconds = value)),
        PropertyId.AuthenticationMethod => Text.Select(value => Set(to, on => on.AuthenticationMethod = value)),
        PropertyId.AuthenticationData => Data.Select(value => Set(to, on => on.AuthenticationData = value)),
        PropertyId.RequestProblemInformation => Flag.Select(value => Set(to, on => on.RequestProblemInformation = value)),
        PropertyId.WillDelayInterval => Number.Select(value => Set(to, on => on.WillDelaySeconds = value)),
        PropertyId.RequestResponseInformation => Flag.Select(value => Set(to, on => on.RequestResponseInformation = value)),
        PropertyId.ResponseInformation => TextOrNone.Select(value => Set(to, on => on.ResponseInformation = value)),
        PropertyId.ServerReference => Text.Select(value => Set(to, on => on.ServerReference = value)),
        PropertyId.ReasonString => TextOrNone.Select(value => Set(to, on => on.ReasonString = value)),
        PropertyId.ReceiveMaximum => Short.Select(value => Set(to, on => on.ReceiveMaximum = value)),
        PropertyId.TopicAliasMaximum => Short.Select(value => Set(to, on => on.TopicAliasMaximum = value)),
        PropertyId.TopicAlias => Short.Select(value => Set(to, on => on.TopicAlias = value)),
        PropertyId.MaximumQos => Gen.Elements<byte>(0, 1).Select(value => Set(to, on => on.MaximumQos = value)),
        PropertyId.RetainAvailable => Flag.Select(value => Set(to, on => on.RetainAvailable = value)),
        PropertyId.UserProperty => Gen.NonEmptyListOf(TextOrNone.Zip(TextOrNone, (name, value) => new KeyValuePair<string, string>(name, value)))
            .Select(value => Set(to, on => on.UserProperties = [.. value])),
        PropertyId.MaximumPacketSize => Number.Select(value => Set(to, on => on.MaximumPacketSize = value)),
        PropertyId.WildcardSubscriptionAvailable => Flag.Select(value => Set(to, on => on.WildcardSubscriptionAvailable = value)),
        PropertyId.SubscriptionIdentifiersAvailable => Flag.Select(value => Set(to, on => on.SubscriptionIdentifiersAvailable = value)),
        PropertyId.SharedSubscriptionAvailable => Flag.Select(value => Set(to, on => on.SharedSubscriptionAvailable = value)),
        _ => throw new ArgumentOutOfRangeException(nameof(id), id, "a property without a generator"),
    };

    private static Gen<ConnectPacket> Connect(MqttProtocolVersion version) =>
        from client in TextOrNone
        from clean in Flag
        from keepAlive in Gen.Choose(0, 65_535)
        from will in Maybe(
            from topic in Text
            from payload in Data
            from qos in Qos
            from retain in Flag
            from properties in Properties(version, PropertyRules.Will)
            select new WillFields(topic, payload, qos, retain, properties))
        from user in Maybe(TextOrNone)
        from password in Maybe(Data)
        from properties in Properties(version, PropertyRules.Connect)
        select new ConnectPacket
        {
            ClientId = client,
            CleanStart = clean,
            KeepAliveSeconds = (ushort)keepAlive,
            Will = will,
            UserName = user,
            Password = version == MqttProtocolVersion.V311 && user is null ? null : password,
            Properties = properties,
        };

    private static Gen<ConnAckPacket> ConnAck(MqttProtocolVersion version) =>
        from present in Flag
        from code in version == MqttProtocolVersion.V500 ? Code : Gen.Elements(
            MqttReasonCode.Success,
            MqttReasonCode.UnsupportedProtocolVersion,
            MqttReasonCode.ClientIdentifierNotValid,
            MqttReasonCode.ServerUnavailable,
            MqttReasonCode.BadUserNameOrPassword,
            MqttReasonCode.NotAuthorized)
        from properties in Properties(version, PropertyRules.ConnAck)
        select new ConnAckPacket { SessionPresent = present && code == MqttReasonCode.Success, ReasonCode = code, Properties = properties };

    private static Gen<PublishPacket> Publish(MqttProtocolVersion version) =>
        from topic in Text
        from payload in Data
        from qos in Qos
        from id in Short
        from retain in Flag
        from duplicate in Flag
        from properties in Properties(version, PropertyRules.Publish, manyIdentifiers: true)
        select new PublishPacket
        {
            Topic = properties?.TopicAlias is > 40_000 ? "" : topic,
            Payload = payload,
            Qos = qos,
            Retain = retain,
            Duplicate = duplicate && qos != MqttQos.AtMostOnce,
            PacketId = qos == MqttQos.AtMostOnce ? (ushort)0 : id,
            Properties = properties,
        };

    private static Gen<AckPacket> Ack(MqttProtocolVersion version) =>
        from type in Gen.Elements(PacketType.PubAck, PacketType.PubRec, PacketType.PubRel, PacketType.PubComp)
        from id in Short
        from code in version == MqttProtocolVersion.V500 ? Code : Gen.Constant(MqttReasonCode.Success)
        from properties in Properties(version, PropertyRules.Acknowledge)
        select new AckPacket { Type = type, PacketId = id, ReasonCode = code, Properties = properties };

    private static Gen<SubscribePacket> Subscribe(MqttProtocolVersion version) =>
        from id in Short
        from filters in Gen.NonEmptyListOf(
            from filter in Text
            from qos in Gen.Choose(0, 2)
            from flags in Gen.Choose(0, 3)
            from retained in Gen.Choose(0, 2)
            select new FilterRequest(filter, (byte)(version == MqttProtocolVersion.V311 ? qos : qos | (flags << 2) | (retained << 4))))
        from properties in Properties(version, PropertyRules.Subscribe)
        select new SubscribePacket { PacketId = id, Filters = [.. filters], Properties = properties };

    private static Gen<SubAckPacket> SubAck(MqttProtocolVersion version) =>
        from type in Gen.Elements(PacketType.SubAck, PacketType.UnsubAck)
        from id in Short
        from codes in Gen.NonEmptyListOf(Gen.Choose(0, 255).Select(code => (byte)code))
        from properties in Properties(version, PropertyRules.Acknowledge)
        select new SubAckPacket
        {
            Type = type,
            PacketId = id,
            ReasonCodes = type == PacketType.UnsubAck && version == MqttProtocolVersion.V311 ? default : codes.ToArray(),
            Properties = properties,
        };

    private static Gen<UnsubscribePacket> Unsubscribe(MqttProtocolVersion version) =>
        from id in Short
        from filters in Gen.NonEmptyListOf(Text)
        from properties in Properties(version, PropertyRules.Common)
        select new UnsubscribePacket { PacketId = id, Filters = [.. filters], Properties = properties };

    private static Gen<DisconnectPacket> Disconnect(MqttProtocolVersion version)
    {
        if (version == MqttProtocolVersion.V311)
        {
            return Gen.Constant(new DisconnectPacket());
        }

        return from type in Gen.Elements(PacketType.Disconnect, PacketType.Auth)
               from code in Code
               from properties in Properties(version, type == PacketType.Auth ? PropertyRules.Auth : PropertyRules.Disconnect)
               select new DisconnectPacket { Type = type, ReasonCode = code, Properties = properties };
    }

    private static Gen<IPacket> Boxed<T>(Gen<T> gen)
        where T : IPacket => gen.Select(packet => (IPacket)packet);

    private static Gen<T?> Maybe<T>(Gen<T> gen)
        where T : class => Gen.OneOf(Gen.Constant((T?)null), gen.Select(value => (T?)value));

    /// <summary>Properties are filled one after another; each sample has an object of its own.</summary>
    private static MqttProperties Set(MqttProperties properties, Action<MqttProperties> set)
    {
        set(properties);
        return properties;
    }
}
