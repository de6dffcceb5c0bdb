using EdgeGateway.Core;
using EdgeGateway.Core.Polling;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using EdgeGateway.Hosting;

namespace EdgeGateway.Buses;

/// <summary>From a device's points to requests, and from registers to readings.</summary>
internal static class DeviceReader
{
    /// <summary>Most registers or bits one reply can bring.</summary>
    public const int LargestReply = 2000;

    private const int RequestsUntilAbsent = 2;

    /// <summary>Makes a reading of the registers that <paramref name="request"/> brought.</summary>
    public static Reading Decode(PointModel point, ReadRequest request, ReadOnlySpan<ushort> registers, long at)
    {
        var words = registers.Slice(point.Encoding.Span.First - request.Address, point.Encoding.Span.Length);
        if (point.Kind == PointKind.Text)
        {
            return new Reading(point.Index, at, double.NaN, 0, Quality.Good) { Text = RegisterText.Decode(point.Encoding, words) };
        }

        return RegisterCodec.Decode(point.Encoding, words, out var value, out var raw) switch
        {
            DecodeStatus.Ok => new Reading(point.Index, at, value, raw, Quality.Good),
            DecodeStatus.Invalid => new Reading(point.Index, at, double.NaN, raw, Quality.Bad(QualityReason.InvalidCode)),
            DecodeStatus.BadDigits => new Reading(point.Index, at, double.NaN, raw, Quality.Bad(QualityReason.NotANumber, Quality.NotDecimal)),
            DecodeStatus.BadDate => new Reading(point.Index, at, double.NaN, raw, Quality.Bad(QualityReason.NotANumber, Quality.NotADate)),
            DecodeStatus.BadScale => new Reading(point.Index, at, double.NaN, raw, Quality.Bad(QualityReason.NotANumber, Quality.NotAScale)),
            _ => new Reading(point.Index, at, double.NaN, raw, Quality.Bad(QualityReason.NotANumber)),
        };
    }

    /// <summary>Makes a reading of the registers of a good reply, and of what the device says of them.</summary>
    public static Reading Decode(PointModel point, ReadRequest request, in BusReply reply, ReadOnlySpan<ushort> registers, long at)
    {
        var reading = Decode(point, request, registers, at);
        if (reply.Marks is not { } marks)
        {
            return reading;
        }

        for (var i = 0; i < marks.Count; i++)
        {
            if (point.Encoding.Address - marks[i].First is >= 0 and var offset && offset < marks[i].Length)
            {
                var quality = marks[i].Quality;
                return !quality.HasValue ? reading with { Value = double.NaN, Quality = quality } : reading.Quality.IsGood ? reading with { Quality = quality } : reading;
            }
        }

        return reading;
    }

    /// <summary>A reading that says why there is no value.</summary>
    public static Reading Missing(int point, long at, BusReply reply) => new(point, at, double.NaN, 0, Quality.Bad(reply.Reason, reply.Detail));

    /// <summary>A request without the points that its parts bring.</summary>
    public static PlannedRead Without(PlannedRead read, IReadOnlyList<PlannedRead> parts) =>
        read with { Points = [.. read.Points.Where(point => !parts.Any(part => part.Points.Contains(point)))] };

    /// <summary>Reads all points of a device once through a bus that nobody else uses; in the order of the profile.</summary>
    public static async Task<IReadOnlyList<Reading>> ReadAsync(
        IBus bus, SiteModel site, DeviceModel device, GatewayClock clock, CancellationToken cancel)
    {
        var isFirst = true;
        var model = site.Buses.First(b => b.Id == device.BusId);
        var planner = DevicePlanner.Of(device, site.Points, ReadCost.On(model, device.Profile.MinGap));
        return await ReadAsync(Exchange, site, device, planner, clock, cancel).ConfigureAwait(false);

        async ValueTask<BusReply> Exchange(ReadRequest request, Memory<ushort> registers, CancellationToken stop)
        {
            if (!isFirst && device.Profile.MinGap > TimeSpan.Zero)
            {
                await Task.Delay(device.Profile.MinGap, clock.Time, stop).ConfigureAwait(false);
            }

            isFirst = false;
            return await bus.ReadAsync(device.Unit, request.Of(device.Profile, planner.MostFor(request)), registers, device.Timeout, stop).ConfigureAwait(false);
        }
    }

    /// <summary>Reads all points of a device once; in the order of the profile.</summary>
    /// <remarks>After two requests without a reply the device is taken for absent, and the others report the same.</remarks>
    /// <param name="exchange">Does one request.</param>
    /// <param name="site">The site.</param>
    /// <param name="device">The device.</param>
    /// <param name="planner">Makes the requests, and divides those that are refused.</param>
    /// <param name="clock">Stamps the readings.</param>
    /// <param name="cancel">Ends the reading.</param>
    public static async ValueTask<IReadOnlyList<Reading>> ReadAsync(
        Func<ReadRequest, Memory<ushort>, CancellationToken, ValueTask<BusReply>> exchange,
        SiteModel site,
        DeviceModel device,
        DevicePlanner planner,
        GatewayClock clock,
        CancellationToken cancel)
    {
        var registers = new ushort[LargestReply];
        var readings = new List<Reading>(device.Points.Count);
        var (reply, silent) = (BusReply.Good, 0);
        var plan = planner.PlanFor(planner.All, clock.Monotonic);
        var pending = new Stack<PlannedRead>(plan.Reads.Reverse());
        while (pending.TryPop(out var read))
        {
            IReadOnlyList<PlannedRead> parts = [];
            if (silent < RequestsUntilAbsent)
            {
                reply = await exchange(read.Request, registers, cancel).ConfigureAwait(false);
                silent = reply.IsGood || reply.Reason == QualityReason.DeviceException ? 0 : silent + 1;
                parts = planner.Report(read, ReadOutcomes.Of(reply.Reason, reply.Detail), clock.Monotonic);
            }

            var at = clock.Monotonic;
            foreach (var point in Without(read, parts).Points)
            {
                readings.Add(reply.IsGood ? Decode(site.Points[point], read.Request, reply, registers, at) : Missing(point, at, reply));
            }

            foreach (var part in parts.Reverse())
            {
                pending.Push(part);
            }
        }

        // What a device refused before is missing for that reason, unless the device is not there at all.
        var resting = silent > 0 ? reply : new BusReply(QualityReason.DeviceException, 2);
        readings.AddRange(plan.Resting.Select(point => Missing(point, clock.Monotonic, resting)));

        readings.Sort(static (a, b) => a.Point.CompareTo(b.Point));
        return readings;
    }
}
