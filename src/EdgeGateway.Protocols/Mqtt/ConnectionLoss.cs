using System.Net.Sockets;
using EdgeGateway.Protocols.Mqtt.Packets;

namespace EdgeGateway.Protocols.Mqtt;

/// <summary>Why a connection ended, as a value.</summary>
/// <param name="Cause">The kind.</param>
/// <param name="Reason">In words.</param>
/// <param name="Code">The server's reason code, or the one for our DISCONNECT after a breach.</param>
/// <param name="Reference">Where the server sent us to. MQTT 5.0, 4.13.</param>
internal sealed record ConnectionLoss(MqttLossCause Cause, string Reason, MqttReasonCode? Code = null, string? Reference = null)
{
    /// <summary>True when the server ended it and may have done so because of what we sent; not when it says that it had other reasons.</summary>
    public bool BlamesMessage => Cause == MqttLossCause.ClosedByServer && (Code is null
        or MqttReasonCode.UnspecifiedError or MqttReasonCode.MalformedPacket or MqttReasonCode.ProtocolError
        or MqttReasonCode.ImplementationSpecificError or MqttReasonCode.TopicNameInvalid or MqttReasonCode.PacketTooLarge
        or MqttReasonCode.MessageRateTooHigh or MqttReasonCode.QuotaExceeded or MqttReasonCode.PayloadFormatInvalid
        or MqttReasonCode.RetainNotSupported or MqttReasonCode.QosNotSupported);

    /// <summary>True when the server has not ended it and should be told why we do.</summary>
    public bool EndedByUs { get; init; }

    public static ConnectionLoss Stopped { get; } = new(MqttLossCause.Stopped, "the client was stopped");

    /// <summary>The server's refusal in CONNACK.</summary>
    public static ConnectionLoss FromConnAck(MqttReasonCode code, string? reasonString, string? reference = null) =>
        new(CauseOf(code, MqttLossCause.Refused), Words("the server refused the connection", code, reasonString), code, ReferenceOf(code, reference));

    /// <summary>The server's DISCONNECT. MQTT 5.0, 3.14.</summary>
    public static ConnectionLoss FromDisconnect(MqttReasonCode code, string? reasonString, string? reference = null) =>
        new(CauseOf(code, MqttLossCause.ClosedByServer), Words("the server closed the connection", code, reasonString), code, ReferenceOf(code, reference));

    /// <summary>The server broke the protocol, or did not prove in AUTH who it is.</summary>
    public static ConnectionLoss FromBreach(MqttBreach breach) => breach.Code == MqttReasonCode.NotAuthorized
        ? new(MqttLossCause.BadCredentials, breach.Reason, breach.Code) { EndedByUs = true }
        : new(MqttLossCause.ProtocolBreach, $"the server broke the protocol: {breach.Reason}", breach.Code) { EndedByUs = true };

    /// <summary>What a socket or stream reported on a live connection.</summary>
    public static ConnectionLoss FromException(Exception exception) => exception switch
    {
        IOException { InnerException: SocketException inner } => FromSocketError(inner.SocketErrorCode),
        SocketException socket => FromSocketError(socket.SocketErrorCode),
        _ => new(MqttLossCause.NetworkFailure, $"the connection broke: {exception.Message}"),
    };

    /// <summary>What the system said about a connection that could not be made.</summary>
    public static ConnectionLoss Unreachable(SocketError error, string host, int port) => new(MqttLossCause.Unreachable, error switch
    {
        SocketError.ConnectionRefused => $"connection refused by {host}:{port}: is the broker running?",
        SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain =>
            $"the name {host} cannot be resolved: check its spelling and the DNS server",
        SocketError.NetworkUnreachable or SocketError.HostUnreachable or SocketError.NetworkDown or SocketError.HostDown =>
            $"no route to {host}:{port}: check cable, modem and default gateway",
        SocketError.TimedOut => $"no answer from {host}:{port}: check address and firewall",
        _ => $"cannot connect to {host}:{port}: {error}",
    });

    private static ConnectionLoss FromSocketError(SocketError error) => error switch
    {
        SocketError.ConnectionReset or SocketError.Shutdown or SocketError.ConnectionAborted =>
            new(MqttLossCause.ClosedByServer, "the server reset the connection: see its log"),
        SocketError.TimedOut => new(MqttLossCause.NetworkFailure, "the network lost the connection: data was not acknowledged in time"),
        _ => new(MqttLossCause.NetworkFailure, $"the network broke the connection: {error}"),
    };

    private static MqttLossCause CauseOf(MqttReasonCode code, MqttLossCause otherwise) => code switch
    {
        MqttReasonCode.BadUserNameOrPassword or MqttReasonCode.NotAuthorized or MqttReasonCode.Banned
            or MqttReasonCode.BadAuthenticationMethod => MqttLossCause.BadCredentials,
        MqttReasonCode.SessionTakenOver => MqttLossCause.SessionTakenOver,
        _ => otherwise,
    };

    private static string? ReferenceOf(MqttReasonCode code, string? reference) =>
        code is MqttReasonCode.UseAnotherServer or MqttReasonCode.ServerMoved ? reference : null;

    private static string Words(string what, MqttReasonCode code, string? reasonString) =>
        string.IsNullOrEmpty(reasonString) ? $"{what}: {code.Describe()}" : $"{what}: {code.Describe()} ({reasonString})";
}

/// <summary>Carries a <see cref="ConnectionLoss"/> out of connecting.</summary>
internal sealed class ConnectFailedException(ConnectionLoss loss) : IOException(loss.Reason)
{
    public ConnectionLoss Loss { get; } = loss;
}
