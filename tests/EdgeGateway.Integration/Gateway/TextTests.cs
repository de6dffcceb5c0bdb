using System.Text.Json;
using EdgeGateway.Control;
using EdgeGateway.Core.Feed;
using EdgeGateway.Integration.Mqtt;

namespace EdgeGateway.Integration.Gateway;

/// <summary>What a device says of itself in words reaches the people and the centre, and scale registers reach nobody but through the values.</summary>
public sealed class TextTests
{
    [Fact]
    public async Task A_serial_number_stands_in_status_in_read_and_in_the_birth_and_makes_no_sample()
    {
        using var broker = await Mosquitto.RunAsync();
        await using var receiver = await FeedReceiver.SubscribeAsync(broker);
        var configuration = LoadSite.Configuration(
            0,
            moreDevices: "  - { id: grid, profile: solaredge-meter-1, bus: bus, unit: 1, samples: all, metering: { role: incomer } }\n");
        await using var site = await GatewaySite.ServeAsync(configuration, broker.Port, profiles: LoadSite.Profile);
        await using var gateway = await GatewayProcess.RunAsync(site);
        await gateway.StatusHoldsAsync(s => s.State == "ok" && s.Devices.All(d => d.Texts.Count == 4), "all texts are read");
        var serial = (await gateway.StatusAsync()).Devices[0].Texts["serial_number"];
        Assert.Matches("^[0-9]{6}$", serial);

        var (code, json, _) = await GatewayProcess.CommandAsync("read", "grid", "--json", "--config", site.Configuration);
        Assert.Equal(0, code);
        var points = JsonSerializer.Deserialize(json, ControlJson.Default.DeviceReadingDocument)!.Points;
        Assert.Equal(serial, points.Single(p => p.Point == "serial_number").Text);
        Assert.All(points, p => Assert.Equal("good", p.Quality));
        Assert.EndsWith(" x 10^-1", points.Single(p => p.Point == "voltage_l1_n").Raw, StringComparison.Ordinal);

        await Until.HoldsAsync(() => Births(receiver).Any(b => Text(b) == serial), "the birth tells the serial number");
        await Until.HoldsAsync(() => receiver.Of(FeedStream.Sample, "grid").Any(s => s.GetProperty("point").GetString() == "active_power_total"), "samples arrive");
        Assert.DoesNotContain(receiver.Of(FeedStream.Sample, "grid"), s => s.GetProperty("point").GetString() == "serial_number");
        Assert.Equal(0, await gateway.StopAsync());
    }

    private static IReadOnlyList<JsonElement> Births(FeedReceiver receiver) => receiver.Of(FeedStream.Birth, "grid");

    private static string? Text(JsonElement birth) =>
        birth.GetProperty("points").EnumerateArray().Single(p => p.GetProperty("id").GetString() == "serial_number").TryGetProperty("text", out var text) ? text.GetString() : null;
}
