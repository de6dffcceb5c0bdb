using System.Globalization;

namespace EdgeGateway.Storage;

/// <summary>Holds a directory for one process: the kernel's file lock goes with the process, however it ends.</summary>
internal sealed class StoreLock : IDisposable
{
    // What .NET reports for errno EAGAIN and EROFS on Linux, and for a file in use on Windows.
    private const int WouldBlock = 11;
    private const int ReadOnlyFileSystem = 30;
    private const int SharingViolation = unchecked((int)0x80070020);

    private readonly FileStream _file;

    private StoreLock(FileStream file) => _file = file;

    /// <summary>Takes the lock.</summary>
    /// <exception cref="StoreException">Another process has it (<see cref="StoreFailure.InUse"/>) or the directory cannot be written.</exception>
    public static StoreLock Take(string directory)
    {
        var path = Path.Combine(directory, "gateway.lock");
        FileStream file;
        var isNew = !File.Exists(path);
        try
        {
            // FileShare.None is flock(LOCK_EX | LOCK_NB) on Linux.
            file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 1);
        }
        catch (UnauthorizedAccessException e)
        {
            if (IsHeld(path))
            {
                throw InUse(directory, e);
            }

            throw new StoreException(StoreFailure.ReadOnly, $"Cannot write in {directory}: {e.Message} Give the gateway's user the directory and what is in it: chown -R edgegateway {directory}", e);
        }
        catch (IOException e) when (e.HResult is not (WouldBlock or SharingViolation))
        {
            throw new StoreException(
                e.HResult == ReadOnlyFileSystem ? StoreFailure.ReadOnly : StoreFailure.Io,
                $"Cannot write in {directory}: {e.Message} Check the mount: dmesg says whether the kernel remounted it read-only after an error.", e);
        }
        catch (IOException e)
        {
            throw InUse(directory, e);
        }

        try
        {
            NoteHolder(directory);
            if (isNew)
            {
                // A command that root runs before the service was ever started must not leave a lock that the service cannot take.
                Ownership.Give(directory, [.. new[] { path, HolderOf(directory) }.Where(File.Exists)]);
            }
        }
        catch
        {
            file.Dispose();
            throw;
        }

        return new StoreLock(file);
    }

    private static StoreException InUse(string directory, Exception cause) => new(
        StoreFailure.InUse, $"Another gateway (process {Holder(directory)}) uses the store in {directory}. Stop it, or give this one its own directory.", cause);

    // Somebody who may not write here may still start a second gateway beside the service: it must not poll the same devices as one whose disk has failed would.
    private static bool IsHeld(string path)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.None, bufferSize: 1);
            return false;
        }
        catch (IOException e) when (e.HResult is WouldBlock or SharingViolation)
        {
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It cannot be told; what the caller reports is wrong in any case.
            return false;
        }
    }

    // Beside the lock, not in it: the lock also keeps others from reading.
    private static void NoteHolder(string directory)
    {
        try
        {
            File.WriteAllText(HolderOf(directory), Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        }
        catch (IOException)
        {
            // A full disk: it is only for the message to a second gateway, which then says "unknown". The lock holds without it.
        }
    }

    private static string HolderOf(string directory) => Path.Combine(directory, "gateway.pid");

    private static string Holder(string directory)
    {
        try
        {
            return File.ReadAllText(HolderOf(directory)).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "unknown";
        }
    }

    public void Dispose() => _file.Dispose();
}
