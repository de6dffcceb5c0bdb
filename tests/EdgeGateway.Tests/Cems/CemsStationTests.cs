using EdgeGateway.Core;
using EdgeGateway.Core.Cems;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Site;
using EdgeGateway.Core.State;
using EdgeGateway.Tests.LocalPath;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Tests.Cems;

/// <summary>A stack that the site declares: from gateway.yaml and samples to hours, calibrations, findings and entries.</summary>
public class CemsStationTests
{
    private const string Part75Stack = "{ rules: part75, ambient: 101.325, area: 10, potentialFlow: 90000000, gases: [{ gas: co2, span: 20, spanGas: 18, potential: 20 }], status: { point: device_state, zeroGas: [2], spanGas: [3], maintenance: [4], fault: [5] }, operating: { point: gas_velocity, above: 3 } }";
    private const string HjStack = "{ rules: hj75, ambient: 101.325, area: 10, moisturePercent: 10, gases: [{ gas: so2, span: 200, spanGas: 180, limit: { hour: 35, day: 35, referenceOxygen: 6 } }, { gas: co2 }], status: { point: device_state, zeroGas: [2], spanGas: [3] }, operating: { point: gas_velocity, above: 3 } }";
    private const string EuStack = "{ rules: eu-mrr, ambient: 101.325, area: 10, gases: [{ gas: co2 }], operating: { point: gas_velocity, above: 3 } }";

    private static readonly string Calibrated = HjStack.Replace("{ gas: co2 }", "{ gas: co2, span: 25, spanGas: 18 }", StringComparison.Ordinal);

    private static readonly Instant Start = Rig.At("2026-03-02T00:00:00Z");

    private static (SiteModel? Model, IReadOnlyList<Problem> Problems) Load(string cems, string points = "{}", Func<string, string>? edit = null) => SiteLoader.Load(
        new("gateway.yaml", $$"""
            schema: edgegateway/gateway/1
            site: { id: plant, timezone: Asia/Shanghai, region: CN-SX }
            gateway: { id: gw }
            novelty: off
            buses: [{ id: lan, type: modbus-tcp, host: 127.0.0.1 }]
            devices:
              - id: stack
                profile: simulated-cems
                bus: lan
                unit: 1
                cems: {{cems}}
                points: {{points}}
            """),
        id =>
        {
            var profile = File.ReadAllText(RepositoryFiles.At($"docs/examples/stack/device-profiles/{id}.yaml"));
            return new($"{id}.yaml", edit?.Invoke(profile) ?? profile);
        });

    private static Stack Begin(string cems, string points = "{}", Func<string, string>? edit = null)
    {
        var (model, problems) = Load(cems, points, edit);
        Assert.True(model is not null, string.Join('\n', problems));
        return new Stack(model);
    }

    [Fact]
    public void An_hour_of_Part_75_has_wet_flow_and_the_mass_of_equation_F_2()
    {
        var stack = Begin(Part75Stack);
        stack.Run(3600 + 10);
        var hour = Assert.Single(stack.Rig.CemsHours);
        var (co2, flow, moisture) = (hour.Quantities[0], hour.Quantities[1], hour.Quantities[2]);

        // 15 m/s x 10 m2 at 127 Celsius and 101325 Pa, as 20 Celsius.
        var scfh = Math.Round(540_000m * 293.15m / 400.15m / 0.028316846592m / 1000, MidpointRounding.AwayFromZero) * 1000;
        var tons = Math.Round(5.7e-7m * 12 * scfh * 0.92m, 1, MidpointRounding.AwayFromZero);
        Assert.Equal(("co2", 12.0m, true, "01", CemsFlag.Normal), (co2.Name, co2.Value, co2.IsValid, co2.Modc, co2.Flag));
        Assert.Equal((scfh, "[ft3_i]/h"), (flow.Value, flow.Unit));
        Assert.Equal(8.0m, moisture.Value);
        Assert.Equal(tons * 907.18474m, co2.Kilograms);
        Assert.Equal((1.0m, true, 1), (hour.OperatingTime, hour.IsFinal, hour.Revision));
        var entry = Assert.Single(stack.Rig.Emissions, e => e.Method == "cems-part75");
        Assert.Equal(((long)(tons * 907.18474m * 1_000_000), TimeSpan.FromHours(1), 1d, null), (entry.Milligrams, entry.Width, entry.Coverage, entry.FactorNote));
    }

    [Fact]
    public void An_hour_of_HJ_75_has_dry_standard_flow_and_a_mass_that_is_not_corrected_to_reference_oxygen()
    {
        var stack = Begin(HjStack, "{ moisture: { poll: off } }");
        stack.Run(3600 + 10);
        var hour = Assert.Single(stack.Rig.CemsHours);
        var dry = Math.Round(540_000m * 273 / 400 * 0.9m, 6, MidpointRounding.AwayFromZero);
        Assert.Equal(dry, hour.Quantities[2].Value);
        Assert.Equal((20m, Math.Round(20m * dry / 1_000_000, 6, MidpointRounding.AwayFromZero)), (hour.Quantities[0].Value, hour.Quantities[0].Kilograms));
        Assert.Equal(Math.Round(20m * 15 / 14, 6, MidpointRounding.AwayFromZero), hour.Quantities[0].Corrected);
        Assert.Equal(60, hour.Quantities[0].Points);
        Assert.Equal(7m, hour.OxygenPercent);
    }

    [Fact]
    public void A_missing_period_waits_for_the_hour_after_it_and_is_then_said_again_with_its_rule()
    {
        var stack = Begin(Part75Stack);
        stack.Run(2 * 3600);
        stack.Values["concentration_co2"] = null;
        stack.Run(3 * 3600);
        stack.Values["concentration_co2"] = 13;
        stack.Run(3600 + 10);

        var waiting = stack.Rig.CemsHours.Where(h => !h.IsFinal).ToList();
        Assert.Equal(3, waiting.Count);
        Assert.All(waiting, h => Assert.Equal((null, CemsFlag.Lost, 1), (h.Quantities[0].Value, h.Quantities[0].Flag, h.Revision)));
        var said = stack.Rig.CemsHours.Where(h => h.Revision == 2).ToList();
        Assert.Equal(waiting.Select(h => h.Start), said.Select(h => h.Start));
        Assert.All(said, h => Assert.Equal((12.5m, "INIT-HBHA", "07", 3, 40.0m), (h.Quantities[0].Value, h.Quantities[0].Rule, h.Quantities[0].Modc, h.Quantities[0].MissingHours, h.Quantities[0].AvailabilityPercent)));

        // Entries come once each, in the order of their hours, and what stood in was not heard.
        var entries = stack.Rig.Emissions.Where(e => e.Method == "cems-part75").ToList();
        Assert.Equal(Enumerable.Range(0, 6).Select(h => Start + TimeSpan.FromHours(h)), entries.Select(e => e.Start));
        Assert.Equal([1d, 1, 0, 0, 0, 1], entries.Select(e => e.Coverage));
        Assert.All(entries, e => Assert.True(e.Milligrams > 0));
    }

