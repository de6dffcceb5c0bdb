using EdgeGateway.Core;
using EdgeGateway.Core.Alarms;
using EdgeGateway.Core.Cems;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;

namespace EdgeGateway.Tests.Shared;

/// <summary>A small mine with every kind of point, and one record of every kind.</summary>
internal static class ExampleFeed
{
    public const int Power = 0;
    public const int Energy = 1;
    public const int Breaker = 2;
    public const int BeltFlow = 3;

    public static readonly Instant Noon = Instant.Parse("2026-03-01T12:00:00Z");

    public static SiteModel Site { get; } = new()
    {
        SiteId = "mine-7",
        SiteName = "矿山 7",
        GatewayId = "gw-1",
        TimeZone = TimeZoneInfo.Utc,
        Region = "CN-SX",
        Windows = [TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(15)],
        Buses = [],
        Devices =
        [
            Device(0, "incomer", Meter, [Power, Energy, Breaker]) with
            {
                Area = "Substation A",
                CtRatio = 80m,
                PtRatio = 1m,
                RatedPowerWatts = 630e3,
                Metering = new MeteringModel(MeterRole.Incomer, null, CountsTowardSite: true, Reversed: false),
            },
            Device(1, "belt-2", Scale, [BeltFlow]),
        ],
        Points =
        [
            Point(Power, 0, "active_power_total", PointKind.Gauge, "electricity.power.active.total", "W") with
            {
                PlausibleMin = 0,
                PlausibleMax = 700e3,
                Detectors = [new DetectorModel("stuck", new Dictionary<string, double> { ["seconds"] = 600 })],
            },
            Point(Energy, 0, "active_energy_import", PointKind.Counter, "electricity.energy.active.import.total", "kWh") with
            {
                Counter = new CounterModel(99_999_999.99m, Resettable: false, 0.175m),
                Carbon = new CarbonModel("electricity-purchased", 2),
            },
            Point(Breaker, 0, "breaker", PointKind.State, "electricity.breaker.state", "1") with
            {
                Symbols = new Dictionary<long, string> { [1] = "closed", [0] = "open" },
                PublishSamples = true,
            },
            Point(BeltFlow, 1, "flow", PointKind.Gauge, "material.flow.mass", "t/h") with { PublishSamples = true },
        ],
        Uplinks = [],
        Storage = new StorageModel
        {
            Directory = "data",
            BudgetBytes = 64 << 20,
            SampleLogBytes = 32 << 20,
            CommitWindow = TimeSpan.FromSeconds(1),
            CheckpointInterval = TimeSpan.FromMinutes(1),
        },
        ConfigurationHash = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    };

    public static SummaryRecord GaugeSummary => new()
    {
        Point = Power,
        Start = Noon,
        Width = TimeSpan.FromMinutes(1),
        Era = 0,
        Count = 59,
        Missing = 1,
        Uncertain = 2,
        Min = 401_250.5,
        Max = 412_000,
        Mean = 405_123.0625,
        Last = 404_999.9,
        Integral = 23_902_260.6875,
        Coverage = 0.9833333333333333,
    };

    public static SummaryRecord EmptyGaugeSummary => GaugeSummary with
    {
        Count = 0,
        Missing = 60,
        Uncertain = 0,
        Min = double.NaN,
        Max = double.NaN,
        Mean = double.NaN,
        Last = double.NaN,
        Integral = 0,
        Coverage = 0,
        Cut = WindowCut.ClockStep,
    };

    public static SummaryRecord CounterSummary => GaugeSummary with
    {
        Point = Energy,
        Width = TimeSpan.FromMinutes(15),
        Min = 1_234_567.25,
        Max = 1_234_668.5,
        Mean = 1_234_617.875,
        Last = 1_234_668.5,
        Integral = 0,
        Delta = 101.25m,
        StartReading = 1_234_567.25m,
        EndReading = 1_234_668.50m,
        Coverage = 1,
    };

    public static EmissionRecord DeviceEmission => new()
    {
        Device = 0,
        Account = EmissionAccount.Device,
        Start = Noon,
        Width = TimeSpan.FromMinutes(15),
        Era = 0,
        Method = "electricity-purchased",
        Scope = 2,
        ActivityKWh = 101.25m,
        Milligrams = 57_742_875,
        FactorId = "cn-grid-2023@1",
        FactorKgPerKWh = 0.5703m,
        UncertaintyPercent = 5.1,
        Coverage = 1,
        StartReading = 1_234_567.25m,
        EndReading = 1_234_668.50m,
        StartRaw = 123_456_725,
        EndRaw = 123_466_850,
        CountsTowardSite = true,
        Allocated = false,
    };

