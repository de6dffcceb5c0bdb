using System.Runtime.InteropServices;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;

namespace EdgeGateway.Core.Polling;

/// <summary>
/// The requests of one device: the best plan for any set of points that are due together, corrected by what the device's replies teach.
/// Plans are kept; asking for one again allocates nothing. For one caller at a time.
/// </summary>
/// <remarks>
/// Use: <see cref="PlanFor"/> with the groups that are due; do its requests; hand the end of each to <see cref="Report"/>, and do at once what that
/// returns. A refused request is thereby asked again in parts, in the same poll.
/// </remarks>
public sealed class DevicePlanner
{
    /// <summary>Most different periods a device can have.</summary>
    public const int MostPeriods = 64;

    private const int MostPlans = 256;

    // A plan is exchanged for a cheaper one from this saving on, so that small changes of the measured times change nothing.
    private const double WorthChanging = 0.95;
    private const double CostTolerance = 0.1;

    // Between two attempts of one due set to try something refused again.
    private const long BetweenProbes = 60_000;

    private readonly PointPlace[] _places;
    private readonly byte[] _groups;
    private readonly Dictionary<int, int> _placeOfPoint;
    private readonly Dictionary<ulong, Entry> _plans = [];
    private readonly List<PointPlace> _wanted = [];
    private readonly List<AddressWindow> _forbidden = [];
    private int _costVersion;
    private long _answers;
    private int _turn;

    /// <summary>Prepares the planner.</summary>
    /// <param name="points">Index, place and period of each point; a period of zero is a group of its own.</param>
    /// <param name="limits">What the profile says of requests.</param>
    /// <param name="cost">What a request costs on the bus.</param>
    /// <param name="named">Registers that the profile names, points or not.</param>
    /// <exception cref="ArgumentException">A point is longer than a request may be, a point is there twice, or there are more than 64 periods.</exception>
    public DevicePlanner(
        IEnumerable<(int Index, RegisterEncoding Encoding, TimeSpan Period)> points, ReadLimits limits, ReadCost cost, IEnumerable<RegisterEncoding>? named = null)
    {
        ArgumentNullException.ThrowIfNull(points);
        limits.Validate(nameof(limits));
        var all = points.OrderBy(p => new PointPlace(p.Index, p.Encoding.Table, AddressWindow.Of(p.Encoding.Span))).ToArray();
        Periods = [.. all.Select(p => p.Period).Distinct().Order()];
        if (Periods.Count > MostPeriods)
        {
            throw new ArgumentException($"The points of a device have {Periods.Count} different periods, {MostPeriods} are possible.", nameof(points));
        }

        _places = [.. all.Select(p => new PointPlace(p.Index, p.Encoding.Table, AddressWindow.Of(p.Encoding.Span)))];
        foreach (var place in _places)
        {
            ReadPlanner.ThrowIfTooLong(place, limits, nameof(points));
        }

        _groups = [.. all.Select(p => (byte)Periods.ToList().IndexOf(p.Period))];
        _placeOfPoint = _places.Select((p, i) => (p.Index, i)).ToDictionary(p => p.Index, p => p.i);
        Map = new(_places, (named ?? []).Select(n => (n.Table, AddressWindow.Of(n.Span))), limits);
        Cost = cost;
    }

    /// <summary>The planner of a device of the site.</summary>
    /// <param name="device">The device.</param>
    /// <param name="points">All points of the site.</param>
    /// <param name="cost">What a request costs on the device's bus.</param>
    public static DevicePlanner Of(DeviceModel device, IReadOnlyList<PointModel> points, ReadCost cost) =>
        new(device.Points.Select(p => (p, points[p].Encoding, points[p].Period)), ReadLimits.Of(device.Profile), cost, device.Profile.Points.Select(p => p.Encoding));

    /// <summary>The different periods, ascending: bit <c>g</c> of a due set stands for the points with period <c>Periods[g]</c>.</summary>
    public IReadOnlyList<TimeSpan> Periods { get; }

    /// <summary>The due set of all points.</summary>
    public ulong All => Periods.Count == 64 ? ulong.MaxValue : (1UL << Periods.Count) - 1;

    /// <summary>What has been learned.</summary>
    public DeviceMap Map { get; }

    /// <summary>Most addresses that are asked for at once in the table of a request: what the profile says, less what was learned.</summary>
    public int MostFor(ReadRequest request) => Map.Of(request.Table).Limit;

