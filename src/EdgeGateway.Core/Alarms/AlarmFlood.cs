using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Alarms;

/// <summary>Tells when more alarms arrive than a person can look at: ANSI/ISA-18.2 calls more than 10 in 10 minutes a flood, which ends when fewer than 5 do.</summary>
internal sealed class AlarmFlood
{
    /// <summary>The span in which arrivals are counted, milliseconds.</summary>
    public const long SpanMs = 600_000;

    /// <summary>More than this many within the span begin a flood.</summary>
    public const int Most = 10;

    /// <summary>Fewer than this many within the span end it.</summary>
    public const int Few = 5;

    // The last eleven arrivals, oldest first.
    private readonly long[] _arrivals = [.. Enumerable.Repeat(long.MinValue, Most + 1)];

    /// <summary>Notes an arrival; true when there are too many.</summary>
    public bool Note(long time)
    {
        _arrivals.AsSpan(1).CopyTo(_arrivals);
        _arrivals[^1] = time;
        return _arrivals[0] != long.MinValue && time - _arrivals[0] <= SpanMs;
    }

    /// <summary>When a flood ends if nothing else arrives, Unix milliseconds.</summary>
    public long EndsAt => _arrivals[^Few] == long.MinValue ? long.MinValue : _arrivals[^Few] + SpanMs;

    public void Shift(long milliseconds)
    {
        foreach (ref var time in _arrivals.AsSpan())
        {
            time = time == long.MinValue ? time : time + milliseconds;
        }
    }

    public void Save(StateWriter writer)
    {
        foreach (var time in _arrivals)
        {
            writer.Write(time);
        }
    }

    public void Load(ref StateReader reader)
    {
        foreach (ref var time in _arrivals.AsSpan())
        {
            time = reader.ReadInt64();
        }
    }
}
