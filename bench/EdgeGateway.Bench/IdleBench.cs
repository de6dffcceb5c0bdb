using System.CommandLine;
using System.Globalization;

namespace EdgeGateway.Bench;

/// <summary>The smallest site: one device. What the gateway costs before it does anything, and how soon it measures.</summary>
internal static class IdleBench
{
    private const int Starts = 5;

    public static Command Create()
    {
        var seconds = new Option<int>("--seconds") { Description = "Length of the measurement.", DefaultValueFactory = _ => 30 };
        var gateway = new Option<string?>("--gateway") { Description = "Another build of the gateway.", HelpName = "FILE" };
        var cpu = new Option<string>("--cpu") { Description = "Processor of the gateway.", DefaultValueFactory = _ => "0" };
        var json = new Option<bool>("--json") { Description = "Print JSON." };
        var command = new Command("idle", "One device every second: time from start to the first committed sample, resident memory, processor time.") { seconds, gateway, cpu, json };
        command.SetAction((result, cancel) => RunAsync(
            new GatewayProgram(result.GetValue(gateway)), result.GetValue(cpu)!, TimeSpan.FromSeconds(result.GetValue(seconds)), result.GetValue(json), cancel));
        return command;
    }

    private static async Task RunAsync(GatewayProgram program, string cpu, TimeSpan length, bool json, CancellationToken cancel)
    {
        var time = TimeProvider.System;
        await using var site = await LoadSite.StartAsync(program, null, Path.GetTempPath(), 1, 100, TimeSpan.FromSeconds(1), publishSamples: false).ConfigureAwait(false);
        var configuration = Path.Combine(site.Folder, "gateway.yaml");
        var times = new List<double>();
        var costs = new List<double>();
        for (var i = 0; i < Starts; i++)
        {
            var started = time.GetTimestamp();
            await using var gateway = program.Start(cpu, "run", "--config", configuration);
            while (await GatewayProgram.StatusAsync(site.Store).ConfigureAwait(false) is not { Samples: > 0 })
            {
                gateway.ThrowIfExited();
                await Task.Delay(TimeSpan.FromMilliseconds(10), time, cancel).ConfigureAwait(false);
            }

            times.Add(time.GetElapsedTime(started).TotalSeconds);
            costs.Add(ProcReading.Of(gateway.Id).CpuSeconds);
            if (i < Starts - 1)
            {
                continue;
            }

            await Task.Delay(length, time, cancel).ConfigureAwait(false);
            var before = ProcReading.Of(gateway.Id);
            await Task.Delay(length, time, cancel).ConfigureAwait(false);
            var after = ProcReading.Of(gateway.Id);
            times.Sort();
            costs.Sort();
            var report = new Report(string.Create(CultureInfo.InvariantCulture, $"idle: 1 device x 100 registers every second, {length.TotalSeconds} s after {length.TotalSeconds} s on processor {cpu}"));
            report.Add("start to first sample", times[times.Count / 2], $"s, median of {Starts} starts (process start, recovery, connect, poll, commit)");
            report.Add("  of it processor time", costs[costs.Count / 2], "s, median; what a busy machine does not change");
            report.Add("resident memory", after.ResidentBytes / 1e6, "MB (VmRSS)");
            report.Add("  of it not shareable", after.AnonymousBytes / 1e6, "MB (RssAnon)");
            report.Add("  proportional", after.ProportionalBytes / 1e6, "MB (Pss)");
            report.Add("  largest ever", after.PeakBytes / 1e6, "MB, start included (VmHWM)");
            report.Add("processor", (after.CpuSeconds - before.CpuSeconds) / length.TotalSeconds * 100, "% of one processor");
            report.Add("written to disk", (after.WrittenBytes - before.WrittenBytes) / length.TotalSeconds, "bytes a second (write_bytes)");
            report.Print(json);
        }
    }
}
