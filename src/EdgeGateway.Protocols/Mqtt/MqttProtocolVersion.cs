namespace EdgeGateway.Protocols.Mqtt;

/// <summary>The protocol level in CONNECT. MQTT 3.1.1, 3.1.2.2 and MQTT 5.0, 3.1.2.2.</summary>
public enum MqttProtocolVersion : byte
{
    /// <summary>MQTT 3.1.1, OASIS standard of 29 October 2014.</summary>
    V311 = 4,

    /// <summary>MQTT 5.0, OASIS standard of 7 March 2019.</summary>
    V500 = 5,
}
