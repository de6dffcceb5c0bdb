using System.Text.Json;
using EdgeGateway.Core.Accounting;
using EdgeGateway.Core.Accounting.Forecasting;
using EdgeGateway.Tests.LocalPath;

namespace EdgeGateway.Tests.Accounting;

/// <summary>The worked cases of <c>cases/</c>, each mapped by its <c>op</c> to the product's own function.</summary>
public class WorkedCaseTests
{
    private static readonly FactorSet Factors = FactorSet.BuiltIn();
    private static readonly string[] Files = ["electricity.json", "fuel-combustion.json", "mine-methane.json", "gwp-sf6-meters-uncertainty.json", "adaptive-factors.json", "grey-forecast.json", "stirpat-peak.json", "implied.json"];

    private static IEnumerable<JsonElement> All() => Files.SelectMany(f => CaseFile.Read(f).EnumerateArray());

    public static TheoryData<string> Cases() =>
        [.. All().Where(c => c.GetProperty("op").GetString() != "meter.delta").Select(c => c.GetProperty("id").GetString()!)];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Every_worked_case_gives_its_number(string id)
    {
        var given = All().Single(c => c.GetProperty("id").GetString() == id);
        var (op, inputs, expected) = (given.GetProperty("op").GetString()!, given.GetProperty("inputs"), given.GetProperty("expected"));
        if (expected.TryGetProperty("error", out _))
        {
            Assert.NotEmpty(Assert.Throws<EmissionRefusedException>(() => Compute(op, inputs)).Message);
            return;
        }

        var got = Compute(op, inputs);
        var tolerance = given.GetProperty("tolerance");
        var (rel, abs) = (Number(tolerance, "rel"), Number(tolerance, "abs"));
        foreach (var property in expected.EnumerateObject().Where(p => op != "uncertainty.cems_mass" || p.Name == "u_pct"))
        {
            CaseFile.Compare(property.Value, got[property.Name], rel, abs, $"{id} {property.Name}");
        }
    }

    [Fact]
    public void A_case_with_any_number_changed_gives_numbers_or_is_refused_in_words() => CaseFile.HoldNearby(All().Where(c => c.GetProperty("op").GetString() != "meter.delta"), Compute);

    private static double Number(JsonElement element, string name) => element.TryGetProperty(name, out var value) ? value.GetDouble() : 0;