    /// <summary>
    /// What a request costs; measured times may be set as often as wanted. A change of less than a tenth is ignored, and a plan is only
    /// exchanged for one that saves at least 5 %.
    /// </summary>
    public ReadCost Cost
    {
        get;
        set
        {
            var isNew = field == default
                || Math.Abs(value.RequestNanoseconds - field.RequestNanoseconds) > field.RequestNanoseconds * CostTolerance
                || Math.Abs(value.ByteNanoseconds - field.ByteNanoseconds) > field.ByteNanoseconds * CostTolerance;
            if (isNew && value != field)
            {
                field = value;
                _costVersion++;
            }
        }
    }

    /// <summary>The requests for the points that are due together.</summary>
    /// <param name="due">A bit for each of <see cref="Periods"/>.</param>
    /// <param name="now">Monotonic time in milliseconds.</param>
    public PollPlan PlanFor(ulong due, long now)
    {
        due &= All;
        if (due == 0)
        {
            return PollPlan.Empty;
        }

        foreach (var table in Map.Tables)
        {
            table.Advance(now);
        }

        var entry = EntryOf(due, now);
        if (now >= entry.NextAsk)
        {
            // A refused span is due: asked along with the others this time, in a request of its own.
            return Build(due, now, null, null, out _);
        }

        if (now >= entry.NextTry)
        {
            foreach (var table in Map.Tables)
            {
                if (now >= table.NextProbe && table.DueProbe(now) is { } refusal)
                {
                    entry.NextTry = now + BetweenProbes;
                    var trial = Build(due, now, table, refusal, out _);
                    foreach (var read in trial.Reads)
                    {
                        if (read.Request.Table == table.Table && AddressWindow.Of(read.Request).Contains(refusal.Window))
                        {
                            table.Trying(refusal, now);
                            return trial;
                        }
                    }
                }
            }
        }

        return entry.Plan;
    }

    /// <summary>Tells how a request ended.</summary>
    /// <param name="read">The request, from a plan or from an earlier report.</param>
    /// <param name="outcome">How it ended.</param>
    /// <param name="now">Monotonic time in milliseconds.</param>
    /// <returns>
    /// What to ask at once instead, for the same points: its parts, when the request was refused. Points that are in none of them are missing
    /// for the reason of the request. Each part is smaller than the request, so that this ends: after at most 2n - 1 requests for n points.
    /// </returns>
    public IReadOnlyList<PlannedRead> Report(PlannedRead read, ReadOutcome outcome, long now)
    {
        ArgumentNullException.ThrowIfNull(read);
        var map = Map.Of(read.Request.Table);
        var window = AddressWindow.Of(read.Request);
        _answers += outcome is ReadOutcome.Unanswered or ReadOutcome.Noise ? 0 : 1;
        if (outcome == ReadOutcome.Good)
        {
            map.Good(window, now);
            if (map.IsAwake)
            {
                Map.Recall(now);
            }

            return [];
        }

        if (outcome == ReadOutcome.Noise)
        {
            return [];
        }

        return Learn(map, window, read, outcome, now);
    }

    /// <summary>The device was absent and is back, perhaps another one: what the first refused is asked again, each span alone.</summary>
    /// <param name="now">Monotonic time in milliseconds.</param>
    public void Returned(long now) => Map.Recall(now);

    /// <summary>
    /// A small request that tells whether a silent device is back: one span that has worked, or, as long as none has, the next one in turn.
    /// Never a long request, which some devices leave unanswered.
    /// </summary>
    public PlannedRead Probe()
    {
        var hasWorked = Map.SpansThatWorked > 0;
        for (var tries = 0; tries <= _places.Length; tries++)
        {
            _turn = (_turn + 1) % _places.Length;
            var place = _places[_turn];
            var state = Map.Of(place.Table).Find(place.Window);
            if (hasWorked ? state.HasWorked : !state.IsIsolated || tries == _places.Length)
            {
                return Alone(place);
            }
        }

        return Alone(_places[_turn]);
    }

    /// <summary>Bus time of a plan, at the present cost.</summary>
    public TimeSpan TimeOf(PollPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        return ReadPlanner.Time(plan.Reads, Cost);
    }

