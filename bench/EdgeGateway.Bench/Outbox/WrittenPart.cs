using System.Globalization;
using EdgeGateway.Soaking;

namespace EdgeGateway.Bench.Outbox;

/// <summary>(a) What reaches the disk for a sample: the real gateway, the default commit window, every sample published.</summary>
internal static class WrittenPart
{
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(65);

    // Two minutes hold two checkpoints and the windows of two minutes.
    private static readonly TimeSpan DefaultLength = TimeSpan.FromSeconds(120);

    public static async Task<int> RunAsync(BenchSettings settings, CancellationToken cancel)
    {
        var missed = await MeasureAsync(settings, devices: 1, registers: 24, 1_200, withBroker: true, cancel).ConfigureAwait(false);
        missed += await MeasureAsync(settings, devices: 1, registers: 24, 1_200, withBroker: false, cancel).ConfigureAwait(false);
        missed += await MeasureAsync(settings, devices: 10, registers: 104, 120, withBroker: true, cancel).ConfigureAwait(false);
        missed += await MeasureAsync(settings, devices: 10, registers: 104, 120, withBroker: false, cancel).ConfigureAwait(false);
        return missed;
    }

    private static async Task<int> MeasureAsync(BenchSettings settings, int devices, int registers, double most, bool withBroker, CancellationToken cancel)
    {
        await using var site = await LoadSite.StartAsync(
            settings.Gateway, settings.Others, settings.Folder, devices, registers, TimeSpan.FromSeconds(1), publishSamples: true, singles: true, withBroker: withBroker).ConfigureAwait(false);
        await using var gateway = settings.Gateway.Start(settings.Cpu, "run", "--config", Path.Combine(site.Folder, "gateway.yaml"));
        await gateway.LineWithAsync("started").ConfigureAwait(false);
        await Task.Delay(WarmUp, TimeProvider.System, cancel).ConfigureAwait(false);

        var (before, first) = (ProcReading.Of(gateway.Id).WrittenBytes, await OutboxFigures.StatusAsync(site.Store, gateway).ConfigureAwait(false));
        var started = TimeProvider.System.GetTimestamp();
        await Task.Delay(settings.Length ?? DefaultLength, TimeProvider.System, cancel).ConfigureAwait(false);
        var elapsed = TimeProvider.System.GetElapsedTime(started).TotalSeconds;
        var (after, last) = (ProcReading.Of(gateway.Id).WrittenBytes, await OutboxFigures.StatusAsync(site.Store, gateway).ConfigureAwait(false));

        var samples = last.Samples - first.Samples;
        var bytes = (double)(after - before) / samples;
        var report = new Report(string.Create(
            CultureInfo.InvariantCulture, $"outbox a: {samples / elapsed:F0} samples a second, every sample published, centre {(withBroker ? "there" : "away")}; {elapsed:F0} s on {settings.FileSystem}"));
        report.Add("samples", samples, "");
        report.Add("written", bytes, string.Create(CultureInfo.InvariantCulture, $"device bytes for a sample (write_bytes); target {most}"));
        report.Add("written in a day", (after - before) / elapsed * 86_400 / 1e6, "MB");
        report.Add("rows that wait", last.Outbox.Rows, "");
        report.Print(settings.Json);
        return bytes <= most ? 0 : 1;
    }
}
