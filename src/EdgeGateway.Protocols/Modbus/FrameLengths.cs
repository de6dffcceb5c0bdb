namespace EdgeGateway.Protocols.Modbus;

/// <summary>How long a serial frame of any public function must be, from its first bytes. MODBUS V1.1b3, 6.</summary>
/// <remarks>Wider than what the client speaks: a trace hears other clients. Lengths include unit and CRC; 0: more bytes are needed; -1: no such frame.</remarks>
internal static class FrameLengths
{
    /// <summary>The length of a response that starts so.</summary>
    public static int OfReply(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 2)
        {
            return 0;
        }

        var function = bytes[1];
        if ((function & Pdu.ExceptionFlag) != 0)
        {
            return IsPublic(function & ~Pdu.ExceptionFlag) ? 5 : -1;
        }

        return function switch
        {
            (>= 1 and <= 4) or 23 => Counted(bytes, 2, 5, 251),
            5 or 6 or 8 or 11 or 15 or 16 => 8,
            7 => 5,
            12 or 17 or 20 or 21 => Counted(bytes, 2, 5, 251),
            22 => 10,
            24 => bytes.Length < 4 ? 0 : bytes[2] == 0 && bytes[3] is >= 2 and <= 64 ? 6 + bytes[3] : -1,
            43 => Identification(bytes),
            _ => -1,
        };
    }

    /// <summary>The length of a request that starts so.</summary>
    public static int OfRequest(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 2)
        {
            return 0;
        }

        return bytes[1] switch
        {
            (>= 1 and <= 6) or 8 => 8,
            7 or 11 or 12 or 17 => 4,
            15 or 16 => Counted(bytes, 6, 9, 247),
            20 or 21 => Counted(bytes, 2, 5, 251),
            22 => 10,
            23 => Counted(bytes, 10, 13, 243),
            24 => 6,
            43 => bytes.Length < 3 ? 0 : bytes[2] == 0x0E ? 7 : -1,
            _ => -1,
        };
    }

    private static bool IsPublic(int function) =>
        function is (>= 1 and <= 8) or 11 or 12 or (>= 15 and <= 17) or (>= 20 and <= 24) or 43;

    private static int Counted(ReadOnlySpan<byte> bytes, int at, int rest, int most) =>
        bytes.Length <= at ? 0 : bytes[at] > 0 && bytes[at] <= most ? rest + bytes[at] : -1;

    // unit | 2B | 0E | level | conformity | more | next | number | (id | length | text) ... | CRC
    private static int Identification(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 3)
        {
            return 0;
        }

        if (bytes[2] != 0x0E)
        {
            return -1;
        }

        if (bytes.Length < 8)
        {
            return 0;
        }

        var at = 8;
        for (var left = bytes[7]; left > 0; left--)
        {
            if (bytes.Length < at + 2)
            {
                return at > RtuFrame.MaxLength ? -1 : 0;
            }

            at += 2 + bytes[at + 1];
        }

        return at + Crc16.Size <= RtuFrame.MaxLength ? at + Crc16.Size : -1;
    }
}
