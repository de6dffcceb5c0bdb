using EdgeGateway.Core;
using EdgeGateway.Core.Site;
using EdgeGateway.Tests.LocalPath;

namespace EdgeGateway.Tests.Detection.Rules;

/// <summary>A made-up course of the points of a rule: well, then with its fault, then well again.</summary>
/// <param name="Rule">Name of the rule.</param>
/// <param name="Points">Its points as <c>key:unit</c>, the watched one first; <c>state</c> stands for a state.</param>
/// <param name="Course">Makes the values of all points: of a step, with the steps since the fault began or 0.</param>
internal sealed record RuleScenario(string Rule, string[] Points, Func<Func<int, int, double[]>> Course)
{
    public static readonly Instant Start = Rig.At("2026-03-01T08:00:00Z");

    public double Period { get; init; } = 1;

    public int Well { get; init; } = 400;

    public int Fault { get; init; } = 60;

    public int After { get; init; } = 900;

    public (string Key, double Value)[] Settings { get; init; } = [];

    /// <summary>Every rule's course. A rule without one fails the test of the table.</summary>
    public static readonly IReadOnlyList<RuleScenario> All =
    [
        Of("gap", ["point:A"], (i, f) => [f > 0 ? double.NaN : 40 + W(i)]) with { Fault = 40 },
        Of("rate", ["point:Cel"], (i, f) => [40 + (0.3 * f) + (0.05 * W(i))]) with { Settings = [("perMinute", 5)], Fault = 120 },
        Of("machine-temperature-rate", ["temperature:Cel"], (i, f) => [40 + (0.5 * Math.Min(f, 60)) + (0.1 * W(i))]) with { Fault = 120 },
        Of("vibration-zone", ["velocity:mm/s"], (i, f) => [(f > 0 ? 9 : 2) + (0.2 * W(i))]) with { Fault = 200 },
        Of("machine-temperature", ["temperature:Cel"], (i, f) => [(f > 0 ? 90 : 50) + (0.1 * W(i))]) with { Fault = 200 },
        Of("drift", ["point:%"], (i, f) => [50 + (0.02 * f) + W(i)]) with { Settings = [("blockSeconds", 60), ("learnBlocks", 8)], Well = 1_200, Fault = 900, After = 3_000 },
        Of("difference", ["point:Cel", "twin:Cel"], (i, f) => [20 + W(i) + (f > 0 ? 5 : 0), 20 + W(i + 7)]) with { Settings = [("warn", 2)], Fault = 900 },
        Of("ratio", ["point:A", "divisor:A"], (i, f) => [(f > 0 ? 14 : 10) + (0.1 * W(i)), 20 + (0.1 * W(i + 5))]) with { Settings = [("slowSeconds", 1_200)], Fault = 900 },
        Of("relation", ["point:A", "cause:A"], (i, f) => [(10 + (2 * Swing(i)) + W(i)) * (f > 0 ? 1.4 : 1), Swing(i)]) with { Settings = [("slowSeconds", 3_600)], Well = 2_000, Fault = 900 },

        Of("phase-loss", ["l3:A", "l1:A", "l2:A"], (i, f) => [f > 0 ? 0.2 : 30 + W(i), 31 + W(i + 1), 29 + W(i + 2)]),
        Of("current-unbalance", ["l3:A", "l1:A", "l2:A"], (i, f) => [f > 0 ? 9 : 30 + W(i), 40 + W(i + 1), 38 + W(i + 2)]) with { Fault = 600 },
        Of("voltage-unbalance", ["l3:V", "l1:V", "l2:V"], (i, f) => [f > 0 ? 205 : 230 + W(i), 231 + W(i + 1), 229 + W(i + 2)]) with { Fault = 400 },
        Of("voltage-twin", ["l3:V", "l1:V", "l2:V", "above-l3:V", "above-l1:V", "above-l2:V"], (i, f) => [f > 0 ? 238 : 228 + W(i), 228 + W(i + 1), 227 + W(i + 2), 230 + W(i + 3), 230 + W(i + 4), 229 + W(i + 5)]) with { Period = 10, Fault = 400 },
        Of("voltage-sag", ["voltage:V", "voltage2:V", "voltage3:V"], (i, f) => [230 + W(i), f > 0 ? 150 : 231 + W(i + 1), 229 + W(i + 2)]) with { Fault = 2 },
        Of("voltage-swell", ["voltage:V", "voltage2:V", "voltage3:V"], (i, f) => [230 + W(i), f > 0 ? 262 : 231 + W(i + 1), 229 + W(i + 2)]) with { Fault = 2 },
        Of("line-dead", ["voltage:V", "voltage2:V", "voltage3:V"], (i, f) => f > 0 ? [1, 2, 1] : [230 + W(i), 231 + W(i + 1), 229 + W(i + 2)]),
        Of("frequency-deviation", ["frequency:Hz"], (i, f) => [(f > 0 ? 47 : 50) + (0.02 * W(i))]) with { Fault = 120 },
        Of("power-factor", ["factor:1", "power:W"], (i, f) => [(f > 0 ? 0.7 : 0.95) + (0.01 * W(i)), 40_000 + W(i)]) with { Period = 10, Fault = 200 },
        Of("reverse-power", ["power:W"], (i, f) => [f > 0 ? -8_000 : 20_000 + (100 * W(i))]) with { Fault = 120 },
        Of("phase-reversed", ["l3:W", "l1:W", "l2:W"], (i, f) => [f > 0 ? -7_000 : 7_000 + W(i), 7_000, 7_100]) with { Fault = 500 },
        Of("power-consistency", ["apparent:V.A", "power:W"], (i, f) => [f > 0 ? 15_000 : 21_000 + W(i), 20_000]) with { Fault = 600 },
        Of("overload", ["power:kW"], (i, f) => [(f > 0 ? 70 : 45) + W(i)]) with { Settings = [("rated", 50)], Fault = 120 },
        Of("harmonics", ["distortion:%"], (i, f) => [(f > 0 ? 14 : 4) + (0.1 * W(i))]) with { Period = 10, Fault = 300, After = 1_500 },
        new("energy-power", ["power:kW", "energy:kW.h"], Energy) { Period = 10, Well = 1_000, Fault = 800, After = 800 },
        Of("feeder-excess", ["power:W", "feeder1:W", "feeder2:W"], (i, f) => [50_000 + W(i), f > 0 ? 40_000 : 29_000, 19_500]) with { Fault = 900 },
        Of("feeder-missing", ["power:W", "feeder1:W", "feeder2:W"], (i, f) => [50_000 + W(i), f > 0 ? 9_000 : 29_000, 19_500]) with { Period = 10, Fault = 500 },
        Of("transformer-overload", ["apparent:kV.A"], (i, f) => [(f > 0 ? 1_000 : 400) + W(i)]) with { Settings = [("rated", 630)], Fault = 500 },
        Of("transformer-oil", ["oil:Cel"], (i, f) => [(f > 0 ? 112 : 70) + (0.1 * W(i))]) with { Fault = 120 },
        Of("transformer-oil-rate", ["oil:Cel"], (i, f) => [60 + (0.1 * Math.Min(f, 300)) + (0.1 * W(i))]) with { Fault = 300, After = 1_500 },
        Of("transformer-winding", ["winding:Cel"], (i, f) => [(f > 0 ? 145 : 90) + (0.1 * W(i))]) with { Fault = 120 },
        Of("transformer-rise", ["oil:Cel", "ambient:Cel", "load:V.A"], (i, f) => [(f > 0 ? 60 : 46) + (0.1 * W(i)), 20, 500]) with { Settings = [("rated", 1_000)], Period = 60, Well = 300, Fault = 120, After = 100 },

        Of("belt-jam", ["speed:m/s", "current:A", "frequency:Hz"], (i, f) => f > 0 ? [0.5, 110, 48] : [2.5 + (0.02 * W(i)), 60 + W(i + 1), 50]),
        Of("belt-broken", ["speed:m/s", "current:A", "frequency:Hz"], (i, f) => f > 0 ? [0, 25, 50] : [2.5 + (0.02 * W(i)), 60 + W(i + 1), 50]),
        Of("belt-blockage", ["load:kg/m", "current:A", "chute:state"], (i, f) => f > 0 ? [5, 75, 1] : [40 + W(i), 60 + W(i + 1), 0]),
        Of("belt-empty", ["load:kg/m", "speed:m/s"], (i, f) => [f > 0 ? 0.4 : 40 + W(i), 2.5]) with { Fault = 1_200 },
        Of("belt-overload", ["flow:t/h"], (i, f) => [(f > 0 ? 620 : 400) + W(i)]) with { Settings = [("rated", 500)] },
        Of("load-loss", ["current:A", "load:kg/m", "frequency:Hz"], (i, f) => [f > 0 ? 20 : 60 + W(i), 40 + W(i + 1), 50]) with { Fault = 120 },
        Of("foreign-object", ["current:A", "load:kg/m", "frequency:Hz"], (i, f) => [f > 0 ? 90 : 60 + W(i), 40 + W(i + 1), 50]) with { Fault = 3 },
        Of("current-load", ["current:A", "load:kg/m"], (i, f) => [(20 + Swing(i) + (0.5 * W(i))) * (f > 0 ? 1.4 : 1), Swing(i)]) with { Settings = [("slowSeconds", 3_600)], Well = 2_000, Fault = 900 },
        Of("drive-overload", ["load:%"], (i, f) => [(f > 0 ? 135 : 80) + W(i)]) with { Fault = 120 },
        Of("motor-overload", ["current:A"], (i, f) => [(f > 0 ? 140 : 80) + W(i)]) with { Settings = [("rated", 100)], Fault = 900, After = 2_000 },
        Of("motor-stall", ["current:A"], (i, f) => [(f > 0 ? 150 : 60) + W(i)]),
        Of("speed-not-reached", ["frequency:Hz", "reference:Hz"], (i, f) => [f > 0 ? 12 : 47 + (0.1 * W(i)), 47]) with { Fault = 200 },
        Of("misalignment-count", ["switch:state"], (i, f) => [f > 0 && f / 10 % 2 == 0 ? 1 : 0]) with { Fault = 400, After = 6_000 },
        Of("pull-cord-loose", ["cord:state"], (i, f) => [f > 0 && f / 10 % 2 == 0 ? 1 : 0]) with { Fault = 120, After = 6_000 },

        Of("methane-level", ["methane:%{vol}"], (i, f) => [(f > 0 ? 1.2 : 0.3) + (0.01 * W(i))]),
        Of("methane-rate", ["methane:%{vol}"], (i, f) => [0.2 + (0.001 * f) + (0.003 * W(i))]) with { Fault = 200 },
        Of("co-level", ["co:[ppm]"], (i, f) => [(f > 0 ? 60 : 5) + (0.2 * W(i))]) with { Fault = 60 },
        Of("co-rate", ["co:[ppm]"], (i, f) => [5 + (0.02 * f) + (0.3 * W(i))]) with { Well = 1_000, Fault = 1_200, After = 3_000 },
        Of("fan-stop-methane", ["methane:%{vol}", "fan1:state", "fan2:state"], (i, f) => [0.3 + (0.0003 * f) + (0.002 * W(i)), f > 0 ? 0 : 1, 0]) with { Fault = 200 },
        Of("fan-stop", ["fan:state", "fan2:state"], (i, f) => [f > 0 ? 0 : 1, 0]),

        Of("o2-co2", ["co2:%{vol}", "o2:%{vol}"], (i, f) => [Dioxide(i) * (f > 0 ? 0.8 : 1), Oxygen(i)]) with { Settings = [("slowSeconds", 1_200)], Well = 1_000, Fault = 1_200 },
        Of("dilution", ["co2:%{vol}", "o2:%{vol}", "velocity:m/s"], (i, f) => [Dioxide(i) * (f > 0 ? 0.8 : 1), f > 0 ? (0.8 * Oxygen(i)) + (0.2 * 20.9) : Oxygen(i), 12 + (0.1 * W(i))]) with { Period = 10, Fault = 60, After = 200 },
        Of("cems-frozen", ["gas:mg/m3", "companion:%{vol}"], (i, f) => [f > 0 ? 120 : 100 + (5 * W(i)), Oxygen(i)]) with { Period = 10, Fault = 150 },
        Of("moisture-implausible", ["moisture:%{vol}", "temperature:Cel"], (i, f) => [(f > 0 ? 24 : 10) + (0.1 * W(i)), 60]) with { Fault = 600 },
        Of("moisture-range", ["moisture:%{vol}", "o2:%{vol}"], (i, f) => [(f > 0 ? 30 : 10) + (0.1 * W(i)), 6]) with { Fault = 600 },
        Of("stack-temperature", ["temperature:Cel"], (i, f) => [(f > 0 ? 600 : 120) + W(i)]) with { Fault = 120 },
        Of("stack-temperature-step", ["temperature:Cel"], (i, f) => [(f > 0 ? 180 : 120) + (0.5 * W(i))]) with { Fault = 60 },
        Of("stack-velocity", ["velocity:m/s", "o2:%{vol}"], (i, f) => [(f > 0 ? 1 : 12) + (0.1 * W(i)), Oxygen(i)]) with { Period = 10, Fault = 100 },
        Of("zero-drift", ["drift:%"], (i, f) => [f > 0 ? 6 : 0.5]),
        Of("span-drift", ["drift:%"], (i, f) => [f > 0 ? -6 : 0.5]),
    ];

