using EdgeGateway.Core;
using EdgeGateway.Core.Feed;

namespace EdgeGateway.Hosting;

/// <summary>
/// States in the feed when the gateway acquired nothing (<see cref="RangeState.NeverAcquired"/>): while it did not run, and while no reading could be
/// taken because the queue was full. A device or bus that does not answer is another matter: its samples say so.
/// </summary>
internal static class Absences
{
    /// <summary>Persistent counter: number of the batch with which the gateway was stopped on purpose. What was committed after it was not stopped.</summary>
    public const string StopCounter = "stop/batch";

    public const string Stopped = "stopped by operator";
    public const string NotStopped = "power or process";
    public const string StoreDamaged = "store was damaged";
    public const string StoreNotWritten = "store could not be written";
    public const string QueueFull = "readings came faster than they could be stored";

    /// <summary>What to say of the time between two runs.</summary>
    /// <param name="last">Time of the last commit; null when there was none, and then there is nothing to say.</param>
    /// <param name="now">Time of the start.</param>
    /// <param name="stopped">True when the last commit was that of a stop.</param>
    /// <param name="damaged">True when the store was damaged: then nobody knows when the last commit was.</param>
    public static RangeRecord? BetweenRuns(Instant? last, Instant now, bool stopped, bool damaged)
    {
        if (last is not { } from)
        {
            return null;
        }

        var reason = damaged ? StoreDamaged : stopped ? Stopped : NotStopped;

        // When the clock was set back meanwhile, the two times are not of one scale: where it began stands in the era before.
        return now < from
            ? Statement(now, damaged ? null : from, null, $"{reason}; how long is not known, the clock was set back")
            : Statement(now, damaged ? null : from, now, reason);
    }

    /// <summary>A statement about a time in which nothing was acquired.</summary>
    public static RangeRecord Statement(Instant now, Instant? from, Instant? to, string reason) => new()
    {
        Time = now,

        // Readings are samples, also where a site publishes none of them singly.
        Stream = FeedStream.Sample,
        Epoch = 1,
        First = 0,
        Last = 0,
        State = RangeState.NeverAcquired,
        Reason = reason,
        From = from,
        To = to,
    };
}
