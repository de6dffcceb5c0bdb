namespace EdgeGateway.Storage;

public sealed partial class SqliteStore
{
    // A piece of a megabyte between two commits: a commit waits for one of them at most.
    private const int CopyPages = 256;
    private static readonly TimeSpan CopyPause = TimeSpan.FromMilliseconds(5);

    private int _copying;

    /// <summary>Copies the store into one file while it is in use. The copy is the store of the moment at which it is done.</summary>
    /// <param name="path">The copy; readable by the owner alone.</param>
    /// <param name="cancel">Gives up; what there is of the copy is deleted.</param>
    /// <exception cref="StoreException">There is no room for it, another copy is being made, or it cannot be read or written.</exception>
    public async Task CopyAsync(string path, CancellationToken cancel)
    {
        StoreCopy.DeleteStale(_files, TimeProvider.System);
        var bytes = _files.Bytes();
        if (FreeBytes() < bytes + (2 * _limits.BallastBytes))
        {
            throw new StoreException(StoreFailure.DiskFull, $"{_files.Directory} has no room for a copy of the store of {bytes} bytes. Free space there, or stop the gateway and back it up to another disk.");
        }

        if (Interlocked.Exchange(ref _copying, 1) != 0)
        {
            throw new StoreException(StoreFailure.InUse, "Another backup of this store is being made. Wait for its end.");
        }

        try
        {
            StoreCopy.MakePrivate(path);
            using var copy = BeginCopy(path);
            while (Step(copy))
            {
                await Task.Delay(CopyPause, TimeProvider.System, cancel).ConfigureAwait(false);
            }
        }
        catch
        {
            File.Delete(path);
            File.Delete(path + "-journal");
            throw;
        }
        finally
        {
            Volatile.Write(ref _copying, 0);
        }
    }

    private DatabaseCopy BeginCopy(string path)
    {
        lock (_writing)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return _writer.CopyTo(path);
        }
    }

    private bool Step(DatabaseCopy copy)
    {
        lock (_writing)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return copy.Step(CopyPages);
        }
    }
}
