using EdgeGateway.Core.Configuration;

namespace EdgeGateway.Core.Site;

/// <summary>Checks the tree of meters: parents exist, no circle, and no energy is counted twice.</summary>
internal static class MeteringTree
{
    public static void Check(IReadOnlyList<PlacedDevice> devices, ProblemCollector problems)
    {
        var byId = new Dictionary<string, PlacedDevice>();
        foreach (var device in devices)
        {
            byId.TryAdd(device.Model.Id, device);
        }

        foreach (var device in devices.Where(d => d.Model.Metering is not null))
        {
            var place = device.Metering.At("parent");
            var (id, metering) = (device.Model.Id, device.Model.Metering!);
            if (metering.Parent is { } parent)
            {
                if (!byId.TryGetValue(parent, out var above))
                {
                    problems.Error(place, $"the parent meter '{parent}' of '{id}' does not exist", $"{Spelling.Hint(parent, byId.Keys)}Write the id of the meter in front of it");
                    continue;
                }

                if (above.Model.Metering is null)
                {
                    problems.Error(place, $"the parent '{parent}' of '{id}' is not a meter of the tree", $"Add 'metering:' to the device '{parent}', or name another parent");
                    continue;
                }
            }

            Climb(device, byId, problems);
        }
    }

    private static void Climb(PlacedDevice device, Dictionary<string, PlacedDevice> byId, ProblemCollector problems)
    {
        var path = new List<string> { device.Model.Id };
        var current = device;
        while (current.Model.Metering?.Parent is { } parent && byId.TryGetValue(parent, out var above))
        {
            if (parent == device.Model.Id)
            {
                // Each member of the circle would find it; the first in the order of ids reports it.
                if (path.Order(StringComparer.Ordinal).First() == device.Model.Id)
                {
                    problems.Error(device.Metering.At("parent"), $"the meters form a circle: {string.Join(" -> ", path.Append(parent))}", "One of them is the root: remove its 'parent'");
                }

                return;
            }

            if (path.Contains(parent))
            {
                return; // A circle further up, reported there.
            }

            if (device.Model.Metering!.CountsTowardSite && above.Model.Metering is { CountsTowardSite: true })
            {
                problems.Error(device.Metering.At("countsTowardSite"), $"'{device.Model.Id}' and '{parent}' in front of it both count toward the site: the energy would be counted twice", $"Write 'countsTowardSite: false' for '{device.Model.Id}'");
                return;
            }

            path.Add(parent);
            current = above;
        }
    }
}
