using EdgeGateway.Buses;
using EdgeGateway.Core;

namespace EdgeGateway.Tests.Buses;

/// <summary>In which order requests go out, and how many at once.</summary>
public sealed class SchedulingTests
{
    private static readonly BusReply Silence = new(QualityReason.Timeout);

    [Fact]
    public async Task A_quick_point_waits_for_one_request_of_a_long_poll_and_not_for_all_of_them()
    {
        var site = new BusSite().Device().Points(1).Device();
        for (var at = 0; at < 400; at += 10)
        {
            site.Points(60, at: at);
        }

        await using var rig = new PollerRig(site, startSecond: 30);
        rig.Bus.Cost = _ => TimeSpan.FromMilliseconds(100);
        await rig.StartAsync();
        await rig.RunToAsync(45);
        var waits = rig.Bus.TimesOf(1).Select(at => at.TotalSeconds - Math.Floor(at.TotalSeconds)).ToArray();
        Assert.True(rig.Bus.TimesOf(2).Length >= 80);
        Assert.All(waits, wait => Assert.InRange(wait, 0, 0.1));
        Assert.Equal(0, rig.Poller.Links[0].MissedPeriods);
        Assert.True(rig.Of(1)[^1].Monotonic < rig.Of(40)[^1].Monotonic, "each value carries the time of its own reply");
    }

    [Fact]
    public async Task A_device_that_asks_for_more_than_the_bus_can_give_is_late_alone()
    {
        // 50 requests of 20 ms, ten times a second; the others need 35 requests of 20 ms a second: 70 %.
        var site = new BusSite().Device();
        for (var at = 0; at < 500; at += 10)
        {
            site.Points(0.1, at: at);
        }

        for (var i = 0; i < 35; i++)
        {
            site.Device().Points(1);
        }

        // Two at once, each taking twice as long, so that the test and not the bus moves the clock.
        await using var rig = new PollerRig(site);
        rig.Bus.MaxInFlight = 2;
        rig.Bus.Cost = _ => TimeSpan.FromMilliseconds(40);
        await rig.StartAsync();
        await rig.RunToAsync(5);
        var before = rig.Poller.Links.Select(l => l.MissedPeriods).ToArray();
        await rig.RunToAsync(35);
        Assert.All(rig.Poller.Links.Zip(before).Skip(1), pair => Assert.Equal(pair.Second, pair.First.MissedPeriods));
        Assert.InRange(rig.Bus.Requests.Count(r => r.Unit == 1 && r.At > TimeSpan.FromSeconds(5)), 400, 500);
    }

    [Fact]
    public async Task On_a_bus_that_is_asked_too_much_every_device_has_its_turn()
    {
        var site = new BusSite();
        for (var i = 0; i < 30; i++)
        {
            site.Device().Points(i < 29 ? 1 : 10);
        }

        await using var rig = new PollerRig(site);
        rig.Bus.MaxInFlight = 2;
        rig.Bus.Cost = _ => TimeSpan.FromMilliseconds(200);
        await rig.StartAsync();
        await rig.RunToAsync(120);
        for (byte unit = 1; unit < 30; unit++)
        {
            Assert.InRange(rig.Bus.TimesOf(unit).Length, 35, 45);
        }

        Assert.InRange(rig.Bus.TimesOf(30).Length, 11, 13);
    }

    [Fact]
    public async Task Devices_with_equal_deadlines_take_turns_request_by_request()
    {
        var site = new BusSite();
        for (var i = 0; i < 3; i++)
        {
            site.Device().Points(1).Points(1, at: 10);
        }

        await using var rig = new PollerRig(site);
        rig.Bus.Cost = _ => TimeSpan.FromMilliseconds(10);
        await rig.StartAsync();
        Assert.Equal([1, 2, 3, 1, 2, 3], rig.Bus.Requests.Select(r => (int)r.Unit));
    }

    [Fact]
    public async Task Points_of_several_periods_that_are_due_together_come_in_one_request()
    {
        await using var rig = new PollerRig(new BusSite().Device().Points(1).Points(5, at: 1).Points(60, at: 2), startSecond: 50);
        await rig.StartAsync();
        await rig.RunToAsync(10.5);
        Assert.Equal(
            [(0, 3), (1, 1), (2, 1), (3, 1), (4, 1), (5, 2), (6, 1), (7, 1), (8, 1), (9, 1), (10, 3)],
            rig.Bus.Requests.Select(r => ((int)r.At.TotalSeconds, (int)r.Quantity)));
        Assert.Equal([11, 3, 2], Enumerable.Range(0, 3).Select(point => rig.Of(point).Length));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(8)]
    public async Task As_many_reads_are_under_way_as_the_bus_takes(int depth)
    {
        var site = new BusSite().Device();
        for (var at = 0; at < 1000; at += 10)
        {
            site.Points(1, at: at);
        }

        await using var rig = new PollerRig(site);
        rig.Bus.MaxInFlight = depth;
        rig.Bus.Cost = _ => TimeSpan.FromMilliseconds(5);
        await rig.StartAsync();
        await rig.RunToAsync(10.9);
        Assert.Equal(depth, rig.Bus.MostUnderWay);
        for (var point = 0; point < 100; point++)
        {
            var readings = rig.Of(point);
            Assert.InRange(readings.Length, 10, 11);
            Assert.All(readings, r => Assert.Equal((point * 10, true), ((int)r.Value, r.Quality.IsGood)));
            Assert.True(readings.Zip(readings.Skip(1)).All(pair => pair.First.Monotonic < pair.Second.Monotonic));
        }
    }

