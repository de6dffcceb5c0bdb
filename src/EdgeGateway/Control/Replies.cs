using Microsoft.AspNetCore.Http;

namespace EdgeGateway.Control;

/// <summary>Answers that several endpoints give.</summary>
internal static class Replies
{
    /// <summary>Refuses in words.</summary>
    public static Task RefuseAsync(HttpContext context, int status, string words)
    {
        context.Response.StatusCode = status;
        return context.Response.WriteAsJsonAsync(new ErrorDocument(words), ControlJson.Default.ErrorDocument);
    }
}
