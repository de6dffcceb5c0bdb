using EdgeGateway.Core.Aggregation;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Accounting;

/// <summary>
/// What the gauges of a methane pipe or shaft show, each for as long as its value holds, and up to when all of them were taken. Flows in m3/min, methane in percent by volume,
/// temperature in Celsius, pressure in Pa. An input without a point stands still: the gas is referred to 20 Celsius and 101325 Pa already, and no flow is no flow.
/// </summary>
/// <param name="inputs">The inputs in the order of the saved state.</param>
internal sealed class MethaneGauges(params GaugeInput[] inputs)
{
    private readonly decimal[] _values = [.. inputs.Select(i => i switch { GaugeInput.Temperature => 20m, GaugeInput.Pressure => 101_325m, _ => 0m })];
    private readonly long[] _until = [.. inputs.Select(_ => long.MaxValue)];
    private readonly Unit?[] _units = new Unit?[inputs.Length];
    private readonly long[] _holds = new long[inputs.Length];
    private long _taken;

    /// <summary>The value of an input, in the units above.</summary>
    public decimal this[GaugeInput input] => _values[Array.IndexOf(inputs, input)];

    /// <summary>The point that gives an input; it is not known until it shows something.</summary>
    /// <exception cref="ArgumentException">The point measures something else.</exception>
    public void Add(GaugeInput input, PointModel point)
    {
        var i = Array.IndexOf(inputs, input);
        _units[i] = input.UnitOf(point);
        _holds[i] = HeldValue.HoldMilliseconds(point.Period);
        _until[i] = long.MinValue;
    }

    /// <summary>Takes a value that holds from <paramref name="time"/> on; one that cannot be is as none.</summary>
    public void Set(GaugeInput input, double value, long time)
    {
        var i = Array.IndexOf(inputs, input);
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
        var (min, max) = BoundsOf(input);
        if (number < min || number > max)
        {
            Drop(input);
            return;
        }

        _values[i] = number;
        _until[i] = time + _holds[i];
    }

    public void Drop(GaugeInput input) => _until[Array.IndexOf(inputs, input)] = long.MinValue;

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

    /// <summary>Goes on to <paramref name="time"/>.</summary>
    /// <returns>Milliseconds since the last time for which all was known.</returns>
    public long Take(long time)
    {
        var end = Math.Min(time, _until.Min());
        var known = end > _taken ? end - _taken : 0;
        _taken = Math.Max(_taken, time);
        return known;
    }

    /// <summary>Pure methane of a flow in so many milliseconds, m3 at 20 Celsius and 101325 Pa.</summary>
    public decimal Pure(GaugeInput flow, long milliseconds) =>
        MineMethane.To20C(this[flow], this[GaugeInput.Temperature], this[GaugeInput.Pressure]).Value * this[GaugeInput.Methane] * milliseconds / 6_000_000m; // percent, and milliseconds of a minute

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

    // No shaft, no sensor: a value outside is not believed, and every product of values inside can be computed.
    private static (decimal Min, decimal Max) BoundsOf(GaugeInput input) => input switch
    {
        GaugeInput.Methane => (0, 100),
        GaugeInput.Temperature => (-100, 1_000),
        GaugeInput.Pressure => (1_000, 100_000_000),
        _ => (0, 10_000_000),
    };
}
