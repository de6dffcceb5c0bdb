using System.Globalization;
using System.Text.Json;
using EdgeGateway.Core;
using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Outbox;
using EdgeGateway.Core.Site;
using EdgeGateway.Hosting;
using EdgeGateway.Integration.Modbus;
using EdgeGateway.Protocols.Serial;
using EdgeGateway.Storage;
using EdgeGateway.Tests.Shared;
using Microsoft.Extensions.Logging.Abstractions;
using SerialParity = EdgeGateway.Protocols.Serial.SerialParity;

namespace EdgeGateway.Integration.Buses;

/// <summary>
/// The whole gateway polls Modbus servers that others wrote: profile and site come from YAML, samples end in the outbox, and every value is
/// compared with what the image says.
/// </summary>
public sealed class PeerGatewayTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly SerialSettings Settings = new() { Baud = 19200, Parity = SerialParity.Even };

    private readonly string _directory = Directory.CreateTempSubdirectory("edgegateway-peers-").FullName;

    [Theory]
    [InlineData(true, 125)]
    [InlineData(false, 10)]
    public async Task Pymodbus_over_TCP(bool mayReadGaps, int maxRegistersPerRead)
    {
        await using var server = await PymodbusServer.StartTcpAsync();
        await AgreeAsync($"type: modbus-tcp, host: 127.0.0.1, port: {server.Port}", ImageProfile.Make(mayReadGaps, maxRegistersPerRead));
    }

    [Fact]
    public async Task Libmodbus_over_TCP_also_when_it_goes_away()
    {
        var server = await LibmodbusServer.StartTcpAsync();
        var isServing = true;
        try
        {
            await AgreeAsync(
                $"type: modbus-tcp, host: localhost, port: {server.Port}",
                ImageProfile.Make(mayReadGaps: true, 64),
                then: async runtime =>
                {
                    await server.DisposeAsync();
                    isServing = false;
                    await UntilAsync(() => runtime.Status().Problems.Any(p => p.StartsWith("Device peer on bus line (localhost:", StringComparison.Ordinal)), "the lost peer is not reported");
                    var readings = await runtime.ReadNowAsync(runtime.Site.Devices[0], default);
                    Assert.Equal(runtime.Site.Points.Count, readings.Count);
                    Assert.All(readings, r => Assert.Equal(Quality.Bad(QualityReason.NotConnected), r.Quality));
                });
        }
        finally
        {
            if (isServing)
            {
                await server.DisposeAsync();
            }
        }
    }

    [Fact]
    public async Task Pymodbus_over_a_serial_line()
    {
        // A pseudo-terminal has no parity: pyserial takes that for an error, others do not.
        await using var pair = await PtyPair.CreateAsync();
        await using var server = await PymodbusServer.StartRtuAsync(pair.Theirs, Settings with { Parity = SerialParity.None });
        await AgreeAsync($"type: modbus-rtu, port: {pair.Ours}, baud: 19200, parity: none", ImageProfile.Make(mayReadGaps: true, 64));
    }

    [Theory]
    [InlineData("rtu-over-tcp")]
    [InlineData("ascii-over-tcp")]
    [InlineData("udp")]
    public async Task Pymodbus_over_other_transports(string mode)
    {
        await using var server = await PymodbusServer.StartOnNetworkAsync(mode);
        await AgreeAsync($"type: modbus-{mode}, host: 127.0.0.1, port: {server.Port}", ImageProfile.Make(mayReadGaps: true, 125));
    }

    [Theory]
    [InlineData(true, 125)]
    [InlineData(false, 20)]
    public async Task Libmodbus_over_a_serial_line(bool mayReadGaps, int maxRegistersPerRead)
    {
        await using var pair = await PtyPair.CreateAsync();
        await using var server = await LibmodbusServer.StartRtuAsync(pair.Theirs, Settings);
        await AgreeAsync($"type: modbus-rtu, port: {pair.Ours}, baud: 19200, parity: even", ImageProfile.Make(mayReadGaps, maxRegistersPerRead));
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private async Task AgreeAsync(string bus, ImageProfile profile, Func<GatewayRuntime, Task>? then = null)
    {
        var site = Load(bus, profile);
        var model = site.Model;
        var expected = profile.Expected.ToDictionary(e => e.Id);
        Assert.Equal(expected.Keys.Order(), model.Points.Select(p => p.Id).Order());

        await using (var runtime = GatewayRuntime.Open(site, TimeProvider.System, NullLoggerFactory.Instance))
        {
            using var stop = new CancellationTokenSource();
            var running = runtime.RunAsync(stop.Token);

            // The slowest third of the points is read every 3 s: at the start and twice on the clock.
            await UntilAsync(() => running.IsCompleted || (runtime.Status().UptimeSeconds > 7 && runtime.Status().Samples > 3 * expected.Count), "too few samples");
            var now = await runtime.ReadNowAsync(model.Devices[0], default);
            Assert.Equal(model.Points.Count, now.Count);
            foreach (var reading in now)
            {
                Agree(expected[model.Points[reading.Point].Id], reading.Value, reading.Raw, reading.Quality);
            }

            var device = Assert.Single(runtime.Status().Devices);
            Assert.True(device.Requests > 0);
            await (then?.Invoke(runtime) ?? Task.CompletedTask);
            await stop.CancelAsync();
            await running;
        }

        AgreeInOutbox(model, expected, isWhole: then is null);
    }

    /// <summary>Every sample that was polled and stored.</summary>
    private static void AgreeInOutbox(SiteModel model, Dictionary<string, ExpectedPoint> expected, bool isWhole)
    {
        using var store = SqliteStore.Open(model.Storage, ["centre"], TimeProvider.System);
        var rows = new List<OutboxRow>();
        store.Read(1, store.LastRowId, int.MaxValue, int.MaxValue, rows);
        var good = expected.Keys.ToDictionary(id => id, _ => 0);
        foreach (var sample in rows.Where(r => r.Stream == FeedStream.Sample).SelectMany(r => FeedMessages.Read(r).Records))
        {
            var point = expected[sample.GetProperty("point").GetString()!];
            var quality = sample.GetProperty("quality").GetString();
            var reason = sample.TryGetProperty("reason", out var word) ? word.GetString()! : "";
            var detail = sample.TryGetProperty("detail", out var number) ? number.GetByte() : 0;
            if (!isWhole && reason == "not-connected")
            {
                continue;
            }

            good[point.Id]++;
            Assert.True(quality == (point.Quality.IsGood ? "good" : "bad"), $"{point.Id}: {sample}");
            if (point.Quality.IsGood)
            {
                Agree(point, sample.GetProperty("value").GetDouble(), ParseRaw(sample.GetProperty("raw")), Quality.Good);
            }
            else
            {
                Assert.Equal(JsonValueKind.Null, sample.GetProperty("value").ValueKind);
                Assert.Equal((point.Quality.Reason.Word(), point.Quality.Detail), (reason, detail));
            }
        }

        Assert.All(good, point => Assert.True(point.Value >= 3, $"{point.Key}: {point.Value} samples"));
    }

    private static ulong ParseRaw(JsonElement raw) => ulong.Parse(raw.GetString()!.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    private static void Agree(ExpectedPoint expected, double value, ulong raw, Quality quality)
    {
        Assert.True(
            quality == expected.Quality && raw == (quality.Reason == QualityReason.DeviceException ? 0 : expected.Raw) && AreEqual(expected, value),
            $"{expected}, read {value:R}, 0x{raw:X}, {quality}");
    }

    // A scale such as 0.1 is not exact in binary; what is not scaled must agree to the last bit.
    private static bool AreEqual(ExpectedPoint expected, double value) => expected.Id.StartsWith("input_", StringComparison.Ordinal) && expected.Quality.IsGood
        ? Math.Abs(value - expected.Value) <= Math.Abs(expected.Value) * 1e-15
        : value.Equals(expected.Value);

    private LoadedSite Load(string bus, ImageProfile profile)
    {
        var profiles = new Dictionary<string, SourceText> { [ImageProfile.Id] = new($"{ImageProfile.Id}.yaml", profile.Text) };
        var gateway = new SourceText("gateway.yaml", $$"""
            schema: edgegateway/gateway/1
            site: { id: bench, timezone: UTC, region: CN-SX }
            gateway: { id: gw-peers }
            storage: { directory: "{{_directory}}", budget: 16MiB, commitWindow: 200ms }
            health: off
            buses:
              - { id: line, {{bus}}, timeout: 5s }
            devices:
              - { id: peer, profile: {{ImageProfile.Id}}, bus: line, unit: {{RegisterImage.Default.Unit}}, samples: all }
            uplinks:
              - { id: centre, type: mqtt, servers: ["mqtt://127.0.0.1:9"] }
            """);
        var (model, problems) = SiteLoader.Load(gateway, profiles.GetValueOrDefault);
        Assert.True(model is not null, string.Join('\n', problems));
        return new(model, gateway, profiles);
    }

    private static async Task UntilAsync(Func<bool> condition, string otherwise)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < Patience, otherwise);
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }
    }
}
