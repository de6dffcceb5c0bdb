using EdgeGateway.Protocols.Mqtt.Packets;

namespace EdgeGateway.Protocols.Mqtt;

/// <summary>
/// An MQTT 3.1.1 and 5.0 client that keeps connected: it reconnects for ever, resumes its session, and tells of each publish what
/// became of it. Nothing is kept on disk; a caller with a durable outbox moves its cursor at <see cref="PublishStatus.Delivered"/>.
/// </summary>
public sealed class MqttClient : IAsyncDisposable
{
    /// <summary>Reading pauses while more than this waits for the socket, so that a peer that only sends cannot grow our memory.</summary>
    private const int MaxQueuedAnswers = 1024 * 1024;

    /// <summary>How long a clean stop waits for the server to close, so that DISCONNECT is not lost with the socket.</summary>
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(2);

    /// <summary>Timers may fire a little early; shorter waits than this are not worth a turn.</summary>
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(10);

    private readonly MqttClientOptions _options;
    private readonly TimeProvider _time;
    private readonly PublishSession _session;
    private readonly MqttSubscriptions _subscriptions;
    private readonly ReconnectBackoff _backoff;
    private readonly MqttHandshake _handshake;
    private readonly HashSet<ushort> _receivedQos2 = [];
    private readonly Lock _gate = new();
    private CancellationTokenSource? _disconnecting;
    private Task _run = Task.CompletedTask;
    private string _clientId;
    private Uri? _sessionServer;
    private volatile bool _connected;

    /// <summary>A client that does nothing before <see cref="RunAsync"/>.</summary>
    /// <exception cref="ArgumentException">An option is outside its limits.</exception>
    public MqttClient(MqttClientOptions options, TimeProvider time)
    {
        options.Validate();
        _options = options;
        _time = time;
        _clientId = options.ClientId;
        _session = new(options, Counters);
        _subscriptions = new(_session);
        _backoff = new(options.ReconnectMin, options.ReconnectMax, options.ReconnectMinRefused, options.Jitter);
        _handshake = new(options, time, Counters);
    }

    /// <summary>Called when a connection was accepted, before anything is sent on it. Must return soon and must not throw.</summary>
    public Action<MqttConnected>? Connected { get; set; }

    /// <summary>Called when a connection was lost and after each failed attempt. Must return soon and must not throw.</summary>
    public Action<MqttDisconnected>? Disconnected { get; set; }

    /// <summary>
    /// Called for each message, one at a time; it is acknowledged when the handler returns. Set before <see cref="RunAsync"/>.
    /// The token ends with the connection.
    /// </summary>
    public Func<MqttMessage, CancellationToken, ValueTask>? MessageReceived { get; set; }

    /// <summary>Told of exceptions thrown by <see cref="MessageReceived"/>; the message is acknowledged all the same.</summary>
    public Action<Exception>? HandlerFailed { get; set; }

    /// <summary>Told when the server refuses to renew a subscription (filter, reason) after the session was lost.</summary>
    public Action<string, MqttReasonCode>? SubscriptionRefused
    {
        get => _subscriptions.Refused;
        set => _subscriptions.Refused = value;
    }

    /// <summary>Told when <see cref="MqttClientOptions.SessionStore"/> cannot save; it is tried again.</summary>
    public Action<Exception>? SessionStoreFailed { get; set; }

    /// <summary>
    /// Messages that an earlier process, or the run before, left in flight, in their original order; known from the constructor on. Each is settled like a
    /// publish: resent under its old identifier when the server has the session, else <see cref="PublishStatus.SessionLost"/>.
    /// </summary>
    public IReadOnlyList<MqttResumed> Resumed { get; private set; } = [];

    /// <summary>What the client has done so far.</summary>
    public MqttCounters Counters { get; } = new();

    /// <summary>True between an accepted connection and its loss.</summary>
    public bool IsConnected => _connected;

    /// <summary>Messages of QoS 1 and 2 sent and not settled.</summary>
    public int InFlight => _session.InFlight;

    /// <summary>
    /// Connects, serves and reconnects until <see cref="DisconnectAsync"/> or cancellation. Cancellation cuts the connection
    /// without DISCONNECT, so the server publishes the will.
    /// </summary>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="InvalidOperationException">It runs already.</exception>
    public Task RunAsync(CancellationToken cancel)
    {
        lock (_gate)
        {
            if (!_run.IsCompleted)
            {
                throw new InvalidOperationException("the client runs already");
            }

            _disconnecting?.Dispose();
            var disconnecting = _disconnecting = new CancellationTokenSource();
            return _run = Task.Run(() => RunUntilStoppedAsync(disconnecting.Token, cancel), CancellationToken.None);
        }
    }

