using System.Diagnostics;
using System.Reflection;
using EdgeGateway.Protocols.Modbus;
using EdgeGateway.Protocols.Serial;

namespace EdgeGateway.Integration.Modbus;

/// <summary>Tests that measure the whole process, so that nothing else may run beside them.</summary>
[CollectionDefinition(nameof(MeasuresTheProcess), DisableParallelization = true)]
public sealed class MeasuresTheProcess;

/// <summary>A request that is answered allocates nothing, in the client, in the server and in the lines between them.</summary>
[Collection(nameof(MeasuresTheProcess))]
public sealed class AllocationTests
{
    private const int Rounds = 5;

    // The smallest object has 24 bytes. Pools of state machines are kept for each thread and core, so a read that moves between them
    // makes a new one now and then. In a debug build the compiler makes each state machine an object: there only what goes far beyond
    // can be seen, and the release build is the proof.
    private static readonly long BytesAllowedPerRead =
        typeof(ModbusClient).Assembly.GetCustomAttribute<DebuggableAttribute>() is { IsJITOptimizerDisabled: true } ? 3000 : 16;

    [Fact]
    public async Task Ten_thousand_reads_over_TCP_allocate_nothing()
    {
        Ramp unit = new();
        await using var server = ModbusTcpServer.Start(_ => unit);
        await using var client = new ModbusTcpClient("127.0.0.1", server.EndPoint.Port, TimeProvider.System);
        Assert.InRange(await BytesPerRead(client, 2000), 0, BytesAllowedPerRead);
    }

    [Fact]
    public async Task Reads_sixteen_at_once_over_TCP_allocate_nothing()
    {
        await using var server = await LatencyServer.StartAsync(1000);
        await using var client = new ModbusTcpClient("127.0.0.1", server.ReadyNumber, TimeProvider.System, capacity: 16);
        using var cancel = new CancellationTokenSource();
        var buffers = Enumerable.Range(0, 16).Select(_ => new ushort[100]).ToArray();
        var least = long.MaxValue;
        for (var round = 0; round <= Rounds; round++)
        {
            var before = GC.GetTotalAllocatedBytes(precise: true);
            await Task.WhenAll(buffers.Select(values => ReadMany(client, values, 200, cancel.Token)));
            if (round > 0)
            {
                least = Math.Min(least, (GC.GetTotalAllocatedBytes(precise: true) - before) / (200 * buffers.Length));
            }
        }

        Assert.InRange(least, 0, BytesAllowedPerRead);
        Assert.True(client.Counters.MostInFlight > 1, "one at a time only");
    }

    [Fact]
    public async Task Reads_over_a_serial_line_allocate_nothing()
    {
        Ramp unit = new();
        SerialSettings settings = new() { Baud = 921600 };
        await using var pair = await PtyPair.CreateAsync();
        await using var server = ModbusRtuServer.Start(pair.Theirs, settings, _ => unit);
        await using var client = new ModbusRtuClient(pair.Ours, settings, TimeProvider.System);
        Assert.InRange(await BytesPerRead(client, 200), 0, BytesAllowedPerRead);
    }

    /// <summary>The least of some rounds: what else the process does, such as ending other tests, comes and goes.</summary>
    private static async Task<long> BytesPerRead(ModbusClient client, int readsPerRound)
    {
        using var cancel = new CancellationTokenSource();
        var values = new ushort[100];
        await ReadMany(client, values, 300, cancel.Token);
        var least = long.MaxValue;
        for (var round = 0; round < 4 * Rounds && least > BytesAllowedPerRead; round++)
        {
            var before = GC.GetTotalAllocatedBytes(precise: true);
            await ReadMany(client, values, readsPerRound, cancel.Token);
            least = Math.Min(least, (GC.GetTotalAllocatedBytes(precise: true) - before) / readsPerRound);
        }

        return least;
    }

    private static async Task ReadMany(ModbusClient client, ushort[] values, int count, CancellationToken cancel)
    {
        for (var i = 0; i < count; i++)
        {
            var outcome = await client.ReadAsync(1, RegisterTable.HoldingRegister, 7, 100, values, TimeSpan.FromSeconds(5), cancel);
            if (!outcome.IsOk || values[99] != 106)
            {
                Assert.Fail($"read {i}: {outcome}, {values[99]}");
            }
        }
    }

    private sealed class Ramp : IModbusUnit
    {
        public ModbusExceptionCode Read(RegisterTable table, ushort address, Span<ushort> destination)
        {
            for (var i = 0; i < destination.Length; i++)
            {
                destination[i] = (ushort)(address + i);
            }

            return ModbusExceptionCode.None;
        }

        public ModbusExceptionCode Write(RegisterTable table, ushort address, ReadOnlySpan<ushort> values) => ModbusExceptionCode.IllegalFunction;
    }
}
