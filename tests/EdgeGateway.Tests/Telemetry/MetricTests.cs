using System.Diagnostics.Metrics;
using System.Text.RegularExpressions;
using EdgeGateway.Telemetry;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Tests.Telemetry;

/// <summary>The table of metrics. That its names are those of docs/observability.md is shown by PublishedTextTests.</summary>
public sealed partial class MetricTests
{
    [Fact]
    public void Names_are_those_of_the_conventions_and_come_once()
    {
        Assert.All(Metrics.All, m => Assert.Matches(Name(), m.Name));
        Assert.All(Metrics.All.SelectMany(m => m.Labels), label => Assert.Matches(Label(), label));
        Assert.Equal(Metrics.All.Count, Metrics.All.Select(m => m.PrometheusName).Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public void Every_metric_has_a_value_for_each_of_its_labels()
    {
        var measurement = Measurements.Make();
        foreach (var metric in Metrics.All)
        {
            var values = metric.Values(measurement).ToArray();
            Assert.True(values.Length > 0, $"{metric.Name} has no value");
            Assert.All(values, v => Assert.Equal(metric.Labels.Length, v.Labels.Length));
            Assert.All(values, v => Assert.False(double.IsNaN(v.Value), metric.Name));
        }
    }

    [Theory]
    [InlineData("edgegateway.bus.requests", 100, "line-1")]
    [InlineData("edgegateway.device.time_limit", 0.5, "fan", "line-1")]
    [InlineData("edgegateway.device.latency", 0.04, "fan", "line-1", "100")]
    [InlineData("edgegateway.pipeline.samples", 1, "bad")]
    [InlineData("edgegateway.feed.records", 41, "summary")]
    [InlineData("edgegateway.detector.points", 3, "learning")]
    [InlineData("edgegateway.outbox.lost", 5, "evicted")]
    [InlineData("edgegateway.outbox.lost", 0, "not stored")]
    [InlineData("edgegateway.store.condition", 1, "disk-full")]
    [InlineData("edgegateway.store.utilization", 0.125)]
    [InlineData("edgegateway.uplink.quarantined", 1, "centre")]
    [InlineData("edgegateway.ledger.records", 77)]
    [InlineData("edgegateway.clock.quality", 0, "unset")]
    [InlineData("edgegateway.box.cpu.load", 1.5)]
    [InlineData("edgegateway.box.throttled", 1, "under-voltage")]
    [InlineData("edgegateway.box.throttled", 0, "frequency-capped")]
    [InlineData("edgegateway.box.card.wear", 0.2, "b")]
    public void Values_are_in_the_unit_that_is_told(string name, double value, params string[] labels)
    {
        var metric = Assert.Single(Metrics.All, m => m.Name == name);
        Assert.Equal(value, Assert.Single(metric.Values(Measurements.Make()), v => v.Labels.SequenceEqual(labels)).Value, 9);
    }

    [Fact]
    public void Without_a_store_what_it_would_tell_is_left_out_and_nothing_throws()
    {
        var measurement = Measurements.Make() with { Store = null, Pipeline = null, Box = null };
        measurement = measurement with { Status = measurement.Status with { Learning = null, Alarms = null, Clock = null, Storage = null } };
        var text = PrometheusText.Write(Metrics.All, measurement);
        Assert.Contains("edgegateway_bus_requests_total{", text, StringComparison.Ordinal);
        Assert.DoesNotContain("edgegateway_outbox_", text, StringComparison.Ordinal);
        Assert.DoesNotContain("NaN", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Instruments_of_NET_show_the_same_names_units_and_values_of_one_moment()
    {
        var measured = 0;
        using var meter = new GatewayMeter(Metrics.All, () => { measured++; return Measurements.Make(); }, new ManualTime());
        Dictionary<string, Instrument> instruments = [];
        List<(string Name, double Value, int Tags)> values = [];
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, l) =>
            {
                if (instrument.Meter.Name == GatewayMeter.Name && instruments.TryAdd(instrument.Name, instrument))
                {
                    l.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => values.Add((instrument.Name, value, tags.Length)));
        listener.Start();
        Assert.Equal(0, measured);

        listener.RecordObservableInstruments();
        Assert.Equal(1, measured);
        foreach (var metric in Metrics.All)
        {
            var instrument = instruments[metric.Name];
            Assert.Equal((metric.Unit, metric.Description), (instrument.Unit, instrument.Description));
            Assert.Equal(metric.Values(Measurements.Make()).Select(v => (metric.Name, v.Value, v.Labels.Length)), values.Where(v => v.Name == metric.Name));
        }
    }

    [Theory]
    [InlineData("hardware/observability/grafana-dashboard.json", @"""expr"": ""(.*)""")]
    [InlineData("hardware/observability/alerts.yml", @"expr: (.*)")]
    public void Every_expression_of_dashboard_and_alert_rules_names_metrics_that_exist(string file, string expression)
    {
        var known = Metrics.All.ToDictionary(m => m.PrometheusName, m => m);
        var expressions = Regex.Matches(File.ReadAllText(RepositoryFiles.At(file)), expression).Select(m => m.Groups[1].Value.Replace("\\\"", "\"", StringComparison.Ordinal)).ToArray();
        Assert.True(expressions.Length > 15, $"{file} has {expressions.Length} expressions");
        foreach (var text in expressions)
        {
            var used = Used().Matches(text).ToArray();
            Assert.True(used.Length > 0 || text.StartsWith("up{", StringComparison.Ordinal), text);
            foreach (var use in used)
            {
                Assert.True(known.TryGetValue(use.Groups["name"].Value, out var metric), $"{file}: there is no metric {use.Groups["name"].Value}");

                // "instance" and "job" are Prometheus' own.
                Assert.All(
                    Regex.Matches(use.Groups["labels"].Value, "([a-z_]+)(=|!)").Select(m => m.Groups[1].Value).Except(["instance", "job"]),
                    label => Assert.Contains(label, metric.Labels));
            }
        }
    }

    [GeneratedRegex("^[a-z]+(\\.[a-z]+(_[a-z]+)*)+$")]
    private static partial Regex Name();

    [GeneratedRegex("^[a-z]+$")]
    private static partial Regex Label();

    [GeneratedRegex("(?<name>\\b(edgegateway|process|dotnet)_[a-z_]+)(\\{(?<labels>[^}]*)\\})?")]
    private static partial Regex Used();
}
