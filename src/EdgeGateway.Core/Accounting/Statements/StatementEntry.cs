using EdgeGateway.Core.Feed;

namespace EdgeGateway.Core.Accounting.Statements;

/// <summary>An entry of the carbon account as statements and forecasts read it, from the ledger or from a recorded feed.</summary>
public readonly record struct StatementEntry
{
    /// <summary>Device id; null for the site's own sum.</summary>
    public required string? Device { get; init; }

    /// <summary>What is accounted.</summary>
    public required EmissionAccount Account { get; init; }

    /// <summary>The area of an area's total; null for all others.</summary>
    public string? Area { get; init; }

    /// <summary>Start of its interval, aligned to UTC; of a stack's hour later when it was seen in part.</summary>
    public required Instant Start { get; init; }

    /// <summary>Width of the interval.</summary>
    public required TimeSpan Width { get; init; }

    /// <summary>Clock era.</summary>
    public int Era { get; init; }

    /// <summary>Name of the method.</summary>
    public required string Method { get; init; }

    /// <summary>GHG Protocol scope: 1 or 2; 0 for none.</summary>
    public required int Scope { get; init; }

    /// <summary>How purchased energy became mass.</summary>
    public EmissionBasis Basis { get; init; }

    /// <summary>The activity, exact.</summary>
    public decimal Activity { get; init; }

    /// <summary>UCUM code of its unit.</summary>
    public string Unit { get; init; }

    /// <summary>CO2e that counts in the scope, milligrams.</summary>
    public required long Milligrams { get; init; }

    /// <summary>CO2 removed, milligrams: reported apart.</summary>
    public long RemovedMilligrams { get; init; }

    /// <summary>CO2 from biomass, milligrams: reported apart.</summary>
    public long BiogenicMilligrams { get; init; }

    /// <summary>The same activity by a factor that follows the stack, milligrams CO2e: a second figure, in no total; null where there is none.</summary>
    public long? AdaptedMilligrams { get; init; }

    /// <summary>The gas.</summary>
    public string Gas { get; init; }

    /// <summary>GWP set by which it was converted; null for CO2.</summary>
    public string? GwpSet { get; init; }

    /// <summary>The factor, with its source.</summary>
    public required string FactorId { get; init; }

    /// <summary>kg CO2e for one unit of the activity.</summary>
    public decimal Factor { get; init; }

    /// <summary>What stood in for the wanted factor; null when it fits.</summary>
    public string? FactorNote { get; init; }

    /// <summary>The factor set the factor is from, with version; null where the record does not name it.</summary>
    public string? FactorSet { get; init; }

    /// <summary>Half width at 95 %, percent of the mass; NaN when not known.</summary>
    public double UncertaintyPercent { get; init; }

    /// <summary>Share of the interval that was known, 0 to 1.</summary>
    public required double Coverage { get; init; }

    /// <summary>Share of the interval in which a value was put in place of one that was missing, 0 to 1.</summary>
    public double Substituted { get; init; }

    /// <summary>True when it is part of the site's totals.</summary>
    public bool CountsTowardSite { get; init; }

    /// <summary>True when it holds energy of an earlier silence, known from the register but not when it flowed.</summary>
    public bool Allocated { get; init; }

    /// <summary>How the hour of a stack is known; null for all other accounts.</summary>
    public StackHour? Stack { get; init; }

    /// <summary>Why its interval ended early.</summary>
    public WindowCut Cut { get; init; }

    /// <summary>The entry as a record of the feed has it.</summary>
    /// <param name="device">Id of its device; null for the site's own.</param>
    /// <param name="record">The record.</param>
    public static StatementEntry From(string? device, in EmissionRecord record) => new()
    {
        Device = device,
        Account = record.Account,
        Area = record.Area,
        Start = record.Start,
        Width = record.Width,
        Era = record.Era,
        Method = record.Method,
        Scope = record.Scope,
        Basis = BasisOf(record.Method, record.Scope),
        Activity = record.Detail?.Activity ?? record.ActivityKWh,
        Unit = record.Detail?.ActivityUnit ?? "kW.h",
        Milligrams = record.Milligrams,
        RemovedMilligrams = record.Detail?.RemovedMilligrams ?? 0,
        BiogenicMilligrams = record.Detail?.BiogenicMilligrams ?? 0,
        AdaptedMilligrams = record.Detail?.Adapted?.Milligrams,
        Gas = record.Detail?.Gas ?? "CO2",
        GwpSet = record.Detail?.GwpSet,
        FactorId = record.FactorId,
        Factor = record.Detail?.Factor ?? record.FactorKgPerKWh,
        FactorNote = record.FactorNote,
        UncertaintyPercent = record.UncertaintyPercent,
        Coverage = record.Coverage,
        Substituted = StackMethods.IsSubstituted(record) ? 1 : 0,
        Stack = record.Detail?.Stack,
        CountsTowardSite = record.CountsTowardSite,
        Allocated = record.Allocated,
        Cut = record.Cut,
    };

    // A record names its method only: one of the methods of scope 2 is market based.
    private static EmissionBasis BasisOf(string method, int scope) =>
        scope != 2 ? EmissionBasis.None : method == ElectricityMarket.Name ? EmissionBasis.Market : EmissionBasis.Location;
}
