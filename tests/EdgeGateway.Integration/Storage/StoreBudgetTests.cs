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
        Assert.False(refused.CanRetry);
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

    [Fact]
    public void A_batch_with_a_checkpoint_makes_its_own_room()
    {
        using var t = new TestStore(null, 512 << 10, 64 << 10);
        StoreException? refused = null;
        while (refused is null)
        {
            t.Feed(500);
            refused = Record.Exception(() => t.Commit()) as StoreException;
        }

        t.SetCheckpoint();
        Assert.True(t.Commit().Written);
        Assert.InRange(t.FileBytes(), 1, 512 << 10);
    }

    [Fact]
    public void A_commit_much_larger_than_the_share_of_the_log_is_made_and_never_takes_more_than_the_budget()
    {
        const long Budget = 256 << 20;
        using var t = new TestStore(null, Budget, 64 << 20);
        var longest = WatchFiles(t);
        long log = 0;
        t.Clock.Asked += () => log = Math.Max(log, new FileInfo(t.Database + "-wal").Length);
        t.Feed(2000);
        AddMegabytes(t, FeedStream.Summary, RowClass.Summary, 25);
        t.SetCheckpoint(3 << 20);
        var rows = t.Batch.Rows.Count;
        Assert.Empty(t.Commit().Losses);
        Assert.Equal(rows, t.ReadAll().Count);
        Assert.InRange(longest(), 25 << 20, Budget);
        Assert.InRange(log, 25 << 20, Budget);
        Assert.Equal(0, new FileInfo(t.Database + "-wal").Length);
        t.Reopen();
        Assert.Null(t.Recovery.Report);
        Assert.Equal(rows, t.ReadAll().Count);
        Assert.Equal(1, t.Recovery.Checkpoint!.LogNumber);
    }

    [Fact]
    public void A_large_commit_into_a_full_store_evicts_what_it_needs_and_nothing_of_more_value()
    {
        const long Budget = 24 << 20;
        using var t = new TestStore(null, Budget, 4 << 20);
        var told = new List<RecordLoss>();
        for (var n = 0; told.Count == 0; n++)
        {
            AddMegabytes(t, FeedStream.Sample, RowClass.Raw, 1);
            t.Add(FeedStream.Emission, RowClass.Compliance, bytes: 2000);
            told.AddRange(t.Commit().Losses);
        }

        var longest = WatchFiles(t);
        var emissions = t.ReadAll().Count(r => r.Stream == FeedStream.Emission);
        t.Feed();
        AddMegabytes(t, FeedStream.Summary, RowClass.Summary, 7);
        var summaries = t.Batch.Rows.Count;
        told.AddRange(t.Commit().Losses);
        Assert.InRange(longest(), Budget / 2, Budget);
        Assert.All(told, l => Assert.Equal(FeedStream.Sample, l.Stream));
        var rows = t.ReadAll();
        Assert.Equal(emissions, rows.Count(r => r.Stream == FeedStream.Emission));
        Assert.Equal(summaries, rows.Count(r => r.Stream == FeedStream.Summary));
        Assert.Equal(t.Next[FeedStream.Sample] - 1, rows.Count(r => r.Stream == FeedStream.Sample) + told.Sum(l => l.Last - l.First + 1));
        Assert.Contains(rows, r => r.Stream == FeedStream.Sample);

        // Everything still works, and the losses are not told twice.
        t.Feed();
        t.Add(FeedStream.Sample, RowClass.Raw);
        Assert.Empty(t.Commit().Losses);
        Assert.Equal(told.Sum(l => l.Last - l.First + 1), t.Store.Statistics().EvictedRecords);
    }

    [Fact]
    public void A_commit_that_can_never_fit_is_refused_for_good_and_costs_nothing()
    {
        const long Budget = 16 << 20;
        using var t = new TestStore(null, Budget, 4 << 20);
        AddMegabytes(t, FeedStream.Sample, RowClass.Raw, 1);
        t.Commit();
        var held = t.ReadAll().Count;
        AddMegabytes(t, FeedStream.Summary, RowClass.Summary, 25);
        var refused = Assert.Throws<StoreException>(() => t.Commit());
        Assert.Equal(StoreFailure.BudgetExhausted, refused.Failure);
        Assert.False(refused.CanRetry);
        Assert.Contains("storage.budget", refused.Message, StringComparison.Ordinal);
        Assert.Contains("16777216", refused.Message, StringComparison.Ordinal);
        t.Batch.Clear();
        Assert.Equal(held, t.ReadAll().Count);

        t.Reopen();
        t.Feed();
        AddMegabytes(t, FeedStream.Summary, RowClass.Summary, 4);
        Assert.Empty(t.Commit().Losses);
        Assert.InRange(t.FileBytes(), 1, Budget);
    }

    [Fact]
    public void A_full_file_that_cannot_be_made_shorter_refuses_a_large_commit_and_costs_nothing()
    {
        using var t = new TestStore(null, 4 << 20, 1 << 20);
        while (t.Commit().Losses.Count == 0)
        {
            t.Add(FeedStream.Sample, RowClass.Raw, bytes: 30000);
        }

        t.Store.Dispose();
        Sql.Execute(t.Database, "PRAGMA auto_vacuum = NONE; VACUUM");
        t.Reopen();
        var held = t.ReadAll().Count;
        AddMegabytes(t, FeedStream.Summary, RowClass.Summary, 1);
        Assert.Equal(StoreFailure.BudgetExhausted, Assert.Throws<StoreException>(() => t.Commit()).Failure);
        Assert.Equal(held, t.ReadAll().Count);
        t.Reopen();
        t.Add(FeedStream.Summary, RowClass.Summary);
        Assert.True(t.Commit().Written);
    }

    [Fact]
    public void Of_rows_that_a_commit_gives_up_only_their_numbers_are_kept_until_it_succeeds()
    {
        using var t = new TestStore();
        var bodies = GiveAllUp(t, rows: 200);
        GC.Collect();
        Assert.DoesNotContain(bodies, b => b.IsAlive);
        t.Add(FeedStream.Emission, RowClass.Compliance);
        Assert.Equal(
            [(1L, 200L, "thinned to 900 s")],
            t.Commit().Losses.Select(l => (l.First, l.Last, l.Reason)));

        // However long it waits: rows for which other windows stand, in turn, are at last stated by fewer words, but each by its number.
        const int Rows = 10_000;
        for (var i = 0; i < Rows; i++)
        {
            t.Add(FeedStream.Sample, RowClass.Raw, bytes: 4, standIn: i % 2 == 0 ? 60 : 900);
        }

        Assert.True(t.Batch.GiveUp(0));
        Assert.Empty(t.Batch.Rows);
        Assert.InRange(t.Batch.GivenUp.Sum(g => g.Value.Runs.Count), 1, 4096);
        Assert.Equal([(1L, (long)Rows, LossReason.Evicted)], t.Commit().Losses.Select(l => (l.First, l.Last, l.Reason)));
    }

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private static WeakReference[] GiveAllUp(TestStore t, int rows)
    {
        var bodies = Enumerable.Range(0, rows).Select(_ => new WeakReference(t.Add(bytes: 10_000, standIn: 900))).ToArray();
        while (t.Batch.GiveUp(t.Batch.RowBytes / 2))
        {
        }

        Assert.True(t.Batch.GiveUp(0) || t.Batch.Rows.Count == 0);
        return bodies;
    }

    [Fact]
    public void The_covered_sample_log_goes_before_any_compliance_row()
    {
        using var t = new TestStore(null, 1 << 20, 256 << 10);
        for (var n = 1; n <= 60; n++)
        {
            t.Feed(400);
            t.SetCheckpoint();
            t.Commit();
        }

        Assert.True(t.Store.Statistics().SampleLogBytes > 100 << 10);
        CommitResult result;
        do
        {
            t.Add(FeedStream.Emission, RowClass.Compliance, bytes: 900);
            result = t.Commit();
            Assert.InRange(t.FileBytes(), 1, 1 << 20);
        }
        while (result.Losses.Count == 0);

        // Only when the log was gone did the first of them go.
        Assert.Empty(t.ReadLog());
        Assert.Equal(FeedStream.Emission, Assert.Single(result.Losses).Stream);
    }

    [Fact]
    public void The_sample_log_that_no_restart_needs_goes_after_the_samples_and_before_any_summary()
    {
        using var t = new TestStore(null, 1 << 20, 512 << 10);
        for (var n = 1; n <= 60; n++)
        {
            t.Feed(400);
            t.SetCheckpoint();
            t.Commit();
        }

        t.Add(FeedStream.Sample, RowClass.Raw, bytes: 900, standIn: 60);
        t.Commit();
        var before = t.Store.Statistics().SampleLogBytes;
        var lost = new List<RecordLoss>();
        while (lost.Count < 2)
        {
            t.Add(FeedStream.Summary, RowClass.Summary, bytes: 900, level: RetentionOrder.LevelOf(TimeSpan.FromMinutes(1)), standIn: 900);
            var losses = t.Commit().Losses;
            if (losses.Count > 0 && lost.Count == 0)
            {
                Assert.InRange(t.Store.Statistics().SampleLogBytes, before / 2, before);
            }

            lost.AddRange(losses);
            Assert.InRange(t.FileBytes(), 1, 1 << 20);
        }

        Assert.Equal([FeedStream.Sample, FeedStream.Summary], lost.Select(l => l.Stream));

        // Batch 60 is what a start from the older checkpoint needs; it outlives the summaries.
        Assert.Equal(60, Assert.Single(t.ReadLog()).Number);
    }

    [Fact]
    public void Rows_go_before_the_part_of_the_log_that_a_start_from_the_older_checkpoint_needs()
    {
        using var t = new TestStore(null, 512 << 10, 16 << 10);
        for (var n = 1; n <= 40; n++)
        {
            t.Feed(150);
            if (n is 20 or 40)
            {
                t.SetCheckpoint();
            }

            t.Commit();
        }

        var lost = 0;
        while (lost < 100)
        {
            t.Add(FeedStream.Sample, RowClass.Raw, bytes: 900);
            lost += t.Commit().Losses.Count;
        }

        t.Store.Dispose();
        Sql.Execute(t.Database, "UPDATE checkpoint SET body = zeroblob(length(body)) WHERE log = 40");
        t.Reopen();
        Assert.True(t.Recovery.CheckpointFellBack);
        Assert.Equal(20, t.Recovery.Checkpoint!.LogNumber);
        Assert.Equal(Numbers(21, 20), t.ReadLog(20).Select(b => b.Number));
    }

    [Fact]
    public void Many_large_refused_rows_do_not_stop_a_full_store()
    {
        const long Budget = 1 << 20;
        using var t = new TestStore(null, Budget, 64 << 10, "centre", "other");
        CommitResult result;
        do
        {
            t.Add(FeedStream.Summary, RowClass.Summary, bytes: 20000);
            result = t.Commit();
        }
        while (result.Losses.Count == 0);

        var refused = t.ReadAll();
        foreach (var row in refused)
        {
            t.Store.Quarantine("centre", row.Id, "too large");
        }

        t.Add(FeedStream.Emission, RowClass.Compliance, bytes: 20000);
        var losses = t.Commit().Losses.Where(l => l.Destination == "centre").ToList();
        Assert.InRange(t.FileBytes(), 1, Budget);

        // Each is told; where the message could not be kept, that too.
        Assert.Equal(refused.Select(r => r.FirstSequence), losses.SelectMany(l => Numbers(l.First, l.Last - l.First + 1)).Order());
        Assert.Contains(losses, l => l.Reason == LossReason.RefusedNotKept);
        Assert.True(Sql.Long(t.Database, "SELECT count(*) FROM quarantine WHERE reason LIKE '%not kept%' AND length(body) = 0") > 0);

        // Refused by all: they make room.
        foreach (var row in t.ReadAll())
        {
            t.Store.Quarantine("other", row.Id, "too large");
        }

        for (var n = 0; n < 20; n++)
        {
            t.Add(FeedStream.Summary, RowClass.Summary, bytes: 20000);
            Assert.DoesNotContain(t.Commit().Losses, l => l.Reason == LossReason.Evicted);
            Assert.InRange(t.FileBytes(), 1, Budget);
        }
    }

    private static Func<long> WatchFiles(TestStore t)
    {
        long longest = 0;
        t.Clock.Asked += () => longest = Math.Max(longest, t.FileBytes());
        return () => longest;
    }

    private static void AddMegabytes(TestStore t, FeedStream stream, RowClass rowClass, int megabytes)
    {
        // Of all sizes, so that rows that share a page and rows that need several are among them.
        for (long bytes = 0, n = 0; bytes < (long)megabytes << 20; n++)
        {
            var length = (int)(((n * 977) % 40) * 1000) + 100;
            t.Add(stream, rowClass, bytes: length);
            bytes += length;
        }
    }

    private static IEnumerable<long> Numbers(long first, long count)
    {
        for (var i = 0L; i < count; i++)
        {
            yield return first + i;
        }
    }
}
