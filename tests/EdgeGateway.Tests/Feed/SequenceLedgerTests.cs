using EdgeGateway.Core.Feed;
using EdgeGateway.Tests.Shared;
using FsCheck;
using FsCheck.Fluent;

namespace EdgeGateway.Tests.Feed;

public class SequenceLedgerTests
{
    [Fact]
    public void Everything_received_is_nothing_missing()
    {
        var ledger = new SequenceLedger();
        ledger.Observe(FeedMessages.Numbered(FeedStream.Summary, 1, 1, 10));
        ledger.Observe(FeedMessages.Numbered(FeedStream.Summary, 1, 11, 12));

        Assert.Equal("0 missing, 0 duplicated", ledger.Report().Line);
    }

    [Fact]
    public void A_gap_is_missing_and_named()
    {
        var ledger = new SequenceLedger();
        ledger.Observe(FeedMessages.Numbered(FeedStream.Summary, 1, 3, 5));
        ledger.Observe(FeedMessages.Numbered(FeedStream.Summary, 1, 7, 9));

        Assert.Equal(
            $"3 missing, 0 duplicated{Environment.NewLine}mine-7/gw-1/summary epoch 1: missing 1-2, 6",
            ledger.Report().ToString());
    }

    [Fact]
    public void The_same_number_again_is_counted_and_harmless()
    {
        var ledger = new SequenceLedger();
        ledger.Observe(FeedMessages.Numbered(FeedStream.Summary, 1, 1, 5));
        Assert.Equal(1, ledger.Observe(FeedMessages.Numbered(FeedStream.Summary, 1, 4, 6)));

        var report = ledger.Report();
        Assert.Equal((6L, 2L, 0L), (report.Received, report.Redelivered, report.Missing));
        Assert.Equal("0 missing, 0 duplicated, 2 redelivered under the same number (harmless)", report.Line);
    }

    [Fact]
    public void A_range_statement_explains_what_is_not_there()
    {
        var ledger = new SequenceLedger();
        ledger.Observe(FeedMessages.Numbered(FeedStream.Sample, 1, 1, 10));
        ledger.Observe(FeedMessages.Numbered(FeedStream.Sample, 1, 31, 40));
        ledger.Observe(Statement(ExampleFeed.Evicted with { First = 11, Last = 25 }));

        var stream = ledger.Report().Streams.Single(s => s.Key.Stream == FeedStream.Sample);
        Assert.Equal([new SequenceRange(26, 30)], stream.MissingRanges);
        Assert.Equal(15, stream.Explained);
    }

    [Fact]
    public void A_statement_of_issue_shows_a_lost_tail()
    {
        var ledger = new SequenceLedger();
        ledger.Observe(FeedMessages.Numbered(FeedStream.Sample, 1, 1, 10));
        ledger.Observe(Statement(ExampleFeed.Evicted with { First = 1, Last = 12, State = RangeState.Issued }));

        Assert.Equal([new SequenceRange(11, 12)], ledger.Report().Streams.Single(s => s.Key.Stream == FeedStream.Sample).MissingRanges);
    }

    [Fact]
    public void A_statement_without_numbers_explains_nothing()
    {
        var ledger = new SequenceLedger();
        ledger.Observe(FeedMessages.Numbered(FeedStream.Sample, 1, 5, 10));
        ledger.Observe(Statement(ExampleFeed.Evicted with { First = 0, Last = 0, State = RangeState.NeverAcquired }));

        Assert.Equal(4, ledger.Report().Missing);
    }

    [Fact]
    public void Epochs_are_held_apart_and_counted()
    {
        var ledger = new SequenceLedger();
        ledger.Observe(FeedMessages.Numbered(FeedStream.Summary, 1, 1, 10));
        ledger.Observe(FeedMessages.Numbered(FeedStream.Summary, 2, 1, 3));

        Assert.Equal("0 missing, 0 duplicated, 1 new epochs", ledger.Report().Line);
    }

    [Fact]
    public void A_late_receiver_is_not_told_that_the_past_is_missing()
    {
        var ledger = new SequenceLedger(LedgerStart.FirstHeard);
        ledger.Observe(FeedMessages.Numbered(FeedStream.State, 1, 7, 7), retained: true);
        ledger.Observe(FeedMessages.Numbered(FeedStream.State, 1, 101, 103));
        ledger.Observe(FeedMessages.Numbered(FeedStream.State, 1, 105, 105));
        ledger.Observe(FeedMessages.Numbered(FeedStream.State, 1, 7, 7));
        Assert.Equal([new SequenceRange(104, 104)], ledger.Report().Streams[0].MissingRanges);

        ledger.Observe(FeedMessages.Numbered(FeedStream.State, 1, 98, 99, FeedLane.History));
        Assert.Equal([new SequenceRange(100, 100), new SequenceRange(104, 104)], ledger.Report().Streams[0].MissingRanges);
    }

