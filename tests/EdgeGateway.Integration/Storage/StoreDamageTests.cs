using System.Buffers.Binary;
using EdgeGateway.Core;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.State;
using EdgeGateway.Storage;

namespace EdgeGateway.Integration.Storage;

public sealed class StoreDamageTests
{
    private const int Rows = 400;

    /// <summary>A closed store of 400 rows of some sizes, batches 1 to 40 and a checkpoint at 30, all in the main file.</summary>
    private static TestStore Filled()
    {
        var t = new TestStore();
        for (var n = 1; n <= 40; n++)
        {
            t.Feed(20);
            for (var i = 0; i < Rows / 40; i++)
            {
                t.Add(bytes: (n % 5) switch { 0 => 9000, 1 => 3900, 2 => 1500, _ => 200 });
            }

            if (n == 30)
            {
                t.SetCheckpoint(9000);
            }

            t.Commit();
        }

        t.Store.Dispose();
        return t;
    }

    [Fact]
    public void Notes_survive_a_restart_and_a_salvage_and_one_that_was_changed_is_left_out()
    {
        using var t = new TestStore();
        StoreNote[] notes = [new("expiry/relay/k1", "{}"), new("write/000000000001", "Pumpe 井下")];
        t.Batch.Notes.AddRange([.. notes, new StoreNote("write/000000000002", "gone"), new StoreNote("write/000000000002", null)]);
        t.Commit();
        t.Reopen();
        Assert.Equal(notes, t.Store.Notes());

        t.Store.MarkDamaged("the test says so");
        t.Reopen();
        Assert.NotNull(t.Recovery.Report);
        Assert.Equal(notes, t.Store.Notes());

        t.Store.Dispose();
        Sql.Execute(t.Database, "UPDATE note SET text = 'Pumpe' WHERE key LIKE 'write/%'");
        t.Reopen();
        var damaged = new List<StoreNote>();
        Assert.Equal(notes[..1], t.Store.Notes(damaged));
        Assert.Equal([new StoreNote("write/000000000001", "Pumpe")], damaged);

        // A salvage does not hide it.
        t.Store.MarkDamaged("the test says so");
        t.Reopen();
        damaged.Clear();
        Assert.Equal(notes[..1], t.Store.Notes(damaged));
        Assert.Single(damaged);
    }

    [Fact]
    public void Notes_that_a_salvage_could_not_read_leave_a_word()
    {
        using var t = new TestStore();
        t.Batch.Notes.Add(new StoreNote("expiry/relay/k1", "{}"));
        t.Commit();
        t.Store.Dispose();
        using (var file = new FileStream(t.Database, FileMode.Open))
        {
            // Page 1, and with it the schema: not even a database any more.
            file.Write(new byte[4096]);
        }

        t.Reopen();
        Assert.NotNull(t.Recovery.Report);
        Assert.Equal([StoreNote.LostTable], t.Store.Notes().Select(n => n.Key));
    }

    [Fact]
    public void A_salvage_believes_no_rotten_line_about_losses_because_it_cannot_read_them_all()
    {
        using var t = new TestStore(budgetBytes: 64 << 20);
        for (var i = 0; i < 1200; i++)
        {
            t.Add();
        }

        t.Commit();
        for (var id = 1; id <= 1200; id += 2)
        {
            t.Store.Quarantine(TestStore.Destination, id, "no");
        }

        t.Commit();
        var lost = t.Store.LostRecords();
        t.Store.Dispose();
        Sql.Execute(t.Database, "DROP TRIGGER loss_extended; UPDATE loss SET last = last + 50 WHERE first IN (3, 301)");
        var root = Sql.Long(t.Database, "SELECT rootpage FROM sqlite_schema WHERE name = 'loss'");
        using (var file = new FileStream(t.Database, FileMode.Open, FileAccess.ReadWrite))
        {
            // The second leaf, by the second cell of the tree's inner page (SQLite file format, 1.6): in between lies what both ends reach.
            Span<byte> page = stackalloc byte[4096];
            file.Position = (root - 1) * 4096;
            file.ReadExactly(page);
            Assert.Equal(2, page[0]);
            var cell = BinaryPrimitives.ReadUInt16BigEndian(page[14..]);
            file.Position = (BinaryPrimitives.ReadUInt32BigEndian(page[cell..]) - 1) * 4096;
            file.Write(Enumerable.Repeat((byte)0xA5, 4096).ToArray());
        }

        t.Reopen();
        Assert.NotNull(t.Recovery.Report);
        var kept = t.Store.Statistics().Losses;
        Assert.All(kept, l => Assert.Equal(l.First, l.Last));
        Assert.DoesNotContain(kept, l => l.First is 3 or 301);
        Assert.Contains(kept, l => l.First == 1);
        Assert.Contains(kept, l => l.First == 1199);
        Assert.Equal(lost[LossReason.StateOf(LossReason.Refused).Word()], t.Store.LostRecords()[LossReason.StateOf(LossReason.Refused).Word()]);
    }

