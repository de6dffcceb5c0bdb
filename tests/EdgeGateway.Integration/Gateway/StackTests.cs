using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Feed;
using EdgeGateway.Integration.Mqtt;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Integration.Gateway;

/// <summary>A stack of the running gateway: a calibration that a person enters is judged, published once, and there again after a kill.</summary>
public sealed class StackTests
{
    private const string Site = """
        schema: edgegateway/gateway/1
        site: { id: e2e, timezone: UTC, region: CN }
        gateway: { id: gw }
        health: off
        novelty: off
        buses:
          - { id: stack, type: modbus-tcp, host: 127.0.0.1, port: {stack} }
        devices:
          - id: stack-1
            profile: simulated-cems
            bus: stack
            unit: 1
            cems: { rules: part75, ambient: 101.3, area: 3.14, gases: [{ gas: co2, span: 20, spanGas: 18, potential: 20 }] }
        uplinks:
          - { id: centre, type: mqtt, servers: ["mqtt://127.0.0.1:{broker}"] }
        """;

    [Fact]
    public async Task A_calibration_that_a_person_enters_is_published_once_and_survives_a_kill()
    {
        using var broker = await Mosquitto.RunAsync();
        await using var receiver = await FeedReceiver.SubscribeAsync(broker);
        var profile = new SourceText("simulated-cems.yaml", File.ReadAllText(RepositoryFiles.At("docs/examples/stack/device-profiles/simulated-cems.yaml")));
        await using var site = await GatewaySite.ServeAsync(Site, broker.Port, null, profile);
        await using (var gateway = await GatewayProcess.RunAsync(site))
        {
            await gateway.StatusHoldsAsync(s => s.Devices.All(d => d.Online), "the stack answers");
            var (code, text, errors) = await CalibrateAsync(site, "co2", "span", "16.4");
            Assert.True(code == 0, text + errors);
            Assert.Contains("stack-1, co2, span gas 18, read 16.4", text, StringComparison.Ordinal);
            (code, _, errors) = await CalibrateAsync(site, "nox", "span", "16.4");
            Assert.Equal(2, code);
            Assert.Contains("has no gas 'nox'", errors, StringComparison.Ordinal);

            // A linearity check from a file; one with a line that is no run is refused with its place.
            var runs = Path.Combine(Path.GetDirectoryName(site.Configuration)!, "co2.csv");
            await File.WriteAllTextAsync(runs, "# low, mid, high\n4.1,4\n4.0,4\n4.1,4\n10,10\n10.1,10\n10,10\n16,16\n16,16\n16.1,16\n");
            (code, text, errors) = await GatewayProcess.CommandAsync("cems", "audit", "stack-1", "co2", "linearity", "--runs", runs, "--config", site.Configuration);
            Assert.True(code == 0, text + errors);
            Assert.Contains("linearity of 9 runs", text, StringComparison.Ordinal);
            await File.WriteAllTextAsync(runs, "4.1;4\n");
            (code, _, errors) = await GatewayProcess.CommandAsync("cems", "audit", "stack-1", "co2", "linearity", "--runs", runs, "--config", site.Configuration);
            Assert.Equal(2, code);
            Assert.Contains("co2.csv:1:", errors, StringComparison.Ordinal);

            // What the command said is on the disk.
            await gateway.KillAsync();
        }

        await using var again = await GatewayProcess.RunAsync(site);
        var record = await receiver.GetAsync(FeedStream.Cems, r => r.GetProperty("kind").GetString() == "calibration" && r.GetProperty("level").GetString() == "span", "the check is published", () => again.Log);
        Assert.Equal(("co2", 16.4m, 1.6m, "FAILED"), (record.GetProperty("gas").GetString(), record.GetProperty("measured").GetDecimal(), record.GetProperty("error").GetDecimal(), record.GetProperty("result").GetString()));
        Assert.Contains("uid ", record.GetProperty("who").GetString(), StringComparison.Ordinal);
        await again.HistoryIsThroughAsync();

        // The chart is drawn from the ledger, while the gateway runs.
        var (drawn, picture, failure) = await GatewayProcess.CommandAsync("cems", "drift", "stack-1", "co2", "--deviation", "0.5", "--config", site.Configuration);
        Assert.True(drawn == 0, failure);
        Assert.Contains("span gas: 1 checks, 0 warn, 1 call for action", picture, StringComparison.Ordinal);
        (drawn, _, failure) = await GatewayProcess.CommandAsync("cems", "drift", "stack-1", "co2", "--config", site.Configuration);
        Assert.Equal(2, drawn);
        Assert.Contains("--deviation", failure, StringComparison.Ordinal);
        Assert.Equal(0, await again.StopAsync());
        Assert.Equal(["span", "linearity"], receiver.Of(FeedStream.Cems).Select(r => r.GetProperty("level").GetString()));
        receiver.IsComplete(() => again.Log);
    }

    private static Task<(int ExitCode, string Out, string Errors)> CalibrateAsync(GatewaySite site, string gas, string level, string reading) =>
        GatewayProcess.CommandAsync("cems", "calibrate", "stack-1", gas, level, "--gas-value", "18", "--reading", reading, "--config", site.Configuration);
}
