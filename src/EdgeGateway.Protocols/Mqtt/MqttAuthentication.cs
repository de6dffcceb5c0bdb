namespace EdgeGateway.Protocols.Mqtt;

/// <summary>Enhanced authentication: a conversation of the caller's own choice inside CONNECT and AUTH. MQTT 5.0, 4.12; 5.0 only.</summary>
public sealed record MqttAuthentication
{
    /// <summary>Name of the method, as the server knows it.</summary>
    public required string Method { get; init; }

    /// <summary>
    /// Asked for the data of each of our packets; null sends none. An exception ends the attempt: throw when the server's data do not prove what they must.
    /// </summary>
    public required Func<MqttAuthenticationStep, CancellationToken, ValueTask<ReadOnlyMemory<byte>?>> Respond { get; init; }
}

/// <summary>Where an authentication stands.</summary>
public enum MqttAuthenticationStage
{
    /// <summary>CONNECT, or the AUTH that starts again, is about to leave.</summary>
    Start,

    /// <summary>The server asks for more.</summary>
    Continue,

    /// <summary>The server is content; what is returned is not sent.</summary>
    Success,
}

/// <summary>One step of an authentication.</summary>
/// <param name="Stage">Where it stands.</param>
/// <param name="Data">The server's data; empty when it sent none.</param>
public readonly record struct MqttAuthenticationStep(MqttAuthenticationStage Stage, ReadOnlyMemory<byte> Data);
