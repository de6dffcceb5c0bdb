using System.Globalization;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Outbox;
using EdgeGateway.Core.Site;
using EdgeGateway.Storage;

namespace EdgeGateway.Integration.Storage;

/// <summary>Which rows go first, and by which limits (requirements E-1, E-2, E-3 and E-6).</summary>
public sealed class DegradationTests
{
    private static readonly byte Minute = RetentionOrder.LevelOf(TimeSpan.FromMinutes(1));
    private static readonly byte Quarter = RetentionOrder.LevelOf(TimeSpan.FromMinutes(15));
    private static readonly byte Hour = RetentionOrder.LevelOf(TimeSpan.FromHours(1));

    /// <summary>All kinds of rows there are, in the order in which they must go.</summary>
    private static readonly (FeedStream Stream, RowClass Class, byte Level, int StandIn)[] Order =
    [
        (FeedStream.Sample, RowClass.Raw, 0, 60),
        (FeedStream.Summary, RowClass.Summary, Minute, 900),
        (FeedStream.Summary, RowClass.Summary, Quarter, 3600),
        (FeedStream.Summary, RowClass.Summary, Hour, 0),
        (FeedStream.State, RowClass.Summary, RetentionOrder.Events, 0),
        (FeedStream.Anomaly, RowClass.Compliance, RetentionOrder.Findings, 0),
        (FeedStream.Sample, RowClass.Compliance, RetentionOrder.Declared, 0),
        (FeedStream.Emission, RowClass.Compliance, RetentionOrder.Account, 0),
        (FeedStream.Range, RowClass.Compliance, RetentionOrder.Statements, 0),
    ];

    [Fact]
    public void Samples_go_first_then_summaries_by_width_then_events_findings_declared_records_the_account_and_statements()
    {
        using var t = new TestStore(OutageSite.NewDirectory(), 1 << 20, 64 << 10);
        var rows = new Dictionary<(FeedStream, long), int>();
        for (var n = 0; n < 25; n++)
        {
            // The most valuable first, so that the order of the ids says nothing.
            for (var kind = Order.Length - 1; kind >= 0; kind--)
            {
                var (stream, rowClass, level, standIn) = Order[kind];
                rows[(stream, t.Add(stream, rowClass, bytes: 900, level: level, standIn: standIn).FirstSequence)] = kind;
            }

            Assert.Empty(t.Commit().Losses);
        }

        var gone = new List<(int Kind, long Sequence, string Reason)>();
        while (gone.Count < 24 * Order.Length)
        {
            var (stream, rowClass, level, standIn) = Order[^1];
            rows[(stream, t.Add(stream, rowClass, bytes: 900, level: level, standIn: standIn).FirstSequence)] = Order.Length - 1;
            gone.AddRange(t.Commit().Losses.SelectMany(l => Enumerable.Range(0, (int)(l.Last - l.First + 1)).Select(i => (rows[(l.Stream, l.First + i)], l.First + i, l.Reason))));
            Assert.InRange(t.FileBytes(), 1, 1 << 20);
        }

        Assert.Equal(gone.Select(g => g.Kind).Order(), gone.Select(g => g.Kind));
        foreach (var kind in gone.GroupBy(g => g.Kind))
        {
            Assert.Equal(kind.Select(g => g.Sequence).Order(), kind.Select(g => g.Sequence));
            var standIn = Order[kind.Key].StandIn;
            Assert.All(kind, g => Assert.Equal(standIn == 0 ? "evicted" : string.Create(CultureInfo.InvariantCulture, $"thinned to {standIn} s"), g.Reason));
        }

        // By cause, and after a restart too.
        t.Reopen();
        var statistics = t.Store.Statistics();
        Assert.Equal(75, statistics.ThinnedRecords);
        Assert.Equal(gone.Count - 75, statistics.EvictedRecords);
        Assert.Equal(t.ReadAll().Count, statistics.Records);
    }

