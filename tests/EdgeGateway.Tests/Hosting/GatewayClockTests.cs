using EdgeGateway.Hosting;
using EdgeGateway.Tests.Shared;
using FsCheck;
using FsCheck.Fluent;

namespace EdgeGateway.Tests.Hosting;

public sealed class GatewayClockTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Monotonic_time_counts_from_its_own_start_and_does_not_step()
    {
        var time = new ManualTime(Noon);
        time.Advance(TimeSpan.FromHours(1));
        var clock = new GatewayClock(time);
        Assert.Equal(0, clock.Monotonic);
        time.Advance(TimeSpan.FromMilliseconds(1500.9));
        time.SetUtcNow(Noon);
        Assert.Equal(1500, clock.Monotonic);
    }

    [Fact]
    public void A_step_of_the_wall_clock_is_taken_over_when_it_is_renewed()
    {
        var time = new ManualTime(Noon);
        var clock = new GatewayClock(time);
        time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(TimeSpan.Zero, clock.Renew());

        time.SetUtcNow(time.GetUtcNow().AddHours(-1));
        Assert.Equal(Noon.AddSeconds(10), clock.At(clock.Monotonic).ToDateTimeOffset());
        Assert.Equal(TimeSpan.FromHours(-1), clock.Renew());
        Assert.Equal(Noon.AddHours(-1).AddSeconds(10), clock.At(clock.Monotonic).ToDateTimeOffset());
        Assert.Equal(TimeSpan.Zero, clock.Renew());
    }

    [Fact]
    public void Clocks_that_run_alike_never_seem_to_step()
    {
        // Cut to milliseconds, the two clocks turn over at different instants.
        var time = new ManualTime(Noon.AddTicks(7_777));
        var clock = new GatewayClock(time);
        for (var i = 0; i < 1000; i++)
        {
            time.Advance(TimeSpan.FromTicks(12_345_678));
            Assert.Equal(TimeSpan.Zero, clock.Renew());
        }
    }

    [Fact]
    public void A_clock_that_is_slewed_is_followed_by_the_millisecond()
    {
        var time = new ManualTime(Noon);
        var clock = new GatewayClock(time);
        var moved = TimeSpan.Zero;
        for (var i = 0; i < 100; i++)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            time.SetUtcNow(time.GetUtcNow().AddTicks(-2_500));
            moved += clock.Renew();
        }

        Assert.Equal(TimeSpan.FromMilliseconds(-25), moved);
    }

    [Theory]
    [InlineData(0, 1000, 1000)]
    [InlineData(1, 1000, 1000)]
    [InlineData(999, 1000, 1000)]
    [InlineData(1000, 1000, 2000)]
    [InlineData(-1, 1000, 0)]
    [InlineData(-1000, 1000, 0)]
    [InlineData(-1001, 1000, -1000)]
    [InlineData(61_000, 900_000, 900_000)]
    public void The_next_deadline_is_the_next_multiple_of_the_period(long monotonic, long period, long expected)
    {
        var clock = new GatewayClock(new ManualTime(DateTimeOffset.UnixEpoch));
        Assert.Equal(expected, clock.NextAligned(monotonic, TimeSpan.FromMilliseconds(period)));
    }

    [Fact]
    public void Every_deadline_is_on_the_clock_later_than_now_and_at_most_a_period_away() => Prop.ForAll<int, int, int>((start, now, period) =>
    {
        var clock = new GatewayClock(new ManualTime(DateTimeOffset.UnixEpoch.AddMilliseconds(start * 1000L)));
        var width = 50 + Math.Abs((long)period);
        var next = clock.NextAligned(now, TimeSpan.FromMilliseconds(width));
        return next > now && next - now <= width && clock.At(next).UnixMilliseconds % width == 0;
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void What_is_read_once_has_no_deadline()
    {
        var clock = new GatewayClock(new ManualTime(Noon));
        Assert.Throws<ArgumentOutOfRangeException>(() => clock.NextAligned(0, TimeSpan.Zero));
    }
}
