using EdgeGateway.Core.Cems;
using EdgeGateway.Core.Feed;

namespace EdgeGateway.Core.Accounting;

/// <summary>The methods of stacks, one for each set of rules: the gas itself is measured, so that an entry has no factor. It is an hour wide.</summary>
public static class StackMethods
{
    /// <summary>Note of an entry whose mass stands in for one that was not measured.</summary>
    internal const string SubstitutedNote = "substituted; the CEMS hour names the rules";

    private const string Prefix = "cems-";

    /// <summary>Name of the method by a set of rules.</summary>
    public static string NameOf(CemsRules rules) => Prefix + rules.Word();

    /// <summary>True for the name of one of them.</summary>
    public static bool Contains(string method) => method.StartsWith(Prefix, StringComparison.Ordinal);

    /// <summary>True for an entry of a stack whose mass stands in for one that was not measured.</summary>
    public static bool IsSubstituted(in EmissionRecord entry) => Contains(entry.Method) && entry.FactorNote == SubstitutedNote;
}
