namespace EdgeGateway.Protocols.Mqtt.Packets;

/// <summary>The properties of one packet; what is null was not sent. MQTT 5.0, 2.2.2.</summary>
internal sealed class MqttProperties
{
    public bool? PayloadIsText { get; set; }

    public uint? MessageExpirySeconds { get; set; }

    public string? ContentType { get; set; }

    public string? ResponseTopic { get; set; }

    public byte[]? CorrelationData { get; set; }

    /// <summary>May repeat in a PUBLISH from a server, one for each matching subscription. MQTT 5.0, 3.3.2.3.8.</summary>
    public List<int>? SubscriptionIdentifiers { get; set; }

    public uint? SessionExpirySeconds { get; set; }

    public string? AssignedClientIdentifier { get; set; }

    public ushort? ServerKeepAliveSeconds { get; set; }

    public string? AuthenticationMethod { get; set; }

    public byte[]? AuthenticationData { get; set; }

    public bool? RequestProblemInformation { get; set; }

    public uint? WillDelaySeconds { get; set; }

    public bool? RequestResponseInformation { get; set; }

    public string? ResponseInformation { get; set; }

    public string? ServerReference { get; set; }

    public string? ReasonString { get; set; }

    public ushort? ReceiveMaximum { get; set; }

    public ushort? TopicAliasMaximum { get; set; }

    public ushort? TopicAlias { get; set; }

    /// <summary>0 or 1; absent means 2. MQTT 5.0, 3.2.2.3.4.</summary>
    public byte? MaximumQos { get; set; }

    public bool? RetainAvailable { get; set; }

    public List<KeyValuePair<string, string>>? UserProperties { get; set; }

    public uint? MaximumPacketSize { get; set; }

    public bool? WildcardSubscriptionAvailable { get; set; }

    public bool? SubscriptionIdentifiersAvailable { get; set; }

    public bool? SharedSubscriptionAvailable { get; set; }

    /// <summary>Writes length and properties; nothing but a zero length when there are none.</summary>
    public static void Write(ref PacketWriter writer, MqttProperties? properties)
    {
        if (properties is null)
        {
            writer.Byte(0);
            return;
        }

        var measure = PacketWriter.Measuring();
        properties.WriteFields(ref measure);
        writer.Variable(measure.Length);
        properties.WriteFields(ref writer);
    }

    /// <summary>Reads length and properties; null when there are none or the reader failed.</summary>
    /// <param name="reader">Stands at the property length.</param>
    /// <param name="allowed">One of <see cref="PropertyRules"/>: what this packet may carry.</param>
    /// <param name="manySubscriptionIdentifiers">True for PUBLISH, where the subscription identifier may repeat.</param>
    public static MqttProperties? Read(ref PacketReader reader, ulong allowed, bool manySubscriptionIdentifiers = false)
    {
        var length = reader.Variable();
        if (length > reader.Remaining)
        {
            reader.Fail("properties are longer than the packet");
        }

        if (length == 0 || reader.Failed)
        {
            return null;
        }

        var properties = new MqttProperties();
        var end = reader.Position + length;
        var seen = 0UL;
        while (!reader.Failed && reader.Position < end)
        {
            var id = reader.Variable();
            if (id >= 64 || (allowed & (1UL << id)) == 0)
            {
                reader.Fail($"property {id} is not allowed here", id is > 0 and <= 42 ? MqttReasonCode.ProtocolError : MqttReasonCode.MalformedPacket);
                break;
            }

            var repeats = id == (int)PropertyId.UserProperty || (id == (int)PropertyId.SubscriptionIdentifier && manySubscriptionIdentifiers);
            if ((seen & (1UL << id)) != 0 && !repeats)
            {
                reader.Fail($"property {(PropertyId)id} appears twice", MqttReasonCode.ProtocolError);
                break;
            }

            seen |= 1UL << id;
            properties.ReadField(ref reader, (PropertyId)id);
        }

        if (reader.Position != end)
        {
            reader.Fail("a property runs over the end of the properties");
        }

        return reader.Failed ? null : properties;
    }

    private void ReadField(ref PacketReader reader, PropertyId id)
    {
        switch (id)
        {
            case PropertyId.PayloadFormatIndicator: PayloadIsText = reader.Boolean("Payload Format Indicator"); break;
            case PropertyId.MessageExpiryInterval: MessageExpirySeconds = reader.UInt32(); break;
            case PropertyId.ContentType: ContentType = reader.String(); break;
            case PropertyId.ResponseTopic: ResponseTopic = reader.String(); break;
            case PropertyId.CorrelationData: CorrelationData = reader.Binary().ToArray(); break;
            case PropertyId.SubscriptionIdentifier: (SubscriptionIdentifiers ??= []).Add((int)NotZero(ref reader, id, (uint)reader.Variable())); break;
            case PropertyId.SessionExpiryInterval: SessionExpirySeconds = reader.UInt32(); break;
            case PropertyId.AssignedClientIdentifier: AssignedClientIdentifier = reader.String(); break;
            case PropertyId.ServerKeepAlive: ServerKeepAliveSeconds = reader.UInt16(); break;
            case PropertyId.AuthenticationMethod: AuthenticationMethod = reader.String(); break;
            case PropertyId.AuthenticationData: AuthenticationData = reader.Binary().ToArray(); break;
            case PropertyId.RequestProblemInformation: RequestProblemInformation = reader.Boolean("Request Problem Information"); break;
            case PropertyId.WillDelayInterval: WillDelaySeconds = reader.UInt32(); break;
            case PropertyId.RequestResponseInformation: RequestResponseInformation = reader.Boolean("Request Response Information"); break;
            case PropertyId.ResponseInformation: ResponseInformation = reader.String(); break;
            case PropertyId.ServerReference: ServerReference = reader.String(); break;
            case PropertyId.ReasonString: ReasonString = reader.String(); break;
            case PropertyId.ReceiveMaximum: ReceiveMaximum = (ushort)NotZero(ref reader, id, reader.UInt16()); break;
            case PropertyId.TopicAliasMaximum: TopicAliasMaximum = reader.UInt16(); break;
            case PropertyId.TopicAlias: TopicAlias = (ushort)NotZero(ref reader, id, reader.UInt16()); break;
            case PropertyId.MaximumQos: MaximumQos = reader.Boolean("Maximum QoS") ? (byte)1 : (byte)0; break;
            case PropertyId.RetainAvailable: RetainAvailable = reader.Boolean("Retain Available"); break;
            case PropertyId.UserProperty: (UserProperties ??= []).Add(new(reader.String(), reader.String())); break;
            case PropertyId.MaximumPacketSize: MaximumPacketSize = NotZero(ref reader, id, reader.UInt32()); break;
            case PropertyId.WildcardSubscriptionAvailable: WildcardSubscriptionAvailable = reader.Boolean("Wildcard Subscription Available"); break;
            case PropertyId.SubscriptionIdentifiersAvailable: SubscriptionIdentifiersAvailable = reader.Boolean("Subscription Identifiers Available"); break;
            case PropertyId.SharedSubscriptionAvailable: SharedSubscriptionAvailable = reader.Boolean("Shared Subscription Available"); break;
            default: reader.Fail($"property {(int)id} is unknown"); break;
        }
    }

