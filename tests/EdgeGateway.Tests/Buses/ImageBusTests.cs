using EdgeGateway.Buses;
using EdgeGateway.Core;
using EdgeGateway.Core.Polling;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeGateway.Tests.Buses;

/// <summary>Inputs of this computer as register images: each at its place, and one that has no value takes no other away.</summary>
public sealed class ImageBusTests
{
    private static readonly ImageLayout Layout = new(
        "a test input",
        RegisterTable.InputRegister,
        new ImageField(0, RegisterType.UInt64, "pulses"),
        new ImageField(4, RegisterType.Float64, "rate"),
        new ImageField(8, RegisterType.UInt16, "state"),
        new ImageField(10, RegisterType.Int32, "steps"),
        new ImageField(12, RegisterType.Float32, "speed"));

    [Fact]
    public async Task Each_input_stands_in_its_own_block()
    {
        await using var bus = new Double((1, 1, 0x1122334455667788), (1, 3, 7));

        var (reply, words) = await ReadAsync(bus, 1, 0, 48);

        Assert.True(reply.IsGood);
        Assert.Equal([0x1122, 0x3344, 0x5566, 0x7788], words[..4]);
        Assert.Equal([0, 0, 0, 0], words[16..20]);
        Assert.Equal(7, words[35]);
    }

    [Fact]
    public async Task A_part_of_a_block_can_be_read()
    {
        await using var bus = new Double((1, 2, 0x00010002_00030004));

        var (reply, words) = await ReadAsync(bus, 1, 18, 2);

        Assert.True(reply.IsGood);
        Assert.Equal([3, 4], words);
    }

    [Fact]
    public async Task An_input_without_a_value_says_so_and_its_neighbour_keeps_its_own()
    {
        await using var bus = new Double((1, 1, null), (1, 2, 5));

        var (reply, words) = await ReadAsync(bus, 1, 0, 32);

        Assert.True(reply.IsGood);
        foreach (var field in Layout.Fields)
        {
            var encoding = field.Encoding with { Invalid = [field.Absent] };
            Assert.NotEqual(DecodeStatus.Ok, RegisterCodec.Decode(encoding, words.AsSpan(field.Offset), out var value, out _));
            Assert.True(double.IsNaN(value));
        }

        Assert.Equal(5, words[19]);
        Assert.Equal("Bus local, input 1 of unit 1: the plug is out", Assert.Single(bus.Problems));
    }

    [Fact]
    public async Task When_no_input_has_a_value_the_read_says_why()
    {
        await using var bus = new Double((1, 1, null), (1, 2, null), (2, 1, 5));

        var (reply, _) = await ReadAsync(bus, 1, 0, 32);

        Assert.Equal(QualityReason.NotConnected, reply.Reason);
        Assert.Equal("the plug is out", bus.LastProblem);
        Assert.Equal(2, bus.Problems.Count);
    }

    [Fact]
    public async Task What_belongs_to_no_input_is_refused()
    {
        await using var bus = new Double((1, 1, 5));

        Assert.Equal(new BusReply(QualityReason.DeviceException, 2), (await ReadAsync(bus, 2, 0, 4)).Reply);
        Assert.Equal(new BusReply(QualityReason.DeviceException, 2), (await ReadAsync(bus, 1, 16, 4)).Reply);
        Assert.Equal(new BusReply(QualityReason.DeviceException, 1), await bus.WriteAsync(1, RegisterTable.HoldingRegister, 0, new ushort[] { 1 }, true, TimeSpan.FromSeconds(1), default));
    }

    [Fact]
    public async Task A_read_of_what_has_values_allocates_nothing()
    {
        await using var bus = new Double((1, 1, 5), (1, 2, 6));
        var words = new ushort[32];
        var request = new ReadRequest(RegisterTable.InputRegister, 0, 32);
        for (var i = 0; i < 100; i++)
        {
            await bus.ReadAsync(1, request, words, TimeSpan.FromSeconds(1), default);
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
        {
            await bus.ReadAsync(1, request, words, TimeSpan.FromSeconds(1), default);
        }

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1000);
    }

    [Fact]
    public void Values_of_a_layout_must_not_overlap_or_leave_the_block()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new ImageLayout("x", RegisterTable.InputRegister, new ImageField(0, RegisterType.UInt32, "a"), new ImageField(1, RegisterType.UInt16, "b")));
        Assert.Throws<ArgumentOutOfRangeException>(() => new ImageLayout("x", RegisterTable.InputRegister, new ImageField(13, RegisterType.UInt64, "a")));
    }

    private static async Task<(BusReply Reply, ushort[] Words)> ReadAsync(Double bus, byte unit, int address, int quantity)
    {
        var words = new ushort[quantity];
        var reply = await bus.ReadAsync(unit, new ReadRequest(RegisterTable.InputRegister, (ushort)address, (ushort)quantity), words, TimeSpan.FromSeconds(1), default);
        return (reply, words);
    }

    private sealed record Bus : LocalBus;

    private sealed record Input : LocalInput
    {
        public ulong? Pulses { get; init; }

        public override ImageLayout Layout => ImageBusTests.Layout;

        public override string Title => $"input {Number} of unit {Unit}";
    }

    private sealed class Double(params (byte Unit, int Number, ulong? Pulses)[] inputs) : ImageBus(
        new Bus { Id = "local", Timeout = TimeSpan.FromSeconds(1), Inputs = [.. inputs.Select(i => new Input { Unit = i.Unit, Number = i.Number, Pulses = i.Pulses })] },
        NullLogger.Instance)
    {
        protected override ValueTask<(BusReply Reply, string? Problem)> RefreshAsync(LocalInput input, Memory<ushort> block, TimeSpan timeout, CancellationToken cancel)
        {
            if (((Input)input).Pulses is not { } pulses)
            {
                return ValueTask.FromResult<(BusReply, string?)>((new BusReply(QualityReason.NotConnected), "the plug is out"));
            }

            Layout.Put(block.Span, "pulses", unchecked((long)pulses));
            Layout.Put(block.Span, "rate", 2.5);
            Layout.Put(block.Span, "state", 1L);
            return ValueTask.FromResult<(BusReply, string?)>((BusReply.Good, null));
        }

        public override ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
