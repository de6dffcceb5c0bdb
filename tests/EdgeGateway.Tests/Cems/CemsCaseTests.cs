using System.Text.Json;
using EdgeGateway.Core.Accounting;
using EdgeGateway.Core.Cems;

namespace EdgeGateway.Tests.Cems;

/// <summary>The worked cases of <c>cases/</c>, each mapped by its <c>op</c> to the product's own function.</summary>
public class CemsCaseTests
{
    private static readonly string[] Files =
        ["hour-validity.json", "part75-co2.json", "part75-missing-data.json", "part75-qa.json", "substitution-cn-eu.json", "hj-flue-gas.json", "en14181.json"];

    private static IEnumerable<JsonElement> All() => Files.SelectMany(f => CaseFile.Read(f).EnumerateArray());

    public static TheoryData<string> Cases() => [.. All().Select(c => c.GetProperty("id").GetString()!)];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Every_worked_case_gives_its_number(string id)
    {
        var given = All().Single(c => c.GetProperty("id").GetString() == id);
        var (op, inputs, expected) = (given.GetProperty("op").GetString()!, given.GetProperty("inputs"), given.GetProperty("expected"));
        if (expected.TryGetProperty("error", out var refusal) && refusal.ValueKind == JsonValueKind.String)
        {
            Assert.NotEmpty(Assert.Throws<EmissionRefusedException>(() => Compute(op, inputs)).Message);
            return;
        }

        var got = Compute(op, inputs);
        var tolerance = given.GetProperty("tolerance");
        var (rel, abs) = (Number(tolerance, "rel"), Number(tolerance, "abs"));
        foreach (var property in expected.EnumerateObject())
        {
            CaseFile.Compare(property.Value, got[property.Name], rel, abs, $"{id} {property.Name}");
        }
    }

    [Fact]
    public void A_case_with_any_number_changed_gives_numbers_or_is_refused_in_words() => CaseFile.HoldNearby(All(), Compute);

    private static double Number(JsonElement element, string name) => element.TryGetProperty(name, out var value) ? value.GetDouble() : 0;

