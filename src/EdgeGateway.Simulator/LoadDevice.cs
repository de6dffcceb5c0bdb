using System.Globalization;
using System.Text;
using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using EdgeGateway.Simulator.Signals;

namespace EdgeGateway.Simulator;

/// <summary>A made-up device of any size for load and kill tests: its values can be recomputed from the second in which they were read.</summary>
/// <remarks>
/// Holding registers, high word first: 0 <c>seq</c>, uint32, seconds since the Unix epoch; 2 <c>energy</c>, uint64, W.h, a counter with the
/// same exact ledger as every meter; from 6 on <c>v00006</c>, <c>v00008</c> ..., float32, <see cref="Wave"/> of (seq, address). Profile and
/// site are texts in the format of every other profile and site, so that the same files feed the gateway under test.
/// </remarks>
public static class LoadDevice
{
    /// <summary>Fewest registers: the sequence, the counter and nothing else.</summary>
    public const int MinRegisters = 6;

    private const string IdPrefix = "edgegateway-load-";

    /// <summary>The value at <paramref name="address"/> in the second <paramref name="sequence"/>: a multiple of 0.125 below 500, exact in a float32.</summary>
    public static double Wave(long sequence, int address) => ((sequence * 7) + (address * 13)) % 4000 * 0.125;

    /// <summary>Id of the profile with this many registers; its file is <c>energy-meter/&lt;id&gt;.yaml</c>.</summary>
    public static string ProfileId(int registers) => $"{IdPrefix}{registers}";

    /// <summary>The profile as a file.</summary>
    /// <param name="registers">Number of registers: even, at least <see cref="MinRegisters"/>.</param>
    /// <param name="period">Time between two polls of each point, in whole milliseconds.</param>
    /// <param name="singles">Whether the values are uint16 of one register each, in steps of 0.125, instead of float32.</param>
    /// <exception cref="ArgumentOutOfRangeException">Too few registers, too many, or an odd number.</exception>
    public static SourceText Profile(int registers, TimeSpan period, bool singles = false)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(registers, MinRegisters);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(registers, 30_000);
        ArgumentOutOfRangeException.ThrowIfNotEqual(registers % 2, 0);
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $$"""
            schema: edgegateway/device-profile/1
            id: {{ProfileId(registers)}}
            kind: energy-meter
            vendor: EdgeGateway
            models: [load]
            revision: 1
            title: { en: Load device with {{registers}} registers }
            sources:
              code: { type: code, ref: src/EdgeGateway.Simulator/LoadDevice.cs }
            transport:
              modbus: { maxRegistersPerRead: 125, mayReadGaps: true }
            defaults: { table: holding, wordOrder: high-first, poll: fast }
            poll: { fast: {{(long)period.TotalMilliseconds}}ms }
            identify:
              - { point: seq, min: 1, max: 4294967295 }
            points:
              - { id: seq, at: 0, type: uint32, role: signal.analog, source: [code] }
              - { id: energy, at: 2, type: uint64, unit: W.h, role: electricity.energy.active.import, counter: { rolloverAt: none, resets: replace-only }, carbon: { role: electricity_purchased, scope: 2 }, source: [code] }

            """);
        for (var address = MinRegisters; address < registers; address += singles ? 1 : 2)
        {
            var type = singles ? "uint16, scale: 0.125" : "float32";
            text.Append(CultureInfo.InvariantCulture, $"  - {{ id: v{address:00000}, at: {address}, type: {type}, role: signal.analog, source: [code] }}\n");
        }

        text.Append("selfTest:\n  - { point: seq, words: [1, 2], value: 65538 }\n");
        return new SourceText($"{ProfileId(registers)}.yaml", text.ToString());
    }

    /// <summary>A site of load devices as a <c>gateway.yaml</c>: every device an incomer of its own.</summary>
    /// <param name="devices">Number of devices: <c>load000</c>, <c>load001</c> ...</param>
    /// <param name="registers">Registers of each.</param>
    /// <param name="devicesPerBus">Unit ids behind one TCP endpoint, 1 to 247.</param>
    /// <param name="firstPort">TCP port of the first bus on loopback; the others follow.</param>
    /// <param name="mqttServer">Where to publish, such as <c>mqtt://127.0.0.1:1883</c>; null for nowhere.</param>
    /// <param name="publishSamples">Whether every sample is published, or summaries only.</param>
    /// <param name="storageDirectory">Where a gateway that runs this site keeps its store.</param>
    public static SourceText Gateway(
        int devices,
        int registers,
        int devicesPerBus = 1,
        int firstPort = 15_020,
        string? mqttServer = null,
        bool publishSamples = false,
        string storageDirectory = "data")
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(devices, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(devicesPerBus, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(devicesPerBus, 247);
        var buses = new StringBuilder();
        var list = new StringBuilder();
        for (var i = 0; i < devices; i++)
        {
            var bus = i / devicesPerBus;
            if (i % devicesPerBus == 0)
            {
                buses.Append(CultureInfo.InvariantCulture, $"  - {{ id: bus{bus:000}, type: modbus-tcp, host: 127.0.0.1, port: {firstPort + bus}, timeout: 1s }}\n");
            }

            list.Append(CultureInfo.InvariantCulture, $"  - {{ id: load{i:000}, profile: {ProfileId(registers)}, bus: bus{bus:000}, unit: {(i % devicesPerBus) + 1}, samples: {(publishSamples ? "all" : "none")}, metering: {{ role: incomer }} }}\n");
        }

        return new SourceText("gateway.yaml", $$"""
            schema: edgegateway/gateway/1
            site: { id: load, name: Load test, timezone: UTC, region: CN }
            gateway: { id: load-gateway }
            storage: { directory: "{{storageDirectory}}" }
            health: off
            buses:
            {{buses}}devices:
            {{list}}{{(mqttServer is null ? "" : $"uplinks:\n  - {{ id: centre, type: mqtt, servers: [\"{mqttServer}\"] }}\n")}}
            """);
    }

    /// <summary>The same site, loaded.</summary>
    /// <param name="devices">Number of devices.</param>
    /// <param name="registers">Registers of each.</param>
    /// <param name="period">Time between two polls.</param>
    /// <param name="devicesPerBus">Unit ids behind one TCP endpoint.</param>
    /// <param name="firstPort">TCP port of the first bus on loopback; the others follow.</param>
    public static SiteModel Site(int devices, int registers, TimeSpan period, int devicesPerBus = 1, int firstPort = 15_020)
    {
        var (model, problems) = SiteLoader.Load(Gateway(devices, registers, devicesPerBus, firstPort), id => id == ProfileId(registers) ? Profile(registers, period) : null);
        return model ?? throw new ArgumentOutOfRangeException(nameof(devices), devices, string.Join('\n', problems));
    }

    /// <summary>Whether a profile is one of these.</summary>
    internal static bool Owns(DeviceProfile profile) => profile.Id.StartsWith(IdPrefix, StringComparison.Ordinal);

    /// <summary>What a point of such a profile shows.</summary>
    internal static Signal SignalOf(PointModel point) =>
        point.Kind == PointKind.Counter ? new(Quantity.ActiveEnergyImport) : point.Id == "seq" ? new(Quantity.Sequence) : new(Quantity.Wave);
}
