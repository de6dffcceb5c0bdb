namespace EdgeGateway.Protocols.Mqtt;

/// <summary>A server before the present one in the list that has accepted us.</summary>
/// <param name="Index">Its place in the list.</param>
/// <param name="Server">Its address.</param>
/// <param name="Accepted">The connection, ready to serve.</param>
internal sealed record BetterServer(int Index, Uri Server, MqttHandshake.Accepted Accepted);

/// <summary>
/// Looks for a better server beside a connection that serves, so that nothing stands still and nothing is given up before the better one has accepted us
/// (requirement M-12).
/// </summary>
internal sealed class BetterServerSearch(
    ServerRoute route, int present, MqttHandshake handshake, Func<string> clientId, TimeSpan after, TimeProvider time)
{
    private volatile bool _isTrying;

    /// <summary>
    /// True while one is being tried. If it belongs to the same cluster it may end the present connection (session taken over) before it answers.
    /// </summary>
    public bool IsTrying => _isTrying;

    /// <summary>Waits, tries the better servers, and again, until one accepts; null when cancelled.</summary>
    /// <param name="waiting">Ends the waiting, not an attempt that has begun.</param>
    /// <param name="cancel">Ends everything.</param>
    public async Task<BetterServer?> RunAsync(CancellationToken waiting, CancellationToken cancel)
    {
        try
        {
            while (true)
            {
                await Task.Delay(present > 0 && after > TimeSpan.Zero ? after : Timeout.InfiniteTimeSpan, time, waiting).ConfigureAwait(false);
                for (var index = 0; index < present && !waiting.IsCancellationRequested; index++)
                {
                    _isTrying = true;
                    try
                    {
                        var server = route[index];
                        return new(index, server, await handshake.ConnectAsync(server, clientId(), haveState: false, cancel).ConfigureAwait(false));
                    }
                    catch (ConnectFailedException)
                    {
                        // Not there yet. The present connection serves, so there is nothing to tell.
                    }
                    finally
                    {
                        _isTrying = false;
                    }
                }
            }
        }
        catch (OperationCanceledException) when (waiting.IsCancellationRequested || cancel.IsCancellationRequested)
        {
            return null;
        }
    }

    /// <summary>Says goodbye to a server that is not needed after all.</summary>
    public ValueTask CloseAsync(BetterServer server) => handshake.CloseAsync(server.Accepted.Connection, CancellationToken.None);
}
