using System.Buffers.Binary;

namespace EdgeGateway.Storage;

/// <summary>
/// Looks into a write-ahead log before SQLite does. SQLite takes the log as far as its checksums hold and silently forgets what
/// comes after: right for a transaction that was cut off, wrong when a damaged frame hides transactions that were committed.
/// </summary>
/// <remarks>
/// SQLite file format, 4: a header of 32 bytes, then frames: page number 4 | size of the database after a commit, else 0, 4 | salts 8 |
/// running checksum 8 | page; big-endian.
/// </remarks>
internal static class WalInspection
{
    public const int HeaderLength = 32;
    public const int FrameHeaderLength = 24;
    private const uint MagicLittleEndianSums = 0x377F0682;

    /// <summary>A sentence when committed transactions lie behind damage; null when all is well.</summary>
    public static string? FindDamage(string path)
    {
        if (!File.Exists(path))
        {
            return null;
        }

        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, 1 << 16);
        if (file.Length < HeaderLength + FrameHeaderLength + Database.PageSize)
        {
            return null;
        }

        Span<byte> header = stackalloc byte[HeaderLength];
        file.ReadExactly(header);
        var magic = BinaryPrimitives.ReadUInt32BigEndian(header);
        var bigEndianSums = magic == MagicLittleEndianSums + 1;
        var sum = Sum(header[..24], (0, 0), bigEndianSums);
        if (magic is not (MagicLittleEndianSums or (MagicLittleEndianSums + 1))
            || BinaryPrimitives.ReadUInt32BigEndian(header[8..]) != Database.PageSize
            || sum != Read(header[24..]))
        {
            return header.IndexOfAnyExcept((byte)0) < 0 ? null : "the header of the write-ahead log is damaged";
        }

        var frame = new byte[FrameHeaderLength + Database.PageSize];
        var brokenAt = -1L;
        var commitsBehind = 0;
        for (var number = 0L; file.ReadAtLeast(frame, frame.Length, throwOnEndOfStream: false) == frame.Length; number++)
        {
            // Frames of an earlier round of the log have other salts: they are no longer part of it.
            var current = frame.AsSpan(8, 8).SequenceEqual(header[16..24]);
            if (brokenAt < 0)
            {
                sum = Sum(frame.AsSpan(FrameHeaderLength), Sum(frame.AsSpan(0, 8), sum, bigEndianSums), bigEndianSums);
                if (current && sum == Read(frame.AsSpan(16)))
                {
                    continue;
                }

                brokenAt = number;
            }

            if (current && BinaryPrimitives.ReadUInt32BigEndian(frame.AsSpan(4)) != 0)
            {
                commitsBehind++;
            }
        }

        // One commit behind the break belongs to the transaction that was being written when the power went: it was never reported
        // as durable. With two, the first had been flushed before the second began.
        return commitsBehind >= 2
            ? $"frame {brokenAt} of the write-ahead log is damaged and {commitsBehind} transactions lie behind it"
            : null;
    }

    private static (uint, uint) Read(ReadOnlySpan<byte> at) => (BinaryPrimitives.ReadUInt32BigEndian(at), BinaryPrimitives.ReadUInt32BigEndian(at[4..]));

    private static (uint A, uint B) Sum(ReadOnlySpan<byte> bytes, (uint A, uint B) sum, bool bigEndian)
    {
        var (a, b) = sum;
        unchecked
        {
            for (var i = 0; i + 8 <= bytes.Length; i += 8)
            {
                a += (bigEndian ? BinaryPrimitives.ReadUInt32BigEndian(bytes[i..]) : BinaryPrimitives.ReadUInt32LittleEndian(bytes[i..])) + b;
                b += (bigEndian ? BinaryPrimitives.ReadUInt32BigEndian(bytes[(i + 4)..]) : BinaryPrimitives.ReadUInt32LittleEndian(bytes[(i + 4)..])) + a;
            }
        }

        return (a, b);
    }
}
