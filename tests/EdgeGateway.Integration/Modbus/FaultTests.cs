using System.Net;
using System.Net.Sockets;
using EdgeGateway.Integration.Gateway;
using EdgeGateway.Protocols.Modbus;
using EdgeGateway.Protocols.Serial;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Integration.Modbus;

/// <summary>Our client against our server that misbehaves on purpose, over real sockets and pseudo-terminals.</summary>
public sealed class FaultTests
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMilliseconds(400);
    private static readonly TimeSpan Late = TimeSpan.FromMilliseconds(700);

    // A machine that is busy may take long for what takes a moment; only faults that need a timeout use the short one.
    private static readonly TimeSpan Patient = TimeSpan.FromSeconds(10);

    // What a server delays is delayed on this clock: it comes when the client has given up, however long a busy machine takes for that.
    private readonly ManualTime _serverTime = new();
    private readonly Queue<ServerFault> _faults = new();
    private readonly ushort[] _values = new ushort[4];

    public static TheoryData<string, ModbusStatus, ModbusStatus> Faults => new()
    {
        { nameof(ServerFault.Silence), ModbusStatus.Timeout, ModbusStatus.Timeout },
        { nameof(ServerFault.WrongCrc), ModbusStatus.CorruptFrame, ModbusStatus.CorruptFrame },
        { nameof(ServerFault.ShortReply), ModbusStatus.ShortReply, ModbusStatus.ShortReply },
        { nameof(ServerFault.Refuse), ModbusStatus.Exception, ModbusStatus.Exception },
        { nameof(ServerFault.AnswerAs), ModbusStatus.WrongUnit, ModbusStatus.WrongUnit },
        { nameof(ServerFault.WrongTransactionId), ModbusStatus.Timeout, ModbusStatus.Ok },
        { nameof(ServerFault.Duplicate), ModbusStatus.Ok, ModbusStatus.Ok },
        { nameof(ServerFault.DelayBy), ModbusStatus.Timeout, ModbusStatus.Timeout },
    };

    // A late answer holds up those behind it, as in most devices, so that it arrives while a later one is awaited.
    private ModbusServerOptions Options => new() { Faults = _ => Next(), Concurrency = ServerConcurrency.Serial };

    private ServerFault Next()
    {
        lock (_faults)
        {
            return _faults.Count > 0 ? _faults.Dequeue() : ServerFault.None;
        }
    }

    private static ServerFault Named(string name) => name switch
    {
        nameof(ServerFault.Silence) => ServerFault.Silence,
        nameof(ServerFault.WrongCrc) => ServerFault.WrongCrc,
        nameof(ServerFault.ShortReply) => ServerFault.ShortReply,
        nameof(ServerFault.Refuse) => ServerFault.Refuse(ModbusExceptionCode.ServerDeviceBusy),
        nameof(ServerFault.AnswerAs) => ServerFault.AnswerAs(9),
        nameof(ServerFault.WrongTransactionId) => ServerFault.WrongTransactionId,
        nameof(ServerFault.Duplicate) => ServerFault.Duplicate,
        _ => ServerFault.DelayBy(Late),
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task On_TCP_each_fault_has_its_outcome_and_the_next_requests_succeed(string fault, ModbusStatus onTcp, ModbusStatus onSerial)
    {
        _ = onSerial;
        Counting unit = new();
        await using var server = ModbusTcpServer.Start(id => id is 1 or 2 ? unit : null, options: Options, time: _serverTime);
        await using var client = new ModbusTcpClient("127.0.0.1", server.EndPoint.Port, TimeProvider.System);
        await Misbehave(client, unit, Named(fault), onTcp);
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task On_a_serial_line_each_fault_has_its_outcome_and_the_next_requests_succeed(string fault, ModbusStatus onTcp, ModbusStatus onSerial)
    {
        _ = onTcp;
        Counting unit = new();
        SerialSettings settings = new() { Baud = 115200 };
        await using var pair = await PtyPair.CreateAsync();
        await using var server = ModbusRtuServer.Start(SerialPort.Open(pair.Theirs, settings), id => id is 1 or 2 ? unit : null, Options, _serverTime);
        await using var client = new ModbusRtuClient(pair.Ours, settings, TimeProvider.System);
        await Misbehave(client, unit, Named(fault), onSerial);
    }

    private async Task Misbehave(ModbusClient client, Counting unit, ServerFault fault, ModbusStatus expected)
    {
        await ReadRight(client, unit, 1);
        lock (_faults)
        {
            _faults.Enqueue(fault);
        }

        var needsTimeout = expected is ModbusStatus.Timeout;
        var outcome = await client.ReadAsync(1, RegisterTable.HoldingRegister, 0, 4, _values, needsTimeout ? Timeout : Patient);
        Assert.Equal(expected, outcome.Status);
        Assert.True(outcome.Describe().Length > 10);

        // The late answer, if one comes, comes during these: it must be taken for none of them.
        var next = ReadRight(client, unit, 2);
        if (fault.Delay > TimeSpan.Zero)
        {
            await Until.HoldsAsync(() => _serverTime.ActiveTimers == 1, "the server holds an answer back");
            _serverTime.Advance(fault.Delay);
        }

        await next;
        await ReadRight(client, unit, 1);
        await ReadRight(client, unit, 1);
        if (fault.Delay > TimeSpan.Zero)
        {
            Assert.Equal(1, client.Counters.LateDiscarded);
        }
    }

    private async Task ReadRight(ModbusClient client, Counting unit, byte id)
    {
        Array.Clear(_values);
        var outcome = await client.ReadAsync(id, RegisterTable.HoldingRegister, 0, 4, _values, Patient);
        Assert.True(outcome.IsOk, outcome.ToString());
        Assert.Equal(Enumerable.Repeat(unit.LastAnswer, 4), _values);
    }

    [Fact]
    public async Task A_unit_that_is_not_there_is_an_exception_on_TCP()
    {
        await using var server = ModbusTcpServer.Start(_ => null);
        await using var client = new ModbusTcpClient("127.0.0.1", server.EndPoint.Port, TimeProvider.System);

        Assert.Equal(
            ModbusOutcome.Refused(ModbusExceptionCode.GatewayTargetFailedToRespond),
            await client.ReadAsync(5, RegisterTable.Coil, 0, 4, _values, Patient));
    }

    [Fact]
    public async Task A_refused_connection_is_told_promptly_with_the_errno()
    {
        using var held = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        held.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        await using var client = new ModbusTcpClient("127.0.0.1", ((IPEndPoint)held.LocalEndPoint!).Port, TimeProvider.System);

        var outcome = await client.ReadAsync(1, RegisterTable.Coil, 0, 4, _values, TimeSpan.FromMinutes(5));

        Assert.Equal(ModbusStatus.NotConnected, outcome.Status);
        Assert.Contains("errno 111", outcome.Describe(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_host_that_does_not_answer_is_not_connected_after_the_time_given()
    {
        // A listener whose queue is full drops further connections, like a host that is not there.
        using var deaf = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        deaf.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        deaf.Listen(0);
        var port = ((IPEndPoint)deaf.LocalEndPoint!).Port;
        List<ModbusTcpClient> clients = [];
        try
        {
            ModbusOutcome outcome;
            do
            {
                clients.Add(new("127.0.0.1", port, TimeProvider.System));
                outcome = await clients[^1].ReadAsync(1, RegisterTable.Coil, 0, 4, _values, Timeout);
            }
            while (outcome.Status == ModbusStatus.Timeout && clients.Count < 10);

            Assert.Equal(ModbusStatus.NotConnected, outcome.Status);
            Assert.Contains("400 ms", outcome.Describe(), StringComparison.Ordinal);
        }
        finally
        {
            foreach (var client in clients)
            {
                await client.DisposeAsync();
            }
        }
    }

    [Fact]
    public async Task A_server_that_was_restarted_is_found_again()
    {
        Counting unit = new();
        var server = ModbusTcpServer.Start(_ => unit);
        var endPoint = server.EndPoint;
        await using var client = new ModbusTcpClient("127.0.0.1", endPoint.Port, TimeProvider.System);
        await ReadRight(client, unit, 1);
        await server.DisposeAsync();
        Assert.Equal(ModbusStatus.NotConnected, (await client.ReadAsync(1, RegisterTable.Coil, 0, 4, _values, Timeout)).Status);
        await using var again = ModbusTcpServer.Start(_ => unit, endPoint);

        ModbusOutcome outcome;
        var started = TimeProvider.System.GetTimestamp();
        do
        {
            outcome = await client.ReadAsync(1, RegisterTable.HoldingRegister, 0, 4, _values, Patient);
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        }
        while (!outcome.IsOk && TimeProvider.System.GetElapsedTime(started) < Patient);

        Assert.True(outcome.IsOk, outcome.ToString());
    }

    [Fact]
    public async Task Garbage_from_one_TCP_client_does_not_disturb_another()
    {
        Counting unit = new();
        await using var server = ModbusTcpServer.Start(_ => unit);
        await using var client = new ModbusTcpClient("127.0.0.1", server.EndPoint.Port, TimeProvider.System);
        await ReadRight(client, unit, 1);
        for (var seed = 0; seed < 50; seed++)
        {
            using var vandal = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await vandal.ConnectAsync(server.EndPoint);
            var garbage = new byte[300];
            new Random(seed).NextBytes(garbage);
            await vandal.SendAsync(garbage);
        }

        await ReadRight(client, unit, 1);
    }

    [Fact]
    public async Task A_port_that_does_not_exist_says_so_and_one_in_use_says_by_whom()
    {
        SerialSettings settings = new();
        var missing = Assert.Throws<SerialPortException>(() => SerialPort.Open("/dev/ttyUSB99", settings));
        Assert.Contains("does not exist", missing.Message, StringComparison.Ordinal);
        var file = Assert.Throws<SerialPortException>(() => SerialPort.Open(RegisterImage.Path, settings));
        Assert.Contains("is not a serial port", file.Message, StringComparison.Ordinal);

        await using var pair = await PtyPair.CreateAsync();
        await using var port = SerialPort.Open(pair.Ours, settings);
        var twice = Assert.Throws<SerialPortException>(() => SerialPort.Open(pair.Ours, settings));
        Assert.Contains("in use by this same program", twice.Message, StringComparison.Ordinal);

        await using var holder = PeerProcess.Start("flock", "util-linux", "--no-fork", pair.Theirs, "sleep", "60");
        string message;
        do
        {
            // Until the other program has started, the port is free.
            message = await TryOpenAsync(pair.Theirs, settings);
        }
        while (message.Length == 0);

        // socat keeps the ends of the pair open as well.
        Assert.Matches(@"in use by (flock|sleep|socat) \(pid \d+\)", message);
    }

    private static async Task<string> TryOpenAsync(string path, SerialSettings settings)
    {
        try
        {
            await using var port = SerialPort.Open(path, settings);
            return "";
        }
        catch (SerialPortException refused)
        {
            return refused.Message;
        }
    }

    [Theory]
    [InlineData(1200)]
    [InlineData(9600)]
    [InlineData(76800)]
    [InlineData(921600)]
    public async Task A_port_takes_any_rate_and_carries_every_byte(int baud)
    {
        SerialSettings settings = new() { Baud = baud };
        await using var pair = await PtyPair.CreateAsync();
        await using var one = SerialPort.Open(pair.Ours, settings);
        await using var other = SerialPort.Open(pair.Theirs, settings);
        byte[] all = [.. Enumerable.Range(0, 1024).Select(i => (byte)(i & 0xFF))];

        Assert.True(await one.WriteAsync(all, Patient, default));
        var received = new byte[all.Length];
        for (var count = 0; count < all.Length;)
        {
            var read = await other.ReadAsync(received.AsMemory(count), Patient, default);
            Assert.True(read > 0, $"{count} bytes came, then none");
            count += read;
        }

        Assert.Equal(all, received);
        Assert.Equal(0, await other.ReadAsync(received, TimeSpan.FromMilliseconds(5), default));
        using var cancel = new CancellationTokenSource();
        var waiting = other.ReadAsync(received, Patient, cancel.Token).AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }

    [Fact]
    public async Task A_cable_that_is_pulled_out_ends_the_wait()
    {
        var pair = await PtyPair.CreateAsync();
        var port = SerialPort.Open(pair.Ours, new());
        var waiting = port.ReadAsync(new byte[10], TimeSpan.FromMinutes(5), default).AsTask();

        await pair.DisposeAsync();

        Assert.Equal(-1, await waiting);
        await port.DisposeAsync();
    }

    /// <summary>Answers every read with its count of reads, so that each answer can be told from all others.</summary>
    private sealed class Counting : IModbusUnit
    {
        private int _answers;

        public ushort LastAnswer => (ushort)Volatile.Read(ref _answers);

        public ModbusExceptionCode Read(RegisterTable table, ushort address, Span<ushort> destination)
        {
            destination.Fill((ushort)Interlocked.Increment(ref _answers));
            return ModbusExceptionCode.None;
        }

        public ModbusExceptionCode Write(RegisterTable table, ushort address, ReadOnlySpan<ushort> values) => ModbusExceptionCode.None;
    }
}
