namespace EdgeGateway.Buses;

/// <summary>Something that somebody else wants done on a bus.</summary>
/// <param name="longest">How long it may hold up the bus, in milliseconds.</param>
/// <param name="since">When it was asked for, monotonic milliseconds.</param>
internal abstract class Errand(long longest, long since)
{
    /// <summary>How long it may hold up the bus, in milliseconds.</summary>
    public long Longest { get; } = longest;

    /// <summary>When it was asked for, monotonic milliseconds.</summary>
    public long Since { get; } = since;

    public abstract ValueTask RunAsync(IBus bus, CancellationToken cancel);

    public abstract void Refuse(CancellationToken cancel);
}

/// <summary>An errand with a result.</summary>
/// <param name="work">What is to be done.</param>
/// <param name="longest">How long it may hold up the bus, in milliseconds.</param>
/// <param name="since">When it was asked for, monotonic milliseconds.</param>
/// <param name="asker">Ends when nobody waits for it any more.</param>
internal sealed class Errand<T>(Func<IBus, CancellationToken, ValueTask<T>> work, long longest, long since, CancellationToken asker) : Errand(longest, since)
{
    public TaskCompletionSource<T> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public override async ValueTask RunAsync(IBus bus, CancellationToken cancel)
    {
        if (asker.IsCancellationRequested)
        {
            Done.TrySetCanceled(asker);
            return;
        }

        try
        {
            Done.TrySetResult(await work(bus, cancel).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            Done.TrySetCanceled(cancel);
            throw;
        }
        catch (OperationCanceledException) when (asker.IsCancellationRequested)
        {
            // The work looked at its asker's token, too. That is no fault of the bus.
            Done.TrySetCanceled(asker);
        }
        catch (Exception e)
        {
            // Whoever asked is told. A bus that is broken shows at the next poll; a question that cannot be asked must not end the polling.
            Done.TrySetException(e);
        }
    }

    public override void Refuse(CancellationToken cancel) => Done.TrySetCanceled(cancel);
}
