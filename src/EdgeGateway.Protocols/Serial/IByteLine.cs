namespace EdgeGateway.Protocols.Serial;

/// <summary>An open two-way line of bytes: a serial port, a TCP connection, or a script in a test. One owner, one call at a time.</summary>
/// <remarks>Time passes inside the line: it is told how long to wait, so that a scripted line can move a manual clock.</remarks>
public interface IByteLine : IAsyncDisposable
{
    /// <summary>Waits for bytes.</summary>
    /// <param name="buffer">Where the bytes go; not empty.</param>
    /// <param name="wait">How long to wait for the first byte; zero takes only what has already come.</param>
    /// <param name="cancel">Ends the wait with <see cref="OperationCanceledException"/>; no byte is lost by it.</param>
    /// <returns>The number of bytes read, 0 when the wait ended without one, -1 when the line is closed or broken for good.</returns>
    ValueTask<int> ReadAsync(Memory<byte> buffer, TimeSpan wait, CancellationToken cancel);

    /// <summary>Writes all bytes.</summary>
    /// <returns>False when the line is closed or broken, or did not take all bytes within <paramref name="wait"/>; it should then be disposed of.</returns>
    ValueTask<bool> WriteAsync(ReadOnlyMemory<byte> bytes, TimeSpan wait, CancellationToken cancel);
}
