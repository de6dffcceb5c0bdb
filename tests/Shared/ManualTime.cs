namespace EdgeGateway.Tests.Shared;

/// <summary>A clock that stands still until the test moves it. Timers fire inside <see cref="Advance"/>, in the order of their due times.</summary>
public sealed class ManualTime(DateTimeOffset start) : TimeProvider
{
    private readonly Lock _gate = new();
    private readonly List<ManualTimer> _timers = [];
    private DateTimeOffset _utcNow = start;
    private long _ticks;

    public ManualTime()
        : this(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero))
    {
    }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    /// <summary>Timers that are due some time.</summary>
    public int ActiveTimers { get { lock (_gate) { return _timers.Count; } } }

    public override DateTimeOffset GetUtcNow() { lock (_gate) { return _utcNow; } }

    public override long GetTimestamp() { lock (_gate) { return _ticks; } }

    /// <summary>Steps the wall clock, as NTP would; the monotonic clock and timers do not notice.</summary>
    public void SetUtcNow(DateTimeOffset now) { lock (_gate) { _utcNow = now; } }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ManualTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Moves both clocks and fires what falls due on the way, on the calling thread.</summary>
    public void Advance(TimeSpan by)
    {
        long target;
        lock (_gate) { target = _ticks + by.Ticks; }
        while (NextDue(target) is { } timer) { timer.Fire(); }
    }

    /// <summary>Advances step by step, letting other threads run in between, until the task is done; fails after 100,000 steps.</summary>
    public async Task AdvanceUntilAsync(Task task, TimeSpan step)
    {
        for (var i = 0; !task.IsCompleted; i++)
        {
            Assert.True(i < 100_000, "the task did not complete however far time was moved");
            await Task.WhenAny(task, Task.Delay(TimeSpan.FromMilliseconds(1), System, CancellationToken.None));
            if (!task.IsCompleted) { Advance(step); }
        }

        await task;
    }

    private ManualTimer? NextDue(long target)
    {
        lock (_gate)
        {
            var next = _timers.Where(each => each.Due <= target).MinBy(each => each.Due);
            var reached = Math.Max(_ticks, next?.Due ?? target);
            _utcNow += TimeSpan.FromTicks(reached - _ticks);
            _ticks = reached;
            if (next is not null && next.Period > TimeSpan.Zero) { next.Due += next.Period.Ticks; }
            else if (next is not null) { _timers.Remove(next); }
            return next;
        }
    }

    private sealed class ManualTimer(ManualTime time, TimerCallback callback, object? state) : ITimer
    {
        public long Due { get; set; }

        public TimeSpan Period { get; private set; }

        public void Fire() => callback(state);

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (time._gate)
            {
                time._timers.Remove(this);
                Period = period;
                if (dueTime != Timeout.InfiniteTimeSpan)
                {
                    Due = time._ticks + dueTime.Ticks;
                    time._timers.Add(this);
                }
            }

            return true;
        }

        public void Dispose() { lock (time._gate) { time._timers.Remove(this); } }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
