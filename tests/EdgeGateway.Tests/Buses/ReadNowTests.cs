using EdgeGateway.Buses;
using EdgeGateway.Core;
using EdgeGateway.Core.Polling;
using EdgeGateway.Core.Profiles;

namespace EdgeGateway.Tests.Buses;

/// <summary>Reading a device at once, through the owner of its bus.</summary>
public sealed class ReadNowTests
{
    [Fact]
    public async Task A_device_is_read_between_two_polls_and_the_polls_go_on_as_planned()
    {
        await using var rig = new PollerRig(new BusSite().Device().Points(1, count: 2).Device().Points(10).Points(60, at: 5));
        await rig.StartAsync();
        await rig.RunToAsync(2.5);
        var queued = rig.Readings.Count;
        var readings = await rig.Poller.ReadNowAsync(rig.Site.Devices[1], default);
        Assert.Equal([(2, 0.0, 2500L), (3, 5.0, 2500L)], readings.Select(r => (r.Point, r.Value, r.Monotonic)));
        await rig.RestAsync();
        Assert.Equal(queued, rig.Readings.Count);

        await rig.RunToAsync(4.5);
        Assert.Equal([0L, 1000, 2000, 3000, 4000], rig.Of(0).Select(r => r.Monotonic));
    }

    [Fact]
    public async Task Many_questions_do_not_hold_up_the_polls()
    {
        await using var rig = new PollerRig(new BusSite().Device().Points(1).Device().Points(3600));
        await rig.StartAsync();
        rig.Bus.Cost = _ => TimeSpan.FromMilliseconds(100);
        var asked = Enumerable.Range(0, 50).Select(_ => rig.Poller.ReadNowAsync(rig.Site.Devices[1], default)).ToArray();
        await Task.WhenAll(asked);
        await rig.RestAsync();
        Assert.InRange(rig.Of(0).Length, 5, 7);
        Assert.Equal(0, rig.Poller.Links[0].MissedPeriods);
    }

    [Fact]
    public async Task It_keeps_the_quiet_time_of_the_device()
    {
        await using var rig = new PollerRig(new BusSite().Device(minGapSeconds: 0.05).Points(1).Points(1, at: 10));
        await rig.StartAsync();
        await rig.RunToAsync(1.051);
        var reading = rig.Poller.ReadNowAsync(rig.Site.Devices[0], default);
        await rig.Time.AdvanceUntilAsync(reading, TimeSpan.FromMilliseconds(1));
        var times = rig.Bus.TimesOf(1);
        Assert.Equal(6, times.Length);
        Assert.All(times.Zip(times.Skip(1)), pair => Assert.True(pair.Second - pair.First >= TimeSpan.FromSeconds(0.05)));
    }

    [Fact]
    public async Task A_device_that_is_away_costs_two_requests_and_every_point_says_why()
    {
        var site = new BusSite().Device(0.5);
        for (var at = 0; at < 100; at += 10)
        {
            site.Points(60, at: at);
        }

        await using var rig = new PollerRig(site);
        await rig.StartAsync();
        rig.Bus.Dead.Add(1);
        var before = rig.Bus.Requests.Count;
        var readings = await rig.Poller.ReadNowAsync(rig.Site.Devices[0], default);
        Assert.Equal(2, rig.Bus.Requests.Count - before);
        Assert.Equal(10, readings.Count);
        Assert.All(readings, r => PollerRig.IsMissing(QualityReason.Timeout, r));
    }

    [Fact]
    public async Task A_device_that_was_down_and_answers_is_back()
    {
        await using var rig = new PollerRig(new BusSite().Device(5).Points(1));
        rig.Bus.Dead.Add(1);
        await rig.StartAsync();
        await rig.RunToAsync(20);
        Assert.True(rig.Poller.Links[0].IsDown);
        rig.Bus.Dead.Clear();
        Assert.True((await rig.Poller.ReadNowAsync(rig.Site.Devices[0], default))[0].Quality.IsGood);
        await rig.RunToAsync(22);
        Assert.False(rig.Poller.Links[0].IsDown);
        Assert.True(rig.Readings[^1].Quality.IsGood);
    }

