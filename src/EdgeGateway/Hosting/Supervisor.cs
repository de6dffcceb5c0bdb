using Microsoft.Extensions.Logging;

namespace EdgeGateway.Hosting;

/// <summary>Keeps a part of the gateway running: a fault ends that part only, and it is started again with back-off (requirement P-2).</summary>
internal static class Supervisor
{
    private static readonly TimeSpan FirstDelay = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(60);

    /// <summary>Runs <paramref name="part"/> until cancelled.</summary>
    /// <param name="name">What it is, for log and feed.</param>
    /// <param name="part">The work; started again when it ends by a fault or unasked.</param>
    /// <param name="time">Clock of the back-off.</param>
    /// <param name="log">Told of each fault.</param>
    /// <param name="cancel">Ends the work for good.</param>
    /// <param name="failed">Told of each fault as well; must not throw.</param>
    /// <param name="beat">The part's sign of life: a part that waits for its next start is not blocked.</param>
    public static async Task KeepAsync(
        string name,
        Func<CancellationToken, Task> part,
        TimeProvider time,
        ILogger log,
        CancellationToken cancel,
        Action<string, Exception>? failed = null,
        Heartbeat? beat = null)
    {
        var delay = FirstDelay;
        while (!cancel.IsCancellationRequested)
        {
            var started = time.GetTimestamp();
            beat?.Beat();
            try
            {
                await part(cancel).ConfigureAwait(false);
                if (cancel.IsCancellationRequested)
                {
                    return;
                }

                throw new InvalidOperationException("It ended although it was not asked to.");
            }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // Whatever went wrong in one part must not end the others; it is logged with its cause.
            catch (Exception e)
#pragma warning restore CA1031
            {
                if (time.GetElapsedTime(started) > LongestDelay)
                {
                    delay = FirstDelay;
                }

                Log.PartFailed(log, name, delay, e);
                failed?.Invoke(name, e);
            }

            beat?.Beat(delay);
            try
            {
                await Task.Delay(delay, time, cancel).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            delay = delay * 2 < LongestDelay ? delay * 2 : LongestDelay;
        }
    }
}
