using EdgeGateway.Protocols.Mqtt.Packets;

namespace EdgeGateway.Protocols.Mqtt;

/// <summary>AUTH on a connection that stands: the client may authenticate again. MQTT 5.0, 4.12.1.</summary>
internal sealed class Authenticating(MqttAuthentication? method)
{
    private readonly Lock _gate = new();
    private MqttConnection? _connection;
    private TaskCompletionSource<MqttReasonCode>? _open;

    /// <summary>Checks an AUTH packet: it must be well formed and name our method.</summary>
    public static MqttBreach? Check(in MqttFrame frame, MqttAuthentication method, out DisconnectPacket packet)
    {
        if (!DisconnectPacket.TryRead(PacketType.Auth, frame.Body, MqttProtocolVersion.V500, out packet, out var breach))
        {
            return breach;
        }

        return packet.Properties?.AuthenticationMethod == method.Method ? null : new(
            MqttReasonCode.ProtocolError, $"AUTH with method '{packet.Properties?.AuthenticationMethod}' instead of '{method.Method}'");
    }

    /// <summary>An AUTH packet of ours.</summary>
    public static DisconnectPacket Packet(MqttAuthentication method, MqttReasonCode code, ReadOnlyMemory<byte>? data) => new()
    {
        Type = PacketType.Auth,
        ReasonCode = code,
        Properties = new() { AuthenticationMethod = method.Method, AuthenticationData = data?.ToArray() },
    };

    public void Connected(MqttConnection connection)
    {
        lock (_gate)
        {
            _connection = connection;
        }
    }

    /// <summary>The connection is gone: the server's refusal comes with its DISCONNECT.</summary>
    public void Lost(MqttReasonCode? code)
    {
        lock (_gate)
        {
            _connection = null;
            _open?.TrySetResult(code is { } said && !said.IsSuccess() ? said : MqttReasonCode.UnspecifiedError);
            _open = null;
        }
    }

    /// <summary>Begins again; completes with 0x00, or with the code of the refusal.</summary>
    /// <exception cref="InvalidOperationException">There is no method, no connection, or it runs already.</exception>
    public async Task<MqttReasonCode> BeginAsync(CancellationToken cancel)
    {
        if (method is null)
        {
            throw new InvalidOperationException("the client has no enhanced authentication");
        }

        var data = await method.Respond(new(MqttAuthenticationStage.Start, default), cancel).ConfigureAwait(false);
        Task<MqttReasonCode> answer;
        lock (_gate)
        {
            if (_connection is null || _open is not null)
            {
                throw new InvalidOperationException(_connection is null ? "there is no connection to authenticate on" : "it authenticates already");
            }

            _open = new(TaskCreationOptions.RunContinuationsAsynchronously);
            answer = _open.Task;
            _connection.Send(Packet(method, MqttReasonCode.Reauthenticate, data));
        }

        return await answer.WaitAsync(cancel).ConfigureAwait(false);
    }

    /// <summary>The server's AUTH.</summary>
    /// <returns>How it breaks the protocol, or why we end the connection, or null.</returns>
    public async ValueTask<MqttBreach?> TakeAsync(MqttFrame frame, CancellationToken cancel)
    {
        MqttConnection? connection;
        bool isOpen;
        lock (_gate)
        {
            connection = _connection;
            isOpen = _open is not null;
        }

        if (method is null || connection is null || !isOpen)
        {
            return new(MqttReasonCode.ProtocolError, "AUTH was not expected");
        }

        if (Check(frame, method, out var packet) is { } breach)
        {
            return breach;
        }

        var success = packet.ReasonCode == MqttReasonCode.Success;
        if (!success && packet.ReasonCode != MqttReasonCode.ContinueAuthentication)
        {
            return new(MqttReasonCode.ProtocolError, $"AUTH with reason code 0x{(byte)packet.ReasonCode:X2}");
        }

        ReadOnlyMemory<byte>? data;
        try
        {
            var stage = success ? MqttAuthenticationStage.Success : MqttAuthenticationStage.Continue;
            data = await method.Respond(new(stage, packet.Properties?.AuthenticationData), cancel).ConfigureAwait(false);
        }
        catch (Exception failure) when (!cancel.IsCancellationRequested)
        {
            return new(MqttReasonCode.NotAuthorized, $"the authentication failed: {failure.Message}");
        }

        if (!success)
        {
            connection.Send(Packet(method, MqttReasonCode.ContinueAuthentication, data));
            return null;
        }

        lock (_gate)
        {
            _open?.TrySetResult(MqttReasonCode.Success);
            _open = null;
        }

        return null;
    }
}
