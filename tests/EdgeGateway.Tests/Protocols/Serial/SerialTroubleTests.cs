using EdgeGateway.Protocols.Serial;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Tests.Protocols.Serial;

/// <summary>What an open that failed says, on trees of files laid out like the kernel's.</summary>
public sealed class SerialTroubleTests
{
    private const string Path = "/dev/ttyAMA0";
    private const int Denied = 13;
    private const int NotPermitted = 1;
    private const int NoHardware = 6;

    [Fact]
    public void A_computer_without_ports_says_what_to_look_at()
    {
        using var tree = new KernelTree();
        Assert.StartsWith("/dev/ttyUSB0 does not exist: no serial port is there. Is the adapter plugged in", SerialTrouble.Missing("/dev/ttyUSB0", new(tree.Root)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("brltty", "because brltty took it for a Braille display: `sudo apt remove brltty`, then plug it in again")]
    [InlineData("bash", "so no driver has it: `dmesg` tells why")]
    public void An_adapter_without_a_port_is_named_with_who_took_it(string program, string words)
    {
        using var tree = new KernelTree()
            .File("sys/bus/usb/devices/1-1/idVendor", "1a86\n").File("sys/bus/usb/devices/1-1/idProduct", "7523\n").File("sys/bus/usb/devices/1-1/product", "USB Serial\n")
            .File("sys/bus/usb/devices/1-1/1-1:1.0/bInterfaceNumber", "00\n")
            .File("sys/bus/usb/devices/1-2/idVendor", "0403\n").File("sys/bus/usb/devices/1-2/1-2:1.0/ttyUSB0/port_number", "0\n")
            .File("sys/bus/usb/devices/1-3/idVendor", "046d\n")
            .File("proc/812/comm", $"{program}\n");
        Assert.Equal($"/dev/ttyUSB1 does not exist: the USB adapter 1a86:7523 (USB Serial) is plugged in and has no port, {words}", SerialTrouble.Missing("/dev/ttyUSB1", new(tree.Root)));
    }

    [Theory]
    [InlineData("agetty", "is in use by a login console (agetty, pid 7). Take 'console=ttyAMA0,...'")]
    [InlineData("ModemManager", "`sudo systemctl disable --now ModemManager`")]
    [InlineData("brltty", "`sudo apt remove brltty`")]
    [InlineData("gpsd", "`sudo systemctl disable --now gpsd.socket gpsd`")]
    [InlineData("mbpoll", "is in use by mbpoll (pid 7): a line has one owner")]
    public void Who_holds_a_port_is_named_with_the_cure(string program, string words) =>
        Assert.Contains(words, SerialTrouble.Busy(Path, new PortHolder(program, 7), "ttyAMA0", isConsole: false), StringComparison.Ordinal);

    [Fact]
    public void A_holder_that_nobody_may_see_is_guessed_from_the_console()
    {
        Assert.Contains("it is the console of this computer. Take 'console=ttyAMA0", SerialTrouble.Busy(Path, null, "ttyAMA0", isConsole: true), StringComparison.Ordinal);
        Assert.Contains("`sudo fuser -v /dev/ttyAMA0` tells which", SerialTrouble.Busy(Path, null, "ttyAMA0", isConsole: false), StringComparison.Ordinal);
        Assert.Contains("this same program", SerialTrouble.Busy(Path, new PortHolder("", Environment.ProcessId), "ttyAMA0", isConsole: false), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("dialout", false, "`sudo usermod -aG dialout ")]
    [InlineData("tty", false, "it belongs to the group tty")]
    [InlineData("dialout", true, "was put into the group dialout after this program started. Log in again, or restart the service")]
    [InlineData("root", false, "may be opened by root alone: add a udev rule SUBSYSTEM==\"tty\", KERNEL==\"ttyAMA0\"")]
    public void A_port_of_another_group_says_how_to_join_it(string group, bool isStale, string words) =>
        Assert.Contains(words, SerialTrouble.NotAllowed(Path, group, isStale), StringComparison.Ordinal);

    [Fact]
    public void What_the_kernel_answers_is_told_apart()
    {
        using var tree = new KernelTree();
        var ports = new SerialInventory(tree.Root);
        Assert.Contains("add 'DeviceAllow=char-ttyAMA rw' to its unit", SerialTrouble.NotOpened(Path, NotPermitted, ports), StringComparison.Ordinal);
        Assert.Contains("it belongs to the group dialout", SerialTrouble.NotOpened(Path, Denied, ports), StringComparison.Ordinal);
        Assert.Contains("no hardware behind it", SerialTrouble.NotOpened(Path, NoHardware, ports), StringComparison.Ordinal);
    }

    [Fact]
    public void The_holder_of_a_lock_is_found_in_the_kernels_table()
    {
        string[] table =
        [
            "1: POSIX  ADVISORY  WRITE 612 00:18:1201 0 EOF",
            "2: FLOCK  ADVISORY  WRITE 1234 00:05:312 0 EOF",
            "2: -> FLOCK  ADVISORY  WRITE 99 00:05:313 0 EOF",
            "3: FLOCK  ADVISORY  WRITE 0 00:05:314 0 EOF",
        ];
        Assert.Equal(1234, PortHolder.LockedBy(table, 0, 5, 312));
        Assert.Null(PortHolder.LockedBy(table, 0, 5, 313));
        Assert.Null(PortHolder.LockedBy(table, 0, 5, 314));
        Assert.Null(PortHolder.LockedBy(table, 0, 6, 312));
    }
}