    /// <summary>
    /// Publishes a message. Completes when the server has acknowledged it (QoS 1 and 2) or when it was handed to the network
    /// (QoS 0). Waits while there is no connection or the window is full; messages leave in the order of the calls.
    /// </summary>
    /// <param name="topic">Topic name without wildcards.</param>
    /// <param name="payload">Must not change until the call completes.</param>
    /// <param name="qos">Quality of service.</param>
    /// <param name="retain">True when the server shall keep it for later subscribers.</param>
    /// <param name="properties">Content type and the like; MQTT 5.0 only.</param>
    /// <param name="cancel">Ends the waiting. A message already in flight stays in flight: it may still arrive.</param>
    /// <exception cref="ArgumentException">The topic is not valid.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled before the outcome was known.</exception>
    public ValueTask<PublishOutcome> PublishAsync(
        string topic,
        ReadOnlyMemory<byte> payload,
        MqttQos qos = MqttQos.AtLeastOnce,
        bool retain = false,
        MqttMessageProperties? properties = null,
        CancellationToken cancel = default)
    {
        MqttTopic.ValidateName(topic);
        return new(_session.Submit(new(topic, payload, qos, retain, properties), cancel));
    }

    /// <summary>Publishes a message under the caller's own key, by which the session store and <see cref="MqttClientOptions.Recall"/> know it.</summary>
    /// <param name="message">What to publish.</param>
    /// <param name="key">The caller's key, for example the id of the outbox row; unique among what is in flight. Null for a message that cannot be recalled.</param>
    /// <param name="cancel">Ends the waiting. A message already in flight stays in flight: it may still arrive.</param>
    /// <exception cref="ArgumentException">The topic is not valid.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled before the outcome was known.</exception>
    public ValueTask<PublishOutcome> PublishAsync(in MqttPublication message, long? key, CancellationToken cancel = default)
    {
        MqttTopic.ValidateName(message.Topic);
        return new(_session.Submit(new(message.Topic, message.Payload, message.Qos, message.Retain, message.Properties) { Key = key }, cancel));
    }

    /// <summary>Subscribes, now or when there is a connection, and again whenever the session was lost.</summary>
    /// <param name="filter">Topic filter; + is one level, # the rest.</param>
    /// <param name="qos">Highest quality of service wanted.</param>
    /// <param name="cancel">Ends the waiting for the answer; the subscription stays wanted.</param>
    /// <exception cref="ArgumentException">The filter is not valid.</exception>
    public async ValueTask<SubscribeOutcome> SubscribeAsync(string filter, MqttQos qos = MqttQos.AtLeastOnce, CancellationToken cancel = default)
    {
        MqttTopic.ValidateFilter(filter);
        return await _subscriptions.Add(filter, qos).WaitAsync(cancel).ConfigureAwait(false);
    }

    /// <summary>Ends a subscription. Gives 0x80 when the connection broke before the server answered.</summary>
    public async ValueTask<MqttReasonCode> UnsubscribeAsync(string filter, CancellationToken cancel = default)
    {
        MqttTopic.ValidateFilter(filter);
        return await _subscriptions.Remove(filter).WaitAsync(cancel).ConfigureAwait(false);
    }

