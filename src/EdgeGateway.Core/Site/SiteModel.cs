using System.Collections.Frozen;
using EdgeGateway.Core.Alarms;
using EdgeGateway.Core.Cems;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Profiles;

namespace EdgeGateway.Core.Site;

/// <summary>
/// Everything the gateway knows about its site, resolved from <c>gateway.yaml</c> and the device profiles, checked and immutable.
/// The hot path addresses points by their index in <see cref="Points"/>.
/// </summary>
public sealed record SiteModel
{
    /// <summary>Identifier of the site, part of every topic.</summary>
    public required string SiteId { get; init; }

    /// <summary>Name of the site for people.</summary>
    public required string SiteName { get; init; }

    /// <summary>Language of the explanations of alarms: one of <see cref="AlarmMessages.Languages"/>.</summary>
    public string Language { get; init; } = AlarmMessages.Languages[0];

    /// <summary>Identifier of this gateway, part of every record id.</summary>
    public required string GatewayId { get; init; }

    /// <summary>Zone in which days begin.</summary>
    public required TimeZoneInfo TimeZone { get; init; }

    /// <summary>Grid region for emission factors, for instance <c>CN-SX</c>.</summary>
    public required string Region { get; init; }

    /// <summary>Widths of the aligned windows, ascending; each divides the next. The first is the base width.</summary>
    public required IReadOnlyList<TimeSpan> Windows { get; init; }

    public required IReadOnlyList<BusModel> Buses { get; init; }

    public required IReadOnlyList<DeviceModel> Devices { get; init; }

    /// <summary>All points of all devices; a point's <see cref="PointModel.Index"/> is its place here.</summary>
    public required IReadOnlyList<PointModel> Points { get; init; }

    public required IReadOnlyList<UplinkModel> Uplinks { get; init; }

    public required StorageModel Storage { get; init; }

    /// <summary>Mean power of the gateway itself in watts, as declared; null when it is not.</summary>
    public decimal? OwnPowerWatts { get; init; }

    /// <summary>Time between two lines of status on standard output; null prints none.</summary>
    public TimeSpan? StatusEvery { get; init; }

    /// <summary>Whether what one reply of one device brought gets a message of its own, instead of as much as fits.</summary>
    public bool MessageForEachPoll { get; init; }

    /// <summary>Loopback address and port of the health endpoint, or null when it is off.</summary>
    public string? HealthListen { get; init; }

    /// <summary>Where metrics and traces are sent by OTLP; null when they are not.</summary>
    public OtlpModel? Otlp { get; init; }

    /// <summary>How long after a start readings wait for their dates when the computer does not know the time, unless the site says so.</summary>
    public static readonly TimeSpan DefaultClockHold = TimeSpan.FromMinutes(15);

    /// <summary>How long after a start readings wait for their dates when the computer does not know the time (requirement T-2).</summary>
    public TimeSpan ClockHold { get; init; } = DefaultClockHold;

    /// <summary>Gauges that the detector for any gauge would watch by itself and does not, because they are too many; see <see cref="Detection.Novelty.NoveltyRule"/>.</summary>
    public int NoveltyLeftOut { get; init; }

    /// <summary>The site's own factor set; null: the one that comes with the program.</summary>
    public Accounting.FactorSet? Factors { get; init; }

    /// <summary>The files of the site's own factor set; null when it has none.</summary>
    public FactorFiles? FactorFiles { get; init; }

    /// <summary>The factor set by which entries are made.</summary>
    public Accounting.FactorSet FactorsInForce => Factors ?? Accounting.FactorSet.BuiltIn();

    /// <summary>SHA-256 (lower-case hex) over the texts the model was made from; names the configuration in records and checkpoints.</summary>
    public required string ConfigurationHash { get; init; }
}

/// <summary>A collector of OpenTelemetry.</summary>
/// <param name="Endpoint">Its address, without <c>/v1/metrics</c>.</param>
/// <param name="IsGrpc">Whether it is spoken to by gRPC instead of HTTP with protobuf.</param>
/// <param name="Interval">Time between two exports of the metrics.</param>
public sealed record OtlpModel(Uri Endpoint, bool IsGrpc, TimeSpan Interval)
{
    /// <summary>Certificates of authorities (PEM) that are trusted instead of the system's; null for those.</summary>
    public string? CaFile { get; init; }

    /// <summary>The protocols by the names of the specification (OTEL_EXPORTER_OTLP_PROTOCOL); the first is the default.</summary>
    internal static readonly string[] Protocols = ["http/protobuf", "grpc"];

