using System.Threading.Channels;
using EdgeGateway.Protocols.Serial;

namespace EdgeGateway.Conformance.Modbus;

/// <summary>The server's end of a line in memory; the test holds the other end.</summary>
internal sealed class MemoryLine : IByteLine
{
    private readonly Channel<byte[]> _toServer = Channel.CreateUnbounded<byte[]>();
    private ReadOnlyMemory<byte> _rest;
    private readonly Channel<byte[]> _fromServer = Channel.CreateUnbounded<byte[]>();

    /// <summary>Lets bytes arrive at the server.</summary>
    public void Arrive(params byte[] bytes) => _toServer.Writer.TryWrite(bytes);

    /// <summary>The next write of the server.</summary>
    public async Task<string> AnswerAsync()
    {
        using CancellationTokenSource limit = new(Wire.Patient);
        return Wire.Text(await _fromServer.Reader.ReadAsync(limit.Token));
    }

    public async ValueTask<int> ReadAsync(Memory<byte> buffer, TimeSpan wait, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(wait);
        try
        {
            _rest = _rest.IsEmpty ? await _toServer.Reader.ReadAsync(limit.Token) : _rest;
            var count = Math.Min(_rest.Length, buffer.Length);
            _rest[..count].CopyTo(buffer);
            _rest = _rest[count..];
            return count;
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return 0;
        }
    }

    public ValueTask<bool> WriteAsync(ReadOnlyMemory<byte> bytes, TimeSpan wait, CancellationToken cancel) =>
        ValueTask.FromResult(_fromServer.Writer.TryWrite(bytes.ToArray()));

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
