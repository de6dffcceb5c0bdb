using System.Runtime.CompilerServices;
using EdgeGateway.Hosting;

namespace EdgeGateway.Buses;

/// <summary>Room for one read under way: its registers, and when it ended. Made once and used again, so that a read allocates nothing.</summary>
internal sealed class ReadSlot
{
    private readonly GatewayClock _clock;
    private readonly Alarm _alarm;
    private readonly Action _ended;
    private ConfiguredValueTaskAwaitable<BusReply>.ConfiguredValueTaskAwaiter _awaiter;
    private volatile bool _isDone;

    /// <param name="clock">Stamps the end.</param>
    /// <param name="alarm">Woken at the end of a read that is watched.</param>
    public ReadSlot(GatewayClock clock, Alarm alarm)
    {
        _clock = clock;
        _alarm = alarm;
        _ended = Ended;
    }

    public ushort[] Registers { get; } = new ushort[DeviceReader.LargestReply];

    /// <summary>The device that is asked.</summary>
    public DeviceLink Link { get; private set; } = null!;

    /// <summary>What it is asked.</summary>
    public PolledRead Read { get; private set; } = null!;

    /// <summary>The round that the read belongs to; null for a probe.</summary>
    public Round? Round { get; private set; }

    /// <summary>Time provider's timestamp at the start.</summary>
    public long Began { get; private set; }

    /// <summary>Monotonic milliseconds at the start.</summary>
    public long BeganAt { get; private set; }

    /// <summary>Monotonic milliseconds at the end.</summary>
    public long EndedAt { get; private set; }

    /// <summary>Time provider's timestamp at the end.</summary>
    public long EndedStamp { get; private set; }

    /// <summary>How many reads may have shared the bus with it.</summary>
    public int Depth { get; private set; }

    /// <summary>Whether it has ended; the owner task then takes its reply.</summary>
    public bool IsDone => _isDone;

    /// <summary>Whether its end wakes the alarm; a read can be waited for in one way only.</summary>
    public bool IsWatched { get; private set; }

    /// <summary>Notes what is about to be asked.</summary>
    public void Prepare(DeviceLink link, PolledRead read, Round? round, int depth)
    {
        (Link, Read, Round, Depth) = (link, read, round, depth);
        (Began, BeganAt) = (_clock.Time.GetTimestamp(), _clock.Monotonic);
        _isDone = IsWatched = false;
    }

    /// <summary>Takes over a read that has been started.</summary>
    public void Start(ValueTask<BusReply> read)
    {
        _awaiter = read.ConfigureAwait(false).GetAwaiter();
        if (_awaiter.IsCompleted)
        {
            Stamp();
        }
    }

    /// <summary>From now on its end wakes the alarm.</summary>
    public void Watch()
    {
        if (IsWatched || _isDone)
        {
            return;
        }

        IsWatched = true;
        if (_awaiter.IsCompleted)
        {
            // It ended since the owner looked last. To be told of it now would make the source queue a work item, which is allocated.
            Ended();
        }
        else
        {
            _awaiter.UnsafeOnCompleted(_ended);
        }
    }

    /// <summary>Waits for its end without the detour of the alarm; only for a read that is not watched.</summary>
    public EndAwaiter EndAsync() => new(this);

    /// <summary>The reply. Once.</summary>
    public BusReply Take() => _awaiter.GetResult();

    /// <summary>Takes note that a read that nobody wants any more has ended, however it did.</summary>
    public void Discard()
    {
        try
        {
            _awaiter.GetResult();
        }
        catch (Exception) when (_isDone)
        {
            // It was cancelled, or the bus has a fault, which another read or the next start reports.
        }
    }

    private void Ended()
    {
        Stamp();
        _alarm.Wake();
    }

    private void Stamp()
    {
        (EndedStamp, EndedAt) = (_clock.Time.GetTimestamp(), _clock.Monotonic);
        _isDone = true;
    }

    /// <summary>Lets the owner task go on where its read ends.</summary>
    internal readonly struct EndAwaiter(ReadSlot slot) : ICriticalNotifyCompletion
    {
        public bool IsCompleted => slot._awaiter.IsCompleted;

        public EndAwaiter GetAwaiter() => this;

        public void GetResult() => slot.Stamp();

        public void OnCompleted(Action continuation) => slot._awaiter.OnCompleted(continuation);

        public void UnsafeOnCompleted(Action continuation) => slot._awaiter.UnsafeOnCompleted(continuation);
    }
}
