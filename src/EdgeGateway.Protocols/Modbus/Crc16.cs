namespace EdgeGateway.Protocols.Modbus;

/// <summary>The CRC-16 that ends an RTU frame. MODBUS over Serial Line V1.02, 6.2.2.</summary>
/// <remarks>Polynomial 0xA001 (0x8005 reflected), start value 0xFFFF; on the wire the low byte goes first.</remarks>
public static class Crc16
{
    /// <summary>Bytes that the CRC takes at the end of a frame.</summary>
    public const int Size = 2;

    private static readonly ushort[] Table = MakeTable();

    /// <summary>The CRC of these bytes. Over a frame that includes its own correct CRC the result is zero.</summary>
    public static ushort Of(ReadOnlySpan<byte> bytes)
    {
        unchecked
        {
            ushort crc = 0xFFFF;
            foreach (var b in bytes)
            {
                crc = (ushort)((crc >> 8) ^ Table[(byte)(crc ^ b)]);
            }

            return crc;
        }
    }

    private static ushort[] MakeTable()
    {
        unchecked
        {
            var table = new ushort[256];
            for (var i = 0; i < table.Length; i++)
            {
                var crc = (ushort)i;
                for (var bit = 0; bit < 8; bit++)
                {
                    crc = (crc & 1) != 0 ? (ushort)((crc >> 1) ^ 0xA001) : (ushort)(crc >> 1);
                }

                table[i] = crc;
            }

            return table;
        }
    }
}
