using System.Globalization;
using EdgeGateway.Soaking;

namespace EdgeGateway.Bench.Outbox;

/// <summary>(d) Time from the start of the process to its readiness, with nothing and with a million rows in the outbox.</summary>
internal static class StartPart
{
    private const int DefaultRows = 1_000_000;
    private const int Starts = 5;

    public static async Task<int> RunAsync(BenchSettings settings, CancellationToken cancel)
    {
        var rows = settings.Size ?? DefaultRows;
        var report = new Report(string.Create(CultureInfo.InvariantCulture, $"outbox d: start with 0 and with {rows:N0} rows; median of {Starts} starts on {settings.FileSystem}"));
        await MeasureAsync(settings, 0, report, cancel).ConfigureAwait(false);
        var ready = await MeasureAsync(settings, rows, report, cancel).ConfigureAwait(false);
        report.Print(settings.Json);
        return ready <= 10 ? 0 : 1;
    }

    private static async Task<double> MeasureAsync(BenchSettings settings, int rows, Report report, CancellationToken cancel)
    {
        await using var site = await LoadSite.StartAsync(
            settings.Gateway,
            settings.Others,
            settings.Folder,
            devices: 1,
            registers: 24,
            TimeSpan.FromSeconds(1),
            publishSamples: true,
            singles: true,
            edit: static text => text.Replace("storage: {", "storage: { budget: 4GiB, sampleLog: 64MiB,", StringComparison.Ordinal)).ConfigureAwait(false);
        using (var backlog = Backlog.Open(site.Folder))
        {
            backlog.Append(rows, inRow: 1, rowsInCommit: 20_000);
        }

        var ready = new List<double>();
        var sampled = new List<double>();
        var cost = new List<double>();
        for (var i = 0; i < Starts; i++)
        {
            var started = TimeProvider.System.GetTimestamp();
            await using var gateway = settings.Gateway.Start(settings.Cpu, "run", "--config", Path.Combine(site.Folder, "gateway.yaml"));
            var status = await OutboxFigures.FirstStatusAsync(site.Store, gateway, cancel).ConfigureAwait(false);
            ready.Add(TimeProvider.System.GetElapsedTime(started).TotalSeconds);
            while (status.Samples == 0)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, cancel).ConfigureAwait(false);
                status = await OutboxFigures.StatusAsync(site.Store, gateway).ConfigureAwait(false);
            }

            sampled.Add(TimeProvider.System.GetElapsedTime(started).TotalSeconds);
            cost.Add(ProcReading.Of(gateway.Id).CpuSeconds);
        }

        report.Add(string.Create(CultureInfo.InvariantCulture, $"{rows:N0} rows: ready"), OutboxFigures.Median(ready), $"s from process start to the first answer{(rows > 0 ? "; requirement O-8: 10 s on a Pi 4" : "")}");
        report.Add("  first sample committed", OutboxFigures.Median(sampled), "s");
        report.Add("  processor time until then", OutboxFigures.Median(cost), "s");
        return OutboxFigures.Median(ready);
    }
}
