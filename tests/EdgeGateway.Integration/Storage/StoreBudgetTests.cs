using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Outbox;
using EdgeGateway.Storage;

namespace EdgeGateway.Integration.Storage;

public sealed class StoreBudgetTests
{
    [Theory]
    [InlineData(512 << 10, 100 << 10, 300)]
    [InlineData(2 << 20, 500 << 10, 3500)]
    public void The_files_never_exceed_the_budget_and_every_record_is_there_or_accounted_for(long budget, long log, int largest)
    {
        using var t = new TestStore(null, budget, log);
        var random = new Random(1);
        var told = new List<RecordLoss>();
        for (var n = 1; n <= 700; n++)
        {
            t.Feed(30);
            t.Add(FeedStream.Sample, RowClass.Raw, count: 30, bytes: random.Next(largest));
            t.Add(FeedStream.Summary, RowClass.Summary, bytes: random.Next(largest));
            if (n % 10 == 0)
            {
                t.Add(FeedStream.Emission, RowClass.Compliance, bytes: random.Next(largest));
                t.SetCheckpoint(2000);
            }

            told.AddRange(t.Commit().Losses);
            Assert.InRange(t.FileBytes(), 1, budget);
        }

        Assert.NotEmpty(told);

        // Each record of each stream is either still there or in exactly one published loss.
        var rows = t.ReadAll();
        foreach (var stream in new[] { FeedStream.Sample, FeedStream.Summary, FeedStream.Emission })
        {
            var lost = told.Where(l => l.Stream == stream).SelectMany(l => Numbers(l.First, l.Last - l.First + 1));
            var kept = rows.Where(r => r.Stream == stream).SelectMany(r => Numbers(r.FirstSequence, r.Count));
            Assert.Equal(Numbers(1, t.Next[stream] - 1), lost.Concat(kept).Order());

            // What is left of a stream is one run up to the newest.
            Assert.True(!kept.Any() || kept.Last() - kept.First() + 1 == kept.Count());
        }

        Assert.DoesNotContain(told, l => l.Stream == FeedStream.Emission);
        Assert.Equal(70, rows.Count(r => r.Stream == FeedStream.Emission));

        // Merged: one line for each stream.
        var statistics = t.Store.Statistics();
        Assert.True(statistics.Losses.Count <= 2, $"{statistics.Losses.Count} lines of losses.");
        Assert.Equal(told.Sum(l => l.Last - l.First + 1), statistics.EvictedRecords);

        // The log kept to its share and still holds what a restart from the older checkpoint needs.
        Assert.InRange(statistics.SampleLogBytes, 1, log + (64 << 10));
        Assert.True(statistics.OldestBatch <= 691);
        Assert.Equal(Numbers(statistics.OldestBatch, 700 - statistics.OldestBatch + 1), t.ReadLog().Select(b => b.Number));

        // And all of it is so after a restart.
        var cursor = t.Store.OpenCursor(TestStore.Destination);
        t.Reopen();
        Assert.Equal(rows.Select(r => r.Id), t.ReadAll().Select(r => r.Id));
        Assert.Equal(cursor.Floor, t.Store.OpenCursor(TestStore.Destination).Floor);
        Assert.InRange(t.FileBytes(), 1, budget);
    }

    [Fact]
    public void Raw_rows_go_before_summaries_and_compliance_rows_last()
    {
        using var t = new TestStore(null, 512 << 10, 64 << 10);
        var order = new List<FeedStream>();
        for (var n = 1; n <= 60; n++)
        {
            t.Add(FeedStream.Emission, RowClass.Compliance, bytes: 500);
            t.Add(FeedStream.Summary, RowClass.Summary, bytes: 500);
            t.Add(FeedStream.Sample, RowClass.Raw, bytes: 500);
            order.AddRange(t.Commit().Losses.Select(l => l.Stream));
        }

        for (var n = 1; n <= 400; n++)
        {
            t.Add(FeedStream.Emission, RowClass.Compliance, bytes: 900);
            order.AddRange(t.Commit().Losses.Select(l => l.Stream));
        }

        FeedStream[] firstSeen = [.. order.Distinct()];
        Assert.Equal([FeedStream.Sample, FeedStream.Summary, FeedStream.Emission], firstSeen);
        Assert.True(order.LastIndexOf(FeedStream.Summary) <= order.IndexOf(FeedStream.Emission));
    }

