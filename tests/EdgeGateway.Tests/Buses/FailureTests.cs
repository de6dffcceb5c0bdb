using EdgeGateway.Buses;
using EdgeGateway.Core;

namespace EdgeGateway.Tests.Buses;

/// <summary>What the poller makes of devices that do not answer, or refuse.</summary>
public sealed class FailureTests
{
    private static readonly BusReply Silence = new(QualityReason.Timeout);

    [Theory]
    [InlineData(QualityReason.Timeout, 0)]
    [InlineData(QualityReason.NotConnected, 0)]
    [InlineData(QualityReason.CorruptFrame, 0)]
    [InlineData(QualityReason.ShortReply, 0)]
    [InlineData(QualityReason.WrongReply, 0)]
    [InlineData(QualityReason.DeviceException, 0x0B)]
    public async Task A_failure_becomes_a_reading_for_every_point_of_the_request_and_of_the_rest_of_the_poll(QualityReason reason, byte detail)
    {
        await using var rig = new PollerRig(new BusSite().Device().Points(1, count: 2).Points(1, count: 2, at: 10).Points(1, count: 2, at: 20));
        rig.Bus.Script = (_, request) => request.Address == 10 ? new BusReply(reason, detail) : BusReply.Good;
        await rig.StartAsync();

        Assert.Equal([0, 10], rig.Bus.Requests.Select(r => (int)r.Address));
        Assert.Equal([0, 1, 2, 3, 4, 5], rig.Readings.Select(r => r.Point));
        Assert.All(rig.Readings.Take(2), r => Assert.True(r.Quality.IsGood));
        Assert.All(rig.Readings.Skip(2), r => PollerRig.IsMissing(reason, r, detail));
    }

    [Fact]
    public async Task A_refusal_concerns_the_one_request_and_the_device_stays_up()
    {
        await using var rig = new PollerRig(new BusSite().Device().Points(1).Points(1, at: 10).Points(1, at: 20));
        rig.Bus.Script = (_, request) => request.Address == 10 ? new BusReply(QualityReason.DeviceException, 2) : BusReply.Good;
        await rig.StartAsync();
        await rig.RunToAsync(5.5);

        // What was refused is asked alone and seldom from then on.
        Assert.Equal(13, rig.Bus.Requests.Count);
        Assert.Equal(6, rig.Of(1).Length);
        Assert.False(rig.Poller.Links[0].IsDown);
        Assert.Equal((13L, 1L, 0L), (rig.Poller.Links[0].Requests, rig.Poller.Links[0].Exceptions, rig.Poller.Links[0].Failed));
        Assert.All(rig.Of(1), r => PollerRig.IsMissing(QualityReason.DeviceException, r, 2));
        Assert.All(rig.Of(2), r => Assert.True(r.Quality.IsGood));
    }

    [Theory]
    [InlineData(0x0A, true)]
    [InlineData(0x0B, true)]
    [InlineData(0x01, false)]
    [InlineData(0x04, false)]
    [InlineData(0x06, false)]
    public async Task Only_the_exceptions_of_a_gateway_in_front_of_the_device_say_that_it_is_down(byte code, bool down)
    {
        await using var rig = new PollerRig(new BusSite().Device().Points(1));
        rig.Bus.Script = (_, _) => new BusReply(QualityReason.DeviceException, code);
        await rig.StartAsync();
        await rig.RunToAsync(3.5);
        Assert.Equal(down, rig.Poller.Links[0].IsDown);
        Assert.Equal(4, rig.Readings.Count);
        Assert.All(rig.Readings, r => PollerRig.IsMissing(QualityReason.DeviceException, r, code));
    }

