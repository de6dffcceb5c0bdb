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

    /// <summary>Its bit in the sets of polls of its device that are read together.</summary>
    public required ulong Bit { get; init; }

    /// <summary>Monotonic time when it is to be read; <see cref="long.MaxValue"/> while none is planned.</summary>
    public long Due { get; set; }

    /// <summary>The values should be there before the period ends.</summary>
    public long Deadline => Due + (IsOnce ? OnceDeadline : PeriodMilliseconds);

    /// <summary>False until the first poll, which is not on the clock, is done.</summary>
    public bool Started { get; set; }

    /// <summary>What has not ended of the poll under way: its requests, and its beginning.</summary>
    public int Open { get; set; }

    /// <summary>Whether every request of the poll so far brought what the device has to say.</summary>
    public bool IsComplete { get; set; }
}

/// <summary>How one request of a device fared: a device may answer all but one of them.</summary>
internal sealed class ReadHealth
{
    private const int FailuresUntilSilent = 2;

    /// <summary>Times in a row that no reply came to it.</summary>
    public int Failures { get; set; }

    /// <summary>Not to be sent before this monotonic time.</summary>
    public long NotBefore { get; set; }

    /// <summary>Why the last one failed.</summary>
    public BusReply Reason { get; set; }

    /// <summary>Whether it is taken for one that the device never answers.</summary>
    public bool IsSilent => Failures >= FailuresUntilSilent;
}

/// <summary>A request ready to be sent.</summary>
/// <param name="plan">The request.</param>
/// <param name="polls">The polls that some of its points belong to.</param>
/// <param name="health">How it fared before.</param>
internal sealed class PolledRead(PlannedRead plan, Poll[] polls, ReadHealth health)
{
    public PlannedRead Plan { get; } = plan;

    public Poll[] Polls { get; } = polls;

    public ReadHealth Health { get; } = health;

    /// <summary>Monotonic time before which it should be answered: the earliest of its polls.</summary>
    public long Deadline { get; set; }
}

/// <summary>Polls of one device that are read together, and the requests that bring them: the shortest period first.</summary>
internal sealed class Round
{
    private readonly PolledRead[] _reads;
    private readonly Stack<PolledRead> _parts = [];
    private int _next;

    public Round(DeviceLink link, Poll[] polls, PollPlan plan, IEnumerable<PolledRead> reads)
    {
        Link = link;
        Polls = polls;
        Plan = plan;
        _reads = [.. reads.OrderBy(read => read.Polls.Min(poll => poll.Period))];
    }

    /// <summary>What the requests were made of.</summary>
    public PollPlan Plan { get; }

    public DeviceLink Link { get; }

    public Poll[] Polls { get; }

    /// <summary>Whether a request is left to be sent.</summary>
    public bool HasNext => _parts.Count > 0 || _next < _reads.Length;

    /// <summary>The request to be sent next.</summary>
    public PolledRead Head => _parts.TryPeek(out var part) ? part : _reads[_next];

    /// <summary>Takes the next request.</summary>
    public PolledRead Take() => _parts.TryPop(out var part) ? part : _reads[_next++];

    /// <summary>Asks a part of a request that was refused, before all others.</summary>
    public void Put(PolledRead part, long deadline)
    {
        part.Deadline = deadline;
        _parts.Push(part);
        foreach (var poll in part.Polls)
        {
            poll.Open++;
        }
    }

    /// <summary>Begins anew. None of its polls may be under way.</summary>
    public void Begin()
    {
        _next = 0;
        _parts.Clear();
        foreach (var poll in Polls)
        {
            poll.Open = 1;
            poll.IsComplete = true;
        }

        foreach (var read in _reads)
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
