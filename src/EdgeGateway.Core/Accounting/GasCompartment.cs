using EdgeGateway.Core.Aggregation;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Accounting;

/// <summary>
/// Gas that a compartment of switchgear has lost, in kg, by its density monitor. One reading a day, in the same hour and while the temperature is steady, makes
/// a line over the last two months; what the line has lost since its first reading is counted once the loss is outside the line's band
/// (<see cref="SulfurHexafluoride.Leak"/>). Before that no leak is shown, and nothing is counted.
/// </summary>
internal sealed class GasCompartment : IGaugeActivity
{
    /// <summary>Most daily readings of the line.</summary>
    private const int MostReadings = 60;

    /// <summary>Faster than this, gas and sensor have different temperatures; K/h.</summary>
    private const double SteadyKelvinPerHour = 5;

    /// <summary>A reading so much above the one before is a refill: the line begins anew.</summary>
    private const double RefillShare = 0.02;

    // The inputs that there were when the form of its state was fixed; those that came later are none of a compartment.
    private static readonly GaugeInput[] Kept = [GaugeInput.Flow, GaugeInput.Methane, GaugeInput.Temperature, GaugeInput.Pressure, GaugeInput.Density];

    private const long DayMs = 86_400_000;
    private const long HourMs = 3_600_000;

    private readonly double _volume;
    private readonly double _atmosphere;
    private readonly int _hour;
    private readonly Unit?[] _units = new Unit?[Kept.Length];
    private readonly long[] _holds = new long[Kept.Length];
    private readonly double[] _values = new double[Kept.Length];
    private readonly long[] _until = new long[Kept.Length];
    private readonly List<(long Time, double Density)> _readings = [];
    private LeakRate? _leak;
    private decimal _counted;
    private long _taken;
    private long _temperatureTime = long.MinValue;
    private double _temperature;

    /// <summary>A compartment by its gauges: density, or pressure and temperature.</summary>
    /// <exception cref="ArgumentException">The gauges are missing or measure something else, or the volume is not above zero.</exception>
    public GasCompartment(IReadOnlyDictionary<GaugeInput, PointModel> points, CompartmentModel model)
    {
        Points = points;
        (_volume, _atmosphere, _hour) = ((double)model.CubicMetres, (double)model.AtmospherePascal, model.HourUtc);
        var byDensity = points.ContainsKey(GaugeInput.Density);
        if (byDensity == points.ContainsKey(GaugeInput.Pressure) || byDensity == points.ContainsKey(GaugeInput.Temperature))
        {
            throw new ArgumentException("a compartment is read by 'density', or by 'pressure' and 'temperature'");
        }

        if (_volume <= 0)
        {
            throw new ArgumentException("the volume of the compartment must be above zero");
        }

        foreach (var (input, point) in points)
        {
            _units[(int)input] = input.UnitOf(point);
            _holds[(int)input] = HeldValue.HoldMilliseconds(point.Period);
            _until[(int)input] = long.MinValue;
        }
    }

    public IReadOnlyDictionary<GaugeInput, PointModel> Points { get; }

    public double UncertaintyPercent => _leak is { IsShown: true } leak ? Math.Min(Uncertainty.LargestPercent, 100 * leak.BandKilogramsPerDay / -leak.KilogramsPerDay) : double.NaN;

    public void Set(GaugeInput input, double value, long time)
    {
        if (!(Math.Abs(value) < 1e9))
        {
            Drop(input);
            return;
        }

        var unit = _units[(int)input]!;
        _values[(int)input] = (value * (double)unit.Factor) + (double)unit.Offset;
        _until[(int)input] = time + _holds[(int)input];
        if (input == GaugeInput.Temperature && (_temperatureTime == long.MinValue || time - _temperatureTime > 2 * HourMs))
        {
            (_temperatureTime, _temperature) = (time, _values[(int)input]);
        }

        if (IsKnown(time) && IsDue(time) && IsSteady(time) && Density() is { } density)
        {
            Add(time, density);
        }

        if (input == GaugeInput.Temperature && time - _temperatureTime >= HourMs)
        {
            (_temperatureTime, _temperature) = (time, _values[(int)input]);
        }
    }

    public void Drop(GaugeInput input) => _until[(int)input] = long.MinValue;

    public void DropAll() => Array.Fill(_until, long.MinValue);

