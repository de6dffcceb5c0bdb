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
public sealed class ModbusDeviceServer : IModbusServer
{
    private readonly LineMode _mode;
    private readonly Func<byte, IModbusUnit?> _units;
    private readonly ModbusServerOptions _options;
    private readonly TimeProvider _time;
    private readonly ClientListener _listener;
    private readonly Lock _gate = new();
    private readonly HashSet<ModbusRtuServer> _clients = [];
    private long _requests;
    private Exception? _lastError;

    private ModbusDeviceServer(LineMode mode, Func<byte, IModbusUnit?> units, IPEndPoint? endPoint, ModbusServerOptions options, TimeProvider time)
    {
        _mode = mode;
        _units = units;
        _options = options;
        _time = time;
        _listener = new(endPoint, options.MaxClients, time, ServeAsync);
    }

    /// <summary>Where the server listens; the port is the one the system chose when 0 was asked for.</summary>
    public IPEndPoint EndPoint => _listener.EndPoint;

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

    /// <inheritdoc/>
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
        return new(mode, units, endPoint, options ?? new(), time ?? TimeProvider.System);
    }

    /// <summary>Closes the listener and all connections, and waits until their loops have ended.</summary>
    public ValueTask DisposeAsync() => _listener.DisposeAsync();

    private async Task ServeAsync(Socket client, CancellationToken stop)
    {
        IByteLine line = TcpLine.Accepted(client, _time);
        var server = ModbusRtuServer.Start(_mode == LineMode.Ascii ? new AsciiLine(line) : line, _units, _options, _time);
        lock (_gate)
        {
            _clients.Add(server);
        }

        try
        {
            await server.Completion.WaitAsync(stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        finally
        {
            await server.DisposeAsync().ConfigureAwait(false);
            lock (_gate)
            {
                _clients.Remove(server);
                _requests += server.Requests;
                _lastError = server.LastError ?? _lastError;
            }
        }
    }
}
