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
        var plan = ReadPlanner.Plan([(0, At(0, RegisterType.Float32)), (1, At(2, RegisterType.Float32)), (2, At(4, RegisterType.UInt16))], new(125, 0));
        var read = Assert.Single(plan);
        Assert.Equal(new ReadRequest(RegisterTable.HoldingRegister, 0, 5), read.Request);
        Assert.Equal([0, 1, 2], read.Points);
    }

    [Fact]
    public void A_gap_is_bridged_only_as_far_as_allowed()
    {
        (int, RegisterEncoding)[] points = [(0, At(0, RegisterType.UInt16)), (1, At(11, RegisterType.UInt16))];
        Assert.Equal(2, ReadPlanner.Plan(points, new(125, 0)).Count);
        Assert.Equal(2, ReadPlanner.Plan(points, new(125, 9)).Count);
        Assert.Equal(12, Assert.Single(ReadPlanner.Plan(points, new(125, 10))).Request.Quantity);
    }

    [Fact]
    public void A_value_is_never_split_where_a_request_is_full()
    {
        var plan = ReadPlanner.Plan(Enumerable.Range(0, 10).Select(i => (i, At(2 * i, RegisterType.UInt32))), new(5, 0));
        Assert.All(plan, r => Assert.Equal(4, r.Request.Quantity));
        Assert.Equal(5, plan.Count);
    }

    [Fact]
    public void Tables_are_read_apart_and_bits_up_to_2000()
    {
        var points = Enumerable.Range(0, 2001).Select(i => (i, At(i, RegisterType.Bit, RegisterTable.Coil))).Append((2001, At(0, RegisterType.UInt16, RegisterTable.InputRegister)));
        var plan = ReadPlanner.Plan(points, new(10, 0));
        Assert.Equal([2000, 1, 1], plan.Select(r => (int)r.Request.Quantity));
        Assert.Equal([RegisterTable.Coil, RegisterTable.Coil, RegisterTable.InputRegister], plan.Select(r => r.Request.Table));
    }

    [Fact]
    public void Bits_on_a_word_come_with_the_word()
    {
        var plan = ReadPlanner.Plan([(0, At(7, RegisterType.Bit)), (1, At(7, RegisterType.UInt16)), (2, At(7, RegisterType.Bit))], new(125, 0));
        Assert.Equal(1, Assert.Single(plan).Request.Quantity);
        Assert.Equal(3, plan[0].Points.Count);
    }

    [Fact]
    public void The_last_address_can_be_read() =>
        Assert.Equal(new ReadRequest(RegisterTable.HoldingRegister, 65_534, 2), ReadPlanner.Plan([(0, At(65_534, RegisterType.UInt32))], new(125, 16))[0].Request);

    [Fact]
    public void A_point_longer_than_a_request_is_our_mistake() =>
        Assert.Throws<ArgumentException>(() => ReadPlanner.Plan([(0, At(0, RegisterType.Float64))], new(3, 0)));

    [Fact]
    public void No_points_need_no_request() => Assert.Empty(ReadPlanner.Plan([], new(125, 16)));

    [Fact]
    public void Every_plan_covers_each_point_once_within_the_limits_and_touches_nothing_needless()
    {
        Prop.ForAll(Cases.ToArbitrary(), c =>
        {
            var plan = ReadPlanner.Plan(c.Points.Select((e, i) => (i, e)), c.Limits);
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
                    Assert.True(unused <= c.Limits.MaxGap);
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

            foreach (var read in ReadPlanner.Plan(c.Points.Select((e, i) => (i, e)), c.Limits))
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

    private static Gen<(List<RegisterEncoding> Points, ReadLimits Limits)> Cases =>
        from points in (
            from table in Gen.Elements(Enum.GetValues<RegisterTable>())
            from type in Gen.Elements(Enum.GetValues<RegisterType>())
            from address in Gen.Choose(0, 200)
            from order in Gen.Elements(WordOrder.HighFirst, WordOrder.LowFirst)
            select At(address, IsBits(table) ? RegisterType.Bit : type, table) with { WordOrder = order }).ListOf()
        from registers in Gen.Choose(4, 125)
        from bits in Gen.Choose(1, 2000)
        from gap in Gen.Choose(0, 30)
        select (points.ToList(), new ReadLimits(registers, gap, bits));

    private static bool IsBits(RegisterTable table) => table is RegisterTable.Coil or RegisterTable.DiscreteInput;

    private static RegisterEncoding At(int address, RegisterType type, RegisterTable table = RegisterTable.HoldingRegister) =>
        new() { Table = table, Address = (ushort)address, Type = type };
}
