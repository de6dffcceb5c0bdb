using EdgeGateway.Core.Aggregation;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Accounting;

/// <summary>Energy in kWh from a gauge of power: its integral, a value holding for at most two periods. What is not known is not counted; the coverage says for how long it was known.</summary>
internal sealed class PowerIntegral : IGaugeActivity
{
    // No board takes more, and every product of a value inside can be computed.
    private const decimal MostWatts = 1_000_000;
    private const decimal MillisecondWattsPerKWh = 3_600_000_000m;

    private readonly Unit _unit;
    private readonly long _hold;
    private decimal _watts;
    private long _until = long.MinValue;
    private long _taken;

    /// <summary>The integral of the gauge that is named as <c>power</c>.</summary>
    /// <exception cref="ArgumentException">It is missing, or measures something else.</exception>
    public PowerIntegral(IReadOnlyDictionary<GaugeInput, PointModel> points)
    {
        Points = points;
        if (!points.TryGetValue(GaugeInput.Power, out var point))
        {
            throw new ArgumentException("'power' is missing");
        }

        _unit = GaugeInput.Power.UnitOf(point);
        _hold = HeldValue.HoldMilliseconds(point.Period);
    }

    public IReadOnlyDictionary<GaugeInput, PointModel> Points { get; }

    public double UncertaintyPercent => double.NaN;

    public void Set(GaugeInput input, double value, long time)
    {
        var watts = value is >= 0 and < 1e15 ? ((decimal)value * _unit.Factor) + _unit.Offset : -1;
        if (watts is < 0 or > MostWatts)
        {
            Drop(input);
            return;
        }

        (_watts, _until) = (watts, time + _hold);
    }

    public void Drop(GaugeInput input) => _until = long.MinValue;

    public void DropAll() => _until = long.MinValue;

    public long Take(long time, ref decimal amount)
    {
        var end = Math.Min(time, _until);
        var known = end > _taken ? end - _taken : 0;
        amount += _watts * known / MillisecondWattsPerKWh;
        _taken = Math.Max(_taken, time);
        return known;
    }

    public void Shift(long milliseconds)
    {
        _taken += milliseconds;
        if (_until != long.MinValue)
        {
            _until += milliseconds;
        }
    }

    public void Save(StateWriter writer)
    {
        writer.Write(_taken);
        writer.Write(_watts);
        writer.Write(_until);
    }

    public void Load(ref StateReader reader)
    {
        _taken = reader.ReadInt64();
        _watts = reader.ReadDecimal();
        _until = reader.ReadInt64();
    }
}
