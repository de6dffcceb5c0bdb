using System.Globalization;

namespace EdgeGateway.Protocols.Hj212;

/// <summary>The field Flag: version, whether the packet is one of several, and whether it wants an answer. HJ 212-2017, table 3.</summary>
/// <param name="Value">version x 4 + split x 2 + answer; 0 to 255.</param>
public readonly record struct Hj212Flag(byte Value)
{
    /// <summary>The version of the edition of 2017.</summary>
    public const int Version2017 = 1;

    /// <summary>Whether the receiver shall answer.</summary>
    public bool WantsAnswer => (Value & 1) != 0;

    /// <summary>Whether the packet is one of several, numbered by PNUM and PNO.</summary>
    public bool IsSplit => (Value & 2) != 0;

    /// <summary>0 for the edition of 2005, 1 for 2017, 2 for 2025.</summary>
    public int Version => Value >> 2;

    /// <summary>The flag of a packet by the edition of 2017.</summary>
    public static Hj212Flag Of(bool wantsAnswer, bool isSplit = false) => new((byte)((Version2017 << 2) | (isSplit ? 2 : 0) | (wantsAnswer ? 1 : 0)));

    /// <summary>Reads the field.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out Hj212Flag flag)
    {
        var isNumber = byte.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value);
        flag = new(value);
        return isNumber;
    }

    /// <summary>The decimal number.</summary>
    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);
}
