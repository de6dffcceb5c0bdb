using System.Globalization;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Outbox;
using EdgeGateway.Protocols.Mqtt;
using EdgeGateway.Soaking;

namespace EdgeGateway.Bench.Outbox;

/// <summary>
/// (f) The same backlog on three ways to the same kind of centre: the gateway's outbox, the queue of a mosquitto bridge with persistence, and a queue that Node-RED
/// keeps in its context on disk. The centre is away while the backlog grows; then it comes, and each is timed until the centre's subscriber has every value.
/// Then once more, with the sender killed while the backlog waits and started again: how many values arrive.
/// </summary>
internal static class SideBySidePart
{
    private const int DefaultValues = 1_000_000;
    private const string QueueNodes = "node-red-contrib-queue-gate";
    private const string WrittenBefore = "device bytes for a value, while it took the backlog and in the rest after it";

    // The centre has all there is when nothing new came for so long.
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(15);

    // A sender that waits for a centre tries again at least so often, and tells by then that it has nothing.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(5);

    public static async Task<int> RunAsync(BenchSettings settings, CancellationToken cancel)
    {
        var values = settings.Size ?? DefaultValues;
        var hasNodeRed = NodeRedPeer.VersionOf("node-red") is not null && NodeRedPeer.VersionOf(QueueNodes) is not null;
        if (!hasNodeRed)
        {
            Console.Error.WriteLine($"Node-RED is left out: {NodeRedPeer.HowToInstall}");
        }

        var missed = 0;
        foreach (var (inRow, kill) in ((int, bool)[])[(500, false), (20, false), (500, true)])
        {
            missed += await GatewayAsync(settings, values, inRow, kill, cancel).ConfigureAwait(false) == values ? 0 : 1;
            await BridgeAsync(settings, values, inRow, kill, cancel).ConfigureAwait(false);
            if (hasNodeRed)
            {
                await NodeRedAsync(settings, values, inRow, kill, cancel).ConfigureAwait(false);
            }
        }

        return missed;
    }

    private static async Task<long> GatewayAsync(BenchSettings settings, int values, int inRow, bool kill, CancellationToken cancel)
    {
        await using var site = await DrainPart.SiteAsync(settings, values, inRow, "backfillPerSecond: off, ", withBroker: false).ConfigureAwait(false);
        var stored = new DirectoryInfo(site.Store).EnumerateFiles("gateway.db*").Sum(f => f.Length);
        await PrepareAsync(settings, site).ConfigureAwait(false);
        await using var sender = new Sender(() => settings.Gateway.Start(settings.Cpu, "run", "--config", Path.Combine(site.Folder, "gateway.yaml")));
        await OutboxFigures.FirstStatusAsync(site.Store, sender.Process, cancel).ConfigureAwait(false);
        var (report, arrived, _) = await TimeAsync(settings, site, sender, values, inRow, kill, "EdgeGateway, from its outbox", cancel).ConfigureAwait(false);
        report.Add("on disk", (double)stored / values, "bytes for a value, before the drain");
        report.Print(settings.Json);
        return arrived;
    }

    private static async Task BridgeAsync(BenchSettings settings, int values, int inRow, bool kill, CancellationToken cancel)
    {
        // The site only lends its rows: these are the messages that the gateway would send.
        await using var site = await DrainPart.SiteAsync(settings, values, inRow, "", withBroker: false).ConfigureAwait(false);
        await PrepareAsync(settings, site).ConfigureAwait(false);
        var local = Commands.Demo.FreePort.First(1);
        await using var sender = new Sender(() => LoadSite.StartBroker(
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
            "notifications false"));
        await LoadSite.AcceptsAsync(local, sender.Process).ConfigureAwait(false);
        await PublishAsync(site.Folder, new Uri($"mqtt://127.0.0.1:{local}")).ConfigureAwait(false);
        var (report, _, written) = await TimeAsync(settings, site, sender, values, inRow, kill, "mosquitto bridge, from its queue", cancel).ConfigureAwait(false);
        report.Add("written before", (double)written / values, WrittenBefore);
        report.Print(settings.Json);
    }

    private static async Task NodeRedAsync(BenchSettings settings, int values, int inRow, bool kill, CancellationToken cancel)
    {
        await using var site = await DrainPart.SiteAsync(settings, values, inRow, "", withBroker: false).ConfigureAwait(false);
        await PrepareAsync(settings, site).ConfigureAwait(false);
        var local = Commands.Demo.FreePort.First(2);
        await using var field = LoadSite.StartBroker(settings.Others, site.Folder, "field", local, "persistence false", "max_queued_messages 0");
        await LoadSite.AcceptsAsync(local, field).ConfigureAwait(false);
        await using var sender = new Sender(() => NodeRedPeer.Start(
            settings.Cpu,
            NodeRedPeer.PathOf("flows.json"),
            QueueNodes,
            local + 1,
            site.Broker.Port,
            string.Create(CultureInfo.InvariantCulture, $"PEER_SITE={local}"),
            $"PEER_STORE={site.Folder}"));

        // Its subscription is there when it says so; what is published before would go nowhere.
        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{local + 1}/") };
        await LoadSite.AcceptsAsync(local + 1, sender.Process).ConfigureAwait(false);
        await field.LineWithAsync("as peer-site").ConfigureAwait(false);
        await Task.Delay(Rest, TimeProvider.System, cancel).ConfigureAwait(false);
        await PublishAsync(site.Folder, new Uri($"mqtt://127.0.0.1:{local}")).ConfigureAwait(false);
        var messages = (values + inRow - 1) / inRow;
        while (int.Parse(await http.GetStringAsync("taken", cancel).ConfigureAwait(false), CultureInfo.InvariantCulture) < messages)
        {
            sender.Process.ThrowIfExited();
            await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, cancel).ConfigureAwait(false);
        }

