using System.Text.Json;
using EdgeGateway.Buses;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Site;
using EdgeGateway.Hosting;
using EdgeGateway.Integration.Gateway;
using EdgeGateway.Integration.Mqtt;
using EdgeGateway.Protocols.Sensors;
using EdgeGateway.Tests.Shared;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeGateway.Integration.Sensors;

/// <summary>4-20 mA loops from the kernel's files (a folder laid out like them) to the centre.</summary>
public sealed class LoopTests
{
    private const string Configuration = LoadSite.Head + """
        buses:
          - id: sensors
            type: sensors
            inputs:
              - { unit: 1, device: i2c 1-0048, channel: in_voltage0, measures: current, shunt: 100 }
        devices:
          - id: belt
            profile: generic-sensor-4-20ma
            bus: sensors
            unit: 1
            samples: all
            points: { current: { poll: 200ms, limits: { holdFor: 0s } }, status: { poll: 200ms } }

        """ + LoadSite.Uplink;

    [Fact]
    public async Task Loops_of_3_6_and_22_mA_and_a_broken_wire_are_flagged_and_a_silent_converter_is_a_device_that_does_not_answer()
    {
        using var tree = new SensorTreeDouble();
        var converter = tree.AddIio(0, "1-0048", "ads1015", ("in_voltage0_raw", "19200"), ("in_voltage0_scale", "0.062500000"));
        using var broker = await Mosquitto.RunAsync();
        await using var receiver = await FeedReceiver.SubscribeAsync(broker);
        await using var site = GatewaySite.Write(Configuration, ("broker", broker.Port));
        var loaded = site.Load();
        await using var gateway = GatewayRuntime.Open(
            loaded, TimeProvider.System, NullLoggerFactory.Instance,
            new RuntimeSeams { Bus = model => new SensorImageBus((SensorsBus)model, NullLogger.Instance, TimeProvider.System, input => new Sensor(input.Device, input.Channel, tree.Root)) });
        using var stop = new CancellationTokenSource();
        var running = gateway.RunAsync(stop.Token);

        await SampleAsync(receiver, 12, "good");
        Assert.Empty(receiver.Of(FeedStream.Anomaly));

        SensorTreeDouble.Write(converter, "in_voltage0_raw", "5760");
        await SampleAsync(receiver, 3.6, "uncertain");
        await AlarmAsync(receiver, 3.6);

        SensorTreeDouble.Write(converter, "in_voltage0_raw", "19200");
        await SampleAsync(receiver, 12, "good", after: 3.6);
        SensorTreeDouble.Write(converter, "in_voltage0_raw", "35200");
        await SampleAsync(receiver, 22, "uncertain");
        await AlarmAsync(receiver, 22);

        SensorTreeDouble.Write(converter, "in_voltage0_raw", "19200");
        await SampleAsync(receiver, 12, "good", after: 22);
        SensorTreeDouble.Write(converter, "in_voltage0_raw", "0");
        await SampleAsync(receiver, 0, "uncertain");
        await AlarmAsync(receiver, 0);

        SensorTreeDouble.Write(converter, "in_voltage0_raw", "");
        await Until.HoldsAsync(
            () => gateway.Status().Problems.Any(p => p.Contains("in_voltage0 of ads1015 (i2c 1-0048) does not answer: is it plugged in and powered, and is the wiring sound?", StringComparison.Ordinal)),
            "the silent converter is said",
            () => string.Join('\n', gateway.Status().Problems));
        await Until.HoldsAsync(() => receiver.Of(FeedStream.Sample).Any(s => Text(s, "point") == "current" && Text(s, "quality") == "bad" && Value(s) is null), "the value is missing", () => Last(receiver, FeedStream.Sample));
        await stop.CancelAsync();
        await running;
    }

    private static Task SampleAsync(FeedReceiver receiver, double value, string quality, double? after = null) => Until.HoldsAsync(
        () => receiver.Of(FeedStream.Sample).Where(s => Text(s, "point") == "current").SkipWhile(s => after is not null && Value(s) != after)
            .Any(s => Value(s) == value && Text(s, "quality") == quality),
        $"a sample of {value} mA is {quality}",
        () => Last(receiver, FeedStream.Sample));

    private static Task AlarmAsync(FeedReceiver receiver, double value) => Until.HoldsAsync(
        () => receiver.Of(FeedStream.Anomaly).Any(a => Text(a, "detector") == "range" && Text(a, "severity") == "alarm" && Value(a) == value),
        $"{value} mA is an alarm",
        () => Last(receiver, FeedStream.Anomaly));

    private static double? Value(JsonElement record) => record.TryGetProperty("value", out var value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : null;

    private static string Text(JsonElement record, string key) => record.TryGetProperty(key, out var text) ? text.ToString() : "";

    private static string Last(FeedReceiver receiver, FeedStream stream) => string.Join('\n', receiver.Of(stream).TakeLast(6));
}