    public static RuleScenario Named(string rule) => All.Single(s => s.Rule == rule);

    /// <summary>The site with one device that has the points, the watched one last, so that the others are of the same second.</summary>
    public SiteModel Site()
    {
        var site = new TestSite().Device("d");
        foreach (var point in Points.Skip(1).Append(Points[0]))
        {
            var (key, unit) = (point.Split(':')[0], point.Split(':')[1]);
            site.Gauge(key, unit == "state" ? "1" : unit, Period, p => p with
            {
                Kind = unit == "state" ? PointKind.State : PointKind.Gauge,
                Detectors = point == Points[0] ? [Model()] : [],
            });
        }

        return site.Build();
    }

    /// <summary>The values of a run, step by step; fault and well times as the scenario says.</summary>
    public IEnumerable<double[]> Values()
    {
        var course = Course();
        for (var i = 0; i < Well + Fault + After; i++)
        {
            yield return course(i, i >= Well && i < Well + Fault ? i - Well + 1 : 0);
        }
    }

    public Instant At(int step) => Start + TimeSpan.FromSeconds(step * Period);

    public void Feed(Rig rig, int step, double[] values)
    {
        for (var p = 0; p < values.Length; p++)
        {
            // The watched value comes first in the scenario and last in the site.
            var value = values[(p + 1) % values.Length];
            if (double.IsNaN(value))
            {
                rig.Pipeline.Process(Sample.Missing(p, At(step), QualityReason.InvalidCode));
            }
            else
            {
                rig.Value(p, At(step), value);
            }
        }
    }

    private DetectorModel Model() => new(Rule, Settings.ToDictionary(s => s.Key, s => s.Value))
    {
        Points = Points.Skip(1).Select(p => p.Split(':')[0]).ToDictionary(k => k, k => k),
    };

    private static RuleScenario Of(string rule, string[] points, Func<int, int, double[]> values) => new(rule, points, () => values);

    /// <summary>A register that grows with the power, and at half of it while the fault lasts.</summary>
    private static Func<int, int, double[]> Energy()
    {
        var energy = 1_000.0;
        return (i, f) =>
        {
            var power = 40 + (10 * W(i));
            energy += power * 10 / 3_600 * (f > 0 ? 0.5 : 1);
            return [power, energy];
        };
    }

    private static double Swing(int i) => 40 + (15 * Math.Sin(i / 40.0));

    private static double Oxygen(int i) => 6 + (0.8 * Math.Sin(i / 50.0));

    private static double Dioxide(int i) => 18.6 * (20.9 - Oxygen(i)) / 20.9;

    /// <summary>White noise of -1 to 1, the same each time.</summary>
    private static double W(int i) => ((unchecked((uint)i * 2_654_435_761u) >> 8) % 2_001 / 1_000.0) - 1;
}