    /// <summary>
    /// Clean stop: sends what is queued and DISCONNECT, so the server drops the will, and ends <see cref="RunAsync"/>. Publishes that
    /// are still open end as <see cref="PublishStatus.SessionLost"/> or <see cref="PublishStatus.Retry"/>: await them first.
    /// </summary>
    public async Task DisconnectAsync(CancellationToken cancel = default)
    {
        Task run;
        lock (_gate)
        {
            _disconnecting?.Cancel();
            run = _run;
        }

        await run.WaitAsync(cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        cancel.ThrowIfCancellationRequested();
    }

    /// <summary>A clean stop, as <see cref="DisconnectAsync"/>.</summary>
    public async ValueTask DisposeAsync()
    {
        await DisconnectAsync().ConfigureAwait(false);
        lock (_gate)
        {
            _disconnecting?.Dispose();
            _disconnecting = null;
        }
    }

    private async Task RunUntilStoppedAsync(CancellationToken disconnect, CancellationToken cancel)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(disconnect, cancel);
        try
        {
            while (!either.IsCancellationRequested)
            {
                await TryServersAsync(disconnect, cancel, either.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (either.IsCancellationRequested)
        {
            // The stop that was asked for; what to tell the caller is decided below.
        }
        finally
        {
            // What was in flight is given back, so a later run must not resume this session: its identifiers mean nothing any more.
            _connected = false;
            _sessionServer = null;
            _subscriptions.Lost();
            _session.Stopped();
        }

        cancel.ThrowIfCancellationRequested();
    }

    /// <summary>One round over the servers, in order of preference, until one has served us; then the wait before the next.</summary>
    private async Task TryServersAsync(CancellationToken disconnect, CancellationToken cancel, CancellationToken either)
    {
        for (var i = 0; i < _options.Servers.Count; i++)
        {
            var server = _options.Servers[i];
            var (loss, served) = await AttemptAsync(server, disconnect, cancel, either).ConfigureAwait(false);
            if (loss.Cause == MqttLossCause.Stopped)
            {
                Report(server, loss, served is not null, retryIn: null);
                return;
            }

            if (served >= ReconnectBackoff.StableAfter)
            {
                _backoff.Reset();
            }

            var roundGoesOn = served is null && i + 1 < _options.Servers.Count;
            var delay = roundGoesOn ? TimeSpan.Zero : _backoff.Next(loss.Cause);
            Report(server, loss, served is not null, delay);
            if (!roundGoesOn)
            {
                await Task.Delay(delay, _time, either).ConfigureAwait(false);
                return;
            }
        }
    }

    /// <summary>One connection from dialing to its loss, and how long it served; null when it was never accepted.</summary>
    private async Task<(ConnectionLoss Loss, TimeSpan? Served)> AttemptAsync(
        Uri server, CancellationToken disconnect, CancellationToken cancel, CancellationToken either)
    {
        MqttHandshake.Accepted accepted;
        try
        {
            accepted = await _handshake.ConnectAsync(server, _clientId, _sessionServer == server, either).ConfigureAwait(false);
        }
        catch (ConnectFailedException failed)
        {
            return (failed.Loss, null);
        }
        catch (OperationCanceledException) when (either.IsCancellationRequested)
        {
            return (ConnectionLoss.Stopped, null);
        }

        await using var connection = accepted.Connection.ConfigureAwait(false);
        var start = _time.GetTimestamp();
        var loss = await ServeAsync(server, accepted.Connection, accepted.Answer, disconnect, cancel).ConfigureAwait(false);
        return (loss, _time.GetElapsedTime(start));
    }

    private async Task<ConnectionLoss> ServeAsync(
        Uri server, MqttConnection connection, ConnAckPacket answer, CancellationToken disconnect, CancellationToken cancel)
    {
        var limits = LimitsOf(answer);
        var resumable = !_options.CleanStart && limits.SessionExpiry > TimeSpan.Zero;
        _clientId = answer.Properties?.AssignedClientIdentifier ?? _clientId;
        _sessionServer = resumable ? server : null;
        if (!answer.SessionPresent)
        {
            _receivedQos2.Clear();
        }

        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var inbox = new MqttInbox(connection, _receivedQos2, _options.ReceiveMaximum, MessageReceived, HandlerFailed, Counters);
        Counters.CountConnect();
        _connected = true;
        Connected?.Invoke(new(server, _clientId, answer.SessionPresent, limits));
        _subscriptions.Connected(connection, answer.SessionPresent);
        _session.Connected(connection, answer.SessionPresent, limits);

        var reading = ReadAsync(connection, inbox, ending.Token);
        var sending = SendAsync(connection, ending.Token);
        var watching = KeepAliveAsync(connection, limits.KeepAlive, ending.Token);
        var delivering = DeliverAsync(inbox, ending.Token);
        var stopping = StopRequestedAsync(disconnect, ending.Token);
        var first = await Task.WhenAny(reading, sending, watching, delivering, stopping).ConfigureAwait(false);
        if (first == sending)
        {
            // A failed write often means that the server's farewell waits to be read; it tells more than the broken pipe.
            first = await WithinAsync(reading, ending.Token).ConfigureAwait(false) ? reading : sending;
        }

        try
        {
            var loss = await first.ConfigureAwait(false);
            _connected = false;
            _subscriptions.Lost();
            _session.Lost(resumable, loss.BlamesMessage);
            await FarewellAsync(connection, loss, first == stopping, sending, reading, ending.Token).ConfigureAwait(false);
            return loss;
        }
        finally
        {
            await ending.CancelAsync().ConfigureAwait(false);
            await connection.CloseAsync().ConfigureAwait(false);
            await Task.WhenAll(reading, sending, watching, delivering, stopping).ConfigureAwait(false);
        }
    }

    /// <summary>DISCONNECT, at a clean stop and, in 5.0, when the peer broke the protocol. MQTT 5.0, 3.14 and 4.13.</summary>
    private async Task FarewellAsync(
        MqttConnection connection, ConnectionLoss loss, bool clean, Task sending, Task reading, CancellationToken ending)
    {
        var breach = loss.Cause == MqttLossCause.ProtocolBreach && _options.Version == MqttProtocolVersion.V500;
        if ((!clean && !breach) || ending.IsCancellationRequested)
        {
            return;
        }

        connection.Send(new DisconnectPacket { ReasonCode = clean ? MqttReasonCode.Success : loss.Code ?? MqttReasonCode.ProtocolError });
        connection.CompleteOutput();
        if (await WithinAsync(sending, ending).ConfigureAwait(false) && clean)
        {
            // Closing a socket with unread bytes resets it, and a reset can overtake DISCONNECT: let the server close first.
            await WithinAsync(reading, ending).ConfigureAwait(false);
        }
    }

    private async Task<bool> WithinAsync(Task task, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var inTime = await Task.WhenAny(task, Task.Delay(CloseTimeout, _time, limit.Token)).ConfigureAwait(false) == task;
        await limit.CancelAsync().ConfigureAwait(false);
        return inTime;
    }

    private async Task<ConnectionLoss> ReadAsync(MqttConnection connection, MqttInbox inbox, CancellationToken cancel)
    {
        try
        {
            while (true)
            {
                var frame = await connection.ReadAsync(cancel).ConfigureAwait(false);
                if (frame.AtEnd)
                {
                    return new(MqttLossCause.ClosedByServer, "the server closed the connection without a reason: see its log; does another client use the same client id?");
                }

                var breach = frame.Breach;
                if (breach is null && frame.Header.Type == PacketType.Disconnect && _options.Version == MqttProtocolVersion.V500)
                {
                    if (DisconnectPacket.TryRead(PacketType.Disconnect, frame.Body, _options.Version, out var farewell, out var fault))
                    {
                        return ConnectionLoss.FromDisconnect(farewell.ReasonCode, farewell.Properties?.ReasonString);
                    }

                    breach = fault;
                }

                breach ??= await TakeAsync(frame, inbox, cancel).ConfigureAwait(false);
                if (breach is { } broken)
                {
                    return new(MqttLossCause.ProtocolBreach, $"the server broke the protocol: {broken.Reason}", broken.Code);
                }

                await connection.WaitForRoomAsync(MaxQueuedAnswers, cancel).ConfigureAwait(false);
            }
        }
        catch (Exception failure) when (failure is IOException or ObjectDisposedException or OperationCanceledException)
        {
            return cancel.IsCancellationRequested ? ConnectionLoss.Stopped : ConnectionLoss.FromException(failure);
        }
    }

    private async ValueTask<MqttBreach?> TakeAsync(MqttFrame frame, MqttInbox inbox, CancellationToken cancel)
    {
        var version = _options.Version;
        MqttBreach fault;
        switch (frame.Header.Type)
        {
            case PacketType.Publish:
                return PublishPacket.TryRead(frame.Header.Flags, frame.Body, version, out var publish, out fault)
                    ? await inbox.TakeAsync(publish, cancel).ConfigureAwait(false)
                    : fault;
            case PacketType.PubAck or PacketType.PubRec or PacketType.PubComp:
                return AckPacket.TryRead(frame.Header.Type, frame.Body, version, out var ack, out fault) ? _session.Acknowledged(ack) : fault;
            case PacketType.PubRel:
                if (!AckPacket.TryRead(PacketType.PubRel, frame.Body, version, out var release, out fault))
                {
                    return fault;
                }

                inbox.Released(release);
                return null;
            case PacketType.SubAck or PacketType.UnsubAck:
                return SubAckPacket.TryRead(frame.Header.Type, frame.Body, version, out var answer, out fault)
                    ? _subscriptions.Acknowledged(answer)
                    : fault;
            case PacketType.PingResp:
                return frame.Body.IsEmpty ? null : new(MqttReasonCode.MalformedPacket, "PINGRESP with a body");
            default:
                return new(MqttReasonCode.ProtocolError, $"{frame.Header.Type} was not expected");
        }
    }

    private static async Task<ConnectionLoss> SendAsync(MqttConnection connection, CancellationToken cancel)
    {
        try
        {
            await connection.SendQueuedAsync(cancel).ConfigureAwait(false);
            return ConnectionLoss.Stopped;
        }
        catch (Exception failure) when (failure is IOException or ObjectDisposedException or OperationCanceledException)
        {
            return cancel.IsCancellationRequested ? ConnectionLoss.Stopped : ConnectionLoss.FromException(failure);
        }
    }

    private static async Task<ConnectionLoss> DeliverAsync(MqttInbox inbox, CancellationToken cancel)
    {
        try
        {
            await inbox.DeliverAsync(cancel).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            // The connection is ending.
        }

        return ConnectionLoss.Stopped;
    }

    private static async Task<ConnectionLoss> StopRequestedAsync(CancellationToken disconnect, CancellationToken ending)
    {
        var requested = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var byDisconnect = disconnect.UnsafeRegister(state => ((TaskCompletionSource)state!).TrySetResult(), requested);
        using var byEnd = ending.UnsafeRegister(state => ((TaskCompletionSource)state!).TrySetResult(), requested);
        await requested.Task.ConfigureAwait(false);
        return ConnectionLoss.Stopped;
    }

    /// <summary>Judges the connection by bytes received, and keeps the server's own timer from running out. MQTT 5.0, 3.1.2.10.</summary>
    private async Task<ConnectionLoss> KeepAliveAsync(MqttConnection connection, TimeSpan keepAlive, CancellationToken cancel)
    {
        var dead = keepAlive * 1.5;
        var lastPing = _time.GetTimestamp();
        try
        {
            while (true)
            {
                var received = connection.LastReceived;
                var silence = _time.GetElapsedTime(received);
                var idle = _time.GetElapsedTime(Math.Max(connection.LastSent, lastPing));
                if (keepAlive == TimeSpan.Zero)
                {
                    await Task.Delay(Timeout.InfiniteTimeSpan, _time, cancel).ConfigureAwait(false);
                }

                if (silence >= dead)
                {
                    return new(MqttLossCause.KeepAlive, $"nothing was heard from the server for {silence.TotalSeconds:0.#} s: check the network");
                }

                if (idle >= keepAlive || (silence >= keepAlive && lastPing <= received))
                {
                    connection.Send(new PingPacket(PacketType.PingReq));
                    lastPing = _time.GetTimestamp();
                    idle = TimeSpan.Zero;
                }

                var next = Shorter(dead - silence, keepAlive - idle);
                next = silence < keepAlive ? Shorter(next, keepAlive - silence) : next;
                await Task.Delay(next < Tick ? Tick : next, _time, cancel).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            return ConnectionLoss.Stopped;
        }
    }

    private static TimeSpan Shorter(TimeSpan one, TimeSpan other) => one < other ? one : other;

    private MqttServerLimits LimitsOf(in ConnAckPacket answer)
    {
        var said = answer.Properties;
        var asked = _options.Version == MqttProtocolVersion.V311 ? TimeSpan.MaxValue : _options.SessionExpiry;
        return new()
        {
            ReceiveMaximum = said?.ReceiveMaximum ?? ushort.MaxValue,
            MaximumPacketSize = said?.MaximumPacketSize ?? uint.MaxValue,
            MaximumQos = (MqttQos)(said?.MaximumQos ?? 2),
            RetainAvailable = said?.RetainAvailable ?? true,
            TopicAliasMaximum = said?.TopicAliasMaximum ?? 0,
            KeepAlive = said?.ServerKeepAliveSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : _options.KeepAlive,
            SessionExpiry = _options.CleanStart ? TimeSpan.Zero
                : said?.SessionExpirySeconds is { } expiry ? TimeSpan.FromSeconds(expiry) : asked,
        };
    }

    private void Report(Uri server, ConnectionLoss loss, bool wasConnected, TimeSpan? retryIn)
    {
        if (!wasConnected && loss.Cause != MqttLossCause.Stopped)
        {
            Counters.CountConnectFailure();
        }

        Disconnected?.Invoke(new()
        {
            Server = server,
            WasConnected = wasConnected,
            Cause = loss.Cause,
            Reason = loss.Reason,
            Code = loss.Code,
            RetryIn = retryIn,
        });
    }
}
