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
