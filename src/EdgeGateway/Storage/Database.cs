using SQLitePCL;

namespace EdgeGateway.Storage;

/// <summary>How much of SQLite's files a connection may use.</summary>
/// <param name="AutoCheckpointPages">Pages in the write-ahead log after which SQLite moves them to the main file.</param>
/// <param name="JournalLimitBytes">Size to which the log file is cut when it starts over.</param>
/// <param name="MaxPages">Hard limit of the main file in pages.</param>
internal readonly record struct DatabaseLimits(int AutoCheckpointPages, long JournalLimitBytes, long MaxPages);

/// <summary>One SQLite connection with the settings of the store, used by one thread at a time.</summary>
/// <remarks>
/// Speaks to SQLite directly instead of through ADO.NET: blobs are bound from and read as spans, statements are prepared once, and
/// there is no connection pool that would hold a damaged file open.
/// </remarks>
internal sealed class Database : IDisposable
{
    public const int PageSize = 4096;
    private const int BusyTimeoutMilliseconds = 5000;
    private const int NoCheckpointOnClose = 1006;

    // SQLITE_IOERR_SHORT_READ: the last page of a long row is gone. Elsewhere SQLite takes what a file lacks for zeros.
    private const int ShortRead = 522;

    private readonly sqlite3 _db;
    private readonly List<Statement> _statements = [];

    static Database() => Batteries_V2.Init();

    private Database(sqlite3 db, string path)
    {
        _db = db;
        Path = path;
    }

    public string Path { get; }

    /// <summary>Opens for writing, sets the store's settings and reads each back.</summary>
    /// <exception cref="StoreException">It cannot be opened, is damaged, or a setting did not take.</exception>
    public static Database OpenWriter(string path, in DatabaseLimits limits) =>
        Configure(LetShrink(Open(path, raw.SQLITE_OPEN_READWRITE | raw.SQLITE_OPEN_CREATE)), limits);

    /// <summary>Lets <see cref="GiveBack"/> make the file shorter. Only takes in a new file, or with the next VACUUM; setting it again would write a page.</summary>
    private static Database LetShrink(Database db)
    {
        try
        {
            if (!db.CanGiveBack)
            {
                db.Execute("PRAGMA auto_vacuum = INCREMENTAL");
            }

            return db;
        }
        catch
        {
            db.Dispose();
            throw;
        }
    }

    /// <summary>Opens a connection that can only read the live store.</summary>
    public static Database OpenReader(string path, in DatabaseLimits limits)
    {
        var db = Configure(Open(path, raw.SQLITE_OPEN_READWRITE), limits);
        try
        {
            db.Set("query_only", "1", "1");
            return db;
        }
        catch
        {
            db.Dispose();
            throw;
        }
    }

    /// <summary>Opens a damaged database to read what can be read; closing does not change it.</summary>
    public static Database OpenForSalvage(string path)
    {
        var db = Open(path, raw.SQLITE_OPEN_READWRITE);
        db.KeepLogOnClose();
        return db;
    }

    /// <summary>
    /// The oldest program that the main file itself allows, read without touching any file: no lock, no write-ahead log. Null when it cannot be read.
    /// </summary>
    public static long? PeekOldestReader(string path)
    {
        try
        {
            using var db = OpenUnused(path);
            return db.QueryLong("SELECT oldest_reader FROM schema");
        }
        catch (StoreException)
        {
            // Whoever opens it in earnest meets the cause again.
            return null;
        }
    }

    /// <summary>Opens a database that nobody uses, to read its main file without touching any: no lock, and no look into the write-ahead log.</summary>
    public static Database OpenUnused(string path) => Open($"file:{Uri.EscapeDataString(path)}?immutable=1", raw.SQLITE_OPEN_READONLY | raw.SQLITE_OPEN_URI);

