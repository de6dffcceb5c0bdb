using EdgeGateway.Control;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Site;
using EdgeGateway.Storage;
using EdgeGateway.Uplinks;
using static EdgeGateway.Telemetry.MetricKind;

namespace EdgeGateway.Telemetry;

/// <summary>The table of metrics: a new one is a line here. Names are never changed within a major version of the program.</summary>
internal static class Metrics
{
    private static readonly string[] ByBus = ["bus"];
    private static readonly string[] ByDevice = ["device", "bus"];
    private static readonly string[] ByUplink = ["uplink"];
    private static readonly string[] ByStream = ["stream"];
    private static readonly string[] ByReason = ["reason"];
    private static readonly string[] ByPriority = ["priority"];
    private static readonly string[] ByState = ["state"];

    /// <summary>Every metric, by part of the gateway.</summary>
    public static IReadOnlyList<Metric> All { get; } =
    [
        // The gateway as a whole.
        One("edgegateway.gateway.degraded", Level, "{gateway}", "1 while data is being held back or missed, or a part is sick: edgegateway status says why", m => m.Status.State == "ok" ? 0 : 1),
        One("edgegateway.gateway.problems", Level, "{problem}", "Problems that edgegateway status tells now", m => m.Status.Problems.Count),
        new("edgegateway.gateway.info", Level, "{gateway}", "Always 1; the labels say what runs", ["site", "gateway", "version", "configuration"], m =>
            [new(1, m.Status.Site, m.Status.Gateway, m.Status.Version ?? "", m.Status.Configuration[..Math.Min(12, m.Status.Configuration.Length)])]),

        // Buses.
        Bus("edgegateway.bus.requests", Counter, "{request}", "Requests sent", b => b.Requests),
        Bus("edgegateway.bus.replies", Counter, "{reply}", "Requests that were answered, exceptions included", b => b.Replies),
        Bus("edgegateway.bus.timeouts", Counter, "{request}", "Requests to which nothing came in time", b => b.Timeouts),
        Bus("edgegateway.bus.damaged", Counter, "{reply}", "Replies that were damaged: wrong check sum, too short, not to the request", b => b.Damaged),
        Bus("edgegateway.bus.exceptions", Counter, "{reply}", "Replies by which a device refused a request", b => b.Exceptions),
        Bus("edgegateway.bus.late_replies", Counter, "{reply}", "Replies that came too late or twice, and were thrown away", b => b.LateDiscarded),
        Bus("edgegateway.bus.echoes", Counter, "{frame}", "Own requests heard back from the line", b => b.Echoes),
        Bus("edgegateway.bus.connects", Counter, "{connection}", "Connections made or ports opened", b => b.Connects),
        Bus("edgegateway.bus.utilization", Gauge, "1", "Share of the last minute in which the bus was busy", b => b.Utilisation),
        Bus("edgegateway.bus.predicted_utilization", Gauge, "1", "The share that was predicted from periods and sizes", b => b.PredictedUtilisation),

        // Devices.
        Device("edgegateway.device.online", Level, "{device}", "1 while the device answers", d => d.Online ? 1 : 0),
        Device("edgegateway.device.requests", Counter, "{request}", "Requests sent to the device", d => d.Requests),
        Device("edgegateway.device.failures", Counter, "{request}", "Requests that brought no valid reply; exceptions, which are replies, not included", d => d.Failed),
        Device("edgegateway.device.timeouts", Counter, "{request}", "Requests to which nothing came in time", d => d.Timeouts),
        Device("edgegateway.device.damaged", Counter, "{reply}", "Replies that were damaged", d => d.Damaged),
        Device("edgegateway.device.exceptions", Counter, "{reply}", "Replies by which the device refused a request", d => d.Exceptions),
        Device("edgegateway.device.missed_polls", Counter, "{poll}", "Polls that were due and did not happen because the bus was busy", d => d.MissedPeriods),
        new("edgegateway.device.latency", Gauge, "s", "How long the device takes to answer, since the start, by percentile; 100 is the longest", ["device", "bus", "percentile"], m =>
            m.Status.Devices.Where(d => d.Latency is not null).SelectMany(d => Latencies(d.Latency!).Select(l => new Measured(l.Milliseconds / 1000, d.Id, d.Bus, l.Percentile)))),
        Device("edgegateway.device.time_limit", Gauge, "s", "How long the next request is waited for", d => d.Latency is { } latency ? latency.Limit / 1000 : double.NaN),

        // Pipeline.
        new("edgegateway.pipeline.samples", Counter, "{sample}", "Samples taken: good have a value, bad say why there is none", ["quality"], m =>
            m.Pipeline is { } counts ? [new(counts.Good, "good"), new(counts.Bad, "bad")] : []),
        One("edgegateway.pipeline.queue", Level, "{reading}", "Readings that wait for the pipeline; at 20,000 the buses wait", m => m.Queued),
        One("edgegateway.pipeline.held", Level, "{reading}", "Readings that are kept back until the clock is known", m => m.Status.Clock?.HeldReadings ?? double.NaN),
        new("edgegateway.feed.records", Counter, "{record}", "Records numbered in the stream since its epoch began: a restart does not begin anew", ByStream, m =>
            m.Store is { } store ? store.Streams.Select(s => new Measured(Math.Max(0, s.NextSequence - 1), s.Stream.Word())) : []),

        // Detectors and alarms.
        One("edgegateway.detector.faults", Counter, "{fault}", "Times that a rule of detection failed: a defect to report", m => m.Pipeline?.RuleFaults ?? double.NaN),
        new("edgegateway.detector.points", Level, "{point}", "Points that the detector for any gauge watches: known, learning, or waiting for a first value", ByState, m =>
            m.Status.Learning is { } l ? [new(l.Points - l.Learning, "known"), new(l.Learning - l.NotBegun, "learning"), new(l.NotBegun, "waiting")] : []),
        new("edgegateway.alarm.active", Level, "{alarm}", "Alarms that a person must see", ByPriority, m => m.Status.Alarms is { } a
            ? [new(a.Critical, "critical"), new(a.High, "high"), new(a.Medium, "medium"), new(a.Low, "low")]
            : []),
        One("edgegateway.alarm.unacknowledged", Level, "{alarm}", "Those among them that nobody has acknowledged", m => m.Status.Alarms?.Unacknowledged ?? double.NaN),
        new("edgegateway.alarm.set_aside", Level, "{alarm}", "Alarms that a person or another alarm keeps from being shown", ByState, m => m.Status.Alarms is { } a
            ? [new(a.Shelved, "shelved"), new(a.Suppressed, "suppressed"), new(a.OutOfService, "out-of-service")]
            : []),
        One("edgegateway.alarm.flood", Level, "{condition}", "1 while more alarms come than a person can look at", m => m.Status.Alarms is { } a ? a.Flood ? 1 : 0 : double.NaN),

        // Outbox and store.
        new("edgegateway.outbox.rows", Level, "{row}", "Messages that wait in the outbox", ByStream, m =>
            m.Store is { } store ? store.Streams.Select(s => new Measured(s.Rows, s.Stream.Word())) : []),
        One("edgegateway.outbox.records", Level, "{record}", "Records in the messages that wait", m => m.Store?.Records ?? double.NaN),
        One("edgegateway.outbox.oldest_age", Gauge, "s", "Age of the oldest message that waits; 0 when none does", m => m.Store is { } store ? store.OldestRowAge?.TotalSeconds ?? 0 : double.NaN),
        new("edgegateway.outbox.lost", Counter, "{record}", "Records lost since the store was made, by cause: a restart does not begin anew", ByReason, m =>
            m.Store is { } store ? Lost(store.Lost) : []),
        One("edgegateway.store.size", Level, "By", "Bytes of all files of the store", m => m.Store?.FileBytes ?? double.NaN),
        One("edgegateway.store.budget", Level, "By", "Most bytes that they may have", m => m.Status.Outbox.BudgetBytes > 0 ? m.Status.Outbox.BudgetBytes : double.NaN),
        One("edgegateway.store.utilization", Gauge, "1", "What waits, with state and accounts, as a share of the room beside the sample log; at 1 the oldest records are evicted", m =>
            m.Store is not null && m.Status.Storage is { } s ? s.InUsePercent / 100 : double.NaN),
        One("edgegateway.store.sample_log", Level, "By", "Bytes of the log of samples", m => m.Store?.SampleLogBytes ?? double.NaN),
        One("edgegateway.store.commits", Counter, "{commit}", "Commits", m => m.Store?.Commits ?? double.NaN),
        One("edgegateway.store.commit_duration", Gauge, "s", "How long the last commit took", m => m.Store?.LastCommit.TotalSeconds ?? double.NaN),
        One("edgegateway.store.longest_commit_duration", Gauge, "s", "How long the longest commit took since the start", m => m.Store?.LongestCommit.TotalSeconds ?? double.NaN),
        One("edgegateway.store.written", Counter, "By", "Bytes written to storage by all processes of the gateway since the store was made: a restart does not begin anew", m => m.Status.Storage?.WrittenBytes ?? double.NaN),
        new("edgegateway.store.condition", Level, "{condition}", "1 for the one condition of the store that holds: ok, disk-full, failing", ByState, m => m.Status.Storage is { } s
            ? ((string[])["ok", "disk-full", "failing"]).Select(state => new Measured(state == s.State ? 1 : 0, state))
            : []),
        One("edgegateway.store.damaged", Level, "{condition}", "1 when the last full check found the store damaged", m => m.Status.Storage is { } s ? s.Integrity == "damaged" ? 1 : 0 : double.NaN),

        // Uplinks.
        Uplink("edgegateway.uplink.connected", Level, "{uplink}", "1 while a server has accepted the connection", u => u.Connected ? 1 : 0),
        Uplink("edgegateway.uplink.sent", Counter, "{message}", "Messages handed to the network, repetitions included", u => u.Sent),
        Uplink("edgegateway.uplink.acknowledged", Counter, "{row}", "Rows of the outbox that the destination has acknowledged", u => u.Acknowledged),
        Uplink("edgegateway.uplink.quarantined", Counter, "{row}", "Rows set aside because the destination refuses them", u => u.Quarantined),
        Uplink("edgegateway.uplink.in_flight", Level, "{row}", "Rows sent and not settled", u => u.InFlight),
        Uplink("edgegateway.uplink.backlog", Level, "{row}", "Rows that the destination has not acknowledged", u => u.BacklogRows),
        new("edgegateway.uplink.oldest_age", Gauge, "s", "Age of the oldest of them; 0 when there is none", ByUplink, m => m.Status.Uplinks.Select(u => new Measured(u.OldestSeconds ?? 0, u.Id))),
        Uplink("edgegateway.uplink.backfill_rate", Gauge, "By/s", "Pace at which history may leave; 0 when there is none", u => u.BackfillBytesPerSecond),

        // Ledger.
        One("edgegateway.ledger.records", Counter, "{record}", "Records of the ledger since it was begun: a restart does not begin anew", m => m.Pipeline?.LedgerRecords ?? double.NaN),
        One("edgegateway.ledger.restatement_due", Level, "{condition}", "1 while history is to be stated again by another factor set", m => m.Pipeline is { } p ? p.RestatementDue ? 1 : 0 : double.NaN),

        // Clock.
        new("edgegateway.clock.quality", Level, "{condition}", "1 for the one quality of the clock that holds: synchronised, holdover, unset", ByState, m => m.Status.Clock is { } c
            ? ((string[])["synchronised", "holdover", "unset"]).Select(state => new Measured(state == c.Quality ? 1 : 0, state))
            : []),
        One("edgegateway.clock.offset", Gauge, "s", "How far the gateway's time is ahead of the computer's clock", m => m.Status.Clock?.OffsetSeconds ?? double.NaN),
        One("edgegateway.clock.maximum_error", Gauge, "s", "How far the kernel says that the clock may be off", m => m.Status.Clock?.MaximumErrorSeconds ?? double.NaN),

        // The computer; what it does not show is left out.
        Box("edgegateway.box.cpu.temperature", Gauge, "Cel", "Temperature of the processor", BoxSubject.Temperature, BoxInput.Processor),
        Box("edgegateway.box.cpu.load", Gauge, "1", "Mean number of programs that want the processors over five minutes, as a share of the processors", BoxSubject.Operation, BoxInput.Load, 0.01),
        new("edgegateway.box.throttled", Level, "{condition}", "Raspberry Pi: 1 while the firmware reports it", ByReason, m => Throttled(m.Box)),
        Box("edgegateway.box.under_voltage", Level, "{condition}", "1 while the supply is too low, by the driver raspberrypi-hwmon", BoxSubject.Power, BoxInput.UnderVoltage),
        Box("edgegateway.box.storage.utilization", Gauge, "1", "Share in use of the store's file system, as df counts it", BoxSubject.Storage, BoxInput.Used, 0.01),
        Box("edgegateway.box.storage.free", Level, "By", "Bytes that can still be written there", BoxSubject.Storage, BoxInput.Free),
        Box("edgegateway.box.storage.written", Counter, "By", "Bytes that all programs wrote to its disk since the computer started", BoxSubject.Storage, BoxInput.Written),
        Box("edgegateway.box.memory.utilization", Gauge, "1", "Share of the memory in use", BoxSubject.Memory, BoxInput.Used, 0.01),
        Box("edgegateway.box.memory.free", Level, "By", "Memory that programs can still have", BoxSubject.Memory, BoxInput.Free),
        Box("edgegateway.box.clock.synchronised", Level, "{condition}", "1 when the kernel says that NTP or another source keeps the clock", BoxSubject.Clock, BoxInput.Synchronised),
        new("edgegateway.box.card.wear", Gauge, "1", "Life used of an eMMC, at most, by type of its memory", ["type"], m => m.Box is { } box
            ? [new(box[BoxSubject.Card, BoxInput.WearA] / 100, "a"), new(box[BoxSubject.Card, BoxInput.WearB] / 100, "b")]
            : []),
        Box("edgegateway.box.uptime", Gauge, "s", "Time since the computer started", BoxSubject.Operation, BoxInput.Uptime),

        // The process, by the names that OpenTelemetry has for every process and every .NET program.
        One("process.cpu.time", Counter, "s", "Processor time used", m => m.Status.Process.CpuSeconds),
        One("process.memory.usage", Level, "By", "Resident memory", m => m.Status.Process.ResidentBytes),
        One("process.uptime", Gauge, "s", "Time since the gateway started", m => m.Status.UptimeSeconds),
        One("process.disk.written", Counter, "By", "Bytes that the process caused to be written to storage", m => m.Status.Process.WrittenBytes),
        One("dotnet.gc.heap.total_allocated", Counter, "By", "Bytes allocated on the managed heap, collected ones included", m => m.Status.Process.AllocatedBytes),
        One("dotnet.gc.collections", Counter, "{collection}", "Garbage collections of all generations", m => m.Status.Process.Collections),
        One("edgegateway.process.unobserved_faults", Counter, "{fault}", "Tasks that failed and that nobody waited for: a defect to report", m => m.Status.Process.UnobservedFaults),
    ];

