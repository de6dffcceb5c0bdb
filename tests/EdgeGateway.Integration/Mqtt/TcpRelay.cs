using System.Net;
using System.Net.Sockets;

namespace EdgeGateway.Integration.Mqtt;

/// <summary>Stands between a client and a server on loopback and can cut, stall or refuse.</summary>
public sealed class TcpRelay : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly List<Link> _links = [];
    private readonly int _targetPort;
    private readonly CancellationTokenSource _end = new();
    private TcpListener? _listener;
    private Task _accepting = Task.CompletedTask;
    private TaskCompletionSource _flowing = Completed();
    private long _bytesToCut = long.MaxValue;

    /// <summary>Listens at once on a free loopback port.</summary>
    public TcpRelay(int targetPort)
    {
        _targetPort = targetPort;
        Listen(0);
    }

    public int Port { get; private set; }

    /// <summary>Connections accepted so far.</summary>
    public int Accepted { get; private set; }

    /// <summary>Breaks all connections with a reset; new ones are accepted.</summary>
    public void Cut()
    {
        lock (_gate)
        {
            foreach (var link in _links)
            {
                link.Abort();
            }

            _links.Clear();
        }
    }

    /// <summary>Breaks all connections with a reset once so many more bytes have passed, in either direction: in the middle of a packet as well as between two.</summary>
    public void CutAfter(int bytes) => Interlocked.Exchange(ref _bytesToCut, bytes);

    /// <summary>From now on nothing is passed on in either direction: connections stay open and silent, as behind a dead modem.</summary>
    public void Stall()
    {
        lock (_gate)
        {
            if (_flowing.Task.IsCompleted)
            {
                _flowing = new(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        }
    }

    /// <summary>Ends <see cref="Stall"/>; what was held back is passed on.</summary>
    public void Resume()
    {
        lock (_gate)
        {
            _flowing.TrySetResult();
        }
    }

    /// <summary>Cuts, and refuses new connections until <see cref="Allow"/>.</summary>
    public async Task RefuseAsync()
    {
        _listener?.Dispose();
        await _accepting;
        _listener = null;
        Cut();
    }

    /// <summary>Accepts connections again on the same port.</summary>
    public void Allow() => Listen(Port);

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        Resume();
        await RefuseAsync();
        _end.Dispose();
    }

    private static TaskCompletionSource Completed()
    {
        var done = new TaskCompletionSource();
        done.SetResult();
        return done;
    }

    private void Listen(int port)
    {
        var listener = _listener = new TcpListener(IPAddress.Loopback, port);
        listener.Server.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        listener.Start();
        Port = ((IPEndPoint)listener.LocalEndpoint).Port;
        _accepting = AcceptAsync(listener);
    }

    private async Task AcceptAsync(TcpListener listener)
    {
        while (true)
        {
            Socket client;
            try
            {
                client = await listener.AcceptSocketAsync();
            }
            catch (Exception closed) when (closed is SocketException or ObjectDisposedException or InvalidOperationException)
            {
                return;
            }

            var link = new Link(client);
            lock (_gate)
            {
                Accepted++;
                _links.Add(link);
            }

            _ = ServeAsync(link);
        }
    }

    private async Task ServeAsync(Link link)
    {
        try
        {
            await link.Server.ConnectAsync(IPAddress.Loopback, _targetPort, _end.Token);
            await Task.WhenAny(PassAsync(link.Client, link.Server), PassAsync(link.Server, link.Client));
        }
        catch (Exception broken) when (broken is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // A broken link is what a relay is for.
        }
        finally
        {
            link.Close();
            lock (_gate)
            {
                _links.Remove(link);
            }
        }
    }

    private async Task PassAsync(Socket from, Socket to)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            while (true)
            {
                var count = await from.ReceiveAsync(buffer, _end.Token);
                Task flowing;
                lock (_gate)
                {
                    flowing = _flowing.Task;
                }

                await flowing.WaitAsync(_end.Token);
                if (count == 0)
                {
                    return;
                }

                // What is left may be less than what came: then only so much passes, and the link breaks behind it.
                var left = Interlocked.Read(ref _bytesToCut) == long.MaxValue ? long.MaxValue : Interlocked.Add(ref _bytesToCut, -count);
                var passing = left >= 0 ? count : (int)Math.Max(0, left + count);
                if (passing > 0)
                {
                    await to.SendAsync(buffer.AsMemory(0, passing), _end.Token);
                }

                if (left < 0)
                {
                    Interlocked.Exchange(ref _bytesToCut, long.MaxValue);
                    Cut();
                    return;
                }
            }
        }
        catch (Exception broken) when (broken is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // As above.
        }
    }

    private sealed class Link(Socket client)
    {
        public Socket Client => client;

        public Socket Server { get; } = new(SocketType.Stream, ProtocolType.Tcp);

        public void Close()
        {
            Client.Dispose();
            Server.Dispose();
        }

        public void Abort()
        {
            // Linger 0 turns close into a reset; a socket that is closed already needs none.
            try
            {
                Client.LingerState = new LingerOption(true, 0);
                Server.LingerState = new LingerOption(true, 0);
            }
            catch (Exception closed) when (closed is SocketException or ObjectDisposedException)
            {
            }

            Close();
        }
    }
}
