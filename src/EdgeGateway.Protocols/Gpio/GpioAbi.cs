using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace EdgeGateway.Protocols.Gpio;

/// <summary>Structures and numbers of linux/gpio.h, uAPI v2 (Linux 5.10 and newer); the same on x86-64, arm64 and 32-bit Arm. All padding is zero.</summary>
internal static unsafe class GpioAbi
{
    public const int NameSize = 32;
    public const int MaxLines = 64;
    public const int MaxAttributes = 10;

    public const uint GetChipInfo = 0x8044B401;
    public const uint GetLineInfo = 0xC100B405;
    public const uint GetLine = 0xC250B407;
    public const uint SetConfig = 0xC110B40D;
    public const uint GetValues = 0xC010B40E;
    public const uint SetValues = 0xC010B40F;

    public const ulong Used = 1 << 0;
    public const ulong ActiveLow = 1 << 1;
    public const ulong Input = 1 << 2;
    public const ulong Output = 1 << 3;
    public const ulong EdgeRising = 1 << 4;
    public const ulong EdgeFalling = 1 << 5;
    public const ulong OpenDrain = 1 << 6;
    public const ulong OpenSource = 1 << 7;
    public const ulong BiasPullUp = 1 << 8;
    public const ulong BiasPullDown = 1 << 9;
    public const ulong BiasDisabled = 1 << 10;
    public const ulong ClockRealtime = 1 << 11;

    public const uint AttributeFlags = 1;
    public const uint AttributeOutputValues = 2;
    public const uint AttributeDebounce = 3;

    public const uint EventRising = 1;
    public const uint EventFalling = 2;

    /// <summary>The text up to the first zero.</summary>
    public static string Text(ReadOnlySpan<byte> name)
    {
        var end = name.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? name : name[..end]);
    }

    /// <summary>struct gpiochip_info.</summary>
    public struct ChipInfo
    {
        public Name Name;
        public Name Label;
        public uint Lines;
    }

    /// <summary>struct gpio_v2_line_info.</summary>
    public struct LineInfo
    {
        public Name Name;
        public Name Consumer;
        public uint Offset;
        public uint AttributeCount;
        public ulong Flags;
        public LineAttributes Attributes;
        public fixed uint Padding[4];
    }

    /// <summary>struct gpio_v2_line_attribute.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 16)]
    public struct LineAttribute
    {
        [FieldOffset(0)]
        public uint Id;

        [FieldOffset(8)]
        public ulong Flags;

        [FieldOffset(8)]
        public ulong Values;

        [FieldOffset(8)]
        public uint DebounceMicroseconds;
    }

    /// <summary>struct gpio_v2_line_config_attribute; bit i of the mask stands for the i-th line of the request.</summary>
    public struct LineConfigAttribute
    {
        public LineAttribute Attribute;
        public ulong Mask;
    }

    /// <summary>struct gpio_v2_line_config.</summary>
    public struct LineConfig
    {
        public ulong Flags;
        public uint AttributeCount;
        public fixed uint Padding[5];
        public LineConfigAttributes Attributes;
    }

    /// <summary>struct gpio_v2_line_request.</summary>
    public struct LineRequest
    {
        public fixed uint Offsets[MaxLines];
        public Name Consumer;
        public LineConfig Config;
        public uint LineCount;
        public uint EventBufferSize;
        public fixed uint Padding[5];
        public int Descriptor;
    }

    /// <summary>struct gpio_v2_line_values; bit i stands for the i-th line of the request.</summary>
    public struct LineValues
    {
        public ulong Bits;
        public ulong Mask;
    }

    /// <summary>A name of up to 31 bytes and a zero.</summary>
    [InlineArray(NameSize)]
    public struct Name
    {
        private byte _first;

        public override string ToString() => Text(this);
    }

    [InlineArray(MaxAttributes)]
    public struct LineAttributes
    {
        private LineAttribute _first;
    }

    [InlineArray(MaxAttributes)]
    public struct LineConfigAttributes
    {
        private LineConfigAttribute _first;
    }
}
