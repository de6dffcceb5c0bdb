using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Aggregation;

/// <summary>
/// Sample and hold: a value counts as known from its sample until the next one, at most for the hold time. Times are Unix milliseconds.
/// </summary>
internal struct HeldValue
{
    private bool _has;
    private long _from;
    private long _until;

    /// <summary>The held value; only meaningful for time that <see cref="Take"/> returned.</summary>
    public double Value { get; private set; }

    /// <summary>Two periods, at least 2 s: one lost poll does not open a hole, two do.</summary>
    public static long HoldMilliseconds(TimeSpan period) =>
        Math.Max(2_000, 2 * Math.Min(period.Ticks, TimeSpan.TicksPerDay) / TimeSpan.TicksPerMillisecond);

    /// <summary>True while the value would still cover time after <paramref name="time"/>.</summary>
    public readonly bool ReachesBeyond(long time) => _has && _until > time;

    public void Set(double value, long time, long hold)
    {
        _has = true;
        Value = value;
        _from = time;
        _until = time + hold;
    }

    public void Drop() => _has = false;

    /// <summary>Takes the time covered up to <paramref name="time"/>, in milliseconds; the rest stays held.</summary>
    public long Take(long time)
    {
        var end = Math.Min(time, _until);
        if (!_has || end <= _from)
        {
            return 0;
        }

        var covered = end - _from;
        _from = end;
        return covered;
    }

    public void Shift(long milliseconds)
    {
        _from += milliseconds;
        _until += milliseconds;
    }

    public readonly void Save(StateWriter writer)
    {
        writer.Write(_has);
        writer.Write(Value);
        writer.Write(_from);
        writer.Write(_until);
    }

    public void Load(ref StateReader reader)
    {
        _has = reader.ReadBoolean();
        Value = reader.ReadDouble();
        _from = reader.ReadInt64();
        _until = reader.ReadInt64();
    }
}
