using System.Globalization;

namespace EdgeGateway.Bench.Modbus;

/// <summary>(d) Processor time for a million samples of the whole gateway, every sample forwarded through the outbox in a message for each read, in messages of many, and summaries only; beside it peers that forward each read in a message without a buffer.</summary>
internal static class ForwardingPart
{
    private const int Devices = 50;
    private const double MostCpu = 3.4;
    private const double GoalCpu = 1.3;

    // The runtime compiles what runs often a second and a third time in the background; a gateway that runs for years has that behind it.
    private static readonly TimeSpan WarmUp = TimeSpan.FromMinutes(10);

    public static async Task<int> RunAsync(BenchSettings settings, CancellationToken cancel)
    {
        var single = await MeasureAsync(all: true, messageForEachRead: true, settings, cancel).ConfigureAwait(false);
        var peers = await ForwardingPeers.MeasureAsync(Devices, settings, cancel).ConfigureAwait(false);
        var joined = await MeasureAsync(all: true, messageForEachRead: false, settings, cancel).ConfigureAwait(false);
        var summaries = await MeasureAsync(all: false, messageForEachRead: false, settings, cancel).ConfigureAwait(false);
        var report = new Report("modbus d: 50 x 100 registers a second, 96 values in each read");
        report.Add("every sample, one message a read", single.CpuForMillion, string.Create(CultureInfo.InvariantCulture, $"s of processor time for a million samples; target {MostCpu}, goal {GoalCpu}"));
        report.Add("every sample, as it comes", joined.CpuForMillion, "s of processor time for a million samples");
        report.Add("summaries only", summaries.CpuForMillion, "s of processor time for a million samples");
        foreach (var peer in peers)
        {
            report.Add(peer.Name, peer.CpuForMillion, "s of processor time for a million samples, one message a read, no buffer");
            report.Add("  ratio", single.CpuForMillion / peer.CpuForMillion, $"EdgeGateway, one message a read / {peer.Name}");
        }

        report.Print(settings.Json);
        return (single.CpuForMillion <= MostCpu ? 0 : 1) + (single.Missed + joined.Missed + summaries.Missed == 0 ? 0 : 1);
    }

    private static Task<FrugalityBench.Figures> MeasureAsync(bool all, bool messageForEachRead, BenchSettings settings, CancellationToken cancel) =>
        FrugalityBench.MeasureAsync(
            settings.Gateway, Devices, all, WarmUp, settings.Length ?? TimeSpan.FromSeconds(60), settings.Cpu, settings.Others, settings.Folder, settings.Json, cancel, singles: true, messageForEachRead);
}
