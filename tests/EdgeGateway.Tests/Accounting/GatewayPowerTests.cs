using EdgeGateway.Core;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Site;
using EdgeGateway.Tests.LocalPath;

namespace EdgeGateway.Tests.Accounting;

/// <summary>The gateway's own electricity by a sensor of its supply.</summary>
public class GatewayPowerTests
{
    private const string Profile =
        """
        schema: edgegateway/device-profile/1
        id: supply
        kind: generic
        vendor: Test
        models: [M1]
        revision: 1
        title: { en: Sensor of the supply }
        sources:
          manual: { type: document, ref: Test manual }
        transport:
          modbus: { maxRegistersPerRead: 64 }
        defaults: { table: holding, wordOrder: high-first, poll: slow }
        poll: { fast: 1s, normal: 10s, slow: 60s }
        identify:
          - { point: power, min: 0, max: 80 }
        points:
          - { id: power, at: 0, type: float32, unit: W, role: electricity.power.active, source: [manual] }
          - { id: temperature, at: 2, type: float32, unit: Cel, role: gas.temperature, source: [manual] }
        selfTest:
          - { point: power, words: [16544, 0], value: 5 }
        """;

    private static readonly Instant Start = Rig.At("2026-03-01T08:00:00Z");

    private static (SiteModel? Model, IReadOnlyList<Problem> Problems) Load(string power) => SiteLoader.Load(
        new("gateway.yaml", $$"""
            schema: edgegateway/gateway/1
            site: { id: mine, timezone: Asia/Shanghai, region: CN-SX }
            gateway: { id: gw, power: 6 W }
            buses: [{ id: lan, type: modbus-tcp, host: 127.0.0.1 }]
            devices:
              - { id: box, profile: supply, bus: lan, unit: 1, carbon: [{ method: gateway-power, power: {{power}}, uncertaintyPercent: 2 }] }
            """),
        id => id == "supply" ? new("supply.yaml", Profile) : null);

    [Fact]
    public void Power_over_time_is_an_entry_beside_all_totals()
    {
        var (model, problems) = Load("power");
        Assert.True(model is not null, string.Join('\n', problems));
        Assert.Equal(6, model.OwnPowerWatts);
        var rig = new Rig(model);
        rig.Pipeline.Advance(Start);
        for (var m = 0; m <= 15; m++)
        {
            // 4 W, and 8 W from the tenth minute on; silent from the twelfth, so that a value holds for two minutes more.
            if (m <= 12)
            {
                rig.Value(model.Points.Single(p => p.Id == "power").Index, Start + TimeSpan.FromMinutes(m), m < 10 ? 4 : 8);
            }

            rig.Pipeline.Advance(Start + TimeSpan.FromMinutes(m) + TimeSpan.FromSeconds(2));
        }

        var entry = rig.Emissions.First(e => e.Method == "gateway-power");
        Assert.Equal((EmissionAccount.Device, 0, false), (entry.Account, entry.Scope, entry.CountsTowardSite));
        Assert.Equal(0.0012m, Math.Round(entry.ActivityKWh, 12)); // (4 x 10 + 8 x 4) W.min
        Assert.Equal(851L, entry.Milligrams); // 0.0012 x 0.7096 kg
        Assert.Equal(14 / 15.0, entry.Coverage, 9);
        Assert.DoesNotContain(rig.Emissions, e => e.Account != EmissionAccount.Device);
    }

    [Fact]
    public void Another_quantity_is_refused()
    {
        var (model, problems) = Load("temperature");
        Assert.Null(model);
        Assert.Contains(problems, p => p.ToString().Contains("cannot be the power", StringComparison.Ordinal));
    }
}
