using EdgeGateway.Core.Accounting;
using EdgeGateway.Core.Site;

namespace EdgeGateway.Core.Ledger;

/// <summary>What of a site stands in the ledger.</summary>
public static class LedgerSite
{
    /// <summary>The record of a configuration that comes into force.</summary>
    /// <param name="site">The site.</param>
    /// <param name="pipeline">What accounts under it.</param>
    /// <param name="program">Version of the program.</param>
    public static ConfigurationContent Configuration(SiteModel site, Pipeline pipeline, string program)
    {
        ArgumentNullException.ThrowIfNull(site);
        ArgumentNullException.ThrowIfNull(pipeline);
        return new(site.ConfigurationHash, site.SiteId, program, site.FactorsInForce.ContentHash, pipeline.CarbonAccounts) { Sums = pipeline.CarbonSums };
    }

    /// <summary>The record of the factor set that comes into force.</summary>
    public static FactorsContent Factors(FactorSet factors)
    {
        ArgumentNullException.ThrowIfNull(factors);
        return new(factors.Id, factors.Version, factors.ContentHash, System.Text.Encoding.UTF8.GetString(factors.Canonical.Span));
    }

    /// <summary>Names a set.</summary>
    public static FactorSetName Name(FactorSet factors)
    {
        ArgumentNullException.ThrowIfNull(factors);
        return new(factors.Id, factors.Version, factors.ContentHash);
    }
}
