using System.CommandLine;
using System.Globalization;
using EdgeGateway.Soaking;

namespace EdgeGateway.Bench;

/// <summary>What the gateway takes of a small computer: how soon it measures, and its memory with one device, with 1,000 and with 10,000 points once a second. Several builds are measured one after the other.</summary>
internal static class FootprintBench
{
    private const int Registers = 102;
    private const int PointsOfDevice = 50;
    private const double StartTarget = 1.5;

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(5);
    private static readonly Load[] Loads = [new("idle", 1, 80), new("1000", 1_000 / PointsOfDevice, 128), new("10000", 10_000 / PointsOfDevice, 199)];

    public static Command Create()
    {
        var points = new Argument<string>("points") { Description = "idle (one device), 1000, 10000, or all.", DefaultValueFactory = _ => "all" };
        points.AcceptOnlyFromAmong([.. Loads.Select(l => l.Name), "all"]);
        var seconds = new Option<int>("--seconds") { Description = "Length of the measurement of memory.", DefaultValueFactory = _ => 60 };
        var warmUp = new Option<int>("--warm-up") { Description = "Seconds before it: first windows, what a gateway gives back a minute after its start, and what of that it needs again.", DefaultValueFactory = _ => 300 };
        var starts = new Option<int>("--starts") { Description = "Starts, of which the median counts; each with a new store.", DefaultValueFactory = _ => 7 };
        var gateway = new Option<string[]>("--gateway") { Description = "Builds of the gateway, executables or .dll files; without it the one built together with the benchmarks.", HelpName = "FILE", AllowMultipleArgumentsPerToken = true };
        var cpu = new Option<string>("--cpu") { Description = "Processor of the gateway.", DefaultValueFactory = _ => "0" };
        var others = new Option<string>("--others") { Description = "Processors of simulator and broker.", DefaultValueFactory = _ => "1" };
        var json = new Option<bool>("--json") { Description = "Print JSON." };
        var command = new Command("footprint", "Time from process start to the first committed sample; resident memory idle, with 1,000 and with 10,000 points once a second. Exit code 1 when a target was missed.")
        {
            points, seconds, warmUp, starts, gateway, cpu, others, json,
        };
        command.SetAction(async (result, cancel) =>
        {
            string?[] builds = result.GetValue(gateway) is { Length: > 0 } named ? named : new string?[] { null };
            var isMet = true;
            foreach (var load in Array.FindAll(Loads, l => result.GetValue(points) is "all" || result.GetValue(points) == l.Name))
            {
                foreach (var build in builds)
                {
                    isMet &= await MeasureAsync(
                        load,
                        build,
                        TimeSpan.FromSeconds(result.GetValue(warmUp)),
                        TimeSpan.FromSeconds(result.GetValue(seconds)),
                        Math.Max(1, result.GetValue(starts)),
                        result.GetValue(cpu)!,
                        result.GetValue(others)!,
                        result.GetValue(json),
                        cancel).ConfigureAwait(false);
                }
            }

            return isMet ? 0 : 1;
        });
        return command;
    }

    private static async Task<bool> MeasureAsync(Load load, string? build, TimeSpan warmUp, TimeSpan length, int starts, string cpu, string others, bool json, CancellationToken cancel)
    {
        var time = TimeProvider.System;
        var program = new GatewayProgram(build);
        await using var site = await LoadSite.StartAsync(program, others, Path.GetTempPath(), load.Devices, Registers, TimeSpan.FromSeconds(1), publishSamples: false).ConfigureAwait(false);
        var configuration = Path.Combine(site.Folder, "gateway.yaml");
        var times = new List<double>();
        var costs = new List<double>();
        for (var i = 1; ; i++)
        {
            if (Directory.Exists(site.Store))
            {
                Directory.Delete(site.Store, recursive: true);
            }

            var first = new FirstCommit(site.Store);
            var started = time.GetTimestamp();
            await using var gateway = program.Start(cpu, "run", "--config", configuration);
            while (!first.IsThere())
            {
                gateway.ThrowIfExited();
                await Task.Delay(Look, time, cancel).ConfigureAwait(false);
            }

            times.Add(time.GetElapsedTime(started).TotalSeconds);
            costs.Add(ProcReading.Of(gateway.Id).CpuSeconds);
            if (i < starts)
            {
                continue;
            }

            await Task.Delay(warmUp, time, cancel).ConfigureAwait(false);
            var before = ProcReading.Of(gateway.Id);
            var began = time.GetTimestamp();
            List<double> resident = [], own = [], proportional = [];
            while (time.GetElapsedTime(began) < length)
            {
                await Task.Delay(TimeSpan.FromSeconds(1), time, cancel).ConfigureAwait(false);
                gateway.ThrowIfExited();
                var now = ProcReading.Of(gateway.Id);
                resident.Add(now.ResidentBytes / 1e6);
                own.Add(now.AnonymousBytes / 1e6);
                proportional.Add(now.ProportionalBytes / 1e6);
            }

            var after = ProcReading.Of(gateway.Id);
            var took = time.GetElapsedTime(began).TotalSeconds;
            var status = await GatewayProgram.StatusAsync(site.Store).ConfigureAwait(false) ?? throw new InvalidOperationException($"The gateway does not answer: {gateway.Output}");
            var report = new Report(string.Create(CultureInfo.InvariantCulture, $"footprint: {load.Devices * PointsOfDevice:N0} points once a second, {load.Devices} connections; {build ?? "built with the benchmarks"}"));
            report.Add("start to first committed sample", Median(times), string.Create(CultureInfo.InvariantCulture, $"s, median of {starts} starts with a new store; target {StartTarget}"));
            report.Add("  of it processor time", Median(costs), "s, median; what a busy machine changes least");
            report.Add("resident memory", Median(resident), string.Create(CultureInfo.InvariantCulture, $"MB, median (VmRSS); target {load.Target}"));
            report.Add("  of it not shareable", Median(own), "MB (RssAnon)");
            report.Add("  proportional", Median(proportional), "MB (Pss)");
            report.Add("  largest ever", after.PeakBytes / 1e6, "MB, start included (VmHWM)");
            report.Add("threads", after.Threads, "");
            report.Add("handles", after.Handles, "open files and sockets");
            report.Add("processor", (after.CpuSeconds - before.CpuSeconds) / took * 100, "% of one processor");
            report.Add("written to disk", (after.WrittenBytes - before.WrittenBytes) / took, "bytes a second (write_bytes)");
            report.Add("missed periods", status.Devices.Sum(d => d.MissedPeriods), "since the start");
            report.Print(json);
            return Median(times) <= StartTarget && Median(resident) <= load.Target;
        }
    }

    private static double Median(List<double> values)
    {
        values.Sort();
        return values[values.Count / 2];
    }

    /// <param name="Name">As the command line names it.</param>
    /// <param name="Devices">Devices of 50 points, each behind a connection of its own.</param>
    /// <param name="Target">Resident memory that is wanted, in MB.</param>
    private sealed record Load(string Name, int Devices, double Target);
}
