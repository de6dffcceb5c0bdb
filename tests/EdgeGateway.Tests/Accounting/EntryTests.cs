using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Site;
using EdgeGateway.Tests.LocalPath;

namespace EdgeGateway.Tests.Accounting;

public class EntryTests
{
    private static readonly Core.Instant Start = Rig.At("2026-03-01T08:00:00Z");

    /// <summary>Feeds each counter once a minute, from 08:00, growing by its step (in raw units).</summary>
    private static Rig Run(TestSite site, int minutes, params ulong[] steps)
    {
        var rig = site.Start();
        rig.Pipeline.Advance(Start);
        for (var m = 0; m <= minutes; m++)
        {
            for (var p = 0; p < steps.Length; p++)
            {
                rig.Raw(p, Start + TimeSpan.FromMinutes(m), 1000 + ((ulong)m * steps[p]));
            }

            rig.Pipeline.Advance(Start + TimeSpan.FromMinutes(m) + TimeSpan.FromSeconds(2));
        }

        return rig;
    }

    private static TestSite One(MeteringModel? metering = null, string method = "electricity-purchased", string unit = "kW.h") =>
        new TestSite().Device("meter", metering ?? TestSite.Meter()).Counter(method: method, unit: unit, period: 60);

    [Fact]
    public void An_entry_holds_all_that_is_needed_to_recompute_it()
    {
        var rig = Run(One(), 15, 7); // 14 steps of 0.07 kWh before 08:15, the 15th belongs to the next interval
        var entry = rig.Emissions[0];
        Assert.Equal((0, EmissionAccount.Device, Start, TimeSpan.FromMinutes(15)), (entry.Device, entry.Account, entry.Start, entry.Width));
        Assert.Equal(("electricity-purchased", 2, "cn-mee-2022/CN-SX", 0.7096m, "year 2022 for 2026"), (entry.Method, entry.Scope, entry.FactorId, entry.FactorKgPerKWh, entry.FactorNote));
        Assert.Equal((0.98m, 695_408L), (entry.ActivityKWh, entry.Milligrams)); // 0.98 x 0.7096 kg
        Assert.Equal((10.00m, 10.98m, 1000UL, 1098UL), (entry.StartReading, entry.EndReading, entry.StartRaw, entry.EndRaw));
        Assert.Equal(1, entry.Coverage);
        Assert.Equal(Math.Sqrt(1 + (7.5 * 7.5)), entry.UncertaintyPercent);
        Assert.Equal((true, false, WindowCut.None, 0), (entry.CountsTowardSite, entry.Allocated, entry.Cut, entry.Era));
    }

    [Theory]
    [InlineData("W.h", 0.00098)]
    [InlineData("MW.h", 980)]
    [InlineData("GW.h", 980_000)]
    public void Other_units_are_turned_into_kWh_exactly(string unit, double expected) =>
        Assert.Equal((decimal)expected, Run(One(unit: unit), 15, 7).Emissions[0].ActivityKWh);

    [Fact]
    public void What_is_below_a_milligram_is_carried_into_the_next_entry()
    {
        var site = new TestSite().Device("meter", TestSite.Meter()).Counter(unit: "W.h", scale: 0.001m, period: 60); // 1 mWh a minute = 0.7096 mg
        var rig = Run(site, 60, 1);
        EmissionRecord[] entries = [.. rig.Emissions.Where(e => e.Account == EmissionAccount.Device)];
        Assert.Equal([9L, 11L, 11L, 10L], entries.Select(e => e.Milligrams)); // 9.93, 20.58, 31.22, 41.87 in total
    }

    [Fact]
    public void The_site_is_the_sum_of_what_counts_and_the_remainder_is_what_nobody_meters()
    {
        var site = new TestSite()
            .Device("incomer", TestSite.Meter()).Counter(period: 60)
            .Device("fan", TestSite.Meter(MeterRole.Submeter, "incomer", counts: false)).Counter(period: 60)
            .Device("belt", TestSite.Meter(MeterRole.Submeter, "incomer", counts: false)).Counter(period: 60);
        var rig = Run(site, 15, 100, 30, 20);

        Assert.Equal(5, rig.Emissions.Count);
        var total = rig.Emissions[3];
        Assert.Equal((-1, EmissionAccount.Site, 14.00m, rig.Emissions[0].Milligrams, true), (total.Device, total.Account, total.ActivityKWh, total.Milligrams, total.CountsTowardSite));
        var rest = rig.Emissions[4];
        Assert.Equal((0, EmissionAccount.Remainder, 7.00m, false), (rest.Device, rest.Account, rest.ActivityKWh, rest.CountsTowardSite));
        Assert.Equal(rig.Emissions[0].Milligrams - rig.Emissions[1].Milligrams - rig.Emissions[2].Milligrams, rest.Milligrams);
        Assert.Null(rest.StartReading);
    }

