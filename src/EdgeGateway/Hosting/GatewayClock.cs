using EdgeGateway.Core;

namespace EdgeGateway.Hosting;

/// <summary>The two clocks of the gateway, both in whole milliseconds: the monotonic one, which never steps, and the wall clock.</summary>
/// <remarks>Pollers and time limits use the monotonic clock only; see <c>docs/decisions/0004</c>.</remarks>
public sealed class GatewayClock(TimeProvider time)
{
    private readonly long _origin = time.GetTimestamp();
    private long _offset = time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>The provider behind both clocks, for timers.</summary>
    public TimeProvider Time => time;

    /// <summary>Milliseconds since the process started.</summary>
    public long Monotonic => (long)time.GetElapsedTime(_origin).TotalMilliseconds;

    /// <summary>Wall time at monotonic zero, in Unix milliseconds, as of the last <see cref="Renew"/>.</summary>
    public long Offset => Volatile.Read(ref _offset);

    /// <summary>Wall time of a monotonic reading under the offset in force.</summary>
    public Instant At(long monotonic) => new(monotonic + Offset);

    /// <summary>Looks at the wall clock again and takes over its offset; a change of less than a millisecond is left for later.</summary>
    /// <returns>How far the wall clock moved against the monotonic one since its offset was last taken over, in whole milliseconds.</returns>
    public TimeSpan Renew()
    {
        // In ticks: the difference of two times that are each cut to milliseconds would go up and down by one for no reason.
        var offset = (time.GetUtcNow() - DateTimeOffset.UnixEpoch - time.GetElapsedTime(_origin)).Ticks;
        var moved = (offset - (Offset * TimeSpan.TicksPerMillisecond)) / TimeSpan.TicksPerMillisecond;
        Volatile.Write(ref _offset, Offset + moved);
        return TimeSpan.FromMilliseconds(moved);
    }

    /// <summary>
    /// Monotonic time of the next multiple of <paramref name="period"/> on the wall clock after <paramref name="monotonic"/>: polls of all gateways of a
    /// site fall on the same instants.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The period is shorter than a millisecond.</exception>
    public long NextAligned(long monotonic, TimeSpan period)
    {
        var width = (long)period.TotalMilliseconds;
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1, nameof(period));
        var past = (monotonic + Offset) % width;

        // Before 1970 the remainder is negative.
        return monotonic + (past < 0 ? -past : width - past);
    }
}
