using System.Buffers;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Outbox;
using EdgeGateway.Core.State;
using EdgeGateway.Storage;

namespace EdgeGateway.Integration.Storage;

/// <summary>The full check in the background (requirement O-8), and what is counted for ever (requirement R-5).</summary>
public sealed class StoreIntegrityTests
{
    private static TestStore Filled(int commits = 60)
    {
        var t = new TestStore(budgetBytes: 64 << 20);
        for (var n = 1; n <= commits; n++)
        {
            t.Feed(50);
            for (var i = 0; i < 10; i++)
            {
                t.Add(bytes: 700);
            }

            if (n % 20 == 0)
            {
                t.SetCheckpoint(9000);
            }

            t.Commit();
        }

        return t;
    }

    [Fact]
    public async Task A_sound_store_is_found_sound_and_says_so()
    {
        using var t = Filled();
        Assert.Equal(IntegrityState.NotYet, t.Store.Integrity.State);
        var report = await t.Store.CheckIntegrityAsync(CancellationToken.None);
        Assert.Equal((IntegrityState.Sound, ""), (report.State, report.Finding));
        Assert.Same(report, t.Store.Integrity);
        Assert.Empty(t.Commit().Losses);
    }

    [Fact]
    public async Task A_row_that_rotted_is_found_before_its_turn_and_counted()
    {
        using var t = Filled();
        Sql.Execute(t.Database, "UPDATE outbox SET body = CAST(substr(body, 1, 300) || x'00' || substr(body, 302) AS BLOB) WHERE id = 500");
        var report = await t.Store.CheckIntegrityAsync(CancellationToken.None);
        Assert.Equal(IntegrityState.Mended, report.State);
        Assert.Contains("row 500", report.Finding, StringComparison.Ordinal);
        t.Add();
        var loss = Assert.Single(t.Commit().Losses);
        Assert.Equal((LossReason.Unreadable, 500, 500), (loss.Reason, loss.First, loss.Last));
        Assert.Equal(1, t.Store.LostRecords()[LossReason.Unreadable]);
        Assert.Equal(600, t.ReadAll().Count);
    }

    [Theory]
    [InlineData("UPDATE log SET body = CAST(substr(body, 1, 60) || x'00' || substr(body, 62) AS BLOB) WHERE number = 55")]
    [InlineData("UPDATE checkpoint SET body = CAST(substr(body, 1, 60) || x'00' || substr(body, 62) AS BLOB) WHERE log = 60")]
    public async Task A_batch_or_a_checkpoint_that_rotted_asks_for_a_checkpoint_so_that_no_restart_needs_it(string damage)
    {
        using var t = Filled();
        Sql.Execute(t.Database, damage);
        Assert.Equal(IntegrityState.Mended, (await t.Store.CheckIntegrityAsync(CancellationToken.None)).State);
        t.Feed();
        Assert.True(t.Commit().CheckpointWanted);
        t.Feed();
        t.SetCheckpoint();
        Assert.False(t.Commit().CheckpointWanted);
        t.Reopen();
        Assert.Null(t.Recovery.Report);
        Assert.Equal(62, t.Recovery.Checkpoint!.LogNumber);
        Assert.Empty(t.ReadLog(62));
    }

