using System.Globalization;
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
    private readonly MethaneGauges _gauges = new(GaugeInput.Flow, GaugeInput.Methane, GaugeInput.Temperature, GaugeInput.Pressure, GaugeInput.Flared, GaugeInput.Used);
    private readonly decimal _flareShare;
    private readonly decimal _useShare;
    private readonly bool _isBurnt;
    private readonly double _percent;
    private (decimal Drained, decimal Flared, decimal Used) _open;
    private (decimal Drained, decimal Flared, decimal Used) _sealed;

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
            _gauges.Add(input, point);
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

    public void Set(GaugeInput input, double value, long time) => _gauges.Set(input, value, time);

    public void Seal() => (_sealed, _open) = (_open, default);

    public void Drop(GaugeInput input) => _gauges.Drop(input);

    public void DropAll() => _gauges.DropAll();

    public long Take(long time, ref decimal amount)
    {
        var known = _gauges.Take(time);
        if (known > 0)
        {
            var (drained, flared, used) = (_gauges.Pure(GaugeInput.Flow, known), _gauges.Pure(GaugeInput.Flared, known), _gauges.Pure(GaugeInput.Used, known));
            _open = (_open.Drained + drained, _open.Flared + flared, _open.Used + used);
            var burnt = (flared * _flareShare) + (used * _useShare);
            amount += _isBurnt ? burnt : drained - burnt;
        }

        return known;
    }

    public void Shift(long milliseconds) => _gauges.Shift(milliseconds);

    public void Save(StateWriter writer)
    {
        _gauges.Save(writer);
        foreach (var sums in (ReadOnlySpan<(decimal, decimal, decimal)>)[_open, _sealed])
        {
            writer.Write(sums.Item1);
            writer.Write(sums.Item2);
            writer.Write(sums.Item3);
        }
    }

    public void Load(ref StateReader reader)
    {
        _gauges.Load(ref reader);
        _open = (reader.ReadDecimal(), reader.ReadDecimal(), reader.ReadDecimal());
        _sealed = (reader.ReadDecimal(), reader.ReadDecimal(), reader.ReadDecimal());
    }
}
