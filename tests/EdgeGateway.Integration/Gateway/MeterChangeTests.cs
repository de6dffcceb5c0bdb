using System.Globalization;
using System.Text.Json;
using EdgeGateway.Control;
using EdgeGateway.Core.Feed;
using EdgeGateway.Integration.Mqtt;
using EdgeGateway.Simulator.Faults;

namespace EdgeGateway.Integration.Gateway;

/// <summary>A meter that is set to zero: found, told by a person over the control socket, published, and not forgotten in a kill.</summary>
public sealed class MeterChangeTests
{
    [Fact]
    public async Task Readings_of_a_meter_that_was_set_to_zero_are_told_once_and_survive_a_kill()
    {
        using var broker = await Mosquitto.RunAsync();
        await using var site = await GatewaySite.ServeAsync(LoadSite.Configuration(1), broker.Port, profiles: LoadSite.Profile);
        await using var receiver = await FeedReceiver.SubscribeAsync(broker);
        string final;
        await using (var gateway = await GatewayProcess.RunAsync(site))
        {
            await gateway.StatusHoldsAsync(s => s.Devices.All(d => d.Online), "the meter answers");
            var (code, text, errors) = await MeterAsync(site);
            Assert.True(code == 0, text + errors);
            site.Simulation.Inject(new Fault { Kind = FaultKind.CounterReset, Device = "load000" });
            await gateway.StatusHoldsAsync(s => s.Alarms?.High == 1, "the reset is an alarm");

            (code, text, errors) = await MeterAsync(site, "--json");
            Assert.True(code == 1, text + errors);
            var change = Assert.Single(JsonSerializer.Deserialize(text, ControlJson.Default.AccountsDocument)!.Changes);
            Assert.Equal(("load000", "energy", "W.h"), (change.Device, change.Point, change.Unit));
            Assert.True(change.NewReading < change.OldReading);

            final = (change.OldReading + 2).ToString(CultureInfo.InvariantCulture);
            (code, _, errors) = await MeterAsync(site, "changed", "load000", "--final", "1", "--start", "0");
            Assert.Equal(2, code);
            Assert.Contains("the old meter cannot have ended at 1 Wh", errors, StringComparison.Ordinal);
            (code, text, errors) = await MeterAsync(site, "changed", "load000", "energy", "--final", final, "--start", "0", "--reason", "new battery");
            Assert.True(code == 0, text + errors);

            // What the command said is on the disk.
            await gateway.KillAsync();
        }

        await using var again = await GatewayProcess.RunAsync(site);
        var (after, list, _) = await MeterAsync(site);
        Assert.True(after == 0, list);
        var record = await receiver.GetAsync(FeedStream.Health, r => r.GetProperty("kind").GetString() == "meter-change", "the readings are published", () => again.Log);
        var fields = record.GetProperty("fields");
        Assert.Equal((final, "0", "new battery"), (fields.GetProperty("oldFinal").GetString(), fields.GetProperty("newStart").GetString(), fields.GetProperty("reason").GetString()));
        Assert.Contains("uid ", fields.GetProperty("who").GetString(), StringComparison.Ordinal);
        await again.HistoryIsThroughAsync();
        Assert.Equal(0, await again.StopAsync());
        receiver.IsComplete(() => again.Log);
    }

    private static Task<(int ExitCode, string Out, string Errors)> MeterAsync(GatewaySite site, params string[] arguments) =>
        GatewayProcess.CommandAsync(["meter", .. arguments, "--config", site.Configuration]);
}