    [Fact]
    public void The_set_of_numbers_agrees_with_a_plain_set() =>
        Prop.ForAll(RunsOfNumbers, runs =>
        {
            var model = new SortedSet<long>();
            var set = new SequenceSet();
            foreach (var (first, last) in runs)
            {
                var before = model.Count;
                for (var n = first; n <= last; n++)
                {
                    model.Add(n);
                }

                Assert.Equal(model.Count - before, set.Add(first, last));
            }

            Assert.Equal(model.Count, set.Count);
            Assert.Equal(model.Count == 0 ? 0 : model.Max, set.Last);
            var all = Enumerable.Range(1, 80).Select(n => (long)n).ToList();
            Assert.Equal(all.Where(model.Contains), all.Where(set.Contains));
            Assert.Equal(all.Where(n => n is >= 10 and <= 70 && !model.Contains(n)), set.Gaps(10, 70).SelectMany(Numbers));
            Assert.Equal(model, set.Runs.SelectMany(Numbers));
            Assert.All(set.Runs.Zip(set.Runs.Skip(1)), pair => Assert.True(pair.First.Last + 1 < pair.Second.First));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void The_ledger_agrees_with_a_plain_list_of_what_came() =>
        Prop.ForAll(RunsOfNumbers, RunsOfNumbers, (received, evicted) =>
        {
            var ledger = new SequenceLedger();
            var seen = new HashSet<long>();
            var explained = new HashSet<long>();
            foreach (var (first, last) in received)
            {
                ledger.Observe(FeedMessages.Numbered(FeedStream.Sample, 1, first, last));
                seen.UnionWith(Numbers((first, last)));
            }

            foreach (var (first, last) in evicted)
            {
                ledger.Observe(Statement(ExampleFeed.Evicted with { First = first, Last = last }));
                explained.UnionWith(Numbers((first, last)));
            }

            var expected = Numbers((1, seen.DefaultIfEmpty(0).Max())).Where(n => !seen.Contains(n) && !explained.Contains(n));
            var stream = ledger.Report().Streams.SingleOrDefault(s => s.Key.Stream == FeedStream.Sample);
            Assert.Equal(expected, (stream?.MissingRanges ?? []).SelectMany(r => Numbers((r.First, r.Last))));
            Assert.Equal(seen.Count, stream?.Received ?? 0);
            Assert.Equal(received.Sum(r => r.Last - r.First + 1) - seen.Count, stream?.Redelivered ?? 0);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_record_under_a_second_number_is_a_duplicate()
    {
        var feed = ExampleFeed.Encoder();
        feed.Summary(ExampleFeed.GaugeSummary);
        feed.Summary(ExampleFeed.GaugeSummary with { Era = 1 });
        feed.Summary(ExampleFeed.GaugeSummary);
        var records = new RecordLedger();
        var message = FeedMessages.Read(feed.Flush(ExampleFeed.Noon)[0]);
        records.Observe(message);
        records.Observe(message);

        Assert.Equal((1L, 0L), (records.Duplicated, records.Changed));
        Assert.Contains("sequence 1 and epoch 1 sequence 3", Assert.Single(records.Findings), StringComparison.Ordinal);
    }

    [Fact]
    public void An_hour_of_a_stack_that_is_restated_is_no_duplicate_and_one_that_is_repeated_is()
    {
        var feed = ExampleFeed.Encoder();
        var (first, records) = (ExampleFeed.StackEmission, new RecordLedger());
        feed.Emission(first);
        feed.Emission(first with { Detail = first.Detail! with { Stack = first.Detail.Stack! with { Revision = 2 } } });
        records.Observe(FeedMessages.Read(feed.Flush(ExampleFeed.Noon)[0]));
        Assert.Equal(0, records.Duplicated);
        feed.Emission(first);
        records.Observe(FeedMessages.Read(feed.Flush(ExampleFeed.Noon)[0]));
        Assert.Equal(1, records.Duplicated);
    }

    [Fact]
    public void A_number_with_other_contents_is_found()
    {
        var records = new RecordLedger();
        foreach (var value in (double[])[1, 2])
        {
            var feed = ExampleFeed.Encoder();
            feed.Sample(ExampleFeed.GoodSample with { Value = value });
            records.Observe(FeedMessages.Read(feed.Flush(ExampleFeed.Noon)[0]));
        }

        Assert.Equal(1, records.Changed);
    }

    private static Arbitrary<(long First, long Last)[]> RunsOfNumbers =>
        Gen.Choose(1, 60).SelectMany(first => Gen.Choose(0, 12).Select(more => ((long)first, (long)(first + more)))).ArrayOf().ToArbitrary();

    private static IEnumerable<long> Numbers((long First, long Last) run)
    {
        for (var n = run.First; n <= run.Last; n++)
        {
            yield return n;
        }
    }

    private static FeedMessage Statement(RangeRecord record)
    {
        var feed = ExampleFeed.Encoder();
        feed.Range(record);
        return FeedMessages.Read(feed.Flush(ExampleFeed.Noon)[0]);
    }
}
