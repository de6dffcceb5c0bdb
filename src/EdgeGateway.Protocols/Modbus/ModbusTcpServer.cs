using System.Net;
using System.Net.Sockets;

namespace EdgeGateway.Protocols.Modbus;

/// <summary>Serves units over Modbus TCP to several clients. MODBUS Messaging on TCP/IP V1.0b.</summary>
/// <remarks>
/// Several requests may be under way on one connection; <see cref="ModbusServerOptions.Concurrency"/> says what becomes of them, by default
/// that each is answered when it is due. Bytes that are no Modbus frame close their connection, no other. A client that does not take its
/// answers is not read from any further, so memory is bounded.
/// </remarks>
public sealed class ModbusTcpServer : IAsyncDisposable
{
    private readonly ServedUnits _units;
    private readonly ModbusServerOptions _options;
    private readonly TimeProvider _time;
    private readonly Socket _listener;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private readonly Dictionary<Socket, Task> _clients = [];
    private readonly Task _accepting;

    private ModbusTcpServer(Socket listener, Func<byte, IModbusUnit?> units, ModbusServerOptions options, TimeProvider time)
    {
        _listener = listener;
        _units = new(units, options);
        _options = options;
        _time = time;
        EndPoint = (IPEndPoint)listener.LocalEndPoint!;
        _accepting = AcceptAsync();
    }

    /// <summary>Where the server listens; the port is the one the system chose when 0 was asked for.</summary>
    public IPEndPoint EndPoint { get; }

    /// <summary>Requests received so far, by all clients.</summary>
    public long Requests => _units.Requests;

    /// <summary>What a unit or <see cref="ModbusServerOptions.Faults"/> threw last; null as long as none has. Its request was answered by exception 04.</summary>
    public Exception? LastError => _units.LastError;

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

    /// <summary>Starts a server.</summary>
    /// <param name="units">Finds a unit by its id; null for one that is not there. Called from several connections at once.</param>
    /// <param name="endPoint">Where to listen; null for a free port on the loopback address.</param>
    /// <param name="options">Faults and limits.</param>
    /// <param name="time">The clock for delays.</param>
    /// <exception cref="IOException">The endpoint cannot be had; the message says why.</exception>
    public static ModbusTcpServer Start(
        Func<byte, IModbusUnit?> units, IPEndPoint? endPoint = null, ModbusServerOptions? options = null, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(units);
        ArgumentOutOfRangeException.ThrowIfLessThan(options?.MaxInFlight ?? 1, 1, nameof(options));
        endPoint ??= new(IPAddress.Loopback, 0);
        var listener = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            listener.Bind(endPoint);
            listener.Listen();
            return new(listener, units, options ?? new(), time ?? TimeProvider.System);
        }
        catch (SocketException refused)
        {
            listener.Dispose();
            throw new IOException($"cannot listen on {endPoint}: {refused.Message} (errno {refused.NativeErrorCode})", refused);
        }
    }

    /// <summary>Closes the listener and all connections, and waits until their loops have ended.</summary>
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
                if (_clients.Count >= _options.MaxClients)
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
            client.NoDelay = true;
            using TcpServerSession session = new(client, _units, _options, _time, _stop.Token);
            await session.RunAsync().ConfigureAwait(false);
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