    [Fact]
    public void The_account_of_losses_keeps_its_share_whatever_follows_what_and_for_however_many_reasons()
    {
        using var t = new TestStore(OutageSite.NewDirectory(), 1 << 20, 64 << 10);
        var most = StoreLimits.For(1 << 20).MostLossRuns;
        int[] standIns = [60, 300, 900, 3600];
        var gone = new List<RecordLoss>();
        while (gone.Count < 2 * most)
        {
            for (var n = 0; n < 20; n++)
            {
                // No two neighbours have one fate: each leaves a run of its own.
                t.Add(FeedStream.Summary, RowClass.Summary, bytes: 300, level: 7, standIn: standIns[n % 4]);
            }

            gone.AddRange(t.Commit().Losses);
            Assert.InRange(t.FileBytes(), 1, 1 << 20);
        }

        foreach (var _ in new[] { "running", "after a restart" })
        {
            var statistics = t.Store.Statistics();
            Assert.Equal(gone.Sum(l => l.Last - l.First + 1), statistics.ThinnedRecords);
            Assert.Equal(most, statistics.Losses.Count);

            // The newest of each reason, and of each as many.
            foreach (var reason in statistics.Losses.GroupBy(l => l.Reason))
            {
                Assert.InRange(reason.Count(), (most / 4) - 1, (most / 4) + 1);
                Assert.Equal(gone.Where(l => l.Reason == reason.Key).Select(l => l.First).TakeLast(reason.Count()), reason.Select(l => l.First));
            }

            t.Reopen();
        }
    }

    [Fact]
    public void The_rows_of_a_program_that_knew_only_classes_go_in_the_order_of_their_classes()
    {
        using var t = new TestStore(OutageSite.NewDirectory(), 1 << 20, 64 << 10);
        for (var n = 0; n < 100; n++)
        {
            t.Add(FeedStream.Emission, RowClass.Compliance, bytes: 900);
            t.Add(FeedStream.Summary, RowClass.Summary, bytes: 900);
            t.Add(FeedStream.Sample, RowClass.Raw, bytes: 900);
            t.Commit();
        }

        // Such a program writes no line about what waits, or leaves one that is out of date.
        t.Store.Dispose();
        Sql.Execute(t.Database, "DELETE FROM head WHERE name = 'waiting'");
        t.Reopen();
        Assert.Equal(300, t.Store.Statistics().Records);
        var order = new List<FeedStream>();
        while (!order.Contains(FeedStream.Emission))
        {
            t.Add(FeedStream.Range, RowClass.Compliance, bytes: 900, level: RetentionOrder.Statements);
            order.AddRange(t.Commit().Losses.Select(l => l.Stream));
        }

        Assert.Equal([FeedStream.Sample, FeedStream.Summary, FeedStream.Emission], order.Distinct());
    }

    [Fact]
    public void A_program_that_knows_only_classes_finds_every_row_under_its_stream_and_class()
    {
        using var t = new TestStore(OutageSite.NewDirectory(), 1 << 20, 64 << 10);
        foreach (var (stream, rowClass, level, standIn) in Order)
        {
            t.Add(stream, rowClass, level: level, standIn: standIn);
        }

        t.Commit();
        t.Store.Dispose();

        // As it masks and compares.
        for (var i = 0; i < Order.Length; i++)
        {
            Assert.Equal(1, Sql.Long(t.Database, string.Create(CultureInfo.InvariantCulture, $"SELECT count(*) FROM outbox WHERE id = {i + 1} AND (stream & 31) = {(int)Order[i].Stream} AND class = {(int)Order[i].Class}")));
        }

        t.Reopen();
        Assert.Equal(Order.Select(o => o.Stream), t.ReadAll().Select(r => r.Stream));
    }

    [Fact]
    public void No_more_records_wait_than_the_site_allows()
    {
        using var t = Limited(m => m with { MostRecords = 500 }, 4 << 20);
        for (var n = 0; n < 300; n++)
        {
            t.Add(FeedStream.Sample, RowClass.Raw, count: 20, standIn: 60);
            t.Add(FeedStream.Emission, RowClass.Compliance, count: 1);
            t.Commit();
            Assert.InRange(t.Store.Statistics().Records, 1, 500);
        }

        var rows = t.ReadAll();
        Assert.Equal(300, rows.Count(r => r.Stream == FeedStream.Emission));
        Assert.Equal(t.Store.Statistics().Records, rows.Sum(r => r.Count));
        Assert.All(t.Store.Statistics().Losses, l => Assert.Equal("thinned to 60 s, too many records", l.Reason));
        Assert.Equal((300 * 21) - rows.Sum(r => r.Count), t.Store.Statistics().ThinnedRecords);
    }

