using System.Net;
using System.Net.Sockets;

namespace EdgeGateway.Protocols;

/// <summary>The TCP side of a server: listens, accepts clients up to a limit, and serves each in a task of its own until it stops.</summary>
internal sealed class ClientListener : IAsyncDisposable
{
    private readonly Socket _listener;
    private readonly int _maxClients;
    private readonly TimeProvider _time;
    private readonly Func<Socket, CancellationToken, Task> _serve;
    private readonly Func<bool>? _giveWay;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private readonly Dictionary<Socket, Task> _clients = [];
    private readonly Task _accepting;

    /// <param name="endPoint">Where to listen; null for a free port on the loopback address.</param>
    /// <param name="maxClients">Clients served at a time; further ones are closed at once.</param>
    /// <param name="time">The clock for waiting.</param>
    /// <param name="serve">Serves a client until it is gone or the token ends. The socket is closed afterwards; socket errors and cancellation are taken for its end.</param>
    /// <param name="giveWay">Called when all places are taken: tells one that has no more use of its place to end, and whether there was one. Null: further clients are closed.</param>
    /// <exception cref="IOException">The endpoint cannot be had; the message says why.</exception>
    public ClientListener(IPEndPoint? endPoint, int maxClients, TimeProvider time, Func<Socket, CancellationToken, Task> serve, Func<bool>? giveWay = null)
    {
        endPoint ??= new(IPAddress.Loopback, 0);
        _maxClients = maxClients;
        _time = time;
        _serve = serve;
        _giveWay = giveWay;
        _listener = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            _listener.Bind(endPoint);
            _listener.Listen();
        }
        catch (SocketException refused)
        {
            _listener.Dispose();
            throw new IOException($"cannot listen on {endPoint}: {refused.Message} (errno {refused.NativeErrorCode})", refused);
        }

        EndPoint = (IPEndPoint)_listener.LocalEndPoint!;
        _accepting = AcceptAsync();
    }

    /// <summary>Where it listens; the port is the one the system chose when 0 was asked for.</summary>
    public IPEndPoint EndPoint { get; }

    /// <summary>Clients connected now.</summary>
    public int Clients
    {
        get
        {
            lock (_gate)
            {
                return _clients.Count;
            }
        }
    }

    /// <summary>Closes the listener, tells all clients' tasks to end, and waits until they have.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_stop.IsCancellationRequested)
        {
            return;
        }

        await _stop.CancelAsync().ConfigureAwait(false);
        _listener.Dispose();
        await _accepting.ConfigureAwait(false);
        Task[] clients;
        lock (_gate)
        {
            clients = [.. _clients.Values];
        }

        await Task.WhenAll(clients).ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            Socket client;
            try
            {
                client = await _listener.AcceptAsync(_stop.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (SocketException)
            {
                // The client hung up before it was accepted, or descriptors ran out: the listener itself is well.
                await Task.Delay(TimeSpan.FromMilliseconds(10), _time, CancellationToken.None).ConfigureAwait(false);
                continue;
            }

            lock (_gate)
            {
                // One that was told to end has its place a moment longer; twice as many is the bound.
                if (_clients.Count >= _maxClients && !(_giveWay is not null && _clients.Count < 2 * _maxClients && _giveWay()))
                {
                    client.Dispose();
                    continue;
                }

                _clients.Add(client, Task.Run(() => ServeAsync(client), CancellationToken.None));
            }
        }
    }

    private async Task ServeAsync(Socket client)
    {
        try
        {
            await _serve(client, _stop.Token).ConfigureAwait(false);
        }
        catch (Exception over) when (over is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // The client is gone or the server stops: either way this connection has served.
            return;
        }
        finally
        {
            client.Dispose();
            lock (_gate)
            {
                _clients.Remove(client);
            }
        }
    }
}
