using System.Net;
using System.Net.Sockets;

namespace EdgeGateway.Protocols.Serial;

/// <summary>A connected socket as a line: what TCP and UDP have in common. A write may go on while a read waits.</summary>
internal sealed class SocketLine : IDisposable, IThreadPoolWorkItem
{
    // A peer that answers within this, time after time, is waited for in the call itself: handing the wait over and taking it back costs more.
    private static readonly TimeSpan Quick = TimeSpan.FromMicroseconds(150);

    private const int QuickAnswers = 16;

    // The shortest that poll(2) knows. It is spent in vain once, when a quick peer becomes slow.
    private const int QuickWaitMicroseconds = 1000;

    private readonly Lock _gate = new();
    private readonly Socket _socket;
    private readonly bool _isStream;
    private readonly bool _isPortable;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private readonly SocketReadiness _readiness;
    private readonly Completion _done = new();
    private bool _isClosed;

    // The wait under way.
    private bool _isWaiting;
    private bool _isConnecting;
    private Memory<byte> _buffer;
    private CancellationToken _cancel;
    private long _waitBegan;
    private long _waitEnds;
    private long _armedFor;

    // Waits in a row that were short; touched by the one reader only.
    private int _quickInARow;

    /// <summary>Takes over a socket.</summary>
    public SocketLine(Socket socket, TimeProvider time)
        : this(socket, time, !OperatingSystem.IsLinux())
    {
    }

