using System.Net;
using System.Net.Sockets;

namespace EdgeGateway.Protocols.Modbus;

/// <summary>Serves units in UDP datagrams, each with one frame as on Modbus TCP. MODBUS Messaging on TCP/IP V1.0b, as far as it applies.</summary>
/// <remarks>Datagrams that are not exactly one frame are not answered.</remarks>
public sealed class ModbusUdpServer : IModbusServer
{
    private readonly Socket _socket;
    private readonly ServedUnits _units;
    private readonly ModbusServerOptions _options;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _serving;

    private ModbusUdpServer(Socket socket, Func<byte, IModbusUnit?> units, ModbusServerOptions options, TimeProvider time)
    {
        _socket = socket;
        _units = new(units, options);
        _options = options;
        _time = time;
        EndPoint = (IPEndPoint)socket.LocalEndPoint!;
        _serving = Task.Run(ServeAsync);
    }

    /// <summary>Where the server listens; the port is the one the system chose when 0 was asked for.</summary>
    public IPEndPoint EndPoint { get; }

    /// <summary>Requests received so far, by all clients.</summary>
    public long Requests => _units.Requests;

    /// <inheritdoc/>
    public Exception? LastError => _units.LastError;

    /// <summary>Starts a server.</summary>
    /// <param name="units">Finds a unit by its id; null for one that is not there.</param>
    /// <param name="endPoint">Where to listen; null for a free port on the loopback address.</param>
    /// <param name="options">Faults.</param>
    /// <param name="time">The clock for delays.</param>
    /// <exception cref="IOException">The endpoint cannot be had; the message says why.</exception>
    public static ModbusUdpServer Start(
        Func<byte, IModbusUnit?> units, IPEndPoint? endPoint = null, ModbusServerOptions? options = null, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(units);
        endPoint ??= new(IPAddress.Loopback, 0);
        var socket = new Socket(endPoint.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            socket.Bind(endPoint);
            return new(socket, units, options ?? new(), time ?? TimeProvider.System);
        }
        catch (SocketException refused)
        {
            socket.Dispose();
            throw new IOException($"cannot listen on {endPoint} (UDP): {refused.Message} (errno {refused.NativeErrorCode})", refused);
        }
    }

    /// <summary>Stops serving.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_stop.IsCancellationRequested)
        {
            return;
        }

        await _stop.CancelAsync().ConfigureAwait(false);
        await _serving.ConfigureAwait(false);
        _socket.Dispose();
        _stop.Dispose();
    }

    private async Task ServeAsync()
    {
        var request = new byte[MbapHeader.Size + Pdu.MaxLength + 1];
        var response = new byte[2 * (MbapHeader.Size + Pdu.MaxLength)];
        var from = new SocketAddress(_socket.AddressFamily);
        while (true)
        {
            try
            {
                var count = await _socket.ReceiveFromAsync(request, SocketFlags.None, from, _stop.Token).ConfigureAwait(false);
                if (!MbapHeader.TryRead(request.AsSpan(0, count), out var header) || count != MbapHeader.Size + header.PduLength)
                {
                    continue;
                }

                var pdu = request.AsMemory(MbapHeader.Size, header.PduLength);
                var fault = _units.Receive(header.Unit, pdu.Span);

                // A copy comes as a datagram of its own.
                var isDoubled = fault.Kind == ServerFaultKind.Duplicate;
                var length = MbapReply.Write(_units, _options, header, pdu.Span, isDoubled ? fault with { Kind = ServerFaultKind.None } : fault, response);
                if (fault.Delay > TimeSpan.Zero)
                {
                    await Task.Delay(fault.Delay, _time, _stop.Token).ConfigureAwait(false);
                }

                for (var copies = length == 0 ? 0 : isDoubled ? 2 : 1; copies > 0; copies--)
                {
                    await _socket.SendToAsync(response.AsMemory(0, length), SocketFlags.None, from, _stop.Token).ConfigureAwait(false);
                }
            }
            catch (OperationCanceledException)
            {
                // DisposeAsync asked for it.
                return;
            }
            catch (SocketException)
            {
                // A client that is gone refused an answer, or a datagram was larger than any frame: neither concerns the others.
                continue;
            }
        }
    }
}
