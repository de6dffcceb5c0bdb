namespace EdgeGateway.Protocols.Gpio;

/// <summary>Frequency from the time stamps of pulses: pulses between two readings, divided by the time from the last pulse of one reading to the last of the next. Does no I/O; not for several threads.</summary>
/// <remarks>
/// That is exact at any frequency and for any window; only the jitter of two time stamps enters. When pulses stay away the frequency falls as 1/t, since it cannot be higher, and is zero after
/// <c>silence</c>: a belt that stops is seen to stop.
/// </remarks>
public sealed class PulseRate
{
    private const double NanosecondsPerSecond = 1e9;

    private readonly ulong _silenceNs;
    private ulong _beganNs;
    private ulong _markNs;
    private ulong _lastNs;
    private long _pulses;
    private double? _hertz;

    /// <summary>Begins.</summary>
    /// <param name="silence">After how long without a pulse the frequency is zero.</param>
    /// <param name="nowNs">The time, by the clock of the events: <see cref="TimeProvider.GetTimestamp"/> of the system on Linux.</param>
    public PulseRate(TimeSpan silence, ulong nowNs)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(silence, TimeSpan.Zero);
        _silenceNs = (ulong)silence.Ticks * TimeSpan.NanosecondsPerTick;
        _beganNs = nowNs;
    }

    /// <summary>Takes pulses.</summary>
    /// <param name="pulses">How many since the last call, those included whose time is not known.</param>
    /// <param name="timestampNs">When the last of them came.</param>
    public void Add(long pulses, ulong timestampNs)
    {
        if (pulses <= 0)
        {
            return;
        }

        if (_lastNs == 0 || timestampNs < _lastNs)
        {
            // The first, or a clock that was set back: an interval begins here.
            Restart(timestampNs);
            return;
        }

        _pulses += pulses;
        _lastNs = timestampNs;
    }

    /// <summary>Pulses may have been missed: what came before does not count any more.</summary>
    public void Break(ulong nowNs)
    {
        _beganNs = nowNs;
        _markNs = _lastNs = 0;
        _pulses = 0;
        _hertz = null;
    }

    /// <summary>The frequency since the last reading, in Hz; null as long as there is too little to tell. Ends a window.</summary>
    /// <param name="nowNs">The time, by the clock of the events.</param>
    public double? Read(ulong nowNs)
    {
        if (_pulses > 0 && _lastNs > _markNs)
        {
            _hertz = _pulses * NanosecondsPerSecond / (_lastNs - _markNs);
            _markNs = _lastNs;
            _pulses = 0;
            return _hertz;
        }

        var since = _lastNs == 0 ? _beganNs : _lastNs;
        var quiet = nowNs > since ? nowNs - since : 0;
        if (quiet >= _silenceNs)
        {
            _hertz = 0;
        }
        else if (_hertz is > 0 && quiet > 0)
        {
            _hertz = Math.Min(_hertz.Value, NanosecondsPerSecond / quiet);
        }

        return _hertz;
    }

    private void Restart(ulong timestampNs)
    {
        _markNs = _lastNs = timestampNs;
        _pulses = 0;
    }
}
