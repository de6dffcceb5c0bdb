using System.Globalization;
using System.Text.Json;
using EdgeGateway.Core;
using EdgeGateway.Core.Accounting;
using EdgeGateway.Core.Accounting.Forecasting;
using EdgeGateway.Core.Accounting.Statements;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Ledger;

namespace EdgeGateway.Tests.Accounting;

public class StatementTests
{
    private const string Grid = "cn-mee-2022/CN-SX"; // 7.5 % in the shipped set
    private const long Kilogram = 1_000_000;
    private static readonly FactorSet Factors = FactorSet.BuiltIn();
    private static readonly TimeSpan Quarter = TimeSpan.FromMinutes(15);
    private static readonly double MeterAndGrid = Math.Sqrt(1 + (7.5 * 7.5));
    private static readonly StatementSource Source = new("ledger", "north.ledger", "record 7", Verified: true);

    private static readonly StatementSite Mine = new()
    {
        Id = "north",
        Name = "North <Shaft>",
        Gateway = "gw-1",
        Zone = TimeZoneInfo.FindSystemTimeZoneById("Asia/Shanghai"),
        Region = "CN-SX",
        Devices = new[]
        {
            new StatementDevice("incomer", "Incomer", "low-voltage room", null, true),
            new StatementDevice("fan", "Main fan", "ventilation", "incomer", false),
            new StatementDevice("fan-aux", "Fan auxiliaries", "ventilation", "fan", false),
            new StatementDevice("belt", "Belt", "BC-01", "incomer", false),
        }.ToDictionary(d => d.Id),
    };

    private static StatementPeriod Day(string text = "2026-03-01") => StatementPeriod.Parse(text, Mine.Zone)!;

    private static StatementEntry Entry(string device, Instant start, long milligrams, double coverage = 1) => new(device, new()
    {
        Device = -1,
        Account = EmissionAccount.Device,
        Start = start,
        Width = Quarter,
        Era = 0,
        Method = "electricity-purchased",
        Scope = 2,
        ActivityKWh = milligrams / 709_600m,
        Milligrams = milligrams,
        FactorId = Grid,
        FactorKgPerKWh = 0.7096m,
        FactorNote = "year 2022 for 2026",
        UncertaintyPercent = MeterAndGrid,
        Coverage = coverage,
        CountsTowardSite = device == "incomer",
        Allocated = false,
    });

    /// <summary>An entry of another method.</summary>
    private static StatementEntry Declared(string device, Instant start, long milligrams, string method, int scope = 1, string gas = "CO2", string? gwpSet = null, long? removed = null, long? biogenic = null) =>
        Entry(device, start, milligrams).With(r => r with { Method = method, Scope = scope, CountsTowardSite = true, Detail = new(r.ActivityKWh, "kW.h", r.FactorKgPerKWh, gas, gwpSet, removed) { BiogenicMilligrams = biogenic } });

    /// <summary>A whole day of each device with the given kilograms in each quarter of an hour.</summary>
    private static StatementBuilder Whole(StatementPeriod period, StatementSubject subject, params (string Device, long Kilograms)[] devices)
    {
        var builder = new StatementBuilder(Mine, period, subject, Factors);
        for (var at = period.Start; at < period.End; at += Quarter)
        {
            foreach (var (device, kilograms) in devices)
            {
                builder.Add(Entry(device, at, kilograms * Kilogram));
            }
        }

        return builder;
    }

    private static Statement Tree(StatementSubject? subject = null) =>
        Whole(Day(), subject ?? StatementSubject.Site, ("incomer", 10), ("fan", 4), ("fan-aux", 1), ("belt", 3)).Build(Source, withForecast: false);

    [Fact]
    public void What_is_behind_a_meter_is_shown_and_not_counted_again()
    {
        var statement = Tree();
        var total = Assert.Single(statement.Totals);
        Assert.Equal((2, EmissionBasis.Location, 96 * 10 * Kilogram), (total.Scope, total.Basis, (long)total.Mass!.Value.Milligrams));
        Assert.Equal([("incomer", null), ("belt", "incomer"), ("fan", "incomer"), ("fan-aux", "fan")], statement.Lines.Select(l => (l.Device, l.ContainedIn)));
        Assert.Equal((96 * 4, true, 384L), ((int)statement.Entries, statement.IsComplete, (long)(statement.Lines[2].Mass.Milligrams / Kilogram)));
    }

