using EdgeGateway.Protocols.Mqtt;

namespace EdgeGateway.Verifying;

/// <summary>Subscribes to a feed at a broker in a session that outlives connections, and hands out what is delivered.</summary>
internal sealed class BrokerListener : IAsyncDisposable
{
    private static readonly TimeSpan SubscribeLimit = TimeSpan.FromSeconds(20);

    private readonly MqttClientOptions _options;
    private readonly TimeProvider _time;
    private readonly MqttClient _client;
    private volatile string _lastProblem = "it does not answer";
    private int _connections;

    public BrokerListener(MqttClientOptions options, TimeProvider time, Func<MqttMessage, CancellationToken, ValueTask> received, Action<string> tell)
    {
        _options = options;
        _time = time;
        _client = new MqttClient(options, time)
        {
            MessageReceived = received,
            HandlerFailed = e => tell($"A message could not be handled: {e.Message}"),
            Connected = connected =>
            {
                if (Interlocked.Increment(ref _connections) > 1 || options.SessionStore is not null)
                {
                    tell(connected.SessionPresent
                        ? $"Connected to {connected.Server.Host}; the broker kept the session."
                        : $"Connected to {connected.Server.Host}; the broker did NOT keep the session: what was published meanwhile is missing here.");
                }
            },
            Disconnected = lost =>
            {
                _lastProblem = lost.Reason;
                if (lost.Cause != MqttLossCause.Stopped)
                {
                    tell($"Not connected: {lost.Reason}");
                }
            },
        };
    }

    /// <summary>Connects and subscribes.</summary>
    /// <returns>Null, or why it could not be done.</returns>
    public async Task<string?> StartAsync(string filter, CancellationToken cancel)
    {
        _ = _client.RunAsync(CancellationToken.None);
        try
        {
            var outcome = await _client.SubscribeAsync(filter, MqttQos.AtLeastOnce, cancel).AsTask().WaitAsync(SubscribeLimit, _time, cancel).ConfigureAwait(false);
            return outcome.Granted ? null : $"The broker refuses the subscription to '{filter}': {outcome.Code}. Its access list decides who may read.";
        }
        catch (TimeoutException)
        {
            return $"No subscription at {_options.Servers[0].Host}:{_options.Servers[0].Port} within {SubscribeLimit.TotalSeconds:0} s: {_lastProblem}";
        }
    }

    /// <summary>Leaves nothing at the broker: no queue that fills for a session that nobody takes up again.</summary>
    public async Task ForgetAsync(string filter, CancellationToken cancel)
    {
        if (_client.IsConnected)
        {
            await _client.UnsubscribeAsync(filter, cancel).ConfigureAwait(false);
        }

        await _client.DisconnectAsync(cancel).ConfigureAwait(false);
        if (_options.Version == MqttProtocolVersion.V311)
        {
            // A session of 3.1.1 has no end but a clean connection under its name.
            var gone = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            await using var cleaner = new MqttClient(_options with { CleanStart = true, SessionStore = null }, _time) { Connected = _ => gone.TrySetResult() };
            _ = cleaner.RunAsync(CancellationToken.None);
            await gone.Task.WaitAsync(cancel).ConfigureAwait(false);
        }
    }

    public ValueTask DisposeAsync() => _client.DisposeAsync();
}

/// <summary>
/// Lets a client take up the session that the broker still holds under its name. There is nothing to keep on our side: who only receives, and with QoS 1, has no
/// state beside the server's.
/// </summary>
internal sealed class BrokerSession(Uri broker, string clientId) : IMqttSessionStore
{
    public MqttSessionState? Load() => new() { ClientId = clientId, Server = broker };

    public ValueTask SaveAsync(MqttSessionState state, CancellationToken cancel) => ValueTask.CompletedTask;
}