    [Theory]
    [InlineData(1, 0.4)]
    [InlineData(5, 0.4)]
    [InlineData(15, 0.7)]
    public async Task Dead_devices_cost_at_most_a_tenth_of_the_bus_and_healthy_ones_miss_no_period(int dead, double timeout)
    {
        const double Begin = 30;
        const double End = 150;
        var site = new BusSite();
        for (var i = 0; i < 20 + dead; i++)
        {
            site.Device(timeout).Points(1);
        }

        await using var rig = new PollerRig(site);
        rig.Bus.Cost = _ => TimeSpan.FromMilliseconds(10);
        for (var i = 0; i < dead; i++)
        {
            rig.Bus.Dead.Add((byte)(i + 3));
        }

        await rig.StartAsync();
        await rig.RunToAsync(Begin);
        var missedBefore = rig.Poller.Links.Sum(l => l.MissedPeriods);
        await rig.RunToAsync(End);

        var lost = rig.Bus.Requests.Where(r => r.At >= TimeSpan.FromSeconds(Begin) && !r.Reply.IsGood).Sum(r => r.Cost.TotalSeconds);
        Assert.InRange(lost, timeout, ((End - Begin) / 10) + timeout);
        Assert.Equal(missedBefore, rig.Poller.Links.Sum(l => l.MissedPeriods));
        foreach (var link in rig.Poller.Links)
        {
            var readings = rig.Of(link.Device.Points[0]).Where(r => r.Monotonic >= Begin * 1000).ToArray();
            Assert.InRange(readings.Length, (int)(End - Begin) - 1, (int)(End - Begin) + 1);
            Assert.All(readings, r => Assert.Equal(!rig.Bus.Dead.Contains(link.Device.Unit), r.Quality.IsGood));
        }
    }

    [Fact]
    public async Task Every_dead_device_has_its_turn_and_is_noticed_when_it_is_back()
    {
        var site = new BusSite();
        for (var i = 0; i < 4; i++)
        {
            site.Device(0.3).Points(1);
        }

        await using var rig = new PollerRig(site);
        rig.Bus.Dead.UnionWith([1, 2, 3]);
        await rig.StartAsync();
        await rig.RunToAsync(60);
        Assert.Equal([true, true, true, false], rig.Poller.Links.Select(l => l.IsDown));

        rig.Bus.Dead.Remove(3);
        await rig.RunToAsync(60 + (3 * 3.3) + 1);
        Assert.Equal([true, true, false, false], rig.Poller.Links.Select(l => l.IsDown));
        rig.Bus.Dead.Clear();
        await rig.RunToAsync(90);
        Assert.All(rig.Poller.Links, l => Assert.False(l.IsDown));
        Assert.All(rig.Readings.TakeLast(4), r => Assert.True(r.Quality.IsGood));
    }

    [Fact]
    public async Task A_line_that_is_repaired_is_back_in_one_round()
    {
        var site = new BusSite();
        for (var i = 0; i < 30; i++)
        {
            site.Device(0.5).Points(10);
        }

        await using var rig = new PollerRig(site);
        for (var unit = 1; unit <= 30; unit++)
        {
            rig.Bus.Dead.Add((byte)unit);
        }

        await rig.StartAsync();
        await rig.RunToAsync(100);
        Assert.All(rig.Poller.Links, l => Assert.True(l.IsDown));
        rig.Bus.Dead.Clear();
        await rig.RunToAsync(106);
        Assert.All(rig.Poller.Links, l => Assert.False(l.IsDown));
    }

    [Fact]
    public async Task What_is_read_once_is_read_again_when_the_device_comes_back()
    {
        await using var rig = new PollerRig(new BusSite().Device(0.1).Points(BusSite.Once, at: 50).Points(1));
        await rig.StartAsync();
        await rig.RunToAsync(10);
        Assert.Single(rig.Of(0));
        Assert.Single(rig.Bus.Requests, r => r.Address == 50);

        rig.Bus.Dead.Add(1);
        await rig.RunToAsync(20);
        rig.Bus.Dead.Clear();
        await rig.RunToAsync(40);
        Assert.InRange(rig.Of(0).Count(r => r.Quality.IsGood), 2, 3);
        Assert.True(rig.Of(0)[^1].Monotonic < 24_000);
    }

    [Fact]
    public async Task What_is_read_once_is_tried_until_the_device_is_first_reached()
    {
        await using var rig = new PollerRig(new BusSite().Device(0.1).Points(BusSite.Once, at: 50));
        rig.Bus.Dead.Add(1);
        await rig.StartAsync();
        await rig.RunToAsync(30);
        Assert.All(rig.Readings, r => PollerRig.IsMissing(QualityReason.Timeout, r));
        rig.Bus.Dead.Clear();
        await rig.RunToAsync(33);
        Assert.True(rig.Readings[^1].Quality.IsGood);
    }

