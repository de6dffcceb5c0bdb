using EdgeGateway.Buses;
using EdgeGateway.Core;

namespace EdgeGateway.Tests.Buses;

/// <summary>What the poller makes of devices that refuse a part of what their profile says.</summary>
public sealed class LearningTests
{
    [Fact]
    public async Task A_block_that_is_refused_is_asked_in_parts_at_once_and_only_the_culprit_is_missing()
    {
        await using var rig = new PollerRig(new BusSite().Device().Points(1, count: 40));
        rig.Bus.Script = (_, request) => request.Address <= 17 && 17 < request.Address + request.Quantity
            ? new BusReply(QualityReason.DeviceException, 2)
            : BusReply.Good;
        await rig.StartAsync();
        Assert.Equal(40, rig.Readings.Count);
        Assert.All(rig.Readings.Where(r => r.Point != 17), r => Assert.Equal(r.Point, r.Value));
        PollerRig.IsMissing(QualityReason.DeviceException, Assert.Single(rig.Of(17)), 2);

        // From then on two requests bring the rest, and what was refused says so.
        await rig.RunToAsync(1.5);
        var before = rig.Bus.Requests.Count;
        await rig.RunToAsync(9.5);
        Assert.Equal(16, rig.Bus.Requests.Count - before);
        Assert.Equal(10, rig.Of(17).Length);
        Assert.All(rig.Of(17), r => PollerRig.IsMissing(QualityReason.DeviceException, r, 2));
        await rig.RunToAsync(12.5);
        Assert.Contains("17", Assert.Single(rig.Poller.Links[0].Learned), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_device_that_answers_few_registers_at_once_is_asked_for_few()
    {
        await using var rig = new PollerRig(new BusSite().Device().Points(1, count: 120));
        rig.Bus.Script = (_, request) => request.Quantity > 50 ? new BusReply(QualityReason.DeviceException, 3) : BusReply.Good;
        await rig.StartAsync();
        await rig.RunToAsync(20.5);
        Assert.Equal(21 * 120, rig.Readings.Count);
        Assert.All(rig.Readings, r => Assert.Equal((r.Point, true), ((int)r.Value, r.Quality.IsGood)));
        Assert.Equal(3, rig.Bus.Requests.Count(r => r.At >= TimeSpan.FromSeconds(20)));
        Assert.NotEmpty(rig.Poller.Links[0].Learned);
    }

    [Fact]
    public async Task What_a_device_refused_before_it_was_absent_is_read_when_it_is_back()
    {
        // Half of its points are refused for a quarter of an hour, and dropped. Then it is away, and another model comes back.
        await using var rig = new PollerRig(new BusSite().Device().Points(10, count: 20));
        rig.Bus.Script = (_, request) => rig.Now < TimeSpan.FromMinutes(16)
            ? request.Address + request.Quantity > 10 ? new BusReply(QualityReason.DeviceException, 2) : BusReply.Good
            : rig.Now < TimeSpan.FromMinutes(17) ? new BusReply(QualityReason.Timeout) : BusReply.Good;
        await rig.StartAsync();
        await rig.RunToAsync((17 * 60) - 1);
        Assert.True(rig.Poller.Links[0].IsDown);
        Assert.Equal(10, rig.Poller.Links[0].Plans.Planner.Map.SpansDropped);
        await rig.RunToAsync((17 * 60) + 30);
        Assert.False(rig.Poller.Links[0].IsDown);
        rig.Readings.Clear();
        var back = rig.Now.TotalSeconds;
        await rig.RunToAsync(back + 10.5);
        Assert.All(Enumerable.Range(0, 20), point => Assert.Contains(rig.Of(point), r => r.Quality.IsGood));

        // Far longer than it takes to learn that: one request brings all.
        await rig.RunToAsync(back + 30.5);
        Assert.Equal(20, rig.Bus.Requests[^1].Quantity);
    }

    [Fact]
    public async Task What_a_device_refused_while_it_started_is_read_again_when_it_answers()
    {
        await using var rig = new PollerRig(new BusSite().Device().Points(1, count: 40));
        rig.Bus.Script = (_, request) => rig.Now < TimeSpan.FromSeconds(30) && request.Address + request.Quantity > 20
            ? new BusReply(QualityReason.DeviceException, 2)
            : BusReply.Good;
        await rig.StartAsync();
        await rig.RunToAsync(29.5);
        Assert.Contains(rig.Readings.TakeLast(40), r => !r.Quality.IsGood);
        await rig.RunToAsync(400.5);
        rig.Readings.Clear();
        await rig.RunToAsync(402.5);
        Assert.Equal(80, rig.Readings.Count);
        Assert.All(rig.Readings, r => Assert.Equal((r.Point, true), ((int)r.Value, r.Quality.IsGood)));
        Assert.Single(rig.Bus.Requests, r => r.At > TimeSpan.FromSeconds(401.5));
    }

    [Fact]
    public async Task A_device_that_refuses_everything_costs_little_and_loses_nothing_when_it_recovers()
    {
        await using var rig = new PollerRig(new BusSite().Device().Points(1, count: 30).Device().Points(1));
        rig.Bus.Script = (unit, _) => unit == 1 && rig.Now < TimeSpan.FromSeconds(60) ? new BusReply(QualityReason.DeviceException, 2) : BusReply.Good;
        await rig.StartAsync();
        await rig.RunToAsync(59.5);
        Assert.Equal(60 * 30, rig.Readings.Count(r => r.Point < 30));
        Assert.InRange(rig.Bus.TimesOf(1).Length, 59, 300);
        Assert.Equal(0, rig.Poller.Links[1].MissedPeriods);
        await rig.RunToAsync(420.5);
        Assert.All(rig.Readings.TakeLast(31), r => Assert.True(r.Quality.IsGood));
    }
}
