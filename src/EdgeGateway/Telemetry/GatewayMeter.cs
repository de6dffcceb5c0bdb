using System.Diagnostics.Metrics;

namespace EdgeGateway.Telemetry;

/// <summary>
/// The metrics as instruments of .NET (meter <see cref="Name"/>), for OTLP and for tools such as <c>dotnet-counters</c>. All are observable: while nobody listens nothing is counted,
/// measured or allocated.
/// </summary>
internal sealed class GatewayMeter : IDisposable
{
    /// <summary>Name of the meter, and of the source of traces.</summary>
    public const string Name = "EdgeGateway";

    /// <summary>One collection asks every instrument in turn; all of them see the same moment.</summary>
    private static readonly TimeSpan SameMoment = TimeSpan.FromMilliseconds(500);

    private readonly Meter _meter = new(Name, ProgramVersion.Text);
    private readonly Func<Measurement> _measure;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private Measurement? _last;
    private long _lastAt;

    /// <param name="metrics">The table.</param>
    /// <param name="measure">Measures, from any thread.</param>
    /// <param name="time">Clock.</param>
    public GatewayMeter(IEnumerable<Metric> metrics, Func<Measurement> measure, TimeProvider time)
    {
        (_measure, _time) = (measure, time);
        foreach (var metric in metrics)
        {
            Instrument(metric);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();

    private Instrument Instrument(Metric metric) => metric.Kind switch
    {
        MetricKind.Counter => _meter.CreateObservableCounter(metric.Name, () => Observe(metric), metric.Unit, metric.Description),
        MetricKind.Level => _meter.CreateObservableUpDownCounter(metric.Name, () => Observe(metric), metric.Unit, metric.Description),
        _ => _meter.CreateObservableGauge(metric.Name, () => Observe(metric), metric.Unit, metric.Description),
    };

    private IEnumerable<Measurement<double>> Observe(Metric metric)
    {
        foreach (var measured in metric.Values(Moment()))
        {
            if (!double.IsNaN(measured.Value))
            {
                yield return new Measurement<double>(measured.Value, metric.Labels.Select((label, i) => KeyValuePair.Create(label, (object?)measured.Labels[i])));
            }
        }
    }

    private Measurement Moment()
    {
        lock (_gate)
        {
            if (_last is null || _time.GetElapsedTime(_lastAt) > SameMoment)
            {
                (_last, _lastAt) = (_measure(), _time.GetTimestamp());
            }

            return _last;
        }
    }
}
