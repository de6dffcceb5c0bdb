using EdgeGateway.Core;
using EdgeGateway.Core.Alarms;
using EdgeGateway.Core.Cems;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Site;
using EdgeGateway.Core.State;

namespace EdgeGateway.Tests.LocalPath;

public class PipelineTests
{
    private static TestSite Meter(string hash = "test") => new TestSite { Hash = hash }.Device("meter", TestSite.Meter()).Counter();

    [Fact]
    public void A_clock_set_back_ends_the_windows_and_begins_a_new_era()
    {
        var rig = Meter().Start().Advance("2026-03-01T08:10:00Z")
            .Raw(0, "2026-03-01T08:10:10Z", 1000).Raw(0, "2026-03-01T08:10:20Z", 1010);
        rig.Pipeline.ClockStepped(Rig.At("2026-03-01T08:10:30Z"), Rig.At("2026-03-01T07:10:30Z"));
        Assert.Equal(1, rig.Pipeline.Era);
        Assert.Equal([WindowCut.ClockStep], rig.Summaries.Select(s => s.Cut).Distinct());
        Assert.Equal(4, rig.Summaries.Count);
        Assert.All(rig.Summaries, s => Assert.Equal((0.10m, 0), (s.Delta, s.Era)));

        rig.Raw(0, "2026-03-01T07:10:40Z", 1025).Advance("2026-03-01T07:11:02Z");
        var again = rig.Summaries[^1];
        Assert.Equal((1, 0.15m, "2026-03-01T07:10:00.000Z"), (again.Era, again.Delta, again.Start.ToString()));
        Assert.Equal([0.10m, 0.15m], Entries(rig.Advance("2026-03-01T07:15:02Z")).Select(e => e.ActivityKWh));
        Assert.False(Entries(rig).Last().Allocated);
    }

    [Fact]
    public void A_clock_set_forward_over_hours_loses_no_energy()
    {
        var rig = Meter().Start().Advance("2026-03-01T08:10:00Z").Raw(0, "2026-03-01T08:10:10Z", 1000);
        rig.Pipeline.ClockStepped(Rig.At("2026-03-01T08:10:30Z"), Rig.At("2026-03-05T01:00:00Z"));
        rig.Raw(0, "2026-03-05T01:00:10Z", 1025).Advance("2026-03-05T01:15:02Z");
        Assert.Equal([0m, 0.25m], Entries(rig).Select(e => e.ActivityKWh));
        Assert.DoesNotContain(rig.States, s => !s.Online);
    }

    [Fact]
    public void A_change_of_configuration_emits_what_is_open_and_continues_counters_and_milligrams()
    {
        var first = Meter().Start().Advance("2026-03-01T08:00:00Z").Raw(0, "2026-03-01T08:00:10Z", 1000).Raw(0, "2026-03-01T08:00:20Z", 1001);
        first.Pipeline.Close(Rig.At("2026-03-01T08:00:30Z"));
        Assert.Equal([WindowCut.Configuration], first.Summaries.Select(s => s.Cut).Distinct());
        Assert.Equal((7096L, WindowCut.Configuration), (first.Emissions[0].Milligrams, first.Emissions[0].Cut));

        // The new configuration has one more device in front.
        var second = new TestSite { Hash = "other" }.Device("new").Gauge("p").Device("meter", TestSite.Meter()).Counter().Start();
        var writer = new StateWriter();
        first.Pipeline.SaveBaselines(writer);
        var reader = new StateReader(writer.Written.Span);
        second.Pipeline.LoadBaselines(ref reader);
        Assert.True(reader.AtEnd);
        second.Advance("2026-03-01T08:00:31Z").Raw(1, "2026-03-01T08:00:40Z", 1004).Advance("2026-03-01T08:15:02Z");

        Assert.Equal((0.03m, 10.01m, 1001UL, 1), (second.Emissions[0].ActivityKWh, second.Emissions[0].StartReading, second.Emissions[0].StartRaw, second.Emissions[0].Era));
        Assert.Equal(10.01m, second.Minutes(1).First().StartReading);
    }

