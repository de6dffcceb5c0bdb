using EdgeGateway.Core;
using EdgeGateway.Core.Detection;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;

namespace EdgeGateway.Bench;

/// <summary>Each detector of the table alone: time and allocations for each sample of the watched point, memory for each detector.</summary>
internal static class RuleBench
{
    private const int Samples = 1_000_000;

    // As often as a contact changes that is a busy one: every hour or so at a sample a second.
    private const int ContactHolds = 4_096;

    public static void Measure(Report report, int rounds)
    {
        var costs = new List<(string Name, double Nanoseconds)>();
        var allocated = 0L;
        var memory = 0.0;
        foreach (var name in Detectors.ByName.Keys.Order(StringComparer.Ordinal))
        {
            var one = Measure(name, rounds, ContactHolds);
            memory = Math.Max(memory, one.Memory);
            allocated += one.Allocated;
            costs.Add((name, one.Nanoseconds));
        }

        report.Add($"table of {costs.Count} detectors: median", costs.Select(c => c.Nanoseconds).Order().ElementAt(costs.Count / 2), "ns a sample");
        foreach (var (name, cost) in costs.OrderByDescending(c => c.Nanoseconds).Take(5))
        {
            report.Add($"table: {name}, among the five dearest", cost, "ns a sample");
        }

        report.Add("table: largest detector", memory, "bytes");
        report.Add("table: allocated", allocated, "bytes in all");

        // A contact that changes with each sample: each is the begin or the end of a finding.
        var findings = Measure("flag", rounds, 1);
        report.Add("a finding with its record and text", findings.Nanoseconds, "ns");
        report.Add("a finding: allocated", (double)findings.Allocated / Samples / rounds, "bytes");
    }

    private static (double Nanoseconds, long Memory, long Allocated) Measure(string name, int rounds, int contactHolds)
    {
        var (site, watched) = SiteOf(name);
        var lastGood = new LastGood(site.Points.Count);
        var context = new DetectorContext(site, watched, watched.Detectors[0], lastGood);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var detector = Detectors.Create(context);
        var memory = GC.GetAllocatedBytesForCurrentThread() - before;
        Feed(detector, lastGood, watched.Index, 0, contactHolds);
        before = GC.GetAllocatedBytesForCurrentThread();
        var times = new List<double>();
        for (var round = 1; round <= rounds; round++)
        {
            var started = TimeProvider.System.GetTimestamp();
            Feed(detector, lastGood, watched.Index, round * (long)Samples, contactHolds);
            times.Add(TimeProvider.System.GetElapsedTime(started).TotalNanoseconds / Samples);
        }

        return (times.Order().ElementAt(times.Count / 2), memory, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    // The other points keep their values: what is measured is the detector.
    private static void Feed(IDetector detector, LastGood lastGood, int watched, long from, int contactHolds)
    {
        for (var i = from; i < from + Samples; i++)
        {
            if (i % 64 == 0)
            {
                for (var p = 0; p < watched; p++)
                {
                    lastGood.Set(p, 40 + (i / 64 % 3), (i + 64) * 1_000);
                }
            }

            detector.Observe(new Sample(watched, new(i * 1_000), 40 + (i % 5), (ulong)(i / contactHolds % 2), Quality.Good));
        }
    }

    private static (SiteModel Site, PointModel Watched) SiteOf(string name)
    {
        var kind = Detectors.ByName[name];
        var points = new List<PointModel>();
        foreach (var key in kind.Points)
        {
            points.Add(Point(points.Count, key));
        }

        var watched = Point(points.Count, "watched") with
        {
            Detectors = [new DetectorModel(name, kind.Settings.Contains("rated") ? new Dictionary<string, double> { ["rated"] = 100 } : []) { Points = kind.Points.ToDictionary(k => k, k => k) }],
        };
        points.Add(watched);
        var device = new DeviceModel
        {
            Index = 0,
            Id = "d",
            Name = "d",
            BusId = "b",
            Unit = 1,
            Profile = new DeviceProfile { Id = "p", Kind = "k", Vendor = "v", Models = ["m"], Revision = 1, TitleEnglish = "t", MaxRegistersPerRead = 100, MayReadGaps = true, MinGap = TimeSpan.Zero, Points = [] },
            Timeout = TimeSpan.FromSeconds(1),
            CtRatio = 1,
            PtRatio = 1,
            Region = "CN",
            Points = [.. points.Select(p => p.Index)],
        };
        var site = new SiteModel
        {
            SiteId = "s",
            SiteName = "s",
            GatewayId = "g",
            TimeZone = TimeZoneInfo.Utc,
            Region = "CN",
            Windows = [TimeSpan.FromMinutes(1)],
            Buses = [],
            Devices = [device],
            Points = points,
            Uplinks = [],
            Storage = new StorageModel { Directory = "d", BudgetBytes = 1, SampleLogBytes = 1, CommitWindow = TimeSpan.FromSeconds(1), CheckpointInterval = TimeSpan.FromMinutes(1) },
            ConfigurationHash = "h",
        };
        return (site, watched);
    }

    private static PointModel Point(int index, string id) => new()
    {
        Index = index,
        DeviceIndex = 0,
        Id = id,
        Kind = PointKind.Gauge,
        Role = "other",
        Unit = "A",
        Encoding = new RegisterEncoding { Table = RegisterTable.HoldingRegister, Address = 0, Type = RegisterType.Float32, Scale = 1, Offset = 0 },
        Period = TimeSpan.FromSeconds(1),
    };
}
