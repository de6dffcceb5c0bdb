namespace EdgeGateway.Core.Detection;

/// <summary>The last good value of every point, for detectors that compare points.</summary>
public sealed class LastGood
{
    // Without a value yet: the least time there is.
    private readonly (double Value, long Time)[] _last;

    internal LastGood(int points)
    {
        _last = new (double, long)[points];
        Array.Fill(_last, (0, long.MinValue));
    }

    /// <summary>The last good value of a point, when it is not older than <paramref name="maxAge"/> (milliseconds) at <paramref name="now"/>.</summary>
    public bool TryGet(int point, Instant now, long maxAge, out double value)
    {
        ref readonly var last = ref _last[point];
        value = last.Value;
        return last.Time != long.MinValue && now.UnixMilliseconds - last.Time <= maxAge;
    }

    /// <summary>The same with the time of the value (Unix milliseconds).</summary>
    public bool TryGet(int point, Instant now, long maxAge, out double value, out long time)
    {
        time = _last[point].Time;
        return TryGet(point, now, maxAge, out value);
    }

    internal void Set(int point, double value, long time)
    {
        _last[point] = (value, time);
    }

    internal void Shift(long milliseconds)
    {
        foreach (ref var last in _last.AsSpan())
        {
            last.Time += last.Time == long.MinValue ? 0 : milliseconds;
        }
    }

    internal void Save(State.StateWriter writer)
    {
        foreach (var (value, time) in _last)
        {
            writer.Write(value);
            writer.Write(time);
        }
    }

    internal void Load(ref State.StateReader reader)
    {
        foreach (ref var last in _last.AsSpan())
        {
            last = (reader.ReadDouble(), reader.ReadInt64());
        }
    }
}
