namespace EdgeGateway.Protocols.Gpio;

/// <summary>What an on-time meter has come to.</summary>
public readonly record struct OnTimeState
{
    /// <summary>How long the line was active, in nanoseconds.</summary>
    public ulong OnNs { get; init; }

    /// <summary>How long it was not, in nanoseconds.</summary>
    public ulong OffNs { get; init; }

    /// <summary>How long nobody knows, in nanoseconds: edges were lost, or nobody had the line.</summary>
    public ulong UnknownNs { get; init; }

    /// <summary>How often it became active.</summary>
    public long Starts { get; init; }

    /// <summary>Edges that the kernel's buffer had no room for.</summary>
    public long Lost { get; init; }

    /// <summary>Edges of the direction that the line already had: it went there and back faster than the kernel could look.</summary>
    public long Misread { get; init; }

    /// <summary>Whether the line was active at the last; null when that is not known.</summary>
    public bool? IsOn { get; init; }

    /// <summary>Until when this holds, by the clock of the events.</summary>
    public ulong UntilNs { get; init; }

    /// <summary>Number of the last event (<see cref="GpioEvent.LineSequence"/>); 0 before the first.</summary>
    public uint LineSequence { get; init; }
}

/// <summary>How long a contact was closed, from both its edges. Does no I/O; not for several threads.</summary>
/// <remarks>
/// An edge says what the line is from then on. Of a blink that is shorter than the kernel's latency nothing but an edge of the same direction is seen; such a line goes on as it was, and the
/// blink is counted as misread. Where the numbers prove that edges were lost, the time from the edge before them to the next is unknown.
///
/// After lines were requested: <see cref="Begin"/>. After they were adopted, go on from the state that was committed: what the process before had read and not committed is missing like a lost edge.
/// </remarks>
/// <param name="state">What was committed last.</param>
public sealed class OnTimeMeter(OnTimeState state = default)
{
    private OnTimeState _state = state;

    /// <summary>Whether the line is active; null when that is not known.</summary>
    public bool? IsOn => _state.IsOn;

    /// <summary>Begins, after the line was requested.</summary>
    /// <param name="isOn">The value read now; null when it is not known.</param>
    /// <param name="nowNs">The time, by the clock of the events. Events from before are left out.</param>
    public void Begin(bool? isOn, ulong nowNs) => _state = _state with { IsOn = isOn, UntilNs = nowNs, LineSequence = 0 };

    /// <summary>Takes the next event of the line.</summary>
    public void Add(in GpioEvent e)
    {
        var isKnown = EventNumbers.Follow(_state.LineSequence, e.LineSequence, out var missing) && missing == 0;
        _state = _state with { LineSequence = e.LineSequence, Lost = _state.Lost + missing };
        if (e.TimestampNs < _state.UntilNs)
        {
            // The value read at the beginning holds it already, and what was lost before it as well.
            return;
        }

        _state = _state with { IsOn = isKnown ? _state.IsOn : null };
        Pass(e.TimestampNs);
        _state = _state with
        {
            Misread = _state.Misread + (_state.IsOn == e.IsRising ? 1 : 0),
            Starts = _state.Starts + (_state.IsOn == false && e.IsRising ? 1 : 0),
            IsOn = e.IsRising,
        };
    }

    /// <summary>Nobody has the line from now on.</summary>
    public void End(ulong nowNs)
    {
        Pass(nowNs);
        _state = _state with { IsOn = null };
    }

    /// <summary>What it has come to until now, and what to commit.</summary>
    /// <param name="nowNs">The time, by the clock of the events; all events from before it have been added.</param>
    public OnTimeState Read(ulong nowNs)
    {
        Pass(nowNs);
        return _state;
    }

    private void Pass(ulong nowNs)
    {
        if (nowNs <= _state.UntilNs)
        {
            return;
        }

        var time = nowNs - _state.UntilNs;
        _state = _state.IsOn switch
        {
            true => _state with { OnNs = _state.OnNs + time, UntilNs = nowNs },
            false => _state with { OffNs = _state.OffNs + time, UntilNs = nowNs },
            null => _state with { UnknownNs = _state.UnknownNs + time, UntilNs = nowNs },
        };
    }
}
