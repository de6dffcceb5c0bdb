using System.Globalization;

namespace EdgeGateway.Soaking;

/// <summary>What the kernel knows of a process at one moment. proc(5).</summary>
internal readonly record struct ProcReading
{
    // sysconf(_SC_CLK_TCK) is 100 on every Linux that .NET runs on.
    private const double TicksPerSecond = 100;

    /// <summary>User and system time of all threads, in seconds.</summary>
    public double CpuSeconds { get; private init; }

    /// <summary>Resident memory (VmRSS), in bytes: what <c>ps</c> and the published figures of others count.</summary>
    public long ResidentBytes { get; private init; }

    /// <summary>The part of it that no other process could share (RssAnon), in bytes.</summary>
    public long AnonymousBytes { get; private init; }

    /// <summary>Largest resident memory so far (VmHWM), in bytes.</summary>
    public long PeakBytes { get; private init; }

    /// <summary>Proportional share (Pss), in bytes: shared pages divided by the number of their users.</summary>
    public long ProportionalBytes { get; private init; }

    /// <summary>Bytes that the process caused to be sent to storage (write_bytes).</summary>
    public long WrittenBytes { get; private init; }

    /// <summary>Threads.</summary>
    public long Threads { get; private init; }

    /// <summary>Open files, sockets and pipes.</summary>
    public int Handles { get; private init; }

    /// <summary>Looks at a process.</summary>
    /// <exception cref="IOException">There is no such process (any more).</exception>
    /// <exception cref="UnauthorizedAccessException">It belongs to another user.</exception>
    public static ProcReading Of(int id)
    {
        var stat = File.ReadAllText($"/proc/{id}/stat");
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        var status = File.ReadAllLines($"/proc/{id}/status");
        var smaps = File.ReadAllLines($"/proc/{id}/smaps_rollup");
        var io = File.ReadAllLines($"/proc/{id}/io");
        return new ProcReading
        {
            // Fields 14 and 15; the split begins with field 3.
            CpuSeconds = (long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)) / TicksPerSecond,
            ResidentBytes = Field(status, "VmRSS:") * 1024,
            AnonymousBytes = Field(status, "RssAnon:") * 1024,
            PeakBytes = Field(status, "VmHWM:") * 1024,
            Threads = Field(status, "Threads:"),
            ProportionalBytes = Field(smaps, "Pss:") * 1024,
            WrittenBytes = Field(io, "write_bytes:"),
            Handles = Directory.EnumerateFileSystemEntries($"/proc/{id}/fd").Count(),
        };
    }

    private static long Field(string[] lines, string name)
    {
        var line = Array.Find(lines, l => l.StartsWith(name, StringComparison.Ordinal)) ?? throw new InvalidDataException($"The kernel does not tell {name}");
        return long.Parse(line.AsSpan(name.Length).Trim().ToString().Split(' ')[0], CultureInfo.InvariantCulture);
    }
}
