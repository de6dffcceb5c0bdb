namespace EdgeGateway.Core.Detection;

/// <summary>The last good value of every point, for detectors that compare points.</summary>
public sealed class LastGood
{
    private readonly double[] _values;
    private readonly long[] _times;

    internal LastGood(int points)
    {
        _values = new double[points];
        _times = new long[points];
        Array.Fill(_times, long.MinValue);
    }

    /// <summary>The last good value of a point, when it is not older than <paramref name="maxAge"/> (milliseconds) at <paramref name="now"/>.</summary>
    public bool TryGet(int point, Instant now, long maxAge, out double value)
    {
        value = _values[point];
        var time = _times[point];
        return time != long.MinValue && now.UnixMilliseconds - time <= maxAge;
    }

    /// <summary>The same with the time of the value (Unix milliseconds).</summary>
    public bool TryGet(int point, Instant now, long maxAge, out double value, out long time)
    {
        time = _times[point];
        return TryGet(point, now, maxAge, out value);
    }

    internal void Set(int point, double value, long time)
    {
        _values[point] = value;
        _times[point] = time;
    }

    internal void Shift(long milliseconds)
    {
        foreach (ref var time in _times.AsSpan())
        {
            time += time == long.MinValue ? 0 : milliseconds;
        }
    }

    internal void Save(State.StateWriter writer)
    {
        for (var i = 0; i < _values.Length; i++)
        {
            writer.Write(_values[i]);
            writer.Write(_times[i]);
        }
    }

    internal void Load(ref State.StateReader reader)
    {
        for (var i = 0; i < _values.Length; i++)
        {
            _values[i] = reader.ReadDouble();
            _times[i] = reader.ReadInt64();
        }
    }
}
