using System.Collections.Concurrent;
using System.Text.Json;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Hosting;
using EdgeGateway.Integration.Gateway;
using EdgeGateway.Integration.Modbus;
using EdgeGateway.Integration.Mqtt;
using EdgeGateway.Protocols.Modbus;
using EdgeGateway.Scanning;
using EdgeGateway.Tests.Shared;
using RegisterTable = EdgeGateway.Protocols.Modbus.RegisterTable;

namespace EdgeGateway.Integration.Diagnosis;

/// <summary>Scans of simulated lines and networks: what stands there is found, named, and nothing is written.</summary>
public sealed class ScanTests
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMilliseconds(400);

    private const string Meters = """
        devices:
          - { id: a, profile: eastron-sdm630, bus: bus, unit: 2, metering: { role: incomer } }
          - { id: b, profile: abb-b23-b24, bus: bus, unit: 5, metering: { role: incomer } }
          - { id: c, profile: eastron-sdm120, bus: bus, unit: 9, metering: { role: incomer } }
          - { id: d, profile: siemens-milltronics-bw500, bus: bus, unit: 12 }

        """;

    [Fact]
    public async Task Meters_on_a_line_are_found_named_and_their_snippet_is_a_configuration()
    {
        await using var pair = await PtyPair.CreateAsync();
        await using var site = await GatewaySite.ServeAsync(
            $"{LoadSite.Head}buses:\n  - {{ id: bus, type: modbus-rtu, port: {pair.Ours}, baud: 115200, parity: none }}\n{Meters}{LoadSite.Uplink}",
            1883,
            new Dictionary<string, string> { ["bus"] = pair.Theirs });

        var (exit, output, errors) = await GatewayProcess.CommandAsync(
            "scan", "--port", pair.Ours, "--baud", "115200", "--parity", "none", "--units", "1-3,5,9-12", "--timeout", "500ms", "--json", "--config", "/nowhere/gateway.yaml");
        Assert.True(exit == 0, errors);
        var document = JsonSerializer.Deserialize(output, ScanJson.Default.ScanDocument)!;
        Assert.True(document.IsComplete);
        Assert.Equal(
            [(2, "eastron-sdm630"), (5, "abb-b23-b24"), (9, "eastron-sdm120"), (12, "siemens-milltronics-bw500")],
            document.Units.Select(u => (u.Unit, u.Profiles.Select(p => p.Profile).FirstOrDefault("none"))));
        Assert.Contains($"{pair.Ours} at 115200 8N1", errors, StringComparison.Ordinal);

        await using var pasted = GatewaySite.Write($"{LoadSite.Head}{document.Yaml}{LoadSite.Uplink}", ("broker", 1883));
        var model = pasted.Load().Model;
        Assert.Equal([2, 5, 9, 12], model.Devices.Select(d => (int)d.Unit));
    }

    [Fact]
    public async Task A_line_whose_baud_rate_nobody_knows_is_found()
    {
        var link = Path.Combine(Path.GetTempPath(), $"edgegateway-scan-{Guid.NewGuid():N}");
        await using var device = await PeerProcess.StartAsync(
            "/usr/bin/python3", "python3", RepositoryFiles.At("tests/EdgeGateway.Integration/Modbus/peers/settings_server.py"), link, "38400", "3");
        try
        {
            var scanner = new Scanner([], null, Timeout, new View(), TimeProvider.System);
            var document = await scanner.ScanLineAsync(link, null, ScanTargets.Lines("9600,19200,38400", "none"), [1, 2, 3, 4], CancellationToken.None);
            var unit = Assert.Single(document.Units);
            Assert.Equal((3, 38400, "none"), (unit.Unit, unit.Place.Baud, unit.Place.Parity));
        }
        finally
        {
            File.Delete(link);
        }
    }

    [Fact]
    public async Task Servers_in_a_range_of_addresses_are_found()
    {
        var port = Mosquitto.FreePort();
        var template = $$"""
            {{LoadSite.Head}}buses:
              - { id: one, type: modbus-tcp, host: 127.0.0.2, port: {{port}} }
              - { id: two, type: modbus-tcp, host: 127.0.0.4, port: {{port}} }
            devices:
              - { id: a, profile: carlo-gavazzi-em340, bus: one, unit: 1, metering: { role: incomer } }
              - { id: b, profile: siemens-pac3200, bus: two, unit: 1 }

            """;
        await using var site = GatewaySite.Write(template);
        await using var server = await EdgeGateway.Simulator.SiteServer.StartAsync(new(site.Load().Model, 3, TimeProvider.System));

        var scanner = new Scanner(Profiles(), null, Timeout, new View(), TimeProvider.System);
        var document = await scanner.ScanNetworkAsync(ScanTargets.Hosts($"127.0.0.0/29:{port}"), null, CancellationToken.None);
        Assert.Equal(
            [("127.0.0.2", 1, "carlo-gavazzi-em340"), ("127.0.0.4", 1, "siemens-pac3200")],
            document.Units.Select(u => (u.Place.Host!, u.Unit, u.Profiles[0].Profile)));
        Assert.Contains("host: 127.0.0.4", document.Yaml, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_SunSpec_device_is_named_by_its_list_of_models()
    {
        await using var plant = await GatewaySite.ServeAsync(
            $"{LoadSite.Head}buses:\n  - {{ id: one, type: modbus-tcp, host: 127.0.0.1, port: {{one}} }}\ndevices:\n  - {{ id: inverter, profile: sunspec-103, bus: one, unit: 1 }}\n  - {{ id: meter, profile: sunspec-203, bus: one, unit: 1 }}\n", 1883);
        var scanner = new Scanner(Profiles(), null, Timeout, new View(), TimeProvider.System);
        var document = await scanner.ScanNetworkAsync([("127.0.0.1", plant.Server.EndPoints["one"].Port)], [1], CancellationToken.None);

        var unit = Assert.Single(document.Units);
        Assert.Equal(40_000, unit.SunSpecAt);
        Assert.Equal(["sunspec-103", "sunspec-203"], unit.Profiles.Take(2).Select(p => p.Profile).Order(StringComparer.Ordinal));
        Assert.DoesNotContain(unit.Notes, n => n.Contains("list of models", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Nothing_but_reading_function_codes_ever_leaves()
    {
        ConcurrentDictionary<byte, int> functions = [];
        await using var server = ModbusTcpServer.Start(_ => new Unit(), options: new()
        {
            Faults = request =>
            {
                functions.AddOrUpdate(request.Function, 1, (_, n) => n + 1);
                return ServerFault.None;
            },
        });
        var scanner = new Scanner(Profiles(), null, Timeout, new View(), TimeProvider.System);
        var document = await scanner.ScanNetworkAsync([("127.0.0.1", server.EndPoint.Port)], [1, 2, 3], CancellationToken.None);

        // The server takes any id, and that is noticed.
        Assert.Contains("every unit id", Assert.Single(document.Units).Notes[0], StringComparison.Ordinal);
        Assert.Subset(new HashSet<byte> { 1, 2, 3, 4, 17, 43 }, functions.Keys.ToHashSet());
        Assert.Superset(new HashSet<byte> { 3, 4, 17, 43 }, functions.Keys.ToHashSet());
    }

    [Fact]
    public async Task A_unit_that_only_refuses_is_there_and_one_that_answers_damaged_is_suspected_to_be_two()
    {
        await using var pair = await PtyPair.CreateAsync();
        await using var server = ModbusRtuServer.Start(pair.Theirs, new() { Baud = 115200 }, id => id is 1 or 2 or 3 ? new Unit() : null, new()
        {
            Faults = request => request.Unit switch
            {
                2 => ServerFault.Refuse(ModbusExceptionCode.IllegalFunction),
                3 => ServerFault.WrongCrc,
                _ => ServerFault.None,
            },
        });
        var scanner = new Scanner([], null, Timeout, new View(), TimeProvider.System);
        var document = await scanner.ScanLineAsync(pair.Ours, null, [new() { Baud = 115200 }], [1, 2, 3, 4], CancellationToken.None);
        Assert.Equal([1, 2, 3], document.Units.Select(u => u.Unit));
        Assert.Contains("two devices have this unit id", document.Units[2].Notes[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_interrupted_scan_tells_what_it_has_found()
    {
        await using var server = ModbusTcpServer.Start(id => id == 1 ? new Unit() : null);
        using var interrupt = new CancellationTokenSource();
        var view = new View { OnFound = interrupt.Cancel };
        var scanner = new Scanner([], null, Timeout, view, TimeProvider.System);
        var document = await scanner.ScanNetworkAsync([("127.0.0.1", server.EndPoint.Port)], [1, 2, 3], interrupt.Token);
        Assert.False(document.IsComplete);
        Assert.Equal(1, Assert.Single(document.Units).Unit);
    }

    [Fact]
    public async Task A_scan_through_the_running_gateway_costs_no_period_and_other_speeds_are_refused()
    {
        using var broker = await Mosquitto.RunAsync();
        await using var pair = await PtyPair.CreateAsync();
        await using var site = await GatewaySite.ServeAsync(
            LoadSite.Configuration(
                3,
                moreBuses: $"  - {{ id: line, type: modbus-rtu, port: {pair.Ours}, baud: 115200, parity: none }}\n",
                moreDevices: "  - { id: meter, profile: eastron-sdm120, bus: line, unit: 7, metering: { role: incomer } }\n"),
            broker.Port,
            new Dictionary<string, string> { ["line"] = pair.Theirs },
            LoadSite.Profile);
        await using var gateway = await GatewayProcess.RunAsync(site);
        await gateway.StatusHoldsAsync(s => s.Devices.All(d => d.Online), "all devices answer");
        var before = await gateway.StatusAsync();

        var (exit, output, errors) = await GatewayProcess.CommandAsync("scan", "bus", "--units", "1-6", "--json", "--config", site.Configuration);
        Assert.True(exit == 0, errors);
        var found = JsonSerializer.Deserialize(output, ScanJson.Default.ScanDocument)!;
        Assert.Equal(["load000", "load001", "load002"], found.Units.Select(u => u.ConfiguredAs));
        Assert.All(found.Units, u => Assert.Equal(LoadSite.Profile.FileName[..^5], u.Profiles[0].Profile));
        Assert.Equal("", found.Yaml);

        (exit, output, errors) = await GatewayProcess.CommandAsync("scan", "line", "--units", "6-8", "--json", "--config", site.Configuration);
        Assert.True(exit == 0, errors);
        var meter = Assert.Single(JsonSerializer.Deserialize(output, ScanJson.Default.ScanDocument)!.Units);
        Assert.Equal(("meter", "eastron-sdm120"), (meter.ConfiguredAs, meter.Profiles[0].Profile));

        var after = await gateway.StatusAsync();
        Assert.All(after.Devices.Zip(before.Devices), d => Assert.Equal((d.Second.MissedPeriods, d.Second.Failed), (d.First.MissedPeriods, d.First.Failed)));
        Assert.All(after.Devices.Zip(before.Devices), d => Assert.True(d.First.Requests > d.Second.Requests));

        var (refused, _, reason) = await GatewayProcess.CommandAsync("scan", "line", "--baud", "9600", "--config", site.Configuration);
        Assert.Equal(2, refused);
        Assert.Contains("would garble its polls", reason, StringComparison.Ordinal);
        Assert.Equal(0, await gateway.StopAsync());
    }

    [Theory]
    [InlineData("modbus-rtu-over-tcp", LineMode.Rtu)]
    [InlineData("modbus-ascii-over-tcp", LineMode.Ascii)]
    public async Task A_line_behind_a_device_server_is_scanned_with_and_without_a_gateway_and_unit_0_is_never_asked(string type, LineMode mode)
    {
        ConcurrentDictionary<byte, int> asked = [];
        await using var server = ModbusDeviceServer.Start(mode, id => id is 2 or 7 ? new Unit() : null, options: new()
        {
            Faults = request =>
            {
                asked.AddOrUpdate(request.Unit, 1, (_, n) => n + 1);
                return ServerFault.None;
            },
        });
        using var broker = await Mosquitto.RunAsync();
        await using var site = GatewaySite.Write(
            $"{LoadSite.Head}buses:\n  - {{ id: far, type: {type}, host: 127.0.0.1, port: {server.EndPoint.Port} }}\n"
            + "devices:\n  - { id: meter, profile: eastron-sdm120, bus: far, unit: 7, metering: { role: incomer } }\n" + LoadSite.Uplink,
            ("broker", broker.Port));

        // A time limit at which a second question, four times as patient, would be more than a gateway allows.
        string[] command = ["scan", "far", "--units", "0-3", "--timeout", "600ms", "--json", "--config", site.Configuration];
        var (exit, output, errors) = await GatewayProcess.CommandAsync(command);
        Assert.True(exit == 0, errors);
        Assert.Equal(2, Assert.Single(JsonSerializer.Deserialize(output, ScanJson.Default.ScanDocument)!.Units).Unit);

        await using var gateway = await GatewayProcess.RunAsync(site);
        await gateway.StatusHoldsAsync(s => s.Devices.All(d => d.Online), "the meter answers");
        (exit, output, errors) = await GatewayProcess.CommandAsync(command);
        Assert.True(exit == 0, errors);
        var document = JsonSerializer.Deserialize(output, ScanJson.Default.ScanDocument)!;
        Assert.True(document.IsComplete, string.Join('\n', document.Notes));
        Assert.Equal(2, Assert.Single(document.Units).Unit);
        Assert.DoesNotContain((byte)0, asked.Keys);
        Assert.Equal(0, await gateway.StopAsync());
    }

    [Fact]
    public async Task A_serial_line_in_ASCII_mode_is_scanned_in_ASCII_mode()
    {
        await using var pair = await PtyPair.CreateAsync();
        var settings = new Protocols.Serial.SerialSettings { Baud = 115200 };
        await using var server = ModbusRtuServer.Start(new AsciiLine(Protocols.Serial.SerialPort.Open(pair.Theirs, settings)), id => id == 3 ? new Unit() : null);
        await using var site = GatewaySite.Write(
            $"{LoadSite.Head}buses:\n  - {{ id: line, type: modbus-ascii, port: {pair.Ours}, baud: 115200, parity: none, dataBits: 8 }}\n"
            + "devices:\n  - { id: meter, profile: eastron-sdm120, bus: line, unit: 7, metering: { role: incomer } }\n");

        var (exit, output, errors) = await GatewayProcess.CommandAsync("scan", "line", "--baud", "115200", "--parity", "none", "--units", "0-4", "--json", "--config", site.Configuration);
        Assert.True(exit == 0, errors);
        var unit = Assert.Single(JsonSerializer.Deserialize(output, ScanJson.Default.ScanDocument)!.Units);
        Assert.Equal((3, 115200), (unit.Unit, unit.Place.Baud));
    }

    private static List<DeviceProfile> Profiles()
    {
        var files = new SiteFiles([RepositoryFiles.At("device-profiles")]);
        return [.. files.ProfilePaths.Keys.Select(id => ReadyProfiles.Load(files.Text(id), files.Text))];
    }

    private sealed class View : IScanView
    {
        public Action? OnFound { get; init; }

        public void Step(ScanProgress progress) => Assert.InRange(progress.Done, 0, progress.Total);

        public void Found(FoundUnit unit) => OnFound?.Invoke();
    }

    /// <summary>Answers every register with its address, and would take every write.</summary>
    private sealed class Unit : IModbusUnit
    {
        public ModbusExceptionCode Read(RegisterTable table, ushort address, Span<ushort> destination)
        {
            for (var i = 0; i < destination.Length; i++)
            {
                destination[i] = table.IsBits() ? (ushort)0 : (ushort)((address + i) & 0x7FFF);
            }

            return ModbusExceptionCode.None;
        }

        public ModbusExceptionCode Write(RegisterTable table, ushort address, ReadOnlySpan<ushort> values) => ModbusExceptionCode.None;
    }
}