    private static TestSite Tree() => new TestSite()
        .Device("east", TestSite.Meter(), area: "east").Counter(period: 60)
        .Device("west", TestSite.Meter(), area: "west").Counter(period: 60)
        .Device("tie", TestSite.Meter(MeterRole.Transfer, "east", counts: false) with { To = "west" }).Counter(period: 60).Counter("back", method: "electricity-sold", period: 60)
        .Device("pump", TestSite.Meter(MeterRole.Submeter, "west", counts: false)).Counter(period: 60)
        .Device("crane", TestSite.Meter(MeterRole.Submeter, "west", counts: false), area: "yard").Counter(period: 60)
        .Device("hook", TestSite.Meter(MeterRole.Submeter, "crane", counts: false)).Counter(period: 60);

    [Fact]
    public void A_tie_takes_from_one_meter_what_it_brings_behind_another()
    {
        var rig = Run(Tree(), 15, 100, 60, 30, 10, 40, 15, 5); // kWh x 0.14
        EmissionRecord Rest(int device) => rig.Emissions.Single(e => e.Account == EmissionAccount.Remainder && e.Device == device);
        Assert.Equal((100 - 30 + 10) * 0.14m, Rest(0).ActivityKWh);
        Assert.Equal((60 + 30 - 10 - 40 - 15) * 0.14m, Rest(1).ActivityKWh);
        var site = rig.Emissions.Single(e => e.Account == EmissionAccount.Site);
        Assert.Equal(160 * 0.14m, site.ActivityKWh);
        Assert.Equal(site.Milligrams, Rest(0).Milligrams + Rest(1).Milligrams + rig.Emissions.Where(e => e.Account == EmissionAccount.Device && e.Device is 3 or 4).Sum(e => e.Account == EmissionAccount.Device ? e.Milligrams : 0));
    }

    [Fact]
    public void Areas_hold_what_crosses_their_boundary_and_together_they_are_the_site()
    {
        var rig = Run(Tree(), 15, 100, 60, 30, 10, 40, 15, 5);
        var areas = rig.Emissions.Where(e => e.Account == EmissionAccount.Area).ToDictionary(e => e.Area!);
        Assert.Equal(["east", "west", "yard"], areas.Keys);
        Assert.Equal([80 * 0.14m, 65 * 0.14m, 15 * 0.14m], areas.Values.Select(e => e.ActivityKWh)); // the hook is in the yard, the pump in the west
        Assert.Equal(rig.Emissions.Single(e => e.Account == EmissionAccount.Site).Milligrams, areas.Values.Sum(e => e.Milligrams));
    }

    [Fact]
    public void Both_directions_of_a_tie_err_with_its_one_meter()
    {
        // 30 there and 10 back by one meter of 1 %: 20 +- 0.2, not the root of 0.3 and 0.1 squared.
        var rig = Run(Tree(), 15, 0, 0, 30, 10, 0, 0, 0);
        var west = rig.Emissions.Single(e => e.Account == EmissionAccount.Area && e.Area == "west");
        Assert.Equal(Math.Sqrt(1 + (7.5 * 7.5)), west.UncertaintyPercent, 3);
    }

    [Fact]
    public void A_remainder_below_zero_is_shown_as_it_is()
    {
        var site = new TestSite()
            .Device("incomer", TestSite.Meter()).Counter(period: 60)
            .Device("fan", TestSite.Meter(MeterRole.Submeter, "incomer", counts: false)).Counter(period: 60);
        var rest = Run(site, 15, 10, 30).Emissions.Single(e => e.Account == EmissionAccount.Remainder);
        Assert.Equal(-2.80m, rest.ActivityKWh);
        Assert.True(rest.Milligrams < 0);
    }

    [Fact]
    public void A_sum_is_known_no_better_than_its_least_known_part()
    {
        var site = new TestSite().Device("a", TestSite.Meter()).Counter(period: 60).Device("b", TestSite.Meter()).Counter(period: 60);
        var rig = Run(site, 15, 10); // b is never heard
        Assert.Equal([1.0, 0.0, 0.0], rig.Emissions.Select(e => e.Coverage));
    }

    [Fact]
    public void Meters_err_apart_and_their_common_factor_errs_together()
    {
        var site = new TestSite().Device("a", TestSite.Meter()).Counter(period: 60).Device("b", TestSite.Meter()).Counter(period: 60);
        var total = Run(site, 15, 10, 10).Emissions[2];
        Assert.Equal(Math.Sqrt(0.5 + (7.5 * 7.5)), total.UncertaintyPercent, 12);
    }

    [Fact]
    public void Sums_over_regions_name_no_single_factor()
    {
        var site = new TestSite().Device("a", TestSite.Meter()).Counter(period: 60).Device("b", TestSite.Meter(), "CN-YN").Counter(period: 60);
        var total = Run(site, 15, 10, 10).Emissions[2];
        Assert.Equal(("mixed", 0m), (total.FactorId, total.FactorKgPerKWh));
    }

