using System.Buffers.Binary;

namespace EdgeGateway.Storage;

/// <summary>What happens between finding the directory and having a store that can be trusted.</summary>
internal static class StoreOpening
{
    // The full check of a large store runs longer than a gateway may be silent; what it does not see is found when it is read.
    private static readonly TimeSpan QuickCheckLimit = TimeSpan.FromSeconds(3);

    // A version number larger than this is damage, not a newer program.
    private const int LargestBelievedVersion = 1000;

    /// <summary>Opens, makes or salvages the database; the lock on the directory must be held.</summary>
    public static Database Open(StoreFiles files, StoreLimits limits, IReadOnlyList<string> destinations, TimeProvider time, out bool firstStart)
    {
        firstStart = false;
        var marker = StoreMarker.Read(files.Marker);
        var salvage = new Salvage(files, limits, destinations, time);
        if (salvage.Resume(marker))
        {
            marker = StoreMarker.Read(files.Marker);
        }

        var exists = File.Exists(files.Database) && new FileInfo(files.Database).Length > 0;
        if (!exists && marker is null && files.LogBytes() == 0)
        {
            firstStart = true;
            return Create(files, limits, time);
        }

        var damage = exists ? FindDamage(files) : $"{files.Database} is missing or empty although {files.Marker} says that there is a store";
        Database? db = null;
        if (damage is null)
        {
            try
            {
                db = Database.OpenWriter(files.Database, limits.Sqlite);
                if (!Schema.Exists(db))
                {
                    if (marker is null)
                    {
                        // The first start was cut off between making the file and making its tables.
                        db.Dispose();
                        firstStart = true;
                        return Create(files, limits, time);
                    }

                    damage = "the tables are missing";
                }
                else
                {
                    RefuseNewer(db);
                    damage = QuickCheck(db, time)
                        ?? (HeadTable.FindDamage(db) is { } line ? $"the line {line} of the table head does not have its CRC" : null)
                        ?? StoreWitness.FindLoss(files.Witness, Progress(db));
                }
            }
            catch (StoreException e) when (e.Failure == StoreFailure.Damaged)
            {
                damage = e.Message;
            }
            catch
            {
                db?.Dispose();
                throw;
            }
        }

        if (damage is not null)
        {
            db?.KeepLogOnClose();
            db?.Dispose();
            salvage.Run(damage, marker);
            return Database.OpenWriter(files.Database, limits.Sqlite);
        }

        Schema.Migrate(db!);
        if (marker is null)
        {
            new StoreMarker(db!.QueryLong("SELECT max(a) FROM head WHERE name GLOB 'stream/*'")).Write(files.Marker);
        }

        return db!;
    }

    /// <summary>Makes a new, empty store whose streams all begin a new epoch.</summary>
    private static Database Create(StoreFiles files, StoreLimits limits, TimeProvider time)
    {
        var db = Database.OpenWriter(files.Database, limits.Sqlite);
        try
        {
            var epoch = NextEpoch(0, time);
            Schema.Create(db, time.GetUtcNow().ToUnixTimeMilliseconds(), epoch);
            Durable.FlushDirectory(files.Directory);
            new StoreMarker(epoch).Write(files.Marker);
            return db;
        }
        catch
        {
            db.Dispose();
            throw;
        }
    }

    /// <summary>
    /// The epoch after <paramref name="last"/>. It is taken from the clock, so that a gateway whose card was replaced, and which knows
    /// of no epoch before, does not number new records like old ones.
    /// </summary>
    public static long NextEpoch(long last, TimeProvider time) => Math.Max(last + 1, time.GetUtcNow().ToUnixTimeSeconds());

    /// <summary>Sets all streams to sequence 1 of <paramref name="epoch"/> and counts their rows.</summary>
    public static void BeginEpoch(Database db, long epoch)
    {
        var head = new HeadTable(db);

        // The bits above are the level and the stand-in: RowPlace.
        using var count = db.Once($"SELECT count(*), coalesce(sum(length(body)), 0) FROM outbox WHERE (stream & {StoreLedger.Streams - 1}) = ?1");
        foreach (var stream in SqliteStore.AllStreams)
        {
            count.Bind(1, (long)stream).Step();
            var (rows, bytes) = (count.Long(0), count.Long(1));
            count.Reset();
            head.Save(new HeadEntry(HeadName.Streams[(byte)stream], epoch, 1, rows, bytes, null));
        }
    }

