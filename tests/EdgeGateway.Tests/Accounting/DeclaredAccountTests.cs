using EdgeGateway.Core;
using EdgeGateway.Core.Accounting;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Ledger;
using EdgeGateway.Core.Site;
using EdgeGateway.Tests.LocalPath;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Tests.Accounting;

/// <summary>Carbon accounts that a site declares in gateway.yaml: from the text to the entries.</summary>
public class DeclaredAccountTests
{
    private static readonly Instant Start = Rig.At("2026-03-01T08:00:00Z");

    private static (SiteModel? Model, IReadOnlyList<Problem> Problems) Load(string carbon, FactorSet? factors = null, string more = "") => SiteLoader.Load(
        new("gateway.yaml", $$"""
            schema: edgegateway/gateway/1
            site: { id: mine, timezone: Asia/Shanghai, region: CN-SX }
            gateway: { id: gw }
            buses: [{ id: lan, type: modbus-tcp, host: 127.0.0.1 }]
            devices:
              - id: plant
                profile: plant
                bus: lan
                unit: 1
                carbon:
                  - {{carbon}}
                {{more}}
            """),
        id => id == "plant" ? PlantProfile.Source : null,
        factors: factors);

    private static Rig Begin(string carbon)
    {
        var (model, problems) = Load(carbon);
        Assert.True(model is not null, string.Join('\n', problems));
        var rig = new Rig(model);
        rig.Pipeline.Advance(Start);
        return rig;
    }

    /// <summary>Ends the configuration of a rig and goes on under another.</summary>
    private static Rig Reconfigure(Rig rig, Instant end, string carbon)
    {
        rig.Pipeline.Close(end);
        var writer = new Core.State.StateWriter();
        rig.Pipeline.SaveBaselines(writer);
        var (model, problems) = Load(carbon);
        Assert.True(model is not null, string.Join('\n', problems));
        var next = new Rig(model);
        var reader = new Core.State.StateReader(writer.Written.Span);
        next.Pipeline.LoadBaselines(ref reader);
        Assert.True(reader.AtEnd);
        return next;
    }

    private static EmissionRecord[] Entries(Rig rig, string method) => [.. rig.Emissions.Where(e => e.Method == method)];

    /// <summary>A register that grows by a step each minute, to the end of the first interval: 14 steps are in it.</summary>
    private static EmissionRecord Count(string carbon, string method, string point, uint step)
    {
        var rig = Begin(carbon);
        var index = rig.Site.Points.Single(p => p.Id == point).Index;
        for (var m = 0; m <= 15; m++)
        {
            rig.Raw(index, Start + TimeSpan.FromMinutes(m), 1000 + ((ulong)m * step));
            rig.Pipeline.Advance(Start + TimeSpan.FromMinutes(m) + TimeSpan.FromSeconds(2));
        }

        return Entries(rig, method)[0];
    }

    [Fact]
    public void A_gas_meter_makes_entries_of_burnt_gas()
    {
        var entry = Count("{ method: fuel-combustion, activity: volume, fuel: cn-natural-gas, volumeAt: 20C, uncertaintyPercent: 1.5, factorUncertaintyPercent: 2 }", "fuel-combustion", "volume", 10);

        // 140 m3 at 20 Celsius; 389.31 GJ/10^4 Nm3 x 0.01532 t/GJ x 99 % x 44/12
        var kg = 140m * 273.15m / 293.15m * 389.31m / 10_000 * 0.01532m * 0.99m * 44 / 12 * 1000;
        Assert.Equal((long)(kg * 1_000_000), entry.Milligrams);
        Assert.Equal((1, "cn-guideline/fuel.cn-natural-gas", null, 2.5), (entry.Scope, entry.FactorId, entry.FactorNote, entry.UncertaintyPercent));
        Assert.Equal((140m, "m3", "CO2", null, null), (entry.Detail!.Activity, entry.Detail.ActivityUnit, entry.Detail.Gas, entry.Detail.GwpSet, entry.Detail.RemovedMilligrams));
        Assert.Equal(entry.Milligrams, (long)(entry.Detail.Activity * entry.Detail.Factor * 1_000_000));
        Assert.Equal((0m, 0m, 1d, true), (entry.ActivityKWh, entry.FactorKgPerKWh, entry.Coverage, entry.CountsTowardSite));
        Assert.Equal((1000m, 1140m, 1140UL), (entry.StartReading, entry.EndReading, entry.EndRaw));
    }

    [Fact]
    public void Oil_by_the_IPCC_defaults_without_a_stated_uncertainty_states_none()
    {
        var entry = Count("{ method: fuel-combustion, activity: mass, fuel: ipcc-residual-fuel-oil }", "fuel-combustion", "mass", 100);
        Assert.Equal((1.4m, "t", 4_377_744_000L), (entry.Detail!.Activity, entry.Detail.ActivityUnit, entry.Milligrams)); // case F-08 scaled: 1.4 t of 3.12696 t/t
        Assert.True(double.IsNaN(entry.UncertaintyPercent));
    }

    [Fact]
    public void Coal_by_measured_carbon_goes_before_any_default()
    {
        var entry = Count("{ method: fuel-combustion, activity: mass, measured: { carbonPercent: 55.32, oxidationPercent: 99, uncertaintyPercent: 3, source: lab-2026-02 }, uncertaintyPercent: 4 }", "fuel-combustion", "mass", 1000);
        Assert.Equal(("site/lab-2026-02", 5d), (entry.FactorId, entry.UncertaintyPercent));
        Assert.Equal((long)(14 * 0.5532m * 0.99m * 44 / 12 * 1_000_000_000), entry.Milligrams);
    }

    [Fact]
    public void A_heat_meter_makes_entries_of_bought_heat()
    {
        var entry = Count("{ method: heat-purchased, activity: heat }", "heat-purchased", "heat", 100);
        Assert.Equal((2, 5.04m, "GJ", 554_400_000L, "CN for CN-SX"), (entry.Scope, entry.Detail!.Activity, entry.Detail.ActivityUnit, entry.Milligrams, entry.FactorNote)); // 1.4 MWh, 110 kg/GJ
    }

    [Fact]
    public void Injected_CO2_is_a_removal_and_no_emission()
    {
        var entry = Count("{ method: co2-injected, activity: mass, purityPercent: 98, uncertaintyPercent: 1 }", "co2-injected", "mass", 50);
        Assert.Equal((0, 0L, 686_000_000L, 1d), (entry.Scope, entry.Milligrams, entry.Detail!.RemovedMilligrams, entry.UncertaintyPercent));
    }

