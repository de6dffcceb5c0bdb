using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using EdgeGateway.Core;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Outbox;
using EdgeGateway.Core.State;
using EdgeGateway.Storage;

namespace EdgeGateway.Integration.Storage;

/// <summary>A fact that looks at <c>/proc</c>.</summary>
internal sealed class LinuxFactAttribute : FactAttribute
{
    public LinuxFactAttribute() => Skip = OperatingSystem.IsLinux() ? null : "Needs /proc.";
}

/// <summary>A fact that takes on another user's rights.</summary>
internal sealed class RootFactAttribute : FactAttribute
{
    public RootFactAttribute() => Skip = OperatingSystem.IsLinux() && Environment.UserName == "root" ? null : "Only root can look at files as another user does.";
}

public sealed class SqliteStoreTests
{
    [Fact]
    public void A_first_start_begins_every_stream_at_sequence_one_of_an_epoch_from_the_clock()
    {
        using var t = new TestStore();
        Assert.True(t.Recovery.FirstStart);
        Assert.Null(t.Recovery.Report);
        Assert.Null(t.Recovery.Checkpoint);
        Assert.Equal(1, t.Recovery.NextBatchNumber);
        Assert.Equal(9, t.Recovery.Heads.Count);
        Assert.All(t.Recovery.Heads.Values, h => Assert.Equal((1_790_000_000, 1), (h.Epoch, h.Next)));
    }

    [Fact]
    public void What_was_committed_is_there_after_a_restart()
    {
        using var t = new TestStore();
        t.Feed();
        t.Add();
        t.Add(FeedStream.Emission, RowClass.Compliance, count: 3);
        t.Batch.Counters.Add(("samples", 10));
        var first = t.Commit();
        t.SetCheckpoint();
        t.Commit();
        t.Feed();
        t.Add();
        t.Commit();
        Assert.Equal(1, first.FirstRowId);
        var before = t.ReadAll();

        t.Reopen();

        Assert.False(t.Recovery.FirstStart);
        Assert.Equal(3, t.Store.LastRowId);
        Assert.Equal(3, t.Recovery.Heads[FeedStream.Summary].Next);
        Assert.Equal(4, t.Recovery.Heads[FeedStream.Emission].Next);
        Assert.Equal(1_790_000_000, t.Recovery.Heads[FeedStream.Emission].Epoch);
        Assert.Equal(10, t.Recovery.Counters["samples"]);
        Assert.Equal(1, t.Recovery.Checkpoint!.LogNumber);
        Assert.Equal(TestStore.MakeState(1, 500), t.Recovery.Checkpoint.State.ToArray());
        Assert.Equal(3, t.Recovery.NextBatchNumber);
        var after = t.ReadAll();
        Assert.Equal(before.Select(r => r with { Body = default }), after.Select(r => r with { Body = default }));
        Assert.Equal(before.Select(r => Convert.ToHexString(r.Body.Span)), after.Select(r => Convert.ToHexString(r.Body.Span)));

        var batch = Assert.Single(t.ReadLog(after: 1));
        Sample[] samples = [];
        Assert.Equal(FrameStatus.Intact, InputBatchCodec.TryDecode(batch.Frame.Span, TestStore.ValueOf, ref samples, out var input));
        Assert.Equal(TestStore.MakeInput(2, 10).Samples.ToArray(), input.Samples.ToArray());
    }

    [Fact]
    public void Nothing_is_written_when_nothing_changed()
    {
        using var t = new TestStore();
        t.Add();
        t.Commit();
        var wal = new FileInfo(t.Database + "-wal").Length;
        for (var i = 0; i < 10; i++)
        {
            Assert.False(t.Commit().Written);
        }

        Assert.Equal(wal, new FileInfo(t.Database + "-wal").Length);
    }

    [Fact]
    public void Row_ids_are_not_used_again_after_the_outbox_was_emptied()
    {
        using var t = new TestStore();
        t.Add();
        t.Add();
        t.Commit();
        t.Store.Acknowledge(TestStore.Destination, 1);
        t.Store.Acknowledge(TestStore.Destination, 2);
        t.Commit();
        Assert.Empty(t.ReadAll());
        t.Reopen();
        t.Add();
        Assert.Equal(3, t.Commit().FirstRowId);
    }

