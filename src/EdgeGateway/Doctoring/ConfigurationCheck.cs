using EdgeGateway.Core;

namespace EdgeGateway.Doctoring;

/// <summary>Everything that <c>edgegateway check</c> says of the configuration and its profiles.</summary>
internal static class ConfigurationCheck
{
    public static IEnumerable<Finding> Look(Patient patient)
    {
        foreach (var problem in patient.Problems)
        {
            var place = $"{problem.File}{(problem.Line > 0 ? $":{problem.Line}" : "")}{(problem.Line > 0 && problem.Column > 0 ? $":{problem.Column}" : "")}";
            yield return new Finding(problem.Severity == ProblemSeverity.Error ? Verdict.Fault : Verdict.Warning, $"{place}: {problem.What}", problem.Cure);
        }

        if (patient.Site is { } site)
        {
            yield return Finding.Ok($"{patient.Configuration}: site {site.Model.SiteId}, gateway {site.Model.GatewayId}, {site.Model.Devices.Count} devices, {site.Model.Points.Count} points: usable");
        }
    }
}