    /// <summary>The table of <c>docs/observability.md</c>.</summary>
    public static string Table()
    {
        var text = new System.Text.StringBuilder("| Metric | In Prometheus | Kind | Unit | Labels | Meaning |\n| --- | --- | --- | --- | --- | --- |\n");
        foreach (var metric in All)
        {
            text.Append("| `").Append(metric.Name).Append("` | `").Append(metric.PrometheusName).Append("` | ").Append(metric.Kind.ToString().ToLowerInvariant())
                .Append(" | ").Append(metric.Unit == "1" ? "share" : $"`{metric.Unit}`").Append(" | ").AppendJoin(", ", metric.Labels.Select(l => $"`{l}`")).Append(" | ").Append(metric.Description).Append(" |\n");
        }

        return text.ToString();
    }

    private static Metric One(string name, MetricKind kind, string unit, string description, Func<Measurement, double> value) =>
        new(name, kind, unit, description, [], m => [new(value(m))]);

    private static Metric Bus(string name, MetricKind kind, string unit, string description, Func<BusDocument, double> value) =>
        new(name, kind, unit, description, ByBus, m => m.Status.Buses.Select(b => new Measured(value(b), b.Id)));

    private static Metric Device(string name, MetricKind kind, string unit, string description, Func<DeviceDocument, double> value) =>
        new(name, kind, unit, description, ByDevice, m => m.Status.Devices.Select(d => new Measured(value(d), d.Id, d.Bus)));

