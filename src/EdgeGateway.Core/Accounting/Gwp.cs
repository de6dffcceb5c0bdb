namespace EdgeGateway.Core.Accounting;

/// <summary>The warming potential of one gas over 100 years.</summary>
/// <param name="Set">The set it is from: <c>AR4</c>, <c>AR5</c>, <c>AR6</c>; null for CO2, which has 1 in each.</param>
/// <param name="Gas">The gas.</param>
/// <param name="KgPerKg">kg CO2e for a kg of it.</param>
public sealed record GwpValue(string? Set, string Gas, decimal KgPerKg)
{
    /// <summary>The value of a gas in a set of the factor set; its own uncertainty is by convention not part of a mass in CO2e.</summary>
    /// <exception cref="EmissionRefusedException">The factor set has no such GWP set, or the GWP set no such gas.</exception>
    public static GwpValue Find(FactorSet factors, string set, string gas)
    {
        ArgumentNullException.ThrowIfNull(factors);
        return gas == "CO2" && factors.Factors.Any(f => f.Of.StartsWith($"gwp.{set}.", StringComparison.Ordinal)) ? new(null, gas, 1)
            : factors.Factors.FirstOrDefault(f => f.Of == $"gwp.{set}.{gas}") is { } factor ? new(set, gas, factor.Value)
            : throw new EmissionRefusedException($"The factor set {factors.Id} version {factors.Version} has no GWP of {gas} in the set {set}.");
    }
}