    [Fact]
    public void A_unit_that_stands_is_not_missing_and_its_entry_says_that_it_stood()
    {
        var stack = Begin(Part75Stack);
        stack.Run(3600);
        stack.Values["gas_velocity"] = 0.4;
        stack.Run(2 * 3600);
        foreach (var name in stack.Values.Keys)
        {
            stack.Values[name] = null;
        }

        stack.Run(3600 + 10);
        var idle = stack.Rig.CemsHours[^1];
        Assert.Equal((0m, true, 0), (idle.OperatingTime, idle.IsFinal, idle.Quantities.Count));
        var entries = stack.Rig.Emissions.Where(e => e.Method == "cems-part75").ToList();
        Assert.Equal([1, 0, 0, 0], entries.Select(e => e.Detail!.Stack!.OperatingTime));
        Assert.All(entries.Skip(1), e => Assert.Equal((0L, 0, null), (e.Milligrams, e.Detail!.Stack!.Quantities.Count, e.FactorNote)));

        // Whether it still stood while nothing was heard of the stack nobody knows.
        Assert.Equal([1, 1, 1, 0.0], entries.Select(e => Math.Round(e.Coverage, 1)));
    }

    [Fact]
    public void Part_of_an_hour_is_weighed_by_its_operating_time()
    {
        var stack = Begin(Part75Stack);
        stack.Run(1800);
        stack.Values["gas_velocity"] = 0.4;
        stack.Run(1800 + 10);
        var hour = Assert.Single(stack.Rig.CemsHours);
        Assert.Equal((0.5m, true), (hour.OperatingTime, hour.Quantities[0].IsValid));
        Assert.Equal(Part75.MassDry(12, hour.Quantities[1].Value!.Value, 0.5m, 8).Tons * Part75.KilogramsPerTon, hour.Quantities[0].Kilograms);
    }

    [Fact]
    public void A_cycle_of_zero_and_span_gas_is_a_calibration_and_does_not_enter_the_average()
    {
        var stack = Begin(Part75Stack);
        stack.Run(1200);
        stack.Calibrate(zero: 0.2, span: 17.9);
        stack.Run(2400);
        Assert.Equal(
            [("zero", 0.2m, 0.2m, TestResult.Passed, ""), ("span", 17.9m, 0.1m, TestResult.Passed, "")],
            stack.Rig.Calibrations.Select(c => (c.Level, Math.Round(c.Measured!.Value, 4), c.Error!.Value, c.Result, c.Who)));
        var hour = Assert.Single(stack.Rig.CemsHours);
        Assert.Equal((12.0m, true, CalibrationStatus.InControl), (hour.Quantities[0].Value, hour.Quantities[0].IsValid, hour.Quantities[0].Calibration));
    }

    [Fact]
    public void A_failed_check_puts_the_analyser_out_of_control_from_its_hour_until_one_passes()
    {
        var stack = Begin(Part75Stack);
        stack.Run(1200);
        stack.Calibrate(zero: 0.2, span: 16.5);
        stack.Run(3600);
        Assert.Equal(TestResult.Failed, stack.Rig.Calibrations[^1].Result);
        var failed = stack.Rig.CemsHours[0].Quantities[0];
        Assert.Equal((false, CalibrationStatus.TestFailed, null), (failed.IsValid, failed.Calibration, failed.Value));
        stack.Calibrate(zero: 0, span: 18);
        stack.Run(2 * 3600);
        Assert.Equal((true, CalibrationStatus.InControl), (stack.Rig.CemsHours[^1].Quantities[0].IsValid, stack.Rig.CemsHours[^1].Quantities[0].Calibration));
    }

    [Fact]
    public void A_passed_test_that_is_not_repeated_ends_with_its_26th_hour()
    {
        var stack = Begin(Part75Stack);
        stack.Calibrate(zero: 0, span: 18);
        stack.Run(28 * 3600);
        var statuses = stack.Rig.CemsHours.Where(h => h.Revision == 1).Select(h => h.Quantities[0].Calibration).ToList();
        Assert.All(statuses.Take(26), s => Assert.Equal(CalibrationStatus.InControl, s));
        Assert.Equal(CalibrationStatus.Expired, statuses[26]);
    }

    [Fact]
    public void A_person_enters_a_calibration()
    {
        var stack = Begin(Part75Stack);
        stack.Run(600);
        Assert.Null(stack.Rig.Pipeline.Cems.Enter(new("stack", "co2", "span", 18, 16, "maria"), stack.Now));
        Assert.Equal(("maria", TestResult.Failed, 2.0m), (stack.Rig.Calibrations[0].Who, stack.Rig.Calibrations[0].Result, stack.Rig.Calibrations[0].Error));
        Assert.Contains("no gas 'nox'", stack.Rig.Pipeline.Cems.Enter(new("stack", "nox", "span", 18, 16, "maria"), stack.Now));
        Assert.Contains("Stacks: stack", stack.Rig.Pipeline.Cems.Enter(new("other", "co2", "span", 18, 16, "maria"), stack.Now));
        Assert.Contains("zero, span", stack.Rig.Pipeline.Cems.Enter(new("stack", "co2", "mid", 18, 16, "maria"), stack.Now));
        Assert.Contains("-18", stack.Rig.Pipeline.Cems.Enter(new("stack", "co2", "span", -18, 16, "maria"), stack.Now));
    }

    [Fact]
    public void The_forecast_of_the_running_hour_warns_before_the_permit_is_broken_and_the_broken_hour_is_an_alarm()
    {
        var stack = Begin(HjStack, "{ moisture: { poll: off } }");
        stack.Run(3600 + 900);
        Assert.Empty(stack.Rig.Anomalies);
        stack.Values["concentration_so2"] = 60;
        stack.Run(600);
        var warning = Assert.Single(stack.Rig.Anomalies, a => a.Detector == "permit-forecast");
        Assert.Contains(stack.Rig.Anomalies, a => a is { Detector: "permit-day-forecast", Raised: true });
        Assert.Equal(("permit-forecast", true, Severity.Warning), (warning.Detector, warning.Raised, warning.Severity));
        Assert.True(warning.Value > 35 && warning.Limit == 35);
        stack.Run(2100 + 10);
        var broken = Assert.Single(stack.Rig.Anomalies, a => a.Detector == "permit-hour");
        Assert.Equal((true, Severity.Alarm), (broken.Raised, broken.Severity));
        Assert.Contains(stack.Rig.Anomalies, a => a is { Detector: "permit-forecast", Raised: false });
        stack.Values["concentration_so2"] = 20;
        stack.Run(3600);
        Assert.Contains(stack.Rig.Anomalies, a => a is { Detector: "permit-hour", Raised: false });
    }

