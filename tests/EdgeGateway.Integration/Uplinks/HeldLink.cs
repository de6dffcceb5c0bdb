using System.Net.Sockets;

namespace EdgeGateway.Integration.Uplinks;

/// <summary>
/// A client's link to a server that a test can cut, refuse, or make one-sided: what the client sends arrives, what the server answers
/// does not. That is how an acknowledgement gets lost.
/// </summary>
internal sealed class HeldLink
{
    private readonly Lock _gate = new();
    private readonly List<Side> _open = [];
    private TaskCompletionSource _answers = Done();
    private bool _refusing;

    /// <summary>Answers of the server wait from now on.</summary>
    public void HoldAnswers()
    {
        lock (_gate)
        {
            _answers = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    /// <summary>Breaks the connection; held answers are lost with it. New connections are whole.</summary>
    public void Cut()
    {
        lock (_gate)
        {
            foreach (var side in _open)
            {
                side.Break();
            }

            _open.Clear();
            _answers.TrySetResult();
        }
    }

    /// <summary>Breaks the connection and refuses new ones.</summary>
    public void Refuse()
    {
        lock (_gate) { _refusing = true; }
        Cut();
    }

    public void Allow()
    {
        lock (_gate) { _refusing = false; }
    }

    public async ValueTask<Stream> DialAsync(Uri server, CancellationToken cancel)
    {
        lock (_gate)
        {
            if (_refusing)
            {
                throw new IOException("the link is cut");
            }
        }

        var client = new TcpClient { NoDelay = true };
        try
        {
            await client.ConnectAsync(server.Host, server.Port, cancel);
        }
        catch (SocketException refused)
        {
            client.Dispose();
            throw new IOException("the server is not there", refused);
        }

        var side = new Side(this, client);
        lock (_gate) { _open.Add(side); }
        return side;
    }

    private static TaskCompletionSource Done()
    {
        var done = new TaskCompletionSource();
        done.SetResult();
        return done;
    }

    private sealed class Side(HeldLink link, TcpClient client) : Stream
    {
        private readonly NetworkStream _inner = client.GetStream();
        private volatile bool _broken;

        public override bool CanRead => true;

        public override bool CanWrite => true;

        public override bool CanSeek => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public void Break()
        {
            _broken = true;
            client.Client.LingerState = new LingerOption(true, 0);
            client.Dispose();
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var count = await _inner.ReadAsync(buffer, cancellationToken);
            Task answers;
            lock (link._gate) { answers = link._answers.Task; }
            await answers.WaitAsync(cancellationToken);
            return _broken ? throw new IOException("the link was cut") : count;
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            _broken ? throw new IOException("the link was cut") : _inner.WriteAsync(buffer, cancellationToken);

        public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                lock (link._gate) { link._open.Remove(this); }
                client.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
