namespace EdgeGateway.Tests.Protocols.Modbus;

/// <summary>A monotonic clock that scripted lines move; it has no timers, because scripted lines do the waiting.</summary>
internal sealed class ScriptedClock : TimeProvider
{
    private long _ticks = TimeSpan.TicksPerDay;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public TimeSpan Now => TimeSpan.FromTicks(_ticks);

    public override long GetTimestamp() => _ticks;

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddTicks(_ticks);

    public void MoveTo(TimeSpan instant) => _ticks = Math.Max(_ticks, instant.Ticks);

    public void Advance(TimeSpan by) => _ticks += by.Ticks;
}
