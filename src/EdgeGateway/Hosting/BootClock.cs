using System.Runtime.InteropServices;
using EdgeGateway.Core;
using EdgeGateway.Core.Writing;

namespace EdgeGateway.Hosting;

/// <summary>Both clocks of the computer, comparable between processes of one boot. <see cref="GatewayClock"/> counts from the start of the process.</summary>
internal sealed class BootClock(TimeProvider time, Guid boot, Func<bool> wallIsTrusted)
{
    // adjtimex(2): the clock is not synchronised.
    private const int TimeError = 5;

    /// <summary>The computer's clocks.</summary>
    public static BootClock System(TimeProvider time) => new(time, BootId.Current(), IsSynchronised);

    public ClockReading Read() => new(
        boot,
        (long)(time.GetTimestamp() / (double)time.TimestampFrequency * 1000),
        Instant.From(time.GetUtcNow()),
        wallIsTrusted());

    /// <summary>Whether the kernel says that the wall clock is kept by NTP or another source; false where nobody can say.</summary>
    private static bool IsSynchronised()
    {
        if (!OperatingSystem.IsLinux())
        {
            return false;
        }

        // struct timex is 208 bytes; all zero asks and sets nothing.
        var state = AdjTimeX(new byte[512]);
        return state >= 0 && state != TimeError;
    }

#pragma warning disable SYSLIB1054 // The generated form needs unsafe blocks; this one takes bytes only.
    [DllImport("libc", EntryPoint = "adjtimex", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int AdjTimeX([In, Out] byte[] timex);
#pragma warning restore SYSLIB1054
}
