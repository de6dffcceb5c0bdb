using EdgeGateway.Core.Accounting;

namespace EdgeGateway.Tests.Accounting;

/// <summary>What the methods keep apart, propagate and refuse; their numbers are in <see cref="WorkedCaseTests"/>.</summary>
public class MethodTests
{
    private static readonly FactorSet Factors = FactorSet.BuiltIn();
    private static readonly GwpValue Methane = GwpValue.Find(Factors, "AR6", "CH4_fossil");
    private static readonly GwpValue Sf6 = GwpValue.Find(Factors, "AR5", "SF6");
    private static readonly Drainage NoDrainage = new(0, 0, 0, 0);

    private static string Refusal(Func<object?> act) => Assert.Throws<EmissionRefusedException>(act).Message;

    [Fact]
    public void Carbon_of_biomass_is_reported_apart()
    {
        var mass = FuelCombustion.ByDefaultFactor(10, 15, 100_000, biogenicPercent: 40);
        Assert.Equal((9_000m, 6_000m, 1), (mass.Co2eKilograms, mass.BiogenicKilograms, mass.Scope));
    }

    [Fact]
    public void The_uncertainties_of_a_product_add_as_squares()
    {
        var mass = FuelCombustion.ByHeatingValue(new(100, 0.5), new(26.7m, 3), new(0.02618m, 4), 99);
        Assert.Equal(Math.Sqrt(0.25 + 9 + 16), mass.Kilograms.UncertaintyPercent, 12);
    }

    [Fact]
    public void A_common_factor_errs_together_in_a_sum_and_meters_do_not()
    {
        EmissionMass[] two = [.. Enumerable.Range(0, 2).Select(_ => PurchasedHeat.Weigh(new(10, 3), new(110, 4)))];
        Assert.Equal(5, two[0].Kilograms.UncertaintyPercent, 12);
        var sum = EmissionMass.Add(4, two);
        Assert.Equal(2_200m, sum.Value);
        Assert.Equal(Math.Sqrt(16 + (9 / 2.0)), sum.UncertaintyPercent, 12);
    }

    [Fact]
    public void Two_shafts_by_one_density_err_together_in_it()
    {
        var shaft = new VentilationAir(new(10_000, 3), new(0.4m, 4), 60);
        Assert.Equal(Math.Sqrt((25 / 2.0) + 4), MineMethane.Ventilation([shaft, shaft], new(0.67m, 2)).UncertaintyPercent, 12);
    }

    [Fact]
    public void What_is_injected_or_absorbed_is_a_removal_and_no_emission()
    {
        var injected = StoredCarbon.Inject(new(10, 1.5), 98);
        Assert.Equal((0, 0m, 9_800m, 1.5), (injected.Scope, injected.Co2eKilograms, injected.RemovedKilograms, injected.Kilograms.UncertaintyPercent));
        Assert.Equal((0m, 11_000m), (SinkAbsorption.FromCarbon(3).Co2eKilograms, SinkAbsorption.FromCarbon(3).RemovedKilograms));
    }

    [Fact]
    public void What_escapes_from_a_store_is_an_emission() => Assert.Equal((1, 250m, 0m), (StoredCarbon.Leak(0.25m).Scope, StoredCarbon.Leak(0.25m).Co2eKilograms, StoredCarbon.Leak(0.25m).RemovedKilograms));

    [Fact]
    public void A_mass_in_milligrams_is_cut_not_rounded_because_the_rest_is_carried() =>
        Assert.Equal(2_749_999, StoredCarbon.Leak(0.0000027499999m).Milligrams * 1_000 + 999);

    [Fact]
    public void Market_and_location_based_masses_are_never_added()
    {
        var market = ElectricityMarket.Weigh(100, [], 0.6m).Mass;
        Assert.Contains("never added", Refusal(() => EmissionMass.Add(0, market, PurchasedHeat.Weigh(1, 110))), StringComparison.Ordinal);
    }

    [Fact]
    public void Masses_by_different_gwp_sets_are_never_added()
    {
        var air = MineMethane.Release([new(1_000, 1, 60)], NoDrainage, Methane).Methane;
        var switchgear = SulfurHexafluoride.MassBalance(1, 0, 0, 0, 0, Sf6);
        Assert.Contains("AR6 and AR5", Refusal(() => EmissionMass.Add(0, air, switchgear)), StringComparison.Ordinal);
    }

