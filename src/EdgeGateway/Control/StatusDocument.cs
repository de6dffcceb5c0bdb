using System.Text.Json.Serialization;

namespace EdgeGateway.Control;

/// <summary>What <c>edgegateway status --json</c> prints and the health endpoint serves. Additive: members are never renamed.</summary>
public sealed record StatusDocument
{
    /// <summary><c>ok</c>, or <c>degraded</c> when data is being held back or missed; <see cref="Problems"/> then says why.</summary>
    public required string State { get; init; }

    /// <summary>The version of the program that runs; null from one that does not tell it yet.</summary>
    public string? Version { get; init; }

    public required string Site { get; init; }

    public required string Gateway { get; init; }

    public required string Configuration { get; init; }

    public required int ProcessId { get; init; }

    public required double UptimeSeconds { get; init; }

    /// <summary>What is wrong now and how to mend it; empty when all is well.</summary>
    public required IReadOnlyList<string> Problems { get; init; }

    /// <summary>What probably is wrong on the buses and what to do, from how the last requests ended; empty when they ended well.</summary>
    public IReadOnlyList<CauseDocument> LikelyCauses { get; init; } = [];

    /// <summary>Messages that wait in the outbox.</summary>
    public required long Depth { get; init; }

    /// <summary>Records that were evicted or quarantined since the store was made.</summary>
    public required long Dropped { get; init; }

    /// <summary>True when the store cannot be written and readings wait in memory, or when others have filled its file system.</summary>
    public required bool Degraded { get; init; }

    /// <summary>Messages that destinations acknowledged since the process started.</summary>
    public required long Delivered { get; init; }

    /// <summary>Readings taken from the pollers since the process started.</summary>
    public required long Samples { get; init; }

    public required OutboxDocument Outbox { get; init; }

    /// <summary>The store itself: how full, how sound, what was lost, what it costs the card.</summary>
    public StorageDocument? Storage { get; init; }

    /// <summary>The carbon ledger; null from a program that does not tell it yet.</summary>
    public LedgerStatusDocument? Ledger { get; init; }

    /// <summary>How many alarms there are.</summary>
    public AlarmCountsDocument? Alarms { get; init; }

    /// <summary>How far the detector for any gauge is with learning; null when it watches nothing.</summary>
    public LearningDocument? Learning { get; init; }

    /// <summary>What is known of the clock.</summary>
    public ClockDocument? Clock { get; init; }

    /// <summary>The last wish to take over another configuration; null when there was none since the process started.</summary>
    public Hosting.ReloadDocument? Reload { get; init; }

    /// <summary>The buses, with how busy they are.</summary>
    public IReadOnlyList<BusDocument> Buses { get; init; } = [];

    public required IReadOnlyList<DeviceDocument> Devices { get; init; }

    public required IReadOnlyList<UplinkDocument> Uplinks { get; init; }

    public required ProcessDocument Process { get; init; }
}

/// <summary>What probably is wrong.</summary>
/// <param name="Bus">Id of the bus.</param>
/// <param name="Device">Id of the device; null when it concerns the whole bus.</param>
/// <param name="Symptom">What is seen, with numbers.</param>
/// <param name="Cure">What it probably comes from and what to do.</param>
public sealed record CauseDocument(string Bus, string? Device, string Symptom, string Cure);

/// <summary>How the carbon ledger stands.</summary>
public sealed record LedgerStatusDocument
{
    /// <summary>Number of the last record.</summary>
    public required long LastRecord { get; init; }

    /// <summary>When it was appended; null when there is none.</summary>
    public DateTimeOffset? LastAt { get; init; }

    /// <summary>The last day (UTC) that is sealed; null when none is.</summary>
    public DateOnly? SealedDay { get; init; }

    /// <summary>Number of the last record under that seal.</summary>
    public long SealedThrough { get; init; }

    /// <summary>Fingerprint of the key that signs: SHA-256 of the public key, lower-case hex.</summary>
    public required string Key { get; init; }

