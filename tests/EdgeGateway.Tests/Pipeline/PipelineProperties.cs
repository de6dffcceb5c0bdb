using EdgeGateway.Core;
using EdgeGateway.Core.Alarms;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using EdgeGateway.Core.State;
using FsCheck;
using FsCheck.Fluent;

namespace EdgeGateway.Tests.LocalPath;

public class PipelineProperties
{
    private static readonly Instant Start = Rig.At("2026-03-01T07:58:00Z");

    /// <summary>One thing that happens to a pipeline.</summary>
    public enum Act
    {
        Sample,
        Miss,
        Advance,
        Step,
        Restart,
        Reconfigure,
    }

    /// <param name="What">What happens.</param>
    /// <param name="After">Milliseconds since the thing before; negative for a sample dated back.</param>
    /// <param name="Point">Which point.</param>
    /// <param name="Amount">Growth in raw steps, value, or length of a clock step in seconds.</param>
    public sealed record Event(Act What, int After, int Point, int Amount);

    private static readonly Gen<Event> Events =
        from what in Gen.Frequency(
            (60, Gen.Constant(Act.Sample)), (10, Gen.Constant(Act.Miss)), (25, Gen.Constant(Act.Advance)),
            (2, Gen.Constant(Act.Step)), (5, Gen.Constant(Act.Restart)), (1, Gen.Constant(Act.Reconfigure)))
        from after in Gen.Frequency(
            (50, Gen.Choose(0, 3_000)), (20, Gen.Choose(0, 60_000)), (5, Gen.Choose(-2_000, 0)), (3, Gen.Choose(0, 1_800_000)), (1, Gen.Choose(0, 200_000_000)))
        from point in Gen.Choose(0, 3)
        from amount in Gen.Frequency((8, Gen.Choose(0, 40)), (1, Gen.Choose(0, 4_000)), (1, Gen.Choose(-7_200, 7_200)))
        select new Event(what, after, point, amount);

    private static readonly Arbitrary<Event[]> Runs = Gen.ArrayOf(Events, 300).ToArbitrary();

    private static SiteModel Site(string hash = "test") => new TestSite { Hash = hash, Zone = "Europe/Berlin" }
        .Device("incomer", TestSite.Meter()).Counter(rollover: 100m, unit: "W.h")
        .Device("fan", TestSite.Meter(MeterRole.Submeter, "incomer", counts: false), "CN-YN").Counter(rollover: 100m, scale: 0.003m, period: 5)
        .Device("motor")
        .Gauge("current", period: 2, with: p => p with { PublishSamples = true, PlausibleMax = 500, MaxRatePerSecond = 30, Detectors = [Limit, Stuck, Spike, Novelty] })
        .Gauge("belt", with: p => p with { Detectors = [Slip] }).Build();

    private static DetectorModel Limit => new("limit", new Dictionary<string, double> { ["high"] = 30, ["low"] = 5, ["onDelaySeconds"] = 2, ["hysteresis"] = 1 });

    private static DetectorModel Stuck => new("stuck", new Dictionary<string, double> { ["tolerance"] = 5, ["windowSeconds"] = 10 });

    private static DetectorModel Spike => new("spike", new Dictionary<string, double> { ["quietSeconds"] = 5 });

    private static DetectorModel Novelty => new("novelty", new Dictionary<string, double> { ["lean"] = 1 });

    private static DetectorModel Slip => new("slip", new Dictionary<string, double>()) { Points = new Dictionary<string, string> { ["drive"] = "current" } };

    /// <summary>Plays a run. Counters grow by small steps and roll over; a roll-over is never ambiguous, because the growth of a step is below 10 %.</summary>
    private static Outcome Play(Event[] run, bool restarts, bool transcribes = true)
    {
        var rig = new Rig(Site(), transcribes);
        var outcome = new Outcome();
        var now = Start;
        decimal[] totals = [0, 0];
        ulong[] limits = [10_000, 33_334]; // 100 / 0.01; the smallest multiple of 0.003 not below 100
        ulong[] raw = [9_000, 33_000];
        bool[] seen = [false, false];
        rig.Pipeline.Advance(now);
        foreach (var e in run)
        {
            var time = new Instant(now.UnixMilliseconds + e.After);
            now = time > now ? time : now;
            switch (e.What)
            {
                case Act.Sample when e.Point < 2:
                    var growth = seen[e.Point] ? (ulong)Math.Clamp(e.Amount, 0, 900) : 0;
                    seen[e.Point] = true;
                    raw[e.Point] += growth;
                    totals[e.Point] += growth;
                    if (e.Point == 0)
                    {
                        raw[0] %= limits[0];
                    }

                    rig.Raw(e.Point, time, raw[e.Point]);
                    break;
                case Act.Sample:
                    rig.Value(e.Point, time, e.Amount);
                    break;
                case Act.Miss:
                    rig.Pipeline.Process(Sample.Missing(e.Point, time, QualityReason.Timeout));
                    break;
                case Act.Advance:
                    rig.Pipeline.Advance(now);
                    break;
                case Act.Step:
                    var after = new Instant(now.UnixMilliseconds + (e.Amount * 1000L));
                    rig.Pipeline.ClockStepped(now, after);
                    now = after;
                    break;
                case Act.Restart when restarts:
                    var state = rig.Save();
                    outcome.Take(rig);
                    rig = new Rig(Site(), transcribes).Load(state);
                    break;
                case Act.Reconfigure:
                    var writer = new StateWriter();
                    rig.Pipeline.Close(now);
                    rig.Pipeline.SaveBaselines(writer);
                    outcome.Take(rig);
                    rig = new Rig(Site(), transcribes);
                    var reader = new StateReader(writer.Written.Span);
                    rig.Pipeline.LoadBaselines(ref reader);
                    rig.Pipeline.Advance(now);
                    break;
            }
        }

        var last = new StateWriter();
        rig.Pipeline.Close(now);
        rig.Pipeline.SaveBaselines(last);
        outcome.Take(rig);
        outcome.Growth = [totals[0] * 0.01m, totals[1] * 0.003m];
        outcome.Carried = Carried(last);
        return outcome;
    }

