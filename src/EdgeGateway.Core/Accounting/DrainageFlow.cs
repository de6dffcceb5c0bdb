using System.Globalization;
using EdgeGateway.Core.Aggregation;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Accounting;

/// <summary>
/// Methane of a drainage system in m3 at 20 Celsius and 101325 Pa: what is released, or what is burnt. One gas flows in all three pipes, so one concentration and
/// one state hold for the gas drained, flared and used; all are integrated at each sample (GB/T 32151.11 by its layout, which is recalled and not read).
/// </summary>
/// <remarks>What burns can be no more than what was drained: an interval in which the meters say so is refused, because one of them is wrong and nobody knows which.</remarks>
internal sealed class DrainageFlow : IGaugeActivity
{
    private static readonly GaugeInput[] Inputs = [GaugeInput.Flow, GaugeInput.Methane, GaugeInput.Temperature, GaugeInput.Pressure, GaugeInput.Flared, GaugeInput.Used];

    // No pipe, no sensor: a value outside is not believed, and every product of values inside can be computed.
    private static readonly (decimal Min, decimal Max)[] Bounds = [(0, 10_000_000), (0, 100), (-100, 1_000), (1_000, 100_000_000), (0, 10_000_000), (0, 10_000_000)];

    private readonly decimal[] _values = [0, 0, 20, 101_325, 0, 0];
    private readonly long[] _until = [.. Inputs.Select(_ => long.MaxValue)];
    private readonly Unit?[] _units = new Unit?[Inputs.Length];
    private readonly long[] _holds = new long[Inputs.Length];
    private readonly decimal _flareShare;
    private readonly decimal _useShare;
    private readonly bool _isBurnt;
    private readonly double _percent;
    private (decimal Drained, decimal Flared, decimal Used) _open;
    private (decimal Drained, decimal Flared, decimal Used) _sealed;
    private long _taken;

    /// <summary>A drainage system by its gauges; temperature and pressure may be absent when the flows are referred to 20 Celsius and 101325 Pa already.</summary>
    /// <param name="points">The gauges by what they give.</param>
    /// <param name="destruction">What share burns.</param>
    /// <param name="isBurnt">True: the activity is what burns. False: what is released.</param>
    /// <param name="percent">Half width at 95 % of each of the three flows with its concentration, percent; NaN when not known.</param>
    /// <exception cref="ArgumentException">A point is missing, or measures something else.</exception>
    public DrainageFlow(IReadOnlyDictionary<GaugeInput, PointModel> points, DestructionModel destruction, bool isBurnt, double percent)
    {
        Points = points;
        (_flareShare, _useShare, _isBurnt, _percent) = (destruction.FlarePercent / 100, destruction.UsePercent / 100, isBurnt, percent);
        if (!points.ContainsKey(GaugeInput.Flow) || !points.ContainsKey(GaugeInput.Methane) || points.ContainsKey(GaugeInput.Temperature) != points.ContainsKey(GaugeInput.Pressure))
        {
            throw new ArgumentException("'flow' and 'methane' are needed, 'temperature' and 'pressure' both or neither");
        }

        if (!points.ContainsKey(GaugeInput.Flared) && !points.ContainsKey(GaugeInput.Used))
        {
            throw new ArgumentException($"neither 'flared' nor 'used' is named: what is drained and only vented is accounted by {MineMethane.Ventilated}");
        }

        foreach (var (input, point) in points)
        {
            var i = Array.IndexOf(Inputs, input);
            _units[i] = input.UnitOf(point);
            _holds[i] = HeldValue.HoldMilliseconds(point.Period);
            _until[i] = long.MinValue;
        }
    }

    public IReadOnlyDictionary<GaugeInput, PointModel> Points { get; }

