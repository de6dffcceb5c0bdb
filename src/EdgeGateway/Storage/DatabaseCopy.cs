using SQLitePCL;

namespace EdgeGateway.Storage;

/// <summary>A copy of a database that is being made (SQLite's online backup). What the connection of the original commits meanwhile goes into the copy too: at its end it is the database of that moment.</summary>
internal sealed class DatabaseCopy : IDisposable
{
    private readonly Database _to;
    private readonly sqlite3_backup _copy;

    internal DatabaseCopy(Database to, sqlite3_backup copy) => (_to, _copy) = (to, copy);

    /// <summary>Copies so many pages; negative: all that are left.</summary>
    /// <returns>True when there are more, or when the original was in use just then.</returns>
    /// <exception cref="StoreException">It could not be read or written.</exception>
    public bool Step(int pages)
    {
        var code = raw.sqlite3_backup_step(_copy, pages);
        if (code is raw.SQLITE_BUSY or raw.SQLITE_LOCKED)
        {
            return true;
        }

        _to.Check(code, "copy into");
        return code != raw.SQLITE_DONE;
    }

    /// <summary>Ends the copy; one that was not done is not usable.</summary>
    public void Dispose()
    {
        // What it says was said by the step before.
        _ = raw.sqlite3_backup_finish(_copy);
        _to.Dispose();
    }
}