    [Fact]
    public void Carried_milligrams_outlive_a_change_of_configuration()
    {
        TestSite Tiny(string hash) => new TestSite { Hash = hash }.Device("meter", TestSite.Meter()).Counter(unit: "W.h", scale: 0.001m);
        var total = 0L;
        var writer = new StateWriter();
        for (var i = 0; i < 10; i++)
        {
            var rig = Tiny($"c{i}").Start();
            if (i > 0)
            {
                var reader = new StateReader(writer.Written.Span);
                rig.Pipeline.LoadBaselines(ref reader);
                writer.Clear();
            }

            rig.Raw(0, Rig.At("2026-03-01T08:00:00Z") + TimeSpan.FromSeconds(i), (ulong)i);
            rig.Pipeline.Close(Rig.At("2026-03-01T08:00:00Z") + TimeSpan.FromSeconds(i));
            rig.Pipeline.SaveBaselines(writer);
            total += Entries(rig).Sum(e => e.Milligrams);
        }

        Assert.Equal(6, total); // 9 x 0.7096 mg = 6.39
    }

    [Fact]
    public void A_counter_read_in_another_scale_starts_anew()
    {
        var first = Meter().Start().Raw(0, "2026-03-01T08:00:00Z", 1000);
        var writer = new StateWriter();
        first.Pipeline.SaveBaselines(writer);
        var second = new TestSite().Device("meter", TestSite.Meter()).Counter(scale: 0.1m).Start();
        var reader = new StateReader(writer.Written.Span);
        second.Pipeline.LoadBaselines(ref reader);
        second.Raw(0, "2026-03-01T08:00:01Z", 1000).Advance("2026-03-01T08:15:02Z");
        Assert.Equal(0m, second.Emissions[0].ActivityKWh);
        Assert.Empty(second.Anomalies);
    }

    [Fact]
    public void After_a_loss_no_energy_is_counted_twice_and_a_finding_says_what_is_not_accounted()
    {
        var published = Meter().Start().Advance("2026-03-01T08:00:00Z").Raw(0, "2026-03-01T08:00:10Z", 1000).Raw(0, "2026-03-01T08:00:20Z", 1010);
        var checkpoint = published.Save();
        published.Raw(0, "2026-03-01T08:00:30Z", 1020).Advance("2026-03-01T08:20:02Z");

        var rig = Meter().Start().Load(checkpoint);
        rig.Pipeline.ResumeAfterLoss(Rig.At("2026-03-01T10:05:30Z"));
        Assert.Equal(1, rig.Pipeline.Era);
        Assert.Equal([(0, WindowCut.Loss, (decimal?)0.10m)], rig.Summaries.Select(s => (s.Era, s.Cut, s.Delta)).Distinct());
        Assert.Equal(4, rig.Summaries.Count);
        Assert.Equal((0, WindowCut.Loss, 0.10m), (rig.Emissions[0].Era, rig.Emissions[0].Cut, rig.Emissions[0].ActivityKWh));

        // By the key of a window the receiver sees that it has the whole of it already.
        var keys = published.Summaries.ToDictionary(s => (s.Point, s.Start, s.Width, s.Era));
        Assert.All(rig.Summaries.Take(2), s => Assert.True(keys[(s.Point, s.Start, s.Width, s.Era)].Delta > s.Delta));

        rig = Meter().Start().Load(rig.Save()).Raw(0, "2026-03-01T10:05:40Z", 2000).Raw(0, "2026-03-01T10:05:50Z", 2005).Advance("2026-03-01T10:15:02Z");
        var finding = Assert.Single(rig.Anomalies);
        Assert.Equal(("counter-loss", Severity.Warning, true, 20.0), (finding.Detector, finding.Severity, finding.Raised, finding.Value));
        Assert.Contains("growth from 10.1 kWh at 2026-03-01T08:00:20.000Z to 20 kWh is not accounted", finding.Text, StringComparison.Ordinal);
        Assert.Contains("store was damaged", finding.Text, StringComparison.Ordinal);
        var minute = rig.Minutes().First();
        Assert.Equal(("2026-03-01T10:05:00.000Z", 1, WindowCut.None, 0.05m, 20m), (minute.Start.ToString(), minute.Era, minute.Cut, minute.Delta, minute.StartReading));
        var entry = Assert.Single(Entries(rig));
        Assert.Equal((0.05m, 20m, 2000UL, false, 1), (entry.ActivityKWh, entry.StartReading, entry.StartRaw, entry.Allocated, entry.Era));
        Assert.Equal([true, false], rig.Raw(0, "2026-03-01T10:20:41Z", 2006).Anomalies.Select(a => a.Raised));
    }

