using System.Runtime.InteropServices;
using EdgeGateway.Protocols.Serial;

namespace EdgeGateway.Protocols.Gpio;

/// <summary>The kernel's error numbers in words that say what to do.</summary>
internal static class GpioErrors
{
    public static GpioException Opening(string path, int error, Func<string> whatThereIs) => error switch
    {
        Libc.NoEntry => new(GpioFault.NoChip, $"{path} does not exist: {whatThereIs()}"),
        Libc.AccessDenied or Libc.NotPermitted => new(
            GpioFault.NotAllowed,
            $"{path} may not be opened by this user: add the user to group gpio (`sudo usermod -aG gpio {Environment.UserName}`) and log in again. Where there is no such group, make it and add the udev rule SUBSYSTEM==\"gpio\", KERNEL==\"gpiochip*\", GROUP=\"gpio\", MODE=\"0660\""),
        Libc.NoSuchDevice or Libc.DeviceGone => new(GpioFault.Gone, $"{path} has no chip behind it: was the expander unplugged, or its driver unloaded?"),
        Libc.TooManyFiles => new(GpioFault.Other, $"{path} cannot be opened: this process has too many open files (`LimitNOFILE=` of the service)"),
        _ => new(GpioFault.Other, $"{path} cannot be opened: {Words(error)}"),
    };

    public static GpioException Chip(string path, int error) => error switch
    {
        Libc.DeviceGone => new(GpioFault.Gone, $"{path}: the chip was removed (unplugged, or its driver unloaded)"),
        Libc.NotATerminal => new(GpioFault.NoChip, $"{path} is not a GPIO chip: give one of /dev/gpiochip*"),
        Libc.Invalid => new(GpioFault.Unsupported, $"{path}: this kernel does not know the second version of the GPIO interface ({Words(error)}); Linux 5.10 or newer is needed"),
        _ => new(GpioFault.Other, $"{path}: {Words(error)}"),
    };

    /// <summary>Why lines were not given.</summary>
    /// <param name="chip">The chip.</param>
    /// <param name="request">What was asked for.</param>
    /// <param name="error">The kernel's answer.</param>
    /// <param name="lines">What is known of the lines, as far as it can be had.</param>
    public static GpioException Requesting(string chip, GpioLineRequest request, int error, IReadOnlyList<GpioLineInfo> lines)
    {
        switch (error)
        {
            case Libc.Busy:
                var taken = lines.Where(line => line.IsUsed).ToList();
                return new(GpioFault.Busy, taken.Count == 0 ? $"{chip}: a line was in use a moment ago: try again" : string.Join("; ", taken.Select(line => InUse(chip, line))));
            case Libc.NotPermitted or Libc.AccessDenied:
                return new(GpioFault.NotAllowed, $"{chip}: {Titles(lines, request)} may not be used: the board reserves it ({Words(error)})");
            case Libc.DeviceGone or Libc.NoSuchDevice when lines.Count > 0 && request.Lines.Any(line => line.Edges != GpioEdges.None):
                return new(GpioFault.Unsupported, $"{chip}: {Titles(lines, request)} cannot report edges: the chip has no interrupt for it ({Words(error)}). Use a line of another chip, or connect the expander's interrupt line");
            case Libc.DeviceGone:
                return new(GpioFault.Gone, $"{chip}: the chip was removed (unplugged, or its driver unloaded)");
            case Libc.Invalid:
                return new(GpioFault.Unsupported, $"{chip}: the kernel cannot do what was asked of {Titles(lines, request)} ({string.Join("; ", request.Lines.Select(Asked).Distinct())}). {Words(error)}");
            case Libc.TooManyFiles:
                return new(GpioFault.Other, $"{chip}: this process has too many open files (`LimitNOFILE=` of the service)");
            default:
                return new(GpioFault.Other, $"{chip}: {Titles(lines, request)} cannot be had: {Words(error)}");
        }
    }

    /// <summary>Why lines that were given fail.</summary>
    public static GpioException Lines(string what, int error) => error switch
    {
        Libc.DeviceGone => new(GpioFault.Gone, $"{what}: the chip was removed (unplugged, or its driver unloaded)"),
        Libc.Invalid => new(GpioFault.Unsupported, $"{what}: the kernel cannot do what was asked ({Words(error)})"),
        _ => new(GpioFault.Other, $"{what}: {Words(error)}"),
    };

    public static string Words(int error) => $"{Marshal.GetPInvokeErrorMessage(error)}, errno {error}";

    private static string InUse(string chip, GpioLineInfo line) =>
        $"{line.Title} of {chip} is in use by {(line.Consumer.Length == 0 ? "somebody who does not say who" : $"\"{line.Consumer}\"")}: a line has one owner. Stop that program, or if it is a driver of the kernel, take it out of the device tree; `gpioinfo` lists who has which line";

    private static string Titles(IReadOnlyList<GpioLineInfo> lines, GpioLineRequest request) =>
        lines.Count == 0 ? $"line {string.Join(", ", request.Lines.Select(line => line.Offset))}" : string.Join(", ", lines.Select(line => line.Title));

    private static string Asked(GpioLineSettings line)
    {
        List<string> parts = [line.Direction switch { GpioDirection.Input => "input", GpioDirection.Output => "output", _ => "as it is" }];
        if (line.ActiveLow)
        {
            parts.Add("active low");
        }

        if (line.Bias != GpioBias.AsIs)
        {
            parts.Add($"bias {line.Bias}");
        }

        if (line.Drive != GpioDrive.PushPull)
        {
            parts.Add($"drive {line.Drive}");
        }

        if (line.Edges != GpioEdges.None)
        {
            parts.Add($"edges {line.Edges}, time stamps {line.Clock}");
        }

        if (line.Debounce > TimeSpan.Zero)
        {
            parts.Add($"debounce {line.Debounce.TotalMicroseconds} us");
        }

        return string.Join(", ", parts);
    }
}
