namespace EdgeGateway.Protocols.Mqtt;

/// <summary>Quality of service of a message. MQTT 5.0, 4.3.</summary>
public enum MqttQos : byte
{
    /// <summary>Sent once, never acknowledged.</summary>
    AtMostOnce = 0,

    /// <summary>Acknowledged with PUBACK; may arrive more than once.</summary>
    AtLeastOnce = 1,

    /// <summary>Handed over in four steps; arrives once.</summary>
    ExactlyOnce = 2,
}
