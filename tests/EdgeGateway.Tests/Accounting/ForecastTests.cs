using EdgeGateway.Core.Accounting;
using EdgeGateway.Core.Accounting.Forecasting;

namespace EdgeGateway.Tests.Accounting;

public class ForecastTests
{
    private static double[] Series(int length, Func<int, double> value) => [.. Enumerable.Range(0, length).Select(value)];

    /// <summary>Noise of ±1 that is the same on every machine.</summary>
    private static double Noise(int k) => ((k * 7919 % 101) / 50.0) - 1;

    [Fact]
    public void An_exponential_is_continued_by_the_discrete_model_exactly()
    {
        var course = GreyModel.Fit(Series(8, k => 100 * Math.Pow(1.05, k)), form: GreyForm.Discrete).Forecast(2);
        Assert.Equal(100 * Math.Pow(1.05, 8), course[0], 6);
        Assert.Equal(100 * Math.Pow(1.05, 9), course[1], 6);
    }

    [Fact]
    public void A_constant_series_uses_the_limit_of_the_model_and_stays_constant()
    {
        var model = GreyModel.Fit([5, 5, 5, 5, 5]);
        Assert.True(Math.Abs(model.A) < 1e-10);
        Assert.All(model.Forecast(3), value => Assert.Equal(5, value, 9));
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(0)]
    [InlineData(-3)]
    public void A_value_that_is_not_above_zero_is_refused_by_its_place(double value) =>
        Assert.Contains("value 3", Assert.Throws<EmissionRefusedException>(() => GreyModel.Fit([1, 2, value, 4, 5])).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData(0)]
    [InlineData(2.001)]
    [InlineData(double.NaN)]
    public void An_order_outside_is_refused(double order) =>
        Assert.Throws<EmissionRefusedException>(() => GreyModel.Fit([1, 2, 3, 4, 5], order));