    [Fact]
    public async Task A_point_is_never_asked_again_before_its_last_read_has_ended()
    {
        await using var rig = new PollerRig(new BusSite().Device(5).Points(0.1).Points(0.1, at: 10).Device(5).Points(0.1));
        rig.Bus.MaxInFlight = 8;
        rig.Bus.Cost = _ => TimeSpan.FromMilliseconds(350);
        await rig.StartAsync();
        await rig.RunToAsync(20);
        foreach (var asked in rig.Bus.Requests.GroupBy(r => (r.Unit, r.Address)))
        {
            Assert.True(asked.Count() > 30);
            Assert.All(asked.Zip(asked.Skip(1)), pair => Assert.True(pair.Second.At - pair.First.At >= pair.First.Cost));
        }
    }

    [Fact]
    public async Task A_bus_that_takes_fewer_than_before_gets_fewer()
    {
        var site = new BusSite().Device();
        for (var at = 0; at < 200; at += 10)
        {
            site.Points(1, at: at);
        }

        await using var rig = new PollerRig(site);
        rig.Bus.MaxInFlight = 8;
        rig.Bus.Cost = _ => TimeSpan.FromMilliseconds(20);
        await rig.StartAsync();
        await rig.RunToAsync(2.035);
        rig.Bus.MaxInFlight = 1;
        await rig.RunToAsync(2.9);

        // The scripted bus itself fails when there are more than it takes.
        await rig.RunToAsync(8.5);
        Assert.False(rig.Running.IsCompleted);
        Assert.All(rig.Readings, r => Assert.True(r.Quality.IsGood));
        Assert.InRange(rig.Of(0).Length, 8, 9);
    }

    [Fact]
    public async Task A_bus_falls_back_to_one_at_a_time_while_the_longer_of_two_reads_is_under_way()
    {
        await using var rig = new PollerRig(new BusSite().Device().Points(1).Device().Points(1));
        rig.Bus.MaxInFlight = 2;
        rig.Bus.Cost = unit => TimeSpan.FromMilliseconds(unit == 1 ? 20 : 60);
        await rig.StartAsync();
        await rig.RunToAsync(2.010);
        Assert.Equal(2, rig.Bus.UnderWay);
        rig.Bus.MaxInFlight = 1;
        await rig.RunToAsync(2.100);
        rig.Bus.MaxInFlight = 2;
        await rig.RunToAsync(5.5);
        Assert.False(rig.Running.IsCompleted);
        Assert.Equal(6, rig.Of(0).Length);
        Assert.Equal(6, rig.Of(1).Length);
    }

    [Fact]
    public async Task A_device_that_is_slow_holds_up_nobody_who_shares_its_connection()
    {
        await using var rig = new PollerRig(new BusSite().Device(3).Points(5).Device().Points(1));
        rig.Bus.MaxInFlight = 2;
        rig.Bus.Cost = unit => TimeSpan.FromMilliseconds(unit == 1 ? 2500 : 5);
        await rig.StartAsync();
        await rig.RunToAsync(30.5);
        Assert.Equal(Enumerable.Range(0, 31).Select(s => (double)s), rig.Bus.TimesOf(2).Select(at => at.TotalSeconds));
    }

    [Fact]
    public async Task A_question_waits_until_nothing_is_under_way_and_polling_goes_on_after_it()
    {
        var site = new BusSite().Device();
        for (var at = 0; at < 200; at += 10)
        {
            site.Points(1, at: at);
        }

        await using var rig = new PollerRig(site);
        rig.Bus.MaxInFlight = 4;
        rig.Bus.Cost = _ => TimeSpan.FromMilliseconds(10);
        await rig.StartAsync();
        await rig.RunToAsync(2.015);
        Assert.Equal(20, (await rig.RunUntilAsync(rig.Poller.ReadNowAsync(rig.Site.Devices[0], default))).Count);
        await rig.RunToAsync(6.5);
        Assert.Equal(7, rig.Of(0).Length);
        Assert.Equal(7, rig.Of(19).Length);
    }

    [Fact]
    public async Task Only_one_request_goes_to_a_device_that_did_not_answer_the_last_one()
    {
        var site = new BusSite().Device(0.4);
        for (var at = 0; at < 100; at += 10)
        {
            site.Points(10, at: at);
        }

        await using var rig = new PollerRig(site.Device().Points(1));
        rig.Bus.MaxInFlight = 8;
        rig.Bus.Cost = _ => TimeSpan.FromMilliseconds(5);
        rig.Bus.Script = (unit, _) => unit == 1 ? Silence : BusReply.Good;
        await rig.StartAsync();
        await rig.RunToAsync(30.5);
        var times = rig.Bus.TimesOf(1);
        Assert.All(times.Zip(times.Skip(1)), pair => Assert.True(pair.Second - pair.First >= TimeSpan.FromSeconds(0.4)));
        Assert.Equal(Enumerable.Range(0, 31).Select(i => i * 1000L + 5), rig.Of(10).Select(r => r.Monotonic));
    }

    [Fact]
    public async Task A_fault_of_the_bus_ends_every_read_under_way()
    {
        var site = new BusSite().Device();
        for (var at = 0; at < 100; at += 10)
        {
            site.Points(1, at: at);
        }

        await using var rig = new PollerRig(site);
        rig.Bus.MaxInFlight = 4;
        rig.Bus.Cost = _ => TimeSpan.FromMilliseconds(10);
        rig.Bus.Script = (_, request) => rig.Now > TimeSpan.FromSeconds(1) && request.Address == 50 ? throw new IOException("scripted") : BusReply.Good;
        await rig.StartAsync();
        await rig.RunToAsync(1.5);
        await Assert.ThrowsAsync<IOException>(() => rig.Running);
        rig.Drain();
        Assert.All(rig.Readings.TakeLast(10), r => PollerRig.IsMissing(QualityReason.BusStopped, r));
    }
}
