using EdgeGateway.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace EdgeGateway.Control;

/// <summary><c>POST /backup</c>: copies the store of the running gateway beside it, and answers with the path of the copy, which is the caller's.</summary>
internal static class BackupEndpoint
{
    public static void Map(IEndpointRouteBuilder endpoints, GatewayRuntime gateway) => endpoints.MapPost("/backup", context => ControlServer.OverSocket(context, async () =>
    {
        try
        {
            var path = await gateway.CopyStoreAsync(context.RequestAborted).ConfigureAwait(false);
            await context.Response.WriteAsJsonAsync(path, ControlJson.Default.String).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            await Replies.RefuseAsync(context, StatusCodes.Status503ServiceUnavailable, e.Message).ConfigureAwait(false);
        }
    }));
}
