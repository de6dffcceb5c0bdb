using EdgeGateway.Core;
using EdgeGateway.Core.Polling;
using EdgeGateway.Core.Profiles;

namespace EdgeGateway.Tests.Polling;

public class LearningTests
{
    private static readonly ReadCost Line = ReadCost.Rtu(9600, 11, TimeSpan.FromMilliseconds(20), TimeSpan.Zero);

    [Fact]
    public void Scattered_registers_are_joined_and_still_right_when_the_device_refuses_what_lies_between()
    {
        // 40 registers scattered in 300.
        var points = Enumerable.Range(0, 40).Select(i => (7 * i) + (i % 5)).ToArray();
        var open = new PollingRig(new SimulatedDevice(), points, mayReadGaps: true);
        Assert.Equal(40, open.Poll().Count);
        Assert.Equal(3, open.Requests);

        var strict = new PollingRig(new SimulatedDevice { Unreadable = a => !points.Contains(a) }, points, mayReadGaps: true);
        Assert.Equal(40, strict.Poll().Count);
        strict.Polls(20);
        strict.Requests = 0;
        Assert.Equal(40, strict.Poll().Count);
        Assert.Equal(40, strict.Requests);
        Assert.Equal(0, strict.Planner.Map.SpansRefused);
    }

    [Fact]
    public void Gaps_are_bridged_again_when_the_device_stops_refusing_them()
    {
        var points = Enumerable.Range(0, 40).Select(i => 7 * i).ToArray();
        var device = new SimulatedDevice { Unreadable = a => a % 7 != 0 };
        var rig = new PollingRig(device, points, mayReadGaps: true) { Step = 10_000 };
        rig.Polls(400);
        Assert.Equal(["holding registers between those that the profile names are refused"], rig.Planner.Map.Describe());
        device.Unreadable = _ => false;
        rig.Polls(720);
        rig.Requests = 0;
        Assert.Equal(40, rig.Poll().Count);
        Assert.Equal(3, rig.Requests);
        Assert.Empty(rig.Planner.Map.Describe());
    }

    [Fact]
    public void Healthy_points_miss_no_poll_while_what_was_refused_is_tried_again()
    {
        // For a day; the device leaves unanswered what it does not have.
        var points = Enumerable.Range(0, 30).Select(i => 5 * i).ToArray();
        var rig = new PollingRig(new SimulatedDevice { Unreadable = a => a is 52 or 60, BadAddress = ReadOutcome.Unanswered }, points, mayReadGaps: true) { Step = 10_000 };
        rig.Polls(60);
        for (var i = 0; i < 8640; i++)
        {
            Assert.Equal(29, rig.Poll().Count);
        }

        Assert.Equal(0, rig.Planner.Map.SpansDropped);
    }

    [Fact]
    public void A_block_that_is_refused_is_split_in_the_same_poll_and_the_gap_is_suspected_before_the_points()
    {
        var rig = new PollingRig(new SimulatedDevice { Unreadable = a => a == 5 }, [0, 1, 2, 3, 8, 9, 10, 11], mayReadGaps: true);
        Assert.Equal(8, rig.Poll().Count);
        Assert.Equal([new(0, 12), new(0, 4), new(8, 4)], rig.Asked);
        rig.Polls(5);
        rig.Asked.Clear();
        rig.Poll();
        Assert.Equal([new(0, 4), new(8, 4)], rig.Asked);
        Assert.Equal(["holding registers 4-7 refused when read over, left out"], rig.Planner.Map.Describe());
    }

    [Fact]
    public void A_register_is_dropped_only_after_three_refusals_alone_over_ten_minutes_and_its_neighbours_never_miss_a_poll()
    {
        var rig = new PollingRig(new SimulatedDevice { Unreadable = a => a == 6 }, [.. Enumerable.Range(0, 20)]);
        var alone = 0;
        for (var second = 0; second < 700; second++)
        {
            rig.Asked.Clear();
            Assert.Equal(19, rig.Poll().Count);
            alone += rig.Asked.Contains(new(6, 1)) ? 1 : 0;
            Assert.True(rig.Planner.Map.SpansDropped == 0 || (alone >= 3 && second >= 600));
        }

        rig.Polls(400);
        Assert.Equal(1, rig.Planner.Map.SpansDropped);
        Assert.InRange(alone, 3, 12);
        Assert.Equal(["holding registers 6 refused (illegal address), asked again once an hour"], rig.Planner.Map.Describe());
    }

