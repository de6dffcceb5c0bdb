using System.Text.Json;
using EdgeGateway.Core.Site;
using EdgeGateway.Following;
using EdgeGateway.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace EdgeGateway.Control;

/// <summary><c>/follow/{device}/{point}</c>: what becomes of the next sample of a point, one JSON document a line, until every uplink is done with it, the asker goes, or the gateway stops.</summary>
internal static class FollowEndpoint
{
    private static readonly byte[] NewLine = "\n"u8.ToArray();

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
            // Nothing is said until something happens.
            if (context.Features.Get<IHttpMinResponseDataRateFeature>() is { } rate)
            {
                rate.MinDataRate = null;
            }

            var cancel = context.RequestAborted;
            context.Response.ContentType = "application/x-ndjson";
            await context.Response.StartAsync(cancel).ConfigureAwait(false);
            await context.Response.Body.FlushAsync(cancel).ConfigureAwait(false);
            List<FollowDocument> steps = [];
            await foreach (var step in follow.Steps.ReadAllAsync(cancel).ConfigureAwait(false))
            {
                steps.Add(step);
                var told = step.Complete is null ? step : step with { TraceId = FollowTrace.Send(gateway.Site, point, steps) };
                await context.Response.Body.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(told, FollowJson.Default.FollowDocument), cancel).ConfigureAwait(false);
                await context.Response.Body.WriteAsync(NewLine, cancel).ConfigureAwait(false);
                await context.Response.Body.FlushAsync(cancel).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The asker has seen enough.
            return;
        }
        finally
        {
            gateway.Follower.End(follow);
        }
    }
}
