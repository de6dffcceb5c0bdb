using EdgeGateway.Core.Feed;

namespace EdgeGateway.Core.Accounting.Statements;

/// <summary>An entry of the carbon account as statements and forecasts read it, from the ledger or from a recorded feed.</summary>
/// <param name="Device">Id of its device; null for the site's own sum.</param>
/// <param name="Record">The entry. Its index of a device belongs to a configuration and is not looked at.</param>
public readonly record struct StatementEntry(string? Device, EmissionRecord Record)
{
    /// <summary>The factor set the factor is from, with version; null where the record does not name it.</summary>
    public string? FactorSet { get; init; }

    /// <summary>How purchased energy became mass. A record names its method only: one of the methods of scope 2 is market based.</summary>
    public EmissionBasis Basis => Record.Scope != 2 ? EmissionBasis.None : Record.Method == ElectricityMarket.Name ? EmissionBasis.Market : EmissionBasis.Location;

    /// <summary>The activity, exact.</summary>
    public decimal Activity => Record.Detail?.Activity ?? Record.ActivityKWh;

    /// <summary>UCUM code of its unit.</summary>
    public string Unit => Record.Detail?.ActivityUnit ?? "kW.h";

    /// <summary>CO2 removed, milligrams: reported apart.</summary>
    public long RemovedMilligrams => Record.Detail?.RemovedMilligrams ?? 0;

    /// <summary>CO2 from biomass, milligrams: reported apart.</summary>
    public long BiogenicMilligrams => Record.Detail?.BiogenicMilligrams ?? 0;

    /// <summary>The same activity by a factor that follows the stack, milligrams CO2e: a second figure, in no total; null where there is none.</summary>
    public long? AdaptedMilligrams => Record.Detail?.Adapted?.Milligrams;

    /// <summary>The gas.</summary>
    public string Gas => Record.Detail?.Gas ?? "CO2";

    /// <summary>GWP set by which it was converted; null for CO2.</summary>
    public string? GwpSet => Record.Detail?.GwpSet;

    /// <summary>kg CO2e for one unit of the activity.</summary>
    public decimal Factor => Record.Detail?.Factor ?? Record.FactorKgPerKWh;

    /// <summary>Share of the interval in which a value was put in place of one that was missing, 0 to 1.</summary>
    public double Substituted => StackMethods.IsSubstituted(Record) ? 1 : 0;
}
