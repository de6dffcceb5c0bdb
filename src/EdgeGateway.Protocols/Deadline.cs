namespace EdgeGateway.Protocols;

/// <summary>An instant by which something must have happened, on the monotonic clock.</summary>
internal readonly struct Deadline(TimeProvider time, TimeSpan budget)
{
    private readonly TimeProvider _time = time;
    private readonly long _start = time.GetTimestamp();
    private readonly TimeSpan _budget = budget;

    /// <summary>What is left, zero or more.</summary>
    public TimeSpan Left
    {
        get
        {
            var left = _budget - _time.GetElapsedTime(_start);
            return left > TimeSpan.Zero ? left : TimeSpan.Zero;
        }
    }
}
