using EdgeGateway.Core.Site;

namespace EdgeGateway.Core.Accounting;

/// <summary>Heat and steam bought: energy x factor (GHG Protocol scope 2 guidance; the Chinese corporate accounting guidelines give one factor for all networks).</summary>
public static class PurchasedHeat
{
    /// <summary>Name in profiles and records.</summary>
    public const string Name = "heat-purchased";

    /// <summary>Mass of the heat bought, location based.</summary>
    /// <param name="gigajoules">Heat, GJ.</param>
    /// <param name="kgPerGJ">kg CO2 per GJ.</param>
    /// <exception cref="EmissionRefusedException">A quantity is negative.</exception>
    public static EmissionMass Weigh(Measured gigajoules, Measured kgPerGJ)
    {
        EmissionRefusedException.IfNegative(gigajoules.Value, "The heat");
        EmissionRefusedException.IfNegative(kgPerGJ.Value, "The emission factor");
        return new() { Method = Name, Scope = 2, Basis = EmissionBasis.Location, Kilograms = gigajoules * kgPerGJ };
    }
}

/// <summary>Heat bought, by a heat meter.</summary>
internal sealed class PurchasedHeatMethod() : EmissionMethod(PurchasedHeat.Name, 2)
{
    public override string ActivityUnit(CarbonModel account, FactorSet factors) => "GJ";

    public override EmissionRate Rate(CarbonModel account, FactorSet factors, string region, Instant at)
    {
        var match = factors.Get("heat", region, at);
        var percent = double.IsNaN(match.Factor.UncertaintyPercent) ? account.FactorPercent : match.Factor.UncertaintyPercent;
        return new(match.Factor.Id, PurchasedHeat.Weigh(1, match.Factor.Value).Co2eKilograms, percent, match.Note);
    }
}