    /// <summary>Time between two exports, unless the site says so.</summary>
    public static readonly TimeSpan DefaultInterval = TimeSpan.FromMinutes(1);
}

/// <summary>The files of a site's own factor set, as the configuration names them.</summary>
/// <param name="File">The set.</param>
/// <param name="Key">The public key whose signature it must bear; null when none is asked for.</param>
/// <param name="Signature">The signature; null for the name of the set with <c>.sig</c>.</param>
public sealed record FactorFiles(string File, string? Key, string? Signature);

/// <summary>What the store may use.</summary>
public sealed record StorageModel
{
    /// <summary>Directory of the database and the control socket.</summary>
    public required string Directory { get; init; }

    /// <summary>
    /// Hard limit for all files of the store together, write-ahead log included, in bytes. 0: 60 % of the space that is free when the store is made, at
    /// least <see cref="LeastDefaultBudgetBytes"/>, and the same from then on (requirement E-1).
    /// </summary>
    public required long BudgetBytes { get; init; }

    /// <summary>Share of the budget for the sample log, in bytes; the oldest batches that a checkpoint covers go first. 0: a quarter of the budget.</summary>
    public required long SampleLogBytes { get; init; }

    /// <summary>Smallest budget that is chosen from the free space.</summary>
    public const long LeastDefaultBudgetBytes = 64L << 20;

    /// <summary>Most records that may wait in the outbox; null for no limit beside the bytes (requirement E-1).</summary>
    public long? MostRecords { get; init; }

    /// <summary>Whether samples go early, from 85 % of the budget on, while nothing is delivered (requirement E-6).</summary>
    public bool ThinEarly { get; init; }

    /// <summary>Samples go after this long in the outbox, by the running time of the gateway; null for never (requirement E-3).</summary>
    public TimeSpan? SampleAge { get; init; }

    /// <summary>Summaries go after this long in the outbox, and samples at the latest; null for never.</summary>
    public TimeSpan? SummaryAge { get; init; }

    /// <summary>Years for which the ledger is kept.</summary>
    public int LedgerYears { get; init; } = DefaultLedgerYears;

    /// <summary>Years for which the ledger is kept, unless the site says so.</summary>
    public const int DefaultLedgerYears = 10;

    /// <summary>Longest time between reading a value and its commit.</summary>
    public required TimeSpan CommitWindow { get; init; }

    /// <summary>Time between two checkpoints of the pipeline's state.</summary>
    public required TimeSpan CheckpointInterval { get; init; }
}

/// <summary>One line or connection with exactly one owner task.</summary>
public abstract record BusModel
{
    public required string Id { get; init; }

    /// <summary>Default time limit of one request; a device may have its own.</summary>
    public required TimeSpan Timeout { get; init; }
}

/// <summary>A bus behind an endpoint on the network, shared by the unit ids behind it.</summary>
public abstract record NetworkBus : BusModel
{
    public required string Host { get; init; }

    public required int Port { get; init; }
}

/// <summary>Modbus TCP: one connection.</summary>
public sealed record ModbusTcpBus : NetworkBus
{
    /// <summary>Whether several requests may share the connection, once the server has proved that it can.</summary>
    public bool Pipelining { get; init; } = true;
}

/// <summary>Modbus in UDP datagrams.</summary>
public sealed record ModbusUdpBus : NetworkBus;

/// <summary>RTU or ASCII frames in one TCP connection: a serial line behind a device server that passes bytes through.</summary>
public abstract record DeviceServerBus : NetworkBus
{
    /// <summary>Pause between an answer and the next request.</summary>
    public TimeSpan Silence { get; init; } = TimeSpan.FromMilliseconds(5);

    /// <summary>How long all devices are left alone after a broadcast.</summary>
    public TimeSpan Turnaround { get; init; } = TimeSpan.FromMilliseconds(100);
}

/// <summary>RTU frames behind a device server.</summary>
public sealed record ModbusRtuOverTcpBus : DeviceServerBus;

/// <summary>ASCII frames behind a device server.</summary>
public sealed record ModbusAsciiOverTcpBus : DeviceServerBus;

/// <summary>A bus on a serial port of this computer.</summary>
public abstract record SerialBus : BusModel
{
    /// <summary>Path of the port, preferably a stable one below <c>/dev/serial/by-id</c>.</summary>
    public required string Port { get; init; }

    /// <summary>Bits per second, 50 to 4 000 000.</summary>
    public required int Baud { get; init; }

