using EdgeGateway.Core.Profiles;

namespace EdgeGateway.Core.Detection.Rules;

/// <summary>Rules of emission monitoring at a stack.</summary>
internal static class StackRules
{
    private const double PpmPerPercent = 10_000;
    private const double OxygenInAir = 20.9;

    private static readonly string[] Analysers = ["gas-analyser"];
    private static readonly RuleInput Oxygen = new("o2", "gas.concentration.o2") { Dimension = Dimension.VolumeFraction };
    private static readonly RuleInput Dioxide = new("co2", "gas.concentration.co2") { Dimension = Dimension.VolumeFraction };
    private static readonly RuleInput Velocity = new("velocity", "flue.velocity") { Dimension = Dimension.Speed };
    private static readonly RuleInput Temperature = new("temperature", "flue.temperature", "gas.temperature") { Dimension = Dimension.Temperature };

    // Water vapour that air can hold, percent by volume at 101.3 kPa, each 5 degrees from 0: Magnus formula of WMO-No. 8, annex 4.B, over water.
    private static readonly double[] Saturation =
        [0.6, 0.86, 1.21, 1.68, 2.3, 3.12, 4.18, 5.54, 7.27, 9.45, 12.18, 15.57, 19.73, 24.82, 30.99, 38.42, 47.32, 57.92, 70.45, 85.21, 102.49];

    public static readonly Rule[] All =
    [
        new("o2-co2", new("O2 and CO2 do not fit each other", "their ratio is off by", "%", "one of the two analysers, another fuel, wet and dry mixed up", "Give zero and span gas to both; ask whether the fuel was changed"))
        {
            // Fo of EPA method 3B: constant for a fuel, whatever the excess air and any leak.
            Inputs = [Dioxide, Oxygen], Measure = static (in RuleView x) => IsFlue(x) && x.Quick(0) > 2 * PpmPerPercent ? (OxygenInAir - (x.Quick(1) / PpmPerPercent)) / (x.Quick(0) / PpmPerPercent) : double.NaN,
            Reference = RuleReference.OwnMean, Warn = 5, WarnSeconds = 900, Alarm = 12, AlarmSeconds = 600, Hysteresis = 1, OffSeconds = 300, QuickSeconds = 60, SlowSeconds = 14_400, Kinds = Analysers,
        },
        new("dilution", new("Sample is diluted", "air in the sample", "%", "leak of the sample line, probe or pump membrane; air leak of the duct", "Close the probe and watch O2: when it stays high the leak is in the line"))
        {
            Inputs = [Dioxide, Oxygen, Velocity with { IsOptional = true }], Measure = Dilution,
            Warn = 8, WarnSeconds = 300, Alarm = 25, AlarmSeconds = 300, Hysteresis = 3, OffSeconds = 300, QuickSeconds = 30, SlowSeconds = 7_200, LearnSeconds = 1_800, Freezes = true, Kinds = Analysers,
        },
        new("cems-frozen", new("Analyser frozen", "", "", "analyser hung or left in calibration, value held by the data system, sample pump off", "Compare with the analyser's display; give zero gas"))
        {
            Inputs =
            [
                new("gas", "gas.concentration.so2", "gas.concentration.no", "gas.concentration.nox", "gas.concentration.co2", "gas.concentration.co", "gas.concentration.dust", "flue.velocity", "flue.moisture"),
                new(FrozenDetector.Companion, "gas.concentration.o2"),
            ],
            Create = static (rule, context) => new FrozenDetector(rule, context), Settings = FrozenDetector.Keys, Kinds = Analysers,
        },
        new("moisture-implausible", new("Wetter than saturated", "moisture above saturation", "points", "temperature or moisture sensor, droplets on the probe", "Compare with wet and dry O2; dry and check the probe"))
        {
            Inputs = [new("moisture", "flue.moisture"), Temperature], Measure = MoistureExcess,
            Warn = 1.5, WarnSeconds = 300, Alarm = 5, AlarmSeconds = 300, Hysteresis = 0.5, OffSeconds = 60, QuickSeconds = 60, Kinds = Analysers,
        },
        new("moisture-range", new("Moisture that no fire makes", "moisture", "points outside 2 to 25 % by volume", "moisture sensor, water in the line, a sensor that is not in the gas", "Compare with wet and dry O2; dry and check the probe"))
        {
            // Something burns: hydrogen of the fuel and moisture of the air make at least 2 %, and even gas and wet lignite hardly more than 25 %.
            Inputs = [new("moisture", "flue.moisture"), Oxygen], Measure = static (in RuleView x) => IsFlue(x) ? Math.Max(2 - MoisturePercent(x), MoisturePercent(x) - 25) : double.NaN,
            Warn = 0, WarnSeconds = 300, Hysteresis = 0.5, OffSeconds = 60, QuickSeconds = 60, Kinds = Analysers,
        },
        new("stack-temperature", new("Stack temperature implausible", "beyond 0 to 350 °C by", "K", "broken thermocouple or its supply, exchanged wires", "Measure the sensor's resistance or voltage at the terminals"))
        {
            Inputs = [Temperature with { Roles = ["flue.temperature"] }], Measure = static (in RuleView x) => Math.Max(-x[0], x[0] - 350),
            Warn = 0, WarnSeconds = 60, Hysteresis = 5, OffSeconds = 60, Kinds = Analysers, YieldsToLimit = true,
        },
        new("stack-temperature-step", new("Stack temperature jumps", "change", "K in a minute", "loose contact of the sensor, bypass opened", "Check the sensor's terminals; compare with the boiler's exit temperature"))
        {
            Inputs = [Temperature with { Roles = ["flue.temperature"] }], Measure = static (in RuleView x) => Math.Abs(x.Rate(0)) * 60,
            Warn = 30, Hysteresis = 10, OffSeconds = 300, QuickSeconds = 5, SlowSeconds = 30, LearnSeconds = 60, Kinds = Analysers,
        },
        new("stack-velocity", new("Stack velocity implausible", "velocity", "% of the usual", "plugged or iced Pitot tube, blow-back valve stuck", "Blow the tube back; compare with the fan's load"))
        {
            // Gas burns (O2 below air) and yet hardly anything flows.
            Inputs = [Velocity, Oxygen], Measure = static (in RuleView x) => x[1] < 18 * PpmPerPercent ? 100 * x.Quick(0) / x.Slow(0) : double.NaN,
            Below = true, Warn = 40, WarnSeconds = 300, Alarm = 10, AlarmSeconds = 300, Hysteresis = 10, OffSeconds = 60, QuickSeconds = 30, SlowSeconds = 14_400, LearnSeconds = 1_800, Freezes = true, Kinds = Analysers,
        },
        new("zero-drift", new("Zero drift", "zero drift", "% of the range", "ageing of cell or lamp, dirt, zero gas not clean", "Check the zero gas, then calibrate; values since the last good check are in doubt"))
        {
            Inputs = [new("drift", "analyser.drift.zero") { Dimension = Dimension.One }], Measure = static (in RuleView x) => 100 * Math.Abs(x[0]), Warn = 2.5, Alarm = 5, Hysteresis = 0.2, OffSeconds = 0, Kinds = Analysers, YieldsToLimit = true,
        },
        new("span-drift", new("Span drift", "span drift", "% of the range", "ageing of cell or lamp, leak, span gas out of date", "Check pressure and date of the span gas, then calibrate; values since the last good check are in doubt"))
        {
            Inputs = [new("drift", "analyser.drift.span") { Dimension = Dimension.One }], Measure = static (in RuleView x) => 100 * Math.Abs(x[0]), Warn = 2.5, Alarm = 5, Hysteresis = 0.2, OffSeconds = 0, Kinds = Analysers, YieldsToLimit = true,
        },
    ];