    [Fact]
    public void What_a_sink_absorbs_is_a_removal() =>
        Assert.Equal((0L, 700_000_000L), (Count("{ method: sink-absorption, activity: mass }", "sink-absorption", "mass", 50) is var e ? e.Milligrams : -1, e.Detail!.RemovedMilligrams));

    [Fact]
    public void What_leaks_from_a_store_is_an_emission() =>
        Assert.Equal(700_000_000L, Count("{ method: co2-leaked, activity: mass }", "co2-leaked", "mass", 50).Milligrams);

    [Fact]
    public void Mined_coal_makes_entries_of_post_mining_methane()
    {
        var entry = Count("{ method: post-mining-methane, activity: mass, factor: underground-post-mining.average, gwp: AR5, gas: CH4 }", "post-mining-methane", "mass", 1_000);
        Assert.Equal((14m, 656_600_000L, "CH4", "AR5"), (entry.Detail!.Activity, entry.Milligrams, entry.Detail.Gas, entry.Detail.GwpSet)); // 14 t x 2.5 m3/t x 0.67 x 28
    }

    [Fact]
    public void A_factor_that_has_run_out_leaves_the_activity_and_says_why_the_mass_is_unknown()
    {
        var (set, _) = FactorSetLoader.Load(new("set.yaml", """
            schema: edgegateway/factors/1
            id: old
            version: 1
            title: A set that ends with 2025
            sources:
              grid: { text: t }
              heat-2025: { text: t, from: "2025-01-01T00:00:00+08:00", to: "2026-01-01T00:00:00+08:00" }
            regions: { CN-SX: { name: Shanxi } }
            factors:
              - { of: electricity, region: CN-SX, source: grid, value: 0.7, unit: kg/(kW.h), status: unverified }
              - { of: heat, source: heat-2025, value: 110, unit: kg/GJ, status: unverified }
            """));
        var rig = new Rig(Load("{ method: heat-purchased, activity: heat }", set).Model!, factors: set);
        rig.Pipeline.Advance(Start);
        var index = rig.Site.Points.Single(p => p.Id == "heat").Index;
        rig.Raw(index, Start, 1000).Raw(index, Start + TimeSpan.FromMinutes(14), 2000);
        rig.Pipeline.Advance(Start + TimeSpan.FromSeconds(902));
        var entry = Entries(rig, "heat-purchased")[0];
        Assert.Equal((3.6m, 0L, 0d, "none", 1m, 2m), (entry.Detail!.Activity, entry.Milligrams, entry.Coverage, entry.FactorId, entry.StartReading, entry.EndReading));
        Assert.Contains("has no 'heat' that holds at 2026-03-01T08:00:00.000Z", entry.FactorNote, StringComparison.Ordinal);
        Assert.True(double.IsNaN(entry.UncertaintyPercent));
    }

    [Fact]
    public void Electricity_of_the_same_device_is_accounted_as_before_and_its_entry_has_no_detail()
    {
        var rig = Begin("{ method: sink-absorption, activity: mass }");
        var index = rig.Site.Points.Single(p => p.Id == "bought").Index;
        rig.Raw(index, Start, 1000).Raw(index, Start + TimeSpan.FromMinutes(14), 1010);
        rig.Pipeline.Advance(Start + TimeSpan.FromSeconds(902));
        var entry = Entries(rig, "electricity-purchased")[0];
        Assert.Equal((10m, 7_096_000L, null), (entry.ActivityKWh, entry.Milligrams, entry.Detail));
    }

    [Fact]
    public void The_fuel_of_a_generator_is_counted_and_its_electricity_is_not_counted_again()
    {
        var rig = new Rig(Load("{ method: fuel-combustion, activity: mass, fuel: cn-diesel }", more: "metering: { role: generator }").Model!);
        rig.Pipeline.Advance(Start);
        int Index(string id) => rig.Site.Points.Single(p => p.Id == id).Index;
        for (var m = 0; m <= 15; m++)
        {
            rig.Raw(Index("mass"), Start + TimeSpan.FromMinutes(m), 1000 + (ulong)m).Raw(Index("bought"), Start + TimeSpan.FromMinutes(m), 1000 + (4 * (ulong)m));
            rig.Pipeline.Advance(Start + TimeSpan.FromMinutes(m) + TimeSpan.FromSeconds(2));
        }

        var burnt = Entries(rig, "fuel-combustion")[0];
        Assert.Equal((0.014m, true), (burnt.Detail!.Activity, burnt.Milligrams > 0));
        var made = rig.Emissions.Single(e => e.Account == EmissionAccount.Device && e.Method != "fuel-combustion" && e.Start == Start);
        Assert.Equal((56m, 0L, 0), (made.ActivityKWh, made.Milligrams, made.Scope));
        Assert.Equal(burnt.Milligrams, rig.Emissions.Where(e => e.Account == EmissionAccount.Site && e.Start == Start).Sum(e => e.Milligrams));
    }

    [Fact]
    public void A_jump_above_the_rated_power_is_told_and_no_energy_is_invented_or_lost_by_it()
    {
        var rig = new Rig(Load("{ method: sink-absorption, activity: mass }", more: "ratedPower: 40kW").Model!);
        rig.Pipeline.Advance(Start);
        var index = rig.Site.Points.Single(p => p.Id == "bought").Index;
        for (var m = 0; m <= 46; m++)
        {
            // 20 kW; once a reading that no meter of 40 kW can show.
            rig.Raw(index, Start + TimeSpan.FromMinutes(m), m == 20 ? 900_000 : 1000 + ((ulong)m / 3));
            rig.Pipeline.Advance(Start + TimeSpan.FromMinutes(m) + TimeSpan.FromSeconds(2));
        }

        var entries = Entries(rig, "electricity-purchased").Where(e => e.Account == EmissionAccount.Device).ToList();
        Assert.Equal(3, entries.Count);
        Assert.Equal([4m, 5m, 5m], entries.Select(e => e.ActivityKWh));
        Assert.Equal((1000m, 1014m), (entries[0].StartReading, entries[2].EndReading));
        var told = rig.Anomalies.Where(a => a.Detector == "counter-jump").ToList();
        Assert.Equal([true, false], told.Select(a => a.Raised));
        Assert.Contains("grew by 898994 kWh", told[0].Text, StringComparison.Ordinal);
    }

    private const string Shaft = "{ method: mine-methane, flow: flow, methane: methane, temperature: temperature, pressure: pressure, gwp: AR6, uncertaintyPercent: 6 }";

