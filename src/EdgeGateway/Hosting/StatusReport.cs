using EdgeGateway.Buses;
using EdgeGateway.Control;
using EdgeGateway.Core;
using EdgeGateway.Core.Detection;
using EdgeGateway.Core.Diagnosis;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Polling;
using EdgeGateway.Core.Site;
using EdgeGateway.Core.State;
using EdgeGateway.Lines;
using EdgeGateway.Storage;
using EdgeGateway.Telemetry;
using EdgeGateway.Uplinks;

namespace EdgeGateway.Hosting;

/// <summary>Puts together what the gateway does and what is wrong.</summary>
internal sealed class StatusReport(
    SiteModel site,
    GatewayClock clock,
    SqliteStore store,
    CommitLoop loop,
    IReadOnlyList<BusPoller> pollers,
    IReadOnlyList<IUplink> uplinks,
    IReadOnlyList<IBus> buses,
    LoopWatch watch,
    FaultCount faults,
    Reloader? reloader)
{
    private readonly DateTimeOffset _started = clock.Time.GetUtcNow();
    private readonly Dictionary<string, double> _predicted = pollers.ToDictionary(
        p => p.Model.Id, p => BusLoad.Predict(p.Model, site.Devices.Where(d => d.BusId == p.Model.Id), site.Points).Utilisation, StringComparer.Ordinal);

    // A bus that went on from the configuration before has the devices as they were numbered then.
    private readonly Dictionary<string, DeviceModel> _devices = site.Devices.ToDictionary(d => d.Id, StringComparer.Ordinal);

    /// <summary>Makes the document of this moment; from any thread.</summary>
    public StatusDocument Make() => Make(store.Statistics(withLosses: false), [.. uplinks.Select(u => u.Status)]);

    /// <summary>All that metrics are read from, but for the computer; from any thread.</summary>
    public Measurement Measure()
    {
        var statistics = store.Statistics(withLosses: false);
        UplinkStatus[] states = [.. uplinks.Select(u => u.Status)];
        return new()
        {
            Status = Make(statistics, states),
            Uplinks = states,
            Store = statistics,
            Pipeline = loop.Counts,
            Queued = loop.Queued,
        };
    }

    private StatusDocument Make(StoreStatistics statistics, UplinkStatus[] states)
    {
        var now = clock.Time.GetUtcNow();
        var links = pollers.SelectMany(p => p.Links.Select(link => (p.Model, link))).ToArray();
        List<string> problems = [];
        if (loop.Failing is { } failing)
        {
            problems.Add($"The store cannot be written: {failing}");
        }

        if (reloader?.Refusal is { } refusal)
        {
            problems.Add(refusal.Text);
        }

        problems.AddRange(StorageProblems(statistics));
        problems.AddRange(watch.Blocked.Select(b => $"Blocked: {b}"));
        if (clock.Quality == TimeQuality.Unset)
        {
            problems.Add($"The clock is not set: {clock.Text}");
        }

        if (faults.Count > 0)
        {
            problems.Add($"{faults.Count} tasks of the program failed unseen; the log has them. Report it");
        }

        problems.AddRange(DeviceProblems(links));
        problems.AddRange(buses.SelectMany(b => b.Problems));
        problems.AddRange(UplinkProblems(states));
        return new StatusDocument
        {
            State = problems.Count == 0 ? "ok" : "degraded",
            Version = ProgramVersion.Text,
            Site = site.SiteId,
            Gateway = site.GatewayId,
            Configuration = site.ConfigurationHash,
            ProcessId = Environment.ProcessId,
            UptimeSeconds = clock.Monotonic / 1000.0,
            Problems = problems,
            LikelyCauses = [.. Causes()],
            Depth = statistics.Rows,
            Dropped = statistics.EvictedRecords + statistics.ThinnedRecords + statistics.QuarantinedRecords,
            Degraded = loop.Failing is not null || store.DiskFull is not null,
            Delivered = states.Sum(s => s.Acknowledged),
            Samples = loop.Taken,
            Outbox = new OutboxDocument
            {
                Rows = statistics.Rows,
                FileBytes = statistics.FileBytes,
                BudgetBytes = statistics.BudgetBytes,
                Oldest = now - statistics.OldestRowAge,
                OldestAgeSeconds = statistics.OldestRowAge?.TotalSeconds ?? 0,
                Streams = statistics.Streams.Where(s => s.Rows > 0).ToDictionary(s => s.Stream.Word(), s => s.Rows, StringComparer.Ordinal),
                Records = statistics.Records,
                Evicted = statistics.EvictedRecords,
                Thinned = statistics.ThinnedRecords,
                Quarantined = statistics.QuarantinedRecords,
            },
            Storage = Storage(statistics),
            Ledger = Ledger(loop.Ledger),
            Alarms = AlarmDocuments.Count(loop.Alarms),
            Learning = Learning(site, loop.Learners, clock.At(clock.Monotonic)),
            Clock = Clock(clock, now, loop.Held),
            Reload = reloader?.Last,
            Buses = [.. pollers.Zip(buses).Select(b => Bus(b.First, _predicted[b.First.Model.Id]) with
            {
                MaximumLoss = [.. LineAdvice.For(b.First.Model, site.Storage.CommitWindow, (b.Second as LineBus)?.OutlivesProcess)],
            })],
            Devices = [.. links.Select(l => Device(l.Model, l.link, Texts(l.link)) with { Name = _devices[l.link.Device.Id].Name })],
            Uplinks = [.. states.Select(s => Uplink(s, now))],
            Process = Process(_started, statistics.ProcessBytesWritten, faults.Count),
        };
    }

    /// <summary>Devices that do not answer.</summary>
    public static IEnumerable<string> DeviceProblems(IEnumerable<(BusModel Bus, DeviceLink Link)> links) => links.Where(l => l.Link.IsDown).Select(l =>
        $"Device {l.Link.Device.Id} on bus {l.Bus.Id} ({BusKinds.Describe(l.Bus)}, unit {l.Link.Device.Unit}): {Reason(l.Link)}");

    /// <summary>Uplinks that are not connected.</summary>
    public static IEnumerable<string> UplinkProblems(IEnumerable<UplinkStatus> states) => states.Where(s => !s.Connected).Select(s => $"Uplink {s.Id}: {s.LastError ?? "not connected yet"}");

    /// <summary>What is known of the clock.</summary>
    public static ClockDocument Clock(GatewayClock clock, DateTimeOffset now, long held) => new()
    {
        Quality = clock.Quality.Word(),
        Text = clock.Text,
        GatewayTime = clock.At(clock.Monotonic).ToDateTimeOffset(),
        OffsetSeconds = Math.Round((clock.At(clock.Monotonic).ToDateTimeOffset() - now).TotalSeconds, 3),
        MaximumErrorSeconds = clock.MaximumError?.TotalSeconds,
        HeldReadings = held,
    };

    private static LedgerStatusDocument Ledger(LedgerProgress ledger) => new()
    {
        LastRecord = ledger.Last,
        LastAt = ledger.LastAt?.ToDateTimeOffset(),
        SealedDay = ledger.SealedDay is { } day ? DateOnly.FromDateTime(day.ToDateTimeOffset().UtcDateTime) : null,
        SealedThrough = ledger.SealedThrough,
        Key = ledger.Key,
        Problem = ledger.Problem,
    };

    /// <summary>How far the detector for any gauge is with learning; null when it watches nothing.</summary>
    public static LearningDocument? Learning(SiteModel site, IReadOnlyList<NoveltyProgress> points, Instant now)
    {
        if (points.Count == 0)
        {
            return null;
        }

        return new()
        {
            Points = points.Count,
            Learning = points.Count(p => p.IsLearning(now)),
            NotBegun = points.Count(p => p.SpeaksFrom is null),
            SpeaksFrom = Last(points),
            Devices =
            [
                .. points.GroupBy(p => site.Points[p.Point].DeviceIndex)
                    .Where(g => g.Any(p => p.IsLearning(now)))
                    .Select(g => new LearningDeviceDocument(site.Devices[g.Key].Id, g.Count(), g.Count(p => p.IsLearning(now)), g.Count(p => p.SpeaksFrom is null), Last(g))),
            ],
        };

        DateTimeOffset? Last(IEnumerable<NoveltyProgress> of) => of.Where(p => p.IsLearning(now)).Max(p => p.SpeaksFrom)?.ToDateTimeOffset();
    }

    private Dictionary<string, string> Texts(DeviceLink link) =>
        _devices[link.Device.Id].Points.Where(p => loop.Texts[p] is not null).ToDictionary(p => site.Points[p].Id, p => loop.Texts[p]!, StringComparer.Ordinal);

    private IEnumerable<string> StorageProblems(StoreStatistics statistics)
    {
        if (store.DiskFull is { } full)
        {
            yield return full;
        }

        if (loop.Watermark is > 0 and var mark)
        {
            yield return $"{(int)(store.InUse * 100)} % of the store is in use (mark {mark} %): bring the link back, or raise storage.budget";
        }

        if (store.Integrity is { State: IntegrityState.Damaged } found)
        {
            yield return $"The store is damaged: {found.Finding}. The next start salvages what can be read";
        }

        if (loop.Ledger.Problem is { } ledger)
        {
            yield return $"The carbon ledger: {ledger}. 'edgegateway ledger verify' of an export or of a backup tells what is proven";
        }

        if (statistics.Problem is { } problem)
        {
            yield return $"{problem}. Free space on the file system, or lower storage.budget; the next start tries again";
        }
    }

    private StorageDocument Storage(StoreStatistics statistics)
    {
        var wear = loop.Wear.Read();
        var integrity = store.Integrity;
        return new StorageDocument
        {
            State = loop.Failing is not null ? "failing" : store.DiskFull is not null ? "disk-full" : "ok",
            InUsePercent = Math.Round(store.InUse * 100, 1),
            WatermarkPercent = loop.Watermark,
            Lost = statistics.Lost,
            WrittenBytes = wear?.TotalBytes,
            WrittenBytesPerDay = wear?.BytesPerDay,
            WrittenBytesPerSample = wear?.BytesPerSample is { } perSample ? Math.Round(perSample, 1) : null,
            Integrity = integrity.State switch
            {
                IntegrityState.Sound => "sound",
                IntegrityState.Mended => "mended",
                IntegrityState.Damaged => "damaged",
                IntegrityState.Partly => "partly",
                _ => "not-yet",
            },
            IntegrityCheckedAt = integrity.Ended,
            IntegrityFinding = integrity.Finding,
            DamagedSets = statistics.DamagedSets,
        };
    }

    /// <summary>How it is, in one line for the service manager; cheap, it touches no disk.</summary>
    public string Word()
    {
        List<string> words = [];
        words.AddRange(watch.Blocked.Select(b => $"blocked: {b}"));
        if (loop.Failing is not null)
        {
            words.Add("the store cannot be written");
        }

        if (clock.Quality == TimeQuality.Unset)
        {
            words.Add("the clock is not set");
        }

        var down = pollers.Sum(p => p.Links.Count(l => l.IsDown));
        if (down > 0)
        {
            words.Add($"{down} of {site.Devices.Count} devices do not answer");
        }

        words.AddRange(uplinks.Where(u => !u.Status.Connected).Select(u => $"uplink {u.Id} is not connected"));
        return words.Count == 0 ? $"Running, {site.Devices.Count} devices" : $"Degraded: {string.Join("; ", words)}";
    }

    private static string Reason(DeviceLink link) => Reasons.Describe(Core.Quality.Bad(link.Reason.Reason, link.Reason.Detail));

    /// <summary>A bus and its load.</summary>
    public static BusDocument Bus(BusPoller poller, double predicted) => new()
    {
        Id = poller.Model.Id,
        Where = BusKinds.Describe(poller.Model),
        Utilisation = Math.Round(poller.Utilisation, 4),
        PredictedUtilisation = Math.Round(predicted / poller.Depth, 4),
        Depth = poller.Depth,
        Requests = poller.Links.Sum(l => l.Requests),
        Replies = poller.Links.Sum(l => l.Requests - l.Failed),
        Timeouts = poller.Links.Sum(l => l.Timeouts),
        Damaged = poller.Links.Sum(l => l.Damaged),
        Exceptions = poller.Links.Sum(l => l.Exceptions),
        LateDiscarded = poller.Wire.LateDiscarded,
        Echoes = poller.Wire.Echoes,
        Connects = poller.Wire.Connects,
    };

    private static LatencyDocument? Latency(DeviceLink link) => link.Latency.Count == 0 ? null : new(
        Milliseconds(link.Latency.Quantile(0.5)),
        Milliseconds(link.Latency.Quantile(0.9)),
        Milliseconds(link.Latency.Quantile(0.99)),
        Milliseconds(link.Latency.Longest),
        Milliseconds(link.Limit));

    private static double Milliseconds(TimeSpan time) => Math.Round(time.TotalMilliseconds, 2);

    /// <summary>A device and how it answers.</summary>
    public static DeviceDocument Device(BusModel bus, DeviceLink link, IReadOnlyDictionary<string, string> texts) => new()
    {
        Id = link.Device.Id,
        Name = link.Device.Name,
        Bus = bus.Id,
        Unit = link.Device.Unit,
        Online = !link.IsDown && link.Requests > link.Failed,
        Problem = link.IsDown ? Reason(link) : link.Requests == 0 ? "not polled yet" : link.Requests == link.Failed ? Reason(link) : "",
        Requests = link.Requests,
        Failed = link.Failed,
        Exceptions = link.Exceptions,
        MissedPeriods = link.MissedPeriods,
        LatencyMilliseconds = link.LastLatency,
        Timeouts = link.Timeouts,
        Damaged = link.Damaged,
        Latency = Latency(link),
        Learned = link.Learned,
        Texts = texts,
    };

    /// <summary>An uplink and what it delivered.</summary>
    public static UplinkDocument Uplink(UplinkStatus status, DateTimeOffset now) => new()
    {
        Id = status.Id,
        Connected = status.Connected,
        Problem = status.Connected ? "" : status.LastError ?? "not connected yet",
        Delivered = status.Acknowledged,
        InFlight = status.InFlight,
        Backlog = status.BacklogRows,
        OldestSeconds = status.OldestWaiting is { } oldest ? Math.Max(0, (now - oldest).TotalSeconds) : null,
        BackfillBytesPerSecond = status.BackfillBytesPerSecond,
        BackfillSeconds = status.ExpectedEnd is { } end ? Math.Max(0, (end - now).TotalSeconds) : null,
    };

    /// <summary>What probably is wrong on the buses, from how the last requests ended.</summary>
    private IEnumerable<CauseDocument> Causes() => pollers.Zip(buses)
        .Where(b => b.Second is ModbusBus)
        .SelectMany(b => LikelyCauses.Of(((ModbusBus)b.Second).Symptoms.Of(
            b.First.Model,
            b.First.Links.Select(l => (l.Device, l.Latency.Count > 0 ? l.Latency.Quantile(0.95) : (TimeSpan?)null)),
            ((ModbusBus)b.Second).Client.Counters,
            b.First.Utilisation)))
        .Select(c => new CauseDocument(c.Bus, c.Device, c.Symptom, c.Cure));

    /// <summary>The process itself.</summary>
    public static ProcessDocument Process(DateTimeOffset started, long? writtenBytes, long unobservedFaults)
    {
        using var process = System.Diagnostics.Process.GetCurrentProcess();
        return new ProcessDocument
        {
            ResidentBytes = process.WorkingSet64,
            CpuSeconds = process.TotalProcessorTime.TotalSeconds,
            WrittenBytes = writtenBytes ?? 0,
            AllocatedBytes = GC.GetTotalAllocatedBytes(),
            Collections = GC.CollectionCount(0),
            UnobservedFaults = unobservedFaults,
            StartedAt = started,
        };
    }
}
