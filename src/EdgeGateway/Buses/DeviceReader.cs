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

    /// <summary>Plans the read requests for some points of a device.</summary>
    public static PlannedRead[] Plan(SiteModel site, DeviceModel device, IEnumerable<int> points) =>
        [.. ReadPlanner.Plan(points.Select(p => (p, site.Points[p].Encoding)), ReadLimits.Of(device.Profile))];

    /// <summary>Makes a reading of the registers that <paramref name="request"/> brought.</summary>
    public static Reading Decode(PointModel point, ReadRequest request, ReadOnlySpan<ushort> registers, long at)
    {
        var words = registers.Slice(point.Encoding.Address - request.Address, point.Encoding.Length);
        return RegisterCodec.Decode(point.Encoding, words, out var value, out var raw) switch
        {
            DecodeStatus.Ok => new Reading(point.Index, at, value, raw, Quality.Good),
            DecodeStatus.Invalid => new Reading(point.Index, at, double.NaN, raw, Quality.Bad(QualityReason.InvalidCode)),
            _ => new Reading(point.Index, at, double.NaN, raw, Quality.Bad(QualityReason.NotANumber)),
        };
    }

    /// <summary>Reads all points of a device once; in the order of the profile.</summary>
    public static async Task<IReadOnlyList<Reading>> ReadAsync(
        IBus bus, SiteModel site, DeviceModel device, GatewayClock clock, CancellationToken cancel)
    {
        var registers = new ushort[LargestReply];
        var readings = new List<Reading>(device.Points.Count);
        foreach (var read in Plan(site, device, device.Points))
        {
            var reply = await bus.ReadAsync(device.Unit, read.Request, registers, device.Timeout, cancel).ConfigureAwait(false);
            var at = clock.Monotonic;
            foreach (var point in read.Points)
            {
                readings.Add(reply.IsGood
                    ? Decode(site.Points[point], read.Request, registers, at)
                    : new Reading(point, at, double.NaN, 0, Quality.Bad(reply.Reason, reply.Detail)));
            }
        }

        readings.Sort(static (a, b) => a.Point.CompareTo(b.Point));
        return readings;
    }
}
