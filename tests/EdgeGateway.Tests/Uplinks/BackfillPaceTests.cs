using EdgeGateway.Uplinks;

namespace EdgeGateway.Tests.Uplinks;

public class BackfillPaceTests
{
    [Fact]
    public void Without_live_data_history_has_64_kB_a_second() => Assert.Equal(64_000, new BackfillPace().BytesPerSecond);

    [Fact]
    public void Live_data_raise_the_pace_to_20_times_their_rate_and_no_further_than_256_kB_a_second()
    {
        var pace = new BackfillPace();
        for (var second = 0; second < 600; second++)
        {
            pace.LiveSent(5_000, TimeSpan.FromSeconds(second));
        }

        Assert.InRange(pace.BytesPerSecond, 95_000, 105_000);
        for (var second = 600; second < 1_200; second++)
        {
            pace.LiveSent(500_000, TimeSpan.FromSeconds(second));
        }

        Assert.Equal(256_000, pace.BytesPerSecond);
    }

    [Fact]
    public void A_rate_set_by_the_user_holds() => Assert.Equal(1_000_000, new BackfillPace(1_000_000).BytesPerSecond);

    [Fact]
    public void Over_a_minute_no_more_than_the_pace_passes()
    {
        var pace = new BackfillPace();
        var (now, sent) = (TimeSpan.Zero, 0L);
        while (now < TimeSpan.FromMinutes(1))
        {
            var wait = pace.Wait(now);
            if (wait > TimeSpan.Zero)
            {
                now += wait;
                continue;
            }

            pace.HistorySent(60_000, now);
            sent += 60_000;
        }

        // One message may run into debt, a quarter of a second may be saved up.
        Assert.InRange(sent, 60 * 64_000 - 60_000, 60 * 64_000 + 60_000 + 16_000);
    }

    [Fact]
    public void A_push_back_halves_the_pace_and_minutes_restore_it()
    {
        var pace = new BackfillPace();
        pace.PushedBack(TimeSpan.Zero);
        Assert.Equal(32_000, pace.BytesPerSecond);

        pace.Wait(TimeSpan.FromMinutes(1));
        Assert.InRange(pace.BytesPerSecond, 40_000, 50_000);
        pace.Wait(TimeSpan.FromMinutes(3));
        Assert.Equal(64_000, pace.BytesPerSecond);
    }

    [Fact]
    public void Push_backs_without_end_leave_a_trickle()
    {
        var pace = new BackfillPace();
        for (var i = 0; i < 100; i++)
        {
            pace.PushedBack(TimeSpan.Zero);
        }

        Assert.Equal(1_000, pace.BytesPerSecond);
    }

    [Fact]
    public void Without_a_pace_nothing_waits_and_what_the_link_takes_is_measured()
    {
        var pace = new BackfillPace(isOff: true);
        Assert.Equal(0, pace.BytesPerSecond);
        for (var i = 0; i < 600; i++)
        {
            var now = TimeSpan.FromSeconds(i / 10.0);
            Assert.Equal(TimeSpan.Zero, pace.Wait(now));
            pace.HistorySent(200_000, now);
            pace.PushedBack(now);
        }

        Assert.InRange(pace.BytesPerSecond, 1_900_000, 2_100_000);
    }
}
