using EdgeGateway.Core.Site;

namespace EdgeGateway.Hosting;

/// <summary>
/// Points are numbered by their configuration. The owner of a bus that goes on while another configuration comes into force keeps the numbers with which it began, and says in each
/// reading whose they are; here they become those in force.
/// </summary>
internal sealed class PointNumbers
{
    private readonly int _numbering;
    private readonly Dictionary<int, int[]> _maps = [];

    /// <summary>The numbers of a configuration.</summary>
    /// <param name="site">The configuration in force.</param>
    /// <param name="numbering">Its own numbering.</param>
    /// <param name="before">The configurations whose numbers readings may still carry, by numbering.</param>
    public PointNumbers(SiteModel site, int numbering, IEnumerable<(int Numbering, SiteModel Site)> before)
    {
        _numbering = numbering;
        foreach (var (number, other) in before)
        {
            _maps.TryAdd(number, Map(other, site));
        }
    }

    /// <summary>The point of a reading under the configuration in force; negative when it has none that is read in the same way.</summary>
    public int Of(in Reading reading) => reading.Numbering == _numbering ? reading.Point : _maps.TryGetValue(reading.Numbering, out var map) ? map[reading.Point] : -1;

    private static int[] Map(SiteModel from, SiteModel to)
    {
        var map = new int[from.Points.Count];
        Array.Fill(map, -1);
        var devices = to.Devices.ToDictionary(d => d.Id, StringComparer.Ordinal);
        foreach (var device in from.Devices)
        {
            if (devices.TryGetValue(device.Id, out var same) && PolledAlike.Device(from, device, to, same))
            {
                for (var i = 0; i < device.Points.Count; i++)
                {
                    map[device.Points[i]] = same.Points[i];
                }
            }
        }

        return map;
    }
}