    [Fact]
    public void Batches_that_no_checkpoint_covers_are_never_deleted_and_a_checkpoint_is_asked_for()
    {
        using var t = new TestStore(null, 1 << 20, 32 << 10);
        var wanted = false;
        for (var n = 1; n <= 150; n++)
        {
            t.Feed(100);
            wanted |= t.Commit().CheckpointWanted;
        }

        Assert.True(wanted);
        Assert.Equal(150, t.ReadLog().Count);
        t.SetCheckpoint();
        t.Commit();
        t.Feed(100);
        t.SetCheckpoint();
        t.Commit();
        t.Feed(100);
        Assert.False(t.Commit().CheckpointWanted);
        Assert.True(t.ReadLog().Count < 150);
        Assert.Equal([151, 152], t.ReadLog(150).Select(b => b.Number));
    }

    [Fact]
    public void When_nothing_may_be_evicted_the_commit_is_refused_and_nothing_is_lost()
    {
        using var t = new TestStore(null, 512 << 10, 64 << 10);
        StoreException? refused = null;
        while (refused is null)
        {
            t.Feed(500);
            try
            {
                t.Commit();
            }
            catch (StoreException e)
            {
                refused = e;
            }
        }

        Assert.Equal(StoreFailure.BudgetExhausted, refused.Failure);
        Assert.True(refused.CanRetry);
        var held = t.ReadLog().Count;
        Assert.Equal(t.Store.NextBatchNumber - 1, held);

        // The caller keeps the batch; with a checkpoint it fits.
        var kept = t.Batch.Input;
        t.Batch.Clear();
        t.SetCheckpoint();
        t.Commit();
        t.Batch.Input = kept;
        t.Commit();
        Assert.Equal(held + 2, t.Store.NextBatchNumber);
        Assert.InRange(t.FileBytes(), 1, 512 << 10);
    }

    [Fact]
    public void Acknowledged_rows_make_room_without_any_loss()
    {
        using var t = new TestStore(null, 512 << 10, 64 << 10);
        for (var n = 1; n <= 1500; n++)
        {
            t.Add(FeedStream.Sample, RowClass.Raw, bytes: 800);
            var result = t.Commit();
            Assert.Empty(result.Losses);
            if (n % 20 == 0)
            {
                for (var id = n - 19; id <= n; id++)
                {
                    t.Store.Acknowledge(TestStore.Destination, id);
                }
            }

            Assert.InRange(t.FileBytes(), 1, 512 << 10);
        }
    }

    [Fact]
    public void A_smaller_budget_is_kept_from_the_next_start_on()
    {
        using var t = new TestStore(null, 4 << 20, 512 << 10);
        for (var n = 1; n <= 500; n++)
        {
            t.Add(FeedStream.Sample, RowClass.Raw, bytes: 3000);
            t.Commit();
        }

        t.Store.Dispose();
        Assert.True(t.FileBytes() > 1 << 20);
        var small = t.Model with { BudgetBytes = 1 << 20 };
        using (var store = SqliteStore.Open(small, t.Destinations, t.Clock))
        {
            Assert.InRange(t.FileBytes(), 1, 1 << 20);
            var lost = store.Recover().UnpublishedLosses;
            var rows = new List<OutboxRow>();
            store.Read(1, long.MaxValue, 1000, 1 << 30, rows);
            Assert.Equal(500, rows.Count + lost.Sum(l => l.Last - l.First + 1));
            Assert.Equal(500, rows[^1].Id);
        }

        t.Reopen();
    }

    private static IEnumerable<long> Numbers(long first, long count)
    {
        for (var i = 0L; i < count; i++)
        {
            yield return first + i;
        }
    }
}
