using EdgeGateway.Control;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Site;
using EdgeGateway.Storage;
using EdgeGateway.Telemetry;
using EdgeGateway.Uplinks;

namespace EdgeGateway.Tests.Telemetry;

/// <summary>A measurement in which every metric has a value.</summary>
internal static class Measurements
{
    public static Measurement Make(string device = "fan") => new()
    {
        Status = new StatusDocument
        {
            State = "degraded",
            Version = "1.2.3",
            Site = "shaft-3",
            Gateway = "gw-01",
            Configuration = "0123456789abcdef",
            ProcessId = 1,
            UptimeSeconds = 61.5,
            Problems = ["one", "two"],
            Depth = 0,
            Dropped = 0,
            Degraded = false,
            Delivered = 0,
            Samples = 7,
            Outbox = new OutboxDocument { Rows = 0, Records = 0, FileBytes = 0, BudgetBytes = 64 << 20, Oldest = null, OldestAgeSeconds = 0, Streams = new Dictionary<string, long>(), Evicted = 0, Thinned = 0, Quarantined = 0 },
            Storage = new StorageDocument
            {
                State = "disk-full", InUsePercent = 12.5, WatermarkPercent = 0, Lost = new Dictionary<string, long>(), WrittenBytes = 4096, WrittenBytesPerDay = null,
                WrittenBytesPerSample = null, Integrity = "sound", IntegrityCheckedAt = null, IntegrityFinding = "", DamagedSets = [],
            },
            Alarms = new AlarmCountsDocument { Critical = 1, High = 2, Medium = 3, Low = 4, Unacknowledged = 5, Shelved = 6, Suppressed = 7, OutOfService = 8, Flood = true },
            Learning = new LearningDocument { Points = 10, Learning = 4, NotBegun = 1, SpeaksFrom = null, Devices = [] },
            Clock = new ClockDocument { Quality = "holdover", Text = "", GatewayTime = default, OffsetSeconds = -0.25, MaximumErrorSeconds = 0.5, HeldReadings = 3 },
            Buses = [new BusDocument { Id = "line-1", Where = "", Utilisation = 0.25, PredictedUtilisation = 0.2, Depth = 1, Requests = 100, Replies = 98, Timeouts = 2, Damaged = 1, Exceptions = 3, LateDiscarded = 4, Echoes = 5, Connects = 6 }],
            Devices =
            [
                new DeviceDocument
                {
                    Id = device, Name = device, Bus = "line-1", Unit = 1, Online = true, Problem = "", Requests = 100, Failed = 2, Exceptions = 3, MissedPeriods = 9, LatencyMilliseconds = 5, Timeouts = 2, Damaged = 1,
                    Latency = new LatencyDocument(10, 20, 30, 40, 500),
                },
            ],
            Uplinks = [new UplinkDocument { Id = "centre", Connected = true, Problem = "", Delivered = 10, InFlight = 1, Backlog = 2, OldestSeconds = 1.5, BackfillSeconds = null }],
            Process = new ProcessDocument { ResidentBytes = 1, StartedAt = default, CpuSeconds = 2.5, WrittenBytes = 3, AllocatedBytes = 4, Collections = 5, UnobservedFaults = 6 },
        },
        Uplinks = [new UplinkStatus { Id = "centre", Connected = true, Sent = 11, Acknowledged = 10, Quarantined = 1, InFlight = 1, BacklogRows = 2, BackfillBytesPerSecond = 64_000 }],
        Store = new StoreStatistics
        {
            Rows = 3, Records = 30, RowBytes = 300, LastRowId = 9, OldestRowAge = TimeSpan.FromSeconds(1.5), Streams = [new StreamStatistics(FeedStream.Summary, 1, 42, 3, 300)], Destinations = [], Losses = [],
            EvictedRecords = 5, ThinnedRecords = 0, QuarantinedRecords = 0, OldestBatch = 1, NextBatch = 2, SampleLogBytes = 1000, FileBytes = 2000, BudgetBytes = 64 << 20, ProcessBytesWritten = 3,
            Commits = 12, LastCommit = TimeSpan.FromMilliseconds(4), LongestCommit = TimeSpan.FromMilliseconds(40), CheckpointFailure = null, Problem = null, Lost = new Dictionary<string, long> { ["evicted"] = 5 }, DamagedSets = [],
        },
        Pipeline = new PipelineCounts(6, 1, 2, 77, RestatementDue: true),
        Queued = 8,
        Box = new BoxValues(new Dictionary<(BoxSubject, string), double>
        {
            [(BoxSubject.Temperature, BoxInput.Processor)] = 61.2,
            [(BoxSubject.Power, BoxInput.Throttled)] = 0x5_0005,
            [(BoxSubject.Power, BoxInput.UnderVoltage)] = 1,
            [(BoxSubject.Storage, BoxInput.Used)] = 50,
            [(BoxSubject.Storage, BoxInput.Free)] = 1e9,
            [(BoxSubject.Storage, BoxInput.Written)] = 512,
            [(BoxSubject.Memory, BoxInput.Used)] = 25,
            [(BoxSubject.Memory, BoxInput.Free)] = 5e8,
            [(BoxSubject.Clock, BoxInput.Synchronised)] = 1,
            [(BoxSubject.Card, BoxInput.WearA)] = 10,
            [(BoxSubject.Card, BoxInput.WearB)] = 20,
            [(BoxSubject.Operation, BoxInput.Load)] = 150,
            [(BoxSubject.Operation, BoxInput.Uptime)] = 3600,
        }),
    };
}
