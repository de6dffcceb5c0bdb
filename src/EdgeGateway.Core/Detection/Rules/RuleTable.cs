using System.Collections.Frozen;

namespace EdgeGateway.Core.Detection.Rules;

/// <summary>The rules of the trade. To add one: a row in the list of its trade, a scenario in the test of the rules, a row in <c>docs/detectors.md</c>.</summary>
internal static class RuleTable
{
    /// <summary>Every rule.</summary>
    public static readonly IReadOnlyList<Rule> All = [.. GeneralRules.All, .. ElectricalRules.All, .. ConveyorRules.All, .. MineRules.All, .. StackRules.All];

    /// <summary>Rules by name.</summary>
    public static readonly FrozenDictionary<string, Rule> ByName = All.ToFrozenDictionary(r => r.Name);

    /// <summary>Their rows in the table of detectors.</summary>
    public static IEnumerable<DetectorKind> Kinds => All.Select(rule => new DetectorKind(
        rule.Name,
        rule.Settings,
        [.. RuleInputs.Needed(rule)],
        context => rule.Create(rule, context)) { Layout = rule.Layout });
}
