using EdgeGateway.Uplinks;

namespace EdgeGateway.Hosting;

/// <summary>Hands the newest unstored values to the uplinks. Thread-safe; keeps the last set only.</summary>
internal sealed class VolatileValues : IVolatileSource
{
    private readonly Lock _gate = new();
    private VolatileMessages _last = new(0, []);
    private TaskCompletionSource<VolatileMessages>? _next;

    /// <summary>Offers messages to all uplinks; what no uplink took before is forgotten.</summary>
    public void Offer(IReadOnlyList<ReadOnlyMemory<byte>> payloads)
    {
        TaskCompletionSource<VolatileMessages>? next;
        lock (_gate)
        {
            _last = new VolatileMessages(_last.Version + 1, payloads);
            (next, _next) = (_next, null);
        }

        next?.SetResult(_last);
    }

    /// <summary>Forgets the last messages: the store is back.</summary>
    public void Clear()
    {
        lock (_gate)
        {
            _last = _last with { Payloads = [] };
        }
    }

    /// <inheritdoc/>
    public async ValueTask<VolatileMessages> NextAsync(long version, CancellationToken cancel)
    {
        Task<VolatileMessages> next;
        lock (_gate)
        {
            if (_last.Version > version && _last.Payloads.Count > 0)
            {
                return _last;
            }

            next = (_next ??= new TaskCompletionSource<VolatileMessages>(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }

        return await next.WaitAsync(cancel).ConfigureAwait(false);
    }
}
