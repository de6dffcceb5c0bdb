using EdgeGateway.Protocols.Serial;

namespace EdgeGateway.Protocols.Modbus;

/// <summary>How long things take on a serial line. MODBUS over Serial Line V1.02, 2.5.1.1 and 2.4.1.</summary>
public sealed record RtuTiming
{
    // Networks pack bytes and may send a lost packet again.
    private static readonly TimeSpan NetworkReplyGap = TimeSpan.FromMilliseconds(250);

    /// <summary>The timing that the standard asks for with these settings.</summary>
    public RtuTiming(SerialSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        settings.Validate();
        Settings = settings;

        // Above 19200 baud the standard fixes the silence, to spare the processors.
        Silence = settings.Baud > 19200 ? TimeSpan.FromMilliseconds(1.75) : settings.TimeOf(3.5);
        ReplyGap = Silence + TimeSpan.FromMilliseconds(50);
    }

    private RtuTiming()
    {
        ReplyGap = NetworkReplyGap;
    }

    /// <summary>
    /// The timing of a line behind a device server on the network, whose rate is not known here. The server keeps the silence on its own
    /// line; a short pause between an answer and the next request spares those that do not.
    /// </summary>
    /// <param name="silence">The pause; zero for a server that keeps the silence itself.</param>
    public static RtuTiming OverNetwork(TimeSpan silence) => new() { Silence = silence };

    /// <summary>The settings of the line; null when it is behind a device server.</summary>
    public SerialSettings? Settings { get; }

    /// <summary>How long this many characters take on the wire; zero when that is not known.</summary>
    public TimeSpan TimeOf(double characters) => Settings?.TimeOf(characters) ?? TimeSpan.Zero;

    /// <summary>What switching the direction of an RS-485 line adds to each request, in front of it and behind; zero where the kernel does not switch.</summary>
    public TimeSpan SwitchTime => Settings?.Rs485 is { } direction ? direction.DelayBefore + direction.DelayAfter : TimeSpan.Zero;

    /// <summary>The least silence between frames: 3.5 characters, or 1.75 ms above 19200 baud.</summary>
    public TimeSpan Silence { get; init; }

    /// <summary>
    /// A pause inside an answer after which the rest is not awaited any more. Far above the 1.5 characters of the standard, because
    /// USB adapters and device servers hand bytes over in lumps.
    /// </summary>
    public TimeSpan ReplyGap { get; init; }

    /// <summary>How long devices are left alone after a broadcast. V1.02, 2.4.1: 100 to 200 ms is typical.</summary>
    public TimeSpan TurnaroundDelay { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// How late an answer is believed to come at the latest. Used only for a unit where no question can be found whose answer would
    /// prove that the line is clear: that unit is then left alone for so long.
    /// </summary>
    public TimeSpan LateReplyHorizon { get; init; } = TimeSpan.FromSeconds(10);
}
