using EdgeGateway.Simulator.Faults;
using EdgeGateway.Simulator.Signals;

namespace EdgeGateway.Simulator.Plant;

/// <summary>An oil-filled transformer that carries what a meter of its area counts.</summary>
/// <remarks>
/// The simple loading model of IEC 60076-7 with illustrative constants: steady rise of the oil over ambient = 45 K x ((1 + 6 K^2) / 7)^0.8 for the load K per unit,
/// reached with a time constant of three hours; a winding stands 20 K x K^1.6 above it.
/// </remarks>
/// <param name="noise">Its random numbers.</param>
/// <param name="load">The load now, as a share of the rating.</param>
internal sealed class Transformer(Noise noise, Func<double> load) : Installation(noise)
{
    private const double RatedOilRise = 45;
    private const double RatedWindingGradient = 20;
    private const double LossRatio = 6;
    private const double SecondsToWarm = 3 * 3600;

    private bool _started;

    /// <summary>Temperature of the oil in degrees Celsius.</summary>
    public double OilCelsius { get; private set; } = 40;

    /// <summary>Temperature of the air around it in degrees Celsius.</summary>
    public double AmbientCelsius { get; private set; } = 20;

    /// <summary>Temperature of the windings in degrees Celsius.</summary>
    public double WindingCelsius => OilCelsius + (RatedWindingGradient * Math.Pow(Load, 1.6));

    public override void Tick(in Moment now)
    {
        Load = load();
        AmbientCelsius = 20 + (4 * Math.Cos((now.HourOfDay - 15) / 24 * 2 * Math.PI)) + Noise.Smooth(now.Second, 3600);
        var rise = RatedOilRise * Math.Pow((1 + (LossRatio * Load * Load)) / (1 + LossRatio), 0.8) * (Faults[FaultKind.CoolingFailure] ?? 1);

        // Nothing is metered yet in the first second: it begins warm with the second.
        OilCelsius = _started ? OilCelsius + ((AmbientCelsius + rise - OilCelsius) / SecondsToWarm) : AmbientCelsius + rise;
        _started |= Load > 0;
    }
}
