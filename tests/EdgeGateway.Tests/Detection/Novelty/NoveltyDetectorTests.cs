using EdgeGateway.Core.Detection.Novelty;
using EdgeGateway.Core.State;

namespace EdgeGateway.Tests.Detection.Novelty;

public class NoveltyDetectorTests
{
    private static NoveltySettings Settings(bool lean) => lean ? NoveltySettings.Lean : NoveltySettings.Full;

    private static List<NoveltyVerdict> Run(NoveltyDetector detector, IEnumerable<double> values, int from = 0) =>
        [.. values.Select((value, i) => detector.Observe(MadeUp.At(from + i), value))];

    private static int[] Events(IEnumerable<NoveltyVerdict> verdicts) =>
        [.. verdicts.Select((v, i) => (v, i)).Where(x => x.v.Surprise > NoveltyDetector.LeastSurprise).Select(x => x.i)];

    [Fact]
    public void A_level_never_visited_is_an_event_at_its_first_value_and_then_quiet()
    {
        double[] values = [.. MadeUp.Wander(1, 3000), .. MadeUp.Wander(2, 60).Select(v => v + 40), .. MadeUp.Wander(3, 100)];
        var verdicts = Run(new(), values);
        Assert.Contains(3000, Events(verdicts));
        Assert.Equal(NoveltyCause.Value, verdicts[3000].Cause);
        Assert.InRange(verdicts[3000].Distance, 25, 50);
        Assert.InRange(Events(verdicts).Count(row => row >= 3000), 1, 3);
        Assert.All(verdicts.Skip(3060).Take(40), v => Assert.Equal(0, v.Surprise));
    }

    [Fact]
    public void A_mean_never_visited_is_found_though_every_value_is_known()
    {
        var random = new Random(1);
        double[] values = [.. Enumerable.Range(0, 8030).Select(i => (i % 2 == 0 || i >= 8000 ? 10 : 20) + (0.1 * MadeUp.Normal(random)))];
        var verdicts = Run(new(), values);
        Assert.Contains(Events(verdicts), row => row >= 8000 && verdicts[row].Cause is NoveltyCause.ShortMean or NoveltyCause.Hour);
    }

    [Fact]
    public void A_load_that_stays_away_at_its_hour_is_found_though_its_level_is_known()
    {
        var values = MadeUp.Shifts(1, 21);
        var noon = (20 * MadeUp.Day) + (10 * 12);
        Array.Fill(values, 5, noon, 36);
        Assert.Contains(Events(Run(new(), values)), row => row >= noon && row < noon + 36);
    }

    [Fact]
    public void A_quiet_working_day_is_found_where_weekends_are_quiet_too()
    {
        var values = MadeUp.Shifts(1, 42);
        var random = new Random(5);
        for (var i = 0; i < values.Length; i++)
        {
            var day = i / MadeUp.Day;
            values[i] = day % 7 >= 5 || day == 37 ? 5 + (0.5 * MadeUp.Normal(random)) : values[i];
        }

        var verdicts = Run(new(), values);
        Assert.Contains(Events(verdicts), row => row / MadeUp.Day == 37 && verdicts[row].Cause == NoveltyCause.Hour);

        // Weekends that are known are no events.
        Assert.DoesNotContain(Events(verdicts), row => row / MadeUp.Day is 26 or 27 or 33 or 34);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(45)]
    [InlineData(-1e9)]
    public void A_constant_series_says_nothing(double value) =>
        Assert.All(Run(new(), Enumerable.Repeat(value, 15_000)), v => Assert.Equal(0, v.Surprise));

    [Fact]
    public void Two_values_in_turn_say_nothing() =>
        Assert.Empty(Events(Run(new(), Enumerable.Range(0, 15_000).Select(i => (i / 7) % 2 == 0 ? 0.0 : 100.0))));

    [Fact]
    public void Few_samples_say_nothing_and_say_that_they_are_few()
    {
        var verdicts = Run(new(), [1, 1e9, -5]);
        Assert.All(verdicts, v => Assert.Equal((0, true), (v.Surprise, v.Learning)));
        Assert.False(Run(new(), MadeUp.Wander(1, 141))[^1].Learning);
    }

