using System.Buffers.Binary;
using System.Text;

namespace EdgeGateway.Protocols.Mqtt.Packets;

/// <summary>
/// Writes the data types of MQTT 5.0, 1.5. Lengths stand before the data, so each packet is walked twice with the same code:
/// once measuring, once writing.
/// </summary>
internal ref struct PacketWriter
{
    /// <summary>Throws for lone surrogates: such a string is our own mistake, never the peer's.</summary>
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly Span<byte> _destination;
    private readonly bool _measuring;

    /// <summary>A writer into <paramref name="destination"/>, which must be large enough.</summary>
    public PacketWriter(Span<byte> destination) => _destination = destination;

    private PacketWriter(bool measuring) => _measuring = measuring;

    /// <summary>Bytes written or measured so far.</summary>
    public int Length { get; private set; }

    /// <summary>A writer that only counts.</summary>
    public static PacketWriter Measuring() => new(measuring: true);

    /// <summary>Size of a variable byte integer in bytes, 1 to 4.</summary>
    public static int VariableSize(int value) => value switch { < 128 => 1, < 16_384 => 2, < 2_097_152 => 3, _ => 4 };

    public void Byte(byte value)
    {
        if (!_measuring)
        {
            _destination[Length] = value;
        }

        Length++;
    }

    public void UInt16(ushort value)
    {
        if (!_measuring)
        {
            BinaryPrimitives.WriteUInt16BigEndian(_destination[Length..], value);
        }

        Length += 2;
    }

    public void UInt32(uint value)
    {
        if (!_measuring)
        {
            BinaryPrimitives.WriteUInt32BigEndian(_destination[Length..], value);
        }

        Length += 4;
    }

    public void Variable(int value)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(value);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, FrameHeader.MaxRemainingLength);
        do
        {
            var digit = (byte)(value & 0x7F);
            value >>= 7;
            Byte(value > 0 ? (byte)(digit | 0x80) : digit);
        }
        while (value > 0);
    }

    public void String(string value)
    {
        var size = StrictUtf8.GetByteCount(value);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(size, ushort.MaxValue, nameof(value));
        UInt16((ushort)size);
        if (!_measuring)
        {
            StrictUtf8.GetBytes(value, _destination[Length..]);
        }

        Length += size;
    }

    public void Binary(ReadOnlySpan<byte> value)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value.Length, ushort.MaxValue, nameof(value));
        UInt16((ushort)value.Length);
        Raw(value);
    }

    public void Raw(ReadOnlySpan<byte> value)
    {
        if (!_measuring)
        {
            value.CopyTo(_destination[Length..]);
        }

        Length += value.Length;
    }
}
