using EdgeGateway.Buses;
using EdgeGateway.Conformance.Profiles;
using EdgeGateway.Core;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using EdgeGateway.Hosting;
using EdgeGateway.Protocols.Dlt645;
using EdgeGateway.Simulator;

namespace EdgeGateway.Conformance.Dlt645;

/// <summary>DL/T 645 meters over a real connection: the simulator serves them, the gateway's own reader reads them, and both mean the same.</summary>
public class MeterBusTests
{
    private static readonly MeterAddress One = MeterAddress.TryParse("000000000161", out var address) ? address : default;

    private static (SiteModel? Model, IReadOnlyList<Problem> Problems) Load(string bus, string profile, int unit = 1) => SiteLoader.Load(
        new("gateway.yaml", $$"""
            schema: edgegateway/gateway/1
            site: { id: test, timezone: Asia/Shanghai, region: CN }
            gateway: { id: test }
            buses: [{{bus}}]
            devices: [{ id: device, profile: {{profile}}, bus: meters, unit: {{unit}}, timeout: 30s }]
            """),
        ProfileFiles.ById);

    [Theory]
    [InlineData("generic-dlt645-single-phase")]
    [InlineData("generic-dlt645-three-phase")]
    public async Task A_meter_is_served_by_the_simulator_and_read_back_equal(string profile)
    {
        var (model, problems) = Load("{ id: meters, type: dlt645-over-tcp, host: 127.0.0.1, port: 15526, meters: [{ unit: 1, address: \"161\" }] }", profile);
        Assert.True(model is not null, string.Join('\n', problems));
        Assert.Equal("000000000161", Assert.Single(((IMeterBus)model.Buses[0]).Meters).Address);
        var simulation = new SimulatedSite(model, 7, new StillTime());
        simulation.Step(simulation.Begin + TimeSpan.FromMinutes(10));
        await using var server = await SiteServer.StartAsync(simulation, new SiteServerOptions { FreePorts = true });
        var site = server.Site;
        await using var bus = BusKinds.Create(site.Buses[0], TimeProvider.System);
        foreach (var turn in new[] { 1, 2 })
        {
            var readings = await DeviceReader.ReadAsync(bus, site, site.Devices[0], new GatewayClock(TimeProvider.System), CancellationToken.None);
            Assert.Equal(site.Points.Count, readings.Count);
            var words = new ushort[8];
            foreach (var reading in readings)
            {
                var point = site.Points[reading.Point];
                Assert.True(reading.Quality.IsGood, $"turn {turn}, {point.Id}: {reading.Quality.Reason}, {bus.LastProblem}");
                var shown = words.AsSpan(0, simulation.Words(point.Index, words));
                Assert.Equal(DecodeStatus.Ok, RegisterCodec.Decode(point.Encoding, shown, out var value, out _));

                // Times come to the minute.
                Assert.Equal(point.Id.EndsWith("_reached", StringComparison.Ordinal) ? Math.Floor(value / 60) * 60 : value, reading.Value);
            }
        }
    }

    [Fact]
    public async Task A_meter_without_blocks_and_without_some_quantities_is_read_one_by_one_and_says_what_it_lacks()
    {
        var (model, _) = Load("{ id: meters, type: dlt645-over-tcp, host: 127.0.0.1, port: 15526, meters: [{ unit: 1, address: \"000000000161\" }] }", "generic-dlt645-three-phase");
        var meter = new FewItems();
        await using var server = Dlt645TcpServer.Start([meter]);
        var site = model! with { Buses = [((NetworkBus)model.Buses[0]) with { Port = server.EndPoint.Port }] };
        await using var bus = BusKinds.Create(site.Buses[0], TimeProvider.System);
        var readings = await DeviceReader.ReadAsync(bus, site, site.Devices[0], new GatewayClock(TimeProvider.System), CancellationToken.None);
        var byId = readings.ToDictionary(r => site.Points[r.Point].Id);
        Assert.Equal((0.26, QualityReason.None), (byId["active_energy_import"].Value, byId["active_energy_import"].Quality.Reason));
        Assert.Equal(QualityReason.InvalidCode, byId["active_energy_import_t1"].Quality.Reason);
        Assert.Equal(100.1, byId["voltage_l1_n"].Value);
        Assert.Equal(QualityReason.InvalidCode, byId["voltage_l2_n"].Quality.Reason);
        Assert.Equal(QualityReason.DeviceException, byId["temperature"].Quality.Reason);
        Assert.Equal(QualityReason.InvalidCode, byId["frequency"].Quality.Reason);

        // A refused block is not asked for again.
        var asked = meter.Asked.Count(i => (i.Code & 0xFF00) == 0xFF00);
        await DeviceReader.ReadAsync(bus, site, site.Devices[0], new GatewayClock(TimeProvider.System), CancellationToken.None);
        Assert.Equal(asked, meter.Asked.Count(i => (i.Code & 0xFF00) == 0xFF00));
    }

