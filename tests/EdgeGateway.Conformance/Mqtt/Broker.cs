using System.IO.Pipelines;
using System.Threading.Channels;

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
        var (server, client) = Streams();
        return (new(server), client);
    }

    /// <summary>Both ends of a connection in memory; towards the server 64 KiB wait at most, towards the client 4 MiB.</summary>
    public static (Stream Server, Stream Client) Streams()
    {
        var toServer = new Pipe();
        var toClient = new Pipe(new PipeOptions(pauseWriterThreshold: 1 << 22, resumeWriterThreshold: 1 << 21));
        return (new DuplexStream(toServer.Reader, toClient.Writer), new DuplexStream(toClient.Reader, toServer.Writer));
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

    private sealed class DuplexStream(PipeReader input, PipeWriter output) : Stream
    {
        private readonly Stream _input = input.AsStream();
        private readonly Stream _output = output.AsStream();

        public override bool CanRead => true;

        public override bool CanWrite => true;

        public override bool CanSeek => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override void Flush() => _output.Flush();

        public override Task FlushAsync(CancellationToken cancellationToken) => _output.FlushAsync(cancellationToken);

        public override int Read(byte[] buffer, int offset, int count) => _input.Read(buffer, offset, count);

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            try
            {
                return await _input.ReadAsync(buffer, cancellationToken);
            }
            catch (InvalidOperationException closed)
            {
                throw new ObjectDisposedException("a socket that is closed while it is read from", closed);
            }
        }

        public override void Write(byte[] buffer, int offset, int count) => _output.Write(buffer, offset, count);

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            try
            {
                await _output.WriteAsync(buffer, cancellationToken);
            }
            catch (InvalidOperationException closed)
            {
                throw new ObjectDisposedException("a socket that is closed while it is written to", closed);
            }
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                input.Complete();
                output.Complete();
            }

            base.Dispose(disposing);
        }
    }
}