    [Fact]
    public void Energy_sold_is_recorded_with_no_mass_and_never_netted()
    {
        var site = new TestSite().Device("meter", TestSite.Meter()).Counter("import", period: 60).Counter("export", method: "electricity-sold", period: 60);
        var rig = Run(site, 15, 10, 30);
        Assert.Equal(("electricity-sold", 0, 4.20m, 0L, "none", false), (rig.Emissions[1].Method, rig.Emissions[1].Scope, rig.Emissions[1].ActivityKWh, rig.Emissions[1].Milligrams, rig.Emissions[1].FactorId, rig.Emissions[1].CountsTowardSite));
        Assert.Equal((1.40m, rig.Emissions[0].Milligrams), (rig.Emissions[2].ActivityKWh, rig.Emissions[2].Milligrams));
    }

    [Fact]
    public void A_meter_wired_the_other_way_round_swaps_bought_and_sold()
    {
        var site = new TestSite().Device("meter", TestSite.Meter(reversed: true)).Counter("import", period: 60).Counter("export", method: "electricity-sold", period: 60);
        var rig = Run(site, 15, 10, 30);
        Assert.Equal(["electricity-sold", "electricity-purchased", "electricity-purchased"], rig.Emissions.Select(e => e.Method));
        Assert.Equal(4.20m, rig.Emissions[2].ActivityKWh);
    }

    [Fact]
    public void Own_generation_has_no_purchased_mass_and_feeds_the_remainder()
    {
        var site = new TestSite()
            .Device("incomer", TestSite.Meter()).Counter(period: 60)
            .Device("solar", TestSite.Meter(MeterRole.Generator, "incomer", counts: false)).Counter(period: 60)
            .Device("fan", TestSite.Meter(MeterRole.Submeter, "incomer", counts: false)).Counter(period: 60);
        var rig = Run(site, 15, 10, 30, 35);
        Assert.Equal((0, 0L, 4.20m), (rig.Emissions[1].Scope, rig.Emissions[1].Milligrams, rig.Emissions[1].ActivityKWh));
        Assert.Equal(0.70m, rig.Emissions[4].ActivityKWh); // 1.4 + 4.2 - 4.9
        Assert.Equal(1.40m, rig.Emissions[3].ActivityKWh);
    }

    [Fact]
    public void An_interval_without_a_reading_is_unknown_and_its_energy_comes_later_as_allocated()
    {
        var rig = One().Start();
        rig.Pipeline.Advance(Start);
        rig.Raw(0, "2026-03-01T08:00:00Z", 1000);
        for (var t = Start; t <= Start + TimeSpan.FromMinutes(46); t += TimeSpan.FromSeconds(1))
        {
            if (t == Rig.At("2026-03-01T08:40:00Z"))
            {
                rig.Raw(0, t, 1600);
            }

            rig.Pipeline.Advance(t);
        }

        EmissionRecord[] entries = [.. rig.Emissions.Where(e => e.Account == EmissionAccount.Device)];
        Assert.Equal([(0m, false), (0m, false), (6.00m, true)], entries.Select(e => (e.ActivityKWh, e.Allocated)));
        Assert.Equal([120.0 / 900, 0.0, 120.0 / 900], entries.Select(e => e.Coverage));
        Assert.Equal(10.00m, entries[2].StartReading);
    }

    [Fact]
    public void Energy_of_a_gap_inside_the_interval_is_not_allocated()
    {
        var rig = One().Start();
        rig.Pipeline.Advance(Start);
        rig.Raw(0, "2026-03-01T08:00:00Z", 1000).Raw(0, "2026-03-01T08:14:00Z", 1100).Advance("2026-03-01T08:15:02Z");
        Assert.False(rig.Emissions[0].Allocated);
    }

    [Fact]
    public void A_sample_within_the_grace_belongs_to_the_next_interval()
    {
        var rig = One().Start();
        rig.Pipeline.Advance(Start);
        rig.Raw(0, "2026-03-01T08:00:00Z", 1000).Raw(0, "2026-03-01T08:14:59Z", 1010).Raw(0, "2026-03-01T08:15:01Z", 1030)
            .Advance("2026-03-01T08:15:02Z").Advance("2026-03-01T08:30:02Z");
        Assert.Equal([0.10m, 0.20m], rig.Emissions.Where(e => e.Account == EmissionAccount.Device).Select(e => e.ActivityKWh));
    }

    [Fact]
    public void A_second_register_of_the_same_energy_is_not_counted_again()
    {
        var site = new TestSite().Device("meter", TestSite.Meter()).Counter("total", period: 60).Counter("partial", period: 60);
        Assert.Equal(2, Run(site, 15, 10, 10).Emissions.Count); // the device and the site
    }

    [Theory]
    [InlineData("kg", "electricity-purchased", "is no energy")]
    [InlineData("kW.h", "alchemy", "unknown emission method")]
    public void What_cannot_be_accounted_is_named(string unit, string method, string expected) =>
        Assert.Contains(expected, Assert.Throws<ArgumentException>(() => One(unit: unit, method: method).Start()).Message, StringComparison.Ordinal);
}
