namespace EdgeGateway.Core.State;

/// <summary>CRC-32 of ISO 3309 and IEEE 802.3 (reflected polynomial 0xEDB88320), which guards everything the store keeps.</summary>
public static class Crc32
{
    // Four tables, four bytes a turn: a checkpoint of some hundred kilobytes costs under a millisecond on a Pi.
    private static readonly uint[] Tables = MakeTables();

    /// <summary>The CRC of <paramref name="bytes"/>; with <paramref name="before"/>, of the bytes it was made from followed by these.</summary>
    public static uint Of(ReadOnlySpan<byte> bytes, uint before = 0)
    {
        unchecked
        {
            var tables = Tables;
            var crc = ~before;
            while (bytes.Length >= 4)
            {
                crc ^= System.Buffers.Binary.BinaryPrimitives.ReadUInt32LittleEndian(bytes);
                crc = tables[768 + (crc & 0xFF)] ^ tables[512 + ((crc >> 8) & 0xFF)] ^ tables[256 + ((crc >> 16) & 0xFF)] ^ tables[crc >> 24];
                bytes = bytes[4..];
            }

            foreach (var b in bytes)
            {
                crc = tables[(crc ^ b) & 0xFF] ^ (crc >> 8);
            }

            return ~crc;
        }
    }

    private static uint[] MakeTables()
    {
        unchecked
        {
            var tables = new uint[1024];
            for (var i = 0u; i < 256; i++)
            {
                var c = i;
                for (var bit = 0; bit < 8; bit++)
                {
                    c = (c & 1) != 0 ? 0xEDB88320 ^ (c >> 1) : c >> 1;
                }

                tables[i] = c;
            }

            for (var i = 256; i < 1024; i++)
            {
                tables[i] = tables[tables[i - 256] & 0xFF] ^ (tables[i - 256] >> 8);
            }

            return tables;
        }
    }
}
