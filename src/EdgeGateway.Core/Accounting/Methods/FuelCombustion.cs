using EdgeGateway.Core.Site;

namespace EdgeGateway.Core.Accounting;

/// <summary>CO2 of burnt fuel.</summary>
/// <remarks>
/// By heating value and carbon: the Chinese corporate accounting guidelines, E = FC x NCV x CC x OF x 44/12. By measured carbon: the guideline for power
/// facilities of the Ministry of Ecology and Environment, E = FC x C_ar x OF x 44/12. By default factors: IPCC 2006 volume 2 chapter 2, equation 2.1 (tier 1).
/// </remarks>
public static class FuelCombustion
{
    /// <summary>Name in profiles and records.</summary>
    public const string Name = "fuel-combustion";

    /// <summary>Mass of CO2 for one of carbon.</summary>
    private static Measured PerCarbon(Measured carbon) => carbon * 44m / 12m;

    /// <summary>By net calorific value, carbon content and oxidation.</summary>
    /// <param name="fuel">Fuel burnt: t, or 10^4 Nm3 (0 Celsius) of a gas.</param>
    /// <param name="ncv">GJ for one of these.</param>
    /// <param name="carbon">t carbon per GJ.</param>
    /// <param name="oxidationPercent">Share of the carbon that burns.</param>
    /// <param name="biogenicPercent">Share of the carbon that is from biomass; it is reported apart.</param>
    /// <exception cref="EmissionRefusedException">A quantity is negative or no percentage.</exception>
    public static EmissionMass ByHeatingValue(Measured fuel, Measured ncv, Measured carbon, Measured oxidationPercent, decimal biogenicPercent = 0)
    {
        EmissionRefusedException.IfNegative(fuel.Value, "The fuel");
        EmissionRefusedException.IfNegative(ncv.Value, "The net calorific value");
        EmissionRefusedException.IfNegative(carbon.Value, "The carbon content");
        EmissionRefusedException.IfNoShare(oxidationPercent.Value, 100, "The oxidation in percent");
        return Split(PerCarbon(fuel * ncv * carbon * (oxidationPercent / 100m)), biogenicPercent);
    }

    /// <summary>By the carbon measured in the fuel.</summary>
    /// <param name="tonnes">Fuel burnt, t, as received.</param>
    /// <param name="carbonPercent">Carbon in it, percent by mass, as received.</param>
    /// <param name="oxidationPercent">Share of the carbon that burns.</param>
    /// <param name="biogenicPercent">Share of the carbon that is from biomass; it is reported apart.</param>
    /// <exception cref="EmissionRefusedException">A quantity is negative or no percentage.</exception>
    public static EmissionMass ByMeasuredCarbon(Measured tonnes, Measured carbonPercent, Measured oxidationPercent, decimal biogenicPercent = 0)
    {
        EmissionRefusedException.IfNegative(tonnes.Value, "The fuel");
        EmissionRefusedException.IfNoShare(carbonPercent.Value, 100, "The carbon in percent");
        EmissionRefusedException.IfNoShare(oxidationPercent.Value, 100, "The oxidation in percent");
        return Split(PerCarbon(tonnes * (carbonPercent / 100m) * (oxidationPercent / 100m)), biogenicPercent);
    }

    /// <summary>By IPCC default factors.</summary>
    /// <param name="tonnes">Fuel burnt, t.</param>
    /// <param name="ncv">TJ per Gg, the same as GJ per t.</param>
    /// <param name="factor">kg CO2 per TJ, with full oxidation.</param>
    /// <param name="biogenicPercent">Share of the carbon that is from biomass; it is reported apart.</param>
    /// <exception cref="EmissionRefusedException">A quantity is negative.</exception>
    public static EmissionMass ByDefaultFactor(Measured tonnes, Measured ncv, Measured factor, decimal biogenicPercent = 0)
    {
        EmissionRefusedException.IfNegative(tonnes.Value, "The fuel");
        EmissionRefusedException.IfNegative(ncv.Value, "The net calorific value");
        EmissionRefusedException.IfNegative(factor.Value, "The emission factor");
        return Split(tonnes * ncv * factor / 1_000_000m, biogenicPercent);
    }

    /// <summary>Carbon as received, percent, from an analysis of the air-dried sample: C_ad (100 - M_ar) / (100 - M_ad).</summary>
    /// <exception cref="EmissionRefusedException">A moisture is outside 0 to 100 %, or the sample was nothing but water.</exception>
    public static Measured FromAirDried(Measured carbonPercent, decimal moistureAsReceived, decimal moistureAirDried)
    {
        EmissionRefusedException.IfNoShare(carbonPercent.Value, 100, "The carbon in percent");
        EmissionRefusedException.IfNoShare(moistureAsReceived, 100, "The moisture as received");
        EmissionRefusedException.IfNoShare(moistureAirDried, 100, "The moisture of the air-dried sample");
        EmissionRefusedException.IfNotPositive(100 - moistureAirDried, "What is not water in the air-dried sample");
        return carbonPercent * (100 - moistureAsReceived) / (100 - moistureAirDried);
    }

