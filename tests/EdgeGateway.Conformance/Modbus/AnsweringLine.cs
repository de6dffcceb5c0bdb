using EdgeGateway.Protocols.Serial;

namespace EdgeGateway.Conformance.Modbus;

/// <summary>A line in memory whose far end answers each frame at once, or stays silent. Waiting takes no time.</summary>
internal sealed class AnsweringLine(Func<byte[], byte[]?> answer) : IByteLine
{
    private readonly Queue<byte> _arrived = new();

    public List<byte[]> Written { get; } = [];

    public bool IsDisposed { get; private set; }

    public ValueTask<int> ReadAsync(Memory<byte> buffer, TimeSpan wait, CancellationToken cancel)
    {
        var count = 0;
        while (count < buffer.Length && _arrived.TryDequeue(out var b))
        {
            buffer.Span[count++] = b;
        }

        return ValueTask.FromResult(count);
    }

    public ValueTask<bool> WriteAsync(ReadOnlyMemory<byte> bytes, TimeSpan wait, CancellationToken cancel)
    {
        Written.Add(bytes.ToArray());
        foreach (var b in answer(Written[^1]) ?? [])
        {
            _arrived.Enqueue(b);
        }

        return ValueTask.FromResult(true);
    }

    public ValueTask DisposeAsync()
    {
        IsDisposed = true;
        return ValueTask.CompletedTask;
    }
}
