using EdgeGateway.Core.Site;

namespace EdgeGateway.Buses;

/// <summary>
/// What is to be read on a bus, and in which order. Polls become due at multiples of their periods; polls of one device that are due
/// together are planned together. The unit that is put in order is the request.
/// </summary>
/// <remarks>
/// <para>
/// The earliest deadline goes first (Liu and Layland, 1973); it is the end of the period in which the poll was due. Among equals goes the
/// device that has waited longest, so that equal devices take turns. The very first poll has at least 2.5
/// seconds when devices have turned out to be dead: those that answered keep their periods meanwhile.
/// </para>
/// <para>
/// A request whose deadline has passed goes behind all others when its device has had more than an equal share of the bus: a device
/// that asks for more than the bus can give is late itself and makes nobody else late, and on a bus that cannot serve them all
/// every device gets its share.
/// </para>
/// </remarks>
internal sealed class Agenda
{
    // A device is not made to pay long for time that nobody else wanted.
    private const long LongestDebt = 10_000;

    private const long FirstPollPatience = 2_500;

    private readonly DeviceLink[] _links;
    private readonly PriorityQueue<Poll, (long Due, int Order)> _waiting = new();
    private readonly List<Round> _open = [];
    private readonly List<Round> _released = [];
    private long _turn;

    public Agenda(SiteModel site, BusModel bus, DeviceLink[] links)
    {
        _links = links;
        List<Poll> polls = [];
        foreach (var link in links)
        {
            link.Used = new TimeShare(links.Length);
            link.Plans = new DevicePlans(site, bus, link, polls.Count);
            polls.AddRange(link.Plans.Polls);
        }

        Polls = [.. polls];
    }

    public Poll[] Polls { get; }

    /// <summary>When the next poll is due; <see cref="long.MaxValue"/> when none is planned.</summary>
    public long NextDue => _waiting.TryPeek(out _, out var key) ? key.Due : long.MaxValue;

    /// <summary>The period of the poll that is due next, in milliseconds; 0 when none is planned.</summary>
    public long NextPeriod => _waiting.TryPeek(out var poll, out _) ? poll.PeriodMilliseconds : 0;

    /// <summary>Whether requests wait to be sent.</summary>
    public bool HasOpen => _open.Count > 0;

    /// <summary>Forgets what was under way and plans everything for now: at the start all is read at once, then on the clock.</summary>
    public void Restart(long now)
    {
        _waiting.Clear();
        _open.Clear();
        foreach (var link in _links)
        {
            link.UnderWay = 0;
        }

        foreach (var poll in Polls)
        {
            poll.Started = false;
            Plan(poll, now);
        }
    }

    /// <summary>Plans a poll.</summary>
    public void Plan(Poll poll, long due)
    {
        poll.Due = due;
        _waiting.Enqueue(poll, (due, poll.Order));
    }

    /// <summary>Takes what is due, as rounds that have begun but are not open yet. The list is good until the next call.</summary>
    public List<Round> Release(long now)
    {
        _released.Clear();
        while (_waiting.TryPeek(out var poll, out var key) && key.Due <= now)
        {
            _waiting.Dequeue();
            poll.Link.Plans.Gather(poll);
        }

        foreach (var link in _links)
        {
            link.Plans.Release(_released, now);
        }

        return _released;
    }

    /// <summary>Lets the requests of a round be chosen.</summary>
    public void Open(Round round)
    {
        if (round.HasNext && !_open.Contains(round))
        {
            _open.Add(round);
        }
    }

    /// <summary>The round whose next request goes next; null when none may go now.</summary>
    /// <param name="now">Monotonic milliseconds.</param>
    /// <param name="time">For the quiet times of devices.</param>
    /// <param name="rest">When null is returned: how long until a device has had its quiet time; or the longest span.</param>
    public Round? Choose(long now, TimeProvider time, out TimeSpan rest)
    {
        Round? soonest = null;
        Round? late = null;
        rest = TimeSpan.MaxValue;
        foreach (var round in _open)
        {
            var link = round.Link;
            if (link.UnderWay > 0 && link.TakesOnlyOne)
            {
                continue;
            }

            var left = link.RestLeft(time);
            if (left > TimeSpan.Zero)
            {
                rest = left < rest ? left : rest;
                continue;
            }

            if (round.Head.Deadline <= now && link.Used.UsedUntil > now)
            {
                late = late is null || IsBefore(round, late, 0, 0) ? round : late;
            }
            else
            {
                soonest = soonest is null || IsBefore(round, soonest, DeadlineOf(round), DeadlineOf(soonest)) ? round : soonest;
            }
        }

        return soonest ?? late;
    }

    /// <summary>Takes the next request of an open round.</summary>
    public PolledRead Take(Round round)
    {
        var read = round.Take();
        if (!round.HasNext)
        {
            _open.Remove(round);
        }

        return read;
    }

    /// <summary>Notes that a device is being asked.</summary>
    public void Served(DeviceLink link) => link.LastServed = ++_turn;

    /// <summary>Charges a device with what its request took of the bus.</summary>
    public void Charge(DeviceLink link, long began, long ended, double cost)
    {
        link.Used.Charge(began, cost);
        link.Used.Forgive(ended + Math.Max(LongestDebt, (long)(_links.Length * cost)));
    }

    /// <summary>An open round of a device; null when there is none.</summary>
    public Round? OpenRound(DeviceLink link)
    {
        foreach (var round in _open)
        {
            if (round.Link == link)
            {
                return round;
            }
        }

        return null;
    }

    public bool IsOpen(Round round) => _open.Contains(round);

    private long DeadlineOf(Round round) => round.Polls[0].Started || !Array.Exists(_links, static l => l.IsDown)
        ? round.Head.Deadline
        : Math.Max(round.Head.Deadline, round.Polls[0].Due + FirstPollPatience);

    private static bool IsBefore(Round round, Round other, long deadline, long otherDeadline) =>
        (deadline, round.Link.LastServed, round.Polls[0].Order).CompareTo((otherDeadline, other.Link.LastServed, other.Polls[0].Order)) < 0;
}
