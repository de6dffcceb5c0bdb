using EdgeGateway.Core;
using EdgeGateway.Core.Detection;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Site;
using EdgeGateway.Core.State;
using EdgeGateway.Tests.LocalPath;
using FsCheck;
using FsCheck.Fluent;

namespace EdgeGateway.Tests.Detection;

/// <summary>What every detector of the table must bear, driven from the table itself.</summary>
public class AllDetectorsTests
{
    private static readonly Instant Start = Rig.At("2026-03-01T08:00:00Z");

    public static TheoryData<string> Names => [.. Detectors.ByName.Keys.Order(StringComparer.Ordinal)];

    /// <param name="After">Milliseconds since the sample before; negative for a time that goes back.</param>
    /// <param name="Point">Which point, modulo their number.</param>
    /// <param name="Value">The value.</param>
    /// <param name="Quality">Its quality.</param>
    public sealed record Input(long After, int Point, double Value, Quality Quality);

    private static readonly Gen<Input> Inputs =
        from after in Gen.Frequency((60, Gen.Choose(0, 3_000).Select(m => (long)m)), (5, Gen.Choose(-5_000, 0).Select(m => (long)m)), (3, Gen.Choose(0, 4_000_000).Select(m => (long)m)), (1, Gen.Constant(31_536_000_000L)))
        from point in Gen.Choose(0, 3)
        from value in Gen.Frequency((30, Gen.Choose(0, 100).Select(v => (double)v)), (10, Gen.Choose(-1_000, 1_000).Select(v => v / 7.0)),
            (1, Gen.Elements(double.NaN, double.PositiveInfinity, double.NegativeInfinity, double.MaxValue, -double.MaxValue, double.Epsilon, 0.0)))
        from quality in Gen.Frequency((20, Gen.Constant(Quality.Good)), (2, Gen.Elements(Quality.Bad(QualityReason.Timeout), Quality.Bad(QualityReason.InvalidCode), Quality.Uncertain(QualityReason.RateOfChange), Quality.Uncertain(QualityReason.OutOfRange))))
        select new Input(after, point, value, quality);

    private static readonly Arbitrary<Input[]> Runs = Gen.ArrayOf(Inputs, 400).ToArbitrary();

    [Fact]
    public void No_input_makes_any_detector_throw_and_one_restored_anywhere_answers_as_if_never_interrupted() =>
        Prop.ForAll(Runs, run =>
        {
            foreach (var name in Detectors.ByName.Keys)
            {
                if (!Play(name, run, restores: false).SequenceEqual(Play(name, run, restores: true)))
                {
                    throw new InvalidOperationException($"{name} answers otherwise after a restore");
                }
            }

            return true;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(40));

    [Theory]
    [MemberData(nameof(Names))]
    public void A_series_of_three_samples_and_a_short_constant_one_say_nothing(string name)
    {
        Assert.Empty(Play(name, [.. Enumerable.Range(0, 12).Select(i => new Input(500, i, 0.001 * (i % 5), Quality.Good))], restores: false));
        Assert.Empty(Play(name, [.. Enumerable.Range(0, 800).Select(i => new Input(250, i, 0.001, Quality.Good))], restores: false));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Nothing_is_held_to_have_lasted_through_a_year_without_a_sample(string name)
    {
        // The strange values come just before the year and just after it: nobody knows what was between.
        List<Input> run = [.. Enumerable.Range(0, 4_000).Select(i => new Input(250, i, 40 + (i % 3), Quality.Good))];
        run.AddRange(Enumerable.Range(0, 4).Select(i => new Input(250, i, 900, Quality.Good)));
        run.Add(new Input(31_536_000_000L, 0, 900, Quality.Good));
        run.AddRange(Enumerable.Range(1, 3).Select(i => new Input(0, i, 900, Quality.Good)));
        var after = Start + TimeSpan.FromMilliseconds(31_536_000_000L);
        var records = Records(name, run);
        Assert.DoesNotContain(records, r => r.Raised && r.Severity != Severity.Note && r.Time >= after && r.Since < after - TimeSpan.FromDays(1));
    }

    /// <summary>A device with the watched point last and the points that the detector needs before it.</summary>
    private static SiteModel Site(string name)
    {
        var kind = Detectors.ByName[name];
        var settings = new Dictionary<string, double>();
        foreach (var (key, value) in new[] { ("rated", 45.0), ("high", 60), ("onDelaySeconds", 5), ("blockSeconds", 60), ("learnBlocks", 5), ("companionShare", 0.01), ("windowSeconds", 300) })
        {
            if (kind.Settings.Contains(key))
            {
                settings[key] = value;
            }
        }

        var site = new TestSite().Device("d");
        foreach (var key in kind.Points)
        {
            site.Gauge(key);
        }

        return site.Gauge("watched", with: p => p with
        {
            Detectors = [new DetectorModel(name, settings) { Points = kind.Points.ToDictionary(k => k, k => k) }],
        }).Build();
    }

    private static List<string> Play(string name, IReadOnlyList<Input> run, bool restores) => [.. Records(name, run, restores).Select(r => r.ToString())];

    /// <summary>The detector by itself: nothing stands between it and the input that would make it harmless.</summary>
    private static List<AnomalyRecord> Records(string name, IReadOnlyList<Input> run, bool restores = false)
    {
        var site = Site(name);
        var lastGood = new LastGood(site.Points.Count);
        var watched = site.Points[^1];
        var detector = Make();
        var records = new List<AnomalyRecord>();
        var time = Start.UnixMilliseconds;
        for (var i = 0; i < run.Count; i++)
        {
            time += run[i].After;
            var point = run[i].Point % site.Points.Count;
            var sample = new Sample(point, new(time), run[i].Value, double.IsFinite(run[i].Value) ? (ulong)Math.Abs(run[i].Value % 256) : 0, run[i].Quality);
            if (point == watched.Index && detector.Observe(sample) is { } record)
            {
                records.Add(record);
            }

            if (run[i].Quality.IsGood)
            {
                lastGood.Set(point, run[i].Value, time);
            }

            if (restores && i % 7 == 6)
            {
                var writer = new StateWriter();
                detector.Save(writer);
                detector = Make();
                var reader = new StateReader(writer.Written.Span);
                detector.Load(ref reader);
                Assert.True(reader.AtEnd, name);
            }
        }

        return records;

        IDetector Make() => Detectors.Create(new DetectorContext(site, watched, watched.Detectors[0], lastGood));
    }
}
