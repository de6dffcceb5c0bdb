namespace EdgeGateway.Protocols.Hj212;

/// <summary>The check sum of a packet. HJ 212-2017, appendix A.</summary>
/// <remarks>
/// It is not the CRC of Modbus, though the polynomial A001 is the same: the high byte of the register is moved down and the byte of data goes in at the low end without the old low byte.
/// </remarks>
public static class Hj212Crc
{
    /// <summary>The check sum of a data segment.</summary>
    public static ushort Of(ReadOnlySpan<byte> segment)
    {
        var crc = 0xFFFF;
        foreach (var b in segment)
        {
            crc = (crc >> 8) ^ b;
            for (var bit = 0; bit < 8; bit++)
            {
                var low = crc & 1;
                crc >>= 1;
                crc ^= low != 0 ? 0xA001 : 0;
            }
        }

        return (ushort)crc;
    }
}
