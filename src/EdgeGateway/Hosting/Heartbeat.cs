namespace EdgeGateway.Hosting;

/// <summary>
/// The sign of life of one loop (requirement P-1): the loop says at each turn that it turned, and how long it is going to rest. What it is good for is
/// told by <see cref="LoopWatch"/>.
/// </summary>
/// <remarks>A beat is one reading of the monotonic clock and one write: it may be called at every turn of a hot loop. Beats come from one thread at a time.</remarks>
public sealed class Heartbeat
{
    private readonly TimeProvider _time;
    private readonly double _ticksPerSecond;
    private readonly long _limit;
    private long _due;

    /// <summary>A loop that begins now.</summary>
    /// <param name="name">What it is, for log and status: <c>bus line-1</c>.</param>
    /// <param name="limit">How long a turn may take beyond the rest that was announced.</param>
    /// <param name="time">Monotonic clock.</param>
    public Heartbeat(string name, TimeSpan limit, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        Name = name;
        Limit = limit;
        _time = time;
        _ticksPerSecond = time.TimestampFrequency;
        _limit = (long)(limit.TotalSeconds * _ticksPerSecond);
        Beat();
    }

    /// <summary>What it is, for log and status.</summary>
    public string Name { get; }

    /// <summary>How long a turn may take.</summary>
    public TimeSpan Limit { get; }

    /// <summary>How long the loop has been overdue; negative while it is in time.</summary>
    public TimeSpan Overdue => TimeSpan.FromSeconds((_time.GetTimestamp() - Volatile.Read(ref _due)) / _ticksPerSecond);

    /// <summary>The loop turned.</summary>
    public void Beat() => Volatile.Write(ref _due, _time.GetTimestamp() + _limit);

    /// <summary>The loop turned, and rests at most <paramref name="rest"/> before its next turn.</summary>
    public void Beat(TimeSpan rest) => Volatile.Write(ref _due, _time.GetTimestamp() + _limit + (long)(rest.TotalSeconds * _ticksPerSecond));
}
