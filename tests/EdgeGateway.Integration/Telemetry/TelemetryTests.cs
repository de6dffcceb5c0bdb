using System.Text.Json;
using System.Text.RegularExpressions;
using EdgeGateway.Following;
using EdgeGateway.Integration.Gateway;
using EdgeGateway.Integration.Modbus;
using EdgeGateway.Integration.Mqtt;
using EdgeGateway.Telemetry;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Integration.Telemetry;

/// <summary>Metrics of a running gateway, read by a real Prometheus (Debian's) and received by a double of a collector; and one sample followed to the broker.</summary>
public sealed class TelemetryTests
{
    private const string Package = "prometheus";
    private static readonly HttpClient Http = new();

    [Fact]
    public async Task Prometheus_scrapes_a_gateway_and_its_rule_fires_when_the_uplink_is_dead()
    {
        var health = Mosquitto.FreePort();
        await using var site = await GatewaySite.ServeAsync(With(LoadSite.Configuration(2), $"health: {{ listen: \"127.0.0.1:{health}\" }}"), Mosquitto.FreePort(), profiles: LoadSite.Profile);
        await using var gateway = await GatewayProcess.RunAsync(site);
        await gateway.StatusHoldsAsync(s => s.Samples > 0 && s.Devices.All(d => d.Online), "samples flow");

        // promtool judges the text as Prometheus' own linter does.
        var text = await Http.GetStringAsync($"http://127.0.0.1:{health}/metrics");
        var folder = Directory.CreateTempSubdirectory("edgegateway-prometheus-").FullName;
        await PeerProcess.RunAsync("/bin/sh", Package, "-c", "printf '%s' \"$0\" | promtool check metrics", text);

        // The rules as they are shipped, but for their patience: nobody waits five minutes here.
        var rules = File.ReadAllText(RepositoryFiles.At("hardware/observability/alerts.yml"));
        await File.WriteAllTextAsync(Path.Combine(folder, "alerts.yml"), Regex.Replace(rules, "for: [0-9]+[mh]", "for: 1s"));
        var settings = File.ReadAllText(RepositoryFiles.At("hardware/observability/prometheus.yml"));
        await File.WriteAllTextAsync(Path.Combine(folder, "prometheus.yml"), settings.Replace("127.0.0.1:8080", $"127.0.0.1:{health}", StringComparison.Ordinal).Replace("15s", "1s", StringComparison.Ordinal));
        await PeerProcess.RunAsync("/usr/bin/promtool", Package, "check", "config", Path.Combine(folder, "prometheus.yml"));

        var port = Mosquitto.FreePort();
        await using var prometheus = PeerProcess.Start(
            "/usr/bin/prometheus", Package, $"--config.file={Path.Combine(folder, "prometheus.yml")}", $"--storage.tsdb.path={Path.Combine(folder, "tsdb")}", $"--web.listen-address=127.0.0.1:{port}");
        await Until.HoldsAsync(async () => (await QueryAsync(port, "edgegateway_device_online")).Count == 2, "both devices are scraped", prometheus.ToString);
        var online = await QueryAsync(port, "edgegateway_device_online");
        Assert.Equal(["load000", "load001"], online.Select(s => s.Labels["device"]).Order(StringComparer.Ordinal));
        Assert.All(online, s => Assert.Equal((1, "bus"), (s.Value, s.Labels["bus"])));
        await Until.HoldsAsync(async () => (await QueryAsync(port, "rate(edgegateway_pipeline_samples_total{quality=\"good\"}[1m]) > 0")).Count == 1, "the rate of samples is known", prometheus.ToString);

        await Until.HoldsAsync(async () => (await AlertsAsync(port)).Contains(("EdgeGatewayUplinkDown", "firing")), "the rule fires", prometheus.ToString);
        var alerts = await AlertsAsync(port);
        Assert.DoesNotContain(alerts, a => a.Name is "EdgeGatewayDown" or "EdgeGatewayDeviceOffline" or "EdgeGatewayRecordsLost" or "EdgeGatewayStoreNotWritten" or "EdgeGatewayDefect");
        await gateway.KillAsync();
        await Until.HoldsAsync(async () => (await AlertsAsync(port)).Contains(("EdgeGatewayDown", "firing")), "the dead gateway is noticed", prometheus.ToString);
        Directory.Delete(folder, recursive: true);
    }

