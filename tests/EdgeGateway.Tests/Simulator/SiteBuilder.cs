using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;

namespace EdgeGateway.Tests.Simulator;

/// <summary>Builds sites for the simulator's tests, point by point.</summary>
internal sealed class SiteBuilder
{
    private readonly List<DeviceModel> _devices = [];
    private readonly List<PointModel> _points = [];

    /// <summary>Incomer, fan and belt meters with light behind it, drive and scale, stack: a small mine.</summary>
    public static SiteModel Mine() => new SiteBuilder()
        .Meter("incomer", null, watts: 250_000)
        .Meter("fan", "incomer", watts: 75_000)
        .Meter("belt-meter", "incomer", watts: 60_000, area: "belt")
        .SinglePhaseMeter("light", "incomer", watts: 4_000)
        .Device("belt-drive", "drive", "belt", null, null,
            Gauge("output_frequency", "drive.frequency.output", "Hz", 0, RegisterType.UInt16, 0.01m),
            Gauge("current", "drive.current.output", "A", 1, RegisterType.UInt16, 0.1m),
            Gauge("speed", "drive.motor.speed", "/min", 2, RegisterType.UInt16, 1),
            Gauge("torque", "drive.motor.torque", "%", 3, RegisterType.Int16, 0.1m))
        .Device("belt-scale", "belt-scale", "belt", null, null,
            Gauge("mass_flow", "conveyor.mass_flow", "t/h", 0, RegisterType.UInt32, 0.001m),
            Gauge("belt_load", "conveyor.belt.load", "kg/m", 2, RegisterType.UInt32, 0.001m),
            Gauge("belt_speed", "conveyor.belt.speed", "m/s", 4, RegisterType.UInt32, 0.001m),
            Counter("mass_total", "conveyor.mass.total", "t", 6, RegisterType.UInt32, 0.001m))
        .Device("stack", "gas-analyser", "boiler", null, null,
            Gauge("o2", "gas.concentration.o2", "%{vol}", 0, RegisterType.Float32, 1),
            Gauge("so2", "gas.concentration.so2", "mg/m3", 2, RegisterType.Float32, 1),
            Gauge("velocity", "flue.velocity", "m/s", 4, RegisterType.Float32, 1),
            Gauge("temperature", "flue.temperature", "Cel", 6, RegisterType.Float32, 1))
        .Build();

    /// <summary>A three-phase meter with energies in 0.01 kW.h and in float32.</summary>
    public SiteBuilder Meter(string id, string? parent, double? watts = null, string? area = null, bool reversed = false, MeterRole? role = null) => Device(
        id, "energy-meter", area, watts, new MeteringModel(role ?? (parent is null ? MeterRole.Incomer : MeterRole.Submeter), parent, parent is null, reversed),
        Gauge("voltage_l1_n", "electricity.voltage.l1_n", "V", 0, RegisterType.Float32, 1),
        Gauge("voltage_l2_n", "electricity.voltage.l2_n", "V", 2, RegisterType.Float32, 1),
        Gauge("voltage_l3_n", "electricity.voltage.l3_n", "V", 4, RegisterType.Float32, 1),
        Gauge("current_l1", "electricity.current.l1", "A", 6, RegisterType.Float32, 1),
        Gauge("current_l2", "electricity.current.l2", "A", 8, RegisterType.Float32, 1),
        Gauge("current_l3", "electricity.current.l3", "A", 10, RegisterType.Float32, 1),
        Gauge("power_l1", "electricity.power.active.l1", "W", 12, RegisterType.Float32, 1),
        Gauge("power_l2", "electricity.power.active.l2", "W", 14, RegisterType.Float32, 1),
        Gauge("power_l3", "electricity.power.active.l3", "W", 16, RegisterType.Float32, 1),
        Gauge("pf_l1", "electricity.power.factor.l1", "1", 18, RegisterType.Float32, 1),
        Gauge("pf_l2", "electricity.power.factor.l2", "1", 20, RegisterType.Float32, 1),
        Gauge("pf_l3", "electricity.power.factor.l3", "1", 22, RegisterType.Float32, 1),
        Gauge("power", "electricity.power.active", "kW", 24, RegisterType.Float64, 1),
        Gauge("frequency", "electricity.frequency", "Hz", 28, RegisterType.UInt16, 0.01m),
        Counter("import", "electricity.energy.active.import", "kW.h", 40, RegisterType.UInt64, 0.01m),
        Counter("import_float", "electricity.energy.active.import", "kW.h", 44, RegisterType.Float32, 1),
        Counter("import_fine", "electricity.energy.active.import", "W.h", 46, RegisterType.UInt64, 0.001m),
        Counter("import_small", "electricity.energy.active.import", "kW.h", 50, RegisterType.UInt16, 0.1m),
        Counter("export", "electricity.energy.active.export", "W.h", 52, RegisterType.UInt64, 0.001m),
        Counter("import_l1", "electricity.energy.active.import.l1", "W.h", 56, RegisterType.UInt64, 0.001m),
        Counter("import_l2", "electricity.energy.active.import.l2", "W.h", 60, RegisterType.UInt64, 0.001m),
        Counter("import_l3", "electricity.energy.active.import.l3", "W.h", 64, RegisterType.UInt64, 0.001m),
        Counter("reactive", "electricity.energy.reactive.import", "kvar.h", 68, RegisterType.UInt32, 0.01m));

