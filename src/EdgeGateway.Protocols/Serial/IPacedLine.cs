namespace EdgeGateway.Protocols.Serial;

/// <summary>A line that knows when bytes came and when those it sent have left, to the fraction of a millisecond: a serial port.</summary>
public interface IPacedLine : IByteLine
{
    /// <summary>What <see cref="WriteAfterSilenceAsync"/> returns when bytes wait to be read or came meanwhile, and nothing was written.</summary>
    const int Heard = -2;

    /// <summary>Waits until enough bytes have come.</summary>
    /// <param name="buffer">Where the bytes go; not empty.</param>
    /// <param name="atLeast">How many make it worth to return; never more than the buffer takes.</param>
    /// <param name="wait">How long to wait at most; zero takes only what has already come.</param>
    /// <param name="gap">Once bytes have come, a pause of this length ends the wait, with fewer than asked for.</param>
    /// <param name="cancel">Ends the wait with <see cref="OperationCanceledException"/>; no byte is lost by it.</param>
    /// <returns>The number of bytes read, 0 when the wait ended without one, -1 when the line is closed or broken for good.</returns>
    ValueTask<int> ReadAsync(Memory<byte> buffer, int atLeast, TimeSpan wait, TimeSpan gap, CancellationToken cancel);

    /// <summary>
    /// Writes as soon as the line has been silent for long enough, counted from the last byte that came or the moment the last one
    /// sent has left; never earlier.
    /// </summary>
    /// <param name="bytes">The frame; must stay as it is until the call ends.</param>
    /// <param name="silence">How long nothing may have come or gone.</param>
    /// <param name="cancel">Looked at before the wait, which is short.</param>
    /// <returns>
    /// The number of bytes taken, of which the caller writes what is missing (0 when the line takes none just now: flow control, or a
    /// stuck adapter); <see cref="Heard"/>; -1 when the line is closed or broken.
    /// </returns>
    ValueTask<int> WriteAfterSilenceAsync(ReadOnlyMemory<byte> bytes, TimeSpan silence, CancellationToken cancel);
}
