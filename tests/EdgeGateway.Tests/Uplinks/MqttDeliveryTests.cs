using EdgeGateway.Core;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Outbox;
using EdgeGateway.Protocols.Mqtt;
using EdgeGateway.Tests.Shared;
using EdgeGateway.Uplinks;
using EdgeGateway.Uplinks.Mqtt;

namespace EdgeGateway.Tests.Uplinks;

public class MqttDeliveryTests
{
    private static readonly PublishOutcome Delivered = Outcome(PublishStatus.Delivered, MqttReasonCode.Success);
    private static readonly PublishOutcome Refused = Outcome(PublishStatus.Refused, MqttReasonCode.NotAuthorized);
    private static readonly PublishOutcome TooLarge = Outcome(PublishStatus.TooLarge, MqttReasonCode.PacketTooLarge);
    private static readonly PublishOutcome Busy = Outcome(PublishStatus.Retry, MqttReasonCode.QuotaExceeded);
    private static readonly PublishOutcome Suspect = Outcome(PublishStatus.Suspect, MqttReasonCode.UnspecifiedError);
    private static readonly PublishOutcome SessionLost = Outcome(PublishStatus.SessionLost, MqttReasonCode.UnspecifiedError);

    private readonly MemoryOutbox _outbox = new();
    private readonly List<OutboxRow> _births = [];
    private TimeSpan _now;

    [Fact]
    public void Live_rows_overtake_history_and_each_lane_stays_in_order()
    {
        Rows(30, 60_000);
        var delivery = Connected();
        var left = Send(delivery, 3);
        _outbox.Add();
        _outbox.Add();
        left.AddRange(Send(delivery, 2));

        Assert.Equal([(1, FeedLane.History), (31, FeedLane.Live), (32, FeedLane.Live)],
            left.Select(h => (h.Row.Id, h.Lane)).Where(x => x.Id is 1 or > 30));
        Assert.Equal(left.Where(h => h.Lane == FeedLane.History).Select(h => h.Row.Id).Order(), left.Where(h => h.Lane == FeedLane.History).Select(h => h.Row.Id));
    }

    [Fact]
    public void History_waits_for_its_pace_and_says_how_long()
    {
        Rows(3, 60_000);
        var delivery = Connected();
        Assert.Single(Send(delivery, 10));
        delivery.Next(_now, out var wait);

        Assert.InRange(wait!.Value.TotalSeconds, 0.65, 0.7);
        _now += wait.Value;
        Assert.Single(Send(delivery, 10));
    }

    [Fact]
    public void In_order_means_strictly_oldest_first()
    {
        Rows(3);
        _outbox.Add(FeedStream.State, subtopic: "meter");
        Rows(2);
        var delivery = Connected(inOrder: true);
        _outbox.Add();

        Assert.Equal([(1, 3), (4, 1), (5, 2), (7, 1)], SendAll(delivery).Select(h => (h.Row.Id, h.Row.Count)));
    }

    [Fact]
    public void In_order_nothing_overtakes_a_row_that_waits_for_another_try()
    {
        Rows(2);
        var delivery = Connected(inOrder: true, window: 1);
        delivery.Settled(Send(delivery, 1)[0], Busy, _now);

        Assert.Null(delivery.Next(_now, out var wait));
        _now += wait!.Value;
        Assert.Equal([1], Send(delivery, 5).Select(h => h.Row.Id));
    }

    [Fact]
    public void No_more_is_in_flight_than_the_server_allows_and_never_more_than_20()
    {
        var (narrow, wide) = (Connected(window: 7), Connected(window: 65_535));
        Rows(100);
        Assert.Equal(7, Send(narrow, 100).Count);
        Assert.Equal(20, Send(wide, 100).Count);
    }

    [Fact]
    public void Nothing_leaves_the_outbox_without_an_acknowledgement()
    {
        var delivery = Connected();
        Rows(3);
        var left = Send(delivery, 3);
        Assert.Empty(_outbox.Acknowledged("centre"));

        delivery.Settled(left[1], Delivered, _now);
        Assert.Equal([2], _outbox.Acknowledged("centre"));
        Assert.Equal(2, delivery.Backlog);
    }

    [Fact]
    public void A_row_refused_three_times_is_set_aside_and_the_rest_flows()
    {
        var delivery = Connected();
        Rows(2);
        var left = Send(delivery, 2);
        delivery.Settled(left[1], Delivered, _now);
        for (var i = 0; i < 2; i++)
        {
            delivery.Settled(left[0], Refused, _now);
            Assert.Empty(_outbox.Quarantined);
            _now += TimeSpan.FromMinutes(1);
            Assert.Same(left[0], Assert.Single(Send(delivery, 1)));
        }

        Assert.Contains("refused 3 times", delivery.Settled(left[0], Refused, _now), StringComparison.Ordinal);
        Assert.Equal(1, Assert.Single(_outbox.Quarantined).Row);
        Assert.Equal((1L, 0L), (delivery.Quarantined, delivery.Backlog));
        Assert.True(delivery.IsIdle);
    }

