using EdgeGateway.Protocols.Gpio;

namespace EdgeGateway.Lines;

/// <summary>What came of pulses through a wire.</summary>
/// <param name="Hertz">Pulses a second that were wanted.</param>
/// <param name="Reached">Pulses a second that were made.</param>
/// <param name="Sent">Pulses that were made.</param>
/// <param name="Counted">Pulses that were read.</param>
/// <param name="Dropped">Pulses that the kernel's buffer had no room for: their numbers are missing, so that a gateway adds them to its total.</param>
/// <param name="Doubled">Pulses that came without being made: contact bounce, or noise on the wire.</param>
internal readonly record struct LoopBackCount(double Hertz, double Reached, int Sent, long Counted, long Dropped, long Doubled)
{
    /// <summary>Pulses of which nothing is known.</summary>
    public long Lost => Math.Max(0, Sent - Counted - Dropped);

    /// <summary>Whether every pulse was read, once.</summary>
    public bool IsWhole => Lost == 0 && Dropped == 0 && Doubled == 0;
}

/// <summary>Makes pulses on an output that a wire connects with an input, and counts them there in the way of a pulse counter.</summary>
internal sealed class LoopBack(ILines output, ILines input, TimeProvider time)
{
    private const int SpinsBetweenLooks = 20;

    private static readonly TimeSpan Turn = TimeSpan.FromMilliseconds(20);

    private readonly GpioEvent[] _events = new GpioEvent[256];
    private uint? _last;

    /// <summary>Makes pulses with pauses of the same length.</summary>
    /// <param name="hertz">Pulses a second, above 0.</param>
    /// <param name="count">How many.</param>
    /// <param name="cancel">Ends it; what was made until then is counted.</param>
    /// <exception cref="GpioException">A chip was removed.</exception>
    public async Task<LoopBackCount> RunAsync(double hertz, int count, CancellationToken cancel)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(hertz);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        var started = time.GetTimestamp();
        var half = time.TimestampFrequency / hertz / 2;
        var sent = 0;
        var ended = started;

        // A thread of its own that does not sleep: a timer is too coarse for a thousand pulses a second.
        var sender = Task.Factory.StartNew(
            () =>
            {
                for (var i = 0; i < count && !cancel.IsCancellationRequested; i++)
                {
                    Until(started + (long)(half * ((2 * i) + 1)));
                    output.Set(true);
                    Until(started + (long)(half * ((2 * i) + 2)));
                    output.Set(false);
                    sent++;
                }

                ended = time.GetTimestamp();
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
        var (counted, dropped) = (0L, 0L);
        bool isLast;
        do
        {
            // Read once more after the last pulse.
            isLast = sender.IsCompleted;
            await input.WaitAsync(Turn, CancellationToken.None).ConfigureAwait(false);
            int read;
            while ((read = input.Read(_events)) > 0)
            {
                foreach (ref readonly var edge in _events.AsSpan(0, read))
                {
                    counted++;
                    dropped += unchecked(edge.LineSequence - (_last ?? 0) - 1);
                    _last = edge.LineSequence;
                }
            }
        }
        while (!isLast);

        await sender.ConfigureAwait(false);
        return new(hertz, sent / time.GetElapsedTime(started, ended).TotalSeconds, sent, counted, dropped, Math.Max(0, counted + dropped - sent));

        void Until(long due)
        {
            while (time.GetTimestamp() < due)
            {
                Thread.SpinWait(SpinsBetweenLooks);
            }
        }
    }
}
