namespace EdgeGateway.Protocols.Mqtt.Packets;

/// <summary>How a peer broke the protocol: the code for DISCONNECT and the reason in words. It ends the connection, nothing else.</summary>
internal readonly record struct MqttBreach(MqttReasonCode Code, string Reason);
