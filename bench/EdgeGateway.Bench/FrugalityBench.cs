using System.CommandLine;
using System.Globalization;
using EdgeGateway.Control;
using EdgeGateway.Soaking;

namespace EdgeGateway.Bench;

/// <summary>The whole gateway under its reference load, measured from outside: 50 devices of 100 registers, polled every second, on one processor.</summary>
internal static class FrugalityBench
{
    private const int Devices = 50;
    private const int Registers = 100;
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    public static Command Create()
    {
        var seconds = new Option<int>("--seconds") { Description = "Length of the measurement; multiples of 60 hold whole summary windows.", DefaultValueFactory = _ => 60 };
        var warmUp = new Option<int>("--warm-up") { Description = "Seconds before it: JIT and first windows.", DefaultValueFactory = _ => 75 };
        var samples = new Option<string>("--samples") { Description = "none: summaries only; all: every sample is published; both: one after the other; poll: every sample, 96 of each read in a message of their own.", DefaultValueFactory = _ => "both" };
        samples.AcceptOnlyFromAmong("none", "all", "both", "poll");
        var cpu = new Option<string>("--cpu") { Description = "Processor of the gateway.", DefaultValueFactory = _ => "0" };
        var others = new Option<string>("--others") { Description = "Processors of simulator and broker.", DefaultValueFactory = _ => "1" };
        var folder = new Option<string>("--folder") { Description = "Folder on the storage to measure.", DefaultValueFactory = _ => Path.GetTempPath() };
        var gateway = new Option<string?>("--gateway") { Description = "Another build of the gateway.", HelpName = "FILE" };
        var json = new Option<bool>("--json") { Description = "Print JSON." };
        var command = new Command("frugality", "50 devices x 100 registers every second on one processor: missed periods, processor time, memory, disk writes, allocations.")
        {
            seconds, warmUp, samples, cpu, others, folder, gateway, json,
        };
        command.SetAction(async (result, cancel) =>
        {
            var program = new GatewayProgram(result.GetValue(gateway));
            var mode = result.GetValue(samples);
            var missed = 0L;
            var isPoll = mode == "poll";
            bool[] modes = [false, true];
            foreach (var all in modes)
            {
                if (mode == "both" || mode == (all ? "all" : "none") || (all && isPoll))
                {
                    var figures = await MeasureAsync(
                        program,
                        Devices,
                        all,
                        TimeSpan.FromSeconds(result.GetValue(warmUp)),
                        TimeSpan.FromSeconds(result.GetValue(seconds)),
                        result.GetValue(cpu)!,
                        result.GetValue(others)!,
                        result.GetValue(folder)!,
                        result.GetValue(json),
                        cancel,
                        singles: isPoll,
                        messageForEachRead: isPoll).ConfigureAwait(false);
                    missed += figures.Missed;
                }
            }

            return missed == 0 ? 0 : 1;
        });
        return command;
    }

