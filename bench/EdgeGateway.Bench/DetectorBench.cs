using System.CommandLine;
using EdgeGateway.Core;
using EdgeGateway.Core.Detection.Novelty;
using EdgeGateway.Core.State;

namespace EdgeGateway.Bench;

/// <summary>The detector for any gauge alone: time and allocations for each value, memory for each point; one point, and very many in turn.</summary>
internal static class DetectorBench
{
    private const int Rounds = 5;
    private const int Day = 288;
    private const long PeriodMs = 300_000;
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(2);

    public static Command Create()
    {
        var points = new Option<int>("--points") { Description = "Points that are fed in turn.", DefaultValueFactory = _ => 10_000 };
        var json = new Option<bool>("--json") { Description = "Print JSON." };
        var command = new Command("detect", "Nanoseconds a value and bytes a point of the detector for any gauge and of each other detector of the table.") { points, json };
        command.SetAction((result, _) =>
        {
            var report = new Report($"detect: made-up loads with a daily rhythm, a value every 5 minutes; median of {Rounds} rounds");
            Measure(report, "full", NoveltySettings.Full, result.GetValue(points));
            Measure(report, "lean", NoveltySettings.Lean, result.GetValue(points));
            RuleBench.Measure(report, Rounds);
            report.Print(result.GetValue(json));
            return Task.CompletedTask;
        });
        return command;
    }

    private static void Measure(Report report, string name, NoveltySettings settings, int points)
    {
        // One point, alone in the caches: its memory is filled, and the runtime has compiled for good what runs for years, then rounds of 200 days.
        var values = Values(240 * Day);
        var detector = new NoveltyDetector(settings);
        var next = Feed(detector, values.AsSpan(0, 40 * Day), 0);
        for (var warmUp = TimeProvider.System.GetTimestamp(); TimeProvider.System.GetElapsedTime(warmUp) < WarmUp;)
        {
            next = Feed(detector, values.AsSpan(40 * Day), next);
        }

        var alone = new List<double>();
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        for (var round = 0; round < Rounds; round++)
        {
            var started = TimeProvider.System.GetTimestamp();
            next = Feed(detector, values.AsSpan(40 * Day), next);
            alone.Add(TimeProvider.System.GetElapsedTime(started).TotalNanoseconds / (200 * Day));
        }

        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        var writer = new StateWriter();
        detector.Save(writer);

        // Many points in turn, as a gateway meets them: each finds its state out of the caches.
        var before = GC.GetAllocatedBytesForCurrentThread();
        var detectors = new NoveltyDetector[points];
        foreach (ref var one in detectors.AsSpan())
        {
            one = new(settings);
        }

        var memory = (GC.GetAllocatedBytesForCurrentThread() - before) / (double)points;
        var turns = new List<double>();
        for (var round = 0; round <= Rounds; round++)
        {
            // The first round fills memories.
            var rows = round == 0 ? 3 * Day : 20;
            var started = TimeProvider.System.GetTimestamp();
            for (var row = 0; row < rows; row++)
            {
                var time = new Instant(((round * 3L * Day) + row) * PeriodMs);
                for (var point = 0; point < detectors.Length; point++)
                {
                    detectors[point].Observe(time, values[(row + (point * 31)) % values.Length]);
                }
            }

            if (round > 0)
            {
                turns.Add(TimeProvider.System.GetElapsedTime(started).TotalNanoseconds / ((double)rows * points));
            }
        }

        report.Add($"{name}: one point", Median(alone), "ns a value");
        report.Add($"{name}: {points} points in turn", Median(turns), "ns a value");
        report.Add($"{name}: {points} points at 1 Hz", Median(turns) * points / 1e7, "% of one processor");
        report.Add($"{name}: memory", memory, "bytes a point");
        report.Add($"{name}: state saved", writer.Written.Length, "bytes a point");
        report.Add($"{name}: allocated", (double)allocated / (Rounds * 200 * Day), "bytes a value");
    }

    private static long Feed(NoveltyDetector detector, ReadOnlySpan<double> values, long next)
    {
        foreach (var value in values)
        {
            detector.Observe(new(next++ * PeriodMs), value);
        }

        return next;
    }

    private static double[] Values(int count)
    {
        var random = new Random(1);
        var wander = 0.0;
        return [.. Enumerable.Range(0, count).Select(i =>
        {
            wander = (0.95 * wander) + random.NextDouble() - 0.5;
            return ((i % Day) / 12 is >= 6 and < 22 ? 50 : 5) + (3 * wander);
        })];
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