    /// <summary>Feeds the four gauges of the shaft each minute.</summary>
    private static Rig Ventilate(Func<int, (double Flow, double Methane)?> at, int minutes = 15)
    {
        var rig = Begin(Shaft);
        int Index(string id) => rig.Site.Points.Single(p => p.Id == id).Index;
        for (var m = 0; m <= minutes; m++)
        {
            var time = Start + TimeSpan.FromMinutes(m);
            if (at(m) is var (flow, methane))
            {
                rig.Value(Index("flow"), time, flow).Value(Index("methane"), time, methane).Value(Index("temperature"), time, 31).Value(Index("pressure"), time, 92.1);
            }

            rig.Pipeline.Advance(time + TimeSpan.FromSeconds(2));
        }

        return rig;
    }

    [Fact]
    public void Methane_of_a_shaft_is_the_integral_of_flow_and_concentration_at_20_Celsius()
    {
        var entry = Entries(Ventilate(_ => (10_000, 0.5)), "mine-methane")[0];
        var m3 = 15 * 10_000m * 0.005m * 293.15m * 92_100 / (304.15m * 101_325);
        Assert.Equal((double)m3, (double)entry.Detail!.Activity, 9);
        Assert.Equal((double)(m3 * 0.67m * 29.8m * 1_000_000), entry.Milligrams, 0);
        Assert.Equal((1, "m3", "CH4_fossil", "AR6", 1d), (entry.Scope, entry.Detail.ActivityUnit, entry.Detail.Gas, entry.Detail.GwpSet, entry.Coverage));
    }

    [Fact]
    public void Flow_and_concentration_that_move_together_are_not_multiplied_as_means()
    {
        var entry = Entries(Ventilate(m => m % 2 == 0 ? (20_000, 1) : (0, 0)), "mine-methane")[0];
        var m3 = 8 * 20_000m * 0.01m * 293.15m * 92_100 / (304.15m * 101_325); // half of it if made from means
        Assert.Equal((double)m3, (double)entry.Detail!.Activity, 9);
    }

    [Fact]
    public void A_time_in_which_one_of_them_is_not_known_is_missing_coverage_and_no_zero()
    {
        var entry = Entries(Ventilate(m => m < 5 ? (10_000, 0.5) : null), "mine-methane")[0];
        Assert.Equal(6 * 60 / 900.0, entry.Coverage); // minute 0 to 4, held for two periods
        Assert.Equal((double)(6 * 50m * 293.15m * 92_100 / (304.15m * 101_325)), (double)entry.Detail!.Activity, 9);
    }

    [Fact]
    public void A_concentration_that_cannot_be_is_not_counted()
    {
        var entry = Entries(Ventilate(m => (10_000, m == 7 ? 140 : 0.5)), "mine-methane")[0];
        Assert.Equal(14 * 60 / 900.0, entry.Coverage);
    }

    [Fact]
    public void A_restart_in_the_middle_changes_nothing()
    {
        var whole = Ventilate(m => (10_000 + (137 * m), 0.5 + (0.01 * m)), 31);
        var first = Begin(Shaft);
        var second = Begin(Shaft);
        int Index(string id) => first.Site.Points.Single(p => p.Id == id).Index;
        for (var m = 0; m <= 31; m++)
        {
            var rig = m < 8 ? first : second;
            if (m == 8)
            {
                second.Load(first.Save());
            }

            var time = Start + TimeSpan.FromMinutes(m);
            rig.Value(Index("flow"), time, 10_000 + (137 * m)).Value(Index("methane"), time, 0.5 + (0.01 * m)).Value(Index("temperature"), time, 31).Value(Index("pressure"), time, 92.1);
            rig.Pipeline.Advance(time + TimeSpan.FromSeconds(2));
        }

        Assert.Equal(2, Entries(second, "mine-methane").Length);
        Assert.Equal(Entries(whole, "mine-methane"), Entries(second, "mine-methane"));
    }

    /// <summary>Watches a compartment of 1.25 m3 once every ten minutes.</summary>
    private static EmissionRecord[] Watch(int days, string gauges, Action<Rig, Func<string, int>, Instant, double> feed)
    {
        var rig = Begin($"{{ method: sf6-leak, {gauges}, volume: 1.25, gwp: AR6 }}");
        int Index(string id) => rig.Site.Points.Single(p => p.Id == id).Index;
        for (var m = 0; m < days * 24 * 6; m++)
        {
            var time = Start + TimeSpan.FromMinutes(10 * m);
            feed(rig, Index, time, m / 144.0);
            rig.Pipeline.Advance(time + TimeSpan.FromSeconds(2));
        }

        return Entries(rig, "sf6-leak");
    }

    [Fact]
    public void A_leaking_compartment_is_counted_from_its_first_reading_once_the_leak_is_shown()
    {
        var entries = Watch(40, "density: gas_density", (rig, index, time, day) => rig.Value(index("gas_density"), time, 38 - (0.004 * day) + ((int)day % 2 * 0.0002)));
        var kilograms = entries.Sum(e => e.Detail!.Activity);
        Assert.InRange((double)kilograms, 1.25 * 0.004 * 39 * 0.98, 1.25 * 0.004 * 40 * 1.02);
        Assert.InRange(entries.Sum(e => e.Milligrams), (long)(kilograms * 25_200m * 1_000_000) - 1, (long)(kilograms * 25_200m * 1_000_000));
        Assert.All(entries.Take(14 * 96), e => Assert.Equal((0m, double.NaN), (e.Detail!.Activity, e.UncertaintyPercent)));
        Assert.InRange(entries[^1].UncertaintyPercent, 0.01, 5);
        Assert.Equal((1, "kg", "SF6", "AR6", "ipcc-ar6/gwp.AR6.SF6"), (entries[^1].Scope, entries[^1].Detail!.ActivityUnit, entries[^1].Detail!.Gas, entries[^1].Detail!.GwpSet, entries[^1].FactorId));
    }

    [Fact]
    public void A_tight_compartment_loses_nothing_when_pressure_follows_the_temperature()
    {
        var entries = Watch(30, "pressure: gas_pressure, temperature: gas_temperature", (rig, index, time, day) =>
        {
            // Two states of one density, 37.97 kg/m3, in turn from day to day (case X-11), and slowly between them.
            var share = (1 - Math.Cos(Math.PI * day)) / 2;
            rig.Value(index("gas_pressure"), time, 600 - (32.7 * share)).Value(index("gas_temperature"), time, 20 - (13 * share));
        });
        Assert.All(entries, e => Assert.Equal(0, e.Milligrams));
        Assert.True(entries[50].Coverage > 0);
    }

