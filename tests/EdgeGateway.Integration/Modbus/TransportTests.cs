using System.Diagnostics;
using System.Globalization;
using System.Net;
using EdgeGateway.Protocols.Modbus;
using EdgeGateway.Protocols.Serial;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Integration.Modbus;

/// <summary>UDP, ASCII and frames behind device servers: our servers read by pymodbus, and our clients against our servers that misbehave.</summary>
public sealed class TransportTests
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMilliseconds(400);
    private static readonly TimeSpan Late = TimeSpan.FromMilliseconds(700);
    private static readonly TimeSpan Patient = TimeSpan.FromSeconds(10);

    // No parity: a pseudo-terminal has none, which pyserial takes for an error.
    private static readonly SerialSettings Settings = new() { Baud = 19_200, DataBits = 8 };

    private readonly ushort[] _values = new ushort[4];

    public static TheoryData<string, string, ModbusStatus> Faults => new()
    {
        { "udp", nameof(ServerFault.Silence), ModbusStatus.Timeout },
        { "udp", nameof(ServerFault.WrongCrc), ModbusStatus.CorruptFrame },
        { "udp", nameof(ServerFault.ShortReply), ModbusStatus.ShortReply },
        { "udp", nameof(ServerFault.AnswerAs), ModbusStatus.WrongUnit },
        { "udp", nameof(ServerFault.WrongTransactionId), ModbusStatus.Timeout },
        { "udp", nameof(ServerFault.Duplicate), ModbusStatus.Ok },
        { "udp", nameof(ServerFault.DelayBy), ModbusStatus.Timeout },
        { "rtu-over-tcp", nameof(ServerFault.Silence), ModbusStatus.Timeout },
        { "rtu-over-tcp", nameof(ServerFault.WrongCrc), ModbusStatus.CorruptFrame },
        { "rtu-over-tcp", nameof(ServerFault.ShortReply), ModbusStatus.ShortReply },
        { "rtu-over-tcp", nameof(ServerFault.AnswerAs), ModbusStatus.WrongUnit },
        { "rtu-over-tcp", nameof(ServerFault.Duplicate), ModbusStatus.Ok },
        { "rtu-over-tcp", nameof(ServerFault.DelayBy), ModbusStatus.Timeout },
        { "ascii-over-tcp", nameof(ServerFault.Silence), ModbusStatus.Timeout },
        { "ascii-over-tcp", nameof(ServerFault.WrongCrc), ModbusStatus.CorruptFrame },
        { "ascii-over-tcp", nameof(ServerFault.ShortReply), ModbusStatus.ShortReply },
        { "ascii-over-tcp", nameof(ServerFault.AnswerAs), ModbusStatus.WrongUnit },
        { "ascii-over-tcp", nameof(ServerFault.Duplicate), ModbusStatus.Ok },
        { "ascii-over-tcp", nameof(ServerFault.DelayBy), ModbusStatus.Timeout },
    };

    [Theory]
    [InlineData("udp")]
    [InlineData("rtu-over-tcp")]
    [InlineData("ascii-over-tcp")]
    public async Task Pymodbus_reads_our_server(string mode)
    {
        var (server, endPoint) = Serve(mode, new());
        await using (server)
        {
            Assert.Equal("100 101 102", await PymodbusReadsAsync(mode, "127.0.0.1", endPoint.Port.ToString(CultureInfo.InvariantCulture), "1", "100", "3"));
        }
    }

    [Fact]
    public async Task Pymodbus_reads_our_ASCII_server_on_a_line()
    {
        await using var pair = await PtyPair.CreateAsync();
        await using var server = ModbusRtuServer.Start(new AsciiLine(SerialPort.Open(pair.Ours, Settings)), _ => new RampUnit());

        Assert.Equal("7 8 9", await PymodbusReadsAsync("ascii", pair.Theirs, "19200", "3", "7", "3"));
    }

    [Theory, MemberData(nameof(Faults))]
    public async Task Each_fault_has_its_outcome_and_the_next_requests_succeed(string mode, string fault, ModbusStatus expected)
    {
        var faults = new Queue<ServerFault>([ServerFault.None, Named(fault)]);

        // What the server delays comes when the client has given up, however long a busy machine takes for that.
        var time = new ManualTime();
        var (server, endPoint) = Serve(mode, new() { Faults = _ => faults.Count > 0 ? faults.Dequeue() : ServerFault.None }, time);
        await using (server)
        {
            await using var client = Client(mode, endPoint);
            await ReadRight(client, 5);
            var outcome = await client.ReadAsync(1, RegisterTable.HoldingRegister, 5, 4, _values, expected is ModbusStatus.Timeout ? Timeout : Patient);
            Assert.Equal(expected, outcome.Status);

            // What comes late or twice comes during these: it must be taken for none of them.
            await time.AdvanceUntilAsync(ReadRight(client, 9), Late);
            await ReadRight(client, 13);
            await ReadRight(client, 5);
        }
    }

    [Fact]
    public async Task A_device_server_that_closes_idle_connections_costs_no_request()
    {
        var (server, endPoint) = Serve("rtu-over-tcp", new());
        await using var client = Client("rtu-over-tcp", endPoint);
        await ReadRight(client, 1);
        await server.DisposeAsync();
        await using var again = ModbusDeviceServer.Start(LineMode.Rtu, _ => new RampUnit(), endPoint);

        await ReadRight(client, 2);

        Assert.Equal(2, client.Counters.Connects);
    }

    [Fact]
    public async Task A_UDP_port_where_nobody_listens_is_not_connected_at_once()
    {
        var (server, endPoint) = Serve("udp", new());
        await server.DisposeAsync();
        await using var client = Client("udp", endPoint);

        var outcome = await client.ReadAsync(1, RegisterTable.HoldingRegister, 0, 4, _values, TimeSpan.FromMinutes(5));

        Assert.Equal(ModbusStatus.NotConnected, outcome.Status);
    }

    private async Task ReadRight(ModbusClient client, ushort address)
    {
        Array.Clear(_values);
        var outcome = await client.ReadAsync(1, RegisterTable.HoldingRegister, address, 4, _values, Patient);
        Assert.True(outcome.IsOk, outcome.ToString());
        Assert.Equal([address, (ushort)(address + 1), (ushort)(address + 2), (ushort)(address + 3)], _values);
    }

    private static (IAsyncDisposable Server, IPEndPoint EndPoint) Serve(string mode, ModbusServerOptions options, TimeProvider? time = null)
    {
        if (mode == "udp")
        {
            var udp = ModbusUdpServer.Start(_ => new RampUnit(), options: options, time: time);
            return (udp, udp.EndPoint);
        }

        var line = ModbusDeviceServer.Start(mode == "ascii-over-tcp" ? LineMode.Ascii : LineMode.Rtu, _ => new RampUnit(), options: options, time: time);
        return (line, line.EndPoint);
    }

    private static ModbusClient Client(string mode, IPEndPoint endPoint)
    {
        OpenByteLine open = async (wait, cancel) => await TcpLine.ConnectAsync("127.0.0.1", endPoint.Port, wait, TimeProvider.System, cancel);
        var timing = RtuTiming.OverNetwork(TimeSpan.FromMilliseconds(5));
        return mode switch
        {
            "udp" => new ModbusUdpClient("127.0.0.1", endPoint.Port, TimeProvider.System),
            "ascii-over-tcp" => new ModbusAsciiClient(open, timing, TimeProvider.System),
            _ => new ModbusRtuClient(open, timing, TimeProvider.System),
        };
    }

    private static ServerFault Named(string name) => name switch
    {
        nameof(ServerFault.Silence) => ServerFault.Silence,
        nameof(ServerFault.WrongCrc) => ServerFault.WrongCrc,
        nameof(ServerFault.ShortReply) => ServerFault.ShortReply,
        nameof(ServerFault.AnswerAs) => ServerFault.AnswerAs(9),
        nameof(ServerFault.WrongTransactionId) => ServerFault.WrongTransactionId,
        nameof(ServerFault.Duplicate) => ServerFault.Duplicate,
        _ => ServerFault.DelayBy(Late),
    };

    private static async Task<string> PymodbusReadsAsync(params string[] arguments)
    {
        ProcessStartInfo start = new("/usr/bin/python3", [RepositoryFiles.At("tests/EdgeGateway.Integration/Modbus/peers/pymodbus_reader.py"), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var python = Process.Start(start)!;
        var errors = python.StandardError.ReadToEndAsync();
        var values = await python.StandardOutput.ReadToEndAsync();
        await python.WaitForExitAsync();
        Assert.True(python.ExitCode == 0, await errors);
        return values.Trim();
    }
}
