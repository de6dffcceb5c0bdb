using EdgeGateway.Core.Aggregation;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Accounting;

/// <summary>
/// Methane that passes, in m3 at 20 Celsius and 101325 Pa: the integral of flow x concentration, made at each sample, because both move together and
/// the product of their means would be another number. What is not known is not counted: the interval's coverage says for how long all were known.
/// </summary>
internal sealed class MethaneFlow : IGaugeActivity
{
    // No shaft, no sensor: a value outside is not believed, and every product of values inside can be computed.
    private static readonly (decimal Min, decimal Max)[] Bounds = [(0, 10_000_000), (0, 100), (-100, 1_000), (1_000, 100_000_000)];

    private readonly decimal[] _values = [0, 0, 20, 101_325];
    private readonly long[] _until = [long.MinValue, long.MinValue, long.MaxValue, long.MaxValue];
    private readonly Unit?[] _units = new Unit?[4];
    private readonly long[] _holds = new long[4];
    private long _taken;

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

            _units[(int)input] = input.UnitOf(point);
            _holds[(int)input] = HeldValue.HoldMilliseconds(point.Period);
            _until[(int)input] = long.MinValue;
        }
    }

    public IReadOnlyDictionary<GaugeInput, PointModel> Points { get; }

    public double UncertaintyPercent => double.NaN;

    public void Set(GaugeInput input, double value, long time)
    {
        var i = (int)input;
        if (!(Math.Abs(value) < 1e15))
        {
            Drop(input);
            return;
        }

        var unit = _units[i]!;
        var canonical = ((decimal)value * unit.Factor) + unit.Offset;
        var number = input switch
        {
            GaugeInput.Flow => canonical / 60, // m3/min
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

    public void Drop(GaugeInput input) => _until[(int)input] = long.MinValue;

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
            var flow = MineMethane.To20C(_values[0], _values[2], _values[3]).Value;
            amount += flow * _values[1] * known / 6_000_000m; // percent, and milliseconds of a minute
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
    }

    public void Load(ref StateReader reader)
    {
        _taken = reader.ReadInt64();
        for (var i = 0; i < _values.Length; i++)
        {
            _values[i] = reader.ReadDecimal();
            _until[i] = reader.ReadInt64();
        }
    }
}