    [Fact]
    public void A_refilled_compartment_begins_anew_and_what_was_counted_stays()
    {
        var entries = Watch(45, "density: gas_density", (rig, index, time, day) => rig.Value(index("gas_density"), time, (day < 20 ? 38 : 40) - (0.004 * day) + ((int)day % 2 * 0.0002)));
        Assert.InRange((double)entries.Sum(e => e.Detail!.Activity), 1.25 * 0.004 * 40, 1.25 * 0.004 * 45);
        Assert.All(entries, e => Assert.True(e.Milligrams >= 0));
    }

    [Fact]
    public void Carbon_of_biomass_is_an_amount_of_its_own_in_the_entry()
    {
        var whole = Count("{ method: fuel-combustion, activity: mass, fuel: ipcc-residual-fuel-oil }", "fuel-combustion", "mass", 100);
        var entry = Count("{ method: fuel-combustion, activity: mass, fuel: ipcc-residual-fuel-oil, biogenicPercent: 25 }", "fuel-combustion", "mass", 100);
        Assert.Equal((whole.Milligrams * 3 / 4, whole.Milligrams / 4), (entry.Milligrams, entry.Detail!.BiogenicMilligrams));
        Assert.Null(whole.Detail!.BiogenicMilligrams);
    }

    [Fact]
    public void What_is_declared_is_in_a_total_of_its_own_and_never_in_that_of_electricity()
    {
        var rig = Begin("{ method: co2-leaked, activity: mass }\n      - { method: heat-purchased, activity: heat }");
        int Index(string id) => rig.Site.Points.Single(p => p.Id == id).Index;
        for (var m = 0; m <= 15; m++)
        {
            var time = Start + TimeSpan.FromMinutes(m);
            rig.Raw(Index("mass"), time, 1000 + ((ulong)m * 50)).Raw(Index("heat"), time, 1000 + ((ulong)m * 100)).Raw(Index("bought"), time, 1000 + (ulong)m);
            rig.Pipeline.Advance(time + TimeSpan.FromSeconds(2));
        }

        EmissionRecord Site(string total) => rig.Emissions.First(e => e.Account == EmissionAccount.Site && e.Method == total);
        Assert.Equal((1, 700_000_000L, "co2-leaked"), (Site("scope-1").Scope, Site("scope-1").Milligrams, Entries(rig, "co2-leaked")[0].Method));
        Assert.Equal((2, 554_400_000L), (Site("heat-purchased").Scope, Site("heat-purchased").Milligrams));
        Assert.All(rig.Emissions.Where(e => e.Account == EmissionAccount.Site), e => Assert.True(e.CountsTowardSite && e.Device == -1));
    }

    private const string Market =
        "{ method: electricity-market, activity: bought, instruments: [{ name: wind-1, kWh: 20, from: \"2026-01-01T00:00:00Z\", to: \"2026-03-01T08:45:00Z\" }, { name: hydro, kWh: 5, kgPerKWh: 0.01, from: \"2026-01-01T00:00:00Z\", to: \"2027-01-01T00:00:00Z\" }] }";

    private static Rig Buy(Rig rig, int from, int to)
    {
        var index = rig.Site.Points.Single(p => p.Id == "bought").Index;
        for (var m = from; m <= to; m++)
        {
            rig.Raw(index, Start + TimeSpan.FromMinutes(m), 1000 + (ulong)m);
            rig.Pipeline.Advance(Start + TimeSpan.FromMinutes(m) + TimeSpan.FromSeconds(2));
        }

        return rig;
    }

    [Fact]
    public void Market_based_electricity_uses_instruments_up_in_order_and_the_rest_is_at_the_residual_mix()
    {
        var rig = Buy(Begin(Market), 0, 45);
        var entries = Entries(rig, "electricity-market").Where(e => e.Account == EmissionAccount.Device).ToList();

        // 14, 15 and 15 kWh: 20 by wind, 5 by hydro, the rest at 0.5856.
        Assert.Equal([0L, (5 * 10_000) + (4 * 585_600), 15 * 585_600], entries.Select(e => e.Milligrams));
        Assert.Equal(["site/wind-1", "mixed", "cn-mee-2022/electricity.residual/CN"], entries.Select(e => e.FactorId));
        Assert.Equal("6 kWh by wind-1 at 0 kg/kWh; 5 kWh by hydro at 0.01 kg/kWh; 4 kWh by cn-mee-2022/electricity.residual/CN at 0.5856 kg/kWh (CN for CN-SX; year 2022 for 2026)", entries[1].FactorNote);
        Assert.Equal((2, 15m, null), (entries[1].Scope, entries[1].ActivityKWh, entries[1].Detail));

        // The location-based figure stands beside it, in a total of its own.
        var located = Entries(rig, "electricity-purchased").Where(e => e.Account == EmissionAccount.Device).ToList();
        Assert.Equal(entries.Select(e => e.ActivityKWh), located.Select(e => e.ActivityKWh));
        Assert.Equal(entries.Select(e => e.Milligrams), rig.Emissions.Where(e => e.Account == EmissionAccount.Site && e.Method == "electricity-market").Select(e => e.Milligrams));
    }

    [Fact]
    public void What_instruments_were_used_for_outlives_a_change_of_the_configuration()
    {
        var rig = Buy(Begin(Market), 0, 20);
        var next = Reconfigure(rig, Start + TimeSpan.FromMinutes(20), Market);
        Buy(next, 21, 60);
        Assert.Equal(
            (5 * 10_000) + ((60 - 1 - 25) * 585_600L),
            Entries(rig, "electricity-market").Concat(Entries(next, "electricity-market")).Where(e => e.Account == EmissionAccount.Device).Sum(e => e.Milligrams));
    }

    private const string Drained = "{ method: mine-drainage, flow: flow, methane: methane, flared: flared, used: used, gwp: AR6, uncertaintyPercent: 5, factorUncertaintyPercent: 0 }";

    private static Rig Drain(int minutes, Func<int, (double Flow, double Flared, double Used)> at)
    {
        var rig = Begin(Drained);
        int Index(string id) => rig.Site.Points.Single(p => p.Id == id).Index;
        for (var m = 0; m <= minutes; m++)
        {
            var (time, (flow, flared, used)) = (Start + TimeSpan.FromMinutes(m), at(m));
            rig.Value(Index("flow"), time, flow).Value(Index("methane"), time, 40).Value(Index("flared"), time, flared).Value(Index("used"), time, used);
            rig.Pipeline.Advance(time + TimeSpan.FromSeconds(2));
        }

        return rig;
    }

