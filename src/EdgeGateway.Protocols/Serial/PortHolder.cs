namespace EdgeGateway.Protocols.Serial;

/// <summary>Finds out, for an error message, which process holds a device file open.</summary>
internal static class PortHolder
{
    /// <summary>Who has the file open, as <c>name (pid 123)</c>; null when /proc does not tell.</summary>
    /// <param name="path">The device file or a link to it.</param>
    /// <param name="ownHandles">How many handles this process holds for the attempt that failed, which do not count.</param>
    public static string? Find(string path, int ownHandles)
    {
        try
        {
            var target = Resolve(path);
            if (CountOpen("/proc/self", target) > ownHandles)
            {
                return "this same program, which was asked to open it twice";
            }

            foreach (var process in Directory.EnumerateDirectories("/proc"))
            {
                var pid = Path.GetFileName(process);
                if (int.TryParse(pid, out var number) && number != Environment.ProcessId && CountOpen(process, target) > 0)
                {
                    return $"{File.ReadAllText(Path.Combine(process, "comm")).Trim()} (pid {pid})";
                }
            }

            return null;
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            // The answer only improves an error message; a process that ended while being looked at, or that belongs to
            // somebody else, leaves the message without a name.
            return null;
        }
    }

    private static string Resolve(string path) => File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? Path.GetFullPath(path);

    private static int CountOpen(string process, string target)
    {
        try
        {
            var count = 0;
            foreach (var file in Directory.EnumerateFiles(Path.Combine(process, "fd")))
            {
                count += File.ResolveLinkTarget(file, returnFinalTarget: false)?.FullName == target ? 1 : 0;
            }

            return count;
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            // Files of other users' processes cannot be listed: look at the next process.
            return 0;
        }
    }
}