    [Theory]
    [InlineData("{ id: meters, type: dlt645, port: /dev/ttyUSB9, meters: [{ unit: 1, address: \"12345678901x\" }] }", "is not the address of a meter")]
    [InlineData("{ id: meters, type: dlt645, port: /dev/ttyUSB9, meters: [{ unit: 1, address: \"999999999999\" }] }", "is not the address of a meter")]
    [InlineData("{ id: meters, type: dlt645, port: /dev/ttyUSB9, meters: [{ unit: 1, address: \"1\" }, { unit: 1, address: \"2\" }] }", "the unit 1 is there twice")]
    [InlineData("{ id: meters, type: dlt645, port: /dev/ttyUSB9, meters: [{ unit: 1, address: \"1\" }, { unit: 2, address: \"01\" }] }", "the meter 000000000001 is there twice")]
    [InlineData("{ id: meters, type: dlt645, port: /dev/ttyUSB9, strict: true, lenient: true, meters: [{ unit: 1, address: \"1\" }] }", "a bus cannot be strict and lenient")]
    [InlineData("{ id: meters, type: dlt645, port: /dev/ttyUSB9, meters: [{ unit: 2, address: \"1\" }] }", "no meter of the bus 'meters' has the unit 1")]
    public void What_is_wrong_with_meters_is_told(string bus, string what) =>
        Assert.Contains(Load(bus, "generic-dlt645-single-phase").Problems, p => p.What.Contains(what, StringComparison.Ordinal));

    [Fact]
    public void A_profile_of_another_protocol_is_refused_on_the_bus() =>
        Assert.Contains(
            Load("{ id: meters, type: dlt645, port: /dev/ttyUSB9, meters: [{ unit: 1, address: \"1\" }] }", "eastron-sdm630").Problems,
            p => p.What.Contains("does not fit a DL/T 645 meter", StringComparison.Ordinal));

    [Fact]
    public void A_serial_line_has_the_settings_of_the_standard_unless_it_says_otherwise()
    {
        var bus = Assert.IsType<Dlt645Bus>(Load("{ id: meters, type: dlt645, port: /dev/ttyUSB9, meters: [{ unit: 1, address: \"1\" }] }", "generic-dlt645-single-phase").Model!.Buses[0]);
        Assert.Equal((2400, Core.Site.SerialParity.Even, 1, 8, 4, TimeSpan.FromSeconds(1)), (bus.Baud, bus.Parity, bus.StopBits, bus.DataBits, bus.WakeUp, bus.Timeout));
    }

    [Fact]
    public void Every_place_is_an_item_of_the_protocol_and_no_two_overlap()
    {
        Assert.All(Dlt645Layout.Places, p => Assert.NotNull(DataItems.Find(new(p.Identifier))));
        foreach (var (one, next) in Dlt645Layout.Places.Zip(Dlt645Layout.Places.Skip(1)))
        {
            Assert.True(one.Address + one.Encoding.Length <= next.Address, $"{one.Name} and {next.Name}");
        }

        Assert.Equal(DataItems.MostTariffs, Dlt645Layout.MostTariffs);
        Assert.Equal((ushort)0x0040, Dlt645Layout.Places.Single(p => p.Identifier == 0x0001_0000).Address);
        Assert.Equal(One, MeterAddress.TryParse("161", out var same) ? same : default);
    }

    /// <summary>Forward energy and the voltage of phase A; the frequency is known, and has digits that are none.</summary>
    private sealed class FewItems : IDlt645Meter
    {
        public List<DataIdentifier> Asked { get; } = [];

        public MeterAddress Address => One;

        public int Read(DataIdentifier identifier, Span<byte> data)
        {
            Asked.Add(identifier);
            ReadOnlySpan<byte> value = identifier.Code switch { 0x0001_0000 => [0x26, 0, 0, 0], 0x0201_0100 => [0x01, 0x10], 0x0280_0002 => [0xFF, 0xFF], _ => default };
            value.CopyTo(data);
            return value.Length > 0 ? value.Length : -1;
        }
    }

    private sealed class StillTime : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => new(2026, 3, 2, 10, 0, 0, TimeSpan.Zero);

        public override long GetTimestamp() => 0;
    }
}
