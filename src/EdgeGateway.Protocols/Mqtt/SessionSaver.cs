using System.Threading.Channels;

namespace EdgeGateway.Protocols.Mqtt;

/// <summary>
/// Saves the session, one save for all that waits, and says what is durable. Changes are numbered; a packet that may leave only after its
/// change is durable carries the number.
/// </summary>
internal sealed class SessionSaver(
    IMqttSessionStore store, Func<IReadOnlyList<MqttSettled>, CancellationToken, ValueTask>? settling, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    private readonly Channel<bool> _wanted = Channel.CreateBounded<bool>(1);
    private readonly SemaphoreSlim _one = new(1);
    private readonly List<MqttSettled> _settled = [];
    private long _changes;
    private long _durable;

    /// <summary>Gives the state as it is now and adds what was settled since it was last asked; null before there was a session.</summary>
    public required Func<List<MqttSettled>, MqttSessionState?> Capture { get; init; }

    /// <summary>Called after each save.</summary>
    public required Action Saved { get; init; }

    /// <summary>Told of each save that failed.</summary>
    public required Action<Exception> Failed { get; init; }

    /// <summary>What the store has, as far as we know.</summary>
    public MqttSessionState? Stored { get; set; }

    /// <summary>
    /// True when the store names identifiers of QoS 2. They must be gone from it before another session of the server is used: after a crash they would be
    /// taken for identifiers of that one, and a new message for a repeated one.
    /// </summary>
    public bool HoldsExactlyOnce => Stored is { } state && (state.Received.Count > 0 || state.Outgoing.Any(each => each.Qos == MqttQos.ExactlyOnce));

    /// <summary>The number of the last change.</summary>
    public long Changes => Interlocked.Read(ref _changes);

    public bool IsDurable(long change) => Interlocked.Read(ref _durable) >= change;

    /// <summary>Notes a change that was just made.</summary>
    /// <param name="awaited">True when something waits for it; else it goes along with the next save.</param>
    /// <returns>Its number.</returns>
    public long Changed(bool awaited)
    {
        var number = Interlocked.Increment(ref _changes);
        if (awaited)
        {
            // Full means that it is wanted already, and the save that comes will hold this change too.
            _wanted.Writer.TryWrite(true);
        }

        return number;
    }

    /// <summary>Saves whenever something waits, until cancelled; a failed save is tried again.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        while (true)
        {
            await _wanted.Reader.ReadAsync(cancel).ConfigureAwait(false);
            while (await TrySaveAsync(cancel).ConfigureAwait(false) is { } failure)
            {
                Failed(failure);
                await Task.Delay(RetryAfter, time, cancel).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Saves unless all is durable.</summary>
    /// <returns>Why it failed, or null.</returns>
    public async ValueTask<Exception?> TrySaveAsync(CancellationToken cancel)
    {
        await _one.WaitAsync(cancel).ConfigureAwait(false);
        try
        {
            // The number first: the state is then at least as new.
            var number = Changes;
            if (IsDurable(number))
            {
                return null;
            }

            if (Capture(_settled) is not { } state)
            {
                return null;
            }

            if (_settled.Count > 0)
            {
                if (settling is not null)
                {
                    await settling([.. _settled], cancel).ConfigureAwait(false);
                }

                _settled.Clear();
            }

            await store.SaveAsync(state, cancel).ConfigureAwait(false);
            Stored = state;
            Interlocked.Exchange(ref _durable, number);
        }
        catch (Exception failure) when (!cancel.IsCancellationRequested)
        {
            // Whatever a store or a caller throws must not end the client: live messages flow on, those that need the save wait.
            return failure;
        }
        finally
        {
            _one.Release();
        }

        Saved();
        return null;
    }

    /// <summary>No save may be under way.</summary>
    public void Dispose() => _one.Dispose();
}