    private static Dictionary<string, object?> Compute(string op, JsonElement i)
    {
        decimal D(string name) => i.GetProperty(name).GetDecimal();
        double F(string name) => i.GetProperty(name).GetDouble();
        string S(string name) => i.GetProperty(name).GetString()!;
        switch (op)
        {
            case "grid.factor":
                var region = S("region") switch { "InnerMongolia" => "CN-NM", "Hebei" => "CN-HE", "Yunnan" => "CN-YN", var code => code };
                return new() { ["kg_per_kwh"] = Factors.Get(Factor.Electricity, region, Rig.At($"{D("year")}-06-01T00:00:00Z")).Factor.Value };
            case "grid.location":
                return new() { ["t_co2"] = D("kwh") * RateBy(D("factor_kg_per_kwh")).KgCo2e / 1000 };
            case "grid.market":
                var (bought, uncovered) = ElectricityMarket.Weigh(
                    D("kwh"),
                    [.. i.GetProperty("instruments").EnumerateArray().Select(e => new EnergyInstrument(e.GetProperty("kwh").GetDecimal(), e.GetProperty("factor_kg_per_kwh").GetDecimal()))],
                    D("residual_kg_per_kwh"));
                return new() { ["t_co2"] = bought.Co2eKilograms / 1000, ["uncovered_kwh"] = uncovered };
            case "cn.fuel_co2":
                return Tonnes(FuelCombustion.ByHeatingValue(D("consumption"), D("ncv_gj_per_unit"), D("carbon_tc_per_gj"), D("oxidation_pct")));
            case "cn.coal_co2_element":
                return Tonnes(FuelCombustion.ByMeasuredCarbon(D("consumption_t"), D("c_ar_pct"), D("oxidation_pct")));
            case "cn.carbon_basis":
                var asReceived = S("basis") == "ad" ? FuelCombustion.FromAirDried(D("carbon_pct"), D("m_ar_pct"), D("m_ad_pct")) : FuelCombustion.FromDry(D("carbon_pct"), D("m_ar_pct"));
                return new() { ["c_ar_pct"] = asReceived.Value };
            case "ipcc.tier1":
                return Tonnes(FuelCombustion.ByDefaultFactor(D("mass_t"), D("ncv_tj_per_gg"), D("ef_kg_per_tj")));
            case "mine.ch4":
                var (methane, oxidised) = MineMethane.Release(
                    [new(D("vam_m3_per_min"), D("vam_ch4_pct"), D("hours") * 60)],
                    new(D("drained_m3"), D("drained_ch4_pct"), D("flared_pure_m3"), D("used_pure_m3")),
                    new("case", "CH4", D("gwp_ch4")), D("density_kg_m3"), D("flare_efficiency"), D("use_efficiency"));
                return new()
                {
                    ["t_ch4"] = methane.Kilograms.Value / 1000,
                    ["t_co2_oxidised"] = oxidised.Kilograms.Value / 1000,
                    ["t_co2e"] = EmissionMass.Add(0, methane, oxidised).Value / 1000,
                };
            case "mine.post_mining":
                var later = MineMethane.PostMining(D("coal_t"), D("factor_m3_per_t"), new("case", "CH4", D("gwp_ch4")), D("density_kg_m3"));
                return new() { ["t_ch4"] = later.Kilograms.Value / 1000, ["t_co2e"] = later.Co2eKilograms / 1000 };
            case "gas.to_20c":
                return new() { ["m3_20c"] = MineMethane.To20C(D("volume_m3"), D("temp_c"), D("pressure_pa")).Value };
            case "gwp.co2e":
                return new() { ["t_co2e"] = D("kg") * GwpValue.Find(Factors, S("set"), S("gas")).KgPerKg / 1000 };
            case "sf6.mass_balance":
                return new() { ["kg_leaked"] = SulfurHexafluoride.MassBalance(D("inventory_begin_kg"), D("inventory_end_kg"), D("acquired_kg"), D("disbursed_kg"), D("nameplate_change_kg"), new("case", "SF6", 1)).Kilograms.Value };
            case "sf6.density":
                return new() { ["kg_per_m3"] = SulfurHexafluoride.Density(F("p_abs_mpa"), F("temp_k")) };
            case "sf6.leak_rate":
                var leak = SulfurHexafluoride.Leak(F("volume_m3"), [.. i.GetProperty("readings").EnumerateArray().Select(r => new GasReading(Number(r, "day"), Number(r, "p_abs_mpa"), Number(r, "temp_k")))]);
                return new() { ["mass_first_kg"] = leak.FirstKilograms, ["mass_last_kg"] = leak.LastKilograms, ["slope_kg_per_day"] = leak.KilogramsPerDay, ["yearly_pct"] = leak.YearlyPercent };
            case "uncertainty.multiply":
                return new() { ["percent"] = Doubles(i, "percent").Aggregate(0d, Uncertainty.Product) };
            case "uncertainty.add":
                return new() { ["percent"] = Uncertainty.Sum([.. Doubles(i, "quantities").Zip(Doubles(i, "percent"), (quantity, percent) => new UncertainPart(quantity, percent))]) };
            case "uncertainty.cems_mass":
                return new() { ["u_pct"] = Uncertainty.Product(F("u_co2_pct"), F("u_flow_pct")) };
            case "ef.adapt":
                return Adapt(i);
            case "ef.pool":
                var pooled = FactorClusters.Pool([.. i.GetProperty("devices").EnumerateArray().Select(d => (Number(d, "ef"), Number(d, "u")))]);
                return new() { ["cluster_ef"] = pooled.Factor, ["tau2"] = pooled.Between, ["u"] = pooled.Uncertainty, ["shrunk"] = pooled.Shrunk };
            case "ef.cluster":
                var (labels, centroids) = FactorClusters.Group(Points(i, "points"), Points(i, "initial_centroids"));
                return new() { ["labels"] = labels, ["centroids"] = centroids };
            case "forecast.grey":
                var model = GreyModel.Fit(Doubles(i, "series"), F("order"), S("form") switch { "fgm" => GreyForm.Continuous, "dgm" => GreyForm.Discrete, var form => throw new InvalidOperationException($"No model is called '{form}'.") });
                return new() { ["a"] = model.A, ["b"] = model.B, ["fitted"] = model.Fitted, ["forecast"] = model.Forecast(i.GetProperty("horizon").GetInt32()), ["mape_pct"] = model.MeanErrorPercent };
            case "forecast.stirpat":
                var fit = Stirpat.Fit(Doubles(i, "population"), Doubles(i, "affluence"), Doubles(i, "technology"), Doubles(i, "impact"));
                return new() { ["ln_k"] = fit.LnK, ["b"] = fit.Population, ["c"] = fit.Affluence, ["d"] = fit.Technology };
            case "forecast.peak":
                var paths = CarbonPeak.Follow(
                    F("base_t"),
                    i.GetProperty("base_year").GetInt32(),
                    [.. i.GetProperty("scenarios").EnumerateArray().Select(s => new PeakScenario(s.GetProperty("name").GetString()!, Number(s, "growth_pct"), Number(s, "efficiency_pct"), Number(s, "drift_pct"), s.GetProperty("years").GetInt32()))]);
                return new() { ["scenarios"] = paths.Select(p => new Dictionary<string, object?> { ["name"] = p.Scenario.Name, ["peak_year"] = p.PeakYear, ["peak_t"] = p.Peak, ["end_t"] = p.End, ["reached"] = p.IsReached }).ToList() };
            default:
                throw new InvalidOperationException($"No function is mapped to '{op}'.");
        }
    }

