namespace EdgeGateway.Protocols.Gpio;

/// <summary>What a quadrature decoder has come to.</summary>
public readonly record struct QuadratureState
{
    /// <summary>Steps forward less steps back; four a period.</summary>
    public long Position { get; init; }

    /// <summary>Edges that the kernel's buffer had no room for; the position is wrong by as many steps at most.</summary>
    public long Lost { get; init; }

    /// <summary>Edges of the direction that their line already had: too fast for the kernel, or bounce. They move nothing.</summary>
    public long Misread { get; init; }

    /// <summary>Whether line A was active at the last; null when that is not known.</summary>
    public bool? IsA { get; init; }

    /// <summary>Whether line B was active at the last; null when that is not known.</summary>
    public bool? IsB { get; init; }

    /// <summary>When it began; events from before are left out.</summary>
    public ulong BeganNs { get; init; }

    /// <summary>Number of the last event (<see cref="GpioEvent.Sequence"/>); 0 before the first.</summary>
    public uint Sequence { get; init; }
}

/// <summary>Position from two lines a quarter of a period apart (rotary encoders, belt direction): every edge is a step, and which way follows from the other line. Does no I/O; not for several threads.</summary>
/// <remarks>
/// The two lines are asked for in one request with both edges, so that <see cref="GpioEvent.Sequence"/> orders them, and all events of the request are added. A step is forward when A leads B. Where the numbers prove lost edges the steps
/// between are not known: the position goes on from where it was, once both lines have been seen again.
///
/// After lines were requested: <see cref="Begin"/>. After they were adopted, go on from the state that was committed.
/// </remarks>
/// <param name="offsetA">Number of line A on the chip.</param>
/// <param name="offsetB">Number of line B on the chip.</param>
/// <param name="state">What was committed last.</param>
public sealed class QuadratureDecoder(int offsetA, int offsetB, QuadratureState state = default)
{
    private QuadratureState _state = state;

    /// <summary>What it has come to, and what to commit.</summary>
    public QuadratureState State => _state;

    /// <summary>Begins, after the lines were requested.</summary>
    /// <param name="isA">The value of line A read now.</param>
    /// <param name="isB">The value of line B read now.</param>
    /// <param name="nowNs">The time, by the clock of the events.</param>
    public void Begin(bool isA, bool isB, ulong nowNs) => _state = _state with { IsA = isA, IsB = isB, BeganNs = nowNs, Sequence = 0 };

    /// <summary>Takes the next event of the request; those of other lines only for their number.</summary>
    /// <returns>1, -1, or 0 when it moved nothing.</returns>
    public int Add(in GpioEvent e)
    {
        var isKnown = EventNumbers.Follow(_state.Sequence, e.Sequence, out var missing) && missing == 0;
        _state = _state with { Sequence = e.Sequence, Lost = _state.Lost + missing };
        var isA = e.Offset == offsetA;
        if (e.TimestampNs < _state.BeganNs)
        {
            // The values read at the beginning hold it already.
            return 0;
        }

        if (!isKnown)
        {
            _state = _state with { IsA = null, IsB = null };
        }

        if (!isA && e.Offset != offsetB)
        {
            return 0;
        }

        var before = isA ? _state.IsA : _state.IsB;
        var other = isA ? _state.IsB : _state.IsA;
        if (before == e.IsRising)
        {
            _state = _state with { Misread = _state.Misread + 1 };
            return 0;
        }

        _state = isA ? _state with { IsA = e.IsRising } : _state with { IsB = e.IsRising };
        if (before is null || other is null)
        {
            return 0;
        }

        // 00, 10, 11, 01 and again: A changes away from B, B changes towards A.
        var step = (e.IsRising != other) == isA ? 1 : -1;
        _state = _state with { Position = _state.Position + step };
        return step;
    }
}
