namespace EdgeGateway.Core.Accounting;

/// <summary>How purchased energy was turned into mass; figures of different bases are never added (GHG Protocol scope 2 guidance).</summary>
public enum EmissionBasis : byte
{
    /// <summary>Not purchased energy.</summary>
    None,

    /// <summary>By the average factor of the grid or network.</summary>
    Location,

    /// <summary>By contractual instruments and the residual mix.</summary>
    Market,
}

/// <summary>A mass of one gas, with all that keeps it apart from others: scope, basis, GWP set, and what is reported outside the scopes.</summary>
public sealed record EmissionMass
{
    /// <summary>Name of the method.</summary>
    public required string Method { get; init; }

    /// <summary>GHG Protocol scope: 1 or 2; 0 for none.</summary>
    public required int Scope { get; init; }

    public EmissionBasis Basis { get; init; }

    /// <summary>The gas: <c>CO2</c>, <c>CH4</c>, <c>CH4_fossil</c>, <c>N2O</c>, <c>SF6</c>.</summary>
    public string Gas { get; init; } = "CO2";

    /// <summary>Mass of the gas in kg that counts in the scope, exact and not rounded. Below zero only in a mass balance, where it is kept.</summary>
    public required Measured Kilograms { get; init; }

    /// <summary>CO2 from biomass in kg: reported apart, in no scope (GHG Protocol corporate standard, chapter 9).</summary>
    public decimal BiogenicKilograms { get; init; }

    /// <summary>CO2 stored or absorbed in kg: reported apart, never netted.</summary>
    public decimal RemovedKilograms { get; init; }

    /// <summary>kg CO2e for a kg of the gas; 1 for CO2.</summary>
    public decimal Gwp { get; init; } = 1;

    /// <summary>The set the GWP is from: <c>AR5</c>, <c>AR6</c>; null for CO2, which needs none.</summary>
    public string? GwpSet { get; init; }

    /// <summary>Mass in kg CO2e that counts in the scope.</summary>
    public decimal Co2eKilograms => Kilograms.Value * Gwp;

    /// <summary>The same in whole milligrams; the exact rest is for the caller to carry.</summary>
    public long Milligrams => decimal.ToInt64(decimal.Truncate(Co2eKilograms * 1_000_000m));

    /// <summary>Adds what may be added: masses of one scope, one basis and one GWP set.</summary>
    /// <param name="sharedPercent">The part of each mass's uncertainty that all have in common, percent; not more than the smallest of theirs.</param>
    /// <param name="parts">At least one mass.</param>
    /// <returns>kg CO2e.</returns>
    /// <exception cref="EmissionRefusedException">The masses are of different scopes, bases or GWP sets, or there is none.</exception>
    public static Measured Add(double sharedPercent, params ReadOnlySpan<EmissionMass> parts)
    {
        if (parts.IsEmpty)
        {
            throw new EmissionRefusedException("There is no mass to add.");
        }

        var sum = 0m;
        string? set = null;
        var uncertain = new UncertainPart[parts.Length];
        for (var i = 0; i < parts.Length; i++)
        {
            var part = parts[i];
            if (part.Scope != parts[0].Scope || part.Basis != parts[0].Basis)
            {
                throw new EmissionRefusedException($"{parts[0].Method} (scope {parts[0].Scope}, basis {parts[0].Basis}) and {part.Method} (scope {part.Scope}, basis {part.Basis}) are reported apart and never added.");
            }

            if (part.GwpSet is not null && set is not null && part.GwpSet != set)
            {
                throw new EmissionRefusedException($"Masses by the GWP sets {set} and {part.GwpSet} cannot be added: convert all of them by one set.");
            }

            if (sharedPercent < 0 || sharedPercent > part.Kilograms.UncertaintyPercent)
            {
                throw new EmissionRefusedException($"The common uncertainty of {sharedPercent} % is no part of the {part.Kilograms.UncertaintyPercent} % of {part.Method}.");
            }

            set ??= part.GwpSet;
            sum += part.Co2eKilograms;
            var whole = part.Kilograms.UncertaintyPercent;
            uncertain[i] = new((double)part.Co2eKilograms, Math.Sqrt((whole * whole) - (sharedPercent * sharedPercent)), sharedPercent);
        }

        return new(sum, Uncertainty.Sum(uncertain));
    }
}
