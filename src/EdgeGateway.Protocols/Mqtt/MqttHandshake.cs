using System.Text;
using EdgeGateway.Protocols.Mqtt.Packets;

namespace EdgeGateway.Protocols.Mqtt;

/// <summary>Dials, sends CONNECT and waits for CONNACK, within the time limits. MQTT 5.0, 3.1 and 3.2.</summary>
internal sealed class MqttHandshake(MqttClientOptions options, TimeProvider time, MqttCounters counters)
{
    private readonly Func<Uri, CancellationToken, ValueTask<Stream>> _dial =
        options.Dial ?? new MqttDialer(options.Tls, options.ConnectTimeout, options.KeepAlive, time).DialAsync;

    /// <summary>Servers that refused a will that is to be kept; remembered as long as the client lives.</summary>
    private readonly HashSet<Uri> _keepNothing = [];

    /// <summary>The highest quality of service for a will at servers that refused ours.</summary>
    private readonly Dictionary<Uri, MqttQos> _willQos = [];

    /// <summary>An accepted connection and what the server said.</summary>
    public readonly record struct Accepted(MqttConnection Connection, ConnAckPacket Answer);

    /// <summary>Makes a connection with a session as wanted.</summary>
    /// <param name="server">Where to.</param>
    /// <param name="clientId">Ours, or the one assigned before.</param>
    /// <param name="haveState">True when we hold the state of a session on this server.</param>
    /// <param name="cancel">Ends the attempt.</param>
    /// <exception cref="ConnectFailedException">With the reason in words.</exception>
    public async ValueTask<Accepted> ConnectAsync(Uri server, string clientId, bool haveState, CancellationToken cancel)
    {
        var clean = options.CleanStart || (!haveState && options.Version == MqttProtocolVersion.V500);
        var accepted = await AttemptAsync(server, clientId, clean, withWill: true, cancel).ConfigureAwait(false);
        if (!accepted.Answer.SessionPresent || (haveState && !clean))
        {
            return accepted;
        }

        if (!clean)
        {
            // 3.1.1 can only start clean a session that also ends with its connection. So a session that an earlier process left
            // is removed by a clean connection in between. MQTT 3.1.1, 3.1.2.4.
            await CloseAsync(accepted.Connection, cancel).ConfigureAwait(false);
            var cleaning = await AttemptAsync(server, clientId, clean: true, withWill: false, cancel).ConfigureAwait(false);
            await CloseAsync(cleaning.Connection, cancel).ConfigureAwait(false);
            accepted = await AttemptAsync(server, clientId, clean: false, withWill: true, cancel).ConfigureAwait(false);
            if (!accepted.Answer.SessionPresent)
            {
                return accepted;
            }
        }

        await accepted.Connection.DisposeAsync().ConfigureAwait(false);
        throw new ConnectFailedException(new(
            MqttLossCause.ProtocolBreach, "the server claims a session that we do not have (session present after a clean start)", MqttReasonCode.ProtocolError));
    }

    /// <summary>
    /// A server must refuse a will that it cannot keep, or of a QoS that it does not take: it is offered again as one that it can. MQTT 5.0, 3.1.2.6, 3.1.2.7 and
    /// 3.2.2.3.
    /// </summary>
    private async ValueTask<Accepted> AttemptAsync(Uri server, string clientId, bool clean, bool withWill, CancellationToken cancel)
    {
        while (true)
        {
            try
            {
                return await AttemptOnceAsync(server, clientId, clean, withWill, cancel).ConfigureAwait(false);
            }
            catch (ConnectFailedException refusal) when (withWill && Ease(server, refusal.Loss.Code))
            {
                // Once more with less.
            }
        }
    }

    /// <summary>True when a refused will can be offered again as a lesser one.</summary>
    private bool Ease(Uri server, MqttReasonCode? code)
    {
        if (options.Will is not { } will)
        {
            return false;
        }

        if (code == MqttReasonCode.RetainNotSupported)
        {
            return will.Retain && _keepNothing.Add(server);
        }

        var qos = _willQos.GetValueOrDefault(server, will.Qos);
        if (code != MqttReasonCode.QosNotSupported || qos == MqttQos.AtMostOnce)
        {
            return false;
        }

        _willQos[server] = qos - 1;
        return true;
    }