    [Fact]
    public async Task A_damaged_structure_ends_the_use_of_the_store_and_the_next_opening_salvages_it()
    {
        using var t = Filled();
        var page = Sql.Long(t.Database, "SELECT rootpage FROM sqlite_schema WHERE name = 'quarantine'");
        Sql.Execute(t.Database, "PRAGMA user_version = 0; PRAGMA user_version = 1; PRAGMA wal_checkpoint(TRUNCATE)");
        using (var file = new FileStream(t.Database, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            file.Position = (page - 1) * 4096;
            file.Write(Enumerable.Repeat((byte)0xA5, 4096).ToArray());
        }

        var report = await t.Store.CheckIntegrityAsync(CancellationToken.None);
        Assert.Equal(IntegrityState.Damaged, report.State);
        t.Add();
        Assert.Equal(StoreFailure.Damaged, Assert.Throws<StoreException>(() => t.Store.Commit(t.Batch)).Failure);
        t.Reopen();
        Assert.Contains("full check", t.Recovery.Report!.Cause, StringComparison.Ordinal);
        Assert.Equal(600, t.ReadAll().Count);
        Assert.Equal(IntegrityState.Sound, (await t.Store.CheckIntegrityAsync(CancellationToken.None)).State);
    }

    [Fact]
    public async Task Commits_and_cuts_of_the_log_do_not_wait_for_the_check()
    {
        using var t = new TestStore(budgetBytes: 64 << 20);
        using var done = new CancellationTokenSource();
        var longest = 0L;
        var checks = 0;
        var checking = Task.Run(async () =>
        {
            while (!done.IsCancellationRequested)
            {
                var report = await t.Store.CheckIntegrityAsync(CancellationToken.None);
                Assert.True(report.State is IntegrityState.Sound or IntegrityState.Partly, report.ToString());
                checks++;
            }
        });
        for (var n = 1; n <= 300 || (checks < 2 && !checking.IsCompleted); n++)
        {
            t.Feed(50);
            t.Add(FeedStream.Sample, RowClass.Raw, bytes: 20_000);
            if (n % 20 == 0)
            {
                t.SetCheckpoint(9000);
            }

            t.Commit();
            Assert.Null(t.Store.Statistics().CheckpointFailure);
            longest = Math.Max(longest, new FileInfo(t.Database + "-wal").Length);
        }

        await done.CancelAsync();
        await checking;

        // A log that a reader holds up would have grown to the size of the store.
        Assert.InRange(longest, 1, 6 << 20);
    }

    [Fact]
    public void Lost_records_are_counted_by_cause_over_restarts_and_salvages()
    {
        using var t = Filled(3);
        for (var id = 1; id <= 4; id++)
        {
            t.Store.Quarantine(TestStore.Destination, id, "no");
        }

        t.Batch.ReadingsNotStored = 7;
        t.Commit();
        var lost = t.Store.LostRecords();
        Assert.Equal((4, 7), (lost["quarantined"], lost[SqliteStore.NotStored]));
        Assert.Equal(4, t.Store.Statistics().QuarantinedRecords);

        t.Store.Dispose();
        Sql.Execute(t.Database, "DELETE FROM loss");
        t.Reopen();
        Assert.Equal(lost, t.Store.LostRecords());
        t.Store.MarkDamaged("the test says so");
        t.Reopen();
        Assert.Equal(lost, t.Store.LostRecords());

        // And a commit that fails counts nothing.
        t.Store.Quarantine(TestStore.Destination, 6, "no");
        t.Batch.ReadingsNotStored = 100;
        t.Feed();
        var longer = t.Batch.Input!.Value with { Number = 9999 };
        t.Batch.Input = longer;
        Assert.ThrowsAny<ArgumentException>(() => t.Store.Commit(t.Batch));
        Assert.Equal(lost, t.Store.LostRecords());
        t.Batch.Clear();
        t.Commit();
        Assert.Equal(5, t.Store.LostRecords()["quarantined"]);
    }

    [Fact]
    public void What_is_in_use_grows_with_the_backlog_and_falls_with_its_delivery_although_the_file_does_not_shrink()
    {
        using var t = new TestStore(budgetBytes: 16 << 20, sampleLogBytes: 2 << 20);
        Assert.InRange(t.Store.InUse, 0, 0.05);
        var rows = 0;
        for (var last = 0.0; t.Store.InUse < 0.9; last = t.Store.InUse)
        {
            for (var i = 0; i < 20; i++, rows++)
            {
                t.Add(bytes: 3000);
            }

            Assert.Empty(t.Commit().Losses);
            Assert.True(t.Store.InUse >= last);
        }

        var file = new FileInfo(t.Database).Length;
        for (var id = 1; id <= rows; id++)
        {
            t.Store.Acknowledge(TestStore.Destination, id);
        }

        while (t.Store.Statistics().Rows > 0)
        {
            t.Commit();
        }

        Assert.InRange(t.Store.InUse, 0, 0.05);
        Assert.True(new FileInfo(t.Database).Length >= file);
        t.Reopen();
        Assert.InRange(t.Store.InUse, 0, 0.05);
    }

    [Theory]
    [InlineData("loss", "first = first - 1", false)]
    [InlineData("loss", "reason = 'evicted'", true)]
    [InlineData("loss", "last = last + 5", true)]
    [InlineData("loss", "reason = CAST(x'72656675736564ff' AS TEXT)", true)]
    [InlineData("loss", "reason = CAST(x'72656675736564ff' AS TEXT)", false)]
    [InlineData("loss", "last = -1, crc = NULL", true)]
    [InlineData("loss_notice", "last = last + 5", false)]
    [InlineData("loss_notice", "stream = 3", true)]
    public async Task A_line_about_losses_that_rotted_is_not_told_and_that_is_said(string table, string rot, bool atStart)
    {
        using var t = Filled(3);
        t.Store.Quarantine(TestStore.Destination, 4, "no");
        t.Store.Quarantine(TestStore.Destination, 5, "no");
        t.Store.Quarantine(TestStore.Destination, 9, "no");
        t.Commit();
        var lost = t.Store.LostRecords();
        Sql.Execute(t.Database, $"DROP TRIGGER loss_extended; UPDATE {table} SET {rot} WHERE first = 4");
        if (atStart)
        {
            t.Reopen();
            Assert.Equal(1, t.Recovery.RottenLossLines);
        }
        else
        {
            var report = await t.Store.CheckIntegrityAsync(CancellationToken.None);
            Assert.Equal(IntegrityState.Mended, report.State);
            Assert.Contains("account of losses", report.Finding, StringComparison.Ordinal);
        }

        Assert.Equal(table == "loss" ? [9L] : [4L, 9L], t.Store.Statistics().Losses.Select(l => l.First));
        Assert.Equal(table == "loss" ? [4L, 9L] : [9L], t.Store.Recover().UnpublishedLosses.Select(l => l.First));

        // The next commit takes it out: it is said once.
        t.Add();
        t.Commit();
        t.Reopen();
        Assert.Equal(0, t.Recovery.RottenLossLines);
        Assert.Equal(IntegrityState.Sound, (await t.Store.CheckIntegrityAsync(CancellationToken.None)).State);
        Assert.Equal(lost, t.Store.LostRecords());

        // And neither is a line that rotted carried over by a salvage, nor extended.
        Assert.Equal(1, Sql.Long(t.Database, "SELECT count(*) FROM " + table));
    }

    [Fact]
    public async Task A_line_about_losses_that_was_written_anew_since_it_was_found_rotten_stays()
    {
        using var t = Filled(3);
        t.Store.Quarantine(TestStore.Destination, 4, "no");
        t.Commit();
        Sql.Execute(t.Database, "DROP TRIGGER loss_extended; UPDATE loss SET last = last + 5");
        Assert.Equal(IntegrityState.Mended, (await t.Store.CheckIntegrityAsync(CancellationToken.None)).State);
        Sql.Execute(t.Database, "UPDATE loss SET last = last - 5");
        t.Add();
        t.Commit();
        Assert.Equal((4, 4), t.Store.Statistics().Losses.Select(l => (l.First, l.Last)).Single());
    }

    [Theory]
    [InlineData("first = first + 100")]
    [InlineData("count = 7")]
    [InlineData("epoch = epoch + 1")]
    [InlineData("stream = (stream & ~31) | 3")]
    [InlineData("stream = stream | (3 << 5)")]
    [InlineData("stream = stream + (900 << 10)")]
    [InlineData("class = 0")]
    public async Task Columns_of_a_row_that_rotted_are_mended_from_its_body(string rot)
    {
        using var t = Filled(3);
        Sql.Execute(t.Database, $"UPDATE outbox SET {rot} WHERE id = 5");
        var report = await t.Store.CheckIntegrityAsync(CancellationToken.None);
        Assert.Equal(IntegrityState.Mended, report.State);
        Assert.Contains("row 5", report.Finding, StringComparison.Ordinal);
        t.Add();
        t.Commit();
        Assert.Equal(IntegrityState.Sound, (await t.Store.CheckIntegrityAsync(CancellationToken.None)).State);
        Assert.Equal(1, Sql.Long(t.Database, $"SELECT count(*) FROM outbox WHERE id = 5 AND first = 5 AND count = 1 AND epoch = {t.Epoch(FeedStream.Summary)} AND class = 1 AND stream = 2"));
    }

    [Fact]
    public void What_is_evicted_is_stated_by_the_body_of_the_row_not_by_columns_that_rotted()
    {
        using var t = new TestStore(budgetBytes: 4 << 20, sampleLogBytes: 1 << 20);
        for (var i = 0; i < 20; i++)
        {
            t.Add(FeedStream.Sample, RowClass.Raw, bytes: 3000);
        }

        t.Commit();
        Sql.Execute(t.Database, "UPDATE outbox SET first = first + 1000 WHERE id = 5");
        var told = new List<RecordLoss>();
        while (told.Sum(l => l.Last - l.First + 1) < 20)
        {
            t.Add(FeedStream.Sample, RowClass.Raw, bytes: 30_000);
            told.AddRange(t.Commit().Losses);
        }

        Assert.Equal(Enumerable.Range(1, 20), told.SelectMany(l => Enumerable.Range((int)l.First, (int)(l.Last - l.First + 1))).Take(20));
    }

    [Fact]
    public void A_row_goes_with_its_reason_also_when_the_column_that_says_it_rotted()
    {
        using var t = new TestStore(budgetBytes: 4 << 20, sampleLogBytes: 1 << 20);
        for (var i = 0; i < 20; i++)
        {
            t.Add(bytes: 300, level: 9, standIn: 900);
        }

        t.Commit();
        Sql.Execute(t.Database, "UPDATE outbox SET stream = stream + (64 << 10) WHERE id = 5");
        var told = new List<RecordLoss>();
        for (var i = 0; i < 2000 && told.Sum(l => l.Last - l.First + 1) < 20; i++)
        {
            t.Add(FeedStream.Emission, RowClass.Compliance, bytes: 3000);
            told.AddRange(t.Commit().Losses.Where(l => l.Stream == FeedStream.Summary));
        }

        Assert.All(told, l => Assert.Equal("thinned to 900 s", l.Reason));
        Assert.Equal(Enumerable.Range(1, 20), told.SelectMany(l => Enumerable.Range((int)l.First, (int)(l.Last - l.First + 1))));
    }

    [Theory]
    [InlineData(300)]
    [InlineData(30_000)]
    public async Task A_row_of_the_program_before_has_no_mark_of_its_place_and_is_as_good(int bytes)
    {
        using var t = new TestStore();
        t.Add(bytes: bytes, level: 9, standIn: 900);
        t.Commit();
        var before = t.ReadAll().Single();
        t.Store.Dispose();

        // The last bytes: behind the frame of a short body, within that of a deflated one.
        var stored = new ArrayBufferWriter<byte>();
        OutboxRowFrame.Encode(before, before.Id, stored);
        byte[] unmarked = [.. stored.WrittenSpan[..^OutboxRowFrame.MarkLength]];
        StoredFrame.Seal(unmarked, FrameKind.Row);
        Assert.False(OutboxRowFrame.TryReadMark(unmarked, before.Id, out _, out _));
        Sql.Execute(t.Database, $"UPDATE outbox SET body = x'{Convert.ToHexString(unmarked)}'");
        t.Reopen();
        Assert.Equal(before.Body.ToArray(), t.ReadAll().Single().Body.ToArray());
        Assert.Equal(IntegrityState.Sound, (await t.Store.CheckIntegrityAsync(CancellationToken.None)).State);
    }

    [Fact]
    public void What_a_destination_refuses_is_stated_by_the_body_of_the_row_not_by_columns_that_rotted()
    {
        using var t = Filled(3);
        Sql.Execute(t.Database, "UPDATE outbox SET first = first + 10, count = 7 WHERE id = 5");
        t.Store.Quarantine(TestStore.Destination, 5, "no");
        var loss = Assert.Single(t.Commit().Losses);
        Assert.Equal((LossReason.Refused, 5, 5), (loss.Reason, loss.First, loss.Last));
    }

    [Theory]
    [InlineData("first = first + 1000", true)]
    [InlineData("first = first - 2", true)]
    [InlineData("count = 3", true)]
    [InlineData("stream = 30", true)]
    [InlineData("epoch = epoch + 1", true)]
    [InlineData("first = first + 1000, body = CAST(substr(body, 1, 31) || x'FFFFFFFFFFFFFF7F' || substr(body, 40) AS BLOB)", false)]
    public async Task Of_a_row_that_rotted_in_more_than_one_place_only_what_fits_is_stated(string rot, bool isKnown)
    {
        using var t = Filled(3);
        Sql.Execute(t.Database, "UPDATE outbox SET body = CAST(substr(body, 1, 300) || x'00' || substr(body, 302) AS BLOB) WHERE id = 5");
        Sql.Execute(t.Database, $"UPDATE outbox SET {rot} WHERE id = 5");
        await t.Store.CheckIntegrityAsync(CancellationToken.None);
        t.Add();
        var losses = t.Commit().Losses;
        Assert.Equal(isKnown ? [(5L, 5L)] : [], losses.Select(l => (l.First, l.Last)));
        Assert.Equal(
            isKnown ? 0 : 1,
            Sql.Long(t.Database, "SELECT count(*) FROM quarantine WHERE id = 5 AND reason LIKE '%Which records it held is not known%'"));
        t.Reopen();
        Assert.Equal(30, t.ReadAll().Count);
    }

    [Fact]
    public void An_account_of_a_salvage_that_rotted_is_told_without_its_numbers()
    {
        using var t = Filled(3);
        t.Store.MarkDamaged("the test says so");
        t.Reopen();
        Assert.NotEmpty(t.Recovery.Report!.HeadsBefore);
        t.Store.Dispose();
        Sql.Execute(t.Database, "UPDATE recovery SET heads_before = '2:x:'");
        t.Reopen();
        Assert.Contains("damaged itself", t.Recovery.Report!.Cause, StringComparison.Ordinal);
        Assert.Empty(t.Recovery.Report.HeadsBefore);
    }
}