    [Fact]
    public void A_row_goes_when_the_last_destination_has_it()
    {
        using var t = new TestStore(null, 16 << 20, 4 << 20, "centre", "grid");
        for (var i = 0; i < 6; i++)
        {
            t.Add();
        }

        t.Commit();
        foreach (var id in new long[] { 1, 2, 4, 5 })
        {
            t.Store.Acknowledge("centre", id);
        }

        t.Commit();
        Assert.Equal([1, 2, 3, 4, 5, 6], t.ReadAll().Select(r => r.Id));
        foreach (var id in new long[] { 2, 3, 5, 6 })
        {
            t.Store.Acknowledge("grid", id);
        }

        t.Commit();
        Assert.Equal([1, 3, 4, 6], t.ReadAll().Select(r => r.Id));
        t.Reopen("centre", "grid");
        var centre = t.Store.OpenCursor("centre");
        Assert.Equal([1, 2, 4, 5], Enumerable.Range(1, 6).Where(i => centre.Contains(i)));
        var grid = t.Store.OpenCursor("grid");
        Assert.Equal([2, 3, 5, 6], Enumerable.Range(1, 6).Where(i => grid.Contains(i)));

        // A destination that is taken out of the configuration no longer holds rows back.
        t.Reopen("centre");
        t.Store.Acknowledge("centre", 3);
        t.Commit();
        Assert.Equal([6], t.ReadAll().Select(r => r.Id));
        Assert.Equal(5, t.Store.OpenCursor("centre").Floor);
    }

    [Fact]
    public void An_acknowledgement_is_durable_with_the_next_commit_and_not_before()
    {
        using var t = new TestStore();
        t.Add();
        t.Commit();
        t.Store.Acknowledge(TestStore.Destination, 1);
        Assert.False(t.Store.OpenCursor(TestStore.Destination).Contains(1));
        t.Reopen();
        Assert.Single(t.ReadAll());
        t.Store.Acknowledge(TestStore.Destination, 1);
        Assert.True(t.Commit().Written);
        t.Reopen();
        Assert.Empty(t.ReadAll());
        Assert.True(t.Store.OpenCursor(TestStore.Destination).Contains(1));
    }

    [Fact]
    public void Reading_ends_at_the_limits_and_gives_at_least_one_row()
    {
        using var t = new TestStore();
        for (var i = 0; i < 10; i++)
        {
            t.Add(bytes: 1000);
        }

        t.Commit();
        var rows = new List<OutboxRow>();
        Assert.Equal(1, t.Store.Read(1, long.MaxValue, 100, 10, rows));
        Assert.Equal(3, t.Store.Read(2, long.MaxValue, 3, 1 << 20, rows));
        Assert.Equal(2, t.Store.Read(5, long.MaxValue, 100, 2200, rows));
        Assert.Equal([1, 2, 3, 4, 5, 6], rows.Select(r => r.Id));
        Assert.Equal(2, t.Store.Read(9, 20, 100, 1 << 20, rows));
        Assert.Equal(0, t.Store.Read(11, 20, 100, 1 << 20, rows));
    }

    [Fact]
    public async Task A_waiter_wakes_when_a_row_comes()
    {
        using var t = new TestStore();
        var waiting = t.Store.WaitForRowAfterAsync(0, CancellationToken.None).AsTask();
        Assert.False(waiting.IsCompleted);
        t.Add();
        t.Commit();
        await waiting.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.True(t.Store.WaitForRowAfterAsync(0, CancellationToken.None).AsTask().IsCompletedSuccessfully);
        using var cancel = new CancellationTokenSource();
        var cancelled = t.Store.WaitForRowAfterAsync(1, cancel.Token).AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
    }

    [Fact]
    public void A_refused_row_is_set_aside_counted_and_reported_until_it_was_published()
    {
        using var t = new TestStore();
        t.Add();
        var bad = t.Add(count: 2);
        t.Add();
        t.Commit();
        t.Store.Quarantine(TestStore.Destination, 2, "reason code 0x95: packet too large");
        var loss = Assert.Single(t.Commit().Losses);
        Assert.Equal(
            (FeedStream.Summary, bad.Epoch, 2L, 3L, LossReason.Refused, TestStore.Destination), (loss.Stream, loss.Epoch, loss.First, loss.Last, loss.Reason, loss.Destination));
        Assert.Equal([1, 3], t.ReadAll().Select(r => r.Id));
        Assert.Equal(2, t.Store.Statistics().QuarantinedRecords);

        // A crash before the range statement was committed: it is reported again.
        t.Reopen();
        Assert.Equal(loss, Assert.Single(t.Recovery.UnpublishedLosses));
        t.Batch.LossesPublishedThrough = loss.Id;
        t.Add(FeedStream.Range, RowClass.Compliance);
        t.Commit();
        t.Reopen();
        Assert.Empty(t.Recovery.UnpublishedLosses);
        Assert.Single(t.Store.Statistics().Losses);
    }