    public SiteBuilder SinglePhaseMeter(string id, string? parent, double? watts = null) => Device(
        id, "energy-meter", null, watts, new MeteringModel(MeterRole.Submeter, parent, false, false),
        Gauge("voltage", "electricity.voltage.l1_n", "V", 0, RegisterType.Float32, 1),
        Gauge("current", "electricity.current.l1", "A", 2, RegisterType.Float32, 1),
        Gauge("power", "electricity.power.active", "W", 4, RegisterType.Float32, 1),
        Counter("import_fine", "electricity.energy.active.import", "W.h", 6, RegisterType.UInt64, 0.001m));

    public SiteBuilder Device(string id, string kind, string? area, double? watts, MeteringModel? metering, params ReadOnlySpan<PointModel> points)
    {
        var indexes = new List<int>();
        foreach (var point in points)
        {
            indexes.Add(_points.Count);
            _points.Add(point with { Index = _points.Count, DeviceIndex = _devices.Count });
        }

        _devices.Add(new DeviceModel
        {
            Index = _devices.Count,
            Id = id,
            Name = id,
            BusId = "tcp",
            Unit = (byte)(_devices.Count + 1),
            Profile = new DeviceProfile
            {
                Id = $"test-{id}",
                Kind = kind,
                Vendor = "Test",
                Models = [id],
                Revision = 1,
                TitleEnglish = id,
                MaxRegistersPerRead = 60,
                MayReadGaps = false,
                MinGap = TimeSpan.Zero,
                Points = [],
            },
            Timeout = TimeSpan.FromSeconds(1),
            CtRatio = 1,
            PtRatio = 1,
            Area = area,
            Metering = metering,
            RatedPowerWatts = watts,
            Region = "CN",
            Points = indexes,
        });
        return this;
    }

    public SiteModel Build() => new()
    {
        SiteId = "test",
        SiteName = "Test",
        GatewayId = "gateway",
        TimeZone = TimeZoneInfo.Utc,
        Region = "CN",
        Windows = [TimeSpan.FromMinutes(1)],
        Buses = [new ModbusTcpBus { Id = "tcp", Host = "127.0.0.1", Port = 15_502, Timeout = TimeSpan.FromSeconds(1) }],
        Devices = _devices,
        Points = _points,
        Uplinks = [],
        Storage = new StorageModel
        {
            Directory = "data",
            BudgetBytes = 1_000_000,
            SampleLogBytes = 100_000,
            CommitWindow = TimeSpan.FromSeconds(1),
            CheckpointInterval = TimeSpan.FromMinutes(1),
        },
        ConfigurationHash = "",
    };

    public static PointModel Gauge(string id, string role, string unit, ushort address, RegisterType type, decimal scale) =>
        Point(PointKind.Gauge, id, role, unit, address, type, scale);

    public static PointModel Counter(string id, string role, string unit, ushort address, RegisterType type, decimal scale) =>
        Point(PointKind.Counter, id, role, unit, address, type, scale) with { Counter = new CounterModel(null, false, null) };

    private static PointModel Point(PointKind kind, string id, string role, string unit, ushort address, RegisterType type, decimal scale) => new()
    {
        Index = 0,
        DeviceIndex = 0,
        Id = id,
        Kind = kind,
        Role = role,
        Unit = unit,
        Encoding = new RegisterEncoding { Table = RegisterTable.HoldingRegister, Address = address, Type = type, Scale = scale },
        Period = TimeSpan.FromSeconds(1),
    };
}

internal static class SiteModels
{
    /// <summary>Index of <c>device.point</c>.</summary>
    public static int Find(this SiteModel site, string name)
    {
        var dot = name.IndexOf('.', StringComparison.Ordinal);
        var device = site.Devices.Single(d => d.Id == name[..dot]);
        return device.Points.Single(p => site.Points[p].Id == name[(dot + 1)..]);
    }
}