    [Fact]
    public async Task What_is_read_once_is_tried_again_when_the_device_was_busy_and_not_when_it_refused()
    {
        await using var rig = new PollerRig(new BusSite().Device().Points(BusSite.Once, at: 50).Device().Points(BusSite.Once, at: 50));
        rig.Bus.Script = (unit, _) => new BusReply(QualityReason.DeviceException, unit == 1 ? (byte)6 : (byte)2);
        await rig.StartAsync();
        await rig.RunToAsync(125);
        Assert.Equal(3, rig.Bus.TimesOf(1).Length);
        Assert.Single(rig.Bus.TimesOf(2));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(10)]
    [InlineData(20)]
    public async Task A_request_that_never_brings_an_answer_does_not_take_the_device_down_with_it(int silent)
    {
        await using var rig = new PollerRig(new BusSite().Device(0.2).Points(1).Points(1, at: 10).Points(1, at: 20));
        rig.Bus.Script = (_, request) => request.Address == silent ? Silence : BusReply.Good;
        await rig.StartAsync();
        await rig.RunToAsync(20.5);
        rig.Readings.Clear();
        var before = rig.Bus.Requests.Count;
        await rig.RunToAsync(80.5);

        var wasted = rig.Bus.Requests.Skip(before).Where(r => r.Address == silent).Sum(r => r.Cost.TotalSeconds);
        Assert.InRange(wasted, 0.2, 6);
        Assert.False(rig.Poller.Links[0].IsDown);
        for (var point = 0; point < 3; point++)
        {
            Assert.Equal(60, rig.Of(point).Length);
            Assert.All(rig.Of(point), r => Assert.Equal(point * 10 != silent, r.Quality.IsGood));
        }

        rig.Bus.Script = (_, _) => BusReply.Good;
        await rig.RunToAsync(92);
        Assert.All(rig.Readings.TakeLast(3), r => Assert.True(r.Quality.IsGood));
    }

    [Fact]
    public async Task A_device_that_leaves_one_request_unanswered_can_still_die()
    {
        await using var rig = new PollerRig(new BusSite().Device(0.2).Points(1).Points(1, at: 10));
        rig.Bus.Script = (_, request) => request.Address == 0 ? Silence : BusReply.Good;
        await rig.StartAsync();
        await rig.RunToAsync(10.5);
        rig.Bus.Dead.Add(1);
        await rig.RunToAsync(14.5);
        Assert.True(rig.Poller.Links[0].IsDown);
    }

    [Fact]
    public async Task A_fault_of_the_bus_itself_is_told_for_every_point_and_polling_can_start_again()
    {
        await using var rig = new PollerRig(new BusSite().Device().Points(1, count: 2).Points(2, at: 10).Device().Points(BusSite.Once));
        rig.Bus.Script = (_, _) => rig.Now >= TimeSpan.FromSeconds(1) ? throw new IOException("scripted") : BusReply.Good;
        await rig.StartAsync();
        Assert.Equal(4, rig.Readings.Count);
        await rig.RunToAsync(1);
        await Assert.ThrowsAsync<IOException>(() => rig.Running);
        rig.Drain();
        Assert.Equal([0, 1, 2, 3], rig.Readings.Skip(4).Select(r => r.Point));
        Assert.All(rig.Readings.Skip(4), r => PollerRig.IsMissing(QualityReason.BusStopped, r));

        rig.Bus.Script = (_, _) => BusReply.Good;
        rig.Time.Advance(TimeSpan.FromSeconds(1.5));
        rig.Readings.Clear();
        await rig.StartAsync();
        await rig.RunToAsync(6.5);
        Assert.Equal(Enumerable.Repeat(1, 5), new[] { 2.5, 3, 4, 5, 6 }.Select(at => rig.Of(0).Count(r => r.Monotonic == at * 1000)));
        Assert.Equal(5, rig.Of(0).Length);
        Assert.Equal(3, rig.Of(2).Length);
        Assert.Single(rig.Of(3));
    }

    [Fact]
    public async Task Stopping_ends_the_request_under_way_and_makes_no_reading_of_it()
    {
        await using var rig = new PollerRig(new BusSite().Device().Points(1, count: 3));
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        rig.Bus.Instead = async cancel =>
        {
            entered.SetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancel);
            return BusReply.Good;
        };
        rig.Start();
        await entered.Task;
        await rig.StopAsync();
        Assert.True(rig.Running.IsCompletedSuccessfully);
        rig.Drain();
        Assert.Empty(rig.Readings);
    }
}
