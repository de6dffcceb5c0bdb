using EdgeGateway.Core;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Outbox;
using EdgeGateway.Uplinks.Hj212;

namespace EdgeGateway.Tests.Uplinks;

/// <summary>When a parcel that the platform does not take is at fault, and when the platform or the link is.</summary>
public class Hj212SuspectsTests
{
    private const string Hour = "2061";
    private const string Minute = "2051";

    private readonly Hj212Suspects _suspects = new();
    private readonly Hj212Parcel _other;
    private TimeSpan _now = TimeSpan.FromHours(1);
    private long _rows;

    public Hj212SuspectsTests() => _other = Parcel();

    private Hj212Parcel Parcel() => new(
        [],
        [new(new OutboxRow { Id = ++_rows, Stream = FeedStream.Summary, Epoch = 1, FirstSequence = _rows, Count = 1, Class = RowClass.Summary, Created = Instant.UnixEpoch, Body = "[]"u8.ToArray() })]);

    [Fact]
    public void What_is_refused_again_three_times_after_others_of_its_command_were_taken_is_never_taken()
    {
        var bad = Parcel();
        for (var time = 0; time < Hj212Suspects.MaxProven; time++)
        {
            _suspects.Taken(_other, Hour);
            Assert.Null(_suspects.Failed(bad, Hour, _now));
            Assert.Null(_suspects.Next(_now));
            _suspects.Taken(_other, Hour);
            Assert.Null(_suspects.Next(_now));
            _now += TimeSpan.FromSeconds(10);
            Assert.Same(bad, _suspects.Next(_now));
        }

        Assert.Same(bad, _suspects.Failed(bad, Hour, _now));
    }

    [Fact]
    public void What_was_taken_before_the_last_try_proves_nothing()
    {
        Hj212Parcel[] parcels = [.. Enumerable.Range(0, Hj212Suspects.Most).Select(_ => Parcel())];
        _suspects.Taken(_other, Hour);
        for (var time = 0; time < 100; time++)
        {
            // The platform takes nothing any more; each is tried in turn, and none of them is at fault.
            Assert.Null(_suspects.Failed(time < parcels.Length ? parcels[time] : _suspects.Blind(_now)!, Hour, _now));
            _now += TimeSpan.FromMinutes(5);
        }

        Assert.True(_suspects.IsFull(Hour));
    }

    [Fact]
    public void Others_of_another_command_prove_nothing()
    {
        var bad = Parcel();
        for (var time = 0; time < 10; time++)
        {
            _suspects.Taken(_other, Minute);
            Assert.Null(_suspects.Failed(bad, Hour, _now));
            _now += TimeSpan.FromMinutes(4);
            Assert.Null(_suspects.Next(_now));
        }
    }

    [Fact]
    public void What_was_taken_on_an_earlier_connection_proves_nothing()
    {
        var bad = Parcel();
        for (var time = 0; time < 10; time++)
        {
            _suspects.Taken(_other, Hour);
            _suspects.Begin();
            Assert.Null(_suspects.Failed(bad, Hour, _now));
        }
    }

    [Fact]
    public void Silence_speaks_against_a_parcel_only_when_the_next_is_answered()
    {
        var silent = Parcel();
        for (var time = 1; time < 10; time++)
        {
            _suspects.Taken(_other, Hour);
            _suspects.Unanswered(silent, Hour, _now);
            Assert.True(_suspects.IsDoubting);
            _suspects.Begin();
        }

        for (var time = 1; time < Hj212Suspects.MaxProven; time++)
        {
            _suspects.Unanswered(silent, Hour, _now);
            Assert.Null(_suspects.Taken(_other, Minute));
            Assert.Null(_suspects.Taken(_other, Hour));
        }

        _suspects.Unanswered(silent, Hour, _now);
        Assert.Same(silent, _suspects.Taken(_other, Hour));
    }

    [Fact]
    public void Without_a_witness_it_is_tried_again_after_a_pause_and_on_each_connection()
    {
        var one = Parcel();
        Assert.Null(_suspects.Failed(one, Hour, _now));
        Assert.Null(_suspects.Blind(_now));
        Assert.Same(one, _suspects.Blind(_now + Hj212Suspects.BlindPause));
        _suspects.Begin();
        Assert.Same(one, _suspects.Blind(_now));
        _suspects.Settled(one);
        Assert.Null(_suspects.Blind(_now + Hj212Suspects.BlindPause));
    }

    [Fact]
    public void No_more_than_a_handful_stand_aside()
    {
        for (var i = 0; i < Hj212Suspects.Most; i++)
        {
            Assert.False(_suspects.IsFull(Hour));
            _suspects.Failed(Parcel(), Hour, _now);
        }

        Assert.True(_suspects.IsFull(Hour));
    }

    [Fact]
    public void A_command_that_is_never_taken_leaves_the_others_their_places()
    {
        for (var i = 0; i < Hj212Suspects.Most; i++)
        {
            _suspects.Failed(Parcel(), Minute, _now);
        }

        Assert.True(_suspects.IsFull(Minute));
        Assert.False(_suspects.IsFull(Hour));
    }

