namespace EdgeGateway.Protocols.Gpio;

/// <summary>What a counter must remember to go on after a restart of the program. Plain numbers, to be committed with the rest of the state.</summary>
public readonly record struct EdgeCounterState
{
    /// <summary>Pulses counted.</summary>
    public long Count { get; init; }

    /// <summary>Edges that came sooner than a pulse can, and are not in <see cref="Count"/>: contact bounce, or a wrong minimum interval.</summary>
    public long TooFast { get; init; }

    /// <summary>Edges that the kernel's buffer had no room for. Their number is proven and counted; when they came is not known.</summary>
    public long Lost { get; init; }

    /// <summary>Edges that a process read which ended before it committed them. Their number is proven and counted; when they came is not known.</summary>
    public long Recovered { get; init; }

    /// <summary>How often the numbers broke off, so that pulses may be missing whose number nobody knows: the lines were free in between, or the state is older than the lines.</summary>
    public long Breaks { get; init; }

    /// <summary>Number of the last event (<see cref="GpioEvent.LineSequence"/>); 0 before the first.</summary>
    public uint LineSequence { get; init; }

    /// <summary>When the last pulse that was counted came, by <see cref="GpioEvent.TimestampNs"/>; 0 when it is not known in the clock of this boot.</summary>
    public ulong LastPulseNs { get; init; }

    /// <summary>All edges that came or are proven to have come.</summary>
    public long Edges => Count + TooFast;
}

/// <summary>What one event added.</summary>
/// <param name="Counted">Pulses, those included that only the numbers prove.</param>
/// <param name="TooFast">Edges that came sooner than a pulse can.</param>
/// <param name="Missing">Edges left out before this one, counted among the other two.</param>
/// <param name="IsRecovered">Whether what is missing was read by a process that ended before it committed; otherwise the kernel's buffer had no room for it.</param>
/// <param name="IsBreak">Whether the numbers broke off here.</param>
public readonly record struct EdgeStep(long Counted, long TooFast, long Missing, bool IsRecovered, bool IsBreak);

/// <summary>Counts the pulses of one line from its events, one edge a pulse, and misses none that the numbers of the events prove. Does no I/O; not for several threads.</summary>
/// <remarks>
/// Whatever happened since the last commit, the next event's number tells how many edges there were, as long as the line was not let go. So begin with
/// <see cref="Requested"/> or <see cref="Adopted"/>, whichever was done.
/// </remarks>
public sealed class EdgeCounter
{
    private readonly ulong _minimumIntervalNs;
    private uint _lineSequence;
    private bool _isAdopted;
    private long _count;
    private long _tooFast;
    private long _lost;
    private long _recovered;
    private long _breaks;
    private ulong _lastPulseNs;

    /// <summary>A counter from nothing, or from where it was.</summary>
    /// <param name="minimumInterval">The shortest time from one pulse to the next that can be; zero to take all edges for pulses.</param>
    /// <param name="state">What was committed last.</param>
    public EdgeCounter(TimeSpan minimumInterval, EdgeCounterState state = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(minimumInterval, TimeSpan.Zero);
        _minimumIntervalNs = (ulong)minimumInterval.Ticks * TimeSpan.NanosecondsPerTick;
        _count = state.Count;
        _tooFast = state.TooFast;
        _lost = state.Lost;
        _recovered = state.Recovered;
        _breaks = state.Breaks;
        _lastPulseNs = state.LastPulseNs;
        _lineSequence = state.LineSequence;
    }

    /// <summary>Pulses counted.</summary>
    public long Count => _count;

    /// <summary>What to commit.</summary>
    public EdgeCounterState State => new()
    {
        Count = _count,
        TooFast = _tooFast,
        Lost = _lost,
        Recovered = _recovered,
        Breaks = _breaks,
        LineSequence = _lineSequence,
        LastPulseNs = _lastPulseNs,
    };

    /// <summary>The line was requested anew: its numbers begin with 1. What came while nobody had it is gone; a break is counted if there was anything before.</summary>
    public void Requested()
    {
        _breaks += _count + _tooFast > 0 ? 1 : 0;
        _lineSequence = 0;
        _lastPulseNs = 0;
        _isAdopted = false;
    }

    /// <summary>The line was kept by somebody since the state was committed: its numbers go on, and what is left out now was read by a process that ended.</summary>
    /// <remarks>Where no state was ever committed, or it is lost, that is every edge since the line was requested.</remarks>
    public void Adopted() => _isAdopted = true;

    /// <summary>Takes the next event of the line.</summary>
    public EdgeStep Add(in GpioEvent e)
    {
        var isBreak = !EventNumbers.Follow(_lineSequence, e.LineSequence, out var missing);
        _lineSequence = e.LineSequence;
        var isRecovered = _isAdopted && missing > 0;
        _isAdopted = false;
        if (isBreak)
        {
            _breaks++;
        }
        else if (isRecovered)
        {
            _recovered += missing;
        }
        else
        {
            _lost += missing;
        }

        // So many pulses fit between the last one and now; where no clock tells, all do.
        var edges = missing + 1L;
        var counted = edges;
        if (_minimumIntervalNs > 0 && _lastPulseNs > 0 && e.TimestampNs >= _lastPulseNs)
        {
            counted = (long)Math.Min((ulong)edges, (e.TimestampNs - _lastPulseNs) / _minimumIntervalNs);
        }

        if (counted > 0)
        {
            _lastPulseNs = e.TimestampNs;
        }

        _count += counted;
        _tooFast += edges - counted;
        return new(counted, edges - counted, missing, isRecovered, isBreak);
    }
}
