using EdgeGateway.Core.Site;

namespace EdgeGateway.Core.Detection.Rules;

/// <summary>An input of a rule with its point; null for one that is not there.</summary>
internal readonly record struct BoundInput(RuleInput Input, PointModel? Point);

/// <summary>Finds the points of a rule's inputs by the keys of the detector's points.</summary>
internal static class RuleInputs
{
    /// <summary>The inputs in the order of the rule, the watched point first; of an input that may be many each point is one.</summary>
    public static List<BoundInput> Of(Rule rule, DetectorContext context)
    {
        var bound = new List<BoundInput> { new(rule.Inputs[0], context.Point) };
        for (var i = 0; i < rule.Inputs.Count; i++)
        {
            var input = rule.Inputs[i];
            for (var number = FirstOf(rule, input); input.IsNumbered && context.Other(KeyOf(input, number)) is { } point; number++)
            {
                bound.Add(new(input, point));
            }

            if (i > 0 && !input.IsNumbered)
            {
                bound.Add(new(input, context.Other(input.Key)));
            }
        }

        return bound;
    }

    /// <summary>Keys that must name a point.</summary>
    public static IEnumerable<string> Needed(Rule rule) =>
        rule.Inputs.Skip(1).Where(i => !i.IsOptional).Select(i => i.IsNumbered ? KeyOf(i, 1) : i.Key);

    /// <summary>Number of the first of many points that is named: the watched one is not.</summary>
    public static int FirstOf(Rule rule, RuleInput input) => ReferenceEquals(input, rule.Inputs[0]) ? 2 : 1;

    /// <summary>Key of one of many points: <c>voltage2</c> is the second.</summary>
    public static string KeyOf(RuleInput input, int number) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{input.Key}{number}");
}
