namespace EdgeGateway.Protocols.Mqtt;

/// <summary>
/// An MQTT 3.1.1 and 5.0 client that keeps connected: it reconnects for ever, resumes its session, and tells of each publish what
/// became of it. No message is kept on disk; a caller with a durable outbox moves its cursor at <see cref="PublishStatus.Delivered"/>, and with a
/// <see cref="MqttClientOptions.SessionStore"/> the next process resumes the session of this one.
/// </summary>
public sealed class MqttClient : IAsyncDisposable
{
    /// <summary>How long the last save of a run may take.</summary>
    private static readonly TimeSpan LastSave = TimeSpan.FromSeconds(2);

    private readonly MqttClientOptions _options;
    private readonly TimeProvider _time;
    private readonly SessionSaver? _saver;
    private readonly PublishSession _session;
    private readonly MqttSubscriptions _subscriptions;
    private readonly Authenticating _authenticating;
    private readonly ReceivedIds _received = new();
    private readonly ReconnectBackoff _backoff;
    private readonly ServerRoute _route;
    private readonly MqttHandshake _handshake;
    private readonly Lock _gate = new();
    private CancellationTokenSource? _disconnecting;
    private Task _run = Task.CompletedTask;
    private string _clientId;
    private Uri? _server;
    private Uri? _sessionServer;
    private volatile MqttInbox? _inbox;
    private volatile MqttMessageProperties? _validProperties;
    private volatile bool _connected;