    [Fact]
    public void A_dropped_register_is_asked_again_each_hour_and_taken_back()
    {
        var device = new SimulatedDevice { Unreadable = a => a == 6 };
        var rig = new PollingRig(device, [.. Enumerable.Range(0, 20)]) { Step = 10_000 };
        rig.Polls(200);
        Assert.Equal(1, rig.Planner.Map.SpansDropped);
        device.Unreadable = _ => false;
        rig.Polls(361);
        Assert.Equal(0, rig.Planner.Map.SpansRefused);
        rig.Asked.Clear();
        Assert.Equal(20, rig.Poll().Count);
        Assert.Equal([new(0, 20)], rig.Asked);
        Assert.Empty(rig.Planner.Map.Describe());
    }

    [Theory, InlineData(1), InlineData(2)]
    public void A_device_that_refused_everything_since_the_start_is_read_in_full_soon_after_its_first_answer(int tables)
    {
        // An inverter at night, after a restart of the gateway: it answers, and refuses each register for hours.
        var device = new SimulatedDevice { Unreadable = _ => true };
        RegisterEncoding[] points = [.. Enumerable.Range(0, 20).Select(i => PollingRig.At(i) with { Table = i % tables == 0 ? RegisterTable.HoldingRegister : RegisterTable.InputRegister })];
        var rig = new PollingRig(device, points, new(125, false), i => TimeSpan.FromSeconds(1)) { Step = 10_000 };
        rig.Polls(6 * 60 * 5);
        Assert.Equal(20, rig.Planner.Map.SpansDropped);

        // At the latest after an hour one is asked; from then on two polls are enough.
        device.Unreadable = _ => false;
        var waited = 0;
        while (rig.Poll().Count == 0)
        {
            Assert.InRange(++waited, 0, 360);
        }

        rig.Poll();
        Assert.Equal((0, 20), (rig.Planner.Map.SpansRefused, rig.Poll().Count));
        Assert.Empty(rig.Planner.Map.Describe());
    }

    [Fact]
    public void What_wakes_up_little_by_little_is_not_dropped_again_at_once()
    {
        var device = new SimulatedDevice { Unreadable = _ => true };
        var rig = new PollingRig(device, [.. Enumerable.Range(0, 20)]) { Step = 10_000 };
        rig.Polls(6 * 60 * 5);

        device.Unreadable = a => a != 3;
        for (var i = 0; rig.Poll().Count == 0; i++)
        {
            Assert.InRange(i, 0, 360);
        }

        // The others still refuse for four minutes, and are there within five more.
        rig.Polls(24);
        Assert.Equal(0, rig.Planner.Map.SpansDropped);
        device.Unreadable = _ => false;
        rig.Polls(31);
        Assert.Equal(20, rig.Poll().Count);
    }

    [Fact]
    public void A_device_that_comes_back_is_asked_for_what_it_had_refused_and_no_more_often_than_it_can_bear()
    {
        var device = new SimulatedDevice { Unreadable = a => a >= 10 };
        var rig = new PollingRig(device, [.. Enumerable.Range(0, 20)]) { Step = 10_000 };
        rig.Polls(200);
        Assert.Equal(10, rig.Planner.Map.SpansDropped);

        // Another model was put in its place.
        device.Unreadable = _ => false;
        rig.Planner.Returned(rig.Now);
        rig.Poll();
        Assert.Equal(20, rig.Poll().Count);

        // One that comes and goes each minute for a day, and does not have them: once in five minutes each, at most.
        device = new SimulatedDevice { Unreadable = a => a >= 10 };
        rig = new PollingRig(device, [.. Enumerable.Range(0, 20)]) { Step = 10_000 };
        rig.Polls(200);
        (rig.Requests, rig.Refused) = (0, 0);
        for (var minute = 0; minute < 1440; minute++)
        {
            rig.Planner.Returned(rig.Now);
            rig.Polls(6);
        }

        Assert.InRange(rig.Refused, 10, 10 * 1440 * 3 / 10);
    }

