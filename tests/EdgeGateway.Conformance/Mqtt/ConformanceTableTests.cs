using System.Globalization;

namespace EdgeGateway.Conformance.Mqtt;

/// <summary>docs/mqtt-conformance.md lists every normative statement and tells the truth about the tests of this folder.</summary>
public sealed class ConformanceTableTests
{
    /// <summary>How many statements each section of MQTT 3.1.1 has, numbered from 1. Appendix B writes one of them as MQTT-3-8.3-4.</summary>
    private const string Sections311 =
        "1.5.3:3 2.2.2:2 2.3.1:7 3.1.0:2 3.1.2:24 3.1.3:11 3.1.4:5 3.2.0:1 3.2.2:6 3.3.1:12 3.3.2:3 3.3.4:1 3.3.5:2 3.6.1:1 3.8.1:1 3.8.3:4 3.8.4:6 " +
        "3.9.3:2 3.10.1:1 3.10.3:2 3.10.4:6 3.12.4:1 3.14.1:1 3.14.4:3 4.1.0:2 4.3.1:1 4.3.2:2 4.3.3:2 4.4.0:1 4.5.0:2 4.6.0:6 4.7.1:3 4.7.2:1 4.7.3:4 " +
        "4.8.0:2 6.0.0:4 7.0.0:2 7.1.1:1 7.1.2:1";

    /// <summary>The same for MQTT 5.0. There is no MQTT-2.2.1-1.</summary>
    private const string Sections500 =
        "1.5.4:3 1.5.5:1 1.5.7:1 2.1.3:1 2.2.1:6 2.2.2:1 3.1.0:2 3.1.2:30 3.1.3:12 3.1.4:6 3.2.0:2 3.2.2:22 3.3.1:13 3.3.2:20 3.3.4:10 3.4.2:3 3.5.2:3 " +
        "3.6.1:1 3.6.2:3 3.7.2:3 3.8.1:1 3.8.3:5 3.8.4:8 3.9.2:2 3.9.3:2 3.10.1:1 3.10.3:2 3.10.4:6 3.11.2:2 3.11.3:2 3.12.4:1 3.14.0:1 3.14.1:1 3.14.2:4 " +
        "3.14.4:3 3.15.1:1 3.15.2:3 4.1.0:2 4.2.0:1 4.3.1:1 4.3.2:5 4.3.3:13 4.4.0:2 4.5.0:2 4.6.0:6 4.7.0:1 4.7.1:2 4.7.2:1 4.7.3:4 4.8.2:6 4.9.0:3 " +
        "4.12.0:7 4.12.1:2 4.13.1:1 4.13.2:1 6.0.0:4";

    private static readonly ConformanceTable Table = new("mqtt-conformance.md", @"(3\.1\.1|5\.0) MQTT-[\d.-]+", typeof(ConformanceTableTests));

    [Fact]
    public void Every_statement_of_both_standards_is_in_the_table_once()
    {
        var expected = Statements("3.1.1", Sections311).Concat(Statements("5.0", Sections500))
            .Select(clause => clause == "3.1.1 MQTT-3.8.3-4" ? "3.1.1 MQTT-3-8.3-4" : clause)
            .Where(clause => clause != "5.0 MQTT-2.2.1-1");
        Assert.Equal(expected, Table.Clauses);
    }

    [Fact]
    public void Every_test_that_the_table_names_exists_and_carries_that_clause() => Assert.Empty(Table.Listed.Except(Table.Tagged));

    [Fact]
    public void Every_test_that_the_document_names_exists() => Assert.Empty(Table.NamedInVain);

    [Fact]
    public void Every_test_that_carries_a_clause_is_in_the_table()
    {
        Assert.True(Table.Tagged.Count > 200, $"only {Table.Tagged.Count} tests carry a clause");
        Assert.Empty(Table.Tagged.Except(Table.Listed));
    }

    [Fact]
    public void A_statement_without_tests_says_why() => Table.EveryRowIsShownOrExplained();

    private static IEnumerable<string> Statements(string version, string sections) =>
        from section in sections.Split(' ')
        let parts = section.Split(':')
        from number in Enumerable.Range(1, int.Parse(parts[1], CultureInfo.InvariantCulture))
        select $"{version} MQTT-{parts[0]}-{number}";
}
