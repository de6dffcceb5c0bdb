using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;

namespace EdgeGateway.Protocols.Serial;

/// <summary>A TCP connection as a line of bytes: a Modbus TCP device, or a serial line behind a device server.</summary>
public sealed class TcpLine : IByteLine
{
    private readonly Socket _socket;
    private readonly TimeProvider _time;
    private CancellationTokenSource _expiry;

    private TcpLine(Socket socket, TimeProvider time)
    {
        _socket = socket;
        _time = time;
        _expiry = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
    }

    /// <summary>Connects.</summary>
    /// <exception cref="IOException">It could not; the message holds the address, the operating system's words and the errno.</exception>
    public static async ValueTask<TcpLine> ConnectAsync(string host, int port, TimeSpan wait, TimeProvider time, CancellationToken cancel)
    {
        var literal = IPAddress.TryParse(host, out var address);
        var socket = literal
            ? new Socket(address!.AddressFamily, SocketType.Stream, ProtocolType.Tcp)
            : new Socket(SocketType.Stream, ProtocolType.Tcp);
        using var expiry = new CancellationTokenSource(wait, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancel, expiry.Token);
        try
        {
            socket.NoDelay = true;
            EndPoint remote = literal ? new IPEndPoint(address!, port) : new DnsEndPoint(host, port);
            await socket.ConnectAsync(remote, both.Token).ConfigureAwait(false);

            // From here on receiving without waiting is allowed; the asynchronous calls do not care.
            socket.Blocking = false;
            return new TcpLine(socket, time);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            socket.Dispose();
            throw new IOException($"{host}:{port} did not accept the connection within {wait.TotalMilliseconds:0} ms");
        }
        catch (SocketException refused)
        {
            socket.Dispose();
            throw new IOException($"{host}:{port}: {refused.Message} ({refused.SocketErrorCode}, errno {refused.NativeErrorCode})", refused);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public ValueTask<int> ReadAsync(Memory<byte> buffer, TimeSpan wait, CancellationToken cancel)
    {
        var count = _socket.Receive(buffer.Span, SocketFlags.None, out var error);
        return error switch
        {
            SocketError.Success => ValueTask.FromResult(count == 0 ? -1 : count),
            SocketError.WouldBlock when wait > TimeSpan.Zero => WaitAsync(buffer, wait, cancel),
            SocketError.WouldBlock => ValueTask.FromResult(0),
            _ => ValueTask.FromResult(-1),
        };
    }

    /// <inheritdoc/>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<bool> WriteAsync(ReadOnlyMemory<byte> bytes, TimeSpan wait, CancellationToken cancel)
    {
        StartExpiry(wait);
        var registration = Link(cancel);
        try
        {
            while (!bytes.IsEmpty)
            {
                var sent = await _socket.SendAsync(bytes, SocketFlags.None, _expiry.Token).ConfigureAwait(false);
                bytes = bytes[sent..];
            }

            return true;
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return false;
        }
        catch (SocketException)
        {
            // The peer is gone; what is left to do is the same whatever the reason.
            return false;
        }
        finally
        {
            registration.Dispose();
            StopExpiry();
        }
    }

    /// <summary>Closes the connection.</summary>
    public ValueTask DisposeAsync()
    {
        _socket.Dispose();
        _expiry.Dispose();
        return ValueTask.CompletedTask;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> WaitAsync(Memory<byte> buffer, TimeSpan wait, CancellationToken cancel)
    {
        StartExpiry(wait);
        var registration = Link(cancel);
        try
        {
            var count = await _socket.ReceiveAsync(buffer, SocketFlags.None, _expiry.Token).ConfigureAwait(false);
            return count == 0 ? -1 : count;
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return 0;
        }
        catch (SocketException)
        {
            // A reset or an unreachable peer: the line is over, as the caller is told.
            return -1;
        }
        finally
        {
            registration.Dispose();
            StopExpiry();
        }
    }

    private CancellationTokenRegistration Link(CancellationToken cancel) => cancel.CanBeCanceled
        ? cancel.UnsafeRegister(static expiry => ((CancellationTokenSource)expiry!).Cancel(), _expiry)
        : default;

    private void StartExpiry(TimeSpan wait) => _expiry.CancelAfter(TimeSpan.FromMilliseconds(Math.Max(1, Math.Ceiling(wait.TotalMilliseconds))));

    private void StopExpiry()
    {
        // One source serves all waits; only one that fired has to be replaced.
        if (!_expiry.TryReset())
        {
            _expiry.Dispose();
            _expiry = new CancellationTokenSource(Timeout.InfiniteTimeSpan, _time);
        }
    }
}
