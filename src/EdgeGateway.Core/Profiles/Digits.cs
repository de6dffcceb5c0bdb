namespace EdgeGateway.Core.Profiles;

/// <summary>Numbers that devices hold digit by digit.</summary>
internal static class Digits
{
    private const int Base = 10_000;

    /// <summary>The number of packed decimal digits, four bits each; false when one of them is above 9.</summary>
    public static bool TryBcd(ulong raw, int digits, out long number)
    {
        number = 0;
        for (var i = digits - 1; i >= 0; i--)
        {
            var digit = (int)((raw >> (4 * i)) & 0xF);
            if (digit > 9)
            {
                return false;
            }

            number = (number * 10) + digit;
        }

        return true;
    }

    /// <summary>The packed decimal digits of a number that is not negative.</summary>
    public static ulong Bcd(ulong number)
    {
        ulong raw = 0;
        for (var shift = 0; number > 0; shift += 4, number /= 10)
        {
            raw |= number % 10 << shift;
        }

        return raw;
    }

    /// <summary>
    /// The number of registers in base 10,000, the lowest in the lowest bits. Each is -9999 to 9999, and none contradicts the sign of another (Schneider Electric
    /// FA212766); false otherwise.
    /// </summary>
    public static bool TryMod10(ulong raw, int registers, out long number)
    {
        number = 0;
        var sign = 0;
        for (var i = registers - 1; i >= 0; i--)
        {
            int part = unchecked((short)(raw >> (16 * i)));
            if (part is <= -Base or >= Base || part * sign < 0)
            {
                return false;
            }

            sign = part == 0 ? sign : Math.Sign(part);
            number = (number * Base) + part;
        }

        return true;
    }

    /// <summary>The registers of a number in base 10,000, the lowest in the lowest bits.</summary>
    public static ulong Mod10(long number, int registers)
    {
        ulong raw = 0;
        for (var i = 0; i < registers; i++, number /= Base)
        {
            raw |= (ulong)unchecked((ushort)(number % Base)) << (16 * i);
        }

        return raw;
    }
}