    /// <summary>What of it is not what was written, or could not be done; null when all is well.</summary>
    public string? Problem { get; init; }
}

/// <summary>How far the detector for any gauge is: it says nothing of a point before it has seen two days of it.</summary>
public sealed record LearningDocument
{
    /// <summary>Points that it watches.</summary>
    public required int Points { get; init; }

    /// <summary>Of these, those that it still learns.</summary>
    public required int Learning { get; init; }

    /// <summary>Of these, those of which it has no value yet.</summary>
    public required int NotBegun { get; init; }

    /// <summary>When it speaks of the last of those that have begun; null when none learns.</summary>
    public required DateTimeOffset? SpeaksFrom { get; init; }

    /// <summary>Devices with points that it still learns.</summary>
    public required IReadOnlyList<LearningDeviceDocument> Devices { get; init; }
}

/// <summary>A device with points that are still learnt.</summary>
/// <param name="Device">Id of the device.</param>
/// <param name="Points">Its points that are watched.</param>
/// <param name="Learning">Of these, those that are still learnt.</param>
/// <param name="NotBegun">Of these, those without a value yet.</param>
/// <param name="SpeaksFrom">When the last of those that have begun is known; null when none has begun.</param>
public sealed record LearningDeviceDocument(string Device, int Points, int Learning, int NotBegun, DateTimeOffset? SpeaksFrom);

/// <summary>The clock by which readings are dated.</summary>
public sealed record ClockDocument
{
    /// <summary><c>synchronised</c>, <c>holdover</c> or <c>unset</c>.</summary>
    public required string Quality { get; init; }

    /// <summary>Why, in words.</summary>
    public required string Text { get; init; }

    /// <summary>The time by which readings are dated.</summary>
    public required DateTimeOffset GatewayTime { get; init; }

    /// <summary>How far the gateway's time is ahead of the computer's clock; more than 2 only while that clock is not believed.</summary>
    public required double OffsetSeconds { get; init; }

    /// <summary>How far the kernel says that the clock may be off; null when it does not know.</summary>
    public double? MaximumErrorSeconds { get; init; }

    /// <summary>Readings that are kept back until the clock is known.</summary>
    public long HeldReadings { get; init; }
}

/// <summary>The outbox: <c>edgegateway outbox --json</c>.</summary>
public sealed record OutboxDocument
{
    /// <summary>Messages that wait.</summary>
    public required long Rows { get; init; }

    /// <summary>Records in them.</summary>
    public required long Records { get; init; }

    /// <summary>Bytes of all files of the store.</summary>
    public required long FileBytes { get; init; }

    public required long BudgetBytes { get; init; }

    /// <summary>When the oldest waiting message was made; null when nothing waits.</summary>
    public required DateTimeOffset? Oldest { get; init; }

    public required double OldestAgeSeconds { get; init; }

    /// <summary>Waiting messages by stream.</summary>
    public required IReadOnlyDictionary<string, long> Streams { get; init; }

    /// <summary>Records that left by the retention rule before they were delivered, and for which nothing stands.</summary>
    public required long Evicted { get; init; }

    /// <summary>Records that left by the retention rule before they were delivered, and for which summaries of wider windows stand.</summary>
    public required long Thinned { get; init; }

    public required long Quarantined { get; init; }
}

/// <summary>The store.</summary>
public sealed record StorageDocument
{
    /// <summary><c>ok</c>; <c>disk-full</c>: stored and numbered within the space there is; <c>failing</c>: nothing can be stored, the newest values leave unnumbered.</summary>
    public required string State { get; init; }

    /// <summary>What waits, with state and accounts, in percent of the room beside the sample log; at 100 the oldest records are evicted.</summary>
    public required double InUsePercent { get; init; }

    /// <summary>Highest of the marks 70, 85 and 95 in force; 0 for none.</summary>
    public required int WatermarkPercent { get; init; }

    /// <summary>Records lost since the store was made, by cause.</summary>
    public required IReadOnlyDictionary<string, long> Lost { get; init; }

