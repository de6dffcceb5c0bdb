using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;

namespace EdgeGateway.Protocols.Modbus;

/// <summary>Serves units over Modbus TCP to several clients. MODBUS Messaging on TCP/IP V1.0b.</summary>
/// <remarks>Requests on one connection are answered in order. Bytes that are no Modbus frame close their connection, no other.</remarks>
public sealed class ModbusTcpServer : IAsyncDisposable
{
    private readonly Func<byte, IModbusUnit?> _units;
    private readonly ModbusServerOptions _options;
    private readonly TimeProvider _time;
    private readonly Socket _listener;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private readonly Dictionary<Socket, Task> _clients = [];
    private readonly Task _accepting;
    private long _requests;

    private ModbusTcpServer(Socket listener, Func<byte, IModbusUnit?> units, ModbusServerOptions options, TimeProvider time)
    {
        _listener = listener;
        _units = units;
        _options = options;
        _time = time;
        EndPoint = (IPEndPoint)listener.LocalEndPoint!;
        _accepting = AcceptAsync();
    }

    /// <summary>Where the server listens; the port is the one the system chose when 0 was asked for.</summary>
    public IPEndPoint EndPoint { get; }

    /// <summary>Requests received so far, by all clients.</summary>
    public long Requests => Interlocked.Read(ref _requests);

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
            await AnswerAsync(client).ConfigureAwait(false);
        }
        catch (Exception over) when (over is SocketException or OperationCanceledException)
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

    private async Task AnswerAsync(Socket client)
    {
        var request = new byte[MbapHeader.Size + Pdu.MaxLength];
        var response = new byte[2 * (MbapHeader.Size + Pdu.MaxLength)];
        while (await ReceiveAsync(client, request.AsMemory(0, MbapHeader.Size)).ConfigureAwait(false))
        {
            if (!MbapHeader.TryRead(request, out var header)
                || !await ReceiveAsync(client, request.AsMemory(MbapHeader.Size, header.PduLength)).ConfigureAwait(false))
            {
                return;
            }

            var pdu = request.AsMemory(MbapHeader.Size, header.PduLength);
            var number = Interlocked.Increment(ref _requests);
            var fault = _options.Faults?.Invoke(RequestHandler.Summarise(number, header.Unit, pdu.Span)) ?? ServerFault.None;
            var length = Respond(header, pdu.Span, fault, response);
            if (fault.Delay > TimeSpan.Zero)
            {
                await Task.Delay(fault.Delay, _time, _stop.Token).ConfigureAwait(false);
            }

            for (var sent = 0; sent < length;)
            {
                sent += await client.SendAsync(response.AsMemory(sent, length - sent), SocketFlags.None, _stop.Token).ConfigureAwait(false);
            }
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> ReceiveAsync(Socket client, Memory<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var count = await client.ReceiveAsync(bytes, SocketFlags.None, _stop.Token).ConfigureAwait(false);
            if (count == 0)
            {
                return false;
            }

            bytes = bytes[count..];
        }

        return true;
    }

    private int Respond(MbapHeader header, ReadOnlySpan<byte> pdu, ServerFault fault, Span<byte> response)
    {
        var body = response.Slice(MbapHeader.Size, Pdu.MaxLength);
        int length;
        if (fault.Kind == ServerFaultKind.Silence)
        {
            return 0;
        }
        else if (fault.Kind == ServerFaultKind.Exception)
        {
            length = Pdu.WriteException(body, pdu[0], fault.ExceptionCode);
        }
        else if (_units(header.Unit) is { } unit)
        {
            length = RequestHandler.Handle(pdu, unit, body);
        }
        else if (_options.IgnoreUnknownUnits)
        {
            return 0;
        }
        else
        {
            length = Pdu.WriteException(body, pdu[0], ModbusExceptionCode.GatewayTargetFailedToRespond);
        }

        length = fault.Kind == ServerFaultKind.ShortReply ? Math.Max(1, length / 2) : length;
        var transaction = fault.Kind == ServerFaultKind.WrongTransactionId ? unchecked((ushort)(header.TransactionId + 1)) : header.TransactionId;
        new MbapHeader(transaction, fault.Kind == ServerFaultKind.OtherUnit ? fault.Unit : header.Unit, length).Write(response);
        if (fault.Kind == ServerFaultKind.WrongCrc)
        {
            response[2] ^= 0xFF;
        }

        var total = MbapHeader.Size + length;
        if (fault.Kind == ServerFaultKind.Duplicate)
        {
            response[..total].CopyTo(response[total..]);
            total *= 2;
        }

        return total;
    }
}
