using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Accounting;

/// <summary>What a gauge gives to an activity. The names are the keys of an account in <c>gateway.yaml</c>.</summary>
internal enum GaugeInput
{
    Flow,
    Methane,
    Temperature,
    Pressure,
    Density,
    Flared,
    Used,
    Power,
}

/// <summary>An activity that is made from gauges instead of the growth of a counter. Times are Unix milliseconds.</summary>
internal interface IGaugeActivity
{
    /// <summary>Points it is made from.</summary>
    IReadOnlyDictionary<GaugeInput, PointModel> Points { get; }

    /// <summary>Half width at 95 % that it finds itself, percent; NaN where the site states it.</summary>
    double UncertaintyPercent { get; }

    /// <summary>Takes a value that holds from <paramref name="time"/> on; one that cannot be is as none.</summary>
    void Set(GaugeInput input, double value, long time);

    /// <summary>Why the interval that was sealed last cannot be accounted, in words; null when it can.</summary>
    string? Refusal => null;

    /// <summary>An interval ends: what is kept of it is put aside until its entry is made.</summary>
    void Seal()
    {
    }

    /// <summary>The value is not known from here on.</summary>
    void Drop(GaugeInput input);

    void DropAll();

    /// <summary>Takes the activity up to <paramref name="time"/>.</summary>
    /// <param name="time">Until when.</param>
    /// <param name="amount">Receives it, in the unit of the method.</param>
    /// <returns>Milliseconds for which all was known.</returns>
    long Take(long time, ref decimal amount);

    void Shift(long milliseconds);

    void Save(StateWriter writer);

    void Load(ref StateReader reader);
}

internal static class GaugeInputs
{
    // Canonical units of the table: m3/h, ppm, Celsius, Pa, kg/m3, W.
    private static readonly Dimension[] Dimensions = [Dimension.VolumeFlow, Dimension.VolumeFraction, Dimension.Temperature, Dimension.Pressure, Dimension.Density, Dimension.VolumeFlow, Dimension.VolumeFlow, Dimension.ActivePower];

    /// <summary>The key of an account that names it.</summary>
    public static string Word(this GaugeInput input) => input.ToString().ToLowerInvariant();

    /// <summary>The unit of a point that gives it.</summary>
    /// <exception cref="ArgumentException">The point is no gauge, measures something else or is read only once.</exception>
    public static Unit UnitOf(this GaugeInput input, PointModel point)
    {
        var unit = Units.Find(point.Unit);
        return point.Kind != PointKind.Gauge || unit is null || unit.Dimension != Dimensions[(int)input]
            ? throw new ArgumentException($"'{point.Id}' is in {point.Unit} and cannot be the {input.Word()}")
            : point.Period <= TimeSpan.Zero ? throw new ArgumentException($"'{point.Id}' is read only once") : unit;
    }
}