    [Fact]
    public void Oxygen_like_that_of_air_cannot_be_corrected_and_says_so_and_the_mass_stays()
    {
        var stack = Begin(HjStack, "{ moisture: { poll: off } }");
        stack.Values["concentration_o2"] = 21;
        stack.Run(3600 + 10);
        var so2 = stack.Rig.CemsHours[0].Quantities[0];
        Assert.Null(so2.Corrected);
        Assert.Contains("The oxygen is 21 %", so2.Note);
        Assert.NotNull(so2.Kilograms);
    }

    [Fact]
    public void Without_moisture_the_flow_is_refused_with_the_reason_and_never_taken_as_dry()
    {
        var stack = Begin(HjStack.Replace("moisturePercent: 10, ", "", StringComparison.Ordinal), "{ moisture: { poll: off } }");
        stack.Run(3600 + 10);
        var hour = Assert.Single(stack.Rig.CemsHours);
        Assert.Equal((false, null), (hour.Quantities[2].IsValid, hour.Quantities[2].Value));
        Assert.Contains("never taken as 0", hour.Quantities[2].Note);
        Assert.Equal("NOT-COVERED", hour.Quantities[2].Rule);
    }

    [Fact]
    public void A_clock_step_inside_an_hour_cuts_it_in_two_and_loses_nothing()
    {
        var stack = Begin(Part75Stack);
        stack.Run(1800);
        stack.Step(TimeSpan.FromMinutes(-10));
        stack.Run(3600);
        var cut = stack.Rig.CemsHours[0];
        Assert.Equal((WindowCut.ClockStep, 0.5m, 0), (cut.Cut, cut.OperatingTime, cut.Era));
        Assert.Equal((Start, TimeSpan.FromMinutes(30)), (cut.Start, cut.Width));
        var rest = stack.Rig.CemsHours[1];
        Assert.Equal((Start + TimeSpan.FromMinutes(20), TimeSpan.FromMinutes(40), WindowCut.None, 1, 0.666666667m), (rest.Start, rest.Width, rest.Cut, rest.Era, rest.OperatingTime));
    }

    [Theory]
    [InlineData(Part75Stack, "0.25")]
    [InlineData(EuStack, "0.25")]
    public void An_hour_in_which_the_gateway_began_starts_where_it_was_first_watched(string cems, string operating)
    {
        var stack = Begin(cems);
        stack.Now += TimeSpan.FromMinutes(45);
        stack.Run(900 + 10);
        var hour = Assert.Single(stack.Rig.CemsHours);
        Assert.Equal((Start + TimeSpan.FromMinutes(45), TimeSpan.FromMinutes(15), operating), (hour.Start, hour.Width, hour.OperatingTime.ToString("0.##", System.Globalization.CultureInfo.InvariantCulture)));
        var entry = Assert.Single(stack.Rig.Emissions, e => e.Scope == 1);
        Assert.Equal((hour.Start, hour.Width, 1d), (entry.Start, entry.Width, entry.Coverage));
    }

    [Fact]
    public void A_gap_in_an_hour_that_stays_valid_is_said_in_its_coverage()
    {
        var stack = Begin(HjStack, "{ moisture: { poll: off } }");
        stack.Run(1800);
        stack.Now += TimeSpan.FromMinutes(10);
        stack.Run(1200 + 10);
        var hour = Assert.Single(stack.Rig.CemsHours);

        // The last reading before the gap speaks for three polls.
        var heard = (3600d - 600 - 5 + 15) / 3600;
        Assert.All(hour.Quantities, q => Assert.Equal((true, heard), (q.IsValid, q.Coverage)));
        Assert.Equal(heard, Assert.Single(stack.Rig.Emissions, e => e.Method == "cems-hj75").Coverage);
    }

    [Fact]
    public void An_analyser_that_is_not_heard_takes_the_coverage_of_its_own_gas_alone()
    {
        var stack = Begin(HjStack, "{ moisture: { poll: off } }");
        stack.Run(3000);
        stack.Values["concentration_so2"] = null;
        stack.Run(600 + 10);
        var hour = Assert.Single(stack.Rig.CemsHours);
        Assert.Equal([3000d / 3600, 1, 1], hour.Quantities.Select(q => q.Coverage));
        Assert.Equal(1, Assert.Single(stack.Rig.Emissions, e => e.Method == "cems-hj75").Coverage);
    }

    [Theory]
    [InlineData(HjStack, "0.333333333")]
    [InlineData(EuStack, "0.333333333")]
    [InlineData(Part75Stack, "0.33")]
    public void Only_Part_75_rounds_the_operating_time_to_hundredths(string cems, string operating)
    {
        var stack = Begin(cems);
        stack.Run(1200);
        stack.Values["gas_velocity"] = 0.4;
        stack.Run(2400 + 10);
        Assert.Equal(decimal.Parse(operating, System.Globalization.CultureInfo.InvariantCulture), Assert.Single(stack.Rig.CemsHours).OperatingTime);
    }

    [Fact]
    public void Points_that_come_out_of_order_from_two_buses_end_no_minute_early()
    {
        var (site, _) = Load(HjStack, "{ moisture: { poll: off } }");
        var rig = new Rig(site!);
        var values = new Stack(site!).Values;
        for (var now = Start; now < Start + TimeSpan.FromSeconds(3610); now += TimeSpan.FromSeconds(5))
        {
            // The gases come over another bus: a second older, and after the rest.
            foreach (var isLate in (bool[])[false, true])
            {
                foreach (var point in site!.Points.Where(p => p.Id.StartsWith("concentration", StringComparison.Ordinal) == isLate))
                {
                    var time = isLate && now > Start ? now - TimeSpan.FromSeconds(1) : now;
                    rig.Pipeline.Process(new Sample(point.Index, time, values[point.Id]!.Value, 0, Quality.Good));
                }
            }
        }

        // The last reading of the hour came when the hour was over.
        Assert.Equal([59, 59, 60], Assert.Single(rig.CemsHours).Quantities.Select(q => q.Points));
    }