    public static CemsHourRecord CemsHour => new()
    {
        Device = 0,
        Start = Noon,
        Width = TimeSpan.FromHours(1),
        Era = 0,
        Cut = WindowCut.None,
        Rules = CemsRules.Part75,
        Revision = 2,
        IsFinal = true,
        OperatingTime = 0.75m,
        OxygenPercent = 6.2m,
        Quantities =
        [
            new()
            {
                Name = "co2", Unit = "%{vol}", Value = 13.0m, IsValid = false, Flag = CemsFlag.Lost, Points = 4, Coverage = 0.25, Calibration = CalibrationStatus.InControl, AvailabilityPercent = 96.2m,
                Rule = "P90", Modc = "08", Lookback = 720, MissingHours = 30, Kilograms = 21_319.84139m,
            },
            new() { Name = "flow", Unit = "[ft3_i]/h", Value = 4_123_000m, IsValid = true, Flag = CemsFlag.Normal, Points = 60, Coverage = 1, AvailabilityPercent = 99.1m, Modc = "01" },
            new() { Name = "so2", Unit = "mg/m3", Value = 31.25m, IsValid = true, Flag = CemsFlag.Normal, Points = 60, Coverage = 1, AvailabilityPercent = 99.1m, Corrected = 33.1m, Note = "an example" },
        ],
    };

    public static CemsCalibrationRecord CemsCalibration => new()
    {
        Device = 0, Gas = "co2", Time = Noon, Level = "span", Reference = 18m, Measured = 17.6m, Error = 0.4m, Result = TestResult.Passed,
        Drift = DriftVerdict.Warn, CusumUpper = 0, CusumLower = 0.25m, Who = "maria (uid 1000)",
    };

    public static EmissionRecord FuelEmission => DeviceEmission with
    {
        Method = "fuel-combustion",
        Scope = 1,
        ActivityKWh = 0,
        Milligrams = 204_990_000,
        FactorId = "cn-guideline/fuel.cn-natural-gas",
        FactorKgPerKWh = 0,
        UncertaintyPercent = double.NaN,
        CountsTowardSite = false,
        Detail = new(101.25m, "m3", 2.0246m, "CO2", null, null),
    };

    public static EmissionRecord StackEmission => FuelEmission with
    {
        Method = "cems-part75",
        Width = TimeSpan.FromHours(1),
        FactorId = "none",
        FactorNote = "substituted; the CEMS hour names the rules",
        Coverage = 0,
        Detail = new(21_319.84139m, "kg", 1, "CO2", null, null)
        {
            Stack = new(0.75m, [new("co2", false, CemsFlag.Lost, "P90", 96.2m, 21_319.84139m), new("flow", true, CemsFlag.Normal, null, 99.1m, null)]),
        },
    };

    public static EmissionRecord RemovalEmission => FuelEmission with
    {
        Method = "co2-injected",
        Scope = 0,
        Milligrams = 0,
        FactorId = "mass",
        UncertaintyPercent = 1.5,
        Detail = new(0.10125m, "t", 980, "CO2", null, 99_225_000),
    };

    public static EmissionRecord MethaneEmission => FuelEmission with
    {
        Method = "mine-methane",
        Milligrams = 2_021_557_500,
        FactorId = "ipcc-2006/methane.density",
        StartReading = null,
        EndReading = null,
        StartRaw = null,
        EndRaw = null,
        Detail = new(101.25m, "m3", 19.966m, "CH4_fossil", "AR6", null),
    };

    public static EmissionRecord SubstitutedEmission => DeviceEmission with
    {
        FactorId = "cn-mee-2022/CN-GRID-SOUTHWEST",
        FactorNote = "CN-GRID-SOUTHWEST for CN-XZ; year 2022 for 2026",
    };

    public static EmissionRecord SiteEmission => DeviceEmission with
    {
        Device = -1,
        Account = EmissionAccount.Site,
        StartReading = null,
        EndReading = null,
        StartRaw = null,
        EndRaw = null,
    };

    public static AnomalyRecord Anomaly => new()
    {
        Point = Power,
        Detector = "limit",
        Raised = true,
        Since = Noon,
        Time = Noon + TimeSpan.FromSeconds(30),
        Severity = Severity.Warning,
        Value = 655_000,
        Limit = 630_000,
        Text = "incomer active_power_total is 655 kW, above its limit of 630 kW, since 12:00:00",
    };

