using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace EdgeGateway.Core.Profiles;

/// <summary>Texts in registers, two characters in each: serial numbers, versions, names.</summary>
public static class RegisterText
{
    /// <summary>
    /// The text of the words. It ends at the first NUL; spaces and 0xFF at its ends are filling. What cannot be printed is written as <c>\x1B</c> (bytes) or
    /// <c>\u{85}</c> (characters), a backslash as two: a text is shown and sent on, and never moves a cursor. No words make it throw but too few.
    /// </summary>
    /// <param name="encoding">A <see cref="RegisterType.Text"/>.</param>
    /// <param name="words">The words of its span.</param>
    /// <exception cref="ArgumentOutOfRangeException">There are fewer words than the text occupies.</exception>
    public static string Decode(RegisterEncoding encoding, ReadOnlySpan<ushort> words)
    {
        var length = encoding.Length;
        ArgumentOutOfRangeException.ThrowIfLessThan(words.Length, length, nameof(words));
        Span<byte> bytes = stackalloc byte[2 * byte.MaxValue];
        bytes = bytes[..(2 * length)];
        for (var i = 0; i < length; i++)
        {
            var word = words[encoding.WordOrder == WordOrder.HighFirst ? i : length - 1 - i];
            if (encoding.ByteOrder == ByteOrder.Big)
            {
                BinaryPrimitives.WriteUInt16BigEndian(bytes[(2 * i)..], word);
            }
            else
            {
                BinaryPrimitives.WriteUInt16LittleEndian(bytes[(2 * i)..], word);
            }
        }

        var end = bytes.IndexOf((byte)0);
        bytes = (end < 0 ? bytes : bytes[..end]).Trim([(byte)' ', (byte)0xFF]);
        var text = new StringBuilder(bytes.Length);
        while (bytes.Length > 0)
        {
            var used = 1;
            if (encoding.TextCoding == TextCoding.Utf8 && Rune.DecodeFromUtf8(bytes, out var rune, out used) == System.Buffers.OperationStatus.Done)
            {
                Append(text, rune);
            }
            else if (encoding.TextCoding == TextCoding.Ascii && bytes[0] < 0x80)
            {
                Append(text, new Rune(bytes[0]));
            }
            else
            {
                used = 1;
                text.Append(CultureInfo.InvariantCulture, $"\\x{bytes[0]:X2}");
            }

            bytes = bytes[used..];
        }

        return text.ToString();
    }

    /// <summary>Writes a text as a device would hold it, filled up with NUL.</summary>
    /// <param name="encoding">A <see cref="RegisterType.Text"/>.</param>
    /// <param name="text">Printable characters.</param>
    /// <param name="words">Receives the words of its span.</param>
    /// <exception cref="ArgumentException">The text is longer than its registers, or has characters that its coding has not.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There are fewer words than the text occupies.</exception>
    public static void Encode(RegisterEncoding encoding, string text, Span<ushort> words)
    {
        var length = encoding.Length;
        ArgumentOutOfRangeException.ThrowIfLessThan(words.Length, length, nameof(words));
        Span<byte> bytes = stackalloc byte[2 * byte.MaxValue];
        bytes = bytes[..(2 * length)];
        bytes.Clear();
        if ((encoding.TextCoding == TextCoding.Ascii && !Ascii.IsValid(text)) || !Encoding.UTF8.TryGetBytes(text, bytes, out _))
        {
            throw new ArgumentException($"The text does not fit {length} registers of {encoding.TextCoding}.", nameof(text));
        }

        for (var i = 0; i < length; i++)
        {
            var pair = bytes.Slice(2 * i, 2);
            words[encoding.WordOrder == WordOrder.HighFirst ? i : length - 1 - i] =
                encoding.ByteOrder == ByteOrder.Big ? BinaryPrimitives.ReadUInt16BigEndian(pair) : BinaryPrimitives.ReadUInt16LittleEndian(pair);
        }
    }

    private static void Append(StringBuilder text, Rune rune)
    {
        var category = Rune.GetUnicodeCategory(rune);
        if (rune.Value == '\\')
        {
            text.Append(@"\\");
        }
        else if (category is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
            or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned or UnicodeCategory.Surrogate)
        {
            text.Append(rune.Value < 0x80 ? $"\\x{rune.Value:X2}" : $"\\u{{{rune.Value:X}}}");
        }
        else
        {
            text.Append(rune.ToString());
        }
    }
}