    /// <summary>Three meters err apart, so a difference of nearly equal flows is known badly; percent, NaN where the site states none.</summary>
    public double UncertaintyPercent
    {
        get
        {
            var (drained, flared, used) = ((double)_sealed.Drained, (double)(_sealed.Flared * _flareShare), (double)(_sealed.Used * _useShare));
            return double.IsNaN(_percent) ? double.NaN
                : _isBurnt ? Uncertainty.Sum(new UncertainPart(flared, _percent), new UncertainPart(used, _percent))
                : Uncertainty.Sum(new UncertainPart(drained, _percent), new UncertainPart(-flared, _percent), new UncertainPart(-used, _percent));
        }
    }

    public string? Refusal => _sealed.Flared + _sealed.Used <= _sealed.Drained ? null
        : string.Create(CultureInfo.InvariantCulture, $"{_sealed.Flared + _sealed.Used:0.###} m3 of methane are destroyed (flared {_sealed.Flared:0.###}, used {_sealed.Used:0.###}) but only {_sealed.Drained:0.###} m3 were drained: one of the meters is wrong");

    public void Set(GaugeInput input, double value, long time)
    {
        var i = Array.IndexOf(Inputs, input);
        if (!(Math.Abs(value) < 1e15))
        {
            Drop(input);
            return;
        }

        var unit = _units[i]!;
        var canonical = ((decimal)value * unit.Factor) + unit.Offset;
        var number = input switch
        {
            GaugeInput.Flow or GaugeInput.Flared or GaugeInput.Used => canonical / 60, // m3/min
            GaugeInput.Methane => canonical / 10_000, // percent by volume
            _ => canonical,
        };
        if (number < Bounds[i].Min || number > Bounds[i].Max)
        {
            Drop(input);
            return;
        }

        _values[i] = number;
        _until[i] = time + _holds[i];
    }

    public void Seal() => (_sealed, _open) = (_open, default);

    public void Drop(GaugeInput input) => _until[Array.IndexOf(Inputs, input)] = long.MinValue;

    public void DropAll()
    {
        for (var i = 0; i < _units.Length; i++)
        {
            if (_units[i] is not null)
            {
                _until[i] = long.MinValue;
            }
        }
    }

    public long Take(long time, ref decimal amount)
    {
        var end = Math.Min(time, _until.Min());
        var known = end > _taken ? end - _taken : 0;
        if (known > 0)
        {
            var (drained, flared, used) = (Pure(_values[0], known), Pure(_values[4], known), Pure(_values[5], known));
            _open = (_open.Drained + drained, _open.Flared + flared, _open.Used + used);
            var burnt = (flared * _flareShare) + (used * _useShare);
            amount += _isBurnt ? burnt : drained - burnt;
        }

        _taken = Math.Max(_taken, time);
        return known;
    }

    public void Shift(long milliseconds)
    {
        _taken += milliseconds;
        for (var i = 0; i < _until.Length; i++)
        {
            if (_until[i] is not (long.MinValue or long.MaxValue))
            {
                _until[i] += milliseconds;
            }
        }
    }

    public void Save(StateWriter writer)
    {
        writer.Write(_taken);
        for (var i = 0; i < _values.Length; i++)
        {
            writer.Write(_values[i]);
            writer.Write(_until[i]);
        }

        foreach (var sums in (ReadOnlySpan<(decimal, decimal, decimal)>)[_open, _sealed])
        {
            writer.Write(sums.Item1);
            writer.Write(sums.Item2);
            writer.Write(sums.Item3);
        }
    }

    public void Load(ref StateReader reader)
    {
        _taken = reader.ReadInt64();
        for (var i = 0; i < _values.Length; i++)
        {
            _values[i] = reader.ReadDecimal();
            _until[i] = reader.ReadInt64();
        }

        _open = (reader.ReadDecimal(), reader.ReadDecimal(), reader.ReadDecimal());
        _sealed = (reader.ReadDecimal(), reader.ReadDecimal(), reader.ReadDecimal());
    }

    /// <summary>Pure methane of a flow, m3 at 20 Celsius and 101325 Pa.</summary>
    private decimal Pure(decimal flow, long milliseconds) =>
        MineMethane.To20C(flow, _values[2], _values[3]).Value * _values[1] * milliseconds / 6_000_000m; // percent, and milliseconds of a minute
}