    private static Metric Uplink(string name, MetricKind kind, string unit, string description, Func<UplinkStatus, double> value) =>
        new(name, kind, unit, description, ByUplink, m => m.Uplinks.Select(u => new Measured(value(u), u.Id)));

    private static Metric Box(string name, MetricKind kind, string unit, string description, BoxSubject subject, string field, double scale = 1) =>
        new(name, kind, unit, description, [], m => m.Box is { } box ? [new(box[subject, field] * scale)] : []);

    // Causes that have not come up yet are there too: a first loss is then a growth, which alert rules see.
    private static IEnumerable<Measured> Lost(IReadOnlyDictionary<string, long> lost) =>
        ((string[])["evicted", "thinned", "quarantined", "unreadable", SqliteStore.NotStored]).Union(lost.Keys).Select(cause => new Measured(lost.GetValueOrDefault(cause), cause));

    private static (double Milliseconds, string Percentile)[] Latencies(LatencyDocument latency) => [(latency.P50, "50"), (latency.P90, "90"), (latency.P99, "99"), (latency.Max, "100")];

    private static IEnumerable<Measured> Throttled(BoxValues? box)
    {
        if (box?[BoxSubject.Power, BoxInput.Throttled] is not { } word || double.IsNaN(word))
        {
            return [];
        }

        var bits = (long)word;
        return ((string[])["under-voltage", "frequency-capped", "throttled", "temperature-limit"]).Select((reason, bit) => new Measured((bits >> bit) & 1, reason));
    }
}
