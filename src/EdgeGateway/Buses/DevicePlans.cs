using EdgeGateway.Core;
using EdgeGateway.Core.Polling;
using EdgeGateway.Core.Site;

namespace EdgeGateway.Buses;

/// <summary>The polls of one device, and the requests that bring those which are due together; what the device refuses is learned.</summary>
internal sealed class DevicePlans
{
    // Periods that divide each other make one set for each of them; only odd ones make many.
    private const int MostRounds = 256;
    private const int MostHealth = 1024;
    private const int AnswersBetweenCosts = 256;
    private const long BetweenDescriptions = 10_000;

    // What a point has that the device refused before it was known why.
    private static readonly BusReply Refused = new(QualityReason.DeviceException, 2);

    private readonly SiteModel _site;
    private readonly DeviceLink _link;
    private readonly BusModel _bus;
    private readonly ulong _once;
    private readonly Dictionary<ulong, Round> _rounds = [];
    private readonly Dictionary<ReadRequest, ReadHealth> _health = [];
    private readonly Dictionary<int, BusReply> _reasons = [];
    private ulong _due;
    private int _answers;
    private bool _isNews;
    private bool _isBack;
    private long _described;

    public DevicePlans(SiteModel site, BusModel bus, DeviceLink link, int order)
    {
        _site = site;
        _bus = bus;
        _link = link;
        Planner = DevicePlanner.Of(link.Device, site.Points, ReadCost.On(bus, link.Device.Profile.MinGap));
        Polls = [.. Planner.Periods.Select((period, i) =>
            new Poll(link, period, [.. link.Device.Points.Where(p => site.Points[p].Period == period)], order + i) { Bit = 1UL << i })];
        _once = Polls.Where(p => p.IsOnce).Aggregate(0UL, (bits, p) => bits | p.Bit);
    }

    public Poll[] Polls { get; }

    public DevicePlanner Planner { get; }

    /// <summary>How many of its requests never bring an answer.</summary>
    public int Silent => _health.Values.Count(h => h.IsSilent);

    /// <summary>Notes that a poll is due.</summary>
    public void Gather(Poll poll) => _due |= poll.Bit;

    /// <summary>Makes rounds of what was gathered and begins them. What is read once does not come back with the others, and has its own.</summary>
    public void Release(List<Round> released, long now)
    {
        if (_due == 0)
        {
            return;
        }

        if (_isBack)
        {
            _isBack = false;
            Planner.Returned(now);
        }

        Add(_due & ~_once);
        Add(_due & _once);
        _due = 0;
        if ((_isNews || _link.Learned.Count > 0) && now - _described >= BetweenDescriptions)
        {
            (_isNews, _described) = (false, now);
            _link.Learned = Planner.Map.Describe();
        }

        void Add(ulong due)
        {
            if (due != 0)
            {
                var round = RoundOf(due, now);
                round.Begin();
                released.Add(round);
            }
        }
    }

    /// <summary>Takes in how a request ended.</summary>
    /// <returns>What to ask at once in its place.</returns>
    public IReadOnlyList<PlannedRead> Report(PlannedRead read, BusReply reply, long now)
    {
        if (reply.IsGood)
        {
            if (++_answers % AnswersBetweenCosts == 0)
            {
                Planner.Cost = ReadCost.On(_bus, _link.Device.Profile.MinGap, _link.Latency.Quantile(0.5));
            }
        }
        else
        {
            _isNews = true;
            foreach (var point in read.Points)
            {
                _reasons[point] = reply;
            }
        }

        return Planner.Report(read, ReadOutcomes.Of(reply.Reason, reply.Detail), now);
    }

    /// <summary>Why a point that is not asked this time has no value.</summary>
    public BusReply ReasonOf(int point) => _reasons.GetValueOrDefault(point, Refused);

    /// <summary>The request that the next probe sends.</summary>
    public PolledRead NextProbe() => Wrap(Planner.Probe());

    /// <summary>A request as the bus sends it: with what is known of the device's addresses and of how much it answers at once.</summary>
    public ReadRequest OnWire(ReadRequest request) => request.Of(_link.Device.Profile, Planner.MostFor(request));

    /// <summary>Makes a request of the device ready to be sent, with what is known of it.</summary>
    public PolledRead Wrap(PlannedRead plan)
    {
        if (!_health.TryGetValue(plan.Request, out var health))
        {
            if (_health.Count >= MostHealth)
            {
                _health.Clear();
            }

            health = new ReadHealth();
            _health.Add(plan.Request, health);
        }

        return new(plan, [.. Polls.Where(poll => plan.Points.Any(p => _site.Points[p].Period == poll.Period))], health);
    }

    /// <summary>The device is back: that it did not answer says nothing about its requests, and what it refused before it may answer now.</summary>
    public void Forgive()
    {
        _isBack = true;
        foreach (var health in _health.Values)
        {
            (health.Failures, health.NotBefore) = (0, 0);
        }
    }

    private Round RoundOf(ulong due, long now)
    {
        var plan = Planner.PlanFor(due, now);
        if (_rounds.TryGetValue(due, out var round) && ReferenceEquals(round.Plan, plan))
        {
            return round;
        }

        if (_rounds.Count >= MostRounds)
        {
            _rounds.Clear();
        }

        round = new Round(_link, [.. Polls.Where(p => (p.Bit & due) != 0)], plan, plan.Reads.Select(Wrap));
        _rounds[due] = round;
        return round;
    }
}