    private static Dictionary<string, object?> Compute(string op, JsonElement i)
    {
        decimal D(string name) => i.GetProperty(name).GetDecimal();
        decimal? Maybe(string name) => i.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetDecimal() : null;
        int N(string name) => i.GetProperty(name).GetInt32();
        int? MaybeN(string name) => i.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetInt32() : null;
        bool Is(string name) => i.TryGetProperty(name, out var value) && value.GetBoolean();
        string S(string name) => i.GetProperty(name).GetString()!;
        switch (op)
        {
            case "p75.co2_mass":
                var mass = S("equation") == "F-2"
                    ? Part75.MassDry(D("co2_pct"), D("flow_scfh"), D("op_time_h"), Maybe("h2o_pct"))
                    : Part75.MassWet(D("co2_pct"), D("flow_scfh"), D("op_time_h"));
                return new() { ["rate_tons_per_h"] = mass.TonsPerHour, ["mass_tons"] = mass.Tons };
            case "p75.co2_from_o2":
                return new()
                {
                    ["co2_pct"] = S("equation") == "F-14A"
                        ? Part75.Co2FromDryOxygen(D("o2_pct"), D("fc"), D("fd"))
                        : Part75.Co2FromWetOxygen(D("o2_pct"), D("fc"), D("fd"), Maybe("h2o_pct")),
                };
            case "p75.heat_input":
                return new()
                {
                    ["mmbtu_per_h"] = S("equation") switch
                    {
                        "F-15" => Part75.HeatInputWetCo2(D("flow_scfh"), D("co2_pct"), D("fc")),
                        "F-16" => Part75.HeatInputDryCo2(D("flow_scfh"), D("co2_pct"), D("fc"), Maybe("h2o_pct")),
                        "F-17" => Part75.HeatInputWetOxygen(D("flow_scfh"), D("o2_pct"), D("fd"), Maybe("h2o_pct")),
                        _ => Part75.HeatInputDryOxygen(D("flow_scfh"), D("o2_pct"), D("fd"), Maybe("h2o_pct")),
                    },
                };
            case "p75.moisture":
                return new() { ["h2o_pct"] = Part75.Moisture(D("o2_dry_pct"), D("o2_wet_pct")) };
            case "p75.g4":
                return new() { ["rate_tons_per_h"] = Part75.TonsFromFuelHeat(D("heat_input_mmbtu_per_h"), D("fc")) };
            case "p75.co2_from_heat_input":
                return new() { ["rate_tons_per_h"] = Part75.TonsFromCemsHeat(D("heat_input_mmbtu_per_h"), D("fc")) };
            case "p75.cal_error":
                var error = DailyCalibration.Judge(ComponentOf(S("component")), D("span"), D("reference"), D("measured"), Is("differential_pressure"));
                return new() { ["error"] = error.Error, ["aps"] = error.IsAlternative, ["result"] = error.Result.Word() };
            case "p75.cal_status":
                return new() { ["status"] = DailyCalibration.StatusOf(HistoryOf(i)).Word() };
            case "p75.linearity":
                return LinearityOf(i);
            case "p75.rata":
                return RataOf(i);
            case "p75.bias_adjust":
                return new() { ["adjusted"] = Rata.Adjust(SystemOf(S("parameter")), D("unadjusted"), D("baf")) };
            case "p75.pma":
                return new() { ["pma_pct"] = Substitution.Availability(N("quality_assured_hours"), N("operating_hours")) };
            case "p75.substitute":
                var lower = S("parameter") is "O2" or "H2O";
                return Substitute(Substitution.Concentration(GapOf("lookback") with { Potential = Maybe(lower ? "min_potential" : "max_potential"), AssuredHours = MaybeN("quality_assured_hours_to_date") }, lower));
            case "p75.substitute_flow":
                return Substitute(Substitution.Flow(GapOf("load_bin_lookback") with { Potential = Maybe("max_potential"), AssuredHours = MaybeN("quality_assured_hours_to_date") }));
            case "p75.hour_valid":
                return new() { ["valid"] = HourValidity.Part75([.. Array("operating_by_quadrant").Select(e => e.GetBoolean())], [.. Array("points_by_quadrant").Select(e => e.GetInt32())], Is("qa_or_maintenance")) };
            case "hj.aggregate":
                var average = HourValidity.Aggregate(Enum.Parse<CemsPeriod>(S("level"), ignoreCase: true), [.. Array("values").Select(e => e.ValueKind == JsonValueKind.Null ? (decimal?)null : e.GetDecimal())], Is("february"));
                return new() { ["valid"] = average.IsValid, ["count"] = average.Count, ["mean"] = average.Mean };
            case "mrr.hour_valid":
                return new() { ["valid"] = HourValidity.Eu(N("valid_points"), N("max_points")) };
            case "hj212.rollup_flag":
                return new() { ["flag"] = HourValidity.RollUp([.. Array("flags").Select(e => HourValidity.FlagOf(e.GetString()![0]))]).Letter().ToString() };
            case "hj.std_conc":
                return new() { ["c_std_mg_m3"] = FlueGas.StandardConcentration(D("c_actual_mg_m3"), D("ambient_pa"), D("static_pa"), D("temp_c")) };
            case "hj.dry_conc":
                return new() { ["c_dry"] = FlueGas.Dry(D("c_wet"), Maybe("h2o_pct")) };
            case "hj.ppm_to_mg":
                return new() { ["mg_m3"] = FlueGas.FromPpm(D("ppm"), D("molar_mass")) };
            case "hj.o2_correct":
                return new() { ["c_corrected"] = FlueGas.AtReferenceOxygen(D("c_dry_std"), D("o2_dry_pct"), D("o2_ref_pct")), ["alpha"] = FlueGas.ExcessAir(D("o2_dry_pct")) };
            case "hj.flow":
                var actual = FlueGas.ActualFlow(D("area_m2"), D("velocity_m_s"), D("kv"));
                return new() { ["q_actual_m3_h"] = actual, ["q_std_dry_m3_h"] = FlueGas.StandardDryFlow(actual, D("temp_c"), D("ambient_pa"), D("static_pa"), Maybe("h2o_pct")) };
            case "hj.co2_mass":
                return new() { ["kg_per_h"] = FlueGas.Co2MassRate(D("co2_dry_vol_pct"), D("q_std_dry_m3_h"), D("molar_mass"), D("molar_volume")) };
            case "hj.day_mass":
                var day = FlueGas.DayMass([.. Array("hourly_kg").Select(e => e.ValueKind == JsonValueKind.Null ? (decimal?)null : e.GetDecimal())]);
                return new() { ["kg_per_day"] = day.Kilograms, ["hours"] = day.Hours };
            case "hj.substitute":
                var hourly = Substitution.Hj75(D("capture_pct"), N("outage_hours"), Decimals("valid_emission_rate_history_kg_h"));
                return new() { ["value"] = hourly.Value, ["window"] = hourly.Value is null ? null : hourly.Lookback, ["rule"] = hourly.Rule };
            case "mrr.substitute":
                var spread = EuMonitoring.Substitute(Decimals("valid_hourly"));
                return new() { ["value"] = spread.Value, ["mean"] = spread.Mean, ["sd"] = spread.Deviation };
            case "mrr.annual":
                var year = EuMonitoring.Annual(Decimals("conc_g_nm3"), Decimals("flow_nm3_h"));
                return new() { ["tonnes"] = year.Tonnes, ["mean_kg_h"] = year.MeanKilogramsPerHour };
            case "en14181.qal2":
                var line = En14181.Qal2(Decimals("instrument"), Decimals("reference"), D("zero_reading"), D("uncertainty_pct_of_limit"), D("limit"), D("kv"));
                return new() { ["method"] = line.Method.ToString(), ["a"] = line.Intercept, ["b"] = line.Slope, ["sd"] = line.Deviation, ["sigma0"] = line.Allowed, ["passed"] = line.Passed };
            default:
                throw new InvalidOperationException($"No function is mapped to '{op}'.");
        }

        JsonElement.ArrayEnumerator Array(string name) => i.GetProperty(name).EnumerateArray();
        decimal[] Decimals(string name) => [.. Array(name).Select(e => e.GetDecimal())];
        Part75Gap GapOf(string lookback) => new()
        {
            AvailabilityPercent = D("pma_pct"),
            MissingHours = N("missing_hours"),
            Lookback = Decimals(lookback),
            HourBefore = Maybe("hour_before"),
            HourAfter = Maybe("hour_after"),
        };
    }