    [Fact]
    public void A_test_that_has_ended_lends_neither_of_its_levels_to_the_next()
    {
        var stack = Begin(Part75Stack);
        stack.Calibrate(zero: 0, span: 18);
        stack.Run((2 * 3600) - 600);

        // Zero alone, two hours later, is no test: the one before ends with its own 26th hour.
        Assert.Null(stack.Rig.Pipeline.Cems.Enter(new("stack", "co2", "zero", 0, 0, "maria"), stack.Now));
        stack.Run(26 * 3600);
        var statuses = stack.Rig.CemsHours.Where(h => h.Revision == 1).Select(h => h.Quantities[0].Calibration).ToList();
        Assert.Equal((CalibrationStatus.InControl, CalibrationStatus.Expired), (statuses[25], statuses[26]));
    }

    [Fact]
    public void Entries_of_a_stack_name_the_part_of_a_milligram_that_was_carried_in()
    {
        var stack = Begin(EuStack);
        for (var hour = 0; hour < 4; hour++)
        {
            // A third of an hour: its mass has more digits than milligrams.
            stack.Values["gas_velocity"] = 15;
            stack.Run(1200);
            stack.Values["gas_velocity"] = 0.4;
            stack.Run(2400);
        }

        stack.Run(10);
        var carried = 0m;
        var entries = stack.Rig.Emissions.Where(e => e.Method == "cems-eu-mrr").ToList();
        Assert.Equal(4, entries.Count);
        foreach (var entry in entries)
        {
            Assert.Equal(carried, entry.Carried);
            var sum = (entry.Detail!.Activity * 1_000_000) + carried;
            Assert.Equal((long)sum, entry.Milligrams);
            carried = sum - entry.Milligrams;
        }

        Assert.NotEqual(0, carried);
    }

    [Theory]
    [InlineData("{ gas: so2, span: 200, spanGas: 180, limit: { hour: 35, day: 35, referenceOxygen: 6 } }, ")]
    [InlineData(null)]
    public void Hours_that_wait_are_published_as_far_as_known_when_the_next_configuration_cannot_end_them(string? removed)
    {
        var stack = Begin(HjStack, "{ moisture: { poll: off } }");
        stack.Run(2 * 3600);
        stack.Values["concentration_co2"] = null;
        stack.Run((2 * 3600) + 10);
        Assert.Equal(2, stack.Rig.CemsHours.Count(h => !h.IsFinal));
        var next = removed is null ? null : Load(HjStack.Replace(removed, "", StringComparison.Ordinal), "{ moisture: { poll: off } }").Model;
        Assert.Equal(removed is null, next is null);
        stack.Rig.Pipeline.Close(stack.Now, next);

        // Capture 2 of 4 hours, and of the part of the fifth nothing: below 75 % nothing stands in, and that is said.
        var said = stack.Rig.CemsHours.Where(h => h.Revision == 2).ToList();
        Assert.Equal([Start + TimeSpan.FromHours(2), Start + TimeSpan.FromHours(3), Start + TimeSpan.FromHours(4)], said.Select(h => h.Start));
        Assert.All(said, h => Assert.Equal((true, "NOT-COVERED"), (h.IsFinal, h.Quantities.Single(q => q.Name == "co2").Rule)));
        Assert.Equal(5, stack.Rig.Emissions.Count(e => e.Method == "cems-hj75"));
        Assert.Equal(3, stack.Rig.Emissions.Count(e => e.Method == "cems-hj75" && e.Coverage == 0));
    }

    [Fact]
    public void The_look_back_of_an_analyser_out_of_control_ends_at_the_last_check_that_passed()
    {
        var stack = Begin(Calibrated, "{ moisture: { poll: off } }");
        stack.Run(40 * 3600);
        stack.Calibrate(zero: 0, span: 18);

        // It drifts upward after the check, and the next finds it.
        stack.Values["concentration_co2"] = 16;
        stack.Run(3 * 3600);
        stack.Calibrate(zero: 0, span: 22);
        stack.Values["concentration_co2"] = 12;
        stack.Run(2 * 3600);
        stack.Calibrate(zero: 0, span: 18);
        stack.Run(2 * 3600);
        var co2 = stack.Rig.CemsHours.Where(h => h.IsFinal).Select(h => h.Quantities.Single(q => q.Name == "co2")).ToList();
        var before = Math.Round(co2[0].Kilograms!.Value, 3, MidpointRounding.AwayFromZero);
        Assert.True(co2[42].Kilograms > before * 1.2m);

        // What was out of control without its being known is said again, with what stands in for it.
        var hours = stack.Rig.CemsHours.Where(h => h.IsFinal).GroupBy(h => h.Start).Select(g => g.MaxBy(h => h.Revision)!).OrderBy(h => h.Start).ToList();
        var last = hours.Select(h => h.Quantities.Single(q => q.Name == "co2")).ToList();
        Assert.Equal([40, 41, 42, 43, 44], Enumerable.Range(0, last.Count).Where(i => last[i].Rule is not null));

        // The capture is 40 of 45 hours now, below 90 %.
        Assert.All(last[40..45], q => Assert.Equal((CalibrationStatus.TestFailed, "MAX-2160", before, 5), (q.Calibration!.Value, q.Rule, q.Kilograms, q.MissingHours)));
        Assert.Equal([3, 3, 3, 2, 2], hours[40..45].Select(h => h.Revision));
        Assert.All(last[40..43], q => Assert.StartsWith("taken back: a check failed", q.Note, StringComparison.Ordinal));

        // The account has each of them twice, the second as a restatement.
        var entries = stack.Rig.Emissions.Where(e => e.Method == "cems-hj75").ToList();
        Assert.Equal([1, 2], entries.Where(e => e.Start == hours[41].Start).Select(e => e.Detail!.Stack!.Revision));
        Assert.Equal((long)((last[41].Kilograms!.Value * 1_000_000) + entries.First(e => e.Start == hours[41].Start).Carried), entries.Last(e => e.Start == hours[41].Start).Milligrams);
    }

