using System.Collections.Frozen;
using EdgeGateway.Core.Accounting;
using EdgeGateway.Core.Configuration;

namespace EdgeGateway.Core.Cems;

/// <summary>F-factors of a fuel, 40 CFR Part 75 appendix F, table 1.</summary>
/// <param name="Fuel">Code of the fuel.</param>
/// <param name="Fd">scf of dry gas for a mmBtu.</param>
/// <param name="Fc">scf of CO2 for a mmBtu.</param>
/// <param name="Verified">True where real rows reproduce with it; the others are recalled and must be confirmed on a copy of the table.</param>
/// <param name="MoistureMin">Smallest default moisture in percent that the engine accepts; null where it knows none.</param>
/// <param name="MoistureMax">Largest default moisture in percent.</param>
public sealed record FuelFactor(string Fuel, decimal Fd, decimal Fc, bool Verified, decimal? MoistureMin = null, decimal? MoistureMax = null);

/// <summary>The table of F-factors, and what of them is plausible.</summary>
public static class FuelFactors
{
    /// <summary>Every fuel of the table. Fc of bituminous coal (1800) and of natural gas (1040) is confirmed by real hours; the rest is unverified.</summary>
    public static readonly IReadOnlyList<FuelFactor> All =
    [
        new("bituminous", 9780, 1800, true, 6, 8),
        new("subbituminous", 9820, 1840, false, 8, 12),
        new("anthracite", 10100, 1970, false, 3, 5),
        new("lignite", 9860, 1910, false, 11, 13),
        new("oil", 9190, 1420, false),
        new("natural-gas", 8710, 1040, true, 14, 18),
        new("propane", 8710, 1190, false),
        new("butane", 8710, 1250, false),
        new("wood-bark", 9600, 1920, false, 13, 15),
        new("wood-residue", 9240, 1830, false, 13, 15),
    ];

    private static readonly FrozenDictionary<string, FuelFactor> ByFuel = All.ToFrozenDictionary(f => f.Fuel);

    /// <summary>The factors of a fuel.</summary>
    /// <exception cref="EmissionRefusedException">The table has no such fuel; the message names those it has.</exception>
    public static FuelFactor Get(string fuel) =>
        ByFuel.TryGetValue(fuel, out var factor) ? factor
            : throw new EmissionRefusedException($"There are no F-factors for the fuel '{fuel}'. {Spelling.Hint(fuel, ByFuel.Keys.Order(StringComparer.Ordinal))}Known: {string.Join(", ", All.Select(f => f.Fuel))}.");

    /// <summary>Refuses a carbon F-factor outside the 900 to 3000 scf CO2/mmBtu that the engine accepts.</summary>
    /// <exception cref="EmissionRefusedException">It is outside.</exception>
    public static void RequireCarbon(decimal fc) => Require(fc, 900, 3000, "Fc");

    /// <summary>Refuses a dry F-factor outside the 8000 to 12000 scf/mmBtu that the engine accepts.</summary>
    /// <exception cref="EmissionRefusedException">It is outside.</exception>
    public static void RequireDry(decimal fd) => Require(fd, 8000, 12000, "Fd");

    private static void Require(decimal value, decimal min, decimal max, string name)
    {
        if (value < min || value > max)
        {
            throw new EmissionRefusedException(FormattableString.Invariant($"{name} is {value} scf/mmBtu; no fuel is outside {min} to {max} (40 CFR 75, appendix F, table 1)."));
        }
    }
}
