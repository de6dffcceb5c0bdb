using System.Net;
using System.Net.Sockets;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using EdgeGateway.Protocols.Modbus;
using EdgeGateway.Simulator;
using EdgeGateway.Simulator.Faults;
using CoreTable = EdgeGateway.Core.Profiles.RegisterTable;
using RegisterTable = EdgeGateway.Protocols.Modbus.RegisterTable;

namespace EdgeGateway.Integration.Simulator;

public sealed class SiteServerTests : IAsyncLifetime
{
    // Ends a test that would never end; nothing depends on it.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly SiteModel _model = LoadDevice.Site(devices: 4, registers: 100, TimeSpan.FromSeconds(1), devicesPerBus: 2);
    private readonly SimulatedSite _site;
    private readonly ushort[] _words = new ushort[125];
    private SiteServer _server = null!;

    public SiteServerTests()
    {
        _site = new SimulatedSite(_model, 1, new StillTime());
    }

    public async Task InitializeAsync() => _server = await SiteServer.StartAsync(_site, new SiteServerOptions { FreePorts = true });

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task Serves_every_device_where_the_mapping_says()
    {
        var expected = new ushort[100];
        foreach (var device in _server.Site.Devices)
        {
            var bus = (ModbusTcpBus)_server.Site.Buses.Single(b => b.Id == device.BusId);
            Assert.Equal(_server.EndPoints[bus.Id], new IPEndPoint(IPAddress.Parse(bus.Host), bus.Port));
            await using var client = new ModbusTcpClient(bus.Host, bus.Port, TimeProvider.System);
            var outcome = await client.ReadAsync(device.Unit, RegisterTable.HoldingRegister, 0, 100, _words, Patience);
            Assert.True(outcome.IsOk, outcome.Describe());
            Assert.True(_site.TryRead(device.Index, CoreTable.HoldingRegister, 0, expected));
            Assert.Equal(expected, _words[..100]);
        }

        Assert.All(_model.Devices, d => Assert.Equal(1, _server.Requests(d.Index)));
        Assert.Contains($"127.0.0.1:{_server.EndPoints["bus001"].Port} unit 2", _server.Describe());
    }

    [Fact]
    public async Task Refuses_what_the_profile_forbids()
    {
        await using var client = Client("bus000");
        Assert.Equal(ModbusExceptionCode.IllegalDataAddress, (await client.ReadAsync(1, RegisterTable.HoldingRegister, 99, 2, _words, Patience)).ExceptionCode);
        Assert.Equal(ModbusExceptionCode.IllegalDataAddress, (await client.ReadAsync(1, RegisterTable.InputRegister, 0, 2, _words, Patience)).ExceptionCode);
        Assert.Equal(ModbusExceptionCode.IllegalFunction, (await client.WriteSingleAsync(1, RegisterTable.HoldingRegister, 0, 1, Patience)).ExceptionCode);
        Assert.Equal(ModbusExceptionCode.GatewayTargetFailedToRespond, (await client.ReadAsync(9, RegisterTable.HoldingRegister, 0, 2, _words, Patience)).ExceptionCode);
    }

    [Fact]
    public async Task Faults_of_the_wire_reach_the_one_device_they_name()
    {
        await using var client = Client("bus000");
        var brief = TimeSpan.FromMilliseconds(200);
        async Task<ModbusOutcome> Read(byte unit, TimeSpan timeout) => await client.ReadAsync(unit, RegisterTable.HoldingRegister, 0, 6, _words, timeout);

        _site.Inject(new Fault { Kind = FaultKind.ExceptionReply, Device = "load000", Magnitude = 6 });
        Assert.Equal(ModbusExceptionCode.ServerDeviceBusy, (await Read(1, Patience)).ExceptionCode);
        Assert.True((await Read(2, Patience)).IsOk);

        foreach (var kind in (FaultKind[])[FaultKind.DeadMeter, FaultKind.CrcError, FaultKind.WrongTransaction, FaultKind.LateReply])
        {
            _site.ClearFaults();

            // What is late is late by an hour: however long a busy machine takes to give up, it comes after that.
            _site.Inject(new Fault { Kind = kind, Device = "load000", Magnitude = kind == FaultKind.LateReply ? 3_600 : 1 });
            Assert.False((await Read(1, brief)).IsOk, kind.ToString());
        }

        _site.ClearFaults();
        _site.Inject(new Fault { Kind = FaultKind.SlowDevice, Device = "load000", Magnitude = 0.05 });
        Assert.True((await Read(1, Patience)).IsOk);
        Assert.Equal(6, _server.Requests(0));
    }

    [Fact]
    public async Task Junk_on_one_connection_harms_no_other()
    {
        await using var client = Client("bus000");
        var random = new Random(7);
        for (var i = 0; i < 50; i++)
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(_server.EndPoints["bus000"]);
            var junk = new byte[random.Next(1, 400)];
            random.NextBytes(junk);
            await socket.SendAsync(junk);
        }

        var outcome = await client.ReadAsync(1, RegisterTable.HoldingRegister, 0, 100, _words, Patience);
        Assert.True(outcome.IsOk, outcome.Describe());
    }

    [Fact]
    public async Task A_port_in_use_is_told_and_nothing_stays_open()
    {
        var taken = _server.EndPoints["bus000"].Port;
        var free = _server.EndPoints["bus001"].Port;
        await _server.DisposeAsync();
        using var other = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        other.Bind(new IPEndPoint(IPAddress.Loopback, taken));
        other.Listen();

        var options = new SiteServerOptions { Ports = new Dictionary<string, int> { ["bus000"] = free, ["bus001"] = taken } };
        var refused = await Assert.ThrowsAsync<IOException>(() => SiteServer.StartAsync(_site, options));

        Assert.Contains($"127.0.0.1:{taken}", refused.Message);
        using var again = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        again.Bind(new IPEndPoint(IPAddress.Loopback, free));
    }

    [Fact]
    public async Task Serves_fifty_devices_of_a_hundred_registers()
    {
        var model = LoadDevice.Site(50, 100, TimeSpan.FromSeconds(1), devicesPerBus: 5);
        await using var server = await SiteServer.StartAsync(new SimulatedSite(model, 1, TimeProvider.System), new SiteServerOptions { FreePorts = true });
        await Task.WhenAll(model.Buses.Select(async bus =>
        {
            await using var client = new ModbusTcpClient("127.0.0.1", server.EndPoints[bus.Id].Port, TimeProvider.System);
            var words = new ushort[100];
            for (var round = 0; round < 5; round++)
            {
                foreach (var device in model.Devices.Where(d => d.BusId == bus.Id))
                {
                    Assert.True((await client.ReadAsync(device.Unit, RegisterTable.HoldingRegister, 0, 100, words, Patience)).IsOk);
                    var sequence = ((long)words[0] << 16) | words[1];
                    RegisterCodec.Decode(model.Points[device.Points[^1]].Encoding, words.AsSpan(98), out var value, out _);
                    Assert.Equal(LoadDevice.Wave(sequence, 98), value);
                }
            }
        }));
        Assert.All(model.Devices, d => Assert.Equal(5, server.Requests(d.Index)));
    }

    private ModbusTcpClient Client(string bus) => new("127.0.0.1", _server.EndPoints[bus].Port, TimeProvider.System);

    /// <summary>Keeps the plant still, so that what is read can be compared with what is shown.</summary>
    private sealed class StillTime : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => new(2026, 3, 2, 8, 0, 0, TimeSpan.Zero);

        public override long GetTimestamp() => 0;
    }
}