    /// <summary>Bytes written to storage by all processes since the store was made; null where the system does not count.</summary>
    public required long? WrittenBytes { get; init; }

    /// <summary>Bytes a day at the pace of the last 24 hours, or since the start when that is less.</summary>
    public required long? WrittenBytesPerDay { get; init; }

    public required double? WrittenBytesPerSample { get; init; }

    /// <summary>The last full check: <c>not-yet</c>, <c>sound</c>, <c>mended</c>, <c>partly</c> (checksums hold, the structure could not be checked) or <c>damaged</c>.</summary>
    public required string Integrity { get; init; }

    public required DateTimeOffset? IntegrityCheckedAt { get; init; }

    /// <summary>What the check found; empty when sound.</summary>
    public required string IntegrityFinding { get; init; }

    /// <summary>Damaged databases that were set aside.</summary>
    public required IReadOnlyList<string> DamagedSets { get; init; }
}

/// <summary>One bus as its owner sees it; sums are over its devices, since the start.</summary>
public sealed record BusDocument
{
    public required string Id { get; init; }

    /// <summary>Address and port, or the path of the port.</summary>
    public required string Where { get; init; }

    /// <summary>Inputs of this computer that count pulses: what a stop of the program or of the power can cost each, in words.</summary>
    public IReadOnlyList<string> MaximumLoss { get; init; } = [];

    /// <summary>Share of the last minute in which it was busy: 0 to 1.</summary>
    public required double Utilisation { get; init; }

    /// <summary>The share that was predicted from periods, sizes and an assumed turnaround; <c>edgegateway check</c> says which.</summary>
    public required double PredictedUtilisation { get; init; }

    /// <summary>Requests that may be under way at once.</summary>
    public required int Depth { get; init; }

    public required long Requests { get; init; }

    /// <summary>Requests that were answered, exceptions included.</summary>
    public required long Replies { get; init; }

    public required long Timeouts { get; init; }

    /// <summary>Replies that were damaged: wrong CRC, too short, not to the request.</summary>
    public required long Damaged { get; init; }

    public required long Exceptions { get; init; }

    /// <summary>Replies that came too late or twice, and were thrown away.</summary>
    public required long LateDiscarded { get; init; }

    /// <summary>Own requests heard back from the line.</summary>
    public required long Echoes { get; init; }

    /// <summary>Connections made or ports opened.</summary>
    public required long Connects { get; init; }
}

/// <summary>How long a device takes to answer, in milliseconds; on a line without the time that the bytes travel.</summary>
/// <param name="P50">Half of the answers took at most this.</param>
/// <param name="P90">Nine of ten.</param>
/// <param name="P99">99 of 100.</param>
/// <param name="Max">The longest since the start.</param>
/// <param name="Limit">How long the next request is waited for.</param>
public sealed record LatencyDocument(double P50, double P90, double P99, double Max, double Limit);

/// <summary>One device as its bus owner sees it.</summary>
public sealed record DeviceDocument
{
    public required string Id { get; init; }

    public required string Name { get; init; }

    public required string Bus { get; init; }

    public required int Unit { get; init; }

    public required bool Online { get; init; }

    /// <summary>Why it is offline, in words; empty when online.</summary>
    public required string Problem { get; init; }

    public required long Requests { get; init; }

    public required long Failed { get; init; }

    public required long Exceptions { get; init; }

    public required long MissedPeriods { get; init; }

    public required long LatencyMilliseconds { get; init; }

    /// <summary>Requests to which nothing came in time.</summary>
    public long Timeouts { get; init; }

    /// <summary>Requests whose reply was damaged: wrong CRC, too short, not to the request.</summary>
    public long Damaged { get; init; }

    /// <summary>How long its answers take; null before the first one.</summary>
    public LatencyDocument? Latency { get; init; }

    /// <summary>What was learned beyond its profile: registers that cannot be read, how many at once; empty when it answers as its profile says.</summary>
    public IReadOnlyList<string> Learned { get; init; } = [];