    public static async Task<Figures> MeasureAsync(
        GatewayProgram program, int devices, bool all, TimeSpan warmUp, TimeSpan length, string cpu, string others, string folder, bool json, CancellationToken cancel, bool singles = false,
        bool messageForEachRead = false)
    {
        var time = TimeProvider.System;
        Func<string, string>? edit = messageForEachRead ? text => text.Replace("gateway: { ", "gateway: { sampleMessages: poll, ", StringComparison.Ordinal) : null;
        await using var site = await LoadSite.StartAsync(program, others, folder, devices, Registers, Period, all, singles, edit).ConfigureAwait(false);
        await using var centre = new Centre(site.Broker);
        await centre.Subscribed.ConfigureAwait(false);
        await using var gateway = program.Start(cpu, "run", "--config", Path.Combine(site.Folder, "gateway.yaml"));
        await gateway.LineWithAsync("started").ConfigureAwait(false);
        await Task.Delay(warmUp, time, cancel).ConfigureAwait(false);

        var first = await StatusAsync(site, gateway).ConfigureAwait(false);
        var before = ProcReading.Of(gateway.Id);
        var (messagesBefore, bytesBefore) = centre.Total;
        var started = time.GetTimestamp();
        var resident = new List<double>();
        var anonymous = new List<double>();
        var proportional = new List<double>();
        while (time.GetElapsedTime(started) < length)
        {
            await Task.Delay(TimeSpan.FromSeconds(1), time, cancel).ConfigureAwait(false);
            gateway.ThrowIfExited();
            var now = ProcReading.Of(gateway.Id);
            resident.Add(now.ResidentBytes);
            anonymous.Add(now.AnonymousBytes);
            proportional.Add(now.ProportionalBytes);
        }

        var after = ProcReading.Of(gateway.Id);
        var elapsed = time.GetElapsedTime(started).TotalSeconds;
        var (messages, bytes) = centre.Total;
        var last = await StatusAsync(site, gateway).ConfigureAwait(false);

        var samples = last.Samples - first.Samples;
        var polls = Sum(last, d => d.Requests) - Sum(first, d => d.Requests);
        var missed = Sum(last, d => d.MissedPeriods) - Sum(first, d => d.MissedPeriods);
        var failed = Sum(last, d => d.Failed + d.Exceptions) - Sum(first, d => d.Failed + d.Exceptions);
        var busy = after.CpuSeconds - before.CpuSeconds;
        var written = after.WrittenBytes - before.WrittenBytes;
        var report = new Report(string.Create(
            CultureInfo.InvariantCulture,
            $"frugality: {devices} devices x {Registers} registers every second, {(all ? "every sample published" : "summaries only")}; {elapsed:F1} s on processor {cpu}"));
        report.Add("requests", polls, $"in {elapsed:F1} s; {devices} connections, one request for each device and second");
        report.Add("missed periods", missed, "polls that were due and did not happen");
        report.Add("failed requests", failed, "timeouts, exceptions, bad replies");
        report.Add("samples", samples, $"values: {samples / Math.Max(polls, 1)} in {Registers} registers of a request");
        report.Add("processor", busy / elapsed * 100, "% of one processor");
        report.Add("processor time", busy / samples * 1e6, "s for a million samples");
        report.Add("resident memory", Median(resident) / 1e6, "MB, median (VmRSS)");
        report.Add("  of it not shareable", Median(anonymous) / 1e6, "MB, median (RssAnon)");
        report.Add("  proportional", Median(proportional) / 1e6, "MB, median (Pss)");
        report.Add("  largest ever", after.PeakBytes / 1e6, "MB, start included (VmHWM)");
        report.Add("threads", after.Threads, "");
        report.Add("written to disk", (double)written / samples * 1000, "bytes for 1,000 samples (write_bytes)");
        report.Add("store", last.Outbox.FileBytes / 1e6, "MB, all files");
        report.Add("allocated", (double)(last.Process.AllocatedBytes - first.Process.AllocatedBytes) / samples, "bytes for a sample, whole process");
        report.Add("collections", last.Process.Collections - first.Process.Collections, "garbage collections of any generation");
        report.Add("messages", messages - messagesBefore, "received by the centre");
        report.Add("message bytes", (double)(bytes - bytesBefore) / samples, "payload bytes for a sample");
        report.Add("outbox", last.Outbox.Rows, "messages that wait in the end");
        report.Print(json);
        return new(missed + failed, busy / samples * 1e6);
    }

    private static async Task<StatusDocument> StatusAsync(LoadSite site, ChildProcess gateway)
    {
        gateway.ThrowIfExited();
        return await GatewayProgram.StatusAsync(site.Store).ConfigureAwait(false) ?? throw new InvalidOperationException($"The gateway does not answer: {gateway.Output}");
    }

    private static long Sum(StatusDocument status, Func<DeviceDocument, long> of) => status.Devices.Sum(of);

    private static double Median(List<double> values)
    {
        values.Sort();
        return values[values.Count / 2];
    }

    /// <summary>What a measurement showed: polls that were missed or failed, and seconds of processor time for a million samples.</summary>
    public readonly record struct Figures(long Missed, double CpuForMillion);
}
