using EdgeGateway.Core.Alarms;

namespace EdgeGateway.Tests.Alarms;

public class AlarmBookTests
{
    private readonly AlarmRig _rig = new();

    // ANSI/ISA-18.2, state transition diagram: the path of an alarm that is acknowledged, and of one that goes first.
    [Fact]
    public void An_alarm_is_raised_acknowledged_and_gone()
    {
        _rig.Raise("a", "p");
        Assert.Equal(["a.p.limit raised unacknowledged"], _rig.News());
        Assert.Null(_rig.Order(AlarmAction.Acknowledge, "a.p.limit"));
        Assert.Equal(("maria (uid 1000)", "why"), (_rig["a.p.limit"].Who, _rig["a.p.limit"].Reason));
        _rig.After(1).Clear("a", "p");
        Assert.Equal(["a.p.limit acknowledged acknowledged", "a.p.limit cleared normal"], _rig.News());
        Assert.Empty(_rig.Book.List());
    }

    [Fact]
    public void One_that_goes_before_anybody_saw_it_stays_until_it_is_acknowledged_and_comes_back_as_news()
    {
        _rig.Raise("a", "p").After(1).Clear("a", "p");
        Assert.Equal(AlarmState.Returned, _rig.StateOf("a.p.limit"));
        _rig.After(100).Raise("a", "p");
        Assert.Equal(["a.p.limit raised unacknowledged", "a.p.limit cleared returned", "a.p.limit raised unacknowledged"], _rig.News());
        _rig.Clear("a", "p");
        Assert.Null(_rig.Order(AlarmAction.Acknowledge, "a.p.limit"));
        Assert.Equal(["a.p.limit cleared returned", "a.p.limit acknowledged normal"], _rig.News());
    }

    [Fact]
    public void A_higher_priority_must_be_acknowledged_again_and_a_lower_one_need_not()
    {
        _rig.Raise("a", "p", AlarmPriority.Medium);
        _rig.Order(AlarmAction.Acknowledge, "a.p.limit");
        _rig.Raise("a", "p");
        Assert.Equal("a.p.limit escalated unacknowledged", _rig.News()[^1]);
        _rig.Order(AlarmAction.Acknowledge, "a.p.limit");
        _rig.Raise("a", "p", AlarmPriority.Medium);
        Assert.Equal("a.p.limit eased acknowledged", _rig.News()[^1]);
    }

    [Theory]
    [InlineData(true, "unshelved unacknowledged")]
    [InlineData(false, "unshelved normal")]
    public void A_shelf_has_an_end_and_then_what_still_holds_is_there_again(bool holds, string after)
    {
        _rig.Raise("a", "p");
        Assert.Null(_rig.Order(AlarmAction.Shelve, "a.p.limit", minutes: 30));
        Assert.Equal(_rig.Now + TimeSpan.FromMinutes(30), _rig["a.p.limit"].ShelvedUntil);
        _rig.After(60).Clear("a", "p");
        if (holds)
        {
            _rig.Raise("a", "p");
        }

        _rig.After(1739);
        Assert.Equal(["a.p.limit raised unacknowledged", "a.p.limit shelved shelved"], _rig.News());
        Assert.Equal([$"a.p.limit {after}"], _rig.After(1).News());
    }

    [Fact]
    public void It_can_be_taken_from_the_shelf_before()
    {
        _rig.Raise("a", "p");
        _rig.Order(AlarmAction.Shelve, "a.p.limit", minutes: 30);
        _rig.News();
        Assert.Null(_rig.Order(AlarmAction.Unshelve, "a.p.limit"));
        Assert.Equal(["a.p.limit unshelved unacknowledged"], _rig.News());
    }

    [Fact]
    public void Out_of_service_has_no_end_and_needs_a_reason()
    {
        _rig.Raise("a", "p");
        Assert.Contains("Say why", _rig.Order(AlarmAction.Remove, "a.p.limit", reason: ""), StringComparison.Ordinal);
        Assert.Null(_rig.Order(AlarmAction.Remove, "a.p.limit", reason: "work on the pump"));
        _rig.Clear("a", "p").After(200_000).Raise("a", "p");
        Assert.Equal(AlarmState.OutOfService, _rig.StateOf("a.p.limit"));
        Assert.Null(_rig.Order(AlarmAction.Restore, "a.p.limit"));
        Assert.Equal(["a.p.limit raised unacknowledged", "a.p.limit out-of-service out-of-service", "a.p.limit in-service unacknowledged"], _rig.News());
    }

