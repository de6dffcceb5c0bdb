using System.Threading.Tasks.Sources;

namespace EdgeGateway.Protocols.Modbus;

/// <summary>Wakes one waiting loop, without an allocation. <see cref="Set"/> runs the loop in its own call, until it waits again.</summary>
internal sealed class WorkSignal : IValueTaskSource
{
    private ManualResetValueTaskSourceCore<bool> _core;

    /// <summary>Makes ready for a new wait; to be called before whoever sets the signal can know of the wait.</summary>
    public void Reset() => _core.Reset();

    /// <summary>Ends the wait; once after each <see cref="Reset"/>.</summary>
    public void Set() => _core.SetResult(true);

    /// <summary>Waits for <see cref="Set"/>.</summary>
    public ValueTask WaitAsync() => new(this, _core.Version);

    void IValueTaskSource.GetResult(short token) => _core.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);
}
