namespace EdgeGateway.Tests.Simulator;

/// <summary>A clock that stands still until it is moved. Has no timers: the simulator uses none.</summary>
internal sealed class SteppedTime : TimeProvider
{
    private readonly DateTimeOffset _start;
    private TimeSpan _elapsed;
    private TimeSpan _wallStep;

    public SteppedTime()
        : this(new DateTimeOffset(2026, 3, 2, 8, 0, 0, TimeSpan.Zero))
    {
    }

    public SteppedTime(DateTimeOffset start)
    {
        _start = start;
    }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => _start + _elapsed + _wallStep;

    public override long GetTimestamp() => _elapsed.Ticks;

    public void Advance(TimeSpan by) => _elapsed += by;

    /// <summary>Sets the wall clock off; the monotonic clock does not notice.</summary>
    public void StepWallClock(TimeSpan by) => _wallStep += by;
}
