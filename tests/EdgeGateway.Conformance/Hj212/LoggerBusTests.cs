using EdgeGateway.Buses;
using EdgeGateway.Conformance.Profiles;
using EdgeGateway.Core;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using EdgeGateway.Hosting;
using EdgeGateway.Protocols.Hj212;
using EdgeGateway.Simulator;

namespace EdgeGateway.Conformance.Hj212;

/// <summary>HJ 212 data loggers over a real connection: the simulator sends, the gateway's own reader reads, and both mean the same.</summary>
public class LoggerBusTests
{
    private const string Mn = "010000A8900016F000169DC0";

    private static (SiteModel? Model, IReadOnlyList<Problem> Problems) Load(string bus, string profile = "generic-hj212-stack", int unit = 1) => SiteLoader.Load(
        new("gateway.yaml", $$"""
            schema: edgegateway/gateway/1
            site: { id: test, timezone: Asia/Shanghai, region: CN }
            gateway: { id: test }
            buses: [{{bus}}]
            devices: [{ id: device, profile: {{profile}}, bus: loggers, unit: {{unit}} }]
            """),
        ProfileFiles.ById);

    private static string Bus(int port, string more = "") => $"{{ id: loggers, type: hj212-over-tcp, host: 127.0.0.1, port: {port}, loggers: [{{ unit: 1, mn: \"{Mn}\" }}]{more} }}";

    private static async Task<IReadOnlyDictionary<string, Reading>> ReadAsync(IBus bus, SiteModel site) =>
        (await DeviceReader.ReadAsync(bus, site, site.Devices[0], new GatewayClock(TimeProvider.System), CancellationToken.None)).ToDictionary(r => site.Points[r.Point].Id);

    [Fact]
    public async Task A_logger_of_the_simulator_is_read_back_equal()
    {
        var (model, problems) = Load(Bus(15521));
        Assert.True(model is not null, string.Join('\n', problems));
        var simulation = new SimulatedSite(model, 7, new StillTime());
        simulation.Step(simulation.Begin + TimeSpan.FromMinutes(10));
        await using var server = await SiteServer.StartAsync(simulation, new SiteServerOptions { FreePorts = true, LoggerInterval = TimeSpan.FromMilliseconds(200) });
        var site = server.Site;
        await using var bus = BusKinds.Create(site.Buses[0], TimeProvider.System);
        var words = new ushort[8];
        var readings = await ReadAsync(bus, site);
        foreach (var (id, reading) in readings.Where(r => !r.Key.EndsWith("packets", StringComparison.Ordinal)))
        {
            var point = site.Points[reading.Point];
            Assert.True(reading.Quality.IsGood, $"{id}: {reading.Quality.Reason}, {bus.LastProblem}");
            Assert.Equal(DecodeStatus.Ok, RegisterCodec.Decode(point.Encoding, words.AsSpan(0, simulation.Words(point.Index, words)), out var value, out _));
            Assert.Equal(value, reading.Value);
        }

        Assert.True(readings["packets"].Value >= 1);
        Assert.Equal(0, readings["damaged_packets"].Value);
    }

    [Fact]
    public async Task Flags_are_qualities_and_damaged_packets_are_counted()
    {
        var turn = 0;
        await using var logger = Hj212Logger.Listen(
            () => [Hj212Packet.Make($"2025030112{turn++:00000}00", "31", "2011", "123456", Mn, Hj212Flag.Of(wantsAnswer: true), [[new("DataTime", Hj212Time.Write(TimeProvider.System.GetUtcNow().UtcDateTime.AddHours(8)))], [new("a05001-Rtd", "236412.5"), new("a05001-Flag", "C")], [new("a19001-Rtd", "22.5"), new("a19001-Flag", "T")], [new("a21026-Rtd", "35"), new("a21026-Flag", "N")]])],
            options: new() { Interval = TimeSpan.FromMilliseconds(50), Damages = _ => turn == 1, Patience = new() { Answer = TimeSpan.FromMilliseconds(100), Sendings = 1 } });
        var (model, _) = Load(Bus(logger.EndPoint!.Port));
        await using var bus = BusKinds.Create(model!.Buses[0], TimeProvider.System);
        var readings = await ReadAsync(bus, model);
        Assert.Equal((double.NaN, Quality.Bad(QualityReason.Calibrating)), (readings["concentration_co2"].Value, readings["concentration_co2"].Quality));
        Assert.Equal((22.5, Quality.Uncertain(QualityReason.OutOfRange)), (readings["concentration_o2"].Value, readings["concentration_o2"].Quality));
        Assert.Equal((35, Quality.Good), (readings["concentration_so2"].Value, readings["concentration_so2"].Quality));
        Assert.False(readings["concentration_dust"].Quality.HasValue);
        Assert.Equal(1, readings["damaged_packets"].Value);
    }

