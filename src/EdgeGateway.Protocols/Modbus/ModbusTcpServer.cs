using System.Net;
using System.Net.Sockets;

namespace EdgeGateway.Protocols.Modbus;

/// <summary>Serves units over Modbus TCP to several clients. MODBUS Messaging on TCP/IP V1.0b.</summary>
/// <remarks>
/// Several requests may be under way on one connection; <see cref="ModbusServerOptions.Concurrency"/> says what becomes of them, by default
/// that each is answered when it is due. Bytes that are no Modbus frame close their connection, no other. A client that does not take its
/// answers is not read from any further, so memory is bounded.
/// </remarks>
public sealed class ModbusTcpServer : IModbusServer
{
    private readonly ServedUnits _units;
    private readonly ModbusServerOptions _options;
    private readonly TimeProvider _time;
    private readonly ClientListener _listener;

    private ModbusTcpServer(Func<byte, IModbusUnit?> units, IPEndPoint? endPoint, ModbusServerOptions options, TimeProvider time)
    {
        _units = new(units, options);
        _options = options;
        _time = time;
        _listener = new(endPoint, options.MaxClients, time, ServeAsync);
    }

    /// <summary>Where the server listens; the port is the one the system chose when 0 was asked for.</summary>
    public IPEndPoint EndPoint => _listener.EndPoint;

    /// <summary>Requests received so far, by all clients.</summary>
    public long Requests => _units.Requests;

    /// <inheritdoc/>
    public Exception? LastError => _units.LastError;

    /// <summary>Clients connected now.</summary>
    public int Clients => _listener.Clients;

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
        return new(units, endPoint, options ?? new(), time ?? TimeProvider.System);
    }

    /// <summary>Closes the listener and all connections, and waits until their loops have ended.</summary>
    public ValueTask DisposeAsync() => _listener.DisposeAsync();

    private async Task ServeAsync(Socket client, CancellationToken stop)
    {
        client.NoDelay = true;
        using TcpServerSession session = new(client, _units, _options, _time, stop);
        await session.RunAsync().ConfigureAwait(false);
    }
}
