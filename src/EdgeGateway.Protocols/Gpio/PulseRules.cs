namespace EdgeGateway.Protocols.Gpio;

/// <summary>What the kernel can honour of what is asked of a line with pulses: each rule gives the reason for refusing in words, or null.</summary>
/// <remarks>Each was seen on Linux 6.12 with the simulated chips of <c>tests/hardware-vm</c>, whose README has the measurements.</remarks>
public static class PulseRules
{
    /// <summary>Two ticks of the kernel's timer at 250 Hz: what the debounce of the kernel can take longer than its period.</summary>
    public static readonly TimeSpan DebounceSlack = TimeSpan.FromMilliseconds(8);

    /// <summary>The shortest level that is counted on without the word of whoever built the input: some ten times the usual latency of an interrupt thread on a small board.</summary>
    public static readonly TimeSpan ShortestLevel = TimeSpan.FromMilliseconds(1);

    /// <summary>A debounce must leave the shortest level standing: its period and <see cref="DebounceSlack"/> together are shorter than that.</summary>
    /// <param name="debounce">The period; zero for none.</param>
    /// <param name="shortestLevel">The shortest time that the signal is high or low: of a pulse of 30 ms at 10 Hz it is 30 ms.</param>
    /// <remarks>Chips without a debounce of their own get the kernel's, which works in timer ticks (4 ms at 250 Hz) and fails silently: with levels of 5 ms nearly every pulse is lost at any period.</remarks>
    public static string? CheckDebounce(TimeSpan debounce, TimeSpan shortestLevel)
    {
        if (debounce <= TimeSpan.Zero)
        {
            return null;
        }

        var longest = shortestLevel - DebounceSlack;
        return debounce < longest
            ? null
            : $"a debounce of {Milliseconds(debounce)} loses pulses whose levels last {Milliseconds(shortestLevel)}: the kernel needs up to {Milliseconds(DebounceSlack)} longer than the period. "
                + (longest > TimeSpan.FromMilliseconds(1) ? $"Choose less than {Milliseconds(longest)}" : "Leave the debounce out, and filter in the wiring (RC or optocoupler) if the contact bounces");
    }

    /// <summary>A pulse counter asks for one edge of each pulse.</summary>
    /// <remarks>With both, the kernel works out the direction from the level when its thread runs, so that a late thread reports two rising edges in a row (13 of 500 pulses on a busy host).</remarks>
    public static string? CheckEdges(GpioEdges edges) => edges switch
    {
        GpioEdges.Rising or GpioEdges.Falling => null,
        GpioEdges.None => "a counter needs an edge, rising or falling",
        _ => "a counter asks for one edge of each pulse: with both, the kernel guesses the direction from the level when it gets round to it, and two rising edges can come in a row",
    };

    /// <summary>A level must last far longer than the kernel takes to handle an edge.</summary>
    /// <param name="shortestLevel">The shortest time that the signal is high or low.</param>
    /// <param name="latency">What the board may take, if it is known better; null for <see cref="ShortestLevel"/>.</param>
    /// <remarks>Edges that come faster merge without a gap in the numbers: nothing can see it afterwards. S0 guarantees 30 ms.</remarks>
    public static string? CheckLevel(TimeSpan shortestLevel, TimeSpan? latency = null)
    {
        var shortest = latency ?? ShortestLevel;
        return shortestLevel >= shortest
            ? null
            : $"levels of {Milliseconds(shortestLevel)} are too short to count by interrupts: below {Milliseconds(shortest)} edges can merge, and nobody would see it. Set the meter to longer or fewer pulses, or use a counter in hardware";
    }

    /// <summary>How many events the kernel must keep, so that none loses its time stamp while nobody reads. The total stays right beyond that, because the numbers prove what was dropped.</summary>
    /// <param name="hertz">The most pulses in a second, of all lines of the request together.</param>
    /// <param name="pause">The longest that nobody reads: a restart of the program.</param>
    /// <returns>For <see cref="GpioLineRequest.EventBufferSize"/>: a quarter more, as a power of two, at least 16 and at most <see cref="GpioLineRequest.MaxEventBuffer"/>.</returns>
    public static int BufferFor(double hertz, TimeSpan pause)
    {
        var events = Math.Ceiling(hertz * pause.TotalSeconds * 1.25);
        var size = 16;
        while (size < GpioLineRequest.MaxEventBuffer && size < events)
        {
            size *= 2;
        }

        return size;
    }

    /// <summary>Whether the kernel can keep every event of such a pause. Beyond, totals stay right and the course within the pause is not known.</summary>
    /// <param name="hertz">The most pulses in a second, of all lines of the request together.</param>
    /// <param name="pause">The longest that nobody reads.</param>
    public static string? CheckBuffer(double hertz, TimeSpan pause)
    {
        var events = hertz * pause.TotalSeconds;
        return events <= GpioLineRequest.MaxEventBuffer
            ? null
            : $"{hertz:0.###} pulses a second during a pause of {pause.TotalSeconds:0.###} s are {events:0} events, and the kernel keeps {GpioLineRequest.MaxEventBuffer} of a request: beyond, the total stays right and the rate within the pause is lost. Request the lines one by one, or shorten the pause";
    }

    private static string Milliseconds(TimeSpan time) => $"{time.TotalMilliseconds:0.###} ms";
}
