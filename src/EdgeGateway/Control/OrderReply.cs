using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using EdgeGateway.Storage;
using Microsoft.AspNetCore.Http;

namespace EdgeGateway.Control;

/// <summary>The reply to a person's order: what stands after it, or why it is refused.</summary>
internal static class OrderReply
{
    /// <summary>Reads an order, does it, and answers.</summary>
    /// <param name="context">The request.</param>
    /// <param name="type">How the order is written.</param>
    /// <param name="grammar">What a whole order looks like, for one that is none.</param>
    /// <param name="order">Does it and gives the refusal, null when it is done; a null task for an order that is not whole.</param>
    /// <param name="answer">Answers an order that was done.</param>
    public static async Task SendAsync<T>(HttpContext context, JsonTypeInfo<T> type, string grammar, Func<T, Task<string?>?> order, Func<Task> answer)
        where T : class
    {
        T? asked = null;
        try
        {
            asked = await JsonSerializer.DeserializeAsync(context.Request.Body, type, context.RequestAborted).ConfigureAwait(false);
        }
        catch (JsonException)
        {
            // Answered below, like an order that is not whole.
        }

        try
        {
            if (asked is null || order(asked) is not { } doing)
            {
                await Replies.RefuseAsync(context, StatusCodes.Status422UnprocessableEntity, grammar).ConfigureAwait(false);
                return;
            }

            if (await doing.ConfigureAwait(false) is { } refusal)
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

        await answer().ConfigureAwait(false);
    }
}
