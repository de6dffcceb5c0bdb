using EdgeGateway.Simulator.Faults;
using EdgeGateway.Simulator.Signals;

namespace EdgeGateway.Simulator.Plant;

/// <summary>A mixed consumer: low at night, a broad hump over the working day, and noise.</summary>
internal sealed class DailyLoad(Noise noise, double ratedWatts) : Installation(noise)
{
    private readonly Noise _slow = noise.Channel(1);
    private readonly Noise _fast = noise.Channel(2);

    public override void Tick(in Moment now)
    {
        // Hump between about 6 and 20 o'clock with its top at 13.
        var day = Math.Exp(-Math.Pow((now.HourOfDay - 13) / 4.5, 2));
        Load = 0.30 + (0.35 * day) + (0.08 * _slow.Smooth(now.Second, 300)) + (0.02 * _fast.White(now.Second));
        Watts = ratedWatts * Load;
        PowerFactor = 0.86 + (0.08 * Load);
    }
}

/// <summary>A ventilation fan: constant, with a step of its damper or pole switch now and then; and the roadway that it ventilates.</summary>
/// <remarks>
/// The air of the roadway is one well mixed volume that the fan changes in ten minutes: what flows in divided by the air that flows is what is there. The air follows
/// the fan within half a minute; a little draught stays when it stands.
/// </remarks>
internal sealed class Fan(Noise noise, double ratedWatts) : Installation(noise)
{
    private const int SecondsBetweenSteps = 1200;
    private const double UsualStage = 0.82;
    private const double Draught = 0.05;
    private const double SecondsToMoveAir = 30;
    private const double SecondsToChangeAir = 600;
    private const double UsualMethanePercent = 0.35;
    private const double UsualCarbonMonoxide = 4;
    private static readonly double[] Stages = [0.70, UsualStage, 0.94];

    private readonly Noise _stage = noise.Channel(1);
    private readonly Noise _hum = noise.Channel(2);
    private readonly Noise _seam = noise.Channel(3);
    private bool _started;

    /// <summary>Air that flows, as a share of what the middle stage moves.</summary>
    public double Air { get; private set; } = 1;

    /// <summary>Methane in the roadway in percent by volume.</summary>
    public double MethanePercent { get; private set; } = UsualMethanePercent;

    /// <summary>Carbon monoxide in the roadway in parts per million by volume.</summary>
    public double CarbonMonoxide { get; private set; } = UsualCarbonMonoxide;

    public override bool Running => Load > 0.1;

    public override void Tick(in Moment now)
    {
        var stage = Faults[FaultKind.FanStop] is null ? Stages[_stage.Bits(now.Elapsed / SecondsBetweenSteps) % 3] : 0;
        // A big rotor follows within half a minute.
        Load = _started ? Load + ((stage - Load) / 10) : stage;
        _started = true;
        Watts = ratedWatts * Load * (1 + (0.006 * _hum.White(now.Second)));
        PowerFactor = 0.80 + (0.08 * Load);
        Ventilate(now.Second);
    }

    private void Ventilate(long second)
    {
        Air += (Math.Max(Draught, Load / UsualStage) - Air) / SecondsToMoveAir;
        var methane = UsualMethanePercent * (1 + (0.15 * _seam.Smooth(second, 1800)) + (0.02 * _seam.White(second))) * (Faults[FaultKind.MethaneInflow] ?? 1);
        MethanePercent += (methane - (Air * MethanePercent)) / SecondsToChangeAir;
        var monoxide = (UsualCarbonMonoxide * (1 + (0.1 * _seam.Smooth(second, 2400)))) + (Faults[FaultKind.CarbonMonoxideSource] ?? 0);
        CarbonMonoxide += (monoxide - (Air * CarbonMonoxide)) / SecondsToChangeAir;
    }
}

/// <summary>Lighting: a part that burns day and night, and a part for the dark hours.</summary>
internal sealed class Lighting(Noise noise, double ratedWatts) : Installation(noise)
{
    private readonly Noise _switches = noise.Channel(1);

    public override void Tick(in Moment now)
    {
        var dark = now.HourOfDay is < 6.5 or > 18.5;
        Load = (dark ? 0.85 : 0.55) + (0.05 * (_switches.At(now.Second / 180) - 0.5));
        Watts = ratedWatts * Load;
        PowerFactor = 0.95;
    }
}

/// <summary>A photovoltaic or gas generator: negative watts over the day.</summary>
internal sealed class Generator(Noise noise, double ratedWatts) : Installation(noise)
{
    private readonly Noise _clouds = noise.Channel(1);

    public override void Tick(in Moment now)
    {
        var sun = Math.Max(0, Math.Cos((now.HourOfDay - 12.5) / 6.5 * (Math.PI / 2)));
        Load = now.HourOfDay is > 6 and < 19 ? sun * (0.8 + (0.2 * _clouds.Smooth(now.Second, 90))) : 0;
        Watts = -ratedWatts * Load;
        PowerFactor = 0.99;
    }
}
