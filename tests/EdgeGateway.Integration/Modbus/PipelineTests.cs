using EdgeGateway.Protocols.Modbus;

namespace EdgeGateway.Integration.Modbus;

/// <summary>Many reads at once against servers that others wrote: whatever depth is found, every value is the right one.</summary>
public sealed class PipelineTests
{
    private const int AtOnce = 16;
    private const int ReadsOfEach = 100;

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    [Fact]
    public async Task Pymodbus_answers_sixteen_callers_with_their_own_values()
    {
        await using var server = await PymodbusServer.StartTcpAsync();
        await using var client = new ModbusTcpClient("127.0.0.1", server.Port, TimeProvider.System);
        await ReadTheImage(client);
    }

    [Fact]
    public async Task Libmodbus_answers_sixteen_callers_with_their_own_values()
    {
        await using var server = await LibmodbusServer.StartTcpAsync();
        await using var client = new ModbusTcpClient("127.0.0.1", server.Port, TimeProvider.System);
        await ReadTheImage(client);
    }

    [Fact]
    public async Task A_server_far_away_is_asked_several_at_once()
    {
        await using var server = await LatencyServer.StartAsync(5000);
        await using var client = new ModbusTcpClient("127.0.0.1", server.ReadyNumber, TimeProvider.System);
        await ReadRamp(client, 1000);
        Assert.True(client.Counters.MostInFlight > 1);
        Assert.Equal(0, client.Counters.Objections);
    }

    [Fact]
    public async Task A_server_that_closes_the_connection_loses_no_value_and_is_asked_one_at_a_time()
    {
        await using var server = await LatencyServer.StartAsync(5000, objects: true);
        await using var client = new ModbusTcpClient("127.0.0.1", server.ReadyNumber, TimeProvider.System);
        await ReadRamp(client, 160);
        Assert.Equal(1, client.Depth);
        Assert.Equal(1, client.Counters.Objections);
        Assert.Equal(2, client.Counters.MostInFlight);
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(1, false)]
    [InlineData(4, true)]
    [InlineData(4, false)]
    public async Task A_server_that_puts_the_newest_header_on_each_answer_gives_no_foreign_value(int quantity, bool ofOtherUnits)
    {
        await using var server = ModbusTcpServer.Start(
            unit => new OwnNumbers(unit), options: new() { Concurrency = ServerConcurrency.NewestHeader, Latency = TimeSpan.FromMilliseconds(5) });
        await using var client = new ModbusTcpClient("127.0.0.1", server.EndPoint.Port, TimeProvider.System);
        await Task.WhenAll(Enumerable.Range(1, 4).Select(async caller =>
        {
            var values = new ushort[quantity];
            var unit = (byte)(ofOtherUnits ? caller : 1);
            var address = (ushort)(ofOtherUnits ? 0 : 10 * caller);
            for (var i = 0; i < 40; i++)
            {
                var outcome = await client.ReadAsync(unit, RegisterTable.HoldingRegister, address, quantity, values, Timeout);
                Assert.True(outcome.IsOk, outcome.ToString());
                Assert.Equal(Enumerable.Range((unit * 1000) + address, quantity), values.Select(value => (int)value));
            }
        }));
        Assert.Equal(1, client.Depth);
    }

    private static async Task ReadTheImage(ModbusTcpClient client)
    {
        var image = RegisterImage.Default;
        await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(async caller =>
        {
            for (var i = 0; i < ReadsOfEach; i++)
            {
                var block = image.Blocks[((caller * 7) + i) % image.Blocks.Count];
                var values = new ushort[block.Words.Length];
                var outcome = await client.ReadAsync(image.Unit, block.Table, block.Address, values.Length, values, Timeout);
                Assert.True(outcome.IsOk, $"{block.Name}: {outcome}");
                Assert.Equal(block.Words, values);
            }
        }));
        Assert.Equal(AtOnce * ReadsOfEach, client.Counters.Replies);
    }

    private static Task ReadRamp(ModbusTcpClient client, int reads) => Task.WhenAll(Enumerable.Range(0, AtOnce).Select(async caller =>
    {
        var values = new ushort[100];
        for (var i = 0; i < reads / AtOnce; i++)
        {
            var address = (ushort)((caller * 1000) + i);
            var outcome = await client.ReadAsync(1, RegisterTable.HoldingRegister, address, values.Length, values, Timeout);
            Assert.True(outcome.IsOk, $"{address}: {outcome}");
            Assert.Equal(Enumerable.Range(address, values.Length), values.Select(value => (int)value));
        }
    }));

    /// <summary>A register holds its unit times 1000 plus its address.</summary>
    private sealed class OwnNumbers(byte unit) : IModbusUnit
    {
        public ModbusExceptionCode Read(RegisterTable table, ushort address, Span<ushort> destination)
        {
            for (var i = 0; i < destination.Length; i++)
            {
                destination[i] = (ushort)((unit * 1000) + address + i);
            }

            return ModbusExceptionCode.None;
        }

        public ModbusExceptionCode Write(RegisterTable table, ushort address, ReadOnlySpan<ushort> values) => ModbusExceptionCode.IllegalFunction;
    }
}
