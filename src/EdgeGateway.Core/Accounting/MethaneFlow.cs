using EdgeGateway.Core.Site;
using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Accounting;

/// <summary>
/// Methane that passes, in m3 at 20 Celsius and 101325 Pa: the integral of flow x concentration, made at each sample, because both move together and
/// the product of their means would be another number. What is not known is not counted: the interval's coverage says for how long all were known.
/// </summary>
internal sealed class MethaneFlow : IGaugeActivity
{
    private readonly MethaneGauges _gauges = new(GaugeInput.Flow, GaugeInput.Methane, GaugeInput.Temperature, GaugeInput.Pressure);

    /// <summary>A flow from the points it is made from, by input; temperature and pressure may be absent when the flow is referred to 20 Celsius and 101325 Pa already.</summary>
    /// <exception cref="ArgumentException">A point is missing, or measures something else.</exception>
    public MethaneFlow(IReadOnlyDictionary<GaugeInput, PointModel> points)
    {
        Points = points;
        foreach (var input in (ReadOnlySpan<GaugeInput>)[GaugeInput.Flow, GaugeInput.Methane, GaugeInput.Temperature, GaugeInput.Pressure])
        {
            if (!points.TryGetValue(input, out var point))
            {
                if (input is GaugeInput.Flow or GaugeInput.Methane || points.ContainsKey(GaugeInput.Temperature) || points.ContainsKey(GaugeInput.Pressure))
                {
                    throw new ArgumentException($"'{input.Word()}' is missing: flow and methane are needed, temperature and pressure both or neither");
                }

                continue;
            }

            _gauges.Add(input, point);
        }
    }

    public IReadOnlyDictionary<GaugeInput, PointModel> Points { get; }

    public double UncertaintyPercent => double.NaN;

    public void Set(GaugeInput input, double value, long time) => _gauges.Set(input, value, time);

    public void Drop(GaugeInput input) => _gauges.Drop(input);

    public void DropAll() => _gauges.DropAll();

    public long Take(long time, ref decimal amount)
    {
        var known = _gauges.Take(time);
        amount += known > 0 ? _gauges.Pure(GaugeInput.Flow, known) : 0;
        return known;
    }

    public void Shift(long milliseconds) => _gauges.Shift(milliseconds);

    public void Save(StateWriter writer) => _gauges.Save(writer);

    public void Load(ref StateReader reader) => _gauges.Load(ref reader);
}
