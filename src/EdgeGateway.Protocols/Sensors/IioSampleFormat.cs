using System.Buffers.Binary;
using System.Globalization;
using System.Text.RegularExpressions;

namespace EdgeGateway.Protocols.Sensors;

/// <summary>How a value stands in a captured scan, as a file <c>*_type</c> says (Documentation/ABI/testing/sysfs-bus-iio): <c>be:s12/16&gt;&gt;4</c>.</summary>
/// <param name="IsBigEndian">Whether the first byte is the highest.</param>
/// <param name="IsSigned">Whether the value is a two's complement.</param>
/// <param name="Bits">Bits that are the value.</param>
/// <param name="StorageBits">Bits that it takes up: 8, 16, 32 or 64.</param>
/// <param name="Shift">Bits to its right that are not part of it.</param>
public sealed partial record IioSampleFormat(bool IsBigEndian, bool IsSigned, int Bits, int StorageBits, int Shift)
{
    /// <summary>Bytes that it takes up; it stands at a multiple of them.</summary>
    public int Bytes => StorageBits / 8;

    /// <summary>Understands the text of the file.</summary>
    /// <exception cref="SensorException">It is none that this library can read: another form, or several values in one.</exception>
    public static IioSampleFormat Parse(string text)
    {
        var match = Form().Match(text);
        if (match.Success)
        {
            int Number(string group) => match.Groups[group].Length == 0 ? 0 : int.Parse(match.Groups[group].ValueSpan, CultureInfo.InvariantCulture);
            var format = new IioSampleFormat(match.Groups["end"].Value == "be", match.Groups["sign"].Value == "s", Number("bits"), Number("storage"), Number("shift"));
            if (format is { StorageBits: 8 or 16 or 32 or 64, Bits: > 0 } && format.Bits + format.Shift <= format.StorageBits)
            {
                return format;
            }
        }

        throw new SensorException(SensorFault.Unsupported, $"a scan holds its values as \"{text}\", which this program cannot read");
    }

    /// <summary>The value.</summary>
    /// <param name="stored">Its bytes.</param>
    public long Read(ReadOnlySpan<byte> stored)
    {
        var raw = (Bytes, IsBigEndian) switch
        {
            (1, _) => stored[0],
            (2, true) => BinaryPrimitives.ReadUInt16BigEndian(stored),
            (2, false) => BinaryPrimitives.ReadUInt16LittleEndian(stored),
            (4, true) => BinaryPrimitives.ReadUInt32BigEndian(stored),
            (4, false) => BinaryPrimitives.ReadUInt32LittleEndian(stored),
            (_, true) => BinaryPrimitives.ReadUInt64BigEndian(stored),
            _ => BinaryPrimitives.ReadUInt64LittleEndian(stored),
        };

        // Some chips put other information beside the value: shifted out on the left, and back with or without the sign.
        var high = raw << (64 - Bits - Shift);
        return unchecked(IsSigned ? (long)high >> (64 - Bits) : (long)(high >> (64 - Bits)));
    }

    [GeneratedRegex("^(?<end>be|le):(?<sign>[su])(?<bits>[0-9]{1,2})/(?<storage>[0-9]{1,2})(>>(?<shift>[0-9]{1,2}))?$")]
    private static partial Regex Form();
}
