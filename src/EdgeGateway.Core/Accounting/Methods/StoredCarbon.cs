using EdgeGateway.Core.Site;

namespace EdgeGateway.Core.Accounting;

/// <summary>CO2 that is captured and stored: IPCC 2006 volume 2 chapter 5. What is injected is a removal reported apart; what escapes is an emission of its own.</summary>
public static class StoredCarbon
{
    /// <summary>Name of the injection in profiles and records.</summary>
    public const string Injection = "co2-injected";

    /// <summary>Name of the leak in profiles and records.</summary>
    public const string Escape = "co2-leaked";

    /// <summary>CO2 injected, by the meter at the well head.</summary>
    /// <param name="tonnes">Mass of the stream, t.</param>
    /// <param name="purityPercent">CO2 in it, percent by mass.</param>
    /// <returns>No emission, and the removal.</returns>
    /// <exception cref="EmissionRefusedException">A quantity is negative or no percentage.</exception>
    public static EmissionMass Inject(Measured tonnes, Measured purityPercent)
    {
        EmissionRefusedException.IfNegative(tonnes.Value, "The mass injected");
        EmissionRefusedException.IfNoShare(purityPercent.Value, 100, "The CO2 in percent");
        var kilograms = tonnes * (purityPercent / 100m) * 1000m;
        return new() { Method = Injection, Scope = 0, Kilograms = kilograms with { Value = 0 }, RemovedKilograms = kilograms.Value };
    }

    /// <summary>CO2 that escapes from capture, transport or storage; never taken from what was injected.</summary>
    /// <param name="tonnes">CO2, t.</param>
    /// <exception cref="EmissionRefusedException">The quantity is negative.</exception>
    public static EmissionMass Leak(Measured tonnes)
    {
        EmissionRefusedException.IfNegative(tonnes.Value, "The leak");
        return new() { Method = Escape, Scope = 1, Kilograms = tonnes * 1000m };
    }
}

/// <summary>CO2 injected, by the meter at the well head.</summary>
internal sealed class InjectedCarbonMethod() : EmissionMethod(StoredCarbon.Injection, 0)
{
    public override EmissionEvidence Evidence => EmissionEvidence.Measured;

    public override bool IsRemoval => true;

    public override string ActivityUnit(CarbonModel account, FactorSet factors) => "t";

    public override EmissionRate Rate(CarbonModel account, FactorSet factors, string region, Instant at) =>
        new("mass", StoredCarbon.Inject(1, account.PurityPercent).RemovedKilograms, double.IsNaN(account.FactorPercent) ? 0 : account.FactorPercent);
}

/// <summary>CO2 that escapes, by a meter in the vent.</summary>
internal sealed class LeakedCarbonMethod() : EmissionMethod(StoredCarbon.Escape, 1)
{
    public override EmissionEvidence Evidence => EmissionEvidence.Measured;

    public override string ActivityUnit(CarbonModel account, FactorSet factors) => "t";

    public override EmissionRate Rate(CarbonModel account, FactorSet factors, string region, Instant at) => new("mass", StoredCarbon.Leak(1).Co2eKilograms, 0);
}
