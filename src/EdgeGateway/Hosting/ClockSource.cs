using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;

namespace EdgeGateway.Hosting;

/// <summary>What the computer says of its wall clock.</summary>
/// <param name="IsSynchronised">The kernel says that NTP or another source keeps it.</param>
/// <param name="HasChip">It kept time while the computer was off, or a host gives it: a clock that was right goes on being right over a restart.</param>
/// <param name="MaximumError">How far it may be off, as the kernel estimates; null when it does not say.</param>
internal readonly record struct ClockFacts(bool IsSynchronised, bool HasChip, TimeSpan? MaximumError)
{
    /// <summary>How far the kernel still has to move the clock; null when it does not say.</summary>
    public TimeSpan? Offset { get; init; }

    /// <summary>The kernel could not be asked, so that nothing is known: a filter of system calls keeps the question from it.</summary>
    public bool IsRefused { get; init; }
}

/// <summary>Asks the computer about its wall clock.</summary>
internal interface IClockSource
{
    /// <summary>Cheap: called with every commit.</summary>
    ClockFacts Read();
}

/// <summary>
/// The kernel's word: <c>adjtimex(2)</c>, and the clock chips in <c>/sys/class/rtc</c>. A service that is locked out of everything that has to do with setting the clock
/// (requirement S-16, <c>ProtectClock=</c>) may not even ask; then what a witness outside of it asked is taken, as long as it is fresh.
/// </summary>
/// <param name="witness">File with what the witness asked; see <see cref="TryWitness"/>.</param>
/// <param name="uptime">The kernel's file whose first number is the seconds since the computer started.</param>
internal sealed class KernelClock(string witness = KernelClock.WitnessFile, string uptime = "/proc/uptime") : IClockSource
{
    /// <summary>Where <c>edgegateway-clock.service</c> writes.</summary>
    public const string WitnessFile = "/run/edgegateway-clock/timex";

    // It writes every 5 s; one that is gone must not keep a clock trusted.
    private const double FreshSeconds = 30;

    // From linux/timex.h.
    private const int TimeError = 5;
    private const int StatusUnsynchronised = 0x40;
    private const int StatusNanoseconds = 0x2000;

    // struct timex: modes (4 bytes, padded to a long), offset, freq, maxerror, esterror (longs), status (4 bytes).
    private static readonly int Word = IntPtr.Size;
    private static readonly int OffsetAt = Word;
    private static readonly int MaximumErrorAt = 3 * Word;
    private static readonly int StatusAt = 5 * Word;

    // More than the 208 bytes of struct timex; all zero asks and sets nothing.
    private readonly byte[] _timex = new byte[512];
    private readonly bool _hasChip = FindChip("/sys/class/rtc", "/proc/device-tree/model");

    public ClockFacts Read()
    {
        if (!OperatingSystem.IsLinux())
        {
            return new ClockFacts(false, HasChip: true, null) { IsRefused = true };
        }

        Array.Clear(_timex);
        var state = AdjTimeX(_timex);
        return state < 0 && !TryWitness(_timex, out state) ? new ClockFacts(false, _hasChip, null) { IsRefused = true } : Facts(state);
    }

    /// <summary>The answer that the witness got, when it is fresh.</summary>
    /// <remarks>
    /// One line of three words: seconds since the computer started, when it asked | what adjtimex(2) returned | struct timex of this computer, in hexadecimal.
    /// Age is told by the running time, because the wall clock is what is in question.
    /// </remarks>
    /// <param name="timex">Filled with the structure.</param>
    /// <param name="state">What adjtimex(2) returned.</param>
    /// <returns>False when there is no witness, its word is old or it cannot be read: then nothing is known.</returns>
    internal bool TryWitness(byte[] timex, out int state)
    {
        state = -1;
        try
        {
            if (!File.Exists(witness)
                || File.ReadAllText(witness).Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) is not [var asked, var answer, var bytes]
                || bytes.Length > 2 * timex.Length
                || bytes.Length < 2 * (StatusAt + sizeof(int)))
            {
                return false;
            }

            var now = File.ReadAllText(uptime).Split(' ')[0];
            if (!double.TryParse(asked, NumberStyles.Float, CultureInfo.InvariantCulture, out var then)
                || !double.TryParse(now, NumberStyles.Float, CultureInfo.InvariantCulture, out var running)
                || !(Math.Abs(running - then) <= FreshSeconds)
                || !int.TryParse(answer, NumberStyles.None, CultureInfo.InvariantCulture, out var told))
            {
                return false;
            }

            Convert.FromHexString(bytes).CopyTo(timex, 0);
            state = told;
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            // Half a line, or one that is not ours: as good as none.
            return false;
        }
    }

    private ClockFacts Facts(int state)
    {
        var status = BinaryPrimitives.ReadInt32LittleEndian(_timex.AsSpan(StatusAt));
        var offset = LongAt(OffsetAt);
        var isSynchronised = state != TimeError && (status & StatusUnsynchronised) == 0;
        return new ClockFacts(isSynchronised, _hasChip, isSynchronised ? TimeSpan.FromMicroseconds(LongAt(MaximumErrorAt)) : null)
        {
            Offset = (status & StatusNanoseconds) != 0 ? TimeSpan.FromTicks(offset / TimeSpan.NanosecondsPerTick) : TimeSpan.FromMicroseconds(offset),
        };
    }

    private long LongAt(int place) => Word == 8 ? BinaryPrimitives.ReadInt64LittleEndian(_timex.AsSpan(place)) : BinaryPrimitives.ReadInt32LittleEndian(_timex.AsSpan(place));

    /// <summary>
    /// Whether something kept the time while the computer was off. Single-board computers often have no clock chip, or one without a battery that begins in 1970;
    /// they are known by their device tree. Other computers have one, and virtual machines and containers get the time from their host.
    /// </summary>
    /// <param name="chips">The kernel's directory of clock chips.</param>
    /// <param name="board">The file in which a device tree names the board.</param>
    internal static bool FindChip(string chips, string board)
    {
        try
        {
            if (!File.Exists(board) || File.ReadAllText(board).StartsWith("linux,dummy-virt", StringComparison.Ordinal))
            {
                return true;
            }

            return Directory.Exists(chips) && Directory.EnumerateDirectories(chips).Any(chip =>
                File.Exists(Path.Combine(chip, "since_epoch"))
                && long.TryParse(File.ReadAllText(Path.Combine(chip, "since_epoch")).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
                && seconds * 1000 >= GatewayClock.Earliest.UnixMilliseconds);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A chip that cannot be read has not given the time either.
            return false;
        }
    }

#pragma warning disable SYSLIB1054 // The generated form needs unsafe blocks; this one takes bytes only.
    [DllImport("libc", EntryPoint = "adjtimex", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int AdjTimeX([In, Out] byte[] timex);
#pragma warning restore SYSLIB1054
}
