namespace EdgeGateway.Protocols.Serial;

/// <summary>How the kernel switches the direction of an RS-485 line by RTS (TIOCSRS485).</summary>
public sealed record Rs485Settings
{
    /// <summary>The longest delay that makes sense, in milliseconds; the kernel cuts off at 100.</summary>
    public const int MaxDelayMilliseconds = 100;

    /// <summary>Whether RTS is high while sending.</summary>
    public bool RtsHighOnSend { get; init; } = true;

    /// <summary>Whether RTS is high while not sending.</summary>
    public bool RtsHighAfterSend { get; init; }

    /// <summary>Between switching to sending and the first bit; whole milliseconds, 0 to 100.</summary>
    public TimeSpan DelayBefore { get; init; }

    /// <summary>Between the last bit and switching back; whole milliseconds, 0 to 100.</summary>
    public TimeSpan DelayAfter { get; init; }

    /// <summary>Whether the own bytes are heard while sending.</summary>
    public bool ReceiveDuringSend { get; init; }

    /// <summary>Whether the driver switches on its termination resistor.</summary>
    public bool Terminate { get; init; }

    /// <summary>Throws when a value cannot be.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range.</exception>
    public void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(DelayBefore, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(DelayBefore.TotalMilliseconds, MaxDelayMilliseconds, nameof(DelayBefore));
        ArgumentOutOfRangeException.ThrowIfLessThan(DelayAfter, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(DelayAfter.TotalMilliseconds, MaxDelayMilliseconds, nameof(DelayAfter));
    }
}
