using System.CommandLine;
using EdgeGateway.Core;
using EdgeGateway.Core.Accounting;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Simulator;
using EdgeGateway.Telemetry;

namespace EdgeGateway.Bench;

/// <summary>What the instruments of the gateway cost while nobody asks them: the local path of 50 load devices without and with them, turn by turn in the same run.</summary>
internal static class TelemetryBench
{
    private const int Devices = 50;
    private const int Registers = 100;
    private const int Pairs = 7;

    public static Command Create()
    {
        var minutes = new Option<int>("--minutes") { Description = "Simulated minutes in each of fourteen rounds.", DefaultValueFactory = _ => 5 };
        var json = new Option<bool>("--json") { Description = "Print JSON." };
        var command = new Command("telemetry", "What instruments cost that nobody asks. Exit code 1 when they were asked, or allocate.") { minutes, json };
        command.SetAction(result => Measure(result.GetValue(minutes), result.GetValue(json)));
        return command;
    }

    private static int Measure(int minutes, bool json)
    {
        var gateway = LoadDevice.Gateway(Devices, Registers, publishSamples: false);
        var (site, _) = Core.Site.SiteLoader.Load(gateway, _ => LoadDevice.Profile(Registers, TimeSpan.FromSeconds(1)));
        var encoder = new FeedEncoder(site!, FeedHeads.Start(1), Roles.VocabularyVersion);
        var pipeline = new Pipeline(site!, FactorSet.BuiltIn(), encoder);
        var samples = new Sample[site!.Points.Count];
        var second = 1_800_000_000L;
        var asked = 0;
        List<double> without = [], with = [], ratios = [], bytesWithout = [], bytesWith = [], made = [];
        for (var pair = 0; pair <= Pairs; pair++)
        {
            var (bare, bareBytes) = Round();
            var before = GC.GetAllocatedBytesForCurrentThread();
            using var meter = new GatewayMeter(Metrics.All, () => throw new InvalidOperationException($"asked {++asked} times"), TimeProvider.System);
            var own = GC.GetAllocatedBytesForCurrentThread() - before;
            var (instrumented, instrumentedBytes) = Round();
            if (pair > 0)
            {
                without.Add(bare);
                with.Add(instrumented);
                ratios.Add(instrumented / bare);
                bytesWithout.Add(bareBytes);
                bytesWith.Add(instrumentedBytes);
                made.Add(own);
            }
        }

        var report = new Report($"telemetry: {Devices} devices x {Registers} registers every second; {Pairs} pairs of rounds of {minutes} simulated minutes, after one that does not count");
        report.Add("without instruments", PipelineBench.Median(without), "ns a sample");
        report.Add("with instruments that nobody asks", PipelineBench.Median(with), "ns a sample");
        report.Add("ratio, median of the pairs", PipelineBench.Median(ratios), "");
        report.Add("ratio, least", ratios.Min(), "");
        report.Add("ratio, largest", ratios.Max(), "");
        report.Add("without instruments", PipelineBench.Median(bytesWithout), "bytes allocated a sample, windows closing");
        report.Add("with instruments that nobody asks", PipelineBench.Median(bytesWith), "bytes allocated a sample, windows closing");
        report.Add("measurements made", asked, "");
        report.Add("instruments, once", PipelineBench.Median(made), $"bytes, for {Metrics.All.Count} of them");
        report.Print(json);
        return asked == 0 && Math.Abs(PipelineBench.Median(bytesWith) - PipelineBench.Median(bytesWithout)) < 0.1 ? 0 : 1;

        (double Nanoseconds, double Bytes) Round()
        {
            var (time, bytes) = (TimeSpan.Zero, 0L);
            for (var end = second + (60L * minutes); second < end; second++)
            {
                PipelineBench.Fill(site, samples, second);
                var before = GC.GetAllocatedBytesForCurrentThread();
                var started = TimeProvider.System.GetTimestamp();
                foreach (ref readonly var sample in samples.AsSpan())
                {
                    pipeline.Process(sample);
                }

                var now = new Instant((second * 1000) + 500);
                pipeline.Advance(now);
                encoder.Flush(now);
                time += TimeProvider.System.GetElapsedTime(started);
                bytes += GC.GetAllocatedBytesForCurrentThread() - before;
            }

            var count = 60.0 * minutes * samples.Length;
            return (time.TotalNanoseconds / count, bytes / count);
        }
    }
}