    public required SerialParity Parity { get; init; }

    /// <summary>1 or 2.</summary>
    public required int StopBits { get; init; }

    /// <summary>8, or 7 in ASCII mode.</summary>
    public int DataBits { get; init; } = 8;

    /// <summary>Least silence between frames; null for what the standard asks for at this rate.</summary>
    public TimeSpan? Silence { get; init; }

    /// <summary>How long all devices are left alone after a broadcast.</summary>
    public TimeSpan Turnaround { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Direction switched by the kernel; null when the adapter does it.</summary>
    public Rs485Model? Rs485 { get; init; }

    /// <summary>Whether the driver is asked to hand over bytes at once.</summary>
    public bool LowLatency { get; init; } = true;

    /// <summary>Bits that one character takes on the wire, start bit included.</summary>
    public int BitsPerCharacter => 1 + DataBits + (Parity == SerialParity.None ? 0 : 1) + StopBits;
}

/// <summary>Modbus RTU on a serial port.</summary>
public sealed record ModbusRtuBus : SerialBus;

/// <summary>Modbus ASCII on a serial port.</summary>
public sealed record ModbusAsciiBus : SerialBus;

/// <summary>A meter on a DL/T 645 bus.</summary>
/// <param name="Unit">The unit of the device that shows it, 1 to 247.</param>
/// <param name="Address">Its address of twelve digits, as on the name plate.</param>
public sealed record MeterPlace(byte Unit, string Address);

/// <summary>A line of DL/T 645 meters, wherever it is.</summary>
public interface IMeterBus
{
    /// <summary>The meters in the order of the file; units and addresses appear once.</summary>
    IReadOnlyList<MeterPlace> Meters { get; }

    /// <summary>FE bytes before each question, 0 to 4.</summary>
    int WakeUp { get; }

    /// <summary>Whether all answers that deviate from the standard are refused; otherwise only those that do not end with 16. All are counted.</summary>
    bool IsStrict { get; }

    /// <summary>Whether also answers that do not end with 16 are taken where their check sum is right; never together with <see cref="IsStrict"/>.</summary>
    bool IsLenient { get; }
}

/// <summary>DL/T 645-2007 on a serial port.</summary>
public sealed record Dlt645Bus : SerialBus, IMeterBus
{
    /// <inheritdoc/>
    public required IReadOnlyList<MeterPlace> Meters { get; init; }

    /// <inheritdoc/>
    public int WakeUp { get; init; } = 4;

    /// <inheritdoc/>
    public bool IsStrict { get; init; }

    /// <inheritdoc/>
    public bool IsLenient { get; init; }
}

/// <summary>DL/T 645-2007 behind a device server.</summary>
public sealed record Dlt645OverTcpBus : DeviceServerBus, IMeterBus
{
    /// <inheritdoc/>
    public required IReadOnlyList<MeterPlace> Meters { get; init; }

    /// <inheritdoc/>
    public int WakeUp { get; init; } = 4;

    /// <inheritdoc/>
    public bool IsStrict { get; init; }

    /// <inheritdoc/>
    public bool IsLenient { get; init; }
}

/// <summary>A data logger on an HJ 212 bus.</summary>
/// <param name="Unit">The unit of the device that shows it, 1 to 247.</param>
/// <param name="Number">Its MN, as it sends it.</param>
public sealed record LoggerPlace(byte Unit, string Number);

/// <summary>Where HJ 212 data loggers send by themselves, wherever it is.</summary>
public interface ILoggerBus
{
    /// <summary>The loggers in the order of the file; units and numbers appear once.</summary>
    IReadOnlyList<LoggerPlace> Loggers { get; }

    /// <summary>Whether packets that deviate from the standard are refused; otherwise they are taken and counted.</summary>
    bool IsStrict { get; }

    /// <summary>After this long without a new one a value is none any more.</summary>
    TimeSpan MaxAge { get; }

    /// <summary>How far DataTime may lie before or behind the gateway's clock, or before the sender's own: beyond it a value is doubted, or not of the present.</summary>
    TimeSpan MaxLag { get; }

    /// <summary>Zone of all times in packets.</summary>
    TimeZoneInfo TimeZone { get; }
}

/// <summary>HJ 212-2017 from a data logger on a serial port.</summary>
public sealed record Hj212Bus : SerialBus, ILoggerBus
{
    /// <inheritdoc/>
    public required IReadOnlyList<LoggerPlace> Loggers { get; init; }

    /// <inheritdoc/>
    public bool IsStrict { get; init; }

