namespace EdgeGateway.Protocols.Mqtt.Packets;

/// <summary>Property identifiers. MQTT 5.0, 2.2.2.2, table 2-4.</summary>
internal enum PropertyId : byte
{
    PayloadFormatIndicator = 1,
    MessageExpiryInterval = 2,
    ContentType = 3,
    ResponseTopic = 8,
    CorrelationData = 9,
    SubscriptionIdentifier = 11,
    SessionExpiryInterval = 17,
    AssignedClientIdentifier = 18,
    ServerKeepAlive = 19,
    AuthenticationMethod = 21,
    AuthenticationData = 22,
    RequestProblemInformation = 23,
    WillDelayInterval = 24,
    RequestResponseInformation = 25,
    ResponseInformation = 26,
    ServerReference = 28,
    ReasonString = 31,
    ReceiveMaximum = 33,
    TopicAliasMaximum = 34,
    TopicAlias = 35,
    MaximumQos = 36,
    RetainAvailable = 37,
    UserProperty = 38,
    MaximumPacketSize = 39,
    WildcardSubscriptionAvailable = 40,
    SubscriptionIdentifiersAvailable = 41,
    SharedSubscriptionAvailable = 42,
}

/// <summary>Which properties each packet may carry, one bit for each identifier. MQTT 5.0, table 2-4.</summary>
internal static class PropertyRules
{
    public const ulong Common = 1UL << (int)PropertyId.UserProperty;

    public const ulong Acknowledge = Common | (1UL << (int)PropertyId.ReasonString);

    public const ulong Message = Common
        | (1UL << (int)PropertyId.PayloadFormatIndicator)
        | (1UL << (int)PropertyId.MessageExpiryInterval)
        | (1UL << (int)PropertyId.ContentType)
        | (1UL << (int)PropertyId.ResponseTopic)
        | (1UL << (int)PropertyId.CorrelationData);

    public const ulong Publish = Message
        | (1UL << (int)PropertyId.SubscriptionIdentifier)
        | (1UL << (int)PropertyId.TopicAlias);

    public const ulong Will = Message | (1UL << (int)PropertyId.WillDelayInterval);

    public const ulong Authentication = (1UL << (int)PropertyId.AuthenticationMethod) | (1UL << (int)PropertyId.AuthenticationData);

    public const ulong Connect = Common | Authentication
        | (1UL << (int)PropertyId.SessionExpiryInterval)
        | (1UL << (int)PropertyId.RequestProblemInformation)
        | (1UL << (int)PropertyId.RequestResponseInformation)
        | (1UL << (int)PropertyId.ReceiveMaximum)
        | (1UL << (int)PropertyId.TopicAliasMaximum)
        | (1UL << (int)PropertyId.MaximumPacketSize);

    public const ulong ConnAck = Acknowledge | Authentication
        | (1UL << (int)PropertyId.SessionExpiryInterval)
        | (1UL << (int)PropertyId.AssignedClientIdentifier)
        | (1UL << (int)PropertyId.ServerKeepAlive)
        | (1UL << (int)PropertyId.ResponseInformation)
        | (1UL << (int)PropertyId.ServerReference)
        | (1UL << (int)PropertyId.ReceiveMaximum)
        | (1UL << (int)PropertyId.TopicAliasMaximum)
        | (1UL << (int)PropertyId.MaximumQos)
        | (1UL << (int)PropertyId.RetainAvailable)
        | (1UL << (int)PropertyId.MaximumPacketSize)
        | (1UL << (int)PropertyId.WildcardSubscriptionAvailable)
        | (1UL << (int)PropertyId.SubscriptionIdentifiersAvailable)
        | (1UL << (int)PropertyId.SharedSubscriptionAvailable);

    public const ulong Subscribe = Common | (1UL << (int)PropertyId.SubscriptionIdentifier);

    public const ulong Disconnect = Acknowledge
        | (1UL << (int)PropertyId.SessionExpiryInterval)
        | (1UL << (int)PropertyId.ServerReference);

    public const ulong Auth = Acknowledge | Authentication;
}
