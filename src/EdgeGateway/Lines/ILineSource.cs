using EdgeGateway.Core.Site;
using EdgeGateway.Protocols.Gpio;

namespace EdgeGateway.Lines;

/// <summary>Lines that were taken: the seam at which a test can script what the kernel would say.</summary>
internal interface ILines : IDisposable
{
    /// <summary>Numbers of the lines on their chip, in the order of the input: one, or A and B.</summary>
    IReadOnlyList<int> Offsets { get; }

    /// <summary>Waits until there are edges to read, or the chip is gone, which the next read says. After it <see cref="Read"/> is called in any case.</summary>
    ValueTask<bool> WaitAsync(TimeSpan wait, CancellationToken cancel);

    /// <summary>Takes edges, oldest first, without waiting; 0 for none.</summary>
    /// <exception cref="GpioException">The chip was removed.</exception>
    int Read(Span<GpioEvent> events);

    /// <summary>Which lines are active now, by bit.</summary>
    /// <exception cref="GpioException">The chip was removed.</exception>
    ulong Values();

    /// <summary>Makes an output active or not.</summary>
    /// <exception cref="GpioException">The chip was removed.</exception>
    void Set(bool isActive);
}

/// <summary>Lines, and where they come from.</summary>
/// <param name="Lines">The lines.</param>
/// <param name="Request">Names the request: the numbers of its events go on as long as this stays the same.</param>
/// <param name="IsKept">Whether somebody kept them since; else they were requested anew, and their numbers begin with 1.</param>
/// <param name="Refused">Why lines that somebody kept could not be taken over; null when there were none, or they were.</param>
internal sealed record TakenLines(ILines Lines, string Request, bool IsKept, string? Refused);

/// <summary>Where lines come from: the kernel, or a test.</summary>
internal interface ILineSource
{
    /// <summary>The time by the clock of the events, in nanoseconds.</summary>
    ulong NowNs { get; }

    /// <summary>Whether somebody keeps lines while this program is down.</summary>
    bool OutlivesProcess { get; }

    /// <summary>Takes the lines of an input: those that somebody kept for it, or new ones.</summary>
    /// <exception cref="IOException">They cannot be had (<see cref="GpioException"/>); the message says why and what to do.</exception>
    TakenLines Take(string bus, GpioInput input);

    /// <summary>Gives lines back that were in use: kept for the next taker, where edges must not be missed.</summary>
    void GiveBack(string bus, GpioInput input, TakenLines taken);

    /// <summary>Lets lines go for good: they failed, or mean nothing to the next taker.</summary>
    void Drop(string bus, GpioInput input, TakenLines taken);
}
