using System.Globalization;
using EdgeGateway.Simulator;
using EdgeGateway.Soaking;

namespace EdgeGateway.Bench.Outbox;

/// <summary>(b) The store alone, in this process: samples a second that it takes, JSON and commit included, and that are read, acknowledged and deleted.</summary>
internal static class StorePart
{
    private const int Registers = 100;

    public static Task<int> RunAsync(BenchSettings settings, CancellationToken cancel)
    {
        Measure(settings, "20 samples a row, a row a commit", samples: 40_000, inRow: 20, rowsInCommit: 1);
        Measure(settings, "500 samples a row, a row a commit", samples: 400_000, inRow: 500, rowsInCommit: 1);
        Measure(settings, "500 samples a row, 10 rows a commit", samples: 1_000_000, inRow: 500, rowsInCommit: 10);
        return Task.FromResult(0);
    }

    private static void Measure(BenchSettings settings, string title, long samples, int inRow, int rowsInCommit)
    {
        var folder = Directory.CreateDirectory(Path.Combine(settings.Folder, Path.GetRandomFileName()));
        try
        {
            Write(folder.FullName);
            using var backlog = Backlog.Open(folder.FullName);
            backlog.Append(samples / 10, inRow, rowsInCommit);
            backlog.Drain();

            var before = ProcReading.Of(Environment.ProcessId);
            var bytes = GC.GetAllocatedBytesForCurrentThread();
            var started = TimeProvider.System.GetTimestamp();
            backlog.Append(samples, inRow, rowsInCommit);
            var append = TimeProvider.System.GetElapsedTime(started).TotalSeconds;
            var between = ProcReading.Of(Environment.ProcessId);
            var appended = GC.GetAllocatedBytesForCurrentThread() - bytes;

            started = TimeProvider.System.GetTimestamp();
            bytes = GC.GetAllocatedBytesForCurrentThread();
            var drained = backlog.Drain();
            var drain = TimeProvider.System.GetElapsedTime(started).TotalSeconds;
            var after = ProcReading.Of(Environment.ProcessId);

            var report = new Report(string.Create(CultureInfo.InvariantCulture, $"outbox b: {title}; {samples:N0} samples on {settings.FileSystem}"));
            report.Add("append", samples / append, "samples a second (JSON, deflate, commit with fsync)");
            report.Add("  processor time", (between.CpuSeconds - before.CpuSeconds) / samples * 1e6, "s for a million samples");
            report.Add("  written", (double)(between.WrittenBytes - before.WrittenBytes) / samples, "device bytes for a sample");
            report.Add("  allocated", (double)appended / samples, "bytes for a sample");
            report.Add("drain", drained / drain, "samples a second (read, inflate, acknowledge, delete, commit)");
            report.Add("  processor time", (after.CpuSeconds - between.CpuSeconds) / drained * 1e6, "s for a million samples");
            report.Add("  allocated", (double)(GC.GetAllocatedBytesForCurrentThread() - bytes) / drained, "bytes for a sample");
            report.Print(settings.Json);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static void Write(string folder)
    {
        var profiles = Directory.CreateDirectory(Path.Combine(folder, "device-profiles"));
        File.WriteAllText(Path.Combine(profiles.FullName, $"{LoadDevice.ProfileId(Registers)}.yaml"), LoadDevice.Profile(Registers, TimeSpan.FromSeconds(1)).Text);
        var site = LoadDevice.Gateway(50, Registers, mqttServer: "mqtt://127.0.0.1:1883", publishSamples: true, storageDirectory: Path.Combine(folder, "data"));
        File.WriteAllText(Path.Combine(folder, "gateway.yaml"), site.Text.Replace("storage: {", "storage: { budget: 4GiB,", StringComparison.Ordinal));
    }
}