    [Theory]
    [InlineData("http/protobuf")]
    [InlineData("grpc")]
    public async Task A_collector_gets_the_metrics_and_the_trace_of_a_followed_sample(string protocol)
    {
        await using var collector = await CollectorDouble.StartAsync(isGrpc: protocol == "grpc");
        using var broker = await Mosquitto.RunAsync();
        var telemetry = $"telemetry: {{ otlp: {{ endpoint: \"http://127.0.0.1:{collector.Port}\", protocol: {protocol}, interval: 1s }} }}";
        await using var site = await GatewaySite.ServeAsync(With(LoadSite.Configuration(1), $"health: off\n{telemetry}"), broker.Port, profiles: LoadSite.Profile);

        // OpenTelemetry Protocol Exporter, "Specifying headers via environment variables": values are percent-encoded.
        await using var gateway = await GatewayProcess.RunAsync(site, new Dictionary<string, string> { ["OTEL_EXPORTER_OTLP_HEADERS"] = "authorization=Bearer%20s3cret" });
        await gateway.HistoryIsThroughAsync();

        // Every metric whose part is there; a computer may show little of itself.
        var expected = Metrics.All.Where(m => !m.Name.StartsWith("edgegateway.box.", StringComparison.Ordinal) && m.Name is not ("edgegateway.detector.points" or "edgegateway.clock.maximum_error")).ToArray();
        await Until.HoldsAsync(() => expected.All(m => collector.Metrics.ContainsKey(m.Name)), "all metrics came", () => string.Join(", ", expected.Select(m => m.Name).Except(collector.Metrics.Keys)) + gateway.Log);
        foreach (var (name, metric) in collector.Metrics)
        {
            var declared = Assert.Single(Metrics.All, m => m.Name == name);
            Assert.Equal((declared.Unit, declared.Kind != MetricKind.Gauge, declared.Kind == MetricKind.Counter), (metric.Unit, metric.IsSum, metric.IsMonotonic));
            Assert.All(metric.Points, p => Assert.Equal(declared.Labels.Order(StringComparer.Ordinal), p.Labels.Keys.Order(StringComparer.Ordinal)));
        }

        Assert.Equal(("edgegateway", "gw-1", "test"), (collector.Resource["service.name"], collector.Resource["service.instance.id"], collector.Resource["service.namespace"]));
        await Until.HoldsAsync(() => collector.Metrics["edgegateway.uplink.acknowledged"].Points is [(> 0, _)], "the numbers move");

        Assert.Contains("OpenTelemetry", await File.ReadAllTextAsync($"/proc/{gateway.Id}/maps"), StringComparison.Ordinal);
        var steps = await FollowAsync(site, "load000", "seq");
        var trace = steps[^1].TraceId!;
        await Until.HoldsAsync(() => collector.Spans.Any(s => s.Trace == trace && s.Parent.Length == 0), "the trace came", () => string.Join("\n", collector.Spans));
        var spans = collector.Spans.Where(s => s.Trace == trace).ToArray();
        var root = Assert.Single(spans, s => s.Parent.Length == 0);
        Assert.Equal("sample load000.seq", root.Name);
        Assert.Equal(steps.SkipLast(1).Select(s => s.Step), spans.Where(s => s != root).Select(s => s.Name));
        Assert.All(spans.Where(s => s != root), s => Assert.True(s.Parent == root.Id && s.Start >= root.Start && s.Start <= s.End && s.End <= root.End, $"{s}\n{root}"));
        Assert.Equal("centre", Assert.Single(spans, s => s.Name == "acknowledge").Tags["edgegateway.uplink"]);
        Assert.Equal(0, await gateway.StopAsync());
        Assert.Equal(["Bearer s3cret"], collector.Authorizations);
        Assert.DoesNotContain("s3cret", gateway.Log, StringComparison.Ordinal);
        Assert.DoesNotContain("does not take metrics", gateway.Log, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http/protobuf")]
    [InlineData("grpc")]
    public async Task S_5_a_collector_under_the_authority_of_the_site_is_trusted_and_one_under_another_gets_nothing(string protocol)
    {
        var folder = Directory.CreateTempSubdirectory("edgegateway-collector-").FullName;
        var certificates = new TestCertificates(folder, "127.0.0.1");
        await using var collector = await CollectorDouble.StartAsync(isGrpc: protocol == "grpc", certificates);
        await using var site = await GatewaySite.ServeAsync(LoadSite.Configuration(1), Mosquitto.FreePort(), profiles: LoadSite.Profile);
        File.Copy(certificates.CaFile, Path.Combine(Path.GetDirectoryName(site.Configuration)!, "site-ca.pem"));
        site.Configure(With(LoadSite.Configuration(1), Telemetry("caFile: site-ca.pem")));
        await using (var gateway = await GatewayProcess.RunAsync(site))
        {
            await Until.HoldsAsync(() => collector.Metrics.ContainsKey("edgegateway.gateway.info"), "metrics came", () => gateway.Log);
            Assert.DoesNotContain("does not take metrics", gateway.Log, StringComparison.Ordinal);
            Assert.Equal(0, await gateway.StopAsync());
        }

        // The system's authorities do not know it, nor does another authority of that name: the reason is told, and nothing is sent.
        collector.Forget();
        File.Copy(new TestCertificates(Path.Combine(folder, "other"), "127.0.0.1").CaFile, Path.Combine(Path.GetDirectoryName(site.Configuration)!, "site-ca.pem"), overwrite: true);
        foreach (var authority in new[] { "caFile: site-ca.pem", "" })
        {
            site.Configure(With(LoadSite.Configuration(1), Telemetry(authority)));
            await using var gateway = await GatewayProcess.RunAsync(site);
            await Until.HoldsAsync(() => gateway.Log.Contains("does not take metrics or traces (", StringComparison.Ordinal), "the reason is told", () => gateway.Log);
            Assert.Matches("does not take metrics or traces \\([^)]*certificate", gateway.Log);
            Assert.Equal(0, await gateway.StopAsync());
            Assert.Empty(collector.Metrics);
        }

        Directory.Delete(folder, recursive: true);

        string Telemetry(string authority) => $"health: off\ntelemetry: {{ otlp: {{ endpoint: \"https://127.0.0.1:{collector.Port}\", protocol: {protocol}, interval: 1s{(authority.Length > 0 ? ", " + authority : "")} }} }}";
    }

    [Fact]
    public async Task A_collector_that_is_away_is_told_once_and_holds_up_neither_data_nor_stop()
    {
        using var broker = await Mosquitto.RunAsync();
        var telemetry = $"telemetry: {{ otlp: {{ endpoint: \"http://127.0.0.1:{Mosquitto.FreePort()}\", interval: 1s }} }}";
        await using var site = await GatewaySite.ServeAsync(With(LoadSite.Configuration(1), $"health: off\n{telemetry}"), broker.Port, profiles: LoadSite.Profile);
        await using var gateway = await GatewayProcess.RunAsync(site);
        await Until.HoldsAsync(() => gateway.Log.Contains("does not take metrics or traces", StringComparison.Ordinal), "it is told", () => gateway.Log);
        await gateway.HistoryIsThroughAsync();
        Assert.Equal(0, await gateway.StopAsync());
        Assert.Single(Regex.Matches(gateway.Log, "does not take metrics or traces"));
    }

    [Fact]
    public async Task A_sample_is_followed_from_its_register_to_the_acknowledgement_of_the_broker()
    {
        using var broker = await Mosquitto.RunAsync();
        await using var site = await GatewaySite.ServeAsync(
            LoadSite.Configuration(1, moreDevices: LoadSite.Device(1).Replace("samples: all", "samples: none", StringComparison.Ordinal)), broker.Port, profiles: LoadSite.Profile);
        await using var gateway = await GatewayProcess.RunAsync(site);
        await gateway.HistoryIsThroughAsync();

        var steps = await FollowAsync(site, "load000", "seq");
        Assert.Equal(["read", "decode", "take", "validate", "detect", "record", "store", "commit", "publish", "acknowledge", "end"], steps.Select(s => s.Step));
        Assert.Equal("sample", steps.Single(s => s.Step == "record").Stream);
        Assert.True(steps.Single(s => s.Step == "commit").Row > 0);
        Assert.Equal("centre", steps.Single(s => s.Step == "acknowledge").Uplink);
        Assert.Equal(steps.Single(s => s.Step == "decode").Value, steps.Single(s => s.Step == "detect").Value);
        Assert.All(steps.Zip(steps.Skip(1)), pair => Assert.True(pair.First.Time <= pair.Second.Time, $"{pair}"));
        Assert.True(steps[^1].Complete);
        Assert.Null(steps[^1].TraceId);

        // Who has no collector does not pay for the libraries.
        Assert.DoesNotContain("OpenTelemetry", await File.ReadAllTextAsync($"/proc/{gateway.Id}/maps"), StringComparison.Ordinal);

        // Samples that are not published count in a summary.
        var summed = await FollowAsync(site, "load001", "seq");
        Assert.Equal("summary", summed.Single(s => s.Step == "record").Stream);
        Assert.True(summed[^1].Complete);

        var (exit, _, errors) = await GatewayProcess.CommandAsync("follow", "load000", "seqq", "--config", site.Configuration);
        Assert.Equal(2, exit);
        Assert.Contains("The device load000 has no point 'seqq'", errors, StringComparison.Ordinal);

        // Without its broker it says what is missing.
        await broker.KillAsync();
        (exit, var shown, errors) = await GatewayProcess.CommandAsync("follow", "load000", "seq", "--for", "20s", "--config", site.Configuration);
        Assert.Equal(1, exit);
        Assert.Contains("commit      the record is in the outbox, row ", shown, StringComparison.Ordinal);
        Assert.DoesNotContain("acknowledge", shown, StringComparison.Ordinal);
        Assert.Contains("What is missing is the step after the last one above", errors, StringComparison.Ordinal);
        Assert.Equal(0, await gateway.StopAsync());
    }

    private static string With(string configuration, string health) => configuration.Replace("health: off", health, StringComparison.Ordinal);

    private static async Task<List<FollowDocument>> FollowAsync(GatewaySite site, string device, string point)
    {
        var (exit, lines, errors) = await GatewayProcess.CommandAsync("follow", device, point, "--json", "--for", "2m", "--config", site.Configuration);
        Assert.True(exit == 0, $"{lines}\n{errors}");
        return [.. lines.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonSerializer.Deserialize(line, FollowJson.Default.FollowDocument)!)];
    }

    private static async Task<IReadOnlyList<(Dictionary<string, string> Labels, double Value)>> QueryAsync(int port, string expression)
    {
        if (await GetAsync(port, $"query?query={Uri.EscapeDataString(expression)}") is not { } data)
        {
            return [];
        }

        return
        [
            .. data.GetProperty("result").EnumerateArray().Select(r => (
                r.GetProperty("metric").EnumerateObject().ToDictionary(l => l.Name, l => l.Value.GetString()!),
                double.Parse(r.GetProperty("value")[1].GetString()!, System.Globalization.CultureInfo.InvariantCulture))),
        ];
    }

    private static async Task<IReadOnlyList<(string Name, string State)>> AlertsAsync(int port) =>
        await GetAsync(port, "alerts") is { } data
            ? [.. data.GetProperty("alerts").EnumerateArray().Select(a => (a.GetProperty("labels").GetProperty("alertname").GetString()!, a.GetProperty("state").GetString()!))]
            : [];

    private static async Task<JsonElement?> GetAsync(int port, string path)
    {
        try
        {
            using var document = JsonDocument.Parse(await Http.GetStringAsync($"http://127.0.0.1:{port}/api/v1/{path}"));
            return document.RootElement.GetProperty("data").Clone();
        }
        catch (HttpRequestException)
        {
            // It has not begun to listen, or to serve.
            return null;
        }
    }
}