    [Fact]
    public void Areas_share_the_site_among_them()
    {
        var areas = Tree().Areas.ToDictionary(a => a.Area!, a => (long)(a.Mass!.Value.Milligrams / Kilogram / 96));
        Assert.Equal((3, 4, 3), ((int)areas["low-voltage room"], (int)areas["ventilation"], (int)areas["BC-01"])); // 10 less 4 and 3; the auxiliaries are in the fan's 4
    }

    [Fact]
    public void The_gateways_own_total_of_an_area_goes_before_that_of_the_tree()
    {
        var builder = Whole(Day(), StatementSubject.Site, ("incomer", 10), ("belt", 3));
        builder.Add((Entry("", Day().Start, 5 * Kilogram) with { Device = null }).With(r => r with { Account = EmissionAccount.Area, Area = "BC-01" }));
        var areas = builder.Build(Source, withForecast: false).Areas;
        Assert.Equal(5 * Kilogram, (long)areas.Single(a => a.Area == "BC-01").Mass!.Value.Milligrams);
        Assert.Equal(96 * 7 * Kilogram, (long)areas.Single(a => a.Area == "low-voltage room").Mass!.Value.Milligrams);
    }

    [Fact]
    public void A_statement_of_an_area_or_a_device_is_of_that_alone()
    {
        var area = Tree(StatementSubject.Area("low-voltage room"));
        Assert.Equal(96 * 3 * Kilogram, (long)Assert.Single(area.Totals).Mass!.Value.Milligrams);
        Assert.Equal("incomer", Assert.Single(area.Lines).Device);
        var device = Tree(StatementSubject.Device("fan"));
        Assert.Equal(96 * 4 * Kilogram, (long)Assert.Single(device.Totals).Mass!.Value.Milligrams);
        Assert.Contains("'nobody' has no entry", Assert.Throws<EmissionRefusedException>(() => Tree(StatementSubject.Device("nobody"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void One_meter_errs_alike_in_all_its_entries_and_so_does_a_factor()
    {
        // 96 independent entries would have a tenth of it.
        Assert.Equal(MeterAndGrid, Tree().Totals[0].Mass!.Value.UncertaintyPercent, 9);
    }

    [Fact]
    public void Two_meters_err_apart_and_their_common_factor_together()
    {
        var builder = new StatementBuilder(Mine, Day(), StatementSubject.Site, Factors);
        builder.Add(Entry("incomer", Day().Start, Kilogram));
        builder.Add(Entry("second", Day().Start, Kilogram).With(r => r with { CountsTowardSite = true }));
        Assert.Equal(Math.Sqrt(0.5 + (7.5 * 7.5)), builder.Build(Source, withForecast: false).Totals[0].Mass!.Value.UncertaintyPercent, 9); // 1 % of each meter by squares: 0.707 % of the sum
    }

    [Fact]
    public void An_unknown_uncertainty_makes_that_of_the_sum_unknown()
    {
        var builder = new StatementBuilder(Mine, Day(), StatementSubject.Site, Factors);
        builder.Add(Entry("incomer", Day().Start, Kilogram));
        builder.Add(Entry("incomer", Day().Start + Quarter, Kilogram).With(r => r with { UncertaintyPercent = double.NaN }));
        Assert.True(double.IsNaN(builder.Build(Source, withForecast: false).Totals[0].Mass!.Value.UncertaintyPercent));
    }

    [Fact]
    public void What_is_missing_is_said_with_its_reason_and_not_estimated()
    {
        var (builder, start) = (new StatementBuilder(Mine, Day(), StatementSubject.Site, Factors), Day().Start);
        for (var i = 0; i < 96; i++)
        {
            // Six hours without entries, then two in which the meter is silent; what flowed comes with the first reading.
            if (i is < 24 or >= 48)
            {
                var silent = i is >= 48 and < 56;
                builder.Add(Entry("incomer", start + (i * Quarter), silent ? 0 : i == 56 ? 20 * Kilogram : Kilogram, silent ? 0 : 1).With(r => r with { Allocated = i == 56 }));
            }
        }

        var statement = builder.Build(Source, withForecast: false);
        var line = Assert.Single(statement.Lines);
        Assert.Equal(64 / 96.0, line.Mass.Coverage, 12);
        Assert.Equal((TimeSpan.FromHours(8), 20 * Kilogram), (line.Missing, (long)line.AllocatedMilligrams));
        Assert.Equal([(6.0, 6.0, "no-entry"), (12.0, 2.0, "not-heard")], statement.Gaps.Select(g => ((g.From - start).TotalHours, (g.To - g.From).TotalHours, g.Reason)));
        Assert.Equal([1, 0, 0, 1], new[] { 0, 6, 12, 14 }.Select(h => (int)line.PartCoverage[h]));
        Assert.Contains("half", StatementWords.In("en").All.Keys.Single(k => k == "half-known"), StringComparison.Ordinal);
        Assert.Contains(StatementWords.In("en")["half-known"], StatementHtml.Write(statement, StatementWords.In("en")), StringComparison.Ordinal);
    }

    [Fact]
    public void A_period_that_goes_on_is_said_to_be_incomplete_and_its_future_is_not_missing()
    {
        var builder = new StatementBuilder(Mine, Day(), StatementSubject.Site, Factors);
        for (var i = 0; i < 40; i++)
        {
            builder.Add(Entry("incomer", Day().Start + (i * Quarter), Kilogram));
        }

        var statement = builder.Build(Source, withForecast: false);
        Assert.False(statement.IsComplete);
        Assert.Equal((1.0, 0), (statement.Lines[0].Mass.Coverage, statement.Gaps.Count));
        Assert.True(double.IsNaN(statement.Lines[0].PartCoverage[12]));
    }

    [Fact]
    public void An_account_that_began_within_the_period_is_not_missing_before()
    {
        var builder = Whole(Day(), StatementSubject.Site, ("incomer", 1));
        builder.Add(Entry("belt", Day().Start + TimeSpan.FromHours(12), Kilogram));
        var line = builder.Build(Source, withForecast: false).Lines.Single(l => l.Device == "belt");
        Assert.Equal(Day().Start + TimeSpan.FromHours(12), line.Since);
        Assert.Equal(1 / 48.0, line.Mass.Coverage, 12);
    }

    [Fact]
    public void The_same_entry_counts_once_and_one_made_after_a_loss_yields_to_the_one_before()
    {
        var builder = new StatementBuilder(Mine, Day(), StatementSubject.Site, Factors);
        builder.Add(Entry("incomer", Day().Start, 3).With(r => r with { Cut = WindowCut.Loss }));
        builder.Add(Entry("incomer", Day().Start, 10));
        builder.Add(Entry("incomer", Day().Start, 10));
        builder.Add(Entry("incomer", Day().Start, 100).With(r => r with { Era = 1 })); // a clock set back: both are true
        builder.Add(Entry("incomer", Day().Start + Quarter, 1000).With(r => r with { Cut = WindowCut.Loss }));
        Assert.Equal(1110L, (long)builder.Build(Source, withForecast: false).Totals[0].Mass!.Value.Milligrams);
    }

    [Fact]
    public void Scopes_bases_removals_and_biogenic_CO2_are_never_added_or_netted()
    {
        var (builder, start) = (new StatementBuilder(Mine, Day(), StatementSubject.Site, Factors), Day().Start);
        builder.Add(Entry("incomer", start, 100));
        builder.Add(Entry("incomer", start, 40).With(r => r with { Method = ElectricityMarket.Name, FactorId = "contract" }));
        builder.Add(Declared("boiler", start, 7, "fuel-combustion", biogenic: 5));
        builder.Add(Declared("well", start, 0, "co2-injected", scope: 0, removed: 60));
        var statement = builder.Build(Source, withForecast: false);
        Assert.Equal([(1, EmissionBasis.None, 7), (2, EmissionBasis.Location, 100)], statement.Totals.Where(t => t.Basis != EmissionBasis.Market).Select(t => (t.Scope, t.Basis, (int)t.Mass!.Value.Milligrams)));
        Assert.Equal((60, 5), ((int)statement.Removed!.Value.Milligrams, (int)statement.Biogenic!.Value.Milligrams));
        Assert.Equal(EmissionEvidence.Measured, statement.Lines.Single(l => l.Device == "well").Evidence);
    }

    [Fact]
    public void Masses_by_two_GWP_sets_are_not_added()
    {
        var (builder, start) = (new StatementBuilder(Mine, Day(), StatementSubject.Site, Factors), Day().Start);
        foreach (var (device, set) in new[] { ("a", "AR5"), ("b", "AR6") })
        {
            builder.Add(Declared(device, start, 10, "mine-methane", gas: "CH4_fossil", gwpSet: set));
        }

        var statement = builder.Build(Source, withForecast: false);
        var total = Assert.Single(statement.Totals);
        Assert.Null(total.Mass);
        Assert.Contains("AR5, AR6", total.Refusal!.ToString(), StringComparison.Ordinal);
        Assert.Equal([("AR5", 10), ("AR6", 10)], statement.Gases.Select(g => (g.GwpSet!, (int)g.Mass!.Value.Milligrams)));
    }

    [Fact]
    public void A_balance_of_a_year_is_in_the_statement_of_the_year_and_in_no_other()
    {
        var year = StatementPeriod.Parse("2026", Mine.Zone)!;
        foreach (var (period, expected) in new[] { (year, 1), (Day(), 0) })
        {
            var builder = new StatementBuilder(Mine, period, StatementSubject.Site, Factors);
            builder.Add(Entry("incomer", Day().Start, 100));
            builder.Add(Declared("gis", year.Start, 500, "sf6-balance", gas: "SF6", gwpSet: "AR6").With(r => r with { Width = year.End - year.Start }));
            var statement = builder.Build(Source, withForecast: false);
            Assert.Equal(expected, statement.Totals.Count(t => t.Scope == 1));
            Assert.Equal(100L, (long)statement.Totals.Single(t => t.Scope == 2).Mass!.Value.Milligrams);
        }
    }

    [Fact]
    public void The_factor_and_what_stood_in_for_it_are_named()
    {
        var factor = Assert.Single(Tree().Factors);
        Assert.Equal((Grid, 0.7096m, "year 2022 for 2026"), (factor.Id, factor.Value, Assert.Single(factor.Notes)));
        Assert.Equal(FactorStatus.SecondHand, factor.Known!.Status);
    }

    [Fact]
    public void The_gateways_own_consumption_stands_beside_the_totals_and_is_not_added()
    {
        var builder = new StatementBuilder(Mine with { OwnPower = new(6, "CN-SX") }, Day(), StatementSubject.Site, Factors);
        for (var i = 0; i < 48; i++)
        {
            builder.Add(Entry("incomer", Day().Start + (i * Quarter), 709_600)); // 1 kWh
        }

        var statement = builder.Build(Source, withForecast: false);
        Assert.Equal((TimeSpan.FromHours(12), 0.072m, 51_091L), (statement.Own!.Running, statement.Own.KWh, statement.Own.Milligrams!.Value)); // 6 W x 12 h x 0.7096
        Assert.Equal(0.0015, statement.Own.ShareOfSite!.Value, 12);
        Assert.Equal(48 * 709_600L, (long)statement.Totals[0].Mass!.Value.Milligrams);
    }

    [Fact]
    public void What_a_sensor_of_the_supply_measured_goes_before_what_is_declared()
    {
        var builder = new StatementBuilder(Mine with { OwnPower = new(6, "CN-SX") }, Day(), StatementSubject.Site, Factors);
        for (var i = 0; i < 4; i++)
        {
            builder.Add(Entry("incomer", Day().Start + (i * Quarter), 709_600));
            builder.Add(Entry("box", Day().Start + (i * Quarter), 887).With(r => r with { Method = "gateway-power", Scope = 0, ActivityKWh = 0.00125m })); // 5 W
        }

        var statement = builder.Build(Source, withForecast: false);
        Assert.Equal((true, 5m, 0.005m, 4 * 887L), (statement.Own!.IsMeasured, statement.Own.Watts, statement.Own.KWh, statement.Own.Milligrams!.Value));
        Assert.Equal(4 * 709_600L, (long)Assert.Single(statement.Totals).Mass!.Value.Milligrams);
    }

    [Fact]
    public void A_day_with_a_change_of_the_clock_has_as_many_hours_as_passed()
    {
        var berlin = TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin");
        Assert.Equal((23, 25, 24), (StatementPeriod.Parse("2026-03-29", berlin)!.Parts, StatementPeriod.Parse("2026-10-25", berlin)!.Parts, StatementPeriod.Parse("2026-10-26", berlin)!.Parts));
        var year = StatementPeriod.Parse("2026", berlin)!;
        Assert.Equal((12, "2025-12-31T23:00:00.000Z"), (year.Parts, year.Start.ToString()));
        Assert.Null(StatementPeriod.Parse("2026-13", berlin));
        Assert.Null(StatementPeriod.Parse("last month", berlin));
    }

    [Fact]
    public void A_period_without_entries_is_refused()
    {
        var builder = new StatementBuilder(Mine, Day(), StatementSubject.Site, Factors);
        builder.Add(Entry("incomer", Day().Start - Quarter, Kilogram));
        Assert.Contains("the last before it is of 2026-02-28", Assert.Throws<EmissionRefusedException>(() => builder.Build(Source)).Message, StringComparison.Ordinal);
    }

    private static StatementBuilder Days(string period, int days, int lastDays = 0)
    {
        // From 1 January: 10 kg a quarter of an hour on weekdays, 4 on Sundays.
        var builder = new StatementBuilder(Mine, StatementPeriod.Parse(period, Mine.Zone)!, StatementSubject.Site, Factors);
        var first = new DateOnly(2026, 1, 1);
        for (var day = 0; day < days; day++)
        {
            var start = StatementPeriod.StartOf(first.AddDays(day), Mine.Zone);
            for (var i = 0; i < (day == days - 1 && lastDays > 0 ? lastDays : 96); i++)
            {
                builder.Add(Entry("incomer", start + (i * Quarter), (first.AddDays(day).DayOfWeek == DayOfWeek.Sunday ? 4 : 10) * Kilogram));
            }
        }

        return builder;
    }

    [Fact]
    public void The_end_of_the_month_is_forecast_from_whole_days_and_the_end_of_the_year_refused_while_history_is_short()
    {
        var statement = Days("2026-03", 59 + 20, lastDays: 40).Build(Source); // to 20 March, 10:00
        var (month, year) = (statement.Outlooks.Single(o => o.Target.Name == "2026-03"), statement.Outlooks.Single(o => o.Target.Name == "2026"));
        Assert.Equal((new DateOnly(2026, 3, 19), new DateOnly(2026, 3, 1)), (month.LastDay, month.SinceStart));
        Assert.Equal((16 * 960) + (3 * 384), month.Kilograms, 6); // 1, 8 and 15 March are Sundays
        Assert.Equal((26 * 960) + (5 * 384), month.Total!.Value.Value, 1.0);
        Assert.InRange((26 * 960) + (5 * 384), month.Total.Value.Low - 1, month.Total.Value.High + 1);
        Assert.Null(year.Forecast);
        Assert.Contains("values of history", year.Refusal!.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void The_end_of_the_year_is_forecast_by_months_where_whole_years_show_the_seasons()
    {
        // 21 months to the end of September: as many kilograms a quarter of an hour as the month's number, and ten.
        StatementOutlook Year(DateOnly end)
        {
            var builder = new StatementBuilder(Mine, StatementPeriod.Parse("2026-09", Mine.Zone)!, StatementSubject.Site, Factors);
            for (var day = new DateOnly(2025, 1, 1); day <= end; day = day.AddDays(1))
            {
                for (var i = 0; i < 96; i++)
                {
                    builder.Add(Entry("incomer", StatementPeriod.StartOf(day, Mine.Zone) + (i * Quarter), (10 + day.Month) * Kilogram));
                }
            }

            return builder.Build(Source).Outlooks.Single(o => o.Target.Name == "2026");
        }

        var year = Year(new(2026, 9, 30));
        Assert.Equal((3, "seasonal-naive"), (year.Forecast!.Steps.Count, year.Forecast.Method));
        Assert.Equal(31 * 96 * 20.0, year.Forecast.Steps[0].Value, 6);
        Assert.Equal(Enumerable.Range(1, 12).Sum(m => DateTime.DaysInMonth(2026, m) * 96.0 * (10 + m)), year.Total!.Value.Value, 3);

        // No month is split: a day before, it goes by days.
        Assert.Equal(93, Year(new(2026, 9, 29)).Forecast!.Steps.Count);
    }

    [Fact]
    public void What_is_refused_is_said_in_the_language_of_the_page()
    {
        var builder = Days("2026-03", 79);
        builder.Add(Declared("fan", Day().Start, Kilogram, "mine-methane", gas: "CH4", gwpSet: "AR5"));
        builder.Add(Declared("fan", Day().Start, Kilogram, "sf6-leak", gas: "CH4", gwpSet: "AR6"));
        var statement = builder.Build(Source, scenarios: new(null, [new("a", 3, 1, -0.25, 20)]));
        var chinese = StatementHtml.Write(statement, StatementWords.In("zh"));
        Assert.Contains("采用不同 GWP 集（AR5, AR6）的质量不相加。", chinese, StringComparison.Ordinal);
        Assert.Contains("未声明基准年", chinese, StringComparison.Ordinal);
        Assert.Contains("个历史值才能在过去的数据上检验", chinese, StringComparison.Ordinal);
        Assert.All(StatementWords.In("en").All.Where(w => w.Key.StartsWith("refusal.", StringComparison.Ordinal) && w.Value.Length > 10), w => Assert.DoesNotContain(w.Value[..10], chinese, StringComparison.Ordinal));
        Assert.Contains("The base year is not declared", StatementHtml.Write(statement, StatementWords.In("en")), StringComparison.Ordinal);
    }

    [Fact]
    public void A_year_whose_factor_changed_in_July_is_shown_by_months_as_published_and_as_stated_now()
    {
        // 2 kg at the old factor until June, restated to 3; from July on 3 kg by the new one.
        var builder = new StatementBuilder(Mine, StatementPeriod.Parse("2026", Mine.Zone)!, StatementSubject.Site, Factors);
        for (var month = 1; month <= 12; month++)
        {
            var start = new DateOnly(2026, month, 1);
            for (var day = 0; day < DateTime.DaysInMonth(2026, month); day++)
            {
                builder.Add(Entry("incomer", StatementPeriod.StartOf(start.AddDays(day), Mine.Zone), (month < 7 ? 2 : 3) * Kilogram));
                builder.Add(Entry("fan", StatementPeriod.StartOf(start.AddDays(day), Mine.Zone), Kilogram));
            }

            if (month < 7)
            {
                var days = DateTime.DaysInMonth(2026, month);
                builder.Add(new StatementRestatement("incomer", "electricity-purchased", Instant.Parse($"2026-{month:00}-01T00:00:00Z"), "set version 3 (aaaa)", "set version 4 (bbbb)", 2 * days * Kilogram, 3 * days * Kilogram, false));
                builder.Add(new StatementRestatement("fan", "electricity-purchased", Instant.Parse($"2026-{month:00}-01T00:00:00Z"), "set version 3 (aaaa)", "set version 4 (bbbb)", days * Kilogram, days * Kilogram, false));
            }
        }

        var statement = builder.Build(Source, withForecast: false);
        var restated = Assert.Single(statement.Restated);
        Assert.Equal((2, EmissionBasis.Location), (restated.Scope, restated.Basis));
        Assert.Equal(Enumerable.Range(1, 12).Select(m => (Int128)(3L * DateTime.DaysInMonth(2026, m) * Kilogram)), restated.Milligrams);
        Assert.Equal(Enumerable.Range(1, 12).Select(m => (Int128)((m < 7 ? 2L : 3L) * DateTime.DaysInMonth(2026, m) * Kilogram)), statement.Courses.Single().Milligrams);
        var page = StatementHtml.Write(statement, StatementWords.In("en"));
        Assert.Contains("2026 by months", page, StringComparison.Ordinal);
        Assert.Contains("<tr><td>06</td>", page, StringComparison.Ordinal);
        using var json = System.Text.Json.JsonDocument.Parse(StatementJson.Write(statement));
        Assert.Equal(12, json.RootElement.GetProperty("restated")[0].GetProperty("milligrams").GetArrayLength());
    }

    [Fact]
    public void A_month_that_is_over_needs_no_forecast()
    {
        Assert.DoesNotContain(Days("2026-03", 90).Build(Source).Outlooks, o => o.Target.Length == PeriodLength.Month);
    }

    [Fact]
    public void Scenarios_begin_at_a_declared_year_or_are_refused_with_the_cure()
    {
        PeakScenario[] scenarios = [new("a", 3, 1, -0.25, 20), new("b", 3, 2.2, -0.35, 20)];
        var statement = Days("2026-03", 79).Build(Source, scenarios: new((2024, 10_250), scenarios));
        Assert.Equal([2031, 2026], statement.Peak!.Paths.Select(p => p.PeakYear)); // case S-02
        var refused = Days("2026-03", 79).Build(Source, scenarios: new(null, scenarios));
        Assert.Contains("base: { year, tonnes }", refused.PeakRefusal!.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Both_languages_have_the_same_words_with_the_same_blanks()
    {
        var (english, chinese) = (StatementWords.In("en"), StatementWords.In("zh"));
        Assert.Equal(english.All.Keys.Order(StringComparer.Ordinal), chinese.All.Keys.Order(StringComparer.Ordinal));
        static string[] Blanks(string text) => [.. text.Replace("{{", "", StringComparison.Ordinal).Split('{')[1..].Select(p => p[..p.IndexOf('}', StringComparison.Ordinal)]).Distinct().Order(StringComparer.Ordinal)];
        Assert.All(english.All, w => Assert.Equal(Blanks(w.Value), Blanks(chinese[w.Key])));
        Assert.All(EmissionMethods.ByName.Keys, m => Assert.True(english.All.ContainsKey($"method.{m}"), m));
        Assert.Throws<ArgumentException>(() => StatementWords.In("xx"));
    }

    [Theory]
    [InlineData("en")]
    [InlineData("zh")]
    public void A_page_holds_all_it_needs_and_runs_nothing(string language)
    {
        var builder = Days("2026-03", 79);
        builder.Add(new StatementEvent(Day().Start, "calibration", "incomer zero"));
        builder.Add(new StatementRestatement("incomer", "electricity-purchased", Instant.Parse("2026-03-01T00:00:00Z"), "edgegateway version 3 (aaaa)", "edgegateway version 4 (bbbb)", 100 * Kilogram, 90 * Kilogram, false));
        var statement = builder.Build(Source, scenarios: new((2025, 10_000), [new("a", 3, 1, -0.25, 20), new("b", 3, 0, 0, 5)]));
        var page = StatementHtml.Write(statement, StatementWords.In(language));
        Assert.DoesNotContain("<script", page, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("src=", page, StringComparison.Ordinal);
        Assert.DoesNotContain("href=", page, StringComparison.Ordinal);
        Assert.DoesNotContain("NaN", page, StringComparison.Ordinal);
        Assert.DoesNotContain("North <Shaft>", page, StringComparison.Ordinal);
        Assert.Contains("North &lt;Shaft&gt;", page, StringComparison.Ordinal);
        Assert.Contains("record 7", page, StringComparison.Ordinal);
        Assert.Contains("edgegateway version 4 (bbbb)", page, StringComparison.Ordinal);
        Assert.Contains(StatementWords.In(language)["market-missing"], page, StringComparison.Ordinal);
        Assert.Equal(3, page.Split("<svg xmlns").Length - 1); // over time, forecast, scenarios
        foreach (var word in new[] { "{0}", "{1}" })
        {
            Assert.DoesNotContain(word, page, StringComparison.Ordinal);
        }

        Assert.Equal(page, StatementHtml.Write(statement, StatementWords.In(language)));
    }

    [Fact]
    public void The_table_and_the_JSON_hold_the_same_exact_milligrams()
    {
        var statement = Tree();
        var rows = StatementCsv.Write(statement).Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Select(r => r.Split(',')).ToList();
        var (kind, device, mass) = (Array.IndexOf(rows[0], "row"), Array.IndexOf(rows[0], "device"), Array.IndexOf(rows[0], "milligramsCO2e"));
        Assert.All(rows, r => Assert.Equal(rows[0].Length, r.Length));
        Assert.Equal("960000000", rows.Single(r => r[kind] == "total")[mass]);
        Assert.Equal(384_000_000L, rows.Where(r => r[kind] == "part" && r[device] == "fan").Sum(r => long.Parse(r[mass], CultureInfo.InvariantCulture)));

        using var json = JsonDocument.Parse(StatementJson.Write(statement));
        Assert.Equal(StatementJson.SchemaName, json.RootElement.GetProperty("schema").GetString());
        Assert.Equal(960_000_000L, json.RootElement.GetProperty("totals")[0].GetProperty("milligramsCO2e").GetInt64());
        var fan = json.RootElement.GetProperty("accounts").EnumerateArray().Single(a => a.GetProperty("device").GetString() == "fan");
        Assert.Equal(384_000_000L, fan.GetProperty("parts").EnumerateArray().Sum(p => p.GetProperty("milligramsCO2e").GetInt64()));
        Assert.Equal("incomer", fan.GetProperty("containedIn").GetString());
    }

    [Fact]
    public void A_name_with_commas_and_quotes_stays_one_cell()
    {
        var site = Mine with { Devices = new Dictionary<string, StatementDevice> { ["incomer"] = new("incomer", "Incomer, \"old\"", null, null, true) } };
        var builder = new StatementBuilder(site, Day(), StatementSubject.Site, Factors);
        builder.Add(Entry("incomer", Day().Start, 1));
        Assert.Contains(",\"Incomer, \"\"old\"\"\",", StatementCsv.Write(builder.Build(Source, withForecast: false)), StringComparison.Ordinal);
    }

    [Fact]
    public void Records_of_a_ledger_name_the_factor_set_and_what_happened()
    {
        var builder = new StatementBuilder(Mine, Day(), StatementSubject.Site, Factors);
        var records = new StatementRecords(builder);
        var at = Day().Start;
        var hash = new string('a', 64);
        var content = new LedgerContent[]
        {
            new FactorsContent("edgegateway", 3, hash, "{}"),
            new CalibrationContent { Device = "analyser", Point = "co2", Action = "zero", At = at },
            new GapContent("the store was damaged", 1, 5, 9),
            new EmissionContent
            {
                Device = "incomer", FactorSet = hash, Epoch = 1, Sequence = 1,
                Entry = new() { Device = -1, Account = EmissionAccount.Device, Start = at, Width = Quarter, Era = 0, Method = "electricity-purchased", Scope = 2, ActivityKWh = 1, Milligrams = 709_600, FactorId = Grid, FactorKgPerKWh = 0.7096m, UncertaintyPercent = MeterAndGrid, Coverage = 1, CountsTowardSite = true, Allocated = false },
            },
        };
        for (var i = 0; i < content.Length; i++)
        {
            records.Take(new(i + 1, at, content[i]));
        }

        var statement = builder.Build(Source, withForecast: false);
        Assert.Equal((4L, 4L), (records.Count, records.Last));
        Assert.Equal("edgegateway version 3 (aaaaaaaaaaaa)", Assert.Single(statement.Factors).Set);
        Assert.Equal(["factors", "calibration", "gap"], statement.Events.Select(e => e.Kind));
        Assert.Equal(709_600L, (long)statement.Totals[0].Mass!.Value.Milligrams);
    }
}

file static class Entries
{
    /// <summary>The entry with another record.</summary>
    public static StatementEntry With(this StatementEntry entry, Func<EmissionRecord, EmissionRecord> change) => entry with { Record = change(entry.Record) };
}
