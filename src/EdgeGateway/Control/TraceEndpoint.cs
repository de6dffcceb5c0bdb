using System.Globalization;
using EdgeGateway.Buses;
using EdgeGateway.Core.Site;
using EdgeGateway.Hosting;
using EdgeGateway.Tracing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace EdgeGateway.Control;

/// <summary><c>/trace/{bus}</c>: what passes on a bus, one JSON document a line, until the asker goes or the gateway stops.</summary>
internal static class TraceEndpoint
{
    public static void Map(IEndpointRouteBuilder endpoints, GatewayRuntime gateway) =>
        endpoints.Map("/trace/{bus}", context => ControlServer.OverSocket(context, () => ServeAsync(context, gateway)));

    private static async Task ServeAsync(HttpContext context, GatewayRuntime gateway)
    {
        var id = (string)context.Request.RouteValues["bus"]!;
        if (gateway.WireOf(id) is not { } wire)
        {
            var known = gateway.Site.Buses.FirstOrDefault(b => b.Id == id);
            await (known is LocalBus local
                ? Replies.RefuseAsync(context, StatusCodes.Status400BadRequest, BusKinds.NoWire(local))
                : known is ILoggerBus ? Replies.RefuseAsync(context, StatusCodes.Status400BadRequest, BusKinds.NoAsking(known))
                : Replies.RefuseAsync(context, StatusCodes.Status404NotFound, $"There is no bus '{id}'. Buses: {string.Join(", ", gateway.Site.Buses.Select(b => b.Id))}.")).ConfigureAwait(false);
            return;
        }

        int? unit = int.TryParse(context.Request.Query["unit"], CultureInfo.InvariantCulture, out var number) ? number : null;
        using var watcher = wire.Attach();
        if (watcher is null)
        {
            await Replies.RefuseAsync(context, StatusCodes.Status429TooManyRequests, $"{WireHub.MostWatchers} traces of the bus '{id}' run already. End one of them.").ConfigureAwait(false);
            return;
        }

        try
        {
            var bus = gateway.Site.Buses.First(b => b.Id == id);
            var session = new TraceSession([.. gateway.Site.Devices.Where(d => d.BusId == id)], wire.WallClock, unit);
            await LineReply.SendAsync(context, TraceJson.Default.TraceDocument, cancel => session.WatchAsync(wire, watcher, bus, cancel)).ConfigureAwait(false);
        }
        finally
        {
            wire.Detach(watcher);
        }
    }
}
