using EdgeGateway.Hosting;

namespace EdgeGateway.Tests.Buses;

/// <summary>When the poller of a bus asks what.</summary>
public sealed class PollingTests
{
    [Fact]
    public async Task Polls_at_once_at_the_start_and_then_on_the_clock()
    {
        await using var rig = new PollerRig(new BusSite().Device().Points(1, count: 3), startSecond: 0.3);
        await rig.StartAsync();
        await rig.RunToAsync(3);

        Assert.Equal(Seconds(0, 0.7, 1.7, 2.7), rig.Bus.TimesOf(1));
        Assert.Equal(12, rig.Readings.Count);
        Assert.All(rig.Readings, r => Assert.True(r.Quality.IsGood));
        Assert.Equal([0.0, 1, 2, 0, 1, 2], rig.Readings.Take(6).Select(r => r.Value));
        Assert.Equal([0UL, 1, 2], rig.Readings.Take(3).Select(r => r.Raw));
        Assert.Equal([0L, 700, 1700, 2700], rig.Of(1).Select(r => r.Monotonic));
    }

    [Fact]
    public async Task Each_period_is_aligned_by_itself()
    {
        await using var rig = new PollerRig(new BusSite().Device().Points(1).Points(5, at: 10), startSecond: 58);
        await rig.StartAsync();
        await rig.RunToAsync(8);
        Assert.Equal(Seconds(0, 2, 7), rig.Bus.Requests.Where(r => r.Address == 10).Select(r => r.At));
        Assert.Equal(9, rig.Bus.Requests.Count(r => r.Address == 0));
    }

    [Fact]
    public async Task A_reading_carries_the_time_of_its_reply()
    {
        await using var rig = new PollerRig(new BusSite().Device().Points(1));
        rig.Bus.Cost = _ => TimeSpan.FromMilliseconds(40);
        await rig.StartAsync();
        await rig.RunToAsync(1.5);
        Assert.Equal([40L, 1040], rig.Readings.Select(r => r.Monotonic));
    }

    [Fact]
    public async Task The_earliest_deadline_goes_first()
    {
        // The third device keeps the bus for 2.5 s every 4 s. Meanwhile the deadlines of the second (9 s) and then of the first (10 s) pass.
        await using var rig = new PollerRig(new BusSite().Device().Points(2).Device().Points(3).Device().Points(4));
        rig.Bus.Cost = unit => unit == 3 ? TimeSpan.FromSeconds(2.5) : TimeSpan.FromMilliseconds(1);
        await rig.StartAsync();
        await rig.RunToAsync(11);
        var from8 = rig.Bus.Requests.Where(r => r.At >= TimeSpan.FromSeconds(8)).Select(r => (int)r.Unit);
        Assert.Equal([1, 3, 2, 1], from8);
    }

    [Fact]
    public async Task Periods_that_could_not_be_kept_are_counted_and_not_made_up_for()
    {
        await using var rig = new PollerRig(new BusSite().Device().Points(1));
        rig.Bus.Cost = _ => TimeSpan.FromSeconds(2.5);
        await rig.StartAsync();
        await rig.RunToAsync(10);

        // Asked at 0, 3, 6 and 9; the polls of 4, 5, 7, 8, 10 and 11 were missed. What was missed beside the first one, which
        // was not on the clock, is not counted.
        Assert.Equal(Seconds(0, 3, 6, 9), rig.Bus.TimesOf(1));
        Assert.Equal(6, rig.Poller.Links[0].MissedPeriods);
    }

    [Fact]
    public async Task A_device_gets_the_quiet_time_that_it_asks_for()
    {
        await using var rig = new PollerRig(new BusSite().Device(minGapSeconds: 0.05).Points(1).Points(1, at: 10).Points(1, at: 20).Device().Points(1));
        rig.Bus.Cost = _ => TimeSpan.FromMilliseconds(7);
        await rig.StartAsync();
        await rig.RunToAsync(5.5);
        var slow = rig.Bus.TimesOf(1);
        Assert.Equal(Seconds(0, 0.057, 0.114, 1.007, 1.064, 1.121), slow.Take(6));
        Assert.Equal(18, slow.Length);

        // Meanwhile the bus is free for others.
        Assert.Equal(Seconds(0.007, 1), rig.Bus.TimesOf(2).Take(2));
    }

    [Theory]
    [InlineData(3600.0)]
    [InlineData(-3600.0)]
    [InlineData(0.3)]
    [InlineData(-0.3)]
    [InlineData(-0.001)]
    public async Task A_step_of_the_wall_clock_neither_stalls_polling_nor_makes_a_burst(double step)
    {
        await using var rig = new PollerRig(new BusSite().Device().Points(1));
        await rig.StartAsync();
        await rig.RunToAsync(5.5);
        rig.Time.SetUtcNow(rig.Time.GetUtcNow().AddSeconds(step));
        Assert.Equal(TimeSpan.FromSeconds(step), rig.Clock.Renew());
        await rig.RunToAsync(15.5);

        var times = rig.Bus.TimesOf(1);
        Assert.All(times.Zip(times.Skip(1)), pair => Assert.InRange(pair.Second - pair.First, TimeSpan.FromSeconds(0.5), TimeSpan.FromSeconds(1.5)));
        Assert.Equal(0, rig.Poller.Links[0].MissedPeriods);
        Assert.Equal(0, (rig.Clock.At(0).UnixMilliseconds + (long)times[^1].TotalMilliseconds) % 1000);
    }

    [Fact]
    public async Task A_full_queue_makes_the_poller_wait_and_nothing_is_lost()
    {
        await using var rig = new PollerRig(new BusSite().Device().Points(1, count: 100));
        var filler = new Reading(-1, 0, 0, 0, default);
        for (var i = 0; i < ReadingQueue.Capacity - 30; i++)
        {
            Assert.True(rig.Queue.WriteAsync(filler, default).AsTask().IsCompletedSuccessfully);
        }

        rig.Start();
        await PollerWaitsForRoomAsync(rig);

        // It looks once a second whether readings may be dropped instead, and waits on, over the end of the period.
        rig.Time.Advance(TimeSpan.FromSeconds(1.5));
        await PollerWaitsForRoomAsync(rig);
        Assert.Single(rig.Bus.Requests);

        rig.Drain();
        await rig.RestAsync();
        await rig.RunToAsync(3.2);
        Assert.Equal(Enumerable.Range(0, 100), rig.Readings.Where(r => r.Point >= 0).Take(100).Select(r => r.Point));
        Assert.Equal(rig.Bus.Requests.Count * 100, rig.Readings.Count(r => r.Point >= 0));
    }

    // The queue is full before the poller notices; only then is there a timer that the clock can fire, and no other, because the poller's own alarm is not set.
    private static Task PollerWaitsForRoomAsync(PollerRig rig) =>
        rig.UntilAsync(() => rig.Queue.Count == ReadingQueue.Capacity && rig.Time.ActiveTimers == 1 && !rig.Poller.IsAtRest);

    private static TimeSpan[] Seconds(params double[] seconds) => [.. seconds.Select(s => TimeSpan.FromMilliseconds((long)Math.Round(s * 1000)))];
}