    /// <inheritdoc/>
    public required TimeSpan MaxAge { get; init; }

    /// <inheritdoc/>
    public TimeSpan MaxLag { get; init; } = TimeSpan.FromMinutes(5);

    /// <inheritdoc/>
    public TimeZoneInfo TimeZone { get; init; } = TimeZoneInfo.Utc;
}

/// <summary>HJ 212-2017 from data loggers over TCP.</summary>
public sealed record Hj212OverTcpBus : NetworkBus, ILoggerBus
{
    /// <inheritdoc/>
    public required IReadOnlyList<LoggerPlace> Loggers { get; init; }

    /// <inheritdoc/>
    public bool IsStrict { get; init; }

    /// <inheritdoc/>
    public required TimeSpan MaxAge { get; init; }

    /// <inheritdoc/>
    public TimeSpan MaxLag { get; init; } = TimeSpan.FromMinutes(5);

    /// <inheritdoc/>
    public TimeZoneInfo TimeZone { get; init; } = TimeZoneInfo.Utc;

    /// <summary>Whether loggers connect to this computer, host and port being where; otherwise it connects to the logger.</summary>
    public bool IsListening { get; init; }

    /// <summary>Where it listens: a connection on which no packet came for so long is closed.</summary>
    public TimeSpan IdleLimit { get; init; } = TimeSpan.FromMinutes(61);
}

/// <summary>How the kernel switches the direction of an RS-485 line by RTS.</summary>
/// <param name="RtsHighOnSend">Whether RTS is high while sending.</param>
/// <param name="RtsHighAfterSend">Whether RTS is high while not sending.</param>
/// <param name="DelayBefore">Between switching to sending and the first bit; whole milliseconds.</param>
/// <param name="DelayAfter">Between the last bit and switching back; whole milliseconds.</param>
/// <param name="ReceiveDuringSend">Whether the own bytes are heard while sending.</param>
/// <param name="Terminate">Whether the driver switches on its termination resistor.</param>
public sealed record Rs485Model(bool RtsHighOnSend, bool RtsHighAfterSend, TimeSpan DelayBefore, TimeSpan DelayAfter, bool ReceiveDuringSend, bool Terminate);

public enum SerialParity : byte
{
    None,
    Even,
    Odd,
}

/// <summary>A device at the site: a profile, a place on a bus, and its site settings.</summary>
public sealed record DeviceModel
{
    /// <summary>Place in <see cref="SiteModel.Devices"/>.</summary>
    public required int Index { get; init; }

    public required string Id { get; init; }

    public required string Name { get; init; }

    public required string BusId { get; init; }

    /// <summary>Modbus unit id, 0 to 247 on a line, 0 to 255 over TCP.</summary>
    public required byte Unit { get; init; }

    public required DeviceProfile Profile { get; init; }

    public required TimeSpan Timeout { get; init; }

    /// <summary>Current transformer ratio (primary / secondary); 1 when connected directly or when the meter already applies it.</summary>
    public required decimal CtRatio { get; init; }

    /// <summary>Voltage transformer ratio (primary / secondary).</summary>
    public required decimal PtRatio { get; init; }

    /// <summary>Pulses for one unit of a pulse meter's total; null for other devices.</summary>
    public decimal? PulsesPerUnit { get; init; }

    /// <summary>Area of the site for reports, or null.</summary>
    public string? Area { get; init; }

    /// <summary>Place in the metering tree; null for devices that meter no energy.</summary>
    public MeteringModel? Metering { get; init; }

    /// <summary>Carbon accounts that the site declares, beside those of the profile's registers.</summary>
    public IReadOnlyList<CarbonModel> Carbon { get; init; } = [];

    /// <summary>The stack that the device's analysers watch; null for devices that watch none.</summary>
    public CemsModel? Cems { get; init; }

    /// <summary>False alarms a day that are acceptable of the detector for any gauge, of all points of the device together; above 0.</summary>
    public double FalseAlarmsPerDay { get; init; } = Detection.Novelty.NoveltyRule.FalseAlarmsPerDay;

    /// <summary>Rated power in watts; bounds the energy of an interval. Null when not declared.</summary>
    public double? RatedPowerWatts { get; init; }

    /// <summary>Grid region when it differs from the site's.</summary>
    public required string Region { get; init; }

    /// <summary>Indexes of this device's points in <see cref="SiteModel.Points"/>.</summary>
    public required IReadOnlyList<int> Points { get; init; }

