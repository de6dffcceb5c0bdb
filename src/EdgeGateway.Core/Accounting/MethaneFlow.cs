using EdgeGateway.Core.Aggregation;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Accounting;

/// <summary>What a methane flow is made from.</summary>
internal enum MethaneInput
{
    Flow,
    Methane,
    Temperature,
    Pressure,
}

/// <summary>
/// Methane that passes, in m3 at 20 Celsius and 101325 Pa: the integral of flow x concentration, made at each sample, because both move together and
/// the product of their means would be another number. What is not known is not counted: the interval's coverage says for how long all were known.
/// </summary>
internal sealed class MethaneFlow
{
    // No shaft, no sensor: a value outside is not believed, and every product of values inside can be computed.
    private static readonly (decimal Min, decimal Max)[] Bounds = [(0, 10_000_000), (0, 100), (-100, 1_000), (1_000, 100_000_000)];

    // Canonical units of the table: m3/h, ppm, Celsius, Pa. What is not measured is as the method wants it.
    private static readonly Dimension[] Dimensions = [Dimension.VolumeFlow, Dimension.VolumeFraction, Dimension.Temperature, Dimension.Pressure];
    private readonly decimal[] _values = [0, 0, 20, 101_325];
    private readonly long[] _until = [long.MinValue, long.MinValue, long.MaxValue, long.MaxValue];
    private readonly Unit?[] _units = new Unit?[4];
    private readonly long[] _holds = new long[4];
    private long _taken;

    /// <summary>A flow from the points it is made from, by input; temperature and pressure may be absent when the flow is referred to 20 Celsius and 101325 Pa already.</summary>
    /// <exception cref="ArgumentException">A point is missing, or measures something else.</exception>
    public MethaneFlow(IReadOnlyDictionary<MethaneInput, PointModel> points)
    {
        foreach (var input in Enum.GetValues<MethaneInput>())
        {
            if (!points.TryGetValue(input, out var point))
            {
                if (input is MethaneInput.Flow or MethaneInput.Methane || points.ContainsKey(MethaneInput.Temperature) || points.ContainsKey(MethaneInput.Pressure))
                {
                    throw new ArgumentException($"'{input.ToString().ToLowerInvariant()}' is missing: flow and methane are needed, temperature and pressure both or neither");
                }

                continue;
            }

            var unit = Units.Find(point.Unit);
            if (point.Kind != PointKind.Gauge || unit is null || unit.Dimension != Dimensions[(int)input])
            {
                throw new ArgumentException($"'{point.Id}' is in {point.Unit} and cannot be the {input.ToString().ToLowerInvariant()} of a methane flow");
            }

            if (point.Period <= TimeSpan.Zero)
            {
                throw new ArgumentException($"'{point.Id}' is read only once");
            }

            _units[(int)input] = unit;
            _holds[(int)input] = HeldValue.HoldMilliseconds(point.Period);
            _until[(int)input] = long.MinValue;
        }
    }

    /// <summary>Takes a value that holds from <paramref name="time"/> on; one that cannot be is as none.</summary>
    public void Set(MethaneInput input, double value, long time)
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
            MethaneInput.Flow => canonical / 60, // m3/min
            MethaneInput.Methane => canonical / 10_000, // percent by volume
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

    /// <summary>The value is not known from here on.</summary>
    public void Drop(MethaneInput input) => _until[(int)input] = long.MinValue;

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

    /// <summary>Takes the methane up to <paramref name="time"/>, Unix milliseconds.</summary>
    /// <param name="time">Until when.</param>
    /// <param name="cubicMetres">Receives what passed.</param>
    /// <returns>Milliseconds for which all was known.</returns>
    public long Take(long time, ref decimal cubicMetres)
    {
        var end = Math.Min(time, _until.Min());
        var known = end > _taken ? end - _taken : 0;
        if (known > 0)
        {
            var flow = MineMethane.To20C(_values[0], _values[2], _values[3]).Value;
            cubicMetres += flow * _values[1] * known / 6_000_000m; // percent, and milliseconds of a minute
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
