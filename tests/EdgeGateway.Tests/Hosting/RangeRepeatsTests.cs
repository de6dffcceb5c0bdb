using EdgeGateway.Core;
using EdgeGateway.Core.Feed;
using EdgeGateway.Hosting;
using EdgeGateway.Storage;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Tests.Hosting;

public class RangeRepeatsTests
{
    private static readonly Instant Now = Instant.Parse("2026-03-01T08:00:00Z");
    private static readonly RecordLoss LostStatement = new(2, FeedStream.Range, 7, 3, 4, LossReason.Evicted, "", Now);
    private static readonly RecordLoss LostSamples = new(1, FeedStream.Sample, 7, 1, 90, LossReason.Evicted, "", Now);

    [Fact]
    public void Without_lost_statements_nothing_is_said_again()
    {
        var repeats = new RangeRepeats(due: false);
        repeats.Note([LostSamples]);

        Assert.Null(repeats.Change());
        Assert.False(repeats.IsTime());
        Assert.False(repeats.IsTime());
    }

    [Fact]
    public void Lost_statements_are_said_again_after_an_hour_in_which_none_was_lost()
    {
        var repeats = new RangeRepeats(due: false);
        repeats.Note([LostStatement]);
        Assert.False(repeats.IsTime());
        repeats.Note([LostStatement]);
        Assert.False(repeats.IsTime());

        Assert.True(repeats.IsTime());
    }

    [Fact]
    public void What_is_due_is_kept_over_restarts_and_told_to_the_store_once()
    {
        var repeats = new RangeRepeats(due: false);
        repeats.Note([LostStatement]);
        Assert.Equal(1, repeats.Change());
        Assert.Null(repeats.Change());

        var again = new RangeRepeats(due: true);
        Assert.Null(again.Change());
        Assert.False(again.IsTime());
        Assert.True(again.IsTime());
        again.Repeat(new FeedEncoder(ExampleFeed.Site, FeedHeads.Start(7), "1"), [], Now);
        Assert.Equal(0, again.Change());
        Assert.False(again.IsTime());
    }

    [Fact]
    public void A_receiver_that_lost_a_statement_is_complete_again_once_everything_was_said_again()
    {
        var encoder = new FeedEncoder(ExampleFeed.Site, FeedHeads.From(7, stream => stream switch { FeedStream.Sample => 91, FeedStream.Range => 5, _ => 1 }), "1");
        var ledger = new SequenceLedger();
        ledger.Observe(FeedMessages.Numbered(FeedStream.Sample, 7, 91, 91));
        ledger.Observe(FeedMessages.Numbered(FeedStream.Range, 7, 1, 2));
        encoder.StateIssued(Now, "hourly");
        Observe();
        Assert.Equal(92, ledger.Report().Missing);

        new RangeRepeats(due: true).Repeat(encoder, [LostSamples, LostStatement], Now);
        Observe();

        Assert.Equal((0L, 92L), (ledger.Report().Missing, ledger.Report().Explained));

        void Observe()
        {
            foreach (var row in encoder.Flush(Now))
            {
                ledger.Observe(FeedMessages.Read(row));
            }
        }
    }
}
