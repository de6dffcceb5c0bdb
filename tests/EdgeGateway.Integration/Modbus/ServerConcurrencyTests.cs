using System.Net.Sockets;
using EdgeGateway.Protocols.Modbus;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Integration.Modbus;

/// <summary>What our TCP server does with a second request on a connection, for each of its behaviours. Time is moved by hand.</summary>
public sealed class ServerConcurrencyTests : IDisposable
{
    private const string First = "00 01 00 00 00 06 01 03 00 01 00 01";
    private const string Second = "00 02 00 00 00 06 01 03 00 02 00 01";
    private const string Third = "00 03 00 00 00 06 01 03 00 03 00 01";
    private const string ToFirst = "00 01 00 00 00 05 01 03 02 00 01";
    private const string ToSecond = "00 02 00 00 00 05 01 03 02 00 02";
    private const string ToThird = "00 03 00 00 00 05 01 03 02 00 03";

    private static readonly TimeSpan Late = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Patient = TimeSpan.FromSeconds(20);

    private readonly ManualTime _time = new();
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

    public void Dispose() => _socket.Dispose();

    [Fact]
    public async Task A_late_answer_does_not_hold_up_a_later_request()
    {
        await using var server = await StartAsync(new() { Faults = request => request.Number == 1 ? ServerFault.DelayBy(Late) : ServerFault.None });
        await SendAsync(First + Second);
        Assert.Equal(ToSecond, await ReceiveAsync());
        _time.Advance(Late);
        Assert.Equal(ToFirst, await ReceiveAsync());
    }

    [Fact]
    public async Task In_order_a_prompt_answer_waits_for_a_late_one()
    {
        await using var server = await StartAsync(new()
        {
            Concurrency = ServerConcurrency.InOrder,
            Faults = request => request.Number == 1 ? ServerFault.DelayBy(Late) : ServerFault.None,
        });
        await SendAsync(First + Second);
        await UntilAsync(() => server.Requests == 2);
        Assert.Equal(1, _time.ActiveTimers);
        _time.Advance(Late);
        Assert.Equal((ToFirst, ToSecond), (await ReceiveAsync(), await ReceiveAsync()));
    }

    [Fact]
    public async Task A_serial_server_looks_at_the_second_request_after_it_has_answered_the_first()
    {
        await using var server = await StartAsync(new() { Concurrency = ServerConcurrency.Serial, Latency = Late });
        await SendAsync(First + Second);
        await UntilAsync(() => _time.ActiveTimers == 1);
        Assert.Equal(1, server.Requests);
        _time.Advance(Late);
        Assert.Equal(ToFirst, await ReceiveAsync());
        await UntilAsync(() => _time.ActiveTimers == 1);
        Assert.Equal(2, server.Requests);
        _time.Advance(Late);
        Assert.Equal(ToSecond, await ReceiveAsync());
    }

    [Fact]
    public async Task Newest_first_answers_out_of_order()
    {
        await using var server = await StartAsync(new() { Concurrency = ServerConcurrency.NewestFirst, Latency = Late });
        await SendAsync(First + Second + Third);
        await UntilAsync(() => _time.ActiveTimers == 3);
        _time.Advance(Late);
        Assert.Equal((ToThird, ToSecond, ToFirst), (await ReceiveAsync(), await ReceiveAsync(), await ReceiveAsync()));
    }

