using System.Text.Json;
using EdgeGateway.Core.Feed;
using EdgeGateway.Integration.Modbus;
using EdgeGateway.Integration.Mqtt;
using EdgeGateway.Protocols.Modbus;
using EdgeGateway.Protocols.Serial;

namespace EdgeGateway.Integration.Gateway;

/// <summary>An adapter that is pulled while the gateway runs, and plugged in again, on pseudo-terminals behind a name that stays.</summary>
public sealed class UnpluggedAdapterTests : IAsyncLifetime
{
    private static readonly SerialSettings Settings = new() { Baud = 115_200 };

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("edgegateway-unplug-");

    private string Ours => Path.Combine(_folder.FullName, "usb-meter");

    private string Theirs => Path.Combine(_folder.FullName, "theirs");

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync()
    {
        _folder.Delete(recursive: true);
        return Task.CompletedTask;
    }

    [Fact]
    public async Task It_is_said_nothing_else_is_disturbed_and_its_device_is_back_with_it()
    {
        using var broker = await Mosquitto.RunAsync();
        await using var receiver = await FeedReceiver.SubscribeAsync(broker);
        await using var other = await FaultyLine.StartAsync("tcp");
        var text = $"{LoadSite.Head}buses:\n{other.Bus}  - {{ id: usb, type: modbus-rtu, port: \"{Ours}\", baud: 115200, parity: none, timeout: 1s }}\n"
            + $"devices:\n{LoadSite.Device(0, more: ", timeout: 10s")}{LoadSite.Device(1, "usb")}{LoadSite.Uplink}";
        await using var site = GatewaySite.Write(text, ("broker", broker.Port));
        site.Add(LoadSite.Profile);
        await using var adapter = await PtyPair.PlugInAsync(Ours, Theirs);
        await using var meter = ModbusRtuServer.Start(Theirs, Settings, unit => unit == 2 ? new RampUnit() : null);
        await using var gateway = await GatewayProcess.RunAsync(site);
        await gateway.StatusHoldsAsync(s => s.Devices.All(d => d.Online), "both devices answer");

        await meter.DisposeAsync();
        await adapter.DisposeAsync();
        var gone = await receiver.GetAsync(FeedStream.State, r => Device(r) == "load001" && !Online(r), "the device is said to be away", () => gateway.Log);
        Assert.Equal("not-connected", gone.GetProperty("reason").GetString());
        await receiver.GetAsync(
            FeedStream.Sample,
            r => Device(r) == "load001" && r.GetProperty("value").ValueKind == JsonValueKind.Null && r.GetProperty("reason").GetString() == "not-connected",
            "its samples say why they have no value",
            () => gateway.Log);
        await gateway.StatusHoldsAsync(
            s => s.State == "degraded" && s.LikelyCauses.Any(c => c.Bus == "usb" && c.Symptom.Contains($"{Ours} does not exist", StringComparison.Ordinal)), "the status names the port");

        var before = (await gateway.StatusAsync()).Devices[0];
        await gateway.StatusHoldsAsync(s => s.Devices[0].Requests - s.Devices[0].Failed >= before.Requests - before.Failed + 12, "the other device goes on answering");

        await using var again = await PtyPair.PlugInAsync(Ours, Theirs);
        await using var back = ModbusRtuServer.Start(Theirs, Settings, unit => unit == 2 ? new RampUnit() : null);
        await receiver.GetAsync(FeedStream.State, r => Device(r) == "load001" && Online(r) && Time(r) > Time(gone), "the device is said to be back", () => gateway.Log);
        await gateway.StatusHoldsAsync(s => s.State == "ok" && s.Buses[1].Connects == 2, "all is well, and the port was opened twice");
        Assert.Equal(0, await gateway.StopAsync());
        Assert.DoesNotContain(receiver.Of(FeedStream.State, "load000"), r => !Online(r));
        receiver.IsComplete(() => gateway.Log);
    }

    private static string? Device(JsonElement record) => record.GetProperty("device").GetString();

    private static bool Online(JsonElement record) => record.GetProperty("online").GetBoolean();

    private static DateTimeOffset Time(JsonElement record) => record.GetProperty("time").GetDateTimeOffset();
}
