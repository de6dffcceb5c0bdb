using System.Globalization;
using EdgeGateway.Soaking;

namespace EdgeGateway.Bench.Outbox;

/// <summary>(e) A backlog leaves for mosquitto: as fast as it goes, and at the default pace.</summary>
internal static class DrainPart
{
    private const int DefaultValues = 2_000_000;
    private const double LeastValues = 50_000;

    public static async Task<int> RunAsync(BenchSettings settings, CancellationToken cancel)
    {
        var values = settings.Size ?? DefaultValues;
        var missed = 0;
        foreach (var inRow in (int[])[500, 20])
        {
            missed += await AtOnceAsync(settings, values, inRow, "", cancel).ConfigureAwait(false);
        }

        missed += await AtOnceAsync(settings, values, 500, "compression: gzip, ", cancel).ConfigureAwait(false);
        await PacedAsync(settings, values, cancel).ConfigureAwait(false);
        return missed;
    }

    /// <summary>A site whose store holds a backlog and whose broker is there.</summary>
    public static async Task<LoadSite> SiteAsync(BenchSettings settings, int values, int inRow, string uplink, bool withBroker = true)
    {
        var site = await LoadSite.StartAsync(
            settings.Gateway,
            settings.Others,
            settings.Folder,
            devices: 1,
            registers: 24,
            TimeSpan.FromSeconds(1),
            publishSamples: true,
            singles: true,
            edit: text => text
                .Replace("storage: {", "storage: { budget: 4GiB, sampleLog: 64MiB,", StringComparison.Ordinal)
                .Replace("servers:", $"{uplink}servers:", StringComparison.Ordinal),
            withBroker: withBroker).ConfigureAwait(false);
        using var backlog = Backlog.Open(site.Folder);
        backlog.Append(values, inRow, rowsInCommit: Math.Max(1, 10_000 / inRow));
        return site;
    }

    private static async Task<int> AtOnceAsync(BenchSettings settings, int values, int inRow, string uplink, CancellationToken cancel)
    {
        await using var site = await SiteAsync(settings, values, inRow, $"backfillPerSecond: off, {uplink}").ConfigureAwait(false);
        await using var gateway = settings.Gateway.Start(settings.Cpu, "run", "--config", Path.Combine(site.Folder, "gateway.yaml"));
        var first = (await OutboxFigures.FirstStatusAsync(site.Store, gateway, cancel).ConfigureAwait(false)).Uplinks[0].Delivered;
        var before = ProcReading.Of(gateway.Id);
        var started = TimeProvider.System.GetTimestamp();
        var rows = values / inRow;
        var left = values - (first * inRow);
        while ((await OutboxFigures.StatusAsync(site.Store, gateway).ConfigureAwait(false)).Uplinks[0].Delivered < rows)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, cancel).ConfigureAwait(false);
        }

        var elapsed = TimeProvider.System.GetElapsedTime(started).TotalSeconds;
        var after = ProcReading.Of(gateway.Id);
        var last = await OutboxFigures.StatusAsync(site.Store, gateway).ConfigureAwait(false);
        var report = new Report(string.Create(
            CultureInfo.InvariantCulture, $"outbox e: {values:N0} values in rows of {inRow} to mosquitto, pacing off{(uplink.Length > 0 ? ", " + uplink.TrimEnd(',', ' ') : "")}; on {settings.FileSystem}"));
        report.Add("values a second", left / elapsed, string.Create(CultureInfo.InvariantCulture, $"acknowledged by the broker; target {LeastValues:N0}"));
        report.Add("time", elapsed, string.Create(CultureInfo.InvariantCulture, $"s for {left:N0} values, from the first answer of the gateway"));
        report.Add("processor time", (after.CpuSeconds - before.CpuSeconds) / left * 1e6, "s for a million values");
        report.Add("allocated", (double)last.Process.AllocatedBytes / values, "bytes for a value, start of the program included");
        report.Add("largest memory", after.PeakBytes / 1e6, "MB (VmHWM)");
        report.Print(settings.Json);
        return left / elapsed >= LeastValues ? 0 : 1;
    }

    private static async Task PacedAsync(BenchSettings settings, int values, CancellationToken cancel)
    {
        await using var site = await SiteAsync(settings, values, 500, "").ConfigureAwait(false);
        await using var centre = new Centre(site.Broker, "+/+/+/+/sample");
        await centre.Subscribed.ConfigureAwait(false);
        await using var gateway = settings.Gateway.Start(settings.Cpu, "run", "--config", Path.Combine(site.Folder, "gateway.yaml"));
        await OutboxFigures.FirstStatusAsync(site.Store, gateway, cancel).ConfigureAwait(false);
        await Task.Delay(TimeSpan.FromSeconds(5), TimeProvider.System, cancel).ConfigureAwait(false);
        var (records, bytes, started) = (centre.Records, centre.Total.Bytes, TimeProvider.System.GetTimestamp());
        await Task.Delay(settings.Length ?? TimeSpan.FromSeconds(30), TimeProvider.System, cancel).ConfigureAwait(false);
        var elapsed = TimeProvider.System.GetElapsedTime(started).TotalSeconds;
        var report = new Report(string.Create(CultureInfo.InvariantCulture, $"outbox e: the default pace, beside 20 live values a second; {elapsed:F0} s"));
        report.Add("values a second", (centre.Records - records) / elapsed, "received by the centre, live ones included");
        report.Add("payload", (centre.Total.Bytes - bytes) / elapsed / 1000, "kB a second");
        report.Print(settings.Json);
    }
}
