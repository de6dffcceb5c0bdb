using EdgeGateway.Protocols.Serial;

namespace EdgeGateway.Tests.Protocols.Modbus;

/// <summary>A line in virtual time: what is written goes to a script, which decides what arrives when.</summary>
internal sealed class ScriptedLine(ScriptedClock clock) : IByteLine
{
    private readonly PriorityQueue<byte[], (TimeSpan At, long Order)> _arrivals = new();
    private long _order;

    /// <summary>Called with each request; usually calls <see cref="Arrive"/>.</summary>
    public Action<byte[]> OnWrite { get; set; } = _ => { };

    public List<byte[]> Written { get; } = [];

    public bool IsClosed { get; set; }

    public bool IsDisposed { get; private set; }

    public void Arrive(TimeSpan after, params byte[] bytes)
    {
        if (bytes.Length > 0)
        {
            _arrivals.Enqueue(bytes, (clock.Now + after, _order++));
        }
    }

    public ValueTask<int> ReadAsync(Memory<byte> buffer, TimeSpan wait, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        Assert.False(IsDisposed, "read from a line that was disposed of");
        Assert.NotEqual(0, buffer.Length);
        var until = clock.Now + wait;
        if (_arrivals.TryPeek(out var bytes, out var when) && when.At <= until)
        {
            _arrivals.Dequeue();
            clock.MoveTo(when.At);
            var count = Math.Min(bytes.Length, buffer.Length);
            bytes.AsSpan(0, count).CopyTo(buffer.Span);
            if (count < bytes.Length)
            {
                _arrivals.Enqueue(bytes[count..], (when.At, when.Order));
            }

            return ValueTask.FromResult(count);
        }

        if (IsClosed)
        {
            return ValueTask.FromResult(-1);
        }

        clock.MoveTo(until);
        return ValueTask.FromResult(0);
    }

    public ValueTask<bool> WriteAsync(ReadOnlyMemory<byte> bytes, TimeSpan wait, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        Assert.False(IsDisposed, "written to a line that was disposed of");
        if (IsClosed)
        {
            return ValueTask.FromResult(false);
        }

        var copy = bytes.ToArray();
        Written.Add(copy);
        OnWrite(copy);
        return ValueTask.FromResult(true);
    }

    public ValueTask DisposeAsync()
    {
        IsDisposed = true;
        return ValueTask.CompletedTask;
    }
}
