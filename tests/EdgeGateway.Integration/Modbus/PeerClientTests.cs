using System.Globalization;
using System.Text.Json;
using EdgeGateway.Protocols.Modbus;
using EdgeGateway.Protocols.Serial;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Integration.Modbus;

/// <summary>Clients that others wrote read and write our server.</summary>
public sealed class PeerClientTests
{
    private static readonly SerialSettings Settings = new() { Baud = 19200 };

    private readonly PeerUnit _unit = new();

    private static string Text(IEnumerable<ushort> words) => string.Join(' ', words);

    [Fact]
    public async Task Libmodbus_over_TCP_reads_and_writes_our_server()
    {
        await using var server = ModbusTcpServer.Start(id => id == 1 ? _unit : null);
        Agree(await PeerProcess.RunAsync(await LibmodbusProgram.Client, LibmodbusProgram.Packages, "tcp", Number(server.EndPoint.Port)));
    }

    [Fact]
    public async Task Libmodbus_over_a_serial_line_reads_and_writes_our_server()
    {
        await using var pair = await PtyPair.CreateAsync();
        await using var server = ModbusRtuServer.Start(pair.Ours, Settings, id => id == 1 ? _unit : null);
        Agree(await PeerProcess.RunAsync(await LibmodbusProgram.Client, LibmodbusProgram.Packages, "rtu", pair.Theirs, Number(Settings.Baud)));
    }

    [Fact]
    public async Task Pymodbus_over_TCP_reads_and_writes_our_server()
    {
        await using var server = ModbusTcpServer.Start(id => id == 1 ? _unit : null);
        Agree(await Pymodbus("tcp", "127.0.0.1", Number(server.EndPoint.Port)), isSerial: false);
    }

    [Fact]
    public async Task Pymodbus_over_a_serial_line_reads_and_writes_our_server()
    {
        await using var pair = await PtyPair.CreateAsync();
        await using var server = ModbusRtuServer.Start(pair.Ours, Settings, id => id == 1 ? _unit : null);
        Agree(await Pymodbus("rtu", pair.Theirs, Number(Settings.Baud)), isSerial: true);
    }

    [Theory]
    [InlineData("4", RegisterTable.HoldingRegister, 100, 20)]
    [InlineData("3", RegisterTable.InputRegister, 0, 20)]
    [InlineData("0", RegisterTable.Coil, 0, 40)]
    [InlineData("1", RegisterTable.DiscreteInput, 0, 40)]
    public async Task Mbpoll_over_TCP_reads_our_server(string type, RegisterTable table, int address, int count)
    {
        await using var server = ModbusTcpServer.Start(id => id == 1 ? _unit : null);
        var output = await Mbpoll("-m", "tcp", "-p", Number(server.EndPoint.Port), "-t", type, "-0", "-r", Number(address), "-c", Number(count), "-1", "127.0.0.1");
        Assert.Equal(_unit.Words(table, address, count), Polled(output, address, count));
    }

