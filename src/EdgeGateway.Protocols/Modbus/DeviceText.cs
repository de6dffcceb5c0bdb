using System.Globalization;
using System.Text;

namespace EdgeGateway.Protocols.Modbus;

/// <summary>Text that a device sent, made fit for a screen and a log.</summary>
internal static class DeviceText
{
    /// <summary>
    /// Printable characters of ASCII and UTF-8 stay; every other byte becomes <c>\xHH</c>, so that nothing in it can move a cursor,
    /// turn the writing direction or end a line. Zeros and blanks at the end are padding and go.
    /// </summary>
    public static string Of(ReadOnlySpan<byte> bytes)
    {
        bytes = bytes.TrimEnd("\0 "u8);
        StringBuilder text = new(bytes.Length);
        while (!bytes.IsEmpty)
        {
            var isWhole = Rune.DecodeFromUtf8(bytes, out var rune, out var length) == System.Buffers.OperationStatus.Done;
            if (isWhole && IsPrintable(rune))
            {
                text.Append(rune.ToString());
            }
            else
            {
                foreach (var b in bytes[..length])
                {
                    text.Append(CultureInfo.InvariantCulture, $"\\x{b:X2}");
                }
            }

            bytes = bytes[length..];
        }

        return text.ToString();
    }

    private static bool IsPrintable(Rune rune) => rune.Value == ' ' || Rune.GetUnicodeCategory(rune) is not
        (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse
        or UnicodeCategory.OtherNotAssigned or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.SpaceSeparator);
}
