namespace EdgeGateway.Buses;

/// <summary>
/// Bounds the share of a bus's time that something takes: what takes a time is followed by a pause of so many times as long. Times are
/// in milliseconds of the monotonic clock.
/// </summary>
/// <param name="times">One part in so many: 10 is a tenth of the time.</param>
internal sealed class TimeShare(int times)
{
    /// <summary>Until then the share is used up.</summary>
    public long UsedUntil { get; private set; } = long.MinValue;

    /// <summary>Charges what began at <paramref name="began"/> and took <paramref name="cost"/>.</summary>
    public void Charge(long began, double cost) => UsedUntil = Math.Max(UsedUntil, began) + (long)Math.Ceiling(times * cost);

    /// <summary>Forgets what is charged beyond <paramref name="now"/>.</summary>
    public void Forgive(long now) => UsedUntil = Math.Min(UsedUntil, now);
}
