namespace EdgeGateway.Core.Detection.Rules;

/// <summary>Rules of any point, and relations of any two. All but the gap are asked for, because only the site knows which belong together.</summary>
internal static class GeneralRules
{
    /// <summary>Kind that stands for every kind of device.</summary>
    public const string Any = "*";

    public static readonly Rule[] All =
    [
        new("gap", new("No value", "", "", "sensor or its wire, device in maintenance, register refused", "Look at the device's display; check the sensor's terminals"))
        {
            Inputs = [new("point")], Create = static (rule, context) => new GapDetector(rule, context), Settings = GapDetector.Keys, Kinds = [Any],
        },
        new("rate", new("Changes too fast", "change", "times the usual", "loose contact, sensor fault, or a process that ran away", "Compare with a second instrument; look at the process"))
        {
            Inputs = [new("point")], Create = static (rule, context) => new RateDetector(rule, context), Settings = RateDetector.Keys, Hysteresis = 0.1, OffSeconds = 60,
        },
        new("machine-temperature-rate", new("Temperature rises too fast", "rise", "K in a minute", "no machine part heats so fast: loose sensor; else rubbing or short circuit", "Check the sensor's terminals, then the part itself"))
        {
            Inputs = [new("temperature", "machine.temperature", "drive.motor.temperature") { Dimension = Profiles.Dimension.Temperature }],
            Measure = static (in RuleView x) => Math.Abs(x.Rate(0)) * 60, Warn = 10, WarnSeconds = 5, Hysteresis = 3, OffSeconds = 120, QuickSeconds = 10, SlowSeconds = 60, LearnSeconds = 120,
            Kinds = ["drive", "vibration", "conveyor-sensor"],
        },
        new("vibration-zone", new("Machine vibrates too much", "vibration velocity", "mm/s", "imbalance, misaligned coupling, worn bearing, loose foundation bolts", "Compare with the last measurement at the same place; have the spectrum measured before the next planned stop"))
        {
            Inputs = [new("velocity", "vibration.velocity.rms", "vibration.velocity.rms.x", "vibration.velocity.rms.y", "vibration.velocity.rms.z") { Dimension = Profiles.Dimension.Speed }],
            Measure = static (in RuleView x) => 1_000 * x.Quick(0), Warn = 4.5, WarnSeconds = 60, Alarm = 7.1, AlarmSeconds = 30, Hysteresis = 0.3, OffSeconds = 60, QuickSeconds = 10,
            Kinds = ["vibration", "conveyor-sensor"], YieldsToLimit = true,
        },
        new("machine-temperature", new("Machine part is hot", "temperature", "°C", "too little or old grease, worn bearing, blocked cooling, overload", "Feel and listen at the part; lubricate as its maker says; plan its exchange when it goes on rising"))
        {
            Inputs = [new("temperature", "machine.temperature") { Dimension = Profiles.Dimension.Temperature }],
            Warn = 80, WarnSeconds = 60, Alarm = 95, AlarmSeconds = 60, Hysteresis = 3, OffSeconds = 60, Kinds = ["vibration", "conveyor-sensor"], YieldsToLimit = true,
        },
        new("drift", new("Drift", "", "", "ageing or dirt of the sensor, leak, zero that wanders", "Calibrate, or compare with a second instrument"))
        {
            Inputs = [new("point"), new(DriftDetector.Twin) { IsOptional = true }], Create = static (rule, context) => new DriftDetector(rule, context), Settings = DriftDetector.Keys, Layout = 1,
        },
        new("difference", new("Two instruments disagree", "difference", "", "one of the two drifted, is dirty or sits in another stream", "Compare both with a third"))
        {
            Inputs = [new("point"), new("twin")], Measure = static (in RuleView x) => Math.Abs(x.Quick(0) - x.Quick(1)), WarnSeconds = 600, AlarmSeconds = 600, OffSeconds = 60, QuickSeconds = 30,
        },
        new("ratio", new("Ratio has changed", "ratio off by", "%", "one of the two readings, or the process between them", "Compare both with other instruments"))
        {
            Inputs = [new("point"), new("divisor")], Measure = static (in RuleView x) => Math.Abs(x.Quick(1)) > 0.1 * x.Peak(1) ? x.Quick(0) / x.Quick(1) : double.NaN,
            Reference = RuleReference.OwnMean, Warn = 10, WarnSeconds = 600, Alarm = 25, AlarmSeconds = 600, Hysteresis = 2, OffSeconds = 60, QuickSeconds = 30, SlowSeconds = 86_400,
        },
        new("relation", new("Learned relation has changed", "difference from the learned relation", "%", "one of the two readings, or the process between them", "Compare both with other instruments"))
        {
            Inputs = [new("point"), new("cause")], Reference = RuleReference.Line,
            Warn = 15, WarnSeconds = 900, Alarm = 30, AlarmSeconds = 300, Hysteresis = 3, OffSeconds = 60, QuickSeconds = 10, SlowSeconds = 86_400,
        },
    ];
}
