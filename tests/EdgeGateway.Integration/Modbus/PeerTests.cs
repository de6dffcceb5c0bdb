using EdgeGateway.Protocols.Modbus;
using EdgeGateway.Protocols.Serial;

namespace EdgeGateway.Integration.Modbus;

/// <summary>Our client reads the well-known image from servers that others wrote.</summary>
public sealed class PeerTests
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);
    private static readonly SerialSettings Settings = new() { Baud = 19200, Parity = SerialParity.Even };

    [Fact]
    public async Task Pymodbus_over_TCP_serves_the_values_of_the_image()
    {
        await using var server = await PymodbusServer.StartTcpAsync();
        await using var client = new ModbusTcpClient("127.0.0.1", server.Port, TimeProvider.System);
        await Agree(client);
        await AgreeOnTheRest(client);
    }

    [Fact]
    public async Task Libmodbus_over_TCP_serves_the_values_of_the_image()
    {
        await using var server = await LibmodbusServer.StartTcpAsync();
        await using var client = new ModbusTcpClient("localhost", server.Port, TimeProvider.System);
        await Agree(client);
        await AgreeOnServerId(client);
    }

    [Fact]
    public async Task Pymodbus_over_a_serial_line_serves_the_values_of_the_image()
    {
        // A pseudo-terminal has no parity: pyserial takes that for an error, others do not.
        var settings = Settings with { Parity = SerialParity.None };
        await using var pair = await PtyPair.CreateAsync();
        await using var server = await PymodbusServer.StartRtuAsync(pair.Theirs, settings);
        await using var client = new ModbusRtuClient(pair.Ours, settings, TimeProvider.System);
        await Agree(client);
        await AgreeOnTheRest(client);
    }

    [Fact]
    public async Task Pymodbus_in_ASCII_mode_serves_the_values_of_the_image()
    {
        var settings = Settings with { Parity = SerialParity.None, Baud = 115_200 };
        await using var pair = await PtyPair.CreateAsync();
        await using var server = await PymodbusServer.StartAsciiAsync(pair.Theirs, settings);
        await using var client = new ModbusAsciiClient(pair.Ours, settings, TimeProvider.System);
        await Agree(client);
    }

    [Theory]
    [InlineData("rtu-over-tcp")]
    [InlineData("ascii-over-tcp")]
    [InlineData("udp")]
    public async Task Pymodbus_serves_the_values_of_the_image_over_other_transports(string mode)
    {
        await using var server = await PymodbusServer.StartOnNetworkAsync(mode);
        OpenByteLine open = async (wait, cancel) => await TcpLine.ConnectAsync("127.0.0.1", server.Port, wait, TimeProvider.System, cancel);
        var timing = RtuTiming.OverNetwork(TimeSpan.FromMilliseconds(5));
        await using ModbusClient client = mode switch
        {
            "udp" => new ModbusUdpClient("localhost", server.Port, TimeProvider.System),
            "rtu-over-tcp" => new ModbusRtuClient(open, timing, TimeProvider.System),
            _ => new ModbusAsciiClient(open, timing, TimeProvider.System),
        };
        await Agree(client);
    }

    [Fact]
    public async Task Libmodbus_over_a_serial_line_serves_the_values_of_the_image()
    {
        await using var pair = await PtyPair.CreateAsync();
        await using var server = await LibmodbusServer.StartRtuAsync(pair.Theirs, Settings);
        await using var client = new ModbusRtuClient(pair.Ours, Settings, TimeProvider.System);
        await Agree(client);
        await AgreeOnServerId(client);
    }

    private static async Task Agree(ModbusClient client)
    {
        var image = RegisterImage.Default;
        Assert.Equal(4, image.Blocks.Select(b => b.Table).Distinct().Count());
        foreach (var block in image.Blocks)
        {
            var values = new ushort[block.Words.Length];
            var outcome = await client.ReadAsync(image.Unit, block.Table, block.Address, values.Length, values, Timeout);
            Assert.True(outcome.IsOk, $"{block.Name}: {outcome}");
            Assert.Equal(block.Words, values);
        }

        foreach (var table in Enum.GetValues<RegisterTable>())
        {
            await AgreeOnMost(client, table);
        }

        var refused = await client.ReadAsync(image.Unit, RegisterTable.HoldingRegister, 60000, 2, new ushort[2], Timeout);
        Assert.Equal(ModbusOutcome.Refused(ModbusExceptionCode.IllegalDataAddress), refused);
        await AgreeOnWrites(client, image.Unit);
        await AgreeOnReadWrite(client, image.Unit);

        Assert.Equal(0, client.Counters.LateDiscarded);
        Assert.Equal(0, client.Counters.Timeouts);
    }

    /// <summary>Function 17: libmodbus answers a fixed id, that it runs, and its version.</summary>
    private static async Task AgreeOnServerId(ModbusClient client)
    {
        var (outcome, id) = await client.ReportServerIdAsync(RegisterImage.Default.Unit, Timeout);
        Assert.True(outcome.IsOk, outcome.ToString());
        Assert.True(id!.IsRunning);
        Assert.StartsWith("LMB", id.Additional, StringComparison.Ordinal);
    }

    /// <summary>Functions 22 and 23.</summary>
    private static async Task AgreeOnReadWrite(ModbusClient client, byte unit)
    {
        // 77 is 4D; (4D AND F2) OR (25 AND NOT F2) is 45, which is 69.
        var masked = await client.MaskWriteAsync(unit, 1000, 0xF2, 0x25, Timeout);
        Assert.True(masked.IsOk, masked.ToString());
        var values = new ushort[3];
        var outcome = await client.ReadWriteAsync(unit, 1000, 3, values, 1001, new ushort[] { 0xFFFF, 5 }, Timeout);
        Assert.True(outcome.IsOk, outcome.ToString());
        Assert.Equal([69, 0xFFFF, 5], values);

        // The most that one request can carry.
        var most = Enumerable.Range(1, 121).Select(i => (ushort)i).ToArray();
        values = new ushort[125];
        outcome = await client.ReadWriteAsync(unit, 1100, 125, values, 1100, most, Timeout);
        Assert.True(outcome.IsOk, outcome.ToString());
        Assert.Equal(most, values[..121]);
    }

    /// <summary>Functions 07, 08, 11, 12, 17, 24 and 43/14, as pymodbus has them. It keeps no files: 20 answers without records, so it is not asked.</summary>
    private static async Task AgreeOnTheRest(ModbusClient client)
    {
        const byte Unit = 1;
        Assert.Equal((ModbusOutcome.Ok, (byte)0), await client.ReadExceptionStatusAsync(Unit, Timeout));
        Assert.Equal((ModbusOutcome.Ok, (ushort)0xA537), await client.DiagnosticsAsync(Unit, DiagnosticFunction.ReturnQueryData, 0xA537, Timeout));
        foreach (var function in Enum.GetValues<DiagnosticFunction>().Where(Diagnostics.IsHarmless).Append(DiagnosticFunction.ClearCounters))
        {
            var (told, _) = await client.DiagnosticsAsync(Unit, function, 0, Timeout);
            Assert.True(told.IsOk, $"{function}: {told}");
        }

        Assert.True((await client.GetCommEventCounterAsync(Unit, Timeout)).Outcome.IsOk);
        var (logged, log) = await client.GetCommEventLogAsync(Unit, Timeout);
        Assert.True(logged.IsOk, logged.ToString());
        Assert.NotNull(log);
        Assert.Equal((ModbusOutcome.Ok, 0), await client.ReadFifoQueueAsync(Unit, 0, new ushort[31], Timeout));

        var (outcome, id) = await client.ReportServerIdAsync(Unit, Timeout);
        Assert.True(outcome.IsOk, outcome.ToString());
        Assert.Equal("Example-EX-1-V2.11", id!.Id);
        Assert.True(id.IsRunning);

        (outcome, var identification) = await client.ReadDeviceIdentificationAsync(Unit, Timeout);
        Assert.True(outcome.IsOk, outcome.ToString());
        Assert.True(identification!.IsComplete);
        Assert.Equal(("Example", "EX-1", "V2.11"), (identification.VendorName, identification.ProductCode, identification.MajorMinorRevision));
        Assert.Equal((new string('m', 200), new string('u', 100)), (identification.ModelName, identification.UserApplicationName));
        var (told2, text) = await client.ReadIdentificationObjectAsync(Unit, 4, Timeout);
        Assert.True(told2.IsOk, told2.ToString());
        Assert.Equal("Meter", text);
        Assert.Equal(0, client.Counters.LateDiscarded);
        Assert.Equal(0, client.Counters.Timeouts);
    }

    /// <summary>The largest read that the protocol allows, which must hold what the small ones held.</summary>
    private static async Task AgreeOnMost(ModbusClient client, RegisterTable table)
    {
        var expected = new ushort[2000];
        foreach (var block in RegisterImage.Default.Blocks.Where(b => b.Table == table))
        {
            block.Words.CopyTo(expected, block.Address);
        }

        var start = table.IsBits() ? 0 : RegisterImage.Default.Blocks.First(b => b.Table == table).Address;
        var values = new ushort[table.MaxReadQuantity()];
        var outcome = await client.ReadAsync(RegisterImage.Default.Unit, table, (ushort)start, values.Length, values, Timeout);
        Assert.True(outcome.IsOk, $"{table}: {outcome}");
        Assert.Equal(expected.AsSpan(start, values.Length).ToArray(), values);
    }

    private static async Task AgreeOnWrites(ModbusClient client, byte unit)
    {
        ushort[] registers = [0x1234, 0xFFFF, 0];
        ushort[] coils = [1, 0, 0, 1, 1, 1, 0, 1, 1];
        Assert.True((await client.WriteSingleAsync(unit, RegisterTable.HoldingRegister, 1000, 77, Timeout)).IsOk);
        Assert.True((await client.WriteMultipleAsync(unit, RegisterTable.HoldingRegister, 1001, registers, Timeout)).IsOk);
        Assert.True((await client.WriteSingleAsync(unit, RegisterTable.Coil, 1000, 1, Timeout)).IsOk);
        Assert.True((await client.WriteMultipleAsync(unit, RegisterTable.Coil, 1001, coils, Timeout)).IsOk);

        var values = new ushort[10];
        Assert.True((await client.ReadAsync(unit, RegisterTable.HoldingRegister, 1000, 4, values, Timeout)).IsOk);
        Assert.Equal([77, .. registers], values[..4]);
        Assert.True((await client.ReadAsync(unit, RegisterTable.Coil, 1000, 10, values, Timeout)).IsOk);
        Assert.Equal([1, .. coils], values);
    }
}