    [Fact]
    public void Rows_grow_old_by_the_running_time_of_the_store_and_a_clock_set_by_two_weeks_evicts_nothing()
    {
        using var t = Limited(m => m with { SampleAge = TimeSpan.FromHours(32), SummaryAge = TimeSpan.FromHours(64) }, 4 << 20);
        var lost = new List<(int Hour, RecordLoss Loss)>();
        for (var hour = 0; hour < 90; hour++)
        {
            t.Add(FeedStream.Sample, RowClass.Raw, standIn: 60);
            t.Add(FeedStream.Summary, RowClass.Summary, level: Minute, standIn: 900);
            t.Add(FeedStream.Emission, RowClass.Compliance);
            t.Feed();
            t.SetCheckpoint();
            lost.AddRange(t.Commit().Losses.Select(l => (hour, l)));
            if (hour % 10 == 5)
            {
                t.Clock.StepWall(TimeSpan.FromDays(hour % 20 == 5 ? 14 : -14));
            }

            if (hour % 25 == 7)
            {
                // Switched off for a year: that time does not count.
                t.Store.Dispose();
                t.Clock.Advance(TimeSpan.FromDays(365));
                t.Reopen();
            }

            t.Clock.Advance(TimeSpan.FromHours(1));
        }

        var samples = lost.Where(l => l.Loss.Stream == FeedStream.Sample).ToList();
        var summaries = lost.Where(l => l.Loss.Stream == FeedStream.Summary).ToList();
        Assert.DoesNotContain(lost, l => l.Loss.Stream == FeedStream.Emission);
        Assert.All(samples, l => Assert.Equal("thinned to 60 s, too old", l.Loss.Reason));
        Assert.All(summaries, l => Assert.Equal("thinned to 900 s, too old", l.Loss.Reason));

        // Row n was made in hour n - 1. It goes when its age is reached, and at most two marks later.
        Assert.All(samples, l => Assert.InRange(l.Hour - (l.Loss.Last - 1), 32, 35));
        Assert.All(summaries, l => Assert.InRange(l.Hour - (l.Loss.Last - 1), 64, 69));
        Assert.True(samples[^1].Loss.Last >= 50 && summaries[^1].Loss.Last >= 15);
    }

    [Fact]
    public void While_nothing_is_delivered_samples_go_from_85_percent_of_the_budget_on_and_nothing_else()
    {
        foreach (var thin in new[] { true, false })
        {
            using var t = Limited(m => m with { ThinEarly = thin }, 4 << 20);
            var mostPages = StoreLimits.For(4 << 20).Sqlite.MaxPages;
            var early = new List<RecordLoss>();
            for (var n = 0; n < 1500; n++)
            {
                t.Clock.Advance(TimeSpan.FromMinutes(1));
                t.Add(FeedStream.Sample, RowClass.Raw, bytes: 3500, standIn: 60);
                if (n % 10 == 0)
                {
                    t.Add(FeedStream.Emission, RowClass.Compliance, bytes: 800);
                }

                early.AddRange(t.Commit().Losses);
            }

            Assert.NotEmpty(early);
            Assert.All(early, l => Assert.Equal(thin ? "thinned to 60 s, early" : "thinned to 60 s", l.Reason));
            t.Store.Dispose();
            var used = Sql.Long(t.Database, "SELECT page_count FROM pragma_page_count()") - Sql.Long(t.Database, "SELECT freelist_count FROM pragma_freelist_count()");
            Assert.InRange(100.0 * used / mostPages, thin ? 80 : 90, thin ? 87 : 100);
            t.Reopen();
        }
    }