    [Fact]
    public void A_check_that_fails_and_one_that_passes_in_the_same_hour_take_the_hours_before_out_of_the_look_back()
    {
        var stack = Begin(Calibrated, "{ moisture: { poll: off } }");
        stack.Run(40 * 3600);
        stack.Calibrate(zero: 0, span: 18);
        stack.Values["concentration_co2"] = 16;
        stack.Run((3 * 3600) + 60);
        Assert.Null(stack.Rig.Pipeline.Cems.Enter(new("stack", "co2", "span", 18, 22, "maria"), stack.Now));
        stack.Values["concentration_co2"] = 12;
        Assert.Null(stack.Rig.Pipeline.Cems.Enter(new("stack", "co2", "zero", 0, 0, "maria"), stack.Now));
        Assert.Null(stack.Rig.Pipeline.Cems.Enter(new("stack", "co2", "span", 18, 18, "maria"), stack.Now));
        stack.Run(3600);

        // Three drifted hours are taken back although the hour ends in control, and stand for nothing afterwards.
        var last = stack.Rig.CemsHours.Where(h => h.IsFinal).GroupBy(h => h.Start).Select(g => g.MaxBy(h => h.Revision)!).OrderBy(h => h.Start).Select(h => h.Quantities.Single(q => q.Name == "co2")).ToList();
        Assert.Equal([40, 41, 42], Enumerable.Range(0, last.Count).Where(i => last[i].Rule is not null));
        Assert.All(last[40..43], q => Assert.Equal(("MAX-180", Math.Round(last[0].Kilograms!.Value, 3, MidpointRounding.AwayFromZero)), (q.Rule, q.Kilograms)));
        Assert.True(last[43].IsValid);
        var before = stack.All.Count;
        stack.Restart();
        Assert.Equal(before, stack.All.Count);
    }

    [Fact]
    public void A_check_that_fails_takes_nothing_back_of_a_quarter_that_has_ended()
    {
        var stack = Begin(Calibrated, "{ moisture: { poll: off } }");
        stack.Now = Rig.At("2026-03-31T12:00:00Z");
        stack.Calibrate(zero: 0, span: 18);

        // Shanghai begins the second quarter at 16:00.
        stack.Run((6 * 3600) - 600);
        stack.Calibrate(zero: 0, span: 22);
        stack.Run(3600);
        var taken = stack.Rig.CemsHours.Where(h => h.Quantities.Single(q => q.Name == "co2").Note?.StartsWith("taken back", StringComparison.Ordinal) == true);
        Assert.Equal([Rig.At("2026-03-31T16:00:00Z"), Rig.At("2026-03-31T17:00:00Z")], taken.Select(h => h.Start));
    }

    [Fact]
    public void An_hour_without_flow_is_taken_back_and_counts_once_in_the_availability()
    {
        var stack = Begin(Calibrated, "{ moisture: { poll: off } }");
        stack.Run(10 * 3600);
        stack.Calibrate(zero: 0, span: 18);
        stack.Run(3000);
        stack.Values["gas_velocity"] = null;
        stack.Run(3600);
        stack.Values["gas_velocity"] = 15;
        stack.Run(3600);
        stack.Calibrate(zero: 0, span: 22);
        stack.Run(3000 + 10);

        // Of 14 hours ten counted: the flow was missing in one that is taken back with the two beside it, and the fourth failed.
        var last = stack.Rig.CemsHours[^1].Quantities.Single(q => q.Name == "co2");
        Assert.Equal((Math.Round(1000m / 14, 1, MidpointRounding.AwayFromZero), 4), (last.AvailabilityPercent, last.MissingHours));
    }