    [Fact]
    public void More_destroyed_than_drained_is_refused() =>
        Assert.Contains("destroyed", Refusal(() => MineMethane.Release([], new(100, 40, 30, 11), Methane).Methane), StringComparison.Ordinal);

    [Fact]
    public void A_negative_activity_is_refused_by_every_method()
    {
        Func<object?>[] acts =
        [
            () => FuelCombustion.ByHeatingValue(-1, 1, 1, 99),
            () => FuelCombustion.ByMeasuredCarbon(-1, 50, 99),
            () => FuelCombustion.ByDefaultFactor(-1, 1, 1),
            () => ElectricityMarket.Weigh(-1, [], 1).Mass,
            () => PurchasedHeat.Weigh(-1, 110),
            () => MineMethane.Ventilation([new(-1, 1, 60)]),
            () => MineMethane.PostMining(-1, 1, Methane),
            () => MineMethane.To20C(-1, 20, 101_325),
            () => StoredCarbon.Inject(-1, 99),
            () => StoredCarbon.Leak(-1),
            () => SinkAbsorption.FromCo2(-1),
            () => SulfurHexafluoride.MassBalance(-1, 0, 0, 0, 0, Sf6),
        ];
        Assert.All(acts, act => Assert.Contains("negative", Refusal(act), StringComparison.Ordinal));
    }

    [Fact]
    public void A_state_that_no_gas_can_have_is_refused()
    {
        Assert.NotEmpty(Refusal(() => MineMethane.To20C(1, -300, 101_325)));
        Assert.NotEmpty(Refusal(() => SulfurHexafluoride.Density(-0.1, 293)));
        Assert.NotEmpty(Refusal(() => SulfurHexafluoride.Density(double.NaN, 293)));
        Assert.NotEmpty(Refusal(() => SulfurHexafluoride.Density(5, 250))); // a liquid
    }

    [Fact]
    public void A_balance_below_zero_is_kept() => Assert.Equal(-2m, SulfurHexafluoride.MassBalance(10, 12, 0, 0, 0, Sf6).Kilograms.Value);

    [Fact]
    public void No_leak_is_shown_by_a_slope_within_its_band_or_by_few_days()
    {
        GasReading[] scatter = [new(0, 0.600, 293.15), new(10, 0.596, 293.15), new(20, 0.603, 293.15), new(30, 0.598, 293.15)];
        Assert.False(SulfurHexafluoride.Leak(1.25, scatter).IsShown);
        Assert.Equal(0, SulfurHexafluoride.Lost(SulfurHexafluoride.Leak(1.25, scatter), 30, Sf6).Co2eKilograms);
        GasReading[] soon = [.. Enumerable.Range(0, 10).Select(d => new GasReading(d, 0.6 - (0.001 * d), 293.15))];
        Assert.False(SulfurHexafluoride.Leak(1.25, soon).IsShown);
    }

    [Fact]
    public void A_steady_fall_over_weeks_is_a_leak_and_its_band_the_uncertainty()
    {
        GasReading[] steady = [.. Enumerable.Range(0, 30).Select(d => new GasReading(d, 0.6 - (0.0001 * d) + (d % 2 * 0.00002), 293.15))];
        var leak = SulfurHexafluoride.Leak(1.25, steady);
        Assert.True(leak.IsShown);
        var lost = SulfurHexafluoride.Lost(leak, 30, Sf6);
        Assert.Equal(-leak.KilogramsPerDay * 30, (double)lost.Kilograms.Value, 9);
        Assert.Equal(lost.Kilograms.Value * 23_500, lost.Co2eKilograms);
        Assert.Equal(100 * leak.BandKilogramsPerDay / -leak.KilogramsPerDay, lost.Kilograms.UncertaintyPercent, 9);
    }

    [Fact]
    public void A_gas_that_a_set_does_not_have_is_refused() =>
        Assert.Contains("no GWP of CH4_fossil in the set AR4", Refusal(() => GwpValue.Find(Factors, "AR4", "CH4_fossil")), StringComparison.Ordinal);
}
