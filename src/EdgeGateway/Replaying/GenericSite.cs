using System.Security.Cryptography;
using System.Text;
using EdgeGateway.Core.Accounting;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;

namespace EdgeGateway.Replaying;

/// <summary>A site for recordings of which nothing more is known than names and numbers: every series is a gauge without a unit, watched by the detectors that need no setting.</summary>
internal static class GenericSite
{
    /// <summary>Device of series that name none.</summary>
    public const string NoDevice = "recording";

    // What stands still for so long is worth a look, whatever it is.
    private static readonly TimeSpan LeastStuck = TimeSpan.FromMinutes(5);
    private const int StuckPeriods = 30;

    /// <summary>Makes the site; its points are the series, each device and name once, in the order in which they come.</summary>
    public static SiteModel Of(IEnumerable<RecordedSeries> series)
    {
        var devices = new List<(string Id, List<int> Points)>();
        var points = new List<PointModel>();
        foreach (var group in series.GroupBy(s => (Device: s.Device ?? NoDevice, s.Point)))
        {
            var index = devices.FindIndex(d => d.Id == group.Key.Device);
            if (index < 0)
            {
                index = devices.Count;
                devices.Add((group.Key.Device, []));
            }

            devices[index].Points.Add(points.Count);
            points.Add(Point(points.Count, index, group.Key.Point, group.First().Period));
        }

        return new SiteModel
        {
            SiteId = NoDevice,
            SiteName = NoDevice,
            GatewayId = NoDevice,
            TimeZone = TimeZoneInfo.Utc,
            Region = FactorSet.BuiltIn().KnownRegions[0],
            Windows = [TimeSpan.FromMinutes(1)],
            Buses = [],
            Devices = [.. devices.Select((d, i) => Device(i, d.Id, d.Points))],
            Points = points,
            Uplinks = [],
            Storage = new StorageModel { Directory = "", BudgetBytes = 0, SampleLogBytes = 0, CommitWindow = TimeSpan.FromSeconds(1), CheckpointInterval = TimeSpan.FromMinutes(1) },
            ConfigurationHash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', points.Select(p => $"{devices[p.DeviceIndex].Id}\t{p.Id}\t{p.Period}"))))),
        };
    }

    /// <summary>A series as it is called at such a site.</summary>
    public static RecordedSeries Named(RecordedSeries series) => new(series.Device ?? NoDevice, series.Point);

    private static PointModel Point(int index, int device, string name, TimeSpan period) => new()
    {
        Index = index,
        DeviceIndex = device,
        Id = name,
        Kind = PointKind.Gauge,
        Role = "",
        Unit = "1",
        Encoding = new RegisterEncoding { Table = RegisterTable.HoldingRegister, Address = 0, Type = RegisterType.Float64, Scale = 1 },
        Period = period,
        Detectors =
        [
            new DetectorModel("novelty", new Dictionary<string, double>()),
            new DetectorModel("spike", new Dictionary<string, double>()),
            new DetectorModel("stuck", new Dictionary<string, double> { ["windowSeconds"] = Math.Max(LeastStuck.TotalSeconds, StuckPeriods * period.TotalSeconds) }),
        ],
    };

    private static DeviceModel Device(int index, string id, IReadOnlyList<int> points) => new()
    {
        Index = index,
        Id = id,
        Name = id,
        BusId = NoDevice,
        Unit = 0,
        Profile = new DeviceProfile
        {
            Id = NoDevice,
            Kind = "generic",
            Vendor = "",
            Models = [],
            Revision = 1,
            TitleEnglish = NoDevice,
            MaxRegistersPerRead = 125,
            MayReadGaps = false,
            MinGap = TimeSpan.Zero,
            Points = [],
        },
        Timeout = TimeSpan.FromSeconds(1),
        CtRatio = 1,
        PtRatio = 1,
        Region = FactorSet.BuiltIn().KnownRegions[0],
        Points = points,
    };
}