    [Fact]
    public async Task A_server_with_room_for_one_header_answers_the_first_under_the_id_of_the_second()
    {
        await using var server = await StartAsync(new() { Concurrency = ServerConcurrency.NewestHeader, Latency = Late });
        await SendAsync(First + Second);
        await UntilAsync(() => server.Requests == 2 && _time.ActiveTimers == 1);
        _time.Advance(Late);
        Assert.Equal("00 02 00 00 00 05 01 03 02 00 01", await ReceiveAsync());
        await UntilAsync(() => _time.ActiveTimers == 1);
        _time.Advance(Late);
        Assert.Equal(ToSecond, await ReceiveAsync());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    public async Task A_server_for_one_transaction_drops_the_second(int seconds)
    {
        await using var server = await StartAsync(new() { Concurrency = ServerConcurrency.DropSecond, Latency = TimeSpan.FromSeconds(seconds) });
        await SendAsync(First + Second);
        await UntilAsync(() => server.Requests == 2);
        _time.Advance(Late);
        Assert.Equal(ToFirst, await ReceiveAsync());
        await SendAsync(Third);
        await UntilAsync(() => server.Requests == 3 && _time.ActiveTimers == (seconds > 0 ? 1 : 0));
        _time.Advance(Late);
        Assert.Equal(ToThird, await ReceiveAsync());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    public async Task A_server_for_one_transaction_closes_the_connection_at_the_second(int seconds)
    {
        await using var server = await StartAsync(new() { Concurrency = ServerConcurrency.CloseOnSecond, Latency = TimeSpan.FromSeconds(seconds) });
        await SendAsync(First + Second);
        Assert.Equal("", await ReceiveAsync());
        await UntilAsync(() => server.Clients == 0);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    public async Task A_server_for_one_transaction_refuses_the_second_as_busy(int seconds)
    {
        await using var server = await StartAsync(new() { Concurrency = ServerConcurrency.RefuseSecond, Latency = TimeSpan.FromSeconds(seconds) });
        await SendAsync(First + Second);
        List<string> answers = [];
        const string Busy = "00 02 00 00 00 03 01 83 06";
        if (seconds > 0)
        {
            answers.Add(await ReceiveAsync(9));
            Assert.Equal([Busy], answers);
            _time.Advance(Late);
            Assert.Equal(ToFirst, await ReceiveAsync());
        }
        else
        {
            Assert.Equal(ToFirst, await ReceiveAsync());
            Assert.Equal(Busy, await ReceiveAsync(9));
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    public async Task A_forgetful_server_answers_only_the_newest(int seconds)
    {
        await using var server = await StartAsync(new() { Concurrency = ServerConcurrency.ForgetFirst, Latency = TimeSpan.FromSeconds(seconds) });
        await SendAsync(First + Second);
        await UntilAsync(() => server.Requests == 2 && _time.ActiveTimers == (seconds > 0 ? 1 : 0));
        if (seconds > 0)
        {
            // Behind one that has been waiting for a while, too.
            await SendAsync(Third);
            await UntilAsync(() => _time.ActiveTimers == 2);
            _time.Advance(Late);
            Assert.Equal(ToThird, await ReceiveAsync());
        }
        else
        {
            Assert.Equal(ToSecond, await ReceiveAsync());
        }
    }

    [Fact]
    public async Task A_server_that_is_stopped_does_not_wait_for_late_answers()
    {
        foreach (var concurrency in Enum.GetValues<ServerConcurrency>())
        {
            using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await using var server = ModbusTcpServer.Start(_ => new Echo(), options: new() { Concurrency = concurrency, Latency = Late }, time: _time);
            await socket.ConnectAsync(server.EndPoint);
            await socket.SendAsync(Bytes(First + Second));
            await UntilAsync(() => server.Requests >= 1);
            await server.DisposeAsync().AsTask().WaitAsync(Patient);
            Assert.Equal(0, server.Clients);
        }
    }

    [Fact]
    public async Task No_more_requests_than_allowed_are_under_way()
    {
        await using var server = await StartAsync(new() { MaxInFlight = 2, Latency = Late });
        await SendAsync(First + Second + Third + First);
        await UntilAsync(() => _time.ActiveTimers == 2);
        _time.Advance(Late);
        List<string> answers = [await ReceiveAsync(), await ReceiveAsync()];
        Assert.Equal([ToFirst, ToSecond], answers.Order());
        await UntilAsync(() => _time.ActiveTimers == 2);
        _time.Advance(Late);
        answers = [await ReceiveAsync(), await ReceiveAsync()];
        Assert.Equal([ToFirst, ToThird], answers.Order());
    }

    private static byte[] Bytes(string hex) => Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));

    private static async Task UntilAsync(Func<bool> condition)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < Patient, "the condition did not come true");
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System);
        }
    }

    private async Task<ModbusTcpServer> StartAsync(ModbusServerOptions options)
    {
        var server = ModbusTcpServer.Start(_ => new Echo(), options: options, time: _time);
        await _socket.ConnectAsync(server.EndPoint);
        return server;
    }

    private async Task SendAsync(string hex) => await _socket.SendAsync(Bytes(hex));

    /// <summary>The next answer; empty when the connection was closed.</summary>
    private async Task<string> ReceiveAsync(int count = 11)
    {
        using CancellationTokenSource limit = new(Patient);
        var bytes = new byte[count];
        var received = 0;
        try
        {
            while (received < count && await _socket.ReceiveAsync(bytes.AsMemory(received), SocketFlags.None, limit.Token) is > 0 and var more)
            {
                received += more;
            }
        }
        catch (SocketException reset) when (reset.SocketErrorCode == SocketError.ConnectionReset)
        {
            // Closed with bytes of ours unread.
            return "";
        }

        return string.Join(' ', bytes[..received].Select(b => $"{b:X2}"));
    }

    /// <summary>A register holds its own address.</summary>
    private sealed class Echo : IModbusUnit
    {
        public ModbusExceptionCode Read(RegisterTable table, ushort address, Span<ushort> destination)
        {
            destination.Fill(address);
            return ModbusExceptionCode.None;
        }

        public ModbusExceptionCode Write(RegisterTable table, ushort address, ReadOnlySpan<ushort> values) => ModbusExceptionCode.IllegalFunction;
    }
}
