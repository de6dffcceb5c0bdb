using System.Globalization;
using System.Runtime.InteropServices;

namespace EdgeGateway.Protocols.Serial;

/// <summary>Why a port cannot be had, in words that say what to do.</summary>
public static class SerialTrouble
{
    private const string UsualGroup = "dialout";

    /// <summary>A port that does not exist: which there are, and adapters that somebody took from their driver.</summary>
    public static string Missing(string path, SerialInventory ports)
    {
        ArgumentNullException.ThrowIfNull(ports);
        var present = ports.Present();
        var adapters = ports.WithoutPort();
        var cure = adapters.Count == 0
            ? present.Count == 0 ? "no serial port is there. Is the adapter plugged in (`dmesg` tells what became of it), and the board's UART enabled in its boot configuration?" : $"serial ports here: {string.Join(", ", present)}"
            : $"the USB adapter {string.Join(", ", adapters)} is plugged in and has no port, "
                + (ports.Runs("brltty") ? "because brltty took it for a Braille display: `sudo apt remove brltty`, then plug it in again" : "so no driver has it: `dmesg` tells why")
                + (present.Count == 0 ? "" : $". Serial ports here: {string.Join(", ", present)}");
        return $"{path} does not exist: {cure}";
    }

    /// <summary>A port that this process may not open, and what to do; null when it may.</summary>
    public static string? NotAllowed(string path, SerialInventory ports)
    {
        ArgumentNullException.ThrowIfNull(ports);
        return OperatingSystem.IsLinux() && Libc.MayUse(Libc.WorkingFolder, ports.At(path), Libc.ReadAndWrite, Libc.EffectiveUser) != 0
            && Marshal.GetLastPInvokeError() is Libc.AccessDenied and var error
                ? NotAllowed(path, error, ports)
                : null;
    }

    /// <summary>How a port is freed of the system's console and of the login on it.</summary>
    /// <param name="kernelName">The kernel's name of the port, such as <c>ttyAMA0</c>.</param>
    public static string ConsoleCure(string kernelName) =>
        $"Take 'console={kernelName},...' (on a Raspberry Pi also 'console=serial0,...') out of the kernel's command line (/boot/firmware/cmdline.txt), `sudo systemctl disable --now serial-getty@{kernelName}.service`, and start anew; raspi-config does both: Interface Options, Serial Port, login shell no, hardware yes";

    /// <summary>Why open(2) failed.</summary>
    internal static string NotOpened(string path, int error, SerialInventory ports) => error switch
    {
        Libc.NoEntry => Missing(path, ports),
        Libc.AccessDenied or Libc.NotPermitted => NotAllowed(path, error, ports),
        Libc.Busy => Busy(path, ownHandles: 0, ports),
        Libc.NoSuchDevice or Libc.DeviceGone => $"{path} has no hardware behind it: is the adapter plugged in, is the UART enabled in the boot configuration?",
        _ => $"{path} cannot be opened: {Marshal.GetPInvokeErrorMessage(error)} (errno {error})",
    };

    /// <summary>A port that another program has.</summary>
    /// <param name="path">The port.</param>
    /// <param name="ownHandles">How many handles this process holds for the attempt that failed.</param>
    /// <param name="ports">The ports of this computer.</param>
    internal static string Busy(string path, int ownHandles, SerialInventory ports) =>
        Busy(path, PortHolder.Find(path, ownHandles), ports.KernelName(path) ?? Path.GetFileName(path), ports.IsConsole(path));

    /// <summary>The same, when it is known who has it.</summary>
    internal static string Busy(string path, PortHolder? holder, string kernelName, bool isConsole) => holder switch
    {
        null when isConsole => $"{path} is in use, and it is the console of this computer. {ConsoleCure(kernelName)}",
        null => $"{path} is in use by another program: stop it (`sudo fuser -v {path}` tells which)",
        { IsSelf: true } => $"{path} is in use by this same program, which was asked to open it twice: a line has one owner, so one of the two has to let go",
        { Program: "agetty" or "getty" or "login" } => $"{path} is in use by a login console ({holder.Value.Program}, pid {holder.Value.Pid}). {ConsoleCure(kernelName)}",
        { Program: "ModemManager" } => $"{path} is in use by ModemManager (pid {holder.Value.Pid}), which asks every new adapter whether it is a modem: `sudo systemctl disable --now ModemManager`; a box that needs it keeps it off one adapter by a udev rule with ENV{{ID_MM_DEVICE_IGNORE}}=\"1\"",
        { Program: "brltty" } => $"{path} is in use by brltty (pid {holder.Value.Pid}), which takes the adapter for a Braille display: `sudo apt remove brltty`",
        { Program: "gpsd" } => $"{path} is in use by gpsd (pid {holder.Value.Pid}), which takes the adapter for a receiver of satellites: `sudo systemctl disable --now gpsd.socket gpsd`, or name its own port in /etc/default/gpsd",
        _ => $"{path} is in use by {holder.Value.Program} (pid {holder.Value.Pid}): a line has one owner, so one of the two has to let go",
    };

    /// <summary>A port that must not be opened.</summary>
    internal static string NotAllowed(string path, int error, SerialInventory ports)
    {
        // The rights of the file say EACCES; the list of devices that a service manager allows says EPERM.
        if (error == Libc.NotPermitted)
        {
            return $"{path} is kept from this service by the service manager: add 'DeviceAllow=char-{CharacterClass(path, ports)} rw' to its unit";
        }

        return NotAllowed(path, GroupOf(ports.At(path)) is { } number ? ports.GroupName(number) ?? $"{number}" : UsualGroup, IsInGroupSinceStart(ports.At(path), ports));
    }

    /// <summary>The same, when the group of the file is known.</summary>
    /// <param name="path">The port.</param>
    /// <param name="group">The group of its file.</param>
    /// <param name="isStale">Whether the user has been put into the group since this process started.</param>
    internal static string NotAllowed(string path, string group, bool isStale) => (group, isStale) switch
    {
        ("root", _) => $"{path} may be opened by root alone: add a udev rule SUBSYSTEM==\"tty\", KERNEL==\"{Path.GetFileName(path)}\", GROUP=\"{UsualGroup}\", MODE=\"0660\", and `sudo usermod -aG {UsualGroup} {Environment.UserName}`",
        (_, true) => $"{path} may not be opened yet: {Environment.UserName} was put into the group {group} after this program started. Log in again, or restart the service",
        _ => $"{path} may not be opened by {Environment.UserName}, it belongs to the group {group}: `sudo usermod -aG {group} {Environment.UserName}`, then log in again or restart the service",
    };

    private static string CharacterClass(string path, SerialInventory ports) => (ports.KernelName(path) ?? Path.GetFileName(path)).TrimEnd('0', '1', '2', '3', '4', '5', '6', '7', '8', '9');

    private static unsafe uint? GroupOf(string path)
    {
        Libc.FileFacts facts;
        return Libc.Statx(Libc.WorkingFolder, path, 0, Libc.BasicFacts, &facts) == 0 ? facts.Group : null;
    }

    private static bool IsInGroupSinceStart(string file, SerialInventory ports)
    {
        if (GroupOf(file) is not { } group || ports.Word("proc/self/status") is not { } status)
        {
            return false;
        }

        var own = status.Split('\n').FirstOrDefault(l => l.StartsWith("Groups:", StringComparison.Ordinal))?[7..].Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries) ?? [];
        return !own.Contains(group.ToString(CultureInfo.InvariantCulture)) && ports.GroupMembers(group).Contains(Environment.UserName);
    }
}
