using EdgeGateway.Core.Cems;
using EdgeGateway.Core.Configuration;
using static EdgeGateway.Core.Configuration.Scalars;

namespace EdgeGateway.Core.Site;

/// <summary>The grammar of <c>cems</c> of a device in <c>gateway.yaml</c>.</summary>
public static class CemsShape
{
    /// <summary>Permit limits of a gas.</summary>
    public static readonly ObjectShape Limit = new(
        "limit",
        new("hour", Number, "Limit of the hourly average in mg/m3, dry, standard."),
        new("day", Number, "Limit of the daily average, in the same."),
        new("referenceOxygen", Number, "Oxygen in percent to which the limits refer; absent when they are not corrected."));

    /// <summary>A gas.</summary>
    public static readonly ObjectShape Gas = new(
        "a gas of the stack",
        new("gas", Choice([.. CemsWords.Gases]), "The gas; nox counts as NO2.") { Required = true },
        new("point", Text, "Its gauge: point, or device.point; the one with the role gas.concentration.<gas> when absent."),
        new("from", Choice("oxygen"), "For co2 under part75: computed from oxygen by equations F-14A (dry) or F-14B (wet)."),
        new("basis", Choice("dry", "wet"), "Whether the analyser measures dry or wet gas.") { Default = "dry" },
        new("conditions", Choice("standard", "actual"), "Whether mg/m3 are stated at 273 K and 101325 Pa, or at the conditions of the stack.") { Default = "standard" },
        new("span", Number, "Span of the analyser: percent for co2 (and oxygen), else the unit of the point in mg/m3 or ppm. part75 needs it; without it no calibration is asked for."),
        new("zeroGas", Number, "Value of the zero gas, in the same unit.") { Default = "0" },
        new("spanGas", Number, "Value of the span gas; without it span cycles are not recognised from the status."),
        new("potential", Number, "Maximum potential concentration (minimum, for co2 from oxygen), for substitution under part75."),
        new("biasFactor", Number, "Bias factor from the last RATA, part75, so2 and nox.") { Default = "1" },
        new("deviation", Number, "Standard deviation of the analyser for the drift chart (QAL3), in the unit of the span; no chart when absent."),
        new("limit", Limit, "Limits of the permit."));

    /// <summary>What the numbers of the status point mean.</summary>
    public static readonly ObjectShape Status = new(
        "status",
        new("point", Text, "The state of the analyser: point, or device.point.") { Required = true },
        new("zeroGas", Codes, "Numbers that say that zero gas flows."),
        new("spanGas", Codes, "Numbers that say that span gas flows."),
        new("calibration", Codes, "Numbers that say that it is calibrated, without saying with which gas."),
        new("maintenance", Codes, "Numbers that say that it is maintained."),
        new("fault", Codes, "Numbers that say that it has a fault."),
        new("outOfService", Codes, "Numbers that say that it is out of service."));

    /// <summary>The unit behind the stack.</summary>
    public static readonly ObjectShape Operating = new(
        "operating",
        new("point", Text, "Load of the unit, or a state that is 1 while it runs: point, or device.point.") { Required = true },
        new("above", Number, "The unit operates while the value is above this, in the point's unit.") { Default = "0" },
        new("full", Number, "Full load, from which ten load bins are made for substitution of flow and NOx under part75; one bin when absent."));

    /// <summary>Points that roles do not find.</summary>
    public static readonly ObjectShape Points = new(
        "points",
        [.. CemsInputs.Words.Where(w => w is not ("load" or "status")).Select(w => new Key(w, Text, $"The {w} of the gas: point, or device.point; found by its role when absent."))]);

    /// <summary>The whole block.</summary>
    public static readonly ObjectShape Stack = new(
        "cems",
        new("rules", Choice(CemsWords.RuleWords), "part75: 40 CFR Part 75. hj75: HJ 75-2017 and HJ 76-2017. eu-mrr: (EU) 2018/2066.") { Required = true },
        new("gases", new ListShape(Gas, min: 1), "The gases that are accounted, each once.") { Required = true },
        new("ambient", Number, "Atmospheric pressure at the stack in kPa, absolute.") { Required = true },
        new("area", Number, "Cross section of the stack in m2, where a velocity is measured."),
        new("velocityCoefficient", Number, "Mean velocity over measured velocity.") { Default = "1" },
        new("moisturePercent", Number, "Moisture in percent by volume where none is measured; without it nothing is computed that needs it."),
        new("oxygenBasis", Choice("dry", "wet"), "Whether oxygen is measured in dry or wet gas.") { Default = "dry" },
        new("fuel", Choice([.. FuelFactors.All.Select(f => f.Fuel)]), "Fuel of the F-factors, for co2 from oxygen."),
        new("potentialFlow", Number, "Maximum potential flow in scfh, for substitution under part75."),
        new("flowBiasFactor", Number, "Bias factor of the flow from the last RATA, part75.") { Default = "1" },
        new("uncertaintyPercent", Number, "Half width at 95 % of the CO2 mass, percent; absent when not known."),
        new("operating", Operating, "When the unit operates; always, when absent."),
        new("status", Status, "What the analyser says of itself."),
        new("points", Points, "Points that have no role of their own on this device."));

    private static ListShape Codes => new(Integer(long.MinValue, long.MaxValue), min: 1);
}