    [Fact]
    public void The_own_packets_of_a_parcel_are_no_proof_against_it()
    {
        var half = Parcel();
        _suspects.Failed(half, Hour, _now);
        for (var time = 0; time < 10; time++)
        {
            // Its first packet is taken, its second is not.
            Assert.Null(_suspects.Taken(half, Hour));
            Assert.Null(_suspects.Failed(half, Hour, _now));
            Assert.Null(_suspects.Taken(half, Hour));
            _suspects.Unanswered(half, Hour, _now);
            Assert.Null(_suspects.Taken(half, Hour));
        }
    }

    [Fact]
    public void That_connections_end_at_a_parcel_is_no_proof_by_itself()
    {
        var unlucky = Parcel();
        for (var time = 0; time < 20; time++)
        {
            _suspects.Begin();
            _suspects.Taken(_other, Hour);
            Assert.Null(_suspects.Closed(unlucky, Hour, _now));

            // It ends elsewhere, too.
            _suspects.Begin();
            Assert.Null(_suspects.Closed(time % 2 == 0 ? null : Parcel(), Hour, _now));
            _now += TimeSpan.FromMinutes(1);
        }
    }

    [Fact]
    public void A_platform_that_ends_each_connection_after_the_same_number_of_packets_proves_nothing()
    {
        var second = Parcel();
        for (var time = 0; time < 10; time++)
        {
            _suspects.Begin();
            if (_suspects.Next(_now) == second)
            {
                // As the first of its connection it is taken.
                _suspects.Taken(second, Hour);
                _suspects.Settled(second);
                return;
            }

            _suspects.Taken(_other, Hour);
            Assert.Null(_suspects.Closed(second, Hour, _now));
        }

        Assert.Fail("it never went first");
    }

    [Fact]
    public void What_ends_a_connection_as_its_first_packet_three_times_while_others_are_taken_in_between_is_never_taken()
    {
        var bad = Parcel();
        for (var time = 1; time <= Hj212Suspects.MaxProven; time++)
        {
            _suspects.Begin();
            _suspects.Taken(_other, Hour);
            _now += TimeSpan.FromSeconds(10);
            Assert.Null(_suspects.Closed(bad, Hour, _now));
            _suspects.Begin();
            Assert.Same(bad, _suspects.Next(_now));

            // The first time nothing was taken since it was first seen: that does not count.
            if (_suspects.Closed(bad, Hour, _now) is { } proved)
            {
                Assert.Same(bad, proved);
                Assert.True(time >= Hj212Suspects.MaxProven);
                return;
            }
        }

        _suspects.Begin();
        _suspects.Taken(_other, Hour);
        _suspects.Closed(bad, Hour, _now);
        _suspects.Begin();
        Assert.Same(bad, _suspects.Closed(bad, Hour, _now));
    }

    [Fact]
    public void A_parcel_that_waits_for_a_witness_waits_no_longer_than_five_minutes()
    {
        var silent = Parcel();
        _suspects.Unanswered(silent, Hour, _now);
        Assert.Equal(_now + Hj212Suspects.LongestPause, _suspects.Latest);
        Assert.Null(_suspects.Taken(_other, Minute));
        Assert.False(_suspects.IsDoubting);
        Assert.Null(_suspects.Next(_now + Hj212Suspects.LongestPause - TimeSpan.FromSeconds(1)));
        Assert.Same(silent, _suspects.Next(_now + Hj212Suspects.LongestPause));
    }

    [Fact]
    public void Of_a_command_that_is_not_taken_one_is_tried_at_a_time_and_less_and_less_often()
    {
        _suspects.Failed(Parcel(), Minute, _now);
        _suspects.Failed(Parcel(), Minute, _now);
        var pause = Hj212Suspects.BlindPause;
        for (var time = 0; time < 4; time++)
        {
            _now += pause;
            Assert.Null(_suspects.Failed(_suspects.Blind(_now)!, Minute, _now));
            pause = time == 0 ? pause : pause * 2 < Hj212Suspects.LongestPause ? pause * 2 : Hj212Suspects.LongestPause;
            Assert.Null(_suspects.Blind(_now + pause - TimeSpan.FromSeconds(1)));
        }
    }

    [Fact]
    public void Each_reason_is_told_once_an_hour_however_they_alternate()
    {
        var told = new Hj212Told();
        Assert.Equal(2, Enumerable.Range(0, 100).Count(i => told.IsNew(i % 2 == 0 ? "one" : "other", TimeSpan.FromSeconds(i))));
        Assert.True(told.IsNew("one", Hj212Told.Pause));
        Assert.Equal(1000, Enumerable.Range(0, 1000).Count(i => told.IsNew($"{i}", Hj212Told.Pause + TimeSpan.FromSeconds(i))));
        Assert.True(told.IsNew("0", Hj212Told.Pause + TimeSpan.FromSeconds(1000)));
    }
}