    /// <summary>What the device says of itself, by point: serial number, version. Only what has been read since the start.</summary>
    public IReadOnlyDictionary<string, string> Texts { get; init; } = new Dictionary<string, string>();
}

/// <summary>One uplink.</summary>
public sealed record UplinkDocument
{
    public required string Id { get; init; }

    public required bool Connected { get; init; }

    public required string Problem { get; init; }

    public required long Delivered { get; init; }

    public required long InFlight { get; init; }

    /// <summary>Rows that this destination has not acknowledged.</summary>
    public required long Backlog { get; init; }

    /// <summary>Age of the oldest of them in seconds; null when nothing waits.</summary>
    public double? OldestSeconds { get; init; }

    /// <summary>Bytes per second at which history may leave now; 0 when there is none.</summary>
    public double BackfillBytesPerSecond { get; init; }

    /// <summary>Seconds until the backlog is through at the present rate; null when unknown or nothing waits.</summary>
    public required double? BackfillSeconds { get; init; }
}

/// <summary>The process itself.</summary>
public sealed record ProcessDocument
{
    public required long ResidentBytes { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    public required double CpuSeconds { get; init; }

    /// <summary>Bytes the process caused to be written to storage (<c>/proc/self/io</c>, write_bytes).</summary>
    public required long WrittenBytes { get; init; }

    /// <summary>Bytes allocated on the managed heap since the process started, collected ones included.</summary>
    public required long AllocatedBytes { get; init; }

    /// <summary>Garbage collections of all generations since the process started.</summary>
    public required long Collections { get; init; }

    /// <summary>Tasks that failed and that nobody waited for, since the gateway started: a defect to report.</summary>
    public long UnobservedFaults { get; init; }
}

/// <summary>The values of one device: <c>edgegateway read DEVICE --json</c>.</summary>
public sealed record DeviceReadingDocument
{
    public required string Device { get; init; }

    public required string Profile { get; init; }

    public required IReadOnlyList<PointReadingDocument> Points { get; init; }
}

/// <summary>The value of one point, or why there is none.</summary>
public sealed record PointReadingDocument
{
    public required string Point { get; init; }

    public required string Role { get; init; }

    /// <summary>Null when there is no value; <see cref="Reason"/> then says why.</summary>
    public required double? Value { get; init; }

    public required string Unit { get; init; }

    /// <summary>Symbol of a state, or null.</summary>
    public required string? Symbol { get; init; }

    /// <summary>What a text reads; for numbers that need words (flags, dates, states without a name) what they mean; else null.</summary>
    public string? Text { get; init; }

    public required string Quality { get; init; }

    public required string Reason { get; init; }

    public required int Address { get; init; }

    /// <summary>Register image in hexadecimal.</summary>
    public required string Raw { get; init; }
}

/// <summary>A refusal in words.</summary>
public sealed record ErrorDocument(string Error);

/// <summary>JSON of the control interface, without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(StatusDocument))]
[JsonSerializable(typeof(OutboxDocument))]
[JsonSerializable(typeof(Hosting.ReloadDocument))]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(DeviceReadingDocument))]
[JsonSerializable(typeof(MeterProbeDocument))]
[JsonSerializable(typeof(ProbeDocument))]
[JsonSerializable(typeof(Scanning.DeviceNames))]
[JsonSerializable(typeof(ErrorDocument))]
[JsonSerializable(typeof(WriteOrderDocument))]
[JsonSerializable(typeof(WriteCheckDocument))]
[JsonSerializable(typeof(WriteDocument))]
[JsonSerializable(typeof(WritesDocument))]
[JsonSerializable(typeof(AlarmsDocument))]
[JsonSerializable(typeof(AlarmOrderDocument))]
[JsonSerializable(typeof(AccountsDocument))]
[JsonSerializable(typeof(AccountOrderDocument))]
[JsonSerializable(typeof(CalibrationDocument))]
[JsonSerializable(typeof(AuditDocument))]
public sealed partial class ControlJson : JsonSerializerContext;