    [Fact]
    public void What_is_no_measured_value_leaves_no_trace()
    {
        var plain = new NoveltyDetector();
        var disturbed = new NoveltyDetector();
        var values = MadeUp.Wander(1, 2000);
        for (var i = 0; i < values.Length; i++)
        {
            foreach (var none in (ReadOnlySpan<double>)[double.NaN, double.PositiveInfinity, double.NegativeInfinity, double.MaxValue, -1e31])
            {
                Assert.Equal(0, disturbed.Observe(MadeUp.At(i), none).Surprise);
            }

            Assert.Equal(plain.Observe(MadeUp.At(i), values[i]), disturbed.Observe(MadeUp.At(i), values[i]));
        }
    }

    [Fact]
    public void Repeated_backward_and_absurd_times_are_borne()
    {
        var random = new Random(3);
        long[] absurd = [long.MinValue, long.MaxValue, 0, -1];
        var detector = new NoveltyDetector();
        foreach (var value in MadeUp.Wander(1, 5000))
        {
            var time = random.Next(50) == 0 ? absurd[random.Next(absurd.Length)] : MadeUp.Monday.UnixMilliseconds + (random.Next(10) * 300_000L);
            Assert.InRange(detector.Observe(new(time), value).Score, 0, 1);
        }
    }

    [Fact]
    public void After_a_year_without_values_everything_is_learned_anew()
    {
        var detector = new NoveltyDetector();
        Run(detector, MadeUp.Wander(1, 3000));
        var later = Run(detector, MadeUp.Wander(2, 200).Select(v => v + 1000), from: 3000 + (365 * MadeUp.Day));
        Assert.All(later.Take(140), v => Assert.Equal((0, true), (v.Surprise, v.Learning)));
    }

    [Fact]
    public void After_a_pause_the_usual_is_no_event()
    {
        var detector = new NoveltyDetector();
        Run(detector, MadeUp.Shifts(1, 14));
        var night = 16 * MadeUp.Day;
        Assert.Empty(Events(Run(detector, MadeUp.Shifts(2, 1), from: night)));
    }

