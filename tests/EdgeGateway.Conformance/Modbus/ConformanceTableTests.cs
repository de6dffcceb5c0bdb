namespace EdgeGateway.Conformance.Modbus;

/// <summary>docs/modbus-conformance.md tells the truth about the tests of this folder.</summary>
public sealed class ConformanceTableTests
{
    private static readonly ConformanceTable Table = new("modbus-conformance.md", @"(V1\.1b3|TCP V1\.0b|Serial V1\.02) [^|]+?", typeof(ConformanceTableTests));

    [Fact]
    public void Every_test_that_the_table_names_exists_and_carries_that_clause() => Assert.Empty(Table.Listed.Except(Table.Tagged));

    [Fact]
    public void Every_test_that_the_document_names_exists() => Assert.Empty(Table.NamedInVain);

    [Fact]
    public void Every_test_that_carries_a_clause_is_in_the_table()
    {
        Assert.True(Table.Tagged.Count > 80, $"only {Table.Tagged.Count} tests carry a clause");
        Assert.Empty(Table.Tagged.Except(Table.Listed));
    }

    [Fact]
    public void A_clause_without_tests_says_why()
    {
        Assert.True(Table.Clauses.Count > 50, $"only {Table.Clauses.Count} rows");
        Table.EveryRowIsShownOrExplained();
        Assert.Equal(Table.Clauses.Count, Table.Clauses.Distinct().Count());
    }
}