    private List<PlannedRead> Learn(TableMap map, AddressWindow window, PlannedRead read, ReadOutcome outcome, long now)
    {
        var parts = new List<PlannedRead>();
        var wanted = new List<PointPlace>(read.Points.Count);
        foreach (var point in read.Points)
        {
            wanted.Add(_places[_placeOfPoint[point]]);
        }

        wanted.Sort();
        var run = ReadPlanner.Undominated(CollectionsMarshal.AsSpan(wanted));
        var instead = map.Bad(window, run, outcome, now, _answers);
        if (instead == Instead.Nothing)
        {
            return parts;
        }

        wanted.RemoveAll(w => map.Find(w.Window).IsIsolated);
        if (wanted.Count > 0)
        {
            run = ReadPlanner.Undominated(CollectionsMarshal.AsSpan(wanted));
            map.Forbid(run, null, _forbidden);
            if (instead == Instead.Halves && run.Count > 1)
            {
                _forbidden.Add(TableMap.Cut(run[(run.Count / 2) - 1], run[run.Count / 2]));
                _forbidden.Sort();
            }

            ReadPlanner.Cover(CollectionsMarshal.AsSpan(wanted), map.Limit, CollectionsMarshal.AsSpan(_forbidden), Cost, parts);
        }

        return parts;
    }

    private Entry EntryOf(ulong due, long now)
    {
        var version = Map.Version;
        if (_plans.TryGetValue(due, out var entry) && entry.MapVersion == version && entry.CostVersion == _costVersion)
        {
            return entry;
        }

        var plan = Build(due, long.MinValue, null, null, out var nextAsk);
        if (entry is not null && entry.MapVersion == version && Nanoseconds(plan) > Nanoseconds(entry.Plan) * WorthChanging)
        {
            entry.CostVersion = _costVersion;
            return entry;
        }

        if (_plans.Count >= MostPlans)
        {
            _plans.Clear();
        }

        entry = new(plan) { MapVersion = version, CostVersion = _costVersion, NextAsk = nextAsk, NextTry = entry?.NextTry ?? 0 };
        _plans[due] = entry;
        return entry;
    }

    private double Nanoseconds(PollPlan plan)
    {
        var sum = 0L;
        foreach (var read in plan.Reads)
        {
            sum += Cost.Of(read.Request.Table, read.Request.Quantity);
        }

        return sum;
    }

    private PollPlan Build(ulong due, long now, TableMap? trialTable, TableMap.Refusal? trial, out long nextAsk)
    {
        nextAsk = long.MaxValue;
        var reads = new List<PlannedRead>();
        var resting = new List<int>();
        var alone = new List<PointPlace>();
        for (var from = 0; from < _places.Length;)
        {
            var map = Map.Of(_places[from].Table);
            _wanted.Clear();
            alone.Clear();
            for (; from < _places.Length && _places[from].Table == map.Table; from++)
            {
                if ((due & (1UL << _groups[from])) == 0)
                {
                    continue;
                }

                var state = map.Find(_places[from].Window);
                if (!state.IsIsolated)
                {
                    _wanted.Add(_places[from]);
                    continue;
                }

                nextAsk = Math.Min(nextAsk, state.NextAsk);
                if (now >= state.NextAsk)
                {
                    alone.Add(_places[from]);
                }
                else
                {
                    resting.Add(_places[from].Index);
                }
            }

            if (_wanted.Count > 0)
            {
                map.Forbid(ReadPlanner.Undominated(CollectionsMarshal.AsSpan(_wanted)), map == trialTable ? trial : null, _forbidden);
                ReadPlanner.Cover(CollectionsMarshal.AsSpan(_wanted), map.Limit, CollectionsMarshal.AsSpan(_forbidden), Cost, reads);
            }

            for (var i = 0; i < alone.Count;)
            {
                var first = i;
                while (i < alone.Count && alone[i].Window == alone[first].Window)
                {
                    i++;
                }

                reads.Add(Request(alone[first], [.. alone[first..i].Select(p => p.Index)]));
            }
        }

        return new(reads, resting);
    }

    private PlannedRead Alone(PointPlace place) =>
        Request(place, [.. _places.Where(p => p.Table == place.Table && p.Window == place.Window).Select(p => p.Index)]);

    private static PlannedRead Request(PointPlace place, int[] points) =>
        new(new(place.Table, (ushort)place.Window.First, (ushort)place.Window.Length), points);

    private sealed class Entry(PollPlan plan)
    {
        public PollPlan Plan { get; } = plan;

        public int MapVersion { get; init; }

        public int CostVersion { get; set; }

        /// <summary>When a refused span of the set is asked again.</summary>
        public long NextAsk { get; init; }

        /// <summary>When something refused may be tried again with this set.</summary>
        public long NextTry { get; set; }
    }
}
