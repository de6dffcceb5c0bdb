using EdgeGateway.Core;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Outbox;
using EdgeGateway.Uplinks.Hj212;

namespace EdgeGateway.Tests.Uplinks;

/// <summary>When samples of an interval leave, and what of them.</summary>
public class Hj212IntervalsTests
{
    private static readonly DateTimeOffset Noon = new(2025, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Width = TimeSpan.FromSeconds(30);

    private readonly Hj212Intervals _intervals = new();
    private long _rows;

    private Hj212OpenRow Add(double second, string digits, double now = 0)
    {
        var row = new Hj212OpenRow(new OutboxRow { Id = ++_rows, Stream = FeedStream.Sample, Epoch = 1, FirstSequence = _rows, Count = 1, Class = RowClass.Raw, Created = Instant.UnixEpoch, Body = "[]"u8.ToArray() });
        _intervals.Add(row, new(Noon + TimeSpan.FromSeconds(second), "a05001", IsCorrected: false, digits, "N"), Width, TimeSpan.FromSeconds(now));
        return row;
    }

    private string? Take(double utcNow, double now = 0, bool isEnd = false, bool isIdle = true) =>
        _intervals.Take(isEnd, isIdle, Noon + TimeSpan.FromSeconds(utcNow), TimeSpan.FromSeconds(now), static t => t.UtcDateTime) is { } parcel ? string.Join(';', parcel.Data[0].Groups.Select(g => string.Join(',', g))) : null;

    [Fact]
    public void An_interval_leaves_some_seconds_after_its_end_when_nothing_is_left_to_read()
    {
        var row = Add(1, "1");
        Add(29, "2");
        Assert.Equal(2, row.Open);
        Assert.Null(Take(34));
        Assert.Null(Take(36, isIdle: false));
        Assert.Equal("DataTime=20250301120029;a05001-Rtd=2,a05001-Flag=N", Take(36));
        Assert.Null(Take(100));
    }

    [Fact]
    public void An_interval_leaves_when_the_next_one_has_begun()
    {
        Add(29, "2");
        Add(30, "3");
        Assert.Equal("DataTime=20250301120029;a05001-Rtd=2,a05001-Flag=N", Take(30, isIdle: false));
        Assert.Null(Take(30));
    }

    [Fact]
    public void A_clock_that_was_set_back_does_not_hold_an_interval_for_ever()
    {
        Add(1, "1", now: 100);
        Assert.Null(Take(-3600, now: 130));
        Assert.NotNull(Take(-3600, now: 136));
    }

    [Fact]
    public void The_end_of_a_lane_is_the_end_of_its_interval()
    {
        Add(1, "1");
        Assert.NotNull(Take(2, isEnd: true));
    }

    [Fact]
    public void An_older_sample_does_not_take_the_place_of_a_newer_one()
    {
        Add(20, "2");
        Add(10, "1");
        Assert.Equal("DataTime=20250301120020;a05001-Rtd=2,a05001-Flag=N", Take(60));
    }
}
