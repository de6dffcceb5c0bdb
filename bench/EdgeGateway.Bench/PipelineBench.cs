using System.CommandLine;
using EdgeGateway.Core;
using EdgeGateway.Core.Accounting;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Simulator;

namespace EdgeGateway.Bench;

/// <summary>The local path alone: validate, detect, account, aggregate, and make the records, for the samples of 50 load devices.</summary>
internal static class PipelineBench
{
    private const int Devices = 50;
    private const int Registers = 100;
    private const int Rounds = 5;

    public static Command Create()
    {
        var minutes = new Option<int>("--minutes") { Description = "Simulated minutes in each of five rounds.", DefaultValueFactory = _ => 15 };
        var json = new Option<bool>("--json") { Description = "Print JSON." };
        var command = new Command("pipeline", "Time and allocations of a sample from validation to record.") { minutes, json };
        command.SetAction((result, _) =>
        {
            var report = new Report($"pipeline: {Devices} devices x {Registers} registers every second; {Rounds} rounds of {result.GetValue(minutes)} simulated minutes, after one that does not count");
            Measure(report, result.GetValue(minutes), publishSamples: false);
            Measure(report, result.GetValue(minutes), publishSamples: true);
            report.Print(result.GetValue(json));
            return Task.CompletedTask;
        });
        return command;
    }

    private static void Measure(Report report, int minutes, bool publishSamples)
    {
        var gateway = LoadDevice.Gateway(Devices, Registers, publishSamples: publishSamples);
        var (site, _) = Core.Site.SiteLoader.Load(gateway, _ => LoadDevice.Profile(Registers, TimeSpan.FromSeconds(1)));
        var encoder = new FeedEncoder(site!, FeedHeads.Start(1), Roles.VocabularyVersion);
        var pipeline = new Pipeline(site!, FactorSet.BuiltIn(), encoder);
        var samples = new Sample[site!.Points.Count];
        var second = 1_800_000_000L;
        var processing = new List<double>();
        var closing = new List<double>();
        var processingBytes = new List<double>();
        var quietest = long.MaxValue;
        var closingBytes = new List<double>();
        for (var round = 0; round <= Rounds; round++)
        {
            var (process, close, processBytes, closeBytes) = (TimeSpan.Zero, TimeSpan.Zero, 0L, 0L);
            for (var end = second + (60L * minutes); second < end; second++)
            {
                Fill(site, samples, second);
                var bytes = GC.GetAllocatedBytesForCurrentThread();
                var started = TimeProvider.System.GetTimestamp();
                foreach (ref readonly var sample in samples.AsSpan())
                {
                    pipeline.Process(sample);
                }

                process += TimeProvider.System.GetElapsedTime(started);
                bytes = GC.GetAllocatedBytesForCurrentThread() - bytes;
                processBytes += bytes;
                quietest = Math.Min(quietest, bytes);

                bytes = GC.GetAllocatedBytesForCurrentThread();
                started = TimeProvider.System.GetTimestamp();
                var now = new Instant((second * 1000) + 500);
                pipeline.Advance(now);
                encoder.Flush(now);
                close += TimeProvider.System.GetElapsedTime(started);
                closeBytes += GC.GetAllocatedBytesForCurrentThread() - bytes;
            }

            if (round > 0)
            {
                var count = 60.0 * minutes * samples.Length;
                processing.Add(process.TotalNanoseconds / count);
                closing.Add(close.TotalNanoseconds / count);
                processingBytes.Add(processBytes / count);
                closingBytes.Add(closeBytes / count);
            }
        }

        var mode = publishSamples ? "every sample published" : "summaries only";
        report.Add($"{mode}: process", Median(processing), "ns a sample, the JSON of closing windows included");
        report.Add($"{mode}: process", Median(processingBytes), "bytes allocated a sample, bodies of rows included");
        report.Add($"{mode}: process, within a window", (double)quietest / samples.Length, "bytes allocated a sample, quietest second");
        report.Add($"{mode}: advance and flush", Median(closing), "ns a sample");
        report.Add($"{mode}: advance and flush", Median(closingBytes), "bytes allocated a sample");
    }

    internal static void Fill(Core.Site.SiteModel site, Sample[] samples, long second)
    {
        foreach (var point in site.Points)
        {
            var raw = point.Encoding.Type switch
            {
                RegisterType.UInt32 => (ulong)second,
                RegisterType.UInt64 => (ulong)second * 10,
                _ => BitConverter.SingleToUInt32Bits((float)LoadDevice.Wave(second, point.Encoding.Address)),
            };
            RegisterCodec.DecodeRaw(point.Encoding, raw, out var value);
            samples[point.Index] = new Sample(point.Index, new Instant(second * 1000), value, raw, Quality.Good);
        }
    }

    internal static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
