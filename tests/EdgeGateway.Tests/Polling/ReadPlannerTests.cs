using EdgeGateway.Core.Polling;
using EdgeGateway.Core.Profiles;
using FsCheck;
using FsCheck.Fluent;

namespace EdgeGateway.Tests.Polling;

public class ReadPlannerTests
{
    [Fact]
    public void Neighbours_share_a_request()
    {
        var plan = Plan([(0, At(0, RegisterType.Float32)), (1, At(2, RegisterType.Float32)), (2, At(4, RegisterType.UInt16))], new(125, false));
        var read = Assert.Single(plan);
        Assert.Equal(new ReadRequest(RegisterTable.HoldingRegister, 0, 5), read.Request);
        Assert.Equal([0, 1, 2], read.Points);
    }

    [Fact]
    public void A_gap_is_bridged_where_that_is_allowed_and_cheaper()
    {
        (int, RegisterEncoding)[] points = [(0, At(0, RegisterType.UInt16)), (1, At(11, RegisterType.UInt16))];
        Assert.Equal(2, Plan(points, new(125, MayReadGaps: false)).Count);
        Assert.Equal(12, Assert.Single(Plan(points, new(125, MayReadGaps: true))).Request.Quantity);

        // A request of 9 ms costs less than ten registers at 1 ms each.
        Assert.Equal(2, ReadPlanner.Plan(points, new(125, MayReadGaps: true), new(9_000_000, 500_000)).Count);

        // The profile names what stands between.
        Assert.Single(ReadPlanner.Plan(points, new(125, MayReadGaps: false), Cost, [At(1, RegisterType.Float64), At(5, RegisterType.Float64), At(9, RegisterType.UInt32)]));
    }

    [Fact]
    public void A_value_is_never_split_where_a_request_is_full()
    {
        var plan = Plan(Enumerable.Range(0, 10).Select(i => (i, At(2 * i, RegisterType.UInt32))), new(5, false));
        Assert.All(plan, r => Assert.Equal(4, r.Request.Quantity));
        Assert.Equal(5, plan.Count);
    }

    [Fact]
    public void Tables_are_read_apart_and_bits_up_to_2000()
    {
        var points = Enumerable.Range(0, 2001).Select(i => (i, At(i, RegisterType.Bit, RegisterTable.Coil))).Append((2001, At(0, RegisterType.UInt16, RegisterTable.InputRegister)));
        var plan = Plan(points, new(10, false));
        Assert.Equal([2000, 1, 1], plan.Select(r => (int)r.Request.Quantity));
        Assert.Equal([RegisterTable.Coil, RegisterTable.Coil, RegisterTable.InputRegister], plan.Select(r => r.Request.Table));
    }

    [Fact]
    public void Bits_on_a_word_come_with_the_word()
    {
        var plan = Plan([(0, At(7, RegisterType.Bit)), (1, At(7, RegisterType.UInt16)), (2, At(7, RegisterType.Bit))], new(125, false));
        Assert.Equal(1, Assert.Single(plan).Request.Quantity);
        Assert.Equal(3, plan[0].Points.Count);
    }

    [Fact]
    public void The_last_address_can_be_read() =>
        Assert.Equal(new ReadRequest(RegisterTable.HoldingRegister, 65_534, 2), Plan([(0, At(65_534, RegisterType.UInt32))], new(125, true))[0].Request);

    [Fact]
    public void A_point_longer_than_a_request_is_our_mistake() =>
        Assert.Throws<ArgumentException>(() => Plan([(0, At(0, RegisterType.Float64))], new(3, false)));

    [Fact]
    public void No_points_need_no_request() => Assert.Empty(Plan([], new(125, true)));