    [Fact]
    public void A_row_whose_bytes_changed_on_disk_goes_to_quarantine_and_the_rest_flows()
    {
        using var t = new TestStore();
        t.Add();
        t.Add();
        t.Add();
        t.Commit();
        Sql.Execute(t.Database, "UPDATE outbox SET body = zeroblob(length(body)) WHERE id = 2");

        // What was committed a moment ago is still handed over from memory.
        t.Reopen();
        Assert.Equal([1, 3], t.ReadAll().Select(r => r.Id));
        var loss = Assert.Single(t.Commit().Losses);
        Assert.Equal((FeedStream.Summary, 2L, 2L, LossReason.Unreadable), (loss.Stream, loss.First, loss.Last, loss.Reason));
        Assert.Equal(1, Sql.Long(t.Database, "SELECT count(*) FROM quarantine"));
        Assert.Equal(2, Sql.Long(t.Database, "SELECT count(*) FROM outbox"));
        Assert.Equal(2, t.Store.Statistics().Rows);
    }

    [Fact]
    public void A_damaged_checkpoint_falls_back_to_the_one_before_and_its_batches_are_still_there()
    {
        using var t = new TestStore();
        for (var i = 1; i <= 6; i++)
        {
            t.Feed();
            if (i % 2 == 0)
            {
                t.SetCheckpoint();
            }

            t.Commit();
        }

        Assert.Equal(2, Sql.Long(t.Database, "SELECT count(*) FROM checkpoint"));
        Sql.Execute(t.Database, "UPDATE checkpoint SET body = substr(body, 1, length(body) - 1) || x'FF' WHERE log = 6");
        t.Reopen();
        Assert.True(t.Recovery.CheckpointFellBack);
        Assert.Equal(4, t.Recovery.Checkpoint!.LogNumber);
        Assert.Equal([5, 6], t.ReadLog(after: 4).Select(b => b.Number));
        Assert.Equal(7, t.Recovery.NextBatchNumber);
    }

    [Fact]
    public void Batches_name_the_configuration_they_were_taken_with()
    {
        using var t = new TestStore();
        var a = new Dictionary<string, string> { ["gateway.yaml"] = "site: 一号", ["meter.yaml"] = new string('p', 5000) };
        t.Store.SaveConfiguration("aa", a);
        t.Feed();
        t.Commit();
        t.Feed();
        t.Commit();
        t.Reopen();
        t.Store.SaveConfiguration("bb", new Dictionary<string, string> { ["gateway.yaml"] = "site: 2" });
        t.Feed();
        t.Commit();
        t.Store.SaveConfiguration("aa", a);
        t.Feed();
        t.Commit();
        t.Reopen();
        Assert.Equal(["aa", "aa", "bb", "aa"], t.ReadLog().Select(b => b.ConfigurationHash));
        Assert.Equal(a, t.Store.LoadConfiguration("aa"));
        Assert.Null(t.Store.LoadConfiguration("cc"));
    }

    [Fact]
    public void Two_gateways_cannot_share_a_store()
    {
        using var t = new TestStore();
        var e = Assert.Throws<StoreException>(() => SqliteStore.Open(t.Model, t.Destinations, t.Clock));
        Assert.Equal(StoreFailure.InUse, e.Failure);
        Assert.Contains($"process {Environment.ProcessId}", e.Message, StringComparison.Ordinal);
    }

    [RootFact]
    [SupportedOSPlatform("linux")]
    public void A_store_that_another_users_gateway_holds_is_in_use_and_not_read_only()
    {
        using var t = new TestStore();
        File.SetUnixFileMode(t.Model.Directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute);
        var held = AsNobody(() => Assert.Throws<StoreException>(() => SqliteStore.Open(t.Model, t.Destinations, t.Clock)));
        Assert.Equal(StoreFailure.InUse, held.Failure);
        Assert.Contains($"process {Environment.ProcessId}", held.Message, StringComparison.Ordinal);

        // When nobody holds it, it is what it seems: a directory of somebody else.
        t.Store.Dispose();
        var left = AsNobody(() => Assert.Throws<StoreException>(() => SqliteStore.Open(t.Model, t.Destinations, t.Clock)));
        Assert.Equal(StoreFailure.ReadOnly, left.Failure);
        t.Reopen();
    }

    /// <summary>Does something with the file rights of the user nobody; they are those of the thread (setfsuid).</summary>
    private static T AsNobody<T>(Func<T> what)
    {
        _ = setfsuid(65534);
        try
        {
            return what();
        }
        finally
        {
            _ = setfsuid(0);
        }
    }

    [DllImport("libc")]
    private static extern int setfsuid(uint user);

