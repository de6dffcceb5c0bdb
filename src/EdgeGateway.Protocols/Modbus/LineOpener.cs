using EdgeGateway.Protocols.Serial;

namespace EdgeGateway.Protocols.Modbus;

/// <summary>Opens a line within the time given; throws <see cref="IOException"/> with a message for people when it cannot.</summary>
public delegate ValueTask<IByteLine> OpenByteLine(TimeSpan wait, CancellationToken cancel);

/// <summary>Holds the line of a client: opens it on demand, and not again at once after it could not be opened.</summary>
internal sealed class LineOpener(OpenByteLine open, TimeProvider time) : IAsyncDisposable
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    private IByteLine? _line;
    private ModbusOutcome _failure;
    private long _failedAt;
    private TimeSpan _pause;
    private int _failures;

    /// <summary>The line, when it is open.</summary>
    public IByteLine? Line => _line;

    /// <summary>
    /// Opens the line. After a failure, requests fail at once with the same words until a pause is over; it doubles with each failure
    /// up to 10 s, but is never longer than the time that the failed request was given.
    /// </summary>
    public async ValueTask<ModbusOutcome> OpenAsync(TimeSpan wait, CancellationToken cancel)
    {
        if (_failures > 0 && time.GetElapsedTime(_failedAt) < _pause)
        {
            return _failure;
        }

        try
        {
            _line = await open(wait, cancel).ConfigureAwait(false);
            _failures = 0;
            return ModbusOutcome.Ok;
        }
        catch (IOException unreachable)
        {
            _failures = Math.Min(_failures + 1, 16);
            _failedAt = time.GetTimestamp();
            var pause = TimeSpan.FromTicks(Math.Min(FirstPause.Ticks << (_failures - 1), LongestPause.Ticks));
            _pause = pause < wait ? pause : wait;
            return _failure = new(ModbusStatus.NotConnected, Detail: unreachable.Message);
        }
    }

    /// <summary>Closes the line; the next request opens it anew.</summary>
    public ValueTask CloseAsync()
    {
        var line = _line;
        _line = null;
        return line?.DisposeAsync() ?? ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => CloseAsync();
}