    public long Take(long time, ref decimal amount)
    {
        var end = Points.Keys.Aggregate(time, (least, input) => Math.Min(least, _until[(int)input]));
        var known = end > _taken ? end - _taken : 0;
        _taken = Math.Max(_taken, time);
        if (known > 0 && _leak is { IsShown: true } leak)
        {
            // What the line has lost since it began; when the line is corrected upwards, nothing is given back.
            var lost = (decimal)(-leak.KilogramsPerDay * ((double)(_taken - _readings[0].Time) / DayMs));
            if (lost > _counted)
            {
                amount += lost - _counted;
                _counted = lost;
            }
        }

        return known;
    }

    public void Shift(long milliseconds)
    {
        _taken += milliseconds;
        _temperatureTime = _temperatureTime == long.MinValue ? long.MinValue : _temperatureTime + milliseconds;
        foreach (var input in Points.Keys)
        {
            _until[(int)input] = _until[(int)input] == long.MinValue ? long.MinValue : _until[(int)input] + milliseconds;
        }

        for (var i = 0; i < _readings.Count; i++)
        {
            _readings[i] = (_readings[i].Time + milliseconds, _readings[i].Density);
        }
    }

    public void Save(StateWriter writer)
    {
        writer.Write(_taken);
        writer.Write(_counted);
        writer.Write(_temperatureTime);
        writer.Write(_temperature);
        foreach (var input in Kept)
        {
            writer.Write(_values[(int)input]);
            writer.Write(_until[(int)input]);
        }

        writer.Write(_readings.Count);
        foreach (var (time, density) in _readings)
        {
            writer.Write(time);
            writer.Write(density);
        }
    }

    public void Load(ref StateReader reader)
    {
        _taken = reader.ReadInt64();
        _counted = reader.ReadDecimal();
        _temperatureTime = reader.ReadInt64();
        _temperature = reader.ReadDouble();
        foreach (var input in Kept)
        {
            _values[(int)input] = reader.ReadDouble();
            _until[(int)input] = reader.ReadInt64();
        }

        _readings.Clear();
        for (var left = reader.ReadInt32(); left > 0; left--)
        {
            _readings.Add((reader.ReadInt64(), reader.ReadDouble()));
        }

        Judge();
    }

    private bool IsKnown(long time) => Points.Keys.All(i => _until[(int)i] > time);

    /// <summary>In the hour of the day, and not read in it yet.</summary>
    private bool IsDue(long time) => time % DayMs / HourMs == _hour && (_readings.Count == 0 || time - _readings[^1].Time > HourMs);

    /// <summary>A density needs no temperature; otherwise it must be known how it moved since at least half an hour.</summary>
    private bool IsSteady(long time)
    {
        if (_units[(int)GaugeInput.Density] is not null)
        {
            return true;
        }

        var hours = (double)(time - _temperatureTime) / HourMs;
        return hours >= 0.5 && Math.Abs(_values[(int)GaugeInput.Temperature] - _temperature) < SteadyKelvinPerHour * hours;
    }

    private double? Density()
    {
        if (_units[(int)GaugeInput.Density] is not null)
        {
            return _values[(int)GaugeInput.Density] is > 0 and var density ? density : null;
        }

        try
        {
            return SulfurHexafluoride.Density((_values[(int)GaugeInput.Pressure] + _atmosphere) / 1e6, _values[(int)GaugeInput.Temperature] + 273.15);
        }
        catch (EmissionRefusedException)
        {
            return null; // Pressure and temperature that no gas can have: the sensor is wrong, and its plausible range says so.
        }
    }

    private void Add(long time, double density)
    {
        if (_readings.Count > 0 && density > _readings[^1].Density * (1 + RefillShare))
        {
            _readings.Clear();
            _counted = 0;
        }

        if (_readings.Count == MostReadings)
        {
            // The line begins a day later; what the lost day held stays counted.
            if (_leak is { IsShown: true } leak)
            {
                _counted = Math.Max(0, _counted - (decimal)(-leak.KilogramsPerDay * ((double)(_readings[1].Time - _readings[0].Time) / DayMs)));
            }

            _readings.RemoveAt(0);
        }

        _readings.Add((time, density));
        Judge();
    }

    private void Judge() => _leak = _readings.Count < 3 ? null
        : SulfurHexafluoride.Slope([.. _readings.Select(r => (double)(r.Time - _readings[0].Time) / DayMs)], [.. _readings.Select(r => _volume * r.Density)]);
}