    /// <summary>Points that the profile declares writable, allowed at this site or not; also those that are never read.</summary>
    public IReadOnlyList<WritablePoint> Writables { get; init; } = [];
}

/// <summary>What a meter's energy means for the site.</summary>
public enum MeterRole : byte
{
    /// <summary>Energy from the public grid into the site.</summary>
    Incomer,

    /// <summary>A consumer or feeder behind another meter.</summary>
    Submeter,

    /// <summary>Own generation; its energy carries no purchased-electricity emission.</summary>
    Generator,

    /// <summary>A tie: energy passed from the meter that is its parent to another meter of the tree.</summary>
    Transfer,
}

/// <summary>A meter's place in the metering tree.</summary>
/// <param name="Role">What its energy means.</param>
/// <param name="Parent">Device id of the meter in front of it, or null for a root.</param>
/// <param name="CountsTowardSite">Whether its energy is added to the site's total; in a correct tree only roots count.</param>
/// <param name="Reversed">True when the meter is wired so that import registers hold export.</param>
public sealed record MeteringModel(MeterRole Role, string? Parent, bool CountsTowardSite, bool Reversed)
{
    /// <summary>Device id of the meter behind which the energy of a transfer arrives; null for all other roles.</summary>
    public string? To { get; init; }
}

/// <summary>What kind of quantity a point is.</summary>
public enum PointKind : byte
{
    /// <summary>A momentary value.</summary>
    Gauge,

    /// <summary>A total that grows; may roll over, be reset or swapped.</summary>
    Counter,

    /// <summary>An enumerated or boolean condition.</summary>
    State,

    /// <summary>Characters: a serial number, a version, a name. Read once; there is no number, and no sample.</summary>
    Text,
}

/// <summary>One quantity of one device at the site.</summary>
public sealed record PointModel
{
    /// <summary>Place in <see cref="SiteModel.Points"/>.</summary>
    public required int Index { get; init; }

    /// <summary>Place of its device in <see cref="SiteModel.Devices"/>.</summary>
    public required int DeviceIndex { get; init; }

    /// <summary>Identifier within the device, for instance <c>active_power_total</c>.</summary>
    public required string Id { get; init; }

    public required PointKind Kind { get; init; }

    /// <summary>Semantic role in dotted form, from the published list.</summary>
    public required string Role { get; init; }

    /// <summary>UCUM code from the closed table, after CT and PT ratios.</summary>
    public required string Unit { get; init; }

    /// <summary>How it is read. CT and PT ratios are already multiplied into the scale where the profile says that they apply.</summary>
    public required RegisterEncoding Encoding { get; init; }

    /// <summary>Time between two polls, aligned to the clock; <see cref="TimeSpan.Zero"/> means once at start.</summary>
    public required TimeSpan Period { get; init; }

    /// <summary>True when each sample is published, not only summaries.</summary>
    public bool PublishSamples { get; init; }

    /// <summary>True when the site declares its records compliance (a CEMS, a custody meter): they are never thinned and go last (requirement E-2).</summary>
    public bool Compliance { get; init; }

    /// <summary>Values outside are not believed (uncertain, out of range), in the point's unit.</summary>
    public double? PlausibleMin { get; init; }

    public double? PlausibleMax { get; init; }

    /// <summary>Whether a value is within the plausible range, as far as there is one.</summary>
    public bool IsPlausible(double value) => !(value < PlausibleMin) && !(value > PlausibleMax);

    /// <summary>Largest believable change in units per second, or null.</summary>
    public double? MaxRatePerSecond { get; init; }

    /// <summary>Set for counters.</summary>
    public CounterModel? Counter { get; init; }

    /// <summary>Detectors that watch the point.</summary>
    public IReadOnlyList<DetectorModel> Detectors { get; init; } = [];

    /// <summary>Priority of its alarms when a finding has the severity alarm; a warning is one below.</summary>
    public AlarmPriority AlarmPriority { get; init; } = AlarmPriority.High;

    /// <summary>How the point enters the carbon account, or null.</summary>
    public CarbonModel? Carbon { get; init; }

    /// <summary>Symbols of a state by raw value.</summary>
    public IReadOnlyDictionary<long, string>? Symbols { get; init; }

