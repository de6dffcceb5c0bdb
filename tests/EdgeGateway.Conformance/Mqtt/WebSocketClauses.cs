using System.Net.WebSockets;
using EdgeGateway.Protocols.Mqtt;
using EdgeGateway.Tests.Shared;
using static EdgeGateway.Protocols.Mqtt.MqttProtocolVersion;

namespace EdgeGateway.Conformance.Mqtt;

/// <summary>MQTT in WebSocket frames: chapter 6 of both standards. The upgrade and its subprotocol need a socket: see WebSocketTests in tests/EdgeGateway.Integration.</summary>
public sealed class WebSocketClauses
{
    [Theory]
    [Trait("clause", "3.1.1 MQTT-6.0.0-1")]
    [Trait("clause", "3.1.1 MQTT-6.0.0-2")]
    [Trait("clause", "5.0 MQTT-6.0.0-1")]
    [Trait("clause", "5.0 MQTT-6.0.0-2")]
    [InlineData(V311, 1)]
    [InlineData(V311, 3)]
    [InlineData(V311, 1000)]
    [InlineData(V500, 1)]
    [InlineData(V500, 3)]
    [InlineData(V500, 1000)]
    public async Task Packets_leave_in_binary_frames_and_are_found_however_the_frames_are_cut(MqttProtocolVersion version, int frame)
    {
        var (server, dial) = Ends();
        await using var bench = new Bench(version, options => options with { Dial = dial });
        bench.Start();
        var connect = new byte[1000];
        var received = await server.ReceiveAsync(connect.AsMemory(), CancellationToken.None).AsTask().WaitAsync(Bench.Patience);
        Assert.Equal((WebSocketMessageType.Binary, true), (received.MessageType, connect[0] == 0x10 && received.Count > 12));
        var bytes = Hex.Bytes(Hex.ConnAck(version) + Hex.Publish(version, "a", 0, first: "30") + Hex.Publish(version, "b", 7));
        for (var at = 0; at < bytes.Length; at += frame)
        {
            await server.SendAsync(bytes.AsMemory(at, Math.Min(frame, bytes.Length - at)), WebSocketMessageType.Binary, endOfMessage: true, CancellationToken.None);
            await server.SendAsync(ReadOnlyMemory<byte>.Empty, WebSocketMessageType.Binary, endOfMessage: true, CancellationToken.None);
        }

        Assert.Equal("a", (await bench.MessageAsync()).Topic);
        Assert.Equal("b", (await bench.MessageAsync()).Topic);
        var answer = new byte[4];
        received = await server.ReceiveAsync(answer.AsMemory(), CancellationToken.None).AsTask().WaitAsync(Bench.Patience);
        Assert.Equal((WebSocketMessageType.Binary, "40020007"), (received.MessageType, Hex.Of(answer)));
    }

    [Theory]
    [Trait("clause", "3.1.1 MQTT-6.0.0-1")]
    [Trait("clause", "5.0 MQTT-6.0.0-1")]
    [InlineData(V311)]
    [InlineData(V500)]
    public async Task A_text_frame_closes_the_connection(MqttProtocolVersion version)
    {
        var (server, dial) = Ends();
        await using var bench = new Bench(version, options => options with { Dial = dial });
        bench.Start();
        var buffer = new byte[1000];
        await server.ReceiveAsync(buffer.AsMemory(), CancellationToken.None).AsTask().WaitAsync(Bench.Patience);
        await server.SendAsync(Hex.Bytes(Hex.ConnAck(version)), WebSocketMessageType.Binary, endOfMessage: true, CancellationToken.None);
        await bench.ConnectedAsync();
        await server.SendAsync(Hex.Bytes("7B7D"), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
        var loss = await bench.LostAsync();
        Assert.True(loss.WasConnected);
        Assert.Contains("text", loss.Reason, StringComparison.Ordinal);
    }

    private static (WebSocket Server, Func<Uri, CancellationToken, ValueTask<Stream>> Dial) Ends()
    {
        var (server, client) = DuplexStream.Pair();
        var socket = WebSocket.CreateFromStream(client, isServer: false, "mqtt", TimeSpan.Zero);
        return (
            WebSocket.CreateFromStream(server, isServer: true, "mqtt", TimeSpan.Zero),
            (_, _) => new(new MqttWebSocketStream(socket, TimeProvider.System)));
    }
}