    /// <summary>The carried fractions of a milligram, as the baselines hold them.</summary>
    private static decimal[] Carried(StateWriter baselines)
    {
        var reader = new StateReader(baselines.Written.Span);
        Assert.Equal(2, reader.ReadInt32());
        reader.ReadInt32();
        var carried = new decimal[reader.ReadInt32()];
        for (var i = 0; i < carried.Length; i++)
        {
            reader.ReadString();
            reader.ReadString();
            reader.ReadString();
            reader.ReadByte();
            reader.ReadDecimal();
            reader.ReadDecimal();
            reader.ReadBoolean();
            reader.ReadDecimal();
            reader.ReadUInt64();
            reader.ReadInt64();
            reader.ReadInt64();
            reader.ReadBoolean();
            carried[i] = reader.ReadNullableDecimal()!.Value;
        }

        new AlarmBook([], _ => { }).Load(ref reader);

        // What detectors learnt follows.
        return carried;
    }

    [Fact]
    public void The_same_inputs_give_the_same_records() =>
        Prop.ForAll(Runs, run => Play(run, false).Transcript.SequenceEqual(Play(run, false).Transcript)).QuickCheckThrowOnFailure();

    [Fact]
    public void A_restored_pipeline_goes_on_as_if_never_interrupted() =>
        Prop.ForAll(Runs, run => Play(run, true).Transcript.SequenceEqual(Play(run, false).Transcript)).QuickCheckThrowOnFailure();

