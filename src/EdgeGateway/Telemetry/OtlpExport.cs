using System.Diagnostics;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
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
            .AddReader(new PeriodicExportingMetricReader(new MetricSender(Options(otlp, "v1/metrics", told), told), (int)otlp.Interval.TotalMilliseconds, LongestExportMs))
            .Build();
        _traces = Sdk.CreateTracerProviderBuilder()
            .SetResourceBuilder(resource)
            .AddSource(GatewayMeter.Name)
            .AddProcessor(new BatchActivityExportProcessor(new TraceSender(Options(otlp, "v1/traces", told), told)))
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
    private static OtlpExporterOptions Options(OtlpModel otlp, string path, CollectorWatch told) => new()
    {
        Protocol = otlp.IsGrpc ? OtlpExportProtocol.Grpc : OtlpExportProtocol.HttpProtobuf,
        Endpoint = otlp.IsGrpc ? otlp.Endpoint : new Uri($"{otlp.Endpoint.ToString().TrimEnd('/')}/{path}"),
        TimeoutMilliseconds = LongestExportMs,
        HttpClientFactory = () => new HttpClient(new Listener(Connection(otlp), told)) { Timeout = TimeSpan.FromMilliseconds(LongestExportMs) },
    };

    /// <summary>TLS as for brokers (requirement S-5): by the system's authorities, or by those of the site alone.</summary>
    private static SocketsHttpHandler Connection(OtlpModel otlp)
    {
        var handler = new SocketsHttpHandler();
        if (otlp.CaFile is not null)
        {
            var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            policy.CustomTrustStore.ImportFromPemFile(otlp.CaFile);
            handler.SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = policy };
        }

        return handler;
    }

    /// <summary>Says once when the collector takes nothing any more, and once when it does again.</summary>
    private sealed class CollectorWatch(Uri collector, ILogger log)
    {
        private int _isAway;
        private volatile string _reason = "no answer";

        /// <summary>Keeps why a request came to nothing: the exporter itself does not tell it.</summary>
        public void Failed(string reason) => _reason = reason;

        public ExportResult Note(ExportResult result)
        {
            var isAway = result == ExportResult.Success ? 0 : 1;
            if (Interlocked.Exchange(ref _isAway, isAway) != isAway)
            {
                if (isAway == 1)
                {
                    Log.CollectorAway(log, collector.ToString(), _reason);
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

    /// <summary>Hears how each request ends.</summary>
    private sealed class Listener(HttpMessageHandler connection, CollectorWatch told) : DelegatingHandler(connection)
    {
        // OTLP over HTTP is sent on the exporter's own thread.
        protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            try
            {
                return Heard(base.Send(request, cancellationToken));
            }
            catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
            {
                told.Failed(e.GetBaseException().Message.TrimEnd('.'));
                throw;
            }
        }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            try
            {
                return Heard(await base.SendAsync(request, cancellationToken).ConfigureAwait(false));
            }
            catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
            {
                told.Failed(e.GetBaseException().Message.TrimEnd('.'));
                throw;
            }
        }

        private HttpResponseMessage Heard(HttpResponseMessage response)
        {
            if (!response.IsSuccessStatusCode)
            {
                told.Failed($"it answers {(int)response.StatusCode}");
            }

            return response;
        }
    }
}
