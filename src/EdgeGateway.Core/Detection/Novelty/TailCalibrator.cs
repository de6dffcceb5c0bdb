using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Detection.Novelty;

/// <summary>Turns distances of any unit into surprise: about minus the decimal logarithm of the share of earlier distances that were as large.</summary>
/// <remarks>
/// A moving quantile marks the beginning of the tail, the mean excess over it the width of an exponential tail. Where exceedances are rarer than the share
/// asked for, because most distances are zero, their observed rate counts. The work is a few additions a call; steps are bounded, so that
/// an anomaly of any size moves the estimates only a little.
/// </remarks>
internal struct TailCalibrator(double tailShare)
{
    private const int SilentCalls = 40;
    private const int EnoughCalls = 1_000_000;

    /// <summary>From so many calls on the share of one call, and its root, are below the least that is learned: they need not be computed.</summary>
    private const int SettledCalls = 3_000;
    private const double Highest = 60;
    private const double Log10OfE = 0.4342944819032518;

    private double _start;
    private double _excess;
    private double _spread;
    private double _rate;
    private int _calls;
    private int _exceedances;

    /// <summary>Judges a distance by those before it, then learns it.</summary>
    /// <param name="distance">Not negative.</param>
    /// <returns>0 to 60; 0 while fewer than 40 distances are known.</returns>
    public double Observe(double distance)
    {
        if (_calls == 0)
        {
            _start = distance;
        }

        var isBeyond = distance > _start;
        var surprise = 0.0;
        if (isBeyond && _calls >= SilentCalls)
        {
            var width = Math.Max(_excess, 0.2 * _start);
            var rate = Math.Min(tailShare, Math.Max(_rate, 0.5 / _calls));
            surprise = width > 0 ? Math.Min(Highest, (Log10OfE * (distance - _start) / width) - ExactMath.Log10(rate)) : Highest;
        }

        _calls = Math.Min(_calls + 1, EnoughCalls);
        var share = _calls < SettledCalls ? 1.0 / _calls : 0;
        _rate += ((isBeyond ? 1 : 0) - _rate) * Math.Max(share, 0.002);

        var deviation = Math.Abs(distance - _start);
        if (_calls > 10 && _spread > 0)
        {
            deviation = Math.Min(deviation, 10 * _spread);
        }

        _spread += (deviation - _spread) * Math.Max(share, 0.001);
        var step = _spread * (share > 0 ? Math.Max(Math.Sqrt(share), 0.02) : 0.02);
        if (isBeyond)
        {
            _exceedances = Math.Min(_exceedances + 1, EnoughCalls);
            var excess = distance - _start;
            _excess = _excess > 0 ? _excess + ((Math.Min(excess, 20 * _excess) - _excess) * (_exceedances < SettledCalls ? Math.Max(1.0 / _exceedances, 0.002) : 0.002)) : excess;
            _start += step * (1 - tailShare);
        }
        else
        {
            _start = Math.Max(0, _start - (step * tailShare));
        }

        return surprise;
    }

    public readonly void Save(StateWriter writer)
    {
        writer.Write(_start);
        writer.Write(_excess);
        writer.Write(_spread);
        writer.Write(_rate);
        writer.Write(_calls);
        writer.Write(_exceedances);
    }

    public void Load(ref StateReader reader)
    {
        _start = reader.ReadDouble();
        _excess = reader.ReadDouble();
        _spread = reader.ReadDouble();
        _rate = reader.ReadDouble();
        _calls = reader.ReadInt32();
        _exceedances = reader.ReadInt32();
    }
}
