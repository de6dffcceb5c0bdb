using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace EdgeGateway.Storage;

/// <summary>File operations that survive a power cut: SQLite cares for its own files, these for the ones beside it.</summary>
internal static class Durable
{
    private const int ReadOnlyDirectory = 0x80000; // O_RDONLY | O_CLOEXEC
    private const int KeepSize = 1; // FALLOC_FL_KEEP_SIZE

    // errno of Linux, the same on x64 and arm64.
    private const int Interrupted = 4;
    private const int NoSpace = 28;
    private const int NotImplemented = 38;
    private const int NotSupported = 95;
    private const int QuotaExceeded = 122;

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

    /// <summary>What came of <see cref="TryAllocate"/>.</summary>
    public enum Allocation
    {
        Done,

        /// <summary>This system or file system cannot; space is taken when it is written.</summary>
        NotSupported,
    }

    /// <summary>Has the file system set apart so many bytes for a file, whatever others write. Its length does not change.</summary>
    /// <exception cref="IOException">There is not so much space.</exception>
    public static Allocation TryAllocate(SafeFileHandle file, long bytes)
    {
        if (!OperatingSystem.IsLinux())
        {
            return Allocation.NotSupported;
        }

        while (Allocate(file, KeepSize, 0, bytes) != 0)
        {
            switch (Marshal.GetLastPInvokeError())
            {
                case Interrupted:
                    continue;
                case NoSpace or QuotaExceeded:
                    throw new IOException($"no space left for {bytes} bytes");
                case NotImplemented or NotSupported:
                    return Allocation.NotSupported;
                case var error:
                    throw new IOException($"cannot set {bytes} bytes apart: error {error}");
            }
        }

        return Allocation.Done;
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

#pragma warning disable SYSLIB1054 // The generated form needs unsafe blocks; these take bytes, handles and numbers only.
    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Open([In] byte[] path, int flags);

    [DllImport("libc", EntryPoint = "fallocate", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Allocate(SafeFileHandle file, int mode, long offset, long length);

    [DllImport("libc", EntryPoint = "fsync", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Fsync(int descriptor);

    [DllImport("libc", EntryPoint = "close", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Close(int descriptor);
#pragma warning restore SYSLIB1054
}
