using System.Threading.Channels;
using EdgeGateway.Protocols.Mqtt;
using EdgeGateway.Protocols.Mqtt.Packets;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Tests.Protocols.Mqtt;

/// <summary>The server's end of an in-memory connection, played by the test.</summary>
internal sealed class ScriptedPeer : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private readonly Stream _stream;
    private readonly MqttConnection _packets;
    private readonly MqttProtocolVersion _version;

    private ScriptedPeer(Stream stream, MqttProtocolVersion version)
    {
        _stream = stream;
        _version = version;
        _packets = new(stream, version, 1 << 20, TimeProvider.System, new());
    }

    public static (ScriptedPeer Peer, Stream Client) Create(MqttProtocolVersion version)
    {
        var (server, client) = DuplexStream.Pair();
        return (new(server, version), client);
    }

    public async Task<MqttFrame> ReadAsync() => await _packets.ReadAsync(CancellationToken.None).AsTask().WaitAsync(Patience);

    public async Task<ConnectPacket> ExpectConnectAsync()
    {
        var frame = await ReadAsync();
        Assert.Equal(PacketType.Connect, frame.Header.Type);
        Assert.True(ConnectPacket.TryRead(frame.Body, out var packet, out _, out var breach), breach.Reason);
        return packet;
    }

    /// <summary>Reads CONNECT and accepts it.</summary>
    public async Task<ConnectPacket> AcceptAsync(bool sessionPresent = false, MqttProperties? properties = null)
    {
        var connect = await ExpectConnectAsync();
        await SendAsync(new ConnAckPacket { SessionPresent = sessionPresent, Properties = properties });
        return connect;
    }

    public async Task<PublishPacket> ExpectPublishAsync()
    {
        var frame = await ReadAsync();
        Assert.Equal(PacketType.Publish, frame.Header.Type);
        Assert.True(PublishPacket.TryRead(frame.Header.Flags, frame.Body.ToArray(), _version, out var packet, out var breach), breach.Reason);
        return packet;
    }

    public async Task<AckPacket> ExpectAckAsync(PacketType type)
    {
        var frame = await ReadAsync();
        Assert.Equal(type, frame.Header.Type);
        Assert.True(AckPacket.TryRead(type, frame.Body, _version, out var packet, out var breach), breach.Reason);
        return packet;
    }

    public async Task<SubscribePacket> ExpectSubscribeAsync()
    {
        var frame = await ReadAsync();
        Assert.Equal(PacketType.Subscribe, frame.Header.Type);
        Assert.True(SubscribePacket.TryRead(frame.Body, _version, out var packet, out var breach), breach.Reason);
        return packet;
    }

    public async Task<UnsubscribePacket> ExpectUnsubscribeAsync()
    {
        var frame = await ReadAsync();
        Assert.Equal(PacketType.Unsubscribe, frame.Header.Type);
        Assert.True(UnsubscribePacket.TryRead(frame.Body, _version, out var packet, out var breach), breach.Reason);
        return packet;
    }

    public async Task<DisconnectPacket> ExpectDisconnectAsync(PacketType type = PacketType.Disconnect)
    {
        var frame = await ReadAsync();
        Assert.Equal(type, frame.Header.Type);
        Assert.True(DisconnectPacket.TryRead(type, frame.Body, _version, out var packet, out var breach), breach.Reason);
        return packet;
    }

    public async Task ExpectEndAsync() => Assert.True((await ReadAsync()).AtEnd);

    public async Task AckAsync(ushort id, MqttReasonCode code = MqttReasonCode.Success, PacketType type = PacketType.PubAck) =>
        await SendAsync(new AckPacket { Type = type, PacketId = id, ReasonCode = code });

    public async Task SendAsync<T>(T packet)
        where T : IPacket => await SendAsync(PacketEncoder.ToArray(packet, _version));

    public async Task SendAsync(byte[] bytes) => await _stream.WriteAsync(bytes);

    public async Task CloseAsync() => await _packets.DisposeAsync();

    public ValueTask DisposeAsync() => _packets.DisposeAsync();
}

/// <summary>Dials in memory: each connection the client opens is handed to the test.</summary>
internal sealed class ScriptedServer(MqttProtocolVersion version)
{
    private readonly Channel<ScriptedPeer> _peers = Channel.CreateUnbounded<ScriptedPeer>();

    public List<string> Dialed { get; } = [];

    /// <summary>Set to refuse the next connections at dialing.</summary>
    public Func<Uri, bool> Refuses { get; set; } = _ => false;

    public ValueTask<Stream> DialAsync(Uri server, CancellationToken cancel)
    {
        lock (Dialed)
        {
            Dialed.Add(server.Host);
        }

        if (Refuses(server))
        {
            throw new IOException("refused by the test");
        }

        var (peer, client) = ScriptedPeer.Create(version);
        _peers.Writer.TryWrite(peer);
        return new(client);
    }

    public async Task<ScriptedPeer> NextAsync() => await _peers.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(20));
}
