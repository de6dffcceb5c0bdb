using EdgeGateway.Core.Polling;

namespace EdgeGateway.Buses;

/// <summary>The points of one device that have one period.</summary>
internal sealed class Poll(DeviceLink link, TimeSpan period, int[] points, int order)
{
    // What is read once is not urgent, and does not wait for ever on a bus that is always busy.
    private const long OnceDeadline = 10_000;

    public DeviceLink Link { get; } = link;

    public TimeSpan Period { get; } = period;

    public long PeriodMilliseconds { get; } = (long)period.TotalMilliseconds;

    public int[] Points { get; } = points;

    /// <summary>Read when the device is first reached, and again when it comes back.</summary>
    public bool IsOnce => Period == TimeSpan.Zero;

    /// <summary>Place among the polls of the bus; decides between equals.</summary>
    public int Order { get; } = order;

    /// <summary>Its bit in the sets of polls of its device that are read together; 0 when it is always read alone.</summary>
    public uint Bit { get; set; }

    /// <summary>Monotonic time when it is to be read; <see cref="long.MaxValue"/> while none is planned.</summary>
    public long Due { get; set; }

    /// <summary>The values should be there before the period ends.</summary>
    public long Deadline => Due + (IsOnce ? OnceDeadline : PeriodMilliseconds);

    /// <summary>False until the first poll, which is not on the clock, is done.</summary>
    public bool Started { get; set; }

    /// <summary>Requests of the poll under way that have not ended.</summary>
    public int Open { get; set; }

    /// <summary>Whether every request of the poll so far brought what the device has to say.</summary>
    public bool IsComplete { get; set; }
}

/// <summary>A planned request and how it fared: a device may answer all but one of them.</summary>
/// <param name="plan">The request.</param>
/// <param name="polls">The polls that some of its points belong to.</param>
internal sealed class PolledRead(PlannedRead plan, Poll[] polls)
{
    public PlannedRead Plan { get; } = plan;

    public Poll[] Polls { get; } = polls;

    /// <summary>Monotonic time before which it should be answered: the earliest of its polls.</summary>
    public long Deadline { get; set; }

    /// <summary>Times in a row that no reply came to it.</summary>
    public int Failures { get; set; }

    /// <summary>Not to be sent before this monotonic time.</summary>
    public long NotBefore { get; set; }

    /// <summary>Why the last one failed.</summary>
    public BusReply Reason { get; set; }
}

/// <summary>Polls of one device that are read together, and the requests that bring them: the shortest period first.</summary>
internal sealed class Round
{
    private int _next;

    public Round(DeviceLink link, Poll[] polls, IEnumerable<PolledRead> reads)
    {
        Link = link;
        Polls = polls;
        Reads = [.. reads.OrderBy(read => read.Polls.Min(poll => poll.Period))];
    }

    public DeviceLink Link { get; }

    public Poll[] Polls { get; }

    public PolledRead[] Reads { get; }

    /// <summary>Whether a request is left to be sent.</summary>
    public bool HasNext => _next < Reads.Length;

    /// <summary>The request to be sent next.</summary>
    public PolledRead Head => Reads[_next];

    /// <summary>Takes the next request.</summary>
    public PolledRead Take() => Reads[_next++];

    /// <summary>Begins anew. None of its polls may be under way.</summary>
    public void Begin()
    {
        _next = 0;
        foreach (var poll in Polls)
        {
            poll.Open = 0;
            poll.IsComplete = true;
        }

        foreach (var read in Reads)
        {
            read.Deadline = long.MaxValue;
            foreach (var poll in read.Polls)
            {
                poll.Open++;
                read.Deadline = Math.Min(read.Deadline, poll.Deadline);
            }
        }
    }
}