    [Fact]
    public void Every_plan_covers_each_point_once_within_the_limits_and_touches_nothing_needless()
    {
        Prop.ForAll(Cases.ToArbitrary(), c =>
        {
            var plan = ReadPlanner.Plan(c.Points.Select((e, i) => (i, e)), c.Limits, c.Cost);
            var covered = plan.SelectMany(r => r.Points).Order().ToList();
            Assert.Equal(Enumerable.Range(0, c.Points.Count), covered);
            foreach (var read in plan)
            {
                Assert.InRange(read.Request.Quantity, 1, IsBits(read.Request.Table) ? c.Limits.MaxBitsPerRead : c.Limits.MaxRegistersPerRead);
                var (unused, needed) = (0, new HashSet<int>());
                foreach (var encoding in read.Points.Select(p => c.Points[p]))
                {
                    Assert.Equal(read.Request.Table, encoding.Table);
                    Assert.True(encoding.Address >= read.Request.Address && encoding.Address + encoding.Length <= read.Request.Address + read.Request.Quantity);
                    needed.UnionWith(Enumerable.Range(encoding.Address, encoding.Length));
                }

                for (var a = (int)read.Request.Address; a < read.Request.Address + read.Request.Quantity; a++)
                {
                    unused = needed.Contains(a) ? 0 : unused + 1;
                    Assert.True(unused == 0 || c.Limits.MayReadGaps);
                }

                Assert.Contains(read.Request.Address, needed);
                Assert.Contains(read.Request.Address + read.Request.Quantity - 1, needed);
            }
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Values_are_the_same_under_any_plan()
    {
        Prop.ForAll(Cases.ToArbitrary(), c =>
        {
            // The device: each address of each table holds a word that depends on nothing else.
            ushort Word(RegisterTable table, int address) =>
                IsBits(table) ? (ushort)(address % 2) : unchecked((ushort)((address * 40_503) + ((int)table * 977)));

            foreach (var read in ReadPlanner.Plan(c.Points.Select((e, i) => (i, e)), c.Limits, c.Cost))
            {
                var reply = Enumerable.Range(read.Request.Address, read.Request.Quantity).Select(a => Word(read.Request.Table, a)).ToArray();
                foreach (var encoding in read.Points.Select(p => c.Points[p]))
                {
                    var alone = Enumerable.Range(encoding.Address, encoding.Length).Select(a => Word(encoding.Table, a)).ToArray();
                    var expected = RegisterCodec.Decode(encoding, alone, out var value, out var raw);
                    var status = RegisterCodec.Decode(encoding, reply.AsSpan(encoding.Address - read.Request.Address), out var planned, out var plannedRaw);
                    Assert.Equal((expected, value, raw), (status, planned, plannedRaw));
                }
            }
        }).QuickCheckThrowOnFailure();
    }

    private static readonly ReadCost Cost = ReadCost.Rtu(9600, 11, TimeSpan.FromMilliseconds(20), TimeSpan.Zero);

    private static IReadOnlyList<PlannedRead> Plan(IEnumerable<(int Index, RegisterEncoding Encoding)> points, ReadLimits limits) => ReadPlanner.Plan(points, limits, Cost);

    private static Gen<(List<RegisterEncoding> Points, ReadLimits Limits, ReadCost Cost)> Cases =>
        from points in (
            from table in Gen.Elements(Enum.GetValues<RegisterTable>())
            from type in Gen.Elements(Enum.GetValues<RegisterType>())
            from address in Gen.Choose(0, 200)
            from order in Gen.Elements(WordOrder.HighFirst, WordOrder.LowFirst)
            select At(address, IsBits(table) ? RegisterType.Bit : type, table) with { WordOrder = order }).ListOf()
        from registers in Gen.Choose(4, 125)
        from bits in Gen.Choose(1, 2000)
        from gaps in Gen.Elements(true, false)
        from request in Gen.Choose(0, 100)
        from octet in Gen.Choose(0, 10)
        select (points.ToList(), new ReadLimits(registers, gaps, bits), new ReadCost(request, octet));

    private static bool IsBits(RegisterTable table) => table is RegisterTable.Coil or RegisterTable.DiscreteInput;

    private static RegisterEncoding At(int address, RegisterType type, RegisterTable table = RegisterTable.HoldingRegister) =>
        new() { Table = table, Address = (ushort)address, Type = type };
}
