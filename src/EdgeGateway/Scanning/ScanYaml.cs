using System.Globalization;
using System.Text;
using EdgeGateway.Core.Configuration;

namespace EdgeGateway.Scanning;

/// <summary>What was found, as it stands in <c>gateway.yaml</c>.</summary>
internal static class ScanYaml
{
    private const int LongestStem = 50;

    /// <summary>Buses and devices that are not configured yet; empty when there are none.</summary>
    public static string Of(IReadOnlyList<FoundUnit> units)
    {
        var fresh = units.Where(u => u.ConfiguredAs is null).ToArray();
        if (fresh.Length == 0)
        {
            return "";
        }

        var text = new StringBuilder();
        var buses = BusIds([.. fresh.Select(u => u.Place)]);
        if (buses.Any(b => b.Place.Bus is null))
        {
            text.Append("buses:\n");
            foreach (var (place, id) in buses.Where(b => b.Place.Bus is null))
            {
                text.Append(Bus(place, id));
            }
        }

        text.Append("devices:\n");
        HashSet<string> ids = [];
        foreach (var unit in fresh)
        {
            var bus = buses.First(b => b.Place == unit.Place).Id;
            if (unit.Profiles.Count == 0)
            {
                text.Append(CultureInfo.InvariantCulture, $"  # unit {unit.Unit} on {bus} answers; no profile fits. See docs/profiles.md to write one.\n");
                continue;
            }

            var best = unit.Profiles[0];
            text.Append(Device(DeviceId(best.Profile, unit.Unit, ids), best.Profile, bus, unit.Unit, "", $"fits {best.FitPercent} %"));
        }

        return text.ToString();
    }

    /// <summary>Ids for the buses of these places, each place once.</summary>
    public static IReadOnlyList<(ScanPlace Place, string Id)> BusIds(IReadOnlyList<ScanPlace> places)
    {
        var distinct = places.Distinct().ToArray();
        return [.. distinct.Select((place, i) => (place, place.Bus ?? (place.Host is null ? "line" : "net") + (distinct.Length > 1 ? $"-{i + 1}" : "")))];
    }

    /// <summary>An id for a device that is not taken yet; it is then.</summary>
    public static string DeviceId(string profile, int unit, HashSet<string> taken)
    {
        // The longest id of a profile leaves no room for what is put behind it.
        var stem = profile.Length > LongestStem ? profile[..LongestStem] : profile;
        var id = $"{stem}-{unit}";
        for (var n = 2; !taken.Add(id); n++)
        {
            id = $"{stem}-{unit}-{n}";
        }

        return id;
    }

    /// <summary>The line of a bus.</summary>
    public static string Bus(ScanPlace place, string id) => place.Meters is { } meters
        ? MeterBus(place, id, string.Join(", ", meters.Select((m, i) => string.Create(CultureInfo.InvariantCulture, $"{{ unit: {i + 1}, address: \"{m}\" }}"))))
        : place.Host is not null
        ? string.Create(CultureInfo.InvariantCulture, $"  - {{ id: {YamlText.Write(id)}, type: modbus-tcp, host: {YamlText.Write(place.Host)}, port: {place.TcpPort} }}\n")
        : string.Create(CultureInfo.InvariantCulture, $"  - {{ id: {YamlText.Write(id)}, type: modbus-rtu, port: {YamlText.Write(place.SerialPort!)}, baud: {place.Baud}, parity: {place.Parity}, stopBits: {place.StopBits} }}\n");

    private static string MeterBus(ScanPlace place, string id, string meters) => place.Host is not null
        ? string.Create(CultureInfo.InvariantCulture, $"  - {{ id: {YamlText.Write(id)}, type: dlt645-over-tcp, host: {YamlText.Write(place.Host)}, port: {place.TcpPort}, meters: [{meters}] }}\n")
        : string.Create(CultureInfo.InvariantCulture, $"  - {{ id: {YamlText.Write(id)}, type: dlt645, port: {YamlText.Write(place.SerialPort!)}, baud: {place.Baud}, parity: {place.Parity}, stopBits: {place.StopBits}, meters: [{meters}] }}\n");

    /// <summary>The line of a device.</summary>
    public static string Device(string id, string profile, string bus, int unit, string more, string remark) =>
        string.Create(CultureInfo.InvariantCulture, $"  - {{ id: {YamlText.Write(id)}, profile: {YamlText.Write(profile)}, bus: {YamlText.Write(bus)}, unit: {unit}{more} }}{(remark.Length > 0 ? $"   # {remark}" : "")}\n");
}