    [Fact]
    public void What_makes_no_sense_is_refused_in_words_and_changes_nothing()
    {
        Assert.Contains("There is no alarm 'a.p.limit'", _rig.Order(AlarmAction.Acknowledge, "a.p.limit"), StringComparison.Ordinal);
        _rig.Raise("a", "p");
        var before = _rig.Save();
        Assert.Contains("1 min to 1 d", _rig.Order(AlarmAction.Shelve, "a.p.limit", minutes: 2000), StringComparison.Ordinal);
        Assert.Contains("1 min to 1 d", _rig.Order(AlarmAction.Shelve, "a.p.limit"), StringComparison.Ordinal);
        Assert.Contains("'a.p.limit' is unacknowledged: it cannot be taken from the shelf", _rig.Order(AlarmAction.Unshelve, "a.p.limit"), StringComparison.Ordinal);
        Assert.Contains("cannot be put back into service", _rig.Order(AlarmAction.Restore, "a.p.limit"), StringComparison.Ordinal);
        var order = new AlarmOrder(AlarmAction.Acknowledge, ["a.p.limit", "a.q.limit"], null, "m", "");
        Assert.Contains("'a.q.limit'", _rig.Book.Apply(order, _rig.Now), StringComparison.Ordinal);
        Assert.Contains("at least one", _rig.Book.Apply(order with { Ids = [] }, _rig.Now), StringComparison.Ordinal);
        Assert.Equal(before, _rig.Save());
    }

    [Fact]
    public void A_silent_device_is_one_alarm_and_findings_of_it_stand_under_it()
    {
        _rig.Silent("c").After(3).Raise("c", "p").After(6).Raise("c", "q", AlarmPriority.Critical).After(10);
        Assert.Equal(["c.p.limit suppressed suppressed", "c.q.limit raised unacknowledged", "c.offline raised unacknowledged"], _rig.News());
        Assert.Equal("c.offline", _rig["c.p.limit"].Cause);

        // What still holds when the device is back is an alarm of its own.
        _rig.After(60).Heard("c");
        Assert.Equal(["c.offline cleared returned", "c.p.limit released unacknowledged"], _rig.News());
    }

    [Fact]
    public void An_alarm_that_stood_before_its_device_fell_silent_is_not_hidden()
    {
        _rig.Raise("c", "p").After(60).Silent("c").After(20);
        Assert.Equal(AlarmState.Unacknowledged, _rig.StateOf("c.p.limit"));
        Assert.Equal(AlarmState.Unacknowledged, _rig.StateOf("c.offline"));
    }

    [Fact]
    public void A_device_that_is_back_within_seconds_is_no_alarm()
    {
        _rig.Silent("c").After(14).Heard("c").After(60);
        Assert.Empty(_rig.News());
        Assert.Empty(_rig.Book.List());
    }

    [Fact]
    public void A_dead_bus_is_one_alarm()
    {
        _rig.Silent("a").After(4).Silent("b").After(60);
        Assert.Equal(["bus:line.offline raised unacknowledged", "a.offline suppressed suppressed", "b.offline suppressed suppressed"], _rig.News());
        Assert.Equal("2", _rig["bus:line.offline"].Condition.ValueText);

        // The first device that answers ends it; one that stays away is an alarm after a while.
        _rig.Heard("b").After(20);
        Assert.Equal(["b.offline cleared normal", "bus:line.offline cleared returned", "a.offline released normal", "a.offline raised unacknowledged"], _rig.News());
    }

    [Fact]
    public void Devices_that_were_told_already_go_under_their_bus_when_the_last_one_falls_silent()
    {
        _rig.Silent("a").After(30);
        Assert.Equal(AlarmState.Unacknowledged, _rig.StateOf("a.offline"));
        _rig.Silent("b");
        Assert.Equal(AlarmState.Suppressed, _rig.StateOf("a.offline"));
    }

    [Fact]
    public void Findings_of_one_device_at_one_moment_stand_under_the_most_urgent()
    {
        _rig.Raise("a", "current").After(1).Raise("a", "voltage", AlarmPriority.Medium).Raise("b", "voltage", AlarmPriority.Medium);
        Assert.Equal(["a.current.limit raised unacknowledged", "a.voltage.limit suppressed suppressed", "b.voltage.limit raised unacknowledged"], _rig.News());

        // A more urgent one and a later one are alarms of their own, and so is what is left of the event.
        _rig.After(1).Raise("a", "gas", AlarmPriority.Critical).After(10).Raise("a", "power", AlarmPriority.Medium);
        Assert.Equal(["a.gas.limit raised unacknowledged", "a.power.limit raised unacknowledged"], _rig.News());
        _rig.Clear("a", "gas").Clear("a", "current");
        Assert.Equal(["a.gas.limit cleared returned", "a.current.limit cleared returned", "a.voltage.limit released unacknowledged"], _rig.News());
    }

