using EdgeGateway.Protocols.Mqtt;

namespace EdgeGateway.Tests.Protocols.Mqtt;

/// <summary>A disk for sessions that the test can hold up, break, and look at; what it holds is what a crash would leave.</summary>
internal sealed class MemorySessionStore(MqttSessionState? state = null) : IMqttSessionStore
{
    private readonly Lock _gate = new();
    private int _begun;
    private int _seen;
    private MqttSessionState? _state = state;
    private TaskCompletionSource _permit = Done();

    public MqttSessionState? State { get { lock (_gate) { return _state; } } }

    public int Saves { get; private set; }

    /// <summary>Set to make saves fail.</summary>
    public Exception? Failure { get; set; }

    public MqttSessionState? Load() => State;

    /// <summary>Saves begin and do not end until <see cref="Release"/>.</summary>
    public void Hold() { lock (_gate) { _permit = new(TaskCreationOptions.RunContinuationsAsynchronously); } }

    public void Release() { lock (_gate) { _permit.TrySetResult(); } }

    /// <summary>Waits until a save has begun that was not waited for yet.</summary>
    public async Task BegunAsync()
    {
        _seen++;
        for (var i = 0; Volatile.Read(ref _begun) < _seen; i++)
        {
            Assert.True(i < 20_000, "no save was begun");
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, CancellationToken.None);
        }
    }

    public async ValueTask SaveAsync(MqttSessionState state, CancellationToken cancel)
    {
        Task permit;
        lock (_gate) { permit = _permit.Task; }
        Interlocked.Increment(ref _begun);
        await permit.WaitAsync(cancel);
        if (Failure is { } failure)
        {
            throw failure;
        }

        lock (_gate)
        {
            _state = state;
            Saves++;
        }
    }

    /// <summary>What a process that starts now would find, in a store of its own.</summary>
    public MemorySessionStore Crashed() => new(State);

    private static TaskCompletionSource Done()
    {
        var done = new TaskCompletionSource();
        done.SetResult();
        return done;
    }
}