    [Fact]
    public void Every_row_outside_the_damaged_pages_is_saved_and_keeps_its_number()
    {
        using var t = Filled();
        var random = new Random(7);
        var pages = (int)(new FileInfo(t.Database).Length / 4096);
        var damaged = Enumerable.Range(0, 6).Select(_ => random.Next(0, pages)).ToHashSet();
        damaged.Add(0); // With page 1 SQLite loses the schema: only the raw scan is left.
        using (var file = new FileStream(t.Database, FileMode.Open))
        {
            var noise = new byte[4096];
            foreach (var page in damaged)
            {
                random.NextBytes(noise);
                file.Position = page * 4096L;
                file.Write(noise);
            }
        }

        t.Reopen();
        var report = t.Recovery.Report!;
        var rows = t.ReadAll();
        Assert.Equal(report.RowsSaved, rows.Count);
        Assert.Equal(rows.Count, report.RowsFoundByScan);

        // A page holds at most 16 of the small rows and costs at most that many.
        Assert.InRange(rows.Count, Rows - (16 * damaged.Count), Rows);
        Assert.All(rows, row => Assert.Equal(row.Id, row.FirstSequence));
        Assert.True(report.Epoch > rows[0].Epoch);
        Assert.True(t.Recovery.Heads.Values.All(h => h.Next == 1 && h.Epoch == report.Epoch));
        Assert.Equal(0, report.RowsNotKept);

        // And numbering goes on behind the saved rows.
        t.Add();
        Assert.True(t.Commit().FirstRowId > rows[^1].Id);
    }

    [Fact]
    public void A_lost_database_is_not_taken_for_a_first_start()
    {
        using var t = Filled();
        var epoch = t.Epoch(FeedStream.Summary);
        File.Delete(t.Database);
        t.Reopen();
        Assert.False(t.Recovery.FirstStart);
        Assert.Contains("missing", t.Recovery.Report!.Cause, StringComparison.Ordinal);
        Assert.True(t.Recovery.Report.Epoch > epoch);
        Assert.Empty(t.ReadAll());
    }

    [Fact]
    public void State_and_log_are_carried_over_together()
    {
        using var t = Filled();
        Sql.Execute(t.Database, "UPDATE head SET b = b + 1 WHERE name = 'stream/2'");
        t.Reopen();
        var report = t.Recovery.Report!;
        Assert.Contains("stream/2", report.Cause, StringComparison.Ordinal);
        Assert.True(report.CheckpointSaved);
        Assert.Equal(30, t.Recovery.Checkpoint!.LogNumber);
        Assert.Equal(TestStore.MakeState(30, 9000), t.Recovery.Checkpoint.State.ToArray());
        Assert.Equal(Enumerable.Range(31, 10).Select(i => (long)i), t.ReadLog(30).Select(b => b.Number));
        Assert.Equal(41, t.Recovery.NextBatchNumber);
        Assert.Equal(Rows, t.ReadAll().Count);
        Assert.Equal(Rows, t.Store.Statistics().Rows);
        Assert.Equal(Rows + 1, report.HeadsBefore.Single(h => h.Stream == FeedStream.Summary).Next);
    }