    /// <summary>The rate of purchased electricity by a set that holds one factor.</summary>
    private static EmissionRate RateBy(decimal factor)
    {
        var (set, problems) = FactorSetLoader.Load(new("case.yaml", string.Create(System.Globalization.CultureInfo.InvariantCulture, $$"""
            schema: edgegateway/factors/1
            id: case
            version: 1
            title: One factor
            sources: { case: { text: the case } }
            regions: { X: { name: anywhere } }
            factors: [{ of: electricity, region: X, source: case, value: {{factor}}, unit: kg/(kW.h), status: unverified }]
            """)));
        return EmissionMethods.ByName["electricity-purchased"].Rate(new("electricity-purchased", 2), set ?? throw new EmissionRefusedException(string.Join(", ", problems)), "X", EdgeGateway.Core.Instant.UnixEpoch)!;
    }

    private static Dictionary<string, object?> Adapt(JsonElement i)
    {
        Assert.Equal(AdaptiveFactor.Gate, Number(i, "gate"));
        var state = new AdaptiveFactor(Number(i, "ef0"), Number(i, "p0"));
        var bounds = Doubles(i, "bounds");
        var steps = new List<Dictionary<string, object?>>();
        foreach (var o in i.GetProperty("observations").EnumerateArray())
        {
            var assured = !o.TryGetProperty("quality_assured", out var word) || word.GetBoolean();
            var step = state.Follow(new(Number(o, "mass"), Number(o, "activity"), Number(o, "u_mass_pct"), Number(o, "u_activity_pct"), assured), Number(i, "q"), bounds[0], bounds[1]);
            state = step.State;
            steps.Add(new() { ["ef"] = state.Factor, ["p"] = state.Variance, ["accepted"] = step.Refusal is null, ["nis"] = step.Nis, ["reason"] = step.Refusal });
        }

        return new() { ["steps"] = steps, ["ef"] = state.Factor, ["u95"] = state.HalfWidth95 };
    }

    private static Dictionary<string, object?> Tonnes(EmissionMass mass) => new() { ["t_co2"] = mass.Co2eKilograms / 1000 };

    private static double[] Doubles(JsonElement element, string name) => [.. element.GetProperty(name).EnumerateArray().Select(e => e.GetDouble())];

    private static double[][] Points(JsonElement element, string name) => [.. element.GetProperty(name).EnumerateArray().Select(p => p.EnumerateArray().Select(e => e.GetDouble()).ToArray())];
}
