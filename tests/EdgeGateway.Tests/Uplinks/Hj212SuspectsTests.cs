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
    private TimeSpan _now = TimeSpan.FromHours(1);
    private long _rows;

    private Hj212Parcel Parcel() => new(
        [],
        [new(new OutboxRow { Id = ++_rows, Stream = FeedStream.Summary, Epoch = 1, FirstSequence = _rows, Count = 1, Class = RowClass.Summary, Created = Instant.UnixEpoch, Body = "[]"u8.ToArray() })]);

    [Fact]
    public void What_is_refused_again_three_times_after_others_of_its_command_were_taken_is_never_taken()
    {
        var bad = Parcel();
        for (var time = 0; time < Hj212Suspects.MaxProven; time++)
        {
            _suspects.Taken(Hour);
            Assert.Null(_suspects.Failed(bad, Hour, _now));
            Assert.Null(_suspects.Next(_now));
            _suspects.Taken(Hour);
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
        _suspects.Taken(Hour);
        for (var time = 0; time < 100; time++)
        {
            // The platform takes nothing any more; each is tried in turn, and none of them is at fault.
            Assert.Null(_suspects.Failed(time < parcels.Length ? parcels[time] : _suspects.Blind(_now)!, Hour, _now));
            _now += TimeSpan.FromMinutes(5);
        }

        Assert.True(_suspects.IsFull);
    }

    [Fact]
    public void Others_of_another_command_prove_nothing()
    {
        var bad = Parcel();
        for (var time = 0; time < 10; time++)
        {
            _suspects.Taken(Minute);
            Assert.Null(_suspects.Failed(bad, Hour, _now));
            _now += TimeSpan.FromMinutes(5);
            Assert.Null(_suspects.Next(_now));
        }
    }

    [Fact]
    public void What_was_taken_on_an_earlier_connection_proves_nothing()
    {
        var bad = Parcel();
        for (var time = 0; time < 10; time++)
        {
            _suspects.Taken(Hour);
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
            _suspects.Taken(Hour);
            _suspects.Unanswered(silent, Hour, _now);
            Assert.True(_suspects.IsDoubting);
            _suspects.Begin();
        }

        for (var time = 1; time < Hj212Suspects.MaxProven; time++)
        {
            _suspects.Unanswered(silent, Hour, _now);
            Assert.Null(_suspects.Taken(Minute));
            Assert.Null(_suspects.Taken(Hour));
        }

        _suspects.Unanswered(silent, Hour, _now);
        Assert.Same(silent, _suspects.Taken(Hour));
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
            Assert.False(_suspects.IsFull);
            _suspects.Failed(Parcel(), Hour, _now);
        }

        Assert.True(_suspects.IsFull);
    }
}