    [Fact]
    public void Delivered_rows_do_not_come_back_when_the_cursor_can_be_read()
    {
        using var t = new TestStore();
        for (var i = 0; i < 50; i++)
        {
            t.Add();
        }

        t.Commit();
        for (var id = 1; id <= 20; id++)
        {
            t.Store.Acknowledge(TestStore.Destination, id);
        }

        t.Commit();
        t.Store.Dispose();
        File.WriteAllText(Path.Combine(t.Directory, "gateway.suspect"), "a commit met damage");
        t.Reopen();
        Assert.Equal("a commit met damage", t.Recovery.Report!.Cause);
        Assert.Equal(Enumerable.Range(21, 30).Select(i => (long)i), t.ReadAll().Select(r => r.Id));
        Assert.Equal(20, t.Store.OpenCursor(TestStore.Destination).Floor);
        Assert.False(File.Exists(Path.Combine(t.Directory, "gateway.suspect")));
    }

    [Fact]
    public void A_gap_in_the_log_ends_what_can_be_replayed()
    {
        using var t = Filled();
        Sql.Execute(t.Database, "UPDATE log SET body = zeroblob(length(body)) WHERE number = 36");
        File.WriteAllText(Path.Combine(t.Directory, "gateway.suspect"), "test");
        t.Reopen();
        Assert.Equal([31, 32, 33, 34, 35], t.ReadLog(30).Select(b => b.Number));
        Assert.Equal(36, t.Recovery.NextBatchNumber);
        Assert.Equal(4, t.Recovery.Report!.BatchesNotKept);
    }

    [Fact]
    public void A_flipped_bit_in_the_log_that_the_replay_finds_is_salvaged_once()
    {
        using var t = Filled();
        Sql.Execute(t.Database, "UPDATE log SET body = CAST(substr(body, 1, 40) || x'FF' || substr(body, 42) AS BLOB) WHERE number = 36");
        t.Reopen();
        Assert.Null(t.Recovery.Report);
        Sample[] samples = [];
        var found = t.ReadLog(30).First(b => InputBatchCodec.TryDecode(b.Frame.Span, TestStore.ValueOf, ref samples, out _) != FrameStatus.Intact);
        Assert.Equal(36, found.Number);

        t.Store.MarkDamaged("batch 36 cannot be read");
        t.Reopen();
        Assert.Equal("batch 36 cannot be read", t.Recovery.Report!.Cause);
        Assert.Equal([31, 32, 33, 34, 35], t.ReadLog(30).Select(b => b.Number));
        Assert.Equal(Rows, t.ReadAll().Count);
        t.Reopen();
        Assert.Single(t.Store.Statistics().DamagedSets);
    }

    [Fact]
    public void A_whole_batch_that_cannot_be_replayed_is_dropped_with_all_after_it_and_not_met_again()
    {
        using var t = Filled();
        t.Reopen();
        t.Store.SaveConfiguration("later", new Dictionary<string, string> { ["gateway.yaml"] = "x" });
        t.Store.MarkNotReplayable(36, "the values of batch 36 differ");
        t.Store.MarkDamaged("and this");
        t.Reopen();
        Assert.Equal([31, 32, 33, 34, 35], t.ReadLog(30).Select(b => b.Number));
        Assert.Equal(36, t.Recovery.NextBatchNumber);
        Assert.Equal(5, t.Recovery.Report!.BatchesNotKept);
        Assert.Equal(30, t.Recovery.Checkpoint!.LogNumber);
        Assert.Equal(Rows, t.ReadAll().Count);
        Assert.True(t.Recovery.Heads.Values.All(h => h.Next == 1 && h.Epoch == t.Recovery.Report.Epoch));

        // The number is used again, under the configuration that is in force then; nothing of the old batches comes back.
        t.Store.SaveConfiguration("now", new Dictionary<string, string> { ["gateway.yaml"] = "y" });
        t.Feed(3);
        t.Commit();
        Assert.Equal("now", t.ReadLog(35).Single().ConfigurationHash);
        t.Store.MarkDamaged("again");
        t.Reopen();
        Assert.Equal([31, 32, 33, 34, 35, 36], t.ReadLog(30).Select(b => b.Number));
    }

