namespace EdgeGateway.Hosting;

/// <summary>The system's clocks with the wall clock set ahead; the monotonic clock and the timers are untouched.</summary>
/// <remarks>For demonstrations: a quarter of an hour can be made to end when somebody is looking.</remarks>
public sealed class ShiftedTime(TimeSpan shift) : TimeProvider
{
    /// <summary>How far the wall clock is ahead; negative when behind.</summary>
    public TimeSpan Shift => shift;

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + shift;
}
