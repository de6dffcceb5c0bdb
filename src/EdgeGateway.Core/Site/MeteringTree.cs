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

                if (above.Model.Metering.Role == MeterRole.Transfer)
                {
                    problems.Error(place, $"the parent '{parent}' of '{id}' is a transfer: what is behind it is behind '{above.Model.Metering.To}'", $"Write 'parent: {above.Model.Metering.To}'");
                    continue;
                }
            }

            CheckTransfer(device, byId, problems);
            Climb(device, byId, problems);
        }
    }

    /// <summary>A tie has two ends, both of them other meters, and brings nothing from outside.</summary>
    private static void CheckTransfer(PlacedDevice device, Dictionary<string, PlacedDevice> byId, ProblemCollector problems)
    {
        var (id, metering) = (device.Model.Id, device.Model.Metering!);
        if (metering.Role != MeterRole.Transfer)
        {
            if (metering.To is not null)
            {
                problems.Error(device.Metering.At("to"), $"'{id}' is no transfer, and its energy arrives nowhere else", "Remove 'to', or write 'role: transfer'");
            }

            return;
        }

        if (metering.Parent is null || metering.To is not { } to)
        {
            problems.Error(device.Metering.Place, $"the transfer '{id}' needs the two meters between which it passes energy", "Write 'parent' (from which it takes) and 'to' (behind which it arrives)");
        }
        else if (!byId.TryGetValue(to, out var behind))
        {
            problems.Error(device.Metering.At("to"), $"the meter '{to}' behind which '{id}' brings energy does not exist", $"{Spelling.Hint(to, byId.Keys)}Write the id of a meter of the tree");
        }
        else if (to == id || to == metering.Parent || behind.Model.Metering is null or { Role: MeterRole.Transfer or MeterRole.Generator })
        {
            problems.Error(device.Metering.At("to"), $"'{id}' cannot bring energy behind '{to}'", "Write another meter of the tree than its parent: an incomer or a submeter");
        }

        if (metering.CountsTowardSite)
        {
            problems.Error(device.Metering.At("countsTowardSite"), $"the transfer '{id}' counts toward the site, but what it passes has come in elsewhere already", "Remove 'countsTowardSite'");
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
