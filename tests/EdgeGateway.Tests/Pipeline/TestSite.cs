using EdgeGateway.Core;
using EdgeGateway.Core.Accounting;
using EdgeGateway.Core.Alarms;
using EdgeGateway.Core.Cems;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using EdgeGateway.Core.State;

namespace EdgeGateway.Tests.LocalPath;

/// <summary>Builds small sites by hand.</summary>
internal sealed class TestSite
{
    public static readonly FactorSet Factors = FactorSet.BuiltIn();

    private readonly List<DeviceModel> _devices = [];
    private readonly List<PointModel> _points = [];

    public string Zone { get; init; } = "Asia/Shanghai";

    public string Hash { get; init; } = "test";

    public TimeSpan[] Windows { get; init; } = [TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(15), TimeSpan.FromHours(1), TimeSpan.FromDays(1)];

    public static RegisterEncoding Encoding(RegisterType type = RegisterType.UInt32, decimal scale = 1, decimal offset = 0) =>
        new() { Table = RegisterTable.HoldingRegister, Address = 0, Type = type, Scale = scale, Offset = offset };

    public static MeteringModel Meter(MeterRole role = MeterRole.Incomer, string? parent = null, bool counts = true, bool reversed = false) =>
        new(role, parent, counts, reversed);

    public TestSite Device(string id, MeteringModel? metering = null, string region = "CN-SX", string? area = null)
    {
        _devices.Add(new DeviceModel
        {
            Index = _devices.Count,
            Id = id,
            Name = id.ToUpperInvariant(),
            BusId = "bus",
            Unit = 1,
            Profile = new DeviceProfile { Id = "p", Kind = "k", Vendor = "v", Models = ["m"], Revision = 1, TitleEnglish = "t", MaxRegistersPerRead = 100, MayReadGaps = true, MinGap = TimeSpan.Zero, Points = [] },
            Timeout = TimeSpan.FromSeconds(1),
            CtRatio = 1,
            PtRatio = 1,
            Metering = metering,
            Area = area,
            Region = region,
            Points = [],
        });
        return this;
    }

    public TestSite Gauge(string id, string unit = "A", double period = 1, Func<PointModel, PointModel>? with = null) =>
        Point(new PointModel
        {
            Index = _points.Count,
            DeviceIndex = _devices.Count - 1,
            Id = id,
            Kind = PointKind.Gauge,
            Role = "other",
            Unit = unit,
            Encoding = Encoding(RegisterType.Float32),
            Period = TimeSpan.FromSeconds(period),
        }, with);

    public TestSite Counter(
        string id = "energy",
        string unit = "kW.h",
        string? method = "electricity-purchased",
        decimal? rollover = null,
        decimal? rate = null,
        decimal scale = 0.01m,
        RegisterType type = RegisterType.UInt32,
        double period = 1,
        Func<PointModel, PointModel>? with = null) =>
        Point(new PointModel
        {
            Index = _points.Count,
            DeviceIndex = _devices.Count - 1,
            Id = id,
            Kind = PointKind.Counter,
            Role = "electricity.energy.active.import",
            Unit = unit,
            Encoding = Encoding(type, scale),
            Period = TimeSpan.FromSeconds(period),
            Counter = new CounterModel(rollover, false, rate),
            Carbon = method is null ? null : new CarbonModel(method, 2),
        }, with);

    public SiteModel Build() => new()
    {
        SiteId = "site",
        SiteName = "Site",
        GatewayId = "gw",
        TimeZone = TimeZoneInfo.FindSystemTimeZoneById(Zone),
        Region = "CN-SX",
        Windows = Windows,
        Buses = [],
        Devices = [.. _devices.Select(d => d with { Points = [.. _points.Where(p => p.DeviceIndex == d.Index).Select(p => p.Index)] })],
        Points = _points,
        Uplinks = [],
        Storage = new StorageModel { Directory = "d", BudgetBytes = 1, SampleLogBytes = 1, CommitWindow = TimeSpan.FromSeconds(1), CheckpointInterval = TimeSpan.FromMinutes(1) },
        ConfigurationHash = Hash,
    };