    [Fact]
    public void After_a_step_of_the_clock_by_an_hour_nothing_before_it_is_taken_back()
    {
        var stack = Begin(Calibrated, "{ moisture: { poll: off } }");
        stack.Calibrate(zero: 0, span: 18);
        stack.Run(3 * 3600);
        stack.Step(TimeSpan.FromHours(2));
        stack.Run(2 * 3600);
        var steady = stack.Rig.CemsHours.Count(h => h.IsFinal);
        stack.Calibrate(zero: 0, span: 22);
        stack.Run(3600);
        var taken = stack.Rig.CemsHours.Where(h => h.Quantities.Any(q => q.Note?.StartsWith("taken back", StringComparison.Ordinal) == true)).ToList();
        Assert.NotEmpty(taken);
        Assert.True(steady > taken.Count);
        Assert.All(taken, h => Assert.True(h.Start >= Start + TimeSpan.FromHours(5)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_program_that_is_started_again_after_a_check_has_failed_goes_on_to_the_same_records(bool isEarlierVersion)
    {
        void Drive(Stack stack, Action between)
        {
            stack.Run(20 * 3600);
            stack.Calibrate(zero: 0, span: 18);
            stack.Run(3 * 3600);
            stack.Calibrate(zero: 0, span: 22);
            stack.Run(3600);
            between();
            stack.Run(3600);
            stack.Calibrate(zero: 0, span: 18);
            stack.Run(2 * 3600);
        }

        var whole = Begin(Calibrated, "{ moisture: { poll: off } }");
        Drive(whole, () => { });
        var broken = Begin(Calibrated, "{ moisture: { poll: off } }");
        Drive(broken, () =>
        {
            if (!isEarlierVersion)
            {
                broken.Restart();
                return;
            }

            // As the program before reads and writes it: hours that wait go on waiting, and are said again. It counts no restatements.
            var writer = new StateWriter();
            broken.Rig.Pipeline.Cems.Save(writer, CemsBook.StateVersionBefore);
            var reader = new StateReader(writer.Written.Span);
            broken.Rig.Pipeline.Cems.Load(ref reader, CemsBook.StateVersionBefore);
            Assert.True(reader.AtEnd);
        });

        Assert.Contains(whole.Rig.CemsHours, h => h.Revision == 3);
        if (!isEarlierVersion)
        {
            Assert.Equal(whole.Rig.Transcript, broken.All);
        }

        static IEnumerable<(Instant, string?, decimal?)> Said(Rig rig) => rig.CemsHours.Where(h => h.IsFinal).GroupBy(h => h.Start)
            .Select(g => (g.Key, g.Last().Quantities.Single(q => q.Name == "co2").Rule, g.Last().Quantities.Single(q => q.Name == "co2").Kilograms)).OrderBy(h => h.Key);
        Assert.Equal(Said(whole.Rig).TakeLast(4), Said(broken.Rig).TakeLast(4));
    }

    [Fact]
    public void The_capture_of_a_quarter_begins_with_the_quarter_also_when_nobody_watched_its_begin()
    {
        var stack = Begin(HjStack, "{ moisture: { poll: off } }");
        stack.Now = Rig.At("2026-03-31T12:00:00Z");
        stack.Values["concentration_co2"] = null;
        stack.Run(3600);
        stack.Values["concentration_co2"] = 12;
        stack.Run(1800);
        stack.Rig.Pipeline.Close(stack.Now, stack.Site);
        var writer = new StateWriter();
        stack.Rig.Pipeline.SaveBaselines(writer);

        // Shanghai has begun the second quarter when the next configuration runs.
        var next = new Stack(stack.Site) { Now = Rig.At("2026-03-31T18:00:00Z") };
        var reader = new StateReader(writer.Written.Span);
        next.Rig.Pipeline.LoadBaselines(ref reader);
        next.Run(3600 + 10);
        Assert.Equal(100m, next.Rig.CemsHours[^1].Quantities.Single(q => q.Name == "co2").AvailabilityPercent);
    }

    [Fact]
    public void The_EU_substitutes_mean_and_two_deviations_and_no_flow()
    {
        var stack = Begin(EuStack);
        foreach (var co2 in (double[])[11, 12, 13])
        {
            stack.Values["concentration_co2"] = co2;
            stack.Run(3600);
        }

        stack.Values["concentration_co2"] = null;
        stack.Run(3600);
        stack.Values["concentration_co2"] = 12;
        stack.Values["temperature"] = null;
        stack.Run(3600 + 10);
        var said = Assert.Single(stack.Rig.CemsHours, h => h.Revision == 2);
        Assert.Equal((14m, "MEAN+2S", 3), (said.Quantities[0].Value, said.Quantities[0].Rule, said.Quantities[0].Lookback));
        var flowless = stack.Rig.CemsHours[^1];
        Assert.Equal(("NOT-COVERED", "the temperature of the gas is missing", null), (flowless.Quantities[1].Rule, flowless.Quantities[1].Note, flowless.Quantities[0].Kilograms));
        Assert.StartsWith("not known", stack.Rig.Emissions[^1].FactorNote);
    }

    [Fact]
    public void SO2_and_NOx_of_Part_75_have_a_mass_from_ppm_and_none_from_mg()
    {
        var cems = Part75Stack.Replace("potential: 20 }]", "potential: 20 }, { gas: so2, span: 200, spanGas: 180 }, { gas: nox, span: 200, spanGas: 180, biasFactor: 1.1 }]", StringComparison.Ordinal);
        var stack = Begin(cems, edit: profile => profile.Replace("unit: mg/m3", "unit: \"[ppm]\"", StringComparison.Ordinal));
        stack.Run(1800);
        stack.Values["gas_velocity"] = 0.4;
        stack.Run(1800 + 10);
        var hour = Assert.Single(stack.Rig.CemsHours);
        var (so2, nox, flow) = (hour.Quantities[1], hour.Quantities[2], hour.Quantities[3].Value!.Value);

        // Equations F-2 and F-26b: the dry concentration, the wet flow, 8 % moisture; the bias factor goes before.
        Assert.Equal(("so2", 20.0m, Math.Round(1.660e-7m * 20 * flow * 0.92m, 1, MidpointRounding.AwayFromZero) * 0.5m * 0.45359237m), (so2.Name, so2.Value, so2.Kilograms));
        Assert.Equal((33.0m, Math.Round(1.194e-7m * 33 * flow * 0.92m, 1, MidpointRounding.AwayFromZero) * 0.5m * 0.45359237m), (nox.Value, nox.Kilograms));

        var metric = Begin(cems);
        metric.Run(3600 + 10);
        var unweighed = Assert.Single(metric.Rig.CemsHours).Quantities[1];
        Assert.Equal((null, "so2 is in mg/m3; its mass under Part 75 is made from ppm"), (unweighed.Kilograms, unweighed.Note));
    }

    [Fact]
    public void A_dry_analyser_of_Part_75_without_moisture_has_no_mass_and_says_why_and_the_entry_is_not_lost()
    {
        var stack = Begin(Part75Stack, "{ moisture: { poll: off } }");
        stack.Run(3600 + 10);
        var co2 = Assert.Single(stack.Rig.CemsHours).Quantities[0];
        Assert.Equal((12.0m, true, null), (co2.Value, co2.IsValid, co2.Kilograms));
        Assert.Contains("Equation F-2 needs the moisture", co2.Note);
        var entry = Assert.Single(stack.Rig.Emissions, e => e.Method == "cems-part75");
        Assert.Equal((0L, 0d), (entry.Milligrams, entry.Coverage));
        Assert.StartsWith("not known: Equation F-2", entry.FactorNote);
    }

    [Theory]
    [InlineData(1e13)]
    [InlineData(-1e300)]
    [InlineData(double.MaxValue)]
    public void A_load_that_cannot_be_says_nothing_of_the_unit_and_the_operating_time_stays_a_share(double load)
    {
        var stack = Begin(Part75Stack);
        stack.Run(1800);
        stack.Values["gas_velocity"] = load;
        stack.Run(1800 + 10);
        var hour = Assert.Single(stack.Rig.CemsHours, h => h.Revision == 1);
        Assert.Equal(1.0m, hour.OperatingTime);

        // The same point is the velocity: half of the hour is missing, and said so.
        var flow = hour.Quantities.Single(q => q.Name == "flow");
        Assert.False(flow.IsValid);
        Assert.NotEqual(CemsFlag.Normal, flow.Flag);
    }

    [Fact]
    public void A_calibration_over_the_end_of_an_hour_is_one_test_and_takes_no_hour_with_it()
    {
        var stack = Begin(Part75Stack);
        stack.Run(3600 - 300);
        stack.Calibrate(zero: 0.1, span: 17.9);
        stack.Run(3600);
        Assert.Equal([("zero", TestResult.Passed), ("span", TestResult.Passed)], stack.Rig.Calibrations.Select(c => (c.Level, c.Result)));
        var (before, after) = (stack.Rig.CemsHours[0].Quantities[0], stack.Rig.CemsHours[1].Quantities[0]);
        Assert.Equal((12.0m, true, CalibrationStatus.Undetermined), (before.Value, before.IsValid, before.Calibration));
        Assert.Equal((12.0m, true, CalibrationStatus.InControl), (after.Value, after.IsValid, after.Calibration));
    }

    [Fact]
    public void A_clock_that_is_set_forward_over_hours_invents_none_of_them()
    {
        var stack = Begin(Part75Stack);
        stack.Run(1800);
        stack.Step(TimeSpan.FromHours(5));
        stack.Run(3600);
        Assert.Equal(
            [(Start, 30d, WindowCut.ClockStep), (Start + TimeSpan.FromMinutes(330), 30d, WindowCut.None)],
            stack.Rig.CemsHours.Select(h => (h.Start, h.Width.TotalMinutes, h.Cut)));
    }

    [Fact]
    public void The_bias_factor_of_a_RATA_holds_from_the_next_hour_on_and_the_test_says_when_the_next_is_due()
    {
        var stack = Begin(Part75Stack);
        stack.Run(600);

        // The flow reads 5 % less than the reference method, in every run.
        RataRun[] runs = [.. Enumerable.Range(0, 9).Select(i => new RataRun(100 + i, (100 + i) * 1.05m))];
        Assert.Null(stack.Rig.Pipeline.Cems.EnterAudit(new AuditOrder("stack", "flow", "rata", runs, "maria"), stack.Now));
        var record = Assert.Single(stack.Rig.Calibrations);
        Assert.Equal(("flow", "rata", TestResult.Passed, 1.05m, "maria"), (record.Gas, record.Level, record.Result, record.BiasFactor, record.Who));

        // Passed within 7.5 %: four quarters after the first of 2026, in Shanghai.
        Assert.Equal(Rig.At("2027-03-31T16:00:00Z"), record.Due);
        stack.Run(2 * 3600);
        var flows = stack.Rig.CemsHours.Select(h => h.Quantities.Single(q => q.Name == "flow").Value!.Value).ToList();
        Assert.Equal(Math.Round(flows[0] * 1.05m / 1000, MidpointRounding.AwayFromZero) * 1000, flows[1]);
    }

    [Fact]
    public void A_linearity_check_that_failed_takes_the_hours_until_one_passes()
    {
        var stack = Begin(Part75Stack);
        stack.Run(600);
        RataRun[] Injections(decimal off) => [.. ((decimal[])[4, 10, 16]).SelectMany(gas => Enumerable.Repeat(new RataRun(gas + off, gas), 3))];
        Assert.Null(stack.Rig.Pipeline.Cems.EnterAudit(new AuditOrder("stack", "co2", "linearity", Injections(1), "maria"), stack.Now));
        Assert.Equal((TestResult.Failed, 25.0m, null), (stack.Rig.Calibrations[0].Result, stack.Rig.Calibrations[0].Error!.Value, stack.Rig.Calibrations[0].Due));
        stack.Run(3600);
        var failed = stack.Rig.CemsHours[0].Quantities[0];
        Assert.Equal((null, false, CemsFlag.Fault, "the linearity check failed"), (failed.Value, failed.IsValid, failed.Flag, failed.Note));
        Assert.Null(stack.Rig.Pipeline.Cems.EnterAudit(new AuditOrder("stack", "co2", "linearity", Injections(0.1m), "maria"), stack.Now));
        Assert.Equal((TestResult.Passed, Rig.At("2026-06-30T16:00:00Z")), (stack.Rig.Calibrations[1].Result, stack.Rig.Calibrations[1].Due!.Value));
        stack.Run(3600);
        Assert.True(stack.Rig.CemsHours[^1].Quantities[0].IsValid);
        Assert.Contains("three levels", stack.Rig.Pipeline.Cems.EnterAudit(new AuditOrder("stack", "co2", "linearity", Injections(0)[..6], "maria"), stack.Now));
        Assert.Contains("no linearity check", stack.Rig.Pipeline.Cems.EnterAudit(new AuditOrder("stack", "flow", "linearity", Injections(0), "maria"), stack.Now));
        Assert.Contains("no quantity 'hcl'", stack.Rig.Pipeline.Cems.EnterAudit(new AuditOrder("stack", "hcl", "rata", Injections(0), "maria"), stack.Now));
        Assert.Contains("of Part 75", Begin(EuStack).Rig.Pipeline.Cems.EnterAudit(new AuditOrder("stack", "co2", "rata", Injections(0), "maria"), stack.Now));
    }

    [Fact]
    public void A_linearity_check_that_is_late_holds_for_168_operating_hours_more()
    {
        var track = new AuditTrack(RataSystem.Co2, CemsComponent.Co2, 1);
        RataRun[] runs = [.. ((decimal[])[4, 10, 16]).SelectMany(gas => Enumerable.Repeat(new RataRun(gas, gas), 3))];
        track.Linearity(runs, due: 1_000);
        Assert.Null(track.EndHour(1_000));
        for (var hour = 0; hour < AuditTrack.LinearityGraceHours; hour++)
        {
            Assert.Null(track.EndHour(2_000 + hour));
        }

        Assert.Equal("the linearity check is overdue", track.EndHour(9_000));
        var writer = new StateWriter();
        track.Save(writer);
        var again = new AuditTrack(RataSystem.Co2, CemsComponent.Co2, 1);
        var reader = new StateReader(writer.Written.Span);
        again.Load(ref reader);
        Assert.True(reader.AtEnd);
        Assert.Equal("the linearity check is overdue", again.EndHour(9_001));
    }

    [Fact]
    public void Zero_and_span_have_drift_charts_of_their_own_which_begin_again_after_an_adjustment()
    {
        var stack = Begin(EuStack.Replace("{ gas: co2 }", "{ gas: co2, span: 20, spanGas: 18, deviation: 0.1 }", StringComparison.Ordinal));
        stack.Run(60);
        CemsCalibrationRecord Check(string level, decimal gas, decimal reading)
        {
            Assert.Null(stack.Rig.Pipeline.Cems.Enter(new("stack", "co2", level, gas, reading, "maria"), stack.Now));
            return stack.Rig.Calibrations[^1];
        }

        Assert.Equal((DriftVerdict.InControl, 0.15m), (Check("zero", 0, 0.2m).Drift, stack.Rig.Calibrations[^1].CusumUpper));
        Assert.Equal((DriftVerdict.InControl, 0m, 0.05m), (Check("span", 18, 17.9m).Drift, stack.Rig.Calibrations[^1].CusumUpper, stack.Rig.Calibrations[^1].CusumLower));
        Assert.Equal((DriftVerdict.Warn, 0.30m), (Check("zero", 0, 0.2m).Drift, stack.Rig.Calibrations[^1].CusumUpper));
        Assert.Equal((DriftVerdict.Act, 0.45m, TestResult.Failed), (Check("zero", 0, 0.2m).Drift, stack.Rig.Calibrations[^1].CusumUpper, stack.Rig.Calibrations[^1].Result));

        // Adjusted: what was before says nothing of the analyser as it is now.
        Assert.Equal((DriftVerdict.InControl, 0m, TestResult.Passed), (Check("zero", 0, 0).Drift, stack.Rig.Calibrations[^1].CusumUpper, stack.Rig.Calibrations[^1].Result));
    }

    [Theory]
    [InlineData(Part75Stack)]
    [InlineData(HjStack)]
    [InlineData(EuStack)]
    public void A_state_that_is_saved_anywhere_goes_on_to_the_same_records(string cems)
    {
        void Drive(Stack stack, Action<Stack> between)
        {
            stack.Calibrate(zero: 0.1, span: 17.8);
            stack.Run(4000);
            between(stack);
            stack.Values["concentration_co2"] = null;
            stack.Run(5000);
            between(stack);
            stack.Run(4000);
            stack.Values["concentration_co2"] = 11.5;
            between(stack);
            stack.Run(9000);
        }

        var whole = Begin(cems);
        Drive(whole, _ => { });
        var broken = Begin(cems);
        Drive(broken, s => s.Restart());
        Assert.Equal(whole.Rig.Transcript, broken.All);
        Assert.NotEmpty(whole.Rig.CemsHours);
    }

    [Fact]
    public void Calibrations_and_look_back_outlive_a_change_of_configuration()
    {
        var stack = Begin(Part75Stack);
        stack.Calibrate(zero: 0, span: 16);
        stack.Run(3 * 3600);
        stack.Rig.Pipeline.Close(stack.Now);
        var writer = new StateWriter();
        stack.Rig.Pipeline.SaveBaselines(writer);
        var next = new Stack(Load(Part75Stack.Replace("potential: 20", "potential: 19", StringComparison.Ordinal)).Model!) { Now = stack.Now };
        var reader = new StateReader(writer.Written.Span);
        next.Rig.Pipeline.LoadBaselines(ref reader);
        Assert.True(reader.AtEnd);
        next.Run(3600 + 10);
        Assert.Equal(CalibrationStatus.TestFailed, next.Rig.CemsHours[^1].Quantities[0].Calibration);
        Assert.True(next.Rig.CemsHours[^1].Quantities[0].MissingHours > 3);
    }

    [Theory]
    [InlineData("{ rules: part75, ambient: 101.325, area: 10, gases: [{ gas: co2 }] }", "co2 has no span")]
    [InlineData("{ rules: hj75, ambient: 101.325, gases: [{ gas: co2 }] }", "'area' of the stack")]
    [InlineData("{ rules: hj75, ambient: 1013, area: 10, gases: [{ gas: co2 }] }", "1013 kPa is not possible")]
    [InlineData("{ rules: hj75, ambient: 101.325, area: 10, gases: [{ gas: so2, limit: { hour: 35, referenceOxygen: 21 } }] }", "reference oxygen of 21 %")]
    [InlineData("{ rules: hj75, ambient: 101.325, area: 10, gases: [{ gas: hcl }] }", "gas.concentration.hcl")]
    [InlineData("{ rules: hj75, ambient: 101.325, area: 10, moisturePercent: 100, gases: [{ gas: co2 }] }", "moisture of 100 %")]
    [InlineData("{ rules: part75, ambient: 101.325, area: 10, gases: [{ gas: co2, from: oxygen, span: 25 }] }", "needs the 'fuel'")]
    [InlineData("{ rules: part75, ambient: 101.325, area: 10, fuel: bituminus, gases: [{ gas: co2, from: oxygen, span: 25 }] }", "'bituminus', which is not known")]
    [InlineData("{ rules: part75, ambient: 101.325, area: 10, gases: [{ gas: hcl, span: 20 }] }", "part75 has no rules for hcl")]
    [InlineData("{ rules: hj75, ambient: 101.325, area: 10, gases: [{ gas: co2 }, { gas: co2 }] }", "two analysers for co2")]
    [InlineData("{ rules: hj75, ambient: 101.325, area: 10, gases: [{ gas: co2 }], status: { point: device_state, zeroGas: [2], fault: [2] } }", "status 2 has two meanings")]
    [InlineData("{ rules: hj75, ambient: 101.325, area: 10, gases: [{ gas: co2 }], points: { temperature: nowhere } }", "there is no point 'nowhere'")]
    [InlineData("{ rules: hj75, ambient: 101.325, area: 10, gases: [{ gas: so2, point: temperature }] }", "'temperature' is in Cel")]
    public void What_cannot_be_accounted_is_told_with_the_cure_before_anything_runs(string cems, string problem)
    {
        var (model, problems) = Load(cems);
        Assert.Null(model);
        Assert.Contains(problems, p => p.ToString().Contains(problem, StringComparison.Ordinal));
    }

    [Fact]
    public void Readings_that_come_too_seldom_for_HJ_76_are_warned_of()
    {
        var (model, problems) = Load(EuStack.Replace("eu-mrr", "hj75", StringComparison.Ordinal), "{ concentration_co2: { poll: 15s } }");
        Assert.NotNull(model);
        Assert.Contains(problems, p => p.ToString().Contains("12 samples", StringComparison.Ordinal));
    }

    /// <summary>A pipeline fed by one poll each five seconds; values can be changed, and the pipeline restarted from its state.</summary>
    private sealed class Stack
    {
        private readonly SiteModel _site;
        private readonly List<string> _before = [];

        public Stack(SiteModel site)
        {
            _site = site;
            Rig = new Rig(site);
        }

        public SiteModel Site => _site;

        public Rig Rig { get; private set; }

        public Instant Now { get; set; } = Start;

        public Dictionary<string, double?> Values { get; } = new()
        {
            ["concentration_o2"] = 7,
            ["concentration_co2"] = 12,
            ["concentration_so2"] = 20,
            ["concentration_nox"] = 30,
            ["temperature"] = 127,
            ["static_pressure"] = 0,
            ["gas_velocity"] = 15,
            ["moisture"] = 8,
            ["device_state"] = 0,
        };

        /// <summary>Records before and after restarts.</summary>
        public List<string> All => [.. _before, .. Rig.Transcript];

        public void Run(int seconds)
        {
            for (var end = Now + TimeSpan.FromSeconds(seconds); Now < end; Now += TimeSpan.FromSeconds(5))
            {
                foreach (var point in _site.Points)
                {
                    Rig.Pipeline.Process(Values[point.Id] is { } value
                        ? new Sample(point.Index, Now, value, point.Kind == PointKind.State ? (ulong)value : BitConverter.SingleToUInt32Bits((float)value), Quality.Good)
                        : Sample.Missing(point.Index, Now, QualityReason.Timeout));
                }

                Rig.Pipeline.Advance(Now + TimeSpan.FromSeconds(3));
            }
        }

        /// <summary>Five minutes of zero gas, then five of span gas; the valve turns before the status says so.</summary>
        public void Calibrate(double zero, double span)
        {
            var (co2, so2) = (Values["concentration_co2"], Values["concentration_so2"]);
            (Values["concentration_co2"], Values["concentration_so2"], Values["device_state"]) = (zero, 0, 2);
            Run(300);
            (Values["concentration_co2"], Values["concentration_so2"], Values["device_state"]) = (span, 180, 3);
            Run(300);
            (Values["concentration_co2"], Values["concentration_so2"], Values["device_state"]) = (co2, so2, 0);
        }

        public void Step(TimeSpan by)
        {
            Rig.Pipeline.ClockStepped(Now, Now + by);
            Now += by;
        }

        public void Restart()
        {
            _before.AddRange(Rig.Transcript);
            var state = Rig.Save();
            Assert.True(Rig.Pipeline.LearntBytes > 1_000, "The look-back of a stack is written at its pace.");
            Rig = new Rig(_site).Load(state);
        }
    }
}
