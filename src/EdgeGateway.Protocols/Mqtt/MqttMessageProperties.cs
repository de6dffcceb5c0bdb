using EdgeGateway.Protocols.Mqtt.Packets;

namespace EdgeGateway.Protocols.Mqtt;

/// <summary>What MQTT 5.0 can say about a message besides topic and payload (3.3.2.3); ignored on 3.1.1 connections.</summary>
public sealed record MqttMessageProperties
{
    /// <summary>True when the payload is UTF-8 text, null when nothing is said.</summary>
    public bool? PayloadIsText { get; init; }

    /// <summary>MIME type of the payload.</summary>
    public string? ContentType { get; init; }

    /// <summary>Life of the message in seconds; the server drops what it could not deliver in that time.</summary>
    public uint? MessageExpirySeconds { get; init; }

    /// <summary>Where an answer is expected.</summary>
    public string? ResponseTopic { get; init; }

    /// <summary>What an answer must carry so that it can be matched.</summary>
    public ReadOnlyMemory<byte>? CorrelationData { get; init; }

    /// <summary>Name and value pairs, in order; names may repeat.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> UserProperties { get; init; } = [];

    /// <summary>Throws when a property cannot be sent.</summary>
    /// <exception cref="ArgumentException">Says which and why.</exception>
    public void Validate()
    {
        MqttTopic.ValidateString(ContentType, nameof(ContentType));
        if (ResponseTopic is not null)
        {
            MqttTopic.ValidateName(ResponseTopic);
        }

        if (CorrelationData is { Length: > ushort.MaxValue } data)
        {
            throw new ArgumentException($"correlation data have {data.Length} bytes, allowed are 65,535", nameof(CorrelationData));
        }

        foreach (var (name, value) in UserProperties)
        {
            MqttTopic.ValidateString(name, nameof(UserProperties));
            MqttTopic.ValidateString(value, nameof(UserProperties));
        }
    }

    /// <summary>Writes the properties into a PUBLISH without an object in between, because that would be one for each message.</summary>
    internal void WriteFields(ref PacketWriter writer)
    {
        if (PayloadIsText is { } text)
        {
            writer.Byte((byte)PropertyId.PayloadFormatIndicator);
            writer.Byte(text ? (byte)1 : (byte)0);
        }

        if (MessageExpirySeconds is { } expiry)
        {
            writer.Byte((byte)PropertyId.MessageExpiryInterval);
            writer.UInt32(expiry);
        }

        if (ContentType is not null)
        {
            writer.Byte((byte)PropertyId.ContentType);
            writer.String(ContentType);
        }

        if (ResponseTopic is not null)
        {
            writer.Byte((byte)PropertyId.ResponseTopic);
            writer.String(ResponseTopic);
        }

        if (CorrelationData is { } data)
        {
            writer.Byte((byte)PropertyId.CorrelationData);
            writer.Binary(data.Span);
        }

        for (var i = 0; i < UserProperties.Count; i++)
        {
            writer.Byte((byte)PropertyId.UserProperty);
            writer.String(UserProperties[i].Key);
            writer.String(UserProperties[i].Value);
        }
    }

    internal MqttProperties ToWire() => new()
    {
        PayloadIsText = PayloadIsText,
        ContentType = ContentType,
        MessageExpirySeconds = MessageExpirySeconds,
        ResponseTopic = ResponseTopic,
        CorrelationData = CorrelationData?.ToArray(),
        UserProperties = UserProperties.Count == 0 ? null : [.. UserProperties],
    };

    internal static MqttMessageProperties? FromWire(MqttProperties? wire) => wire is null ? null : new()
    {
        PayloadIsText = wire.PayloadIsText,
        ContentType = wire.ContentType,
        MessageExpirySeconds = wire.MessageExpirySeconds,
        ResponseTopic = wire.ResponseTopic,
        CorrelationData = wire.CorrelationData is { } data ? data : (ReadOnlyMemory<byte>?)null,
        UserProperties = wire.UserProperties ?? [],
    };
}
