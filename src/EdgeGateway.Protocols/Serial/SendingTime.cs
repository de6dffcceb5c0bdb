namespace EdgeGateway.Protocols.Serial;

/// <summary>When the bytes that the kernel took have left: they travel one after the other, at the pace of the line.</summary>
/// <remarks>
/// On an RS-485 line whose direction the kernel switches, <see cref="Rs485Settings.DelayBefore"/> goes ahead of the first bit of each run
/// of bytes, and the line stays ours for <see cref="Rs485Settings.DelayAfter"/> behind its last.
/// </remarks>
/// <param name="settings">The settings of the line.</param>
/// <param name="frequency">Ticks of the clock in a second.</param>
/// <param name="now">The clock at the start; nothing is travelling.</param>
internal struct SendingTime(SerialSettings settings, long frequency, long now)
{
    private readonly double _perCharacter = settings.TimeOf(1).TotalSeconds * frequency;
    private readonly long _before = TicksOf(settings.Rs485?.DelayBefore ?? TimeSpan.Zero, frequency);
    private readonly long _after = TicksOf(settings.Rs485?.DelayAfter ?? TimeSpan.Zero, frequency);
    private long _lastBit = now - TicksOf(settings.Rs485?.DelayAfter ?? TimeSpan.Zero, frequency);

    /// <summary>When the line is free of what was sent, in ticks of the clock.</summary>
    public readonly long Until => _lastBit + _after;

    /// <summary>Bytes were taken just now.</summary>
    public void Add(long now, int count)
    {
        var start = now >= Until ? now + _before : Math.Max(_lastBit, now);
        _lastBit = start + (long)(count * _perCharacter);
    }

    private static long TicksOf(TimeSpan time, long frequency) => (long)(time.TotalSeconds * frequency);
}
