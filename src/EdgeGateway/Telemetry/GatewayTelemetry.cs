using System.Runtime.CompilerServices;
using EdgeGateway.Core.Site;
using Microsoft.Extensions.Logging;

namespace EdgeGateway.Telemetry;

/// <summary>The instruments of a running gateway, and what exports them where the site asks for it.</summary>
internal sealed class GatewayTelemetry : IDisposable
{
    private readonly GatewayMeter _meter;
    private readonly IDisposable? _export;

    private GatewayTelemetry(GatewayMeter meter, IDisposable? export) => (_meter, _export) = (meter, export);

    /// <summary>Makes the instruments, and begins to export them where the site names a collector.</summary>
    /// <param name="site">The site.</param>
    /// <param name="measure">Measures, from any thread, until this is disposed.</param>
    /// <param name="time">Clock.</param>
    /// <param name="log">Told when the collector goes and comes back.</param>
    public static GatewayTelemetry Start(SiteModel site, Func<Measurement> measure, TimeProvider time, ILogger log)
    {
        var meter = new GatewayMeter(Metrics.All, measure, time);
        return new(meter, site.Otlp is { } otlp ? Export(site, otlp, log) : null);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _export?.Dispose();
        _meter.Dispose();
    }

    // The libraries of OpenTelemetry are loaded when this is compiled, and not before: a site without a collector does not pay for them.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static OtlpExport Export(SiteModel site, OtlpModel otlp, ILogger log) => new(site, otlp, log);
}