    [Fact]
    public void Drained_methane_that_burns_is_CO2_and_what_does_not_is_methane()
    {
        var rig = Drain(15, _ => (100, 20, 50));
        var (released, burnt) = (Entries(rig, "mine-drainage")[0], Entries(rig, "methane-destruction")[0]);

        // 15 min x 40 %: 600 m3 drained, 120 flared at 98 %, 300 used at 99 %.
        Assert.Equal((600 - 117.6m - 297m, 414.6m), (released.Detail!.Activity, burnt.Detail!.Activity));
        Assert.Equal(((long)(185.4m * 0.67m * 29.8m * 1_000_000), (long)(414.6m * 0.67m * 44 / 16 * 1_000_000)), (released.Milligrams, burnt.Milligrams));
        Assert.Equal(("CH4_fossil", "AR6", "CO2", null, 1, 1), (released.Detail.Gas, released.Detail.GwpSet, burnt.Detail.Gas, burnt.Detail.GwpSet, released.Scope, burnt.Scope));

        // Three meters of 5 % err apart: the difference is known worse than each.
        Assert.Equal(5 * Math.Sqrt((600 * 600) + (117.6 * 117.6) + (297 * 297)) / 185.4, released.UncertaintyPercent, 9);
        Assert.Equal(released.Milligrams + burnt.Milligrams, rig.Emissions.First(e => e.Account == EmissionAccount.Site).Milligrams);
    }

    [Fact]
    public void More_destroyed_than_drained_is_no_mass_an_alarm_and_the_volumes_are_told()
    {
        var rig = Drain(50, m => m < 20 ? (100, 40, 70) : (100, 20, 50));
        var (released, burnt) = (Entries(rig, "mine-drainage"), Entries(rig, "methane-destruction"));
        Assert.Equal((0L, 0d, 0L, 0d), (released[0].Milligrams, released[0].Coverage, burnt[0].Milligrams, burnt[0].Coverage));
        Assert.Contains("660 m3 of methane are destroyed (flared 240, used 420) but only 600 m3 were drained", released[0].FactorNote, StringComparison.Ordinal);
        Assert.True(released[2].Milligrams > 0);
        var finding = rig.Anomalies.Where(a => a.Detector == "methane-balance").ToList();
        Assert.Equal([(true, Severity.Alarm, Start), (false, Severity.Alarm, Start)], finding.Select(a => (a.Raised, a.Severity, a.Since)));
        Assert.Contains(rig.Alarms, a => a.Entry.Condition.Rule == "methane-balance");
    }

    [Fact]
    public void A_yearly_balance_is_entered_once_when_the_year_is_over_and_a_correction_is_the_difference()
    {
        const string Balance = "{ method: sf6-balance, year: 2025, begin: 120, end: 95, acquired: 40, disbursed: 10, capacityGrowth: 30, gwp: AR6, uncertaintyPercent: 2 }";
        var rig = Begin(Balance);
        rig.Pipeline.Advance(Start + TimeSpan.FromHours(2));
        var entry = Assert.Single(Entries(rig, "sf6-balance"));
        Assert.Equal((25 * 25_200L * 1_000_000, "kg", 25m, 1, true), (entry.Milligrams, entry.Detail!.ActivityUnit, entry.Detail.Activity, entry.Scope, entry.Allocated));
        Assert.Equal((Rig.At("2025-01-01T00:00:00+08:00"), TimeSpan.FromDays(365)), (entry.Start, entry.Width));
        Assert.Equal(entry.Milligrams, rig.Emissions.Single(e => e.Account == EmissionAccount.Site && e.Method == "scope-1" && e.Width == entry.Width).Milligrams);

        var next = Reconfigure(rig, Start + TimeSpan.FromHours(2), Balance.Replace("end: 95", "end: 125", StringComparison.Ordinal));
        next.Pipeline.Advance(Start + TimeSpan.FromHours(2));
        next.Load(next.Save());
        next.Pipeline.Advance(Start + TimeSpan.FromHours(4));
        var correction = Assert.Single(Entries(next, "sf6-balance"));
        Assert.Equal(-30 * 25_200L * 1_000_000, correction.Milligrams);
        Assert.Contains("the balance of -5 kg is below zero: one of its figures is wrong", correction.FactorNote, StringComparison.Ordinal);
    }

    private const string Stack = "{ method: fuel-combustion, activity: mass, fuel: ipcc-residual-fuel-oil, uncertaintyPercent: 1, adapt: { mass: stack, least: 2500, most: 3500, massUncertaintyPercent: 5, systematicPercent: 2, driftPercentPerDay: 0.1 } }";

    /// <summary>A stack that shows 3300 kg CO2 for each t; the official factor is 3127.</summary>
    private static void Burn(Rig rig, int from, int to, Func<int, double>? perTonne = null)
    {
        int Index(string id) => rig.Site.Points.Single(p => p.Id == id).Index;
        var stack = 0.0;
        for (var m = 0; m <= to; m++)
        {
            stack += m == 0 ? 0 : 0.1 * (perTonne?.Invoke(m) ?? 3300);
            if (m < from)
            {
                continue;
            }

            var time = Start + TimeSpan.FromMinutes(m);
            rig.Raw(Index("mass"), time, (ulong)m * 100).Raw(Index("stack"), time, (ulong)stack);
            rig.Pipeline.Advance(time + TimeSpan.FromSeconds(2));
        }
    }

    [Fact]
    public void A_factor_that_follows_the_stack_is_a_second_figure_until_a_person_approves_it()
    {
        var rig = Begin(Stack);
        Burn(rig, 0, 40 * 60);
        var entry = Entries(rig, "fuel-combustion")[^1];
        Assert.Equal("ipcc-2006/fuel.ipcc-residual-fuel-oil", entry.FactorId);
        Assert.Equal(3126.96m, entry.Detail!.Factor);
        var adapted = entry.Detail.Adapted!;
        Assert.InRange(adapted.Factor, 3250m, 3300m);
        Assert.Equal((long)(entry.Detail.Activity * adapted.Factor), adapted.Milligrams / 1_000_000);
        Assert.Equal((false, 3126.96m, 0), (adapted.Approved, adapted.OfficialFactor, adapted.Refused));
        Assert.True(adapted.Hours >= 38);
        Assert.InRange(adapted.UncertaintyPercent, 2, 4); // never below the systematic part

        Assert.Contains("'plant' has no account by heat-purchased", rig.Pipeline.DecideFactor("plant", "heat-purchased", true, "maria"), StringComparison.Ordinal);
        Assert.Contains("in force already", rig.Pipeline.DecideFactor("plant", null, false, "maria"), StringComparison.Ordinal);
        Assert.Null(rig.Pipeline.DecideFactor("plant", null, true, "maria"));
        var next = Begin(Stack);
        next.Load(rig.Save());
        Burn(next, (40 * 60) + 1, 42 * 60);
        entry = Entries(next, "fuel-combustion")[^1];
        Assert.StartsWith("adapted/", entry.FactorId, StringComparison.Ordinal);
        Assert.StartsWith("approved by maria at", entry.FactorNote, StringComparison.Ordinal);
        Assert.Equal((adapted.Factor, true), (entry.Detail!.Factor, entry.Detail.Adapted!.Approved));
        Assert.Null(next.Pipeline.DecideFactor("plant", null, false, "maria"));
        Burn(next, (42 * 60) + 1, 43 * 60);
        Assert.Equal(3126.96m, Entries(next, "fuel-combustion")[^1].Detail!.Factor);
    }