    [Fact]
    public void While_something_is_delivered_no_sample_goes_early()
    {
        using var t = Limited(m => m with { ThinEarly = true }, 4 << 20);
        for (var n = 0; t.Store.Statistics().EvictedRecords + t.Store.Statistics().ThinnedRecords == 0; n++)
        {
            t.Clock.Advance(TimeSpan.FromMinutes(1));
            t.Add(FeedStream.Sample, RowClass.Raw, bytes: 3500, standIn: 60);
            t.Commit();
            if (n % 4 == 3)
            {
                t.Store.Acknowledge(TestStore.Destination, t.Store.LastRowId);
            }

            Assert.False(t.Store.IsUndelivered);
        }

        Assert.All(t.Store.Statistics().Losses, l => Assert.Equal("thinned to 60 s", l.Reason));
    }

    [Fact]
    public void Without_a_setting_the_budget_is_chosen_once_from_the_free_space_and_kept()
    {
        Assert.Equal(StorageModel.LeastDefaultBudgetBytes, StorageBudget.Of(10 << 20, 0));
        Assert.Equal(600_000_000, StorageBudget.Of(900_000_000, 100_000_000));

        using var t = new TestStore(OutageSite.NewDirectory(), 16 << 20, 1 << 20);
        t.Store.Dispose();
        t.Model = t.Model with { BudgetBytes = 0, SampleLogBytes = 0 };
        t.Reopen();
        var chosen = t.Store.Statistics().BudgetBytes;
        Assert.InRange(chosen, StorageModel.LeastDefaultBudgetBytes, (new DriveInfo(t.Directory).TotalSize / 100 * 60) + 1);

        // A disk that has filled since, or was exchanged for a larger one: the number stays.
        var file = Path.Combine(t.Directory, "gateway.budget");
        File.WriteAllText(file, File.ReadAllText(file).Replace(chosen.ToString(CultureInfo.InvariantCulture), "67200000", StringComparison.Ordinal));
        t.Reopen();
        Assert.Equal(67_200_000, t.Store.Statistics().BudgetBytes);

        // A file that is not understood is replaced; a setting goes before it.
        File.WriteAllText(file, "nonsense");
        t.Reopen();
        Assert.NotEqual(67_200_000, t.Store.Statistics().BudgetBytes);
        t.Model = t.Model with { BudgetBytes = 20 << 20 };
        t.Reopen();
        Assert.Equal(20 << 20, t.Store.Statistics().BudgetBytes);
    }

    [Fact]
    public void An_eviction_writes_few_pages_however_much_is_kept_between()
    {
        using var t = new TestStore(OutageSite.NewDirectory(), 8 << 20, 256 << 10);
        var frames = new List<long>();
        var rows = 0;
        for (var n = 0; n < 12_000; n++)
        {
            var before = LogBytes(t);
            t.Add(FeedStream.Sample, RowClass.Raw, bytes: 600, standIn: 60);
            if (n % 3 == 0)
            {
                t.Add(FeedStream.Emission, RowClass.Compliance, bytes: 300);
            }

            rows += t.Batch.Rows.Count;
            if (t.Commit().Losses.Count > 0 || frames.Count > 0)
            {
                var grown = LogBytes(t) - before;
                frames.Add(grown > 0 ? grown / StoreLimits.FrameBytes : 0);
            }
        }

        Assert.True(frames.Count > 1000, $"{frames.Count} commits under pressure.");
        Assert.True(frames.Average() < 10, $"{frames.Average():F1} pages in a commit.");

        // The cursor, written with each, stays a few bytes although thousands of single rows are gone between rows that stay.
        Assert.True(t.Store.OpenCursor(TestStore.Destination).Runs.Count <= 1);
    }

    private static long LogBytes(TestStore t) => new FileInfo(t.Database + "-wal") is { Exists: true } file ? file.Length : 0;

    private static TestStore Limited(Func<StorageModel, StorageModel> limits, long budget)
    {
        var t = new TestStore(OutageSite.NewDirectory(), budget, 256 << 10);
        t.Model = limits(t.Model);
        t.Reopen();
        return t;
    }
}
