using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Outbox;
using EdgeGateway.Core.State;
using EdgeGateway.Storage;
using Microsoft.Data.Sqlite;

namespace EdgeGateway.Integration.Storage;

/// <summary>Stores of older and newer programs (requirement P-6).</summary>
public sealed class SchemaTests
{
    /// <summary>A store with rows and a sample log.</summary>
    internal static TestStore Filled()
    {
        var t = new TestStore();
        for (var n = 1; n <= 30; n++)
        {
            t.Feed(20);
            t.Add(bytes: 100 * n);
            t.Commit();
        }

        return t;
    }

    private static Dictionary<string, string> Files(string directory) => Directory.EnumerateFiles(directory)
        .Where(f => !f.EndsWith("gateway.lock", StringComparison.Ordinal) && !f.EndsWith("gateway.pid", StringComparison.Ordinal) && !f.EndsWith("-shm", StringComparison.Ordinal))
        .ToDictionary(f => Path.GetFileName(f), f => Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(f))));

    [Theory]
    [InlineData("in the main file", true)]
    [InlineData("only in the write-ahead log", false)]
    public void A_store_of_a_newer_program_is_refused_and_no_byte_is_changed(string where, bool moved)
    {
        using var t = Filled();
        t.Store.Dispose();
        using (var db = new SqliteConnection($"Data Source={t.Database};Pooling=False"))
        {
            db.Open();
            Execute(db, "UPDATE schema SET version = 99, oldest_reader = 99; PRAGMA user_version = 99");
            if (!moved)
            {
                // As the newer program leaves it when it is killed: copied away while the log still holds the change.
                var aside = Directory.CreateTempSubdirectory("edgegateway-newer-").FullName;
                foreach (var file in new[] { t.Database, t.Database + "-wal" })
                {
                    File.Copy(file, Path.Combine(aside, Path.GetFileName(file)));
                }

                db.Close();
                foreach (var file in Directory.EnumerateFiles(aside))
                {
                    File.Copy(file, Path.Combine(t.Directory, Path.GetFileName(file)), overwrite: true);
                }

                Directory.Delete(aside, recursive: true);
            }
        }

        var before = Files(t.Directory);
        for (var again = 0; again < 2; again++)
        {
            var e = Assert.Throws<StoreException>(() => SqliteStore.Open(t.Model, t.Destinations, t.Clock));
            Assert.True(e.Failure == StoreFailure.TooNew, $"{where}: {e}");
            Assert.Contains("newer", e.Message, StringComparison.Ordinal);
            Assert.Equal(before, Files(t.Directory));
        }
    }

    [Fact]
    public void A_stream_that_the_program_before_did_not_know_begins_in_the_epoch_of_the_others()
    {
        using var t = Filled();
        t.Store.Dispose();
        Sql.Execute(t.Database, "DELETE FROM head WHERE name = 'stream/9'");
        t.Reopen();
        Assert.Equal((t.Epoch(FeedStream.Summary), 1L), (t.Recovery.Heads[FeedStream.Cems].Epoch, t.Recovery.Heads[FeedStream.Cems].Next));
        t.Add(FeedStream.Cems, RowClass.Compliance);
        t.Commit();
        t.Reopen();
        Assert.Equal(2, t.Recovery.Heads[FeedStream.Cems].Next);
    }

    // As version 3 made it, version 2, and version 1.
    private const string AsVersion3 = "DROP TABLE ledger; UPDATE schema SET version = 3;";

    internal const string AsVersion2 = AsVersion3 +
        "DROP TRIGGER loss_extended; ALTER TABLE loss DROP COLUMN crc; ALTER TABLE loss_notice DROP COLUMN crc; ALTER TABLE recovery DROP COLUMN crc; UPDATE schema SET version = 2, oldest_reader = 1; PRAGMA user_version = 1;";

    [Theory]
    [InlineData(AsVersion3)]
    [InlineData(AsVersion2)]
    [InlineData(AsVersion2 + "DROP TABLE note; UPDATE schema SET version = 1")]
    public void A_store_of_a_version_before_is_brought_up_in_one_step_and_nothing_is_lost(string before)
    {
        using var t = Filled();
        t.Store.Quarantine(TestStore.Destination, 3, "no");
        t.Commit();
        var rows = t.ReadAll().Select(r => r.Id).ToArray();
        t.Store.Dispose();
        Sql.Execute(t.Database, before);
        t.Reopen();
        Assert.Null(t.Recovery.Report);
        Assert.Equal(rows, t.ReadAll().Select(r => r.Id));
        Assert.Equal(4, Sql.Long(t.Database, "SELECT version FROM schema"));
        Assert.Equal(0, Sql.Long(t.Database, "SELECT count(*) FROM ledger"));

        // Version 1 is told so without opening the file.
        Assert.Equal(2, Sql.Long(t.Database, "PRAGMA user_version"));
        Assert.Equal((3, 3), (t.Store.Statistics().Losses.Single().First, t.Recovery.UnpublishedLosses.Single().First));
        Assert.Equal(0, t.Recovery.RottenLossLines);
        t.Batch.Notes.Add(new StoreNote("key", "text"));
        t.Commit();
        Assert.Single(t.Store.Notes());
    }

    [Fact]
    public void The_program_of_the_version_before_goes_on_with_the_store_and_this_one_goes_on_after_it()
    {
        using var t = Filled();
        t.Batch.Notes.Add(new StoreNote("key", "text"));
        t.Store.Quarantine(TestStore.Destination, 3, "no");
        t.Commit();
        t.Store.Dispose();
        using (var db = new SqliteConnection($"Data Source={t.Database};Pooling=False"))
        {
            db.Open();

            // Version 2 looks at these two, and knows its own number to be 2.
            Assert.Equal(2, Number(db, "PRAGMA user_version"));
            Assert.Equal(2, Number(db, "SELECT oldest_reader FROM schema"));

            // And these are its statements, with every column it names: none has gone or changed its meaning.
            Execute(db, "INSERT INTO outbox(id, class, stream, epoch, first, count, body) SELECT id + 1, class, stream, epoch, first + 1, count, body FROM outbox ORDER BY id DESC LIMIT 1");
            Execute(db, "DELETE FROM outbox WHERE id = (SELECT max(id) FROM outbox)");
            Execute(db, "INSERT INTO log(number, body) SELECT number + 1, body FROM log ORDER BY number DESC LIMIT 1");
            Execute(db, "DELETE FROM log WHERE number = (SELECT max(number) FROM log)");
            Execute(db, "INSERT OR REPLACE INTO checkpoint(slot, log, body) SELECT slot, log, body FROM checkpoint");
            Execute(db, "INSERT INTO loss(stream, epoch, reason, destination, first, last, at) VALUES(2, 1790000000, 'evicted', '', 1, 5, 0)");
            Execute(db, "UPDATE loss SET last = max(last, 7), at = 1 WHERE stream = 2 AND epoch = 1790000000 AND reason = 'refused' AND destination = 'centre' AND first = 3");
            Execute(db, "INSERT INTO loss_notice(stream, epoch, first, last, reason, destination, at) VALUES(2, 1790000000, 1, 5, 'evicted', '', 0)");
            Execute(db, "INSERT INTO quarantine(id, destination, reason, at, body) VALUES(1, '', '', 0, x'00')");
            Execute(db, "SELECT name, a, b, c, d, text, crc FROM head");
            Execute(db, "SELECT hash, first_used, texts FROM configuration");
            Execute(db, "SELECT log, hash, at FROM configuration_use");
            Execute(db, "SELECT cause, at, set_aside, rows_saved, rows_scanned, rows_not_kept, batches_saved, batches_not_kept, checkpoint_saved, epoch, heads_before, told FROM recovery");
        }

        t.Reopen();
        Assert.Null(t.Recovery.Report);
        Assert.Equal(29, t.ReadAll().Count);
        Assert.Single(t.Store.Notes());

        // What it extended has no CRC any more, and is believed.
        Assert.Equal(0, t.Recovery.RottenLossLines);
        Assert.Contains(t.Store.Statistics().Losses, l => l is { First: 3, Last: 7, Reason: LossReason.Refused });

        // Its account of losses goes before counts by cause that it did not know.
        Assert.Equal(5, t.Store.LostRecords()[LossReason.Evicted]);
        t.Feed();
        t.Add();
        Assert.True(t.Commit().Written);
    }

    [Fact]
    public void Every_batch_is_one_that_the_program_of_the_version_before_can_read_and_the_one_before_that_is_refused()
    {
        using var t = new TestStore();
        InputBatch[] kinds =
        [
            TestStore.MakeInput(1, 5) with { Quality = TimeQuality.Synchronised },
            TestStore.MakeInput(2, 5) with { Quality = TimeQuality.Holdover, ClockStep = TimeSpan.FromSeconds(-3) },
            TestStore.MakeInput(3, 5) with { Quality = TimeQuality.Unset, Held = true },
            TestStore.MakeInput(4, 0) with { Quality = TimeQuality.Synchronised, Release = new HeldRelease(3, 12345) },
            TestStore.MakeInput(5, 0) with { Quality = TimeQuality.Unset, Release = new HeldRelease(3, null) },
            TestStore.MakeInput(6, 5) with { Quality = TimeQuality.Unset },
        ];
        foreach (var kind in kinds)
        {
            t.Batch.Input = kind;
            t.Commit();
        }

        var frames = t.ReadLog().Select(b => b.Frame.ToArray()).ToArray();
        Assert.Equal(kinds.Length, frames.Length);
        Assert.All(frames, f => Assert.True(IsReadBy(version: 2, f)));
        Assert.Contains(frames, f => !IsReadBy(version: 1, f));
        Assert.Equal(2, Sql.Long(t.Database, "SELECT oldest_reader FROM schema"));

        // What version 1 wrote is still understood: nothing is said of the clock.
        Assert.True(IsReadBy(version: 1, Frame(TestStore.MakeInput(7, 5))));
    }

    [Fact]
    public void A_full_disk_while_the_schema_is_brought_up_leaves_the_store_as_it_was_and_the_next_start_goes_on()
    {
        using var t = Filled();
        var rows = t.ReadAll().Select(r => r.Id).ToArray();
        t.Store.Dispose();
        Sql.Execute(t.Database, AsVersion3 + "VACUUM");
        using (var db = Database.OpenForSalvage(t.Database))
        {
            db.LimitPages(db.QueryLong("PRAGMA page_count"));
            Assert.Equal(StoreFailure.DiskFull, Assert.Throws<StoreException>(() => Schema.Migrate(db)).Failure);
            Assert.Equal(3, db.QueryLong("SELECT version FROM schema"));
        }

        Assert.Equal(0, Sql.Long(t.Database, "SELECT count(*) FROM sqlite_schema WHERE name = 'ledger'"));
        t.Reopen();
        Assert.Null(t.Recovery.Report);
        Assert.Equal(rows, t.ReadAll().Select(r => r.Id));
        Assert.Equal(4, Sql.Long(t.Database, "SELECT version FROM schema"));
    }

    [Fact]
    public void A_power_cut_while_the_schema_is_brought_up_leaves_all_of_it_or_nothing()
    {
        using var t = Filled();
        var rows = t.ReadAll().Select(r => r.Id).ToArray();
        t.Store.Dispose();
        Sql.Execute(t.Database, AsVersion2);

        // As the disk looks in the middle: what was written so far stands in the log, and its end is missing.
        var cut = Directory.CreateTempSubdirectory("edgegateway-cut-").FullName;
        using (var db = Database.OpenForSalvage(t.Database))
        {
            db.Execute("PRAGMA cache_size = 1; PRAGMA cache_spill = 1; BEGIN IMMEDIATE");
            db.Execute("ALTER TABLE loss ADD COLUMN crc INTEGER; CREATE TABLE ledger(x); INSERT INTO ledger SELECT randomblob(3000) FROM outbox; UPDATE schema SET version = 4");
            foreach (var file in new[] { t.Database, t.Database + "-wal" })
            {
                File.Copy(file, Path.Combine(cut, Path.GetFileName(file)));
            }

            db.Rollback();
        }

        Assert.True(new FileInfo(Path.Combine(cut, "gateway.db-wal")).Length > 0, "nothing of it was written yet");
        foreach (var file in Directory.EnumerateFiles(cut))
        {
            File.Copy(file, Path.Combine(t.Directory, Path.GetFileName(file)), overwrite: true);
        }

        Directory.Delete(cut, recursive: true);
        File.Delete(t.Database + "-shm");
        t.Reopen();
        Assert.Null(t.Recovery.Report);
        Assert.Equal(rows, t.ReadAll().Select(r => r.Id));
        Assert.Equal(4, Sql.Long(t.Database, "SELECT version FROM schema"));
        Assert.Equal(0, Sql.Long(t.Database, "SELECT count(*) FROM ledger"));
    }

    private static byte[] Frame(InputBatch batch)
    {
        var output = new System.Buffers.ArrayBufferWriter<byte>();
        InputBatchCodec.Encode(batch, TestStore.ValueOf, output);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>The rules of an earlier codec for the head of a batch, written down once more; the samples after it are in all versions the same.</summary>
    private static bool IsReadBy(int version, byte[] frame)
    {
        var at = 12;
        long Number()
        {
            long value = 0;
            for (var shift = 0; ; shift += 7)
            {
                var b = frame[at++];
                value |= (long)(b & 0x7F) << shift;
                if (b < 0x80)
                {
                    return value;
                }
            }
        }

        if (!frame.AsSpan(0, 4).SequenceEqual("EGB\u0001"u8) || Crc32.Of(frame.AsSpan(12), Crc32.Of(frame.AsSpan(0, 8))) != BitConverter.ToUInt32(frame, 8))
        {
            return false;
        }

        _ = Number();
        _ = Number();
        at += 16;
        _ = Number();
        var flags = frame[at++];
        if (version == 1)
        {
            // One byte that says whether the clock stepped: 0 or 1.
            if (flags > 1)
            {
                return false;
            }
        }
        else if ((flags & ~0x3F) != 0 || (flags & 0x30) == 0x20)
        {
            return false;
        }

        for (var numbers = (flags & 1) + ((flags >> 4) & 1) + ((flags >> 5) & 1); numbers > 0; numbers--)
        {
            _ = Number();
        }

        var count = Number();
        return count <= frame.Length - at - 4;
    }

    private static void Execute(SqliteConnection db, string sql)
    {
        using var command = db.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private static long Number(SqliteConnection db, string sql)
    {
        using var command = db.CreateCommand();
        command.CommandText = sql;
        return (long)command.ExecuteScalar()!;
    }
}