    [Fact]
    public void A_day_on_which_fuel_and_stack_are_more_than_7_5_percent_apart_is_told_until_a_day_on_which_they_agree()
    {
        var rig = Begin(Stack);
        static double PerTonne(int minute) => minute <= 2400 ? 3400 : 3300; // 8.7 % and 5.5 % above the official factor
        Burn(rig, 0, 1500, PerTonne);
        var next = new Rig(rig.Site);
        next.Load(rig.Save());
        Burn(next, 1501, 3900, PerTonne);
        Assert.DoesNotContain(rig.Anomalies, a => a.Detector == "fuel-stack"); // 16 hours of the first day are too few
        var found = next.Anomalies.Where(a => a.Detector == "fuel-stack").ToList();
        var day = Rig.At("2026-03-02T00:00:00Z");
        Assert.Equal([(true, day), (false, day)], found.Select(a => (a.Raised, a.Since)));
        Assert.Contains("on 2026-03-02 (UTC) the stack shows 489.600 t CO2 and the fuel account 450.282 t, 8.7 % apart; at most 7.5 % is allowed", found[0].Text, StringComparison.Ordinal);
        Assert.Contains("they agree again", found[1].Text, StringComparison.Ordinal);
        Assert.Equal(("mass", 7.5), (next.Site.Points[found[0].Point].Id, found[0].Limit));
        Assert.Contains(next.Alarms, a => a.Entry.Condition.Rule == "fuel-stack");

        // What stands when the configuration ends is ended, and told again by the next day.
        var standing = Begin(Stack);
        Burn(standing, 0, 2430, PerTonne);
        standing.Pipeline.Close(Start + TimeSpan.FromMinutes(2431));
        Assert.Equal([true, false], standing.Anomalies.Where(a => a.Detector == "fuel-stack").Select(a => a.Raised));
    }

    [Fact]
    public void Two_devices_whose_hours_are_refused_together_have_a_lift_from_thirty_such_hours_on()
    {
        var (model, problems) = Load(Stack, more: $"name: One\n  - id: second\n    profile: plant\n    bus: lan\n    unit: 2\n    carbon:\n      - {Stack}");
        Assert.True(model is not null, string.Join('\n', problems));
        var rig = new Rig(model);
        rig.Pipeline.Advance(Start);
        var stack = 0ul;
        for (var m = 0; m <= 6140; m++)
        {
            // Every third hour something else burns in both.
            stack += m == 0 ? 0 : m / 60 % 3 == 2 ? 500ul : 330;
            foreach (var point in model.Points.Where(p => p.Id is "mass" or "stack"))
            {
                rig.Raw(point.Index, Start + TimeSpan.FromMinutes(m), point.Id == "mass" ? (ulong)m * 100 : stack);
            }

            rig.Pipeline.Advance(Start + TimeSpan.FromMinutes(m) + TimeSpan.FromSeconds(2));
            if (m == 3000)
            {
                Assert.Null(Assert.Single(rig.Pipeline.FactorPairs).Lift);
                var next = new Rig(model);
                next.Load(rig.Save());
                rig = next;
            }
        }

        var pair = Assert.Single(rig.Pipeline.FactorPairs);
        Assert.Equal(("plant", "second", 34, 34, 34), (pair.Device, pair.Other, pair.Refused, pair.OtherRefused, pair.Together));
        Assert.InRange(pair.Hours, 100, 102);
        Assert.Equal(pair.Hours / 34.0, pair.Lift!.Value, 12);

        // One that never errs with the other has none of its own to compare.
        Assert.Null(new FactorPair("a", "b", 500, 40, 0, 0).Lift);
        Assert.Equal(0, new FactorPair("a", "b", 500, 20, 20, 0).Lift);
    }

    [Fact]
    public void A_day_of_which_too_little_is_known_says_nothing_of_fuel_and_stack()
    {
        var rig = Begin(Stack);
        Burn(rig, 0, 1200, _ => 3400);
        Burn(rig, 1800, 2450, _ => 3400);
        Assert.True(Entries(rig, "fuel-combustion").Length > 100);
        Assert.DoesNotContain(rig.Anomalies, a => a.Detector == "fuel-stack");
    }

    [Theory]
    [InlineData("fuel: ipcc-residual-fuel-oil", "fuel: cn-diesel", "t of ipcc-residual-fuel-oil", "t of cn-diesel")]
    [InlineData("activity: mass, fuel: ipcc-residual-fuel-oil", "activity: volume, fuel: cn-natural-gas, volumeAt: 20C", "t of ipcc-residual-fuel-oil", "m3 of cn-natural-gas at 20 Cel")]
    public void A_factor_approved_for_another_fuel_or_unit_is_in_force_no_more(string before, string after, string was, string now)
    {
        var rig = Begin(Stack);
        Burn(rig, 0, 26 * 60);
        Assert.Null(rig.Pipeline.DecideFactor("plant", null, true, "maria"));
        var learnt = Assert.Single(rig.Pipeline.AdaptedFactors);

        // What does not make the factor one of something else leaves it alone.
        var same = Reconfigure(rig, Start + TimeSpan.FromHours(26) + TimeSpan.FromSeconds(5), Stack.Replace("uncertaintyPercent: 1,", "uncertaintyPercent: 2,", StringComparison.Ordinal));
        Assert.Equal(("maria", learnt.Hours), (Assert.Single(same.Pipeline.AdaptedFactors).ApprovedBy, same.Pipeline.AdaptedFactors[0].Hours));
        Assert.Empty(same.Pipeline.ForgottenFactors);

        var next = Reconfigure(same, Start + TimeSpan.FromHours(26) + TimeSpan.FromSeconds(9), Stack.Replace(before, after, StringComparison.Ordinal));
        var (device, method, what) = Assert.Single(next.Pipeline.ForgottenFactors);
        Assert.Equal(("plant", "fuel-combustion", was, now), (device, method, what.LearntFor, what.Now));
        Assert.Equal((learnt.Hours, learnt.ApprovedFactor, "maria"), (what.Hours, what.ApprovedFactor, what.ApprovedBy));
        Assert.Empty(next.Pipeline.AdaptedFactors);
        next.Pipeline.Advance(Start + TimeSpan.FromHours(28));
        next.Pipeline.Advance(Start + TimeSpan.FromHours(28.5));
        Assert.All(Entries(next, "fuel-combustion"), e => Assert.False(e.FactorId.StartsWith("adapted/", StringComparison.Ordinal) || e.Detail!.Adapted is { Approved: true }));
        Assert.NotEmpty(Entries(next, "fuel-combustion"));

        // Its own state it takes back as it is.
        var again = new Rig(next.Site);
        again.Load(next.Save());
        Assert.Empty(again.Pipeline.ForgottenFactors);
    }

