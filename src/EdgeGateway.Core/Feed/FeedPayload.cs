using System.IO.Compression;

namespace EdgeGateway.Core.Feed;

/// <summary>How a message of the feed may be packed for its way to the centre.</summary>
public enum FeedCompression : byte
{
    /// <summary>Plain JSON.</summary>
    None,

    /// <summary>RFC 1952.</summary>
    Gzip,

    /// <summary>Deflate in the zlib format, RFC 1950 and 1951: what HTTP calls <c>deflate</c>.</summary>
    Deflate,
}

/// <summary>
/// The payload around a message: JSON, or JSON packed where the site says that its centre can unpack it. The first byte tells which, on every version of MQTT:
/// <c>{</c> plain, 0x1F gzip, 0x78 deflate; over MQTT 5.0 the content type tells it too.
/// </summary>
public static class FeedPayload
{
    /// <summary>Shorter messages are not worth the effort.</summary>
    public const int PackFrom = 512;

    /// <summary>Most bytes that a message may have once it is unpacked, unless the receiver says otherwise: far more than any row of the feed.</summary>
    public const int DefaultLimit = 16 * 1024 * 1024;

    /// <summary>MIME type of a payload: MQTT 5.0, 3.3.2.3.9; <c>+gzip</c> as in RFC 8460, 6.4.</summary>
    public static string ContentType(FeedCompression compression) => compression switch
    {
        FeedCompression.Gzip => "application/json+gzip",
        FeedCompression.Deflate => "application/json+deflate",
        _ => "application/json",
    };

    /// <summary>What the first bytes of a payload say.</summary>
    public static FeedCompression Of(ReadOnlySpan<byte> payload) => payload switch
    {
        [0x1F, 0x8B, ..] => FeedCompression.Gzip,

        // Method 8, and the two bytes are a multiple of 31. RFC 1950, 2.2.
        [var first, var second, ..] when (first & 0x0F) == 8 && ((first << 8) | second) % 31 == 0 => FeedCompression.Deflate,
        _ => FeedCompression.None,
    };

    /// <summary>Packs a message when that makes it shorter by a tenth or more.</summary>
    /// <param name="json">The message.</param>
    /// <param name="compression">How.</param>
    /// <param name="output">Receives the packed message; emptied first. Meant to be used again and again.</param>
    /// <returns>False: send the message as it is.</returns>
    public static bool TryPack(ReadOnlySpan<byte> json, FeedCompression compression, MemoryStream output)
    {
        ArgumentNullException.ThrowIfNull(output);
        output.SetLength(0);
        if (compression == FeedCompression.None || json.Length < PackFrom)
        {
            return false;
        }

        using (Stream pack = compression == FeedCompression.Gzip
            ? new GZipStream(output, CompressionLevel.Optimal, leaveOpen: true)
            : new ZLibStream(output, CompressionLevel.Optimal, leaveOpen: true))
        {
            pack.Write(json);
        }

        return output.Length <= json.Length / 10L * 9;
    }

    /// <summary>Unpacks a payload, whichever way it is packed. No bytes make it throw.</summary>
    /// <param name="payload">The payload.</param>
    /// <param name="limit">Most bytes of the message: packed nonsense of a few kilobytes can claim to be gigabytes.</param>
    /// <returns>The JSON; null when the payload is damaged or larger than the limit.</returns>
    public static ReadOnlyMemory<byte>? Unpack(ReadOnlyMemory<byte> payload, int limit = DefaultLimit)
    {
        var compression = Of(payload.Span);
        if (compression == FeedCompression.None)
        {
            return payload.Length <= limit ? payload : null;
        }

        try
        {
            using var packed = new MemoryStream(payload.ToArray());
            using Stream unpack = compression == FeedCompression.Gzip
                ? new GZipStream(packed, CompressionMode.Decompress)
                : new ZLibStream(packed, CompressionMode.Decompress);
            using var json = new MemoryStream();
            var piece = new byte[16 * 1024];
            int read;
            while ((read = unpack.Read(piece)) > 0)
            {
                if (json.Length + read > limit)
                {
                    return null;
                }

                json.Write(piece.AsSpan(0, read));
            }

            // A stream that was cut off ends without an error where the library does not check its trailer: nothing came out of it then.
            return json.Length > 0 ? json.GetBuffer().AsMemory(0, (int)json.Length) : null;
        }
        catch (Exception e) when (e is InvalidDataException or IOException)
        {
            // A header that asks for a dictionary is an IOException of the library's own; the bytes themselves are in memory.
            return null;
        }
    }
}
