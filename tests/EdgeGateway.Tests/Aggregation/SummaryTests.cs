using EdgeGateway.Core;
using EdgeGateway.Core.Feed;
using EdgeGateway.Tests.LocalPath;

namespace EdgeGateway.Tests.Aggregation;

public class SummaryTests
{
    [Fact]
    public void The_mean_is_weighted_by_the_time_a_value_stood()
    {
        var rig = new TestSite().Device("d").Gauge("p", period: 15).Start().Advance("2026-03-01T08:00:00Z")
            .Value(0, "2026-03-01T08:00:00Z", 10).Value(0, "2026-03-01T08:00:15Z", 30).Value(0, "2026-03-01T08:00:30Z", 20)
            .Advance("2026-03-01T08:01:02Z");

        var minute = Assert.Single(rig.Minutes());
        Assert.Equal(20, minute.Mean); // 10 x 15 s + 30 x 15 s + 20 x 30 s (two periods), in 60 s
        Assert.Equal(1200, minute.Integral);
        Assert.Equal((3, 10, 30, 20, 1.0), (minute.Count, minute.Min, minute.Max, minute.Last, minute.Coverage));
    }

    [Fact]
    public void A_value_covers_at_most_two_periods()
    {
        var rig = new TestSite().Device("d").Gauge("p").Start().Advance("2026-03-01T08:00:00Z")
            .Value(0, "2026-03-01T08:00:10Z", 5).Value(0, "2026-03-01T08:00:11Z", 7).Advance("2026-03-01T08:01:02Z");

        var minute = Assert.Single(rig.Minutes());
        Assert.Equal(3.0 / 60, minute.Coverage, 12);
        Assert.Equal(19.0 / 3, minute.Mean, 12);
    }

    [Fact]
    public void A_missing_sample_ends_what_is_known()
    {
        var rig = new TestSite().Device("d").Gauge("p", period: 10).Start().Advance("2026-03-01T08:00:00Z")
            .Value(0, "2026-03-01T08:00:00Z", 5).Missing(0, "2026-03-01T08:00:10Z").Advance("2026-03-01T08:01:02Z");

        var minute = Assert.Single(rig.Minutes());
        Assert.Equal((1, 1, 10.0 / 60), (minute.Count, minute.Missing, minute.Coverage));
    }

    [Fact]
    public void A_value_stands_across_the_end_of_a_window()
    {
        var rig = new TestSite().Device("d").Gauge("p", period: 10).Start().Advance("2026-03-01T08:00:00Z")
            .Value(0, "2026-03-01T08:00:50Z", 6).Advance("2026-03-01T08:02:02Z");

        Assert.Equal([60.0, 60.0], rig.Minutes().Select(m => m.Integral));
        Assert.Equal([1L, 0L], rig.Minutes().Select(m => m.Count));
        Assert.True(double.IsNaN(rig.Minutes().Last().Min));
    }

    [Fact]
    public void A_window_without_a_sample_is_said()
    {
        var rig = new TestSite().Device("d").Gauge("p").Start().Advance("2026-03-01T08:00:00Z").Advance("2026-03-01T08:03:02Z");

        Assert.Equal(3, rig.Minutes().Count());
        Assert.All(rig.Minutes(), m => Assert.Equal((0L, 0L, 0.0), (m.Count, m.Missing, m.Coverage)));
        Assert.All(rig.Minutes(), m => Assert.True(double.IsNaN(m.Mean) && double.IsNaN(m.Min) && double.IsNaN(m.Last)));
    }

    [Fact]
    public void A_window_waits_for_its_grace()
    {
        var rig = new TestSite().Device("d").Gauge("p").Start().Advance("2026-03-01T08:00:00Z").Advance("2026-03-01T08:01:01.999Z");
        Assert.Empty(rig.Summaries);
        Assert.Single(rig.Advance("2026-03-01T08:01:02Z").Summaries);
    }

    [Fact]
    public void Wider_windows_follow_from_the_base_windows()
    {
        var rig = new TestSite().Device("d").Gauge("p", period: 7).Start().Advance("2026-03-01T08:00:00Z");
        var random = new Random(5);
        for (var t = Rig.At("2026-03-01T08:00:00Z"); t < Rig.At("2026-03-01T10:00:00Z"); t += TimeSpan.FromSeconds(7))
        {
            rig.Value(0, t, random.NextDouble(), random.Next(5) == 0 ? Quality.Bad(QualityReason.Timeout) : Quality.Good);
        }

        rig.Advance("2026-03-01T10:00:02Z");
        foreach (var width in new[] { 15, 60 }.Select(m => TimeSpan.FromMinutes(m)))
        {
            Assert.Equal(120 / width.TotalMinutes, rig.Of(0, width).Count());
            foreach (var wide in rig.Of(0, width))
            {
                SummaryRecord[] parts = [.. rig.Minutes().Where(m => m.Start >= wide.Start && m.Start < wide.Start + width)];
                Assert.Equal(parts.Sum(p => p.Count), wide.Count);
                Assert.Equal(parts.Sum(p => p.Missing), wide.Missing);
                Assert.Equal(parts.Where(p => p.Count > 0).Min(p => p.Min), wide.Min);
                Assert.Equal(parts.Where(p => p.Count > 0).Max(p => p.Max), wide.Max);
                Assert.Equal(parts.Last(p => p.Count > 0).Last, wide.Last);
                Assert.Equal(parts.Sum(p => p.Integral), wide.Integral, 9);
                Assert.Equal(parts.Average(p => p.Coverage), wide.Coverage, 12);
            }
        }
    }

