using System.Globalization;

namespace EdgeGateway.Protocols.Serial;

/// <summary>A process that uses a port.</summary>
/// <param name="Program">Its name as the kernel keeps it, cut after 15 characters.</param>
/// <param name="Pid">Its number.</param>
internal readonly record struct PortHolder(string Program, int Pid)
{
    /// <summary>Whether it is this process.</summary>
    public bool IsSelf => Pid == Environment.ProcessId;

    /// <summary>Finds out, for an error message, who has a port open; null when /proc does not tell.</summary>
    /// <param name="path">The device file or a link to it.</param>
    /// <param name="ownHandles">How many handles this process holds for the attempt that failed, which do not count.</param>
    /// <remarks>Open files of other users' processes are hidden from all but root; a login's terminal and the holder of a lock are not.</remarks>
    public static PortHolder? Find(string path, int ownHandles)
    {
        try
        {
            var target = File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? Path.GetFullPath(path);
            if (CountOpen("/proc/self", target) > ownHandles)
            {
                return new("", Environment.ProcessId);
            }

            var others = Directory.EnumerateDirectories("/proc")
                .Select(folder => int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var pid) ? pid : 0)
                .Where(pid => pid != 0 && pid != Environment.ProcessId)
                .ToArray();
            var facts = FactsOf(target);
            foreach (var pid in others)
            {
                if (CountOpen($"/proc/{pid}", target) > 0 || (facts is { } port && TerminalOf(pid) == Number(port)))
                {
                    return Named(pid);
                }
            }

            return facts is { } file && LockedBy(file) is { } holder && holder != Environment.ProcessId ? Named(holder) : null;
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            // The answer only improves an error message; a process that ended while being looked at, or that belongs to
            // somebody else, leaves the message without a name.
            return null;
        }
    }

    /// <summary>The process that holds a lock on a file, by a table like <c>/proc/locks</c>; null when none does.</summary>
    /// <param name="table">The lines, such as <c>1: FLOCK  ADVISORY  WRITE 1234 00:05:312 0 EOF</c> (proc_locks(5)).</param>
    /// <param name="major">Major number of the file system's device.</param>
    /// <param name="minor">Its minor number.</param>
    /// <param name="inode">The file's number there.</param>
    internal static int? LockedBy(IEnumerable<string> table, uint major, uint minor, ulong inode)
    {
        var place = string.Create(CultureInfo.InvariantCulture, $"{major:x2}:{minor:x2}:{inode}");
        foreach (var line in table)
        {
            if (line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, not "->", _, _, var pid, var file, ..] && file == place
                && int.TryParse(pid, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0)
            {
                return number;
            }
        }

        return null;
    }

    private static int? LockedBy(in Libc.FileFacts file) =>
        File.Exists("/proc/locks") ? LockedBy(File.ReadLines("/proc/locks"), file.FileSystemMajor, file.FileSystemMinor, file.Inode) : null;

    private static PortHolder Named(int pid) => new(File.ReadAllText($"/proc/{pid}/comm").Trim(), pid);

    // How /proc/*/stat writes a device's number (proc_pid_stat(5)).
    private static long Number(in Libc.FileFacts port) => (port.DeviceMinor & 0xFF) | (port.DeviceMajor << 8) | ((long)(port.DeviceMinor >> 8) << 20);

    // The terminal is the fifth word behind the program's name, which stands in parentheses and may hold anything.
    private static long? TerminalOf(int pid)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{pid}/stat");
            return text[(text.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, _, _, _, var terminal, ..]
                && long.TryParse(terminal, CultureInfo.InvariantCulture, out var number) && number != 0
                    ? number
                    : null;
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            // It has ended: look at the next process.
            return null;
        }
    }

    private static unsafe Libc.FileFacts? FactsOf(string path)
    {
        Libc.FileFacts facts;
        return Libc.Statx(Libc.WorkingFolder, path, 0, Libc.BasicFacts, &facts) == 0 ? facts : null;
    }

    private static int CountOpen(string process, string target)
    {
        try
        {
            var count = 0;
            foreach (var file in Directory.EnumerateFiles(Path.Combine(process, "fd")))
            {
                count += Points(file, target) ? 1 : 0;
            }

            return count;
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            // Files of other users' processes cannot be listed: look at the next process.
            return 0;
        }
    }

    private static bool Points(string file, string target)
    {
        try
        {
            return File.ResolveLinkTarget(file, returnFinalTarget: false)?.FullName == target;
        }
        catch (IOException)
        {
            // Closed since the folder was listed; the others count.
            return false;
        }
    }
}
