using EdgeGateway.Core.Alarms;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Site;
using EdgeGateway.Core.State;
using EdgeGateway.Tests.LocalPath;

namespace EdgeGateway.Tests.Alarms;

/// <summary>From samples to alarms.</summary>
public class AlarmPipelineTests
{
    private static Rig Fan(AlarmPriority priority = AlarmPriority.High, string hash = "test") => new TestSite { Hash = hash }.Device("fan")
        .Gauge("bearing", "Cel", with: p => p with
        {
            AlarmPriority = priority,
            Detectors = [new DetectorModel("limit", new Dictionary<string, double> { ["high"] = 80, ["highAlarm"] = 95 }), new DetectorModel("spike", new Dictionary<string, double>())],
        })
        .Start();

    [Theory]
    [InlineData(AlarmPriority.High, AlarmPriority.Medium)]
    [InlineData(AlarmPriority.Critical, AlarmPriority.High)]
    [InlineData(AlarmPriority.Low, AlarmPriority.Low)]
    public void The_priority_is_that_of_the_point_and_a_warning_is_one_below(AlarmPriority alarm, AlarmPriority warning)
    {
        var rig = Fan(alarm).Value(0, "2026-03-01T08:00:00Z", 70).Value(0, "2026-03-01T08:00:01Z", 90);
        var entry = Assert.Single(rig.Pipeline.Alarms.List());
        Assert.Equal(("fan.bearing.limit", warning, "90 °C", "80 °C"), (entry.Condition.Id, entry.Condition.Priority, entry.Condition.ValueText, entry.Condition.LimitText));
        rig.Value(0, "2026-03-01T08:00:02Z", 96);
        Assert.Equal(alarm, Assert.Single(rig.Pipeline.Alarms.List()).Condition.Priority);
        rig.Value(0, "2026-03-01T08:00:03Z", 70);
        Assert.Equal(AlarmState.Returned, Assert.Single(rig.Pipeline.Alarms.List()).State);
    }

    [Fact]
    public void A_device_that_no_longer_answers_is_an_alarm_after_a_while()
    {
        var rig = Fan().Value(0, "2026-03-01T08:00:00Z", 70).Missing(0, "2026-03-01T08:00:01Z").Missing(0, "2026-03-01T08:00:02Z").Advance("2026-03-01T08:00:10Z");
        Assert.Empty(rig.Pipeline.Alarms.List());
        rig.Advance("2026-03-01T08:00:20Z");
        Assert.Equal(("fan.offline", "timeout"), (rig.Alarms[^1].Entry.Condition.Id, rig.Alarms[^1].Entry.Condition.Text));
        rig.Value(0, "2026-03-01T08:00:30Z", 70);
        Assert.Equal(AlarmChange.Cleared, rig.Alarms[^1].Change);
    }

    [Fact]
    public void What_a_silent_device_lacks_stands_under_its_silence_also_while_its_points_come_back_one_by_one()
    {
        var rig = new TestSite().Device("fan")
            .Gauge("slow", "Cel", period: 60, with: p => p with { Detectors = [new DetectorModel("gap", new Dictionary<string, double> { ["wire"] = 1, ["afterSeconds"] = 30 })] })
            .Gauge("fast", "A")
            .Start().Value(0, "2026-03-01T08:00:00Z", 40).Value(1, "2026-03-01T08:00:00Z", 5);
        for (var second = 1; second <= 180; second++)
        {
            rig.Missing(1, $"2026-03-01T08:{second / 60:00}:{second % 60:00}Z");
            if (second % 60 == 0)
            {
                rig.Missing(0, $"2026-03-01T08:{second / 60:00}:00Z");
            }

            rig.Advance($"2026-03-01T08:{second / 60:00}:{second % 60:00}Z");
        }

        Assert.Equal(["fan.offline raised", "fan.slow.gap suppressed"], rig.Alarms.Select(a => $"{a.Entry.Condition.Id} {a.Change.Word()}"));

        // The fast point answers first, the slow one a minute later: the gap was never an alarm of its own.
        rig.Value(1, "2026-03-01T08:03:05Z", 5).Advance("2026-03-01T08:03:05Z").Advance("2026-03-01T08:03:50Z").Value(0, "2026-03-01T08:04:00Z", 40).Advance("2026-03-01T08:10:00Z");
        Assert.DoesNotContain(rig.Alarms, a => a.Entry is { Condition.Rule: "gap", State: AlarmState.Unacknowledged });
        Assert.DoesNotContain(rig.Pipeline.Alarms.List(), e => e.Condition.Rule == "gap");
    }

