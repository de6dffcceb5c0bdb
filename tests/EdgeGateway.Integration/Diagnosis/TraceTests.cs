using System.Text.Json;
using EdgeGateway.Integration.Gateway;
using EdgeGateway.Integration.Modbus;
using EdgeGateway.Integration.Mqtt;
using EdgeGateway.Protocols.Modbus;
using EdgeGateway.Protocols.Serial;
using EdgeGateway.Tracing;

namespace EdgeGateway.Integration.Diagnosis;

/// <summary>The command <c>trace</c> as people run it.</summary>
public sealed class TraceTests
{
    [Fact]
    public async Task The_polls_of_a_foreign_server_are_shown_frame_by_frame()
    {
        await using var server = await PymodbusServer.StartTcpAsync();
        using var broker = await Mosquitto.RunAsync();
        await using var site = GatewaySite.Write(LoadSite.Configuration(1), ("bus", server.Port), ("broker", broker.Port));
        site.Add(LoadSite.Profile);
        await using var gateway = await GatewayProcess.RunAsync(site);
        await gateway.StatusHoldsAsync(s => s.Devices.All(d => d.Requests > 0), "the server is polled");

        await using var trace = TraceProcess.Start("trace", "bus", "--device", "load000", "--json", "--config", site.Configuration);
        List<TraceDocument> seen = [];
        while (!seen.Exists(d => d.Kind is "reply" or "exception" && d.LatencyMilliseconds is not null))
        {
            seen.Add(JsonSerializer.Deserialize(await trace.LineAsync(), TraceJson.Default.TraceDocument)!);
        }

        var request = seen.First(d => d.Kind == "request");
        Assert.True(request.Sent);
        Assert.Equal((1, "load000", 3), (request.Unit, request.Device, request.Function));
        Assert.StartsWith("read 20 holding registers from 0 (0x0000)", request.Text, StringComparison.Ordinal);
        Assert.InRange(seen[^1].LatencyMilliseconds!.Value, 0.001, 10_000);
        await trace.InterruptAsync();

        // The gateway has not noticed, and stops although a trace is open.
        await using var open = TraceProcess.Start("trace", "bus", "--config", site.Configuration);
        Assert.Contains("→ unit 1 (load000): read 20 holding registers", await open.LineAsync(), StringComparison.Ordinal);
        Assert.Equal(0, await gateway.StopAsync());
        Assert.Equal(1, await open.ExitAsync());
    }

    [Fact]
    public async Task Without_a_gateway_it_says_so_and_listens_when_asked()
    {
        await using var pair = await PtyPair.CreateAsync();
        await using var site = GatewaySite.Write(
            $"{LoadSite.Head}buses:\n  - {{ id: line, type: modbus-rtu, port: {pair.Ours}, baud: 19200, parity: none }}\ndevices:\n  - {{ id: meter, profile: eastron-sdm120, bus: line, unit: 17, metering: {{ role: incomer }} }}\n");

        var (exit, _, errors) = await GatewayProcess.CommandAsync("trace", "line", "--config", site.Configuration);
        Assert.Equal(1, exit);
        Assert.Contains("No gateway is running", errors, StringComparison.Ordinal);
        Assert.Contains("edgegateway trace line --listen", errors, StringComparison.Ordinal);

        await using var trace = TraceProcess.Start("trace", "line", "--listen", "--raw", "--config", site.Configuration);
        await trace.SaysAsync("nothing is sent");
        await using var other = SerialPort.Open(pair.Theirs, new() { Baud = 19200 });

        // MODBUS V1.1b3, 6.3: the example of the text, with the CRC of a line.
        byte[] request = [0x11, 0x03, 0x00, 0x6B, 0x00, 0x03, 0x76, 0x87];
        Assert.True(await other.WriteAsync(request, TimeSpan.FromSeconds(5), CancellationToken.None));
        Assert.Contains("← unit 17 (meter): read 3 holding registers from 107 (0x006B), check sum good", await trace.LineAsync(), StringComparison.Ordinal);
        Assert.Contains("11 03 00 6B 00 03 76 87", await trace.LineAsync(), StringComparison.Ordinal);
        Assert.Equal(0, await other.ReadAsync(new byte[16], TimeSpan.Zero, CancellationToken.None));
        await trace.InterruptAsync();
    }

    [Fact]
    public async Task Status_says_what_is_probably_wrong_with_a_device_that_is_silent_and_forgets_it_when_mended()
    {
        var isSilent = true;
        await using var server = ModbusTcpServer.Start(_ => new Zeros(), options: new()
        {
            Faults = request => request.Unit == 2 && Volatile.Read(ref isSilent) ? ServerFault.Silence : ServerFault.None,
        });
        using var broker = await Mosquitto.RunAsync();
        await using var site = GatewaySite.Write(LoadSite.Configuration(2), ("bus", server.EndPoint.Port), ("broker", broker.Port));
        site.Add(LoadSite.Profile);
        await using var gateway = await GatewayProcess.RunAsync(site);
        await gateway.StatusHoldsAsync(s => s.LikelyCauses.Count > 0, "a cause is told");

        var cause = Assert.Single((await gateway.StatusAsync()).LikelyCauses);
        Assert.Equal(("bus", "load001"), (cause.Bus, cause.Device));
        var (_, shown, _) = await GatewayProcess.CommandAsync("status", "--config", site.Configuration);
        Assert.Contains("? Device load001 on bus bus: never answers", shown, StringComparison.Ordinal);
        Assert.Contains("while another device answers. The connection is good: check its unit id (is it 2?)", shown.ReplaceLineEndings(" "), StringComparison.Ordinal);

        Volatile.Write(ref isSilent, false);
        await gateway.StatusHoldsAsync(s => s.LikelyCauses.All(c => !c.Symptom.StartsWith("never", StringComparison.Ordinal)), "it is heard");
        Assert.Equal(0, await gateway.StopAsync());
    }

    private sealed class Zeros : IModbusUnit
    {
        public ModbusExceptionCode Read(RegisterTable table, ushort address, Span<ushort> destination)
        {
            destination.Clear();
            return ModbusExceptionCode.None;
        }

        public ModbusExceptionCode Write(RegisterTable table, ushort address, ReadOnlySpan<ushort> values) => ModbusExceptionCode.IllegalFunction;
    }
}
