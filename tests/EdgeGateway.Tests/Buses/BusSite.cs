using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;

namespace EdgeGateway.Tests.Buses;

/// <summary>A site with one bus, built by hand: every register holds its own address, every point is one register.</summary>
internal sealed class BusSite
{
    public static readonly TimeSpan Once = TimeSpan.Zero;

    private readonly List<DeviceModel> _devices = [];
    private readonly List<PointModel> _points = [];

    public static ModbusTcpBus Bus { get; } = new() { Id = "line", Host = "127.0.0.1", Port = 502, Timeout = TimeSpan.FromMilliseconds(500) };

    /// <summary>Adds a device; its unit id is its place, from 1.</summary>
    public BusSite Device(double timeoutSeconds = 0.5, double minGapSeconds = 0, string bus = "line")
    {
        var place = _devices.Count;
        _devices.Add(new DeviceModel
        {
            Index = place,
            Id = $"d{place + 1}",
            Name = $"Device {place + 1}",
            BusId = bus,
            Unit = (byte)(place + 1),
            Profile = new DeviceProfile
            {
                Id = "p",
                Kind = "energy-meter",
                Vendor = "v",
                Models = ["m"],
                Revision = 1,
                TitleEnglish = "t",
                MaxRegistersPerRead = 125,
                MayReadGaps = false,
                MinGap = TimeSpan.FromSeconds(minGapSeconds),
                Points = [],
            },
            Timeout = TimeSpan.FromSeconds(timeoutSeconds),
            CtRatio = 1,
            PtRatio = 1,
            Region = "CN-SX",
            Points = [],
        });
        return this;
    }

    /// <summary>Adds points at consecutive addresses to the last device: one request.</summary>
    public BusSite Points(TimeSpan period, int count = 1, int at = 0, RegisterTable table = RegisterTable.HoldingRegister)
    {
        var device = _devices.Count - 1;
        for (var i = 0; i < count; i++)
        {
            _points.Add(new PointModel
            {
                Index = _points.Count,
                DeviceIndex = device,
                Id = $"p{at + i}",
                Kind = PointKind.Gauge,
                Role = "signal.analog",
                Unit = "1",
                Encoding = new RegisterEncoding
                {
                    Table = table,
                    Address = (ushort)(at + i),
                    Type = table == RegisterTable.HoldingRegister ? RegisterType.UInt16 : RegisterType.Bit,
                },
                Period = period,
            });
        }

        return this;
    }

    public BusSite Points(double periodSeconds, int count = 1, int at = 0) => Points(TimeSpan.FromSeconds(periodSeconds), count, at);

    public SiteModel Build() => new()
    {
        SiteId = "site",
        SiteName = "Site",
        GatewayId = "gw",
        TimeZone = TimeZoneInfo.Utc,
        Region = "CN-SX",
        Windows = [TimeSpan.FromMinutes(1)],
        Buses = [Bus],
        Devices = [.. _devices.Select(d => d with { Points = [.. _points.Where(p => p.DeviceIndex == d.Index).Select(p => p.Index)] })],
        Points = _points,
        Uplinks = [],
        Storage = new StorageModel { Directory = "d", BudgetBytes = 1, SampleLogBytes = 1, CommitWindow = TimeSpan.FromSeconds(1), CheckpointInterval = TimeSpan.FromMinutes(1) },
        ConfigurationHash = "test",
    };
}