    /// <summary>A client that does nothing before <see cref="RunAsync"/> but load the saved session, if there is a store for it.</summary>
    /// <exception cref="ArgumentException">An option is outside its limits, or the saved session cannot be one.</exception>
    public MqttClient(MqttClientOptions options, TimeProvider time)
    {
        options.Validate();
        _options = options;
        _time = time;
        if (options.SessionStore is { } store)
        {
            _saver = new(store, options.Settling, time) { Capture = Capture, Saved = OnSaved, Failed = failure => SessionStoreFailed?.Invoke(failure) };
        }

        _session = new(options, Counters, _saver);
        _subscriptions = new(options, _session, _saver);
        _authenticating = new(options.Authentication);
        _route = new(options);
        _clientId = Restore();
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
    /// <exception cref="ArgumentException">The topic or a property is not valid.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled before the outcome was known.</exception>
    public ValueTask<PublishOutcome> PublishAsync(
        string topic,
        ReadOnlyMemory<byte> payload,
        MqttQos qos = MqttQos.AtLeastOnce,
        bool retain = false,
        MqttMessageProperties? properties = null,
        CancellationToken cancel = default)
    {
        return PublishAsync(new() { Topic = topic, Payload = payload, Qos = qos, Retain = retain, Properties = properties }, key: null, cancel);
    }

    /// <summary>Publishes a message under the caller's own key, by which the session store and <see cref="MqttClientOptions.Recall"/> know it.</summary>
    /// <param name="message">What to publish.</param>
    /// <param name="key">The caller's key, for example the id of the outbox row; unique among what is in flight. Null for a message that cannot be recalled.</param>
    /// <param name="cancel">Ends the waiting. A message already in flight stays in flight: it may still arrive.</param>
    /// <exception cref="ArgumentException">The topic or a property is not valid.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled before the outcome was known.</exception>
    public ValueTask<PublishOutcome> PublishAsync(in MqttPublication message, long? key, CancellationToken cancel = default)
    {
        MqttTopic.ValidateName(message.Topic);
        if (message.Properties is { } properties && !ReferenceEquals(properties, _validProperties))
        {
            // Callers use the same properties again and again; what fails here must not fail later, where others would suffer.
            properties.Validate();
            _validProperties = properties;
        }

        return new(_session.Submit(new(message, key), cancel));
    }

    /// <summary>Subscribes, now or when there is a connection, and again whenever the session was lost.</summary>
    /// <param name="filter">Topic filter; + is one level, # the rest.</param>
    /// <param name="qos">Highest quality of service wanted.</param>
    /// <param name="cancel">Ends the waiting for the answer; the subscription stays wanted.</param>
    /// <exception cref="ArgumentException">The filter is not valid.</exception>
    public async ValueTask<SubscribeOutcome> SubscribeAsync(string filter, MqttQos qos = MqttQos.AtLeastOnce, CancellationToken cancel = default) =>
        (await SubscribeAsync([new MqttSubscription { Filter = filter, Qos = qos }], cancel).ConfigureAwait(false))[0];

    /// <summary>Makes several subscriptions, in as few packets as possible; the answers are in the order of the request.</summary>
    /// <param name="subscriptions">One or more, each filter once.</param>
    /// <param name="cancel">Ends the waiting for the answers; the subscriptions stay wanted.</param>
    /// <exception cref="ArgumentException">A subscription is not valid, or there is none.</exception>
    public async ValueTask<IReadOnlyList<SubscribeOutcome>> SubscribeAsync(
        IReadOnlyList<MqttSubscription> subscriptions, CancellationToken cancel = default)
    {
        ArgumentOutOfRangeException.ThrowIfZero(subscriptions.Count, nameof(subscriptions));
        foreach (var subscription in subscriptions)
        {
            subscription.Validate();
        }

        return await Task.WhenAll(_subscriptions.Add(subscriptions)).WaitAsync(cancel).ConfigureAwait(false);
    }

    /// <summary>Ends a subscription, without a connection on the next one. Gives 0x80 when the connection broke before the server answered.</summary>
    public async ValueTask<MqttReasonCode> UnsubscribeAsync(string filter, CancellationToken cancel = default) =>
        (await UnsubscribeAsync([filter], cancel).ConfigureAwait(false))[0];

    /// <summary>Ends several subscriptions in one packet; the answers are in the order of the request.</summary>
    public async ValueTask<IReadOnlyList<MqttReasonCode>> UnsubscribeAsync(IReadOnlyList<string> filters, CancellationToken cancel = default)
    {
        ArgumentOutOfRangeException.ThrowIfZero(filters.Count, nameof(filters));
        foreach (var filter in filters)
        {
            MqttTopic.ValidateFilter(filter);
        }

        return await _subscriptions.Remove(filters).WaitAsync(cancel).ConfigureAwait(false);
    }

    /// <summary>
    /// Authenticates again on the connection that stands, by <see cref="MqttClientOptions.Authentication"/>. MQTT 5.0, 4.12.1. Gives 0x00, or the code with
    /// which the server ended the connection.
    /// </summary>
    /// <exception cref="InvalidOperationException">There is no enhanced authentication, no connection, or it runs already.</exception>
    public Task<MqttReasonCode> ReauthenticateAsync(CancellationToken cancel = default) => _authenticating.BeginAsync(cancel);

    /// <summary>
    /// Clean stop: sends what is queued and DISCONNECT, so the server drops the will, and ends <see cref="RunAsync"/>. Publishes that
    /// are still open end as <see cref="PublishStatus.SessionLost"/> or <see cref="PublishStatus.Retry"/>, with a session store as
    /// <see cref="PublishStatus.Kept"/>: await them first.
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
            _saver?.Dispose();
        }
    }

    private async Task RunUntilStoppedAsync(CancellationToken disconnect, CancellationToken cancel)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(disconnect, cancel);
        using var end = new CancellationTokenSource();
        var saving = _saver?.RunAsync(end.Token) ?? Task.CompletedTask;
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
            // Without a store what was in flight is given back, so a later run must not resume this session: its identifiers mean nothing any more.
            _connected = false;
            _sessionServer = _saver is null ? null : _sessionServer;
            _subscriptions.Lost();
            Resumed = _session.Stopped(isKept: _sessionServer is not null);
            await end.CancelAsync().ConfigureAwait(false);
            await saving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await SaveLastAsync().ConfigureAwait(false);
        }

        cancel.ThrowIfCancellationRequested();
    }

    /// <summary>One round over the servers, in order of preference and as they send us on, until one has served us; then the wait before the next.</summary>
    private async Task TryServersAsync(CancellationToken disconnect, CancellationToken cancel, CancellationToken either)
    {
        var index = 0;
        var server = _route[0];
        BetterServer? ready = null;
        while (true)
        {
            var (loss, served, better) = await AttemptAsync(index, server, ready, disconnect, cancel, either).ConfigureAwait(false);
            ready = null;
            if (loss.Cause == MqttLossCause.Stopped)
            {
                Report(server, loss, served is not null, retryIn: null);
                return;
            }

            if (served >= ReconnectBackoff.StableAfter)
            {
                _backoff.Reset();
                _route.Stayed();
            }

            if (better is not null)
            {
                Report(server, loss, wasConnected: true, TimeSpan.Zero);
                (index, server, ready) = (better.Index, better.Server, better);
            }
            else if (_route.Follow(index, server, ref loss) is { } next)
            {
                Report(server, loss, served is not null, TimeSpan.Zero);
                server = next;
            }
            else if (served is null && index + 1 < _route.Count)
            {
                Report(server, loss, wasConnected: false, TimeSpan.Zero);
                server = _route[++index];
            }
            else
            {
                var delay = _backoff.Next(loss.Cause);
                Report(server, loss, served is not null, delay);
                await Task.Delay(delay, _time, either).ConfigureAwait(false);
                return;
            }
        }
    }

    /// <summary>One connection from dialing to its loss, and how long it served; null when it was never accepted.</summary>
    private async Task<(ConnectionLoss Loss, TimeSpan? Served, BetterServer? Better)> AttemptAsync(
        int index, Uri server, BetterServer? ready, CancellationToken disconnect, CancellationToken cancel, CancellationToken either)
    {
        MqttHandshake.Accepted accepted;
        try
        {
            accepted = ready?.Accepted
                ?? await _handshake.ConnectAsync(server, _clientId, _sessionServer == server, either).ConfigureAwait(false);
        }
        catch (ConnectFailedException failed)
        {
            return (failed.Loss, null, null);
        }
        catch (OperationCanceledException) when (either.IsCancellationRequested)
        {
            return (ConnectionLoss.Stopped, null, null);
        }

        await using var connection = accepted.Connection.ConfigureAwait(false);
        var start = _time.GetTimestamp();
        var (loss, better) = await ServeAsync(index, server, accepted, disconnect, cancel).ConfigureAwait(false);
        return (loss, _time.GetElapsedTime(start), better);
    }

    private async Task<(ConnectionLoss Loss, BetterServer? Better)> ServeAsync(
        int index, Uri server, MqttHandshake.Accepted accepted, CancellationToken disconnect, CancellationToken cancel)
    {
        var (connection, answer) = accepted;
        var limits = MqttServerLimits.Of(answer, _options);
        var resumable = !_options.CleanStart && limits.SessionExpiry > TimeSpan.Zero;
        _clientId = answer.Properties?.AssignedClientIdentifier ?? _clientId;
        _server = server;
        _sessionServer = resumable ? server : null;
        if (answer.SessionPresent)
        {
            try
            {
                _session.Recall();
            }
            catch (Exception fault)
            {
                // Whatever the caller's outbox throws may be over at the next attempt, and must not end the client.
                SessionStoreFailed?.Invoke(fault);
                return (new(MqttLossCause.SessionStore, $"a message in flight cannot be recalled: {fault.Message}"), null);
            }
        }
        else
        {
            _received.Clear();
        }

        var inbox = _inbox = new MqttInbox(connection, _received, _saver, answer.SessionPresent, _options, MessageReceived, HandlerFailed, Counters);
        Counters.CountConnect();
        _connected = true;
        Connected?.Invoke(new(server, _clientId, answer.SessionPresent, limits));

        // First what is in flight, then what must be there before answers to new messages can come, then these.
        _session.Connected(connection, answer.SessionPresent, limits);
        var served = new ServedConnection(connection, inbox, _session, _subscriptions, _authenticating, _options, _time);
        if (!answer.SessionPresent && await SaveNewSessionAsync(cancel).ConfigureAwait(false) is { } failure)
        {
            // What is saved speaks of the old session: the next connection begins anew once more.
            _sessionServer = null;
            Lost(new(MqttLossCause.SessionStore, $"the new session cannot be saved: {failure.Message}"), resumable);
            return (new(MqttLossCause.SessionStore, $"the new session cannot be saved: {failure.Message}"), null);
        }

        _subscriptions.Connected(connection, answer.SessionPresent, limits);
        _authenticating.Connected(connection);
        _session.Open();
        var search = new BetterServerSearch(_route, index, _handshake, () => _clientId, _options.ReturnToPreferredAfter, _time);
        return await served.RunAsync(limits.KeepAlive, search, loss => Lost(loss, resumable), disconnect, cancel).ConfigureAwait(false);
    }

    private void Lost(ConnectionLoss loss, bool resumable)
    {
        _connected = false;
        _authenticating.Lost(loss.Code);
        _subscriptions.Lost();
        if (!_session.Lost(resumable, loss.BlamesMessage))
        {
            _sessionServer = null;
        }
    }

    /// <summary>Puts the new session in the place of the one that the server no longer has.</summary>
    private async ValueTask<Exception?> SaveNewSessionAsync(CancellationToken cancel)
    {
        if (_saver is null)
        {
            return null;
        }

        var mustBeDurable = _saver.HoldsExactlyOnce;
        _saver.Changed(awaited: !mustBeDurable);
        return mustBeDurable ? await _saver.TrySaveAsync(cancel).ConfigureAwait(false) : null;
    }

    private async ValueTask SaveLastAsync()
    {
        if (_saver is null)
        {
            return;
        }

        using var limit = new CancellationTokenSource(LastSave, _time);
        try
        {
            if (await _saver.TrySaveAsync(limit.Token).ConfigureAwait(false) is { } failure)
            {
                SessionStoreFailed?.Invoke(failure);
            }
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            SessionStoreFailed?.Invoke(new TimeoutException($"the session could not be saved in {LastSave.TotalSeconds:0.#} s at the stop"));
        }
        catch (Exception failure)
        {
            // After the limit: the stop goes on, and the next process begins from what was saved before.
            SessionStoreFailed?.Invoke(failure);
        }
    }

    /// <summary>Takes up the saved session if it is ours; returns the client id to begin with.</summary>
    private string Restore()
    {
        if (_options.SessionStore?.Load() is not { } state || (_options.ClientId.Length > 0 && _options.ClientId != state.ClientId))
        {
            return _options.ClientId;
        }

        _saver!.Stored = state;
        _server = _sessionServer = state.Server;
        Resumed = _session.Restore(state.Outgoing);
        _subscriptions.Restore(state.Subscriptions);
        foreach (var id in state.Received)
        {
            _received.Add(id);
        }

        return state.ClientId;
    }

    private MqttSessionState? Capture(List<MqttSettled> settled) => _server is null ? null : new()
    {
        ClientId = _clientId,
        Server = _server,
        Outgoing = _session.Capture(settled),
        Received = _received.ToArray(),
        Subscriptions = _subscriptions.Capture(),
    };

    private void OnSaved()
    {
        _session.Saved();
        _inbox?.Saved();
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
            BlamesMessage = wasConnected && loss.BlamesMessage,
            ServerReference = loss.Reference,
            RetryIn = retryIn,
        });
    }
}
