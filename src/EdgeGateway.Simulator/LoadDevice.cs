using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using EdgeGateway.Simulator.Signals;

namespace EdgeGateway.Simulator;

/// <summary>A made-up device of any size for load and kill tests: its values can be recomputed from the second in which they were read.</summary>
/// <remarks>
/// Registers (holding, high word first): 0 <c>seq</c>, uint32, seconds since the Unix epoch; 2 <c>energy</c>, uint64, W.h, a counter with the
/// same exact ledger as every meter; from 6 on <c>v006</c>, <c>v008</c> ..., float32, <see cref="Wave"/> of (seq, address).
/// </remarks>
public static class LoadDevice
{
    private const string IdPrefix = "edgegateway-load-";

    /// <summary>Fewest registers: the sequence, the counter and nothing else.</summary>
    public const int MinRegisters = 6;

    /// <summary>A profile with <paramref name="registers"/> registers; an even number of at least <see cref="MinRegisters"/>.</summary>
    /// <param name="registers">Number of registers.</param>
    /// <param name="period">Time between two polls of each point.</param>
    /// <exception cref="ArgumentOutOfRangeException">Too few registers, too many, or an odd number.</exception>
    public static DeviceProfile Profile(int registers, TimeSpan period)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(registers, MinRegisters);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(registers, 65_536);
        ArgumentOutOfRangeException.ThrowIfNotEqual(registers % 2, 0);
        var points = new List<ProfilePoint>
        {
            Point("seq", PointKind.Gauge, "1", 0, RegisterType.UInt32, period, null),
            Point("energy", PointKind.Counter, "W.h", 2, RegisterType.UInt64, period, new CounterModel(null, false, null)),
        };
        for (var address = MinRegisters; address < registers; address += 2)
        {
            points.Add(Point($"v{address:000}", PointKind.Gauge, "1", (ushort)address, RegisterType.Float32, period, null));
        }

        return new DeviceProfile
        {
            Id = $"{IdPrefix}{registers}",
            Kind = "energy-meter",
            Vendor = "EdgeGateway",
            Models = ["load"],
            Revision = 1,
            TitleEnglish = $"Load device with {registers} registers",
            MaxRegistersPerRead = 125,
            MayReadGaps = true,
            MinGap = TimeSpan.Zero,
            Points = points,
        };
    }

    /// <summary>The value at <paramref name="address"/> in the second <paramref name="sequence"/>: a multiple of 0.125 below 500, exact in a float32.</summary>
    public static double Wave(long sequence, int address) => ((sequence * 7) + (address * 13)) % 4000 * 0.125;

    /// <summary>A site of <paramref name="devices"/> load devices of <paramref name="registers"/> registers, each on a bus of its own or several behind one endpoint.</summary>
    /// <param name="devices">Number of devices.</param>
    /// <param name="registers">Registers of each.</param>
    /// <param name="period">Time between two polls.</param>
    /// <param name="devicesPerBus">Unit ids behind one TCP endpoint.</param>
    /// <param name="firstPort">TCP port of the first bus on loopback; the others follow.</param>
    /// <param name="storageDirectory">Where a gateway that runs this site keeps its store.</param>
    public static SiteModel Site(int devices, int registers, TimeSpan period, int devicesPerBus = 1, int firstPort = 15_020, string storageDirectory = "data")
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(devices, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(devicesPerBus, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(devicesPerBus, 247);
        var profile = Profile(registers, period);
        var buses = new List<BusModel>();
        var models = new List<DeviceModel>();
        var points = new List<PointModel>();
        for (var i = 0; i < devices; i++)
        {
            var bus = $"bus{i / devicesPerBus:000}";
            if (i % devicesPerBus == 0)
            {
                buses.Add(new ModbusTcpBus { Id = bus, Host = "127.0.0.1", Port = firstPort + (i / devicesPerBus), Timeout = TimeSpan.FromSeconds(1) });
            }

            var first = points.Count;
            foreach (var point in profile.Points)
            {
                points.Add(new PointModel
                {
                    Index = points.Count,
                    DeviceIndex = i,
                    Id = point.Id,
                    Kind = point.Kind,
                    Role = point.Role,
                    Unit = point.Unit,
                    Encoding = point.Encoding,
                    Period = point.Period,
                    Counter = point.Counter,
                });
            }

            models.Add(new DeviceModel
            {
                Index = i,
                Id = $"load{i:000}",
                Name = $"Load {i}",
                BusId = bus,
                Unit = (byte)((i % devicesPerBus) + 1),
                Profile = profile,
                Timeout = TimeSpan.FromSeconds(1),
                CtRatio = 1,
                PtRatio = 1,
                Region = "CN",
                Points = [.. Enumerable.Range(first, profile.Points.Count)],
            });
        }

        return new SiteModel
        {
            SiteId = "load",
            SiteName = "Load test",
            GatewayId = "load-gateway",
            TimeZone = TimeZoneInfo.Utc,
            Region = "CN",
            Windows = [TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(15), TimeSpan.FromHours(1), TimeSpan.FromDays(1)],
            Buses = buses,
            Devices = models,
            Points = points,
            Uplinks = [],
            Storage = new StorageModel
            {
                Directory = storageDirectory,
                BudgetBytes = 256_000_000,
                SampleLogBytes = 64_000_000,
                CommitWindow = TimeSpan.FromSeconds(1),
                CheckpointInterval = TimeSpan.FromMinutes(1),
            },
            ConfigurationHash = new string('0', 64),
        };
    }

    /// <summary>Whether a profile is one of these.</summary>
    internal static bool Owns(DeviceProfile profile) => profile.Id.StartsWith(IdPrefix, StringComparison.Ordinal);

    /// <summary>What a point of such a profile shows.</summary>
    internal static Signal SignalOf(PointModel point) =>
        point.Kind == PointKind.Counter ? new(Quantity.ActiveEnergyImport) : point.Id == "seq" ? new(Quantity.Sequence) : new(Quantity.Wave);

    private static ProfilePoint Point(string id, PointKind kind, string unit, ushort address, RegisterType type, TimeSpan period, CounterModel? counter) => new()
    {
        Id = id,
        Kind = kind,
        Role = counter is null ? "other" : "electricity.energy.active.import",
        Unit = unit,
        Encoding = new RegisterEncoding { Table = RegisterTable.HoldingRegister, Address = address, Type = type },
        Period = period,
        Counter = counter,
    };
}