    [Fact]
    public void A_single_absurd_value_does_not_blind_for_ever()
    {
        double[] values = [.. MadeUp.Wander(1, 300), 1e9, .. MadeUp.Wander(2, 14_000), .. Enumerable.Repeat(40.0, 50)];
        Assert.Contains(14_301, Events(Run(new(), values)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Every_beginning_is_judged_as_in_the_whole(bool lean)
    {
        var values = MadeUp.Shifts(4, 30, whole: true);
        var whole = Run(new(Settings(lean)), values);
        foreach (var rows in (int[])[3, 150, 4000, 8000])
        {
            Assert.Equal(whole.Take(rows), Run(new(Settings(lean)), values.Take(rows)));
        }
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, true)]
    [InlineData(3, false)]
    [InlineData(4, true)]
    public void Saved_and_restored_anywhere_it_answers_as_if_never_interrupted(int seed, bool lean)
    {
        var random = new Random(seed);
        var values = seed % 2 == 0 ? MadeUp.Shifts(seed, 50) : MadeUp.Wander(seed, 14_400, 0.99);
        var plain = new NoveltyDetector(Settings(lean));
        var broken = new NoveltyDetector(Settings(lean));
        var budget = new AlarmBudget(0.3);
        var brokenBudget = new AlarmBudget(0.3);
        var row = 0;
        foreach (var value in values)
        {
            // Now and then a pause, of an hour to days.
            row += random.Next(500) == 0 ? random.Next(12, 900) : 1;
            if (random.Next(200) == 0)
            {
                var writer = new StateWriter();
                broken.Save(writer);
                brokenBudget.Save(writer);
                var reader = new StateReader(writer.Written.Span);
                broken = new(Settings(lean));
                brokenBudget = new(0.3);
                broken.Load(ref reader);
                brokenBudget.Load(ref reader);
                Assert.True(reader.AtEnd);
            }

            var (expected, actual) = (plain.Observe(MadeUp.At(row), value), broken.Observe(MadeUp.At(row), value));
            Assert.Equal(expected, actual);
            Assert.Equal(budget.Observe(expected, plain.Period), brokenBudget.Observe(actual, broken.Period));
        }
    }

    [Fact]
    public void A_state_of_other_settings_is_refused()
    {
        var writer = new StateWriter();
        var detector = new NoveltyDetector();
        Run(detector, MadeUp.Wander(1, 500));
        detector.Save(writer);
        Assert.Throws<InvalidDataException>(() =>
        {
            var reader = new StateReader(writer.Written.Span);
            new NoveltyDetector(NoveltySettings.Lean).Load(ref reader);
        });
    }

    [Theory]
    [InlineData(4)]
    [InlineData(-0.5)]
    public void A_change_of_unit_by_a_power_of_two_changes_no_bit(double factor)
    {
        var values = MadeUp.Shifts(6, 30);
        Assert.Equal(Run(new(), values).Select(v => v.Score), Run(new(), values.Select(v => factor * v)).Select(v => v.Score));
    }

    [Theory]
    [InlineData(-3.7, 1000)]
    [InlineData(0.001, 273.15)]
    [InlineData(1e6, -5e7)]
    public void An_affine_change_of_the_input_changes_no_event(double factor, double offset)
    {
        foreach (var values in (double[][])[MadeUp.Shifts(6, 30), MadeUp.Shifts(7, 30, whole: true), MadeUp.Wander(8, 9000, 0.99)])
        {
            var plain = Run(new(), values);
            var changed = Run(new(), values.Select(v => (factor * v) + offset));
            Assert.Equal(Events(plain), Events(changed));
        }
    }

    [Theory]
    [InlineData(false, 8192)]
    [InlineData(true, 2048)]
    public void It_costs_what_is_promised_and_nothing_for_each_value(bool lean, int bytes)
    {
        Run(new(Settings(lean)), MadeUp.Wander(1, 10));
        var before = GC.GetAllocatedBytesForCurrentThread();
        var detector = new NoveltyDetector(Settings(lean));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 1, bytes);

        var values = MadeUp.Wander(1, 20_000);
        before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < values.Length; i++)
        {
            detector.Observe(MadeUp.At(i), values[i]);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void The_same_values_give_the_same_bits_on_every_machine()
    {
        // Values of integers and divisions only; a 64-bit FNV-1a over the bits of the scores.
        var detector = new NoveltyDetector();
        var random = 12345u;
        var hash = 14695981039346656037UL;
        for (var i = 0; i < 20_000; i++)
        {
            random = unchecked((random * 1664525u) + 1013904223u);
            var value = ((random >> 8) % 1000 / 7.0) + ((i % MadeUp.Day) / 3.0) + (i is > 15_000 and < 15_040 ? 400 : 0);
            var score = BitConverter.DoubleToUInt64Bits(detector.Observe(MadeUp.At(i), value).Score);
            hash = unchecked((hash ^ score) * 1099511628211UL);
        }

        Assert.Equal(10645914135537063223UL, hash);
    }

    [Theory]
    [InlineData("belt", false, 17523661387083004558UL)]
    [InlineData("belt", true, 34693076552741455UL)]
    [InlineData("wander", false, 10199044408138839451UL)]
    [InlineData("wander", true, 2843040872196730803UL)]
    [InlineData("pauses", false, 15259816433531673437UL)]
    [InlineData("pauses", true, 6588758944960324077UL)]
    [InlineData("far", false, 546949043049755036UL)]
    [InlineData("far", true, 3161791532003328667UL)]
    [InlineData("growing", false, 14943591762123647358UL)]
    [InlineData("growing", true, 11256650570083332737UL)]
    [InlineData("two-levels", false, 287234888228636731UL)]
    [InlineData("two-levels", true, 2868938579973170853UL)]
    [InlineData("wild", false, 3882275140110151228UL)]
    [InlineData("wild", true, 9185502466190020087UL)]
    public void What_makes_it_faster_changes_no_bit(string course, bool lean, ulong expected)
    {
        var detector = new NoveltyDetector(Settings(lean));
        var hash = 14695981039346656037UL;
        foreach (var (time, value) in MadeUp.Exact(course, 30_000))
        {
            var verdict = detector.Observe(time, value);
            foreach (var number in (ReadOnlySpan<double>)[verdict.Surprise, verdict.Loudness, verdict.Distance, verdict.Seen, verdict.Expected])
            {
                hash = unchecked((hash ^ BitConverter.DoubleToUInt64Bits(number)) * 1099511628211UL);
            }
        }

        Assert.Equal(expected, hash);
    }

    [Fact]
    public void The_logarithm_is_right()
    {
        for (var x = 1e-9; x < 1e9; x *= 1.37)
        {
            Assert.Equal(Math.Log10(x), ExactMath.Log10(x), 1e-13);
        }
    }
}
