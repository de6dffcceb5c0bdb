using EdgeGateway.Core.Profiles;

namespace EdgeGateway.Core.Detection.Rules;

/// <summary>Rules of mine air. The gateway reports; gas monitoring and ventilation interlocks are systems of their own.</summary>
internal static class MineRules
{
    private const double PpmPerPercent = 10_000;

    private static readonly string[] Detectors = ["gas-detector", "environment"];
    private static readonly RuleInput Methane = new("methane", "gas.concentration.ch4") { Dimension = Dimension.VolumeFraction };
    private static readonly RuleInput Monoxide = new("co", "gas.concentration.co") { Dimension = Dimension.VolumeFraction };

    public static readonly Rule[] All =
    [
        new("methane-level", new("Methane", "methane", "% by volume", "inflow from seam or goaf, too little air", "Follow the site's gas plan: withdraw people and cut power at its limits; check the air quantity"))
        {
            Inputs = [Methane], Measure = static (in RuleView x) => x[0] / PpmPerPercent, Warn = 0.8, WarnSeconds = 3, Alarm = 1, AlarmSeconds = 3, Hysteresis = 0.05, OffSeconds = 30, Kinds = Detectors, YieldsToLimit = true,
        },
        new("methane-rate", new("Methane rises fast", "rise", "% by volume in 10 min", "outburst, fall of roof, air short-circuited, fan stopped", "Warn people downwind; check fans and doors; follow the gas plan"))
        {
            Inputs = [Methane], Measure = static (in RuleView x) => x.Rate(0) * 600 / PpmPerPercent, Warn = 0.2, WarnSeconds = 10, Alarm = 0.5, AlarmSeconds = 10, Hysteresis = 0.05, OffSeconds = 60,
            QuickSeconds = 15, SlowSeconds = 120, LearnSeconds = 120, Kinds = Detectors,
        },
        new("co-level", new("Carbon monoxide", "carbon monoxide", "ppm", "heating of coal, fire, blasting, engines", "Find the source; follow the fire plan; compare with a portable instrument"))
        {
            Inputs = [Monoxide], Warn = 24, WarnSeconds = 15, Alarm = 50, AlarmSeconds = 15, Hysteresis = 2, OffSeconds = 60, Kinds = Detectors, YieldsToLimit = true,
        },
        new("co-rate", new("Carbon monoxide rises", "rise", "ppm in 15 min", "spontaneous heating, belt or cable on fire", "Look for smoke and hot idlers upwind; follow the fire plan"))
        {
            Inputs = [Monoxide], Measure = static (in RuleView x) => x.Rate(0) * 900, Warn = 5, WarnSeconds = 60, Alarm = 15, AlarmSeconds = 60, Hysteresis = 1, OffSeconds = 300,
            QuickSeconds = 60, SlowSeconds = 600, LearnSeconds = 600, Kinds = Detectors,
        },
        new("fan-stop-methane", new("Fan stopped and methane rises", "rise", "% by volume in 10 min", "fan or its supply failed, methane gathers in the still air", "Withdraw people and cut power in the heading; restart only by the degassing procedure"))
        {
            Inputs = [Methane, new("fan", "ventilation.fan_running") { IsMany = true }], Measure = static (in RuleView x) => Running(x, 1) ? double.NaN : x.Rate(0) * 600 / PpmPerPercent,
            Alarm = 0.05, AlarmSeconds = 10, Hysteresis = 0.03, OffSeconds = 60, QuickSeconds = 15, SlowSeconds = 120, LearnSeconds = 60, Kinds = Detectors,
        },
        new("fan-stop", new("All fans stand", "fans that run", "", "switched off, tripped, supply failed", "Check breaker and trip reason; change over to the second fan"))
        {
            Inputs = [new("fan", "ventilation.fan_running") { IsMany = true }],

            // Of several fans one runs; those that never ran since the start are nobody's loss.
            Measure = static (in RuleView x) => Running(x, 0) ? 1 : HasRun(x) ? 0 : double.NaN, Below = true, Warn = 0.5, WarnSeconds = 30, OffSeconds = 5, Kinds = Detectors,
        },
    ];

    private static bool Running(in RuleView x, int first)
    {
        for (var i = first; i < x.Count; i++)
        {
            if (x[i] > 0)
            {
                return true;
            }
        }

        return false;
    }

    private static bool HasRun(in RuleView x)
    {
        for (var i = 0; i < x.Count; i++)
        {
            if (x.Peak(i) > 0.5)
            {
                return true;
            }
        }

        return false;
    }
}