    [Fact]
    public async Task Mbpoll_over_a_serial_line_reads_and_writes_our_server()
    {
        await using var pair = await PtyPair.CreateAsync();
        await using var server = ModbusRtuServer.Start(pair.Ours, Settings, id => id == 1 ? _unit : null);
        string[] line = ["-m", "rtu", "-b", Number(Settings.Baud), "-P", "none", "-a", "1", "-0", "-o", "5"];
        var output = await Mbpoll([.. line, "-t", "4", "-r", "100", "-c", "20", "-1", pair.Theirs]);
        Assert.Equal(_unit.Words(RegisterTable.HoldingRegister, 100, 20), Polled(output, 100, 20));

        await Mbpoll([.. line, "-t", "4", "-r", "1000", pair.Theirs, "77", "78"]);
        Assert.Equal([77, 78], _unit.Words(RegisterTable.HoldingRegister, 1000, 2));

        // Function 17: mbpoll prints id and run indicator.
        output = await Mbpoll([.. line, "-u", pair.Theirs]);
        Assert.Contains("0x2A", output, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("On", output, StringComparison.Ordinal);
    }

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static Task<string> Mbpoll(params string[] arguments) => PeerProcess.RunAsync("mbpoll", "mbpoll", arguments);

    private static async Task<JsonElement> Pymodbus(params string[] arguments)
    {
        var output = await PeerProcess.RunAsync(
            PymodbusServer.Python, PymodbusServer.Packages, [RepositoryFiles.At("tests/EdgeGateway.Integration/Modbus/peers/pymodbus_client.py"), .. arguments]);
        return JsonDocument.Parse(output).RootElement;
    }

    /// <summary>The values of lines like "[100]: 54321 (-11215)".</summary>
    private static ushort[] Polled(string output, int address, int count)
    {
        var values = new ushort[count];
        for (var i = 0; i < count; i++)
        {
            var label = $"[{address + i}]:";
            var line = output.Split('\n').FirstOrDefault(l => l.StartsWith(label, StringComparison.Ordinal));
            Assert.True(line is not null, $"no line {label} in:\n{output}");
            values[i] = ushort.Parse(line[label.Length..].Trim().Split(' ', '\t')[0], CultureInfo.InvariantCulture);
        }

        return values;
    }

    private void Agree(string libmodbus)
    {
        var said = libmodbus.Split('\n', StringSplitOptions.RemoveEmptyEntries).ToDictionary(l => l[..l.IndexOf(' ', StringComparison.Ordinal)], l => l[(l.IndexOf(' ', StringComparison.Ordinal) + 1)..]);
        Assert.Equal(Text(_unit.Words(RegisterTable.HoldingRegister, 100, 5)), said["holding"]);
        Assert.Equal(Text(_unit.Words(RegisterTable.InputRegister, 0, 125)), said["input"]);
        Assert.Equal(Text(new PeerUnit().Words(RegisterTable.Coil, 0, 2000)), said["coils"]);
        Assert.Equal(Text(_unit.Words(RegisterTable.DiscreteInput, 3, 10)), said["discrete"]);
        Assert.Equal(("1", "3", "1", "9"), (said["write-register"], said["write-registers"], said["write-bit"], said["write-bits"]));
        Assert.Equal("77 4660 65535 0", said["registers-written"]);
        Assert.Equal("1 1 0 0 1 1 1 0 1 1", said["bits-written"]);

        // 77 is 4D; (4D AND F2) OR (25 AND NOT F2) is 45, which is 69.
        Assert.Equal("1", said["mask-write"]);
        Assert.Equal("69 65535 0", said["write-and-read"]);
        Assert.Equal("42 255", said["server-id"]);
        Assert.Equal("refused Illegal data address", said["no-such-address"]);
    }

    private void Agree(JsonElement said, bool isSerial)
    {
        Assert.Equal(_unit.Words(RegisterTable.HoldingRegister, 100, 5), Words("holding"));
        Assert.Equal(_unit.Words(RegisterTable.InputRegister, 0, 125), Words("input"));
        Assert.Equal(new PeerUnit().Words(RegisterTable.Coil, 0, 2000), Words("coils"));
        Assert.Equal(_unit.Words(RegisterTable.DiscreteInput, 3, 10), Words("discrete"));
        Assert.Equal(77, said.GetProperty("write-register").GetInt32());
        Assert.Equal(3, said.GetProperty("write-registers").GetInt32());
        Assert.True(said.GetProperty("write-coil").GetBoolean());
        Assert.Equal(3, said.GetProperty("write-coils").GetInt32());
        Assert.Equal(0x25, said.GetProperty("mask-write").GetInt32());
        Assert.Equal([69, 65535, 0], Words("read-write"));
        Assert.Equal(2, said.GetProperty("no-such-address").GetInt32());
        Assert.Equal(0x6D, said.GetProperty("exception-status").GetInt32());
        Assert.Contains("42295", said.GetProperty("query-data").ToString(), StringComparison.Ordinal);

        // Only a serial line has frames for all to count; the first request to the unit is not among them.
        Assert.Contains(isSerial ? "13" : "0", said.GetProperty("bus-messages").ToString(), StringComparison.Ordinal);

        // 11 reads and writes less one refusal, exception status, query data, bus messages.
        Assert.Equal(13, said.GetProperty("event-counter").GetInt32());
        Assert.Equal(16, said.GetProperty("event-log").GetInt32());
        Assert.Equal("2aff", said.GetProperty("server-id")[0].GetString());
        Assert.True(said.GetProperty("server-id")[1].GetBoolean());
        Assert.Equal("06af04be100d", said.GetProperty("write-file").GetString());
        Assert.Equal("06af04be100d", said.GetProperty("read-file").GetString());

        var identification = said.GetProperty("identification");
        Assert.Equal(8, identification.EnumerateObject().Count());
        Assert.All(identification.EnumerateObject(), o => Assert.Equal(_unit.Identification[byte.Parse(o.Name, CultureInfo.InvariantCulture)], o.Value.GetString()));

        ushort[] Words(string name) => [.. said.GetProperty(name).EnumerateArray().Select(e => e.GetUInt16())];
    }
}
