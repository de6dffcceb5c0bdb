using EdgeGateway.Buses;
using EdgeGateway.Core;

namespace EdgeGateway.Tests.Buses;

/// <summary>What devices that do not answer cost the others.</summary>
public sealed class OutageTests
{
    private static readonly BusReply Silence = new(QualityReason.Timeout);

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public async Task Five_dead_devices_among_fifty_cost_the_others_nothing(int depth)
    {
        const double Begin = 60;
        const double End = 180;
        var healthy = await RunAsync(depth, dead: 0);
        var withDead = await RunAsync(depth, dead: 5);

        Assert.All(withDead.Good, count => Assert.Equal((int)(End - Begin), count));
        Assert.Equal(0, withDead.Missed);
        Assert.InRange(withDead.Lost, 0.1, ((End - Begin) * depth / 10) + 0.5);

        // How long after its instant a value is there: the order is the same, and at most one probe is in between.
        Assert.InRange(withDead.MeanDelay, 0, healthy.MeanDelay + 0.02);

        async Task<(int[] Good, long Missed, double Lost, double MeanDelay)> RunAsync(int inFlight, int dead)
        {
            var site = new BusSite();
            for (var i = 0; i < 50; i++)
            {
                site.Device(0.5).Points(1);
            }

            await using var rig = new PollerRig(site);
            rig.Bus.MaxInFlight = inFlight;
            rig.Bus.Cost = unit => TimeSpan.FromMilliseconds(8 + (unit % 5));
            await rig.StartAsync();
            await rig.RunToAsync(20);
            for (var i = 0; i < dead; i++)
            {
                rig.Bus.Dead.Add((byte)((i * 10) + 3));
            }

            await rig.RunToAsync(Begin - 0.001);
            rig.Drain();
            rig.Readings.Clear();
            var missed = rig.Poller.Links.Sum(l => l.MissedPeriods);
            await rig.RunToAsync(End - 0.001);
            var alive = rig.Poller.Links.Where(l => !rig.Bus.Dead.Contains(l.Device.Unit)).SelectMany(l => l.Device.Points).ToHashSet();
            var good = rig.Readings.Where(r => alive.Contains(r.Point)).ToArray();
            Assert.All(good, r => Assert.True(r.Quality.IsGood));
            return (
                [.. alive.Select(p => good.Count(r => r.Point == p))],
                rig.Poller.Links.Sum(l => l.MissedPeriods) - missed,
                rig.Bus.Requests.Where(r => r.At >= TimeSpan.FromSeconds(Begin) && !r.Reply.IsGood).Sum(r => r.Cost.TotalSeconds),
                good.Average(r => r.Monotonic % 1000) / 1000);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    public async Task A_device_that_is_back_is_noticed_within_ten_time_limits_for_each_that_is_down(int dead)
    {
        var site = new BusSite();
        for (var i = 0; i < 20; i++)
        {
            site.Device(1).Points(1);
        }

        await using var rig = new PollerRig(site);
        rig.Bus.Cost = _ => TimeSpan.FromMilliseconds(10);
        await rig.StartAsync();
        await rig.RunToAsync(20);
        rig.Bus.Dead.UnionWith(Enumerable.Range(1, dead).Select(i => (byte)i));
        await rig.RunToAsync(100);
        Assert.True(rig.Poller.Links[0].IsDown);

        // The device answered in 10 ms before: most probes wait 300 ms, some longer, none more than its 1 s. And a second of patience.
        rig.Bus.Dead.Remove(1);
        await rig.RunToAsync(100 + (dead * (10 + 1)));
        Assert.False(rig.Poller.Links[0].IsDown);
        var probes = rig.Bus.Requests.Where(r => r.At > TimeSpan.FromSeconds(40) && r.Reply == Silence).Select(r => r.Cost.TotalSeconds).ToArray();
        Assert.InRange(probes.Average(), 0.3, 0.65);
        Assert.Contains(1.0, probes);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(8)]
    public async Task Devices_that_are_dead_from_the_start_cost_the_others_no_period(int depth)
    {
        var site = new BusSite();
        for (var i = 0; i < 50; i++)
        {
            site.Device(1).Points(1);
        }

        await using var rig = new PollerRig(site);
        rig.Bus.MaxInFlight = depth;
        rig.Bus.Cost = _ => TimeSpan.FromMilliseconds(8);
        rig.Bus.Dead.UnionWith([3, 13, 23, 33, 43]);
        await rig.StartAsync();
        await rig.RunToAsync(2);

        // The first try is short; then they are down, and asked in turn, first with all their time.
        Assert.Equal(5, rig.Poller.Links.Count(l => l.IsDown));
        await rig.RunToAsync(120);
        Assert.All(rig.Bus.Dead.Where(unit => unit > depth), unit =>
            Assert.Equal([0.3, 1, 0.6], rig.Bus.Requests.Where(r => r.Unit == unit).Take(3).Select(r => r.Cost.TotalSeconds)));

        var alive = rig.Poller.Links.Where(l => !rig.Bus.Dead.Contains(l.Device.Unit)).ToArray();
        Assert.Equal(0, alive.Sum(l => l.MissedPeriods));
        Assert.All(alive, l => Assert.InRange(rig.Of(l.Device.Points[0]).Count(r => r.Quality.IsGood), 119, 121));
    }

    [Fact]
    public async Task A_device_that_is_slower_than_the_others_is_found_at_the_start_all_the_same()
    {
        var site = new BusSite().Device(1).Points(1).Device(1).Points(1).Device(1).Points(1);
        await using var rig = new PollerRig(site);
        rig.Bus.GivesUp = true;
        rig.Bus.Cost = unit => TimeSpan.FromMilliseconds(unit == 3 ? 800 : 8);
        await rig.StartAsync();
        Assert.True(rig.Poller.Links[2].IsDown);

        await rig.RunToAsync(5);

        Assert.False(rig.Poller.Links[2].IsDown);
        Assert.Equal(1, rig.Poller.Links[2].Failed);
    }

    [Fact]
    public async Task Devices_that_are_all_slow_get_all_their_time_at_the_start()
    {
        var site = new BusSite().Device(2).Points(60).Device(2).Points(60).Device(2).Points(60);
        await using var rig = new PollerRig(site);
        rig.Bus.GivesUp = true;
        rig.Bus.Cost = unit => TimeSpan.FromMilliseconds(400 + (200 * unit));
        await rig.StartAsync();
        Assert.All(rig.Poller.Links, l => Assert.Equal((1L, 0L), (l.Requests, l.Failed)));
    }

    [Fact]
    public async Task The_time_that_a_request_waits_for_its_turn_is_not_the_latency_of_the_device()
    {
        await using var rig = new PollerRig(new BusSite().Device().Points(1));
        rig.Bus.Cost = _ => TimeSpan.FromMilliseconds(308);
        rig.Bus.Queued = TimeSpan.FromMilliseconds(300);
        await rig.StartAsync();
        await rig.RunToAsync(30);

        Assert.Equal(8, rig.Poller.Links[0].LastLatency);
        Assert.InRange(rig.Poller.Links[0].Latency.Longest.TotalMilliseconds, 7.9, 8.1);
        Assert.InRange(rig.Poller.Utilisation, 0.007, 0.009);
    }

    [Fact]
    public async Task Devices_that_fail_every_other_time_are_bounded_too()
    {
        var site = new BusSite();
        for (var i = 0; i < 20; i++)
        {
            site.Device(0.5).Points(1);
        }

        await using var rig = new PollerRig(site);
        rig.Bus.Cost = _ => TimeSpan.FromMilliseconds(10);
        var asked = new int[21];
        rig.Bus.Script = (unit, _) => unit <= 3 && rig.Now > TimeSpan.FromSeconds(20) && ++asked[unit] % 2 == 0 ? Silence : BusReply.Good;
        await rig.StartAsync();
        await rig.RunToAsync(120);
        var missed = rig.Poller.Links.Skip(3).Sum(l => l.MissedPeriods);
        await rig.RunToAsync(420);

        var lost = rig.Bus.Requests.Where(r => r.At >= TimeSpan.FromSeconds(120) && !r.Reply.IsGood).Sum(r => r.Cost.TotalSeconds);
        Assert.InRange(lost, 1, 30 + 1);
        Assert.Equal(missed, rig.Poller.Links.Skip(3).Sum(l => l.MissedPeriods));
        Assert.All(rig.Poller.Links, l => Assert.False(l.IsDown));

        // They are still read, as often as that allows, and every instant has its reading.
        for (var point = 0; point < 3; point++)
        {
            Assert.InRange(rig.Of(point).Count(r => r.Quality.IsGood && r.Monotonic > 120_000), 10, 290);
            Assert.InRange(rig.Of(point).Count(r => r.Monotonic > 120_000), 299, 301);
        }
    }

    [Fact]
    public async Task A_time_limit_follows_the_device_and_never_cuts_off_what_it_did_before()
    {
        var site = new BusSite().Device(2).Points(1).Device(2).Points(1);
        await using var rig = new PollerRig(site);
        rig.Bus.GivesUp = true;
        var random = new Random(7);
        rig.Bus.Cost = unit => TimeSpan.FromMilliseconds(unit == 1 ? 5 : 100 + random.Next(200));
        await rig.StartAsync();
        Assert.All(rig.Poller.Links, l => Assert.Equal(TimeSpan.FromSeconds(2), l.Limit));
        await rig.RunToAsync(300);
        Assert.Equal(TimeSpan.FromMilliseconds(300), rig.Poller.Links[0].Limit);
        Assert.InRange(rig.Poller.Links[1].Limit.TotalMilliseconds, 880, 1200);
        Assert.Equal(0, rig.Poller.Links.Sum(l => l.Failed));
        Assert.InRange(rig.Poller.Links[1].Latency.Quantile(0.5).TotalMilliseconds, 180, 240);

        // It becomes slower than its limit: a failure or two, then it is heard again.
        rig.Bus.Cost = unit => TimeSpan.FromMilliseconds(unit == 1 ? 450 : 10);
        await rig.RunToAsync(360);
        Assert.InRange(rig.Poller.Links[0].Failed, 1, 3);
        Assert.True(rig.Of(0)[^1].Quality.IsGood);
    }
}
