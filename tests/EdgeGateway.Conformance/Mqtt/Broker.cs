using System.Threading.Channels;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Conformance.Mqtt;

/// <summary>A server that does exactly what the test says: each connection that the client dials is handed out as a <see cref="Wire"/>.</summary>
internal sealed class Broker
{
    private readonly Channel<Wire> _dialed = Channel.CreateUnbounded<Wire>();
    private int _dials;

    /// <summary>How many connections were dialed.</summary>
    public int Dials => Volatile.Read(ref _dials);

    public ValueTask<Stream> DialAsync(Uri server, CancellationToken cancel)
    {
        Interlocked.Increment(ref _dials);
        var (wire, client) = Wire.Create();
        _dialed.Writer.TryWrite(wire);
        return new(client);
    }

    public async Task<Wire> NextAsync() => await _dialed.Reader.ReadAsync().AsTask().WaitAsync(Wire.Patience);
}

/// <summary>The server's end of one connection, in bytes. It finds packets by their length only and knows nothing of the product's codec.</summary>
internal sealed class Wire
{
    /// <summary>How long a test waits before it says that something did not happen.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Stream _stream;

    private Wire(Stream stream) => _stream = stream;

    public static (Wire Wire, Stream Client) Create()
    {
        var (server, client) = DuplexStream.Pair();
        return (new(server), client);
    }

    /// <summary>The next packet as hexadecimal text; empty when the client has closed.</summary>
    public async Task<string> ReadAsync()
    {
        using var limit = new CancellationTokenSource(Patience);
        var packet = new List<byte>();
        var first = await ByteAsync(limit.Token);
        if (first is null)
        {
            return "";
        }

        packet.Add(first.Value);
        int length = 0, shift = 0;
        byte digit;
        do
        {
            digit = await ByteAsync(limit.Token) ?? throw new EndOfStreamException("the client closed inside a packet");
            packet.Add(digit);
            length |= (digit & 0x7F) << shift;
            shift += 7;
        }
        while (digit >= 0x80);

        var body = new byte[length];
        await _stream.ReadExactlyAsync(body, limit.Token);
        return Hex.Of([.. packet, .. body]);
    }

    /// <summary>The next packet must be these bytes.</summary>
    public async Task ExpectAsync(string hex) => Assert.Equal(Hex.Of(Hex.Bytes(hex)), await ReadAsync());

    /// <summary>The client must close without another byte.</summary>
    public async Task ExpectClosedAsync() => Assert.Equal("", await ReadAsync());

    public async Task SendAsync(params string[] packets) => await _stream.WriteAsync(Hex.Bytes(string.Concat(packets)));

    public async Task SendAsync(byte[] bytes) => await _stream.WriteAsync(bytes);

    public ValueTask CloseAsync() => _stream.DisposeAsync();

    private async Task<byte?> ByteAsync(CancellationToken cancel)
    {
        var one = new byte[1];
        return await _stream.ReadAsync(one, cancel) == 0 ? null : one[0];
    }
}