    [Fact]
    public async Task What_may_take_long_waits_for_a_moment_in_which_it_delays_no_poll()
    {
        await using var rig = new PollerRig(new BusSite().Device().Points(1));
        await rig.StartAsync();
        rig.Bus.Cost = unit => TimeSpan.FromMilliseconds(unit == 9 ? 600 : 50);
        await rig.RunToAsync(2.5);
        await rig.RunUntilAsync(AskAsync(rig, 600));
        await rig.RunToAsync(4.5);
        Assert.InRange(Assert.Single(rig.Bus.TimesOf(9)).TotalSeconds, 3.05, 3.06);
        Assert.Equal([0, 1, 2, 3, 4], rig.Bus.TimesOf(1).Select(t => t.TotalSeconds));
    }

    [Fact]
    public async Task It_waits_for_a_second_at_most_and_not_while_another_errand_waits_behind_it()
    {
        await using var rig = new PollerRig(new BusSite().Device().Points(1));
        await rig.StartAsync();
        rig.Bus.Cost = unit => TimeSpan.FromMilliseconds(unit == 9 ? 1500 : 50);
        await rig.RunToAsync(2.5);
        await rig.RunUntilAsync(AskAsync(rig, 1500));
        Assert.InRange(Assert.Single(rig.Bus.TimesOf(9)).TotalSeconds, 3.5, 3.51);

        await rig.RunToAsync(8.5);
        var (first, second) = (AskAsync(rig, 1500), AskAsync(rig, 0));
        await rig.RunUntilAsync(Task.WhenAll(first, second));
        Assert.InRange(rig.Bus.TimesOf(9)[1].TotalSeconds, 8.5, 8.51);
    }

    private static Task<BusReply> AskAsync(PollerRig rig, double longest)
    {
        var registers = new ushort[1];
        return rig.Poller.UseBusAsync(
            (bus, stop) => bus.ReadAsync(9, new ReadRequest(RegisterTable.HoldingRegister, 0, 1), registers, TimeSpan.FromSeconds(2), stop), TimeSpan.FromMilliseconds(longest), default);
    }

    [Fact]
    public async Task A_device_of_another_bus_is_refused()
    {
        await using var rig = new PollerRig(new BusSite().Device().Points(1).Device(bus: "other"));
        await Assert.ThrowsAsync<ArgumentException>(() => rig.Poller.ReadNowAsync(rig.Site.Devices[1], default));
    }

    [Fact]
    public async Task Nobody_waits_for_a_poller_that_has_ended()
    {
        await using var rig = new PollerRig(new BusSite().Device().Points(1));
        var early = rig.Poller.ReadNowAsync(rig.Site.Devices[0], default);
        rig.Bus.Instead = async cancel =>
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancel);
            return BusReply.Good;
        };
        rig.Start();
        await rig.UntilAsync(() => rig.Bus.Requests.Count > 0);
        var queued = rig.Poller.ReadNowAsync(rig.Site.Devices[0], default);
        await rig.StopAsync();
        var late = rig.Poller.ReadNowAsync(rig.Site.Devices[0], default);
        foreach (var asked in (Task[])[early, queued, late])
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asked);
        }
    }

    [Fact]
    public async Task A_caller_who_gives_up_is_not_waited_for()
    {
        await using var rig = new PollerRig(new BusSite().Device().Points(1));
        using var cancel = new CancellationTokenSource();
        var asked = rig.Poller.ReadNowAsync(rig.Site.Devices[0], cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asked);
        await rig.StartAsync();
        Assert.Single(rig.Bus.Requests);
    }

    [Fact]
    public async Task A_fault_of_the_bus_reaches_the_caller_and_the_next_poll_but_does_not_end_polling_by_itself()
    {
        await using var rig = new PollerRig(new BusSite().Device().Points(1));
        await rig.StartAsync();
        rig.Bus.Script = (_, _) => throw new IOException("scripted");
        await Assert.ThrowsAsync<IOException>(() => rig.Poller.ReadNowAsync(rig.Site.Devices[0], default));
        await rig.RestAsync();
        Assert.False(rig.Running.IsCompleted);
        await rig.RunToAsync(1.5);
        await Assert.ThrowsAsync<IOException>(() => rig.Running);
    }
}
