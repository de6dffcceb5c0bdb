namespace EdgeGateway.Protocols.Dlt645;

/// <summary>Numbers as meters send them: two decimal digits in a byte, the least significant byte first. DL/T 645-2007, annex A.</summary>
public static class Bcd
{
    private const byte Sign = 0x80;

    /// <summary>Most bytes of a number.</summary>
    public const int MaxBytes = 8;

    /// <summary>Reads a number; its point stands where the data item says.</summary>
    /// <param name="bytes">1 to <see cref="MaxBytes"/> bytes, least significant first.</param>
    /// <param name="isSigned">Whether the top bit of the last byte is the sign of what is otherwise a magnitude: no two's complement.</param>
    /// <param name="number">All its digits.</param>
    /// <returns>False when a digit is above 9: the meter has no such number, often it says so by FF.</returns>
    public static bool TryRead(ReadOnlySpan<byte> bytes, bool isSigned, out long number)
    {
        ArgumentOutOfRangeException.ThrowIfZero(bytes.Length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes.Length, MaxBytes);
        number = 0;
        var isNegative = isSigned && (bytes[^1] & Sign) != 0;
        for (var i = bytes.Length - 1; i >= 0; i--)
        {
            var two = isSigned && i == bytes.Length - 1 ? bytes[i] & ~Sign : bytes[i];
            if ((two >> 4) > 9 || (two & 0xF) > 9)
            {
                number = 0;
                return false;
            }

            number = (number * 100) + (10 * (two >> 4)) + (two & 0xF);
        }

        number = isNegative ? -number : number;
        return true;
    }

    /// <summary>Writes a number.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It has more digits than fit, or is negative and the item has no sign.</exception>
    public static void Write(Span<byte> bytes, long number, bool isSigned)
    {
        if (number < 0 && !isSigned)
        {
            throw new ArgumentOutOfRangeException(nameof(number), number, "the item has no sign");
        }

        var left = (ulong)Math.Abs(number);
        for (var i = 0; i < bytes.Length; i++)
        {
            bytes[i] = (byte)(((left / 10 % 10) << 4) | (left % 10));
            left /= 100;
        }

        if (left > 0 || (isSigned && (bytes[^1] & Sign) != 0))
        {
            throw new ArgumentOutOfRangeException(nameof(number), number, $"{bytes.Length} bytes do not hold it");
        }

        bytes[^1] |= number < 0 ? Sign : (byte)0;
    }
}
