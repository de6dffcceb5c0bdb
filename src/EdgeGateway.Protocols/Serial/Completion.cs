using System.Threading.Tasks.Sources;

namespace EdgeGateway.Protocols.Serial;

/// <summary>What one kind of call of a line waits on, used again and again so that waiting allocates nothing.</summary>
internal sealed class Completion : IValueTaskSource<int>, IValueTaskSource<bool>, IThreadPoolWorkItem
{
    private ManualResetValueTaskSourceCore<int> _core;

    /// <summary>What <see cref="Queue"/> ends the wait with.</summary>
    public int Result { get; set; }

    /// <summary>What cancels the wait; disposed of when the caller has taken the result.</summary>
    public CancellationTokenRegistration Registration { get; set; }

    /// <summary>Begins the next wait.</summary>
    /// <returns>Its token.</returns>
    public short Start()
    {
        _core.Reset();
        return _core.Version;
    }

    /// <summary>Ends the wait with <see cref="Result"/>; the caller goes on from the thread pool.</summary>
    public void Queue() => ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);

    /// <summary>Ends the wait; the caller goes on inside this call.</summary>
    public void Complete(int result) => _core.SetResult(result);

    /// <summary>Ends the wait with an error; the caller goes on inside this call.</summary>
    public void Fail(Exception error) => _core.SetException(error);

    void IThreadPoolWorkItem.Execute() => _core.SetResult(Result);

    /// <summary>What the wait ended with.</summary>
    public int GetResult(short token)
    {
        // Disposing waits for a callback that is under way, so a late one cannot meet the next wait.
        Registration.Dispose();
        Registration = default;
        return _core.GetResult(token);
    }

    /// <summary>Whether the wait has ended with anything but 0.</summary>
    bool IValueTaskSource<bool>.GetResult(short token) => GetResult(token) != 0;

    public ValueTaskSourceStatus GetStatus(short token) => _core.GetStatus(token);

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);
}
