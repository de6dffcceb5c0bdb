using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using EdgeGateway.Core.Feed;
using EdgeGateway.Protocols.Mqtt;

namespace EdgeGateway.PowerLedger;

/// <summary>A real broker on loopback and a subscriber to everything that passes it.</summary>
internal sealed class Centre : IAsyncDisposable
{
    private const string Program = "/usr/sbin/mosquitto";
    private readonly Lock _gate = new();
    private readonly List<(string Topic, byte[] Payload)> _came = [];
    private readonly Process _broker;
    private readonly MqttClient _client;

    private Centre(Process broker, Uri server)
    {
        _broker = broker;
        Server = server;
        _client = new MqttClient(
            new MqttClientOptions { Servers = [server], ClientId = "centre", ReconnectMin = TimeSpan.FromMilliseconds(100), ReconnectMax = TimeSpan.FromSeconds(1) },
            TimeProvider.System)
        { MessageReceived = OnMessage };
    }

    public Uri Server { get; }

    public static async Task<Centre> StartAsync()
    {
        using var free = new TcpListener(IPAddress.Loopback, 0);
        free.Start();
        var port = ((IPEndPoint)free.LocalEndpoint).Port;
        free.Stop();
        var settings = Path.GetTempFileName();
        await File.WriteAllTextAsync(settings, $"listener {port} 127.0.0.1\nallow_anonymous true\nuser root\nmax_queued_messages 0\nset_tcp_nodelay true\n").ConfigureAwait(false);
        var start = new ProcessStartInfo(Program, ["-c", settings]);
        var centre = new Centre(Process.Start(start) ?? throw new InvalidOperationException($"{Program} does not start"), new Uri($"mqtt://127.0.0.1:{port}"));
        _ = centre._client.RunAsync(CancellationToken.None);
        await centre._client.SubscribeAsync("edgegateway/#").ConfigureAwait(false);
        return centre;
    }

    /// <summary>What came since the last call.</summary>
    public List<(string Topic, byte[] Payload)> Take()
    {
        lock (_gate)
        {
            var came = _came.ToList();
            _came.Clear();
            return came;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync().ConfigureAwait(false);
        _broker.Kill();
        _broker.Dispose();
    }

    /// <summary>The numbered message in a payload, or null.</summary>
    public static FeedMessage? Message(byte[] payload) =>
        FeedPayload.Unpack(payload) is { } plain && FeedMessage.TryParse(plain.Span, out var message, out _) ? message : null;

    private ValueTask OnMessage(MqttMessage message, CancellationToken cancel)
    {
        lock (_gate)
        {
            _came.Add((message.Topic, message.Payload.ToArray()));
        }

        return ValueTask.CompletedTask;
    }
}
