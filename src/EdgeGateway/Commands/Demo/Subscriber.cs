using EdgeGateway.Protocols.Mqtt;

namespace EdgeGateway.Commands.Demo;

/// <summary>Gives a <see cref="Receiver"/> everything that the broker delivers, over connections and their losses.</summary>
internal sealed class Subscriber : IAsyncDisposable
{
    private static readonly TimeSpan SubscribeLimit = TimeSpan.FromSeconds(15);

    private readonly MqttClient _client;
    private readonly Receiver _receiver;

    public Subscriber(int port, Receiver receiver)
    {
        _receiver = receiver;
        _client = new MqttClient(
            new MqttClientOptions
            {
                Servers = [new Uri($"mqtt://127.0.0.1:{port}")],
                ClientId = "edgegateway-demo-centre",

                // A session that the broker keeps while we are away, as docs/feed asks of every receiver that must lose nothing. By 3.1.1,
                // because mosquitto 2.0 writes only those sessions to disk that were begun with the clean flag 0, and a 5.0 client that
                // must not find the session of an earlier process begins its first connection with 1.
                Version = MqttProtocolVersion.V311,
                CleanStart = false,
                ReconnectMin = TimeSpan.FromMilliseconds(200),
                ReconnectMax = TimeSpan.FromSeconds(1),
                MaxIncomingPacketSize = 4 * 1024 * 1024,
            },
            TimeProvider.System)
        {
            MessageReceived = TakeAsync,
            Connected = connected => Sessions += connected.SessionPresent ? 0 : 1,
        };
    }

    public bool IsConnected => _client.IsConnected;

    /// <summary>Sessions at the broker so far; more than one means that the broker forgot us, and messages with us.</summary>
    public int Sessions { get; private set; }

    /// <summary>True when the gateway, or the broker on its behalf, said last that it is online.</summary>
    public bool IsGatewayOnline { get; private set; }

    /// <summary>Connects, and returns when the broker has taken the subscription.</summary>
    /// <exception cref="DemoException">It does not.</exception>
    public async Task StartAsync(CancellationToken cancel)
    {
        _ = _client.RunAsync(CancellationToken.None);
        try
        {
            var outcome = await _client.SubscribeAsync("edgegateway/v1/#", MqttQos.AtLeastOnce, cancel).AsTask()
                .WaitAsync(SubscribeLimit, TimeProvider.System, cancel).ConfigureAwait(false);
            if (!outcome.Granted)
            {
                throw new DemoException($"The broker refuses the subscription: reason code {outcome.Code}.");
            }
        }
        catch (TimeoutException)
        {
            throw new DemoException("The broker does not answer the subscription.");
        }
    }

    public ValueTask DisposeAsync() => _client.DisposeAsync();

    private ValueTask TakeAsync(MqttMessage message, CancellationToken cancel)
    {
        if (message.Topic.EndsWith("/status", StringComparison.Ordinal))
        {
            IsGatewayOnline = message.Payload.Span.SequenceEqual("online"u8);
        }
        else
        {
            _receiver.Take(message.Topic, message.Payload, message.Retain);
        }

        return ValueTask.CompletedTask;
    }
}