    private static uint NotZero(ref PacketReader reader, PropertyId id, uint value)
    {
        if (value == 0)
        {
            reader.Fail($"{id} is 0", id == PropertyId.TopicAlias ? MqttReasonCode.TopicAliasInvalid : MqttReasonCode.ProtocolError);
        }

        return value;
    }

    private void WriteFields(ref PacketWriter writer)
    {
        Flag(ref writer, PropertyId.PayloadFormatIndicator, PayloadIsText);
        Number(ref writer, PropertyId.MessageExpiryInterval, MessageExpirySeconds);
        Text(ref writer, PropertyId.ContentType, ContentType);
        Text(ref writer, PropertyId.ResponseTopic, ResponseTopic);
        Data(ref writer, PropertyId.CorrelationData, CorrelationData);
        foreach (var identifier in SubscriptionIdentifiers ?? [])
        {
            writer.Byte((byte)PropertyId.SubscriptionIdentifier);
            writer.Variable(identifier);
        }

        Number(ref writer, PropertyId.SessionExpiryInterval, SessionExpirySeconds);
        Text(ref writer, PropertyId.AssignedClientIdentifier, AssignedClientIdentifier);
        Short(ref writer, PropertyId.ServerKeepAlive, ServerKeepAliveSeconds);
        Text(ref writer, PropertyId.AuthenticationMethod, AuthenticationMethod);
        Data(ref writer, PropertyId.AuthenticationData, AuthenticationData);
        Flag(ref writer, PropertyId.RequestProblemInformation, RequestProblemInformation);
        Number(ref writer, PropertyId.WillDelayInterval, WillDelaySeconds);
        Flag(ref writer, PropertyId.RequestResponseInformation, RequestResponseInformation);
        Text(ref writer, PropertyId.ResponseInformation, ResponseInformation);
        Text(ref writer, PropertyId.ServerReference, ServerReference);
        Text(ref writer, PropertyId.ReasonString, ReasonString);
        Short(ref writer, PropertyId.ReceiveMaximum, ReceiveMaximum);
        Short(ref writer, PropertyId.TopicAliasMaximum, TopicAliasMaximum);
        Short(ref writer, PropertyId.TopicAlias, TopicAlias);
        Flag(ref writer, PropertyId.MaximumQos, MaximumQos is { } qos ? qos != 0 : null);
        Flag(ref writer, PropertyId.RetainAvailable, RetainAvailable);
        foreach (var (name, value) in UserProperties ?? [])
        {
            writer.Byte((byte)PropertyId.UserProperty);
            writer.String(name);
            writer.String(value);
        }

        Number(ref writer, PropertyId.MaximumPacketSize, MaximumPacketSize);
        Flag(ref writer, PropertyId.WildcardSubscriptionAvailable, WildcardSubscriptionAvailable);
        Flag(ref writer, PropertyId.SubscriptionIdentifiersAvailable, SubscriptionIdentifiersAvailable);
        Flag(ref writer, PropertyId.SharedSubscriptionAvailable, SharedSubscriptionAvailable);
    }

    private static void Flag(ref PacketWriter writer, PropertyId id, bool? value)
    {
        if (value is { } flag)
        {
            writer.Byte((byte)id);
            writer.Byte(flag ? (byte)1 : (byte)0);
        }
    }

    private static void Short(ref PacketWriter writer, PropertyId id, ushort? value)
    {
        if (value is { } number)
        {
            writer.Byte((byte)id);
            writer.UInt16(number);
        }
    }

    private static void Number(ref PacketWriter writer, PropertyId id, uint? value)
    {
        if (value is { } number)
        {
            writer.Byte((byte)id);
            writer.UInt32(number);
        }
    }

    private static void Text(ref PacketWriter writer, PropertyId id, string? value)
    {
        if (value is not null)
        {
            writer.Byte((byte)id);
            writer.String(value);
        }
    }

    private static void Data(ref PacketWriter writer, PropertyId id, byte[]? value)
    {
        if (value is not null)
        {
            writer.Byte((byte)id);
            writer.Binary(value);
        }
    }
}