    [Fact]
    public void Refusals_far_apart_do_not_add_up()
    {
        // docs/polling.md: three refusals in a row. Here one a week, with good polls between.
        var device = new SimulatedDevice();
        var rig = new PollingRig(device, [.. Enumerable.Range(0, 20)]);
        rig.Polls(3);
        for (var week = 0; week < 20; week++)
        {
            device.Unreadable = a => a == 6;
            Assert.Equal(19, rig.Poll().Count);
            device.Unreadable = _ => false;
            for (var i = 0; i < 30; i++)
            {
                Assert.Equal(20, rig.Poll().Count);
            }

            Assert.Equal(0, rig.Planner.Map.SpansRefused);
        }

        // In a row they are believed: once in three polls, and then the register is asked alone.
        device.Unreadable = a => a == 6;
        rig.Polls(3);
        Assert.Equal(1, rig.Planner.Map.SpansRefused);
    }

    [Fact]
    public void Silence_damage_and_busy_are_no_evidence()
    {
        var device = new SimulatedDevice();
        var rig = new PollingRig(device, [.. Enumerable.Range(0, 20)], mayReadGaps: true);
        rig.Poll();
        var calm = rig.Planner.PlanFor(1, rig.Now);
        foreach (var outcome in (ReadOutcome[])[ReadOutcome.Unanswered, ReadOutcome.Noise, ReadOutcome.DeviceFailure, ReadOutcome.ShortReply])
        {
            device.Noise = (_, _) => outcome;
            for (var i = 0; i < 5000; i++)
            {
                Assert.Empty(rig.Poll());
            }

            Assert.Same(calm, rig.Planner.PlanFor(1, rig.Now));
            Assert.Empty(rig.Planner.Map.Describe());
        }
    }

    [Fact]
    public void A_device_that_refuses_everything_while_it_starts_loses_nothing_for_long()
    {
        var device = new SimulatedDevice { Unreadable = _ => true };
        var rig = new PollingRig(device, [.. Enumerable.Range(0, 40)]);
        rig.Polls(120);
        device.Unreadable = _ => false;
        for (var i = 0; i < 300; i++)
        {
            rig.Poll();
        }

        Assert.Equal(40, rig.Poll().Count);
        Assert.Equal(0, rig.Planner.Map.SpansDropped);
        rig.Polls(4000);
        rig.Requests = 0;
        Assert.Equal(40, rig.Poll().Count);
        Assert.Equal(1, rig.Requests);
    }

    [Fact]
    public void A_register_that_has_worked_is_never_dropped_and_one_refusal_changes_nothing()
    {
        var device = new SimulatedDevice();
        var rig = new PollingRig(device, [.. Enumerable.Range(0, 20)]);
        rig.Poll();

        // Refused once: nothing is lost but, perhaps, the register itself, and the next poll is as before.
        device.Unreadable = a => a == 6;
        Assert.Equal(19, rig.Poll().Count);
        device.Unreadable = _ => false;
        rig.Asked.Clear();
        Assert.Equal(20, rig.Poll().Count);
        Assert.Equal([new(0, 20)], rig.Asked);

        // Refused for a day: asked alone, never dropped, and back within five minutes.
        device.Unreadable = a => a == 6;
        rig.Step = 10_000;
        for (var i = 0; i < 8640; i++)
        {
            Assert.Equal(19, rig.Poll().Count);
        }

        Assert.Equal((1, 0), (rig.Planner.Map.SpansRefused, rig.Planner.Map.SpansDropped));
        Assert.Equal(["holding registers 6 refused (illegal address), asked alone; answered before"], rig.Planner.Map.Describe());
        device.Unreadable = _ => false;
        rig.Polls(31);
        Assert.Equal(20, rig.Poll().Count);
    }

    [Theory]
    [InlineData(ReadOutcome.IllegalQuantity)]
    [InlineData(ReadOutcome.IllegalAddress)]
    [InlineData(ReadOutcome.DeviceFailure)]
    [InlineData(ReadOutcome.ShortReply)]
    [InlineData(ReadOutcome.Unanswered)]
    public void The_most_registers_a_device_answers_at_once_are_found(ReadOutcome style)
    {
        var rig = new PollingRig(new SimulatedDevice { Most = 60, TooLong = style }, [.. Enumerable.Range(0, 300)]);
        rig.Polls(600);
        rig.Requests = 0;
        Assert.Equal(300, rig.Poll().Count);
        Assert.Equal(5, rig.Requests);
        Assert.Equal(["answers at most 60 holding registers at once (61 were refused)"], rig.Planner.Map.Describe());
    }

