namespace EdgeGateway.Protocols.Serial;

/// <summary>Finds out, for an error message, which process holds a device file open.</summary>
internal static class PortHolder
{
    /// <summary>A process that has the file open, as <c>name (pid 123)</c>; null when /proc does not tell.</summary>
    public static string? Find(string path)
    {
        try
        {
            var target = Resolve(path);
            foreach (var process in Directory.EnumerateDirectories("/proc"))
            {
                var pid = Path.GetFileName(process);
                if (int.TryParse(pid, out var number) && number != Environment.ProcessId && HasOpen(process, target))
                {
                    return $"{File.ReadAllText(Path.Combine(process, "comm")).Trim()} (pid {pid})";
                }
            }
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            // The answer only improves an error message; a process that ended while being looked at, or that belongs to
            // somebody else, leaves the message without a name.
            return null;
        }

        return null;
    }

    private static string Resolve(string path) => File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? Path.GetFullPath(path);

    private static bool HasOpen(string process, string target)
    {
        try
        {
            foreach (var file in Directory.EnumerateFiles(Path.Combine(process, "fd")))
            {
                if (File.ResolveLinkTarget(file, returnFinalTarget: false)?.FullName == target)
                {
                    return true;
                }
            }
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            // Files of other users' processes cannot be listed: look at the next process.
            return false;
        }

        return false;
    }
}
