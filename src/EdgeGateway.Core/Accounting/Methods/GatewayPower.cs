using EdgeGateway.Core.Site;

namespace EdgeGateway.Core.Accounting;

/// <summary>
/// The gateway's own electricity, by a sensor of its supply: power over time x factor of the grid. It is a part of what the site buys and is measured there already, so that it is in no scope and no total of its own.
/// </summary>
internal sealed class GatewayPower() : EmissionMethod(GatewayPower.MethodName, 0)
{
    /// <summary>Name in sites and records.</summary>
    public const string MethodName = "gateway-power";

    public override ActivityKind Activity => ActivityKind.Power;

    public override string ActivityUnit(CarbonModel account, FactorSet factors) => "kW.h";

    public override EmissionRate Rate(CarbonModel account, FactorSet factors, string region, Instant at)
    {
        var match = factors.Get(Factor.Electricity, region, at);
        var percent = double.IsNaN(match.Factor.UncertaintyPercent) ? account.FactorPercent : match.Factor.UncertaintyPercent;
        return new(match.Factor.Id, match.Factor.Value, percent, match.Note);
    }
}
