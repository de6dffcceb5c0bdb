using EdgeGateway.Buses;
using EdgeGateway.Core;
using EdgeGateway.Core.Polling;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using EdgeGateway.Hosting;
using EdgeGateway.Simulator;

namespace EdgeGateway.Conformance.Profiles;

/// <summary>Every profile over a real connection: the simulator serves it, the gateway's own reader reads it, and both mean the same.</summary>
public class ServedProfileTests
{
    public static TheoryData<string> Files => [.. ProfileFiles.Names];

    [Theory, MemberData(nameof(Files))]
    public async Task Is_served_by_the_simulator_and_read_back_equal(string file)
    {
        var simulation = new SimulatedSite(Site(Path.GetFileNameWithoutExtension(file)), 7, new StillTime());
        simulation.Step(simulation.Begin + TimeSpan.FromMinutes(10));
        await using var server = await SiteServer.StartAsync(simulation, new SiteServerOptions { FreePorts = true });
        var site = server.Site;
        await using var bus = BusKinds.Create(site.Buses[0], TimeProvider.System);

        var readings = await DeviceReader.ReadAsync(bus, site, site.Devices[0], new GatewayClock(TimeProvider.System), CancellationToken.None);

        Assert.Equal(site.Points.Count, readings.Count);
        CheckEqual(simulation, site, readings);
    }

    [Fact]
    public async Task A_SunSpec_model_that_moves_is_found_again_and_never_misread()
    {
        var simulation = new SimulatedSite(Site("sunspec-203"), 7, new StillTime());
        simulation.Step(simulation.Begin + TimeSpan.FromMinutes(10));
        await using var server = await SiteServer.StartAsync(simulation, new SiteServerOptions { FreePorts = true });
        var site = server.Site;
        await using var bus = BusKinds.Create(site.Buses[0], TimeProvider.System);
        foreach (var place in new[] { 40_000, 50_000, 0, 40_000 })
        {
            simulation.MoveSunSpec(0, place);
            CheckEqual(simulation, site, await DeviceReader.ReadAsync(bus, site, site.Devices[0], new GatewayClock(TimeProvider.System), CancellationToken.None));
        }
    }

    [Fact]
    public async Task An_inverter_and_its_meter_are_two_models_of_one_unit()
    {
        var (model, problems) = SiteLoader.Load(
            new("gateway.yaml", """
                schema: edgegateway/gateway/1
                site: { id: test, timezone: UTC, region: CN }
                gateway: { id: test }
                buses: [{ id: tcp, type: modbus-tcp, host: 127.0.0.1, port: 15502 }]
                devices:
                  - { id: inverter, profile: sunspec-103, bus: tcp, unit: 1, timeout: 30s }
                  - { id: meter, profile: sunspec-203, bus: tcp, unit: 1, timeout: 30s }
                """),
            ProfileFiles.ById);
        Assert.True(model is not null, string.Join('\n', problems));
        var simulation = new SimulatedSite(model, 7, new StillTime());
        await using var server = await SiteServer.StartAsync(simulation, new SiteServerOptions { FreePorts = true });
        var site = server.Site;
        await using var bus = BusKinds.Create(site.Buses[0], TimeProvider.System);
        foreach (var device in site.Devices)
        {
            CheckEqual(simulation, site, await DeviceReader.ReadAsync(bus, site, device, new GatewayClock(TimeProvider.System), CancellationToken.None));
        }
    }

    [Fact]
    public async Task A_device_without_the_model_says_which_models_it_has()
    {
        var simulation = new SimulatedSite(Site("sunspec-103"), 7, new StillTime());
        await using var server = await SiteServer.StartAsync(simulation, new SiteServerOptions { FreePorts = true });
        await using var bus = BusKinds.Create(server.Site.Buses[0], TimeProvider.System);
        var other = Site("sunspec-203").Devices[0].Profile;
        var reply = await bus.ReadAsync(1, new ReadRequest(RegisterTable.HoldingRegister, 2, 10).Of(other), new ushort[125], TimeSpan.FromSeconds(30), CancellationToken.None);
        Assert.Equal(QualityReason.WrongReply, reply.Reason);
        Assert.Equal("unit 1 has no SunSpec model 203; it has 1, 103: choose the profile of one of these", bus.LastProblem);
    }

    private static void CheckEqual(SimulatedSite simulation, SiteModel site, IReadOnlyList<Reading> readings)
    {
        var words = new ushort[RegisterSpanLimit];
        foreach (var reading in readings)
        {
            var point = site.Points[reading.Point];
            Assert.True(reading.Quality.IsGood, $"{point.Id}: {reading.Quality.Reason}");
            var shown = words.AsSpan(0, simulation.Words(point.Index, words));
            if (point.Kind == PointKind.Text)
            {
                Assert.Equal(RegisterText.Decode(point.Encoding, shown), reading.Text);
                continue;
            }

            Assert.Equal(DecodeStatus.Ok, RegisterCodec.Decode(point.Encoding, shown, out var value, out var raw));
            Assert.Equal((point.Id, value, raw), (point.Id, reading.Value, reading.Raw));
        }
    }

    private const int RegisterSpanLimit = 125;

    // The time limit is long: a busy machine is no fault of a profile.
    private static SiteModel Site(string id)
    {
        var pulses = ProfileFiles.ById(id)!.Text.Contains("applies: [pulses]", StringComparison.Ordinal) ? ", pulsesPerUnit: 1000" : "";
        var (model, problems) = SiteLoader.Load(
            new("gateway.yaml", $$"""
                schema: edgegateway/gateway/1
                site: { id: test, timezone: UTC, region: CN }
                gateway: { id: test }
                buses: [{ id: tcp, type: modbus-tcp, host: 127.0.0.1, port: 15502 }]
                devices: [{ id: device, profile: {{id}}, bus: tcp, unit: 1, timeout: 30s{{pulses}} }]
                """),
            ProfileFiles.ById);
        return model ?? throw new InvalidOperationException(string.Join('\n', problems));
    }

    /// <summary>A clock on which no time passes.</summary>
    private sealed class StillTime : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => new(2026, 3, 2, 10, 0, 0, TimeSpan.Zero);

        public override long GetTimestamp() => 0;
    }
}
