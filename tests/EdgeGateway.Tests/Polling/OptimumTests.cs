using EdgeGateway.Core.Polling;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Hosting;
using EdgeGateway.Tests.Shared;
using FsCheck;
using FsCheck.Fluent;

namespace EdgeGateway.Tests.Polling;

/// <summary>Plans beside the exact optimum, which is found here in other ways: as a set cover, and as a shortest path along the addresses.</summary>
public class OptimumTests
{
    public static TheoryData<string> Profiles =>
        [.. Library.ProfilePaths.Keys.Order(StringComparer.Ordinal)];

    private static SiteFiles Library { get; } = new([RepositoryFiles.At("device-profiles")]);

    [Theory, MemberData(nameof(Profiles))]
    public void Every_profile_is_read_in_the_least_bus_time_for_each_period_and_each_joint_due_set(string id)
    {
        var profile = ReadyProfiles.Load(Library.Text(id), Library.Text);
        var limits = ReadLimits.Of(profile);
        var named = profile.Points.Select(p => p.Encoding).ToArray();
        foreach (var baud in (int[])[9600, 19_200, 115_200])
        {
            foreach (var turnaround in (int[])[5, 20])
            {
                var cost = ReadCost.Rtu(baud, 11, TimeSpan.FromMilliseconds(turnaround), profile.MinGap);
                var planner = new DevicePlanner(profile.Points.Select((p, i) => (i, p.Encoding, p.Period)), limits, cost, named);
                for (var due = 1UL; due <= planner.All; due++)
                {
                    var points = profile.Points.Select((p, i) => (Index: i, p.Encoding, p.Period)).Where(p => (due & (1UL << planner.Periods.ToList().IndexOf(p.Period))) != 0).ToArray();
                    var planned = planner.PlanFor(due, 0).Reads.Sum(r => cost.Of(r.Request.Table, r.Request.Quantity));
                    var least = points.GroupBy(p => p.Encoding.Table).Sum(g => ShortestPath([.. g.Select(p => p.Encoding)], limits, cost, named));

                    // Asked for is 1 %; the plan is exact.
                    Assert.Equal(least, planned);
                    Assert.Equal(planned, ReadPlanner.Plan(points.Select(p => (p.Index, p.Encoding)), limits, cost, named).Sum(r => cost.Of(r.Request.Table, r.Request.Quantity)));
                }
            }
        }
    }

