using System.Collections.Concurrent;
using System.Text;
using System.Threading.Channels;
using EdgeGateway.Protocols.Mqtt;

namespace EdgeGateway.Integration.Mqtt;

/// <summary>A running client and what it saw.</summary>
internal sealed class MqttSite : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Channel<MqttConnected> _connected = Channel.CreateUnbounded<MqttConnected>();
    private readonly Channel<MqttDisconnected> _lost = Channel.CreateUnbounded<MqttDisconnected>();
    private readonly SemaphoreSlim _arrivals = new(0);

    private MqttSite(MqttClientOptions options)
    {
        Client = new(options, TimeProvider.System)
        {
            Connected = connected => _connected.Writer.TryWrite(connected),
            Disconnected = lost => _lost.Writer.TryWrite(lost),
            MessageReceived = (message, _) =>
            {
                Messages.Enqueue(message);
                Topics.Enqueue(message.Topic);
                Received.Enqueue(Encoding.UTF8.GetString(message.Payload.Span));
                _arrivals.Release();
                return ValueTask.CompletedTask;
            },
        };
    }

    public MqttClient Client { get; }

    /// <summary>Everything that was handed over, in order.</summary>
    public ConcurrentQueue<MqttMessage> Messages { get; } = new();

    public ConcurrentQueue<string> Topics { get; } = new();

    public ConcurrentQueue<string> Received { get; } = new();

    public static MqttSite Start(Uri server, string clientId, MqttProtocolVersion version, Func<MqttClientOptions, MqttClientOptions>? change = null)
    {
        var options = new MqttClientOptions
        {
            Servers = [server],
            ClientId = clientId,
            Version = version,
            ReconnectMin = TimeSpan.FromMilliseconds(50),
            ReconnectMax = TimeSpan.FromMilliseconds(200),
        };
        var site = new MqttSite(change?.Invoke(options) ?? options);
        _ = site.Client.RunAsync(CancellationToken.None);
        return site;
    }

    public static async Task<MqttSite> ConnectAsync(
        Uri server, string clientId, MqttProtocolVersion version, string? subscribe = null, Func<MqttClientOptions, MqttClientOptions>? change = null)
    {
        var site = Start(server, clientId, version, change);
        await site.ConnectedAsync();
        if (subscribe is not null)
        {
            Assert.True((await site.Client.SubscribeAsync(subscribe).AsTask().WaitAsync(Patience)).Granted);
        }

        return site;
    }

    public async Task<MqttConnected> ConnectedAsync() => await _connected.Reader.ReadAsync().AsTask().WaitAsync(Patience);

    public async Task<MqttDisconnected> LostAsync() => await _lost.Reader.ReadAsync().AsTask().WaitAsync(Patience);

    /// <summary>Waits for as many different payloads.</summary>
    public async Task UntilReceivedAsync(int count)
    {
        while (Received.Distinct().Count() < count)
        {
            Assert.True(await _arrivals.WaitAsync(Patience), $"{Received.Count} of {count} arrived");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync().AsTask().WaitAsync(Patience);
        _arrivals.Dispose();
    }
}