    private async ValueTask<Accepted> AttemptOnceAsync(Uri server, string clientId, bool clean, bool withWill, CancellationToken cancel)
    {
        var stream = await DialAsync(server, cancel).ConfigureAwait(false);
        var connection = new MqttConnection(stream, options.Version, options.MaxIncomingPacketSize, time, counters);
        using var limit = new CancellationTokenSource(options.ConnectTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancel);
        try
        {
            var proof = options.Authentication is { } method
                ? await method.Respond(new(MqttAuthenticationStage.Start, default), either.Token).ConfigureAwait(false)
                : null;
            connection.Send(Packet(server, clientId, clean, withWill, proof));
            await connection.FlushAsync(either.Token).ConfigureAwait(false);
            return new(connection, await AnswerAsync(connection, either.Token).ConfigureAwait(false));
        }
        catch (Exception failure)
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            throw failure switch
            {
                ConnectFailedException => failure,
                OperationCanceledException when !cancel.IsCancellationRequested => new ConnectFailedException(new(
                    MqttLossCause.TimedOut,
                    $"{server.Host} did not answer CONNECT in {options.ConnectTimeout.TotalSeconds:0.#} s: is it an MQTT broker?")),
                IOException => new ConnectFailedException(ConnectionLoss.FromException(failure)),
                _ when options.Authentication is not null && !cancel.IsCancellationRequested => new ConnectFailedException(new(
                    MqttLossCause.BadCredentials, $"the authentication with {server.Host} failed: {failure.Message}", MqttReasonCode.NotAuthorized)),
                _ => failure,
            };
        }
    }

    /// <summary>Waits for CONNACK; AUTH may come before it, as often as the method needs. MQTT 5.0, 4.12.</summary>
    private async ValueTask<ConnAckPacket> AnswerAsync(MqttConnection connection, CancellationToken cancel)
    {
        while (true)
        {
            var frame = await connection.ReadAsync(cancel).ConfigureAwait(false);
            if (frame.Breach is null && frame.Header.Type == PacketType.Auth && options.Authentication is { } method)
            {
                if (Authenticating.Check(frame, method, out var packet) is { } breach)
                {
                    throw Invalid(breach);
                }

                if (packet.ReasonCode != MqttReasonCode.ContinueAuthentication)
                {
                    throw Invalid(new(MqttReasonCode.ProtocolError, $"AUTH with {packet.ReasonCode.Describe()} before CONNACK"));
                }

                var step = new MqttAuthenticationStep(MqttAuthenticationStage.Continue, packet.Properties?.AuthenticationData);
                connection.Send(Authenticating.Packet(
                    method, MqttReasonCode.ContinueAuthentication, await method.Respond(step, cancel).ConfigureAwait(false)));
                await connection.FlushAsync(cancel).ConfigureAwait(false);
                continue;
            }

            var answer = Check(frame);
            if (options.Authentication is { } used)
            {
                if (answer.Properties?.AuthenticationMethod is { } said && said != used.Method)
                {
                    throw Invalid(new(MqttReasonCode.ProtocolError, $"authentication method '{said}' instead of '{used.Method}'"));
                }

                var end = new MqttAuthenticationStep(MqttAuthenticationStage.Success, answer.Properties?.AuthenticationData);
                await used.Respond(end, cancel).ConfigureAwait(false);
            }

            return answer;
        }
    }

    /// <summary>Built-in dialing limits each stage by itself; for other transports the limit is applied here.</summary>
    private async ValueTask<Stream> DialAsync(Uri server, CancellationToken cancel)
    {
        if (options.Dial is null)
        {
            return await _dial(server, cancel).ConfigureAwait(false);
        }

        using var limit = new CancellationTokenSource(options.ConnectTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancel);
        try
        {
            return await _dial(server, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            throw new ConnectFailedException(new(
                MqttLossCause.TimedOut, $"no connection to {server.Host} in {options.ConnectTimeout.TotalSeconds:0.#} s"));
        }
        catch (IOException failure) when (failure is not ConnectFailedException)
        {
            throw new ConnectFailedException(new(MqttLossCause.Unreachable, $"cannot connect to {server.Host}: {failure.Message}"));
        }
    }

    private ConnAckPacket Check(MqttFrame frame)
    {
        if (frame.AtEnd)
        {
            throw new ConnectFailedException(new(
                MqttLossCause.ClosedByServer, "the server closed the connection instead of answering CONNECT: see its log"));
        }

        var breach = frame.Breach;
        if (breach is null && frame.Header.Type != PacketType.ConnAck)
        {
            breach = new(MqttReasonCode.ProtocolError, $"first packet is {frame.Header.Type}, not CONNACK");
        }

        var answer = default(ConnAckPacket);
        if (breach is null && !ConnAckPacket.TryRead(frame.Body, options.Version, out answer, out var fault))
        {
            breach = fault;
        }

        if (breach is { } broken)
        {
            throw Invalid(broken);
        }

        return answer.ReasonCode.IsSuccess()
            ? answer
            : throw new ConnectFailedException(ConnectionLoss.FromConnAck(
                answer.ReasonCode, answer.Properties?.ReasonString, answer.Properties?.ServerReference));
    }

    private static ConnectFailedException Invalid(MqttBreach breach) => new(new(
        MqttLossCause.ProtocolBreach, $"the answer to CONNECT is not valid MQTT: {breach.Reason}", breach.Code));

    /// <summary>Says goodbye on a connection that is not needed and waits for the server to close it.</summary>
    public async ValueTask CloseAsync(MqttConnection connection, CancellationToken cancel)
    {
        using var limit = new CancellationTokenSource(options.ConnectTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancel);
        try
        {
            connection.Send(new DisconnectPacket());
            await connection.FlushAsync(either.Token).ConfigureAwait(false);
            while (await connection.ReadAsync(either.Token).ConfigureAwait(false) is { AtEnd: false, Breach: null })
            {
            }
        }
        catch (Exception failure) when (failure is IOException || (failure is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            // It was to be closed anyway.
        }
        finally
        {
            await connection.DisposeAsync().ConfigureAwait(false);
        }
    }

    private ConnectPacket Packet(Uri server, string clientId, bool clean, bool withWill, ReadOnlyMemory<byte>? proof)
    {
        var is5 = options.Version == MqttProtocolVersion.V500;
        return new()
        {
            ClientId = clientId,
            CleanStart = clean,
            KeepAliveSeconds = (ushort)Math.Ceiling(options.KeepAlive.TotalSeconds),
            UserName = options.UserName,
            Password = options.Password is { } password ? Encoding.UTF8.GetBytes(password) : null,
            Will = withWill && options.Will is { } will ? Fields(Eased(will, server), is5) : null,
            Properties = !is5 ? null : new()
            {
                SessionExpirySeconds = options.CleanStart ? null : Seconds(options.SessionExpiry),
                ReceiveMaximum = options.ReceiveMaximum,
                MaximumPacketSize = (uint)options.MaxIncomingPacketSize,
                TopicAliasMaximum = options.TopicAliasMaximum > 0 ? options.TopicAliasMaximum : null,
                RequestResponseInformation = options.RequestResponseInformation ? true : null,
                RequestProblemInformation = options.RequestProblemInformation ? null : false,
                AuthenticationMethod = options.Authentication?.Method,
                AuthenticationData = proof?.ToArray(),
                UserProperties = options.UserProperties.Count > 0 ? [.. options.UserProperties] : null,
            },
        };
    }

    private MqttWill Eased(MqttWill will, Uri server) => will with
    {
        Retain = will.Retain && !_keepNothing.Contains(server),
        Qos = _willQos.GetValueOrDefault(server, will.Qos),
    };

    private static WillFields Fields(MqttWill will, bool is5)
    {
        var properties = is5 ? will.Properties?.ToWire() : null;
        if (is5 && will.Delay > TimeSpan.Zero)
        {
            properties ??= new();
            properties.WillDelaySeconds = Seconds(will.Delay);
        }

        return new(will.Topic, will.Payload, will.Qos, will.Retain, properties);
    }

    private static uint Seconds(TimeSpan span) => (uint)Math.Min(uint.MaxValue, Math.Ceiling(span.TotalSeconds));
}