    [Fact]
    public void Shelving_an_alarm_does_not_hide_what_stood_under_it()
    {
        _rig.Raise("a", "current").Raise("a", "voltage", AlarmPriority.Medium);
        _rig.Order(AlarmAction.Shelve, "a.current.limit", minutes: 10);
        Assert.Equal(AlarmState.Unacknowledged, _rig.StateOf("a.voltage.limit"));
    }

    // ANSI/ISA-18.2: more than 10 alarms in 10 minutes are a flood, which ends when fewer than 5 come in 10 minutes.
    [Fact]
    public void In_a_flood_lower_priorities_are_gathered_and_nothing_is_lost()
    {
        for (var i = 0; i < 10; i++)
        {
            _rig.Raise("a", $"p{i}", AlarmPriority.Medium).After(10);
        }

        Assert.DoesNotContain("flood", _rig.Book.List().Select(e => e.Condition.Id));
        _rig.News();
        _rig.Raise("a", "p10", AlarmPriority.Medium).After(10).Raise("a", "p11").After(10).Raise("a", "p12", AlarmPriority.Low);
        Assert.Equal(
            ["flood raised unacknowledged", "a.p10.limit suppressed suppressed", "a.p11.limit raised unacknowledged", "a.p12.limit suppressed suppressed"], _rig.News());
        Assert.Equal(("flood", "2"), (_rig["a.p10.limit"].Cause, _rig["flood"].Condition.ValueText));
        Assert.Contains("cannot be put away", _rig.Order(AlarmAction.Shelve, "flood", minutes: 10), StringComparison.Ordinal);

        // Of the last arrivals at 80, 90, 100, 110 and 120 s four are left within ten minutes from 680 s on.
        _rig.After(559);
        Assert.Empty(_rig.News());
        _rig.After(2);
        Assert.Equal(["flood cleared returned", "a.p10.limit released unacknowledged", "a.p12.limit released unacknowledged"], _rig.News());
        Assert.Equal(14, _rig.Book.List().Length);
    }

    [Fact]
    public void Chatter_is_counted_and_said_and_its_single_changes_are_not()
    {
        for (var i = 0; i < 40; i++)
        {
            _rig.Raise("a", "p").After(5).Clear("a", "p").After(5);
        }

        Assert.Equal(
            [
                "a.p.limit raised unacknowledged", "a.p.limit cleared returned", "a.p.limit raised unacknowledged", "a.p.limit cleared returned",
                "a.p.limit chattering unacknowledged",
            ],
            _rig.News());
        Assert.Equal(40, _rig["a.p.limit"].Count);
        Assert.Null(_rig.Order(AlarmAction.Acknowledge, "a.p.limit"));
        _rig.Raise("a", "p").After(1).Clear("a", "p").After(298);
        Assert.Equal(["a.p.limit acknowledged acknowledged"], _rig.News());
        Assert.Equal(["a.p.limit cleared normal"], _rig.After(2).News());
        Assert.DoesNotContain("flood", _rig.Book.List().Select(e => e.Condition.Id));
    }

    [Fact]
    public void Chatter_that_ends_with_the_condition_standing_says_so()
    {
        _rig.Raise("a", "p").Clear("a", "p").Raise("a", "p").Clear("a", "p").Raise("a", "p").News();
        Assert.Equal(["a.p.limit settled unacknowledged"], _rig.After(301).News());
    }

    [Fact]
    public void A_change_of_configuration_clears_what_stands_and_keeps_what_people_did()
    {
        _rig.Raise("a", "p").Raise("b", "p").Raise("b", "gone");
        _rig.Order(AlarmAction.Remove, "b.p.limit");
        _rig.Silent("c").After(20);
        _rig.News();
        _rig.Book.End(_rig.Now);
        Assert.Equal(AlarmState.Returned, _rig.StateOf("a.p.limit"));
        Assert.Equal(AlarmState.Returned, _rig.StateOf("c.offline"));
        Assert.Equal(AlarmState.OutOfService, _rig.StateOf("b.p.limit"));
        _rig.News();
        _rig.Restart().Book.Retain(c => c.Point != "gone");
        Assert.Equal(["b.gone.limit removed normal"], _rig.News());
        Assert.Equal(AlarmState.OutOfService, _rig.StateOf("b.p.limit"));
    }

    [Fact]
    public void A_clock_that_is_set_moves_the_end_of_a_shelf_with_it()
    {
        _rig.Raise("a", "p");
        _rig.Order(AlarmAction.Shelve, "a.p.limit", minutes: 10);
        _rig.Book.Shift(-3_600_000);
        _rig.After(-3_600).After(599);
        Assert.Equal(AlarmState.Shelved, _rig.StateOf("a.p.limit"));
        Assert.Equal(AlarmState.Unacknowledged, _rig.After(1).StateOf("a.p.limit"));
    }
}
