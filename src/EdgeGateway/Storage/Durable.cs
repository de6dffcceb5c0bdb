using System.Runtime.InteropServices;
using System.Text;

namespace EdgeGateway.Storage;

/// <summary>File operations that survive a power cut: SQLite cares for its own files, these for the ones beside it.</summary>
internal static class Durable
{
    private const int ReadOnlyDirectory = 0x80000; // O_RDONLY | O_CLOEXEC

    /// <summary>Writes the directory's entries to the disk, so that files created or renamed in it are found after a power cut.</summary>
    public static void FlushDirectory(string directory)
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        var descriptor = Open(Encoding.UTF8.GetBytes(directory + '\0'), ReadOnlyDirectory);
        if (descriptor < 0)
        {
            throw new StoreException(StoreFailure.Io, $"Cannot open the directory {directory}: error {Marshal.GetLastPInvokeError()}.");
        }

        try
        {
            if (Fsync(descriptor) != 0)
            {
                throw new StoreException(StoreFailure.Io, $"Cannot flush the directory {directory}: error {Marshal.GetLastPInvokeError()}.");
            }
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    /// <summary>Replaces a small text file in one step.</summary>
    public static void WriteText(string path, string text)
    {
        var temporary = path + ".new";
        using (var file = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.Read))
        {
            file.Write(Encoding.UTF8.GetBytes(text));
            file.Flush(flushToDisk: true);
        }

        File.Move(temporary, path, overwrite: true);
        FlushDirectory(Path.GetDirectoryName(path)!);
    }

#pragma warning disable SYSLIB1054 // The generated form needs unsafe blocks; these three take bytes and numbers only.
    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Open([In] byte[] path, int flags);

    [DllImport("libc", EntryPoint = "fsync", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Fsync(int descriptor);

    [DllImport("libc", EntryPoint = "close", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Close(int descriptor);
#pragma warning restore SYSLIB1054
}