    /// <summary>Names of the bits of a status word, by bit number.</summary>
    public IReadOnlyDictionary<int, string>? Flags { get; init; }
}

/// <summary>What is known about a counter.</summary>
/// <param name="RolloverAt">First value that is never shown, in the point's unit: the reading after <c>RolloverAt - one step</c> is 0. Null: never rolls over.</param>
/// <param name="Resettable">Whether the device lets people set it to zero.</param>
/// <param name="MaxRatePerSecond">Largest believable growth in units per second, from the rated power where declared; null: unknown.</param>
public sealed record CounterModel(decimal? RolloverAt, bool Resettable, decimal? MaxRatePerSecond);

/// <summary>A detector and its numbers, by the name in the detector table.</summary>
/// <param name="Name">Name in the table of detectors: <c>stuck</c>, <c>spike</c>, <c>limit</c>, <c>slip</c>, <c>novelty</c>.</param>
/// <param name="Settings">Numbers by key; durations in seconds.</param>
public sealed record DetectorModel(string Name, IReadOnlyDictionary<string, double> Settings)
{
    /// <summary>Other points that the detector reads, by key: <c>device.point</c>, or <c>point</c> of the same device.</summary>
    public IReadOnlyDictionary<string, string> Points { get; init; } = FrozenDictionary<string, string>.Empty;

    /// <summary>What is found, in words, where the profile says so; null when the detector has words of its own.</summary>
    public string? Title { get; init; }
}

/// <summary>How a point or a device enters the carbon account; never an emission factor (factors are dated data), but for what a site has measured itself.</summary>
/// <param name="Method">Name in the table of emission methods: <c>electricity-purchased</c>, <c>fuel-combustion</c>.</param>
/// <param name="Scope">GHG Protocol scope 1 or 2; 0 for none.</param>
public sealed record CarbonModel(string Method, int Scope)
{
    /// <summary>Points that the site names, by what they give: <c>activity</c>, or <c>flow</c>, <c>methane</c>, <c>temperature</c>, <c>pressure</c>, <c>density</c>, <c>flared</c>, <c>used</c>; <c>device.point</c>, or <c>point</c> of the same device.</summary>
    public IReadOnlyDictionary<string, string> Points { get; init; } = FrozenDictionary<string, string>.Empty;

    /// <summary>Fuel in the factor set, or null.</summary>
    public string? Fuel { get; init; }

    /// <summary>Temperature in Celsius to which the meter's volume of a gas is referred, at 101325 Pa; null when there is none.</summary>
    public decimal? VolumeCelsius { get; init; }

    /// <summary>Carbon of the fuel as the site has measured it; it goes before any default.</summary>
    public MeasuredCarbonModel? Measured { get; init; }

    /// <summary>The compartment whose gas is watched, or null.</summary>
    public CompartmentModel? Compartment { get; init; }

    /// <summary>CO2 in what is metered, percent by mass.</summary>
    public decimal PurityPercent { get; init; } = 100;

    /// <summary>Which of several factors of the method, or null.</summary>
    public string? Factor { get; init; }

    /// <summary>GWP set, for gases other than CO2.</summary>
    public string? GwpSet { get; init; }

    /// <summary>The gas as GWP sets name it, where it is not CO2.</summary>
    public string? Gas { get; init; }

    /// <summary>Half width at 95 % of the activity, percent; NaN when not known.</summary>
    public double ActivityPercent { get; init; } = double.NaN;

    /// <summary>Half width at 95 % of the factors, percent, where the factor set states none; NaN when not known.</summary>
    public double FactorPercent { get; init; } = double.NaN;

    /// <summary>Share of the fuel's carbon that is from biomass, percent; null when the site states none.</summary>
    public decimal? BiogenicPercent { get; init; }

    /// <summary>Whether the entries are in the site's totals, which are made for each scope and method apart.</summary>
    public bool CountsTowardSite { get; init; } = true;

    /// <summary>What becomes of drained methane, or null.</summary>
    public DestructionModel? Destruction { get; init; }

    /// <summary>Contractual instruments of a market-based account, best quality first; null for other methods.</summary>
    public IReadOnlyList<InstrumentModel>? Instruments { get; init; }

    /// <summary>A yearly mass balance, or null.</summary>
    public BalanceModel? Balance { get; init; }

