using System.Reflection;
using System.Text.RegularExpressions;

namespace EdgeGateway.Conformance.Modbus;

/// <summary>docs/modbus-conformance.md tells the truth about the tests of this folder.</summary>
public sealed partial class ConformanceTableTests
{
    private static string Table
    {
        get
        {
            var folder = new DirectoryInfo(AppContext.BaseDirectory);
            while (!File.Exists(Path.Combine(folder.FullName, "EdgeGateway.sln")))
            {
                folder = folder.Parent ?? throw new InvalidOperationException($"no EdgeGateway.sln above {AppContext.BaseDirectory}: run the tests inside the repository");
            }

            return File.ReadAllText(Path.Combine(folder.FullName, "docs", "modbus-conformance.md"));
        }
    }

    /// <summary>Clause and test, of each row of the document.</summary>
    private static List<(string Clause, string Test)> Listed =>
        [.. from row in Row().Matches(Table)
            from test in Name().Matches(row.Groups["tests"].Value)
            select (row.Groups["clause"].Value, test.Groups[1].Value)];

    /// <summary>Clause and test, of each test that carries a clause.</summary>
    private static List<(string Clause, string Test)> Tagged =>
        [.. from type in typeof(ConformanceTableTests).Assembly.GetTypes()
            where type.Namespace == typeof(ConformanceTableTests).Namespace
            from method in type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)
            from trait in method.GetCustomAttributesData()
            where trait.AttributeType == typeof(TraitAttribute) && (string?)trait.ConstructorArguments[0].Value == "clause"
            select ((string)trait.ConstructorArguments[1].Value!, method.Name)];

    [Fact]
    public void Every_test_that_the_table_names_exists_and_carries_that_clause() => Assert.Empty(Listed.Except(Tagged));

    [Fact]
    public void Every_test_that_carries_a_clause_is_in_the_table()
    {
        Assert.True(Tagged.Count > 80, $"only {Tagged.Count} tests carry a clause");
        Assert.Empty(Tagged.Except(Listed));
    }

    [Fact]
    public void A_clause_without_tests_says_why()
    {
        var rows = Row().Matches(Table);
        Assert.True(rows.Count > 50, $"only {rows.Count} rows");
        Assert.All(rows, row => Assert.True(
            Name().IsMatch(row.Groups["tests"].Value) || row.Groups["tests"].Value.StartsWith("Not applicable: ", StringComparison.Ordinal),
            $"{row.Groups["clause"].Value} has neither tests nor a reason"));
        Assert.Equal(rows.Count, rows.Select(r => r.Groups["clause"].Value).Distinct().Count());
    }

    [GeneratedRegex(@"^\| (?<clause>(V1\.1b3|TCP V1\.0b|Serial V1\.02) [^|]+?) \| [^|]+ \| (?<tests>[^|]+) \|$", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex(@"`(\w+)`")]
    private static partial Regex Name();
}
