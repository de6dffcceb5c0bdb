namespace EdgeGateway.Protocols.Mqtt;

/// <summary>A message to be published.</summary>
public readonly record struct MqttPublication
{
    /// <summary>A message of QoS 1 that is not kept by the server, unless told otherwise.</summary>
    public MqttPublication()
    {
    }

    /// <summary>Topic name without wildcards.</summary>
    public required string Topic { get; init; }

    /// <summary>The content; must not change until the publish completes.</summary>
    public ReadOnlyMemory<byte> Payload { get; init; }

    /// <summary>Quality of service; not looked at when an earlier message is recalled, which keeps its own.</summary>
    public MqttQos Qos { get; init; } = MqttQos.AtLeastOnce;

    /// <summary>True when the server shall keep it for later subscribers.</summary>
    public bool Retain { get; init; }

    /// <summary>Content type and the like; MQTT 5.0 only.</summary>
    public MqttMessageProperties? Properties { get; init; }
}
