using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using EdgeGateway.Integration.Modbus;
using EdgeGateway.Protocols.Modbus;
using EdgeGateway.Protocols.Serial;
using EdgeGateway.Simulator;
using EdgeGateway.Simulator.Faults;
using RegisterTable = EdgeGateway.Protocols.Modbus.RegisterTable;

namespace EdgeGateway.Integration.Simulator;

public sealed class RtuSiteTests : IAsyncLifetime
{
    private PtyPair _pair = null!;

    private string DeviceEnd => _pair.Theirs;

    private string GatewayEnd => _pair.Ours;

    public async Task InitializeAsync() => _pair = await PtyPair.CreateAsync();

    public Task DisposeAsync() => _pair.DisposeAsync().AsTask();

    [Fact]
    public async Task Serves_devices_on_a_serial_line_and_spoils_check_sums_on_demand()
    {
        var load = LoadDevice.Site(devices: 2, registers: 60, TimeSpan.FromSeconds(1), devicesPerBus: 2);
        var model = load with
        {
            Buses = [new ModbusRtuBus { Id = "bus000", Port = GatewayEnd, Baud = 115_200, Parity = Core.Site.SerialParity.None, StopBits = 1, Timeout = TimeSpan.FromSeconds(1) }],
        };
        var site = new SimulatedSite(model, 1, TimeProvider.System);
        var options = new SiteServerOptions { SerialPorts = new Dictionary<string, string> { ["bus000"] = DeviceEnd } };
        await using var server = await SiteServer.StartAsync(site, options);
        await using var client = new ModbusRtuClient(GatewayEnd, new SerialSettings { Baud = 115_200 }, TimeProvider.System);
        var words = new ushort[60];

        foreach (var device in model.Devices)
        {
            var outcome = await client.ReadAsync(device.Unit, RegisterTable.HoldingRegister, 0, 60, words, TimeSpan.FromSeconds(5));
            Assert.True(outcome.IsOk, outcome.Describe());
            RegisterCodec.Decode(model.Points[device.Points[^1]].Encoding, words.AsSpan(58), out var value, out _);
            Assert.Equal(LoadDevice.Wave(((long)words[0] << 16) | words[1], 58), value);
        }

        site.Inject(new Fault { Kind = FaultKind.CrcError, Device = "load000" });
        Assert.False((await client.ReadAsync(1, RegisterTable.HoldingRegister, 0, 60, words, TimeSpan.FromMilliseconds(300))).IsOk);
        Assert.True((await client.ReadAsync(2, RegisterTable.HoldingRegister, 0, 60, words, TimeSpan.FromSeconds(5))).IsOk);
    }
}
