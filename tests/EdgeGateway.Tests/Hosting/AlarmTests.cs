using EdgeGateway.Hosting;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Tests.Hosting;

public sealed class AlarmTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly ManualTime _time = new();

    [Fact]
    public async Task A_wait_ends_when_its_time_is_over_and_not_before()
    {
        using var alarm = new Alarm(_time);
        var wait = alarm.WaitAsync(Second).AsTask();
        _time.Advance(Second - TimeSpan.FromTicks(1));
        Assert.False(wait.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        await wait;
    }

    [Fact]
    public async Task A_wake_ends_the_wait_and_its_timer()
    {
        using var alarm = new Alarm(_time);
        var wait = alarm.WaitAsync(Second).AsTask();
        alarm.Wake();
        await wait;
        Assert.Equal(0, _time.ActiveTimers);
    }

    [Fact]
    public void A_wake_before_the_wait_ends_it_at_once_and_only_once()
    {
        using var alarm = new Alarm(_time);
        alarm.Wake();
        alarm.Wake();
        Assert.True(alarm.WaitAsync(Second).AsTask().IsCompletedSuccessfully);
        Assert.False(alarm.WaitAsync(Second).AsTask().IsCompleted);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-5)]
    public void There_is_no_wait_for_what_is_over(int seconds)
    {
        using var alarm = new Alarm(_time);
        Assert.True(alarm.WaitAsync(TimeSpan.FromSeconds(seconds)).AsTask().IsCompletedSuccessfully);
        Assert.Equal(0, _time.ActiveTimers);
    }

    [Fact]
    public async Task It_is_used_again_and_again()
    {
        using var alarm = new Alarm(_time);
        for (var i = 0; i < 10; i++)
        {
            var wait = alarm.WaitAsync(Second).AsTask();
            Assert.False(wait.IsCompleted);
            if (i % 2 == 0)
            {
                _time.Advance(Second);
            }
            else
            {
                alarm.Wake();
            }

            await wait;
        }
    }

    [Fact]
    public void It_serves_one_waiting_task()
    {
        using var alarm = new Alarm(_time);
        Assert.False(alarm.WaitAsync(Second).AsTask().IsCompleted);
        Assert.Throws<InvalidOperationException>(() => { _ = alarm.WaitAsync(Second).AsTask(); });
    }

    [Fact]
    public async Task A_wait_that_cannot_be_leaves_the_alarm_usable()
    {
        using var alarm = new Alarm(TimeProvider.System);
        Assert.Throws<ArgumentOutOfRangeException>(() => { _ = alarm.WaitAsync(TimeSpan.FromDays(100)).AsTask(); });
        await alarm.WaitAsync(TimeSpan.FromMilliseconds(1));
    }

    [Fact]
    public async Task A_timer_that_fires_late_for_one_wait_does_not_end_the_next()
    {
        var time = new LooseTime();
        using var alarm = new Alarm(time);
        var first = alarm.WaitAsync(Second).AsTask();
        alarm.Wake();
        await first;

        var second = alarm.WaitAsync(Second).AsTask();
        time.Fire();
        Assert.False(second.IsCompleted);
        time.Now += Second;
        time.Fire();
        await second;
        time.Fire();
        Assert.False(alarm.WaitAsync(Second).AsTask().IsCompleted);
    }

    [Fact]
    public async Task A_timer_that_fires_early_is_set_again_for_what_is_left()
    {
        var time = new LooseTime();
        using var alarm = new Alarm(time);
        var wait = alarm.WaitAsync(Second).AsTask();
        time.Now += TimeSpan.FromMilliseconds(996.5);
        time.Fire();
        Assert.False(wait.IsCompleted);
        Assert.Equal(TimeSpan.FromMilliseconds(4), time.Armed);
        time.Now += TimeSpan.FromMilliseconds(3.5);
        time.Fire();
        await wait;
    }

    [Fact]
    public async Task No_wake_is_lost_when_it_races_with_the_timer()
    {
        using var alarm = new Alarm(_time);
        using var stop = new CancellationTokenSource();
        var waker = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                alarm.Wake();
                await Task.Yield();
            }
        });
        for (var i = 0; i < 20_000; i++)
        {
            var wait = alarm.WaitAsync(TimeSpan.FromMilliseconds(1)).AsTask();
            _time.Advance(TimeSpan.FromMilliseconds(1));
            await wait;
        }

        await stop.CancelAsync();
        await waker;
    }

    /// <summary>A clock whose timer fires when the test says so.</summary>
    private sealed class LooseTime : TimeProvider, ITimer
    {
        private TimerCallback? _callback;
        private object? _state;

        public TimeSpan Now { get; set; }

        public TimeSpan Armed { get; private set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now.Ticks;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            (_callback, _state) = (callback, state);
            return this;
        }

        public void Fire() => _callback!(_state);

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            Armed = dueTime;
            return true;
        }

        public void Dispose()
        {
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
