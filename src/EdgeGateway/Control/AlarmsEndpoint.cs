using System.Text.Json;
using EdgeGateway.Core.Alarms;
using EdgeGateway.Hosting;
using EdgeGateway.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace EdgeGateway.Control;

/// <summary><c>GET /alarms</c> and <c>POST /alarms/order</c>: the alarms, and what people do with them.</summary>
internal static class AlarmsEndpoint
{
    private const string Grammar = "Write { action, ids } with forSeconds to shelve, and reason where wanted.";

    public static void Map(IEndpointRouteBuilder endpoints, GatewayRuntime gateway)
    {
        endpoints.MapGet("/alarms", context => ControlServer.OverSocket(context, () => ListAsync(context, gateway)));
        endpoints.MapPost("/alarms/order", context => ControlServer.OverSocket(context, () => OrderAsync(context, gateway)));
    }

    private static Task ListAsync(HttpContext context, GatewayRuntime gateway)
    {
        var language = context.Request.Query["language"].FirstOrDefault() is { Length: > 0 } asked ? asked : gateway.Site.Language;
        return AlarmMessages.Languages.Contains(language)
            ? context.Response.WriteAsJsonAsync(gateway.Alarms(AlarmMessages.In(language)), ControlJson.Default.AlarmsDocument)
            : Replies.RefuseAsync(context, StatusCodes.Status422UnprocessableEntity, $"There is no language '{language}'. Languages: {string.Join(", ", AlarmMessages.Languages)}.");
    }

    private static async Task OrderAsync(HttpContext context, GatewayRuntime gateway)
    {
        AlarmOrderDocument? order = null;
        try
        {
            order = await JsonSerializer.DeserializeAsync(context.Request.Body, ControlJson.Default.AlarmOrderDocument, context.RequestAborted).ConfigureAwait(false);
        }
        catch (JsonException)
        {
            // Answered below, like an order without alarms.
        }

        if (order is not { Action: not null, Ids: not null } || !AlarmDocuments.Actions.TryGetValue(order.Action, out var action) || order.ForSeconds is not (null or (>= 0 and <= 1e9)))
        {
            await Replies.RefuseAsync(context, StatusCodes.Status422UnprocessableEntity, $"{Grammar} Actions: {string.Join(", ", AlarmDocuments.Actions.Keys)}.").ConfigureAwait(false);
            return;
        }

        TimeSpan? time = order.ForSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null;
        try
        {
            if (await gateway.OrderAsync(new AlarmOrder(action, order.Ids, time, SocketPeer.Describe(context), order.Reason ?? "")).ConfigureAwait(false) is { } refusal)
            {
                await Replies.RefuseAsync(context, StatusCodes.Status422UnprocessableEntity, refusal).ConfigureAwait(false);
                return;
            }
        }
        catch (StoreException e)
        {
            await Replies.RefuseAsync(context, StatusCodes.Status503ServiceUnavailable, e.Message).ConfigureAwait(false);
            return;
        }

        await ListAsync(context, gateway).ConfigureAwait(false);
    }
}