    [Fact]
    public void What_the_ledger_says_was_entered_is_not_entered_again_by_a_state_that_knows_less()
    {
        const string Both = Market + "\n      - { method: sf6-balance, year: 2025, begin: 120, end: 95, acquired: 40, disbursed: 10, capacityGrowth: 30, gwp: AR6 }";
        var rig = Buy(Begin(Both), 0, 30);
        var entered = new EnteredBefore { IsWhole = true };
        foreach (var entry in rig.Emissions)
        {
            entered.Take(new() { Device = entry.Device < 0 ? null : "plant", Entry = entry, FactorSet = "", Epoch = 1, Sequence = 1 });
        }

        Assert.Equal((20m, 5m), (entered.UsedOf("plant", "wind-1"), entered.UsedOf("plant", "hydro")));
        var next = new Rig(rig.Site);
        next.Pipeline.Continue(entered);
        Buy(next, 31, 60);
        Assert.NotEmpty(Entries(next, "electricity-market"));
        Assert.All(Entries(next, "electricity-market"), e => Assert.Equal("cn-mee-2022/electricity.residual/CN", e.FactorId));
        Assert.Single(Entries(rig, "sf6-balance"));
        Assert.Empty(Entries(next, "sf6-balance"));

        // Where records of the ledger are missing, what the state says of a balance stands.
        var partly = new EnteredBefore();
        partly.Take(new() { Device = "plant", Entry = Entries(rig, "sf6-balance")[0] with { Milligrams = -5 }, FactorSet = "", Epoch = 1, Sequence = 1 });
        rig.Pipeline.Continue(partly);
        Buy(rig, 31, 60);
        Assert.Single(Entries(rig, "sf6-balance"));
    }

    [Fact]
    public void Devices_of_the_same_fuel_and_unit_say_something_of_each_other_and_no_others_do()
    {
        AdaptedFactorState State(string device, string learntFor, decimal factor, int hours = 50, double? load = 0.9) =>
            new(device, "fuel-combustion", factor, 2, hours, 0, 3000, null, null, null) { LearntFor = learntFor, LoadShare = load };
        var pooled = FactorClusters.PoolByKind(
            [State("a", "t of coal", 3000), State("b", "t of coal", 3300, load: 0.8), State("gas", "m3 of gas", 2), State("new", "t of coal", 9999, hours: 0), State("half", "t of coal", 8000, load: 0.4), State("unknown", "t of coal", 8000, load: null)]);
        Assert.Equal([true, true, false, false, false, false], pooled.Select(p => p.Cluster is not null));
        var (a, b) = (pooled[0].Cluster!, pooled[1].Cluster!);
        Assert.Equal(("t of coal", "high", 2, a.Common), (a.Name, a.Load, a.Devices, b.Common));
        Assert.InRange(a.Common, 3100m, 3200m);
        Assert.True(a.Shrunk > 3000 && a.Shrunk < a.Common && b.Shrunk < 3300 && b.Shrunk > b.Common, "each is drawn towards the other");
        Assert.Equal((3000m, 3300m), (pooled[0].Factor, pooled[1].Factor));

        // Two at half load are a band of their own, and at full load nothing changes by it.
        var two = FactorClusters.PoolByKind([State("a", "t of coal", 3000), State("half", "t of coal", 8000, load: 0.4), State("b", "t of coal", 3300, load: 0.8), State("other", "t of coal", 8200, load: 0.5)]);
        Assert.Equal(["high", "middle", "high", "middle"], two.Select(p => p.Cluster!.Load));
        Assert.Equal(a, two[0].Cluster);
    }

    [Fact]
    public void The_load_at_which_a_factor_was_learnt_is_known_after_a_day_and_outlives_a_restart()
    {
        var rig = Begin(Stack);
        Burn(rig, 0, 20 * 60);
        Assert.Null(Assert.Single(rig.Pipeline.AdaptedFactors).LoadShare);
        Burn(rig, (20 * 60) + 1, 30 * 60);
        var load = Assert.Single(rig.Pipeline.AdaptedFactors).LoadShare;
        Assert.InRange(load!.Value, 0.95, 1);
        var next = Begin(Stack);
        next.Load(rig.Save());
        Assert.Equal(load, Assert.Single(next.Pipeline.AdaptedFactors).LoadShare);
    }

    [Fact]
    public void An_activity_beyond_all_numbers_and_a_mass_below_zero_teach_the_factor_nothing()
    {
        const long Width = 900_000;
        var stack = Load(Stack).Model!.Points.Single(p => p.Id == "stack");
        var official = new EmissionRate("f", 3127, 5);
        foreach (var (activity, growth) in ((decimal, decimal)[])[(decimal.MaxValue / 2, 1), (0.1m, -5)])
        {
            var follower = new FactorFollower(new("stack", 5, 2, 0.1, 50, 2500, 3500), stack, 1, "t of coal");
            follower.Open(0);
            AdaptedFigure? last = null;
            for (var quarter = 0; quarter < 8; quarter++)
            {
                var (start, end) = (quarter * Width, (quarter + 1) * Width);
                for (var at = start; at < end; at += 60_000)
                {
                    follower.Read(growth, true, at - 60_000, at, end);
                }

                last = follower.Close(start, end, Width, activity, true, official);
            }

            Assert.Equal(activity < 1, last is not null);
            Assert.Equal((3127m, 0), (follower.State("boiler", "fuel-combustion")!.Factor, follower.State("boiler", "fuel-combustion")!.Hours));
        }
    }

