using System.Text.Json;
using EdgeGateway.Control;
using EdgeGateway.Core.Feed;
using EdgeGateway.Integration.Mqtt;
using EdgeGateway.Protocols.Modbus;

namespace EdgeGateway.Integration.Gateway;

/// <summary>Alarms of the running gateway: found, explained, acknowledged by a person, and there again after a kill.</summary>
public sealed class AlarmTests
{
    private const string Limit = "load000.v00006.limit";
    private const string Silent = "load001.offline";

    [Fact]
    public async Task What_people_did_to_alarms_is_published_and_survives_a_kill()
    {
        using var broker = await Mosquitto.RunAsync();
        await using var line = await FaultyLine.StartAsync("tcp");
        await using var receiver = await FeedReceiver.SubscribeAsync(broker);

        // Whatever the value is, it is above the limit.
        var limited = ", points: { v00006: { limits: { highAlarm: -1000000 }, priority: critical } }";
        var text = $"{LoadSite.Head}buses:\n{line.Bus}devices:\n{LoadSite.Device(0, more: limited)}{LoadSite.Device(1, more: ", timeout: 300ms, rules: { gap: off }")}{LoadSite.Uplink}"
            .Replace("region: CN }", "region: CN, language: zh }", StringComparison.Ordinal);
        await using var site = GatewaySite.Write(text, ("broker", broker.Port));
        site.Add(LoadSite.Profile);
        await using (var gateway = await GatewayProcess.RunAsync(site))
        {
            await gateway.StatusHoldsAsync(s => s.Alarms is { Critical: 1, Unacknowledged: 1 } && s.Devices.All(d => d.Online), "the limit is an alarm");
            line.Fault = (unit, _) => unit == 2 ? ServerFault.Silence : ServerFault.None;
            await gateway.StatusHoldsAsync(s => s.Alarms is { Critical: 1, Medium: 1, Unacknowledged: 2 }, "the silent device is an alarm");

            // In words, in the language of the site or another, and chosen.
            var (code, list, errors) = await AlarmsAsync(site);
            Assert.True(code == 1, list + errors);
            Assert.Contains($"紧急 {Limit} (未确认)", list, StringComparison.Ordinal);
            Assert.Contains("下一步: ", list, StringComparison.Ordinal);
            (_, list, _) = await AlarmsAsync(site, "--language", "en", "--device", "load001");
            Assert.Contains($"medium {Silent} (unacknowledged)", list, StringComparison.Ordinal);
            Assert.DoesNotContain(Limit, list, StringComparison.Ordinal);
            (code, _, errors) = await AlarmsAsync(site, "--language", "tlh");
            Assert.Equal(2, code);
            Assert.Contains("tlh", errors, StringComparison.Ordinal);

            (code, list, errors) = await AlarmsAsync(site, "ack", Limit, "--reason", "on my way");
            Assert.True(code == 0, list + errors);
            (code, list, errors) = await AlarmsAsync(site, "shelve", Silent, "--for", "8h", "--reason", "meter is exchanged");
            Assert.True(code == 0, list + errors);
            (code, _, errors) = await AlarmsAsync(site, "unshelve", Limit);
            Assert.Equal(2, code);
            Assert.Contains($"'{Limit}' is acknowledged: it cannot be taken from the shelf.", errors, StringComparison.Ordinal);

            // What the command said is on the disk.
            await gateway.KillAsync();
        }

        await using var again = await GatewayProcess.RunAsync(site);
        var after = await ListAsync(site);
        var acknowledged = after.Alarms.Single(a => a.Id == Limit);
        Assert.Equal(("acknowledged", "on my way", true), (acknowledged.State, acknowledged.Reason, acknowledged.Standing));
        Assert.Contains("uid ", acknowledged.Who, StringComparison.Ordinal);
        Assert.Equal("shelved", after.Alarms.Single(a => a.Id == Silent).State);
        var (_, status, _) = await GatewayProcess.CommandAsync("status", "--config", site.Configuration);
        Assert.True(status.Contains("alarms: 1 critical, 0 of them unacknowledged, 1 shelved", StringComparison.Ordinal), status);

        var record = await receiver.GetAsync(FeedStream.Health, r => Changed(r, Silent, "shelved"), "the shelf is published", () => again.Log);
        Assert.Equal(acknowledged.Who, record.GetProperty("fields").GetProperty("who").GetString());
        await receiver.GetAsync(FeedStream.Health, r => Changed(r, Limit, "acknowledged"), "the acknowledgement is published", () => again.Log);
        await again.HistoryIsThroughAsync();
        Assert.Equal(0, await again.StopAsync());
        receiver.IsComplete(() => again.Log);
    }

    private static bool Changed(JsonElement record, string alarm, string change) =>
        record.GetProperty("kind").GetString() == "alarm" && record.GetProperty("fields").GetProperty("alarm").GetString() == alarm && record.GetProperty("fields").GetProperty("change").GetString() == change;

    private static Task<(int ExitCode, string Out, string Errors)> AlarmsAsync(GatewaySite site, params string[] arguments) =>
        GatewayProcess.CommandAsync(["alarms", .. arguments, "--config", site.Configuration]);

    private static async Task<AlarmsDocument> ListAsync(GatewaySite site)
    {
        var (_, text, errors) = await AlarmsAsync(site, "--json");
        Assert.True(text.Length > 0, errors);
        return JsonSerializer.Deserialize(text, ControlJson.Default.AlarmsDocument)!;
    }
}
