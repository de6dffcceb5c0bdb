using System.Net;
using System.Net.Sockets;
using EdgeGateway.Protocols.Serial;

namespace EdgeGateway.Protocols.Modbus;

/// <summary>What is spoken on a line.</summary>
public enum LineMode
{
    /// <summary>Binary frames with a CRC.</summary>
    Rtu,

    /// <summary>Hexadecimal digits between ':' and CR LF, with an LRC.</summary>
    Ascii,
}

/// <summary>Serves units over RTU or ASCII frames in TCP connections, like a device server with its devices behind it.</summary>
public sealed class ModbusDeviceServer : IAsyncDisposable
{
    private readonly Socket _listener;
    private readonly LineMode _mode;
    private readonly Func<byte, IModbusUnit?> _units;
    private readonly ModbusServerOptions _options;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private readonly HashSet<ModbusRtuServer> _clients = [];
    private readonly Task _accepting;
    private long _requests;
    private Exception? _lastError;

    private ModbusDeviceServer(Socket listener, LineMode mode, Func<byte, IModbusUnit?> units, ModbusServerOptions options, TimeProvider time)
    {
        _listener = listener;
        _mode = mode;
        _units = units;
        _options = options;
        _time = time;
        EndPoint = (IPEndPoint)listener.LocalEndPoint!;
        _accepting = AcceptAsync();
    }

    /// <summary>Where the server listens; the port is the one the system chose when 0 was asked for.</summary>
    public IPEndPoint EndPoint { get; }

    /// <summary>Requests received so far, by all clients.</summary>
    public long Requests
    {
        get
        {
            lock (_gate)
            {
                return _requests + _clients.Sum(c => c.Requests);
            }
        }
    }

    /// <summary>What a unit or <see cref="ModbusServerOptions.Faults"/> threw last; null as long as none has. Its request was answered by exception 04.</summary>
    public Exception? LastError
    {
        get
        {
            lock (_gate)
            {
                return _clients.Select(c => c.LastError).FirstOrDefault(e => e is not null) ?? _lastError;
            }
        }
    }

    /// <summary>Starts a server.</summary>
    /// <param name="mode">What is spoken.</param>
    /// <param name="units">Finds a unit by its id; null for one that is not there, which is silent. Called from several connections at once.</param>
    /// <param name="endPoint">Where to listen; null for a free port on the loopback address.</param>
    /// <param name="options">Faults and limits.</param>
    /// <param name="time">The clock for delays.</param>
    /// <exception cref="IOException">The endpoint cannot be had; the message says why.</exception>
    public static ModbusDeviceServer Start(
        LineMode mode, Func<byte, IModbusUnit?> units, IPEndPoint? endPoint = null, ModbusServerOptions? options = null, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(units);
        endPoint ??= new(IPAddress.Loopback, 0);
        var listener = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            listener.Bind(endPoint);
            listener.Listen();
            return new(listener, mode, units, options ?? new(), time ?? TimeProvider.System);
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
        ModbusRtuServer[] clients;
        lock (_gate)
        {
            clients = [.. _clients];
        }

        foreach (var client in clients)
        {
            await client.DisposeAsync().ConfigureAwait(false);
        }

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

                IByteLine line = TcpLine.Accepted(client, _time);
                var server = ModbusRtuServer.Start(_mode == LineMode.Ascii ? new AsciiLine(line) : line, _units, _options, _time);
                _clients.Add(server);
                _ = ForgetAsync(server);
            }
        }
    }

    /// <summary>Lets go of a connection that the client has closed.</summary>
    private async Task ForgetAsync(ModbusRtuServer server)
    {
        await server.Completion.ConfigureAwait(false);
        lock (_gate)
        {
            if (_stop.IsCancellationRequested || !_clients.Remove(server))
            {
                return;
            }

            _requests += server.Requests;
            _lastError = server.LastError ?? _lastError;
        }

        await server.DisposeAsync().ConfigureAwait(false);
    }
}
