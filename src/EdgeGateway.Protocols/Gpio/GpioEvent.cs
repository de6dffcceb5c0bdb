using System.Runtime.InteropServices;

namespace EdgeGateway.Protocols.Gpio;

/// <summary>One edge of one line as the kernel reports it; laid out as struct gpio_v2_line_event, so that it is read straight into the caller's memory.</summary>
[StructLayout(LayoutKind.Sequential, Size = Size)]
public readonly record struct GpioEvent
{
    /// <summary>Bytes of an event; the last of them are reserved.</summary>
    internal const int Size = 48;

    private readonly ulong _timestampNs;
    private readonly uint _id;
    private readonly uint _offset;
    private readonly uint _sequence;
    private readonly uint _lineSequence;

    /// <summary>An event as the kernel would report it.</summary>
    public GpioEvent(ulong timestampNs, bool isRising, int offset, uint sequence, uint lineSequence)
    {
        _timestampNs = timestampNs;
        _id = isRising ? GpioAbi.EventRising : GpioAbi.EventFalling;
        _offset = (uint)offset;
        _sequence = sequence;
        _lineSequence = lineSequence;
    }

    /// <summary>When the interrupt came, in nanoseconds of <see cref="GpioClock"/>: with the monotonic clock the same scale as <see cref="TimeProvider.GetTimestamp"/> of the system's <see cref="TimeProvider"/> on Linux.</summary>
    public ulong TimestampNs => _timestampNs;

    /// <summary>Whether the line became active. With a line that is active low, that is when its level fell.</summary>
    public bool IsRising => _id == GpioAbi.EventRising;

    /// <summary>Which line of the chip.</summary>
    public int Offset => (int)_offset;

    /// <summary>Number of this event among those of all lines of the request; the first is 1, and it rolls over after 2^32 - 1.</summary>
    public uint Sequence => _sequence;

    /// <summary>Number of this event among those of its line; the first is 1, and it rolls over after 2^32 - 1. A number left out is an event that the kernel's buffer had no room for.</summary>
    public uint LineSequence => _lineSequence;
}
