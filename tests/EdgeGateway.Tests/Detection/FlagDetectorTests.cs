using EdgeGateway.Core;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Site;
using EdgeGateway.Tests.LocalPath;

namespace EdgeGateway.Tests.Detection;

/// <summary>Bits of a status word that the profile declares as findings.</summary>
public class FlagDetectorTests
{
    private static readonly Instant Start = Rig.At("2026-03-01T08:00:00Z");

    [Fact]
    public void A_bit_raises_when_it_is_set_and_clears_when_it_is_gone()
    {
        var rig = Feed([Flag(3, alarm: true)], [0, 0x8, 0x9, 0x1, 0]);
        Assert.Equal([(true, "flag-3", Severity.Alarm, 1), (false, "flag-3", Severity.Alarm, 3)], rig.Anomalies.Select(a => (a.Raised, a.Detector, a.Severity, SecondOf(a))));
        Assert.Equal("Phase missing: status of FAN, bit 3 is 1. The device itself reports it: look at its display and at what it watches.", rig.Anomalies[0].Text);
        Assert.Equal("Phase missing: status of FAN, bit 3 is 0 again, after 2 s.", rig.Anomalies[1].Text);
        Assert.Equal(rig.Anomalies[0].Since, rig.Anomalies[1].Since);
    }

    [Fact]
    public void Two_bits_of_one_word_that_come_together_are_two_findings()
    {
        var rig = Feed([Flag(0, alarm: false), Flag(1, alarm: true)], [0, 0x3, 0x2, 0]);
        Assert.Equal(
            [(true, "flag-0", 1), (true, "flag-1", 1), (false, "flag-0", 2), (false, "flag-1", 3)],
            rig.Anomalies.Select(a => (a.Raised, a.Detector, SecondOf(a))));
    }

    [Fact]
    public void A_contact_that_opens_is_a_finding_while_its_bit_is_0() =>
        Assert.Equal([(true, 1), (false, 3)], Feed([Flag(2, alarm: true, opens: true)], [0x4, 0, 0, 0x4]).Anomalies.Select(a => (a.Raised, SecondOf(a))));

    [Fact]
    public void A_bit_that_flickers_is_told_to_nobody_while_it_must_hold() =>
        Assert.Empty(Feed([Flag(0, alarm: false, hold: 3)], [0, 1, 1, 0, 1, 1, 0]).Anomalies);

    private static Rig Feed(DetectorModel[] models, ulong[] words)
    {
        var rig = new TestSite().Device("fan").Gauge("status", "1", with: p => p with { Kind = PointKind.State, Detectors = models }).Start();
        for (var i = 0; i < words.Length; i++)
        {
            rig.Raw(0, Start + TimeSpan.FromSeconds(i), words[i]);
        }

        return rig;
    }

    private static DetectorModel Flag(int bit, bool alarm, bool opens = false, double hold = 0) =>
        new("flag", new Dictionary<string, double> { ["bit"] = bit, ["severity"] = alarm ? 2 : 1, ["opens"] = opens ? 1 : 0, ["holdSeconds"] = hold }) { Title = "Phase missing" };

    private static int SecondOf(AnomalyRecord record) => (int)(record.Time - Start).TotalSeconds;
}
