using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;

namespace EdgeGateway.Protocols.Serial;

/// <summary>A TCP connection as a line of bytes: a Modbus TCP device, or a serial line behind a device server. A write may go on while a read waits.</summary>
public sealed class TcpLine : IByteLine
{
    private readonly Lock _gate = new();
    private readonly Socket _socket;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private CancellationTokenSource _stop = new();
    private bool _isOver;
    private long _waitEnds;
    private long _armedFor;

    private TcpLine(Socket socket, TimeProvider time)
    {
        _socket = socket;
        _time = time;
        _timer = time.CreateTimer(static line => ((TcpLine)line!).LookAtClock(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
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
        int count;
        SocketError error;
        try
        {
            count = _socket.Receive(buffer.Span, SocketFlags.None, out error);
        }
        catch (ObjectDisposedException)
        {
            // Disposed of by whoever found it broken while writing.
            return ValueTask.FromResult(-1);
        }

        return error switch
        {
            SocketError.Success => ValueTask.FromResult(count == 0 ? -1 : count),
            SocketError.WouldBlock when wait > TimeSpan.Zero => WaitAsync(buffer, wait, cancel),
            SocketError.WouldBlock => ValueTask.FromResult(0),
            _ => ValueTask.FromResult(-1),
        };
    }

    /// <inheritdoc/>
    public ValueTask<bool> WriteAsync(ReadOnlyMemory<byte> bytes, TimeSpan wait, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        try
        {
            var sent = _socket.Send(bytes.Span, SocketFlags.None, out var error);
            return error switch
            {
                SocketError.Success when sent == bytes.Length => ValueTask.FromResult(true),
                SocketError.Success => WriteRestAsync(bytes[sent..], wait, cancel),
                SocketError.WouldBlock => WriteRestAsync(bytes, wait, cancel),
                _ => ValueTask.FromResult(false),
            };
        }
        catch (ObjectDisposedException)
        {
            return ValueTask.FromResult(false);
        }
    }

    /// <summary>Closes the connection.</summary>
    public ValueTask DisposeAsync()
    {
        _socket.Dispose();
        _timer.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>The peer does not take what is sent as fast as it is sent: rare, and allowed to cost something.</summary>
    private async ValueTask<bool> WriteRestAsync(ReadOnlyMemory<byte> bytes, TimeSpan wait, CancellationToken cancel)
    {
        using var expiry = new CancellationTokenSource(AtLeastOneMillisecond(wait), _time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancel, expiry.Token);
        try
        {
            while (!bytes.IsEmpty)
            {
                var sent = await _socket.SendAsync(bytes, SocketFlags.None, both.Token).ConfigureAwait(false);
                bytes = bytes[sent..];
            }

            return true;
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return false;
        }
        catch (Exception gone) when (gone is SocketException or ObjectDisposedException)
        {
            // The peer is gone; what is left to do is the same whatever the reason.
            return false;
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> WaitAsync(Memory<byte> buffer, TimeSpan wait, CancellationToken cancel)
    {
        var stop = StartWait(wait);
        var registration = cancel.CanBeCanceled
            ? cancel.UnsafeRegister(static stop => ((CancellationTokenSource)stop!).Cancel(), stop)
            : default;
        try
        {
            var count = await _socket.ReceiveAsync(buffer, SocketFlags.None, stop.Token).ConfigureAwait(false);
            return count == 0 ? -1 : count;
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return 0;
        }
        catch (Exception gone) when (gone is SocketException or ObjectDisposedException)
        {
            // A reset or an unreachable peer: the line is over, as the caller is told.
            return -1;
        }
        finally
        {
            registration.Dispose();
            EndWait(stop);
        }
    }

    // One timer and one source serve all waits. The timer is set anew only when it would come too late: one that comes too early looks
    // at the clock and goes on, so that a wait that is answered costs no timer at all.
    private CancellationTokenSource StartWait(TimeSpan wait)
    {
        wait = AtLeastOneMillisecond(wait);
        lock (_gate)
        {
            _waitEnds = _time.GetTimestamp() + (long)(wait.TotalSeconds * _time.TimestampFrequency);
            if (_armedFor == 0 || _armedFor > _waitEnds)
            {
                _armedFor = _waitEnds;
                _timer.Change(wait, Timeout.InfiniteTimeSpan);
            }

            return _stop;
        }
    }

    private void EndWait(CancellationTokenSource stop)
    {
        lock (_gate)
        {
            _waitEnds = 0;
            if (_isOver || stop.IsCancellationRequested)
            {
                // Only a source that was, or is about to be, cancelled has to be replaced.
                _isOver = false;
                _stop = new CancellationTokenSource();
            }
        }
    }

    private void LookAtClock()
    {
        CancellationTokenSource stop;
        lock (_gate)
        {
            _armedFor = 0;
            if (_waitEnds == 0)
            {
                return;
            }

            var now = _time.GetTimestamp();
            if (now < _waitEnds)
            {
                _armedFor = _waitEnds;
                _timer.Change(AtLeastOneMillisecond(_time.GetElapsedTime(now, _waitEnds)), Timeout.InfiniteTimeSpan);
                return;
            }

            _isOver = true;
            stop = _stop;
        }

        stop.Cancel();
    }

    private static TimeSpan AtLeastOneMillisecond(TimeSpan wait) => TimeSpan.FromMilliseconds(Math.Max(1, Math.Ceiling(wait.TotalMilliseconds)));
}