    /// <summary>Damage that is seen without SQLite; null when there is none.</summary>
    /// <exception cref="StoreException">The file is of a newer program; nothing has been touched.</exception>
    internal static string? FindDamage(StoreFiles files)
    {
        if (StoreSuspicion.Read(files.Suspect) is { } suspicion)
        {
            return suspicion.Reason;
        }

        Span<byte> header = stackalloc byte[100];
        using (var file = new FileStream(files.Database, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 1))
        {
            if (file.ReadAtLeast(header, header.Length, throwOnEndOfStream: false) < header.Length)
            {
                return "the file is shorter than its header";
            }
        }

        // Nothing but zeros at these places: made, and cut off before the first checkpoint of the write-ahead log.
        if (!header.StartsWith("SQLite format 3\0"u8))
        {
            return "the file is not an SQLite database";
        }

        // SQLite file format, 1.3: 1 or 2 for writing and for reading; with another number it opens the file read-only, or not at all.
        if (header[18] is not (1 or 2) || header[19] is not (1 or 2))
        {
            return "the header says that the file is of a later version of SQLite's format";
        }

        var application = BinaryPrimitives.ReadInt32BigEndian(header[68..]);
        if (application is not 0 and not Schema.ApplicationId)
        {
            return "the file is a database of another program";
        }

        var oldestReader = BinaryPrimitives.ReadInt32BigEndian(header[60..]);
        if (oldestReader is > Schema.Version and <= LargestBelievedVersion && Database.PeekOldestReader(files.Database) is not (> 0 and <= Schema.Version))
        {
            Schema.RefuseNewer(files.Database, oldestReader);
        }

        return WalInspection.FindDamage(files.Log);
    }

    /// <summary>
    /// Damage that SQLite sees in a store that nobody uses and whose write-ahead log is empty; null when there is none. Nothing is locked, written or made, whoever looks.
    /// </summary>
    /// <param name="files">The store.</param>
    /// <param name="time">Ends the look at the structure after some seconds.</param>
    /// <exception cref="StoreException">The store is of a newer program.</exception>
    internal static string? PeekDamage(StoreFiles files, TimeProvider time)
    {
        try
        {
            using var db = Database.OpenUnused(files.Database);
            if (!Schema.Exists(db))
            {
                return "the tables are missing";
            }

            RefuseNewer(db);
            return QuickCheck(db, time) ?? (HeadTable.FindDamage(db) is { } line ? $"the line {line} of the table head does not have its CRC" : null) ?? StoreWitness.FindLoss(files.Witness, Progress(db));
        }
        catch (StoreException e) when (e.Failure == StoreFailure.Damaged)
        {
            return e.Message;
        }
    }

    private static void RefuseNewer(Database db)
    {
        var oldestReader = db.QueryLong("SELECT oldest_reader FROM schema");
        if (oldestReader is > 0 and <= LargestBelievedVersion)
        {
            try
            {
                Schema.RefuseNewer(db.Path, oldestReader);
            }
            catch
            {
                db.KeepLogOnClose();
                throw;
            }
        }
    }

    private static StoreProgress Progress(Database db) => new(
        db.QueryLong("SELECT max(a) FROM head WHERE name GLOB 'stream/*'"),
        db.QueryLong("SELECT a FROM head WHERE name = 'row'"),
        Math.Max(1, db.QueryLong("SELECT a FROM head WHERE name = 'log'")));

    private static string? QuickCheck(Database db, TimeProvider time)
    {
        var started = time.GetTimestamp();
        db.Watch(() => time.GetElapsedTime(started) > QuickCheckLimit);
        try
        {
            var result = db.QueryText("PRAGMA quick_check(1)");
            return result is "ok" ? null : $"quick_check says: {result}";
        }
        catch (StoreException) when (db.Interrupted)
        {
            return null;
        }
        finally
        {
            db.Watch(null);
        }
    }
}