    [Fact]
    public void An_hour_that_lies_too_far_away_does_not_move_the_factor_and_half_an_hour_is_none()
    {
        var rig = Begin(Stack);
        Burn(rig, 0, 20 * 60, m => m / 60 == 15 ? 9_000 : 3_130);
        var state = Assert.Single(rig.Pipeline.AdaptedFactors);
        Assert.Equal(1, state.Refused);
        Assert.InRange(state.Factor, 3_120m, 3_140m);

        var half = Begin(Stack);
        int Index(string id) => half.Site.Points.Single(p => p.Id == id).Index;
        for (var m = 0; m <= 300; m++)
        {
            var time = Start + TimeSpan.FromMinutes(m);
            half.Raw(Index("mass"), time, (ulong)m * 100);
            if (m % 60 < 30)
            {
                half.Raw(Index("stack"), time, (ulong)m * 330);
            }

            half.Pipeline.Advance(time + TimeSpan.FromSeconds(2));
        }

        Assert.Equal(0, Assert.Single(half.Pipeline.AdaptedFactors).Hours);
        Assert.Contains("no hour has moved the factor", half.Pipeline.DecideFactor("plant", null, true, "maria"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{ method: electricity-market, activity: mass }", "needs a register in kW.h")]
    [InlineData("{ method: electricity-market, activity: bought, instruments: [{ name: a, kWh: -5, from: \"2026-01-01T00:00:00Z\", to: \"2027-01-01T00:00:00Z\" }] }", "'kWh' is -5")]
    [InlineData("{ method: electricity-market, activity: bought, instruments: [{ name: a, kWh: 5, from: \"2026-01-01T00:00:00Z\", to: \"2025-01-01T00:00:00Z\" }] }", "ends before it begins")]
    [InlineData("{ method: mine-drainage, flow: flow, methane: methane, gwp: AR6 }", "neither 'flared' nor 'used' is named")]
    [InlineData("{ method: mine-drainage, flow: flow, methane: methane, flared: flared, flarePercent: 120, gwp: AR6 }", "'flarePercent' is 120")]
    [InlineData("{ method: sf6-balance, year: 2025, begin: -1, end: 0, gwp: AR6 }", "'begin' is -1")]
    [InlineData("{ method: sf6-balance, year: 2025, begin: 1, end: 0, gwp: AR6 }\n      - { method: sf6-balance, year: 2025, begin: 2, end: 0, gwp: AR6 }", "has two mass balances")]
    [InlineData("{ method: sf6-balance, year: 2025, begin: 1, end: 0, gwp: AR6 }\n      - { method: post-mining-methane, activity: mass, factor: surface-mining.average, gwp: AR5 }", "the site's total cannot add them")]
    [InlineData("{ method: fuel-combustion, activity: mass, fuel: cn-diesel, biogenicPercent: 130 }", "'biogenicPercent' is 130")]
    [InlineData("{ method: fuel-combustion, activity: mass, fuel: cn-diesel, adapt: { mass: stack, least: 1, most: 2, massUncertaintyPercent: 5 } }", "write 'uncertaintyPercent' of the account")]
    [InlineData("{ method: fuel-combustion, activity: mass, fuel: cn-diesel, uncertaintyPercent: 1, adapt: { mass: flow, least: 1, most: 2, massUncertaintyPercent: 5 } }", "'flow' is no counter")]
    [InlineData("{ method: fuel-combustion, activity: mass, fuel: cn-diesel, biogenicPercent: 7, uncertaintyPercent: 1, adapt: { mass: stack, least: 1, most: 2, massUncertaintyPercent: 5 } }", "remove 'biogenicPercent' or 'adapt'")]
    [InlineData("{ method: fuel-combustion, activity: mass, fuel: cn-diesel, uncertaintyPercent: 1, adapt: { mass: stack, least: 3, most: 2, massUncertaintyPercent: 5 } }", "no factor is between 3 and 2")]
    public void What_cannot_be_declared_is_refused_with_its_place(string carbon, string expected) => What_cannot_be_accounted_is_refused_with_its_place(carbon, expected);

    [Theory]
    [InlineData("{ method: sf6-leak, density: gas_density, pressure: gas_pressure, volume: 1, gwp: AR6 }", "is read by 'density', or by 'pressure' and 'temperature'")]
    [InlineData("{ method: sf6-leak, density: flow, volume: 1, gwp: AR6 }", "cannot be the density")]
    [InlineData("{ method: sf6-leak, density: gas_density, volume: 0, gwp: AR6 }", "the volume of the compartment must be above zero")]
    [InlineData("{ method: fuel-combustion, activity: volume, fuel: cn-natural-gas }", "volumeAt: 0C")]
    [InlineData("{ method: fuel-combustion, activity: volume, fuel: cn-naturalgas, volumeAt: 0C }", "Did you mean 'cn-natural-gas'?")]
    [InlineData("{ method: fuel-combustion, activity: mass, fuel: cn-natural-gas, volumeAt: 0C }", "'mass' is in kg; fuel-combustion of cn-natural-gas needs a register in m3")]
    [InlineData("{ method: fuel-combustion, activity: volume, fuel: cn-diesel }", "needs a register in t or kg")]
    [InlineData("{ method: fuel-combustion, activity: mass }", "one of 'fuel' and 'measured'")]
    [InlineData("{ method: fuel-combustion, activity: mass, measured: { carbonPercent: 155, oxidationPercent: 99, source: lab } }", "'carbonPercent' is 155")]
    [InlineData("{ method: fuel-combustion, activity: flow, fuel: cn-diesel }", "needs a counter")]
    [InlineData("{ method: fuel-combustion, activity: nowhere, fuel: cn-diesel }", "there is no point 'nowhere'")]
    [InlineData("{ method: heat-purchased, activity: bought }", "is accounted already, by its profile")]
    [InlineData("{ method: mine-methane, flow: flow, methane: flow, gwp: AR6 }", "cannot be the methane")]
    [InlineData("{ method: mine-methane, flow: flow, methane: methane, pressure: pressure, gwp: AR6 }", "both or neither")]
    [InlineData("{ method: mine-methane, flow: flow, methane: methane, gwp: AR4 }", "no GWP of CH4_fossil in the set AR4")]
    [InlineData("{ method: post-mining-methane, activity: mass, factor: deep, gwp: AR6 }", "no 'methane.deep'")]
    [InlineData("{ method: alchemy, activity: mass }", "'method' of a carbon account is 'alchemy'")]
    [InlineData("{ method: co2-leaked, activity: mass }\n      - { method: co2-leaked, activity: volume }", "two accounts by co2-leaked")]
    [InlineData("{ method: co2-leaked, activity: mass }\n      - { method: co2-injected, activity: mass }", "'mass' is accounted twice")]
    public void What_cannot_be_accounted_is_refused_with_its_place(string carbon, string expected)
    {
        var (model, problems) = Load(carbon);
        Assert.Null(model);
        var told = string.Join('\n', problems);
        Assert.Contains(expected, told, StringComparison.Ordinal);
        Assert.StartsWith("gateway.yaml:1", told, StringComparison.Ordinal); // lines 10 and 11
    }
}