    private static Database Open(string path, int flags)
    {
        var code = raw.sqlite3_open_v2(path, out var handle, flags | raw.SQLITE_OPEN_NOMUTEX, null);
        var db = new Database(handle, path);
        try
        {
            db.Check(code, "open");
            raw.sqlite3_extended_result_codes(handle, 1);
            db.Check(raw.sqlite3_busy_timeout(handle, BusyTimeoutMilliseconds), "set the busy timeout of");
            return db;
        }
        catch
        {
            db.Dispose();
            throw;
        }
    }

    private static Database Configure(Database db, in DatabaseLimits limits)
    {
        try
        {
            db.Set("page_size", $"{PageSize}", null);
            db.Set("journal_mode", "WAL", "wal");
            db.Set("synchronous", "FULL", "2");
            db.Set("wal_autocheckpoint", $"{limits.AutoCheckpointPages}", $"{limits.AutoCheckpointPages}");
            db.Set("journal_size_limit", $"{limits.JournalLimitBytes}", $"{limits.JournalLimitBytes}");
            db.Set("cache_size", "-1024", "-1024");
            db.Set("temp_store", "MEMORY", "2");
            db.Set("max_page_count", $"{limits.MaxPages}", null);
            db.Expect("busy_timeout", $"{BusyTimeoutMilliseconds}");
            return db;
        }
        catch
        {
            db.Dispose();
            throw;
        }
    }

    /// <summary>Rewrites the file without its free pages, and sets its new limit. Needs the space of the new file twice more for the moment.</summary>
    public void Shrink(long maxPages)
    {
        // Not in memory: that would be the whole store.
        Set("temp_store", "FILE", "1");
        Execute("VACUUM");
        Set("temp_store", "MEMORY", "2");
        QueryLong("PRAGMA wal_checkpoint(TRUNCATE)");
        LimitPages(maxPages);
    }

    /// <summary>Sets the hard limit of the main file. One below its present length is taken for that.</summary>
    public void LimitPages(long pages) => Set("max_page_count", $"{pages}", null);

    /// <summary>True when the file was made so that <see cref="GiveBack"/> works.</summary>
    public bool CanGiveBack => QueryLong("PRAGMA auto_vacuum") == 2;

    /// <summary>Moves pages from the end of the file into free ones and makes it shorter by at most so many pages, in a transaction of its own.</summary>
    public void GiveBack(long pages) => Execute($"PRAGMA incremental_vacuum({pages})");

    /// <summary>Begins to copy the database into a file; what this connection commits meanwhile goes into the copy as well.</summary>
    /// <param name="path">An empty file, or one that is made.</param>
    /// <exception cref="StoreException">The copy cannot be opened.</exception>
    public DatabaseCopy CopyTo(string path)
    {
        var to = Open(path, raw.SQLITE_OPEN_READWRITE | raw.SQLITE_OPEN_CREATE);
        try
        {
            var copy = raw.sqlite3_backup_init(to._db, "main", _db, "main");
            if (copy is null or { IsInvalid: true })
            {
                to.Check(raw.sqlite3_errcode(to._db), "copy into");
            }

            return new DatabaseCopy(to, copy!);
        }
        catch
        {
            to.Dispose();
            throw;
        }
    }

    /// <summary>Prepares a statement that lives as long as the connection.</summary>
    public Statement Prepare(string sql)
    {
        CheckPrepared(raw.sqlite3_prepare_v3(_db, sql, raw.SQLITE_PREPARE_PERSISTENT, out var handle));
        var statement = new Statement(this, handle);
        _statements.Add(statement);
        return statement;
    }

    /// <summary>Prepares a statement that its user disposes.</summary>
    public Statement Once(string sql)
    {
        CheckPrepared(raw.sqlite3_prepare_v2(_db, sql, out var handle));
        return new Statement(this, handle);
    }

    /// <summary>Runs statements that return nothing of interest.</summary>
    public void Execute(string sql) => Check(raw.sqlite3_exec(_db, sql), "write");

    /// <summary>First column of the first row as text, or null when there is no row.</summary>
    public string? QueryText(string sql)
    {
        using var statement = Once(sql);
        return statement.Step() ? statement.Text(0) : null;
    }

