using System.Collections.Frozen;
using EdgeGateway.Core.Site;

namespace EdgeGateway.Core.Accounting;

/// <summary>The table of emission methods that make entries. To add one: a file in <c>Methods</c>, a line here, a test, a row in <c>docs/methods.md</c>.</summary>
public static class EmissionMethods
{
    /// <summary>Methods by the name used in profiles, sites and records.</summary>
    public static readonly FrozenDictionary<string, EmissionMethod> ByName = new EmissionMethod[]
    {
        new ElectricityPurchased(),
        new ElectricitySold(),
        new ElectricityMarketMethod(),
        new FuelCombustionMethod(),
        new PurchasedHeatMethod(),
        new MineMethaneMethod(),
        new MineDrainageMethod(),
        new MethaneDestructionMethod(),
        new PostMiningMethaneMethod(),
        new SwitchgearLeakMethod(),
        new SwitchgearBalanceMethod(),
        new InjectedCarbonMethod(),
        new LeakedCarbonMethod(),
        new SinkAbsorptionMethod(),
        new GatewayPower(),
    }.ToFrozenDictionary(m => m.Name);
}

/// <summary>What one unit of an activity emits.</summary>
/// <param name="FactorId">The factor with its source.</param>
/// <param name="KgCo2e">kg CO2e for one unit of the activity, exact.</param>
/// <param name="UncertaintyPercent">Half width at 95 % of the factor, percent; NaN when not known.</param>
/// <param name="Note">What had to stand in for the wanted factor, or null.</param>
public sealed record EmissionRate(string FactorId, decimal KgCo2e, double UncertaintyPercent, string? Note = null)
{
    /// <summary>The gas that is emitted or removed.</summary>
    public string Gas { get; init; } = "CO2";

    /// <summary>The GWP set by which it was converted; null for CO2.</summary>
    public string? GwpSet { get; init; }

    /// <summary>kg CO2 of biomass for one unit of the activity, exact: reported apart, not in <see cref="KgCo2e"/>.</summary>
    public decimal KgBiogenic { get; init; }
}

/// <summary>What an activity is made from.</summary>
public enum ActivityKind : byte
{
    /// <summary>The growth of a counter.</summary>
    Counter,

    /// <summary>The flow and the concentration of methane.</summary>
    MethaneFlow,

    /// <summary>The density of the gas in a compartment.</summary>
    GasLeak,

    /// <summary>Flow and concentration of drained gas, less what of it burns.</summary>
    MethaneReleased,

    /// <summary>What of drained gas burns.</summary>
    MethaneBurnt,

    /// <summary>Figures of a year that the site declares.</summary>
    Declared,

    /// <summary>Electric power over time.</summary>
    Power,
}

/// <summary>How a mass is known; what of a period was substituted or missing is said beside it, in shares of the time.</summary>
public enum EmissionEvidence : byte
{
    /// <summary>A measured activity times a factor.</summary>
    Calculated,

    /// <summary>The gas itself was measured.</summary>
    Measured,

    /// <summary>An activity times a factor that stands for what nobody measures.</summary>
    Estimated,
}

/// <summary>Turns metered activity into mass, in proportion to it.</summary>
/// <param name="name">Name in profiles, sites and records.</param>
/// <param name="scope">GHG Protocol scope: 1 or 2; 0 for none.</param>
public abstract class EmissionMethod(string name, int scope)
{
    /// <summary>Name in profiles, sites and records.</summary>
    public string Name => name;

    /// <summary>GHG Protocol scope: 1 or 2; 0 for none.</summary>
    public int Scope => scope;

    /// <summary>True when the mass is that of electricity from the grid: it has a place in the metering tree and in the site's total.</summary>
    public virtual bool NeedsGridFactor => false;

    /// <summary>True when what is accounted leaves the air: a removal, reported apart and never netted.</summary>
    public virtual bool IsRemoval => false;

    /// <summary>How the mass is known.</summary>
    public virtual EmissionEvidence Evidence => EmissionEvidence.Calculated;

    /// <summary>What the activity is made from.</summary>
    public virtual ActivityKind Activity => ActivityKind.Counter;

    /// <summary>The method that applies when the meter is wired the other way round; null when it cannot be.</summary>
    public virtual string? WhenReversed => null;

    /// <summary>Unit in which the activity is accounted: <c>kW.h</c>, <c>GJ</c>, <c>t</c>, <c>kg</c>, <c>m3</c>.</summary>
    /// <exception cref="EmissionRefusedException">The account names something that the factors do not have.</exception>
    public abstract string ActivityUnit(CarbonModel account, FactorSet factors);

    /// <summary>What one unit of the activity emits; null when it emits nothing by its nature.</summary>
    /// <exception cref="EmissionRefusedException">There is no factor for that place and time.</exception>
    public abstract EmissionRate? Rate(CarbonModel account, FactorSet factors, string region, Instant at);
}
