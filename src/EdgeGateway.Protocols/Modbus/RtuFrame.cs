using System.Buffers.Binary;

namespace EdgeGateway.Protocols.Modbus;

/// <summary>A frame on a serial line. MODBUS over Serial Line V1.02, 2.5.1.</summary>
/// <remarks>
/// ADU:  unit | PDU | CRC lo hi
/// The standard ends a frame by 3.5 characters of silence, which no operating system reports. So the length is taken from the
/// content: function and byte count say how long a frame must be, and the CRC says whether that was so.
/// </remarks>
public static class RtuFrame
{
    /// <summary>The longest frame in bytes.</summary>
    public const int MaxLength = 256;

    /// <summary>The shortest frame in bytes: unit, function, CRC.</summary>
    public const int MinLength = 4;

    /// <summary>Completes a frame whose PDU is already in place at <c>adu[1..]</c>; returns its length in bytes.</summary>
    public static int Finish(Span<byte> adu, byte unit, int pduLength)
    {
        adu[0] = unit;
        BinaryPrimitives.WriteUInt16LittleEndian(adu[(1 + pduLength)..], Crc16.Of(adu[..(1 + pduLength)]));
        return pduLength + 3;
    }

    /// <summary>Whether the bytes end with the CRC of what stands before it.</summary>
    public static bool HasValidCrc(ReadOnlySpan<byte> frame) => frame.Length >= MinLength && Crc16.Of(frame) == 0;

    /// <summary>
    /// The length that a response starting with these bytes must have; 0 when more bytes are needed to tell, -1 when no response of
    /// a function known here starts so.
    /// </summary>
    public static int ResponseLength(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 2)
        {
            return 0;
        }

        if ((bytes[1] & Pdu.ExceptionFlag) != 0)
        {
            return IsKnown(bytes[1] & ~Pdu.ExceptionFlag) ? 5 : -1;
        }

        return bytes[1] switch
        {
            >= 1 and <= 4 => bytes.Length < 3 ? 0 : bytes[2] is > 0 and <= 250 ? 5 + bytes[2] : -1,
            5 or 6 or 15 or 16 => 8,
            _ => -1,
        };
    }

    /// <summary>
    /// The length that a request starting with these bytes must have; 0 when more bytes are needed to tell, -1 when the function is
    /// not known here, so that only silence ends the frame.
    /// </summary>
    public static int RequestLength(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 2)
        {
            return 0;
        }

        return bytes[1] switch
        {
            >= 1 and <= 6 => 8,
            15 or 16 => bytes.Length < 7 ? 0 : bytes[6] <= 247 ? 9 + bytes[6] : -1,
            _ => -1,
        };
    }

    private static bool IsKnown(int function) => function is (>= 1 and <= 6) or 15 or 16;
}
