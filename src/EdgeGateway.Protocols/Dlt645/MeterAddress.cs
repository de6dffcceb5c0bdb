using System.Diagnostics.CodeAnalysis;

namespace EdgeGateway.Protocols.Dlt645;

/// <summary>Address of a meter: twelve decimal digits, as on its name plate. DL/T 645-2007, 5.2.2.</summary>
/// <remarks>On the wire: six bytes of two digits each, the last two digits of the name plate first.</remarks>
public readonly record struct MeterAddress
{
    /// <summary>Bytes of an address.</summary>
    public const int Length = 6;

    private const int Digits = 2 * Length;

    // Four bits for each digit, the first digit of the name plate highest.
    private readonly ulong _digits;

    private MeterAddress(ulong digits) => _digits = digits;

    /// <summary>AA AA AA AA AA AA: whoever hears it answers. Only for the question for the address, with one meter on the line.</summary>
    public static MeterAddress Wildcard => new(0xAAAA_AAAA_AAAA);

    /// <summary>99 99 99 99 99 99: all meters, none of which answers.</summary>
    public static MeterAddress Broadcast => new(0x9999_9999_9999);

    /// <summary>Whether it is <see cref="Wildcard"/>.</summary>
    public bool IsWildcard => this == Wildcard;

    /// <summary>Whether it is <see cref="Broadcast"/>.</summary>
    public bool IsBroadcast => this == Broadcast;

    /// <summary>Whether it can be the address of a meter: decimal digits, and not <see cref="Broadcast"/>.</summary>
    public bool IsMeter
    {
        get
        {
            for (var shift = 0; shift < 4 * Digits; shift += 4)
            {
                if (((_digits >> shift) & 0xF) > 9)
                {
                    return false;
                }
            }

            return !IsBroadcast;
        }
    }

    /// <summary>Reads the address of a meter as people write it: up to twelve digits; zeros may be missing in front.</summary>
    /// <returns>False when it is no such text, or the broadcast.</returns>
    public static bool TryParse([NotNullWhen(true)] string? text, out MeterAddress address)
    {
        address = default;
        if (text is null || text.Length is 0 or > Digits)
        {
            return false;
        }

        ulong digits = 0;
        foreach (var c in text)
        {
            if (!char.IsAsciiDigit(c))
            {
                return false;
            }

            digits = (digits << 4) | (uint)(c - '0');
        }

        address = new(digits);
        return address.IsMeter;
    }

    /// <summary>Reads the six bytes of a frame, whatever they are.</summary>
    public static MeterAddress Read(ReadOnlySpan<byte> bytes)
    {
        ulong digits = 0;
        for (var i = Length - 1; i >= 0; i--)
        {
            digits = (digits << 8) | bytes[i];
        }

        return new(digits);
    }

    /// <summary>Writes the six bytes of a frame.</summary>
    public void Write(Span<byte> bytes)
    {
        for (var i = 0; i < Length; i++)
        {
            bytes[i] = (byte)((_digits >> (8 * i)) & 0xFF);
        }
    }

    /// <summary>The twelve digits; letters A to F where bytes of a frame were no digits.</summary>
    public override string ToString() => _digits.ToString("X12", System.Globalization.CultureInfo.InvariantCulture);
}
