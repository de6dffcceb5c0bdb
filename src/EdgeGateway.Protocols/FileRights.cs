using System.Runtime.InteropServices;
using EdgeGateway.Protocols.Serial;

namespace EdgeGateway.Protocols;

/// <summary>What this process may do with a file or a directory, without opening it (faccessat(2), by the effective user).</summary>
public static class FileRights
{
    private const int Read = 4;
    private const int Write = 2;

    // errno EROFS of Linux.
    private const int ReadOnlyFileSystem = 30;

    /// <summary>Whether it may be read; null where the system does not tell.</summary>
    public static bool? MayRead(string path) => May(path, Read);

    /// <summary>Whether it may be written, or for a directory whether files may be made in it; false also on a disk that can only be read. Null where the system does not tell.</summary>
    public static bool? MayWrite(string path) => May(path, Write);

    private static bool? May(string path, int what)
    {
        if (!OperatingSystem.IsLinux())
        {
            return null;
        }

        return Libc.MayUse(Libc.WorkingFolder, path, what, Libc.EffectiveUser) == 0 ? true
            : Marshal.GetLastPInvokeError() is Libc.AccessDenied or Libc.NotPermitted or ReadOnlyFileSystem ? false : null;
    }
}
