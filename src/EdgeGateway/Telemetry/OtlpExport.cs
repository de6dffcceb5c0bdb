using System.Diagnostics;
using EdgeGateway.Core.Site;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace EdgeGateway.Telemetry;

/// <summary>Sends the metrics at an interval, and traces as they end, to a collector by OTLP.</summary>
internal sealed class OtlpExport : IDisposable
{
    private const int LongestExportMs = 10_000;

    /// <summary>At a stop what waits is sent once more; a collector that does not take it is not waited for longer: the whole stop has 8 s (requirement M-11).</summary>
    private const int Grace = 500;

    private readonly MeterProvider _metrics;
    private readonly TracerProvider _traces;

    public OtlpExport(SiteModel site, OtlpModel otlp, ILogger log)
    {
        var told = new CollectorWatch(otlp.Endpoint, log);
        var resource = ResourceBuilder.CreateEmpty().AddService("edgegateway", site.SiteId, ProgramVersion.Text, autoGenerateServiceInstanceId: false, site.GatewayId);
        _metrics = Sdk.CreateMeterProviderBuilder()
            .SetResourceBuilder(resource)
            .AddMeter(GatewayMeter.Name)
            .AddReader(new PeriodicExportingMetricReader(new MetricSender(Options(otlp, "v1/metrics"), told), (int)otlp.Interval.TotalMilliseconds, LongestExportMs))
            .Build();
        _traces = Sdk.CreateTracerProviderBuilder()
            .SetResourceBuilder(resource)
            .AddSource(GatewayMeter.Name)
            .AddProcessor(new BatchActivityExportProcessor(new TraceSender(Options(otlp, "v1/traces"), told)))
            .Build();
        Log.TelemetryExported(log, otlp.Endpoint.ToString(), otlp.Interval.TotalSeconds);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _traces.Shutdown(Grace);
        _metrics.Shutdown(Grace);
        _traces.Dispose();
        _metrics.Dispose();
    }

    // What is set here is what goes on the wire; only addresses from environment variables are completed by the library. gRPC has its own paths.
    private static OtlpExporterOptions Options(OtlpModel otlp, string path) => new()
    {
        Protocol = otlp.IsGrpc ? OtlpExportProtocol.Grpc : OtlpExportProtocol.HttpProtobuf,
        Endpoint = otlp.IsGrpc ? otlp.Endpoint : new Uri($"{otlp.Endpoint.ToString().TrimEnd('/')}/{path}"),
        TimeoutMilliseconds = LongestExportMs,
    };

    /// <summary>Says once when the collector takes nothing any more, and once when it does again.</summary>
    private sealed class CollectorWatch(Uri collector, ILogger log)
    {
        private int _isAway;

        public ExportResult Note(ExportResult result)
        {
            var isAway = result == ExportResult.Success ? 0 : 1;
            if (Interlocked.Exchange(ref _isAway, isAway) != isAway)
            {
                if (isAway == 1)
                {
                    Log.CollectorAway(log, collector.ToString());
                }
                else
                {
                    Log.CollectorBack(log, collector.ToString());
                }
            }

            return result;
        }
    }

    private sealed class MetricSender(OtlpExporterOptions options, CollectorWatch told) : OtlpMetricExporter(options)
    {
        public override ExportResult Export(in Batch<OpenTelemetry.Metrics.Metric> batch) => told.Note(base.Export(batch));
    }

    private sealed class TraceSender(OtlpExporterOptions options, CollectorWatch told) : OtlpTraceExporter(options)
    {
        public override ExportResult Export(in Batch<Activity> batch) => told.Note(base.Export(batch));
    }
}
