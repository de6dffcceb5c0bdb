using EdgeGateway.Core;
using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Site;

namespace EdgeGateway.Tests.Configuration;

/// <summary>Small valid texts that tests change in one place.</summary>
internal static class Texts
{
    public const string Gateway = """
        schema: edgegateway/gateway/1
        site: { id: shaft-3, name: Shaft 3, timezone: Asia/Shanghai, region: CN-SX }
        gateway: { id: gw-01 }
        buses:
          - { id: lv-room, type: modbus-tcp, host: 127.0.0.1, port: 1502 }
          - { id: line-1, type: modbus-rtu, port: /dev/ttyUSB0, baud: 9600 }
        devices:
          - { id: incomer, profile: test-meter, bus: lv-room, unit: 1, metering: { role: incomer } }
          - { id: fan, profile: test-meter, bus: line-1, unit: 1, metering: { role: submeter, parent: incomer } }
        uplinks:
          - { id: centre, type: mqtt, servers: ["mqtt://127.0.0.1:1883"] }
        """;

    public const string Profile = """
        schema: edgegateway/device-profile/1
        id: test-meter
        kind: energy-meter
        vendor: Test
        models: [M1]
        revision: 1
        title: { en: Test meter }
        sources:
          manual: { type: document, ref: Test manual }
        transport:
          modbus: { maxRegistersPerRead: 64 }
        defaults: { table: holding, wordOrder: high-first }
        poll: { fast: 1s, normal: 10s, slow: 60s }
        identify:
          - { point: frequency, min: 45, max: 65 }
        points:
          - { id: frequency, at: 10, type: uint16, scale: 0.01, unit: Hz, role: electricity.frequency, plausible: { min: 45, max: 65 }, source: [manual] }
          - { id: voltage, perPhase: [l1_n, l2_n, l3_n], at: 0, stride: 2, type: uint32, scale: 0.1, unit: V, role: electricity.voltage, applies: [pt], invalid: 0xFFFFFFFF, plausible: { min: 0, max: 500 }, alarm: { low: 207, high: 253, holdFor: 10s }, source: [manual] }
          - { id: active_power_total, at: 12, type: int32, scale: 0.01, unit: W, role: electricity.power.active, applies: [ct, pt], poll: fast, anomaly: { method: robust-z, stuckFor: 10m }, source: [manual] }
          - { id: active_energy_import_total, at: 20, type: uint32, scale: 0.01, unit: kW.h, role: electricity.energy.active.import, applies: [ct, pt], poll: slow, counter: { rolloverAt: width, resets: replace-only, maxRate: { value: 50, unit: kW } }, carbon: { role: electricity_purchased, scope: 2 }, source: [manual] }
        selfTest:
          - { point: frequency, words: [5000], value: 50 }
        """;

    public static (SiteModel? Model, IReadOnlyList<Problem> Problems) Load(string gateway, string? profile = null, IReadOnlySet<string>? regions = null) =>
        SiteLoader.Load(
            new("gateway.yaml", gateway),
            id => id == "test-meter" ? new SourceText("test-meter.yaml", profile ?? Profile) : null,
            regions,
            ["test-meter"]);

    /// <summary>The text with one passage exchanged; fails when the passage is not there.</summary>
    public static string With(this string text, string passage, string replacement)
    {
        Assert.Contains(passage, text, StringComparison.Ordinal);
        return text.Replace(passage, replacement, StringComparison.Ordinal);
    }
}