    [Fact]
    public void A_batch_out_of_turn_and_a_head_that_goes_back_are_refused()
    {
        using var t = new TestStore();
        t.Batch.Input = TestStore.MakeInput(2, 1);
        Assert.Throws<ArgumentException>(() => t.Store.Commit(t.Batch));
        t.Batch.Clear();
        t.Add();
        t.Commit();
        t.Batch.Heads.Add(new StreamHead(FeedStream.Summary, t.Epoch(FeedStream.Summary), 1));
        Assert.Throws<ArgumentException>(() => t.Store.Commit(t.Batch));
        Assert.Throws<ArgumentOutOfRangeException>(() => t.Store.Acknowledge(TestStore.Destination, 2));
        Assert.Throws<ArgumentException>(() => t.Store.Acknowledge("nowhere", 1));
    }

    [Fact]
    public void A_commit_of_five_hundred_samples_allocates_a_few_kilobytes_whatever_their_number()
    {
        using var t = new TestStore();
        for (var n = 0; n < 5; n++)
        {
            t.Feed(500);
            t.Add();
            t.Commit();
        }

        t.Feed(500);
        t.Add();
        var before = GC.GetAllocatedBytesForCurrentThread();
        t.Commit();
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 8192);
    }

    [Fact]
    public void A_second_of_twenty_samples_writes_at_most_a_kilobyte_a_sample_to_the_log()
    {
        // Requirement O-2: 1.2 kB device bytes a sample at 20 samples a second; the pages moved to the main file come on top, once in
        // 512 frames or more.
        using var t = new TestStore(budgetBytes: 64 << 20);
        const int Commits = 100;
        t.Add();
        t.Commit();
        var before = new FileInfo(t.Database + "-wal").Length;
        for (var n = 0; n < Commits; n++)
        {
            t.Feed(20);
            t.Add(bytes: 600);
            if (n > 0)
            {
                t.Store.Acknowledge(TestStore.Destination, n);
            }

            t.Commit();
        }

        Assert.InRange((new FileInfo(t.Database + "-wal").Length - before) / (Commits * 20), 1, 1000);
    }

    [Fact]
    public void Statistics_agree_with_the_tables()
    {
        using var t = new TestStore();
        for (var i = 0; i < 20; i++)
        {
            t.Feed();
            t.Add();
            t.Add(FeedStream.Emission, RowClass.Compliance);
            t.Commit();
        }

        t.Store.Acknowledge(TestStore.Destination, 1);
        t.Store.Acknowledge(TestStore.Destination, 30);
        t.Commit();
        t.Clock.Advance(TimeSpan.FromSeconds(90));
        var s = t.Store.Statistics();
        Assert.Equal(Sql.Long(t.Database, "SELECT count(*) FROM outbox"), s.Rows);
        Assert.Equal(Sql.Long(t.Database, "SELECT sum(length(body)) FROM outbox"), s.RowBytes);
        Assert.Equal(19, s.Streams.Single(x => x.Stream == FeedStream.Summary).Rows);
        Assert.Equal(19, s.Streams.Single(x => x.Stream == FeedStream.Emission).Rows);
        Assert.Equal(TimeSpan.FromSeconds(90), s.OldestRowAge);
        Assert.Equal(21, s.NextBatch);
        Assert.Equal(new DestinationStatistics(TestStore.Destination, 1, 1), Assert.Single(s.Destinations));
        Assert.True(s.FileBytes > 0 && s.FileBytes <= s.BudgetBytes);
        Assert.True(s.ProcessBytesWritten > 0);
    }

    [LinuxFact]
    public void An_opening_that_fails_at_any_point_leaves_no_handle_of_the_store_behind()
    {
        using var t = new TestStore();
        t.Add();
        t.Commit();
        t.Store.Dispose();
        var failures = 0;
        for (var at = 1; ; at++)
        {
            var asked = 0;
            t.Clock.Asked = () => _ = ++asked == at ? throw new InvalidOperationException("the test says so") : 0;
            try
            {
                t.Reopen();
                break;
            }
            catch (InvalidOperationException)
            {
                // A handle that its finalizer closes later would drop the locks of the connection that is open then.
                failures++;
                Assert.DoesNotContain(
                    new DirectoryInfo("/proc/self/fd").EnumerateFileSystemInfos().Select(f => f.LinkTarget), target => target?.StartsWith(t.Directory, StringComparison.Ordinal) == true);
            }
        }

        t.Clock.Asked = null;
        Assert.True(failures >= 3, $"The clock was asked {failures} times only; the test does not reach the constructor.");
        Assert.Single(t.ReadAll());
    }
}