    /// <summary>Carbon as received, percent, from an analysis on dry basis: C_d (100 - M_ar) / 100.</summary>
    /// <exception cref="EmissionRefusedException">The moisture or the carbon is outside 0 to 100 %.</exception>
    public static Measured FromDry(Measured carbonPercent, decimal moistureAsReceived) => FromAirDried(carbonPercent, moistureAsReceived, 0);

    /// <summary>A volume at 20 Celsius as it is at 0 Celsius, at the same pressure: V x 273.15 / 293.15.</summary>
    public static Measured To0C(Measured volumeAt20C) => volumeAt20C * 273.15m / 293.15m;

    private static EmissionMass Split(Measured tonnes, decimal biogenicPercent)
    {
        EmissionRefusedException.IfNoShare(biogenicPercent, 100, "The biogenic share in percent");
        var kilograms = tonnes * 1000m;
        var biogenic = kilograms.Value * biogenicPercent / 100;
        return new() { Method = Name, Scope = 1, Kilograms = kilograms with { Value = kilograms.Value - biogenic }, BiogenicKilograms = biogenic };
    }
}

/// <summary>Fuel by its meter: t of a solid or liquid, m3 of a gas.</summary>
internal sealed class FuelCombustionMethod() : EmissionMethod(FuelCombustion.Name, 1)
{
    private const string PerVolume = "GJ/(10*4.m3)";

    public override string ActivityUnit(CarbonModel account, FactorSet factors)
    {
        if (account.Fuel is null)
        {
            return "t";
        }

        var ncv = factors.Factors.FirstOrDefault(f => f.Of == $"fuel.{account.Fuel}.ncv")
            ?? throw new EmissionRefusedException($"The factor set {factors.Id} version {factors.Version} has no fuel '{account.Fuel}'. {Configuration.Spelling.Hint(account.Fuel, Fuels(factors))}Known: {string.Join(", ", Fuels(factors))}.");
        return ncv.Unit == PerVolume ? "m3" : "t";
    }

    public override EmissionRate Rate(CarbonModel account, FactorSet factors, string region, Instant at)
    {
        var biogenic = account.BiogenicPercent ?? 0;
        if (account.Measured is { } measured)
        {
            var burnt = FuelCombustion.ByMeasuredCarbon(1, new(measured.CarbonPercent, measured.UncertaintyPercent), measured.OxidationPercent, biogenic);
            return new($"site/{measured.Source}", burnt.Co2eKilograms, burnt.Kilograms.UncertaintyPercent) { KgBiogenic = burnt.BiogenicKilograms };
        }

        var ncv = factors.Get($"fuel.{account.Fuel}.ncv", region, at);
        var one = ncv.Factor.Unit != PerVolume ? 1m
            : account.VolumeCelsius == 20 ? FuelCombustion.To0C(0.0001m).Value
            : account.VolumeCelsius == 0 ? 0.0001m
            : throw new EmissionRefusedException($"The state to which the volume of {account.Fuel} is referred is not known: write 'volumeAt: 0C' or 'volumeAt: 20C'.");
        EmissionMass mass;
        FactorMatch carbon;
        if (factors.Find($"fuel.{account.Fuel}.co2", region, at) is { } direct)
        {
            (carbon, mass) = (direct, FuelCombustion.ByDefaultFactor(one, ncv.Factor.Measured, direct.Factor.Measured, biogenic));
        }
        else
        {
            carbon = factors.Get($"fuel.{account.Fuel}.carbon", region, at);
            mass = FuelCombustion.ByHeatingValue(one, ncv.Factor.Measured, carbon.Factor.Measured, factors.Get($"fuel.{account.Fuel}.oxidation", region, at).Factor.Measured, biogenic);
        }

        var percent = double.IsNaN(mass.Kilograms.UncertaintyPercent) ? account.FactorPercent : mass.Kilograms.UncertaintyPercent;
        return new($"{carbon.Factor.Source.Id}/fuel.{account.Fuel}", mass.Co2eKilograms, percent, ncv.Note ?? carbon.Note) { KgBiogenic = mass.BiogenicKilograms };
    }

    private static IEnumerable<string> Fuels(FactorSet factors) =>
        factors.Factors.Where(f => f.Of.StartsWith("fuel.", StringComparison.Ordinal)).Select(f => f.Of.Split('.')[1]).Distinct();
}