    [Fact]
    public void A_device_that_leaves_long_requests_unanswered_is_found_with_a_short_one()
    {
        // Every request of the plan is too long: only the probe is answered.
        var rig = new PollingRig(new SimulatedDevice { Most = 10, TooLong = ReadOutcome.Unanswered }, [.. Enumerable.Range(0, 20)]);
        for (var i = 0; i < 40; i++)
        {
            rig.Poll();
        }

        Assert.Equal(20, rig.Poll().Count);
    }

    [Fact]
    public void Two_blocks_that_are_not_answered_together_are_asked_apart()
    {
        // Each register of both can be read, but no request may reach across the border.
        var rig = new PollingRig(new SimulatedDevice { Border = 12 }, [.. Enumerable.Range(0, 30)]);
        rig.Polls(30);
        rig.Asked.Clear();
        Assert.Equal(30, rig.Poll().Count);
        Assert.Equal([new(0, 12), new(12, 18)], rig.Asked);
        Assert.Equal(["holding registers 11 and 12 are refused in one request, read apart"], rig.Planner.Map.Describe());
    }

    [Fact]
    public void A_plan_is_kept_until_another_saves_five_percent()
    {
        // Two registers with 40 between them: one request while a request costs more than 80 bytes.
        (int, RegisterEncoding, TimeSpan)[] points = [(0, PollingRig.At(0), TimeSpan.FromSeconds(1)), (1, PollingRig.At(41), TimeSpan.FromSeconds(1))];
        var planner = new DevicePlanner(points, new(125, true), new(1_000, 10));
        var first = planner.PlanFor(1, 0);
        Assert.Single(first.Reads);

        // 2 x 780 + 40 = 1600 against 780 + 840 = 1620: one per cent is not worth it.
        planner.Cost = new(780, 10);
        Assert.Same(first, planner.PlanFor(1, 0));
        planner.Cost = new(600, 10);
        Assert.Equal(2, planner.PlanFor(1, 0).Reads.Count);
    }

    [Fact]
    public void Asking_for_a_plan_and_reporting_good_replies_allocates_nothing()
    {
        var rig = new PollingRig(new SimulatedDevice { Unreadable = a => a == 6 }, [.. Enumerable.Range(0, 20)]);
        rig.Polls(30);
        var read = rig.Planner.PlanFor(1, rig.Now).Reads[0];
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
        {
            _ = rig.Planner.PlanFor(1, rig.Now);
            _ = rig.Planner.Report(read, ReadOutcome.Good, rig.Now);
            _ = rig.Planner.Report(read, ReadOutcome.Noise, rig.Now);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void More_than_64_periods_are_refused()
    {
        var points = Enumerable.Range(0, 65).Select(i => (i, PollingRig.At(i), TimeSpan.FromSeconds(i + 1)));
        Assert.Contains("65 different periods", Assert.Throws<ArgumentException>(() => new DevicePlanner(points, new(125, false), Line)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(QualityReason.None, 0, ReadOutcome.Good)]
    [InlineData(QualityReason.DeviceException, 1, ReadOutcome.IllegalAddress)]
    [InlineData(QualityReason.DeviceException, 2, ReadOutcome.IllegalAddress)]
    [InlineData(QualityReason.DeviceException, 3, ReadOutcome.IllegalQuantity)]
    [InlineData(QualityReason.DeviceException, 4, ReadOutcome.DeviceFailure)]
    [InlineData(QualityReason.DeviceException, 5, ReadOutcome.Noise)]
    [InlineData(QualityReason.DeviceException, 6, ReadOutcome.Noise)]
    [InlineData(QualityReason.DeviceException, 0x0B, ReadOutcome.Noise)]
    [InlineData(QualityReason.ShortReply, 0, ReadOutcome.ShortReply)]
    [InlineData(QualityReason.Timeout, 0, ReadOutcome.Unanswered)]
    [InlineData(QualityReason.CorruptFrame, 0, ReadOutcome.Noise)]
    [InlineData(QualityReason.NotConnected, 0, ReadOutcome.Noise)]
    public void Only_what_a_device_says_of_a_request_is_evidence(QualityReason reason, byte detail, ReadOutcome outcome) => // V1.1b3, 7
        Assert.Equal(outcome, ReadOutcomes.Of(reason, detail));
}
