using System.Threading.Tasks.Sources;

namespace EdgeGateway.Hosting;

/// <summary>
/// A wait of one task for a time span or a call of <see cref="Wake"/>, whichever comes first. Made once and used for every wait, so
/// that loops that run for years allocate nothing for waiting.
/// </summary>
public sealed class Alarm : IValueTaskSource, IDisposable
{
    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private ManualResetValueTaskSourceCore<bool> _source = new() { RunContinuationsAsynchronously = true };
    private bool _waiting;
    private TimeSpan _delay;
    private long _started;
    private bool _woken;

    public Alarm(TimeProvider time)
    {
        _time = time;
        _timer = time.CreateTimer(static alarm => ((Alarm)alarm!).Ring(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Whether a wait is under way that nothing has ended yet.</summary>
    public bool IsWaiting
    {
        get
        {
            lock (_gate)
            {
                return _waiting;
            }
        }
    }

    /// <summary>Completes after <paramref name="delay"/>, or at once if <see cref="Wake"/> was called since the last wait ended.</summary>
    /// <exception cref="InvalidOperationException">Another wait is under way.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The delay is longer than a timer can be, some 49 days.</exception>
    public ValueTask WaitAsync(TimeSpan delay)
    {
        lock (_gate)
        {
            if (_waiting)
            {
                throw new InvalidOperationException("An alarm serves one waiting task.");
            }

            if (_woken || delay <= TimeSpan.Zero)
            {
                _woken = false;
                return ValueTask.CompletedTask;
            }

            _source.Reset();
            _delay = delay;
            _started = _time.GetTimestamp();
            Arm(delay);
            _waiting = true;
            return new ValueTask(this, _source.Version);
        }
    }

    /// <summary>Ends the wait under way, or the next one.</summary>
    public void Wake()
    {
        lock (_gate)
        {
            if (!_waiting)
            {
                _woken = true;
                return;
            }

            _waiting = false;
            _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            _source.SetResult(true);
        }
    }

    public void Dispose() => _timer.Dispose();

    void IValueTaskSource.GetResult(short token) => _source.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _source.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags);

    private void Ring()
    {
        lock (_gate)
        {
            if (!_waiting)
            {
                // It fired while it was being stopped: the wake-up was already given.
                return;
            }

            // It may have fired for the wait before this one, and timers run on a coarser clock than the one that is read.
            var left = _delay - _time.GetElapsedTime(_started);
            if (left > TimeSpan.Zero)
            {
                Arm(left);
                return;
            }

            _waiting = false;
            _source.SetResult(true);
        }
    }

    // Timers cut to whole milliseconds.
    private void Arm(TimeSpan delay) =>
        _timer.Change(TimeSpan.FromMilliseconds(Math.Ceiling(delay.TotalMilliseconds)), Timeout.InfiniteTimeSpan);
}
