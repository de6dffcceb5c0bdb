namespace EdgeGateway.Storage;

/// <summary>The tables of <c>gateway.db</c> and which programs may open them.</summary>
internal static class Schema
{
    /// <summary>Version this program writes. 2 added the table <c>note</c>, and what is known of the clock to the batches; 3 a CRC to the lines about losses; 4 the table <c>ledger</c>.</summary>
    public const int Version = 4;

    /// <summary>
    /// Oldest program that may open what this one writes, by schema version; kept in SQLite's user_version, where it can be read without opening. A program of
    /// version 1 would take a batch that says what is known of the clock (<see cref="Core.State.InputBatch.Quality"/>) for damage.
    /// </summary>
    public const int OldestReader = 2;

    /// <summary>'EGW1'.</summary>
    public const int ApplicationId = 0x45475731;

    // The hot tables have no index beside their key. "head" is small on purpose: all that changes with each commit shares one page.
    private const string Tables = """
        CREATE TABLE schema(version INTEGER NOT NULL, oldest_reader INTEGER NOT NULL, made INTEGER NOT NULL);
        CREATE TABLE head(name TEXT PRIMARY KEY, a INTEGER NOT NULL, b INTEGER NOT NULL, c INTEGER NOT NULL, d INTEGER NOT NULL, text TEXT, crc INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE outbox(id INTEGER PRIMARY KEY, class INTEGER NOT NULL, stream INTEGER NOT NULL, epoch INTEGER NOT NULL, first INTEGER NOT NULL, count INTEGER NOT NULL, body BLOB NOT NULL);
        CREATE TABLE log(number INTEGER PRIMARY KEY, body BLOB NOT NULL);
        CREATE TABLE checkpoint(slot INTEGER PRIMARY KEY, log INTEGER NOT NULL, body BLOB NOT NULL);
        CREATE TABLE configuration(hash TEXT PRIMARY KEY, first_used INTEGER NOT NULL, texts BLOB NOT NULL) WITHOUT ROWID;
        CREATE TABLE configuration_use(log INTEGER PRIMARY KEY, hash TEXT NOT NULL, at INTEGER NOT NULL);
        CREATE TABLE loss(stream INTEGER NOT NULL, epoch INTEGER NOT NULL, reason TEXT NOT NULL, destination TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, at INTEGER NOT NULL, crc INTEGER, PRIMARY KEY(stream, epoch, reason, destination, first)) WITHOUT ROWID;
        CREATE TABLE loss_notice(id INTEGER PRIMARY KEY AUTOINCREMENT, stream INTEGER NOT NULL, epoch INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, reason TEXT NOT NULL, destination TEXT NOT NULL, at INTEGER NOT NULL, crc INTEGER);
        CREATE TABLE quarantine(n INTEGER PRIMARY KEY, id INTEGER NOT NULL, destination TEXT NOT NULL, reason TEXT NOT NULL, at INTEGER NOT NULL, body BLOB NOT NULL);
        CREATE TABLE recovery(n INTEGER PRIMARY KEY, at INTEGER NOT NULL, cause TEXT NOT NULL, set_aside TEXT NOT NULL, rows_saved INTEGER NOT NULL, rows_scanned INTEGER NOT NULL, rows_not_kept INTEGER NOT NULL, batches_saved INTEGER NOT NULL, batches_not_kept INTEGER NOT NULL, checkpoint_saved INTEGER NOT NULL, epoch INTEGER NOT NULL, heads_before TEXT NOT NULL, told INTEGER NOT NULL, crc INTEGER);
        """ + "\n" + NoteTable.Create + "\n" + LossLine.Trigger + "\n" + LedgerTable.Create;

    /// <summary>Makes the tables and begins the first epoch, in one transaction: there is never one without the other.</summary>
    public static void Create(Database db, long nowMilliseconds, long epoch)
    {
        db.Execute(
            $"""
            BEGIN IMMEDIATE;
            {Tables}
            INSERT INTO schema VALUES({Version}, {OldestReader}, {nowMilliseconds});
            PRAGMA application_id = {ApplicationId};
            PRAGMA user_version = {OldestReader};
            """);
        StoreOpening.BeginEpoch(db, epoch);
        db.Execute("COMMIT");
    }

    // What each version added, oldest first. Only additions: the program of the version before goes on with what it knows.
    private static readonly (int Version, string Sql)[] Steps = [(2, NoteTable.Create), (3, LossLine.Migration), (4, LedgerTable.Create)];

    /// <summary>Brings a store of an older program to this version, in one transaction; one of a newer program that allows this one stays as it is (requirement P-6).</summary>
    public static void Migrate(Database db)
    {
        var version = db.QueryLong("SELECT version FROM schema");
        if (version >= Version)
        {
            // A flipped bit in the file's header says something else than the table: the table is right, it was read through SQLite.
            var oldest = db.QueryLong("SELECT oldest_reader FROM schema");
            if (db.QueryLong("PRAGMA user_version") != oldest)
            {
                db.Execute($"PRAGMA user_version = {oldest}");
            }

            return;
        }

        db.Execute("BEGIN IMMEDIATE");
        try
        {
            foreach (var step in Steps.Where(s => s.Version > version))
            {
                db.Execute(step.Sql);
            }

            db.Execute($"UPDATE schema SET version = {Version}, oldest_reader = {OldestReader}; PRAGMA user_version = {OldestReader}; COMMIT");
        }
        catch
        {
            db.Rollback();
            throw;
        }
    }

    /// <summary>True when the tables are there.</summary>
    public static bool Exists(Database db) => db.QueryLong("SELECT count(*) FROM sqlite_schema WHERE name = 'schema'") == 1;

    /// <summary>Refuses a store that does not allow this program.</summary>
    /// <exception cref="StoreException"><see cref="StoreFailure.TooNew"/>.</exception>
    public static void RefuseNewer(string path, long oldestReader)
    {
        if (oldestReader > Version)
        {
            throw new StoreException(
                StoreFailure.TooNew,
                $"{path} was written by a newer EdgeGateway (it needs schema {oldestReader}, this program knows {Version}). Install that version again; nothing has been changed.");
        }
    }
}
