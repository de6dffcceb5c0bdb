using System.Text;
using EdgeGateway.Core.Configuration;
using EdgeGateway.Simulator;

namespace EdgeGateway.Integration.Gateway;

/// <summary>Configurations of load devices: <c>load000</c>, <c>load001</c> ..., 20 registers each, behind one TCP endpoint.</summary>
internal static class LoadSite
{
    public const int Registers = 20;

    /// <summary>The load devices' profile, polled every second.</summary>
    public static SourceText Profile { get; } = LoadDevice.Profile(Registers, TimeSpan.FromSeconds(1));

    /// <summary>What stands before the buses.</summary>
    public const string Head = """
        schema: edgegateway/gateway/1
        site: { id: test, timezone: UTC, region: CN }
        gateway: { id: gw-1 }
        storage: { directory: data, budget: 64MiB, commitWindow: 200ms, checkpoint: 2s }
        windows: [5s, 15s]
        health: off

        """;

    /// <summary>What stands after the devices.</summary>
    public const string Uplink = """
        uplinks:
          - { id: centre, type: mqtt, servers: ["mqtt://127.0.0.1:{broker}"] }

        """;

    /// <summary>A line for one load device.</summary>
    public static string Device(int number, string bus = "bus", string more = "") =>
        $"  - {{ id: load{number:000}, profile: {Profile.FileName[..^5]}, bus: {bus}, unit: {number + 1}, samples: all, metering: {{ role: incomer }}{more} }}\n";

    /// <summary>A whole configuration.</summary>
    /// <param name="devices">Number of load devices on the bus <c>bus</c>.</param>
    /// <param name="moreBuses">Further buses.</param>
    /// <param name="moreDevices">Further devices.</param>
    public static string Configuration(int devices, string moreBuses = "", string moreDevices = "")
    {
        var text = new StringBuilder(Head).Append("buses:\n  - { id: bus, type: modbus-tcp, host: 127.0.0.1, port: {bus}, timeout: 1s }\n").Append(moreBuses).Append("devices:\n");
        for (var i = 0; i < devices; i++)
        {
            text.Append(Device(i));
        }

        return text.Append(moreDevices).Append(Uplink).ToString();
    }
}
