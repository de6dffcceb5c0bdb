using EdgeGateway.Core;
using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Site;
using EdgeGateway.Core.Writing;

namespace EdgeGateway.Tests.Writing;

/// <summary>A drive with writable points of each kind, and a site that allows them.</summary>
internal static class WriteTexts
{
    public const string Profile = """
        schema: edgegateway/device-profile/1
        id: test-drive
        kind: drive
        vendor: Test
        models: [D1]
        revision: 1
        title: { en: Test drive }
        sources: { manual: { type: document, ref: Test manual } }
        transport: { modbus: { maxRegistersPerRead: 16 } }
        defaults: { table: holding, wordOrder: low-first }
        identify: [{ point: frequency, min: 0, max: 400 }]
        points:
          - { id: frequency, at: 0, type: uint16, scale: 0.01, unit: Hz, role: drive.frequency.output, source: [manual] }
          - { id: setpoint, at: 1, type: uint16, scale: 0.01, unit: Hz, role: drive.frequency.setpoint, access: read-write, write: { min: 0, max: 50, step: 0.1, safe: 5 }, source: [manual] }
          - { id: command, at: 2, type: uint16, role: device.command, enum: { 1: run, 5: stop }, access: read-write, write: { values: [run, stop], safe: stop }, source: [manual] }
          - { id: ramp, at: 3, type: float32, role: signal.analog, access: read-write, write: { min: 0.1, max: 600 }, source: [manual] }
          - { id: relay, at: 0, table: coil, type: bit, role: signal.digital.ch1, access: read-write, write: { safe: off, function: multiple }, source: [manual] }
          - { id: start, at: 9, type: uint16, role: signal.digital.ch2, enum: { 0: off, 1: on }, access: write-only, write: { values: [0, 1], readBack: { point: running, after: 200ms } }, source: [manual] }
          - { id: running, at: 10, type: uint16, role: signal.digital.ch3, source: [manual] }
        selfTest: [{ point: frequency, words: [5000], value: 50 }]
        """;

    public const string Gateway = """
        schema: edgegateway/gateway/1
        site: { id: s, timezone: UTC, region: CN-SX }
        gateway: { id: g }
        buses: [{ id: line, type: modbus-tcp, host: 127.0.0.1, port: 1502 }]
        devices:
          - { id: d1, profile: test-drive, bus: line, unit: 1, allowWrites: true }
          - { id: d2, profile: test-drive, bus: line, unit: 2 }
        """;

    public static (SiteModel? Model, IReadOnlyList<Problem> Problems) Load(string? gateway = null, string? profile = null) => SiteLoader.Load(
        new("gateway.yaml", gateway ?? Gateway), id => id == "test-drive" ? new SourceText("test-drive.yaml", profile ?? Profile) : null, null, ["test-drive"]);

    public static SiteModel Site(string? gateway = null, string? profile = null)
    {
        var (model, problems) = Load(gateway, profile);
        Assert.True(model is not null, string.Join("\n", problems));
        return model;
    }

    public static WriteRequest Ask(string point, string value, TimeSpan? hold = null, string device = "d1") => new(device, point, value, hold, "test", "maria (uid 1000)");
}