    [Fact]
    public void A_point_that_stays_without_a_value_after_its_device_is_back_is_an_alarm_of_its_own()
    {
        var rig = new TestSite().Device("fan")
            .Gauge("slow", "Cel", period: 60, with: p => p with { Detectors = [new DetectorModel("gap", new Dictionary<string, double> { ["wire"] = 1, ["afterSeconds"] = 30 })] })
            .Gauge("fast", "A")
            .Start().Value(0, "2026-03-01T08:00:00Z", 40).Value(1, "2026-03-01T08:00:00Z", 5);
        rig.Missing(1, "2026-03-01T08:00:01Z").Missing(1, "2026-03-01T08:00:02Z").Missing(0, "2026-03-01T08:01:00Z").Advance("2026-03-01T08:01:00Z");
        rig.Value(1, "2026-03-01T08:01:10Z", 5).Advance("2026-03-01T08:01:10Z").Missing(0, "2026-03-01T08:02:00Z").Advance("2026-03-01T08:03:09Z");
        Assert.DoesNotContain(rig.Pipeline.Alarms.List(), e => e.Condition.Rule == "gap");
        rig.Advance("2026-03-01T08:03:11Z");
        Assert.Equal(AlarmState.Unacknowledged, Assert.Single(rig.Pipeline.Alarms.List(), e => e.Condition.Rule == "gap").State);
    }

    [Fact]
    public void What_a_person_did_outlives_a_change_of_configuration()
    {
        var rig = Fan().Value(0, "2026-03-01T08:00:00Z", 90);
        Assert.Null(rig.Pipeline.Alarms.Apply(new AlarmOrder(AlarmAction.Remove, ["fan.bearing.limit"], null, "maria", "new bearing"), Rig.At("2026-03-01T08:00:01Z")));
        rig.Pipeline.Close(Rig.At("2026-03-01T08:00:02Z"));
        var writer = new StateWriter();
        rig.Pipeline.SaveBaselines(writer);

        var next = Fan(hash: "other");
        var reader = new StateReader(writer.Written.Span);
        next.Pipeline.LoadBaselines(ref reader);
        next.Value(0, "2026-03-01T08:00:03Z", 90);
        var entry = Assert.Single(next.Pipeline.Alarms.List());
        Assert.Equal((AlarmState.OutOfService, "maria", "new bearing"), (entry.State, entry.Who, entry.Reason));
        Assert.Empty(next.Alarms);
    }

    [Fact]
    public void The_state_of_a_program_that_knew_no_alarms_is_read()
    {
        var rig = Fan().Value(0, "2026-03-01T08:00:00Z", 90);
        var alarms = new StateWriter();
        rig.Pipeline.Alarms.Save(alarms);
        var old = rig.Save()[..^alarms.Written.Length];
        var next = Fan().Load(old);
        Assert.Empty(next.Pipeline.Alarms.List());
        next.Value(0, "2026-03-01T08:00:01Z", 96);
        Assert.Single(next.Pipeline.Alarms.List());
    }

    [Fact]
    public void A_record_in_the_feed_speaks_the_language_of_the_site()
    {
        var rig = Fan().Value(0, "2026-03-01T08:00:00Z", 90);
        var feed = new FeedEncoder(rig.Site with { Language = "zh" }, FeedHeads.Start(1), "1.0");
        feed.Alarm(rig.Alarms[0]);
        var row = Assert.Single(feed.Flush(Rig.At("2026-03-01T08:00:01Z")));
        Assert.Equal((FeedStream.Health, "alarm", false), (row.Stream, row.Subtopic, row.Retain));
        Assert.Contains("越过限值 80 °C", System.Text.Encoding.UTF8.GetString(row.Body.Span), StringComparison.Ordinal);
    }
}
