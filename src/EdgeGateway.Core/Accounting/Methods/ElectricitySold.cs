using EdgeGateway.Core.Site;

namespace EdgeGateway.Core.Accounting;

/// <summary>Electricity given to the grid: the activity is recorded, its mass is zero, because what is sold never nets what is bought (GHG Protocol scope 2 guidance).</summary>
internal sealed class ElectricitySold() : EmissionMethod(MethodName, 0)
{
    /// <summary>Name in profiles and records.</summary>
    public const string MethodName = "electricity-sold";

    public override string WhenReversed => "electricity-purchased";

    public override string ActivityUnit(CarbonModel account, FactorSet factors) => "kW.h";

    public override EmissionRate? Rate(CarbonModel account, FactorSet factors, string region, Instant at) => null;
}