    [Fact]
    public void After_a_loss_a_reading_that_cannot_be_true_does_not_become_the_baseline()
    {
        var rig = new TestSite().Device("meter", TestSite.Meter()).Counter(rate: 0.1m).Start().Raw(0, "2026-03-01T08:00:00Z", 1000);
        rig.Pipeline.ResumeAfterLoss(Rig.At("2026-03-01T08:10:00Z"));
        rig.Raw(0, "2026-03-01T08:10:01Z", 4_000_000).Raw(0, "2026-03-01T08:10:02Z", 1500).Raw(0, "2026-03-01T08:10:03Z", 1502).Advance("2026-03-01T08:15:02Z");
        Assert.Equal([0m, 0.02m], Entries(rig).Select(e => e.ActivityKWh));
        Assert.Contains("growth from 10 kWh at 2026-03-01T08:00:00.000Z to 15 kWh is not accounted", rig.Anomalies[^1].Text, StringComparison.Ordinal);
    }

    [Fact]
    public void After_a_loss_a_meter_found_replaced_says_both()
    {
        var rig = Meter().Start().Raw(0, "2026-03-01T08:00:00Z", 100_000);
        rig.Pipeline.ResumeAfterLoss(Rig.At("2026-03-01T08:10:00Z"));
        rig.Raw(0, "2026-03-01T08:10:01Z", 100).Raw(0, "2026-03-01T08:10:02Z", 103).Raw(0, "2026-03-01T08:10:03Z", 104).Advance("2026-03-01T08:15:02Z");
        Assert.Equal([0m, 0.04m], Entries(rig).Select(e => e.ActivityKWh));
        var finding = Assert.Single(rig.Anomalies);
        Assert.Contains("fell from 1000 kWh to 1 kWh", finding.Text, StringComparison.Ordinal);
        Assert.Contains("not accounted", finding.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_loss_in_which_a_counter_did_not_grow_is_told_by_no_finding_and_what_it_held_is_forgotten()
    {
        var rig = new TestSite().Device("meter", TestSite.Meter()).Counter(rate: 0.1m).Start()
            .Raw(0, "2026-03-01T08:00:00Z", 1000).Raw(0, "2026-03-01T08:00:01Z", 4_000_000);
        rig.Pipeline.ResumeAfterLoss(Rig.At("2026-03-01T08:10:00Z"));
        Assert.Equal([true, false], rig.Anomalies.Select(a => a.Raised));
        Assert.Equal(rig.Anomalies[0].Since, rig.Anomalies[1].Since);
        rig.Raw(0, "2026-03-01T08:10:01Z", 1000).Raw(0, "2026-03-01T08:10:02Z", 1001);
        Assert.Equal(2, rig.Anomalies.Count);
    }

    [Fact]
    public void A_loss_after_which_the_clock_is_behind_holds_no_sample_back()
    {
        var rig = Meter().Start().Raw(0, "2026-03-01T08:10:10Z", 1000);
        rig.Pipeline.ResumeAfterLoss(Rig.At("2026-03-01T07:00:00Z"));
        rig.Raw(0, "2026-03-01T07:00:10Z", 1001).Raw(0, "2026-03-01T07:00:20Z", 1003).Advance("2026-03-01T07:15:02Z");
        Assert.Equal((1, 0.02m, "2026-03-01T07:00:00.000Z"), (rig.Minutes().ElementAt(1).Era, rig.Minutes().ElementAt(1).Delta, rig.Minutes().ElementAt(1).Start.ToString()));
        Assert.Equal([0m, 0.02m], Entries(rig).Select(e => e.ActivityKWh));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_loss_is_not_forgotten_over_a_change_of_configuration(bool before)
    {
        var first = Meter().Start().Raw(0, "2026-03-01T08:00:00Z", 1000);
        var second = Meter("other").Start();
        var writer = new StateWriter();
        if (before)
        {
            first.Pipeline.ResumeAfterLoss(Rig.At("2026-03-01T08:10:00Z"));
        }

        first.Pipeline.Close(Rig.At("2026-03-01T08:10:00Z"));
        first.Pipeline.SaveBaselines(writer);
        var reader = new StateReader(writer.Written.Span);
        second.Pipeline.LoadBaselines(ref reader);
        if (!before)
        {
            second.Pipeline.ResumeAfterLoss(Rig.At("2026-03-01T08:10:00Z"));
        }

        Assert.Equal((2, 0), (second.Pipeline.Era, second.Transcript.Count));
        second.Raw(0, "2026-03-01T08:10:01Z", 1500).Raw(0, "2026-03-01T08:10:02Z", 1501).Advance("2026-03-01T08:15:02Z");
        Assert.Equal((0.01m, 15m), (Entries(second).Single().ActivityKWh, Entries(second).Single().StartReading));
        Assert.Equal((0.01m, 15m), (second.Minutes().First().Delta, second.Minutes().First().StartReading));
        Assert.Single(second.Anomalies);
    }

    [Fact]
    public void A_closed_pipeline_takes_nothing_more()
    {
        var rig = Meter().Start();
        rig.Pipeline.Close(Instant.UnixEpoch);
        Assert.Empty(rig.Transcript);
        Assert.Throws<InvalidOperationException>(() => rig.Pipeline.Advance(Instant.UnixEpoch));
    }

    [Fact]
    public void State_of_another_configuration_or_version_is_refused()
    {
        var state = Meter().Start().Raw(0, "2026-03-01T08:00:00Z", 1000).Save();
        Assert.Throws<InvalidDataException>(() => Meter("other").Start().Load(state));
        Assert.Throws<InvalidDataException>(() => Meter().Start().Load(state[..^1]));
        state[0]++;
        Assert.Throws<InvalidDataException>(() => Meter().Start().Load(state));
    }

    [Fact]
    public void A_sample_of_no_point_is_left_out_and_counted()
    {
        var rig = Meter().Start().Value(7, "2026-03-01T08:00:00Z", 1).Value(-1, "2026-03-01T08:00:00Z", 1);
        Assert.Equal((2, 0), (rig.Pipeline.Strays, rig.Transcript.Count));
    }

    [Fact]
    public void Published_samples_carry_their_final_quality()
    {
        var rig = new TestSite().Device("d").Gauge("p", with: p => p with { PublishSamples = true, PlausibleMax = 10 }).Gauge("q").Start()
            .Value(0, "2026-03-01T08:00:00Z", 20).Value(1, "2026-03-01T08:00:00Z", 20);
        Assert.Equal(Quality.Uncertain(QualityReason.OutOfRange), Assert.Single(rig.Samples).Quality);
    }

    [Fact]
    public void A_sample_allocates_nothing()
    {
        var limits = new DetectorModel("limit", new Dictionary<string, double> { ["high"] = 1e9, ["low"] = -1e9 });
        var stuck = new DetectorModel("stuck", new Dictionary<string, double>());
        var spike = new DetectorModel("spike", new Dictionary<string, double> { ["quietSeconds"] = 1e6 });
        var slip = new DetectorModel("slip", new Dictionary<string, double>()) { Points = new Dictionary<string, string> { ["drive"] = "speed" } };
        var site = new TestSite().Device("d", TestSite.Meter())
            .Gauge("speed", with: p => p with { PublishSamples = true, PlausibleMin = -1e6, PlausibleMax = 1e6, MaxRatePerSecond = 1e9, Detectors = [limits, stuck, spike] })
            .Gauge("belt", with: p => p with { Detectors = [slip] })
            .Counter(rate: 1m).Build();
        var pipeline = new Core.Pipeline(site, TestSite.Factors, new Silence());
        var start = Rig.At("2026-03-01T08:00:00Z");
        pipeline.Advance(start);
        Feed(pipeline, start, 1, 2_000);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Feed(pipeline, start, 2_001, 100_000);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        // All within one minute, so that no window closes.
        static void Feed(Core.Pipeline pipeline, Instant start, int from, int to)
        {
            for (var i = from; i <= to; i++)
            {
                var time = new Instant(start.UnixMilliseconds + (i / 2));
                var bad = i % 7 == 0;
                pipeline.Process(bad ? Sample.Missing(0, time, QualityReason.Timeout) : new Sample(0, time, 100 + (i % 9), 0, Quality.Good));
                pipeline.Process(new Sample(1, time, 100 + (i % 5), 0, Quality.Good));
                pipeline.Process(new Sample(2, time, i / 1000 * 0.01, (ulong)(i / 1000), Quality.Good));
            }
        }
    }

    private static IEnumerable<EmissionRecord> Entries(Rig rig) => rig.Emissions.Where(e => e.Account == EmissionAccount.Device);

    private sealed class Silence : IFeedSink
    {
        public void Summary(in SummaryRecord record)
        {
        }

        public void Emission(in EmissionRecord record)
        {
        }

        public void Anomaly(AnomalyRecord record)
        {
        }

        public void DeviceState(DeviceStateRecord record)
        {
        }

        public void Alarm(AlarmRecord record)
        {
        }

        public void CemsHour(CemsHourRecord record)
        {
        }

        public void Calibration(CemsCalibrationRecord record)
        {
        }

        public void Sample(in Sample sample)
        {
        }
    }
}
