using System.Runtime.InteropServices;
using System.Text;
using EdgeGateway.Protocols.Serial;
using Microsoft.Win32.SafeHandles;

namespace EdgeGateway.Protocols.Gpio;

/// <summary>A GPIO chip: the kernel's character device, second version of its interface (linux/gpio.h, Linux 5.10 and newer). It need not stay open for its lines to work.</summary>
public sealed class GpioChip : IDisposable
{
    private readonly SafeFileHandle _file;

    private GpioChip(string path, SafeFileHandle file, in GpioAbi.ChipInfo info)
    {
        Path = path;
        _file = file;
        Name = info.Name.ToString();
        Label = info.Label.ToString();
        LineCount = (int)info.Lines;
    }

    /// <summary>The device file.</summary>
    public string Path { get; }

    /// <summary>The kernel's name, such as <c>gpiochip0</c>. It can change from boot to boot.</summary>
    public string Name { get; }

    /// <summary>What the driver calls it, such as <c>pinctrl-bcm2711</c>; empty when it does not say.</summary>
    public string Label { get; }

    /// <summary>How many lines it has; they count from 0.</summary>
    public int LineCount { get; }

    private string Title => Label.Length == 0 ? Name : $"{Name} ({Label})";

    /// <summary>Opens a chip.</summary>
    /// <param name="chip">Its path (<c>/dev/gpiochip0</c>), the kernel's name (<c>gpiochip0</c>) or the driver's label.</param>
    /// <exception cref="GpioException">There is none, it is ambiguous, or it may not be opened; the message says what to do.</exception>
    /// <exception cref="PlatformNotSupportedException">This is not Linux.</exception>
    public static GpioChip Open(string chip)
    {
        ArgumentException.ThrowIfNullOrEmpty(chip);
        RequireLinux();
        return OpenPath(chip.Contains('/', StringComparison.Ordinal) ? chip : GpioInventory.Read().FindChip(chip).Path);
    }

    /// <summary>What the kernel tells of a line.</summary>
    /// <exception cref="GpioException">The chip has no such line, or was removed.</exception>
    public unsafe GpioLineInfo Line(int offset)
    {
        RequireLine(offset);
        GpioAbi.LineInfo info = default;
        info.Offset = (uint)offset;
        return Libc.Ioctl(_file, GpioAbi.GetLineInfo, &info) >= 0 ? GpioLineInfo.From(info) : throw GpioErrors.Chip(Path, Marshal.GetLastPInvokeError());
    }

    /// <summary>What the kernel tells of all lines.</summary>
    /// <exception cref="GpioException">The chip was removed.</exception>
    public IReadOnlyList<GpioLineInfo> Lines() => [.. Enumerable.Range(0, LineCount).Select(Line)];

    /// <summary>Finds the one line of a name on this chip.</summary>
    /// <exception cref="GpioException">There is none, or more than one; the message says what there is.</exception>
    public GpioLineInfo Find(string line) => new GpioInventory([new(Path, Name, Label, Lines())]).Find(line).Line;

    /// <summary>Takes lines for this process, until they are disposed of and every copy of their descriptor is closed.</summary>
    /// <param name="request">Which lines, and what they are set to.</param>
    /// <param name="time">The clock of waits; null for the system's.</param>
    /// <exception cref="ArgumentException">The request contradicts itself.</exception>
    /// <exception cref="GpioException">A line is in use, or the kernel cannot do what was asked; the message says which and what to do.</exception>
    public unsafe GpioLines Request(GpioLineRequest request, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(request);
        request.Validate();
        GpioAbi.LineRequest asked = default;
        for (var i = 0; i < request.Lines.Count; i++)
        {
            RequireLine(request.Lines[i].Offset);
            asked.Offsets[i] = (uint)request.Lines[i].Offset;
        }

        Encoding.UTF8.GetBytes(request.Consumer, asked.Consumer);
        asked.Config = GpioLineConfig.Encode(request.Lines);
        asked.LineCount = (uint)request.Lines.Count;
        asked.EventBufferSize = (uint)request.EventBufferSize;
        if (Libc.Ioctl(_file, GpioAbi.GetLine, &asked) < 0)
        {
            var error = Marshal.GetLastPInvokeError();
            throw GpioErrors.Requesting(Title, request, error, KnownOf(request));
        }

        return new(new(asked.Descriptor, ownsHandle: true), Name, request, time ?? TimeProvider.System);
    }

    public void Dispose() => _file.Dispose();

    internal static void RequireLinux()
    {
        if (!OperatingSystem.IsLinux())
        {
            throw new PlatformNotSupportedException("GPIO lines are only supported on Linux");
        }
    }

    internal static unsafe GpioChip OpenPath(string path)
    {
        var number = Libc.Open(path, Libc.ReadWrite | Libc.CloseOnExec);
        if (number < 0)
        {
            throw GpioErrors.Opening(path, Marshal.GetLastPInvokeError(), static () => GpioInventory.Read().WhatThereIs());
        }

        var file = new SafeFileHandle(number, ownsHandle: true);
        GpioAbi.ChipInfo info = default;
        if (Libc.Ioctl(file, GpioAbi.GetChipInfo, &info) >= 0)
        {
            return new(path, file, info);
        }

        var error = Marshal.GetLastPInvokeError();
        file.Dispose();

        // Files that are no chip answer this one with either number.
        throw GpioErrors.Chip(path, error == Libc.Invalid ? Libc.NotATerminal : error);
    }

    private List<GpioLineInfo> KnownOf(GpioLineRequest request)
    {
        try
        {
            return [.. request.Lines.Select(line => Line(line.Offset))];
        }
        catch (GpioException)
        {
            // The answer only improves an error message.
            return [];
        }
    }

    private void RequireLine(int offset)
    {
        if (offset < 0 || offset >= LineCount)
        {
            throw new GpioException(GpioFault.NoLine, $"{Title} has no line {offset}: it has {LineCount}, numbered from 0 to {LineCount - 1}");
        }
    }
}
