using System.Globalization;
using EdgeGateway.Core.Feed;

namespace EdgeGateway.Storage;

/// <summary>What programs that may open a store and how far it is numbered.</summary>
/// <param name="Schema">Its version.</param>
/// <param name="OldestReader">The oldest version of a program that may open it.</param>
/// <param name="Epoch">Its newest epoch.</param>
internal readonly record struct StoreVersions(long Schema, long OldestReader, long Epoch);

/// <summary>Copies of a store, and a copy that becomes the store.</summary>
internal static class StoreCopy
{
    /// <summary>Makes an empty file for its owner alone, in place of one that was left by a command that was cut off.</summary>
    public static void MakePrivate(string path)
    {
        Delete(path);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        new FileStream(path, options).Dispose();
    }

    /// <summary>Deletes a copy that is of no more use, and what SQLite has put beside it.</summary>
    public static void Delete(string path)
    {
        foreach (var file in (string[])[path, path + "-journal", path + "-wal", path + "-shm"])
        {
            File.Delete(file);
        }
    }

    // Long after a copy was last written to, nobody packs it any more.
    private static readonly TimeSpan Stale = TimeSpan.FromHours(3);

    /// <summary>Deletes copies of a running store that a backup which was cut off has left. One that is still being packed stays.</summary>
    /// <param name="files">The store.</param>
    /// <param name="time">The wall clock, against which the age of files is held.</param>
    public static void DeleteStale(StoreFiles files, TimeProvider time)
    {
        foreach (var copy in Directory.EnumerateFiles(files.Directory, Path.GetFileName(files.Copy) + "*"))
        {
            try
            {
                if (time.GetUtcNow().UtcDateTime - File.GetLastWriteTimeUtc(copy) > Stale)
                {
                    File.Delete(copy);
                }
            }
            catch (Exception kept) when (kept is IOException or UnauthorizedAccessException)
            {
                // It takes room and harms nothing; the next backup tries again.
            }
        }
    }

    /// <summary>Copies a store that no gateway has open; the caller holds its lock.</summary>
    /// <param name="files">The store.</param>
    /// <param name="path">The copy: one file.</param>
    /// <exception cref="StoreException">It is damaged, or cannot be read or copied.</exception>
    public static void MakeOf(StoreFiles files, string path)
    {
        if (StoreOpening.FindDamage(files) is { } damage)
        {
            throw new StoreException(StoreFailure.Damaged, $"The store in {files.Directory} is damaged ({damage}). Start the gateway: it salvages what can be read; then back up.");
        }

        MakePrivate(path);
        using var db = Database.OpenForSalvage(files.Database);
        using var copy = db.CopyTo(path);
        while (copy.Step(-1))
        {
            // Nobody else has it open: the next step goes on.
        }
    }

    /// <summary>Versions of a store or of a copy.</summary>
    /// <exception cref="StoreException">It cannot be read.</exception>
    public static StoreVersions VersionsOf(string database)
    {
        using var db = Database.OpenForSalvage(database);
        return new(
            db.QueryLong("SELECT version FROM schema"), db.QueryLong("SELECT oldest_reader FROM schema"), db.QueryLong("SELECT max(a) FROM head WHERE name GLOB 'stream/*'"));
    }

    /// <summary>
    /// Makes a copy fit to go on in place of a store that went on after the copy was made, here or on another computer: every stream begins a new epoch, so that nothing that is numbered from now on
    /// can be taken for what was numbered after the copy. The next start tells the feed.
    /// </summary>
    /// <param name="database">The copy.</param>
    /// <param name="lastEpoch">Newest epoch that is known to have begun elsewhere, or 0.</param>
    /// <param name="cause">What is told: <c>restored from …</c>.</param>
    /// <param name="time">The epoch is taken from the clock.</param>
    /// <returns>The new epoch.</returns>
    /// <exception cref="StoreException">The copy is damaged, or cannot be written.</exception>
    public static long BeginAnew(string database, long lastEpoch, string cause, TimeProvider time)
    {
        long epoch;
        using (var db = Database.OpenForSalvage(database))
        {
            if (db.QueryText("PRAGMA quick_check(1)") is var verdict && verdict != "ok")
            {
                throw new StoreException(StoreFailure.Damaged, $"{database} is damaged: {verdict}");
            }

            Schema.Migrate(db);
            var heads = HeadsOf(db);
            epoch = StoreOpening.NextEpoch(Math.Max(lastEpoch, heads.Max(h => h.Epoch)), time);
            var now = time.GetUtcNow().ToUnixTimeMilliseconds();
            db.Execute("BEGIN IMMEDIATE");
            StoreOpening.BeginEpoch(db, epoch);
            var before = HeadsText.Format(heads);
            using (var report = db.Once(
                """
                INSERT INTO recovery(at, cause, set_aside, rows_saved, rows_scanned, rows_not_kept, batches_saved, batches_not_kept, checkpoint_saved, epoch, heads_before, told, crc)
                VALUES(?1, ?2, '', (SELECT count(*) FROM outbox), 0, 0, (SELECT count(*) FROM log), 0, (SELECT count(*) > 0 FROM checkpoint), ?3, ?4, 0, ?5)
                """))
            {
                report.Bind(1, now).Bind(2, cause).Bind(3, epoch).Bind(4, before).Bind(5, SqliteStore.RecoveryCrc(cause, "", epoch, before)).Run();
            }

            db.Execute("COMMIT");
            db.QueryLong("PRAGMA wal_checkpoint(TRUNCATE)");
        }

        File.Delete(database + "-wal");
        File.Delete(database + "-shm");
        return epoch;
    }

    private static List<StreamHead> HeadsOf(Database db)
    {
        List<StreamHead> heads = [];
        using var all = db.Once(HeadTable.Select);
        while (all.Step())
        {
            if (!HeadTable.TryRead(all, out var entry))
            {
                throw new StoreException(StoreFailure.Damaged, $"{db.Path}: the line {entry.Name} of the table head does not have its CRC");
            }

            if (entry.Name.StartsWith(HeadName.StreamPrefix, StringComparison.Ordinal)
                && byte.TryParse(entry.Name.AsSpan(HeadName.StreamPrefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var stream))
            {
                heads.Add(new StreamHead((FeedStream)stream, entry.A, entry.B));
            }
        }

        return heads.Count > 0 ? heads : throw new StoreException(StoreFailure.Damaged, $"{db.Path} numbers no stream");
    }
}
