using EdgeGateway.Box;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using EdgeGateway.Scanning;

namespace EdgeGateway.Setup;

/// <summary>The health of this computer as a device of the site.</summary>
internal static class ComputerSetup
{
    private const string BusId = "computer";
    private const string Board = "/proc/device-tree/model";
    private const string Remark = "the health of this computer: docs/box.md";

    /// <summary>The line of the bus.</summary>
    public static string Bus => $"  - {{ id: {BusId}, type: box }}\n";

    /// <summary>The line of the device: the profile for this board, without the points that this computer does not show.</summary>
    /// <param name="library">All profiles.</param>
    /// <param name="taken">Ids of other devices.</param>
    public static string Device(IReadOnlyList<DeviceProfile> library, HashSet<string> taken)
    {
        var isPi = File.Exists(Board) && File.ReadAllText(Board).StartsWith("Raspberry Pi", StringComparison.Ordinal);
        var profile = isPi ? "raspberry-pi" : "generic-linux-computer";
        var box = new BoxBus { Id = BusId, Timeout = TimeSpan.FromSeconds(1), Inputs = BoxBus.Everything, Disk = Environment.CurrentDirectory };
        var absent = BoxHealth.NotShown(box).Select(n => n.Input.Number).ToHashSet();
        var off = library.First(p => p.Id == profile).Points
            .Where(p => absent.Contains((p.Encoding.Address / LocalInput.BlockLength) + 1))
            .Select(p => $"{p.Id}: {{ poll: off }}")
            .ToArray();
        var id = taken.Contains("gateway-computer") ? ScanYaml.DeviceId("gateway-computer", BoxBus.OnlyUnit, taken) : "gateway-computer";
        return ScanYaml.Device(id, profile, BusId, BoxBus.OnlyUnit, off.Length > 0 ? $", points: {{ {string.Join(", ", off)} }}" : "", Remark);
    }
}
