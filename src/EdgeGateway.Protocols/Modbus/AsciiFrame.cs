namespace EdgeGateway.Protocols.Modbus;

/// <summary>A frame in ASCII mode. MODBUS over Serial Line V1.02, 2.5.2.</summary>
/// <remarks>
/// ADU:  ':' | unit, PDU and LRC as two hexadecimal digits for each byte | CR LF
/// The delimiter is CR LF; changing it (function 08, sub-function 03) is not offered.
/// </remarks>
public static class AsciiFrame
{
    /// <summary>The longest frame in characters. V1.02, 2.5.2.1.</summary>
    public const int MaxLength = 513;

    /// <summary>Starts a frame, also in the middle of another, which is then void.</summary>
    public const byte Start = (byte)':';

    internal const byte CarriageReturn = 13;
    internal const byte LineFeed = 10;

    private static ReadOnlySpan<byte> Digits => "0123456789ABCDEF"u8;

    /// <summary>The check of unit and PDU: the two's complement of the sum of all bytes. V1.02, 6.2.1.</summary>
    public static byte Lrc(ReadOnlySpan<byte> bytes)
    {
        unchecked
        {
            byte sum = 0;
            foreach (var b in bytes)
            {
                sum += b;
            }

            return (byte)-sum;
        }
    }

    /// <summary>Writes a frame and returns its length in characters.</summary>
    /// <param name="adu">Receives it; <see cref="MaxLength"/> bytes are always enough.</param>
    /// <param name="content">Unit and PDU.</param>
    public static int Write(Span<byte> adu, ReadOnlySpan<byte> content)
    {
        adu[0] = Start;
        var at = 1;
        foreach (var b in content)
        {
            at = WriteByte(adu, at, b);
        }

        at = WriteByte(adu, at, Lrc(content));
        adu[at] = CarriageReturn;
        adu[at + 1] = LineFeed;
        return at + 2;
    }

    /// <summary>The value of a hexadecimal digit, -1 when it is none. The standard has capitals; small letters are understood as well.</summary>
    internal static int ValueOf(byte digit) => digit switch
    {
        >= (byte)'0' and <= (byte)'9' => digit - '0',
        >= (byte)'A' and <= (byte)'F' => digit - 'A' + 10,
        >= (byte)'a' and <= (byte)'f' => digit - 'a' + 10,
        _ => -1,
    };

    private static int WriteByte(Span<byte> adu, int at, byte value)
    {
        adu[at] = Digits[value >> 4];
        adu[at + 1] = Digits[value & 0xF];
        return at + 2;
    }
}