    /// <summary>Takes over a socket; portable as elsewhere than on Linux.</summary>
    internal SocketLine(Socket socket, TimeProvider time, bool isPortable)
    {
        // Sending and receiving without waiting must be possible; the asynchronous calls do not care.
        socket.Blocking = false;
        _socket = socket;
        _isStream = socket.SocketType == SocketType.Stream;
        _isPortable = isPortable;
        _time = time;
        _readiness = new(socket, this, isPortable);
        _timer = time.CreateTimer(static line => ((SocketLine)line!).LookAtClock(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Connects.</summary>
    /// <returns>Whether it did in time.</returns>
    /// <exception cref="SocketException">The peer, or the way to it, refused.</exception>
    public async ValueTask<bool> ConnectAsync(EndPoint remote, TimeSpan wait, CancellationToken cancel)
    {
        if (_isPortable)
        {
            return await ConnectPortablyAsync(remote, wait, cancel).ConfigureAwait(false);
        }

        try
        {
            _socket.Connect(remote);
            return true;
        }
        catch (SocketException begun) when (begun.SocketErrorCode is SocketError.InProgress or SocketError.WouldBlock)
        {
            var outcome = await WaitAsync(default, isConnecting: true, wait, cancel).ConfigureAwait(false);
            if (outcome > 0 && (int)_socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Error)! is var error and not 0)
            {
                throw new SocketException(error);
            }

            return outcome > 0;
        }
    }

    /// <inheritdoc cref="IByteLine.ReadAsync"/>
    public ValueTask<int> ReadAsync(Memory<byte> buffer, TimeSpan wait, CancellationToken cancel)
    {
        // Of a peer that answers quickly nothing can have come yet: to wait first spares a call.
        if (_quickInARow < QuickAnswers || wait <= TimeSpan.Zero || ComesQuickly())
        {
            if (Receive(buffer.Span) is { } result)
            {
                return ValueTask.FromResult(result);
            }
        }

        return wait > TimeSpan.Zero ? WaitAsync(buffer, isConnecting: false, wait, cancel) : ValueTask.FromResult(0);
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

    /// <summary>Closes the socket; a wait ends with -1.</summary>
    public void Dispose()
    {
        bool wasWaiting;
        lock (_gate)
        {
            _isClosed = true;
            wasWaiting = EndWait();
        }

        _readiness.Dispose();
        _socket.Dispose();
        _timer.Dispose();
        if (wasWaiting)
        {
            // Who closes it may hold locks that the reader wants.
            _done.Result = -1;
            _done.Queue();
        }
    }

    /// <summary>On the thread pool: the socket is said to be ready.</summary>
    void IThreadPoolWorkItem.Execute()
    {
        int? result;
        lock (_gate)
        {
            if (!_isWaiting)
            {
                return;
            }

            result = !_isConnecting ? Receive(_buffer.Span) : _socket.Poll(0, SelectMode.SelectWrite) ? 1 : null;
            if (result is null)
            {
                // Told in vain, or about a wait that is over.
                Arm();
                return;
            }

            EndWait();
            Waited(_waitBegan);
        }

        _done.Complete(result.Value);
    }

    /// <summary>Takes what has come: how many bytes, -1 at the end of the line, null when nothing has come.</summary>
    private int? Receive(Span<byte> buffer)
    {
        try
        {
            var count = _socket.Receive(buffer, SocketFlags.None, out var error);
            return error switch
            {
                // The end of a stream reads as nothing; an empty datagram is one all the same, and says as little as silence.
                SocketError.Success => count == 0 && _isStream ? -1 : count,
                SocketError.WouldBlock => null,

                // A datagram larger than any of ours: what fits is handed over, and found to be wrong.
                SocketError.MessageSize when !_isStream => buffer.Length,

                // A reset or an unreachable peer: the line is over, as the caller is told.
                _ => -1,
            };
        }
        catch (ObjectDisposedException)
        {
            // Disposed of by whoever found it broken while writing.
            return -1;
        }
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
        catch (Exception gone) when (gone is SocketException or ObjectDisposedException)
        {
            // Whatever is wrong with the socket, the receiving meets it too, and says so.
            return true;
        }
    }

    private void Waited(long since) => _quickInARow = _time.GetElapsedTime(since) <= Quick ? Math.Min(_quickInARow + 1, QuickAnswers) : 0;

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

    private async ValueTask<bool> ConnectPortablyAsync(EndPoint remote, TimeSpan wait, CancellationToken cancel)
    {
        using var expiry = new CancellationTokenSource(AtLeastOneMillisecond(wait), _time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancel, expiry.Token);
        try
        {
            await _socket.ConnectAsync(remote, both.Token).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return false;
        }
    }

    private ValueTask<int> WaitAsync(Memory<byte> buffer, bool isConnecting, TimeSpan wait, CancellationToken cancel)
    {
        if (cancel.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<int>(cancel);
        }

        short version;
        lock (_gate)
        {
            if (_isClosed)
            {
                return ValueTask.FromResult(-1);
            }

            if (_isWaiting)
            {
                throw new InvalidOperationException("a read is already waiting: a line has one reader");
            }

            version = _done.Start();
            _isWaiting = true;
            _isConnecting = isConnecting;
            _buffer = buffer;
            _cancel = cancel;
            StartClock(AtLeastOneMillisecond(wait));
            try
            {
                Arm();
            }
            catch
            {
                EndWait();
                throw;
            }
        }

        if (cancel.CanBeCanceled)
        {
            _done.Registration = cancel.UnsafeRegister(static line => ((SocketLine)line!).OnCancel(), this);
        }

        return new(_done, version);
    }

    private void Arm()
    {
        if (_isConnecting)
        {
            _readiness.ArmConnect();
        }
        else
        {
            _readiness.ArmRead();
        }
    }

    /// <summary>Under the lock: whether a wait was under way, which its caller now ends.</summary>
    private bool EndWait()
    {
        var wasWaiting = _isWaiting;
        _isWaiting = false;
        _buffer = default;
        return wasWaiting;
    }

    private void OnCancel()
    {
        CancellationToken cancel;
        lock (_gate)
        {
            cancel = _cancel;
            if (!EndWait())
            {
                return;
            }
        }

        _done.Fail(new OperationCanceledException(cancel));
    }

    // The timer is set anew only when it would come too late: one that comes too early looks at the clock and goes on, so that a wait
    // that is answered costs no timer at all.
    private void StartClock(TimeSpan wait)
    {
        _waitBegan = _time.GetTimestamp();
        _waitEnds = _waitBegan + (long)(wait.TotalSeconds * _time.TimestampFrequency);
        if (_armedFor == 0 || _armedFor > _waitEnds)
        {
            _armedFor = _waitEnds;
            _timer.Change(wait, Timeout.InfiniteTimeSpan);
        }
    }

    private void LookAtClock()
    {
        lock (_gate)
        {
            _armedFor = 0;
            if (!_isWaiting)
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

            EndWait();
        }

        _done.Complete(0);
    }

    private static TimeSpan AtLeastOneMillisecond(TimeSpan wait) => TimeSpan.FromMilliseconds(Math.Max(1, Math.Ceiling(wait.TotalMilliseconds)));
}