    /// <summary>A factor that follows a stack, beside the official one; null when there is none.</summary>
    public AdaptModel? Adapt { get; init; }
}

/// <summary>What share of the methane sent there burns; the rest is methane.</summary>
/// <param name="FlarePercent">Of the flare, 0 to 100.</param>
/// <param name="UsePercent">Of engines and boilers, 0 to 100.</param>
public sealed record DestructionModel(decimal FlarePercent, decimal UsePercent);

/// <summary>A contractual instrument: a certificate, a supply contract, green power (GHG Protocol scope 2 guidance, chapter 7).</summary>
/// <param name="Name">Its name, for entries: unique in its account.</param>
/// <param name="KWh">Energy it stands for, kWh.</param>
/// <param name="KgPerKWh">Its factor, kg CO2 per kWh.</param>
/// <param name="UncertaintyPercent">Half width at 95 % of the factor, percent.</param>
/// <param name="From">First instant for which it may be used.</param>
/// <param name="To">End of that time, exclusive.</param>
public sealed record InstrumentModel(string Name, decimal KWh, decimal KgPerKWh, double UncertaintyPercent, Instant From, Instant To);

/// <summary>The inventory of a gas over a year, kg (form of 40 CFR part 98 subpart DD).</summary>
/// <param name="From">First instant of the year, by the time of the site.</param>
/// <param name="To">End of the year, exclusive.</param>
/// <param name="Begin">In store at the beginning, not in equipment.</param>
/// <param name="End">In store at the end.</param>
/// <param name="Acquired">Bought, or received back.</param>
/// <param name="Disbursed">Sold, returned or sent away.</param>
/// <param name="CapacityGrowth">Net growth of the nameplate capacity of the equipment; below zero when more was retired than installed.</param>
public sealed record BalanceModel(Instant From, Instant To, decimal Begin, decimal End, decimal Acquired, decimal Disbursed, decimal CapacityGrowth);

/// <summary>How a factor follows what a stack shows.</summary>
/// <param name="Mass">Counter of the CO2 that is measured in the stack: <c>device.point</c>, or <c>point</c> of the same device.</param>
/// <param name="MassPercent">Half width at 95 % of an hour's mass, percent.</param>
/// <param name="SystematicPercent">The part of it that hours do not average out, percent.</param>
/// <param name="DriftPercentPerDay">How far the factor may wander in a day, percent, one standard deviation.</param>
/// <param name="PriorPercent">Half width at 95 % of the official factor at the beginning, percent.</param>
/// <param name="Least">Smallest factor the fuel can have, kg CO2 for one unit of the activity.</param>
/// <param name="Most">Largest factor the fuel can have.</param>
public sealed record AdaptModel(string Mass, double MassPercent, double SystematicPercent, double DriftPercentPerDay, double PriorPercent, double Least, double Most);

/// <summary>A compartment filled with gas.</summary>
/// <param name="CubicMetres">Its volume.</param>
/// <param name="AtmospherePascal">What is added to the pressure gauge: the site's atmospheric pressure, or 0 when the gauge shows absolute pressure.</param>
/// <param name="HourUtc">The hour of the day in which it is read, 0 to 23.</param>
public sealed record CompartmentModel(decimal CubicMetres, decimal AtmospherePascal, int HourUtc);

/// <summary>Carbon in a fuel by analysis.</summary>
/// <param name="CarbonPercent">Percent by mass, as received.</param>
/// <param name="OxidationPercent">Share that burns.</param>
/// <param name="UncertaintyPercent">Half width at 95 %, percent; NaN when not known.</param>
/// <param name="Source">The analysis, for the entry's factor id.</param>
public sealed record MeasuredCarbonModel(decimal CarbonPercent, decimal OxidationPercent, double UncertaintyPercent, string Source);

/// <summary>A way to a central platform.</summary>
public abstract record UplinkModel
{
    public required string Id { get; init; }
}

/// <summary>HJ 212-2017 over TCP, to a platform of an environmental authority.</summary>
public sealed record Hj212UplinkModel : UplinkModel
{
    /// <summary>Host of the platform.</summary>
    public required string Host { get; init; }

    /// <summary>Its TCP port.</summary>
    public required int Port { get; init; }

    /// <summary>MN: the number under which the platform knows this site.</summary>
    public required string DeviceNumber { get; init; }

    /// <summary>File that holds the password (PW) of six characters.</summary>
    public required string PasswordFile { get; init; }

    /// <summary>ST: the system code, 31 for a source of air pollution.</summary>
    public required string System { get; init; }

    /// <summary>What is sent, by factor.</summary>
    public required IReadOnlyList<Hj212FactorModel> Factors { get; init; }

    /// <summary>Zone of all times in packets.</summary>
    public required TimeZoneInfo TimeZone { get; init; }

    /// <summary>Width of the windows that leave as minute data (2051); null when none do.</summary>
    public TimeSpan? Minute { get; init; }