    [Fact]
    public async Task Loggers_connect_to_the_gateway_where_it_listens_and_come_back_after_a_cut()
    {
        // A port that was free a moment ago.
        int port;
        await using (var free = Hj212Receiver.Start())
        {
            port = free.EndPoint.Port;
        }

        var (model, problems) = Load(Bus(port, ", listen: true"));
        Assert.True(model is not null, string.Join('\n', problems));
        var simulation = new SimulatedSite(model, 7, new StillTime());
        simulation.Step(simulation.Begin + TimeSpan.FromMinutes(10));
        await using var bus = BusKinds.Create(model.Buses[0], TimeProvider.System);
        for (var turn = 1; turn <= 2; turn++)
        {
            await using var server = await SiteServer.StartAsync(simulation, new SiteServerOptions { LoggerInterval = TimeSpan.FromMilliseconds(200) });
            for (var tries = 0; bus.Wire.Connects < turn && tries < 600; tries++)
            {
                await ReadAsync(bus, model);
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
            }

            Assert.Equal(turn, bus.Wire.Connects);
        }

        Assert.True((await ReadAsync(bus, model))["concentration_co2"].Quality.IsGood);
    }

    [Theory]
    [InlineData("{ id: loggers, type: hj212, port: /dev/ttyUSB9, loggers: [{ unit: 1, mn: \"a;b\" }] }", "cannot be an MN")]
    [InlineData("{ id: loggers, type: hj212, port: /dev/ttyUSB9, loggers: [{ unit: 1, mn: A }, { unit: 1, mn: B }] }", "the unit 1 is there twice")]
    [InlineData("{ id: loggers, type: hj212, port: /dev/ttyUSB9, loggers: [{ unit: 1, mn: A }, { unit: 2, mn: A }] }", "the logger A is there twice")]
    [InlineData("{ id: loggers, type: hj212, port: /dev/ttyUSB9, loggers: [{ unit: 2, mn: A }] }", "no logger of the bus 'loggers' has the unit 1")]
    [InlineData("{ id: loggers, type: hj212, port: /dev/ttyUSB9, maxAge: 2d, loggers: [{ unit: 1, mn: A }] }", "a maxAge of 172800 s is not possible")]
    [InlineData("{ id: loggers, type: hj212, port: /dev/ttyUSB9, maxLag: 1s, loggers: [{ unit: 1, mn: A }] }", "a maxLag of 1 s is not possible")]
    [InlineData("{ id: loggers, type: hj212-over-tcp, host: 127.0.0.1, port: 9000, listen: true, idleLimit: 5s, loggers: [{ unit: 1, mn: A }] }", "a idleLimit of 5 s is not possible")]
    [InlineData("{ id: loggers, type: hj212-over-tcp, host: logger.example, port: 9000, listen: true, loggers: [{ unit: 1, mn: A }] }", "is no address to listen on")]
    public void What_is_wrong_with_loggers_is_told(string bus, string what) =>
        Assert.Contains(Load(bus).Problems, p => p.What.Contains(what, StringComparison.Ordinal));

    [Fact]
    public void A_profile_of_another_protocol_is_refused_on_the_bus() =>
        Assert.Contains(Load(Bus(9000), "eastron-sdm630").Problems, p => p.What.Contains("does not fit an HJ 212 data logger", StringComparison.Ordinal));

    [Fact]
    public void A_serial_line_has_no_parity_unless_it_says_otherwise()
    {
        var bus = Assert.IsType<Hj212Bus>(Load("{ id: loggers, type: hj212, port: /dev/ttyUSB9, loggers: [{ unit: 1, mn: A }] }").Model!.Buses[0]);
        Assert.Equal((9600, SerialParity.None, 1, false, TimeSpan.FromMinutes(2)), (bus.Baud, bus.Parity, bus.StopBits, bus.IsStrict, bus.MaxAge));
    }

    [Fact]
    public void Every_factor_that_is_shown_has_a_unit_and_a_place_of_its_own()
    {
        Assert.Equal(Hj212Factors.All.Select(f => f.Code).Order(StringComparer.Ordinal), Enumerable.Range(0, Hj212Layout.Count).Select(Hj212Layout.CodeOf).Order(StringComparer.Ordinal));
        Assert.All(Enumerable.Range(0, Hj212Layout.Count), place => Assert.Equal(place, Hj212Layout.PlaceOf(Hj212Layout.CodeOf(place))));
        Assert.Equal((0x0010, 0x0090, Hj212Layout.PlaceOf("a19001"), -1), (Hj212Layout.AddressOf(0), Hj212Layout.AddressOf(Hj212Layout.PlaceOf("30")), Hj212Layout.PlaceOf("S01"), Hj212Layout.PlaceOf("w01018")));
    }

    private sealed class StillTime : TimeProvider
    {
        // Ten minutes that the simulation lives through before the present.
        private readonly DateTimeOffset _begin = System.GetUtcNow().AddMinutes(-10);

        public override DateTimeOffset GetUtcNow() => _begin;

        public override long GetTimestamp() => 0;
    }
}
