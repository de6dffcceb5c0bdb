using System.Threading.Tasks.Sources;
using EdgeGateway.Protocols.Serial;

namespace EdgeGateway.Tests.Protocols.Modbus;

/// <summary>A line in virtual time on which a read waits while requests are written. Whoever holds it moves the clock, event by event.</summary>
internal sealed class EventLine(ScriptedClock clock) : IByteLine, IValueTaskSource<int>
{
    private readonly PriorityQueue<byte[], (TimeSpan At, long Order)> _arrivals = new();
    private ManualResetValueTaskSourceCore<int> _read;
    private Memory<byte> _buffer;
    private TimeSpan _until;
    private bool _isReading;
    private bool _isClosed;
    private long _order;

    /// <summary>Called with each request; usually calls <see cref="Arrive"/>.</summary>
    public Action<EventLine, byte[]> OnWrite { get; set; } = (_, _) => { };

    public List<byte[]> Written { get; } = [];

    public bool IsDisposed { get; private set; }

    /// <summary>When a write is through; null for at once.</summary>
    public Task<bool>? Sending { get; set; }

    /// <summary>When closing is through.</summary>
    public Task Closing { get; set; } = Task.CompletedTask;

    /// <summary>When something happens on this line next.</summary>
    public TimeSpan NextEvent
    {
        get
        {
            if (!_isReading)
            {
                return TimeSpan.MaxValue;
            }

            return _arrivals.TryPeek(out _, out var when) && when.At < _until ? when.At : _until;
        }
    }

    public void Arrive(TimeSpan after, params byte[] bytes) => _arrivals.Enqueue(bytes, (clock.Now + after, _order++));

    /// <summary>The peer closes the connection, after what has been sent so far.</summary>
    public void Close(TimeSpan after) => _arrivals.Enqueue([], (clock.Now + after, _order++));

    /// <summary>What was going to arrive does not.</summary>
    public void Forget() => _arrivals.Clear();

    /// <summary>Ends the read whose time has come.</summary>
    public void Fire()
    {
        if (_isReading && NextEvent <= clock.Now)
        {
            _isReading = false;
            _read.SetResult(Take(_buffer));
        }
    }

    public ValueTask<int> ReadAsync(Memory<byte> buffer, TimeSpan wait, CancellationToken cancel)
    {
        Assert.False(_isReading, "two reads at once");
        Assert.NotEqual(0, buffer.Length);
        var count = IsDisposed ? -1 : Take(buffer);
        if (count != 0 || wait <= TimeSpan.Zero)
        {
            return ValueTask.FromResult(count);
        }

        (_buffer, _until, _isReading) = (buffer, clock.Now + wait, true);
        _read.Reset();
        return new(this, _read.Version);
    }

    public ValueTask<bool> WriteAsync(ReadOnlyMemory<byte> bytes, TimeSpan wait, CancellationToken cancel)
    {
        if (_isClosed || IsDisposed)
        {
            return ValueTask.FromResult(false);
        }

        var copy = bytes.ToArray();
        Written.Add(copy);
        OnWrite(this, copy);
        return Sending is null ? ValueTask.FromResult(true) : new(Sending);
    }

    public ValueTask DisposeAsync()
    {
        IsDisposed = true;
        if (_isReading)
        {
            _isReading = false;
            _read.SetResult(-1);
        }

        return new(Closing);
    }

    int IValueTaskSource<int>.GetResult(short token) => _read.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<int>.GetStatus(short token) => _read.GetStatus(token);

    void IValueTaskSource<int>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _read.OnCompleted(continuation, state, token, flags & ~ValueTaskSourceOnCompletedFlags.UseSchedulingContext);

    private int Take(Memory<byte> buffer)
    {
        var count = 0;
        while (!_isClosed && count < buffer.Length && _arrivals.TryPeek(out var bytes, out var when) && when.At <= clock.Now)
        {
            _arrivals.Dequeue();
            if (bytes.Length == 0)
            {
                _isClosed = true;
                break;
            }

            var part = Math.Min(bytes.Length, buffer.Length - count);
            bytes.AsSpan(0, part).CopyTo(buffer.Span[count..]);
            count += part;
            if (part < bytes.Length)
            {
                _arrivals.Enqueue(bytes[part..], when);
            }
        }

        return count > 0 ? count : _isClosed ? -1 : 0;
    }
}
