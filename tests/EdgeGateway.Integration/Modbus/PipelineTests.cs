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
}
