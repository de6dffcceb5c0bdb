using EdgeGateway.Core;
using EdgeGateway.Core.Aggregation;

namespace EdgeGateway.Tests.Aggregation;

public class WindowGridTests
{
    private static (string Start, string End) Containing(string zone, TimeSpan width, string time)
    {
        var grid = new WindowGrid(TimeZoneInfo.FindSystemTimeZoneById(zone));
        var (start, end) = grid.Containing((long)width.TotalMilliseconds, Instant.Parse(time).UnixMilliseconds);
        return (new Instant(start).ToString()[..16], new Instant(end).ToString()[..16]);
    }

    [Fact]
    public void Minutes_are_aligned_to_UTC() =>
        Assert.Equal(("2026-03-01T08:15", "2026-03-01T08:30"), Containing("Asia/Kathmandu", TimeSpan.FromMinutes(15), "2026-03-01T08:29:59.999Z"));

    [Fact]
    public void Hours_begin_with_the_local_hour() => // Nepal is 5:45 ahead of UTC
        Assert.Equal(("2026-03-01T08:15", "2026-03-01T09:15"), Containing("Asia/Kathmandu", TimeSpan.FromHours(1), "2026-03-01T08:29:59Z"));

    [Fact]
    public void Days_begin_at_local_midnight() =>
        Assert.Equal(("2026-02-28T16:00", "2026-03-01T16:00"), Containing("Asia/Shanghai", TimeSpan.FromDays(1), "2026-03-01T15:59:59Z"));

    [Fact]
    public void A_day_that_loses_an_hour_has_23() =>
        Assert.Equal(("2026-03-28T23:00", "2026-03-29T22:00"), Containing("Europe/Berlin", TimeSpan.FromDays(1), "2026-03-29T12:00:00Z"));

    [Fact]
    public void A_day_that_gains_an_hour_has_25() =>
        Assert.Equal(("2026-10-24T22:00", "2026-10-25T23:00"), Containing("Europe/Berlin", TimeSpan.FromDays(1), "2026-10-25T12:00:00Z"));

    [Fact]
    public void The_last_window_of_a_short_day_is_shorter() =>
        Assert.Equal(("2026-03-29T17:00", "2026-03-29T22:00"), Containing("Europe/Berlin", TimeSpan.FromHours(6), "2026-03-29T20:00:00Z"));

    [Fact]
    public void A_day_whose_midnight_is_skipped_begins_after_the_gap() => // Santiago moves from 00:00 to 01:00
        Assert.Equal(("2025-09-07T04:00", "2025-09-08T03:00"), Containing("America/Santiago", TimeSpan.FromDays(1), "2025-09-07T12:00:00Z"));

    [Fact]
    public void A_day_whose_midnight_comes_twice_begins_at_the_first() => // Havana goes back from 01:00 to 00:00
        Assert.Equal(("2025-11-02T04:00", "2025-11-03T05:00"), Containing("America/Havana", TimeSpan.FromDays(1), "2025-11-02T05:30:00Z"));

    [Fact]
    public void Weeks_begin_on_Monday() =>
        Assert.Equal(("2026-02-22T16:00", "2026-03-01T16:00"), Containing("Asia/Shanghai", TimeSpan.FromDays(7), "2026-03-01T00:00:00Z"));

    [Theory]
    [InlineData("Europe/Berlin")]
    [InlineData("Australia/Lord_Howe")]
    [InlineData("America/Santiago")]
    [InlineData("America/Havana")]
    [InlineData("Asia/Kathmandu")]
    public void Windows_follow_each_other_without_gap_and_nest(string zone)
    {
        var grid = new WindowGrid(TimeZoneInfo.FindSystemTimeZoneById(zone));
        long[] widths = [3_600_000, 6 * 3_600_000, 24 * 3_600_000];
        var time = Instant.Parse("2025-01-01T00:00:00Z").UnixMilliseconds;
        var end = Instant.Parse("2026-01-01T00:00:00Z").UnixMilliseconds;
        var before = widths.Select(w => grid.Containing(w, time)).ToArray();
        for (; time < end; time += 1_800_000)
        {
            for (var i = 0; i < widths.Length; i++)
            {
                var window = grid.Containing(widths[i], time);
                Assert.True(window.Start <= time && time < window.End && window.End - window.Start <= widths[i] + 3_600_000);
                Assert.True(window == before[i] || window.Start == before[i].End);
                Assert.True(i == 0 || (window.Start <= before[i - 1].Start && before[i - 1].End <= window.End));
                before[i] = window;
            }
        }
    }
}
