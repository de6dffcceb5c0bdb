using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace EdgeGateway.Storage;

// When others have filled the file system (requirements E-4 and P-5): the ballast is released, and its space is set apart at once for the store's
// own two files. From then on the main file and the write-ahead log stay within that; the oldest of what may go makes room for
// what comes, counted and told as always. Numbers and durability are as ever.
public sealed partial class SqliteStore
{
    /// <summary>The write-ahead log with fewer pages than this cannot take a commit.</summary>
    private const int LeastLogFrames = 16;

    private static readonly TimeSpan SpaceLookInterval = TimeSpan.FromSeconds(10);

    private readonly StoreLimits _ownLimits;
    private readonly Ballast _ballast;

    // Held open from the first connection to the last: closing any handle of the file would drop the locks that SQLite holds on it (POSIX).
    private readonly SafeFileHandle _mainFile;
    private long _lookedForSpace;
    private volatile string? _diskFull;
    private volatile bool _cutting;

    /// <summary>Since the file system is full the store lives in the space it has: what that means, for people; null while there is space.</summary>
    public string? DiskFull => _diskFull;

    /// <summary>Why there is no ballast for the time when the file system will be full, or null.</summary>
    public string? BallastProblem => _diskFull is null ? _ballast.Problem : null;

    // Twice the ballast: one that comes and goes with every log file of another program helps nobody.
    private long SpaceToGoBack => (2 * _ownLimits.BallastBytes) + _ownLimits.LogReserveBytes;

    /// <summary>At the start: without a ballast the store must not grow into a write-ahead log that could then not be moved.</summary>
    private void TakeBallast()
    {
        if (!_ballast.TryRestore() && FreeBytes() < SpaceToGoBack)
        {
            FitIntoFullDisk();
        }
    }

    /// <summary>Releases the ballast and fits the store into the space there is.</summary>
    /// <returns>False when there is none to work in: nothing can be committed until somebody frees some.</returns>
    private bool FitIntoFullDisk()
    {
        try
        {
            _ballast.Release();
            var logBytes = SetApart(_mainFile, PageCount() * Database.PageSize) ? ReserveLog() : 0;
            if (logBytes < LeastLogFrames * StoreLimits.FrameBytes)
            {
                return false;
            }

            if (_diskFull is null)
            {
                Grow(_ownLimits.BallastBytes / 4);
            }

            LimitTo(_ownLimits.Within(PageCount(), logBytes));
            _diskFull = string.Create(
                CultureInfo.InvariantCulture,
                $"The file system of {_files.Directory} is full. The store goes on within the {_limits.TotalBytes} bytes it has; the oldest raw records make room and are counted. Free space on the file system; the store goes back to its budget by itself.");
            CutLog();
            _lookedForSpace = _time.GetTimestamp();
            return true;
        }
        catch (Exception e) when (e is StoreException { CanRetry: true } or IOException and not StoreException)
        {
            _lastCheckpointFailure = e.Message;
            return false;
        }
    }

    /// <summary>
    /// Gives the main file free pages from what the ballast left: a young store has nothing yet that may go. They must be written; a length set
    /// apart beyond the end of the file goes with the next checkpoint, which cuts the file to its size.
    /// </summary>
    private void Grow(long bytes)
    {
        var step = Math.Max(LeastLogFrames / 2, _limits.Sqlite.AutoCheckpointPages / 4) * Database.PageSize;
        try
        {
            _writer.Execute("DROP TABLE IF EXISTS spare; CREATE TABLE spare(body BLOB)");
            for (var left = Math.Min(bytes, FreePages() * Database.PageSize / 2); left > 0; left -= step)
            {
                _writer.QueryLong("PRAGMA wal_checkpoint(RESTART)");
                if (!SetApart(_mainFile, (PageCount() * Database.PageSize) + step + (4 * Database.PageSize)))
                {
                    break;
                }

                _writer.Execute(string.Create(CultureInfo.InvariantCulture, $"INSERT INTO spare VALUES(zeroblob({step}))"));
            }
        }
        finally
        {
            _writer.Execute("DROP TABLE IF EXISTS spare");
        }

        _writer.QueryLong("PRAGMA wal_checkpoint(RESTART)");
    }

    /// <summary>Once there is space for all the budget allows in the near future, puts the ballast back and lifts the limit.</summary>
    private void LookForSpace()
    {
        if (_diskFull is null || _time.GetElapsedTime(_lookedForSpace) < SpaceLookInterval)
        {
            return;
        }

        _lookedForSpace = _time.GetTimestamp();

        if (FreeBytes() < SpaceToGoBack || !_ballast.TryRestore())
        {
            return;
        }

        LimitTo(_ownLimits);
        _diskFull = null;
        _lastCheckpointFailure = null;
    }

    private void LimitTo(in StoreLimits limits)
    {
        _limits = limits;
        _writer.LimitPages(limits.Sqlite.MaxPages);
    }

    /// <summary>Sets space apart for the write-ahead log, as much as there is up to a quarter of the ballast; returns what the log may take in all.</summary>
    private long ReserveLog()
    {
        // A handle beside SQLite's does no harm: it takes no locks on this file. When it begins the log anew it cuts it to the limit.
        using var log = File.OpenHandle(_files.Log, FileMode.OpenOrCreate, FileAccess.Write, FileShare.ReadWrite);
        var has = RandomAccess.GetLength(log);
        for (var want = Math.Max(_limits.BallastBytes / 4, LeastLogFrames * StoreLimits.FrameBytes); want > has; want /= 2)
        {
            if (SetApart(log, want))
            {
                return Math.Min(want, _limits.Sqlite.JournalLimitBytes);
            }
        }

        return Math.Min(has, _limits.Sqlite.JournalLimitBytes);
    }

    private static bool SetApart(SafeFileHandle file, long bytes)
    {
        try
        {
            Durable.TryAllocate(file, bytes);
            return true;
        }
        catch (IOException)
        {
            // No space for so much: the caller asks for less, or says that there is none.
            return false;
        }
    }

    private long FreeBytes() => new DriveInfo(_files.Directory).AvailableFreeSpace;

    /// <summary>
    /// Moves the write-ahead log to the main file and begins it anew; its space goes back to the file system, but not while that is full: others would take it.
    /// </summary>
    private void CutLog()
    {
        _cutting = true;
        try
        {
            _writer.QueryLong(_diskFull is null ? "PRAGMA wal_checkpoint(TRUNCATE)" : "PRAGMA wal_checkpoint(RESTART)");
        }
        finally
        {
            _cutting = false;
        }

        _lastCheckpoint = _time.GetTimestamp();
    }
}