    [Fact]
    public void Whatever_the_clock_and_the_configuration_do_every_finding_is_cleared_under_its_identity() =>
        Prop.ForAll(Runs, run =>
        {
            var anomalies = Play(run, true).Anomalies.Where(a => a.Severity != Severity.Note).ToList();
            return Identities(true).SetEquals(Identities(false));

            HashSet<(int, string, Instant)> Identities(bool raised) => [.. anomalies.Where(a => a.Raised == raised).Select(a => (a.Point, a.Detector, a.Since))];
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Saving_what_was_restored_gives_the_same_bytes() =>
        Prop.ForAll(Runs, run =>
        {
            var rig = new Rig(Site());
            foreach (var e in run.Where(e => e.What == Act.Sample))
            {
                rig.Value(e.Point, Start + TimeSpan.FromMilliseconds(e.After), e.Amount);
            }

            var state = rig.Save();
            return new Rig(Site()).Load(state).Save().AsSpan().SequenceEqual(state);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Every_milligram_of_the_meters_growth_is_in_exactly_one_entry() =>
        Prop.ForAll(Runs, run =>
        {
            var outcome = Play(run, true, transcribes: false);
            decimal[] kWhPerUnit = [0.001m, 1];
            decimal[] factors = [0.7096m, 0.1073m];
            for (var i = 0; i < 2; i++)
            {
                EmissionRecord[] entries = [.. outcome.Emissions.Where(e => e.Account == EmissionAccount.Device && e.Device == i)];
                Assert.Equal(outcome.Growth[i] * kWhPerUnit[i], entries.Sum(e => e.ActivityKWh));
                Assert.Equal(outcome.Growth[i] * kWhPerUnit[i] * factors[i] * 1_000_000m, entries.Sum(e => e.Milligrams) + outcome.Carried[i]);
                Assert.InRange(outcome.Carried[i], 0m, 0.9999999999999m);
            }

            Assert.Equal(outcome.Emissions.Where(e => e.CountsTowardSite && e.Account == EmissionAccount.Device).Sum(e => e.Milligrams), outcome.Emissions.Where(e => e.Account == EmissionAccount.Site).Sum(e => e.Milligrams));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Windows_of_every_width_hold_the_same_growth_and_samples() =>
        Prop.ForAll(Runs, run =>
        {
            var outcome = Play(run, true, transcribes: false);
            foreach (var width in new[] { 1.0, 15, 60 })
            {
                SummaryRecord[] windows = [.. outcome.Summaries.Where(s => s.Width == TimeSpan.FromMinutes(width))];
                Assert.Equal(outcome.Growth[0], windows.Where(s => s.Point == 0).Sum(s => s.Delta ?? 0));
                Assert.Equal(outcome.Growth[1], windows.Where(s => s.Point == 1).Sum(s => s.Delta ?? 0));
                Assert.Equal(run.Count(e => e.What == Act.Miss), windows.Sum(s => s.Missing));
                Assert.Equal(run.Count(e => e.What == Act.Sample), windows.Sum(s => s.Count));
            }

            Assert.All(outcome.Summaries, s => Assert.InRange(s.Coverage, 0, 1));
            Assert.All(outcome.Summaries, s => Assert.True(s.Count == 0 || (s.Min <= s.Last && s.Last <= s.Max)));
            var identities = outcome.Summaries.Select(s => (s.Point, s.Start, s.Width, s.Era)).ToList();
            Assert.Equal(identities.Count, identities.Distinct().Count());
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void No_input_makes_it_throw()
    {
        var times = Gen.Frequency(
            (60, Gen.Choose(0, 100_000).Select(s => Start.UnixMilliseconds + (s * 100L))),
            (1, Gen.Elements(long.MinValue, -1, 0, 1_000, 253_402_300_799_999, long.MaxValue)));
        var values = Gen.Frequency(
            (5, Gen.Choose(-1_000, 1_000).Select(v => (double)v)),
            (1, Gen.Elements(double.NaN, double.PositiveInfinity, double.NegativeInfinity, double.MaxValue, -double.MaxValue, double.Epsilon, 1e29)));
        var raws = Gen.Frequency((3, Gen.Choose(0, 100_000).Select(r => (ulong)r)), (1, Gen.Elements(ulong.MaxValue, ulong.MaxValue >> 1, 1UL << 63, 0x7FC0_0000UL, 0x7F80_0000UL)));
        var qualities = from status in Gen.Choose(0, 255) from reason in Gen.Choose(0, 255) from simple in Gen.Choose(0, 3)
                        select simple > 0 ? Quality.Good : new Quality((QualityStatus)status, (QualityReason)reason, 7);
        var inputs = from point in Gen.Choose(-1, 9) from time in times from value in values from raw in raws from quality in qualities from act in Gen.Choose(0, 20) from second in times
                     select (Sample: new Sample(point, new Instant(time), value, raw, quality), Act: act, Second: new Instant(second));
        var site = new TestSite { Zone = "America/Havana" }.Device("d", TestSite.Meter())
            .Counter("u64", scale: 123.456m, type: RegisterType.UInt64)
            .Counter("f32", method: "electricity-sold", type: RegisterType.Float32, unit: "GW.h", rollover: 1e9m)
            .Device("e", TestSite.Meter(MeterRole.Submeter, "d")).Counter("f64", type: RegisterType.Float64, unit: "GW.h").Counter("i32", method: null, type: RegisterType.Int32, rate: 1e9m)
            .Device("f").Gauge("a", with: p => p with { Detectors = [Limit, Stuck, Spike], PlausibleMin = -500, MaxRatePerSecond = 1 })
            .Gauge("a2").Gauge("a3", period: 86_400 * 400).Gauge("once", period: 0)
            .Device("g").Build();
        Prop.ForAll(Gen.ArrayOf(inputs, 200).ToArbitrary(), run =>
        {
            var rig = new Rig(site, transcribes: false);
            foreach (var (sample, act, second) in run)
            {
                rig.Pipeline.Process(sample);
                switch (act)
                {
                    case 0: rig.Pipeline.ClockStepped(sample.Time, second); break;
                    case < 5: rig.Pipeline.Advance(second); break;
                }
            }

            rig.Pipeline.Close(Start);
            return rig.Summaries.TrueForAll(s => s.Coverage is >= 0 and <= 1);
        }).QuickCheckThrowOnFailure();
    }

    private sealed class Outcome
    {
        public List<string> Transcript { get; } = [];

        public List<SummaryRecord> Summaries { get; } = [];

        public List<EmissionRecord> Emissions { get; } = [];

        public List<AnomalyRecord> Anomalies { get; } = [];

        public decimal[] Growth { get; set; } = [];

        public decimal[] Carried { get; set; } = [];

        public void Take(Rig rig)
        {
            Transcript.AddRange(rig.Transcript);
            Summaries.AddRange(rig.Summaries);
            Emissions.AddRange(rig.Emissions);
            Anomalies.AddRange(rig.Anomalies);
        }
    }
}
