using EdgeGateway.Core.Site;

namespace EdgeGateway.Core.Accounting;

/// <summary>Electricity from the grid, location based: energy x the average factor of the grid where the meter is (GHG Protocol scope 2 guidance).</summary>
internal sealed class ElectricityPurchased() : EmissionMethod(MethodName, 2)
{
    /// <summary>Its name, and that of its totals and remainders.</summary>
    public const string MethodName = "electricity-purchased";

    public override bool NeedsGridFactor => true;

    public override string WhenReversed => "electricity-sold";

    public override string ActivityUnit(CarbonModel account, FactorSet factors) => "kW.h";

    public override EmissionRate Rate(CarbonModel account, FactorSet factors, string region, Instant at)
    {
        var match = factors.Get(Factor.Electricity, region, at);
        return new(match.Factor.Id, match.Factor.Value, match.Factor.UncertaintyPercent, match.Note);
    }
}