    [Fact]
    public void An_exploding_series_is_refused() =>
        Assert.Contains("e-fold", Assert.Throws<EmissionRefusedException>(() => GreyModel.Fit([1, 4, 16, 64, 256], form: GreyForm.Discrete)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_horizon_in_the_past_is_refused() =>
        Assert.Throws<EmissionRefusedException>(() => GreyModel.Fit([1, 2, 3, 4]).Forecast(-1));

    [Fact]
    public void The_order_is_chosen_by_what_was_held_out()
    {
        double[] series = [820, 835.5, 862.1, 881, 899.7, 932.2, 951.4, 968.8, 990.1, 1015.3];
        var order = GreyModel.ChooseOrder(series);
        double HoldOut(double r) => GreyModel.Fit(series.AsSpan(..^2), r).Forecast(2).Zip(series[^2..], (a, b) => Math.Abs(a - b)).Sum();
        Assert.InRange(order, 0.001, 2);
        Assert.All(new[] { 0.1, 0.5, 1, 1.5, 2 }, other => Assert.True(HoldOut(order) <= HoldOut(other)));
    }

    [Fact]
    public void Smoothing_finds_a_season_and_a_trend_without_noise()
    {
        double[] week = [5, 3, 1, 0, -1, -3, -5];
        var series = Series(70, k => 100 + week[k % 7]);
        var course = HoltWinters.Forecast(series, 7, 14);
        Assert.All(Enumerable.Range(0, 14), h => Assert.Equal(100 + week[(70 + h) % 7], course[h], 6));
    }

    [Fact]
    public void A_weekly_pattern_is_forecast_within_its_interval_and_the_interval_is_no_wider_than_the_noise_explains()
    {
        double[] week = [10, 10, 10, 10, 10, -20, -30];
        double Value(int k) => 200 + week[k % 7] + Noise(k);
        var forecast = Forecaster.Make(Series(84, Value), 7, 10);
        Assert.Equal("holt-winters-damped", forecast.Method);
        Assert.Equal((10, 12), (forecast.Steps.Count, forecast.Trials));
        Assert.Equal(4, forecast.Candidates.Count);
        var truth = Enumerable.Range(84, 10).Sum(Value);
        Assert.InRange(truth, forecast.Total.Low, forecast.Total.High);
        Assert.True(forecast.Total.High - forecast.Total.Low < 100, "the interval of a sum of 2000 with noise of ±1");
        Assert.True(forecast.Steps[9].High - forecast.Steps[9].Low >= forecast.Steps[0].High - forecast.Steps[0].Low);
    }

    [Fact]
    public void Steady_growth_is_forecast_by_a_grey_model()
    {
        var forecast = Forecaster.Make(Series(24, k => 1000 * Math.Pow(1.03, k)), 1, 6);
        Assert.StartsWith("grey", forecast.Method, StringComparison.Ordinal);
        Assert.Equal(1000 * Math.Pow(1.03, 24), forecast.Steps[0].Value, 1000 * 0.01);
    }

    [Fact]
    public void A_grey_model_is_no_candidate_further_ahead_than_half_of_what_it_has_seen()
    {
        double Growth(int k) => 1000 * Math.Pow(1.03, k);
        Assert.All(Forecaster.Make(Series(33, Growth), 1, 10).Candidates, c => Assert.Null(c.Refusal)); // the first trial knows 20 values
        var far = Forecaster.Make(Series(30, Growth), 1, 10); // the first trial knows 10
        Assert.All(far.Candidates.Where(c => c.Name.StartsWith("grey", StringComparison.Ordinal)), c => Assert.Equal("It needs 20 values before the first trial, there are 10.", c.Refusal));
        Assert.DoesNotContain("grey", far.Method, StringComparison.Ordinal);
    }

    [Fact]
    public void A_series_with_zeros_is_forecast_by_what_can_and_the_others_say_why_not()
    {
        var forecast = Forecaster.Make(Series(56, k => k % 7 >= 5 ? 0 : 50 + Noise(k)), 7, 7);
        Assert.All(forecast.Candidates.Where(c => c.Name.StartsWith("grey", StringComparison.Ordinal)), c => Assert.Contains("above zero", c.Refusal, StringComparison.Ordinal));
        Assert.True(forecast.Total.Low >= 0);
    }

    [Fact]
    public void A_past_that_is_too_short_is_refused_with_how_much_is_needed()
    {
        var least = Forecaster.LeastHistory(7, 20);
        Assert.True(least >= 40);
        Assert.Equal(20, Forecaster.Make(Series(least, k => 100 + (k % 7)), 7, 20).Steps.Count);
        var refusal = Assert.Throws<EmissionRefusedException>(() => Forecaster.Make(Series(least - 1, k => 100 + (k % 7)), 7, 20));
        Assert.Contains($"needs {least} values", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_same_past_gives_the_same_forecast_to_the_bit()
    {
        var series = Series(60, k => 300 + (k % 7 * 3) + Noise(k));
        Assert.Equal(Forecaster.Make(series, 7, 9).Steps, Forecaster.Make(series, 7, 9).Steps);
    }

    [Fact]
    public void The_future_has_no_part_in_a_trial()
    {
        // The last value is wild: only trials that end at it may see it, and then only as an error.
        var series = Series(40, k => 100 + (k % 7));
        var calm = Forecaster.Make(series, 7, 5);
        series[^1] = 1000;
        var wild = Forecaster.Make(series, 7, 5);
        Assert.True(wild.Total.High - wild.Total.Low > calm.Total.High - calm.Total.Low);
    }

    [Fact]
    public void Drivers_that_move_together_are_refused()
    {
        double[] p = [100, 101, 102, 103, 104, 105];
        double[] same = [.. p.Select(x => x * x)]; // ln A = 2 ln P
        Assert.Contains("cannot be told apart", Assert.Throws<EmissionRefusedException>(() => Stirpat.Fit(p, same, [1, 2, 1, 3, 2, 1], [5, 6, 7, 8, 9, 10])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Too_few_or_unequal_observations_are_refused()
    {
        Assert.Throws<EmissionRefusedException>(() => Stirpat.Fit([1, 2, 3, 4], [2, 1, 4, 3], [1, 3, 2, 5], [1, 2, 3, 4]));
        Assert.Throws<EmissionRefusedException>(() => Stirpat.Fit([1, 2, 3, 4, 5], [2, 1, 4, 3], [1, 3, 2, 5, 4], [1, 2, 3, 4, 5]));
        Assert.Throws<EmissionRefusedException>(() => Stirpat.Fit([1, 2, 3, 4, 0], [2, 1, 4, 3, 6], [1, 3, 2, 5, 4], [1, 2, 3, 4, 5]));
    }

    [Fact]
    public void The_impact_follows_from_the_elasticities()
    {
        double[] p = [100, 103, 101, 108, 107, 112], a = [3, 3.5, 3.2, 3.1, 4, 4.4], t = [2, 1.8, 1.9, 1.5, 1.7, 1.4];
        var fit = Stirpat.Fit(p, a, t, [.. p.Select((x, i) => 2 * Math.Pow(x, 0.6) * Math.Pow(a[i], 0.5) * Math.Pow(t[i], 0.3))]);
        Assert.Equal(2 * Math.Pow(120, 0.6) * Math.Pow(5, 0.5) * Math.Pow(1.2, 0.3), fit.Impact(120, 5, 1.2), 6);
        Assert.True(fit.ResidualPercent < 1e-9);
        Assert.InRange(fit.Condition, 1, 1e4);
    }

    [Fact]
    public void A_scenario_without_a_peak_says_that_it_is_not_reached()
    {
        var path = CarbonPeak.Follow(100, 2025, [new("growing", 3, 1, 0, 10)])[0];
        Assert.Equal((2035, false), (path.PeakYear, path.IsReached));
    }

    [Fact]
    public void Of_equal_years_the_first_is_the_peak_and_a_fall_from_the_start_peaks_in_the_base_year()
    {
        var paths = CarbonPeak.Follow(100, 2025, [new("flat", 1, 1, 0, 5), new("falling", 0, 2, 0, 5)]);
        Assert.All(paths, p => Assert.Equal((2025, 100.0, true), (p.PeakYear, p.Peak, p.IsReached)));
    }

    [Theory]
    [InlineData(0, 1, 0, 5)]
    [InlineData(double.NaN, 1, 0, 5)]
    [InlineData(100, double.NaN, 0, 5)]
    [InlineData(100, 1, 0, 0)]
    [InlineData(100, 1, -60, 5)]
    public void A_scenario_that_cannot_be_is_refused(double start, double growth, double drift, int years) =>
        Assert.Throws<EmissionRefusedException>(() => CarbonPeak.Follow(start, 2025, [new("bad", growth, 0, drift, years)]));

    [Fact]
    public void No_scenario_is_refused() => Assert.Throws<EmissionRefusedException>(() => CarbonPeak.Follow(100, 2025, []));
}
