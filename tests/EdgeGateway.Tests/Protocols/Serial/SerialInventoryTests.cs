using EdgeGateway.Protocols.Serial;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Tests.Protocols.Serial;

public sealed class SerialInventoryTests
{
    [Fact]
    public void Ports_with_hardware_are_listed_by_names_that_stay()
    {
        using var tree = new KernelTree()
            .File("dev/ttyUSB0").Link("dev/serial/by-path/platform-usb-0:1", "dev/ttyUSB0").File("sys/class/tty/ttyUSB0/device/uevent")
            .File("dev/ttyACM0").Link("dev/serial/by-id/usb-scale", "dev/ttyACM0").File("sys/class/tty/ttyACM0/device/uevent")
            .File("dev/ttyAMA0").File("sys/class/tty/ttyAMA0/device/uevent").File("sys/class/tty/ttyAMA0/type", "32\n")
            .File("dev/ttyS1").File("sys/class/tty/ttyS1/device/uevent").File("sys/class/tty/ttyS1/type", "0\n")
            .File("dev/tty1").File("sys/class/tty/tty1/dev", "4:1\n");

        Assert.Equal(["/dev/serial/by-id/usb-scale", "/dev/serial/by-path/platform-usb-0:1", "/dev/ttyAMA0"], new SerialInventory(tree.Root).Present());
    }

    [Theory]
    [InlineData("")]
    [InlineData("/fe201000.serial:0/fe201000.serial:0.0")]
    public void The_driver_of_a_UART_is_found_behind_the_ports_that_newer_kernels_put_between(string between)
    {
        const string uart = "sys/devices/platform/soc/fe201000.serial";
        using var tree = new KernelTree()
            .File("dev/ttyAMA0")
            .File("sys/bus/platform/drivers/uart-pl011/bind").Link($"{uart}/driver", "sys/bus/platform/drivers/uart-pl011")
            .Link($"{uart}{between}/tty/ttyAMA0/device", $"{uart}{between}")
            .Link("sys/class/tty/ttyAMA0", $"{uart}{between}/tty/ttyAMA0");
        if (between.Length > 0)
        {
            tree.File("sys/bus/serial-base/drivers/port/bind").Link($"{uart}{between}/driver", "sys/bus/serial-base/drivers/port")
                .File("sys/bus/serial-base/drivers/ctrl/bind").Link($"{uart}/fe201000.serial:0/driver", "sys/bus/serial-base/drivers/ctrl");
        }

        Assert.Equal("uart-pl011", new SerialInventory(tree.Root).Driver("/dev/ttyAMA0"));
    }

    [Fact]
    public void What_is_not_there_is_null()
    {
        using var tree = new KernelTree().File("dev/pts/3");
        var ports = new SerialInventory(tree.Root);
        Assert.Null(ports.KernelName("/dev/ttyUSB0"));
        Assert.Null(ports.StableName("/dev/ttyUSB0"));
        Assert.Null(ports.Driver("/dev/pts/3"));
        Assert.Null(ports.LatencyTimer("/dev/pts/3"));
        Assert.False(ports.IsConsole("/dev/pts/3"));
        Assert.Empty(ports.Present());
        Assert.Empty(ports.WithoutPort());
    }
}