        var (report, _, written) = await TimeAsync(settings, site, sender, values, inRow, kill, "Node-RED, from a queue in its context on disk", cancel).ConfigureAwait(false);
        report.Add("written before", (double)written / values, WrittenBefore);
        report.Print(settings.Json);
    }

    /// <summary>Makes the centre know its subscriber, so that what comes before that one is back waits for it.</summary>
    private static async Task PrepareAsync(BenchSettings settings, LoadSite site)
    {
        await using var broker = StartCentre(settings, site);
        await LoadSite.AcceptsAsync(site.Broker.Port, broker).ConfigureAwait(false);
        await using var centre = Subscriber(site, 0);
        await centre.Subscribed.ConfigureAwait(false);
    }

    private static ChildProcess StartCentre(BenchSettings settings, LoadSite site)
    {
        var kept = Directory.CreateDirectory(Path.Combine(site.Folder, "centre"));
        return LoadSite.StartBroker(settings.Others, site.Folder, "centre", site.Broker.Port, "persistence true", $"persistence_location {kept.FullName}/", "max_queued_messages 0");
    }

    private static Centre Subscriber(LoadSite site, int values) => new(site.Broker, "+/+/+/+/sample", values, keepSession: true);

    /// <summary>Lets the centre come, and waits until its subscriber has all values, or no more come. Returns too what the sender had written before.</summary>
    private static async Task<(Report Report, long Arrived, long Written)> TimeAsync(
        BenchSettings settings, LoadSite site, Sender sender, int values, int inRow, bool kill, string title, CancellationToken cancel)
    {
        await Task.Delay(Rest, TimeProvider.System, cancel).ConfigureAwait(false);
        var waiting = ProcReading.Of(sender.Process.Id);
        if (kill)
        {
            await sender.KillAndStartAsync().ConfigureAwait(false);
            await Task.Delay(Rest, TimeProvider.System, cancel).ConfigureAwait(false);
        }

        var before = ProcReading.Of(sender.Process.Id);
        await using var broker = StartCentre(settings, site);
        await LoadSite.AcceptsAsync(site.Broker.Port, broker).ConfigureAwait(false);
        await using var centre = Subscriber(site, values);
        var came = TimeProvider.System.GetTimestamp();
        while (centre.Distinct == 0 && TimeProvider.System.GetElapsedTime(came) < Patience)
        {
            sender.Process.ThrowIfExited();
            await Task.Delay(TimeSpan.FromMilliseconds(2), TimeProvider.System, cancel).ConfigureAwait(false);
        }

        while (centre.Distinct > 0 && centre.Distinct < values && TimeProvider.System.GetElapsedTime(centre.LastNew) < Quiet)
        {
            sender.Process.ThrowIfExited();
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, cancel).ConfigureAwait(false);
        }

        var arrived = centre.Distinct;
        var after = ProcReading.Of(sender.Process.Id);
        var report = new Report(string.Create(
            CultureInfo.InvariantCulture, $"outbox f: {title}; {values:N0} values in messages of {inRow}{(kill ? ", the sender killed and started again while they wait" : "")}; on {settings.FileSystem}"));
        report.Add("arrived", arrived, string.Create(CultureInfo.InvariantCulture, $"of {values:N0} values"));
        if (centre.LastNew > centre.FirstNew)
        {
            report.Add(
                "values a second", arrived / TimeProvider.System.GetElapsedTime(centre.FirstNew, centre.LastNew).TotalSeconds, "received by the centre's subscriber, from the first message to the last");
            report.Add("messages", centre.Total.Messages, "");
            report.Add("processor time", (after.CpuSeconds - before.CpuSeconds) / arrived * 1e6, "s of the sender for a million values");
        }

        report.Add("resident before", waiting.ResidentBytes / 1e6, "MB (VmRSS), while the backlog waits");
        report.Add("largest memory", after.PeakBytes / 1e6, "MB (VmHWM)");
        return (report, arrived, waiting.WrittenBytes);
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

    /// <summary>What holds the backlog: a process that can be killed and started again.</summary>
    private sealed class Sender(Func<ChildProcess> start) : IAsyncDisposable
    {
        public ChildProcess Process { get; private set; } = start();

        public async Task KillAndStartAsync()
        {
            await Process.KillAsync().ConfigureAwait(false);
            await Process.DisposeAsync().ConfigureAwait(false);
            Process = start();
        }

        public ValueTask DisposeAsync() => Process.DisposeAsync();
    }
}
