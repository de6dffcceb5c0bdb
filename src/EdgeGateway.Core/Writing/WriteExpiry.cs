namespace EdgeGateway.Core.Writing;

/// <summary>A moment on both clocks of a computer.</summary>
/// <param name="Boot">The boot in which it was read.</param>
/// <param name="Monotonic">Milliseconds of the clock that never steps; only comparable within the boot.</param>
/// <param name="Wall">Wall clock.</param>
/// <param name="WallIsTrusted">Whether the wall clock was set by something that knows the time.</param>
public readonly record struct ClockReading(Guid Boot, long Monotonic, Instant Wall, bool WallIsTrusted);

/// <summary>When a value that was written for a time must give way to the safe value.</summary>
/// <remarks>
/// Within a boot only the monotonic clock counts, so that a step of the wall clock neither prolongs nor shortens it. After a reboot the wall clock counts,
/// if it is trusted now, was trusted then, and has not gone back; when in doubt, the time is over.
/// </remarks>
/// <param name="Set">When it began.</param>
/// <param name="Hold">How long it holds.</param>
public readonly record struct WriteExpiry(ClockReading Set, TimeSpan Hold)
{
    /// <summary>Wall time at which it ends, as it was known when it began.</summary>
    public Instant End => Set.Wall + Hold;

    /// <summary>What is left of it; zero when it is over, negative by how long it is overdue where that is known.</summary>
    public TimeSpan Left(in ClockReading now)
    {
        var passed = now.Boot == Set.Boot
            ? TimeSpan.FromMilliseconds(now.Monotonic - Set.Monotonic)
            : now.WallIsTrusted && Set.WallIsTrusted ? now.Wall - Set.Wall : Hold;
        return passed < TimeSpan.Zero ? TimeSpan.Zero : Hold - passed;
    }

    /// <summary>The same end, counted from <paramref name="now"/>: after a reboot the new boot's monotonic clock takes over.</summary>
    public WriteExpiry Renewed(in ClockReading now)
    {
        var left = Left(now);
        return now.Boot == Set.Boot ? this : new(now, left > TimeSpan.Zero ? left : TimeSpan.Zero);
    }
}