    [Fact]
    public void Growth_of_a_counter_is_exact_over_windows_and_roll_overs()
    {
        var rig = new TestSite().Device("d").Counter(rollover: 1000m).Start().Advance("2026-03-01T08:00:00Z")
            .Raw(0, "2026-03-01T08:00:10Z", 99_950).Raw(0, "2026-03-01T08:00:50Z", 99_990)
            .Raw(0, "2026-03-01T08:01:10Z", 30).Raw(0, "2026-03-01T08:03:10Z", 41)
            .Advance("2026-03-01T08:04:02Z");

        SummaryRecord[] minutes = [.. rig.Minutes()];
        Assert.Equal([0.40m, 0.40m, null, 0.11m], minutes.Select(m => m.Delta));
        Assert.Equal([999.50m, 999.90m, 0.30m, 0.30m], minutes.Select(m => m.StartReading));
        Assert.Equal([999.90m, 0.30m, 0.30m, 0.41m], minutes.Select(m => m.EndReading));
        Assert.All(minutes, m => Assert.Equal(0, m.Integral));
    }

    [Fact]
    public void A_sample_dated_back_counts_at_the_last_time_of_its_point()
    {
        var rig = new TestSite().Device("d").Gauge("p", with: p => p with { PublishSamples = true }).Start().Advance("2026-03-01T08:00:00Z")
            .Value(0, "2026-03-01T08:00:10Z", 1).Value(0, "2026-03-01T08:00:08.500Z", 2).Value(0, "2026-03-01T08:00:11Z", 3);

        Assert.Equal([10_000L, 10_000L, 11_000L], rig.Samples.Select(s => s.Time.UnixMilliseconds % 60_000));
        Assert.Equal([1.0, 2.0, 3.0], rig.Samples.Select(s => s.Value));
    }

    [Fact]
    public void A_sample_for_a_window_that_is_closed_counts_in_the_open_one()
    {
        var rig = new TestSite().Device("d").Gauge("p").Start().Advance("2026-03-01T08:00:00Z").Advance("2026-03-01T08:01:02Z")
            .Value(0, "2026-03-01T08:00:59Z", 1).Advance("2026-03-01T08:02:02Z");

        Assert.Equal([0L, 1L], rig.Minutes().Select(m => m.Count));
    }

    [Fact]
    public void A_long_silence_is_said_once_in_the_widest_width()
    {
        var rig = new TestSite { Zone = "Etc/UTC" }.Device("d").Gauge("p", period: 10).Start().Advance("2026-03-01T08:00:00Z")
            .Value(0, "2026-03-01T08:00:00Z", 5).Advance("2026-03-04T09:30:02Z").Advance("2026-03-04T09:31:02Z");

        Assert.Equal(["2026-03-01T08:00:00.000Z", "2026-03-04T09:30:00.000Z"], rig.Minutes().Select(m => m.Start.ToString()));
        Assert.Equal(["2026-03-01T08:00:00.000Z"], rig.Of(0, TimeSpan.FromHours(1)).Select(m => m.Start.ToString()));
        Assert.Equal([1L, 0L, 0L], rig.Of(0, TimeSpan.FromDays(1)).Select(m => m.Count));
    }

    [Fact]
    public void A_silence_of_an_hour_is_said_minute_by_minute()
    {
        var rig = new TestSite().Device("d").Gauge("p").Start().Advance("2026-03-01T08:00:00Z").Advance("2026-03-01T09:01:02Z");
        Assert.Equal(61, rig.Minutes().Count());
    }

    [Fact]
    public void The_silence_of_years_stays_bounded()
    {
        var rig = new TestSite().Device("d").Gauge("p").Start().Advance("1970-01-01T00:00:00Z").Advance("2190-01-01T00:00:00Z");
        Assert.InRange(rig.Summaries.Count, 1, 410);
    }

    [Fact]
    public void A_point_that_is_read_once_has_no_summaries() =>
        Assert.Empty(new TestSite().Device("d").Gauge("serial", period: 0).Start().Advance("2026-03-01T08:00:00Z")
            .Value(0, "2026-03-01T08:00:00Z", 5).Advance("2026-03-01T08:10:00Z").Summaries);
}
