using System.Reflection;
using System.Text.RegularExpressions;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Conformance;

/// <summary>
/// A table of <c>docs/</c> that lists the clauses of a standard with the tests that show them, beside the tests themselves: those of one namespace that carry a clause.
/// </summary>
internal sealed partial class ConformanceTable
{
    private readonly List<(string Clause, string Tests)> _rows;

    /// <param name="document">File in <c>docs/</c>; its rows are <c>| clause | statement | tests |</c>.</param>
    /// <param name="clause">Pattern of a clause: a row that begins otherwise is not of the table.</param>
    /// <param name="tests">A class of the namespace that holds the tests.</param>
    public ConformanceTable(string document, string clause, Type tests)
    {
        var text = File.ReadAllText(RepositoryFiles.At($"docs/{document}"));
        _rows = [.. Regex.Matches(text, $@"^\| (?<clause>{clause}) \| [^|]+ \| (?<tests>[^|]+) \|$", RegexOptions.Multiline).Select(row => (row.Groups["clause"].Value, row.Groups["tests"].Value))];
        Clauses = [.. _rows.Select(row => row.Clause)];
        var methods = tests.Assembly.GetTypes().Where(type => type.Namespace == tests.Namespace).SelectMany(type => type.GetMethods()).Select(method => method.Name);
        NamedInVain = [.. Name().Matches(text).Select(name => name.Groups[1].Value).Except(methods)];
        Listed = [.. from row in _rows from test in Name().Matches(row.Tests) select (row.Clause, test.Groups[1].Value)];
        Tagged =
        [
            .. from type in tests.Assembly.GetTypes()
               where type.Namespace == tests.Namespace
               from method in type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)
               from trait in method.GetCustomAttributesData()
               where trait.AttributeType == typeof(TraitAttribute) && (string?)trait.ConstructorArguments[0].Value == "clause"
               select ((string)trait.ConstructorArguments[1].Value!, method.Name),
        ];
    }

    /// <summary>The clauses of the rows, in their order.</summary>
    public IReadOnlyList<string> Clauses { get; }

    /// <summary>Tests that the document names anywhere, in the table or beside it, and that are not there.</summary>
    public IReadOnlyList<string> NamedInVain { get; }

    /// <summary>Clause and test, of each row.</summary>
    public IReadOnlyList<(string Clause, string Test)> Listed { get; }

    /// <summary>Clause and test, of each test that carries a clause.</summary>
    public IReadOnlyList<(string Clause, string Test)> Tagged { get; }

    /// <summary>A row names tests, or says why there can be none.</summary>
    public void EveryRowIsShownOrExplained() => Assert.All(_rows, row => Assert.True(
        Name().IsMatch(row.Tests) || row.Tests.StartsWith("Not applicable: ", StringComparison.Ordinal), $"{row.Clause} has neither tests nor a reason"));

    [GeneratedRegex(@"`([A-Z]\w+_\w+)`")]
    private static partial Regex Name();
}