    [Fact]
    public void A_row_too_large_for_the_server_is_set_aside_at_once()
    {
        Rows(1);
        var delivery = Connected();
        delivery.Settled(Send(delivery, 1)[0], Outcome(PublishStatus.TooLarge, MqttReasonCode.PacketTooLarge), _now);

        Assert.Contains("too large", Assert.Single(_outbox.Quarantined).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_row_too_large_for_the_server_goes_in_smaller_messages_and_leaves_the_outbox_with_the_last()
    {
        _outbox.Add(bytes: 100, records: 10);
        var delivery = Connected();
        Assert.Null(delivery.Settled(Send(delivery, 1)[0], TooLarge, _now));
        var parts = Send(delivery, 9);
        Assert.Null(delivery.Settled(parts[0], TooLarge, _now));
        parts = [.. Send(delivery, 9), .. parts[1..]];

        Assert.InRange(parts.Count, 3, 5);
        Assert.Equal(Enumerable.Range(1, 10), parts.SelectMany(p => Enumerable.Range((int)p.Row.FirstSequence, p.Row.Count)));
        foreach (var part in parts)
        {
            Assert.Empty(_outbox.Acknowledged("centre"));
            Assert.False(delivery.IsIdle);
            delivery.Settled(part, Delivered, _now);
        }

        Assert.Equal([1], _outbox.Acknowledged("centre"));
        Assert.Equal((0L, 1L, true), (delivery.Backlog, delivery.Acknowledged, delivery.IsIdle));
        Assert.Empty(_outbox.Quarantined);
    }

    [Fact]
    public void A_single_record_too_large_sets_its_row_aside_once_the_others_have_arrived()
    {
        _outbox.Add(bytes: 100, records: 4);
        var delivery = Connected();
        delivery.Settled(Send(delivery, 1)[0], TooLarge, _now);
        var delivered = 0;
        while (Send(delivery, 1) is [var part])
        {
            Assert.Empty(_outbox.Quarantined);
            var isLarge = part.Row.FirstSequence <= 2 && part.Row.FirstSequence + part.Row.Count > 2;
            delivered += isLarge ? 0 : part.Row.Count;
            delivery.Settled(part, isLarge ? TooLarge : Delivered, _now);
        }

        Assert.Equal(3, delivered);
        Assert.Contains("record 2 alone is too large", Assert.Single(_outbox.Quarantined).Reason, StringComparison.Ordinal);
        Assert.Empty(_outbox.Acknowledged("centre"));
        Assert.Equal((0L, 1L, 0L), (delivery.Backlog, delivery.Quarantined, delivery.Acknowledged));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_the_server_takes_at_most_is_known_before_and_the_parts_keep_their_order(bool inOrder)
    {
        _outbox.Add(bytes: 500, records: 40);
        _outbox.Add();
        var delivery = Connected(inOrder);
        delivery.Begin(resumed: false, 20, _now, maxPacket: 6_000);
        var sent = new List<Held>();
        for (var i = 0; i < 100; i++)
        {
            sent.AddRange(SendAll(delivery));
            _now += TimeSpan.FromMilliseconds(100);
        }

        Assert.All(sent, held => Assert.InRange(held.Row.Body.Length, 1, 6_000 - MqttDelivery.RoomAroundRecords));
        Assert.Equal(Enumerable.Range(1, 41), sent.SelectMany(p => Enumerable.Range((int)p.Row.FirstSequence, p.Row.Count)));
        Assert.Equal([1, 2], _outbox.Acknowledged("centre"));
    }

    [Fact]
    public void Parts_of_a_session_that_was_lost_are_forgotten_and_the_row_is_sent_anew()
    {
        _outbox.Add(bytes: 100, records: 8);
        var delivery = Connected();
        delivery.Settled(Send(delivery, 1)[0], TooLarge, _now);
        var parts = Send(delivery, 9);
        delivery.Settled(parts[0], Delivered, _now);
        foreach (var part in parts[1..])
        {
            delivery.Settled(part, SessionLost, _now);
        }

        delivery.Begin(resumed: false, 20, _now);
        var again = Assert.Single(Send(delivery, 9));
        Assert.Equal((1, 8), (again.Row.FirstSequence, again.Row.Count));
        delivery.Settled(again, Delivered, _now);
        Assert.Equal([1], _outbox.Acknowledged("centre"));
    }

    [Fact]
    public void A_server_that_turns_out_to_keep_no_messages_gets_the_row_unretained()
    {
        _outbox.Add(FeedStream.State, subtopic: "meter", retain: true);
        var delivery = Connected();
        var held = Send(delivery, 1)[0];
        var outcome = Outcome(PublishStatus.Refused, MqttReasonCode.RetainNotSupported);
        Assert.Null(delivery.Settled(held, outcome, _now));
        Assert.Same(held, Send(delivery, 1)[0]);
        Assert.Equal((true, 0), (held.IsUnretained, held.Refusals));
        Assert.NotNull(delivery.Settled(held, outcome, _now));
        Assert.Equal(1, held.Refusals);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_suspect_is_set_aside_when_the_server_takes_others_and_three_times_not_it(bool inOrder)
    {
        var delivery = Connected(inOrder, window: 2);
        Rows(4);
        var left = Send(delivery, 2);
        delivery.Settled(left[0], Delivered, _now);
        delivery.Settled(left[1], Suspect, _now);
        for (var drop = 0; drop < MqttDelivery.MaxProvenDrops; drop++)
        {
            Assert.Empty(_outbox.Quarantined);
            delivery.Begin(resumed: false, 2, _now);

            // What was taken before shows that the server still takes something; it settles nothing a second time.
            var probe = Assert.Single(Send(delivery, 5));
            Assert.Equal((1, true), (probe.Row.Id, probe.IsProbe));
            delivery.Settled(probe, Delivered, _now);
            var suspect = Assert.Single(Send(delivery, 5));
            Assert.Equal((2, false), (suspect.Row.Id, suspect.IsProbe));
            delivery.Settled(suspect, Suspect, _now);
        }

        var (_, row, reason) = Assert.Single(_outbox.Quarantined);
        Assert.Equal(2, row);
        Assert.EndsWith("and takes others", reason, StringComparison.Ordinal);
        Assert.Equal([1], _outbox.Acknowledged("centre"));
        delivery.Begin(resumed: false, 2, _now);
        Assert.Equal([(3, 2)], Send(delivery, 5).Select(h => (h.Row.FirstSequence, h.Row.Count)));
    }

    [Theory]
    [InlineData(false, 4)]
    [InlineData(true, 4)]
    [InlineData(false, 20)]
    [InlineData(true, 60)]
    public void A_bad_row_that_chance_hides_among_others_is_found_in_a_dozen_connections(bool inOrder, int bad)
    {
        var births = new MemoryOutbox();
        _births.Add(births.Add(FeedStream.Birth, subtopic: "meter", retain: true));
        _births.Add(births.Add(FeedStream.Birth, subtopic: "pump", retain: true));
        Apart(80);
        var delivery = Connected(inOrder, pace: 10_000_000);
        var arrived = new List<Held>();
        var acknowledgedLast = 0;

        // Who is first in flight when the connection ends is never the same three times running, as long as more than one is.
        var connections = Hung(delivery, arrived, held => held.Wholes.Any(whole => whole.Row.Id == bad), before => acknowledgedLast = Math.Min(before, 1 - acknowledgedLast));
        Assert.InRange(connections, 6, 12);
        Assert.Equal(bad, Assert.Single(_outbox.Quarantined).Row);
        Assert.Equal(Enumerable.Range(1, 80).Select(i => (long)i).Where(i => i != bad), _outbox.Acknowledged("centre").Order());
        Assert.Equal(arrived.Where(IsRow).Select(h => h.Row.Id).Order(), arrived.Where(IsRow).Select(h => h.Row.Id));
    }

    [Fact]
    public void A_bad_row_is_found_in_two_dozen_connections_whatever_is_acknowledged_before_them_ends()
    {
        for (var seed = 0; seed < 200; seed++)
        {
            var chance = new Random(seed);
            var test = new MqttDeliveryTests();
            test._births.Add(new MemoryOutbox().Add(FeedStream.Birth, subtopic: "meter", retain: true));
            test.Apart(chance.Next(30));
            test.Rows(chance.Next(1, 20));
            test.Apart(chance.Next(30));
            var bad = chance.Next(1, (int)test._outbox.LastRowId + 1);
            var delivery = test.Connected(inOrder: chance.Next(2) == 0, window: chance.Next(2, 21), pace: 10_000_000);
            var connections = test.Hung(delivery, [], held => held.Wholes.Any(whole => whole.Row.Id == bad), before => chance.Next(before + 1));
            Assert.InRange(connections, 3, 24);
            Assert.True(test._outbox.Quarantined is [var only] && only.Row == bad, $"seed {seed}");
            Assert.Equal(0, delivery.Backlog);
        }
    }

    [Fact]
    public void A_link_that_breaks_off_again_and_again_is_used_in_full_as_long_as_rows_arrive_in_between()
    {
        Apart(2_000);
        var delivery = Connected(pace: 10_000_000);
        for (var connection = 0; connection < 30; connection++)
        {
            var sent = Send(delivery, 99);
            Assert.Equal(20, sent.Count);
            for (var trip = 0; trip < 2; trip++)
            {
                sent.ForEach(held => delivery.Settled(held, Delivered, _now));
                sent = Send(delivery, 99);
                Assert.Equal(20, sent.Count);
            }

            End(delivery, sent, []);
        }

        Assert.Empty(_outbox.Quarantined);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_was_under_way_whenever_a_server_hung_up_goes_alone_and_all_else_together_once_it_is_well(bool inOrder)
    {
        Apart(100);
        var delivery = Connected(inOrder, pace: 10_000_000);
        var drops = new Dictionary<long, int>();
        for (var connection = 0; connection < DropWatch.EndsInARow; connection++)
        {
            // The first row arrives, so that nobody is first in flight three times.
            var sent = Send(delivery, 99);
            Assert.Equal(20, sent.Count);
            delivery.Settled(sent[0], Delivered, _now);
            End(delivery, sent[1..], drops);
        }

        // 4 to 20 were under way each time, 21 to 23 not.
        for (var row = 4; row <= 20; row++)
        {
            Assert.True(delivery.NeedsQuiet);
            var alone = Assert.Single(Send(delivery, 99));
            Assert.Equal((row, true), (alone.Row.Id, alone.IsAlone));
            delivery.Settled(alone, Delivered, _now);
        }

        Assert.False(delivery.NeedsQuiet);
        Assert.Equal(Enumerable.Range(21, 20).Select(i => (long)i), Send(delivery, 99).Select(h => h.Row.Id));
        Assert.Empty(_outbox.Quarantined);
    }

    [Fact]
    public void Live_rows_that_come_faster_than_they_leave_do_not_keep_a_suspect_from_its_turn()
    {
        var delivery = Connected();
        Rows(1);
        SendAll(delivery);
        Rows(1);
        delivery.Settled(Assert.Single(Send(delivery, 9)), Suspect, _now);
        delivery.Begin(resumed: false, 20, _now);
        var order = new List<long>();
        for (var i = 0; i < 4; i++)
        {
            _now += TimeSpan.FromSeconds(1);
            Rows(2);
            var next = Assert.Single(Send(delivery, 9));
            order.Add(next.Row.Id);
            delivery.Settled(next, Delivered, _now);
        }

        Assert.Equal([3, 2, 4, 5], order);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_server_that_hangs_up_at_everything_has_nothing_set_aside_and_all_arrives_in_order_once_it_is_well(bool inOrder)
    {
        var births = new MemoryOutbox();
        _births.Add(births.Add(FeedStream.Birth, subtopic: "meter", retain: true));
        _births.Add(births.Add(FeedStream.Birth, subtopic: "pump", retain: true));
        var delivery = Connected(inOrder);
        Rows(2);
        SendAll(delivery);
        Rows(6);
        _outbox.Add(FeedStream.Sample);
        Rows(6);

        // The client blames what was first in flight, at each drop after the third.
        var drops = new Dictionary<long, int>();
        for (var i = 0; i < 200; i++)
        {
            _now += TimeSpan.FromMinutes(1);
            var sent = Send(delivery, 99);
            var head = sent.Count > 0 ? sent[0].MessageKey : 0;
            drops = new() { [head] = drops.GetValueOrDefault(head) + 1 };
            var isSuspect = drops[head] >= 3;
            for (var each = 0; each < sent.Count; each++)
            {
                delivery.Settled(sent[each], isSuspect && each == 0 ? Suspect : SessionLost, _now);
            }

            delivery.Begin(resumed: false, 20, _now);
            Assert.Empty(_outbox.Quarantined);
        }

        var arrived = new List<Held>();
        for (var i = 0; i < 50; i++)
        {
            arrived.AddRange(SendAll(delivery));
            _now += TimeSpan.FromSeconds(10);
        }

        Assert.Empty(_outbox.Quarantined);
        Assert.Equal(Enumerable.Range(1, 15).Select(i => (long)i), _outbox.Acknowledged("centre").Order());
        var rows = arrived.Where(h => !h.IsProbe && h.Row.Stream == FeedStream.Summary).ToList();
        Assert.Equal(Enumerable.Range(3, 12), rows.SelectMany(h => Enumerable.Range((int)h.Row.FirstSequence, h.Row.Count)));
        Assert.Equal(["meter", "pump"], arrived.Where(h => h.Row.Stream == FeedStream.Birth && !h.IsProbe).Select(h => h.Row.Subtopic!).Order());
    }

    [Fact]
    public void A_connection_that_ends_at_another_message_too_speaks_for_the_suspect()
    {
        var delivery = Connected(inOrder: true);
        Rows(1);
        SendAll(delivery);
        Rows(1);
        delivery.Settled(Assert.Single(Send(delivery, 9)), Suspect, _now);
        for (var i = 0; i < 12; i++)
        {
            delivery.Begin(resumed: false, 20, _now);
            var probe = Assert.Single(Send(delivery, 9));
            Assert.True(probe.IsProbe);
            if (i % MqttDelivery.MaxProvenDrops == 0)
            {
                delivery.Settled(probe, SessionLost, _now);
                continue;
            }

            delivery.Settled(probe, Delivered, _now);
            delivery.Settled(Assert.Single(Send(delivery, 9)), Suspect, _now);
        }

        Assert.Empty(_outbox.Quarantined);
        delivery.Begin(resumed: false, 20, _now);
        SendAll(delivery);
        Assert.Equal([1, 2], _outbox.Acknowledged("centre"));
    }

    [Fact]
    public void A_suspect_without_anything_else_to_send_stays_in_the_queue()
    {
        Rows(1);
        var delivery = Connected(inOrder: true);
        for (var i = 0; i < 50; i++)
        {
            var only = Assert.Single(Send(delivery, 9));
            Assert.Equal((1, false), (only.Row.Id, only.IsProbe));
            delivery.Settled(only, Suspect, _now);
            delivery.Begin(resumed: false, 20, _now);
        }

        Assert.Empty(_outbox.Quarantined);

        // A live row would let it be seen, and would overtake it where order is wanted.
        Rows(1);
        Assert.Equal(1, Assert.Single(Send(delivery, 9)).Row.Id);
    }

    [Theory]
    [InlineData(20)]
    [InlineData(1)]
    public void A_suspect_that_nothing_can_speak_for_or_against_lets_a_live_row_go_first(int window)
    {
        Rows(2);
        var delivery = Connected(window: window);

        // Nothing was taken since the start, and no device is announced: the second drop told as little as the first.
        for (var i = 0; i < 2; i++)
        {
            var suspect = Assert.Single(Send(delivery, 9));
            Assert.Equal(1, suspect.Row.FirstSequence);
            delivery.Settled(suspect, Suspect, _now);
            delivery.Begin(resumed: false, window, _now);
        }

        Assert.Empty(Send(delivery, 9));
        Rows(1);
        for (var drop = 0; drop < MqttDelivery.MaxProvenDrops; drop++)
        {
            Assert.Empty(_outbox.Quarantined);
            var witness = Assert.Single(Send(delivery, 9));
            Assert.Equal((3, FeedLane.Live, drop > 0), (witness.Row.Id, witness.Lane, witness.IsProbe));
            delivery.Settled(witness, Delivered, _now);
            var suspect = Assert.Single(Send(delivery, 9));
            Assert.Equal((1, false), (suspect.Row.Id, suspect.IsProbe));
            delivery.Settled(suspect, Suspect, _now);
            delivery.Begin(resumed: false, window, _now);
        }

        var (_, row, reason) = Assert.Single(_outbox.Quarantined);
        Assert.Equal(1, row);
        Assert.EndsWith("and takes others", reason, StringComparison.Ordinal);
        Assert.Equal([(2, 1)], SendAll(delivery).Where(h => !h.IsProbe).Select(h => (h.Row.FirstSequence, h.Row.Count)));
    }

    [Fact]
    public void A_suspect_waits_for_a_live_row_for_a_minute_at_most()
    {
        Rows(2);
        var delivery = Connected();
        for (var i = 0; i < 2; i++)
        {
            delivery.Settled(Assert.Single(Send(delivery, 9)), Suspect, _now);
            delivery.Begin(resumed: false, 20, _now);
        }

        Assert.Null(delivery.Next(_now, out var wait));
        Assert.Equal(TimeSpan.FromMinutes(1), wait!.Value);
        _now += wait.Value;
        var suspect = Assert.Single(Send(delivery, 9));
        Assert.Equal(1, suspect.Row.Id);
        delivery.Settled(suspect, Delivered, _now);
        Assert.Equal([2], SendAll(delivery).Select(h => h.Row.Id));
        Assert.Empty(_outbox.Quarantined);
    }

    [Fact]
    public void A_stream_that_was_taken_before_is_judged_by_its_own_rows()
    {
        var delivery = Connected();
        _outbox.Add(FeedStream.Sample);
        SendAll(delivery);
        _outbox.Add(FeedStream.Sample);
        delivery.Settled(Assert.Single(Send(delivery, 9)), Suspect, _now);
        for (var i = 0; i < 9; i++)
        {
            delivery.Begin(resumed: false, 20, _now);

            // The server takes summaries and no sample at all: nothing is wrong with this one.
            Rows(1);
            var summary = Assert.Single(Send(delivery, 9));
            Assert.Equal(FeedStream.Summary, summary.Row.Stream);
            delivery.Settled(summary, Delivered, _now);
            var probe = Assert.Single(Send(delivery, 9));
            Assert.Equal((FeedStream.Sample, 1, true), (probe.Row.Stream, probe.Row.FirstSequence, probe.IsProbe));
            delivery.Settled(probe, SessionLost, _now);
        }

        Assert.Empty(_outbox.Quarantined);
    }

    [Fact]
    public void A_probe_at_which_the_connection_ends_as_well_does_not_keep_the_suspect_back_for_ever()
    {
        var delivery = Connected(inOrder: true);
        Rows(1);
        SendAll(delivery);
        Rows(2);

        // What was taken once is too much for this server, and so seems every row.
        foreach (var held in Send(delivery, 9))
        {
            delivery.Settled(held, held.Row.Id == 2 ? Suspect : SessionLost, _now);
        }

        for (var i = 0; i < 12; i++)
        {
            delivery.Begin(resumed: false, 20, _now);
            var sent = Assert.Single(Send(delivery, 9));
            Assert.Equal((i % 2 == 0 ? 1 : 2, i % 2 == 0), (sent.Row.Id, sent.IsProbe));
            delivery.Settled(sent, Suspect, _now);
        }

        Assert.Empty(_outbox.Quarantined);
        delivery.Begin(resumed: false, 20, _now);
        delivery.Settled(Assert.Single(Send(delivery, 9)), Suspect, _now);
        delivery.Begin(resumed: false, 20, _now);
        Assert.Equal([2, 3], SendAll(delivery).Select(h => h.Row.Id));
        Assert.Equal([1, 2, 3], _outbox.Acknowledged("centre"));
    }

    [Fact]
    public void Nothing_leaves_between_a_suspicion_and_the_session_that_begins_anew()
    {
        var delivery = Connected(window: 2);
        Rows(4);
        var left = Send(delivery, 2);
        delivery.Settled(left[0], Suspect, _now);
        delivery.Settled(left[1], SessionLost, _now);
        Assert.Empty(Send(delivery, 9));
        delivery.Begin(resumed: false, 2, _now);
        Assert.Equal(1, Assert.Single(Send(delivery, 9)).Row.Id);
    }

    [Fact]
    public void Nothing_of_its_lane_overtakes_a_suspect_that_the_server_puts_off()
    {
        var delivery = Connected();
        Rows(3);
        foreach (var held in Send(delivery, 9))
        {
            delivery.Settled(held, held.Row.Id == 1 ? Suspect : SessionLost, _now);
        }

        delivery.Begin(resumed: false, 20, _now);
        var suspect = Assert.Single(Send(delivery, 9));
        Assert.Equal(1, suspect.Row.Id);
        delivery.Settled(suspect, Busy, _now);
        Assert.Null(delivery.Next(_now, out var wait));
        Assert.InRange(wait!.Value, TimeSpan.FromSeconds(0.5), TimeSpan.FromSeconds(2));

        // The lane of live rows has an order of its own.
        _outbox.Add();
        var live = Assert.Single(Send(delivery, 9));
        Assert.Equal((4, FeedLane.Live), (live.Row.Id, live.Lane));
        delivery.Settled(live, Delivered, _now);
        Assert.Empty(Send(delivery, 9));
        _now += wait.Value;
        Assert.Same(suspect, Assert.Single(Send(delivery, 9)));
        delivery.Settled(suspect, Delivered, _now);
        _now += TimeSpan.FromSeconds(10);
        Assert.Equal([(2, 2)], SendAll(delivery).Select(h => (h.Row.FirstSequence, h.Row.Count)));
    }

    [Fact]
    public void A_birth_that_is_suspected_lets_rows_go_first_and_is_left_out_when_they_arrive_and_it_does_not()
    {
        _births.Add(new MemoryOutbox().Add(FeedStream.Birth, subtopic: "meter", retain: true));
        var delivery = Connected();
        delivery.Settled(Assert.Single(Send(delivery, 9)), Suspect, _now);
        for (var drop = 0; drop < MqttDelivery.MaxProvenDrops; drop++)
        {
            Rows(1);
            delivery.Begin(resumed: false, 20, _now);
            var row = Assert.Single(Send(delivery, 9));
            Assert.Equal(FeedStream.Summary, row.Row.Stream);
            delivery.Settled(row, Delivered, _now);
            var birth = Assert.Single(Send(delivery, 9));
            Assert.Equal(FeedStream.Birth, birth.Row.Stream);
            delivery.Settled(birth, Suspect, _now);
        }

        delivery.Begin(resumed: false, 20, _now);
        Assert.Empty(Send(delivery, 9));
        Assert.Equal([1, 2, 3], _outbox.Acknowledged("centre"));
    }

    [Fact]
    public void A_server_that_takes_nothing_does_not_fill_the_memory()
    {
        var delivery = Connected();
        Rows(500);
        var seen = new HashSet<long>();
        for (var i = 0; i < 200; i++)
        {
            foreach (var held in Send(delivery, 100))
            {
                seen.Add(held.Row.Id);
                delivery.Settled(held, Busy, _now);
            }

            _now += TimeSpan.FromSeconds(1);
        }

        Assert.Equal(20, seen.Count);
        Assert.Empty(_outbox.Quarantined);
    }

    [Fact]
    public void What_the_server_puts_off_is_tried_again_later_and_slower()
    {
        Rows(1);
        var delivery = Connected();
        var held = Send(delivery, 1)[0];
        delivery.Settled(held, Busy, _now);
        delivery.Next(_now, out var first);
        _now += first!.Value;
        delivery.Settled(Send(delivery, 1)[0], Busy, _now);
        delivery.Next(_now, out var second);

        Assert.True(second > first);
        Assert.True(delivery.Pace.BytesPerSecond < BackfillPace.Slowest);
    }

    [Fact]
    public void A_new_session_announces_the_devices_and_begins_at_the_oldest_row_that_is_not_acknowledged()
    {
        _births.Add(new MemoryOutbox().Add(FeedStream.Birth, subtopic: "meter", retain: true));
        var delivery = Connected();
        Rows(4);
        var left = Send(delivery, 5);
        Assert.Equal(FeedStream.Birth, left[0].Row.Stream);
        delivery.Settled(left[0], Delivered, _now);
        delivery.Settled(left[2], Delivered, _now);
        foreach (var held in left.Where(h => h != left[0] && h != left[2]))
        {
            delivery.Settled(held, SessionLost, _now);
        }

        delivery.Begin(resumed: false, 20, _now);

        Assert.Equal([(FeedStream.Birth, 1L, 1), (FeedStream.Summary, 1L, 1), (FeedStream.Summary, 3L, 2)],
            Send(delivery, 9).Select(h => (h.Row.Stream, h.Row.FirstSequence, h.Row.Count)));
        Assert.Equal([2], _outbox.Acknowledged("centre"));
    }

    [Fact]
    public void A_resumed_session_sends_nothing_twice_that_is_still_in_flight()
    {
        var delivery = Connected();
        Rows(4);
        Send(delivery, 2);
        delivery.Begin(resumed: true, 20, _now);

        Assert.Equal((3, 2), Send(delivery, 9).Select(h => (h.Row.Id, h.Row.Count)).Single());
    }

    [Fact]
    public void History_stays_where_it_is_when_the_program_stops_and_live_rows_still_leave()
    {
        Rows(3);
        var delivery = Connected();
        delivery.IsStopping = true;
        _outbox.Add();

        Assert.False(delivery.IsIdle);
        var held = Assert.Single(Send(delivery, 9));
        Assert.Equal(4, held.Row.Id);
        delivery.Settled(held, Delivered, _now);
        Assert.True(delivery.IsIdle);
    }

    [Fact]
    public void Small_rows_of_the_history_travel_together_and_are_acknowledged_together()
    {
        for (var i = 0; i < 30; i++)
        {
            _outbox.Add(FeedStream.Sample, bytes: 50, records: 20);
            _outbox.Add(FeedStream.Summary);
        }

        var delivery = Connected(pace: 10_000_000);
        var left = Send(delivery, 99);

        // 500 samples, the 30 summaries, and what is left of the samples: a stream may overtake another, never itself.
        Assert.Equal([(FeedStream.Sample, 1, 500), (FeedStream.Summary, 1, 30), (FeedStream.Sample, 501, 100)], left.Select(h => (h.Row.Stream, h.Row.FirstSequence, h.Row.Count)));
        Assert.All(left, h => Assert.Equal(h.Row.Count, FeedMessages.Read(h.Row).Records.Count));
        Assert.Empty(_outbox.Acknowledged("centre"));
        delivery.Settled(left[0], Delivered, _now);
        Assert.Equal(Enumerable.Range(0, 25).Select(i => (2L * i) + 1), _outbox.Acknowledged("centre"));
        delivery.Settled(left[2], Delivered, _now);
        delivery.Settled(left[1], Delivered, _now);
        Assert.Equal((0L, 60L, true), (delivery.Backlog, delivery.Acknowledged, delivery.IsIdle));
    }

    [Fact]
    public void Live_rows_are_not_joined_and_no_message_of_the_history_is_larger_than_64_KiB()
    {
        Rows(40, 5_000);
        var delivery = Connected();
        delivery.Pace.LiveSent(100_000_000, _now);
        Rows(3);
        var left = Send(delivery, 99);

        Assert.Equal([1, 1, 1], left.Where(h => h.Lane == FeedLane.Live).Select(h => h.Row.Count));
        Assert.All(left, h => Assert.InRange(h.Row.Body.Length, 1, 64 * 1024));
        Assert.Contains(left, h => h.Row.Count == 13);
    }

    [Fact]
    public void One_bad_row_among_joined_ones_is_set_aside_alone()
    {
        Rows(5);
        var delivery = Connected();
        delivery.Settled(Assert.Single(Send(delivery, 99)), Refused, _now);
        for (var round = 0; round < 3; round++)
        {
            _now += TimeSpan.FromMinutes(2);
            foreach (var held in Send(delivery, 99))
            {
                Assert.Equal(1, held.Row.Count);
                delivery.Settled(held, held.Row.Id == 3 ? Refused : Delivered, _now);
            }
        }

        Assert.Equal(3, Assert.Single(_outbox.Quarantined).Row);
        Assert.Equal([1, 2, 4, 5], _outbox.Acknowledged("centre").Order());
        Assert.Equal((0L, true), (delivery.Backlog, delivery.IsIdle));
    }

    [Fact]
    public void Joined_rows_that_are_too_large_together_go_one_by_one_in_their_order()
    {
        Rows(5);
        var delivery = Connected();
        Assert.Null(delivery.Settled(Assert.Single(Send(delivery, 99)), TooLarge, _now));
        var left = Send(delivery, 99);

        Assert.Equal([1, 2, 3, 4, 5], left.Select(h => h.Row.Id));
        left.ForEach(h => delivery.Settled(h, Delivered, _now));
        Assert.True(delivery.IsIdle);
    }

    [Fact]
    public void Joined_rows_at_which_the_connection_breaks_go_one_by_one_alone()
    {
        Rows(3);
        var delivery = Connected();
        delivery.Settled(Assert.Single(Send(delivery, 99)), Suspect, _now);
        var order = new List<(long Row, bool IsProbe)>();
        for (var i = 0; i < 20; i++)
        {
            if (Send(delivery, 99) is not [var alone])
            {
                delivery.Begin(resumed: false, 20, _now += TimeSpan.FromSeconds(10));
                continue;
            }

            order.Add((alone.Row.Id, alone.IsProbe));
            delivery.Settled(alone, alone.Row.Id == 2 ? Suspect : Delivered, _now);
        }

        Assert.Equal([(1, false), (2, false), (1, true), (2, false), (1, true), (2, false), (1, true), (3, false)], order);
        Assert.Equal(2, Assert.Single(_outbox.Quarantined).Row);
        Assert.True(delivery.IsIdle);
    }

    [Fact]
    public void A_server_that_is_too_busy_gets_the_joined_rows_again_together()
    {
        Rows(5);
        var delivery = Connected();
        delivery.Settled(Assert.Single(Send(delivery, 99)), Busy, _now);
        _now += TimeSpan.FromMinutes(1);

        Assert.Equal(5, Assert.Single(Send(delivery, 99)).Row.Count);
    }

    [Fact]
    public void On_a_slow_link_live_rows_are_at_most_two_seconds_late_beside_history()
    {
        // 32 kB a second, first in first out, 100 ms each way: what is handed over waits for all that was handed over before.
        const double Rate = 32_000;
        Rows(400, 30_000);
        var delivery = Connected(pace: 10_000_000);
        var link = new Queue<(Held Held, TimeSpan Arrives, TimeSpan Sent)>();
        var free = TimeSpan.Zero;
        var late = new List<TimeSpan>();
        long history = 0;
        for (var second = 0; second < 240; second++)
        {
            _outbox.Add(bytes: 200);
            for (var step = 0; step < 100; step++)
            {
                _now += TimeSpan.FromMilliseconds(10);
                while (link.TryPeek(out var first) && first.Arrives + TimeSpan.FromMilliseconds(100) <= _now)
                {
                    link.Dequeue();
                    delivery.Settled(first.Held, Delivered, _now);
                    if (first.Held.Lane == FeedLane.Live && second > 60)
                    {
                        late.Add(first.Arrives - first.Sent);
                    }
                    else
                    {
                        history += first.Held.Bytes;
                    }
                }

                foreach (var held in Send(delivery, 99))
                {
                    free = (free > _now ? free : _now) + TimeSpan.FromSeconds(held.Bytes / Rate);
                    link.Enqueue((held, free + TimeSpan.FromMilliseconds(100), _now));
                }
            }
        }

        Assert.InRange(late.Count, 170, 180);
        Assert.InRange(late.Max().TotalSeconds, 0, 2);

        // And the link is used: more than half of what it can carry.
        Assert.InRange(history, 240 * Rate * 0.5, 240 * Rate);
    }

    [Fact]
    public void The_age_of_the_oldest_row_is_known_with_and_without_a_connection()
    {
        var delivery = Delivery();
        Assert.Null(delivery.Oldest);
        var oldest = Instant.UnixEpoch + TimeSpan.FromHours(1);
        var row = _outbox.Add(new MemoryOutbox().Add() with { Created = oldest });
        _outbox.Add(row with { Created = oldest + TimeSpan.FromHours(1), FirstSequence = 2 });
        Assert.Equal(oldest, delivery.Oldest);
        delivery.Begin(resumed: false, 1, _now);
        Assert.Equal(oldest, delivery.Oldest);
        var held = Assert.Single(Send(delivery, 9));
        Assert.Equal((2, oldest), (held.Row.Count, delivery.Oldest));
        delivery.Settled(held, Delivered, _now);
        Assert.Null(delivery.Oldest);
    }

    private static bool IsRow(Held held) => held.Wholes.Count > 0;

    /// <summary>Plays a server that hangs up at a message, and acknowledges of the messages sent together with it, and before it, as many as it is told.</summary>
    /// <param name="delivery">Begun.</param>
    /// <param name="arrived">Gets what is acknowledged, in order.</param>
    /// <param name="isBad">What the server does not survive.</param>
    /// <param name="acknowledges">How many of so many.</param>
    /// <returns>How many connections ended before nothing was left to be sent.</returns>
    private int Hung(MqttDelivery delivery, List<Held> arrived, Func<Held, bool> isBad, Func<int, int> acknowledges)
    {
        var drops = new Dictionary<long, int>();
        for (var connections = 0; ; connections++)
        {
            Assert.True(connections < 100, "a hundred connections, and it is not found");
            var sent = Send(delivery, 99);
            while (sent.Count > 0 && !sent.Exists(held => isBad(held)))
            {
                foreach (var held in sent)
                {
                    delivery.Settled(held, Delivered, _now);
                    arrived.Add(held);
                }

                _now += TimeSpan.FromSeconds(1);
                sent = Send(delivery, 99);
            }

            if (sent.Count == 0)
            {
                return connections;
            }

            var taken = sent[..acknowledges(sent.FindIndex(held => isBad(held)))];
            taken.ForEach(held => delivery.Settled(held, Delivered, _now));
            arrived.AddRange(taken);
            End(delivery, sent[taken.Count..], drops);
        }
    }

    /// <summary>The server ends the connection with messages in flight, and has forgotten the session when the next one begins. The client blames the first of them.</summary>
    /// <param name="delivery">Begun.</param>
    /// <param name="inFlight">At least one.</param>
    /// <param name="drops">How often in a row the client has blamed which.</param>
    private void End(MqttDelivery delivery, List<Held> inFlight, Dictionary<long, int> drops)
    {
        var head = inFlight[0].MessageKey;
        var count = drops.GetValueOrDefault(head) + 1;
        drops.Clear();
        drops[head] = count;
        if (count >= 3)
        {
            delivery.Settled(inFlight[0], Suspect, _now);
        }

        delivery.Dropped();
        foreach (var held in count >= 3 ? inFlight[1..] : inFlight)
        {
            delivery.Settled(held, SessionLost, _now);
        }

        _now += TimeSpan.FromSeconds(1);
        delivery.Begin(resumed: false, 20, _now);
    }

    private static PublishOutcome Outcome(PublishStatus status, MqttReasonCode code) => new(status, code, status.ToString());

    /// <summary>Rows that are never joined with others.</summary>
    private void Apart(int count)
    {
        for (var i = 0; i < count; i++)
        {
            _outbox.Add(FeedStream.State, subtopic: $"meter{_outbox.LastRowId}");
        }
    }

    private void Rows(int count, int bytes = 0)
    {
        for (var i = 0; i < count; i++)
        {
            _outbox.Add(bytes: bytes);
        }
    }

    private MqttDelivery Connected(bool inOrder = false, int window = 20, long? pace = null)
    {
        var delivery = Delivery(inOrder, pace);
        delivery.Begin(resumed: false, window, _now);
        return delivery;
    }

    private MqttDelivery Delivery(bool inOrder = false, long? pace = null)
    {
        var model = CentreUplink.Model with { InOrder = inOrder, BackfillBytesPerSecond = pace };
        return new MqttDelivery(model, CentreUplink.Context(_outbox, () => _births));
    }

    private List<Held> Send(MqttDelivery delivery, int most)
    {
        var sent = new List<Held>();
        while (sent.Count < most && delivery.Next(_now, out _) is { } held)
        {
            delivery.Handed(held, held.Row.Body.Length, _now);
            sent.Add(held);
        }

        return sent;
    }

    private List<Held> SendAll(MqttDelivery delivery)
    {
        var sent = new List<Held>();
        while (delivery.Next(_now, out _) is { } held)
        {
            delivery.Handed(held, held.Row.Body.Length, _now);
            delivery.Settled(held, Delivered, _now);
            sent.Add(held);
        }

        return sent;
    }
}
