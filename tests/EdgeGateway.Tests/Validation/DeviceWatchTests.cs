using EdgeGateway.Core;
using EdgeGateway.Tests.LocalPath;

namespace EdgeGateway.Tests.Validation;

public class DeviceWatchTests
{
    private static Rig TwoPoints() => new TestSite().Device("d").Gauge("fast").Gauge("slow", period: 10).Start().Advance("2026-03-01T08:00:00Z");

    [Fact]
    public void The_first_answer_brings_a_device_online_once()
    {
        var rig = TwoPoints().Value(0, "2026-03-01T08:00:01Z", 1).Value(1, "2026-03-01T08:00:01Z", 1).Value(0, "2026-03-01T08:00:02Z", 1);
        Assert.True(Assert.Single(rig.States).Online);
    }

    [Fact]
    public void The_second_failed_poll_takes_it_offline_with_the_first_reason()
    {
        var rig = TwoPoints().Value(0, "2026-03-01T08:00:01Z", 1).Missing(0, "2026-03-01T08:00:02Z", QualityReason.CorruptFrame);
        Assert.Single(rig.States);
        rig.Missing(0, "2026-03-01T08:00:03Z").Missing(0, "2026-03-01T08:00:04Z");
        Assert.Equal((false, QualityReason.CorruptFrame, Rig.At("2026-03-01T08:00:03Z")), (rig.States[1].Online, rig.States[1].Reason, rig.States[1].Time));
        Assert.Equal(2, rig.States.Count);
        Assert.True(rig.Value(0, "2026-03-01T08:00:05Z", 1).States[2].Online);
    }

    [Fact]
    public void One_answer_in_between_keeps_it_online()
    {
        var rig = TwoPoints().Value(0, "2026-03-01T08:00:01Z", 1).Missing(0, "2026-03-01T08:00:02Z")
            .Value(1, "2026-03-01T08:00:02.500Z", 1).Missing(0, "2026-03-01T08:00:03Z");
        Assert.Single(rig.States);
    }

    [Fact]
    public void A_point_that_the_device_lacks_does_not_make_it_flicker()
    {
        var rig = TwoPoints();
        for (var t = Rig.At("2026-03-01T08:00:01Z"); t < Rig.At("2026-03-01T08:05:00Z"); t += TimeSpan.FromSeconds(1))
        {
            rig.Pipeline.Process(Sample.Missing(0, t, QualityReason.DeviceException, 2));
            if (t.UnixMilliseconds % 10_000 == 0)
            {
                rig.Value(1, t, 1);
            }
        }

        Assert.True(Assert.Single(rig.States).Online);
    }

    [Fact]
    public void A_device_that_never_answers_is_offline_once()
    {
        var rig = TwoPoints();
        for (var t = Rig.At("2026-03-01T08:00:01Z"); t < Rig.At("2026-03-01T08:02:00Z"); t += TimeSpan.FromSeconds(1))
        {
            rig.Pipeline.Process(Sample.Missing(0, t, QualityReason.Timeout));
        }

        Assert.False(Assert.Single(rig.States).Online);
    }

    [Fact]
    public void A_device_that_is_not_polled_any_more_is_stale_after_30_seconds()
    {
        var rig = TwoPoints().Value(0, "2026-03-01T08:00:01Z", 1);
        for (var t = Rig.At("2026-03-01T08:00:02Z"); t <= Rig.At("2026-03-01T08:01:00Z"); t += TimeSpan.FromSeconds(1))
        {
            rig.Pipeline.Advance(t);
        }

        Assert.Equal(2, rig.States.Count);
        Assert.Equal((false, QualityReason.Stale, Rig.At("2026-03-01T08:00:32Z")), (rig.States[1].Online, rig.States[1].Reason, rig.States[1].Time));
    }

    [Fact]
    public void A_gateway_that_was_away_does_not_blame_the_device() =>
        Assert.Single(TwoPoints().Value(0, "2026-03-01T08:00:01Z", 1).Advance("2026-03-01T09:00:00Z").Value(0, "2026-03-01T09:00:01Z", 1).States);
}
