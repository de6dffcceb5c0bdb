using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Outbox;
using EdgeGateway.Protocols.Mqtt;

namespace EdgeGateway.Bench.Outbox;

/// <summary>
/// (f) The same backlog on two ways to the same kind of centre: the gateway's outbox, and the queue of a mosquitto bridge with persistence. The centre is away
/// while the backlog grows; then it comes, and both are timed until its subscriber has every value.
/// </summary>
internal static class BridgePart
{
    private const int DefaultValues = 1_000_000;

    public static async Task<int> RunAsync(OutboxBenchSettings settings, CancellationToken cancel)
    {
        var values = settings.Size ?? DefaultValues;
        foreach (var inRow in (int[])[500, 20])
        {
            await GatewayAsync(settings, values, inRow, cancel).ConfigureAwait(false);
            await BridgeAsync(settings, values, inRow, cancel).ConfigureAwait(false);
        }

        return 0;
    }

    private static async Task GatewayAsync(OutboxBenchSettings settings, int values, int inRow, CancellationToken cancel)
    {
        await using var site = await DrainPart.SiteAsync(settings, values, inRow, "backfillPerSecond: off, ", withBroker: false).ConfigureAwait(false);
        var stored = new DirectoryInfo(site.Store).EnumerateFiles("gateway.db*").Sum(f => f.Length);
        await using var gateway = settings.Gateway.Start(settings.Cpu, "run", "--config", Path.Combine(site.Folder, "gateway.yaml"));
        await OutboxFigures.FirstStatusAsync(site.Store, gateway, cancel).ConfigureAwait(false);
        await Task.Delay(TimeSpan.FromSeconds(5), TimeProvider.System, cancel).ConfigureAwait(false);
        var waiting = ProcReading.Of(gateway.Id);
        var report = await TimeAsync(
            settings, site.Folder, site.Broker, gateway, values, $"outbox f: EdgeGateway, {values:N0} values in messages of {inRow}, from its outbox", cancel).ConfigureAwait(false);
        report.Add("resident before", waiting.ResidentBytes / 1e6, "MB (VmRSS), backlog on disk");
        report.Add("on disk", (double)stored / values, "bytes for a value, before the drain");
        report.Print(settings.Json);
    }

    private static async Task BridgeAsync(OutboxBenchSettings settings, int values, int inRow, CancellationToken cancel)
    {
        // The site only lends its rows: these are the messages that the gateway would send.
        await using var site = await DrainPart.SiteAsync(settings, values, inRow, "", withBroker: false).ConfigureAwait(false);
        var local = LoadSite.FreePorts(1);
        await using var bridge = LoadSite.StartBroker(
            settings.Cpu,
            site.Folder,
            "bridge",
            local,
            "persistence true",
            $"persistence_location {site.Folder}/",
            "max_queued_messages 0",
            "connection centre",
            $"address 127.0.0.1:{site.Broker.Port}",
            "topic # out 1",
            "cleansession false",
            "restart_timeout 1",
            "bridge_protocol_version mqttv50",
            "notifications false");
        await LoadSite.AcceptsAsync(local, bridge).ConfigureAwait(false);
        await PublishAsync(site.Folder, new Uri($"mqtt://127.0.0.1:{local}")).ConfigureAwait(false);
        var waiting = ProcReading.Of(bridge.Id);
        var report = await TimeAsync(
            settings, site.Folder, site.Broker, bridge, values, $"outbox f: mosquitto bridge, {values:N0} values in messages of {inRow}, from its queue", cancel).ConfigureAwait(false);
        report.Add("resident before", waiting.ResidentBytes / 1e6, "MB (VmRSS), backlog in memory");
        report.Add("written before", (double)waiting.WrittenBytes / values, "device bytes for a value; it saves every 30 minutes and at its end: a crash loses what came since");
        report.Print(settings.Json);
    }

    /// <summary>Lets the centre come, and waits until its subscriber has all values.</summary>
    private static async Task<Report> TimeAsync(
        OutboxBenchSettings settings, string folder, Uri address, ChildProcess sender, long values, string title, CancellationToken cancel)
    {
        var before = ProcReading.Of(sender.Id);
        await using var broker = LoadSite.StartBroker(settings.Others, folder, "centre", address.Port, "persistence false", "max_queued_messages 0");
        await LoadSite.AcceptsAsync(address.Port, broker).ConfigureAwait(false);
        await using var centre = new Centre(address, "+/+/+/+/sample");
        await centre.Subscribed.ConfigureAwait(false);
        while (centre.Records == 0)
        {
            sender.ThrowIfExited();
            await Task.Delay(TimeSpan.FromMilliseconds(2), TimeProvider.System, cancel).ConfigureAwait(false);
        }

        var (first, started) = (centre.Records, TimeProvider.System.GetTimestamp());
        while (centre.Records < values)
        {
            sender.ThrowIfExited();
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, cancel).ConfigureAwait(false);
        }

        var elapsed = TimeProvider.System.GetElapsedTime(started).TotalSeconds;
        var after = ProcReading.Of(sender.Id);
        var report = new Report(title);
        report.Add("values a second", (values - first) / elapsed, "received by the centre's subscriber, from the first message on");
        report.Add("messages", centre.Total.Messages, "");
        report.Add("processor time", (after.CpuSeconds - before.CpuSeconds) / values * 1e6, "s of the sender for a million values");
        report.Add("largest memory", after.PeakBytes / 1e6, "MB (VmHWM)");
        return report;
    }

    private static async Task PublishAsync(string folder, Uri broker)
    {
        using var backlog = Backlog.Open(folder);
        await using var client = new MqttClient(new MqttClientOptions { Servers = [broker], ClientId = "bench-source", MaxInFlight = 20 }, TimeProvider.System);
        using var stop = new CancellationTokenSource();
        var running = client.RunAsync(stop.Token);
        var topics = new FeedTopics("edgegateway/v1", backlog.Site.SiteId, backlog.Site.GatewayId);
        var envelope = new FeedEnvelope(backlog.Site.SiteId, backlog.Site.GatewayId);
        var rows = new List<OutboxRow>();
        var underWay = new Queue<Task<PublishOutcome>>();
        for (long next = 1; next <= backlog.Store.LastRowId; next = rows[^1].Id + 1)
        {
            rows.Clear();
            backlog.Store.Read(next, backlog.Store.LastRowId, 64, 1 << 20, rows);
            foreach (var row in rows)
            {
                var message = new System.Buffers.ArrayBufferWriter<byte>(row.Body.Length + 256);
                envelope.Write(message, row, FeedLane.History);
                underWay.Enqueue(client.PublishAsync(topics.Of(row), message.WrittenMemory, MqttQos.AtLeastOnce, retain: false).AsTask());
                if (underWay.Count == 20)
                {
                    await underWay.Dequeue().ConfigureAwait(false);
                }
            }
        }

        while (underWay.TryDequeue(out var task))
        {
            await task.ConfigureAwait(false);
        }

        await stop.CancelAsync().ConfigureAwait(false);
        await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }
}
