using EdgeGateway.Core.Site;

namespace EdgeGateway.Core.Accounting;

/// <summary>A contractual instrument: a certificate, a supply contract, green power.</summary>
/// <param name="KWh">Energy it stands for.</param>
/// <param name="KgPerKWh">Its factor in kg CO2 per kWh.</param>
public readonly record struct EnergyInstrument(decimal KWh, Measured KgPerKWh);

/// <summary>
/// Electricity from the grid, market based (GHG Protocol scope 2 guidance): instruments in the order given, best quality first, each up to the energy
/// still uncovered; the rest at the residual mix. A surplus never makes a negative figure.
/// </summary>
public static class ElectricityMarket
{
    /// <summary>Name in sites and records.</summary>
    public const string Name = "electricity-market";

    /// <summary>What the rest is weighed by where a residual mix is published.</summary>
    public const string Residual = "electricity.residual";

    /// <summary>Mass of the energy bought.</summary>
    /// <param name="kWh">Energy bought.</param>
    /// <param name="instruments">Instruments, best quality first.</param>
    /// <param name="residualKgPerKWh">Factor of the residual mix.</param>
    /// <returns>The mass, and the energy that no instrument covers.</returns>
    /// <exception cref="EmissionRefusedException">An energy or a factor is negative.</exception>
    public static (EmissionMass Mass, decimal UncoveredKWh) Weigh(Measured kWh, IReadOnlyList<EnergyInstrument> instruments, Measured residualKgPerKWh)
    {
        ArgumentNullException.ThrowIfNull(instruments);
        EmissionRefusedException.IfNegative(kWh.Value, "The energy");
        EmissionRefusedException.IfNegative(residualKgPerKWh.Value, "The factor of the residual mix");
        var uncovered = kWh.Value;
        var kilograms = 0m;
        var parts = new UncertainPart[instruments.Count + 1];
        for (var i = 0; i < instruments.Count; i++)
        {
            var instrument = instruments[i];
            EmissionRefusedException.IfNegative(instrument.KWh, "The energy of an instrument");
            EmissionRefusedException.IfNegative(instrument.KgPerKWh.Value, "The factor of an instrument");
            var used = Math.Min(uncovered, instrument.KWh);
            uncovered -= used;
            kilograms += used * instrument.KgPerKWh.Value;
            parts[i] = Part(used, instrument.KgPerKWh, kWh);
        }

        kilograms += uncovered * residualKgPerKWh.Value;
        parts[^1] = Part(uncovered, residualKgPerKWh, kWh);
        return (new() { Method = "electricity-purchased", Scope = 2, Basis = EmissionBasis.Market, Kilograms = new(kilograms, Uncertainty.Sum(parts)) }, uncovered);
    }

    // One meter measured it all: its error is common.
    private static UncertainPart Part(decimal kWh, Measured factor, Measured meter) => new((double)(kWh * factor.Value), factor.UncertaintyPercent, meter.UncertaintyPercent);
}

/// <summary>Electricity bought, market based, by the same meter as the location-based account: a second figure, in a total of its own.</summary>
internal sealed class ElectricityMarketMethod() : EmissionMethod(ElectricityMarket.Name, 2)
{
    public override string ActivityUnit(CarbonModel account, FactorSet factors) => "kW.h";

    /// <summary>The factor of what no instrument covers; <see cref="MarketCover"/> does the rest.</summary>
    public override EmissionRate Rate(CarbonModel account, FactorSet factors, string region, Instant at)
    {
        var match = factors.Get(account.Factor == "average" ? Factor.Electricity : ElectricityMarket.Residual, region, at);
        var percent = double.IsNaN(match.Factor.UncertaintyPercent) ? account.FactorPercent : match.Factor.UncertaintyPercent;
        return new(match.Factor.Id, match.Factor.Value, percent, match.Note);
    }
}
