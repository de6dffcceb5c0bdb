using EdgeGateway.Protocols.Serial;

namespace EdgeGateway.Protocols.Modbus;

/// <summary>Holds the line of a client: opens it on demand, not again at once after it could not be opened, and never after its end.</summary>
internal sealed class LineOpener(OpenByteLine open, TimeProvider time) : IAsyncDisposable
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private IByteLine? _line;
    private bool _isDisposed;
    private ModbusOutcome _failure;
    private long _failedAt;
    private TimeSpan _pause;
    private int _failures;

    /// <summary>What a request is told after the client was disposed of.</summary>
    public static ModbusOutcome Refusal => new(ModbusStatus.NotConnected, Detail: "the client is closed: its owner has disposed of it");

    /// <summary>The line, when it is open.</summary>
    public IByteLine? Line => Volatile.Read(ref _line);

    /// <summary>
    /// Opens the line. After a failure, requests fail at once with the same words until a pause is over; it doubles with each failure
    /// up to 10 s, but is never longer than the time that the failed request was given. After <see cref="DisposeAsync"/> all are refused, and
    /// a line that was being opened meanwhile is closed again.
    /// </summary>
    public async ValueTask<ModbusOutcome> OpenAsync(TimeSpan wait, CancellationToken cancel)
    {
        if (Volatile.Read(ref _isDisposed))
        {
            return Refusal;
        }

        if (_failures > 0 && time.GetElapsedTime(_failedAt) < _pause)
        {
            return _failure;
        }

        try
        {
            var line = await open(wait, cancel).ConfigureAwait(false);
            if (!Keep(line))
            {
                await line.DisposeAsync().ConfigureAwait(false);
                return Refusal;
            }

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
        var line = Interlocked.Exchange(ref _line, null);
        return line?.DisposeAsync() ?? ValueTask.CompletedTask;
    }

    /// <summary>Closes the line for good.</summary>
    public ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            _isDisposed = true;
        }

        return CloseAsync();
    }

    private bool Keep(IByteLine line)
    {
        lock (_gate)
        {
            if (_isDisposed)
            {
                return false;
            }

            _line = line;
            return true;
        }
    }
}
