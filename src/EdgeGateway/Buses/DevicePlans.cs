using EdgeGateway.Core.Site;

namespace EdgeGateway.Buses;

/// <summary>The polls of one device and the requests that bring them, for each set of polls that is due together.</summary>
internal sealed class DevicePlans
{
    // Periods that divide each other make one set for each of them; only odd ones make many.
    private const int MostSets = 64;

    private readonly SiteModel _site;
    private readonly DeviceLink _link;
    private readonly Dictionary<uint, Round> _sets = [];
    private readonly Round[] _alone;
    private readonly List<Poll> _gathered = [];
    private uint _bits;
    private int _probe;

    public DevicePlans(SiteModel site, DeviceLink link, Poll[] polls)
    {
        _site = site;
        _link = link;
        Polls = polls;
        var bit = 1u;
        foreach (var poll in polls)
        {
            // What is read once does not come back with the others.
            poll.Bit = poll.IsOnce ? 0 : bit;
            bit = poll.IsOnce ? bit : bit << 1;
        }

        _alone = [.. polls.Select(poll => Make([poll]))];
    }

    public Poll[] Polls { get; }

    /// <summary>Every request, of all sets.</summary>
    public IEnumerable<PolledRead> Reads => _alone.Concat(_sets.Values).SelectMany(round => round.Reads);

    /// <summary>The request that the next probe sends: each of those that bring all points, in turn.</summary>
    public PolledRead NextProbe()
    {
        var place = _probe++;
        foreach (var round in _alone)
        {
            if (place < round.Reads.Length)
            {
                return round.Reads[place];
            }

            place -= round.Reads.Length;
        }

        _probe = 1;
        return _alone[0].Reads[0];
    }

    /// <summary>Notes that a poll is due.</summary>
    public void Gather(Poll poll)
    {
        _gathered.Add(poll);
        _bits |= poll.Bit;
    }

    /// <summary>Makes rounds of what was gathered and begins them.</summary>
    public void Release(List<Round> released)
    {
        if (_gathered.Count == 0)
        {
            return;
        }

        var together = _gathered.Count > 1 ? Together() : null;
        if (together is not null)
        {
            together.Begin();
            released.Add(together);
        }

        foreach (var poll in _gathered)
        {
            if (together is null || poll.Bit == 0)
            {
                var alone = _alone[Array.IndexOf(Polls, poll)];
                alone.Begin();
                released.Add(alone);
            }
        }

        _gathered.Clear();
        _bits = 0;
    }

    private Round? Together()
    {
        if (System.Numerics.BitOperations.PopCount(_bits) < 2)
        {
            return null;
        }

        if (!_sets.TryGetValue(_bits, out var round) && _sets.Count < MostSets)
        {
            round = Make([.. _gathered.Where(poll => poll.Bit != 0)]);
            _sets.Add(_bits, round);
        }

        return round;
    }

    private Round Make(Poll[] polls) => new(_link, polls, DeviceReader.Plan(_site, _link.Device, polls.SelectMany(poll => poll.Points))
        .Select(plan => new PolledRead(plan, [.. polls.Where(poll => plan.Points.Any(poll.Points.Contains))])));
}