    public long QueryLong(string sql)
    {
        using var statement = Once(sql);
        return statement.Step() ? statement.Long(0) : 0;
    }

    /// <summary>Ends an open transaction without effect; never throws, for use on the way out.</summary>
    public void Rollback()
    {
        // The result is of no interest: after I/O errors SQLite has rolled back by itself and says so by an error here.
        _ = raw.sqlite3_exec(_db, "ROLLBACK");
    }

    /// <summary>Closing shall not move the write-ahead log into the main file: what was found stays as it was found.</summary>
    public void KeepLogOnClose() => Check(raw.sqlite3_db_config(_db, NoCheckpointOnClose, 1, out _), "configure");

    /// <summary>Calls <paramref name="stop"/> every so many steps of SQLite's machine, or pages of its checks; true ends the statement with <see cref="Interrupted"/>.</summary>
    public void Watch(Func<bool>? stop, int steps = 20_000) =>
        raw.sqlite3_progress_handler(_db, stop is null ? 0 : steps, stop is null ? null : _ => stop() ? 1 : 0, null);

    /// <summary>True when the last statement was ended by <see cref="Watch"/>.</summary>
    public bool Interrupted => raw.sqlite3_errcode(_db) == raw.SQLITE_INTERRUPT;

    // The statements are the program's own: when SQLite does not know their tables or columns, the texts of the schema are not what was written.
    private void CheckPrepared(int code)
    {
        if (code is raw.SQLITE_ERROR)
        {
            throw new StoreException(StoreFailure.Damaged, $"Cannot read {Path}: its tables are not what was made ({raw.sqlite3_errmsg(_db).utf8_to_string()}). The next start sets it aside and salvages what can be read.");
        }

        Check(code, "read");
    }

    /// <summary>Turns a result code that is no success into a <see cref="StoreException"/>.</summary>
    internal void Check(int code, string attempt)
    {
        if (code is raw.SQLITE_OK or raw.SQLITE_ROW or raw.SQLITE_DONE)
        {
            return;
        }

        var detail = _db is { IsInvalid: false } ? raw.sqlite3_errmsg(_db).utf8_to_string() : raw.sqlite3_errstr(code).utf8_to_string();
        throw Failure(code, attempt, detail);
    }

    private StoreException Failure(int code, string attempt, string detail) => (code == ShortRead ? raw.SQLITE_CORRUPT : code & 0xFF) switch
    {
        raw.SQLITE_FULL => new(StoreFailure.DiskFull, $"Cannot {attempt} {Path}: no space left ({detail}). Nothing was lost; free space on the file system and the gateway goes on by itself."),
        raw.SQLITE_READONLY => new(StoreFailure.ReadOnly, $"Cannot {attempt} {Path}: it is read-only ({detail}). Check the mount (dmesg says whether the kernel remounted it after an error) and the owner of the directory."),
        raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB or raw.SQLITE_FORMAT => new(StoreFailure.Damaged, $"Cannot {attempt} {Path}: the file is damaged ({detail}). The next start sets it aside and salvages what can be read."),
        _ => new(StoreFailure.Io, $"Cannot {attempt} {Path}: {detail} (SQLite code {code})."),
    };

    private void Set(string pragma, string value, string? readBack)
    {
        Execute($"PRAGMA {pragma} = {value}");
        if (readBack is not null)
        {
            Expect(pragma, readBack);
        }
    }

    private void Expect(string pragma, string expected)
    {
        var actual = QueryText($"PRAGMA {pragma}");
        if (!string.Equals(actual, expected, StringComparison.OrdinalIgnoreCase))
        {
            throw new StoreException(
                StoreFailure.Unsafe,
                $"{Path}: the setting {pragma} did not take (wanted {expected}, is {actual ?? "nothing"}). The gateway does not run on a store that could lose accepted readings. Use a local file system (ext4, f2fs, xfs), not a network or FUSE mount.");
        }
    }

    public void Dispose()
    {
        foreach (var statement in _statements)
        {
            statement.Dispose();
        }

        _statements.Clear();
        _db?.Dispose();
    }
}
