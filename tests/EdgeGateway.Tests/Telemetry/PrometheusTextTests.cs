using System.Text.RegularExpressions;
using EdgeGateway.Telemetry;

namespace EdgeGateway.Tests.Telemetry;

/// <summary>The text format of Prometheus, version 0.0.4.</summary>
public sealed partial class PrometheusTextTests
{
    [Fact]
    public void A_metric_has_its_help_its_type_and_a_line_for_each_value()
    {
        var metric = new Metric("edgegateway.bus.requests", MetricKind.Counter, "{request}", "Requests sent", ["bus"], _ => [new(12, "line-1"), new(1.5, "line-2")]);
        Assert.Equal(
            """
            # HELP edgegateway_bus_requests_total Requests sent
            # TYPE edgegateway_bus_requests_total counter
            edgegateway_bus_requests_total{bus="line-1"} 12
            edgegateway_bus_requests_total{bus="line-2"} 1.5

            """,
            PrometheusText.Write([metric], Measurements.Make()));
    }

    [Fact]
    public void What_has_no_value_now_is_left_out_with_its_help()
    {
        var metric = new Metric("a", MetricKind.Gauge, "s", "A", [], _ => [new(double.NaN)]);
        Assert.Empty(PrometheusText.Write([metric], Measurements.Make()));
    }

    // "Exposition formats": backslash, double quote and line feed in label values; backslash and line feed in HELP texts.
    [Theory]
    [InlineData("C:\\DIR\\FILE.TXT", "C:\\\\DIR\\\\FILE.TXT")]
    [InlineData("Cannot find file:\n\"FILE.TXT\"", "Cannot find file:\\n\\\"FILE.TXT\\\"")]
    [InlineData("矿井", "矿井")]
    public void Label_values_are_escaped(string value, string escaped)
    {
        Assert.Equal(escaped, PrometheusText.EscapeLabel(value));
        var metric = new Metric("a", MetricKind.Level, "{x}", "x", ["l"], _ => [new(1, value)]);
        Assert.Contains($"a{{l=\"{escaped}\"}} 1\n", PrometheusText.Write([metric], Measurements.Make()), StringComparison.Ordinal);
    }

    [Fact]
    public void Help_texts_are_escaped_without_their_quotes() => Assert.Equal("say \"a\\\\b\"\\n", PrometheusText.EscapeHelp("say \"a\\b\"\n"));

    [Theory]
    [InlineData(double.PositiveInfinity, "+Inf")]
    [InlineData(double.NegativeInfinity, "-Inf")]
    [InlineData(double.NaN, "NaN")]
    [InlineData(0.1, "0.1")]
    [InlineData(1e21, "1E+21")]
    public void Numbers_are_written_as_Go_reads_them(double value, string text) => Assert.Equal(text, PrometheusText.Number(value));

    [Fact]
    public void Every_line_of_the_whole_text_is_of_the_format_and_no_series_comes_twice()
    {
        var lines = PrometheusText.Write(Metrics.All, Measurements.Make("a \"quoted\\\n device")).Split('\n');
        Assert.Empty(lines[^1]);
        Assert.All(lines[..^1], line => Assert.Matches(Line(), line));
        var series = lines[..^1].Where(l => l[0] != '#').Select(l => l[..l.LastIndexOf(' ')]).ToArray();
        Assert.Equal(series.Length, series.Distinct(StringComparer.Ordinal).Count());
    }

    [GeneratedRegex("""^(# HELP [a-z_:][a-z0-9_:]* [^\n]+|# TYPE [a-z_:][a-z0-9_:]* (counter|gauge)|[a-z_:][a-z0-9_:]*(\{([a-z_][a-z0-9_]*="([^"\\\n]|\\\\|\\"|\\n)*",?)+\})? [-+0-9.eEInfNa]+)$""")]
    private static partial Regex Line();
}
