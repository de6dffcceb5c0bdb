using System.Threading.Tasks.Sources;

namespace EdgeGateway.Hosting;

/// <summary>
/// A wait of one task for a time span or a call of <see cref="Wake"/>, whichever comes first. Made once and used for every wait, so
/// that loops that run for years allocate nothing for waiting.
/// </summary>
public sealed class Alarm : IValueTaskSource, IDisposable
{
    private readonly Lock _gate = new();
    private readonly ITimer _timer;
    private ManualResetValueTaskSourceCore<bool> _source = new() { RunContinuationsAsynchronously = true };
    private bool _waiting;
    private bool _woken;

    public Alarm(TimeProvider time) =>
        _timer = time.CreateTimer(static alarm => ((Alarm)alarm!).Ring(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

    /// <summary>Completes after <paramref name="delay"/>, or at once if <see cref="Wake"/> was called since the last wait ended.</summary>
    /// <exception cref="InvalidOperationException">Another wait is under way.</exception>
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
            _waiting = true;
            _timer.Change(delay, Timeout.InfiniteTimeSpan);
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
            // A timer that fires while it is being stopped finds nobody waiting: the wake-up was already given.
            if (_waiting)
            {
                _waiting = false;
                _source.SetResult(true);
            }
        }
    }
}
