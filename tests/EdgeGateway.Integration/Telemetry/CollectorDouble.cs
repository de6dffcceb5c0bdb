using System.Buffers.Binary;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using EdgeGateway.Integration.Mqtt;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace EdgeGateway.Integration.Telemetry;

/// <summary>
/// A double of a collector of OpenTelemetry: takes OTLP over HTTP with protobuf, or over gRPC (HTTP/2), with or without TLS, and keeps what it was told. Fields by opentelemetry-proto, version 1;
/// frames by the gRPC protocol over HTTP/2.
/// </summary>
internal sealed class CollectorDouble : IAsyncDisposable
{
    private readonly WebApplication _server;
    private readonly bool _isGrpc;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, CollectedMetric> _metrics = [];
    private readonly List<CollectedSpan> _spans = [];
    private readonly Dictionary<string, string> _resource = [];
    private readonly HashSet<string> _authorizations = [];

    private CollectorDouble(bool isGrpc, TestCertificates? tls)
    {
        (_isGrpc, Port) = (isGrpc, Mosquitto.FreePort());
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(server => server.Listen(IPAddress.Loopback, Port, endpoint =>
        {
            endpoint.Protocols = isGrpc ? HttpProtocols.Http2 : HttpProtocols.Http1;
            if (tls is not null)
            {
                endpoint.UseHttps(X509Certificate2.CreateFromPemFile(tls.ServerCertificate, tls.ServerKey));
            }
        }));
        _server = builder.Build();
        ((IApplicationBuilder)_server).Run(ServeAsync);
    }

    public int Port { get; }

    /// <summary>The newest of each metric.</summary>
    public IReadOnlyDictionary<string, CollectedMetric> Metrics { get { lock (_gate) { return new Dictionary<string, CollectedMetric>(_metrics); } } }

    public IReadOnlyList<CollectedSpan> Spans { get { lock (_gate) { return [.. _spans]; } } }

    /// <summary>What the sender says of itself.</summary>
    public IReadOnlyDictionary<string, string> Resource { get { lock (_gate) { return new Dictionary<string, string>(_resource); } } }

    /// <summary>The different values of the header <c>authorization</c> that came; empty text where it was missing.</summary>
    public IReadOnlyCollection<string> Authorizations { get { lock (_gate) { return [.. _authorizations]; } } }

    /// <summary>Forgets the metrics that came.</summary>
    public void Forget()
    {
        lock (_gate)
        {
            _metrics.Clear();
        }
    }

    public static async Task<CollectorDouble> StartAsync(bool isGrpc = false, TestCertificates? tls = null)
    {
        var collector = new CollectorDouble(isGrpc, tls);
        await collector._server.StartAsync();
        return collector;
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private async Task ServeAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        if (!_isGrpc)
        {
            var isMetrics = context.Request.Path == "/v1/metrics";
            var isKnown = context.Request is { Method: "POST", ContentType: "application/x-protobuf" } && (isMetrics || context.Request.Path == "/v1/traces");
            if (isKnown)
            {
                Take(context.Request, isMetrics, new Protobuf(body.ToArray()));
            }

            context.Response.StatusCode = isKnown ? StatusCodes.Status200OK : StatusCodes.Status404NotFound;
            context.Response.ContentType = "application/x-protobuf";
            return;
        }

        // A message: whether it is compressed, its length in four bytes, itself. Status 12: no such method.
        var asked = context.Request.Path.Value;
        var frame = body.ToArray();
        var isMetricsCall = asked == "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
        var isCall = context.Request is { Method: "POST", ContentType: "application/grpc" } && (isMetricsCall || asked == "/opentelemetry.proto.collector.trace.v1.TraceService/Export")
            && frame is [0, _, _, _, _, ..] && BinaryPrimitives.ReadUInt32BigEndian(frame.AsSpan(1)) == frame.Length - 5;
        context.Response.ContentType = "application/grpc";
        if (isCall)
        {
            Take(context.Request, isMetricsCall, new Protobuf(frame.AsSpan(5).ToArray()));
            await context.Response.Body.WriteAsync(new byte[5], context.RequestAborted);
        }

        context.Response.AppendTrailer("grpc-status", isCall ? "0" : "12");
    }

    private void Take(HttpRequest request, bool isMetrics, Protobuf message)
    {
        lock (_gate)
        {
            _authorizations.Add(request.Headers.Authorization.ToString());

            // ResourceMetrics and ResourceSpans: resource 1, scopes 2; a scope: metrics or spans 2.
            foreach (var resource in message.All(1))
            {
                foreach (var (key, value) in Attributes(resource.All(1).SelectMany(r => r.All(1))))
                {
                    _resource[key] = value;
                }

                foreach (var one in resource.All(2).SelectMany(scope => scope.All(2)))
                {
                    if (isMetrics)
                    {
                        Metric(one);
                    }
                    else
                    {
                        _spans.Add(new(one.Text(5), Convert.ToHexStringLower(one.Bytes(1)), Convert.ToHexStringLower(one.Bytes(2)), Convert.ToHexStringLower(one.Bytes(4)), one.Number(7), one.Number(8), Attributes(one.All(9))));
                    }
                }
            }
        }
    }

    private void Metric(Protobuf metric)
    {
        // gauge 5, sum 7 with is_monotonic 3; a point: as_double 4, attributes 7.
        var isSum = metric.All(7).Any();
        var data = isSum ? metric.All(7).First() : metric.All(5).First();
        _metrics[metric.Text(1)] = new(
            metric.Text(3),
            isSum,
            isSum && data.Number(3) == 1,
            [.. data.All(1).Select(p => (BitConverter.UInt64BitsToDouble(p.Number(4)), Attributes(p.All(7))))]);
    }

    // A text, or a number as the wire has it.
    private static Dictionary<string, string> Attributes(IEnumerable<Protobuf> pairs) =>
        pairs.ToDictionary(p => p.Text(1), p => p.All(2).First().Bytes(1).Length > 0 ? p.All(2).First().Text(1) : $"{p.All(2).First().Number(3)}");
}

/// <summary>A metric as the collector's double got it.</summary>
internal sealed record CollectedMetric(string Unit, bool IsSum, bool IsMonotonic, IReadOnlyList<(double Value, Dictionary<string, string> Labels)> Points);

/// <summary>A span as the collector's double got it; times in nanoseconds since 1970.</summary>
internal sealed record CollectedSpan(string Name, string Trace, string Id, string Parent, ulong Start, ulong End, Dictionary<string, string> Tags);
