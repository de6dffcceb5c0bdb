using System.Collections.Concurrent;
using System.Threading.Channels;
using EdgeGateway.Protocols.Mqtt;

namespace EdgeGateway.Integration.Mqtt;

/// <summary>MQTT over WebSocket, with and without TLS, before a real broker. MQTT 5.0, 6.0.</summary>
public sealed class WebSocketTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData(MqttProtocolVersion.V311, false)]
    [InlineData(MqttProtocolVersion.V500, false)]
    [InlineData(MqttProtocolVersion.V500, true)]
    public async Task Messages_go_both_ways_and_packets_may_span_frames(MqttProtocolVersion version, bool secure)
    {
        using var broker = await Mosquitto.RunAsync();
        using var folder = new Folder();
        var certificates = secure ? new TestCertificates(folder.Path, "127.0.0.1") : null;
        await using var relay = new WebSocketRelay(broker.Port, certificates);
        var received = new ConcurrentQueue<int>();
        using var arrived = new SemaphoreSlim(0);
        await using var client = new MqttClient(Options(relay.Uri, certificates) with { Version = version }, TimeProvider.System)
        {
            MessageReceived = (message, _) =>
            {
                received.Enqueue(message.Payload.Length);
                arrived.Release();
                return ValueTask.CompletedTask;
            },
        };
        _ = client.RunAsync(CancellationToken.None);
        Assert.True((await client.SubscribeAsync("t/#", MqttQos.ExactlyOnce).AsTask().WaitAsync(Patience)).Granted);
        int[] sizes = [0, 1, 10, 1000, 70_000, 5, 200_000, 0];
        var outcomes = sizes.Select((size, i) => client.PublishAsync("t/x", new byte[size], (MqttQos)(i % 2 + 1)).AsTask()).ToArray();
        Assert.All(await Task.WhenAll(outcomes).WaitAsync(Patience), outcome => Assert.True(outcome.IsDelivered, outcome.Reason));
        for (var i = 0; i < sizes.Length; i++)
        {
            Assert.True(await arrived.WaitAsync(Patience));
        }

        Assert.Equal(sizes.Order(), received.Order());
        await client.DisconnectAsync().WaitAsync(Patience);
        Assert.Contains("GET /mqtt HTTP/1.1", Assert.Single(relay.Requests), StringComparison.Ordinal);
        Assert.Contains("Sec-WebSocket-Protocol: mqtt", relay.Requests[0], StringComparison.Ordinal);
        Assert.Contains("Received DISCONNECT from ws", broker.Log, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(MqttProtocolVersion.V311, false)]
    [InlineData(MqttProtocolVersion.V500, false)]
    [InlineData(MqttProtocolVersion.V311, true)]
    [InlineData(MqttProtocolVersion.V500, true)]
    public async Task Messages_go_both_ways_at_the_WebSocket_listener_of_a_real_broker(MqttProtocolVersion version, bool secure)
    {
        using var broker = await Mosquitto.RunAsync(new() { WebSocket = true, TlsNames = secure ? ["127.0.0.1"] : [] });
        await using var client = await MqttSite.ConnectAsync(
            broker.WebSocket, "ws", version, subscribe: "t/#", change: options => options with { Tls = new() { CaFile = broker.Certificates?.CaFile } });
        string[] texts = ["small", new('x', 100_000), "last"];
        foreach (var (i, text) in texts.Index())
        {
            var outcome = await client.Client.PublishAsync("t/x", System.Text.Encoding.ASCII.GetBytes(text), MqttQos.ExactlyOnce).AsTask().WaitAsync(Patience);
            Assert.True(outcome.IsDelivered, outcome.Reason);
            await client.UntilReceivedAsync(i + 1);
        }

        Assert.Equal(texts, client.Received);
    }

    [Fact]
    public async Task A_broker_that_goes_away_and_comes_back_is_found_again()
    {
        using var broker = await Mosquitto.RunAsync();
        await using var relay = new WebSocketRelay(broker.Port);
        var lost = Channel.CreateUnbounded<MqttDisconnected>();
        await using var client = new MqttClient(Options(relay.Uri, null), TimeProvider.System) { Disconnected = loss => lost.Writer.TryWrite(loss) };
        _ = client.RunAsync(CancellationToken.None);
        Assert.True((await client.PublishAsync("t", default).AsTask().WaitAsync(Patience)).IsDelivered);
        await broker.KillAsync();
        Assert.Equal(MqttLossCause.ClosedByServer, (await lost.Reader.ReadAsync().AsTask().WaitAsync(Patience)).Cause);
        await broker.StartAsync();
        Assert.True((await client.PublishAsync("t", default).AsTask().WaitAsync(Patience)).IsDelivered);
    }

    [Theory]
    [InlineData("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "404", MqttLossCause.Refused)]
    [InlineData("HTTP/1.1 301 Moved Permanently\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", "301", MqttLossCause.Refused)]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n", "is not a WebSocket", MqttLossCause.Refused)]
    [InlineData("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: bm8=\r\n\r\n", "is not a WebSocket", MqttLossCause.Refused)]
    public async Task What_is_no_websocket_of_a_broker_is_told_in_words(string answer, string expected, MqttLossCause cause)
    {
        await using var relay = new WebSocketRelay(1) { Answer = answer };
        var lost = await FirstLossAsync(Options(relay.Uri, null));
        Assert.Equal(cause, lost.Cause);
        Assert.Contains(expected, lost.Reason, StringComparison.Ordinal);
        Assert.Contains("Check port and path", lost.Reason, StringComparison.Ordinal);
    }

    [Fact, Trait("clause", "MQTT-6.0.0-4")]
    public async Task A_server_that_does_not_choose_the_subprotocol_is_refused()
    {
        await using var relay = new WebSocketRelay(1) { IsSilentOnSubprotocol = true };
        Assert.Contains("subprotocol 'mqtt'", (await FirstLossAsync(Options(relay.Uri, null))).Reason, StringComparison.Ordinal);
    }

    [Fact, Trait("clause", "MQTT-6.0.0-1")]
    public async Task Text_frames_end_the_connection()
    {
        using var broker = await Mosquitto.RunAsync();
        await using var relay = new WebSocketRelay(broker.Port) { SendsText = true };
        Assert.Contains("sent text over the WebSocket", (await FirstLossAsync(Options(relay.Uri, null))).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_certificate_of_a_secure_websocket_is_verified_like_any_other()
    {
        using var folder = new Folder();
        var certificates = new TestCertificates(folder.Path, "broker.example");
        await using var relay = new WebSocketRelay(1, certificates);
        var wrongHost = await FirstLossAsync(Options(relay.Uri, certificates));
        Assert.Equal(MqttLossCause.Tls, wrongHost.Cause);
        Assert.Contains("it is for broker.example, not for 127.0.0.1", wrongHost.Reason, StringComparison.Ordinal);
        var unknown = await FirstLossAsync(Options(relay.Uri, null));
        Assert.Contains("unknown authority", unknown.Reason, StringComparison.Ordinal);
    }

    private static MqttClientOptions Options(Uri server, TestCertificates? certificates) => new()
    {
        Servers = [server],
        ClientId = "ws",
        ReconnectMin = TimeSpan.FromMilliseconds(50),
        ReconnectMax = TimeSpan.FromMilliseconds(200),
        Tls = new() { CaFile = certificates?.CaFile },
    };

    private static async Task<MqttDisconnected> FirstLossAsync(MqttClientOptions options)
    {
        var lost = new TaskCompletionSource<MqttDisconnected>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var client = new MqttClient(options, TimeProvider.System) { Disconnected = loss => lost.TrySetResult(loss) };
        _ = client.RunAsync(CancellationToken.None);
        return await lost.Task.WaitAsync(Patience);
    }

    private sealed class Folder : IDisposable
    {
        public string Path { get; } = Directory.CreateTempSubdirectory("edgegateway-ws-").FullName;

        public void Dispose() => Directory.Delete(Path, recursive: true);
    }
}
