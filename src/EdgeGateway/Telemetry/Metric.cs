namespace EdgeGateway.Telemetry;

/// <summary>What kind of number a metric is.</summary>
internal enum MetricKind
{
    /// <summary>A total that grows, and starts anew with the process unless its description says otherwise.</summary>
    Counter,

    /// <summary>A number of things that there are now; sums over labels mean something.</summary>
    Level,

    /// <summary>A momentary value; sums mean nothing.</summary>
    Gauge,
}

/// <summary>One value of a metric.</summary>
/// <param name="Value">In the metric's unit; NaN is left out.</param>
/// <param name="Labels">Values of the metric's labels, in their order.</param>
internal readonly record struct Measured(double Value, params string[] Labels);

/// <summary>One metric: what it is called, what it means, and where its values are. Nothing is counted for it: the parts of the gateway keep the numbers for <c>status</c>.</summary>
/// <param name="Name">Name by the conventions of OpenTelemetry: <c>edgegateway.bus.requests</c>.</param>
/// <param name="Kind">What kind of number it is.</param>
/// <param name="Unit">Unit by UCUM; things that are counted in braces: <c>{request}</c>.</param>
/// <param name="Description">What it means, one sentence without its full stop.</param>
/// <param name="Labels">Names of its labels; their values are ids of the configuration or words of short lists.</param>
/// <param name="Values">Its values in a measurement.</param>
internal sealed record Metric(string Name, MetricKind Kind, string Unit, string Description, string[] Labels, Func<Measurement, IEnumerable<Measured>> Values)
{
    /// <summary>The name in Prometheus: underscores, the unit, and <c>_total</c> behind counters.</summary>
    /// <remarks>OpenTelemetry, "Prometheus and OpenMetrics Compatibility", metric metadata.</remarks>
    public string PrometheusName
    {
        get
        {
            var name = Name.Replace('.', '_');
            var unit = Unit switch
            {
                "s" => "_seconds",
                "By" => "_bytes",
                "By/s" => "_bytes_per_second",
                "Cel" => "_celsius",
                "1" => "_ratio",
                _ => "",
            };
            return $"{name}{(name.EndsWith(unit, StringComparison.Ordinal) ? "" : unit)}{(Kind == MetricKind.Counter ? "_total" : "")}";
        }
    }

    /// <summary>The type in Prometheus.</summary>
    public string PrometheusType => Kind == MetricKind.Counter ? "counter" : "gauge";
}
