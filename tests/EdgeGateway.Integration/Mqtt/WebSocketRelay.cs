using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace EdgeGateway.Integration.Mqtt;

/// <summary>
/// Speaks WebSocket (RFC 6455) to the client, with TLS if it has a certificate, and plain MQTT to a broker behind it. The bytes of the broker leave in frames of
/// odd sizes, some in several fragments, so that packets span frames and frames hold several packets.
/// </summary>
public sealed class WebSocketRelay : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly X509Certificate2? _certificate;
    private readonly int _brokerPort;
    private readonly Task _accepting;

    public WebSocketRelay(int brokerPort, TestCertificates? certificates = null)
    {
        _brokerPort = brokerPort;
        _certificate = certificates is null ? null : X509Certificate2.CreateFromPemFile(certificates.ServerCertificate, certificates.ServerKey);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public Uri Uri => new($"{(_certificate is null ? "ws" : "wss")}://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/mqtt");

    /// <summary>What the clients asked for, headers and all.</summary>
    public List<string> Requests { get; } = [];

    /// <summary>Instead of the upgrade, when set.</summary>
    public string? Answer { get; set; }

    /// <summary>Names no subprotocol in the answer.</summary>
    public bool IsSilentOnSubprotocol { get; set; }

    /// <summary>Sends text instead of the broker's bytes.</summary>
    public bool SendsText { get; set; }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Dispose();
        await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _certificate?.Dispose();
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            var client = await _listener.AcceptTcpClientAsync(_end.Token);
            _ = ServeAsync(client);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var _ = client;
        using var broker = new TcpClient();
        try
        {
            Stream stream = client.GetStream();
            if (_certificate is not null)
            {
                var secure = new SslStream(stream);
                await secure.AuthenticateAsServerAsync(_certificate);
                stream = secure;
            }

            if (!await UpgradeAsync(stream))
            {
                return;
            }

            using var socket = WebSocket.CreateFromStream(stream, new WebSocketCreationOptions { IsServer = true, SubProtocol = "mqtt" });
            await broker.ConnectAsync(IPAddress.Loopback, _brokerPort, _end.Token);
            var behind = broker.GetStream();
            await Task.WhenAny(ToBrokerAsync(socket, behind), ToClientAsync(behind, socket));
            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, _end.Token);
        }
        catch (Exception failure) when (failure is IOException or SocketException or WebSocketException or OperationCanceledException or ObjectDisposedException or InvalidOperationException)
        {
            // A client or a broker that goes away is the test's business.
        }
    }

    private async Task<bool> UpgradeAsync(Stream stream)
    {
        var request = new StringBuilder();
        var one = new byte[1];
        while (!request.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            if (await stream.ReadAsync(one, _end.Token) == 0)
            {
                return false;
            }

            request.Append((char)one[0]);
        }

        var text = request.ToString();
        lock (Requests)
        {
            Requests.Add(text);
        }

        var key = text.Split("\r\n").Single(line => line.StartsWith("Sec-WebSocket-Key: ", StringComparison.OrdinalIgnoreCase)).Split(": ")[1];
#pragma warning disable CA5350 // RFC 6455, 4.2.2 prescribes SHA-1; it proves that the server understood, and protects nothing.
        var accept = Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")));
#pragma warning restore CA5350
        var protocol = IsSilentOnSubprotocol ? "" : "Sec-WebSocket-Protocol: mqtt\r\n";
        var answer = Answer ?? $"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n{protocol}\r\n";
        await stream.WriteAsync(Encoding.ASCII.GetBytes(answer), _end.Token);
        return Answer is null;
    }

    private async Task ToBrokerAsync(WebSocket socket, NetworkStream broker)
    {
        var buffer = new byte[1000];
        while (await socket.ReceiveAsync(buffer.AsMemory(), _end.Token) is { MessageType: WebSocketMessageType.Binary } received)
        {
            await broker.WriteAsync(buffer.AsMemory(0, received.Count), _end.Token);
        }
    }

    private async Task ToClientAsync(NetworkStream broker, WebSocket socket)
    {
        var buffer = new byte[4096];
        var frames = 0;
        while (await broker.ReadAsync(buffer, _end.Token) is > 0 and var count)
        {
            for (var sent = 0; sent < count;)
            {
                var length = Math.Min(count - sent, new[] { 1, 2, 3, 700 }[frames++ % 4]);
                var type = SendsText ? WebSocketMessageType.Text : WebSocketMessageType.Binary;
                await socket.SendAsync(buffer.AsMemory(sent, length), type, endOfMessage: frames % 3 != 0, _end.Token);
                sent += length;
            }
        }
    }
}
