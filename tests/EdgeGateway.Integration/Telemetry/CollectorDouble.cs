using System.Net;
using EdgeGateway.Integration.Mqtt;

namespace EdgeGateway.Integration.Telemetry;

/// <summary>A double of a collector of OpenTelemetry: takes OTLP over HTTP with protobuf and keeps what it was told. Fields by opentelemetry-proto, version 1.</summary>
internal sealed class CollectorDouble : IDisposable
{
    private readonly HttpListener _listener = new();
    private readonly Lock _gate = new();
    private readonly Dictionary<string, CollectedMetric> _metrics = [];
    private readonly List<CollectedSpan> _spans = [];
    private readonly Dictionary<string, string> _resource = [];

    public CollectorDouble()
    {
        Port = Mosquitto.FreePort();
        _listener.Prefixes.Add($"http://127.0.0.1:{Port}/");
        _listener.Start();
        _ = Task.Run(ServeAsync);
    }

    public int Port { get; }

    /// <summary>The newest of each metric.</summary>
    public IReadOnlyDictionary<string, CollectedMetric> Metrics { get { lock (_gate) { return new Dictionary<string, CollectedMetric>(_metrics); } } }

    public IReadOnlyList<CollectedSpan> Spans { get { lock (_gate) { return [.. _spans]; } } }

    /// <summary>What the sender says of itself.</summary>
    public IReadOnlyDictionary<string, string> Resource { get { lock (_gate) { return new Dictionary<string, string>(_resource); } } }

    public void Dispose() => _listener.Close();

    private async Task ServeAsync()
    {
        while (_listener.IsListening)
        {
            HttpListenerContext context;
            try
            {
                context = await _listener.GetContextAsync();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                // The test is over.
                return;
            }

            using var body = new MemoryStream();
            await context.Request.InputStream.CopyToAsync(body);
            var message = new Protobuf(body.ToArray());
            context.Response.StatusCode = Take(context.Request, message) ? 200 : 404;
            context.Response.ContentType = "application/x-protobuf";
            context.Response.Close();
        }
    }

    private bool Take(HttpListenerRequest request, Protobuf message)
    {
        if (request is not { HttpMethod: "POST", ContentType: "application/x-protobuf" } || request.Url!.AbsolutePath is not ("/v1/metrics" or "/v1/traces"))
        {
            return false;
        }

        lock (_gate)
        {
            // ResourceMetrics and ResourceSpans: resource 1, scopes 2; a scope: metrics or spans 2.
            foreach (var resource in message.All(1))
            {
                foreach (var (key, value) in Attributes(resource.All(1).SelectMany(r => r.All(1))))
                {
                    _resource[key] = value;
                }

                foreach (var one in resource.All(2).SelectMany(scope => scope.All(2)))
                {
                    if (request.Url.AbsolutePath == "/v1/metrics")
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

        return true;
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
