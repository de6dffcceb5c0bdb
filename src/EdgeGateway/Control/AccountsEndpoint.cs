using EdgeGateway.Hosting;
using EdgeGateway.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace EdgeGateway.Control;

/// <summary><c>GET /accounts</c> and <c>POST /accounts/order</c>: what of the carbon accounts waits for a person, and what that person says.</summary>
internal static class AccountsEndpoint
{
    private const string Grammar = "Write { action, device } with oldFinal and newStart for a change, and point, method and reason where wanted.";

    public static void Map(IEndpointRouteBuilder endpoints, GatewayRuntime gateway)
    {
        endpoints.MapGet("/accounts", context => ControlServer.OverSocket(context, () => ListAsync(context, gateway)));
        endpoints.MapPost("/accounts/order", context => ControlServer.OverSocket(context, () => OrderAsync(context, gateway)));
    }

    private static async Task ListAsync(HttpContext context, GatewayRuntime gateway)
    {
        try
        {
            var document = await gateway.AccountsAsync().ConfigureAwait(false);
            await context.Response.WriteAsJsonAsync(document, ControlJson.Default.AccountsDocument).ConfigureAwait(false);
        }
        catch (StoreException e)
        {
            await Replies.RefuseAsync(context, StatusCodes.Status503ServiceUnavailable, e.Message).ConfigureAwait(false);
        }
    }

    private static Task OrderAsync(HttpContext context, GatewayRuntime gateway) => OrderReply.SendAsync(
        context,
        ControlJson.Default.AccountOrderDocument,
        $"{Grammar} Actions: {string.Join(", ", AccountDocuments.Actions)}.",
        order => AccountDocuments.IsWhole(order) ? gateway.OrderAsync(order with { Reason = order.Reason ?? "" }, SocketPeer.Describe(context)) : null,
        () => ListAsync(context, gateway));
}
