using System.Globalization;

namespace EdgeGateway.Bench.Outbox;

/// <summary>(c) Memory must not depend on the backlog: the real gateway, samples coming and going, with nothing and with ten million rows.</summary>
internal static class MemoryPart
{
    private const int Devices = 10;
    private const int Registers = 104;
    private const int DefaultRows = 10_000_000;
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(90);

    public static async Task<int> RunAsync(BenchSettings settings, CancellationToken cancel)
    {
        var rows = settings.Size ?? DefaultRows;
        var (empty, emptyAnonymous, _) = await MeasureAsync(settings, 0, cancel).ConfigureAwait(false);
        var (full, fullAnonymous, left) = await MeasureAsync(settings, rows, cancel).ConfigureAwait(false);
        var report = new Report(string.Create(CultureInfo.InvariantCulture, $"outbox c: 1,000 samples a second published, with 0 and with {rows:N0} rows in the outbox; on {settings.FileSystem}"));
        report.Add("resident, no rows", empty / 1e6, "MB, median (VmRSS)");
        report.Add("resident, many rows", full / 1e6, "MB, median (VmRSS)");
        report.Add("  ratio", full / empty, "target 0.9 to 1.1");
        report.Add("not shareable, no rows", emptyAnonymous / 1e6, "MB, median (RssAnon)");
        report.Add("not shareable, many rows", fullAnonymous / 1e6, "MB, median (RssAnon)");
        report.Add("rows left in the end", left, "");
        report.Print(settings.Json);
        return full / empty is > 0.9 and < 1.1 ? 0 : 1;
    }

    private static async Task<(double Resident, double Anonymous, long Left)> MeasureAsync(BenchSettings settings, int rows, CancellationToken cancel)
    {
        await using var site = await LoadSite.StartAsync(
            settings.Gateway,
            settings.Others,
            settings.Folder,
            Devices,
            Registers,
            TimeSpan.FromSeconds(1),
            publishSamples: true,
            singles: true,
            edit: static text => text.Replace("storage: {", "storage: { budget: 16GiB, sampleLog: 64MiB,", StringComparison.Ordinal)).ConfigureAwait(false);
        using (var backlog = Backlog.Open(site.Folder))
        {
            backlog.Append(rows, inRow: 1, rowsInCommit: 20_000);
        }

        await using var gateway = settings.Gateway.Start(settings.Cpu, "run", "--config", Path.Combine(site.Folder, "gateway.yaml"));
        await OutboxFigures.FirstStatusAsync(site.Store, gateway, cancel).ConfigureAwait(false);
        await Task.Delay(WarmUp, TimeProvider.System, cancel).ConfigureAwait(false);
        var (resident, anonymous) = await OutboxFigures.MemoryAsync(gateway, settings.Length ?? TimeSpan.FromSeconds(60), cancel).ConfigureAwait(false);
        var last = await OutboxFigures.StatusAsync(site.Store, gateway).ConfigureAwait(false);
        return (resident, anonymous, last.Outbox.Rows);
    }
}
