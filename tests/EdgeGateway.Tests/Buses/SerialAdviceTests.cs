using EdgeGateway.Buses;
using EdgeGateway.Core.Site;
using EdgeGateway.Protocols.Serial;
using EdgeGateway.Tests.Shared;
using SerialParity = EdgeGateway.Core.Site.SerialParity;

namespace EdgeGateway.Tests.Buses;

public sealed class SerialAdviceTests
{
    private static readonly Rs485Model Switched = new(RtsHighOnSend: true, RtsHighAfterSend: false, TimeSpan.Zero, TimeSpan.Zero, ReceiveDuringSend: false, Terminate: false);

    [Theory]
    [InlineData("/dev/ttyUSB0")]
    [InlineData("/dev/ttyACM12")]
    public void A_name_that_counts_adapters_gets_a_warning_with_the_cure(string path)
    {
        using var tree = new KernelTree();
        Assert.Contains("Write its name below /dev/serial/by-id", Advice(tree, path)[0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/dev/serial/by-id/usb-FTDI_FT232R_A50285BI-if00-port0")]
    [InlineData("/dev/serial/by-path/platform-fd500000.pcie-pci-0000:01:00.0-usb-0:1.2:1.0-port0")]
    [InlineData("/dev/ttyAMA0")]
    [InlineData("/dev/ttyS1")]
    [InlineData("/dev/meters")]
    public void A_name_that_stays_and_is_there_gets_none(string path)
    {
        using var tree = new KernelTree().File(path[1..]);
        Assert.Empty(Advice(tree, path));
    }

    [Fact]
    public void The_stable_name_of_an_adapter_that_is_there_is_proposed()
    {
        using var tree = Adapter().Link("dev/serial/by-id/usb-other", "dev/ttyUSB1").File("dev/ttyUSB1");
        Assert.EndsWith("Write /dev/serial/by-id/usb-conveyor", Assert.Single(Advice(tree, "/dev/ttyUSB0")), StringComparison.Ordinal);
        Assert.Empty(Advice(tree, "/dev/serial/by-id/usb-conveyor"));
    }

    [Fact]
    public void A_port_that_is_not_there_is_said_with_those_that_are()
    {
        using var tree = Adapter();
        Assert.Equal(
            "on this computer /dev/serial/by-id/usb-fan does not exist: serial ports here: /dev/serial/by-id/usb-conveyor",
            Assert.Single(Advice(tree, "/dev/serial/by-id/usb-fan")));
    }

    [Fact]
    public void A_console_is_named_with_the_cure()
    {
        using var tree = new KernelTree().File("dev/ttyAMA0").Link("dev/serial0", "dev/ttyAMA0").File("sys/class/tty/console/active", "tty1 ttyAMA0\n");
        var advice = Assert.Single(Advice(tree, "/dev/serial0"));
        Assert.StartsWith("/dev/serial0 is a console of this computer", advice, StringComparison.Ordinal);
        Assert.Contains("'console=ttyAMA0,...'", advice, StringComparison.Ordinal);
        Assert.Contains("serial-getty@ttyAMA0.service", advice, StringComparison.Ordinal);
    }

    [Fact]
    public void The_kernel_cannot_switch_the_direction_of_a_USB_adapter()
    {
        using var tree = Adapter();
        Assert.Contains("leave out 'rs485'", Assert.Single(Advice(tree, "/dev/serial/by-id/usb-conveyor", bus => bus with { Rs485 = Switched })), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(SerialParity.Even, "has no parity bit, and the bus wants parity even")]
    [InlineData(SerialParity.None, "whose rate follows the clock")]
    public void The_mini_UART_of_a_Pi_is_known_by_its_driver(SerialParity parity, string words)
    {
        using var tree = new KernelTree().File("dev/ttyS0").Link("sys/class/tty/ttyS0", "sys/devices/platform/soc/fe215040.serial/tty/ttyS0")
            .Link("sys/devices/platform/soc/fe215040.serial/tty/ttyS0/device", "sys/devices/platform/soc/fe215040.serial")
            .Link("sys/devices/platform/soc/fe215040.serial/driver", "sys/bus/platform/drivers/bcm2835-aux-uart").File("sys/bus/platform/drivers/bcm2835-aux-uart/bind");
        Assert.Contains(words, Assert.Single(Advice(tree, "/dev/ttyS0", bus => bus with { Parity = parity })), StringComparison.Ordinal);
    }

    [Fact]
    public void A_latency_timer_is_worth_a_word_only_when_it_stays()
    {
        using var tree = Adapter().File("sys/bus/usb-serial/devices/ttyUSB0/latency_timer", "16\n");
        Assert.Empty(Advice(tree, "/dev/serial/by-id/usb-conveyor"));
        Assert.Contains("up to 16 ms", Assert.Single(Advice(tree, "/dev/serial/by-id/usb-conveyor", bus => bus with { LowLatency = false })), StringComparison.Ordinal);
    }

    /// <summary>One FTDI adapter with a serial number.</summary>
    private static KernelTree Adapter() => new KernelTree()
        .File("dev/ttyUSB0")
        .Link("dev/serial/by-id/usb-conveyor", "dev/ttyUSB0")
        .Link("sys/class/tty/ttyUSB0", "sys/devices/usb1/1-1/1-1:1.0/ttyUSB0/tty/ttyUSB0")
        .Link("sys/devices/usb1/1-1/1-1:1.0/ttyUSB0/tty/ttyUSB0/device", "sys/devices/usb1/1-1/1-1:1.0/ttyUSB0")
        .Link("sys/devices/usb1/1-1/1-1:1.0/ttyUSB0/driver", "sys/bus/usb-serial/drivers/ftdi_sio")
        .File("sys/bus/usb-serial/drivers/ftdi_sio/new_id");

    private static string[] Advice(KernelTree tree, string path, Func<ModbusRtuBus, ModbusRtuBus>? change = null)
    {
        var bus = new ModbusRtuBus { Id = "line", Port = path, Baud = 9600, Parity = SerialParity.Even, StopBits = 1, Timeout = TimeSpan.FromSeconds(1) };
        return [.. SerialAdvice.Of(change?.Invoke(bus) ?? bus, new SerialInventory(tree.Root))];
    }
}
