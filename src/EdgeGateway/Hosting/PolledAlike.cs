using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;

namespace EdgeGateway.Hosting;

/// <summary>
/// Whether two configurations ask the same of a bus or a device. Names, areas, meters' places in the tree, limits, detectors and accounts are no matter of polling: a bus on which only these
/// changed goes on.
/// </summary>
internal static class PolledAlike
{
    /// <summary>Whether a bus and all devices on it are polled in the same way.</summary>
    public static bool Bus(SiteModel from, BusModel bus, SiteModel to)
    {
        if (to.Buses.FirstOrDefault(b => b.Id == bus.Id) is not { } other || !Settings(bus, other))
        {
            return false;
        }

        DeviceModel[] before = [.. from.Devices.Where(d => d.BusId == bus.Id)];
        DeviceModel[] after = [.. to.Devices.Where(d => d.BusId == bus.Id)];
        return before.Length == after.Length && before.Zip(after).All(d => Device(from, d.First, to, d.Second));
    }

    /// <summary>Whether a device answers the same questions in the same words: its place on its bus, its requests, and what its registers mean.</summary>
    public static bool Device(SiteModel from, DeviceModel device, SiteModel to, DeviceModel other)
    {
        var (profile, otherProfile) = (device.Profile, other.Profile);
        return (device.Id, device.BusId, device.Unit, device.Timeout) == (other.Id, other.BusId, other.Unit, other.Timeout)
            && (profile.Id, profile.MaxRegistersPerRead, profile.MayReadGaps, profile.MinGap, profile.SunSpec)
                == (otherProfile.Id, otherProfile.MaxRegistersPerRead, otherProfile.MayReadGaps, otherProfile.MinGap, otherProfile.SunSpec)
            && profile.Points.Count == otherProfile.Points.Count
            && profile.Points.Zip(otherProfile.Points).All(p => Encoding(p.First.Encoding, p.Second.Encoding))
            && device.Points.Count == other.Points.Count
            && device.Points.Zip(other.Points).All(p => Point(from.Points[p.First], to.Points[p.Second]));
    }

    private static bool Point(PointModel point, PointModel other) =>
        (point.Id, point.Kind, point.Unit, point.Period) == (other.Id, other.Kind, other.Unit, other.Period) && Encoding(point.Encoding, other.Encoding);

    // A list in a record is compared by reference.
    private static bool Encoding(RegisterEncoding encoding, RegisterEncoding other) =>
        encoding.Invalid.SequenceEqual(other.Invalid) && encoding == other with { Invalid = encoding.Invalid };

    private static bool Settings(BusModel bus, BusModel other) => (bus, other) switch
    {
        (LocalBus a, LocalBus b) => a.Inputs.SequenceEqual(b.Inputs) && a == b with { Inputs = a.Inputs },
        (Dlt645Bus a, Dlt645Bus b) => a.Meters.SequenceEqual(b.Meters) && a == b with { Meters = a.Meters },
        (Dlt645OverTcpBus a, Dlt645OverTcpBus b) => a.Meters.SequenceEqual(b.Meters) && a == b with { Meters = a.Meters },
        (Hj212Bus a, Hj212Bus b) => a.Loggers.SequenceEqual(b.Loggers) && a == b with { Loggers = a.Loggers },
        (Hj212OverTcpBus a, Hj212OverTcpBus b) => a.Loggers.SequenceEqual(b.Loggers) && a == b with { Loggers = a.Loggers },
        _ => bus == other,
    };
}
