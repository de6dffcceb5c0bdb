using EdgeGateway.Simulator.Faults;
using EdgeGateway.Simulator.Signals;

namespace EdgeGateway.Simulator.Plant;

/// <summary>A coal-fired boiler behind its flue gas cleaning, seen from the stack.</summary>
/// <remarks>
/// All of the gas follows the boiler's load: less load means more excess air, so more O2, less CO2, and a slower, cooler stream. Another fuel has another CO2
/// without excess air; a wet fuel more water; a failed cleaning more of what it should hold back. A boiler that is shut down leaves air in the stack.
/// </remarks>
internal sealed class Boiler(Noise noise, double auxiliaryWatts) : Installation(noise)
{
    /// <summary>Cross section of the stack in m2.</summary>
    public const double StackSquareMetres = 3.14;

    /// <summary>CO2 by volume in dry gas of hard coal burnt without excess air, in percent.</summary>
    private const double StoichiometricCarbonDioxide = 18.6;

    private const double OxygenInAir = 20.9;
    private const double OutsideCelsius = 20;

    private readonly Noise _demand = noise.Channel(1);
    private readonly Noise _air = noise.Channel(2);
    private readonly Noise _sulphur = noise.Channel(3);
    private readonly Noise _nitrogen = noise.Channel(4);
    private readonly Noise _filter = noise.Channel(5);
    private readonly Noise _stream = noise.Channel(6);

    /// <summary>Oxygen, dry, in percent by volume.</summary>
    public double OxygenPercent { get; private set; }

    /// <summary>Carbon dioxide, dry, in percent by volume.</summary>
    public double CarbonDioxidePercent { get; private set; }

    /// <summary>Carbon monoxide in mg/m3.</summary>
    public double CarbonMonoxide { get; private set; }

    /// <summary>Sulphur dioxide in mg/m3.</summary>
    public double SulphurDioxide { get; private set; }

    /// <summary>Nitrogen oxides as NO2 in mg/m3.</summary>
    public double NitrogenOxides { get; private set; }

    /// <summary>Nitrogen monoxide in mg/m3: 95 % of the oxides by volume, times 30/46 by mass.</summary>
    public double NitrogenMonoxide => NitrogenOxides * 0.95 * 30 / 46;

    /// <summary>Nitrogen dioxide in mg/m3: the rest.</summary>
    public double NitrogenDioxide => NitrogenOxides * 0.05;

    /// <summary>Dust in mg/m3.</summary>
    public double Dust { get; private set; }

    /// <summary>Temperature of the gas in degrees Celsius.</summary>
    public double Celsius { get; private set; }

    /// <summary>Velocity of the gas in m/s.</summary>
    public double MetresPerSecond { get; private set; }

    /// <summary>Volume flow at stack conditions in m3/s.</summary>
    public double CubicMetresPerSecond => MetresPerSecond * StackSquareMetres;

    /// <summary>Gas that left the stack in the last tick, in whole litres at stack conditions.</summary>
    public long Litres { get; private set; }

    /// <summary>Water vapour in percent by volume.</summary>
    public double MoisturePercent { get; private set; }

    /// <summary>Pressure against ambient in Pa.</summary>
    public double StaticPascal { get; private set; }

    /// <summary>Pressure of the stream in Pa: half density times velocity squared, density 0.9 kg/m3 in warm gas.</summary>
    public double DynamicPascal => 0.45 * MetresPerSecond * MetresPerSecond;

    public override void Tick(in Moment now)
    {
        var s = now.Second;
        Load = 0.72 + (0.10 * Math.Cos((now.HourOfDay - 8) / 24 * 2 * Math.PI)) + (0.12 * _demand.Smooth(s, 900));
        OxygenPercent = 5.2 + (6 * (0.9 - Load)) + (0.25 * _air.Smooth(s, 45)) + (0.04 * _air.White(s));
        CarbonDioxidePercent = (Faults[FaultKind.FuelChange] ?? StoichiometricCarbonDioxide) * (OxygenInAir - OxygenPercent) / OxygenInAir;
        CarbonMonoxide = 22 + (18 * Math.Max(0, 7 - OxygenPercent)) + (3 * _air.White(s));
        SulphurDioxide = 16 + (14 * Load) + (4 * _sulphur.Smooth(s, 300)) + (0.3 * _sulphur.White(s));
        NitrogenOxides = 24 + (3 * OxygenPercent) + (5 * _nitrogen.Smooth(s, 200)) + (0.3 * _nitrogen.White(s));
        Dust = 3 + (2.5 * Load) + (0.8 * _filter.Smooth(s, 120)) + (0.1 * _filter.White(s));
        Celsius = 96 + (30 * Load) + (2 * _stream.Smooth(s, 240));
        if (Faults[FaultKind.CleaningFailure] is { } factor)
        {
            SulphurDioxide *= factor;
            NitrogenOxides *= factor;
            Dust *= factor;
        }

        if (Faults[FaultKind.AirLeak] is { } air)
        {
            Dilute(air);
        }

        MetresPerSecond = 2 + (12 * Load) + (0.3 * _stream.Smooth(s, 20)) + (0.05 * _stream.White(s));
        Litres = (long)Math.Round(CubicMetresPerSecond * 1000);
        MoisturePercent = 7 + (3 * Load) + (0.2 * _stream.Smooth(s, 400)) + (Faults[FaultKind.WetFuel] ?? 0);
        StaticPascal = -120 - (60 * Load) + (3 * _stream.White(s));
        Watts = auxiliaryWatts * (0.3 + (0.7 * Load));
        PowerFactor = 0.88;
        if (Faults[FaultKind.BoilerStop] is not null)
        {
            Rest();
        }
    }

    // No fire and no fan: a draught of outside air.
    private void Rest()
    {
        Load = 0;
        (OxygenPercent, CarbonDioxidePercent, CarbonMonoxide, SulphurDioxide, NitrogenOxides, Dust) = (OxygenInAir, 0, 0, 0, 0, 0);
        (Celsius, MetresPerSecond, MoisturePercent, StaticPascal, Watts) = (OutsideCelsius, 0.4, 1.5, -5, 0);
        Litres = (long)Math.Round(CubicMetresPerSecond * 1000);
    }

    // False air in front of the probe: everything that comes from the fire gets less by one factor, and the mixture cools.
    private void Dilute(double air)
    {
        OxygenPercent += air * (OxygenInAir - OxygenPercent);
        CarbonDioxidePercent *= 1 - air;
        CarbonMonoxide *= 1 - air;
        SulphurDioxide *= 1 - air;
        NitrogenOxides *= 1 - air;
        Dust *= 1 - air;
        Celsius -= air * (Celsius - OutsideCelsius);
    }
}
