using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace EdgeGateway.Hosting;

/// <summary>Gives back what only the start needed of the files of the program, the runtime and the system's libraries: two thirds of a small gateway's resident memory.</summary>
/// <remarks>
/// A page of a program file stays in a process once it was touched, with fifteen neighbours that the kernel maps beside it. madvise(2) with MADV_DONTNEED takes pages out of the process and leaves them in the kernel's cache; the
/// next touch brings them back without reading the file. It would throw away what the process has written, so it is only done to mappings that cannot be written and hold no page of their own: there every page is the file's.
/// A library that is being loaded is written for a moment, to suit its address; therefore only mappings that were there well before are given back.
/// </remarks>
internal static class ProgramPages
{
    private const int DontNeed = 4;

    /// <summary>What can be given back, some seconds later, by <see cref="GiveBack"/>; nothing where the kernel does not tell.</summary>
    public static IReadOnlyList<Mapping> Look() => OperatingSystem.IsLinux() ? [.. Read("/proc/self/smaps").Where(m => m.IsFileOnly)] : [];

    /// <summary>Gives back what <paramref name="before"/> holds and what is still as it was.</summary>
    /// <param name="before">What <see cref="Look"/> saw, long enough ago that what was being loaded then is ready.</param>
    /// <returns>Bytes that were resident; what is still needed comes back within seconds.</returns>
    public static long GiveBack(IReadOnlyList<Mapping> before)
    {
        var given = 0L;
        if (OperatingSystem.IsLinux())
        {
            var known = before.Select(m => (m.From, m.To, m.Rights, m.File)).ToHashSet();
            foreach (var mapping in Look())
            {
                if (known.Contains((mapping.From, mapping.To, mapping.Rights, mapping.File)) && Advise((nint)mapping.From, (nuint)(mapping.To - mapping.From), DontNeed) == 0)
                {
                    given += mapping.ResidentBytes;
                }
            }
        }

        return given;
    }

    /// <summary>Reads a list of mappings: proc_pid_smaps(5).</summary>
    /// <param name="path">Its path.</param>
    internal static IReadOnlyList<Mapping> Read(string path)
    {
        List<Mapping> mappings = [];
        try
        {
            Mapping? last = null;
            foreach (var line in File.ReadLines(path))
            {
                if (Mapping.Header(line) is { } next)
                {
                    AddLast();
                    last = next;
                }
                else if (last is { } current)
                {
                    last = current.With(line);
                }
            }

            AddLast();

            void AddLast()
            {
                if (last is { } complete)
                {
                    mappings.Add(complete);
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A sandbox without /proc: then the pages stay, which costs memory and nothing else.
            return [];
        }

        return mappings;
    }

    [SupportedOSPlatform("linux")]
    [DllImport("libc", EntryPoint = "madvise", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Advise(nint address, nuint length, int advice);

    /// <summary>One mapping.</summary>
    /// <param name="From">First address.</param>
    /// <param name="To">Address after the last.</param>
    /// <param name="Rights">Such as <c>r-xp</c>.</param>
    /// <param name="File">Path of the file; empty when there is none.</param>
    internal readonly record struct Mapping(ulong From, ulong To, string Rights, string File)
    {
        /// <summary>Resident memory, in bytes.</summary>
        public long ResidentBytes { get; private init; }

        /// <summary>Pages that are the process's own, or written, or locked, or that the kernel does not tell; in bytes.</summary>
        public long OwnBytes { get; private init; }

        /// <summary>Whether every page is that of a file on disk and can be had from there again.</summary>
        public bool IsFileOnly => Rights.Length == 4 && Rights[1] != 'w' && Rights[3] == 'p' && ResidentBytes > 0 && OwnBytes == 0 && HasAnonymous
            && File.StartsWith('/') && !File.StartsWith("/memfd:", StringComparison.Ordinal) && !File.StartsWith("/dev/", StringComparison.Ordinal);

        private bool HasAnonymous { get; init; }

        /// <summary>The first line of a mapping; null for any other line.</summary>
        public static Mapping? Header(string line)
        {
            // 7f5e8c000000-7f5e8c021000 r-xp 00000000 08:01 1234   /usr/lib/libc.so.6
            var fields = line.Split(' ', 6, StringSplitOptions.RemoveEmptyEntries);
            return fields.Length >= 5 && fields[0].Split('-') is [var from, var to]
                && ulong.TryParse(from, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var first)
                && ulong.TryParse(to, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var end)
                ? new Mapping(first, end, fields[1], fields.Length == 6 ? fields[5] : "")
                : null;
        }

        /// <summary>The mapping with what a further line tells.</summary>
        public Mapping With(string line) => line.Split(':') switch
        {
            ["Rss", var size] => this with { ResidentBytes = Bytes(size) },
            ["Anonymous", var size] => this with { OwnBytes = OwnBytes + Bytes(size), HasAnonymous = true },
            ["Private_Dirty" or "Shared_Dirty" or "Swap" or "Locked", var size] => this with { OwnBytes = OwnBytes + Bytes(size) },
            _ => this,
        };

        private static long Bytes(string size) => long.Parse(size.Trim().Split(' ')[0], CultureInfo.InvariantCulture) * 1024;
    }
}
