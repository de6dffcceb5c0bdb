using EdgeGateway.Commands;
using EdgeGateway.Core;
using EdgeGateway.Core.Detection;
using EdgeGateway.Core.Site;
using EdgeGateway.Hosting;
using EdgeGateway.Tests.LocalPath;

namespace EdgeGateway.Tests.Hosting;

/// <summary>How far the detector for any gauge is, in <c>edgegateway status</c>.</summary>
public class LearningStatusTests
{
    private static readonly Instant Start = Rig.At("2026-03-01T08:00:00Z");

    private static TestSite Site() => new TestSite()
        .Device("fan").Gauge("power", "kW", 300, Watched).Gauge("current", "A", 300, Watched).Gauge("speed", "Hz", 300)
        .Device("pump").Gauge("power", "kW", 300, Watched);

    [Fact]
    public void A_point_is_learnt_for_two_days_from_its_first_value_and_then_known()
    {
        var rig = Site().Start();
        Assert.Equal("3 points are watched, 3 are still learnt, 3 without a value yet (fan 2 of 2, pump 1 of 1)", Say(rig, Start));
        for (var i = 0; i < 300; i++)
        {
            rig.Value(0, Start + TimeSpan.FromMinutes(5 * i), 50 + (i % 7));
            rig.Value(1, Start + TimeSpan.FromMinutes(5 * i), 90 + (i % 5));
        }

        Assert.Equal("3 points are watched, 3 are still learnt, known at 2026-03-03 08:00Z, 1 without a value yet (fan 2 of 2, pump 1 of 1)", Say(rig, Start + TimeSpan.FromDays(1)));
        Assert.Equal("3 points are watched, 1 are still learnt, 1 without a value yet (pump 1 of 1)", Say(rig, Start + TimeSpan.FromDays(3)));
        rig.Value(3, Start + TimeSpan.FromDays(1.5), 5);
        Assert.Equal("3 points are watched, all are known", Say(rig, Start + TimeSpan.FromDays(4)));
    }

    [Fact]
    public void A_site_on_which_nothing_is_watched_says_nothing()
    {
        var rig = new TestSite().Device("fan").Gauge("power", "kW").Start();
        Assert.Null(StatusReport.Learning(rig.Site, rig.Pipeline.Learners(), Start));
    }

    [Fact]
    public void What_was_learnt_before_a_restart_counts()
    {
        var rig = Site().Start();
        for (var i = 0; i < 300; i++)
        {
            rig.Value(0, Start + TimeSpan.FromMinutes(5 * i), 50 + (i % 7));
        }

        var restored = Site().Start().Load(rig.Save());
        Assert.Equal((300, Start + TimeSpan.FromDays(2)), (restored.Pipeline.Learning(0)!.Value.Values, restored.Pipeline.Learning(0)!.Value.SpeaksFrom));
        Assert.Null(restored.Pipeline.Learning(2));
    }

    private static PointModel Watched(PointModel point) => point with { Detectors = [new DetectorModel(NoveltyWatch.Name, new Dictionary<string, double>())] };

    private static string Say(Rig rig, Instant now) => StatusCommand.Say(StatusReport.Learning(rig.Site, rig.Pipeline.Learners(), now)!);
}
