using EdgeGateway.Core.Detection.Novelty;

namespace EdgeGateway.Tests.Detection.Novelty;

public class AlarmBudgetTests
{
    private static readonly TimeSpan Period = TimeSpan.FromMinutes(5);

    private static int Count(AlarmBudget budget, IEnumerable<double> surprises) =>
        surprises.Count(s => budget.Observe(new(s, NoveltyCause.Value, 1, false), Period));

    [Theory]
    [InlineData(0.01)]
    [InlineData(0.1)]
    [InlineData(0.5)]
    public void Whatever_the_signal_does_alarms_keep_to_the_budget(double perDay)
    {
        const int Days = 1000;
        var most = (perDay * Days * 1.001) + AlarmBudget.MostAhead;
        var random = new Random(1);
        Assert.InRange(Count(new(perDay), Enumerable.Repeat(138.0, Days * MadeUp.Day)), 1, most);
        Assert.InRange(Count(new(perDay), Enumerable.Range(0, Days * MadeUp.Day).Select(_ => 138 * random.NextDouble())), 1, most);
    }

    [Theory]
    [InlineData(0.03)]
    [InlineData(0.1)]
    [InlineData(0.3)]
    public void Noise_without_faults_stays_within_it(double perDay)
    {
        const int Days = 300;
        var alarms = 0;
        for (var seed = 1; seed <= 6; seed++)
        {
            var detector = new NoveltyDetector();
            var budget = new AlarmBudget(perDay);
            var values = MadeUp.Wander(seed, Days * MadeUp.Day, seed % 3 * 0.45);
            for (var i = 0; i < values.Length; i++)
            {
                alarms += budget.Observe(detector.Observe(MadeUp.At(i), values[i]), detector.Period) ? 1 : 0;
            }
        }

        Assert.InRange(alarms / (6.0 * Days), 0, perDay);
    }

    [Fact]
    public void Points_that_share_a_budget_keep_to_it_together()
    {
        const int Days = 1000;
        var budget = new AlarmBudget(0.1, points: 4);
        Assert.InRange(Count(budget, Enumerable.Repeat(138.0, 4 * Days * MadeUp.Day)), 1, (0.1 * Days * 1.001) + AlarmBudget.MostAhead);
        Assert.Equal(new AlarmBudget(0.025).Level(Period), new AlarmBudget(0.1, points: 4).Level(Period));
    }

    [Fact]
    public void How_rare_a_surprise_is_follows_from_the_same_measurement()
    {
        foreach (var days in (int[])[3, 10, 30, 100, 300, 1000])
        {
            var level = new AlarmBudget(1.0 / days).Level(Period);
            Assert.Equal(days, AlarmBudget.RarerThanDays(level * 1.001, Period));
            Assert.InRange(AlarmBudget.RarerThanDays(level * 0.999, Period), 0, days - 1);
        }

        var budget = new AlarmBudget(0.1);
        Assert.True(budget.IsGrave(new AlarmBudget(0.01).Level(Period) * 1.001, Period) && !budget.IsGrave(budget.Level(Period), Period));
    }

    [Fact]
    public void A_smaller_budget_asks_for_a_larger_surprise()
    {
        Assert.Equal([2.5, 3, 6, 24], ((double[])[100, 0.2304, 0.0760, 0.008271]).Select(b => Math.Round(new AlarmBudget(b).Level(Period), 1)));
        Assert.Throws<ArgumentOutOfRangeException>(() => new AlarmBudget(0));
    }

    [Fact]
    public void Usual_values_are_no_alarm_however_generous_it_is() =>
        Assert.Equal(0, Count(new(1e9), Enumerable.Repeat(2.5, 1000)));
}