    private static Dictionary<string, object?> Substitute(SubstituteValue value) => new() { ["value"] = value.Value, ["rule"] = value.Rule, ["modc"] = value.Modc };

    private static CalibrationHistory HistoryOf(JsonElement i)
    {
        int? Hours(string name) => i.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetInt32() : null;
        return new()
        {
            HoursSinceTest = Hours("hours_since_test"),
            LastResult = (i.TryGetProperty("last_result", out var word) ? word.GetString() : null) switch
            {
                "FAILED" => TestResult.Failed,
                "ABORTED" => TestResult.Aborted,
                "PASSAPS" => TestResult.PassedAlternative,
                _ => TestResult.Passed,
            },
            WasDown = i.TryGetProperty("unit_was_down_since_test", out var down) && down.GetBoolean(),
            OperatingHoursSinceRestart = Hours("operating_hours_since_restart"),
            HoursSinceCertification = Hours("hours_since_certification"),
        };
    }

    private static Dictionary<string, object?> LinearityOf(JsonElement i)
    {
        var component = ComponentOf(i.GetProperty("component").GetString()!);
        var (levels, shown) = (new List<LinearityLevel>(), new List<Dictionary<string, object?>>());
        foreach (var given in i.GetProperty("levels").EnumerateArray())
        {
            var level = Linearity.Judge(component, [.. given.GetProperty("injections").EnumerateArray().Select(e => new Injection(e[0].GetDecimal(), e[1].GetDecimal()))]);
            levels.Add(level);
            shown.Add(new()
            {
                ["level"] = given.GetProperty("level").GetString(),
                ["percent_error"] = level.Error,
                ["aps"] = level.IsAlternative,
                ["result"] = level.Result.Word(),
                ["mean_measured"] = Math.Round(level.MeanMeasured, 3, MidpointRounding.AwayFromZero),
                ["mean_reference"] = Math.Round(level.MeanReference, 3, MidpointRounding.AwayFromZero),
            });
        }

        return new() { ["levels"] = shown, ["result"] = Linearity.ResultOf(levels).Word() };
    }

    private static Dictionary<string, object?> RataOf(JsonElement i)
    {
        var result = Rata.Judge(
            SystemOf(i.GetProperty("system").GetString()!),
            [.. i.GetProperty("runs").EnumerateArray().Select(r => new RataRun(r.GetProperty("cem").GetDecimal(), r.GetProperty("rm").GetDecimal(), r.GetProperty("used").GetBoolean()))]);
        return new()
        {
            ["mean_cem"] = result.MeanCems,
            ["mean_rm"] = result.MeanReference,
            ["mean_diff"] = result.MeanDifference,
            ["sd"] = result.Deviation,
            ["t"] = result.T,
            ["cc"] = result.Confidence,
            ["ra_pct"] = result.RelativeAccuracy,
            ["baf"] = result.BiasFactor,
            ["result"] = result.Result.Word(),
            ["frequency"] = result.Frequency,
        };
    }

    private static CemsComponent ComponentOf(string word) => Enum.Parse<CemsComponent>(word, ignoreCase: true);

    private static RataSystem SystemOf(string word) => Enum.Parse<RataSystem>(word, ignoreCase: true);

    [Fact]
    public void The_bias_factor_of_a_low_emitter_is_capped_and_that_of_another_is_not()
    {
        RataResult Of(RataSystem system, decimal cems, decimal reference) => Rata.Judge(system, [.. Enumerable.Range(0, 9).Select(i => new RataRun(cems + (i % 3 * 0.001m * cems), reference))]);
        var low = Of(RataSystem.So2, 20, 28);
        Assert.Equal((TestResult.PassedAlternative, 1.111m), (low.Result, low.BiasFactor));
        Assert.Equal(1.100m, Of(RataSystem.Nox, 100, 110.11m).BiasFactor);
        Assert.True(Of(RataSystem.So2, 250, 350).BiasFactor > 1.39m);
        Assert.True(Of(RataSystem.Flow, 20, 28).BiasFactor > 1.39m);
    }
}