    /// <summary>Something burns: there is less oxygen than in air.</summary>
    private static bool IsFlue(in RuleView x) => x.Quick(1) < 18 * PpmPerPercent;

    /// <summary>Share of air that came to the sample: O2 and CO2 must both say so, alike, at steady flow; less air through the boiler changes the flow too.</summary>
    private static double Dilution(in RuleView x)
    {
        var usual = OxygenInAir - (x.Slow(1) / PpmPerPercent);
        if (!(usual > 2) || !(x.Slow(0) > 2 * PpmPerPercent) || !x.IsSteady(2, 0.15))
        {
            return double.NaN;
        }

        var byOxygen = 1 - ((OxygenInAir - (x.Quick(1) / PpmPerPercent)) / usual);
        var byDioxide = 1 - (x.Quick(0) / x.Slow(0));
        return Math.Abs(byOxygen - byDioxide) < 0.03 + (0.2 * Math.Abs(byOxygen)) ? 100 * Math.Min(byOxygen, byDioxide) : double.NaN;
    }

    private static double MoistureExcess(in RuleView x)
    {
        var celsius = x[1];
        if (!(celsius >= 0 && celsius < 100))
        {
            return double.NaN;
        }

        var place = celsius / 5;
        var below = (int)place;
        var holds = Saturation[below] + ((place - below) * (Saturation[below + 1] - Saturation[below]));

        return MoisturePercent(x) - holds;
    }

    /// <summary>Moisture comes as a volume fraction (ppm) or as a ratio.</summary>
    private static double MoisturePercent(in RuleView x) => Math.Abs(x.Quick(0)) > 2 ? x.Quick(0) / PpmPerPercent : x.Quick(0) * 100;
}
