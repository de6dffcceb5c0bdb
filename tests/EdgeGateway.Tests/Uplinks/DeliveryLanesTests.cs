using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Outbox;
using EdgeGateway.Tests.Shared;
using EdgeGateway.Uplinks;
using FsCheck;
using FsCheck.Fluent;

namespace EdgeGateway.Tests.Uplinks;

public class DeliveryLanesTests
{
    private static readonly Func<long, bool> None = _ => false;

    [Fact]
    public void What_was_committed_before_the_boundary_is_history_and_the_rest_is_live()
    {
        var outbox = Outbox(3);
        var lanes = new DeliveryLanes(outbox, new DeliveryCursor());
        outbox.Add();

        Assert.Equal([1, 2, 3], Drain(lanes, FeedLane.History));
        Assert.Equal([4], Drain(lanes, FeedLane.Live));
    }

    [Fact]
    public void Live_rows_become_history_when_the_connection_is_made_again()
    {
        var outbox = Outbox(1);
        var done = new DeliveryCursor();
        var lanes = new DeliveryLanes(outbox, done);
        outbox.Add();
        done.Acknowledge(1);
        lanes.Begin();

        Assert.Equal([2], Drain(lanes, FeedLane.History));
        Assert.Null(lanes.Peek(FeedLane.Live, None));
    }

    [Fact]
    public void Rows_acknowledged_or_under_way_are_passed_over()
    {
        var done = new DeliveryCursor();
        done.Acknowledge(2);
        var lanes = new DeliveryLanes(Outbox(5), done);

        Assert.Equal([1, 3, 5], Drain(lanes, FeedLane.History, id => id == 4));
    }

    [Fact]
    public void Evicted_rows_leave_no_hole_in_the_cursor()
    {
        var outbox = Outbox(200);
        for (var id = 50; id < 150; id++)
        {
            outbox.Evict(id);
        }

        var done = new DeliveryCursor();
        var lanes = new DeliveryLanes(outbox, done);
        foreach (var id in Drain(lanes, FeedLane.History))
        {
            done.Acknowledge(id);
        }

        Assert.Equal((200L, 0), (done.Floor, done.Runs.Count));
        Assert.Equal(0, lanes.Backlog);
    }

    [Fact]
    public void An_outbox_that_is_empty_to_the_end_counts_as_done()
    {
        var outbox = Outbox(3);
        outbox.Evict(1);
        outbox.Evict(2);
        outbox.Evict(3);
        var done = new DeliveryCursor();

        Assert.Empty(Drain(new DeliveryLanes(outbox, done), FeedLane.History));
        Assert.Equal(3, done.Floor);
    }

    [Fact]
    public void A_page_is_bounded_in_rows_and_bytes()
    {
        var outbox = new MemoryOutbox();
        for (var i = 0; i < 1_300; i++)
        {
            outbox.Add(bytes: i % 50 == 0 ? 60_000 : 10);
        }

        Assert.Equal(1_300, Drain(new DeliveryLanes(outbox, new DeliveryCursor()), FeedLane.History).Count);
        Assert.InRange(outbox.LargestRead.Rows, 1, DeliveryLanes.PageRows);
        Assert.InRange(outbox.LargestRead.Bytes, 1, DeliveryLanes.PageBytes);
    }

    [Fact]
    public void Followers_are_found_behind_rows_of_other_streams_and_never_across_a_gap()
    {
        var outbox = new MemoryOutbox();
        outbox.Add(FeedStream.Sample, records: 2);
        outbox.Add(FeedStream.State, subtopic: "a");
        outbox.Add(FeedStream.Sample, records: 3);
        outbox.Add(FeedStream.Sample);
        outbox.Add(FeedStream.Sample);
        outbox.Evict(4);
        var lanes = new DeliveryLanes(outbox, new DeliveryCursor());
        Assert.Equal(1, lanes.Peek(FeedLane.History, None)!.Id);
        var first = lanes.Take(FeedLane.History);

        Assert.Null(lanes.TakeFollower(FeedLane.History, first, 500, 65_536, nextOnly: true, None));
        Assert.Null(lanes.TakeFollower(FeedLane.History, first, 2, 65_536, nextOnly: false, None));
        Assert.Null(lanes.TakeFollower(FeedLane.History, first, 500, 10, nextOnly: false, None));
        Assert.Null(lanes.TakeFollower(FeedLane.History, first, 500, 65_536, nextOnly: false, id => id == 3));
        var next = lanes.TakeFollower(FeedLane.History, first, 500, 65_536, nextOnly: false, None);
        Assert.Equal(3, next!.Id);
        Assert.Null(lanes.TakeFollower(FeedLane.History, next, 500, 65_536, nextOnly: false, None));
        Assert.Equal([2, 5], Drain(lanes, FeedLane.History));
    }

    [Fact]
    public void Whatever_is_done_and_evicted_each_lane_gives_the_rest_once_and_in_order() =>
        Prop.ForAll(Ids, Ids, Gen.Choose(0, 150).ToArbitrary(), (acknowledged, evicted, live) =>
        {
            var outbox = Outbox(150);
            var done = new DeliveryCursor();
            acknowledged.ToList().ForEach(id => done.Acknowledge(id));
            evicted.ToList().ForEach(id => outbox.Evict(id));
            var lanes = new DeliveryLanes(outbox, done);
            for (var i = 0; i < live; i++)
            {
                outbox.Add();
            }

            var expected = Enumerable.Range(1, 150).Select(i => (long)i).Except(acknowledged).Except(evicted);
            Assert.Equal(expected, Drain(lanes, FeedLane.History));
            Assert.Equal(Enumerable.Range(151, live).Select(i => (long)i), Drain(lanes, FeedLane.Live));
        }).QuickCheckThrowOnFailure();

    private static Arbitrary<long[]> Ids => Gen.Choose(1, 150).Select(id => (long)id).ArrayOf().ToArbitrary();

    private static MemoryOutbox Outbox(int rows)
    {
        var outbox = new MemoryOutbox();
        for (var i = 0; i < rows; i++)
        {
            outbox.Add();
        }

        return outbox;
    }

    private static List<long> Drain(DeliveryLanes lanes, FeedLane lane, Func<long, bool>? held = null)
    {
        var ids = new List<long>();
        while (lanes.Peek(lane, held ?? None) is not null)
        {
            ids.Add(lanes.Take(lane).Id);
        }

        return ids;
    }
}
