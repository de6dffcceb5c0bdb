using EdgeGateway.Core.Configuration;

namespace EdgeGateway.Tests.Shared;

/// <summary>A plant with everything that a carbon account can be made of: registers of mass, volume, heat, energy and CO2, and gauges of gases.</summary>
internal static class PlantProfile
{
    public const string Text =
        """
        schema: edgegateway/device-profile/1
        id: plant
        kind: flow-meter
        vendor: Test
        models: [M1]
        revision: 1
        title: { en: Test plant }
        sources:
          manual: { type: document, ref: Test manual }
        transport:
          modbus: { maxRegistersPerRead: 64 }
        defaults: { table: holding, wordOrder: high-first, poll: slow }
        poll: { fast: 1s, normal: 10s, slow: 60s }
        identify:
          - { point: temperature, min: -40, max: 80 }
        points:
          - { id: volume, at: 0, type: uint32, unit: m3, role: fluid.volume.total, counter: { rolloverAt: width, resets: replace-only }, source: [manual] }
          - { id: mass, at: 2, type: uint32, unit: kg, role: conveyor.mass.total, counter: { rolloverAt: width, resets: replace-only }, source: [manual] }
          - { id: heat, at: 4, type: uint32, unit: MW.h, scale: 0.001, role: electricity.energy.active.total, counter: { rolloverAt: width, resets: replace-only }, source: [manual] }
          - { id: bought, at: 6, type: uint32, unit: kW.h, role: electricity.energy.active.import, counter: { rolloverAt: width, resets: replace-only }, carbon: { role: electricity_purchased, scope: 2 }, source: [manual] }
          - { id: flow, at: 10, type: float32, unit: m3/min, role: fluid.flow, source: [manual] }
          - { id: methane, at: 12, type: float32, unit: "%{vol}", role: gas.concentration.ch4, plausible: { min: 0, max: 100 }, source: [manual] }
          - { id: temperature, at: 14, type: float32, unit: Cel, role: gas.temperature, source: [manual] }
          - { id: gas_density, at: 18, type: float32, unit: kg/m3, role: switchgear.gas.density, source: [manual] }
          - { id: gas_pressure, at: 20, type: float32, unit: kPa, role: switchgear.gas.pressure, source: [manual] }
          - { id: gas_temperature, at: 22, type: float32, unit: Cel, role: switchgear.gas.temperature, source: [manual] }
          - { id: pressure, at: 16, type: float32, unit: kPa, role: gas.pressure, source: [manual] }
          - { id: flared, at: 24, type: float32, unit: m3/min, role: fluid.flow, source: [manual] }
          - { id: used, at: 26, type: float32, unit: m3/min, role: fluid.flow, source: [manual] }
          - { id: stack, at: 28, type: uint32, unit: kg, role: conveyor.mass.total, counter: { rolloverAt: width, resets: replace-only }, source: [manual] }
        selfTest:
          - { point: volume, words: [0, 7], value: 7 }
        """;

    public static SourceText Source => new("plant.yaml", Text);
}