    [Fact]
    public void A_whole_checkpoint_that_cannot_be_loaded_is_passed_over()
    {
        using var t = Filled();
        t.Reopen();
        t.Feed();
        t.SetCheckpoint(400);
        t.Commit();
        Assert.Equal(41, t.Store.Recover().Checkpoint!.LogNumber);
        t.Store.MarkCheckpointUnusable(41, "the state does not load");
        t.Reopen();
        Assert.Equal(30, t.Recovery.Checkpoint!.LogNumber);
        Assert.Equal(Enumerable.Range(31, 11).Select(i => (long)i), t.ReadLog(30).Select(b => b.Number));

        t.Store.MarkCheckpointUnusable(30, "this one neither");
        t.Reopen();
        Assert.Null(t.Recovery.Checkpoint);
        Assert.Equal(1, t.ReadLog().First().Number);
        Assert.Equal(Rows, t.ReadAll().Count);
    }

    [Fact]
    public void Damage_that_the_reading_of_the_log_or_the_recovery_meets_notes_itself()
    {
        using var t = Filled();
        foreach (var table in new[] { "log", "loss_notice" })
        {
            t.Store.Dispose();
            var page = Sql.Long(t.Database, $"SELECT rootpage FROM sqlite_schema WHERE name = '{table}'");
            t.Reopen();

            // A write of another connection makes the store read the pages anew.
            Sql.Execute(t.Database, "PRAGMA user_version = 0; PRAGMA user_version = 1; PRAGMA wal_checkpoint(TRUNCATE)");
            using (var file = new FileStream(t.Database, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
            {
                file.Position = (page - 1) * 4096;
                file.Write(new byte[4096].Select(_ => (byte)0xA5).ToArray());
            }

            var e = Assert.Throws<StoreException>(() => table == "log" ? t.ReadLog(0) : (object)t.Store.Recover());
            Assert.Equal(StoreFailure.Damaged, e.Failure);
            Assert.True(File.Exists(Path.Combine(t.Directory, "gateway.suspect")));
            t.Reopen();
            Assert.NotNull(t.Recovery.Report);
            Assert.Equal(Rows, t.ReadAll().Count);
            Assert.Equal(Enumerable.Range(31, 10).Select(i => (long)i), t.ReadLog(30).Select(b => b.Number));
        }
    }

    [Theory]
    [InlineData("after the log was moved")]
    [InlineData("after both were moved")]
    [InlineData("while the new one was filled")]
    [InlineData("before the old set was renamed")]
    public void A_salvage_that_was_cut_off_goes_on_at_the_next_start(string moment)
    {
        using var t = Filled();
        var set = t.Database + ".salvaging-20260921T000000Z";
        switch (moment)
        {
            case "after the log was moved":
                File.WriteAllBytes(set + "-wal", []);
                break;
            case "after both were moved":
                File.Move(t.Database, set);
                break;
            case "while the new one was filled":
                File.Move(t.Database, set);
                File.WriteAllBytes(t.Database + ".salvage", new byte[5000]);
                break;
            default:
                File.Copy(t.Database, set);
                break;
        }

        t.Reopen();
        Assert.Equal(Rows, t.ReadAll().Count);
        Assert.Equal(moment == "before the old set was renamed", t.Recovery.Report is null);
        Assert.Single(t.Store.Statistics().DamagedSets);
        Assert.DoesNotContain(Directory.EnumerateFiles(t.Directory), f => f.Contains("salvag", StringComparison.Ordinal));
    }

    [Fact]
    public void Only_the_two_newest_damaged_sets_are_kept()
    {
        using var t = Filled();
        for (var i = 0; i < 4; i++)
        {
            t.Store.Dispose();
            t.Clock.Advance(TimeSpan.FromHours(i < 2 ? 1 : 0));
            File.WriteAllText(Path.Combine(t.Directory, "gateway.suspect"), "test");
            t.Reopen();
            Assert.Equal(Rows, t.ReadAll().Count);
        }

        Assert.Equal(2, t.Store.Statistics().DamagedSets.Count);
    }
}
