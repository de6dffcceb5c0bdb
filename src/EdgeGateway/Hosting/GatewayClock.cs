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

    /// <summary>Looks at the wall clock again and takes over its offset.</summary>
    /// <returns>How far the wall clock moved against the monotonic one since the last call.</returns>
    public TimeSpan Renew()
    {
        var offset = time.GetUtcNow().ToUnixTimeMilliseconds() - Monotonic;
        var moved = offset - Offset;
        Volatile.Write(ref _offset, offset);
        return TimeSpan.FromMilliseconds(moved);
    }

    /// <summary>
    /// Monotonic time of the next multiple of <paramref name="period"/> on the wall clock after <paramref name="monotonic"/>: polls of all gateways of a
    /// site fall on the same instants.
    /// </summary>
    public long NextAligned(long monotonic, TimeSpan period)
    {
        var width = (long)period.TotalMilliseconds;
        var offset = Offset;
        var wall = monotonic + offset;
        return ((Math.DivRem(wall, width).Quotient + 1) * width) - offset;
    }
}
