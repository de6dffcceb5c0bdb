using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Outbox;
using EdgeGateway.Tests.Shared;
using EdgeGateway.Uplinks;

namespace EdgeGateway.Tests.Uplinks;

public class CarriedRowsTests
{
    private readonly MemoryOutbox _outbox = new();

    [Fact]
    public void Rows_that_are_not_carried_are_settled_when_they_are_reached_and_the_others_wait()
    {
        long[] samples = [0, 0];
        _outbox.Add(FeedStream.Birth);
        samples[0] = _outbox.Add(FeedStream.Sample).Id;
        _outbox.Add(FeedStream.Summary);
        samples[1] = _outbox.Add(FeedStream.Sample).Id;
        _outbox.Add(FeedStream.Health);

        var carried = new CarriedRows(_outbox, "centre", new SampleLists());
        var rows = new List<OutboxRow>();
        Assert.Equal(2, carried.Read(1, long.MaxValue, 100, int.MaxValue, rows));
        Assert.Equal(samples, rows.Select(row => row.Id));
        Assert.Equal([1, 3, 5], _outbox.Acknowledged("centre"));
    }

    [Fact]
    public void A_long_run_that_is_not_carried_is_passed_over_in_one_read()
    {
        for (var i = 0; i < 500; i++)
        {
            _outbox.Add(FeedStream.Summary);
        }

        var last = _outbox.Add(FeedStream.Sample).Id;
        var rows = new List<OutboxRow>();
        var carried = new CarriedRows(_outbox, "centre", new SampleLists());
        Assert.Equal(1, carried.Read(1, last, 64, int.MaxValue, rows));
        Assert.Equal(last, rows[0].Id);
        Assert.Equal(500, _outbox.Acknowledged("centre").Count);
        Assert.Equal(0, carried.Read(1, last - 1, 64, int.MaxValue, rows));
    }
}
