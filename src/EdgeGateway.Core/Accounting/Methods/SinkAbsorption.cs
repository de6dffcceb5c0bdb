using EdgeGateway.Core.Site;

namespace EdgeGateway.Core.Accounting;

/// <summary>CO2 that a sink takes up, as metered there: a removal reported apart (IPCC 2006 volume 4 chapter 2: stock change x 44/12).</summary>
public static class SinkAbsorption
{
    /// <summary>Name in profiles and records.</summary>
    public const string Name = "sink-absorption";

    /// <summary>From CO2 metered by mass, t.</summary>
    /// <exception cref="EmissionRefusedException">The quantity is negative: a sink that gives off is a source, and is accounted as one.</exception>
    public static EmissionMass FromCo2(Measured tonnes)
    {
        EmissionRefusedException.IfNegative(tonnes.Value, "The CO2 absorbed");
        var kilograms = tonnes * 1000m;
        return new() { Method = Name, Scope = 0, Kilograms = kilograms with { Value = 0 }, RemovedKilograms = kilograms.Value };
    }

    /// <summary>From the growth of the carbon held, t carbon.</summary>
    /// <exception cref="EmissionRefusedException">The quantity is negative.</exception>
    public static EmissionMass FromCarbon(Measured tonnes) => FromCo2(tonnes * 44m / 12m);
}

/// <summary>CO2 absorbed, by a meter that counts it.</summary>
internal sealed class SinkAbsorptionMethod() : EmissionMethod(SinkAbsorption.Name, 0)
{
    public override EmissionEvidence Evidence => EmissionEvidence.Measured;

    public override bool IsRemoval => true;

    public override string ActivityUnit(CarbonModel account, FactorSet factors) => "t";

    public override EmissionRate Rate(CarbonModel account, FactorSet factors, string region, Instant at) => new("mass", SinkAbsorption.FromCo2(1).RemovedKilograms, 0);
}
