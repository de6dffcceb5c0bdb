using System.Net.Sockets;
using System.Runtime.CompilerServices;

namespace EdgeGateway.Protocols.Serial;

/// <summary>A connected socket as a line: what TCP and UDP have in common. A write may go on while a read waits.</summary>
internal sealed class SocketLine : IDisposable
{
    // A peer that answers within this, time after time, is waited for in the call itself: handing the wait over and taking it back costs more.
    private static readonly TimeSpan Quick = TimeSpan.FromMicroseconds(150);

    private const int QuickAnswers = 16;

    // The shortest that poll(2) knows. It is spent in vain once, when a quick peer becomes slow.
    private const int QuickWaitMicroseconds = 1000;

    private readonly Lock _gate = new();
    private readonly Socket _socket;
    private readonly bool _isStream;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private CancellationTokenSource _stop = new();
    private bool _isOver;
    private long _waitEnds;
    private long _armedFor;

    // Waits in a row that were short; touched by the one reader only.
    private int _quickInARow;

    /// <summary>Takes over a connected socket.</summary>
    public SocketLine(Socket socket, TimeProvider time)
    {
        // Sending and receiving without waiting must be possible; the asynchronous calls do not care.
        socket.Blocking = false;
        _socket = socket;
        _isStream = socket.SocketType == SocketType.Stream;
        _time = time;
        _timer = time.CreateTimer(static line => ((SocketLine)line!).LookAtClock(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <inheritdoc cref="IByteLine.ReadAsync"/>
    public ValueTask<int> ReadAsync(Memory<byte> buffer, TimeSpan wait, CancellationToken cancel)
    {
        int count;
        SocketError error;
        try
        {
            count = _socket.Receive(buffer.Span, SocketFlags.None, out error);
            if (error == SocketError.WouldBlock && _quickInARow >= QuickAnswers && wait > TimeSpan.Zero && ComesQuickly())
            {
                count = _socket.Receive(buffer.Span, SocketFlags.None, out error);
            }
        }
        catch (ObjectDisposedException)
        {
            // Disposed of by whoever found it broken while writing.
            return ValueTask.FromResult(-1);
        }

        return error switch
        {
            SocketError.Success => ValueTask.FromResult(Judge(count)),
            SocketError.MessageSize when !_isStream => ValueTask.FromResult(buffer.Length),
            SocketError.WouldBlock when wait > TimeSpan.Zero => WaitAsync(buffer, wait, cancel),
            SocketError.WouldBlock => ValueTask.FromResult(0),
            _ => ValueTask.FromResult(-1),
        };
    }

    /// <inheritdoc cref="IByteLine.WriteAsync"/>
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

    public void Dispose()
    {
        _socket.Dispose();
        _timer.Dispose();
    }

    private bool ComesQuickly()
    {
        var began = _time.GetTimestamp();
        try
        {
            var came = _socket.Poll(QuickWaitMicroseconds, SelectMode.SelectRead);
            Waited(began);
            return came;
        }
        catch (SocketException)
        {
            // Whatever is wrong with the socket, the asynchronous call meets it too, and says so.
            return false;
        }
    }

    private void Waited(long since) => _quickInARow = _time.GetElapsedTime(since) <= Quick ? Math.Min(_quickInARow + 1, QuickAnswers) : 0;

    // The end of a stream reads as nothing; an empty datagram is one all the same, and says as little as silence.
    private int Judge(int count) => count == 0 && _isStream ? -1 : count;

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
        var began = _time.GetTimestamp();
        var stop = StartWait(wait);
        var registration = cancel.CanBeCanceled
            ? cancel.UnsafeRegister(static stop => ((CancellationTokenSource)stop!).Cancel(), stop)
            : default;
        try
        {
            var count = await _socket.ReceiveAsync(buffer, SocketFlags.None, stop.Token).ConfigureAwait(false);
            Waited(began);
            return Judge(count);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return 0;
        }
        catch (SocketException large) when (large.SocketErrorCode == SocketError.MessageSize && !_isStream)
        {
            // A datagram larger than any of ours: what fits is handed over, and found to be wrong.
            return buffer.Length;
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
