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

/// <summary>A ventilation fan: constant, with a step of its damper or pole switch now and then.</summary>
internal sealed class Fan(Noise noise, double ratedWatts) : Installation(noise)
{
    private const int SecondsBetweenSteps = 1200;
    private static readonly double[] Stages = [0.70, 0.82, 0.94];

    private readonly Noise _stage = noise.Channel(1);
    private readonly Noise _hum = noise.Channel(2);
    private bool _started;

    public override void Tick(in Moment now)
    {
        var stage = Stages[_stage.Bits(now.Elapsed / SecondsBetweenSteps) % 3];
        // A big rotor follows within half a minute.
        Load = _started ? Load + ((stage - Load) / 10) : stage;
        _started = true;
        Watts = ratedWatts * Load * (1 + (0.006 * _hum.White(now.Second)));
        PowerFactor = 0.80 + (0.08 * Load);
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
