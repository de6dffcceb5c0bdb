using System.Globalization;
using System.Text;

namespace EdgeGateway.Scanning;

/// <summary>What was found, as it stands in <c>gateway.yaml</c>.</summary>
internal static class ScanYaml
{
    /// <summary>Buses and devices that are not configured yet; empty when there are none.</summary>
    public static string Of(IReadOnlyList<FoundUnit> units)
    {
        var fresh = units.Where(u => u.ConfiguredAs is null).ToArray();
        if (fresh.Length == 0)
        {
            return "";
        }

        var text = new StringBuilder();
        var places = fresh.Select(u => u.Place).Distinct().ToArray();
        var names = places.Select((place, i) => (place, Name: place.Bus ?? (place.Host is null ? "line" : "net") + (places.Length > 1 ? $"-{i + 1}" : ""))).ToDictionary(p => p.place, p => p.Name);
        if (places.Any(p => p.Bus is null))
        {
            text.Append("buses:\n");
            foreach (var place in places.Where(p => p.Bus is null))
            {
                text.Append(place.Host is not null
                    ? string.Create(CultureInfo.InvariantCulture, $"  - {{ id: {names[place]}, type: modbus-tcp, host: {(place.Host.Contains(':', StringComparison.Ordinal) ? $"\"{place.Host}\"" : place.Host)}, port: {place.TcpPort} }}\n")
                    : string.Create(CultureInfo.InvariantCulture, $"  - {{ id: {names[place]}, type: modbus-rtu, port: {place.SerialPort}, baud: {place.Baud}, parity: {place.Parity}, stopBits: {place.StopBits} }}\n"));
            }
        }

        text.Append("devices:\n");
        HashSet<string> ids = [];
        foreach (var unit in fresh)
        {
            if (unit.Profiles.Count == 0)
            {
                text.Append(CultureInfo.InvariantCulture, $"  # unit {unit.Unit} on {names[unit.Place]} answers; no profile fits. See docs/profiles.md to write one.\n");
                continue;
            }

            var best = unit.Profiles[0];
            var id = $"{best.Profile}-{unit.Unit}";
            for (var n = 2; !ids.Add(id); n++)
            {
                id = $"{best.Profile}-{unit.Unit}-{n}";
            }

            text.Append(CultureInfo.InvariantCulture, $"  - {{ id: {id}, profile: {best.Profile}, bus: {names[unit.Place]}, unit: {unit.Unit} }}   # fits {best.FitPercent} %\n");
        }

        return text.ToString();
    }
}
