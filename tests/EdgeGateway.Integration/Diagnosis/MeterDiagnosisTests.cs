using System.Text.Json;
using EdgeGateway.Integration.Gateway;
using EdgeGateway.Integration.Mqtt;
using EdgeGateway.Protocols.Dlt645;
using EdgeGateway.Scanning;
using EdgeGateway.Tracing;

namespace EdgeGateway.Integration.Diagnosis;

/// <summary>The commands <c>trace</c> and <c>scan</c> on a bus of DL/T 645 meters that the running gateway owns.</summary>
public sealed class MeterDiagnosisTests
{
    [Fact]
    public async Task A_bus_of_meters_is_traced_and_scanned_while_the_gateway_polls_it()
    {
        await using var server = Dlt645TcpServer.Start([new Meter("000000000161"), new Meter("000000000162")]);
        using var broker = await Mosquitto.RunAsync();
        await using var site = GatewaySite.Write(
            LoadSite.Head
            + $$"""
            buses:
              - id: meters
                type: dlt645-over-tcp
                host: 127.0.0.1
                port: {{server.EndPoint.Port}}
                meters: [{ unit: 1, address: "161" }, { unit: 7, address: "162" }]
            devices:
              - { id: incomer, profile: generic-dlt645-single-phase, bus: meters, unit: 1 }

            """
            + LoadSite.Uplink,
            ("broker", broker.Port));
        await using var gateway = await GatewayProcess.RunAsync(site);
        await gateway.StatusHoldsAsync(s => s.Devices.All(d => d.Requests > 0), "the meter is polled");

        await using var trace = TraceProcess.Start("trace", "meters", "--device", "incomer", "--json", "--config", site.Configuration);
        List<TraceDocument> seen = [];
        while (!seen.Exists(d => d.Kind == "reply" && d.LatencyMilliseconds is not null))
        {
            seen.Add(JsonSerializer.Deserialize(await trace.LineAsync(), TraceJson.Default.TraceDocument)!);
        }

        var reply = seen.First(d => d.Kind == "reply");
        Assert.Equal((1, "incomer", "good", ""), (reply.Unit, reply.Device, reply.CheckSum, reply.Note));
        Assert.StartsWith("meter 000000000161, ", reply.Text, StringComparison.Ordinal);
        await trace.InterruptAsync();

        // Both answer the question for the address at once; those that the file names are asked one by one. Unit 7 has no device.
        var (exit, output, errors) = await GatewayProcess.CommandAsync("scan", "meters", "--json", "--config", site.Configuration);
        Assert.True(exit == 0, errors);
        var found = JsonSerializer.Deserialize(output, ScanJson.Default.ScanDocument)!;
        Assert.True(found.IsComplete);
        Assert.Equal([(1, "incomer"), (7, null)], found.Units.Select(u => (u.Unit, u.ConfiguredAs)));
        Assert.All(found.Units, u => Assert.Equal("generic-dlt645-single-phase", Assert.Single(u.Profiles).Profile));
        Assert.Contains(found.Notes, n => n.Contains("several meters answered at once", StringComparison.Ordinal));
        Assert.Equal(0, await gateway.StopAsync());
    }

    private sealed class Meter(string address) : IDlt645Meter
    {
        public MeterAddress Address { get; } = MeterAddress.TryParse(address, out var parsed) ? parsed : throw new ArgumentException(address);

        public int Read(DataIdentifier identifier, Span<byte> data)
        {
            ReadOnlySpan<byte> value = identifier.Code switch { 0x0001_0000 => [0x26, 0, 0, 0], 0x0201_0100 => [0x01, 0x22], 0x0280_0002 => [0x00, 0x50], _ => default };
            value.CopyTo(data);
            return value.Length > 0 ? value.Length : -1;
        }
    }
}