    /// <summary>Least time between two real-time values of a factor (RtdInterval); null sends none.</summary>
    public TimeSpan? RealTime { get; init; }

    /// <summary>How long the platform may take to answer (OverTime).</summary>
    public TimeSpan AnswerTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How often a packet is sent at most before the connection is made anew (ReCount).</summary>
    public int Sendings { get; init; } = 3;

    /// <summary>First wait before a reconnect, a quarter more or less; doubled with each failure.</summary>
    public TimeSpan ReconnectMin { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Longest wait before a reconnect.</summary>
    public TimeSpan ReconnectMax { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Commands (CN) of the platform that are carried out; every other one is refused.</summary>
    public IReadOnlyList<string> Commands { get; init; } = [];
}

/// <summary>A factor and the points that give it.</summary>
/// <param name="Code">Its code: <c>a05001</c>.</param>
/// <param name="Point">Index of the point of its value, in <see cref="SiteModel.Points"/>.</param>
/// <param name="Corrected">Index of the point of its value at reference oxygen (<c>Zs</c>), or null.</param>
/// <param name="Mass">Index of the counter of its mass (<c>Cou</c>), or null.</param>
/// <param name="Gas">The gas of the stack whose hours leave as hour data, as its records name it; null: windows of the points do.</param>
public sealed record Hj212FactorModel(string Code, int Point, int? Corrected, int? Mass, string? Gas = null)
{
    /// <summary>What hour data may be made of; the first is the default.</summary>
    internal static readonly string[] HourWords = ["window", "stack"];
}

/// <summary>Versioned JSON over MQTT.</summary>
public sealed record MqttUplinkModel : UplinkModel
{
    /// <summary>Servers in order of preference: <c>mqtt://host:port</c>, <c>mqtts://host:port</c>, or over WebSocket <c>ws://</c> and <c>wss://host:port/path</c>.</summary>
    public required IReadOnlyList<string> Servers { get; init; }

    /// <summary>The address of a server as it is written; null when the text is none.</summary>
    public static Uri? ServerOf(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "mqtt" or "mqtts" or "ws" or "wss" && uri!.Host.Length > 0 && (uri.Scheme is "ws" or "wss" || uri.PathAndQuery is "" or "/")
            ? uri
            : null;

    /// <summary>Hosts that a server may send the gateway to, as <c>host</c> or <c>host:port</c> (requirement M-8).</summary>
    public IReadOnlyList<string> FollowServers { get; init; } = [];

    /// <summary>On a server that is not the first: time until those before it are tried again; zero never (requirement M-12).</summary>
    public TimeSpan ReturnToPreferredAfter { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary><c>3.1.1</c> or <c>5</c>.</summary>
    public required string Version { get; init; }

    public required string ClientId { get; init; }

    public string? Username { get; init; }

    /// <summary>File that holds the password; secrets do not stand in <c>gateway.yaml</c>.</summary>
    public string? PasswordFile { get; init; }

    public string? CaFile { get; init; }

    public string? CertificateFile { get; init; }

    public string? KeyFile { get; init; }

    public required TimeSpan KeepAlive { get; init; }

    /// <summary>Longest wait before a reconnect, unless the site says so.</summary>
    public static readonly TimeSpan DefaultReconnectMax = TimeSpan.FromMinutes(1);

    /// <summary>Longest wait before a reconnect (requirement M-7).</summary>
    public TimeSpan ReconnectMax { get; init; } = DefaultReconnectMax;

    /// <summary>True: rows leave with QoS 2. False: with QoS 1.</summary>
    public bool IsExactlyOnce { get; init; }

    /// <summary>The shape of the messages.</summary>
    public FeedFormat Format { get; init; }

    /// <summary>Root of the topic tree; the default is <c>edgegateway/v1</c>.</summary>
    public required string TopicRoot { get; init; }

    /// <summary>Plain MQTT beyond loopback must be allowed on purpose.</summary>
    public bool AllowPlaintext { get; init; }

    /// <summary>False: live records first, history beside them. True: strictly oldest first.</summary>
    public bool InOrder { get; init; }

    /// <summary>Pace of history beside live records in bytes per second; null: 20 times the live rate, between 64,000 and 256,000.</summary>
    public long? BackfillBytesPerSecond { get; init; }

    /// <summary>True: history leaves as fast as the link takes it; <see cref="BackfillBytesPerSecond"/> is null.</summary>
    public bool IsBackfillUnpaced { get; init; }

    /// <summary>What the site says its centre can unpack.</summary>
    public FeedCompression Compression { get; init; }
}