    public Rig Start() => new(Build());

    private TestSite Point(PointModel point, Func<PointModel, PointModel>? with)
    {
        _points.Add(with?.Invoke(point) ?? point);
        return this;
    }
}

/// <summary>A pipeline with everything it said.</summary>
internal sealed class Rig : IFeedSink
{
    private readonly bool _transcribes;

    public Rig(SiteModel site, bool transcribes = true, FactorSet? factors = null)
    {
        Site = site;
        _transcribes = transcribes;
        Pipeline = new Core.Pipeline(site, factors ?? TestSite.Factors, this);
    }

    public SiteModel Site { get; }

    public Core.Pipeline Pipeline { get; }

    public List<SummaryRecord> Summaries { get; } = [];

    public List<EmissionRecord> Emissions { get; } = [];

    public List<AnomalyRecord> Anomalies { get; } = [];

    public List<DeviceStateRecord> States { get; } = [];

    public List<AlarmRecord> Alarms { get; } = [];

    public List<Sample> Samples { get; } = [];

    public List<CemsHourRecord> CemsHours { get; } = [];

    public List<CemsCalibrationRecord> Calibrations { get; } = [];

    /// <summary>Every record in order, with every digit.</summary>
    public List<string> Transcript { get; } = [];

    public IEnumerable<SummaryRecord> Of(int point, TimeSpan width) => Summaries.Where(s => s.Point == point && s.Width == width);

    public IEnumerable<SummaryRecord> Minutes(int point = 0) => Of(point, TimeSpan.FromMinutes(1));

    public static Instant At(string text) => Instant.Parse(text);

    public Rig Advance(string now)
    {
        Pipeline.Advance(At(now));
        return this;
    }

    public Rig Value(int point, Instant time, double value, Quality quality = default)
    {
        Pipeline.Process(new Sample(point, time, value, BitConverter.SingleToUInt32Bits((float)value), quality));
        return this;
    }

    public Rig Value(int point, string time, double value, Quality quality = default) => Value(point, At(time), value, quality);

    /// <summary>A counter's register image as an integer encoding holds it.</summary>
    public Rig Raw(int point, Instant time, ulong raw)
    {
        Pipeline.Process(new Sample(point, time, (double)(raw * Site.Points[point].Encoding.Scale), raw, Quality.Good));
        return this;
    }

    public Rig Raw(int point, string time, ulong raw) => Raw(point, At(time), raw);

    public Rig Missing(int point, string time, QualityReason reason = QualityReason.Timeout)
    {
        Pipeline.Process(Sample.Missing(point, At(time), reason));
        return this;
    }

    public byte[] Save()
    {
        var writer = new StateWriter();
        Pipeline.Save(writer);
        return writer.Written.ToArray();
    }

    public Rig Load(byte[] state)
    {
        var reader = new StateReader(state);
        Pipeline.Load(ref reader);
        Assert.True(reader.AtEnd);
        return this;
    }

    public void Summary(in SummaryRecord record)
    {
        Summaries.Add(record);
        Transcribe(record);
    }

    public void Emission(in EmissionRecord record)
    {
        Emissions.Add(record);
        Transcribe(record);
    }

    public void Anomaly(AnomalyRecord record)
    {
        Anomalies.Add(record);
        Transcribe(record);
    }

    public void DeviceState(DeviceStateRecord record)
    {
        States.Add(record);
        Transcribe(record);
    }

    public void Alarm(AlarmRecord record)
    {
        Alarms.Add(record);
        Transcribe(record);
    }

    public void CemsHour(CemsHourRecord record)
    {
        CemsHours.Add(record);
        Transcribe(record);
        foreach (var quantity in record.Quantities)
        {
            Transcribe(quantity);
        }
    }

    public void Calibration(CemsCalibrationRecord record)
    {
        Calibrations.Add(record);
        Transcribe(record);
    }

    void IFeedSink.Sample(in Sample sample)
    {
        Samples.Add(sample);
        Transcribe(sample);
    }

    private void Transcribe<T>(T record)
        where T : notnull
    {
        if (_transcribes)
        {
            Transcript.Add(record.ToString()!);
        }
    }
}
