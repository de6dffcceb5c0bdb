using EdgeGateway.Core.Alarms;
using EdgeGateway.Hosting;
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

    private static Task OrderAsync(HttpContext context, GatewayRuntime gateway) => OrderReply.SendAsync(
        context,
        ControlJson.Default.AlarmOrderDocument,
        $"{Grammar} Actions: {string.Join(", ", AlarmDocuments.Actions.Keys)}.",
        order => order is { Action: not null, Ids: not null } && AlarmDocuments.Actions.TryGetValue(order.Action, out var action) && order.ForSeconds is (null or (>= 0 and <= 1e9))
            ? gateway.OrderAsync(new AlarmOrder(action, order.Ids, order.ForSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null, SocketPeer.Describe(context), order.Reason ?? ""))
            : null,
        () => ListAsync(context, gateway));
}
