using EdgeGateway.Storage;
using Microsoft.Data.Sqlite;

namespace EdgeGateway.Integration.Storage;

/// <summary>Stores of older and newer programs (requirement P-6).</summary>
public sealed class SchemaTests
{
    private static TestStore Filled()
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
    public void A_store_of_the_version_before_is_brought_up_in_one_step_and_nothing_is_lost()
    {
        using var t = Filled();
        var rows = t.ReadAll().Select(r => r.Id).ToArray();
        t.Store.Dispose();

        // As version 1 made it.
        Sql.Execute(t.Database, "DROP TABLE note; UPDATE schema SET version = 1");
        t.Reopen();
        Assert.Null(t.Recovery.Report);
        Assert.Equal(rows, t.ReadAll().Select(r => r.Id));
        Assert.Equal(2, Sql.Long(t.Database, "SELECT version FROM schema"));
        t.Batch.Notes.Add(new StoreNote("key", "text"));
        t.Commit();
        Assert.Single(t.Store.Notes());
    }

    [Fact]
    public void The_program_of_the_version_before_goes_on_with_the_store_and_this_one_goes_on_after_it()
    {
        using var t = Filled();
        t.Batch.Notes.Add(new StoreNote("key", "text"));
        t.Commit();
        t.Store.Dispose();
        using (var db = new SqliteConnection($"Data Source={t.Database};Pooling=False"))
        {
            db.Open();

            // Version 1 looks at these two, and knows its own number to be 1.
            Assert.Equal(1, Number(db, "PRAGMA user_version"));
            Assert.Equal(1, Number(db, "SELECT oldest_reader FROM schema"));

            // And these are its statements, with every column it names: none has gone or changed its meaning.
            Execute(db, "INSERT INTO outbox(id, class, stream, epoch, first, count, body) SELECT id + 1, class, stream, epoch, first + 1, count, body FROM outbox ORDER BY id DESC LIMIT 1");
            Execute(db, "DELETE FROM outbox WHERE id = (SELECT max(id) FROM outbox)");
            Execute(db, "INSERT INTO log(number, body) SELECT number + 1, body FROM log ORDER BY number DESC LIMIT 1");
            Execute(db, "DELETE FROM log WHERE number = (SELECT max(number) FROM log)");
            Execute(db, "INSERT OR REPLACE INTO checkpoint(slot, log, body) SELECT slot, log, body FROM checkpoint");
            Execute(db, "INSERT INTO loss(stream, epoch, reason, destination, first, last, at) VALUES(2, 1790000000, 'evicted', '', 1, 5, 0)");
            Execute(db, "INSERT INTO loss_notice(stream, epoch, first, last, reason, destination, at) VALUES(2, 1790000000, 1, 5, 'evicted', '', 0)");
            Execute(db, "INSERT INTO quarantine(id, destination, reason, at, body) VALUES(1, '', '', 0, x'00')");
            Execute(db, "SELECT name, a, b, c, d, text, crc FROM head");
            Execute(db, "SELECT hash, first_used, texts FROM configuration");
            Execute(db, "SELECT log, hash, at FROM configuration_use");
            Execute(db, "SELECT cause, at, set_aside, rows_saved, rows_scanned, rows_not_kept, batches_saved, batches_not_kept, checkpoint_saved, epoch, heads_before, told FROM recovery");
        }

        t.Reopen();
        Assert.Null(t.Recovery.Report);
        Assert.Equal(30, t.ReadAll().Count);
        Assert.Single(t.Store.Notes());

        // It kept no counts by cause; they are taken from its account of losses.
        Assert.Equal(5, t.Store.LostRecords()[LossReason.Evicted]);
        t.Feed();
        t.Add();
        Assert.True(t.Commit().Written);
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