    public static AlarmRecord Shelved => new(
        new AlarmEntry
        {
            Condition = new AlarmCondition
            {
                Id = "incomer.active_power_total.limit",
                Rule = "limit",
                Priority = AlarmPriority.Medium,
                Since = Noon,
                Bus = "line-1",
                Device = "incomer",
                DeviceName = "Incomer 矿 1",
                Point = "active_power_total",
                Unit = "W",
                Value = 655_000,
                Limit = 630_000,
                ValueText = "655000 W",
                LimitText = "630000 W",
                Text = Anomaly.Text,
            },
            IsStanding = true,
            IsAcknowledged = false,
            ShelvedUntil = Noon + TimeSpan.FromHours(8),
            Raised = Noon + TimeSpan.FromSeconds(30),
            Count = 2,
            Who = "maria (uid 1000)",
            Reason = "test of the new crusher",
        },
        AlarmChange.Shelved,
        Noon + TimeSpan.FromMinutes(3));

    public static DeviceStateRecord Offline => new()
    {
        Device = 1,
        Online = false,
        Time = Noon,
        Reason = QualityReason.DeviceException,
        Detail = 11,
    };

    public static HealthRecord ClockStep => new()
    {
        Time = Noon,
        Kind = HealthKind.ClockStep,
        Text = "The clock was set back by 3600 s; windows from now on carry era 1.",
        Fields = [new HealthField("stepSeconds", -3600), new HealthField("source", "ntp")],
    };

    public static RangeRecord Evicted => new()
    {
        Time = Noon,
        Stream = FeedStream.Sample,
        Epoch = 1,
        First = 1_001,
        Last = 2_000,
        State = RangeState.Evicted,
        Reason = "the store reached its budget of 64 MiB",
        From = Noon - TimeSpan.FromHours(2),
        To = Noon - TimeSpan.FromHours(1),
    };

    public static Sample GoodSample => new(BeltFlow, Noon, 1_250.5, 0x449C5000, Quality.Good);

    public static Sample StateSample => new(Breaker, Noon, 1, 1, Quality.Good);

    public static Sample DoubtfulSample => GoodSample with { Value = 9_000.25, Quality = Quality.Uncertain(QualityReason.OutOfRange) };

    public static Sample MissingSample => Sample.Missing(BeltFlow, Noon, QualityReason.DeviceException, 2);

    /// <summary>The same site; the belt scale also has a serial number and a status word.</summary>
    public static SiteModel SiteWithTexts => Site with
    {
        Points =
        [
            .. Site.Points,
            Point(Site.Points.Count, 1, "serial_number", PointKind.Text, "device.serial_number", "1") with { Period = TimeSpan.Zero },
            Point(Site.Points.Count + 1, 1, "status", PointKind.State, "device.status", "1") with { Flags = new Dictionary<int, string> { [3] = "belt slips", [0] = "running" } },
        ],
        Devices = [Site.Devices[0], Site.Devices[1] with { Points = [.. Site.Devices[1].Points, Site.Points.Count, Site.Points.Count + 1] }, .. Site.Devices.Skip(2)],
    };

    public static FeedEncoder Encoder(long epoch = 1) => new(Site, FeedHeads.Start(epoch), "1.0");

    private static DeviceProfile Meter => Profile("acme-pm5", "energy-meter", "Acme", ["PM5110", "PM5111"]);

    private static DeviceProfile Scale => Profile("weigh-b2", "belt-scale", "Weigh", ["B2"]);

    private static DeviceProfile Profile(string id, string kind, string vendor, IReadOnlyList<string> models) => new()
    {
        Id = id,
        Kind = kind,
        Vendor = vendor,
        Models = models,
        Revision = 3,
        TitleEnglish = id,
        MaxRegistersPerRead = 125,
        MayReadGaps = true,
        MinGap = TimeSpan.Zero,
        Points = [],
    };

    private static DeviceModel Device(int index, string id, DeviceProfile profile, IReadOnlyList<int> points) => new()
    {
        Index = index,
        Id = id,
        Name = $"{id} (example)",
        BusId = "tcp-1",
        Unit = (byte)(index + 1),
        Profile = profile,
        Timeout = TimeSpan.FromSeconds(1),
        CtRatio = 1,
        PtRatio = 1,
        Region = "CN-SX",
        Points = points,
    };

    private static PointModel Point(int index, int device, string id, PointKind kind, string role, string unit) => new()
    {
        Index = index,
        DeviceIndex = device,
        Id = id,
        Kind = kind,
        Role = role,
        Unit = unit,
        Encoding = new RegisterEncoding { Table = RegisterTable.HoldingRegister, Address = (ushort)index, Type = RegisterType.Float32 },
        Period = TimeSpan.FromSeconds(1),
    };
}
