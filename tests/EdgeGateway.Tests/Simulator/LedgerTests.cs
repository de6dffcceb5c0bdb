using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using EdgeGateway.Simulator;

namespace EdgeGateway.Tests.Simulator;

public sealed class LedgerTests
{
    private readonly SiteModel _mine = SiteBuilder.Mine();

    [Fact]
    public void Energy_is_the_exact_integral_of_the_power_shown()
    {
        var site = new SimulatedSite(_mine, 9, new SteppedTime());
        var wattSeconds = new Dictionary<string, decimal>();
        for (var i = 1; i <= 3600; i++)
        {
            site.Step(site.Begin + TimeSpan.FromSeconds(i));
            foreach (var meter in (string[])["incomer", "fan", "belt-meter"])
            {
                // Power is a whole number of micro-watt-hours a second, 0.0036 W: the nearest multiple of what a double shows is exact.
                var quanta = (long)Math.Round(site.Value(_mine.Find($"{meter}.power")) * 1000 / 0.0036);
                wattSeconds[meter] = wattSeconds.GetValueOrDefault(meter) + (quanta * 0.0036m);
            }
        }

        foreach (var (meter, sum) in wattSeconds)
        {
            Assert.Equal(sum / 3600, site.Ledger(_mine.Find($"{meter}.import_fine")).Grown);
            Assert.Equal(sum / 3600, 1000 * site.Ledger(_mine.Find($"{meter}.import")).Grown);
        }
    }

    [Fact]
    public void Parents_count_what_their_children_count_and_an_own_remainder()
    {
        var site = new SimulatedSite(_mine, 9, new SteppedTime());
        for (var i = 1; i <= 600; i++)
        {
            site.Step(site.Begin + TimeSpan.FromSeconds(i));
            var children = Power("fan") + Power("belt-meter") + (site.Value(_mine.Find("light.power")) / 1000);
            Assert.InRange(Power("incomer") - children, 0.5, 20);
        }

        var remainder = Grown("incomer") - Grown("fan") - Grown("belt-meter") - Grown("light");
        Assert.InRange(remainder, 0.01m * Grown("incomer"), 0.2m * Grown("incomer"));

        double Power(string meter) => site.Value(_mine.Find($"{meter}.power"));
        decimal Grown(string meter) => site.Ledger(_mine.Find($"{meter}.import_fine")).Grown;
    }

    [Fact]
    public void Totals_are_the_sum_of_their_phases()
    {
        var site = new SimulatedSite(_mine, 9, new SteppedTime());
        site.Step(site.Begin + TimeSpan.FromHours(1));
        LedgerEntry Of(string point) => site.Ledger(_mine.Find($"incomer.{point}"));
        Assert.Equal(Of("import_fine").Reading, Of("import_l1").Reading + Of("import_l2").Reading + Of("import_l3").Reading);
        Assert.Equal(Of("import_fine").Grown, Of("import_l1").Grown + Of("import_l2").Grown + Of("import_l3").Grown);
    }

    [Fact]
    public void Registers_show_the_reading_cut_to_their_resolution_and_rolled_over()
    {
        var site = new SimulatedSite(_mine, 9, new SteppedTime());
        for (var i = 0; i < 20; i++)
        {
            site.Step(site.Begin + TimeSpan.FromSeconds(777 * i));
            foreach (var entry in site.Ledger())
            {
                var point = _mine.Points[entry.Point];
                if (point.Encoding.Type == RegisterType.Float32)
                {
                    Assert.InRange(entry.Reading - entry.Shown, 0, 0.0005m);
                    continue;
                }

                var width = point.Encoding.Type switch { RegisterType.UInt16 => 65_536m, RegisterType.UInt32 => 4_294_967_296m, _ => decimal.MaxValue };
                Assert.Equal(decimal.Floor(entry.Reading / point.Encoding.Scale) % width * point.Encoding.Scale, entry.Shown);
            }
        }
    }

    [Fact]
    public void Counters_roll_over_at_the_declared_limit()
    {
        var model = new SiteBuilder().Device("meter", "energy-meter", null, 1_000_000, null,
            SiteBuilder.Counter("import", "electricity.energy.active.import", "kW.h", 0, RegisterType.UInt32, 0.01m) with { Counter = new CounterModel(10m, false, null) }).Build();
        var site = new SimulatedSite(model, 1, new SteppedTime());
        var falls = 0;
        var last = site.Ledger(0);
        for (var i = 1; i < 300; i++)
        {
            site.Step(site.Begin + TimeSpan.FromSeconds(i));
            var entry = site.Ledger(0);
            Assert.InRange(entry.Shown, 0, 9.99m);
            falls += entry.Shown < last.Shown ? 1 : 0;
            last = entry;
        }

        Assert.Equal(decimal.Floor(last.Reading / 10) - decimal.Floor((last.Reading - last.Grown) / 10), falls);
        Assert.True(falls > 0);
    }

    [Fact]
    public void Mass_total_is_the_integral_of_the_mass_flow()
    {
        var site = new SimulatedSite(_mine, 9, new SteppedTime());
        var grams = 0m;
        for (var i = 1; i <= 3600; i++)
        {
            site.Step(site.Begin + TimeSpan.FromSeconds(i));
            grams += Math.Round((decimal)site.Value(_mine.Find("belt-scale.mass_flow")) * 1_000_000 / 3600);
        }

        Assert.Equal(grams / 1_000_000, site.Ledger(_mine.Find("belt-scale.mass_total")).Grown, 5);
    }

    [Fact]
    public void A_meter_wired_the_wrong_way_round_exports_what_is_drawn()
    {
        var model = new SiteBuilder().Meter("straight", null, watts: 10_000).Meter("wrong", "straight", watts: 5_000, reversed: true).Build();
        var site = new SimulatedSite(model, 2, new SteppedTime());
        site.Step(site.Begin + TimeSpan.FromMinutes(10));
        Assert.Equal(0, site.Ledger(model.Find("wrong.import_fine")).Grown);
        Assert.True(site.Ledger(model.Find("wrong.export")).Grown > 0);
        Assert.True(site.Value(model.Find("wrong.power")) < 0);
        Assert.True(site.Ledger(model.Find("straight.import_fine")).Grown > site.Ledger(model.Find("wrong.export")).Grown);
    }

    [Fact]
    public void A_generator_takes_load_off_the_incomer()
    {
        var time = new SteppedTime(new DateTimeOffset(2026, 6, 1, 12, 0, 0, TimeSpan.Zero));
        var model = new SiteBuilder().Meter("incomer", null, watts: 20_000).Meter("pv", "incomer", watts: 50_000, role: MeterRole.Generator).Build();
        var site = new SimulatedSite(model, 2, time);
        site.Step(site.Begin + TimeSpan.FromMinutes(10));
        Assert.True(site.Ledger(model.Find("incomer.export")).Grown > 0);
        Assert.True(site.Value(model.Find("incomer.power")) < 0);
    }
}
