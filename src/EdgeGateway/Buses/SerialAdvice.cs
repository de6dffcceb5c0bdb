using System.Text.RegularExpressions;
using EdgeGateway.Core.Site;
using EdgeGateway.Protocols.Serial;
using SerialParity = EdgeGateway.Core.Site.SerialParity;

namespace EdgeGateway.Buses;

/// <summary>What is wrong, or soon will be, with the port of a serial bus on this computer, and the cure. Nothing is opened.</summary>
internal static partial class SerialAdvice
{
    // Drivers of USB adapters that switch the direction by themselves, or not at all: they have no TIOCSRS485.
    private static readonly string[] WithoutSwitching = ["ftdi_sio", "ch341", "ch341-uart", "cp210x", "pl2303", "cdc_acm"];

    /// <summary>Everything that <c>check</c> should say about a bus; empty when all is well.</summary>
    /// <param name="bus">The bus.</param>
    /// <param name="ports">The ports of this computer.</param>
    public static IEnumerable<string> Of(SerialBus bus, SerialInventory ports)
    {
        if (Name(bus.Port, ports) is { } name)
        {
            yield return name;
        }

        if (ports.KernelName(bus.Port) is not { } kernelName)
        {
            // The file may be checked on another computer than it is for.
            if (OperatingSystem.IsLinux())
            {
                yield return $"on this computer {SerialTrouble.Missing(bus.Port, ports)}";
            }

            yield break;
        }

        if (ports.IsConsole(bus.Port))
        {
            yield return $"{bus.Port} is a console of this computer: the kernel writes its messages to the line, and a login waits there. {SerialTrouble.ConsoleCure(kernelName)}";
        }
        else if (SerialTrouble.NotAllowed(bus.Port, ports) is { } refusal)
        {
            yield return refusal;
        }

        var driver = ports.Driver(bus.Port);
        if (bus.Rs485 is not null && driver is not null && WithoutSwitching.Contains(driver))
        {
            yield return $"{bus.Port} is a USB adapter (driver {driver}), which the kernel cannot switch: leave out 'rs485', the adapter switches the direction itself";
        }

        if (driver == "bcm2835-aux-uart")
        {
            // BCM2835 ARM peripherals, 2.2: the mini UART has no parity bit.
            yield return bus.Parity == SerialParity.None
                ? $"{bus.Port} is the mini-UART of a Raspberry Pi, whose rate follows the clock of the processor's core: write 'core_freq=250' (or 'enable_uart=1') into /boot/firmware/config.txt, or better 'dtoverlay=disable-bt', which gives the pins the full UART (/dev/ttyAMA0)"
                : $"{bus.Port} is the mini-UART of a Raspberry Pi, which has no parity bit, and the bus wants parity {(bus.Parity == SerialParity.Even ? "even" : "odd")}: every character will be wrong. Write 'dtoverlay=disable-bt' into /boot/firmware/config.txt, which gives the pins the full UART (/dev/ttyAMA0), or set all devices to parity none with 2 stop bits";
        }

        if (!bus.LowLatency && ports.LatencyTimer(bus.Port) is > 1 and var held)
        {
            yield return $"{bus.Port} holds back what it receives for up to {held} ms, with every answer: leave out 'lowLatency: false'";
        }
    }

    private static string? Name(string path, SerialInventory ports)
    {
        if (!CountedName().IsMatch(path))
        {
            return null;
        }

        return $"{path} is numbered in the order in which adapters are found: after a restart or another socket it may be another adapter. "
            + (ports.StableName(path) is { } stable
                ? $"Write {stable}"
                : "Write its name below /dev/serial/by-id, or by-path for adapters without a serial number (`ls -l /dev/serial/by-id /dev/serial/by-path`)");
    }

    [GeneratedRegex("^/dev/tty(USB|ACM)[0-9]+$", RegexOptions.CultureInvariant)]
    private static partial Regex CountedName();
}
