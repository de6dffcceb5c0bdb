using System.Buffers.Text;

namespace EdgeGateway.Protocols.Sensors;

/// <summary>The answer of a 1-Wire thermometer as the kernel shows it.</summary>
/// <remarks>
/// Two lines: nine bytes, the checksum and YES or NO; then the bytes of the last answer that was right, and the temperature.
/// <c>50 05 4b 46 7f ff 0c 10 1c : crc=1c YES</c> and <c>50 05 4b 46 7f ff 0c 10 1c t=85000</c>: this is the power-on value.
/// </remarks>
internal static class ScratchPad
{
    /// <summary>The temperature in thousandths of a degree that a thermometer holds before it has measured.</summary>
    public const double PowerOnThousandths = 85_000;

    private const int Bytes = 9;

    // Byte 6 before the first conversion (DS18B20 data sheet, memory map; the driver's own check uses it as well). After a conversion
    // of 85 °C a genuine chip holds 10h there.
    private const byte NothingConverted = 0x0C;

    /// <summary>What the text says.</summary>
    /// <param name="text">The text of <c>w1_slave</c>; empty when the thermometer did not answer.</param>
    public static SensorReading Parse(ReadOnlySpan<byte> text)
    {
        var end = text.IndexOf((byte)'\n');
        if (end < 0)
        {
            return SensorReading.Missing(text.IsEmpty ? SensorStatus.NoAnswer : SensorStatus.Unreadable);
        }

        Span<byte> bytes = stackalloc byte[Bytes];
        var first = text[..end];
        var second = text[(end + 1)..];
        for (var i = 0; i < Bytes; i++)
        {
            if (first.Length < 3 * (i + 1) || !Utf8Parser.TryParse(first.Slice(3 * i, 2), out bytes[i], out var used, 'x') || used != 2)
            {
                return SensorReading.Missing(SensorStatus.Unreadable);
            }
        }

        if (!first.TrimEnd(" \r"u8).EndsWith("YES"u8))
        {
            return SensorReading.Missing(SensorStatus.Checksum);
        }

        // A data line that is shorted to ground reads as zeros, whose checksum is right.
        if (bytes.IndexOfAnyExcept((byte)0) < 0)
        {
            return SensorReading.Missing(SensorStatus.NoAnswer);
        }

        var at = second.IndexOf("t="u8);
        if (at < 0 || !SysfsFile.TryParse(second[(at + 2)..], out var thousandths))
        {
            return SensorReading.Missing(SensorStatus.Unreadable);
        }

        // 85 °C is the value at power-on; 127.94 °C what some chips show when the supply failed while they measured.
        return (thousandths == PowerOnThousandths && bytes[6] == NothingConverted) || bytes is [0xFF, 0x07, _, _, _, _, NothingConverted, ..]
            ? SensorReading.Missing(SensorStatus.PowerOn)
            : new(thousandths / 1000, SensorStatus.Good);
    }
}