    [Fact]
    public void No_cover_by_any_set_of_windows_is_cheaper()
    {
        Prop.ForAll(SmallCases.ToArbitrary(), c =>
        {
            var planned = ReadPlanner.Plan(c.Points.Select((p, i) => (i, p)), c.Limits, c.Cost, c.Named).Sum(r => c.Cost.Of(r.Request.Table, r.Request.Quantity));
            Assert.Equal(SetCover(c.Points, c.Limits, c.Cost, c.Named), planned);
            Assert.Equal(ShortestPath(c.Points, c.Limits, c.Cost, c.Named), planned);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(300));
    }

    [Fact]
    public void Of_equally_cheap_plans_the_one_with_fewer_requests_is_taken()
    {
        // Two requests cost 2 x 10 + 2 x 2, one costs 10 + 14.
        var plan = ReadPlanner.Plan([(0, At(0, RegisterType.UInt16)), (1, At(6, RegisterType.UInt16))], new(125, true), new(10, 1));
        Assert.Equal(7, Assert.Single(plan).Request.Quantity);
    }

    [Fact]
    public void A_shared_scale_register_is_read_twice_where_that_is_cheaper()
    {
        // A span may overlap its neighbour's, as a SunSpec value and its scale register do; a request brings 6 registers.
        RegisterEncoding[] points = [At(0, RegisterType.Float64), At(3, RegisterType.Float64), At(6, RegisterType.Float64)];
        var plan = ReadPlanner.Plan(points.Select((p, i) => (i, p)), new(6, false), new(100, 1));
        Assert.Equal([(0, 4), (3, 4), (6, 4)], plan.Select(r => ((int)r.Request.Address, (int)r.Request.Quantity)));
        Assert.Equal(2, ReadPlanner.Plan(points.Select((p, i) => (i, p)), new(7, false), new(100, 1)).Count);
    }

    /// <summary>The cheapest of all collections of all windows: the least cost for each set of points covered.</summary>
    private static long SetCover(List<RegisterEncoding> points, ReadLimits limits, ReadCost cost, IReadOnlyList<RegisterEncoding> named)
    {
        var table = points[0].Table;
        var readable = Readable(points, limits, named);
        var windows = new List<(int Mask, long Cost)>();
        for (var s = 0; s < 20; s++)
        {
            for (var e = s + 1; e <= 20 && e - s <= limits.Most(table); e++)
            {
                var mask = 0;
                for (var p = 0; p < points.Count; p++)
                {
                    mask |= points[p].Span.First >= s && points[p].Span.End <= e ? 1 << p : 0;
                }

                if (mask != 0 && Enumerable.Range(s, e - s).All(readable))
                {
                    windows.Add((mask, cost.Of(table, e - s)));
                }
            }
        }

        var least = new long[1 << points.Count];
        Array.Fill(least, long.MaxValue, 1, least.Length - 1);
        for (var covered = 0; covered < least.Length; covered++)
        {
            foreach (var (mask, price) in windows)
            {
                // More is covered with every step, so each set is final when its turn comes.
                if (least[covered] != long.MaxValue && (covered | mask) != covered)
                {
                    least[covered | mask] = Math.Min(least[covered | mask], least[covered] + price);
                }
            }
        }

        return least[^1];
    }

    /// <summary>The cheapest way from the first point that is not yet read to the next one, by every length a request can have.</summary>
    private static long ShortestPath(List<RegisterEncoding> points, ReadLimits limits, ReadCost cost, IReadOnlyList<RegisterEncoding> named)
    {
        var table = points[0].Table;
        var readable = Readable(points, limits, named);
        var sorted = points.Select(p => p.Span).OrderBy(s => s.First).ThenByDescending(s => s.Length).ToArray();
        var far = Enumerable.Repeat(long.MaxValue, sorted.Length + 1).ToArray();
        far[0] = 0;
        for (var i = 0; i < sorted.Length; i++)
        {
            if (far[i] == long.MaxValue)
            {
                continue;
            }

            var start = (int)sorted[i].First;
            for (var end = start + 1; end - start <= limits.Most(table) && readable(end - 1); end++)
            {
                var next = i;
                while (next < sorted.Length && sorted[next].End <= end)
                {
                    next++;
                }

                far[next] = Math.Min(far[next], far[i] + cost.Of(table, end - start));
            }
        }

        return far[^1];
    }

    private static Func<int, bool> Readable(IEnumerable<RegisterEncoding> points, ReadLimits limits, IEnumerable<RegisterEncoding> named)
    {
        if (limits.MayReadGaps)
        {
            return static _ => true;
        }

        var table = points.First().Table;
        var addresses = points.Concat(named).Where(p => p.Table == table).SelectMany(p => Enumerable.Range(p.Span.First, p.Span.Length)).ToHashSet();
        return addresses.Contains;
    }

    private static Gen<(List<RegisterEncoding> Points, ReadLimits Limits, ReadCost Cost, List<RegisterEncoding> Named)> SmallCases
    {
        get
        {
            var register =
                from type in Gen.Elements(RegisterType.Bit, RegisterType.UInt16, RegisterType.Float32, RegisterType.Float64)
                from address in Gen.Choose(0, 16)
                select At(address, type);
            return
                from count in Gen.Choose(1, 9)
                from points in register.ListOf(count)
                from named in register.ListOf(4)
                from most in Gen.Choose(4, 20)
                from gaps in Gen.Elements(true, false)
                from request in Gen.Choose(0, 20)
                from octet in Gen.Choose(0, 3)
                select (points.ToList(), new ReadLimits(most, gaps), new ReadCost(request, octet), named.ToList());
        }
    }

    private static RegisterEncoding At(int address, RegisterType type) => new() { Table = RegisterTable.HoldingRegister, Address = (ushort)address, Type = type };
}
