namespace EdgeGateway.Core.Polling;

/// <summary>Measures which share of the last minute something was busy, in steps of ten seconds. Written by one thread, read by any.</summary>
public sealed class BusyMeter
{
    private const long Step = 10_000;
    private const int Steps = 6;

    // One more than are looked at: the one being filled.
    private readonly double[] _busy = new double[Steps + 1];
    private readonly long[] _step = new long[Steps + 1];
    private readonly long _begin;

    /// <param name="now">Monotonic milliseconds at the beginning.</param>
    public BusyMeter(long now)
    {
        _begin = now;
        Array.Fill(_step, -1);
    }

    /// <summary>Adds a busy time that ends now.</summary>
    /// <param name="now">Monotonic milliseconds.</param>
    /// <param name="milliseconds">Its length.</param>
    public void Add(long now, double milliseconds)
    {
        var step = (now - _begin) / Step;
        var place = (int)(step % _step.Length);
        if (_step[place] != step)
        {
            _busy[place] = 0;
            _step[place] = step;
        }

        _busy[place] += milliseconds;
    }

    /// <summary>The share: 0 = idle, 1 = busy without pause; of the time since the beginning when that is less than a minute ago.</summary>
    public double Share(long now)
    {
        var step = (now - _begin) / Step;
        var (from, to) = step == 0 ? (0, 0) : (Math.Max(step - Steps, 0), step - 1);
        var busy = 0.0;
        for (var i = 0; i < _step.Length; i++)
        {
            busy += _step[i] >= from && _step[i] <= to ? _busy[i] : 0;
        }

        var time = step == 0 ? Math.Max(now - _begin, 1) : (to - from + 1) * Step;
        return Math.Min(busy / time, 1);
    }
}
