using System.Diagnostics;
using EdgeGateway.Core.Site;
using EdgeGateway.Telemetry;

namespace EdgeGateway.Following;

/// <summary>The way of a followed sample as a trace: one span for the whole, and one below it for each part, from the step before to its own.</summary>
internal static class FollowTrace
{
    private static readonly ActivitySource Source = new(GatewayMeter.Name, ProgramVersion.Text);

    /// <summary>Hands the trace to whoever listens, which is the export by OTLP.</summary>
    /// <param name="site">The site.</param>
    /// <param name="point">The point.</param>
    /// <param name="steps">All steps; the last one is the end.</param>
    /// <returns>The id of the trace; null when nobody listens.</returns>
    public static string? Send(SiteModel site, PointModel point, IReadOnlyList<FollowDocument> steps)
    {
        if (!Source.HasListeners() || steps.FirstOrDefault(s => s.Step == "read") is not { } read)
        {
            return null;
        }

        // No part of the request that asks for it.
        var around = Activity.Current;
        Activity.Current = null;
        try
        {
            var begin = read.Time.AddMilliseconds(-(read.TookMilliseconds ?? 0));
            var root = Source.CreateActivity($"sample {site.Devices[point.DeviceIndex].Id}.{point.Id}", ActivityKind.Internal)?.SetStartTime(begin.UtcDateTime).Start();
            if (root is null)
            {
                return null;
            }

            root.SetTag("edgegateway.site", site.SiteId).SetTag("edgegateway.gateway", site.GatewayId)
                .SetTag("edgegateway.device", site.Devices[point.DeviceIndex].Id).SetTag("edgegateway.point", point.Id);
            var before = begin;
            foreach (var step in steps)
            {
                // Uplinks work beside each other: each part of theirs has begun when it says so.
                var from = step.TookMilliseconds is { } took ? step.Time.AddMilliseconds(-took) : before;
                if (step.Complete is null)
                {
                    Span(root, step, from);
                }

                before = step.Time > before ? step.Time : before;
            }

            var end = steps[^1];
            root.SetStatus(end.Complete == true ? ActivityStatusCode.Ok : ActivityStatusCode.Error, end.Text);
            root.SetEndTime(end.Time.UtcDateTime).Stop();
            return root.TraceId.ToHexString();
        }
        finally
        {
            Activity.Current = around;
        }
    }

    private static void Span(Activity root, FollowDocument step, DateTimeOffset from)
    {
        using var span = Source.CreateActivity(step.Step, ActivityKind.Internal, root.Context)?.SetStartTime((from < step.Time ? from : step.Time).UtcDateTime).Start();
        if (span is null)
        {
            return;
        }

        span.SetTag("edgegateway.text", step.Text);
        foreach (var (name, value) in Tags(step))
        {
            if (value is not null)
            {
                span.SetTag(name, value);
            }
        }

        span.SetEndTime(step.Time.UtcDateTime);
    }

    private static IEnumerable<(string Name, object? Value)> Tags(FollowDocument step) =>
    [
        ("edgegateway.value", step.Value), ("edgegateway.unit", step.Value is null ? null : step.Unit), ("edgegateway.quality", step.Quality), ("edgegateway.reason", step.Reason), ("edgegateway.raw", step.Raw),
        ("edgegateway.stream", step.Stream), ("edgegateway.epoch", step.Epoch), ("edgegateway.sequence", step.Sequence), ("edgegateway.row", step.Row), ("edgegateway.uplink", step.Uplink),
    ];
}
