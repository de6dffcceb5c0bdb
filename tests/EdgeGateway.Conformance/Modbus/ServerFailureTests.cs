using System.Net.Sockets;
using EdgeGateway.Protocols.Modbus;

namespace EdgeGateway.Conformance.Modbus;

/// <summary>A unit or a hook that throws fails its own request with exception 04, and nothing else. V1.1b3, 7: the server failed while it worked.</summary>
public sealed class ServerFailureTests
{
    private static readonly InvalidOperationException Mistake = new("a mistake of the unit");

    private readonly ConformingUnit _unit = new();

    public static TheoryData<ServerConcurrency> Concurrencies => [.. Enum.GetValues<ServerConcurrency>()];

    [Theory, MemberData(nameof(Concurrencies))]
    public async Task A_TCP_server_answers_04_and_goes_on(ServerConcurrency concurrency)
    {
        var server = ModbusTcpServer.Start(UnitOf, options: new() { MaxInFlight = 1, Concurrency = concurrency, Faults = Hook });
        using (var socket = await Wire.ConnectAsync(server))
        {
            Assert.Null(server.LastError);
            await FailsAndGoesOnAsync(server, socket);
        }

        await server.DisposeAsync().AsTask().WaitAsync(Wire.Patient);
    }

    [Fact]
    public async Task A_UDP_server_answers_04_and_goes_on()
    {
        var server = ModbusUdpServer.Start(UnitOf, options: new() { Faults = Hook });
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        await socket.ConnectAsync(server.EndPoint);
        await FailsAndGoesOnAsync(server, socket);
        await server.DisposeAsync().AsTask().WaitAsync(Wire.Patient);
    }

    [Fact]
    public async Task An_RTU_server_answers_04_and_goes_on()
    {
        MemoryLine line = new();
        var server = ModbusRtuServer.Start(line, UnitOf, new() { Faults = Hook });
        foreach (var unit in (byte[])[2, 3, 4, 5])
        {
            line.Arrive(Wire.Rtu($"{unit:X2} 03 00 01 00 01"));
            Assert.Equal(Wire.Text(Wire.Rtu($"{unit:X2} 83 04")), await line.AnswerAsync());
        }

        Assert.NotNull(server.LastError);

        // A broadcast reaches the units behind those that fail.
        line.Arrive(Wire.Rtu("00 06 00 01 00 63"));
        line.Arrive(Wire.Rtu("01 03 00 01 00 01"));
        Assert.Equal(Wire.Text(Wire.Rtu("01 03 02 00 63")), await line.AnswerAsync());
        await server.DisposeAsync().AsTask().WaitAsync(Wire.Patient);
    }

    [Fact]
    public async Task The_owner_of_a_server_sees_what_was_thrown()
    {
        MemoryLine line = new();
        await using var server = ModbusRtuServer.Start(line, UnitOf);
        line.Arrive(Wire.Rtu("02 03 00 01 00 01"));
        _ = await line.AnswerAsync();
        Assert.Same(Mistake, server.LastError);
    }

    /// <summary>Four units that fail, each in its way, and then a sound one.</summary>
    private static async Task FailsAndGoesOnAsync(IModbusServer server, Socket socket)
    {
        foreach (var unit in (byte[])[2, 3, 4, 5])
        {
            await socket.SendAsync(Wire.Hex($"00 07 00 00 00 06 {unit:X2} 03 00 01 00 01"));
            Assert.Equal($"00 07 00 00 00 03 {unit:X2} 83 04", await Wire.ReceiveAsync(socket, 9));
        }

        Assert.NotNull(server.LastError);
        await socket.SendAsync(Wire.Hex("00 08 00 00 00 06 01 03 00 02 00 01"));
        Assert.Equal("00 08 00 00 00 05 01 03 02 00 02", await Wire.ReceiveAsync(socket, 11));
    }

    private static ServerFault Hook(ServerRequest request) => request.Unit switch
    {
        4 => throw Mistake,
        5 => new() { Delay = TimeSpan.MaxValue },
        _ => ServerFault.None,
    };

    private IModbusUnit? UnitOf(byte id) => id switch
    {
        2 => new Throwing(),
        3 => throw Mistake,
        0 => null,
        _ => _unit,
    };

    private sealed class Throwing : IModbusUnit
    {
        public ModbusExceptionCode Read(RegisterTable table, ushort address, Span<ushort> destination) => throw Mistake;

        public ModbusExceptionCode Write(RegisterTable table, ushort address, ReadOnlySpan<ushort> values) => throw Mistake;
    }
}
