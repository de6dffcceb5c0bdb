using System.IO.Compression;

namespace EdgeGateway.Core.Feed;

/// <summary>Opens a payload that travelled compressed (gzip, RFC 1952, or zlib, RFC 1950), told by its first bytes; JSON begins with neither.</summary>
public static class FeedPayload
{
    /// <summary>Most bytes that a payload may have unpacked: far above what a gateway sends, far below what would harm a receiver.</summary>
    public const int MaxBytes = 16 * 1024 * 1024;

    /// <summary>Unpacks a payload.</summary>
    /// <param name="payload">As it came.</param>
    /// <param name="problem">Why it cannot be unpacked; null when it can, or was not compressed.</param>
    /// <returns>The JSON, or the payload itself when it is not compressed.</returns>
    public static ReadOnlyMemory<byte> Open(ReadOnlyMemory<byte> payload, out string? problem)
    {
        problem = null;
        var bytes = payload.Span;
        var gzip = bytes is [0x1F, 0x8B, ..];
        if (!gzip && !(bytes is [var method, var flags, ..] && (method & 0x0F) == 8 && method <= 0x78 && ((method << 8) | flags) % 31 == 0))
        {
            return payload;
        }

        try
        {
            using var packed = new MemoryStream(payload.ToArray(), writable: false);
            using Stream unpacking = gzip ? new GZipStream(packed, CompressionMode.Decompress) : new ZLibStream(packed, CompressionMode.Decompress);
            using var unpacked = new MemoryStream();
            var buffer = new byte[16 * 1024];
            for (int read; (read = unpacking.Read(buffer)) > 0;)
            {
                if (unpacked.Length + read > MaxBytes)
                {
                    problem = $"unpacked it has more than {MaxBytes} bytes";
                    return payload;
                }

                unpacked.Write(buffer, 0, read);
            }

            return unpacked.ToArray();
        }
        catch (InvalidDataException e)
        {
            problem = $"it looks compressed and cannot be unpacked: {e.Message}";
            return payload;
        }
    }
}
