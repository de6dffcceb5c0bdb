using System.Runtime.CompilerServices;
using EdgeGateway.Core.Site;
using EdgeGateway.Following;
using EdgeGateway.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace EdgeGateway.Control;

/// <summary><c>/follow/{device}/{point}</c>: what becomes of the next sample of a point, one JSON document a line, until every uplink is done with it, the asker goes, or the gateway stops.</summary>
internal static class FollowEndpoint
{
    public static void Map(IEndpointRouteBuilder endpoints, GatewayRuntime gateway) =>
        endpoints.Map("/follow/{device}/{point}", context => ControlServer.OverSocket(context, () => ServeAsync(context, gateway)));

    /// <summary>Finds the point, or says why its samples cannot be followed.</summary>
    internal static (PointModel? Point, string? Refusal) Find(SiteModel site, string device, string point)
    {
        if (site.Devices.FirstOrDefault(d => d.Id == device) is not { } model)
        {
            return (null, $"There is no device '{device}'. Devices: {string.Join(", ", site.Devices.Select(d => d.Id))}.");
        }

        if (model.Points.Select(p => site.Points[p]).FirstOrDefault(p => p.Id == point) is not { } found)
        {
            return (null, $"The device {device} has no point '{point}'. Points: {string.Join(", ", model.Points.Select(p => site.Points[p].Id))}.");
        }

        return found switch
        {
            { Kind: PointKind.Text } => (null, $"{device}.{point} is a text: it makes no samples, and stands in the birth of its device."),
            { Period.Ticks: 0 } => (null, $"{device}.{point} is read once, when the device is first reached: there is no next sample."),
            _ => (found, null),
        };
    }

    private static async Task ServeAsync(HttpContext context, GatewayRuntime gateway)
    {
        var (point, refusal) = Find(gateway.Site, (string)context.Request.RouteValues["device"]!, (string)context.Request.RouteValues["point"]!);
        if (point is null)
        {
            await Replies.RefuseAsync(context, StatusCodes.Status404NotFound, refusal!).ConfigureAwait(false);
            return;
        }

        if (gateway.PollerOf(gateway.Site.Devices[point.DeviceIndex].BusId) is { Follower: null } poller)
        {
            await Replies.RefuseAsync(
                context,
                StatusCodes.Status409Conflict,
                $"The bus {poller.Model.Id} has been polled without a break since an earlier configuration, which numbered its points otherwise: its samples can be followed after the next restart of the gateway.").ConfigureAwait(false);
            return;
        }

        var follow = gateway.Follow(point);
        if (!gateway.Follower.TryBegin(follow))
        {
            await Replies.RefuseAsync(context, StatusCodes.Status429TooManyRequests, "Another sample is followed already; one at a time.").ConfigureAwait(false);
            return;
        }

        try
        {
            await LineReply.SendAsync(context, FollowJson.Default.FollowDocument, cancel => StepsAsync(follow, gateway.Site, point, cancel)).ConfigureAwait(false);
        }
        finally
        {
            gateway.Follower.End(follow);
        }
    }

    /// <summary>What happened to the sample, each step as it happens; the last one names the trace of all.</summary>
    private static async IAsyncEnumerable<IReadOnlyList<FollowDocument>> StepsAsync(SampleFollow follow, SiteModel site, PointModel point, [EnumeratorCancellation] CancellationToken cancel)
    {
        List<FollowDocument> steps = [];
        await foreach (var step in follow.Steps.ReadAllAsync(cancel).ConfigureAwait(false))
        {
            steps.Add(step);
            yield return [step.Complete is null ? step : step with { TraceId = FollowTrace.Send(site, point, steps) }];
        }
    }
}
