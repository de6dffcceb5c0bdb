using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace EdgeGateway.Control;

/// <summary>A reply that goes on: JSON documents, one a line, as they come.</summary>
internal static class LineReply
{
    private static readonly byte[] NewLine = "\n"u8.ToArray();

    /// <summary>Sends what comes until it ends or the asker goes, which is no error.</summary>
    /// <param name="context">The request.</param>
    /// <param name="type">How a document is written.</param>
    /// <param name="groups">The documents; those that come together are sent together. It is given the end of the request.</param>
    public static async Task SendAsync<T>(HttpContext context, JsonTypeInfo<T> type, Func<CancellationToken, IAsyncEnumerable<IReadOnlyList<T>>> groups)
    {
        var cancel = context.RequestAborted;
        try
        {
            // Nothing may be said for long, and a reader may be slow or stand still.
            if (context.Features.Get<IHttpMinResponseDataRateFeature>() is { } rate)
            {
                rate.MinDataRate = null;
            }

            context.Response.ContentType = "application/x-ndjson";
            await context.Response.StartAsync(cancel).ConfigureAwait(false);
            await context.Response.Body.FlushAsync(cancel).ConfigureAwait(false);
            await foreach (var group in groups(cancel).ConfigureAwait(false))
            {
                foreach (var document in group)
                {
                    await context.Response.Body.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(document, type), cancel).ConfigureAwait(false);
                    await context.Response.Body.WriteAsync(NewLine, cancel).ConfigureAwait(false);
                }

                await context.Response.Body.FlushAsync(cancel).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            // The asker has seen enough.
            return;
        }
    }
}
